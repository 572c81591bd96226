"""The exercises of notebook 04: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from checks import report
from checks.exercises_00 import third
from discom.losses import distill


def first(pull: Callable) -> str:
    """The gradient of `kd` by hand; what is wrong, or nothing."""
    draws = torch.Generator().manual_seed(0)
    for rows, T, problem in (
        (1, 1.0, "softmax of the student minus softmax of the teacher"),
        (5, 1.0, "kd is a mean over B rows"),
        (5, 4.0, "soften both by T; of T² one T is left"),
    ):
        student, teacher = 3 * torch.randn(2, rows, 9, generator=draws)
        given = student.clone().requires_grad_()
        distill.kd(given, teacher, T).backward()
        own = pull(student, teacher, T)
        if not isinstance(own, Tensor) or own.shape != given.shape:
            return "return a number for each logit, [B, 9]"
        if not torch.allclose(own, given.grad, atol=1e-5):
            return problem
    return ""


def second(named_loss: Callable, soft: Tensor, labels: Tensor) -> str:
    """A cross-entropy with the teacher's first choice; what is wrong, or nothing."""
    choice = soft.argmax(1)
    mistakes = (choice != labels).nonzero()[:20, 0]
    rows = torch.cat([mistakes, torch.arange(20)])
    logits = torch.randn(len(rows), 9, generator=torch.Generator().manual_seed(0))
    own = named_loss(logits, rows)
    if not isinstance(own, Tensor) or own.dim():
        return "return a loss"
    for target, problem in (
        (choice[rows], ""),
        (labels[rows], "the class that the teacher names, not the label"),
        (soft[rows].softmax(1), "one class, not nine probabilities"),
    ):
        if torch.isclose(own, F.cross_entropy(logits, target), atol=1e-5):
            return problem
    return "the cross-entropy with the class that the teacher names, a mean over rows"


def check(
    pull: Callable,
    named_loss: Callable,
    worth: Mapping[int, float],
    goal: float,
    soft: Tensor,
    labels: Tensor,
) -> None:
    """Print what is solved and what is missing."""
    report(first(pull), second(named_loss, soft, labels), third(worth, goal))
