"""A person's own pairs, some of each group, and differences between two answers by
group."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import stats

from course import SMALL, draw


def show_groups(images: Mapping, groups: np.ndarray, title: str):
    """Three pairs of each of the first four groups, the first sensor above the second;
    of one scale in all groups, depth white where nothing was measured."""
    names = np.unique(groups)[:4]
    rows = {}
    for name in names:
        own = np.flatnonzero(groups == name)
        rows[name] = own[np.unique(np.linspace(0, len(own) - 1, 3).astype(int))]
    figure = plt.figure(figsize=(11, 2.7), layout="constrained")
    figure.get_layout_engine().set(rect=(0.02, 0, 0.98, 1))  # a margin for two names
    figure.suptitle(title)
    columns = figure.subfigures(1, len(rows))
    for block, (name, own) in zip(columns, rows.items(), strict=True):
        block.suptitle(name, **SMALL)
        axes = block.subplots(len(images), len(own), squeeze=False)
        for line, x in zip(axes, images.values(), strict=True):
            low, high = _bounds(x)
            for axis, row in zip(line, own, strict=True):
                draw(axis, ((x[row] - low) / (high - low)).clamp(0, 1))
    heights = np.linspace(0.62, 0.25, len(images))
    for height, sensor in zip(heights, images, strict=True):
        figure.text(0.008, height, sensor, rotation=90, va="center")
    return figure


def _bounds(x: torch.Tensor) -> tuple[float, float]:
    """Nearly the smallest and the largest value of what is not 0."""
    low, high = np.quantile(x[x != 0].numpy(), (0.001, 0.999))
    return float(low), float(high)


def plot_differences(points: Mapping[str, Sequence[float]], title: str):
    """Question → a difference for each group; a bar: mean and 95 % interval."""
    size = (9.2, 0.62 * len(points) + 1.1)
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    for place, own in enumerate(map(np.asarray, points.values())):
        low, high = stats.ttest_1samp(own, 0).confidence_interval()
        clear = low > 0 or high < 0
        colour = "#0173b2" if clear else "#4d4d4d"
        spread = np.linspace(-0.08, 0.08, len(own))
        axis.scatter(own, place + 0.16 + spread, s=26, color=colour, alpha=0.4)
        axis.hlines(place - 0.16, low, high, color=colour, lw=3)
        axis.scatter(own.mean(), place - 0.16, s=60, color=colour, zorder=3)
        mean, least, most = (f"{value:+.1f}" for value in (own.mean(), low, high))
        text = f"{mean} [{least}, {most}]"
        look = {"va": "center", "color": colour, "fontweight": "bold"}
        axis.text(1.02, place, text, transform=axis.get_yaxis_transform(), **look)
    axis.axvline(0, color="0.6", lw=1, ls=":")
    axis.set(yticks=range(len(points)), yticklabels=points, ylim=(-0.5, None))
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0)
    axis.set(xlabel="points; dots: groups, bar: mean and 95 % interval", title=title)
    return figure
