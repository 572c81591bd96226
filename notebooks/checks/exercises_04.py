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


def second(softer_loss: Callable) -> str:
    """Label smoothing by a rule; what is wrong, or nothing."""
    draws = torch.Generator().manual_seed(0)
    logits, answers = 3 * torch.randn(2, 20, 9, generator=draws)
    labels = torch.randint(9, (20,), generator=draws)
    own = softer_loss(logits, labels, answers)
    if not isinstance(own, Tensor) or own.dim():
        return "return a loss"
    for softness, problem in (
        (0.3, ""),
        (0.0, "this is as hard as the label"),
        (0.3 * 9 / 8, "0.3 goes to all nine alike, the label's class too"),
    ):
        target = {"target": labels, "label_smoothing": softness}
        if torch.isclose(own, F.cross_entropy(logits, **target), atol=1e-5):
            return problem
    return "the cross-entropy with the softer labels, a mean over rows"


def check(
    pull: Callable, softer_loss: Callable, worth: Mapping[int, float], goal: float
) -> None:
    """Print what is solved and what is missing."""
    report(first(pull), second(softer_loss), third(worth, goal))
