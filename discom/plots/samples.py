"""Samples of a data set: their images side by side, and their embeddings as points in the plane."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from discom.data import MultiModalData, Normalization
from discom.plots.look import MARKERS, category_colours, class_colours, class_legend, panels, show

CAPTION = (
    "UMAP. Near points are alike; axes, distances between groups and their sizes mean nothing."
)


def pairs(data: MultiModalData, columns: int = 9, rows: Sequence[int] | None = None) -> Figure:
    """A grid of scenes: a row for each modality, and for the mask of dense data; a column for each
    scene.

    Args:
        data: scaled as its split is; before a split, by bounds of at most 256 samples.
        columns: how many scenes, classes in turn and complete pairs first, without `rows`.
        rows: places of the scenes in `data.ids`.
    """
    chosen = _in_turn(data, columns) if rows is None else np.asarray(rows)
    if data.normalization is None and not data.normalized:
        fitted = {}
        for name, modality in data.modalities.items():
            sample = np.asarray(modality.x[:: 1 + len(modality.x) // 256])
            fitted[name] = Normalization.fit(sample, invalid=modality.invalid)
        data = replace(data, normalization=fitted)
    count = len(data.modalities) + data.dense
    figure, axes = panels(count, len(chosen), 1.25 * len(chosen), 1.4 * count + 0.3)
    names = (*data.classes, "unlabelled")  # the last one is class -1
    for axis, label in zip(axes[0], () if data.dense else data.labels[chosen], strict=False):
        axis.set_title(names[label].replace("/", "\n"), fontsize=8)
    for axis_row, (name, modality) in zip(axes, data.modalities.items(), strict=False):
        axis_row[0].set_ylabel(name)
        places = pd.Index(modality.ids).get_indexer(data.ids[chosen])
        for axis, place in zip(axis_row, places, strict=True):
            show(axis, data.images(name, [place])[0] if place >= 0 else None)
    if data.dense and data.masks is not None:
        masks, colours = np.asarray(data.masks[chosen]), class_colours(len(data.classes))
        axes[-1][0].set_ylabel("class")
        for axis, mask in zip(axes[-1], masks, strict=True):
            show(axis, colours[mask].transpose(2, 0, 1))
        class_legend(figure, np.unique(masks), data.classes)
    return figure


def _in_turn(data: MultiModalData, count: int) -> np.ndarray:
    """Rows of the first scene of each class, then of the second, …; sorted by class."""
    ids = data.paired_ids if len(data.paired_ids) else data.ids
    labels = pd.Series(data.labels[np.isin(data.ids, ids)])
    turn = labels.groupby(labels).cumcount()
    chosen = np.flatnonzero(np.isin(data.ids, ids[np.lexsort((labels, turn))[:count]]))
    return chosen[np.argsort(data.labels[chosen], kind="stable")]


def scatter(axis: Axes, xy: np.ndarray, values: Any, style: Any = None) -> None:
    """Draw samples: text, truth values and up to ten integers are categories, each with a colour
    and a marker; other numbers are a scale of colours.

    Args:
        axis: gets the points and a legend.
        xy: positions [N, 2].
        values: [N] of any type; a pandas Categorical keeps the order of its categories.
        style: [N], what the marker says where that is something else, such as the modality.
    """
    if not isinstance(values, pd.Categorical):
        values = np.asarray(values)
        few = values.dtype.kind in "iu" and len(np.unique(values)) <= len(MARKERS)
        values = pd.Categorical(values) if few or values.dtype.kind not in "fiu" else values
    points = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "colour": values})
    series: dict[str, Any] = {"palette": "viridis", "alpha": 0.8, "linewidth": 0}
    if isinstance(values, pd.Categorical):
        series["palette"] = category_colours(list(values.categories))
        series["style"] = "colour"
    if style is not None:
        points["marker"] = pd.Categorical(style)
        series["style"] = "marker"
    if "style" in series:
        kinds = range(len(points[series["style"]].cat.categories))
        series["markers"] = [MARKERS[k % len(MARKERS)] for k in kinds]
    points = points.sample(frac=1, random_state=0)  # the group drawn last would hide the others
    size = float(np.clip(4000 / len(points), 8, 30))
    sns.scatterplot(points, x="x", y="y", hue="colour", ax=axis, s=size, **series)
    axis.set(xticks=[], yticks=[], xlabel="", ylabel="")
    axis.spines[:].set(visible=True, linewidth=0.5, color="0.6")  # two lines would look like axes
    place = {"bbox_to_anchor": (1, 1), "title": None, "fontsize": 8, "frameon": False}
    sns.move_legend(axis, "upper left", **place)


def maps(positions: Mapping[str, np.ndarray], colours: Mapping[str, Any]) -> Figure:
    """A grid of scatter plots: a row for each embedding, a column for each thing to colour it by.

    Args:
        positions: name → [N, 2], such as of `projection.project`; the same samples in each.
        colours: name → value of each sample [N], as in `scatter`.
    """
    rows, columns = len(positions), len(colours)
    figure, axes = panels(rows, columns, 4.2 * columns, 2.9 * rows + 0.4)
    for axis_row, (name, xy) in zip(axes, positions.items(), strict=True):
        for axis, (colour, values) in zip(axis_row, colours.items(), strict=True):
            scatter(axis, xy, values)
            axis.set_title(colour)
        axis_row[0].set_ylabel(name)
    for axis in axes[1:].flat:
        axis.get_legend().remove()
    figure.supxlabel(CAPTION, fontsize=8)
    return figure
