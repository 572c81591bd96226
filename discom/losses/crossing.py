"""What crosses over between two encoder–decoders: CroDiNo-KD's terms, one pure function each.

CroDiNo-KD's README (Ferrod et al., ECML-PKDD 2025) names disentanglement, contrastive learning and
an auxiliary decoder; which layer is split, which pairs are contrasted and with what weights is not
in it, so all that is here is ours. B batch, D channels, M modalities, h×w places of a map, P =
B·h·w.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.data.checks import NO_LABEL
from discom.errors import ConfigError
from discom.losses.separate import squared_correlation

__all__ = ["cross_halves", "halves", "place_contrast", "place_labels", "place_separation"]


def halves(maps: Tensor) -> tuple[Tensor, Tensor]:
    """A map [B, 2D, h, w] → its invariant and its specific half, [B, D, h, w] each.

    Raises:
        ConfigError: an odd number of channels.
    """
    if maps.shape[1] % 2:
        raise ConfigError(
            f"network: a map of {maps.shape[1]} channels has no halves; choose an even width"
        )
    invariant, specific = maps.chunk(2, dim=1)
    return invariant, specific


def place_separation(maps: Mapping[str, Tensor]) -> Tensor:
    r"""The halves' channels shall not be correlated over all P places; r² is the
    `squared_correlation`.

    .. math:: L_{\perp} = \sum_m r^2(inv_m, spec_m)

    Source: ours. A squared cosine of two long vectors is near zero whatever they hold; correlations
    between channels are not.

    Args:
        maps: modality → [B, 2D, h, w], signed.

    Returns:
        A scalar in [0, M].

    >>> x = torch.randn(4, 1, 8, 8)
    >>> round(place_separation({"rgb": torch.cat([x, -3 * x], 1)}).item(), 4)
    1.0
    """
    return sum(
        squared_correlation(*(_places(half) for half in halves(held))) for held in maps.values()
    )


def place_labels(labels: Tensor, size: Sequence[int]) -> Tensor:
    """The class at the middle of each cell of a coarser grid: [B, H, W] → [B, h, w], int64.

    >>> place_labels(torch.arange(16).view(1, 4, 4), (2, 2)).flatten().tolist()
    [5, 7, 13, 15]
    """
    return F.interpolate(labels[:, None].double(), tuple(size), mode="nearest-exact")[:, 0].long()


def place_contrast(
    first: Tensor,
    second: Tensor,
    labels: Tensor | None = None,
    temperature: float = 0.1,
    places: int = 1024,
) -> Tensor:
    r"""InfoNCE over places: a place in one sensor shall be more like itself in the other sensor
    than like other places.

    .. math:: L_{con} = -\tfrac{1}{2P} \sum_p [\log \mathrm{softmax}_q(a_p \cdot b_q / \tau)_p
              + \log \mathrm{softmax}_q(b_p \cdot a_q / \tau)_p], \qquad \|a_p\| = \|b_p\| = 1

    Source: InfoNCE (van den Oord et al. 2018); the pairs are ours. Other places of the same class
    are no negatives: two pieces of one material should look alike. A place without a label is a
    negative of all others.

    Args:
        first, second: the invariant halves of two modalities [B, D, h, w], both in the scene's own
        position.
        labels: class of each place [B, h, w], 255 for none; without them every other place is a
        negative.
        temperature: τ > 0.
        places: so many are drawn where there are more: the table of all pairs grows with their
            square.

    Returns:
        A scalar ≥ 0; log of the number of places where nothing can be told apart.

    >>> a = torch.eye(4).view(1, 4, 2, 2)
    >>> place_contrast(a, a).item() < 1e-3, round(place_contrast(0 * a, 0 * a).item(), 4)  # log 4
    (True, 1.3863)
    """
    with torch.autocast(first.device.type, enabled=False):
        a, b = (
            F.normalize(_places(x).float() if x.dtype.itemsize < 4 else _places(x), dim=1)
            for x in (first, second)
        )
        known = None if labels is None else labels.flatten()
        if len(a) > places:
            chosen = torch.randperm(len(a))[:places].to(a.device)
            a, b, known = a[chosen], b[chosen], None if known is None else known[chosen]
        likeness = a @ b.T / temperature  # [P, P]
        if known is not None:
            alike = (known[:, None] == known) & (known != NO_LABEL)[:, None]
            alike.fill_diagonal_(False)
            likeness = likeness.masked_fill(alike, -torch.inf)
        same = torch.arange(len(a), device=a.device)
        return (F.cross_entropy(likeness, same) + F.cross_entropy(likeness.T, same)) / 2


def cross_halves(maps: Mapping[str, Sequence[Tensor]], shift: int = 0) -> list[Tensor]:
    """What the auxiliary decoder reads: at every scale the invariant half of one sensor, the
    specific half of the next.

    Row i of the batch takes the invariant half of modality (i + shift) mod M and the specific half
    of the one after it, so that one pass over a batch trains on all M pairings.

    Args:
        maps: modality → its maps, finest first, [B, 2D_k, h_k, w_k], in the scene's own position.
        shift: which pairing row 0 has.

    Returns:
        A map for each scale, of the same shape as those of one modality.
    """
    scales = list(zip(*maps.values(), strict=True))  # of each scale, the M maps
    count = len(scales[0])
    rows = torch.arange(len(scales[0][0]), device=scales[0][0].device)
    mixed = []
    for held in scales:
        invariant, specific = (
            torch.stack(half) for half in zip(*(halves(one) for one in held), strict=True)
        )
        mixed.append(
            torch.cat(
                [
                    invariant[(rows + shift) % count, rows],
                    specific[(rows + shift + 1) % count, rows],
                ],
                1,
            )
        )
    return mixed


def _places(maps: Tensor) -> Tensor:
    """[B, D, h, w] → [P, D]."""
    return maps.flatten(2).transpose(1, 2).flatten(0, 1)
