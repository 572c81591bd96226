"""Equations 2–6 of DisCoM-KD; Eq. 7, its loss, is their sum. B batch, D embedding width, C
classes, M modalities.

Every function takes mappings modality → tensors, logits of the class [B, C] or of the modality
[B, M], and returns an unweighted scalar ≥ 0 (the orthogonality term: ≥ -2M). The order of the
modalities numbers them. Labels are int64 [B], -1 for none: the terms that take them are means over
the labelled samples. The paper and its released code differ in two conventions:

- `reduction`: "paper" sums the means over each modality's batch; "released" takes one mean over
  the rows of all modalities, 1/M of the paper's value for equal batches, and 1/(2M) for L_mod.
- `modality_targets`: "paper" asks each modality classifier for the number of the modality;
  "released" reads a matrix of ones for the first modality and zeros for the others as class
  probabilities, which leaves L_adv and L_mod almost without effect.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.data.checks import UNLABELLED
from discom.errors import check_choice
from discom.losses import full_precision, label_weights

Tensors = Mapping[str, Tensor]
CONVENTIONS = ("paper", "released")


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, grl_lambda):
        ctx.grl_lambda = grl_lambda
        return z.view_as(z)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.grl_lambda * gradient, None


def reverse_gradient(z: Tensor, grl_lambda: float = 1.0) -> Tensor:
    r"""Gradient reversal layer (Ganin et al. 2016): identity forward, -λ times the gradient back.

    .. math:: \mathrm{GRL}(z) = z, \qquad \partial\,\mathrm{GRL}(z) / \partial z = -\lambda I

    >>> z = torch.ones(2, requires_grad=True)
    >>> reverse_gradient(z, 0.5).sum().backward()
    >>> z.grad
    tensor([-0.5000, -0.5000])
    """
    return _ReverseGradient.apply(z, grl_lambda)


def _reduce(losses: list[Tensor], reduction: str, counts: Sequence[Any] = ()) -> Tensor:
    """Per-sample losses, one [B] for each modality (and head) → scalar: means over all samples, or
    over `counts`, the loss of the others being 0."""
    check_choice("reduction", reduction, CONVENTIONS)
    counts = counts or [len(loss) for loss in losses]
    if reduction == "paper":
        return torch.stack([loss.sum() / n for loss, n in zip(losses, counts, strict=True)]).sum()
    return torch.cat(losses).sum() / sum(counts)


def _modality_cross_entropy(logits: Tensor, number: int, targets: str) -> Tensor:
    """Cross-entropy [B] of modality logits [B, M] against `number`, in either convention."""
    check_choice("modality_targets", targets, CONVENTIONS)
    if targets == "paper":
        labels = torch.full((len(logits),), number, device=logits.device)
        return F.cross_entropy(logits, labels, reduction="none")
    return F.cross_entropy(logits, torch.full_like(logits, float(number == 0)), reduction="none")


def task_loss(
    logits: Tensors, labels: Tensors, reduction: str = "paper", weight: Tensor | None = None
) -> Tensor:
    r"""Eq. 2: each modality's classifier learns the class; log C per modality for equal logits.

    .. math:: L_{cl} = \sum_m \mathrm{CE}(\mathrm{Cl}_m([z_{inv} \| z_{inf}]), y_m)
    """
    how: Any = {"ignore_index": UNLABELLED, "reduction": "none"}
    losses = [F.cross_entropy(logits[m], labels[m], weight, **how) for m in logits]
    counts = [label_weights(labels[m], UNLABELLED, weight).sum() for m in logits]
    return _reduce(losses, reduction, counts)


def adversarial_loss(
    logits: Tensors, *, reduction: str = "paper", modality_targets: str = "paper"
) -> Tensor:
    r"""Eq. 3: the classifier learns to tell modalities apart, the encoders to hide them.

    .. math:: L_{adv} = \sum_m \mathrm{CE}(\mathrm{Cl}_{adv}(\mathrm{GRL}(z_{inv})), m)

    M·log M where z_inv tells nothing of its modality. GRL is `reverse_gradient`.
    """
    losses = [_modality_cross_entropy(logits[m], k, modality_targets) for k, m in enumerate(logits)]
    return _reduce(losses, reduction)


def modality_loss(
    informative: Tensors,
    irrelevant: Tensors,
    *,
    reduction: str = "paper",
    modality_targets: str = "paper",
) -> Tensor:
    r"""Eq. 4: both private parts must tell their modality.

    .. math:: L_{mod} = \sum_m \mathrm{CE}(\mathrm{Cl}_{m\text{-}inf}(z_{inf}), m)
              + \sum_m \mathrm{CE}(\mathrm{Cl}_{m\text{-}irr}(z_{irr}), m)
    """
    pairs = enumerate(zip(informative.values(), irrelevant.values(), strict=True))
    losses = [_modality_cross_entropy(z, k, modality_targets) for k, pair in pairs for z in pair]
    return _reduce(losses, reduction)


def auxiliary_loss(
    invariant: Tensors,
    informative: Tensors,
    labels: Tensors,
    reduction: str = "paper",
    weight: Tensor | None = None,
) -> Tensor:
    r"""Eq. 5: z_inv alone and z_inf alone must tell the class, by one head for both.

    .. math:: L_{aux} = \sum_m \sum_{z \in \{z_{inv}, z_{inf}\}}
              \mathrm{CE}(\mathrm{Cl}_{aux}(z), y_m)
    """
    first, second = (task_loss(z, labels, reduction, weight) for z in (invariant, informative))
    return first + second


def orthogonality_loss(inv: Tensors, inf: Tensors, irr: Tensors, reduction="paper") -> Tensor:
    r"""Eq. 6, signed, of the parts [B, D]: its minimum, -2M, is opposition, not orthogonality;
    (inv, irr) is free.

    .. math:: L_{\perp} = \sum_m \cos(z_{inv}, z_{inf}) + \sum_m \cos(z_{inf}, z_{irr})
    """
    inv, inf, irr = ({m: full_precision(z) for m, z in part.items()} for part in (inv, inf, irr))
    invariant = [F.cosine_similarity(inv[m], inf[m]) for m in inv]  # [B] each
    irrelevant = [F.cosine_similarity(inf[m], irr[m]) for m in inv]
    return _reduce(invariant, reduction) + _reduce(irrelevant, reduction)
