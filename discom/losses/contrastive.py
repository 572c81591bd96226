"""Losses between two views of the same scenes: NT-Xent, Barlow Twins, and DeCUR's cross term.

B pairs, 2 or more, D units: embeddings a and b are [B, D] (else there is a ValueError), and row i
of both is the same scene. All is computed in float32 at least.
"""

from collections.abc import Mapping
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.losses import check_temperature, full_precision

EPSILON = 1e-5  # added to the variance of a unit, as by BatchNorm


def nt_xent(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    r"""Each row's partner among all other rows of both modalities, mean over the 2B rows.

    .. math:: L = -\tfrac{1}{2B} \sum_{i=1}^{2B} \log \frac{\exp(\cos(z_i, z_{p(i)}) / \tau)}
              {\sum_{k \ne i} \exp(\cos(z_i, z_k) / \tau)}

    z are the rows of a and b together, whose length does not count, and p(i) is the other view of
    row i; `temperature` is τ > 0. Source: Chen et al., ICML 2020 (SimCLR); τ = .1 as in MDiCo (Mena
    et al., Machine Learning 2025).

    >>> a = torch.eye(2)
    >>> round(nt_xent(a, a).item(), 4), round(nt_xent(a, a.flip(0)).item(), 4)  # found, and taken
    (0.0001, 10.0001)
    """
    check_temperature(temperature)
    if a.shape != b.shape or a.ndim != 2 or len(a) < 2:
        shapes = f"{tuple(a.shape)} and {tuple(b.shape)}"
        raise ValueError(f"nt_xent: views are {shapes}; give two [B, D], two pairs or more")
    with torch.autocast(a.device.type, enabled=False):
        z = F.normalize(full_precision(torch.cat([a, b])), dim=1)  # [2B, D]
        logits = (z @ z.T / temperature).fill_diagonal_(-torch.inf)  # no row is its own partner
        partners = torch.arange(len(z), device=z.device).roll(len(a))
        return F.cross_entropy(logits, partners)


def contrastive_loss(embeddings: Mapping[str, Tensor], temperature: float = 0.1) -> Tensor:
    r"""The sum of `nt_xent` over ordered pairs of modalities.

    .. math:: L_{con} = \sum_{m \ne m'} L(z^m, z^{m'})

    Source: MDiCo (Mena et al., Machine Learning 2025), as in its released code, where both orders
    of a pair count. `embeddings` are modality → [B, D], of two modalities or more.

    >>> round(contrastive_loss({"rgb": torch.eye(2), "depth": torch.eye(2)}).item(), 4)
    0.0002
    """
    if len(embeddings) < 2:
        raise ValueError(f"contrastive: modalities {list(embeddings)}; give two or more")
    pairs = combinations(embeddings.values(), 2)
    return 2 * torch.stack([nt_xent(a, b, temperature) for a, b in pairs]).sum()  # L is symmetric


def barlow_twins(a: Tensor, b: Tensor, weight: float = 0.0051) -> Tensor:
    r"""Each unit of one view correlates with the same unit of the other, and with no other unit.

    .. math:: L = \sum_i (1 - C_{ii})^2 + \lambda \sum_{i \ne j} C_{ij}^2

    C is the correlation of the units of a with those of b over the batch, see `correlation`;
    `weight` is λ ≥ 0. Source: Zbontar et al., ICML 2021; λ as in DeCUR's released code.

    >>> a = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> round(barlow_twins(a, a).item(), 4), round(barlow_twins(a, -a).item(), 2)
    (0.0, 8.0)
    """
    return _decorrelated(correlation(a, b), 1.0, weight)


def decur_cross(a: Tensor, b: Tensor, common: int, weight: float = 0.0051) -> Tensor:
    r"""Two sensors agree in their first K units, and in none of the others.

    .. math:: L = \tfrac12 \Big[ \sum_{i < K} (1 - C_{ii})^2 + \sum_{i \ge K} C_{ii}^2 + \lambda
              \sum_{\substack{i \ne j \\ i, j < K \text{ or } i, j \ge K}} C_{ij}^2 \Big]

    C is the correlation of the units of a with those of b, see `correlation`; its two blocks of one
    common and one unique unit are free. `common` is K, 0 to D, and `weight` λ ≥ 0. Source: DeCUR
    (Wang et al., ECCV 2024), as in its released code.

    >>> a = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> round(decur_cross(a, a, common=1).item(), 2)  # the second unit should differ
    0.5
    """
    if not 0 <= common <= a.shape[-1]:
        raise ValueError(f"common: {common} is out of range; use 0 to {a.shape[-1]}")
    matrix = correlation(a, b)
    shared = _decorrelated(matrix[:common, :common], 1.0, weight)
    return (shared + _decorrelated(matrix[common:, common:], 0.0, weight)) / 2


def correlation(a: Tensor, b: Tensor) -> Tensor:
    r"""The correlation of every unit of a with every unit of b over the batch, [D, D].

    .. math:: C_{ij} = \frac1B \sum_n \bar a_{ni} \bar b_{nj}, \qquad
              \bar a = (a - \mathrm{mean}\, a) / \sqrt{\mathrm{var}\, a + 10^{-5}}

    Moments are those of each unit over the batch, the variance divided by B.

    >>> a = torch.tensor([[1.0], [-1.0]])
    >>> round(correlation(a, -a).item(), 4)
    -1.0
    """
    if a.shape != b.shape or a.ndim != 2 or len(a) < 2:
        shapes = f"{tuple(a.shape)} and {tuple(b.shape)}"
        raise ValueError(f"correlation: views are {shapes}; give two [B, D], two pairs or more")
    with torch.autocast(a.device.type, enabled=False):
        a, b = (
            F.batch_norm(full_precision(x), None, None, training=True, eps=EPSILON) for x in (a, b)
        )
        return a.T @ b / len(a)


def _decorrelated(matrix: Tensor, diagonal: float, weight: float) -> Tensor:
    """Squared distance of the diagonal from a number, and λ times the squares beside it."""
    if not weight >= 0:
        raise ValueError(f"weight: {weight} is negative; use 0 or more")
    squares = matrix.square()
    beside = squares.sum() - squares.diagonal().sum()
    return (matrix.diagonal() - diagonal).square().sum() + weight * beside
