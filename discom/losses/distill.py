"""Losses of distillation on logits: KD, DKD, CTKD, MLKD in two versions, LSKD's standardisation.

z^s, z^t are logits of student and teacher [B, C]; p_T = softmax(z / T); KL(a ‖ b) =
Σ_c a (log a - log b). No gradient reaches the teacher's. Where paper and official code differ, the
code is followed (tests/golden names the commits).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from discom.losses import check_temperature, reverse_gradient, summed

View = tuple[Tensor, Tensor]  # logits of student and teacher, each [B, C]
EPSILON = 1e-7  # LSKD's, added to the standard deviation and not under its root


def kd(student_logits: Tensor, teacher_logits: Tensor, temperature: float | Tensor = 4.0) -> Tensor:
    r"""Knowledge distillation: the divergence between softened probabilities, mean over the batch.

    .. math:: L_{KD} = \frac{T^2}{B} \sum_i \mathrm{KL}(p^t_T \| p^s_T), \qquad p_T =
              \mathrm{softmax}(z / T)

    Source: Hinton et al. 2015; DisCoM-KD, Eq. 1. T² keeps the gradient's size when T changes. T may
    be a learned scalar tensor. The result is ≥ 0; 0 where the two agree up to a constant per row.
    A ValueError for shapes that differ or T ≤ 0.

    >>> kd(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])).item()  # a constant added
    0.0
    """
    check_logits(student_logits, teacher_logits)
    check_temperature(temperature)
    return softened_kl(student_logits, teacher_logits, temperature)


def standardize(logits: Tensor) -> Tensor:
    r"""LSKD's plug-in: the logits of each row standardised, [B, C] → [B, C].

    .. math:: \mathcal{Z}(z) = (z - \mathrm{mean}_c\, z) / (\mathrm{std}_c\, z + 10^{-7})

    Source: Sun et al., CVPR 2024, with the unbiased standard deviation. It goes in front of any
    loss here, for both networks; the cross-entropy keeps raw logits. A ValueError for one class.

    >>> standardize(torch.tensor([[1.0, 2.0, 3.0]])).tolist()
    [[-0.9999998807907104, 0.0, 0.9999998807907104]]
    """
    if logits.shape[-1] < 2:
        raise ValueError(f"logits: {logits.shape[-1]} class has no spread; give two or more")
    return (logits - logits.mean(-1, keepdim=True)) / (logits.std(-1, keepdim=True) + EPSILON)


def dkd_terms(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    temperature: float | Tensor = 4.0,
) -> tuple[Tensor, Tensor]:
    r"""Decoupled KD's two terms: the target class against the rest, and the rest among themselves.

    .. math:: \mathrm{TCKD} = \frac{T^2}{B} \sum_i \mathrm{KL}(b^t_i \| b^s_i), \qquad
              \mathrm{NCKD} = \frac{T^2}{B} \sum_i \mathrm{KL}(q^t_i \| q^s_i)

    with b = (p_y, 1 - p_y) and q = softmax(z_c / T) over the classes c ≠ y; labels are int64 [B].

    Source: Zhao et al., CVPR 2022, whose L_DKD = α TCKD + β NCKD (Eq. 7). Finite at logit gaps of
    1000 in float32, where the official code is not. A ValueError for shapes that differ, fewer than
    two classes, or T ≤ 0.

    >>> z, y = torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([0])
    >>> [term.item() for term in dkd_terms(z, z, y)]
    [0.0, 0.0]
    """
    check_logits(student_logits, teacher_logits)
    check_temperature(temperature)
    classes = student_logits.shape[1]
    if classes < 2:
        raise ValueError(f"logits: {classes} class leaves none besides the target; give two")
    rest = ~F.one_hot(labels, classes).bool()
    binary, others = [], []
    for raw in (student_logits, teacher_logits.detach()):
        logits = _scaled(raw, temperature)
        target = logits.gather(1, labels[:, None])  # [B, 1]
        remaining = logits[rest].view(-1, classes - 1)  # [B, C - 1]
        pair = torch.cat([target, remaining.logsumexp(1, keepdim=True)], dim=1)
        binary.append(pair - logits.logsumexp(1, keepdim=True))  # log (p_y, 1 - p_y), [B, 2]
        others.append(remaining.log_softmax(1))
    return temperature**2 * _divergence(*binary), temperature**2 * _divergence(*others)


def curriculum_lambda(epoch: float, loops: float = 10) -> float:
    r"""CTKD's factor on the temperature's gradient: a cosine from 0 to -1 over `loops`, then -1.

    .. math:: \lambda(e) = -\tfrac{1}{2} (1 - \cos(\pi \min(e, L) / L))

    Source: Li et al., AAAI 2023. θ receives λ · ∂L/∂θ, so the temperature climbs while the student
    descends. e and L > 0 have one unit, epochs or shares of a run.

    >>> [round(curriculum_lambda(epoch), 3) for epoch in (0, 5, 10, 11)]
    [-0.0, -0.5, -1.0, -1.0]
    """
    return -(1 - math.cos(math.pi * min(max(epoch, 0), loops) / loops)) / 2


class CurriculumTemperature(nn.Module):
    r"""CTKD's temperature, one learned θ, in (start, start + span).

    .. math:: T = start + span \cdot \sigma(\theta)

    Source: Li et al., AAAI 2023, the global variant; the official t_end = 20 is a span.

    >>> round(CurriculumTemperature()().item(), 4)  # 1 + 20 · σ(1)
    15.6212
    """

    def __init__(self, start: float = 1.0, span: float = 20.0, theta: float = 1.0):
        super().__init__()
        self.start, self.span = start, span
        self.theta = nn.Parameter(torch.tensor(float(theta)))

    def forward(self, lambda_: float = -1.0) -> Tensor:
        """The temperature, a scalar; θ receives λ times the loss's gradient."""
        return self.start + self.span * torch.sigmoid(reverse_gradient(self.theta, -lambda_))


def mlkd_terms(
    student_logits: Tensor,
    teacher_logits: Tensor,
    temperature: float = 4.0,
    *,
    standardized: bool = False,
) -> dict[str, Tensor]:
    r"""Multi-level KD at one temperature: agreement per sample (`kd`), of samples and of classes.

    .. math:: L_{batch} = \tfrac{1}{B} \| P_t P_t^\top - P_s P_s^\top \|_F^2, \qquad
              L_{classes} = \tfrac{1}{C} \| P_t^\top P_t - P_s^\top P_s \|_F^2

    with P = softmax(z / T) [B, C]; these two have no T². `standardized` is LSKD, which its official
    code has for `kd` alone. Source: Jin et al., CVPR 2023. Scalars ≥ 0.

    >>> z = torch.eye(3)
    >>> [term.item() for term in mlkd_terms(z, z).values()]
    [0.0, 0.0, 0.0]
    """
    pair = student_logits, teacher_logits
    if standardized:
        pair = standardize(student_logits), standardize(teacher_logits)
    instance = kd(*pair, temperature)
    student = (student_logits / temperature).softmax(1)  # [B, C]
    teacher = (teacher_logits.detach() / temperature).softmax(1)
    samples = teacher @ teacher.T - student @ student.T  # [B, B]
    classes = teacher.T @ teacher - student.T @ student  # [C, C]
    return {
        "instance": instance,
        "batch": samples.square().sum() / len(samples),
        "classes": classes.square().sum() / len(classes),
    }


def mlkd_official(
    weak: View, strong: View, temperature: float = 4.0, standardized: bool = False
) -> dict[str, Tensor]:
    r"""MLKD as its official code computes it, unweighted (officially .9, and .1 for the labels).

    .. math:: L_{instance} &= f_b \sum_T \mathrm{kd}_T(weak)
              + \sum_{T_1 \ldots T_3} \mathrm{kd}_T(strong) + \sum_{T_4, T_5} \mathrm{kd}_T(weak) \\
              L_{batch} &= f_b \sum_T \mathrm{batch}_T(weak), \qquad
              L_{classes} = f_c \sum_T \mathrm{classes}_T(weak)

    The paper means to select confident samples and classes. In the code the masks multiply a scalar
    and act as the shares f_b and f_c, about one half; two of the strong view's temperatures read
    the weak logits. Source: Jin et al., CVPR 2023, github.com/Jin-Ying/… (see tests/golden).

    `weak` and `strong` are logits of student and teacher for two views of the same images. T_1 is
    `temperature`, LSKD's (`standardized`) is 2; the others are 3, 5, 2 and 6.

    >>> z = torch.eye(4)
    >>> sum(mlkd_official((z, z), (z, z)).values()).item()
    0.0
    """
    temperatures = (temperature, 3, 5, 2, 6)
    samples, classes = confident_shares(weak[1])
    weak_terms = [mlkd_terms(*weak, T, standardized=standardized) for T in temperatures]
    strong_terms = [mlkd_terms(*strong, T, standardized=standardized) for T in temperatures[:3]]
    first, second = summed(weak_terms), summed(strong_terms + weak_terms[3:])
    return {
        "instance": samples * first["instance"] + second["instance"],
        "batch": samples * first["batch"],
        "classes": classes * first["classes"],
    }


def confident_shares(teacher_logits: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of samples, and of classes, whose teacher confidence is at most the median one.

    A sample's confidence is its largest probability, a class's the sum of its probabilities over
    the batch, at T = 1. Both shares are scalars in (0, 1].

    >>> confident_shares(torch.eye(4) * torch.arange(4.0))[0].item()
    0.5
    """
    # in float64, so that equal confidences stay equal; on the CPU, since Apple's GPU has none
    probabilities = teacher_logits.detach().cpu().double().softmax(1)
    samples, classes = probabilities.amax(1), probabilities.sum(0)
    of_samples, of_classes = ((x <= x.quantile(0.5)).double().mean() for x in (samples, classes))
    return of_samples.to(teacher_logits), of_classes.to(teacher_logits)


def softened_kl(student: Tensor, teacher: Tensor, temperature: float | Tensor) -> Tensor:
    """`kd` of logits [B, C] or maps of them [B, C, H, W], a mean over places, too; no checks."""
    student, teacher = (_scaled(z, temperature) for z in (student, teacher.detach()))
    return temperature**2 * _divergence(student.log_softmax(1), teacher.log_softmax(1))


def _scaled(logits: Tensor, temperature: float | Tensor) -> Tensor:
    """z / T, each row shifted to a maximum of 0 first, so that no digits go to a common offset."""
    return (logits - logits.detach().amax(1, keepdim=True)) / temperature


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over the batch, and places if any, of KL(teacher ‖ student), from log-probabilities
    [B, K, …]."""
    total = F.kl_div(student, teacher, reduction="sum", log_target=True)
    return total * student.shape[1] / student.numel()


def check_logits(student_logits: Tensor, teacher_logits: Tensor) -> None:
    """Raise a ValueError unless both are [B, C] of the same B ≥ 1 and C."""
    if student_logits.shape != teacher_logits.shape or student_logits.ndim != 2:
        raise ValueError(
            f"logits: student {tuple(student_logits.shape)}, teacher {tuple(teacher_logits.shape)};"
            " both must be [B, C] of the same samples and classes"
        )
    if not len(student_logits):
        raise ValueError("logits: no samples in this batch; give one or more")
