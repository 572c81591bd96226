"""The exercises of notebook 06: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping

import torch

from checks import report


def first(erase_all: Callable) -> str:
    """Several directions erased at once; what is wrong, or nothing."""
    torch.manual_seed(0)
    z, directions = torch.randn(50, 6), torch.randn(3, 6)
    directions[1] = directions[0] + 0.5 * directions[1]  # 30 degrees apart or so
    left = erase_all(z.clone(), directions.clone())
    if not torch.is_tensor(left) or left.shape != z.shape:
        return "return vectors of the same shape as z"
    if (left @ directions.T).abs().max() > 1e-3:
        return "a share in one of the directions is left: they are not at right angles"
    basis = torch.linalg.qr(directions.T).Q
    if not torch.allclose(left, z - z @ basis @ basis.T, atol=1e-3):
        return "what is at right angles to all directions must stay as it is"
    return ""


def second(carried: Callable) -> str:
    """A class probe of colour, read on depth; what is wrong, or nothing."""
    torch.manual_seed(0)
    labels = torch.arange(300) % 3
    own = 4 * torch.eye(3)[labels] + 0.3 * torch.randn(300, 3)
    same, next_one = torch.stack([own, own], 1), torch.stack([own, own.roll(1, 1)], 1)
    score = carried(same, labels)
    if not isinstance(score, int | float):
        return "return a number, in %"
    if not 99 <= score <= 100:
        return f"depth equals colour: 100 %, not {score:.3g}"
    if carried(next_one, labels) > 5:
        return "fit on colour alone, score on depth: it names other classes there, 0 %"
    apart = torch.stack([own, own + torch.tensor([40.0, 0.0, 0.0])], 1)
    if carried(apart, labels) > 60:
        return "depth lies elsewhere: give it colour's mean and spread, not its own"
    fitted = same.clone()
    fitted[150:] = fitted[150:].roll(1, 2)  # in the other half, other classes
    if carried(fitted, labels) > 5:
        return "score on the half of the scenes that the probe was not fitted on"
    return ""


def third(scores: Mapping[str, float | None]) -> str:
    """How often the sensor is read from inv; what is wrong, or nothing."""
    if set(scores) != {"with adv", "without adv"} or None in scores.values():
        return "set both scores, in %"
    if not all(40 <= score <= 100 for score in scores.values()):
        return "guessing gets 50 %: give % right of the probe"
    return ""


def check(erase_all: Callable, carried: Callable, scores: Mapping) -> None:
    """Print what is solved and what is missing."""
    report(first(erase_all), second(carried), third(scores))
