"""How MLKD adds its terms over temperatures and views: as its official code does, as its paper
says, and as the DisCoM-KD authors coded it. B batch, C classes; `distill.mlkd_terms` has the terms.
"""

from collections.abc import Sequence

from torch import Tensor

from discom.errors import ConfigError
from discom.losses.distill import check_logits, kd, mlkd_terms, standardize

__all__ = ["COMBINATIONS", "all_terms", "check_combination", "confident_shares", "discom_paper"]
__all__ += ["official"]

COMBINATIONS = ("official", "all-terms", "discom-paper")
View = tuple[Tensor, Tensor]  # logits of student and teacher for the same images, each [B, C]


def official(
    weak: View,
    strong: View,
    temperatures: Sequence[float] = (4, 3, 5, 2, 6),
    standardized: bool = False,
) -> dict[str, Tensor]:
    r"""MLKD as its official code computes it, unweighted (.9 each; .1 for each view's
    cross-entropy).

    .. math:: L_{instance} &= f_b \sum_T \mathrm{kd}_T(weak)
              + \sum_{T_1 \ldots T_3} \mathrm{kd}_T(strong) + \sum_{T_4, T_5} \mathrm{kd}_T(weak) \\
              L_{batch} &= f_b \sum_T \mathrm{batch}_T(weak), \qquad
              L_{classes} = f_c \sum_T \mathrm{classes}_T(weak)

    The paper means to select confident samples and classes. In the code the masks multiply a scalar
    and act as the shares f_b and f_c, about one half; two of the strong view's temperatures read
    the weak logits, and its batch and class terms are computed and dropped. Source: Jin et al.,
    CVPR 2023, github.com/Jin-Ying/Multi-Level-Logit-Distillation at 5ee473f.

    Args:
        weak, strong: logits of two views of the same images.
        temperatures: five of them; LSKD has 2 in the first place.
        standardized: LSKD, for the instance term alone, as in its official code.

    Returns:
        {"instance", "batch", "classes"}, scalars ≥ 0.

    >>> import torch
    >>> z = torch.eye(4)
    >>> sum(official((z, z), (z, z)).values()).item()
    0.0
    """
    _check(temperatures, 5, weak, strong)
    samples, classes = confident_shares(weak[1])
    raw = [mlkd_terms(*weak, temperature) for temperature in temperatures]
    if standardized:
        weak, strong = _standardized(weak), _standardized(strong)
    weak_kd = [kd(*weak, temperature) for temperature in temperatures]
    strong_kd = [kd(*strong, temperature) for temperature in temperatures[:3]]
    return {
        "instance": samples * sum(weak_kd) + sum(strong_kd) + sum(weak_kd[3:]),
        "batch": samples * sum(terms["batch"] for terms in raw),
        "classes": classes * sum(terms["classes"] for terms in raw),
    }


def all_terms(
    weak: View,
    strong: View,
    temperatures: Sequence[float] = (4, 3, 5, 2, 6),
    standardized: bool = False,
) -> dict[str, Tensor]:
    """MLKD without its code's oddities: every term at every temperature on both views."""
    _check(temperatures, len(temperatures), weak, strong)
    rows = []
    for view in (weak, strong):
        for temperature in temperatures:
            terms = mlkd_terms(*view, temperature)
            if standardized:
                terms["instance"] = kd(*_standardized(view), temperature)
            rows.append(terms)
    return _summed(rows)


def discom_paper(
    weak: View, temperatures: Sequence[float] = (2, 3, 4, 5, 6), standardized: bool = False
) -> dict[str, Tensor]:
    r"""MLKD as the DisCoM-KD authors coded it for their tables: one view, no masks, no T².

    .. math:: L_{instance} = \sum_T \tfrac{1}{BC} \sum_{b,c} p_s (\log p_s - p_t)

    Their divergence has a probability where its logarithm belongs, and teacher and student have
    changed places. Its minimum is at p_s = softmax(p_t), close to uniform, and it can be negative.
    Source: github.com/tanodino/CMKD_Disentangle at fab65e7.
    """
    _check(temperatures, len(temperatures), weak)
    student_logits, teacher_logits = _standardized(weak) if standardized else weak
    rows = []
    for temperature in temperatures:
        terms = mlkd_terms(student_logits, teacher_logits, temperature)
        student = (student_logits / temperature).log_softmax(1)
        teacher = (teacher_logits.detach() / temperature).softmax(1)
        terms["instance"] = (student.exp() * (student - teacher)).mean()
        rows.append(terms)
    return _summed(rows)


def check_combination(combination: str) -> None:
    """Raise a ConfigError unless it is one of COMBINATIONS."""
    if combination not in COMBINATIONS:
        names = ", ".join(COMBINATIONS)
        raise ConfigError(f"combination: '{combination}' is unknown; choose {names}")


def confident_shares(teacher_logits: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of samples, and of classes, whose teacher confidence is at most the median one.

    A sample's confidence is its largest probability, a class's the sum of its probabilities over
    the batch, at T = 1. Both shares are scalars in (0, 1].

    >>> import torch
    >>> confident_shares(torch.eye(4) * torch.arange(4.0))[0].item()
    0.5
    """
    probabilities = teacher_logits.detach().double().softmax(1)  # equal confidences stay equal
    samples, classes = probabilities.amax(1), probabilities.sum(0)
    of_samples, of_classes = ((x <= x.quantile(0.5)).double().mean() for x in (samples, classes))
    return of_samples.to(teacher_logits.dtype), of_classes.to(teacher_logits.dtype)


def _summed(rows: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: sum((row[name] for row in rows[1:]), rows[0][name]) for name in rows[0]}


def _check(temperatures: Sequence[float], count: int, *views: View) -> None:
    if len(temperatures) != count or not count:
        raise ValueError(
            f"temperatures: {list(temperatures)}; the official code has five, the others one or more"
        )
    for view in views:
        check_logits(*view)
    shapes = sorted({tuple(view[0].shape) for view in views})
    if len(shapes) > 1:
        raise ValueError(f"logits: views of shapes {shapes}; both must show the same samples")


def _standardized(view: View) -> View:
    return standardize(view[0]), standardize(view[1])
