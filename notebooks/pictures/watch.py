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
UNITS = {"acc": ("accelerometer, g", 2), "gyro": ("gyroscope, rad/s", 2.6)}
WRONG = "#d55e00"


def show_windows(
    signals: Mapping, rows: Mapping[str, int], title: str, colours: Mapping = AXES
):
    """Windows of both sensors, name → row, the x, y and z axis from dark to light."""
    figure, axes = plt.subplots(
        2, len(rows), figsize=(11, 3.6), sharex=True, layout="constrained"
    )
    figure.suptitle(title)
    seconds = np.arange(100) / 25
    for line, (sensor, (unit, most)) in zip(axes, UNITS.items(), strict=True):
        for axis, (name, row) in zip(line, rows.items(), strict=True):
            for curve, colour, letter in zip(
                signals[sensor][row], colours[sensor], "xyz", strict=True
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


def show_finds(found: Mapping, labels, recording, person, title: str):
    """Of all test windows: whose window each found in training, way to split → [N], and
    how many of these answers are right."""
    figure, axis = plt.subplots(figsize=(9.2, 3.1), layout="constrained")
    for place, nearest in enumerate(found.values()):
        own = recording[nearest] == recording
        same, left = person[nearest] == person, 0.0
        kinds = {"own recording": own, "own person": same & ~own}
        kinds["another person"] = ~same
        for name, rows in kinds.items():
            width = 100 * rows.mean()
            right = (labels[nearest] == labels)[rows].mean() if width else 0
            for start, share, colour in ((0, right, RIGHT), (right, 1 - right, WRONG)):
                axis.barh(place, share * width, left=left + start * width, color=colour)
            text = f"{name}\n{100 * right:.0f} % right" if width > 12 else ""
            middle = {"ha": "center", "va": "center", "fontsize": 8.5, "color": "white"}
            axis.text(left + width / 2, place, text, fontweight="bold", **middle)
            axis.vlines(left, place - 0.45, place + 0.45, color="white", lw=4)
            left += width
    axis.set(yticks=range(len(found)), yticklabels=found, xlim=(0, 100), title=title)
    axis.set(xlabel="test windows by whose training window they found, %")
    axis.tick_params(axis="y", length=0)
    axis.invert_yaxis()
    for colour, label in ((RIGHT, "right"), (WRONG, "wrong")):
        axis.bar(0, 0, color=colour, label=label)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
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
