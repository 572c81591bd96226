"""Figures of notebooks 12 and 14: the values of a sensor, and the masks of a run."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from discom import plots
from discom.data.multimodal import MultiModalData
from discom.running.runs import Result, read_predictions


def plot_values(train: MultiModalData) -> Figure:
    """How often each scaled value occurs in up to 500 training images: a panel for each
    sensor, a line for each band."""
    figure, axes = plots.panels(1, len(train.modalities), 10, 2.6)
    for axis, (name, sensor) in zip(axes[0], train.modalities.items(), strict=True):
        rows = np.linspace(0, len(sensor.x) - 1, min(500, len(sensor.x))).astype(int)
        bands = (
            train.images(name, rows).transpose(1, 0, 2, 3).reshape(len(sensor.x[0]), -1)
        )
        for band in bands:
            share, edges = np.histogram(band, np.linspace(0, 1, 51))
            axis.stairs(100 * share / share.sum(), edges, lw=1.2)
        axis.set(xlabel="value", ylabel="pixels, %", title=name)
    return figure


def plot_masks(test: MultiModalData, run: Path | str, count: int = 6) -> Figure:
    """Test images, their masks, and what each network of a run drew: a row for each."""
    predicted = read_predictions(Path(run) / "predictions.npz")
    networks = list(Result.read(Path(run) / "result.json").scores)
    ids = test.paired_ids[:count].astype(str)
    chosen = test.take(pd.Index(test.ids.astype(str)).get_indexer(ids))
    colours = plots.class_colours(len(test.classes))
    rows = {name: chosen.images(name) for name in chosen.modalities}
    masks = {"truth": np.asarray(chosen.masks)}
    for name in networks:
        places = pd.Index(predicted[f"{name}_ids"].astype(str)).get_indexer(ids)
        masks[f"by {name}"] = predicted[f"{name}_predicted"][places]
    rows |= {name: colours[own].transpose(0, 3, 1, 2) for name, own in masks.items()}
    figure, axes = plots.panels(len(rows), count, 1.3 * count, 1.35 * len(rows) + 0.4)
    for line, (name, pictures) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for axis, image in zip(line, pictures, strict=True):
            plots.show(axis, image, in_colours=len(image) == 1)
    plots.class_legend(figure, np.unique(masks["truth"]), test.classes)
    return figure
