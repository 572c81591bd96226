"""NT-Xent between two views: those of one scene find each other.

B pairs, D units; row i of every modality is the same scene. All is computed in float32 at least.
"""

from collections.abc import Mapping
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.losses import full_precision
from discom.losses.distill import check_temperature


def nt_xent(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    r"""Each row's partner among all other rows of both modalities, mean over the 2B rows.

    .. math:: L = -\tfrac{1}{2B} \sum_{i=1}^{2B} \log \frac{\exp(\cos(z_i, z_{p(i)}) / \tau)}
              {\sum_{k \ne i} \exp(\cos(z_i, z_k) / \tau)}

    z are the rows of a and b together and p(i) is the other view of row i.

    Source: Chen et al., ICML 2020 (SimCLR); τ = .1 as in MDiCo (Mena et al., Machine Learning
    2025).

    Args:
        a, b: embeddings [B, D] of the same scenes in the same order, B from 2 on; their length does
            not count.
        temperature: τ, above 0.

    Raises:
        ValueError: other shapes, a single pair, or a temperature that is not positive.

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
    of a pair count. `embeddings` are modality → [B, D].

    Raises:
        ValueError: fewer than two modalities, and what `nt_xent` raises.

    >>> round(contrastive_loss({"rgb": torch.eye(2), "depth": torch.eye(2)}).item(), 4)
    0.0002
    """
    if len(embeddings) < 2:
        raise ValueError(f"contrastive: modalities {list(embeddings)}; give two or more")
    pairs = combinations(embeddings.values(), 2)
    return 2 * torch.stack([nt_xent(a, b, temperature) for a, b in pairs]).sum()  # L is symmetric
