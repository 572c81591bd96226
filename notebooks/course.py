"""The pictures of the notebooks. Nothing learns here."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from course_data import *  # noqa: F403 (notebooks call it here)
from course_data import SENSORS, kinds, of_each
from discom.plots import show
from pictures import GREY, apart

RIGHT = "#2ca02c"
# one meaning each, in every figure; what exercises add is green
COLOURS = defaultdict(lambda: RIGHT)
COLOURS |= dict.fromkeys(("alone", "before"), "#4d4d4d")
COLOURS |= {"strangers": "#b0b0b0", "pairs": "#0173b2", "pairs and labels": "#d55e00"}
CLOUDS = {"rgb": "#cc3377", "depth": "#117788"}
PARTS = ("inv", "inf", "irr")  # of an embedding, in this order
SMALL = {"fontsize": 10.5, "fontweight": "normal"}


def style() -> None:
    """The look of every figure."""
    plt.rcParams.update({"figure.dpi": 100, "savefig.dpi": 110, "font.size": 10.5})
    plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
    for kind in ("axes", "figure"):
        plt.rcParams.update({f"{kind}.titlesize": 12.5, f"{kind}.titleweight": "bold"})


def draw(axis, image: torch.Tensor) -> None:
    """An image [bands, 32, 32], depth in colours; its holes are white."""
    show(axis, image.cpu().numpy(), in_colours=len(image) == 1)
    axis.spines[:].set_visible(False)


def show_pairs(part: SimpleNamespace, title: str, blocks: Mapping | None = None):
    """Scenes, colour above depth. Blocks: heading → {row: name}; by default ordinary,
    dark and far scenes."""
    blocks = blocks or {kind: of_each(part, kind, 0, 4, 8, 2) for kind in kinds(part)}
    width = 0.92 * sum(map(len, blocks.values()))
    figure = plt.figure(figsize=(width, 2.6), layout="constrained")
    figure.get_layout_engine().set(rect=(0.02, 0, 0.98, 1))  # a margin for two names
    figure.suptitle(title)
    columns = figure.subfigures(1, len(blocks))
    for block, (heading, names) in zip(columns, blocks.items(), strict=True):
        axes = block.subplots(2, len(names))
        block.suptitle(heading, **SMALL)
        for k, (row, name) in enumerate(names.items()):
            for axis, sensor in zip(axes[:, k], SENSORS, strict=True):
                draw(axis, part.images[sensor][row])
            axes[1, k].set_xlabel(name, fontsize=10)
    for height, sensor in zip((0.62, 0.25), SENSORS.values(), strict=True):
        figure.text(0.008, height, sensor, rotation=90, va="center")
    return figure


def plot_ways(curves: Mapping, stored: pd.DataFrame, title: str, best: float):
    """Left: depth's accuracy while training, way → {step: {sensor: %}}. Right: scores
    of stored seeds, a column for each way, and their means."""
    figure, (left, right) = plt.subplots(
        1,
        2,
        figsize=(10, 4.4),
        width_ratios=[1.5, 1],
        sharey=True,
        layout="constrained",
    )
    last = max(curves["alone"])
    for way, curve in curves.items():
        depth = [scores["depth"] for scores in curve.values()]
        left.plot(list(curve), depth, color=COLOURS[way], lw=2.8)
    ends = pd.Series({way: curve[last]["depth"] for way, curve in curves.items()})
    ends = ends.sort_values()
    for (way, end), height in zip(ends.items(), apart(ends, 4.5), strict=True):
        name = {"color": COLOURS[way], "va": "center", "fontweight": "bold"}
        left.text(1.02 * last, height, f"{end:.0f}", **name)
    for place, (way, scores) in enumerate(stored.items()):
        shift = np.linspace(-0.16, 0.16, len(scores))
        look = {"color": COLOURS[way], "clip_on": False}
        right.scatter(place + shift, scores, s=18, alpha=0.6, **look)
        right.hlines(scores.mean(), place - 0.3, place + 0.3, lw=2.8, **look)
        name = f"{scores.mean():.0f}"
        right.text(place + 0.36, scores.mean(), name, va="center", **look)
    for axis in (left, right):
        axis.axhline(best, color="0.6", lw=1, ls=":")
    left.text(0, best + 1, f"best possible: {best:.0f} %", color=GREY, fontsize=9)
    left.set(xlim=(0, 1.1 * last), ylim=(0, 86), xlabel="training step")
    left.set_ylabel("new depth images right, %")
    left.set_title("this run", **SMALL)
    names = [way.replace(" and ", "\nand ") for way in stored]
    right.set_xticks(range(len(names)), names)
    right.set_title("ten stored runs (F1), and their means", **SMALL)
    figure.suptitle(title)
    return figure


def show_neighbours(part, asked: Mapping, found: Mapping, title: str):
    """For each query, scene → name, its depth image and the colour images found,
    heading → [scenes, 5]. A green frame: the class of the query."""
    figure = plt.figure(figsize=(11, 1.02 * len(asked) + 0.9), layout="constrained")
    figure.suptitle(title)
    own, *blocks = figure.subfigures(1, 3, width_ratios=[1.6, 5, 5])
    own.suptitle("depth", **SMALL)
    for axis, row in zip(own.subplots(len(asked), 1), asked, strict=True):
        draw(axis, part.images["depth"][row])
        axis.set_ylabel(asked[row], fontsize=8, rotation=0, ha="right", va="center")
    for block, (heading, nearest) in zip(blocks, found.items(), strict=True):
        block.suptitle(heading, **SMALL)
        axes = block.subplots(len(asked), 5)
        for line, row in zip(axes, asked, strict=True):
            for axis, index in zip(line, nearest[row], strict=True):
                draw(axis, part.images["rgb"][index])
                same = part.labels[index] == part.labels[row]
                axis.spines[:].set(visible=True, color=RIGHT if same else "0.8", lw=3)
    return figure


def plot_bars(rows: Mapping, names: Sequence[str], title: str):
    """Way → R² of each of the `factors`, under a heading that says who sees them."""
    figure, axis = plt.subplots(figsize=(9.2, 3.7), layout="constrained")
    width, places = 0.8 / len(rows), np.arange(len(names))
    for k, (way, values) in enumerate(rows.items()):
        shift = (k - (len(rows) - 1) / 2) * width
        look = {"edgecolor": COLOURS[way], "label": way}
        look["facecolor"] = "white" if way == "before" else COLOURS[way]
        bars = axis.bar(places + shift, values, 0.92 * width, **look)
        axis.bar_label(bars, fmt="%.0f", fontsize=9, padding=2)
    for heading, first, last in (("both sensors see", 0, 2), ("only depth sees", 3, 4)):
        axis.text((first + last) / 2, 102, heading, ha="center", color=GREY)
        axis.plot([first - 0.42, last + 0.42], [99, 99], color="0.6", lw=1)
    axis.set(xticks=places, xticklabels=names, ylim=(0, 110), yticks=range(0, 101, 25))
    axis.set(title=title, ylabel="R² of a linear fit, %")
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 0.95))
    return figure
