"""The exercises of notebook 05: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F

from checks import report


def refuses(loss: Callable, logits: torch.Tensor, targets: torch.Tensor) -> bool:
    """Whether the loss raises a ValueError."""
    try:
        loss(logits, targets)
    except ValueError:
        return True
    return False


def first(safe: Callable) -> str:
    """A cross-entropy that refuses rows that are no probabilities; or what is wrong."""
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    numbers, soft = torch.tensor([0, 1, 1, 0, 1, 0]), torch.full((6, 2), 0.5)
    soft[0] = torch.tensor([0.1, 0.9])
    for targets, name in (
        (numbers, "class numbers"),
        (soft, "rows that add up to one"),
    ):
        if refuses(safe, logits, targets):
            return f"{name} are good targets: do not refuse them"
        value = safe(logits, targets)
        if not isinstance(value, torch.Tensor):
            return "return a loss"
        if not torch.isclose(value, F.cross_entropy(logits, targets)):
            return f"with {name} it must be the cross-entropy"
    ones = torch.ones_like(logits)
    mixed = torch.cat([ones[:3], 0 * ones[3:]])  # add up to one on average
    for targets, name in (
        (ones, "ones"),
        (0 * ones, "zeros"),
        (mixed, "ones and zeros"),
    ):
        if not refuses(safe, logits, targets):
            return f"refuse {name} with a ValueError: look at every row"
    below = torch.tensor([[1.5, -0.5]]).expand(6, 2)
    if not refuses(safe, logits, below):
        return "no probability is below zero"
    return ""


def second(late: Callable) -> str:
    """A loss that counts from a later call on; what is wrong, or nothing."""

    def loss(parts, heads, sensor, labels):
        return 3 * parts

    loss, z = late(loss, 4), torch.ones(())
    if not callable(loss):
        return "return a function: it is called as every loss is"
    values = [loss(z, None, "rgb", None) for _ in range(7)]
    if any(value is None for value in values):
        return "return a loss in each call, 0 times it at first"
    if any(float(value) != 0 for value in values[:4]):
        return "the first calls must give 0"
    if any(float(value) != 3 for value in values[4:]):
        return "after the first calls it must be the loss itself"
    other = late(lambda *given: torch.ones(()), 1)
    if float(other(z, None, "rgb", None)) != 0:
        return "each late loss must count its own calls"
    return ""


def third(starts: Mapping[str, int | None], epochs: int = 20) -> str:
    """Epochs in which two trainings start to learn; what is wrong, or nothing."""
    if None in starts.values():
        return "set both epochs"
    if any(start != int(start) or start < 1 for start in starts.values()):
        return "epochs are counted 1, 2, 3 and so on"
    if max(starts.values()) > epochs:
        return f"there are {epochs} epochs"
    if max(starts.values()) < 5:
        return "so early? Train twenty epochs, not ten, and count from one"
    return ""


def check(safe: Callable, late: Callable, starts: Mapping) -> None:
    """Print what is solved and what is missing."""
    report(first(safe), second(late), third(starts))
