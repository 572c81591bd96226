"""What the data look like."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from discom.data import MultiModalData, Normalization
from discom.plots.look import class_colours, class_legend, panels, show

__all__ = ["pairs"]


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


def _in_turn(data: MultiModalData, count: int) -> np.ndarray:
    """Rows of the first scene of each class, then of the second, …; sorted by class."""
    ids = data.paired_ids if len(data.paired_ids) else data.ids
    labels = pd.Series(data.labels[np.isin(data.ids, ids)])
    turn = labels.groupby(labels).cumcount()
    chosen = np.flatnonzero(np.isin(data.ids, ids[np.lexsort((labels, turn))[:count]]))
    return chosen[np.argsort(data.labels[chosen], kind="stable")]
