"""A watch's windows as curves, and what models make of them."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course import COLOURS, SMALL
from pictures import GREY, apart

AXES = {
    "acc": ("#08306b", "#3b8bc2", "#9fc9e6"),
    "gyro": ("#7f2704", "#d9731a", "#fdbe85"),
}
UNITS = {"acc": ("accelerometer, g", 2), "gyro": ("gyroscope, rad/s", 2.6)}
TESTED, BOTH = "#d55e00", "#029e73"  # persons who are tested; a model of both sensors


def show_windows(
    signals: Mapping, rows: Mapping[str, int], title: str, colours: Mapping = AXES
):
    """Windows of both sensors, name → row, the x, y and z axis from dark to light."""
    figure, axes = plt.subplots(
        2, len(rows), figsize=(9.6, 3.8), sharex=True, layout="constrained"
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
        line[0].set_ylabel(unit, fontsize=11)
        line[-1].legend(
            frameon=False, fontsize=11, loc="center left", bbox_to_anchor=(1, 0.5)
        )
    figure.supxlabel("seconds", fontsize=11)
    return figure


def show_nearest(signal: np.ndarray, pairs: Mapping[str, tuple[int, int]], title: str):
    """Tested windows of an accelerometer [N, 3, 100] above the training windows that
    they found: heading → the rows of both."""
    figure, axes = plt.subplots(
        2,
        len(pairs),
        figsize=(9.6, 4.2),
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    figure.suptitle(title)
    seconds = np.arange(signal.shape[2]) / 25
    for column, (heading, rows) in zip(axes.T, pairs.items(), strict=True):
        column[0].set_title(heading, **SMALL | {"fontsize": 11})
        for axis, row in zip(column, rows, strict=True):
            for curve, colour, letter in zip(
                signal[row], AXES["acc"], "xyz", strict=True
            ):
                axis.plot(seconds, curve, color=colour, lw=1.6, label=letter)
            axis.set(ylim=(-2, 2), xticks=range(5), yticks=(-1, 0, 1))
    for axis, name in zip(axes[:, 0], ("tested", "nearest in training"), strict=True):
        axis.set_ylabel(f"{name}, g", fontsize=11)
    axes[0, -1].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.supxlabel("seconds", fontsize=11)
    return figure


def plot_models(scores: pd.DataFrame, title: str):
    """% right, a line for each model (rows) from the first to the last way to split
    (columns), that of the linear model in black."""
    figure, axis = plt.subplots(figsize=(9.2, 4.2), layout="constrained")
    sides = {0: scores.iloc[:, 0], 1: scores.iloc[:, -1]}
    for model, row in scores.iterrows():
        colour = "black" if model == "linear" else "0.6"
        look = {"color": colour, "lw": 2.8, "marker": "o"}
        axis.plot([*sides], [row.iloc[0], row.iloc[-1]], **look)
    for place, ends in sides.items():
        ends = ends.sort_values()
        heights = apart(ends, 1.9)
        for (model, end), height in zip(ends.items(), heights, strict=True):
            name = f"{end:.0f} %  {model}" if place else f"{model}  {end:.0f} %"
            look = {"va": "center", "ha": "left" if place else "right"}
            look["fontweight"] = "bold" if model == "linear" else "normal"
            axis.text(1.03 if place else -0.03, height, name, fontsize=11.5, **look)
    axis.set_xticks([*sides], [scores.columns[0], scores.columns[-1]], fontsize=11.5)
    axis.set(xlim=(-0.6, 1.6), ylim=(68, 97), title=title)
    axis.set_ylabel("test windows right, %", fontsize=11.5)
    return figure


def plot_worth(scores: pd.DataFrame, title: str):
    """% right of one sensor and of both (rows), bars for each way to split (columns),
    and what the second sensor adds."""
    figure, axis = plt.subplots(figsize=(8.2, 4.2), layout="constrained")
    looks = {"accelerometer": COLOURS["alone"], "accelerometer and gyroscope": BOTH}
    places = np.arange(scores.shape[1])
    for k, ((_, row), (name, colour)) in enumerate(
        zip(scores.iterrows(), looks.items(), strict=True)
    ):
        shift = 0.36 * k - 0.18
        bars = axis.bar(places + shift, row, 0.34, color=colour, label=name)
        axis.bar_label(bars, fmt="%.1f %%", fontsize=11.5, padding=2)
    gains = scores.iloc[1] - scores.iloc[0]
    for place, gain in zip(places, gains, strict=True):
        look = {"ha": "center", "fontsize": 12.5, "fontweight": "bold", "color": BOTH}
        axis.text(place, 104, f"{gain:+.1f} points", **look)
    axis.set_xticks(places, scores.columns, fontsize=11.5)
    axis.set(ylim=(0, 112), yticks=range(0, 101, 25), title=title)
    axis.set_ylabel("test windows right, %", fontsize=11.5)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=11.5)
    return figure


def show_deals(deals: Mapping[str, Sequence[int]], tested: int, title: str):
    """Two deals of persons, sensor → the part of each person, as a row of boxes each.
    Persons of part number `tested` of the first deal are in colour in both; the second
    sensor trains on all parts but its own of that number."""
    first = np.asarray(next(iter(deals.values())))
    figure, axis = plt.subplots(figsize=(9.2, 2.7), layout="constrained")
    for line, (sensor, parts) in enumerate(deals.items()):
        height = -1.1 * line
        axis.text(-0.15, height, sensor, ha="right", va="center", fontsize=11.5)
        for part in range(max(first) + 1):
            trains = part != tested
            look = {"facecolor": "0.92" if trains else "white", "edgecolor": "0.4"}
            look["linestyle"] = "-" if trains else "--"
            box = plt.Rectangle((part + 0.04, height - 0.42), 0.92, 0.84, **look)
            axis.add_patch(box)
            kind = {"ha": "center", "fontsize": 11, "color": GREY}
            axis.text(part + 0.5, height + 0.2, "train" if trains else "test", **kind)
            persons = np.flatnonzero(np.asarray(parts) == part)
            for k, person in enumerate(persons):
                place = part + (k + 1) / (len(persons) + 1)
                again = first[person] == tested
                look = {"color": TESTED if again else "0.2", "ha": "center"}
                look["fontweight"] = "bold" if again else "normal"
                name = "ABCDEFGHIJ"[person]
                axis.text(place, height - 0.28, name, fontsize=15, **look)
    axis.set(xlim=(-1.5, max(first) + 1.05), ylim=(-1.6, 0.5), title=title)
    axis.set_axis_off()
    return figure
