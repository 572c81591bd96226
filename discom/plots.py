"""Figures: scenes side by side, and paired differences of runs; and what figures share. Each
function draws one and returns it; the caller saves it.

Masks are class ids [n, H, W]; 255 is no label, which is drawn light grey and counted nowhere.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from discom.data import MultiModalData, Normalization
from discom.data.checks import NO_LABEL
from discom.errors import RunError
from discom.tables.statistics import METRICS, metric_of

COLOURED = {"objects": ("depth",)}  # data set → its sensors that are shown in colours, not in grey
NOTHING = 0.85  # grey of a pixel without a label


def style() -> None:
    """The look of every figure: quiet, and readable in grey."""
    rc = {"figure.dpi": 90, "savefig.dpi": 120, "axes.spines.right": False}
    sns.set_theme(style="ticks", palette="colorblind", rc=rc | {"axes.spines.top": False})


def panels(rows: int, columns: int, width: float, height: float, **more: Any) -> tuple[Figure, Any]:
    """A figure of that size in inches, and its axes [rows, columns]."""
    size = (width, height)
    return plt.subplots(rows, columns, squeeze=False, layout="constrained", figsize=size, **more)


def show(axis: Axes, image: np.ndarray | None, in_colours: bool = False) -> None:
    """Draw an image [C, H, W] in [0, 1], or the word "missing": the first three bands as red, green
    and blue, or the first as grey. Where `in_colours`, one band goes from blue to yellow (viridis),
    and pixels of value 0, the holes, are white."""
    axis.set(xticks=[], yticks=[])
    if image is None:
        axis.text(0.5, 0.5, "missing", ha="center", va="center", transform=axis.transAxes)
        return
    if len(image) == 13:  # Sentinel-2: red, green and blue are its fourth, third and second
        image = image[[3, 2, 1]]
    bands = np.clip(image[:3].transpose(1, 2, 0) if len(image) >= 3 else image[0], 0, 1)
    look: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
    if in_colours:
        bands = np.ma.masked_equal(bands, 0)
        look["cmap"] = plt.get_cmap("viridis").with_extremes(bad="white")
    axis.imshow(bands, **look)


def class_colours(count: int) -> np.ndarray:
    """A colour for each id in a mask, [256, 3]: neighbours differ in hue, any four in a row in
    brightness; what is not a class is light grey."""
    k = np.arange(count)
    pure = hsv_to_rgb(np.stack([k * 0.618 % 1, np.full(count, 0.8), np.ones(count)], 1))
    grey = (pure @ [0.299, 0.587, 0.114])[:, None]  # what a printer makes of it
    goal = np.take((0.7, 0.33, 0.52, 0.16), k % 4)[:, None]
    colours = np.where(goal < grey, pure * goal / grey, 1 - (1 - pure) * (1 - goal) / (1 - grey))
    return np.vstack([colours, np.full((NO_LABEL + 1 - count, 3), NOTHING)])


def class_legend(figure: Figure, ids: np.ndarray, classes: Sequence[str]) -> None:
    """Below the figure, the colours of the classes whose ids occur."""
    palette = class_colours(len(classes))
    handles = [Patch(color=palette[k], label=classes[k]) for k in ids if k < len(classes)]
    columns = min(8, len(handles))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8)


def pairs(data: MultiModalData, rows: Sequence[int] | None = None) -> Figure:
    """A grid of scenes: a row for each modality, and for the mask of dense data; a column for each
    scene at the places `rows` of `data.ids`, or for nine pairs, classes in turn. Before a split,
    images are scaled by bounds of at most 256 samples."""
    chosen = _in_turn(data) if rows is None else np.asarray(rows)
    if data.normalization is None:
        fitted = {}
        for name, modality in data.modalities.items():
            sample = np.asarray(modality.x[:: 1 + len(modality.x) // 256])
            fitted[name] = Normalization.fit(sample, invalid=modality.invalid)
        data = data.changed(normalization=fitted)
    shown: dict[str, Any] = {}
    for name, modality in data.modalities.items():
        places = pd.Index(modality.ids).get_indexer(data.ids[chosen])
        shown[name] = [data.images(name, [at])[0] if at >= 0 else None for at in places]
    if data.dense and data.masks is not None:
        masks = np.asarray(data.masks[chosen])
        shown["class"] = class_colours(len(data.classes))[masks].transpose(0, 3, 1, 2)
    figure, axes = panels(len(shown), len(chosen), 1.25 * len(chosen), 1.4 * len(shown) + 0.3)
    in_colours = COLOURED.get(data.name.partition("-")[0], ())
    for line, (name, images) in zip(axes, shown.items(), strict=True):
        line[0].set_ylabel(name)
        for axis, image in zip(line, images, strict=True):
            show(axis, image, name in in_colours)
    if data.dense:
        class_legend(figure, np.unique(masks), data.classes)
        return figure
    names = (*data.classes, "unlabelled")  # the last one is class -1
    for axis, label in zip(axes[0], data.labels[chosen], strict=True):
        axis.set_title(names[label].replace("/", "\n"), fontsize=8)
    return figure


def _in_turn(data: MultiModalData) -> np.ndarray:
    """Nine rows: the first scene of each class, then the second, …; sorted by class."""
    ids = data.paired_ids if len(data.paired_ids) else data.ids
    labels = pd.Series(data.labels[np.isin(data.ids, ids)])
    turn = labels.groupby(labels).cumcount()
    chosen = np.flatnonzero(np.isin(data.ids, ids[np.lexsort((labels, turn))[:9]]))
    return chosen[np.argsort(data.labels[chosen], kind="stable")]


def intervals(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Differences of every method to each baseline with 95 % intervals: a panel for each data set,
    setting and modality that has some. A RunError where no method shares a seed with a baseline."""
    compared = table[table[[f"vs {name}" for name in baselines]].notna().any(axis=1)]
    if compared.empty:
        found = "no method shares a seed with a baseline"
        raise RunError("intervals", found, "train the baselines")
    shown = [name for name in baselines if compared[f"vs {name}"].notna().any()]
    methods = compared["method"].unique()
    places = list(compared)[: list(compared).index("method")]  # the data, and settings
    keys = [*(n for n in places if compared[n].nunique(dropna=False) > 1), "modality"]
    parts = list(compared.groupby(keys, sort=False, dropna=False))
    width = 1 + 0.08 * max(map(len, methods)) + 3 * len(parts)
    figure, axes = panels(1, len(parts), width, 1.5 + 0.42 * len(methods), sharey=True)
    for axis, (where, part) in zip(axes[0], parts, strict=True):
        rows = part.set_index("method").reindex(methods)
        for number, baseline in enumerate(shown):
            low, middle, high = (rows[f"vs {baseline}{end}"] for end in (" low", "", " high"))
            heights = np.arange(len(methods)) + 0.24 * (number - (len(shown) - 1) / 2)
            look = {"fmt": "os^D"[number % 4], "capsize": 2, "label": f"− {baseline}"}
            axis.errorbar(middle, heights, xerr=(middle - low, high - middle), **look)
        axis.axvline(0, color="black", linewidth=0.8, linestyle=":")
        named = zip(keys, where, strict=True)
        texts = [v if k in ("data", "modality") else f"{k}={v}" for k, v in named]
        seeds = " or ".join(map(str, sorted(set(part["n"]))))
        axis.set_title(f"{', '.join(texts)} (n = {seeds})", fontsize=10)
        axis.set_yticks(range(len(methods)), methods)
        axis.set_xlabel(f"difference in {METRICS[metric_of(table)]} points")
        axis.grid(axis="y", linewidth=0.4)
    axes[0, 0].invert_yaxis()
    names = axes[0, 0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=4, frameon=False)
    return figure
