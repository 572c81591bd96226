"""A watch's windows as curves, as points, and what models make of them."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course import GREY, SMALL

AXES = {
    "acc": ("#08306b", "#3b8bc2", "#9fc9e6"),
    "gyro": ("#7f2704", "#d9731a", "#fdbe85"),
}
UNITS = {"acc": ("accelerometer, g", 2), "gyro": ("gyroscope, rad/s", 6)}
TESTED = "#d55e00"


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


def show_levels(levels: pd.Series, tested: Mapping[str, np.ndarray], title: str):
    """A number of each window, by the recording in its index; a panel for each way to
    choose which windows are tested, [N]."""
    figure, axes = plt.subplots(
        len(tested),
        1,
        figsize=(9.2, 4.6),
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    figure.suptitle(title)
    places = pd.factorize(levels.index, sort=True)[0]
    places = places + np.linspace(-0.25, 0.25, 5)[np.arange(len(places)) % 5]
    for axis, (name, rows) in zip(axes, tested.items(), strict=True):
        axis.plot(places[~rows], levels[~rows], "o", ms=4, color="0.7", mew=0)
        look = {"mfc": "none", "mec": TESTED, "mew": 1.5, "ms": 6.5}
        axis.plot(places[rows], levels[rows], "o", **look)
        axis.set_title(name, **SMALL)
        axis.set(xticks=[], ylabel="mean of x, g")
        for place in np.arange(1.5, max(places) - 1, 2):
            axis.axvline(place, color="0.9", lw=1)
    small = {"color": GREY, "fontsize": 9.5}
    axis.set_xlabel("20 recordings: the two arms of ten persons, side by side", **small)
    labels = (("grey dot: training", "0.5", 0.86), ("orange ring: test", TESTED, 0.7))
    for label, colour, height in labels:
        axes[0].text(1.01, height, label, color=colour, transform=axes[0].transAxes)
    return figure


def plot_models(scores: pd.DataFrame, title: str):
    """% right, a line for each model (rows) over the ways to split (columns)."""
    figure, axis = plt.subplots(figsize=(9.2, 4.2), layout="constrained")
    places = np.arange(scores.shape[1])
    styles, height = {"linear": ":", "network": "--", "trees": "-."}, -np.inf
    for model, end in scores.iloc[:, -1].sort_values().items():
        look = {"color": "0.4" if model in styles else TESTED}
        look["ls"] = styles.get(model, "-")
        axis.plot(places, scores.loc[model], marker="o", lw=2.2, ms=5, **look)
        height = max(end, height + 2.1)
        name = {"color": look["color"], "va": "center", "fontweight": "bold"}
        axis.text(places[-1] + 0.06, height, f"{end:.0f} %  {model}", **name)
        start = scores.loc[model].iloc[0]
        axis.text(-0.06, start, f"{start:.0f} %", ha="right", va="center")
    axis.set_xticks(places, scores.columns)
    axis.set(
        xlim=(-0.3, places[-1] + 0.75), ylabel="test windows right, %", title=title
    )
    axis.set_ylim(top=100)
    return figure
