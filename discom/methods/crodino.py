"""CroDiNo-KD: two single-modality networks for dense prediction that learn side by side, without a
teacher."""

import copy
from collections.abc import Mapping

from torch import nn

from discom.data.augmentation import restore, turn
from discom.errors import ConfigError
from discom.losses import crossing, dense
from discom.losses.distill import check_temperature
from discom.methods.base import register
from discom.methods.dense import Dense
from discom.models import CrossDecoder

__all__ = ["CroDiNoKD"]


@register("crodino")
class CroDiNoKD(Dense):
    """CroDiNo-KD (Ferrod et al., ECML-PKDD 2025), as far as its README tells, and our design beyond
    it.

    L = Σ_m CE(branch_m(x_m), y_m) + .3·L_aux + .05·L_⊥ + .02·L_con + w·L_soft

    From the README: an encoder–decoder for each modality and one auxiliary decoder, trained jointly
    without a teacher; features in an invariant and a specific part; contrastive learning;
    augmentation of each modality on its own. Ours: every map of an encoder is halved by channels;
    the auxiliary decoder reads the invariant half of one modality and the specific half of the next
    at every scale (`crossing.cross_halves`); halves of the coarsest map shall not be correlated
    (`place_separation`), its invariant halves agree place by place (`place_contrast`), each
    modality's motion undone before; the weights; L_soft, off unless asked for: each branch learns
    the auxiliary decoder's answer, also where there is no label. At the `cpu` profile the contrast
    is a quarter of a step's time.

    A branch at use is the network of `single`. Under the name of all modalities joined by + the
    auxiliary decoder is scored, which reads both networks.

    Args:
        augmentation: "decoupled" moves each modality in its own way, "coupled" all alike.
        contrast_temperature: τ of L_con.
        soft_temperature: T of L_soft, T²·KL.
        weights: aux, orth, contrast and soft; 0 switches a term off.

    Raises:
        ConfigError: one modality only, an unknown augmentation, soft labels without an auxiliary
            decoder.
    """

    moves_maps = True
    terms = {"cl": 1.0, "aux": 0.3, "orth": 0.05, "contrast": 0.02, "soft": 0.0}

    def __init__(
        self,
        channels,
        classes,
        encoder,
        *,
        augmentation: str = "decoupled",
        contrast_temperature: float = 0.1,
        soft_temperature: float = 4.0,
        weights: Mapping[str, float] = {},
    ):
        super().__init__(channels, classes, encoder, weights=weights)
        if len(channels) < 2:
            raise ConfigError(
                f"crodino: needs two modalities or more, the data has {list(channels)}; try single"
            )
        if augmentation not in ("decoupled", "coupled"):
            raise ConfigError(
                f"augmentation: '{augmentation}' is unknown; choose decoupled or coupled"
            )
        if self.weights["soft"] and not self.weights["aux"]:
            raise ConfigError(
                "weights: soft labels come from the auxiliary decoder; give aux a weight above 0"
            )
        for temperature in (contrast_temperature, soft_temperature):
            check_temperature(temperature)
        self.channels, self.coupled = dict(channels), augmentation == "coupled"
        self.contrast_temperature, self.soft_temperature = contrast_temperature, soft_temperature
        self.fused = "+".join(channels)
        self.auxiliary = nn.ModuleDict()
        if self.weights["aux"]:  # made last: without it the branches start from the same weights
            self.deployed = [*channels, self.fused]
            self.auxiliary[self.fused] = encoder(1).decoder

    def loss(self, batch):
        maps, logits = {}, {}
        for name in self.channels:
            network, x = self.branches[name], batch.x[name]
            maps[name] = network.encode(x)
            logits[name] = network.decode(maps[name], x.shape[-2:])[1]
        total = {
            "cl": sum(dense.cross_entropy(logits[name], batch.y[name]) for name in self.channels)
        }
        upright = {
            name: [restore(one, batch.views[name]) for one in held] for name, held in maps.items()
        }
        first = next(iter(self.channels))
        labels = restore(batch.y[first][:, None], batch.views[first])[:, 0]
        if self.weights["aux"]:
            fused = self.auxiliary[self.fused](
                crossing.cross_halves(upright), labels.shape[-2:]
            )[1]
            total["aux"] = dense.cross_entropy(fused, labels)
        if self.weights["orth"]:
            total["orth"] = crossing.place_separation(
                {name: held[-1] for name, held in upright.items()}
            )
        if self.weights["contrast"]:
            total["contrast"] = self._contrast(
                {name: held[-1] for name, held in upright.items()}, labels
            )
        if self.weights["soft"]:
            total["soft"] = sum(
                dense.pixel_wise(
                    logits[name], turn(fused.detach(), batch.views[name]), self.soft_temperature
                )
                for name in self.channels
            )
        return total

    def _contrast(self, maps, labels):
        """The mean over all pairs of modalities."""
        invariant = [crossing.halves(held)[0] for held in maps.values()]
        places = crossing.place_labels(labels, invariant[0].shape[-2:])
        pairs = [(a, b) for number, a in enumerate(invariant) for b in invariant[:number]]
        terms = [crossing.place_contrast(a, b, places, self.contrast_temperature) for a, b in pairs]
        return sum(terms) / len(terms)

    def predict(self, modality, x):
        if modality == self.fused:
            return self._together()(x)
        return self.branches[modality](x)

    def state(self, modality):
        """A branch alone; under the fused name everything, because the auxiliary decoder reads
        every branch."""
        return dict(self.state_dict()) if modality == self.fused else super().state(modality)

    def branch(self, modality):
        if modality == self.fused:
            alone = copy.deepcopy(self._together())
            for network in alone.branches.values():
                network.decoder = nn.Identity()  # only the encoders are read
            return alone
        return super().branch(modality)

    def _together(self) -> CrossDecoder:
        return CrossDecoder(self.branches, self.auxiliary[self.fused], self.channels)
