"""A person's own pairs, some of each group, and differences between two answers by
group."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import stats

from course import SMALL, draw


def show_groups(images: Mapping, groups: np.ndarray, title: str, names: Sequence = ()):
    """Three pairs of each of the first four groups, the first sensor above the second;
    of one scale in all groups, depth white where nothing was measured. With `names`
    those of these groups, each on a scale of its own."""
    rows = {}
    for name in names or np.unique(groups)[:4]:
        own = np.flatnonzero(groups == name)
        rows[name] = own[np.unique(np.linspace(0, len(own) - 1, 3).astype(int))]
    width = 11 if not names else 2.75 * max(2, len(rows))
    figure = plt.figure(figsize=(width, 2.7), layout="constrained")
    margin = 0.22 / width  # for the sensors' names
    figure.get_layout_engine().set(rect=(margin, 0, 1 - margin, 1))
    figure.suptitle(title)
    columns = figure.subfigures(1, len(rows), squeeze=False)[0]
    for block, (name, own) in zip(columns, rows.items(), strict=True):
        block.suptitle(name, **SMALL)
        axes = block.subplots(len(images), len(own), squeeze=False)
        for line, x in zip(axes, images.values(), strict=True):
            low, high = _bounds(x[groups == name] if names else x)
            for axis, row in zip(line, own, strict=True):
                draw(axis, ((x[row] - low) / (high - low)).clamp(0, 1))
    heights = np.linspace(0.62, 0.25, len(images))
    for height, sensor in zip(heights, images, strict=True):
        figure.text(0.09 / width, height, sensor, rotation=90, va="center")
    return figure


def _bounds(x: torch.Tensor) -> tuple[float, float]:
    """Nearly the smallest and the largest value of what is not 0."""
    low, high = np.quantile(x[x != 0].numpy(), (0.001, 0.999))
    return float(low), float(high)


def plot_differences(
    points: Mapping[str, Sequence[float]], title: str, stored: Mapping | None = None
):
    """Question → a difference for each group; a bar: mean and 95 % interval. Stored:
    question → {seed: mean}, a digit each. A gain in all runs is blue, a loss orange."""
    size = (9.2, 0.7 * len(points) + 1.1)
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    for place, (question, values) in enumerate(points.items()):
        own, others = np.asarray(values), (stored or {}).get(question, {})
        low, high = stats.ttest_1samp(own, 0).confidence_interval()
        colour = _verdict(low, high, [*others.values()])
        line = place - 0.26 if others else place
        spread = np.linspace(-0.08, 0.08, len(own))
        axis.scatter(own, line + spread, s=20, color=colour, alpha=0.3, lw=0)
        axis.hlines(line, low, high, color=colour, lw=3)
        axis.scatter(own.mean(), line, s=60, color=colour, zorder=3)
        heights = place + np.linspace(-0.03, 0.33, len(others))  # a line for each seed
        for height, (seed, mean) in zip(heights, others.items(), strict=True):
            look = {"ha": "center", "va": "center", "color": colour, "fontsize": 10}
            axis.text(mean, height, str(seed), fontweight="bold", **look)
        mean, least, most = (f"{value:+.1f}" for value in (own.mean(), low, high))
        text = f"{mean} [{least}, {most}]"
        look = {"va": "center", "color": colour, "fontweight": "bold"}
        axis.text(1.02, place, text, transform=axis.get_yaxis_transform(), **look)
    axis.axvline(0, color="0.6", lw=1, ls=":")
    axis.set(yticks=range(len(points)), yticklabels=points)
    axis.set_ylim(-0.5, len(points) - 0.5)
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0)
    label = "points; bar: mean and 95 % interval of this run, dots: its groups"
    if any((stored or {}).values()):
        label += ", digits: stored runs, by seed"
    axis.set(xlabel=label)
    figure.suptitle(title)
    return figure


def _verdict(low: float, high: float, others: Sequence[float]) -> str:
    """Blue for a gain, orange for a loss, if interval and all other runs agree."""
    if low > 0 and all(mean > 0 for mean in others):
        return "#0173b2"
    if high < 0 and all(mean < 0 for mean in others):
        return "#d55e00"
    return "#4d4d4d"
