"""What the data look like."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from discom.data import Modality, MultiModalData, Normalization
from discom.plots.look import COLOURS, class_colours, class_legend, picture

__all__ = ["class_counts", "pairs", "values"]


def pairs(data: MultiModalData, columns: int = 9, rows: Sequence[int] | None = None) -> Figure:
    """A grid of scenes: a row for each modality, a column for each scene; without `rows`, classes
    in turn.

    Where every pixel has a class, a last row shows it.
    """
    if rows is None:
        ids = data.paired_ids if len(data.paired_ids) else data.ids
        labels = data.labels[np.isin(data.ids, ids)]
        turn = (
            pd.Series(labels).groupby(labels).cumcount()
        )  # the first of each class, then the second, …
        chosen = ids[np.lexsort((labels, turn))[:columns]]
        rows = np.flatnonzero(np.isin(data.ids, chosen))
        rows = rows[np.argsort(data.labels[rows], kind="stable")]
    count, high = len(rows), len(data.modalities) + data.dense
    figure, axes = plt.subplots(high, count, squeeze=False, layout="constrained",
                                figsize=(1.25 * count, 1.4 * high + 0.3))  # fmt: skip
    bounds = data.normalization or {
        name: _bounds(modality) for name, modality in data.modalities.items()
    }
    for axis_row, name in zip(axes, data.modalities, strict=False):
        place = {i: row for row, i in enumerate(data.modalities[name].ids.tolist())}
        for axis, row in zip(axis_row, rows, strict=True):
            axis.set(xticks=[], yticks=[])
            if (found := place.get(data.ids[row].item())) is None:
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
            image = data.modalities[name].x[[found]]
            scaled = image if data.normalized else bounds[name](image)
            axis.imshow(
                picture(np.clip(scaled[0], 0, 1)),
                cmap="gray",
                vmin=0,
                vmax=1,
                interpolation="nearest",
            )
        axis_row[0].set_ylabel(name)
    for axis, row in zip(axes[0], rows, strict=True):
        axis.set_title(data.classes[data.labels[row]].replace("/", "\n"), fontsize=8)
    if data.dense:
        _draw_masks(axes[-1], data, rows)
    return figure


def _bounds(modality: Modality) -> Normalization:
    """For the scale of a picture, where no split has fitted any: from at most 256 samples."""
    return Normalization.fit(
        np.asarray(modality.x[:: 1 + len(modality.x) // 256]), invalid=modality.invalid
    )


def _draw_masks(axes: Sequence[Axes], data: MultiModalData, rows: Sequence[int]) -> None:
    """The class of every pixel in colour, light grey where there is none, and a legend of the
    classes that occur."""
    masks, colours = np.asarray(data.masks[np.asarray(rows)]), class_colours(len(data.classes))
    for axis, mask in zip(axes, masks, strict=True):
        axis.imshow(colours[mask], interpolation="nearest")
        axis.set(xticks=[], yticks=[])
    axes[0].set_ylabel("class")
    class_legend(axes[0].figure, np.unique(masks), data.classes)


def class_counts(parts: Mapping[str, MultiModalData]) -> Figure:
    """Samples of every class in each part, as bars; where every pixel has one, of the most frequent
    class."""
    counts = pd.DataFrame(
        {
            name: np.bincount(part.labels, minlength=len(part.classes))
            for name, part in parts.items()
        }
    )
    first = next(iter(parts.values()))
    counts.index = first.classes
    if first.dense:
        counts = counts[counts.any(axis=1)]  # many classes are never the most frequent one
    axis = counts.plot.bar(
        figsize=(0.7 * len(counts) + 3, 3),
        width=0.8,
        color=COLOURS,
        edgecolor="black",
        linewidth=0.5,
    )
    axis.set(xlabel="most frequent class" if first.dense else "class", ylabel="samples")
    axis.figure.autofmt_xdate(rotation=35)
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    axis.figure.set_layout_engine("constrained")
    return axis.figure


def values(data: MultiModalData) -> Figure:
    """How often each pixel value occurs, a panel for each modality, in the sensor's unit; up to 256
    samples."""
    figure, axes = plt.subplots(1, len(data.modalities), squeeze=False, layout="constrained",
                                figsize=(3.4 * len(data.modalities), 2.4))  # fmt: skip
    for axis, (name, modality) in zip(axes[0], data.modalities.items(), strict=True):
        sample = np.asarray(modality.x[:: max(1, len(modality.x) // 256)])[:256]
        for band in range(sample.shape[1]):
            pixels = sample[:, band].ravel()
            pixels = pixels if modality.invalid is None else pixels[pixels != modality.invalid]
            axis.hist(pixels, bins=60, histtype="step", density=True, label=f"band {band}")
        unit = "pixel value" + f" ({modality.unit})" * bool(modality.unit)
        axis.set(title=name, xlabel=unit, ylabel="density" if axis is axes[0][0] else "")
        if sample.shape[1] <= 4:
            axis.legend(frameon=False, fontsize=8)
    return figure
