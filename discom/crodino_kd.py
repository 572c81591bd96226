"""CroDiNo-KD on one page, as we rebuilt it: the halves of a map, the terms of the loss, the
training step, and what is deployed. Networks of one modality train side by side, without a teacher.

After the README and the abstract of CroDiNo-KD (Ferrod et al., ECML-PKDD 2025); its paper and code
were not at hand. They name disentanglement, contrastive learning and an auxiliary decoder; layer,
pairs and weights are ours. The contrast and the soft labels are those of `losses.dense`.

B batch, D channels, M modalities, h×w places of a map, P = B·h·w.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import torch
from torch import Tensor, nn

from discom.data.augmentation import apply_d4, invert_d4
from discom.errors import ConfigError
from discom.losses import full_precision
from discom.losses.dense import pixel_info_nce, pixel_wise, place_labels, places
from discom.methods.dense_prediction import Dense
from discom.models.segmentation import EncoderDecoder

Augmentation = Literal["decoupled", "coupled"]

# ---------------------------------------------------------------- the halves of a map


def halves(maps: Tensor) -> tuple[Tensor, Tensor]:
    """A map [B, 2D, h, w] → its invariant and its specific half, [B, D, h, w] each."""
    if maps.shape[1] % 2:
        found = f"a map of {maps.shape[1]} channels has no halves"
        raise ConfigError("network", found, "choose an even width")
    invariant, specific = maps.chunk(2, dim=1)
    return invariant, specific


def cross_halves(maps: Mapping[str, Sequence[Tensor]], shift: int = 0) -> list[Tensor]:
    """The auxiliary decoder's input: one modality's invariant half, the next one's specific half.

    Row i of the batch takes the invariant half of modality (i + shift) mod M and the specific half
    of the one after it, so that one pass over a batch trains on all M pairings.

    `maps` holds each modality's maps, finest first, [B, 2D_k, h_k, w_k], in the scene's own
    position; the result has a map of the same shape for each scale.
    """
    mixed = []
    for scale in zip(*maps.values(), strict=True):  # of each scale, the M maps
        pairs = [halves(maps_of_modality) for maps_of_modality in scale]
        invariant = torch.stack([pair[0] for pair in pairs])  # [M, B, D_k, h_k, w_k]
        specific = torch.stack([pair[1] for pair in pairs])
        rows = torch.arange(invariant.shape[1], device=invariant.device)
        source = (rows + shift) % len(pairs)
        parts = [invariant[source, rows], specific[(source + 1) % len(pairs), rows]]
        mixed.append(torch.cat(parts, dim=1))
    return mixed


# ---------------------------------------------------------------- the terms


def squared_correlation(a: Tensor, b: Tensor) -> Tensor:
    r"""Mean squared correlation between the units of two embeddings.

    .. math:: r^2(a, b) = \frac{1}{D D'} \sum_{ij} \mathrm{corr}(a_i, b_j)^2

    Source: the cross-covariance penalty of Cheung et al. (2015), as a mean over standardised units.

    Embeddings are [B, D] and [B, D']; the result is in [0, 1]: 1 if every pair of units lies on a
    line, about 1/B for independent units; a constant unit adds 0.

    >>> z = torch.tensor([[1.0], [2.0], [3.0]])
    >>> round(squared_correlation(z, -2 * z).item(), 4)
    1.0
    """
    with torch.autocast(a.device.type, enabled=False):
        a, b = _standardise(a), _standardise(b)
        return (a.T @ b / len(a)).square().mean()  # [D, B] · [B, D'] → [D, D']


def _standardise(z: Tensor) -> Tensor:
    z = full_precision(z)
    z = z - z.mean(0)
    return z / (z.square().mean(0) + 1e-12).sqrt()  # of a constant unit 0, and a gradient of 0


def decorrelation(maps: Mapping[str, Tensor]) -> Tensor:
    r"""The halves' channels shall not be correlated over all P places; r² is `squared_correlation`.

    .. math:: L_{\perp} = \sum_m r^2(inv_m, spec_m)

    Source: ours. Maps are signed, [B, 2D, h, w] for each modality; the result is in [0, M].

    >>> x = torch.randn(4, 1, 8, 8)
    >>> round(decorrelation({"rgb": torch.cat([x, -3 * x], 1)}).item(), 4)
    1.0
    """
    pairs = [halves(coarsest) for coarsest in maps.values()]
    return torch.stack([squared_correlation(places(a), places(b)) for a, b in pairs]).sum()


# ---------------------------------------------------------------- the training step


class CroDiNoKD(Dense, name="crodino"):
    """CroDiNo-KD (Ferrod et al., ECML-PKDD 2025), our reconstruction from its README.

    L = Σ_m CE(branch_m(x_m), y_m) + .3·L_aux + .05·L_⊥ + .02·L_con + L_soft

    From the README: an encoder–decoder for each modality and one auxiliary decoder, trained jointly
    without a teacher; features in an invariant and a specific part; contrastive learning;
    augmentation of each modality on its own. Ours: every map of an encoder is halved by channels;
    the auxiliary decoder reads the invariant half of one modality and the specific half of the next
    (`cross_halves`); halves of the coarsest map are decorrelated (`decorrelation`) and
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
            upright[name] = [invert_d4(scale, batch.transform_ids[name]) for scale in maps]
        first = next(iter(self.channels))
        labels = invert_d4(batch.y[first][:, None], batch.transform_ids[first])[:, 0]
        coarsest = {name: maps[-1] for name, maps in upright.items()}
        terms = {"cl": sum(self.cross_entropy(logits[m], batch.y[m]) for m in self.channels)}
        if self.weights["aux"]:
            decoder = self.auxiliary[self.fused]
            fused = decoder(cross_halves(upright), labels.shape[-2:])[1]
            terms["aux"] = self.cross_entropy(fused, labels)
        if self.weights["orth"]:
            terms["orth"] = decorrelation(coarsest)
        if self.weights["contrast"]:
            invariant = [halves(maps)[0] for maps in coarsest.values()]
            classes = place_labels(labels, invariant[0].shape[-2:])
            pairs = combinations(invariant, 2)
            contrasts = [pixel_info_nce(b, a, classes) for a, b in pairs]
            terms["contrast"] = torch.stack(contrasts).mean()  # over all pairs of modalities
        if self.weights["soft"]:
            ids = batch.transform_ids
            soft = {name: apply_d4(fused.detach(), ids[name]) for name in self.channels}
            terms["soft"] = sum(pixel_wise(logits[m], soft[m]) for m in self.channels)
        return terms

    def deployed_module(self, modality):
        if modality != self.fused:
            return self.branches[modality]
        return CrossDecoder(self.branches, self.auxiliary[self.fused], self.channels)


# ---------------------------------------------------------------- what is deployed


class CrossDecoder(nn.Module):
    """The encoders of all modalities' networks read by one more decoder, averaged over all pairings
    of halves; `channels` are modality → bands, in the order in which they are stacked."""

    def __init__(self, networks: Any, decoder: nn.Module, channels: Mapping[str, int]):
        super().__init__()
        self.decoder, self.channels = decoder, dict(channels)
        self.encoders: Any = nn.ModuleDict()
        for name in channels:
            network = networks[name]
            encoder = EncoderDecoder(network.encoder, nn.Identity(), network.stride, network.widths)
            self.encoders[name], self.stride = encoder, network.stride

    def forward(self, x: Tensor) -> Tensor:
        """Stacked bands [B, Σ channels, H, W] → logits [B, C, H, W]."""
        images = zip(self.encoders, x.split(list(self.channels.values()), dim=1), strict=True)
        maps = {name: self.encoders[name].encode(image) for name, image in images}
        mixed = [cross_halves(maps, shift) for shift in range(len(self.channels))]
        return torch.stack([self.decoder(pairing, x.shape[-2:])[1] for pairing in mixed]).mean(0)
