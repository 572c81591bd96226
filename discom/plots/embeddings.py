"""Scatter plots of embeddings, coloured by what is known of each sample and readable in grey."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from discom.evaluation.projection import preserved, project
from discom.plots.look import COLOURS, MARKERS, panels

__all__ = ["maps", "scatter", "stability"]

CAPTION = (
    "UMAP. Near points are alike; axes, distances between groups and their sizes mean nothing."
)


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
        series["palette"] = [COLOURS[k % len(COLOURS)] for k in range(len(values.categories))]
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


def stability(z: np.ndarray, colour: Any) -> Figure:
    """One embedding [N, D] drawn six times: for two seeds and for 5, 15 and 50 neighbours, with the
    share of the 15 nearest neighbours that each picture kept; `colour` as in `scatter`."""
    figure, axes = panels(2, 3, 9.7, 6)
    for seed, axis_row in enumerate(axes):
        for axis, near in zip(axis_row, (5, 15, 50), strict=True):
            xy = project(z, neighbors=near, seed=seed)
            scatter(axis, xy, colour)
            share = f"{100 * preserved(z, xy):.0f} % of 15 neighbours kept"
            axis.set(title=f"{near} neighbours", xlabel=share)
        axis_row[0].set_ylabel(f"seed {seed}")
    for axis in axes.flat[[0, 1, 3, 4, 5]]:
        axis.get_legend().remove()
    figure.supxlabel(CAPTION, fontsize=8)
    return figure
