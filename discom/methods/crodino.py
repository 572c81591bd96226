"""Our reconstruction of CroDiNo-KD: networks of one modality, trained side by side, no teacher."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any, Literal

import torch
from torch import Tensor, nn

from discom.data.augmentation import apply_d4, invert_d4
from discom.errors import ConfigError
from discom.losses import crodino, dense
from discom.methods.dense import Dense
from discom.models.segmentation import EncoderDecoder

Augmentation = Literal["decoupled", "coupled"]


class CroDiNoKD(Dense, name="crodino"):
    """CroDiNo-KD (Ferrod et al., ECML-PKDD 2025), our reconstruction from its README.

    L = Σ_m CE(branch_m(x_m), y_m) + .3·L_aux + .05·L_⊥ + .02·L_con + L_soft

    From the README: an encoder–decoder for each modality and one auxiliary decoder, trained jointly
    without a teacher; features in an invariant and a specific part; contrastive learning;
    augmentation of each modality on its own. Ours: every map of an encoder is halved by channels;
    the auxiliary decoder reads the invariant half of one modality and the specific half of the next
    (`crodino.cross_halves`); halves of the coarsest map are decorrelated (`decorrelation`) and
    its invariant halves contrasted place by place (`pixel_info_nce`), each modality's motion undone
    before; the weights; and L_soft: each branch learns the auxiliary decoder's answer, also where
    there is no label.

    A branch at inference is the network of `single`. Under the name of all modalities joined by +
    the auxiliary decoder is scored, which reads all networks.

    Args:
        augmentation: "decoupled" moves each modality in its own way, "coupled" all alike.
    """

    moves_maps = True
    single_sensor_control = "single"
    terms = {"cl": 1.0, "aux": 0.3, "orth": 0.05, "contrast": 0.02, "soft": 1.0}
    unlabelled = ("orth", "contrast", "soft")

    def __init__(
        self, channels, classes, encoder, *, augmentation: Augmentation = "decoupled", **options
    ):
        super().__init__(channels, classes, encoder, **options)
        if self.weights["soft"] and not self.weights["aux"]:
            raise ConfigError("weights", "soft needs aux's decoder", "raise aux, or set soft=0")
        self.channels, self.shared_augmentation = dict(channels), augmentation == "coupled"
        self.fused = "+".join(channels)
        self.auxiliary = nn.ModuleDict()
        if self.weights["aux"]:  # last, so that the branches start from the same weights without it
            self.deployed = [*channels, self.fused]
            self.auxiliary[self.fused] = encoder(1).decoder

    def loss(self, batch):
        upright, logits = {}, {}  # modality → maps in the scene's own position; → logits
        for name in self.channels:
            network, x = self.branches[name], batch.x[name]
            maps = network.encode(x)
            logits[name] = network.decoder(maps, x.shape[-2:])[1]
            upright[name] = [invert_d4(one, batch.transform_ids[name]) for one in maps]
        first = next(iter(self.channels))
        labels = invert_d4(batch.y[first][:, None], batch.transform_ids[first])[:, 0]
        coarsest = {name: maps[-1] for name, maps in upright.items()}
        terms = {"cl": sum(self.cross_entropy(logits[m], batch.y[m]) for m in self.channels)}
        if self.weights["aux"]:
            decoder = self.auxiliary[self.fused]
            fused = decoder(crodino.cross_halves(upright), labels.shape[-2:])[1]
            terms["aux"] = self.cross_entropy(fused, labels)
        if self.weights["orth"]:
            terms["orth"] = crodino.decorrelation(coarsest)
        if self.weights["contrast"]:
            invariant = [crodino.halves(one)[0] for one in coarsest.values()]
            places = crodino.place_labels(labels, invariant[0].shape[-2:])
            pairs = combinations(invariant, 2)
            each = [crodino.pixel_info_nce(b, a, places) for a, b in pairs]
            terms["contrast"] = torch.stack(each).mean()  # over all pairs of modalities
        if self.weights["soft"]:
            ids = batch.transform_ids
            soft = {name: apply_d4(fused.detach(), ids[name]) for name in self.channels}
            terms["soft"] = sum(dense.pixel_wise(logits[m], soft[m]) for m in self.channels)
        return terms

    def deployed_module(self, modality):
        if modality != self.fused:
            return self.branches[modality]
        return CrossDecoder(self.branches, self.auxiliary[self.fused], self.channels)


class CrossDecoder(nn.Module):
    """The encoders of all modalities' networks read by one more decoder, averaged over all pairings
    of halves; `channels` are modality → bands, in the order in which they are stacked."""

    def __init__(self, networks: Any, decoder: nn.Module, channels: Mapping[str, int]):
        super().__init__()
        self.decoder, self.channels = decoder, dict(channels)
        self.encoders: Any = nn.ModuleDict()
        for name in channels:
            one = networks[name]
            alone = EncoderDecoder(one.encoder, nn.Identity(), one.stride, one.widths)
            self.encoders[name], self.stride = alone, one.stride

    def forward(self, x: Tensor) -> Tensor:
        """Stacked bands [B, Σ channels, H, W] → logits [B, C, H, W]."""
        images = zip(self.encoders, x.split(list(self.channels.values()), dim=1), strict=True)
        maps = {name: self.encoders[name].encode(image) for name, image in images}
        mixed = [crodino.cross_halves(maps, shift) for shift in range(len(self.channels))]
        return torch.stack([self.decoder(one, x.shape[-2:])[1] for one in mixed]).mean(0)
