"""The papers' margins beside ours, a cell built again, what a choice promises."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course import CLOUDS, SENSORS, SMALL
from pictures import GREY

LOWEST = -8  # what lies below is drawn here, with its number


def written(method: str) -> str:
    """The name of a method as papers print it."""
    base, _, plugin = method.partition("+")
    name = {"discom": "DisCoM-KD"}.get(base, base.upper().replace("V", "v"))
    return f"{name} + LSKD" if plugin else name


def in_order(points: pd.DataFrame) -> pd.DataFrame:
    """DisCoM-KD's row, then its competitors', each before its LSKD variant."""
    bases = ("kdv1", "kdv2", "dkd", "ctkd", "mlkd")
    return points.loc[["discom", *(m + end for m in bases for end in ("", "+lskd"))]]


def plot_margins(theirs: pd.DataFrame, ours: Mapping, title: str):
    """Points above a student: the paper's, a row for each method and a dot for each
    column; ours, (method, sensor) → mean and half of its interval."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 0.33 * len(theirs) + 1.4), sharey=True, layout="constrained"
    )
    figure.suptitle(title)
    for place, (_, points) in enumerate(theirs.iterrows()):
        inside = points[points >= LOWEST]
        axes[0].plot(inside, np.full(len(inside), place), "o", color="0.2", alpha=0.6)
        below = ", ".join(f"{p:.0f}" for p in points[points < LOWEST].sort_values())
        axes[0].text(LOWEST, place, below and f"◂ {below}", va="center", fontsize=8)
    for place, method in enumerate(theirs.index):
        for shift, sensor in zip((-0.15, 0.15), SENSORS, strict=True):
            if (method, sensor) in ours:
                mean, half = ours[method, sensor]
                look = {"fmt": "o", "color": CLOUDS[sensor], "lw": 2}
                axes[1].errorbar(mean, place + shift, xerr=half, **look)
    for sensor, name in SENSORS.items():
        axes[1].plot([], [], "o", color=CLOUDS[sensor], label=name)
    axes[1].legend(frameon=False, loc="upper right", fontsize=9)
    axes[0].set_title("the paper: three pairs of real sensors", **SMALL)
    axes[1].set_title("ours: synthetic scenes, 95 % intervals", **SMALL)
    for axis in axes:
        axis.axvline(0, color="0.6", lw=1, ls=":")
        axis.set(xlim=(LOWEST - 0.5, 10), xlabel="points of F1 above a student")
    axes[0].set(yticks=range(len(theirs)), yticklabels=map(written, theirs.index))
    for label in axes[0].get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == "DisCoM-KD" else "normal")
    axes[0].invert_yaxis()
    return figure


def plot_cell(scores: pd.DataFrame, live: Mapping, margin: float, title: str):
    """Networks of one sensor, name → % right: a dot for each stored seed, a large one
    for this run. The bar: as wide as the paper's largest margin."""
    figure, axis = plt.subplots(figsize=(9.2, 2.9), layout="constrained")
    for place, (name, right) in enumerate(live.items()):
        values = scores[name].dropna()
        axis.plot(values, np.full(len(values), place), "o", color=GREY, alpha=0.6)
        axis.plot(right, place, "o", ms=11, color=CLOUDS["rgb"])
        axis.text(right, place - 0.24, f"{right:.0f} %", ha="center", fontweight="bold")
    start, last = next(iter(live.values())), len(live)
    axis.plot([start, start + margin], [last, last], color="#d55e00", lw=5)
    look = {"color": "#d55e00", "ha": "center", "fontweight": "bold"}
    axis.text(start + margin / 2, last - 0.24, f"{margin:.1f} points", **look)
    axis.set(yticks=range(last + 1), yticklabels=[*live, "the paper's largest margin"])
    axis.set(xlabel="new colour images right, %; grey: other seeds", title=title)
    axis.set(ylim=(last + 0.4, -0.7))
    return figure


def plot_choice(curves: Sequence, excess: Mapping, title: str):
    """Left, % right after each epoch on the test, the validation and all other scenes,
    in one draw; right, rule → points promised too many, on average of many draws."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 3.3), width_ratios=(2, 1), layout="constrained"
    )
    figure.suptitle(title)
    looks = {"test part": "#d55e00", "validation part": "#0173b2", "all others": "0.2"}
    for (name, colour), curve in zip(looks.items(), curves, strict=True):
        axes[0].plot(range(1, len(curve) + 1), curve, color=colour, lw=2, label=name)
        if name != "all others":
            best = int(np.argmax(curve))
            axes[0].plot(best + 1, curve[best], "*", ms=15, color=colour)
    axes[0].set(xlabel="epoch at a constant rate; a star: the best", ylabel="right, %")
    axes[0].set_title("one draw of the scenes", **SMALL)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    bars = axes[1].barh(list(excess), list(excess.values()), color="0.4")
    axes[1].bar_label(bars, fmt="%+.1f", padding=3)
    axes[1].axvline(0, color="0.6", lw=1)
    most = max(1, *excess.values())
    axes[1].set(xlabel="points promised too many", xlim=(-0.6, 1.4 * most))
    axes[1].set_title("mean of 1 000 draws", **SMALL)
    axes[1].invert_yaxis()
    return figure
