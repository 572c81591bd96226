"""Terms of our CroDiNo-KD. B batch, D channels, M modalities, h×w places of a map, P = B·h·w.

After the README and the abstract of CroDiNo-KD (Ferrod et al., ECML-PKDD 2025); its paper and code
were not at hand. They name disentanglement, contrastive learning and an auxiliary decoder; layer,
pairs and weights are ours.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.errors import ConfigError
from discom.labels import NO_LABEL
from discom.losses import full_precision


def halves(maps: Tensor) -> tuple[Tensor, Tensor]:
    """A map [B, 2D, h, w] → its invariant and its specific half, [B, D, h, w] each."""
    if maps.shape[1] % 2:
        found = f"a map of {maps.shape[1]} channels has no halves"
        raise ConfigError("network", found, "choose an even width")
    invariant, specific = maps.chunk(2, dim=1)
    return invariant, specific


def _places(maps: Tensor) -> Tensor:
    """[B, D, h, w] → [B·h·w, D]."""
    return maps.movedim(1, -1).flatten(0, -2)


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
    pairs = [halves(one) for one in maps.values()]
    return torch.stack([squared_correlation(_places(a), _places(b)) for a, b in pairs]).sum()


def place_labels(labels: Tensor, size: Sequence[int]) -> Tensor:
    """The class at the middle of each cell of a coarser grid: [B, H, W] → [B, h, w], int64.

    >>> place_labels(torch.arange(16).view(1, 4, 4), (2, 2)).flatten().tolist()
    [5, 7, 13, 15]
    """
    return F.interpolate(labels[:, None].double(), tuple(size), mode="nearest-exact")[:, 0].long()


def pixel_info_nce(
    first: Tensor,
    second: Tensor,
    labels: Tensor | None = None,
    temperature: float = 0.1,
    count: int = 1024,
) -> Tensor:
    r"""InfoNCE over places: a place resembles itself in the other modality, not other places.

    .. math:: L_{con} = -\tfrac{1}{2P} \sum_p [\log \mathrm{softmax}_q(a_p \cdot b_q / \tau)_p
              + \log \mathrm{softmax}_q(b_p \cdot a_q / \tau)_p], \qquad \|a_p\| = \|b_p\| = 1

    Source: InfoNCE (van den Oord et al. 2018); the pairs are ours. Other places of the same class
    are no negatives; a place without a label is a negative of all others. The result is log of the
    number of places where all are alike.

    `first`, `second` are the invariant halves of two modalities [B, D, h, w] in the same position,
    `labels` the class of each place [B, h, w], or `NO_LABEL`; None makes all others negatives. So
    many places as `count` are drawn at random where there are more: costs grow with its square.

    >>> a = torch.eye(4).view(1, 4, 2, 2)
    >>> pixel_info_nce(a, a).item() < 1e-3, round(pixel_info_nce(0 * a, 0 * a).item(), 4)  # log 4
    (True, 1.3863)
    """
    with torch.autocast(first.device.type, enabled=False):
        a, b = (F.normalize(full_precision(_places(x)), dim=1) for x in (first, second))  # [P, D]
        classes = None if labels is None else labels.flatten()  # [P]
        if len(a) > count:
            rows = torch.randperm(len(a))[:count].to(a.device)
            a, b = a[rows], b[rows]
            classes = None if classes is None else classes[rows]
        scores = a @ b.T / temperature  # [P, P]
        if classes is not None:
            same_class = (classes[:, None] == classes) & (classes != NO_LABEL)[:, None]
            same_class.fill_diagonal_(False)
            scores = scores.masked_fill(same_class, -torch.inf)
        itself = torch.arange(len(a), device=a.device)
        return (F.cross_entropy(scores, itself) + F.cross_entropy(scores.T, itself)) / 2


def cross_halves(maps: Mapping[str, Sequence[Tensor]], shift: int = 0) -> list[Tensor]:
    """The auxiliary decoder's input: one modality's invariant half, the next one's specific half.

    Row i of the batch takes the invariant half of modality (i + shift) mod M and the specific half
    of the one after it, so that one pass over a batch trains on all M pairings.

    `maps` holds each modality's maps, finest first, [B, 2D_k, h_k, w_k], in the scene's own
    position; the result has a map of the same shape for each scale.
    """
    mixed = []
    for scale in zip(*maps.values(), strict=True):  # of each scale, the M maps
        pairs = [halves(one) for one in scale]
        invariant = torch.stack([pair[0] for pair in pairs])  # [M, B, D_k, h_k, w_k]
        specific = torch.stack([pair[1] for pair in pairs])
        rows = torch.arange(invariant.shape[1], device=invariant.device)
        source = (rows + shift) % len(pairs)
        parts = [invariant[source, rows], specific[(source + 1) % len(pairs), rows]]
        mixed.append(torch.cat(parts, dim=1))
    return mixed
