"""What the data look like."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from discom.data import Modality, MultiModalData, Normalization
from discom.plots.look import COLOURS, class_colours, class_legend, panels, show

__all__ = ["class_counts", "pairs", "values"]


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
        fitted = {
            name: Normalization.fit(_sample(modality), invalid=modality.invalid)
            for name, modality in data.modalities.items()
        }
        data = replace(data, normalization=fitted)
    count = len(data.modalities) + data.dense
    figure, axes = panels(count, len(chosen), 1.25 * len(chosen), 1.4 * count + 0.3)
    for axis, label in zip(axes[0], data.labels[chosen], strict=True):
        axis.set_title(data.classes[label].replace("/", "\n"), fontsize=8)
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


def _sample(modality: Modality) -> np.ndarray:
    return np.asarray(modality.x[:: 1 + len(modality.x) // 256])


def _in_turn(data: MultiModalData, count: int) -> np.ndarray:
    """Rows of the first scene of each class, then of the second, …; sorted by class."""
    ids = data.paired_ids if len(data.paired_ids) else data.ids
    labels = pd.Series(data.labels[np.isin(data.ids, ids)])
    turn = labels.groupby(labels).cumcount()
    chosen = np.flatnonzero(np.isin(data.ids, ids[np.lexsort((labels, turn))[:count]]))
    return chosen[np.argsort(data.labels[chosen], kind="stable")]


def class_counts(parts: Mapping[str, MultiModalData]) -> Figure:
    """Samples of every class in each part, as bars; of dense data, of the most frequent class."""
    first = next(iter(parts.values()))
    labels = {name: pd.Series(part.labels) for name, part in parts.items()}
    counts = pd.DataFrame({name: column.value_counts() for name, column in labels.items()})
    if not first.dense:  # of many classes of pixels, most are never the most frequent
        counts = counts.reindex(range(len(first.classes)))
    counts.index = [first.classes[k] for k in counts.index]
    figure, ((axis,),) = panels(1, 1, 0.7 * len(counts) + 3, 3)
    counts.fillna(0).plot.bar(ax=axis, width=0.8, color=COLOURS, edgecolor="black", rot=35)
    axis.set(xlabel="most frequent class" if first.dense else "class", ylabel="samples")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def values(data: MultiModalData) -> Figure:
    """How often each pixel value occurs in at most 256 samples, in the sensor's unit; a panel for
    each modality."""
    figure, axes = panels(1, len(data.modalities), 3.4 * len(data.modalities), 2.4)
    for axis, (name, modality) in zip(axes[0], data.modalities.items(), strict=True):
        for band, pixels in enumerate(_sample(modality).swapaxes(0, 1)):
            measured = pixels if modality.invalid is None else pixels[pixels != modality.invalid]
            bins = {"bins": 60, "histtype": "step", "density": True}
            axis.hist(measured.ravel(), label=f"band {band}", **bins)
        unit = f" ({modality.unit})" if modality.unit else ""
        axis.set(title=name, xlabel=f"pixel value{unit}", ylabel="density")
        if modality.x.shape[1] <= 4:
            axis.legend(frameon=False, fontsize=8)
    return figure
