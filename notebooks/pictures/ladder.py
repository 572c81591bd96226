"""What leaving out a loss changes, and when a network begins to learn the class."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course import SMALL
from pictures import GREY, apart

# a loss, or what leaves it out → its colour
COLOURS = {"all five": "#4d4d4d", "aux": "#0173b2", "mod": "#8c3fb0"}
COLOURS |= {"adv": "#cc3311", "orth": "#de8f05"}


def plot_starts(histories: Mapping, starts: Mapping, guessing: float):
    """The class loss epoch by epoch; way → epoch in which it has begun."""
    figure, axis = plt.subplots(figsize=(9.2, 3.9), layout="constrained")
    curves = {way: histories[way]["cl"] for way in starts}
    last = len(next(iter(curves.values())))
    ends = pd.Series({way: curve.iloc[-1] for way, curve in curves.items()})
    ends = ends.sort_values()
    for way, height in zip(ends.index, apart(ends, 0.25), strict=True):
        look = {"color": COLOURS[way.removeprefix("without ")], "lw": 2.6}
        axis.plot(range(1, last + 1), curves[way], **look)
        name = {"color": look["color"], "va": "center", "fontweight": "bold"}
        axis.text(last + 0.15, height, f"{way}: epoch {starts[way]}", **name)
    for level, name in ((guessing, "guessing"), (0.9 * guessing, "has begun")):
        axis.axhline(level, color="0.6", lw=1, ls=":")
        small = {"color": GREY, "fontsize": 10, "ha": "right", "va": "bottom"}
        axis.text(last, level, name, **small)
    axis.set(xlabel="epoch", ylabel="class loss, both sensors")
    axis.set(xlim=(0.8, 1.28 * last), xticks=range(1, last + 1))
    axis.set_title("With all five losses the class begins last")
    return figure


def plot_without(changes: Mapping[str, pd.DataFrame], title: str):
    """A panel for each training; a row for each loss (columns) that is left out, a dot
    for what that changes with one seed, a line for the mean."""
    size = (9.2 if len(changes) == 1 else 11, 3)
    figure, axes = plt.subplots(
        1, len(changes), figsize=size, sharey=True, layout="constrained", squeeze=False
    )
    axes, every = axes[0], pd.concat(changes.values())
    low, high = min(0, every.min(axis=None)), max(0, every.max(axis=None))
    room = (high - low) / 4  # for a number beside the last dot
    figure.suptitle(title)
    for axis, (heading, table) in zip(axes, changes.items(), strict=True):
        axis.axvline(0, color="0.6", lw=1)
        for place, (loss, values) in enumerate(table.items()):
            colour = COLOURS[loss]
            heights = np.full(len(values), place)
            axis.plot(values, heights, "o", color=colour, alpha=0.6, mew=0)
            axis.vlines(values.mean(), place - 0.35, place + 0.35, lw=2.5, color=colour)
            name = {"color": colour, "va": "center", "fontsize": 9.5}
            right = max(0, values.max()) + 0.1 * room
            axis.text(right, place, f"{values.mean():+.1f}", **name)
        axis.set_title(heading, **SMALL)
        axis.set(
            xlabel="F1 points, compared with all five",
            xlim=(low - 0.2 * room, high + 1.2 * room),
        )
    names = [f"without {loss}" for loss in table]
    axes[0].set(
        yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.4, -0.6)
    )
    return figure
