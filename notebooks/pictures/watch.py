"""A watch's windows as curves, as points, and what models make of them."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course import RIGHT, SMALL
from pictures import GREY, apart

AXES = {
    "acc": ("#08306b", "#3b8bc2", "#9fc9e6"),
    "gyro": ("#7f2704", "#d9731a", "#fdbe85"),
}
UNITS = {"acc": ("accelerometer, g", 2), "gyro": ("gyroscope, rad/s", 6)}
WRONG = "#d55e00"


def show_windows(signals: Mapping, rows: Mapping[str, int], title: str):
    """Windows of both sensors, name → row, the x, y and z axis from dark to light."""
    figure, axes = plt.subplots(
        2, len(rows), figsize=(11, 3.6), sharex=True, layout="constrained"
    )
    figure.suptitle(title)
    seconds = np.arange(100) / 25
    for line, (sensor, (unit, most)) in zip(axes, UNITS.items(), strict=True):
        for axis, (name, row) in zip(line, rows.items(), strict=True):
            for curve, colour, letter in zip(
                signals[sensor][row], AXES[sensor], "xyz", strict=True
            ):
                axis.plot(seconds, curve, color=colour, lw=1.4, label=letter)
            axis.set(ylim=(-most, most), xticks=range(5))
            axis.tick_params(labelleft=axis is line[0])
            if sensor == "acc":
                axis.set_title(name, **SMALL)
        line[0].set_ylabel(unit, fontsize=9.5)
        line[-1].legend(
            frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5)
        )
    figure.supxlabel("seconds", fontsize=9.5)
    return figure


def show_finds(places, found: Mapping, exercises, rows, title: str):
    """Tested windows (rows) as dots at their places [N, 2], and a line from each to
    what it found: way to split → [N]."""
    figure, axes = plt.subplots(
        1, len(found), figsize=(11, 3.9), sharex=True, sharey=True, layout="constrained"
    )
    figure.suptitle(title)
    for axis, (split, nearest) in zip(axes, found.items(), strict=True):
        axis.plot(*places.T, "o", ms=4, color="0.85", mew=0, label="all other windows")
        right = exercises[nearest[rows]] == exercises[rows]
        for row, good in zip(rows, right, strict=True):
            line = places[[row, nearest[row]]].T
            axis.plot(*line, color=RIGHT if good else WRONG, lw=1.6)
        for marker, name in zip("os", np.unique(exercises[rows]), strict=True):
            dots = places[rows[exercises[rows] == name]]
            axis.plot(*dots.T, marker, ms=6, color="0.2", mew=0, label=name)
        axis.set_title(f"{split}: {right.sum()} of {len(right)} right", **SMALL)
        axis.set_xlabel("mean of x, g")
    (x, low), (_, high) = places[rows].min(0), places[rows].max(0)
    axis.set(xlim=(x - 0.15, x + 1.4), ylim=(low - 0.1, high + 0.1))
    axes[0].set_ylabel("mean of y, g")
    for colour, label in ((RIGHT, "finds the right exercise"), (WRONG, "a wrong one")):
        axes[0].plot([], [], color=colour, lw=1.6, label=label)
    handles = axes[0].get_legend_handles_labels()[0]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    return figure


def plot_models(scores: pd.DataFrame, title: str):
    """% right, a line for each model (rows) over the ways to split (columns)."""
    figure, axis = plt.subplots(figsize=(9.2, 4.2), layout="constrained")
    places = np.arange(scores.shape[1])
    styles = {"linear": ":", "network": "--", "trees": "-."}
    for model, row in scores.iterrows():
        look = {"color": GREY if model in styles else "black"}
        look |= {"ls": styles.get(model, "-"), "marker": "o", "lw": 2.2, "ms": 5}
        axis.plot(places, row, **look)
        name = f"{model}  {row.iloc[0]:.0f} %"
        look = {"color": look["color"], "va": "center", "fontweight": "bold"}
        axis.text(-0.06, row.iloc[0], name, ha="right", **look)
    ends = scores.iloc[:, -1]
    groups = ends.groupby(ends.round())
    for (end, models), height in zip(groups, apart([*groups.groups], 2), strict=True):
        name = f"{end:.0f} %  {', '.join(models.index)}"
        axis.text(places[-1] + 0.06, height, name, va="center")
    axis.set_xticks(places, scores.columns)
    axis.set(xlim=(-1, places[-1] + 1), ylim=(60, 100))
    axis.set(ylabel="test windows right, %", title=title)
    return figure
