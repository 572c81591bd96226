"""A ladder of losses, what leaving one out changes, and what the released code asks."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import MultipleLocator

from course import SENSORS, SMALL
from pictures import GREY, plot_bounds

# rung → its colour; a loss has that of the rung on which it comes in
COLOURS = {"student": "#4d4d4d", "branch": "#a6a6a6", "+ aux": "#0173b2"}
COLOURS |= {"+ orth": "#de8f05", "+ adv": "#cc3311", "+ mod": "#8c3fb0"}
LOSSES = {
    "cl": "inv and inf name the class",
    "aux": "each alone names the class",
    "orth": "neighbouring parts at right angles",
    "adv": "inv hides the sensor",
    "mod": "inf and irr name the sensor",
}


def show_rungs():
    """Which losses train on each rung; what comes in is in colour."""
    figure, axis = plt.subplots(figsize=(9.2, 2.6), layout="constrained")
    for place, (rung, colour) in enumerate(COLOURS.items()):
        for row, loss in enumerate(LOSSES):
            new = rung == f"+ {loss}" or (row == 0 and place < 2)
            look = {"ms": 16, "mec": "0.8", "mfc": "white"}
            if row < max(1, place):
                look |= {"mec": "none", "mfc": colour if new else "0.8"}
            axis.plot(place, row, "o", **look)
    names = [f"{loss}: {asked}" for loss, asked in LOSSES.items()]
    axis.set(yticks=range(len(LOSSES)), yticklabels=names, ylim=(4.6, -0.6))
    axis.set(xticks=range(len(COLOURS)), xticklabels=[*COLOURS], xlim=(-0.6, 5.6))
    axis.set_title("Six rungs; each adds one thing")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    return figure


def plot_ladder(curves: Mapping, ends: Mapping, title: str, best: float):
    """Left: rung → depth's accuracy after each epoch, %. Right: rung → {sensor: % after
    the last}."""
    size = {"figsize": (11, 4.3), "layout": "constrained"}
    figure, (left, right) = plt.subplots(1, 2, sharey=True, **size)
    figure.suptitle(title)
    last = max(map(len, curves.values()))
    for rung, curve in curves.items():
        left.plot(range(1, last + 1), curve, color=COLOURS[rung], lw=2.4, label=rung)
    plot_bounds(left, last, best)
    left.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 0.9))
    left.set(xlabel="epoch", ylabel="new images right, %", ylim=(0, 88))
    left.xaxis.set_major_locator(MultipleLocator(5 if last > 10 else 2))
    left.set_title("depth, while training", **SMALL)
    table, places = pd.DataFrame(ends).T, np.arange(len(ends))
    for (sensor, line), style in zip(table.items(), ("-", "--"), strict=True):
        right.plot(places, line, style, color="0.75", zorder=0)
        shift = 3.4 if line.iloc[0] >= table.iloc[0].max() else -3.4
        for place, (rung, end) in enumerate(line.items()):
            right.plot(place, end, "o", ms=9, color=COLOURS[rung])
            text = {"ha": "center", "va": "center", "fontsize": 9.5}
            right.text(place, end + shift, f"{end:.0f}", **text)
        name = {"color": GREY, "ha": "right", "va": "center"}
        right.text(-0.25, line.iloc[0], SENSORS[sensor], **name)
    right.set(xticks=places, xticklabels=table.index, xlim=(-1.3, len(ends) - 0.6))
    right.set_title("both, after the last epoch", **SMALL)
    return figure


def plot_without(changes: Mapping[str, pd.DataFrame], title: str):
    """A panel for each training; a row for each loss (columns) that is left out, a dot
    for what that changes with one seed, a line for the mean."""
    figure, axes = plt.subplots(
        1, len(changes), figsize=(11, 3), sharey=True, sharex=True, layout="constrained"
    )
    figure.suptitle(title)
    for axis, (heading, table) in zip(axes, changes.items(), strict=True):
        axis.axvline(0, color="0.6", lw=1)
        for place, (loss, values) in enumerate(table.items()):
            colour = COLOURS[f"+ {loss}"]
            heights = np.full(len(values), place)
            axis.plot(values, heights, "o", color=colour, alpha=0.6, mew=0)
            axis.vlines(values.mean(), place - 0.35, place + 0.35, lw=2.5, color=colour)
            name = {"color": colour, "va": "center", "fontsize": 9.5}
            axis.text(values.max() + 1.2, place, f"{values.mean():+.1f}", **name)
        axis.set_title(heading, **SMALL)
        axis.set(xlabel="F1 points above or below the full method", xlim=(-33, 42))
    names = [f"without {loss}" for loss in table]
    axes[0].set(
        yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.4, -0.6)
    )
    return figure


def plot_pushes(said, pushes: Mapping):
    """How hard the logit of colour is pushed where the head says that probability of
    colour; (version, sensor) → pushes."""
    size = {"figsize": (9.2, 3.1), "layout": "constrained"}
    figure, axes = plt.subplots(1, 2, sharey=True, **size)
    figure.suptitle("Ones push towards one half, zeros nowhere")
    looks = {"paper": ("0.6", "--"), "released": ("black", "-")}
    for axis, (sensor, name) in zip(axes, SENSORS.items(), strict=True):
        for version, (colour, style) in looks.items():
            line = pushes[version, sensor]
            axis.plot(said, line, style, color=colour, lw=2.4, label=version)
        axis.axhline(0, color="0.6", lw=1, ls=":")
        axis.set_title(f"an image of {name}", **SMALL)
        axis.set_xlabel("probability of colour that the head says")
    axes[0].set(ylabel="push on that", yticks=(-1, 0, 1), yticklabels=("down", 0, "up"))
    axes[1].legend(frameon=False, loc="lower left")
    return figure
