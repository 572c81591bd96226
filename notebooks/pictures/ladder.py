"""What leaving out a loss changes, and when a network begins to learn the class."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

from pictures import GREY, apart

# a loss, or what leaves it out → its colour
COLOURS = {"all five": "#4d4d4d", "aux": "#0173b2", "mod": "#8c3fb0"}
COLOURS |= {"adv": "#cc3311", "orth": "#de8f05"}


def plot_starts(histories: Mapping, starts: Mapping, guessing: float):
    """The class loss epoch by epoch; way → epoch in which it has begun, a dot."""
    figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
    curves = {way: histories[way]["cl"] for way in starts}
    last = len(next(iter(curves.values())))
    ends = pd.Series({way: curve.iloc[-1] for way, curve in curves.items()})
    ends = ends.sort_values()
    for way, height in zip(ends.index, apart(ends, 0.25), strict=True):
        colour, start = COLOURS[way.removeprefix("without ")], starts[way]
        axis.plot(range(1, last + 1), curves[way], color=colour, lw=2.6)
        name = {"color": colour, "va": "center", "fontweight": "bold"}
        label = f"{way}: epoch {start}" if start else f"{way}: not yet"
        axis.text(last + 0.15, height, label, **name)
        if start:
            axis.plot(start, curves[way][start - 1], "o", ms=10, color=colour)
    for level, name in ((guessing, "guessing"), (0.9 * guessing, "begun: below this")):
        axis.axhline(level, color="0.6", lw=1.5, ls=":")
        small = {"color": GREY, "fontsize": 10.5, "ha": "left", "va": "bottom"}
        axis.text(last + 0.15, level, name, **small)
    axis.set(xlabel="epoch", ylabel="class loss, both sensors")
    axis.set(xlim=(0.8, 1.36 * last), xticks=range(1, last + 1))
    axis.set_title("With all five losses the class begins last")
    return figure


def signed(points: float) -> str:
    """Points with a decimal and their sign."""
    return f"{points:+.1f}".replace("-", "−")


def plot_without(changes: pd.DataFrame, title: str):
    """A row for each loss (columns) that is left out: a dot for what that changes with
    one seed, the mean and its 95 % interval."""
    figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
    axis.axvline(0, color="0.6", lw=1)
    for place, (loss, values) in enumerate(changes.items()):
        look, mean = {"color": COLOURS[loss]}, values.mean()
        low, high = stats.ttest_1samp(values, 0).confidence_interval()
        axis.hlines(place, low, high, lw=2, **look)
        axis.plot(values, np.full(len(values), place), "o", alpha=0.5, mew=0, **look)
        axis.vlines(mean, place - 0.2, place + 0.2, lw=3.5, **look)
        name = {"ha": "center", "va": "bottom", "fontweight": "bold"}
        name["bbox"] = {"color": "white", "pad": 0.5}  # over the line at zero
        axis.text(mean, place - 0.24, signed(mean), **name, **look)
    names = [f"without {loss}" for loss in changes]
    axis.set(yticks=range(len(names)), yticklabels=names, title=title)
    axis.set(ylim=(len(names) - 0.5, -0.7))
    axis.set(xlabel="F1 points, compared with all five (dots: seeds; lines: 95 %)")
    return figure


def plot_slopes(changes: Mapping[int, pd.DataFrame], title: str):
    """Epochs of two trainings → what leaving out a loss (columns) changes: a line for
    each loss from mean to mean, a dot for each seed."""
    figure, axis = plt.subplots(figsize=(8, 4.6), layout="constrained")
    means = pd.DataFrame({epochs: own.mean() for epochs, own in changes.items()})
    short, long = means.columns
    axis.plot([short, long], [0, 0], color="0.6", lw=1)
    for loss, ends in means.iterrows():
        axis.plot(ends.index, ends, color=COLOURS[loss], lw=2.6)
        for epochs, own in changes.items():
            seeds = {"color": COLOURS[loss], "alpha": 0.4, "mew": 0}
            axis.plot(np.full(len(own), epochs), own[loss], "o", **seeds)
    for epochs, shift, side in ((short, -1, "right"), (long, 1, "left")):
        ends = means[epochs].sort_values()
        heights = apart(ends, 2.8)
        heights = heights - (heights - ends).mean()  # around the ends, not above
        for (loss, mean), height in zip(ends.items(), heights, strict=True):
            name = {"color": COLOURS[loss], "ha": side, "va": "center"}
            label = f"without {loss} {signed(mean)}"
            axis.text(epochs + shift, height, label, fontweight="bold", **name)
    room = (long - short) / 2
    axis.set(xlim=(short - room, long + room), xticks=[short, long], title=title)
    axis.set(xlabel="epochs of training", ylabel="F1 points, compared with all five")
    return figure
