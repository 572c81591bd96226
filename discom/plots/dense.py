"""What networks say of every pixel, and where they are wrong.

Letters: n images, H x W pixels. Masks are class ids [n, H, W]; 255 is no label, which is drawn
light grey and counted nowhere. `predicted` names networks, "rgb+depth" one that sees both.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.figure import Figure
from scipy.ndimage import distance_transform_edt

from discom.data.checks import NO_LABEL
from discom.evaluation.dense import boundary, boundary_scores, confusion
from discom.plots.look import NOTHING, class_colours, class_legend, look, panels, show

__all__ = ["boundaries", "pixel_confusions", "predictions"]

WIDTH = 11.0  # of a notebook's output, in inches
NEAR = 2  # pixels on both sides of a change of class
Masks = Mapping[str, np.ndarray]


def predictions(
    images: Masks,
    labels: np.ndarray,
    predicted: Masks,
    classes: Sequence[str],
    titles: Sequence[str] | None = None,
) -> Figure:
    """A row for each image: what each sensor sees, the truth, and of each network its prediction
    and its errors (black), with the share of the labelled pixels that are wrong.

    Args:
        images: modality → [n, C, H, W] in [0, 1]; three to six images can be read.
        labels: [n, H, W].
        predicted: network → [n, H, W].
        classes: names; their colours are those of `pairs`.
        titles: of the images, at their left.
    """
    heads = [*(f"{name}\nimage" for name in images), "truth"]
    heads += [f"{name}\n{what}" for name in predicted for what in ("prediction", "errors")]
    side = min(1.3, WIDTH / len(heads))
    size = (side * len(heads) + 0.2, (side + 0.14) * len(labels) + 0.7)
    figure, axes = panels(len(labels), len(heads), *size)
    figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.04, wspace=0, hspace=0)
    palette = class_colours(len(classes))
    for row, (axis_row, truth) in enumerate(zip(axes, labels, strict=True)):
        seen = truth != NO_LABEL
        pictures = [view[row] for view in images.values()] + [palette[truth].transpose(2, 0, 1)]
        for masks in predicted.values():
            wrong = seen & (masks[row] != truth)
            errors = np.where(wrong, 0, np.where(seen, 1, NOTHING))
            pictures += [palette[masks[row]].transpose(2, 0, 1), errors[None]]
            share = f"{100 * wrong.sum() / seen.sum():.1f} % wrong" if seen.any() else "no label"
            axis_row[len(pictures) - 1].set_xlabel(share, fontsize=7, labelpad=2)
        for axis, picture in zip(axis_row, pictures, strict=True):
            show(axis, picture)
        axis_row[0].set_ylabel("" if titles is None else titles[row], fontsize=8)
    for axis, head in zip(axes[0], heads, strict=True):
        axis.set_title(head, fontsize=8)
    ids = np.unique([labels, *predicted.values()])
    unlabelled = {"no label": np.full(3, NOTHING)} if NO_LABEL in ids else {}
    class_legend(figure, ids, classes, {"wrong": np.zeros(3), **unlabelled})
    return figure


def pixel_confusions(
    predicted: Masks, labels: np.ndarray | Masks, classes: Sequence[str]
) -> Figure:
    """What the pixels (or images) of each class are taken for, in percent of the class: a map for
    each network; the row of a class without a label is empty.

    Args:
        predicted: network → class ids in the shape of `labels`.
        labels: of pixels [n, H, W] or images [n]; or network → its own.
        classes: names.

    Raises:
        DataError: an id that is no class, or masks of another shape.
    """
    side = min(0.45 * len(classes), 8)
    across = min(len(predicted), max(1, int((WIDTH - 1.2) / (side + 0.2))))
    down = -(-len(predicted) // across)
    figure, axes = panels(down, across, (side + 0.2) * across + 1.2, (side + 1) * down)
    many = len(classes) > 15  # where a 0 in every cell would hide the rest
    for axis, (name, ids) in zip(axes.flat, predicted.items(), strict=False):
        truth = torch.tensor(labels[name] if isinstance(labels, Mapping) else labels)
        counts = confusion(torch.tensor(ids), truth, len(classes)).numpy()
        with np.errstate(invalid="ignore"):
            shares = pd.DataFrame(100 * counts / counts.sum(1, keepdims=True), classes, classes)
        text = shares.map(lambda value: "" if many and value < 0.5 else f"{value:.0f}")
        first = axis.get_subplotspec().is_first_col()
        labelled = {"annot": text, "fmt": "", "annot_kws": {"fontsize": 6 if many else 8}}
        grey = {"cmap": "Greys", "vmin": 0, "vmax": 100, "cbar": False, "linewidths": 0.5}
        sns.heatmap(shares, ax=axis, xticklabels=True, yticklabels=first, **labelled, **grey)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("predicted", fontsize=9)
        axis.set_ylabel("true class (row = 100 %)" if first else "", fontsize=9)
        axis.tick_params(labelsize=8, length=0)
        axis.tick_params(axis="y", rotation=0)
        plt.setp(axis.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
    for axis in axes.flat[len(predicted) :]:
        axis.remove()
    return figure


def boundaries(predicted: Masks, labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Pixel accuracy within 2 pixels of a change of class and away from it, and the share of wrong
    pixels against the distance to the nearest change, of each network.

    The distance is Euclidean, 1 for a pixel that touches another class; images of one class have
    none. The curve ends where 95 % of the pixels lie nearer.

    Raises:
        DataError: an id that is no class, or masks of another shape.
    """
    figure, ((left, right),) = panels(1, 2, 9.5, max(2.6, 0.32 * len(predicted) + 1.4))
    truth, distance = torch.tensor(labels), _distances(labels)
    far = int(np.quantile(distance[distance > 0], 0.95)) if distance.any() else 0
    for place, (name, masks) in enumerate(predicted.items()):
        scores = boundary_scores(torch.tensor(masks), truth, len(classes), NEAR)
        left.plot([scores["near"], scores["away"]], [place, place], color="0.7", lw=1, zorder=0)
        left.plot(scores["near"], place, linestyle="", fillstyle="none", **look(place))
        left.plot(scores["away"], place, linestyle="", **look(place))
        wrong = np.not_equal(masks, labels).ravel()
        total, errors = (
            np.bincount(distance.ravel(), weights, far + 1)[1 : far + 1]
            for weights in (None, wrong)
        )
        places = np.flatnonzero(total)
        shares = 100 * errors[places] / total[places]
        right.plot(places + 1, shares, label=name, ms=4, **look(place))
    title = f"within {NEAR} pixels of a boundary (open) and away (filled)"
    left.set(xlabel="right pixels (%)", yticks=range(len(predicted)), yticklabels=list(predicted))
    left.set_ylim(len(predicted) - 0.5, -0.5)
    left.set_title(title, fontsize=10)
    right.set(xlabel="distance to the nearest boundary (pixels)", ylabel="wrong pixels (%)")
    right.set_title("where errors lie", fontsize=10)
    right.set_ylim(bottom=0)
    right.xaxis.get_major_locator().set_params(integer=True)
    right.legend(frameon=False, fontsize=8)
    return figure


def _distances(labels: np.ndarray) -> np.ndarray:
    """Rounded, [n, H, W] from 1; 0 without a label, and in images without a change of class."""
    edges = boundary(torch.tensor(labels), width=1).numpy()
    distances = [1 + distance_transform_edt(~edge) if edge.any() else 0.0 * edge for edge in edges]
    return np.where(labels == NO_LABEL, 0, np.rint(distances)).astype(np.int64)
