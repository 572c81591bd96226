"""The modality focusing hypothesis on Gaussian data: a student gains by what both modalities know
about the label.

Of the features that any modality carries, γ is the share that both carry, α the teacher's alone, β
the student's alone; all other columns are noise. Xue et al. hold that distillation helps as far as
γ is large, and that α, which makes the teacher better, does not. Each of two curves changes one:

    gamma: n of 10 in common, γ = n / (20 - n), α = β = (1 - γ) / 2; 20 features decide
    alpha: 10 in common, n more for the teacher, α = n / (n + 10), γ = 1 - α; 50 features decide

Source: Xue et al., ICLR 2023, Figs. 2 and 3, and the official code (tests/golden names the commit),
whose draws and accuracies these are.
"""

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from discom.errors import ConfigError
from discom.losses.distill import kd

TRAIN, TEST, PLANE = 200, 1000, 500  # samples; weights drawn for the plane, of which D are used
DECISIVE = {"gamma": 20, "alpha": 50}  # D
WIDTHS = {"gamma": (25, 50), "alpha": (50, 50)}  # columns of teacher's and student's modality
MOST = {"gamma": 10, "alpha": 40}  # n
PUBLISHED = {"gamma": range(0, 11, 2), "alpha": range(0, 41, 10)}  # n of the paper's points


def carried(parameter: str, n: int) -> tuple[float, range, range]:
    """The share γ or α that n features make, and the features that teacher's and student's modality
    carry; a ConfigError for another parameter, or n above 10 of gamma or 40 of alpha.

    >>> carried("gamma", 4), carried("alpha", 10)
    ((0.25, range(6, 16), range(0, 10)), (0.5, range(0, 20), range(0, 10)))
    """
    if n not in range(MOST.get(parameter, -1) + 1):
        reason = f"{n} features give no share"
        raise ConfigError(
            f"parameter {parameter!r}: {reason}; use 0 to 10 of gamma, or 0 to 40 of alpha"
        )
    if parameter == "gamma":
        return n / (20 - n), range(10 - n, 20 - n), range(10)
    return n / (n + 10), range(10 + n), range(10)


def gaussian_pair(
    rng: np.random.RandomState,
    plane: np.ndarray,
    samples: int,
    teacher: range,
    student: range,
    widths: Sequence[int],
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw samples of two modalities, each with a part of what decides the label.

        x ~ N(0, I_D);   y = [x · plane > 0];   column k: x_k if carried, else N(0, 1)

    `teacher` and `student` are the features that each carries; `widths` its columns. Drawn in the
    official order: x, the student's columns, the teacher's.

    Returns:
        The teacher's columns [samples, widths[0]], the student's, both float32; labels, int64.
    """
    decisive = rng.randn(samples, len(plane))
    columns = []
    for features, width in ((student, widths[1]), (teacher, widths[0])):
        noise = rng.randn(samples, width)
        noise[:, features] = decisive[:, features]
        columns.append(torch.from_numpy(noise).float())
    return columns[1], columns[0], torch.from_numpy(decisive @ plane > 0).long()


def focusing_loss(student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
    """CE(z^s, y) + Σ_b KL(p^t_b ‖ p^s_b) / (B·C), in nats, from logits [B, C] and labels [B]. No
    gradient runs through the teacher's.

    Source: the official code. A ValueError for logits of different shapes, or no sample.

    >>> equal = torch.zeros(4, 2)
    >>> round(focusing_loss(equal, equal, torch.tensor([0, 1, 1, 1])).item(), 4)  # log 2 + 0
    0.6931
    """
    divergence = kd(student_logits, teacher_logits, 1.0) / student_logits.shape[1]
    return F.cross_entropy(student_logits, labels) + divergence


def train_linear(
    x: Tensor, labels: Tensor, epochs: int = 1000, teacher_logits: Tensor | None = None
) -> nn.Linear:
    """Fit a linear classifier to x [B, D] and labels [B] in {0, 1} by gradient descent (rate 0.1),
    on `focusing_loss` where there are teacher_logits [B, 2], else on cross-entropy."""
    model = nn.Linear(x.shape[1], 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(epochs):
        logits = model(x)
        if teacher_logits is None:
            loss = F.cross_entropy(logits, labels)
        else:
            loss = focusing_loss(logits, teacher_logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def toy_run(parameter: str, n: int, seed: int = 0, epochs: int = 1000) -> dict[str, str | float]:
    """A teacher, and a student with and without it, trained on 200 samples and tested on 1000; `n`
    as in `carried`.

    Plane and training samples come from `seed` (0 to 2³² - 2), test samples and initial networks
    from `seed` + 1, so a seed's student alone is the same at every share.

    Returns:
        parameter, share, seed; teacher, student (alone) and kd (distilled), accuracies in %;
        gain, kd - student in points.

    >>> list(toy_run("gamma", 10, epochs=1))
    ['parameter', 'share', 'seed', 'teacher', 'student', 'kd', 'gain']
    """
    share, by_teacher, by_student = carried(parameter, n)
    train, test = np.random.RandomState(seed), np.random.RandomState(seed + 1)
    plane = train.randn(PLANE)[: DECISIVE[parameter]]
    columns = by_teacher, by_student, WIDTHS[parameter]
    x_teacher, x_student, labels = gaussian_pair(train, plane, TRAIN, *columns)
    teacher_test, student_test, truth = gaussian_pair(test, plane, TEST, *columns)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        teacher = train_linear(x_teacher, labels, epochs)
        distilled = train_linear(x_student, labels, epochs, teacher(x_teacher).detach())
        student = train_linear(x_student, labels, epochs)
    networks = {"teacher": (teacher, teacher_test), "student": (student, student_test)}
    networks["kd"] = (distilled, student_test)
    right = {name: int((net(x).argmax(1) == truth).sum()) for name, (net, x) in networks.items()}
    right["gain"] = right["kd"] - right["student"]
    accuracies = {name: 100 * count / TEST for name, count in right.items()}
    return {"parameter": parameter, "share": share, "seed": seed, **accuracies}


def toy_curve(
    parameter: str,
    seeds: Iterable[int] = range(10),
    epochs: int = 1000,
    features: Iterable[int] | None = None,
) -> pd.DataFrame:
    """One row of `toy_run` for each n of `features` (default: the paper's six of gamma, five of
    alpha) and seed (the paper's: 0 to 9).

    >>> toy_curve("alpha", seeds=[0], epochs=1)["share"].round(2).tolist()
    [0.0, 0.5, 0.67, 0.75, 0.8]
    """
    features = (
        PUBLISHED.get(parameter, [0]) if features is None else features
    )  # toy_run refuses others
    points = product(features, seeds)
    return pd.DataFrame([toy_run(parameter, n, seed, epochs) for n, seed in points])
