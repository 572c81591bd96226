"""What a training did."""

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from discom.plots.dense import pixel_confusions
from discom.plots.look import COLOURS, MARKERS
from discom.runs import read_predictions

__all__ = ["confusions", "curves"]

NAMES = {"valid_f1": "weighted F1 × 100", "valid_miou": "mIoU in %"}


def curves(metrics: Mapping[str, pd.DataFrame] | pd.DataFrame) -> Figure:
    """Training loss, and validation F1 (or mean IoU) of every modality, over epochs; several runs
    by name, or one."""
    runs = {"": metrics} if isinstance(metrics, pd.DataFrame) else metrics
    scored = list(
        dict.fromkeys(c for table in runs.values() for c in table if c.startswith("valid_"))
    )
    figure, axes = plt.subplots(1, 1 + len(scored), layout="constrained",
                                figsize=(3.4 * (1 + len(scored)), 2.7 + 0.3 * (len(runs) > 1)))  # fmt: skip
    for number, (name, table) in enumerate(runs.items()):
        how = {
            "color": COLOURS[number % len(COLOURS)],
            "marker": MARKERS[number % 6],
            "markevery": max(1, len(table) // 8),
            "ms": 4,
        }
        axes[0].plot(table["epoch"], table["loss"], label=name, **how)
        for axis, column in zip(axes[1:], scored, strict=True):
            if column in table:
                axis.plot(table["epoch"], table[column], **how)
            axis.set(
                xlabel="epoch",
                ylabel=NAMES[column.split("/")[0]],
                title=f"{column.partition('/')[2]}, validation",
            )
    axes[0].set(xlabel="epoch", ylabel="total loss", title="training")
    if len(runs) > 1:
        lines = axes[0].get_legend_handles_labels()  # below the panels, where no curve runs
        figure.legend(*lines, loc="outside lower center", ncols=min(5, len(runs)), frameon=False)
    return figure


def confusions(predictions: Path | str, networks: Sequence[str] | None = None) -> Figure:
    """Confusion of every modality on the test part, each row in percent of its true class, from
    predictions.npz; of a dense method, that of pixels, over the images that all its networks saw.
    `networks` names some of them."""
    held = read_predictions(predictions)
    classes = held["classes"].tolist()
    if networks is not None:
        held = {key: held[key] for key in held if key.rpartition("_")[0] in networks}
    if said := [key.removesuffix("_predicted") for key in held if key.endswith("_predicted")]:
        shared = reduce(np.intersect1d, [held[f"{name}_ids"] for name in said])
        rows = {name: pd.Index(held[f"{name}_ids"]).get_indexer(shared) for name in said}
        labels = held[f"{said[0]}_labels"][rows[said[0]]]
        return pixel_confusions(
            {name: held[f"{name}_predicted"][rows[name]] for name in said}, labels, classes
        )
    names = [key.removesuffix("_logits") for key in held if key.endswith("_logits")]
    size = ((0.45 * len(classes) + 2.2) * len(names), 0.4 * len(classes) + 1.9)
    figure, axes = plt.subplots(1, len(names), squeeze=False, layout="constrained", figsize=size)
    for axis, name in zip(axes[0], names, strict=True):
        labels, predicted = held[f"{name}_labels"], held[f"{name}_logits"].argmax(1)
        counts = np.zeros((len(classes), len(classes)))
        np.add.at(counts, (labels, predicted), 1)
        shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
        sns.heatmap(shares, ax=axis, cmap="Greys", vmin=0, vmax=100, annot=True, fmt=".0f", cbar=False,
                    annot_kws={"fontsize": 7}, xticklabels=classes,
                    yticklabels=classes if axis is axes[0][0] else False)  # fmt: skip
        axis.set(
            xlabel="predicted",
            ylabel="true class (row = 100 %)" if axis is axes[0][0] else "",
            title=name,
        )
        axis.tick_params(labelsize=8)
    return figure
