"""Pictures of the notebooks, a file for each set of data, and what several share."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

GREY = "0.45"


def apart(ends: Sequence[float], gap: float) -> np.ndarray:
    """Heights of the names of sorted ends, so that no two touch."""
    steps = gap * np.arange(len(ends))
    return np.maximum.accumulate(ends - steps) + steps


def plot_bounds(axis, last: float, best: float) -> None:
    """Two lines from 0 to `last`: what is possible and what guessing gets, %."""
    for level, name in ((best, "best possible with depth"), (100 / 9, "guessing")):
        axis.plot([0, last], [level, level], color="0.6", lw=1, ls=":")
        axis.text(last, level + 1.2, name, ha="right", color=GREY, fontsize=9)


def dots_and_interval(axis, place: float, points, colour: str) -> float:
    """A dot for each of the points, and beside them their mean and 95 % interval,
    whose upper end is returned."""
    look, spread = {"color": colour}, np.linspace(-0.12, 0.12, len(points))
    axis.scatter(place + spread, points, s=30, alpha=0.5, **look)
    low, high = stats.ttest_1samp(points, 0).confidence_interval()
    axis.vlines(place + 0.25, low, high, lw=3, **look)
    axis.scatter(place + 0.25, points.mean(), s=55, zorder=3, **look)
    return high
