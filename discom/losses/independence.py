"""Other ways than the paper's to separate embeddings: the two sides of an adversary that takes
steps of its own, in the place of Eq. 3; correlation; and `hsic`, off by default. M modalities."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.losses import full_precision

TINY = 1e-12  # added to variances and kernel widths: a constant unit gives 0, and a gradient of 0


def discriminator_loss(logits: Mapping[str, Tensor]) -> Tensor:
    r"""The classifier's side of the alternating adversary: it learns to tell modalities apart.

    .. math:: L_{disc} = \sum_m \mathrm{CE}(\mathrm{Cl}_{adv}(\mathrm{sg}\, z_{inv}), m)

    `logits` are those of any classifier D → M, modality → [B, M]; sg stops the gradient before the
    encoders, so that the classifier alone learns. The order of the modalities numbers them. The
    value is M·log M where nothing tells them apart. All is computed in float32 at least.

    Source: Goodfellow et al. (NeurIPS 2014), Algorithm 1, where the discriminator takes several
    steps before each step of the other network; here it is the classifier of Eq. 3.

    >>> logits = {"rgb": torch.zeros(3, 2), "depth": torch.zeros(3, 2)}
    >>> round(discriminator_loss(logits).item(), 4)  # 2 · log 2
    1.3863
    """
    losses = []
    for number, own in enumerate(logits.values()):
        labels = torch.full((len(own),), number, device=own.device)
        losses.append(F.cross_entropy(full_precision(own), labels))
    return torch.stack(losses).sum()


def minimax_loss(logits: Mapping[str, Tensor], *, grl_lambda: float = 1.0) -> Tensor:
    r"""The encoders' side of the alternating adversary: they raise the classifier's cross-entropy.

    .. math:: L_{adv} = -\lambda \sum_m \mathrm{CE}(\mathrm{Cl}_{adv}^*(z_{inv}), m)

    `logits` are as in `discriminator_loss`, of Cl_adv* with frozen weights, so that the encoders
    alone learn. The value is negative: near 0 while the classifier tells the modalities apart,
    -λ·M·log M where it cannot.

    Source: Goodfellow et al. (NeurIPS 2014), the minimax form, with the classifier of Eq. 3.

    >>> logits = {"rgb": torch.zeros(3, 2), "depth": torch.zeros(3, 2)}
    >>> round(minimax_loss(logits).item(), 4)  # -2 · log 2
    -1.3863
    """
    return -grl_lambda * discriminator_loss(logits)


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
    return z / (z.square().mean(0) + TINY).sqrt()


def hsic(embeddings: Mapping[str, Any]) -> Tensor:
    r"""z_irr shall be independent of the other parts: Hilbert–Schmidt independence criterion.

    .. math:: L_{HSIC} = \sum_m [d(z_{irr}, z_{inv}) + d(z_{irr}, z_{inf})], \qquad
              d(a, b) = \frac{\mathrm{tr}(KHLH)}{\sqrt{\mathrm{tr}(KHKH)\, \mathrm{tr}(LHLH)}}

    H = 1 - 1/B removes the mean, K_ij = exp(-‖a_i - a_j‖² / median), and L is the same of b.
    Source: Gretton et al. (2005), the biased estimate, normalised as in kernel CKA (Kornblith et
    al. 2019). A scalar in [0, 2M]; 0 for a constant part. For independent parts it tends to 0 with
    the number of samples; at B = 128 the estimate is still well above 0.
    """
    pairs = [(z.irr, other) for z in embeddings.values() for other in (z.inv, z.inf)]
    return torch.stack([_dependence(*pair) for pair in pairs]).sum()


def _dependence(a: Tensor, b: Tensor) -> Tensor:
    with torch.autocast(a.device.type, enabled=False):
        first, second = _centred_kernel(a), _centred_kernel(b)  # [B, B]
        scale = (first.square().sum() * second.square().sum() + TINY).sqrt()
        return (first * second).sum() / scale


def _centred_kernel(z: Tensor) -> Tensor:
    """H K H of a Gaussian kernel, [B, B]."""
    z = full_precision(z)
    z = z - z[:1].detach()  # distances stay; a constant part is exactly 0, and so is its gradient
    square = z.square().sum(1)
    distances = (square[:, None] + square[None, :] - 2 * z @ z.T).clamp(min=0)
    kernel = torch.exp(-distances / (distances.detach().median() + TINY))
    return kernel - kernel.mean(0, keepdim=True) - kernel.mean(1, keepdim=True) + kernel.mean()
