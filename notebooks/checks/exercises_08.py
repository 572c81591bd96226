"""The exercises of notebook 08: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from checks import report


def first(surest: Callable) -> str:
    """The surer sensor judges each scene; what is wrong, or nothing."""
    p = {
        "rgb": torch.tensor([[0.5, 0.4, 0.1], [0.1, 0.3, 0.6], [0.2, 0.2, 0.6]]),
        "depth": torch.tensor([[0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.5, 0.4, 0.1]]),
    }
    expected = torch.stack([p["depth"][0], p["rgb"][1], p["rgb"][2]])
    answer = surest({sensor: own.log() for sensor, own in p.items()})
    if not isinstance(answer, Mapping) or set(answer) != set(p):
        return "return sensor → log probabilities, as pair_labels does"
    if not all(isinstance(z, Tensor) and z.shape == (3, 3) for z in answer.values()):
        return "a row for each scene, a column for each class"
    if not torch.allclose(*answer.values()):
        return "both sensors learn from the same judge"
    found = answer["depth"].softmax(1)
    if torch.allclose(answer["depth"].exp(), torch.maximum(*p.values()), atol=1e-4):
        return "take all probabilities of a scene from one sensor"
    if torch.allclose(found, sum(z.log() for z in p.values()).softmax(1), atol=1e-4):
        return "this is the product: the less sure sensor must not vote"
    if not all(
        torch.allclose(z.softmax(1), expected, atol=1e-4) for z in answer.values()
    ):
        return "scene by scene: the sensor whose largest probability is larger"
    return ""


def second(late: Callable) -> str:
    """A quarter of the scenes get another scene's colour; what is wrong, or nothing."""
    torch.manual_seed(0)
    pool = torch.randperm(2000)[:82]
    given = pool.clone()
    rows = late(given)
    if not torch.equal(given, pool):
        return "leave what you are given as it is: depth reads its rows"
    if not isinstance(rows, Tensor) or rows.shape != pool.shape:
        return "return a row number for each scene"
    if not torch.isin(rows, pool).all():
        return "take the other scenes from those that you are given"
    wrong = (rows != pool).sum().item()
    if wrong != 20:
        return f"20 of 82 scenes must get another scene's colour: these are {wrong}"
    if len(rows.unique()) < len(rows):
        return "each colour image is there once: let 20 scenes change places"
    return ""


def third(scores: Mapping[str, float | None]) -> str:
    """Depth's F1 × 100 after pairs of ordinary scenes alone, and of far ones."""
    if set(scores) != {"ordinary", "far away"} or None in scores.values():
        return "set both scores, F1 × 100"
    if not all(11 < score <= 80 for score in scores.values()):
        return "guessing gets 11 %, the best possible network 80 %"
    same = scores["ordinary"] == scores["far away"]
    return "both recordings gave one score: did `unlabelled` change?" if same else ""


def check(surest: Callable, late: Callable, scores: Mapping) -> None:
    """Print what is solved and what is missing."""
    report(first(surest), second(late), third(scores))
