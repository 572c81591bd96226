"""What networks say of every pixel, and where they are wrong.

Letters: n images, C bands, H x W pixels. Masks are class ids [n, H, W]; 255 is no label, which is
drawn light grey and counted nowhere. `predicted` names networks, "rgb+depth" one that sees both.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from discom.data.checks import NO_LABEL
from discom.errors import RunError
from discom.evaluation.dense import boundary, boundary_scores, confusion
from discom.plots.look import COLOURS, MARKERS, NOTHING, class_colours, class_legend, picture

__all__ = ["boundaries", "class_ious", "pixel_confusions", "predictions"]

WIDTH = 11.0  # of a notebook's output, in inches
NEAR = 2  # pixels on both sides of a change of class
LIGHT, WRONG = np.full(3, NOTHING), np.zeros(3)  # no label; a pixel that is taken for another class


def predictions(
    images: Mapping[str, np.ndarray],
    labels: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    classes: Sequence[str],
    titles: Sequence[str] | None = None,
) -> Figure:
    """A row for each image: what each sensor sees, the truth, and for each network its prediction
    and its errors.

    Args:
        images: modality → [n, C, H, W] in [0, 1]; three to six images can be read.
        labels: [n, H, W].
        predicted: network → [n, H, W].
        classes: names; their colours are those of `pairs`.
        titles: of the images, at their left.

    Under each panel of errors stands the share of the labelled pixels that are wrong.
    """
    heads = [*(f"{name}\nimage" for name in images), "truth"]
    heads += [f"{name}\n{what}" for name in predicted for what in ("prediction", "errors")]
    count, across = len(labels), len(heads)
    side = min(1.3, WIDTH / across)
    figure, axes = plt.subplots(count, across, squeeze=False, layout="constrained",
                                figsize=(side * across + 0.2, (side + 0.14) * count + 0.7))  # fmt: skip
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.04, wspace=0, hspace=0)
    palette = class_colours(len(classes))
    for row, axis_row in enumerate(axes):
        said = {name: np.asarray(masks[row]) for name, masks in predicted.items()}
        _draw_row(
            axis_row,
            [view[row] for view in images.values()],
            np.asarray(labels[row]),
            said.values(),
            palette,
        )
        axis_row[0].set_ylabel("" if titles is None else titles[row], fontsize=8)
    for axis, head in zip(axes[0], heads, strict=True):
        axis.set_title(head, fontsize=8)
    ids = np.unique([labels, *predicted.values()])
    class_legend(
        figure, ids, classes, {"wrong": WRONG} | ({"no label": LIGHT} if NO_LABEL in ids else {})
    )
    return figure


def _draw_row(axes, views, truth: np.ndarray, said, palette: np.ndarray) -> None:
    panels = [picture(np.clip(view, 0, 1)) for view in views] + [palette[truth]]
    shares = dict.fromkeys(range(len(panels)), "")
    for mask in said:
        wrong, seen = (mask != truth) & (truth != NO_LABEL), truth != NO_LABEL
        shares[len(panels) + 1] = (
            f"{100 * wrong.sum() / seen.sum():.1f} % wrong" if seen.any() else "no label"
        )
        panels += [
            palette[mask],
            np.where(wrong[..., None], WRONG, np.where(seen[..., None], 1.0, LIGHT)),
        ]
    for place, (axis, panel) in enumerate(zip(axes, panels, strict=True)):
        axis.imshow(panel, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_xlabel(shares.get(place, ""), fontsize=7, labelpad=2)
        axis.spines[:].set(visible=True, linewidth=0.5, color="0.6")


def pixel_confusions(
    predicted: Mapping[str, np.ndarray], labels: np.ndarray, classes: Sequence[str]
) -> Figure:
    """What the pixels of each class are taken for, in percent of the class: a map for each network;
    a row is empty where a class has no labelled pixel.

    Raises:
        DataError: see `evaluation.dense.confusion`.
    """
    side = min(0.45 * len(classes), 8)
    figure, axes = _panels(len(predicted), side, side + 1)
    for axis, (name, masks) in zip(axes, predicted.items(), strict=True):
        counts = confusion(torch.tensor(masks), torch.tensor(labels), len(classes)).numpy()
        with np.errstate(invalid="ignore"):
            shares = 100 * counts / counts.sum(1, keepdims=True)
        _heat(axis, pd.DataFrame(shares, classes, classes), ".0f")
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("predicted", fontsize=9)
        axis.set_ylabel(
            "true class (row = 100 %)" if axis.get_subplotspec().is_first_col() else "", fontsize=9
        )
    return figure


def _panels(count: int, width: float, height: float) -> tuple[Figure, Sequence[Axes]]:
    """`count` panels of the same rows, side by side as far as the width allows."""
    across = min(count, max(1, int((WIDTH - 1.2) / (width + 0.2))))
    down = -(-count // across)
    figure, axes = plt.subplots(down, across, squeeze=False, layout="constrained",
                                figsize=((width + 0.2) * across + 1.2, height * down))  # fmt: skip
    for axis in axes.flat[count:]:
        axis.remove()
    return figure, axes.flat[:count]


def _heat(axis: Axes, table: pd.DataFrame, form: str) -> None:
    """Percents as numbers on grey; the names of the rows at the first panel of a line."""
    many = table.shape[1] > 15  # where a 0 in every cell would hide the rest
    text = table.map(lambda value: "" if many and value < 0.5 else format(value, form))
    sns.heatmap(table, ax=axis, cmap="Greys", vmin=0, vmax=100, annot=text, fmt="", cbar=False, linewidths=0.5,
                annot_kws={"fontsize": 6 if many else 8}, xticklabels=True,
                yticklabels=axis.get_subplotspec().is_first_col())  # fmt: skip
    for number in axis.texts:
        column, row = (int(place) for place in number.get_position())
        number.set_color(
            "black" if table.iloc[row, column] < 65 else "white"
        )  # where either is read equally well
    axis.tick_params(labelsize=8, length=0)
    axis.tick_params(axis="y", rotation=0)
    plt.setp(axis.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
    axis.spines[:].set(visible=True, linewidth=0.5, color="0.6")


def boundaries(
    predicted: Mapping[str, np.ndarray], labels: np.ndarray, classes: Sequence[str]
) -> Figure:
    """Pixel accuracy near a change of class (within 2 pixels) and away from it, and the share of
    wrong pixels against the distance to the nearest change, of each network.

    The distance is Euclidean, 1 for a pixel that touches another class; images of one class have
    none. The curve ends where 95 % of the pixels lie nearer.

    Raises:
        DataError: see `evaluation.dense.boundary_scores`.
    """
    truth = torch.tensor(labels)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, max(2.6, 0.32 * len(predicted) + 1.4)),
                                         layout="constrained")  # fmt: skip
    distance = _distances(truth)
    far = int(np.quantile(distance[distance > 0], 0.95)) if distance.any() else 0
    for place, (name, masks) in enumerate(predicted.items()):
        found = boundary_scores(torch.tensor(masks), truth, len(classes), NEAR)
        look = {"color": COLOURS[place % len(COLOURS)], "marker": MARKERS[place % len(MARKERS)]}
        left.plot(
            [found["near"], found["away"]], [place, place], color="0.7", linewidth=1, zorder=0
        )
        left.plot(found["near"], place, linestyle="", fillstyle="none", **look)
        left.plot(found["away"], place, linestyle="", **look)
        counts, wrong = (np.bincount(distance.ravel(), weights, far + 1)[1 : far + 1]
                         for weights in (None, np.not_equal(masks, labels).ravel()))  # fmt: skip
        places = np.flatnonzero(counts)
        right.plot(places + 1, 100 * wrong[places] / counts[places], label=name, ms=4, **look)
    left.set(xlabel="right pixels (%)", title=f"within {NEAR} pixels of a boundary (open) and away (filled)",
             yticks=range(len(predicted)), yticklabels=list(predicted), ylim=(len(predicted) - 0.5, -0.5))  # fmt: skip
    right.set(
        xlabel="distance to the nearest boundary (pixels)",
        ylabel="wrong pixels (%)",
        title="where errors lie",
    )
    right.set_ylim(bottom=0)
    right.xaxis.get_major_locator().set_params(integer=True)
    right.legend(frameon=False, fontsize=8)
    for axis in (left, right):
        axis.tick_params(labelsize=9)
        for text, size in ((axis.title, 10), (axis.xaxis.label, 9), (axis.yaxis.label, 9)):
            text.set_size(size)
    return figure


def _distances(labels: Tensor) -> np.ndarray:
    """Rounded, [n, H, W] from 1; 0 for pixels without a label, and in images without a change of
    class."""
    edges = boundary(labels, width=1).numpy()
    found = [
        1 + distance_transform_edt(~edge) if edge.any() else np.zeros(edge.shape) for edge in edges
    ]
    return np.where(labels == NO_LABEL, 0, np.rint(found)).astype(np.int64)


def class_ious(rows: pd.DataFrame) -> Figure:
    """The IoU of every class in percent by method, a panel for each modality; a mean where a cell
    has several rows.

    Args:
        rows: columns method, modality, class and iou; the order of methods, modalities and classes
            is kept.

    Raises:
        RunError: no row.
    """
    if rows.empty:
        raise RunError("class_ious: no run of a dense method in this table; train one first")
    methods, modalities, classes = (
        list(dict.fromkeys(rows[name])) for name in ("method", "modality", "class")
    )
    cell = min(0.6, 8 / len(classes))
    figure, axes = _panels(len(modalities), cell * len(classes), 0.3 * len(methods) + 1.2)
    for axis, modality in zip(axes, modalities, strict=True):
        part = rows[rows["modality"] == modality]
        table = part.pivot_table("iou", "method", "class", "mean").reindex(
            index=methods, columns=classes
        )
        _heat(axis, table, ".1f" if len(classes) <= 15 else ".0f")
        axis.set(xlabel="", ylabel="")
        axis.set_title(modality, fontsize=10)
    figure.supxlabel("IoU of each class in %", fontsize=9)
    return figure
