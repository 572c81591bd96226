"""The exercises of notebook 00: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping
from math import log

import torch
from torch import Tensor

from checks import report


def first(across: Callable) -> str:
    """A contrast that looks in the other sensor only; what is wrong, or nothing."""
    equal, rows = torch.ones(8, 64), torch.eye(8, 64)
    if (value := _number(across, equal, equal)) is None:
        return "return a loss"
    if abs(value - log(15)) < 0.01:
        return "eight equal rows cost log 15: an image still looks in its own sensor"
    if abs(value - log(8)) > 0.01:
        return f"eight equal rows must cost log 8 = 2.08, not {value:.2f}"
    if abs(_number(across, 5 * rows, rows) - log(1 + 7 * 2.718281828**-10)) > 1e-4:
        return "eight pairs found must cost almost 0: normalize, and divide by 0.1"
    other = torch.eye(8, 64)[[0, 0, 2, 3, 4, 5, 6, 7]]  # two have one partner
    if abs(_number(across, rows, other) - _number(across, other, rows)) > 1e-4:
        return "the sensors exchanged must cost the same: the columns count, too"
    return ""


def second(own_labels: Callable) -> str:
    """Labels from the sensor itself; what is wrong, or nothing."""
    sure, unsure = torch.tensor([[4.0, 0.0, 0.0, 0.0]]), torch.zeros(1, 4)
    logits = {
        "rgb": torch.cat([sure, unsure]),
        "depth": torch.cat([sure.roll(1), unsure]),
    }
    projected = {"rgb": torch.eye(2, 64), "depth": torch.ones(2, 64)}  # no partners
    value = _number(own_labels, projected, logits, 1.0)
    expected = log(1 + 3 * 2.718281828**-4)  # two sure rows of four, mean over two
    if value is None:
        return "return a loss"
    if value < expected / 10:
        return "where the sensors are sure of different classes, both must learn"
    if abs(value - 2 * expected) < 0.2 * expected:
        return "divide by all rows, also by those without a label"
    if value > 0.5:  # a contrast costs log 2 or more
        return "leave the contrast of pairs out: the labels alone"
    if abs(value - expected) > 0.01:
        return f"the loss of our example must be {expected:.3f}, not {value:.3f}"
    if abs(_number(own_labels, projected, logits, 0.15) - expected / 2) > 0.01:
        return "the weight must grow over the first 30 % of the steps"
    return ""


def third(scores: Mapping[int, float], goal: float, who: str = "student") -> str:
    """Number of labels → accuracy of a student; what is missing, or nothing."""
    below = [labels for labels, score in scores.items() if score < goal]
    above = [labels for labels, score in scores.items() if score >= goal]
    if not below or not above:
        return f"find one {who} below {goal:.0f} % and one above"
    if max(below) > min(above):
        return "more labels gave less: train these two again with another seed"
    return ""


def check(across: Callable, own_labels: Callable, scores: Mapping, goal: float) -> None:
    """Print what is solved and what is missing."""
    report(first(across), second(own_labels), third(scores, goal))


def _number(function: Callable, *arguments) -> float | None:
    """What the function returns, on copies of its arguments; None if no number."""
    copies = [
        {k: v.clone() for k, v in a.items()} if isinstance(a, dict) else a
        for a in arguments
    ]
    value = function(*copies)
    return float(value) if isinstance(value, Tensor | float | int) else None
