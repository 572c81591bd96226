"""How MLKD adds its terms over temperatures and views, as its official code does, as its paper
says, and as the DisCoM-KD authors coded it. B batch, C classes; `losses.distill.mlkd_terms` are the
terms at one temperature.
"""

from collections.abc import Sequence

from torch import Tensor

from discom.errors import ConfigError
from discom.losses.distill import check_logits, kd, mlkd_terms, standardize

__all__ = ["COMBINATIONS", "all_terms", "confident_shares", "discom_paper", "official"]

View = tuple[Tensor, Tensor]  # logits of student and teacher for the same images, each [B, C]


def official(
    weak: View,
    strong: View,
    temperatures: Sequence[float] = (4, 3, 5, 2, 6),
    standardized: bool = False,
) -> dict[str, Tensor]:
    r"""MLKD as its official code computes it, unweighted (there 0.9 each, and 0.1 for the
    cross-entropy of each view).

    .. math:: L_{instance} &= f_b \sum_T \mathrm{kd}_T(weak)
              + \sum_{T_1 \ldots T_3} \mathrm{kd}_T(strong) + \sum_{T_4, T_5} \mathrm{kd}_T(weak) \\
              L_{batch} &= f_b \sum_T \mathrm{batch}_T(weak), \qquad
              L_{classes} = f_c \sum_T \mathrm{classes}_T(weak)

    The paper means to select confident samples and classes; in the code the masks multiply a scalar
    and act as the shares f_b and f_c (about one half). Two of the strong view's temperatures read
    the weak logits, and its batch and class terms are computed and dropped. Source: Jin et al.,
    CVPR 2023, github.com/Jin-Ying/Multi-Level-Logit-Distillation at 5ee473f.

    Args:
        weak, strong: logits of two views of the same images.
        temperatures: five of them; LSKD runs with 2 in the first place.
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
    weak, strong = _maybe(standardized, weak), _maybe(standardized, strong)
    return {
        "instance": samples * sum(kd(*weak, temperature) for temperature in temperatures)
        + sum(kd(*strong, temperature) for temperature in temperatures[:3])
        + sum(kd(*weak, temperature) for temperature in temperatures[3:]),
        "batch": samples * sum(terms["batch"] for terms in raw),
        "classes": classes * sum(terms["classes"] for terms in raw),
    }


def all_terms(
    weak: View,
    strong: View,
    temperatures: Sequence[float] = (4, 3, 5, 2, 6),
    standardized: bool = False,
) -> dict[str, Tensor]:
    """Every term at every temperature on both views, nothing masked or dropped: MLKD without its
    code's oddities."""
    _check(temperatures, len(temperatures), weak, strong)
    total = dict.fromkeys(("instance", "batch", "classes"), 0.0)
    for view in (weak, strong):
        for temperature in temperatures:
            terms = mlkd_terms(*view, temperature)
            terms["instance"] = kd(*_maybe(standardized, view), temperature)
            total = {name: total[name] + value for name, value in terms.items()}
    return total


def discom_paper(
    weak: View, temperatures: Sequence[float] = (2, 3, 4, 5, 6), standardized: bool = False
) -> dict[str, Tensor]:
    r"""MLKD as the DisCoM-KD authors coded it for their tables: one view, no masks, no T², and a
    swapped divergence.

    .. math:: L_{instance} = \sum_T \tfrac{1}{BC} \sum_{b,c} p_s (\log p_s - p_t)

    Probabilities stand there where logarithms belong, and teacher and student have changed places.
    Its minimum is at p_s = softmax(p_t), close to uniform, and it can be negative. Source:
    github.com/tanodino/CMKD_Disentangle at fab65e7.
    """
    _check(temperatures, len(temperatures), weak)
    student_logits, teacher_logits = _maybe(standardized, weak)
    total = dict.fromkeys(("instance", "batch", "classes"), 0.0)
    for temperature in temperatures:
        terms = mlkd_terms(student_logits, teacher_logits, temperature)
        student = (student_logits / temperature).log_softmax(1)
        teacher = (teacher_logits / temperature).softmax(1)
        terms["instance"] = (student.exp() * (student - teacher)).mean()
        total = {name: total[name] + value for name, value in terms.items()}
    return total


COMBINATIONS = ("official", "all-terms", "discom-paper")


def check_combination(combination: str) -> None:
    """Raise a ConfigError unless it is one of COMBINATIONS."""
    if combination not in COMBINATIONS:
        raise ConfigError(
            f"combination: '{combination}' is unknown; choose {', '.join(COMBINATIONS)}"
        )


def confident_shares(teacher_logits: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of samples, and of classes, whose teacher confidence is at most the median one:
    scalars in (0, 1].

    A sample's confidence is its largest probability, a class's the sum of its probabilities over
    the batch, at T = 1.

    >>> import torch
    >>> confident_shares(torch.eye(4) * torch.arange(4.0))[0].item()
    0.5
    """
    probabilities = teacher_logits.detach().double().softmax(1)  # equal confidences stay equal
    shares = []
    for confidence in (probabilities.amax(1), probabilities.sum(0)):
        shares.append((confidence <= confidence.quantile(0.5)).to(teacher_logits.dtype).mean())
    return shares[0], shares[1]


def _check(temperatures: Sequence[float], count: int, *views: View) -> None:
    if len(temperatures) != count or not count:
        raise ValueError(
            f"temperatures: {list(temperatures)}; the official code has five, the others need one or more"
        )
    for view in views:
        check_logits(*view)
    if len(shapes := {tuple(view[0].shape) for view in views}) > 1:
        raise ValueError(
            f"logits: views of shapes {sorted(shapes)}; both must show the same samples"
        )


def _maybe(standardized: bool, view: View) -> View:
    return (standardize(view[0]), standardize(view[1])) if standardized else view
