"""An explorer for JupyterLab: a picture of embeddings whose points can be clicked or lassoed, and
the images behind them."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import matplotlib.path
import numpy as np
import pandas as pd
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from discom.data import MultiModalData
from discom.data.checks import UNLABELLED
from discom.errors import DataError
from discom.plots.look import coloured, show
from explorer.points import CAPTION, neighbours, preserved, scatter
from explorer.projection import project

SHOWN, NEAREST = 8, 5  # images of the selection, and of the nearest in another modality
REACH = 12  # pixels that a click may be off


class Scatter(anywidget.AnyWidget):
    """A picture on the page, and where the pointer went on it."""

    _esm = Path(__file__).with_name("scatter.js")
    picture = traitlets.Unicode().tag(sync=True)  # data URI of a PNG in double size
    label = traitlets.Unicode().tag(sync=True)
    path: traitlets.List[Any] = traitlets.List().tag(sync=True)  # pixels [x, y]


class Explorer(ipywidgets.VBox):
    """A picture of embeddings to explore in JupyterLab: colour it, click or lasso points, see the
    images behind them.

    `embedding` and `colour` are drop-down lists, whose `value` may be set. A sample is a point in
    each modality that has it, numbered modality by modality: `points` is the table of what is known
    of them, `xy` are their positions, `chosen` the numbers of those that are selected.

    Args:
        data: the samples, such as the test part of a split.
        embedded: modality → part ("inv", "inf", "irr", …) → embeddings [N, D], and "logits" [N, C];
            rows as in `data.modalities[modality]`.
        seed: as in `projection.project`.

    Raises:
        DataError: embeddings of another length, not finite, or of too few samples.
    """

    def __init__(
        self, data: MultiModalData, embedded: Mapping[str, Mapping[str, np.ndarray]], seed: int = 0
    ):
        sizes = [len(data.modalities[name].ids) for name in embedded]
        for (name, arrays), size in zip(embedded.items(), sizes, strict=True):
            if wrong := {part: np.shape(z) for part, z in arrays.items() if len(z) != size}:
                raise DataError("explorer", f"{name} has {wrong}", f"give {size} rows of each part")
        parts = list(next(iter(embedded.values())))
        self.z = {part: np.concatenate([z[part] for z in embedded.values()]) for part in parts}
        self.data, self.seed = data, seed
        self.predicted = self.z.pop("logits").argmax(1)
        self.sample = np.concatenate([data.rows_of(name) for name in embedded])
        self.names = np.repeat(list(embedded), sizes)
        labels = data.labels[self.sample]
        columns: dict[str, Any] = {"class": pd.Categorical.from_codes(labels, data.classes)}
        right = np.where(self.predicted == labels, "right", "wrong")
        columns["right or wrong"] = np.where(labels == UNLABELLED, "unlabelled", right)
        columns["modality"] = self.names
        for name, factor in data.factors.items():
            columns.setdefault(name, np.asarray(factor)[self.sample])
        self.points = pd.DataFrame(columns)
        self.layouts: dict[str, np.ndarray] = {}
        self.chosen: list[int] = []
        options = [(f"z_{part}", part) for part in self.z]
        self.embedding = ipywidgets.Dropdown(options=options, description="embedding")
        self.colour = ipywidgets.Dropdown(options=list(self.points), description="colour")
        self.scatter, self.status = Scatter(), ipywidgets.HTML()
        for control in (self.embedding, self.colour):
            control.observe(self._draw, "value")
        self.scatter.observe(self._choose, "path")
        note = ipywidgets.HTML(f"<b>{CAPTION}</b><br>Click a point or draw around some.")
        controls = ipywidgets.HBox([self.embedding, self.colour])
        super().__init__([controls, self.status, self.scatter, note])
        self._draw()

    def select(self, points: Sequence[int] | np.ndarray) -> None:
        """Choose points by number, as a click or a lasso does."""
        self.chosen = [int(point) for point in points]
        self._draw()

    def figure(self) -> Figure:
        """Points, with rings around the selected and lines to the same samples in other modalities;
        below, images of the selection in every modality, then the nearest to its first point."""
        rows = self._rows()
        ratios = [4, *[1.6] * len(rows)]
        figure = Figure(figsize=(9, sum(ratios)))
        top, *below = figure.subfigures(len(ratios), height_ratios=ratios, squeeze=False)[:, 0]
        axis = top.add_axes((0.01, 0.01, 0.7, 0.98))
        scatter(axis, self.xy, self.points[self.colour.value].array, self.names)
        for sample in dict.fromkeys(self.sample[self.chosen][:SHOWN]):
            axis.plot(*self.xy[self.sample == sample].T, color="black", linewidth=0.8)
        axis.scatter(*self.xy[self.chosen].T, s=80, facecolors="none", edgecolors="black")
        for part, (title, points) in zip(below, rows, strict=True):
            part.text(0.02, 0.5, title, fontsize=8, rotation=90, va="center", ha="center")
            part.subplots_adjust(left=0.05, right=0.99)
            for k, point in enumerate(points):
                self._show(part.add_subplot(1, SHOWN, k + 1), point)
        return figure

    def _rows(self) -> list[tuple[str, Sequence[int | None]]]:
        """Title and numbers of points of each row of images; None where a sample has none."""
        if not self.chosen:
            return []
        z, first = self.z[self.embedding.value], self.chosen[0]
        names = dict.fromkeys(self.names)
        samples = list(dict.fromkeys(self.sample[self.chosen]))[:SHOWN]
        numbers = {key: k for k, key in enumerate(zip(self.names, self.sample, strict=True))}
        rows: list[tuple[str, Sequence[int | None]]] = []
        for name in names:
            rows.append((name, [numbers.get((name, sample)) for sample in samples]))
        for name in names:
            if name != self.names[first]:
                others = np.flatnonzero(self.names == name)
                nearest = neighbours(z[[first]], z[others], min(NEAREST, len(others)))[0]
                rows.append((f"{name}: nearest\nto the first", others[nearest].tolist()))
        return rows

    def _show(self, axis: Axes, point: int | None) -> None:
        """The image behind a point, its id above, the predicted class below, ✓ right or ✗ wrong."""
        if point is None:
            show(axis, None)
            return
        name = self.names[point]
        row = point - np.argmax(self.names == name)
        show(axis, self.data.images(name, [row])[0], coloured(self.data, name))
        axis.set_title(self.data.ids[self.sample[point]], fontsize=8)
        mark = "✓" if self.points["right or wrong"][point] == "right" else "✗"
        axis.set_xlabel(f"{mark} {self.data.classes[self.predicted[point]]}", fontsize=8)

    def _draw(self, _: Any = None) -> None:
        part = self.embedding.value
        if part not in self.layouts:
            self.status.value = f"computing … (z_{part})"
            self.layouts[part] = project(self.z[part], seed=self.seed)
        self.xy, z = self.layouts[part], self.z[part]
        figure = self.figure()
        with self.scatter.hold_sync():
            self.scatter.label = f"{len(z)} points in z_{part}, coloured by {self.colour.value}"
            self.scatter.picture = f"data:image/png;base64,{_picture(figure, dpi=200)}"
        selected = np.unique(self.sample[self.chosen])
        kept = f"{100 * preserved(z, self.xy):.0f} % of the 15 nearest neighbours"
        self.status.value = f"{kept} are near here too. Selected: {len(selected)}"
        axis = figure.subfigs[0].axes[0]
        self.places = axis.transData.transform(self.xy) * [1, -1] + [
            0,
            figure.bbox.height,
        ]

    def _choose(self, _: Any) -> None:
        path = np.array(self.scatter.path)
        if np.ptp(path, axis=0).max() > 4:
            lasso = matplotlib.path.Path(path)
            self.select(np.flatnonzero(lasso.contains_points(self.places)))
        else:
            distances = np.hypot(*(self.places - path[0]).T)
            self.select([distances.argmin()] if distances.min() <= REACH else [])

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super()._repr_mimebundle_(**kwargs),
            "image/png": _picture(self.figure()),
        }


def _picture(figure: Figure, dpi: int = 100) -> str:
    """PNG as text, base64."""
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi)
    return base64.b64encode(file.getvalue()).decode()
