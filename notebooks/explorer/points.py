"""Points in the plane: drawn, their neighbours, and how far their picture may be trusted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from sklearn.neighbors import NearestNeighbors

from discom.errors import DataError
from discom.evaluation.probing import matrix, standardised
from discom.plots.look import COLOURS, MARKERS, SENSORS, sensor_look

CAPTION = (
    "UMAP. Near points are alike; axes, distances between groups and their sizes mean nothing."
)


def scatter(axis: Axes, xy: np.ndarray, values: Any, modalities: np.ndarray) -> None:
    """Draw points at the positions `xy` [N, 2]: the colour says their value [N], the marker their
    modality [N]. Text, truth values and up to ten integers are categories, whose order a pandas
    Categorical may give; other numbers are a scale of colours."""
    if not isinstance(values, pd.Categorical):
        values = np.asarray(values)
        few = values.dtype.kind in "iu" and len(np.unique(values)) <= len(MARKERS)
        values = pd.Categorical(values) if few or values.dtype.kind not in "fiu" else values
    markers = pd.Categorical(modalities)
    points = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "colour": values, "marker": markers})
    points = points.sample(frac=1, random_state=0)  # the group drawn last would hide the others
    categories = isinstance(values, pd.Categorical)
    look: dict[str, Any] = {"alpha": 0.8, "linewidth": 0}
    look["palette"] = _colours(list(values.categories)) if categories else "viridis"
    look["markers"] = [MARKERS[k % len(MARKERS)] for k in range(len(markers.categories))]
    look["s"] = float(np.clip(4000 / len(points), 8, 30))
    sns.scatterplot(points, x="x", y="y", hue="colour", style="marker", ax=axis, **look)
    axis.set(xticks=[], yticks=[], xlabel="", ylabel="")
    axis.spines[:].set(visible=True, linewidth=0.5, color="0.6")  # two lines would look like axes
    place = {"bbox_to_anchor": (1, 1), "title": None, "fontsize": 8, "frameon": False}
    sns.move_legend(axis, "upper left", **place)


def _colours(names: Sequence[Any]) -> list[Any]:
    """Colours of categories: sensors have their own; all else has those of no sensor first."""
    if any(name in SENSORS for name in names):
        return [sensor_look(name, k + 4)["color"] for k, name in enumerate(names)]
    order = sorted(range(len(COLOURS)), key=lambda k: k in SENSORS.values())
    return [COLOURS[order[k % len(order)]] for k in range(len(names))]


def neighbours(z: np.ndarray, others: np.ndarray, k: int) -> np.ndarray:
    """The k rows of `others` [M, D] nearest to each row of `z` [N, D] by cosine, nearest first:
    row numbers [N, k], int64.

    >>> others = np.array([[0.0, 2.0], [5.0, 0.0], [1.0, 1.0]])
    >>> neighbours(np.array([[1.0, 0.1]]), others, k=2).tolist()
    [[1, 2]]
    """
    search = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(others)
    return search.kneighbors(z, return_distance=False)


def preserved(z: np.ndarray, xy: np.ndarray, k: int = 15) -> float:
    """How far a picture may be trusted: of the k nearest rows in `z` [N, D], standardised, the mean
    share that are also the k nearest in the positions `xy` [N, 2]; by chance k / (N - 1). A
    DataError where they are no finite tables of as many rows.

    >>> line = np.arange(6.0)[:, None] ** 2
    >>> preserved(line, np.hstack([-line, 0 * line]), k=2)
    1.0
    """
    z, xy = standardised(z, None, "preserved: z"), matrix(xy, "preserved: xy")
    if len(z) != len(xy):
        raise DataError(
            "preserved", f"{len(z)} embeddings and {len(xy)} positions", "give one each"
        )
    search = NearestNeighbors(n_neighbors=k)  # asked without rows, it leaves out each row itself
    near, drawn = (search.fit(rows).kneighbors(return_distance=False) for rows in (z, xy))
    return float(np.mean([np.isin(*pair).mean() for pair in zip(near, drawn, strict=True)]))
