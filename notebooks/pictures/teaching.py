"""What a teacher says about a scene, and what its student makes of it."""

from collections.abc import Mapping
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats
from torch import Tensor

from course import SENSORS, SMALL, draw
from pictures.training import LOOKS

TEACHER, STUDENT = (LOOKS[name]["color"] for name in ("teacher", "student"))
PUPIL = LOOKS["beside the teacher"]["color"]
SHADES = ("#029e73", "#8fd3bd")  # of the teacher: the first scene, the second


def show_softness(soft: Mapping[str, Tensor], title: str):
    """The label metal, and probabilities [2 scenes, 3 materials] by temperature."""
    panels = {"the label": np.array([[1, 0, 0], [1, 0, 0]])}
    panels |= {name: p.numpy() for name, p in soft.items()}
    figure, axes = plt.subplots(
        1, len(panels), figsize=(9.2, 3.2), sharey=True, layout="constrained"
    )
    figure.suptitle(title)
    for axis, (name, p) in zip(axes, panels.items(), strict=True):
        for scene, (shade, heights) in enumerate(zip(SHADES, 100 * p, strict=True)):
            places = np.arange(3) + 0.4 * (scene - 0.5)
            look = {"color": shade, "label": ("first scene", "second scene")[scene]}
            bars = axis.bar(places, heights, 0.38, **look)
            axis.bar_label(bars, fmt="%.0f", fontsize=10, padding=1)
        axis.set_title(name, **SMALL)
        axis.set(xticks=range(3), xticklabels=["metal", "stone", "wood"], ylim=(0, 112))
    axes[0].set(ylabel="probability, %", yticks=range(0, 101, 25))
    axes[-1].legend(frameon=False)
    return figure


def plot_gains(gains: Mapping[str, pd.Series], title: str, *, over: str):
    """A row for each name: a dot for each seed, a bar for the 95 % interval of the
    mean, and both in numbers. Names that begin with "teacher" are green."""
    figure, axis = plt.subplots(
        figsize=(9.2, 1.0 + 0.52 * len(gains)), layout="constrained"
    )
    for place, (name, own) in enumerate(gains.items()):
        colour = TEACHER if name.startswith("teacher") else PUPIL
        height = np.full(len(own), place - 0.12)
        axis.scatter(own, height, s=26, alpha=0.5, color=colour)
        text = f"{own.mean():+.1f}"
        if len(own) > 1:
            low, high = stats.ttest_1samp(own, 0).confidence_interval()
            axis.hlines(place + 0.18, low, high, lw=3, color=colour)
            text += f" ± {(high - low) / 2:.1f}"
        axis.scatter(own.mean(), place + 0.18, s=55, color=colour, zorder=3)
        number = {"va": "center", "color": colour, "fontweight": "bold"}
        axis.annotate(text, (1.01, place), xycoords=("axes fraction", "data"), **number)
    axis.axvline(0, color=STUDENT, lw=1.5)
    axis.set(yticks=range(len(gains)), yticklabels=gains, title=title)
    axis.set(ylim=(len(gains) - 0.4, -0.6))
    axis.set_xlabel(f"points above {over}; a dot is a seed")
    return figure


def show_words(
    part: SimpleNamespace, scenes: Mapping, said: Mapping[str, Tensor], title: str
):
    """Scenes, name → row: both images, and the probabilities [N, classes] that each of
    the networks gives the classes of the true shape. Bold: the true class."""
    figure = plt.figure(figsize=(11, 3.8), layout="constrained")
    figure.suptitle(title)
    for column, (name, row) in zip(
        figure.subfigures(1, len(scenes)), scenes.items(), strict=True
    ):
        axes = column.subplot_mosaic(
            [["rgb", "words"], ["depth", "words"]], width_ratios=[1, 1.5]
        )
        for sensor, heading in SENSORS.items():
            draw(axes[sensor], part.images[sensor][row])
            axes[sensor].set_xlabel(heading, fontsize=10.5)
        words, true = axes["words"], part.classes[part.labels[row]]
        shape = true.split("/")[0]
        alike = [k for k, c in enumerate(part.classes) if c.startswith(f"{shape}/")]
        names = [*(part.classes[k].split("/")[1] for k in alike), "another\nshape"]
        places = np.arange(len(names))
        for k, (network, p) in enumerate(said.items()):
            look = {"color": LOOKS[network]["color"], "label": network}
            shares = p[row].cpu()[alike]
            bars = [*shares.tolist(), 1 - shares.sum().item()]
            words.barh(places + 0.4 * (k - 0.5), 100 * np.array(bars), 0.36, **look)
        words.set(xlim=(0, 100), yticks=places, xlabel="probability, %")
        words.set_title(f"{name}: {shape}", **SMALL)
        words.set_yticklabels(names)
        words.get_yticklabels()[alike.index(part.labels[row])].set_fontweight("bold")
        words.invert_yaxis()
    handles, names = words.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
    return figure
