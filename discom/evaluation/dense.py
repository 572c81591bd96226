"""How well the pixels of images are told apart: intersection over union, pixel accuracy, and both
near boundaries.

Letters: N images, H x W pixels, C classes. `predicted` and `labels` are class ids [N, H, W], uint8
or int64, in [0, C); a label of 255 (`NO_LABEL`) says that nobody labelled this pixel, and no score
counts it, whatever was predicted there. Every score is in percent. A class is present where at
least one pixel has its label; a class that is not has no score.
"""

from collections.abc import Sequence
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_confusion_matrix,
    multiclass_jaccard_index,
)

from discom.data.checks import NO_LABEL
from discom.errors import DataError

__all__ = ["boundary", "boundary_scores", "class_iou", "confusion_pixels", "dense_scores", "mean_iou",
           "mean_iou_per_image"]  # fmt: skip


def class_iou(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """IoU_c = 100 · TP_c / (TP_c + FP_c + FN_c) of every class, over the labelled pixels of all
    images together.

    Source: the Jaccard index as torchmetrics computes it; pooled over images as in Pascal VOC
    (Everingham et al. 2010).

    Args:
        predicted, labels: [N, H, W]; see the module.
        classes: C.

    Returns:
        [C], float32, 0 to 100. NaN for a class without a labelled pixel, also when it is predicted:
        it could only have 0, however few pixels were taken for it. Those pixels do count, as misses
        of the classes they belong to.

    Raises:
        DataError: shapes that differ, or an id that is no class.

    >>> truth = torch.tensor([[[0, 0, 1, 255]]])
    >>> class_iou(torch.tensor([[[0, 1, 1, 2]]]), truth, 3)  # 1 of 2, 1 of 2, absent
    tensor([50., 50., nan])
    """
    _check(predicted, labels, classes)
    iou = multiclass_jaccard_index(
        predicted,
        labels,
        num_classes=classes,
        average="none",
        ignore_index=NO_LABEL,
        validate_args=False,
    )
    pixels = torch.bincount(labels.flatten(), minlength=NO_LABEL + 1)[:classes]
    return (100 * iou).where(pixels > 0, torch.nan)


def _check(predicted: Tensor, labels: Tensor, classes: int) -> None:
    """Checked here and not by torchmetrics, which sorts all pixels to see which ids there are."""
    if predicted.shape != labels.shape or labels.ndim != 3:
        raise DataError(
            f"scores: predictions {list(predicted.shape)} and labels {list(labels.shape)}; give both as [N, H, W]"
        )
    allowed = f"give ids from 0 to {classes - 1}"
    for name, ids, wrong in (
        ("predictions", predicted, (predicted < 0) | (predicted >= classes)),
        ("labels", labels, (labels < 0) | (labels >= classes) & (labels != NO_LABEL)),
    ):
        if wrong.any():
            more = f", and {NO_LABEL} for no label" if ids is labels else ""
            raise DataError(f"scores: {name} hold the id {int(ids[wrong][0])}; {allowed}{more}")


def mean_iou(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """mIoU = mean of IoU_c over the classes that are present; see `class_iou`. A scalar, 0 to 100.

    Raises:
        DataError: as `class_iou`, or no pixel has a label.

    >>> truth = torch.tensor([[[0, 0, 1, 255]]])
    >>> mean_iou(torch.tensor([[[0, 1, 1, 2]]]), truth, 3).item()
    50.0
    """
    return _labelled(class_iou(predicted, labels, classes).nanmean())


def _labelled(score: Tensor) -> Tensor:
    """A mean over nothing is NaN."""
    if score.isnan():
        raise DataError(
            "scores: no pixel of these images has a label; give images with masks, or leave them out"
        )
    return score


def mean_iou_per_image(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Mean over images of each image's own mIoU, over the classes present in it. A scalar, 0 to
    100.

    An image counts as much as any other, and a class weighs more where it is small; pooled
    (`mean_iou`), large objects outweigh small ones of their class. Source: image-level mIoU as
    discussed by Csurka et al. (2013).

    Args:
        predicted, labels: [N, H, W]; images without a label are left out.
        classes: C.

    Raises:
        DataError: as `mean_iou`.

    >>> truth = torch.tensor([[[0, 0, 0, 1]], [[1, 1, 1, 1]]])
    >>> said = torch.tensor([[[0, 0, 0, 0]], [[1, 1, 1, 1]]])
    >>> mean_iou_per_image(said, truth, 2).item()  # (3/4 + 0) / 2 = 37.5, and 100
    68.75
    >>> round(mean_iou(said, truth, 2).item(), 2)  # (3/4 + 4/5) / 2
    77.5
    """
    _check(predicted, labels, classes)
    count = len(labels) * classes**2
    image = torch.arange(len(labels), device=labels.device)[:, None, None]
    cell = (image * classes + labels) * classes + predicted  # [N, H, W]
    cell = cell.where(labels != NO_LABEL, count)  # one cell too many, for what is not counted
    confused = torch.bincount(cell.flatten(), minlength=count + 1)[:count].view(
        -1, classes, classes
    )  # [N, C, C]
    hits, pixels = confused.diagonal(dim1=1, dim2=2), confused.sum(2)  # [N, C]
    iou = (hits / (pixels + confused.sum(1) - hits)).where(pixels > 0, torch.nan)
    return _labelled(100 * iou.nanmean(1).nanmean())


def dense_scores(predicted: Tensor, labels: Tensor, class_names: Sequence[str]) -> dict[str, float]:
    """Every score of a test part: "miou", "miou_per_image", "accuracy" (share of the labelled
    pixels that are right) and "iou/<class>" of each class that is present; plain numbers, in
    percent.

    Raises:
        DataError: as `mean_iou`.

    >>> truth = torch.tensor([[[0, 0, 1, 255]]])
    >>> dense_scores(torch.tensor([[[0, 1, 1, 2]]]), truth, ("grass", "crop", "water"))["iou/crop"]
    50.0
    """
    iou = class_iou(predicted, labels, len(class_names))
    return {
        "miou": float(_labelled(iou.nanmean())),
        "miou_per_image": float(mean_iou_per_image(predicted, labels, len(class_names))),
        "accuracy": _accuracy(predicted, labels, labels != NO_LABEL),
        **{
            f"iou/{name}": value
            for name, value in zip(class_names, iou.tolist(), strict=True)
            if value == value
        },
    }


def _accuracy(predicted: Tensor, labels: Tensor, counted: Tensor) -> float:
    """Percent of the `counted` pixels [N, H, W], bool, that are right; sums, since picking pixels
    out is slow."""
    return 100 * float(((predicted == labels) & counted).sum() / counted.sum())


def confusion_pixels(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Labelled pixels of every class by what they were taken for: [C, C], int64, row the truth,
    column the prediction.

    Raises:
        DataError: as `class_iou`.

    >>> confusion_pixels(torch.tensor([[[0, 1, 1, 1]]]), torch.tensor([[[0, 0, 1, 255]]]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    _check(predicted, labels, classes)
    return multiclass_confusion_matrix(
        predicted, labels, num_classes=classes, ignore_index=NO_LABEL, validate_args=False
    )


def boundary(labels: Tensor, width: int = 2) -> Tensor:
    """Whether a pixel lies within `width` pixels of a change of class, [N, H, W], bool.

    A class changes where two touching pixels (of a pixel's eight neighbours) have different labels:
    both then lie within 1 of it, and the distance grows by one a pixel in rows, columns and
    diagonals. The border of an image is no change, nor is one to or from a pixel without a label;
    such a pixel may itself lie near a change between others.

    Args:
        labels: [N, H, W], uint8 or int64.
        width: ≥ 1.

    Raises:
        DataError: no [N, H, W], or a width below 1.

    >>> boundary(torch.tensor([[[0, 0, 0, 1, 1, 255, 0]]]), width=1).int().tolist()
    [[[0, 0, 1, 1, 0, 0, 0]]]
    """
    if labels.ndim != 3 or width < 1:
        raise DataError(
            f"boundary: labels {list(labels.shape)}, width {width}; give [N, H, W] and a width from 1"
        )
    height, breadth = labels.shape[1:]
    framed = F.pad(labels, (1, 1, 1, 1), value=NO_LABEL)
    touching = torch.zeros_like(labels, dtype=torch.bool)
    for down, right in product(range(3), repeat=2):
        neighbour = framed[:, down : down + height, right : right + breadth]
        touching |= (neighbour != labels) & (neighbour != NO_LABEL)
    touching &= labels != NO_LABEL
    wide = F.max_pool2d(
        touching[:, None].float(), 2 * width - 1, stride=1, padding=width - 1
    )  # width - 1 to each side
    return wide[:, 0] > 0


def boundary_scores(
    predicted: Tensor, labels: Tensor, classes: int, width: int = 2
) -> dict[str, float]:
    """Pixel accuracy in percent of the labelled pixels "near" a change of class and "away" from
    every one.

    Near is within `width` pixels, see `boundary`; NaN where there are no such pixels. Source: the
    trimap of Kohli et al. (2009), which follows the score near boundaries as their width grows.

    Raises:
        DataError: as `class_iou` and `boundary`.

    >>> truth = torch.tensor([[[0, 0, 0, 0, 1, 1, 1, 1]]])
    >>> boundary_scores(torch.tensor([[[0, 0, 0, 0, 0, 1, 1, 1]]]), truth, 2)
    {'near': 75.0, 'away': 100.0}
    """
    _check(predicted, labels, classes)
    near, known = boundary(labels.to(torch.uint8), width), labels != NO_LABEL
    return {
        name: _accuracy(predicted, labels, part & known)
        for name, part in (("near", near), ("away", ~near))
    }
