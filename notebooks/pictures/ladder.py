"""A ladder of losses, what leaving one out changes, and what the released code asks."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course import SENSORS, SMALL
from pictures import GREY, apart

# rung → its colour; a loss has that of the rung on which it comes in
COLOURS = {"branch": "#4d4d4d", "+ aux": "#0173b2", "+ mod": "#8c3fb0"}
COLOURS |= {"+ adv": "#cc3311", "+ orth": "#de8f05"}


def plot_ladder(ends: Mapping, title: str):
    """Rung → {sensor: % right after the last epoch}."""
    figure, axis = plt.subplots(figsize=(9.2, 3.9), layout="constrained")
    table, places = pd.DataFrame(ends).T, np.arange(len(ends))
    for (sensor, line), style in zip(table.items(), ("-", "--"), strict=True):
        axis.plot(places, line, style, color="0.75", zorder=0)
        up = line.mean() >= table.to_numpy().mean()
        for place, (rung, end) in enumerate(line.items()):
            axis.plot(place, end, "o", ms=9, color=COLOURS[rung])
            text = {"ha": "center", "va": "center", "fontsize": 9.5}
            axis.text(place, end + (4.5 if up else -4.5), f"{end:.0f}", **text)
        name = {"color": GREY, "ha": "right", "va": "center"}
        axis.text(-0.2, line.iloc[0], SENSORS[sensor], **name)
    axis.set(xticks=places, xticklabels=table.index, xlim=(-0.9, len(ends) - 0.6))
    axis.set(ylabel="new images right, %", ylim=(0, 88), title=title)
    return figure


def plot_starts(histories: Mapping, starts: Mapping, guessing: float):
    """The class loss of each way epoch by epoch; way → epoch in which it has begun."""
    figure, axis = plt.subplots(figsize=(9.2, 4.2), layout="constrained")
    last = len(next(iter(histories.values())))
    names = {"+ orth": "all five", "+ adv": "without orth"}
    ends = pd.Series({way: own["cl"].iloc[-1] for way, own in histories.items()})
    ends = ends.sort_values()
    for way, height in zip(ends.index, apart(ends, 0.22), strict=True):
        style = "-" if way in COLOURS else "--"
        look = {"color": COLOURS.get(way, COLOURS["+ adv"]), "lw": 2.4}
        axis.plot(range(1, last + 1), histories[way]["cl"], style, **look)
        text = f"{names.get(way, way)}: epoch {starts[way]}"
        name = {"color": look["color"], "va": "center", "fontweight": "bold"}
        axis.text(last + 0.15, height, text, **name)
    for level, name in ((guessing, "guessing"), (0.9 * guessing, "has begun")):
        axis.axhline(level, color="0.6", lw=1, ls=":")
        small = {"color": GREY, "fontsize": 9, "ha": "right", "va": "bottom"}
        axis.text(last, level, name, **small)
    axis.set(
        xlabel="epoch", ylabel="class loss, both sensors", ylim=(1.4, guessing + 0.3)
    )
    axis.set(xlim=(0.8, 1.28 * last), xticks=range(1, last + 1))
    axis.set_title("orth and adv together delay the class most")
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
            axis.text(
                max(0, values.max()) + 1.2, place, f"{values.mean():+.1f}", **name
            )
        axis.set_title(heading, **SMALL)
        axis.set(
            xlabel="F1 points above or below all five (mean of both sensors)",
            xlim=(-33, 42),
        )
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
    axes[0].set(
        ylabel="gradient step on\nthe logit of colour",
        yticks=(-1, 0, 1),
        yticklabels=("less colour", 0, "more colour"),
    )
    axes[1].legend(frameon=False, loc="lower left")
    return figure
