"""Scores of class ids: confusion, intersection over union, and pixel accuracy near boundaries.

Letters: N images, H x W pixels, C classes. `predicted` and `labels` are class ids [N, H, W], uint8
or int64, in [0, C). A label of 255 (`NO_LABEL`) is no label: no score counts that pixel. A class is
present where at least one pixel has its label; an absent class has no score. Every function raises
a DataError for shapes that differ and for an id that is no class.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.classification import multiclass_confusion_matrix

from discom.data.checks import NO_LABEL
from discom.errors import DataError

__all__ = ["boundary", "boundary_scores", "class_iou", "confusion", "dense_scores", "mean_iou"]
__all__ += ["mean_iou_per_image"]


def confusion(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Counts [C, C], int64, of images or pixels: row the true class, column the predicted one.

    >>> confusion(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 255]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    _check(predicted, labels, classes)
    images, truth = torch.atleast_2d(predicted, labels)
    return _count_images(images, truth, classes).sum(0)


def _count_images(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The confusion of each image, [N, C, C]; one at a time, since torchmetrics copies pixels."""
    counts = [
        multiclass_confusion_matrix(*pair, classes, ignore_index=NO_LABEL, validate_args=False)
        for pair in zip(predicted, labels, strict=True)
    ]
    return torch.stack(counts)


def _check(predicted: Tensor, labels: Tensor, classes: int) -> None:
    """Checked here and not by torchmetrics, which sorts all pixels to see which ids there are."""
    if predicted.shape != labels.shape:
        shapes = f"predictions {list(predicted.shape)}, labels {list(labels.shape)}"
        raise DataError(f"scores: {shapes}; give both in one shape")
    for name, ids in (("labels", labels), ("predictions", predicted)):
        bad = (ids < 0) | (ids >= classes)
        if name == "labels":
            bad &= ids != NO_LABEL
        if bad.any():
            way_out = f"give ids from 0 to {classes - 1}, in labels {NO_LABEL} for no label"
            raise DataError(f"scores: {name} hold the id {int(ids[bad][0])}; {way_out}")


def class_iou(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """IoU_c = 100 · TP_c / (TP_c + FP_c + FN_c) over the labelled pixels of all images together.

    Source: Pascal VOC (Everingham et al. 2010).

    Returns:
        [C], float32, 0 to 100; NaN for an absent class, even where it is predicted.

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
    """Mean over images of each image's own mIoU, in percent; images without a label are left out.

    Every image counts alike; pooled (`mean_iou`), large objects outweigh small ones. Source: Csurka
    et al. (2013).

    Raises:
        DataError: no pixel has a label.

    >>> truth = torch.tensor([[[0, 0, 0, 1]], [[1, 1, 1, 1]]])
    >>> predicted = torch.tensor([[[0, 0, 0, 0]], [[1, 1, 1, 1]]])
    >>> mean_iou_per_image(predicted, truth, 2).item()  # (3/4 + 0) / 2 = 37.5, and 100
    68.75
    """
    _check(predicted, labels, classes)
    return _defined(_iou(_count_images(predicted, labels, classes)).nanmean(1).nanmean())


def dense_scores(predicted: Tensor, labels: Tensor, class_names: Sequence[str]) -> dict[str, float]:
    """Every score of a test part in percent: "miou", "miou_per_image", "accuracy" (share of the
    labelled pixels that are right) and "iou/<class>" of each class that is present.

    Raises:
        DataError: no pixel has a label.

    >>> truth = torch.tensor([[[0, 0, 1, 255]]])
    >>> dense_scores(torch.tensor([[[0, 1, 1, 2]]]), truth, ("grass", "crop", "water"))["iou/crop"]
    50.0
    """
    _check(predicted, labels, len(class_names))
    images = _count_images(predicted, labels, len(class_names))
    counts = images.sum(0)
    iou = _iou(counts)
    classes = zip(class_names, iou.tolist(), strict=True)
    return {
        "miou": float(_defined(iou.nanmean())),
        "miou_per_image": float(_iou(images).nanmean(1).nanmean()),
        "accuracy": 100 * float(counts.trace() / counts.sum()),
        **{f"iou/{name}": value for name, value in classes if not math.isnan(value)},
    }


def boundary(labels: Tensor, width: int = 2) -> Tensor:
    """Whether a pixel lies within `width` ≥ 1 pixels of a change of class, [N, H, W], bool.

    Two of eight neighbours with different labels both lie within 1 of a change; the distance grows
    by one a pixel in rows, columns and diagonals. Image borders and missing labels are no change.

    >>> boundary(torch.tensor([[[0, 0, 0, 1, 1, 255, 0]]]), width=1).int().tolist()
    [[[0, 0, 1, 1, 0, 0, 0]]]
    """
    if labels.ndim != 3 or width < 1:
        values = f"labels {list(labels.shape)}, width {width}"
        raise DataError(f"boundary: {values}; give [N, H, W] and 1 or more")
    labelled, ids = labels != NO_LABEL, labels.float()
    highest, lowest = (
        sign * F.max_pool2d((sign * ids).where(labelled, -torch.inf), 3, stride=1, padding=1)
        for sign in (1, -1)
    )
    touching = labelled & (highest > lowest)
    near = F.max_pool2d(touching.float(), 2 * width - 1, stride=1, padding=width - 1)
    return near > 0


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
    near, labelled = boundary(labels, width), labels != NO_LABEL
    right = (predicted == labels).float()
    parts = {"near": near & labelled, "away": ~near & labelled}
    return {name: 100 * float(right[part].mean()) for name, part in parts.items()}
