"""The exercises of notebook 01: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping

import numpy as np

from checks import report

FIRST, SECOND = ["d", "a", "c", "e"], ["a", "b", "c", "d", "f"]
ROWS = [(0, 3), (1, 0), (2, 2)]  # of d, a and c in both lists
TURNED = {"acc": [0], "gyro": [1, 2]}


def first(pair: Callable) -> str:
    """Rows of pairs where both sensors lack windows; what is wrong, or nothing."""
    answer = _called(pair, list(FIRST), list(SECOND))
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "return two lists of row numbers, those of first and those of second"
    rows = [tuple(map(int, row)) for row in zip(*answer, strict=False)]
    if len(answer[0]) != len(answer[1]):
        return "both lists must have a row number for each pair"
    if any(a >= len(FIRST) or b >= len(SECOND) for a, b in rows):
        return "a row number is too large"
    if any(FIRST[a] != SECOND[b] for a, b in rows):
        return "two rows of a pair have different ids"
    if len(rows) < len(ROWS):
        return f"of three pairs {len(rows)} are found"
    return "" if rows == ROWS else "keep the order of first"


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


def check(pair: Callable, mirror: Callable, scores: Mapping[int, float]) -> None:
    """Print what is solved and what is missing."""
    report(first(pair), second(mirror), third(scores))


def _called(function: Callable, *arguments):
    """What the function returns; None where it fails, as for an id without partner."""
    try:
        return function(*arguments)
    except (KeyError, ValueError, IndexError):
        return None
