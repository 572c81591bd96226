"""An explorer for JupyterLab: a picture of embeddings whose points can be clicked or lassoed, and
the images behind them."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import pandas as pd
import traitlets
from matplotlib.figure import Figure, FigureBase

from discom.data import MultiModalData
from discom.errors import DataError
from discom.evaluation.projection import neighbours, preserved, project
from discom.plots.embeddings import CAPTION, scatter
from discom.plots.look import show

__all__ = ["Explorer", "Points"]

SHOWN, NEAREST = 8, 5  # images of the selection, and of the nearest in another modality
HINT = "Click a point or draw around some; with the picture in focus, ← and → step through them."
Embedded = Mapping[str, Mapping[str, np.ndarray]]
Grid = list[list[tuple[str, int, str]]]  # rows of (modality, row of data.ids, title)


class Points:
    """Samples as points, one in each modality that has it, numbered modality by modality: `z` (part
    → [P, D]), `names` (modality), `sample` (row of `data.ids`), `answers` (class ids) and `values`
    (what they can be coloured by), [P] each.

    Args:
        data: the samples, such as the test part of a split.
        embedded: modality → part ("inv", "inf", "irr", …) → embeddings [N, D], and "logits" [N, C];
            rows as in `data.modalities[modality]`.

    Raises:
        DataError: an unknown modality, or a part that is missing, of another length or not finite.
    """

    def __init__(self, data: MultiModalData, embedded: Embedded):
        parts = dict.fromkeys(part for arrays in embedded.values() for part in arrays)
        if not set(parts) - {"logits"}:
            raise DataError("explorer: no embedding was given; give inv and logits, for instance")
        for name, arrays in embedded.items():
            rows = len(data.modalities[name].ids) if name in data.modalities else 0
            for part in ["logits", *parts]:
                if len(z := np.asarray(arrays.get(part, ()))) != rows or not np.isfinite(z).all():
                    raise DataError(
                        f"explorer: {name}/{part} has shape {z.shape}; give {rows}"
                        f" finite rows for each of {list(data.modalities)}"
                    )
        joined = {part: np.concatenate([z[part] for z in embedded.values()]) for part in parts}
        self.data, self.answers = data, joined.pop("logits").argmax(1)
        self.z: dict[str, np.ndarray] = joined
        self.names = np.concatenate([[name] * len(data.modalities[name].ids) for name in embedded])
        self.sample = np.concatenate([data.rows_of(name) for name in embedded])
        labels = data.labels[self.sample]
        right = np.where(self.answers == labels, "right", "wrong")
        self.values = {"class": pd.Categorical.from_codes(labels, data.classes)}
        self.values |= {"right or wrong": right, "modality": self.names}
        for name, factor in data.factors.items():
            self.values.setdefault(name, np.asarray(factor)[self.sample])

    def near(self, point: int, part: str) -> dict[str, np.ndarray]:
        """Every other modality → its samples nearest to a point, by cosine in one part."""
        nearest = {}
        for name in dict.fromkeys(self.names[self.names != self.names[point]]):
            others = np.flatnonzero(self.names == name)
            z, count = self.z[part], min(NEAREST, len(others))
            nearest[name] = self.sample[others[neighbours(z[[point]], z[others], count)[0]]]
        return nearest

    def draw(self, figure: FigureBase, grid: Grid) -> None:
        """Images with their titles above and the predicted class below, ✓ right or ✗ wrong."""
        axes = figure.subplots(len(grid), max(map(len, grid)), squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for axis_row, cells in zip(axes, grid, strict=True):
            for axis, (name, sample, title) in zip(axis_row, cells, strict=False):
                axis.axis("on")
                axis.set_title(f"{name}\n{title}", fontsize=8)
                points = np.flatnonzero((self.sample == sample) & (self.names == name))
                rows = points - np.argmax(self.names == name)
                show(axis, self.data.images(name, rows)[0] if len(rows) else None)
                for answer in self.answers[points]:
                    mark = "✓" if answer == self.data.labels[sample] else "✗"
                    axis.set_xlabel(f"{mark} {self.data.classes[answer]}", fontsize=8)


class Scatter(anywidget.AnyWidget):
    """A picture on the page whose points can be chosen."""

    _esm = Path(__file__).with_name("scatter.js")
    picture = traitlets.Unicode().tag(sync=True)  # data URI of a PNG in double size
    places: traitlets.List[Any] = traitlets.List().tag(sync=True)  # pixels [x, y]
    chosen: traitlets.List[Any] = traitlets.List().tag(sync=True)  # numbers of points
    links: traitlets.List[Any] = traitlets.List().tag(sync=True)  # pairs of points
    label = traitlets.Unicode().tag(sync=True)


class Explorer(ipywidgets.VBox):
    """A picture of embeddings to explore in JupyterLab: colour it, click or lasso points, see the
    images behind them.

    `embedding`, `colour` and `neighbors` are drop-down lists, whose `value` may be set; `points`
    holds what is drawn, `xy` where, `scatter.chosen` the numbers of the selected points.

    Args:
        data, embedded: as in `Points`, such as the test part and what a network makes of it.
        neighbors, seed: as in `projection.project`.

    Raises:
        DataError: embeddings that do not fit the data, or too few samples.
    """

    def __init__(
        self, data: MultiModalData, embedded: Embedded, *, neighbors: int = 15, seed: int = 0
    ):
        self.points, self.seed = Points(data, embedded), seed
        self.layouts: dict[tuple[str, int], np.ndarray] = {}
        counts = {n for n in (5, 15, 30, 50) if n < len(self.points.sample)} | {neighbors}
        parts = [(f"z_{part}", part) for part in self.points.z]
        self.embedding = ipywidgets.Dropdown(options=parts, description="embedding")
        self.colour = ipywidgets.Dropdown(options=list(self.points.values), description="colour")
        self.neighbors = ipywidgets.Dropdown(
            options=sorted(counts), value=neighbors, description="neighbours"
        )
        self.scatter, self.status, self.images = Scatter(), ipywidgets.HTML(), ipywidgets.HTML()
        controls = [self.embedding, self.colour, self.neighbors]
        for control in controls:
            control.observe(self._draw, "value")
        self.scatter.observe(self._choose, "chosen")
        note = ipywidgets.HTML(f"<b>{CAPTION}</b><br>{HINT}")
        super().__init__([ipywidgets.HBox(controls), self.status, self.scatter, note, self.images])
        self._draw()

    def select(self, points: Sequence[int]) -> None:
        """Choose points by number, as a click or a lasso does."""
        self.scatter.chosen = [int(point) for point in points]

    @property
    def ids(self) -> list[Any]:
        """Ids of the selected samples, each once, in the order of the selection."""
        samples = self.points.sample[self.scatter.chosen]
        return list(dict.fromkeys(self.points.data.ids[samples].tolist()))

    def _draw(self, _: Any = None) -> None:
        part, near = key = self.embedding.value, self.neighbors.value
        z = self.points.z[part]
        if key not in self.layouts:
            self.status.value = f"computing … (z_{part}, {near} neighbours)"
            try:
                self.layouts[key] = project(z, neighbors=near, seed=self.seed)
            except DataError as error:
                if not self.layouts:
                    raise
                self.status.value = f"{html.escape(str(error))}; the picture is still the last one"
                return
        self.xy, count = self.layouts[key], min(15, len(z) - 1)
        kept = 100 * preserved(z, self.xy, count)
        self.status.value = f"{kept:.0f} % of the {count} nearest neighbours are near here too"
        figure = Figure(figsize=(6, 4), dpi=100)
        axis = self._scatter(figure, (0.01, 0.01, 0.65, 0.98))
        with self.scatter.hold_sync():
            self.scatter.picture = _picture(figure, dpi=200)
            places = axis.transData.transform(self.xy)
            self.scatter.places = (places * [1, -1] + [0, 400]).tolist()
            self.scatter.label = f"{len(z)} points in z_{part}, coloured by {self.colour.value}"
        self._choose()

    def _scatter(self, figure: FigureBase, place: tuple[float, float, float, float]) -> Any:
        axis = figure.add_axes(place)
        scatter(axis, self.xy, self.points.values[self.colour.value], self.points.names)
        return axis

    def _choose(self, _: Any = None) -> None:
        points, chosen = self.points, self.scatter.chosen
        same = [np.flatnonzero(points.sample == s) for s in points.sample[chosen][:SHOWN]]
        self.scatter.links = [[int(a), int(b)] for group in same for a, b in pairwise(group)]
        if not chosen:
            self.images.value = "Nothing is selected."
            return
        grid = self._grid()
        figure = Figure(figsize=(1.4 * max(map(len, grid)), 1.8 * len(grid)), layout="constrained")
        points.draw(figure, grid)
        head = f"Selected: {len(self.ids)}, at most {SHOWN} shown; then the nearest to the first in"
        self.images.value = f'{head} z_{self.embedding.value}<br><img src="{_picture(figure)}">'

    def _grid(self) -> Grid:
        """The selected samples in every modality, then the first one's nearest in the others."""
        points, names = self.points, dict.fromkeys(self.points.names)
        samples = dict.fromkeys(points.sample[self.scatter.chosen].tolist())
        first = [(sample, str(points.data.ids[sample])) for sample in list(samples)[:SHOWN]]
        grid = [[(name, *cell) for cell in first] for name in names]
        for name, near in points.near(self.scatter.chosen[0], self.embedding.value).items():
            grid.append([(name, s, f"near: {points.data.ids[s]}") for s in near.tolist()])
        return grid

    def figure(self) -> Figure:
        """The same state as a figure, for pages that run no widgets."""
        grid = self._grid() if self.scatter.chosen else []
        heights = [4, *[1.8 * len(grid)] * bool(grid)]
        figure = Figure(figsize=(11, sum(heights)), layout="constrained")
        top, *below = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        axis = self._scatter(top, (0.25, 0.05, 0.4, 0.9))
        rings = {"s": 80, "facecolors": "none", "edgecolors": "black"}
        axis.scatter(*self.xy[self.scatter.chosen].T, **rings)
        axis.set_title(self.scatter.label, fontsize=9)
        for part in below:
            self.points.draw(part, grid)
        return figure

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        picture = _picture(self.figure()).partition(",")[2]
        return {**super()._repr_mimebundle_(**kwargs), "image/png": picture}


def _picture(figure: Figure, dpi: int = 100) -> str:
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
