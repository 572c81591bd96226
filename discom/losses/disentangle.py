"""Equations 2–6 of DisCoM-KD, one function each. Letters: B batch, D embedding width, C classes, M
modalities.

Every function takes embeddings and labels as mappings modality → tensors and returns an unweighted
scalar ≥ 0 (the orthogonality term: ≥ -2M). Two conventions differ between the paper and its
released code, and both can be had:

reduction: "paper" takes a mean over each modality's batch and sums over modalities; "released"
    takes one mean over the rows of all modalities together. For M modalities of equal batch size
    the released value is 1/M of the paper's, and for the modality term, whose two heads share that
    mean as well, 1/(2M).
modality_targets: "paper" asks each modality classifier for the number of the modality; "released"
    hands it a matrix of ones for the first modality and of zeros for the others, read as class
    probabilities: the first modality is then driven to equal odds and the others get no gradient at
    all, which leaves both terms almost without effect.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.errors import ConfigError

__all__ = [
    "adversarial_loss",
    "auxiliary_loss",
    "check_conventions",
    "modality_loss",
    "orthogonality_loss",
    "reverse_gradient",
    "task_loss",
    "terms",
]


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, grl_lambda):
        ctx.grl_lambda = grl_lambda
        return z.view_as(z)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.grl_lambda * gradient, None


def reverse_gradient(z: Tensor, grl_lambda: float = 1.0) -> Tensor:
    r"""Gradient reversal layer (Ganin et al. 2016): the identity forward, -λ times the gradient
    backward.

    .. math:: \mathrm{GRL}(z) = z, \qquad \partial\,\mathrm{GRL}(z) / \partial z = -\lambda I

    >>> z = torch.ones(2, requires_grad=True)
    >>> reverse_gradient(z, 0.5).sum().backward()
    >>> z.grad
    tensor([-0.5000, -0.5000])
    """
    return _ReverseGradient.apply(z, grl_lambda)


def _reduce(losses: list[Tensor], reduction: str) -> Tensor:
    """Per-sample losses, one [B] for each modality (and head) → scalar."""
    check_conventions(reduction=reduction)
    if reduction == "paper":
        return sum(loss.mean() for loss in losses)
    return torch.cat(losses).mean()


def _modality_cross_entropy(logits: Tensor, number: int, targets: str) -> Tensor:
    """Cross-entropy [B] of modality logits [B, M] against modality `number`, in either
    convention."""
    check_conventions(modality_targets=targets)
    if targets == "paper":
        return F.cross_entropy(
            logits, logits.new_full((len(logits),), number, dtype=torch.long), reduction="none"
        )
    return F.cross_entropy(logits, torch.full_like(logits, float(number == 0)), reduction="none")


def task_loss(
    embeddings: Mapping[str, Any],
    heads: Any,
    labels: Mapping[str, Tensor],
    reduction: str = "paper",
) -> Tensor:
    r"""Eq. 2: each modality's classifier learns the class. Labels [B] in [0, C); log C for equal
    logits, per modality.

    .. math:: L_{cl} = \sum_m \mathrm{CE}(\mathrm{Cl}_m([z_{inv} \| z_{inf}]), y_m)
    """
    return _reduce(
        [
            F.cross_entropy(
                heads.task[m](torch.cat([z.inv, z.inf], dim=1)), labels[m], reduction="none"
            )  # [B, 2D] → [B]
            for m, z in embeddings.items()
        ],
        reduction,
    )


def adversarial_loss(
    embeddings: Mapping[str, Any],
    heads: Any,
    *,
    grl_lambda: float = 1.0,
    reduction: str = "paper",
    modality_targets: str = "paper",
) -> Tensor:
    r"""Eq. 3: the classifier learns to tell modalities, the encoders to hide.

    .. math:: L_{adv} = \sum_m \mathrm{CE}(\mathrm{Cl}_{adv}(\mathrm{GRL}(z_{inv})), m)

    At the equilibrium, z_inv tells nothing and the value is M·log M.
    """
    return _reduce(
        [
            _modality_cross_entropy(
                heads.adv(reverse_gradient(z.inv, grl_lambda)), number, modality_targets
            )
            for number, z in enumerate(embeddings.values())
        ],
        reduction,
    )


def modality_loss(
    embeddings: Mapping[str, Any],
    heads: Any,
    *,
    reduction: str = "paper",
    modality_targets: str = "paper",
) -> Tensor:
    r"""Eq. 4: what is private must tell its sensor.

    .. math:: L_{mod} = \sum_m \mathrm{CE}(\mathrm{Cl}_{m\text{-}inf}(z_{inf}), m)
              + \sum_m \mathrm{CE}(\mathrm{Cl}_{m\text{-}irr}(z_{irr}), m)
    """
    informative, irrelevant = (
        [
            _modality_cross_entropy(head(getattr(z, part)), number, modality_targets)
            for number, z in enumerate(embeddings.values())
        ]
        for head, part in ((heads.mod_inf, "inf"), (heads.mod_irr, "irr"))
    )
    return _reduce(informative + irrelevant, reduction)


def auxiliary_loss(
    embeddings: Mapping[str, Any],
    heads: Any,
    labels: Mapping[str, Tensor],
    reduction: str = "paper",
) -> Tensor:
    r"""Eq. 5: either part alone must tell the class.

    .. math:: L_{aux} = \sum_m \sum_{z \in \{z_{inv}, z_{inf}\}} \mathrm{CE}(\mathrm{Cl}_{aux}(z),
    y_m)
    """
    invariant, informative = (
        [
            F.cross_entropy(heads.aux(getattr(z, part)), labels[m], reduction="none")
            for m, z in embeddings.items()
        ]
        for part in ("inv", "inf")
    )
    return _reduce(invariant, reduction) + _reduce(informative, reduction)


def orthogonality_loss(embeddings: Mapping[str, Any], reduction: str = "paper") -> Tensor:
    r"""Eq. 6, signed: its minimum, -2M, is opposition and not orthogonality, and nothing holds
    z_inv and z_irr apart.

    .. math:: L_{\perp} = \sum_m \cos(z_{inv}, z_{inf}) + \sum_m \cos(z_{inf}, z_{irr})
    """
    return _reduce(
        [F.cosine_similarity(z.inv, z.inf) for z in embeddings.values()], reduction
    ) + _reduce([F.cosine_similarity(z.inf, z.irr) for z in embeddings.values()], reduction)


def terms(
    embeddings: Mapping[str, Any],
    heads: Any,
    labels: Mapping[str, Tensor],
    *,
    grl_lambda: float = 1.0,
    reduction: str = "paper",
    modality_targets: str = "paper",
    adversary: Callable[..., Tensor] | None = None,
) -> dict[str, Tensor]:
    r"""The five terms of DisCoM-KD's loss, Eqs. 2–6; the loss, Eq. 7, is their sum.

    .. math:: L = L_{cl} + L_{adv} + L_{mod} + L_{aux} + L_{\perp}

    Args:
        embeddings: modality → an Embedding (inv, inf, irr of shape [B, D]); the order numbers the
            modalities. B may differ between modalities.
        heads: linear layers `.task[modality]` 2D → C, `.adv`, `.mod_inf`, `.mod_irr` D → M, `.aux`
        D → C.
        labels: modality → classes [B], int64.
        grl_lambda: strength λ of the gradient reversal.
        reduction, modality_targets: "paper" or "released"; see the head of this file.
        adversary: stands in Eq. 3's place, see `losses.adversaries`; it has the paper's conventions
            alone.

    Returns:
        {"cl", "adv", "mod", "aux", "orth"}, unweighted scalars.

    Raises:
        ValueError: fewer than two modalities, labels that do not fit the embeddings, an unknown
            convention.

    >>> from discom.models import Embedding, Heads
    >>> z = {m: Embedding(*torch.eye(3, 8).expand(2, 3, 8).unbind(1)) for m in ("rgb", "depth")}
    >>> y = {m: torch.tensor([0, 1]) for m in z}
    >>> {name: value.shape for name, value in terms(z, Heads(list(z), 8, 4), y).items()}["orth"]
    torch.Size([])
    """
    _check(embeddings, heads, labels)
    conventions = {"reduction": reduction, "modality_targets": modality_targets}
    hidden = adversary or partial(adversarial_loss, **conventions)
    return {
        "cl": task_loss(embeddings, heads, labels, reduction),
        "adv": hidden(embeddings, heads, grl_lambda=grl_lambda),
        "mod": modality_loss(embeddings, heads, **conventions),
        "aux": auxiliary_loss(embeddings, heads, labels, reduction),
        "orth": orthogonality_loss(embeddings, reduction),
    }


def check_conventions(**conventions: str) -> None:
    """Raise a ConfigError (a ValueError) unless each of `reduction` and `modality_targets` is
    "paper" or "released"."""
    for name, value in conventions.items():
        if value not in ("paper", "released"):
            raise ConfigError(f"{name}: '{value}' is unknown; choose 'paper' or 'released'")


def _check(embeddings, heads, labels) -> None:
    if len(embeddings) < 2:
        raise ValueError(
            f"embeddings: {list(embeddings)} is fewer than two modalities; there is nothing to tell apart"
        )
    if (known := getattr(heads.mod_inf, "out_features", len(embeddings))) != len(embeddings):
        raise ValueError(
            f"embeddings: {list(embeddings)} for heads that tell {known} modalities apart; a missing one would renumber"
            " the others"
        )
    for name, z in embeddings.items():
        if not len(z.inv):
            raise ValueError(
                f"embeddings: '{name}' has no samples in this batch; a mean over none is undefined"
            )
        if name not in labels or len(labels[name]) != len(z.inv):
            held = len(labels[name]) if name in labels else "no"
            raise ValueError(
                f"labels: {held} labels for {len(z.inv)} embeddings of '{name}'; give one for each"
            )
