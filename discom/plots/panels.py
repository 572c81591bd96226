"""Pairs side by side, and what figures share.

Masks are class ids [n, H, W]; 255 is no label, which is drawn light grey and counted nowhere.
"""

import re
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
from discom.errors import DataError
from discom.labels import NO_LABEL

GREY = "0.45"
# one for each, as in the notebooks
SENSORS = ("#cc3377", "#117788", "#7a5c00", "#5b4bb7", "#4d7d1f", "#555555")
NOTHING = 0.85  # grey of a pixel without a label


def style() -> None:
    """The look of every figure: quiet, and readable in grey."""
    rc = {"figure.dpi": 90, "savefig.dpi": 120, "axes.spines.right": False}
    sns.set_theme(style="ticks", palette="colorblind", rc=rc | {"axes.spines.top": False})


def panels(rows: int, columns: int, width: float, height: float, **more: Any) -> tuple[Figure, Any]:
    """A figure of that size in inches, and its axes [rows, columns]."""
    size = (width, height)
    return plt.subplots(rows, columns, squeeze=False, layout="constrained", figsize=size, **more)


def show(axis: Axes, image: np.ndarray, in_colours: bool = False) -> None:
    """Draw an image [C, H, W] in [0, 1]: the first three bands as red, green and blue, or the first
    as grey. Where `in_colours`, one band goes from blue to yellow (viridis), and pixels of value 0,
    the holes, are white."""
    axis.set(xticks=[], yticks=[])
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
    figure.legend(handles=handles, loc="outside lower center", ncols=8, fontsize=8)


def pairs(data: MultiModalData) -> Figure:
    """A pair of every class, or of fewer than five classes more, classes in turn, at most twelve: a
    row for each modality, and for the mask of dense data. Before a split, these images set their
    own bounds. A DataError for data without a pair."""
    labels = pd.Series(data.labels)[np.isin(data.ids, data.paired_ids)]
    if labels.empty:
        raise DataError(data.name, "there is no pair to draw", "name the files of a pair alike")
    turn, count = labels.groupby(labels).cumcount(), min(max(9, labels.nunique()), 12)
    chosen = labels.iloc[np.lexsort((labels, turn))[:count]].sort_values(kind="stable")
    data = data.take(chosen.index.to_numpy())
    if data.normalization is None:
        views = data.modalities.items()
        bounds = {name: Normalization.fit(view.x, name, view.invalid) for name, view in views}
        data = data.changed(normalization=bounds)
    pictures = {name: data.images(name) for name in data.modalities}
    if data.dense:
        masks = np.asarray(data.masks)
        pictures["class"] = class_colours(len(data.classes))[masks].transpose(0, 3, 1, 2)
    figure, axes = panels(len(pictures), len(data), 1.25 * len(data), 1.4 * len(pictures) + 0.3)
    objects = data.name.partition("-")[0] == "objects"  # their depth is shown in colours, not grey
    for line, (name, images) in zip(axes, pictures.items(), strict=True):
        line[0].set_ylabel(name)
        for axis, image in zip(line, images, strict=True):
            show(axis, image, objects and name == "depth")
    if data.dense:
        class_legend(figure, np.unique(masks), data.classes)
        return figure
    names = (*data.classes, "unlabelled")  # the last one is class -1
    for axis, label in zip(axes[0], data.labels, strict=True):
        axis.set_title(in_lines(names[label]), fontsize=8)
    return figure


def in_lines(name: str, most: int = 12) -> str:
    """A name in lines of so many letters at most, broken behind / _ - and blanks and before capital
    letters, else cut, so that names side by side do not overlap.

    >>> in_lines("HerbaceousVegetation")
    'Herbaceous\\nVegetation'
    """
    lines = [""]
    for word in re.split(r"(?<=[/_\- ])|(?<=[a-z])(?=[A-Z])", name):
        fits = len(lines[-1] + word.rstrip()) <= most
        lines[-1:] = [lines[-1] + word] if fits else [lines[-1], word]
    lines = [line.strip() for line in lines if line.strip()]
    return "\n".join(line if len(line) <= most else f"{line[: most - 1]}…" for line in lines)
