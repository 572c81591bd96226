"""Samples as points: the embeddings of several modalities in one numbering, their neighbours and
their images."""

import base64
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from discom.data import MultiModalData
from discom.errors import DataError
from discom.evaluation.projection import neighbours

__all__ = ["Points", "png", "size"]

Grid = list[list[tuple[int, int, str]]]  # rows of (modality, sample, title)


class Points:
    """Embedded samples; a point is one sample in one modality, numbered modality by modality as in
    the data.

    Args:
        data: the samples, such as the test part of a split.
        embedded: modality → part ("inv", "inf", "irr", …) → embeddings [N, D], and "logits" [N, C];
            rows as in `data.modalities[modality]`, D of a part the same in every modality.

    Attributes:
        names: the modalities, in the order of `embedded`.
        z: part → embeddings of all P points [P, D].
        modality, row, sample: of each point [P], its place in `names`, in its modality, and in
        `data.ids`.
        predicted: class that the logits of a point say [P].
        values: what points can be coloured by, name → [P]: class, modality, right or wrong, and the
            data's factors.

    Raises:
        DataError: an unknown modality, a part that is missing, of the wrong shape or not finite.

    >>> from discom.data import scenes
    >>> data = scenes.make(4, size=8)
    >>> points = Points(data, {"rgb": {"inv": np.eye(4), "logits": np.eye(4, 9)}})
    >>> points.z["inv"].shape, points.predicted.tolist()
    ((4, 4), [0, 1, 2, 3])
    """

    def __init__(self, data: MultiModalData, embedded: Mapping[str, Mapping[str, np.ndarray]]):
        parts = _checked(data, embedded)
        self.data, self.names = data, list(embedded)
        self.z = {
            part: np.concatenate([held[part] for held in embedded.values()]) for part in parts
        }
        counts = [len(held["logits"]) for held in embedded.values()]
        self.modality = np.repeat(np.arange(len(counts)), counts)
        self.row = np.concatenate([np.arange(count) for count in counts])
        self.sample = np.concatenate([data.rows_of(name) for name in self.names])
        self.predicted = np.concatenate(
            [np.argmax(held["logits"], axis=1) for held in embedded.values()]
        )
        places = zip(self.modality.tolist(), self.sample.tolist(), strict=True)
        self._point = {place: point for point, place in enumerate(places)}
        labels = data.labels[self.sample]
        self.values = {
            "class": pd.Categorical.from_codes(labels, data.classes),
            "modality": pd.Categorical.from_codes(self.modality, self.names),
            "right or wrong": np.where(self.predicted == labels, "right", "wrong"),
        }
        self.values = {
            **self.values,
            **{n: np.asarray(v)[self.sample] for n, v in data.factors.items()},
            **self.values,
        }

    def __len__(self) -> int:
        return len(self.row)

    def of(self, sample: int) -> list[int]:
        """The points of one sample, a row of `data.ids`: one in each modality that has it."""
        held = [self._point.get((m, sample)) for m in range(len(self.names))]
        return [point for point in held if point is not None]

    def near(self, point: int, part: str, k: int = 5) -> dict[int, list[int]]:
        """Every other modality → its k samples nearest to a point, by cosine in one part, nearest
        first."""
        found = {}
        for m in set(range(len(self.names))) - {int(self.modality[point])}:
            there = np.flatnonzero(self.modality == m)
            rows = neighbours(self.z[part][[point]], self.z[part][there], min(k, len(there)))[0]
            found[m] = self.sample[there[rows]].tolist()
        return found

    def title(self, sample: int) -> str:
        """Id and class of a sample, in two lines."""
        return f"{self.data.ids[sample]}\n{self.data.classes[self.data.labels[sample]]}"

    def across(self, samples: Sequence[int]) -> Grid:
        """A row of images for each modality, a column for each sample."""
        return [
            [(m, s, "" if m else self.title(s)) for s in samples] for m in range(len(self.names))
        ]

    def around(self, point: int, part: str, k: int = 5) -> Grid:
        """A row of images for each other modality: the point's own, then its nearest there."""
        m, sample = int(self.modality[point]), int(self.sample[point])
        own = (m, sample, self.title(sample))
        return [
            [own, *((other, s, ("= " if s == sample else "") + self.title(s)) for s in found)]
            for other, found in self.near(point, part, k).items()
        ]

    def draw(self, figure: FigureBase, grid: Grid, columns: int = 0) -> None:
        """Images scaled to [0, 1], titles above, what was predicted beneath: ✓ right, ✗ wrong.

        `columns`: how many there is room for, at least; images of several grids then have one size.
        """
        axes = figure.subplots(len(grid), max([columns, *map(len, grid)]), squeeze=False)
        for axis_row, cells in zip(axes, grid, strict=True):
            for axis in axis_row[len(cells) :]:
                axis.axis("off")
            before = None
            for axis, (m, sample, title) in zip(axis_row, cells, strict=False):
                axis.set(xticks=[], yticks=[])
                axis.set_title(title, fontsize=8)
                axis.set_ylabel("" if m == before else self.names[m], fontsize=9)
                before = m
                if (point := self._point.get((m, sample))) is None:
                    axis.text(
                        0.5,
                        0.5,
                        "missing",
                        ha="center",
                        va="center",
                        transform=axis.transAxes,
                        fontsize=8,
                    )
                    continue
                image = np.clip(self.data.images(self.names[m], [self.row[point]])[0], 0, 1)
                shown = (
                    image[:3].transpose(1, 2, 0) if len(image) >= 3 else image[0]
                )  # first bands as colour, or grey
                axis.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
                said = self.predicted[point]
                mark = "✓" if said == self.data.labels[sample] else "✗"
                axis.set_xlabel(f"{mark} {self.data.classes[said]}", fontsize=8)

    def html(self, head: str, grid: Grid) -> str:
        """A headline and an image of the grid, with the ids as its text alternative."""
        figure = Figure(figsize=size(grid), layout="constrained")
        self.draw(figure, grid)
        said = [
            ", ".join(f"{self.names[m]} {self.data.ids[sample]}" for m, sample, _ in row)
            for row in grid
        ]
        alternative = html.escape("; ".join([head, *said]))
        image = f"<img style='max-width: 100%' alt='{alternative}' src='data:image/png;base64,{png(figure)}'>"
        return f"<div>{html.escape(head)}</div>{image}"


def size(grid: Grid) -> tuple[float, float]:
    """Width and height of a grid of images, inches."""
    return 1.3 * max(map(len, grid)) + 0.3, 1.65 * len(grid) + 0.3


def png(figure: Figure) -> str:
    """A figure as a PNG in base64, 100 dots per inch."""
    held = io.BytesIO()
    figure.savefig(held, dpi=100)
    return base64.b64encode(held.getvalue()).decode()


def _checked(data: MultiModalData, embedded: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
    """The parts that every modality has, if all arrays fit the data."""
    if not embedded or any(name not in data.modalities for name in embedded):
        raise DataError(
            f"points: embeddings of {list(embedded)}; the data has {list(data.modalities)}, name those"
        )
    first = next(iter(embedded.values()))
    parts = [part for part in first if part != "logits"]
    if not parts:
        raise DataError(
            f"points: {next(iter(embedded))} has logits alone; give an embedding beside them, such as inv"
        )
    for name, held in embedded.items():
        for part in ["logits", *parts]:
            if part not in held:
                raise DataError(
                    f"points: {name} has no {part}; give logits, and the same parts in each modality"
                )
            z, rows = np.asarray(held[part]), len(data.modalities[name].ids)
            width = len(data.classes) if part == "logits" else np.shape(first[part])[-1]
            if z.shape != (rows, width):
                raise DataError(
                    f"points: {name}/{part} has shape {z.shape}; {(rows, width)} would fit the data"
                )
            if not np.isfinite(z).all():
                raise DataError(
                    f"points: {name}/{part} has NaN or infinity; embed with a run that stayed finite"
                )
    return parts
