"""Terms that drive z_irr apart from what is of use: none is in the paper, each is switched on by
its weight.

The paper holds the parts of an embedding apart by a signed cosine, which says nothing about
dependence: z_irr can tell the class as well as z_inf does. Letters: B batch, D embedding width, C
classes.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from discom.losses.disentangle import reverse_gradient

__all__ = ["cross_covariance", "hsic", "irrelevant_task_loss", "squared_correlation"]

TINY = (
    1e-12  # added to variances and kernels' widths: what never changes gives 0, and a gradient of 0
)


def irrelevant_task_loss(
    embeddings: Mapping[str, Any],
    head: nn.Module,
    labels: Mapping[str, Tensor],
    *,
    grl_lambda: float = 1.0,
) -> Tensor:
    r"""The head learns to read the class off z_irr, the encoders to hide it.

    .. math:: L_{irr} = \sum_m \mathrm{CE}(\mathrm{Cl}_{irr}(\mathrm{GRL}(z_{irr})), y_m)

    Source: gradient reversal (Ganin et al. 2016) with the task's labels in the place of the
    domain's; ours.

    Args:
        embeddings: modality → an Embedding, its irr [B, D].
        head: D → C.
        labels: modality → classes [B], int64.
        grl_lambda: strength λ of the gradient reversal.

    Returns:
        A scalar ≥ 0; log C for each modality where nothing can be read.

    >>> from discom.models import Embedding
    >>> z = {"rgb": Embedding(*torch.zeros(3, 4, 8))}
    >>> head = nn.Linear(8, 5).requires_grad_(False)
    >>> _ = head.bias.zero_()
    >>> round(irrelevant_task_loss(z, head, {"rgb": torch.tensor([0, 1, 2, 3])}).item(), 4)  # log 5
    1.6094
    """
    return sum(
        F.cross_entropy(head(reverse_gradient(z.irr, grl_lambda)), labels[name])
        for name, z in embeddings.items()
    )


def squared_correlation(a: Tensor, b: Tensor) -> Tensor:
    r"""Mean squared correlation between the units of two embeddings.

    .. math:: r^2(a, b) = \frac{1}{D D'} \sum_{ij} \mathrm{corr}(a_i, b_j)^2

    Source: the cross-covariance penalty of Cheung et al. (2015), on standardised units, so that a
    unit's scale does not count; the mean, so that D does not.

    Args:
        a, b: [B, D] and [B, D'] of the same samples.

    Returns:
        A scalar in [0, 1]: 1 if every pair of units is one line, about 1/B for independent ones; a
        unit that does not change adds 0.

    >>> z = torch.tensor([[1.0], [2.0], [3.0]])
    >>> round(squared_correlation(z, -2 * z).item(), 4)
    1.0
    """
    with torch.autocast(a.device.type, enabled=False):
        a, b = _standardise(a), _standardise(b)
        return (a.T @ b / len(a)).square().mean()  # [D, B] · [B, D'] → [D, D']


def _standardise(z: Tensor) -> Tensor:
    z = _full(z)
    z = z - z.mean(0)
    return z / (z.square().mean(0) + TINY).sqrt()


def _full(z: Tensor) -> Tensor:
    """At least single precision: small differences of large sums follow."""
    return z.float() if z.dtype in (torch.bfloat16, torch.float16) else z


def cross_covariance(embeddings: Mapping[str, Any]) -> Tensor:
    r"""No unit of z_irr shall be a line of a unit of the others; r² is the `squared_correlation`.

    .. math:: L_{xcov} = \sum_m [r^2(z_{irr}, z_{inv}) + r^2(z_{irr}, z_{inf})]

    A scalar in [0, 2M]. Other dependence is not seen.
    """
    return sum(
        squared_correlation(z.irr, other) for z in embeddings.values() for other in (z.inv, z.inf)
    )


def hsic(embeddings: Mapping[str, Any]) -> Tensor:
    r"""z_irr shall be independent of the other parts; d is the normalised Hilbert–Schmidt
    independence criterion.

    .. math:: L_{HSIC} = \sum_m [d(z_{irr}, z_{inv}) + d(z_{irr}, z_{inf})], \qquad
              d(a, b) = \frac{\mathrm{tr}(KHLH)}{\sqrt{\mathrm{tr}(KHKH)\, \mathrm{tr}(LHLH)}}

    H = 1 - 1/B takes the mean out, K_ij = exp(-‖a_i - a_j‖² / median), L is the same of b.

    Source: Gretton et al. (2005), the biased estimate, with the median of the squared distances as
    the kernel's width; normalised as in kernel CKA (Kornblith et al. 2019), so that the width of an
    embedding does not count.

    Returns:
        A scalar in [0, 2M]; 0 only for independent parts (in the limit of many samples: for B = 128
        the estimate stays well above 0), 0 as well for a part that does not change.
    """
    return sum(_dependence(z.irr, other) for z in embeddings.values() for other in (z.inv, z.inf))


def _dependence(a: Tensor, b: Tensor) -> Tensor:
    with torch.autocast(a.device.type, enabled=False):
        k, l = _centred_kernel(a), _centred_kernel(b)  # noqa: E741  the criterion's own letters
        return (k * l).sum() / (k.square().sum() * l.square().sum() + TINY).sqrt()


def _centred_kernel(z: Tensor) -> Tensor:
    """H K H of a Gaussian kernel, [B, B]."""
    z = _full(z)
    z = (
        z - z[:1].detach()
    )  # distances stay; a part that does not change is exactly 0, and so is its gradient
    square = z.square().sum(1)
    distances = (square[:, None] + square[None, :] - 2 * z @ z.T).clamp(min=0)
    kernel = torch.exp(-distances / (distances.detach().median() + TINY))
    return kernel - kernel.mean(0, keepdim=True) - kernel.mean(1, keepdim=True) + kernel.mean()
