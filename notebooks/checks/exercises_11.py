"""The exercises of notebook 11: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping, Sequence

import torch
from scipy import stats
from torch import Tensor

from checks import report

VERDICTS = ("both", "one", "label more")


def first(decide: Callable) -> str:
    """What an interval says of a second sensor that must be worth some points; what is
    wrong, or nothing."""
    for low, high, worth, expected, problem in (
        (4.0, 9.0, 3.0, "both", "from 4 to 9 all is worth 3 points: both"),
        (-2.0, 1.0, 3.0, "one", "from -2 to 1 nothing is worth 3 points: one"),
        (-9.0, -4.0, 3.0, "one", "from -9 to -4 it harms: one"),
        (1.0, 6.0, 3.0, "label more", "from 1 to 6 it may be worth 3 points or not"),
        (1.0, 2.0, 3.0, "one", "from 1 to 2 it helps, but less than 3 points: one"),
        (-4.0, 9.0, 3.0, "label more", "a wide interval decides nothing"),
        (1.0, 6.0, 0.5, "both", "`worth` decides, not 3"),
    ):
        verdict = decide(low, high, worth)
        if verdict not in VERDICTS:
            return f"return one of {', '.join(VERDICTS)}"
        if verdict != expected:
            return problem
    return ""


def second(drop: Callable) -> str:
    """A third of the images without the first sensor, a third without the second; what
    is wrong, or nothing."""
    torch.manual_seed(0)
    bands = {"a": 3, "b": 1}
    images = {name: 1 + torch.rand(3000, n, 2, 2) for name, n in bands.items()}
    before = {name: x.clone() for name, x in images.items()}
    answer = drop(images)
    if not isinstance(answer, Mapping) or set(answer) != set(images):
        return "return the images of both sensors, by their names"
    if any(not torch.equal(x, before[name]) for name, x in images.items()):
        return "return new images: those given are changed"
    gone = {name: (x == 0).flatten(1).all(1) for name, x in answer.items()}
    for name, x in answer.items():
        if not isinstance(x, Tensor) or x.shape != before[name].shape:
            return "an image keeps its shape"
        if not torch.equal(x[~gone[name]], before[name][~gone[name]]):
            return "what is not dropped keeps all its pixels"
    return _shares(gone["a"], gone["b"])


def _shares(first: Tensor, second: Tensor) -> str:
    if (first & second).any():
        return "never both sensors of a pair"
    shares = [gone.float().mean().item() for gone in (first, second)]
    if not all(abs(share - 1 / 3) < 0.05 for share in shares):
        if set(shares) <= {0.0, 1.0}:
            return "draw for each pair, not for the batch"
        return f"a third each: these are {shares[0]:.0%} and {shares[1]:.0%}"
    if torch.equal(first, first.sort().values) or _regular(first):
        return "which pairs must be drawn at random"
    return ""


def _regular(gone: Tensor) -> bool:
    """Whether every third pair is dropped."""
    return torch.equal(gone[3:], gone[:-3])


def third(mine: Mapping, gains: Sequence[float], folder: str) -> str:
    """The interval of what both sensors gain above the better one, by groups in
    `gains`, and its verdict; what is wrong, or nothing."""
    if not folder:
        return "these are the rooms: set `folder`"
    if set(mine) != {"low", "high", "worth", "verdict"} or None in mine.values():
        return "enter low, high, worth and verdict"
    low, high, worth = (mine[name] for name in ("low", "high", "worth"))
    ends = stats.ttest_1samp(gains, 0).confidence_interval()
    if abs(low - ends[0]) > 0.6 or abs(high - ends[1]) > 0.6:
        return f"the interval of the smaller gain is {ends[0]:.0f} to {ends[1]:.0f}"
    expected = "both" if low > worth else "one" if high < worth else "label more"
    return "" if mine["verdict"] == expected else f"this interval says: {expected}"


def check(
    decide: Callable,
    drop: Callable,
    mine: Mapping,
    gains: Sequence[float],
    folder: str,
) -> None:
    """Print what is solved and what is missing."""
    report(first(decide), second(drop), third(mine, gains, folder))
