"""What one run did, or a few beside each other.

Masks are class ids [n, H, W]; 255 is no label, which is drawn light grey and counted nowhere.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

from discom.data.checks import NO_LABEL
from discom.errors import DataError
from discom.plots.look import NOTHING, class_colours, class_legend, method_look, panels, show
from discom.running.runs import read_predictions

NAMES = {"valid_f1": "validation F1 × 100", "valid_miou": "validation mIoU in %"}
WIDTH = 11.0  # of a notebook's output, in inches
Masks = Mapping[str, np.ndarray]


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
    series: dict[str, Any] = {}
    if len(runs) > 1:
        palette = [method_look(*numbered)["color"] for numbered in enumerate(runs)]
        series = {"hue": "run", "style": "run", "palette": palette}
    series |= {"x": "epoch", "y": "value", "col": "variable", "kind": "line"}
    series |= {"col_wrap": 2} if len(titles) > 3 else {}
    free = {"sharey": False}
    grid = sns.relplot(points, errorbar=None, height=2.9, aspect=1.15, facet_kws=free, **series)
    grid.set_titles("{col_name}").set_ylabels("")
    if len(runs) > 1:
        sns.move_legend(grid, "upper center", bbox_to_anchor=(0.5, 0), ncols=5, title=None)
    return grid.figure


def predictions(
    images: Masks,
    labels: np.ndarray,
    predicted: Masks,
    classes: Sequence[str],
    titles: Sequence[str] | None = None,
) -> Figure:
    """A column for each image: what each sensor sees, the truth, and of each network its prediction
    and its errors (black), with the share of the labelled pixels that are wrong.

    Args:
        images: modality → [n, C, H, W] in [0, 1]; three to six images can be read.
        labels: [n, H, W].
        predicted: network → [n, H, W].
        classes: names; their colours are those of `pairs`.
        titles: of the images, above them.
    """
    labelled, palette = labels != NO_LABEL, class_colours(len(classes))
    rows: dict[str, np.ndarray] = dict(images) | {"truth": palette[labels].transpose(0, 3, 1, 2)}
    shares = {}
    for name, masks in predicted.items():
        wrong = labelled & (masks != labels)
        rows[name] = palette[masks].transpose(0, 3, 1, 2)
        rows[f"{name}:\nerrors"] = np.where(wrong, 0, np.where(labelled, 1, NOTHING))[:, None]
        counts = labelled.sum((1, 2)).clip(1)
        shares[f"{name}:\nerrors"] = 100 * wrong.sum((1, 2)) / counts
    size = 1.4 * len(labels) + 0.6, 1.4 * len(rows) + 0.2 * len(predicted) + 0.6
    figure, axes = panels(len(rows), len(labels), *size)
    figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.03, wspace=0, hspace=0)
    for line, (name, pictures) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for axis, picture in zip(line, pictures, strict=True):
            show(axis, picture)
        for axis, share in zip(line, shares.get(name, ()), strict=False):
            axis.set_xlabel(f"{share:.1f} % wrong", fontsize=9, labelpad=2)
    for axis, title in zip(axes[0], titles or (), strict=False):
        axis.set_title(title)
    ids = np.unique([labels, *predicted.values()])
    unlabelled = {"no label": np.full(3, NOTHING)} if NO_LABEL in ids else {}
    class_legend(figure, ids, classes, {"wrong": np.zeros(3), **unlabelled})
    return figure


def pixel_confusions(
    predicted: Masks, labels: np.ndarray | Masks, classes: Sequence[str]
) -> Figure:
    """What the pixels (or images) of each class are taken for, in percent of the class: a map for
    each network; the row of a class without a label holds zeros.

    Args:
        predicted: network → class ids in the shape of `labels`.
        labels: of pixels [n, H, W] or images [n]; or network → its own.
        classes: names.
    """
    side = min(0.45 * len(classes), 8)
    across = min(len(predicted), max(1, int((WIDTH - 1.2) / (side + 0.2))))
    down = -(-len(predicted) // across)
    figure, axes = panels(down, across, (side + 0.2) * across + 1.2, (side + 1.4) * down)
    for axis, (name, ids) in zip(axes.flat, predicted.items(), strict=False):
        truth = labels[name] if isinstance(labels, Mapping) else labels
        pixels = truth.ravel(), ids.ravel()
        if not (truth < len(classes)).any():
            raise DataError(f"confusions: no image of {name} has a label; give images with labels")
        shares = confusion_matrix(*pixels, labels=range(len(classes)), normalize="true")
        cells = {"values_format": ".0f", "text_kw": {"fontsize": 6 if len(classes) > 15 else 8}}
        grey = {"cmap": "Greys", "im_kw": {"vmin": 0, "vmax": 100}, "colorbar": False}
        display = ConfusionMatrixDisplay(100 * shares, display_labels=classes)
        display.plot(ax=axis, xticks_rotation="vertical", **cells, **grey)
        for number in display.text_.flat:
            number.set_visible(number.get_text() != "0")
        axis.set(title=name, xlabel="predicted", ylabel="true class (row = 100 %)")
        if not axis.get_subplotspec().is_first_col():
            axis.set(ylabel="", yticks=[])
    for axis in axes.flat[len(predicted) :]:
        axis.remove()
    return figure


def confusions(predictions: Path | str) -> Figure:
    """`pixel_confusions` of all networks in a run's predictions.npz, each on its test samples."""
    arrays = read_predictions(predictions)
    ids = {key.removesuffix("_predicted"): arrays[key] for key in arrays if "_predicted" in key}
    for key in arrays:
        if key.endswith("_logits"):
            ids[key.removesuffix("_logits")] = arrays[key].argmax(1)
    labels = {name: arrays[f"{name}_labels"] for name in ids}
    return pixel_confusions(ids, labels, arrays["classes"].tolist())
