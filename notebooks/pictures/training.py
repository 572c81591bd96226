"""Networks while they train, and the same with ten seeds."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import MultipleLocator

from course import COLOURS
from pictures import GREY, apart, plot_bounds

LOOKS = {
    "student": {"color": COLOURS["alone"]},
    "branch alone": {"color": "#de8f05"},
    "DisCoM-KD": {"color": "#8c3fb0"},
    "DisCoM-KD, pairs": {"color": "#c58ad6"},
    "both sensors": {"color": "#029e73"},
    "teacher": {"color": "#029e73"},
    "beside the teacher": {"color": "#a65628"},
}


def plot_curves(curves: Mapping, title: str, best: float):
    """Name → accuracy after each epoch, %."""
    figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
    last = max(map(len, curves.values()))
    ends = sorted(curves, key=lambda name: curves[name][-1])
    heights = apart([curves[name][-1] for name in ends], 5)
    for name, height in zip(ends, heights, strict=True):
        axis.plot(range(1, last + 1), curves[name], lw=2.2, **LOOKS[name])
        end = f"{curves[name][-1]:.0f} %  {name}"
        text = {"color": LOOKS[name]["color"], "va": "center", "fontweight": "bold"}
        axis.text(1.015 * last, height, end, **text)
    plot_bounds(axis, last, best)
    axis.set(ylim=(0, 88), xlim=(0.5, last), title=title)
    axis.xaxis.set_major_locator(MultipleLocator(5))
    axis.set(xlabel="epoch", ylabel="new depth images right, %")
    return figure


def plot_seeds(scores: pd.DataFrame, title: str, best: float):
    """A row for each column of the scores, a dot for each seed, a line for the mean."""
    figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
    for place, (name, values) in enumerate(scores.items()):
        look = {"color": LOOKS[name]["color"]}
        axis.plot(values, np.full(len(values), place), "o", alpha=0.6, mew=0, **look)
        axis.vlines(values.mean(), place - 0.32, place + 0.32, lw=2.5, **look)
        mean = {"color": "0.2", "va": "center"}
        axis.text(values.max() + 0.6, place, f"{values.mean():.1f}", **mean)
    axis.axvline(best, color="0.6", lw=1, ls=":")
    bound = "best possible accuracy with depth"
    axis.text(best + 0.3, -0.75, bound, color=GREY, fontsize=10.5)
    axis.set(ylim=(len(scores.columns) - 0.4, -1.0), title=title)
    axis.set(xlabel="F1 on new scenes, %; a dot is one of ten seeds")
    axis.set(yticks=range(len(scores.columns)), yticklabels=scores.columns)
    axis.xaxis.set_major_locator(MultipleLocator(5))
    return figure
