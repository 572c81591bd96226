"""Scores of class ids: confusion, intersection over union, and pixel accuracy near boundaries.

Letters: N images, H x W pixels, C classes. `predicted` and `labels` are class ids [N, H, W], uint8
or int64, in [0, C). A label of 255 (`NO_LABEL`) is no label: no score counts that pixel. A class is
present where at least one pixel has its label; an absent class has no score. Every function raises
a DataError for shapes that differ and for an id that is no class.
"""

from collections.abc import Sequence
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.classification import multiclass_confusion_matrix

from discom.data.checks import NO_LABEL
from discom.errors import DataError

__all__ = [
    "boundary",
    "boundary_scores",
    "class_iou",
    "confusion",
    "dense_scores",
    "mean_iou",
    "mean_iou_per_image",
]

PIECE = 1 << 22  # pixels counted at once, so that no large copy of all masks is made


def confusion(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Counts [C, C], int64, of images or pixels: row the true class, column the predicted one.

    >>> confusion(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 255]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    _check(predicted, labels, classes)
    pieces = zip(predicted.flatten().split(PIECE), labels.flatten().split(PIECE), strict=True)
    return torch.stack([_count(*piece, classes) for piece in pieces]).sum(0)


def _count(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    return multiclass_confusion_matrix(
        predicted, labels, num_classes=classes, ignore_index=NO_LABEL, validate_args=False
    )


def _check(predicted: Tensor, labels: Tensor, classes: int) -> None:
    """Checked here and not by torchmetrics, which sorts all pixels to see which ids there are."""
    if predicted.shape != labels.shape:
        shapes = f"predictions {list(predicted.shape)}, labels {list(labels.shape)}"
        raise DataError(f"scores: {shapes}; give both in one shape")
    bad_labels = (labels < 0) | (labels >= classes) & (labels != NO_LABEL)
    bad_predictions = (predicted < 0) | (predicted >= classes)
    for name, ids, bad in (
        ("labels", labels, bad_labels),
        ("predictions", predicted, bad_predictions),
    ):
        if bad.any():
            way_out = f"give ids from 0 to {classes - 1}, in labels {NO_LABEL} for no label"
            raise DataError(f"scores: {name} hold the id {int(ids[bad][0])}; {way_out}")


def class_iou(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """IoU_c = 100 · TP_c / (TP_c + FP_c + FN_c) of every class, over the labelled pixels of all
    images together.

    Source: Pascal VOC (Everingham et al. 2010).

    Returns:
        [C], float32, 0 to 100. NaN for an absent class, also where it is predicted; those pixels
        count as misses of the classes they belong to.

    >>> truth = torch.tensor([[[0, 0, 1, 255]]])
    >>> class_iou(torch.tensor([[[0, 1, 1, 2]]]), truth, 3)  # 1 of 2, 1 of 2, absent
    tensor([50., 50., nan])
    """
    return _iou(confusion(predicted, labels, classes))


def _iou(counts: Tensor) -> Tensor:
    """Confusions [..., C, C] → IoU of every class in percent [..., C]; NaN where it is absent."""
    hits, pixels = counts.diagonal(dim1=-2, dim2=-1), counts.sum(-1)
    return (100 * hits / (pixels + counts.sum(-2) - hits)).where(pixels > 0, torch.nan)


def mean_iou(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """mIoU = mean of `class_iou` over the classes that are present. A scalar, 0 to 100.

    Raises:
        DataError: no pixel has a label.

    >>> truth = torch.tensor([[[0, 0, 1, 255]]])
    >>> mean_iou(torch.tensor([[[0, 1, 1, 2]]]), truth, 3).item()
    50.0
    """
    return _defined(class_iou(predicted, labels, classes).nanmean())


def _defined(score: Tensor) -> Tensor:
    """A mean over nothing is NaN."""
    if score.isnan():
        raise DataError("scores: no pixel of these images has a label; give images with masks")
    return score


def mean_iou_per_image(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Mean over images of each image's own mIoU, over the classes present in it. A scalar in
    percent.

    An image counts as much as any other; pooled (`mean_iou`), large objects outweigh small ones.
    Images without a label are left out. Source: Csurka et al. (2013).

    Raises:
        DataError: no pixel has a label.

    >>> truth = torch.tensor([[[0, 0, 0, 1]], [[1, 1, 1, 1]]])
    >>> predicted = torch.tensor([[[0, 0, 0, 0]], [[1, 1, 1, 1]]])
    >>> mean_iou_per_image(predicted, truth, 2).item()  # (3/4 + 0) / 2 = 37.5, and 100
    68.75
    """
    return _defined(_iou(_count_images(predicted, labels, classes)).nanmean(1).nanmean())


def _count_images(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The confusion of each image, [N, C, C]."""
    _check(predicted, labels, classes)
    return torch.stack([_count(p, y, classes) for p, y in zip(predicted, labels, strict=True)])


def dense_scores(predicted: Tensor, labels: Tensor, class_names: Sequence[str]) -> dict[str, float]:
    """Every score of a test part in percent: "miou", "miou_per_image", "accuracy" (share of the
    labelled pixels that are right) and "iou/<class>" of each class that is present.

    Raises:
        DataError: no pixel has a label.

    >>> truth = torch.tensor([[[0, 0, 1, 255]]])
    >>> dense_scores(torch.tensor([[[0, 1, 1, 2]]]), truth, ("grass", "crop", "water"))["iou/crop"]
    50.0
    """
    images = _count_images(predicted, labels, len(class_names))
    counts = images.sum(0)
    iou = _iou(counts)
    named = zip(class_names, iou.tolist(), iou.isnan().tolist(), strict=True)
    return {
        "miou": float(_defined(iou.nanmean())),
        "miou_per_image": float(_iou(images).nanmean(1).nanmean()),
        "accuracy": 100 * float(counts.trace() / counts.sum()),
        **{f"iou/{name}": value for name, value, absent in named if not absent},
    }


def boundary(labels: Tensor, width: int = 2) -> Tensor:
    """Whether a pixel lies within `width` ≥ 1 pixels of a change of class, [N, H, W], bool.

    A class changes where two of eight neighbours have different labels; both lie within 1 of it,
    and the distance grows by one a pixel in rows, columns and diagonals. Neither the border of an
    image nor a pixel without a label makes a change.

    >>> boundary(torch.tensor([[[0, 0, 0, 1, 1, 255, 0]]]), width=1).int().tolist()
    [[[0, 0, 1, 1, 0, 0, 0]]]
    """
    if labels.ndim != 3 or width < 1:
        raise DataError(
            f"boundary: labels {list(labels.shape)}, width {width}; give [N, H, W] and 1 or more"
        )
    height, breadth = labels.shape[1:]
    framed = F.pad(labels, (1, 1, 1, 1), value=NO_LABEL)
    touching = torch.zeros_like(labels, dtype=torch.bool)
    for down, right in product(range(3), repeat=2):
        neighbour = framed[:, down : down + height, right : right + breadth]
        touching |= (neighbour != labels) & (neighbour != NO_LABEL)
    touching &= labels != NO_LABEL
    reach = width - 1
    wide = F.max_pool2d(touching[:, None].float(), 2 * reach + 1, stride=1, padding=reach)
    return wide[:, 0] > 0


def boundary_scores(
    predicted: Tensor, labels: Tensor, classes: int, width: int = 2
) -> dict[str, float]:
    """Pixel accuracy in percent of the labelled pixels "near" a change of class (see `boundary`)
    and "away" from every one; NaN where there are no such pixels.

    Source: the trimap of Kohli et al. (2009).

    >>> truth = torch.tensor([[[0, 0, 0, 0, 1, 1, 1, 1]]])
    >>> boundary_scores(torch.tensor([[[0, 0, 0, 0, 0, 1, 1, 1]]]), truth, 2)
    {'near': 75.0, 'away': 100.0}
    """
    _check(predicted, labels, classes)
    near, right = boundary(labels, width), predicted == labels
    shares = {}
    for name, part in (("near", near), ("away", ~near)):
        counted = part & (labels != NO_LABEL)
        shares[name] = 100 * float((right & counted).sum() / counted.sum())
    return shares
