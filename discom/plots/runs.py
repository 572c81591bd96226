"""What one run did, or a few beside each other."""

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from discom.evaluation import calibration_error
from discom.plots.dense import pixel_confusions
from discom.plots.look import COLOURS, panels
from discom.runs import read_predictions

__all__ = ["confusions", "curves", "reliability_diagram"]

NAMES = {"valid_f1": "validation F1 × 100", "valid_miou": "validation mIoU in %"}


def curves(metrics: Mapping[str, pd.DataFrame] | pd.DataFrame) -> Figure:
    """Training loss, and validation F1 (or mean IoU) of every modality, over epochs; of several
    runs by name, or of one."""
    runs = {"": metrics} if isinstance(metrics, pd.DataFrame) else metrics
    table = pd.concat(runs, names=["run"]).reset_index("run")
    titles = {"loss": "training loss"}
    for column in table:
        score, _, modality = column.partition("/")
        if score in NAMES:
            titles[column] = f"{modality}: {NAMES[score]}"
    points = table.rename(columns=titles).melt(["run", "epoch"], list(titles.values())).dropna()
    series = {"hue": "run", "style": "run"} if len(runs) > 1 else {}
    grid = sns.relplot(
        points,
        x="epoch",
        y="value",
        col="variable",
        kind="line",
        errorbar=None,
        height=2.9,
        aspect=1.15,
        facet_kws={"sharey": False},
        **series,
    )
    grid.set_titles("{col_name}").set_ylabels("")
    if series:
        sns.move_legend(grid, "upper center", bbox_to_anchor=(0.5, 0), ncols=5, title=None)
    return grid.figure


def confusions(predictions: Path | str, networks: Sequence[str] | None = None) -> Figure:
    """What each class of the test part is taken for, in percent of the class; a map for each
    network. Of a dense method, of the pixels of the images that all its networks saw.

    Args:
        predictions: the run's predictions.npz.
        networks: some of its networks; all by default.
    """
    arrays = read_predictions(predictions)
    kind = "predicted" if any(key.endswith("_predicted") for key in arrays) else "logits"
    names = [key.removesuffix(f"_{kind}") for key in arrays if key.endswith(f"_{kind}")]
    names = [name for name in names if networks is None or name in networks]
    shared = reduce(np.intersect1d, [arrays[f"{name}_ids"] for name in names])
    answers, labels = {}, {}
    for name in names:
        ids = pd.Index(arrays[f"{name}_ids"])
        rows = ids.get_indexer(shared) if kind == "predicted" else np.arange(len(ids))
        answers[name], labels[name] = arrays[f"{name}_{kind}"][rows], arrays[f"{name}_labels"][rows]
        if kind == "logits":  # an image is one pixel
            answers[name] = answers[name].argmax(1)[:, None, None]
            labels[name] = labels[name][:, None, None]
    return pixel_confusions(answers, labels, arrays["classes"].tolist())


def reliability_diagram(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Accuracy against confidence with the Wilson 95 % interval of each bin, above the number of
    samples in it; a column for each network. A point below the diagonal: surer than right.

    Args:
        tables: network → what `reliability` returns.
    """
    size = (3.5 * len(tables) + 0.5, 4.2)
    figure, axes = panels(2, len(tables), *size, sharex=True, sharey="row", height_ratios=(3, 1.2))
    for (upper, lower), (name, table) in zip(axes.T, tables.items(), strict=True):
        bins = table[table["count"] > 0]
        n, accuracy, z = bins["count"], bins["accuracy"], 1.96
        centre = (accuracy + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(accuracy * (1 - accuracy) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        spans = np.clip([accuracy - centre + half, centre + half - accuracy], 0, None)
        upper.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
        upper.errorbar(
            bins["confidence"], accuracy, yerr=spans, fmt="o-", capsize=2, lw=1, color=COLOURS[0]
        )
        upper.set(title=f"{name}: ECE {calibration_error(table):.3f}", xlim=(0, 1))
        width = table["high"] - table["low"]
        lower.bar(table["low"], table["count"], width, align="edge", color="0.75", edgecolor="k")
        lower.set(xlabel="confidence (largest probability)")
    axes[0, 0].set_ylabel("accuracy")
    axes[1, 0].set_ylabel("samples")
    return figure
