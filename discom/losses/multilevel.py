"""How MLKD adds `distill.mlkd_terms` over temperatures and views, in two versions."""

from collections.abc import Sequence

import torch

from discom.losses._shared import summed
from discom.losses.distill import mlkd_terms, standardize

COMBINATIONS = ("official", "discom-paper")
View = tuple[torch.Tensor, torch.Tensor]  # logits of student and teacher, each [B, C]


def official(
    weak: View,
    strong: View,
    temperatures: Sequence[float] = (4, 3, 5, 2, 6),
    standardized: bool = False,
) -> dict[str, torch.Tensor]:
    r"""MLKD as its official code computes it, unweighted (officially .9, and .1 for the labels).

    .. math:: L_{instance} &= f_b \sum_T \mathrm{kd}_T(weak)
              + \sum_{T_1 \ldots T_3} \mathrm{kd}_T(strong) + \sum_{T_4, T_5} \mathrm{kd}_T(weak) \\
              L_{batch} &= f_b \sum_T \mathrm{batch}_T(weak), \qquad
              L_{classes} = f_c \sum_T \mathrm{classes}_T(weak)

    The paper means to select confident samples and classes. In the code the masks multiply a scalar
    and act as the shares f_b and f_c, about one half; two of the strong view's temperatures read
    the weak logits. Source: Jin et al., CVPR 2023, github.com/Jin-Ying/… (see tests/golden).

    `weak` and `strong` are logits of student and teacher for two views of the same images.
    `standardized` is LSKD, whose first temperature is 2.

    >>> z = torch.eye(4)
    >>> sum(official((z, z), (z, z)).values()).item()
    0.0
    """
    if len(temperatures) != 5:
        raise ValueError(f"temperatures: {list(temperatures)}; give five, as in the official code")
    samples, classes = confident_shares(weak[1])
    rows = [mlkd_terms(*weak, T, standardized=standardized) for T in temperatures]
    again = [mlkd_terms(*strong, T, standardized=standardized) for T in temperatures[:3]]
    once, second = summed(rows), summed(again + rows[3:])
    return {
        "instance": samples * once["instance"] + second["instance"],
        "batch": samples * once["batch"],
        "classes": classes * once["classes"],
    }


def discom_paper(
    weak: View, temperatures: Sequence[float] = (2, 3, 4, 5, 6), standardized: bool = False
) -> dict[str, torch.Tensor]:
    r"""MLKD as the DisCoM-KD authors coded it for their tables: one view, no masks, no T².

    .. math:: L_{instance} = \sum_T \tfrac{1}{BC} \sum_{b,c} p_s (\log p_s - p_t)

    Teacher and student have changed places, and a probability stands for its logarithm: the minimum
    is at p_s = softmax(p_t). Source: github.com/tanodino/CMKD_Disentangle at fab65e7.
    """
    student_logits, teacher_logits = map(standardize, weak) if standardized else weak
    rows = []
    for T in temperatures:
        terms = mlkd_terms(student_logits, teacher_logits, T)
        student = (student_logits / T).log_softmax(1)
        teacher = (teacher_logits.detach() / T).softmax(1)
        rows.append(terms | {"instance": (student.exp() * (student - teacher)).mean()})
    return summed(rows)


def confident_shares(teacher_logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Shares of samples, and of classes, whose teacher confidence is at most the median one.

    A sample's confidence is its largest probability, a class's the sum of its probabilities over
    the batch, at T = 1. Both shares are scalars in (0, 1].

    >>> confident_shares(torch.eye(4) * torch.arange(4.0))[0].item()
    0.5
    """
    probabilities = teacher_logits.detach().double().softmax(1)  # equal confidences stay equal
    samples, classes = probabilities.amax(1), probabilities.sum(0)
    of_samples, of_classes = ((x <= x.quantile(0.5)).double().mean() for x in (samples, classes))
    return of_samples.to(teacher_logits.dtype), of_classes.to(teacher_logits.dtype)
