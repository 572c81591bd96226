"""What no loader lets through; each check names the place, the value and the way out."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from discom.errors import DataError
from discom.files import chunks

__all__ = ["NO_LABEL", "check_classes", "check_data", "check_images", "check_labelled", "check_labels", "check_masks",
           "check_rows"]  # fmt: skip

NO_LABEL = 255  # in a mask: void, border, unknown


def check_images(images: Any, where: str) -> None:
    """Refuse anything but a real-valued [N, C, H, W] array without NaN and infinity.

    Raises:
        DataError: naming `where`, and the sample and band of the first value that is not finite.
    """
    if images.ndim != 4 or images.dtype.kind not in "fiu":
        raise DataError(
            f"{where}: holds {images.dtype} of shape {tuple(images.shape)}; needed are numbers of shape [N, C, H, W]"
        )
    for rows in chunks(images) if images.dtype.kind == "f" else ():
        part = images[rows]
        if not np.isfinite(part).all():
            sample, band, row, column = np.argwhere(~np.isfinite(part))[0]
            value = part[sample, band, row, column]
            raise DataError(
                f"{where}: sample {rows.start + sample}, band {band} holds {value} at pixel ({row}, {column});"
                " fill or drop such samples first"
            )


def check_masks(masks: Any, classes: int, where: str) -> None:
    """Refuse masks that are missing or hold an id that is no class.

    An image without any label is allowed: it counts in no score and in no term that reads labels.

    Raises:
        DataError: naming `where`, and the sample, pixel and value of the first id that is out of
            range.
    """
    if masks is None:
        raise DataError(
            f"{where}: dense, but has no masks; give masks [N, H, W], uint8, 255 where there is no label"
        )
    for rows in chunks(masks):
        part = np.asarray(masks[rows])
        wrong = (part >= classes) & (part != NO_LABEL)
        if wrong.any():
            sample, row, column = np.argwhere(wrong)[0]
            raise DataError(
                f"{where}: mask of sample {rows.start + sample} holds {part[sample, row, column]} at pixel"
                f" ({row}, {column}); there are classes 0 … {classes - 1}, and 255 for no label"
            )


def check_labelled(masks: Any, where: str) -> None:
    """Refuse masks without a single label: nothing could be learned from them or scored on them.

    Raises:
        DataError: naming `where`.
    """
    if not any((np.asarray(masks[rows]) != NO_LABEL).any() for rows in chunks(masks)):
        raise DataError(
            f"{where}: no pixel of any mask has a label; check how the masks were read, or divide otherwise"
        )


def _size(images: Any) -> str:
    return "×".join(str(size) for size in images.shape[-2:])


def check_labels(labels: np.ndarray, count: int, classes: int | None, where: str) -> None:
    """Refuse labels that are not `count` whole numbers in [0, classes).

    Raises:
        DataError: another length, another type, or a value out of range.
    """
    if labels.shape != (count,):
        raise DataError(
            f"{where}: {labels.shape} labels for {count} samples; one label per sample is needed"
        )
    if labels.dtype.kind not in "iu":
        raise DataError(
            f"{where}: labels are {labels.dtype}, e.g. {labels[:1]}; save them as integers 0 … classes - 1"
        )
    if count and (labels.min() < 0 or (classes is not None and labels.max() >= classes)):
        if labels.min() < 0:
            raise DataError(f"{where}: label {labels.min()} is below 0; renumber them from 0 on")
        raise DataError(
            f"{where}: label {labels.max()} is above {classes - 1}, the last class; renumber or name it"
        )


def check_rows(parts: Mapping[str, np.ndarray], count: int, where: str) -> None:
    """Refuse index arrays that leave [0, count) or that share a sample.

    Raises:
        DataError: naming the part and the first wrong index.
    """
    owner: dict[int, str] = {}
    for part, rows in parts.items():
        if rows.dtype.kind not in "iu" or rows.ndim != 1:
            raise DataError(
                f"{where}/{part}: holds {rows.dtype} of shape {rows.shape}; whole row numbers needed"
            )
        outside = rows[(rows < 0) | (rows >= count)]
        if len(outside):
            raise DataError(
                f"{where}/{part}: index {outside[0]} is outside 0 … {count - 1}; make the split anew"
            )
        if not len(rows):
            raise DataError(
                f"{where}/{part}: is empty; every part needs samples, make the split anew"
            )
        for row in rows.tolist():
            if row in owner:
                raise DataError(
                    f"{where}/{part}: index {row} is in {owner[row]} already; a sample has one place"
                )
            owner[row] = part


def check_classes(labels: np.ndarray, classes: Sequence[str], where: str) -> None:
    """Refuse data that cannot be split into three parts by class.

    Raises:
        DataError: fewer than two classes with samples, or a class with fewer than three.
    """
    counts = np.bincount(labels, minlength=len(classes))
    if (counts > 0).sum() < 2:
        raise DataError(
            f"{where}: only class '{classes[counts.argmax()]}' has samples; two classes at least are needed"
        )
    for name, count in zip(classes, counts, strict=True):
        if count < 3:
            raise DataError(
                f"{where}: class '{name}' has {count} sample(s); three are needed, one for each part of a split:"
                " add samples or drop the class"
            )


def check_data(data: Any) -> None:
    """Refuse a MultiModalData whose arrays do not fit together.

    Raises:
        DataError: arrays of different length, labels out of range, an id twice, an id with two
            labels.
    """
    if not data.modalities:
        raise DataError(f"{data.name}: no modality; give at least one")
    kinds = {
        name: np.asarray(modality.ids).dtype.kind for name, modality in data.modalities.items()
    }
    if {"i", "u"} & set(kinds.values()) and {"U", "O"} & set(kinds.values()):
        raise DataError(
            f"{data.name}: ids are numbers and text ({kinds}), so none would pair; use one type"
        )
    for name, modality in data.modalities.items():
        where = f"{data.name}/{name}"
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise DataError(
                f"{where}: a modality's name is lower-case letters, digits and _; rename it"
            )
        check_labels(modality.y, len(modality.x), len(data.classes), where)
        if len(modality.ids) != len(modality.x):
            raise DataError(
                f"{where}: {len(modality.ids)} ids for {len(modality.x)} samples; give one id each"
            )
        if pd.Index(modality.ids).has_duplicates:
            twice = pd.Index(modality.ids)[pd.Index(modality.ids).duplicated()][0]
            raise DataError(
                f"{where}: id {str(twice)!r} stands twice; an id names one sample of a modality"
            )
        if (data.labels[data.rows_of(name)] != modality.y).any():
            wrong = modality.ids[np.argmax(data.labels[data.rows_of(name)] != modality.y)]
            raise DataError(
                f"{where}: id {str(wrong)!r} has another label in another modality; pairs share their class"
            )
    if data.dense and data.masks is not None:
        if data.masks.dtype != np.uint8:
            raise DataError(
                f"{data.name}: masks are {data.masks.dtype}; classes of pixels are uint8, 255 for no label"
            )
        for name, modality in data.modalities.items():
            if tuple(data.masks.shape[1:]) != tuple(modality.x.shape[2:]):
                raise DataError(
                    f"{data.name}/{name}: images are {_size(modality.x)} pixels, masks {_size(data.masks)};"
                    " bring them to one size, masks by nearest neighbour"
                )
    aligned = {**data.factors, "groups": data.groups, "masks": data.masks}
    for name, values in aligned.items():
        if values is not None and len(values) != len(data):
            raise DataError(
                f"{data.name}: {name} has {len(values)} entries for {len(data)} samples; align with ids"
            )
