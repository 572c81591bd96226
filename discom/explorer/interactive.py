"""Explorers for JupyterLab: a picture of embeddings whose points can be clicked, and what stands
behind them."""

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import anywidget
import ipywidgets as ipw
import numpy as np
import traitlets
from matplotlib.figure import Figure

from discom.data import MultiModalData
from discom.errors import DataError, DiscomError
from discom.evaluation.projection import preserved, project
from discom.explorer.points import Grid, Points, png, size
from discom.plots.marks import draw, explain, marks

__all__ = ["Explorer", "explorer"]

STYLES = "filled", "outlined", "with a black edge"  # of the modalities, as in marks.draw
SHOWN, NEAREST = 8, 5  # columns of images: selected samples, nearest neighbours
HINT = "Click a point, or draw around some; with the picture in focus, ← and → step through the points."
WARNING = "Near points are alike. Distances between clusters, the size of a cluster and the axes mean nothing."


class Scatter(anywidget.AnyWidget):
    """The points on a canvas of our own: any browser draws it, without WebGL, and with markers that
    tell categories apart in grey, which jupyter-scatter has not; a lasso is drawn without the round
    trips that ipympl makes."""

    _esm = Path(__file__).with_name("scatter.js")
    _css = Path(__file__).with_name("scatter.css")
    size = traitlets.Int().tag(sync=True)  # side of the picture, pixels
    xy = traitlets.Bytes().tag(sync=True)  # float32 [P, 2]
    code = traitlets.Bytes().tag(sync=True)  # uint16 [P], place in the palette
    outline = traitlets.Bytes().tag(sync=True)  # uint16 [P], as `style` in marks.draw
    key = traitlets.Dict().tag(sync=True)  # palette, shapes, labels, limits as in marks.Marks
    names = traitlets.List().tag(sync=True)  # modalities
    links = traitlets.List().tag(sync=True)  # pairs of points to join by a line
    chosen = traitlets.Tuple().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)


class Explorer(traitlets.HasTraits):
    """A picture of embeddings with its controls, its selection and the images behind the selection.

    Points are numbered as in `points.Points`. `observe` works on all traits; setting them acts as
    the controls do.

    Args:
        embedding: which part is laid out, a key of the embeddings such as "inv".
        colour: "class", "modality", "right or wrong", or a factor of the data.
        neighbors: of UMAP, see `projection.project`.
        selection: numbers of the chosen points.
        status: what is being computed, or how far the picture may be trusted.
        view: the widget (no trait).
    """

    embedding = traitlets.Unicode()
    colour = traitlets.Unicode("class")
    neighbors = traitlets.Int()
    selection = traitlets.Tuple()
    status = traitlets.Unicode()

    def __init__(self, data: MultiModalData, embedded: Mapping[str, Mapping[str, np.ndarray]], *,
                 neighbors: int = 15, seed: int = 0, size: int = 400):  # fmt: skip
        self.points, self.seed = Points(data, embedded), seed
        counts = sorted(
            {count for count in (5, 15, 30, 50) if count < len(self.points)} | {neighbors}
        )
        self.choices = {
            "embedding": list(self.points.z),
            "colour": list(self.points.values),
            "neighbors": counts,
        }
        super().__init__(embedding=self.choices["embedding"][0], neighbors=neighbors)
        self._maps: dict[tuple[str, int], tuple[np.ndarray, str]] = {}
        controls = []
        for name, choices in self.choices.items():
            shown = [
                (f"z_{choice}" if name == "embedding" else str(choice), choice)
                for choice in choices
            ]
            said, width = name.replace("neighbors", "neighbours"), ipw.Layout(width="240px")
            controls.append(
                ipw.Dropdown(
                    options=shown, value=getattr(self, name), description=said, layout=width
                )
            )
            traitlets.link((self, name), (controls[-1], "value"))
        self.scatter = Scatter(size=size, names=self.points.names)
        traitlets.link((self, "selection"), (self.scatter, "chosen"))
        self.status_line, self.images, self.nearest_images = ipw.HTML(), ipw.HTML(), ipw.HTML()
        notes = ipw.HTML(f"<div style='line-height: 1.4'><b>{WARNING}</b><br>{HINT}</div>")
        row = ipw.HBox(controls, layout=ipw.Layout(flex_flow="row wrap"))
        self.view = ipw.VBox(
            [row, self.status_line, self.scatter, notes, self.images, self.nearest_images]
        )
        for react, names in [(self._say, ["status"]), (self._place, ["embedding", "neighbors"]),
                             (self._paint, ["colour"]), (self._show, ["selection", "embedding"])]:  # fmt: skip
            self.observe(react, names)
            react()

    @property
    def xy(self) -> np.ndarray:
        """Positions of the points in the picture [P, 2]."""
        return np.frombuffer(self.scatter.xy, np.float32).reshape(-1, 2)

    @property
    def ids(self) -> list:
        """Ids of the selected samples, each once, in the order of the selection."""
        return self.points.data.ids[self._samples()].tolist()

    def _samples(self) -> list[int]:
        return list(dict.fromkeys(self.points.sample[list(self.selection)].tolist()))

    def select(self, points: Sequence[int]) -> None:
        """Choose points by number, as a click or a lasso does; DataError for a number that no point
        has."""
        self.selection = tuple(int(point) for point in points)

    @traitlets.validate("embedding", "colour", "neighbors")
    def _offered(self, proposal) -> str | int:
        name, value = proposal["trait"].name, proposal["value"]
        if value not in self.choices[name]:
            raise DataError(
                f"explorer: {name}={value!r} is not offered; choose one of {self.choices[name]}"
            )
        return value

    @traitlets.validate("selection")
    def _there(self, proposal) -> tuple:
        if wrong := [point for point in proposal["value"] if not 0 <= point < len(self.points)]:
            raise DataError(f"select: no point {wrong[0]}; there are 0 to {len(self.points) - 1}")
        return proposal["value"]

    def nearest(self, point: int, k: int = NEAREST) -> dict[str, list]:
        """Other modality → ids of its samples nearest to a point, by cosine in the chosen
        embedding, nearest first."""
        found = self.points.near(point, self.embedding, k)
        return {
            self.points.names[m]: self.points.data.ids[samples].tolist()
            for m, samples in found.items()
        }

    def _say(self, _=None) -> None:
        self.status_line.value = f"<span role='status'>{html.escape(self.status)}</span>"

    def _place(self, _=None) -> None:
        """Lay the points out, or fetch the picture that was made before."""
        wanted = (self.embedding, self.neighbors)
        if wanted not in self._maps:
            self.status = f"computing … (z_{self.embedding}, {self.neighbors} neighbours)"
            z = self.points.z[self.embedding]
            try:
                xy = project(z, neighbors=self.neighbors, seed=self.seed)
            except DiscomError as error:
                if not self._maps:
                    raise
                self.status = f"{error}; the picture is still the last one"
                return
            k = min(15, len(z) - 1)
            trust = f"{100 * preserved(z, xy, k):.0f} % of the {k} nearest neighbours are the nearest in this picture too"
            self._maps[wanted] = xy.astype(np.float32), trust
        xy, self.status = self._maps[wanted]
        self.scatter.xy = xy.tobytes()

    def _paint(self, _=None) -> None:
        held = marks(self.points.values[self.colour])
        limits = None if held.labels else [f"{value:.3g}" for value in held.limits]
        with self.scatter.hold_sync():
            self.scatter.code = held.code.astype(np.uint16).tobytes()
            self.scatter.outline = (self.points.modality % 3).astype(np.uint16).tobytes()
            self.scatter.key = {
                "palette": held.palette,
                "shapes": held.shapes,
                "labels": held.labels,
                "limits": limits,
            }
            self.scatter.label = f"{len(self.points)} points, coloured by {self.colour}"

    def _show(self, _=None) -> None:
        """The images of the selection and of its first point's neighbours, and lines between the
        points of a sample."""
        held = [self.points.of(sample) for sample in self._samples()[:SHOWN]]
        self.scatter.links = [[one, other] for points in held for one, other in pairwise(points)]
        first, *more = [self.points.html(*sheet) for sheet in self._sheets()] or [
            "Nothing is selected."
        ]
        self.images.value, self.nearest_images.value = first, "".join(more)

    def _sheets(self) -> list[tuple[str, Grid]]:
        """Headline and images: of the selection, and of its first point's nearest in the other
        modalities."""
        if not self.selection:
            return []
        samples, first = self._samples(), self.selection[0]
        count = f"the first {SHOWN} of {len(samples)}" if len(samples) > SHOWN else len(samples)
        head = f"Selected samples: {count}; below each image its prediction, ✓ right, ✗ wrong"
        sheets = [(head, self.points.across(samples[:SHOWN]))]
        if len(self.points.names) > 1:
            whose = f"the first one ({self.points.names[self.points.modality[first]]})"
            head = f"Nearest to {whose} by cosine in z_{self.embedding}, nearest first; = is the same sample"
            sheets.append((head, self.points.around(first, self.embedding, NEAREST)))
        return sheets

    def figure(self) -> Figure:
        """The same state as a picture that any page can show: the points, the selection ringed, and
        its images."""
        sheets = self._sheets()
        columns = max([0, *(len(row) for _, grid in sheets for row in grid)])
        heights = [4.3, *(size(grid)[1] + 0.3 for _, grid in sheets)]
        figure = Figure(figsize=(max(7, 1.3 * columns + 0.3), sum(heights)), layout="constrained")
        top, *below = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        axis, held = top.subplots(), marks(self.points.values[self.colour])
        draw(axis, self.xy, held, self.points.modality % 3)
        axis.scatter(*self.xy[list(self.selection)].T, s=80, facecolors="none", edgecolors="black")
        styles = ", ".join(f"{name} {STYLES[m % 3]}" for m, name in enumerate(self.points.names))
        axis.set_title(
            f"z_{self.embedding} by {self.colour}, {self.neighbors} neighbours ({styles})",
            fontsize=9,
        )
        axis.set_box_aspect(0.8)
        explain(axis, held, beside=True)
        top.supxlabel(WARNING, fontsize=8)
        for part, (head, grid) in zip(below, sheets, strict=True):
            part.suptitle(head, fontsize=9)
            self.points.draw(part, grid, columns)
        return figure

    def _repr_mimebundle_(self, **kwargs) -> dict:
        """The widget, and for pages that run no widgets the same state as a picture."""
        said = {
            "text/plain": f"Explorer of {self.points.data.name}",
            "image/png": png(self.figure()),
        }
        return self.view._repr_mimebundle_(**kwargs) | said


def explorer(data: MultiModalData, embedded: Mapping[str, Mapping[str, np.ndarray]], *,
             neighbors: int = 15, seed: int = 0, size: int = 400) -> Explorer:  # fmt: skip
    """A picture of embeddings to explore in JupyterLab: colour it, click or lasso points, see what
    stands behind them.

    Args:
        data, embedded: as in `points.Points`, such as the test part of a split and what a network
        makes of it.
        neighbors, seed: as in `projection.project`.
        size: side of the picture in pixels.

    Raises:
        DataError: an unknown modality, a part that is missing, of the wrong shape or not finite, or
            too few samples.
    """
    return Explorer(data, embedded, neighbors=neighbors, seed=seed, size=size)
