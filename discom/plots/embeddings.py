"""Scatter plots of embeddings, coloured by what is known of each sample and readable in grey."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from discom.errors import DataError
from discom.evaluation.projection import preserved, project
from discom.plots.look import COLOURS, panels

__all__ = ["maps", "scatter", "stability"]

MARKERS = "os^DvPX<>*"
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
    series: dict[str, Any] = {"palette": "viridis"}
    if isinstance(values, pd.Categorical):
        places = range(len(values.categories))
        series = {"palette": [COLOURS[k % len(COLOURS)] for k in places], "style": "colour"}
    if style is not None:
        points["marker"] = pd.Categorical(style)
        series["style"] = "marker"
    if "style" in series:
        kinds = range(len(points[series["style"]].cat.categories))
        series["markers"] = [MARKERS[k % len(MARKERS)] for k in kinds]
    points = points.sample(frac=1, random_state=0)  # the group drawn last would hide the others
    series |= {"s": float(np.clip(4000 / len(points), 8, 30)), "alpha": 0.8, "linewidth": 0}
    sns.scatterplot(points, x="x", y="y", hue="colour", ax=axis, **series)
    axis.set(xticks=[], yticks=[], xlabel="", ylabel="")
    axis.spines[:].set(visible=True, linewidth=0.5, color="0.6")  # two lines would look like axes
    sns.move_legend(
        axis, "upper left", bbox_to_anchor=(1, 1), title=None, fontsize=8, frameon=False
    )


def maps(positions: Mapping[str, np.ndarray], colours: Mapping[str, Any]) -> Figure:
    """A grid of scatter plots: a row for each embedding, a column for each thing to colour it by.

    Args:
        positions: name → [N, 2], such as of `projection.project`; the same samples in each.
        colours: name → value of each sample [N], as in `scatter`.

    Raises:
        DataError: nothing to draw, or positions and values that do not fit together.
    """
    shapes = {name: np.shape(xy) for name, xy in positions.items()}
    shapes |= {name: (len(values), 2) for name, values in colours.items()}
    if (
        not positions
        or not colours
        or {*shapes.values()} != {(len(next(iter(colours.values()))), 2)}
    ):
        raise DataError(f"maps: {shapes}; give positions [N, 2] and N values for each colouring")
    rows, columns = len(positions), len(colours)
    figure, axes = panels(rows, columns, 4.2 * columns, 2.9 * rows + 0.4)
    for axis_row, (name, xy) in zip(axes, positions.items(), strict=True):
        for axis, (colour, values) in zip(axis_row, colours.items(), strict=True):
            scatter(axis, np.asarray(xy), values)
            axis.set_title(colour)
        axis_row[0].set_ylabel(name)
    for axis in axes[1:].flat:
        axis.get_legend().remove()
    figure.supxlabel(CAPTION, fontsize=8)
    return figure


def stability(
    z: np.ndarray,
    colour: Any,
    neighbors: Sequence[int] = (5, 15, 50),
    seeds: Sequence[int] = (0, 1),
) -> Figure:
    """The same embedding drawn again: a row for each seed, a column for each number of neighbours,
    with the share of the 15 nearest neighbours that each picture kept.

    Args:
        z: embeddings [N, D].
        colour: value of each sample [N], as in `scatter`.
        neighbors, seeds: as in `projection.project`, which says what it raises.
    """
    count, size = min(15, len(z) - 1), (2.7 * len(neighbors) + 1.6, 2.7 * len(seeds) + 0.6)
    figure, axes = panels(len(seeds), len(neighbors), *size)
    for axis_row, seed in zip(axes, seeds, strict=True):
        for axis, near in zip(axis_row, neighbors, strict=True):
            xy = project(z, neighbors=near, seed=seed)
            scatter(axis, xy, colour)
            share = f"{100 * preserved(z, xy, count):.0f} % of {count} neighbours kept"
            axis.set(title=f"{near} neighbours", xlabel=share)
            if axis is not axes[0][-1]:
                axis.get_legend().remove()
        axis_row[0].set_ylabel(f"seed {seed}")
    figure.supxlabel(CAPTION, fontsize=8)
    return figure
