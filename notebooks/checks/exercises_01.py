"""The exercises of notebook 01: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping

import numpy as np

from checks import report

LISTS = (["d", "a", "c", "e"], ["a", "b", "c", "d", "f"], ["c", "g", "a", "e"])
TURNED = {"acc": [0], "gyro": [1, 2]}


def first(complete: Callable) -> str:
    """Names that all of two or three lists have; what is wrong, or nothing."""
    for lists in (LISTS[:2], LISTS, (*LISTS, ["h"])):
        expected = [name for name in lists[0] if all(name in own for own in lists)]
        answer = _called(complete, *map(list, lists))
        if not isinstance(answer, tuple | list):
            return f"return a list of names, also for {len(lists)} lists"
        if lacks := [name for name in answer if name not in expected]:
            return f"of {len(lists)} lists one does not have {lacks[0]!r}"
        if sorted(answer) != sorted(expected):
            return f"of {len(lists)} lists, {len(expected)} names are in all"
        if list(answer) != expected:
            return "keep the order of the first list"
    return ""


def second(mirror: Callable) -> str:
    """A left arm's signals as a right arm's; what is wrong, or nothing."""
    for sensor, turned in TURNED.items():
        signal = np.random.default_rng(0).normal(size=(4, 3, 10))
        expected, left = signal.copy(), np.array([True, False, True, False])
        expected[0, turned] *= -1
        expected[2, turned] *= -1
        answer = _called(mirror, before := signal.copy(), sensor, left)
        if np.shape(answer) != signal.shape:
            return f"{sensor}: return signals of the same shape"
        if not np.array_equal(before, signal):
            return (
                f"{sensor}: the signals that were given have changed: copy them first"
            )
        if not np.allclose(answer[1], signal[1]):
            return f"{sensor}: a right arm must stay as it is"
        if sensor == "gyro" and np.allclose(answer[0, 0], -signal[0, 0]):
            return "gyro: the mirror keeps turns round x, and turns y and z round"
        if not np.allclose(answer, expected):
            return f"{sensor}: of a left arm other axes change their sign"
    return ""


def third(scores: Mapping[int, float], goal: float = 85) -> str:
    """Number of labelled windows → % right; what is missing, or nothing."""
    below = [count for count, score in scores.items() if score < goal]
    above = [count for count, score in scores.items() if score >= goal]
    if not below or not above:
        return f"find one number below {goal:.0f} % and one above"
    if max(scores.values()) > 92:
        return "do not test the windows that were given"
    return "more windows gave less" if max(below) > min(above) else ""


def check(complete: Callable, mirror: Callable, scores: Mapping[int, float]) -> None:
    """Print what is solved and what is missing."""
    report(first(complete), second(mirror), third(scores))


def _called(function: Callable, *arguments):
    """What the function returns; None where it fails, as of a third list."""
    try:
        return function(*arguments)
    except (KeyError, ValueError, IndexError, TypeError):
        return None
