"""Scenes of several objects: what the sensors see, and the masks that networks draw."""

from collections.abc import Mapping
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats
from torch import Tensor

from course import SMALL, draw
from discom.plots.look import class_colours, class_legend, show
from pictures import GREY

WAYS = {"alone": "#4d4d4d", "own teacher": "#0173b2", "teacher of both": "#029e73"}
WAYS |= {"our CroDiNo-KD": "#8c3fb0"}


def show_scenes(part: SimpleNamespace, rows: list[int], title: str):
    """Scenes in columns: colour, depth, and the class of every pixel."""
    names = ("colour", "depth", "mask")
    size = (1.6 * len(rows), 5.6)
    figure, axes = plt.subplots(3, len(rows), figsize=size, layout="constrained")
    figure.suptitle(title)
    for column, row in zip(axes.T, rows, strict=True):
        draw(column[0], part.images["rgb"][row])
        draw(column[1], part.images["depth"][row])
        show_mask(column[2], part.masks[row])
    for axis, name in zip(axes[:, 0], names, strict=True):
        axis.set_ylabel(name)
    class_legend(figure, np.arange(4), part.classes)
    return figure


def show_mask(axis, mask: Tensor) -> None:
    """A mask in the colours of its classes."""
    show(axis, class_colours(4)[mask].transpose(2, 0, 1))
    axis.spines[:].set_visible(False)


def show_answers(part: SimpleNamespace, rows: list[int], answers: Mapping, title: str):
    """A line for each scene: colour, what colour shows, the truth, and the masks of
    networks, name → [N, H, W]."""
    names = ["colour", "what it shows", "truth", *answers]
    size = (1.55 * len(names), 1.55 * len(rows) + 1)
    figure, axes = plt.subplots(
        len(rows), len(names), figsize=size, layout="constrained"
    )
    figure.suptitle(title)
    for line, row in zip(axes, rows, strict=True):
        draw(line[0], part.images["rgb"][row])
        masks = [part.shown[row], part.masks[row], *(a[row] for a in answers.values())]
        for axis, mask in zip(line[1:], masks, strict=True):
            show_mask(axis, mask)
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(name, **SMALL)
    class_legend(figure, np.arange(4), part.classes)
    return figure


def plot_gains(gains: Mapping[str, Mapping[str, pd.Series]], title: str):
    """Points above a network alone: panel → way → a number for each seed; a bar: mean
    and 95 % interval."""
    look = {"figsize": (9.2, 3.5), "sharey": True, "layout": "constrained"}
    figure, (axes,) = plt.subplots(1, len(gains), squeeze=False, **look)
    figure.suptitle(title)
    for axis, (heading, ways) in zip(axes, gains.items(), strict=True):
        for place, (way, points) in enumerate(ways.items()):
            look = {"color": WAYS[way]}
            spread = np.linspace(-0.12, 0.12, len(points))
            axis.scatter(place + spread, points, s=34, alpha=0.5, **look)
            low, high = stats.ttest_1samp(points, 0).confidence_interval()
            axis.vlines(place + 0.25, low, high, lw=3, **look)
            axis.scatter(place + 0.25, points.mean(), s=60, zorder=3, **look)
            text = f"{points.mean():+.1f}"
            axis.text(place + 0.32, points.mean(), text, va="center", fontweight="bold")
        axis.axhline(0, color=GREY, lw=1, ls=":")
        axis.set(xlim=(-0.4, len(ways) - 0.3), xticks=range(len(ways)))
        axis.set_xticklabels([way.replace(" ", "\n", 1) for way in ways])
        axis.set_title(heading, **SMALL)
    axes[0].set_ylabel("points of mIoU above alone")
    return figure
