"""What no loader lets through, and images at an odd level; each message names place and way out."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from discom.errors import DataError
from discom.files import chunks, digest

NO_LABEL = 255  # in a mask: void, border, unknown
UNLABELLED = -1  # the class of a sample without a label
LABEL_MORE = "label some, or divide the data anew"


def check_shape(images: Any, where: str) -> None:
    """Refuse anything but real numbers of shape [N, C, H, W]; no value is read."""
    if images.ndim != 4 or images.dtype.kind not in "fiu":
        what = f"holds {images.dtype} of shape {tuple(images.shape)}"
        raise DataError(f"{where}: {what}; give numbers of shape [N, C, H, W]")


def check_images(images: Any, where: str) -> str:
    """`check_finite` of images [N, C, H, W], also on disk; the digest of all values, read once."""
    check_shape(images, where)
    return _digest(images, partial(check_finite, where=where))


def check_finite(images: np.ndarray, where: str, first: int = 0) -> None:
    """Refuse anything but finite numbers [N, C, H, W], the samples from number `first` on."""
    check_shape(images, where)
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        _refuse(images, ~np.isfinite(images), first, where, "fill or drop such samples first")


def check_masks(masks: Any, classes: int, where: str, labels: np.ndarray) -> str:
    """Refuse masks [N, H, W] with an id of no class, and one without any label where `labels` [N]
    are not -1; the digest of all values, read once."""
    if masks is None:
        raise DataError(f"{where}: dense, but has no masks; give masks [N, H, W], uint8")
    advice = f"use classes 0 … {classes - 1}, or {NO_LABEL} for no label"

    def check(part: np.ndarray, first: int) -> None:
        wrong = (part >= classes) & (part != NO_LABEL)
        if wrong.any():
            _refuse(part, wrong, first, f"{where}/masks", advice)
        empty = (part == NO_LABEL).all(axis=(1, 2))
        known = empty & (labels[first : first + len(part)] != UNLABELLED)
        if known.any():
            sample = f"sample {first + known.argmax()} is {NO_LABEL} throughout"
            raise DataError(f"{where}/masks: {sample}, but its y is a class; set its y to -1")

    return _digest(masks, check)


def _digest(array: Any, check: Callable) -> str:
    """The digest of all values, each part of them checked when it is read; of a prepared file the
    one that was recorded when it was written, after the same checks."""
    if recorded := getattr(array, "digest", ""):
        return recorded
    digests = []
    for rows in chunks(array):
        part = np.asarray(array[rows])
        check(part, first=rows.start)
        digests.append(digest(part))
    return digest(digests)


def _refuse(part: np.ndarray, wrong: np.ndarray, first: int, where: str, advice: str) -> None:
    """Name the first wrong value."""
    sample, *place = np.argwhere(wrong)[0].tolist()
    band = f", band {place[0]}" if len(place) == 3 else ""
    pixel = f"pixel ({place[-2]}, {place[-1]})"
    what = f"sample {first + sample}{band} holds {part[(sample, *place)]} at {pixel}"
    raise DataError(f"{where}: {what}; {advice}")


def check_labelled(masks: Any, where: str) -> None:
    """Refuse masks without a single label: nothing could be learned from them or scored on them."""
    if not any((np.asarray(masks[rows]) != NO_LABEL).any() for rows in chunks(masks)):
        raise DataError(f"{where}: no pixel of any mask has a label; check how masks are read")


def check_labels(labels: np.ndarray, count: int, classes: int | None, where: str) -> None:
    """Refuse labels that are not `count` whole numbers in [0, classes), or `UNLABELLED`."""
    if labels.shape != (count,):
        raise DataError(f"{where}: {labels.shape} labels for {count} samples; give one for each")
    if labels.dtype.kind not in "iu":
        raise DataError(f"{where}: labels are {labels.dtype}; save them as integers from 0 on")
    if count and labels.min() < UNLABELLED:
        rule = "renumber them from 0 on, with -1 for no label"
        raise DataError(f"{where}: label {labels.min()} is below -1; {rule}")
    if count and classes is not None and labels.max() >= classes:
        highest = f"label {labels.max()} is above {classes - 1}, the last class"
        raise DataError(f"{where}: {highest}; renumber or name it")


def check_rows(parts: Mapping[str, np.ndarray], count: int, where: str) -> None:
    """Refuse index arrays that leave [0, count), are empty, or share a sample."""
    owner: dict[int, str] = {}
    for part, rows in parts.items():
        if rows.dtype.kind not in "iu" or rows.ndim != 1:
            what = f"holds {rows.dtype} of shape {rows.shape}"
            raise DataError(f"{where}/{part}: {what}; give whole row numbers")
        if not len(rows):
            raise DataError(f"{where}/{part}: is empty; every part needs samples")
        for row in rows.tolist():
            if not 0 <= row < count:
                raise DataError(f"{where}/{part}: index {row} is outside 0 … {count - 1}")
            if row in owner:
                twice = f"index {row} is in {owner[row]} already"
                raise DataError(f"{where}/{part}: {twice}; keep it in one part")
            owner[row] = part


def check_classes(data: Any) -> None:
    """Refuse a data set that has too few labels to be divided: two classes at least, and of each
    three samples. Where the split came with the data, a training part with unlabelled samples needs
    labels of every class."""
    labels, classes = data.labels, data.classes
    counts = np.bincount(labels[labels != UNLABELLED], minlength=len(classes))
    if (counts > 0).sum() < 2:
        only = ", ".join(np.array(classes)[counts > 0]) or "no class"
        raise DataError(f"{data.name}: has labels of {only}; two classes at least are needed")
    for name, count in zip(classes, counts, strict=True):
        if count < 3:
            few = f"class '{name}' has {count} labelled sample(s)"
            way_out = "a split needs three: add samples or drop the class"
            raise DataError(f"{data.name}: {few}; {way_out}")
    train = labels[data.parts["train"]] if data.parts else ()
    absent = np.setdiff1d(np.arange(len(classes)), train)
    if UNLABELLED in train and len(absent):
        lack = f"no training sample of class '{classes[absent[0]]}' has a label"
        raise DataError(f"{data.name}: {lack}; {LABEL_MORE}")


def check_parts(data: Any, rows: Mapping[str, np.ndarray]) -> None:
    """Refuse a split (part → rows of `ids`) of which a part has no label of a modality."""
    for name in data.modalities:
        own = data.rows_of(name)
        for part, chosen in rows.items():
            if not (data.labels[np.intersect1d(own, chosen)] >= 0).any():
                lack = f"no sample of the {part} part has a label"
                raise DataError(f"{data.name}/{name}: {lack}; {LABEL_MORE}")


def check_data(data: Any) -> None:
    """Refuse a MultiModalData with arrays of different length, labels out of range, an id twice, an
    id with two labels, or masks of another size than the images."""
    if not data.modalities:
        raise DataError(f"{data.name}: no modality; give at least one")
    kinds = {np.asarray(m.ids).dtype.kind in "iu" for m in data.modalities.values()}
    if len(kinds) > 1:
        raise DataError(f"{data.name}: some ids are numbers, some are text; use one type")
    for name, modality in data.modalities.items():
        _check_modality(data, name, modality)
    if data.dense and data.masks is not None:
        _check_mask_sizes(data)
    for name, values in {**data.factors, "groups": data.groups, "masks": data.masks}.items():
        if values is not None and len(values) != len(data):
            counts = f"{len(values)} entries for {len(data)} samples"
            raise DataError(f"{data.name}: {name} has {counts}; align with ids")


def _check_modality(data: Any, name: str, modality: Any) -> None:
    where, ids = f"{data.name}/{name}", pd.Index(modality.ids)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        rule = "a modality's name is lower-case letters, digits and _"
        raise DataError(f"{where}: {rule}; rename it")
    check_labels(modality.y, len(modality.x), len(data.classes), where)
    if len(ids) != len(modality.x):
        raise DataError(f"{where}: {len(ids)} ids for {len(modality.x)} samples; give one for each")
    if ids.has_duplicates:
        twice = str(ids[ids.duplicated()][0])
        raise DataError(f"{where}: id {twice!r} occurs twice; give each sample its own id")
    differs = data.labels[data.rows_of(name)] != modality.y
    if differs.any():
        other = f"id {str(ids[differs.argmax()])!r} has another label in another modality"
        raise DataError(f"{where}: {other}; pairs share their class")


def _check_mask_sizes(data: Any) -> None:
    if data.masks.dtype != np.uint8:
        raise DataError(f"{data.name}: masks are {data.masks.dtype}; save them as uint8")
    for name, modality in data.modalities.items():
        if tuple(data.masks.shape[1:]) != tuple(modality.x.shape[2:]):
            images, masks = ("×".join(map(str, a.shape[-2:])) for a in (modality.x, data.masks))
            sizes = f"images are {images} pixels, masks {masks}"
            raise DataError(f"{data.name}/{name}: {sizes}; resize masks by nearest neighbour")


def odd_levels(modality: Any, factor: float = 100.0) -> np.ndarray:
    """Rows of the images whose level, the 98th percentile of |x| over measured pixels, differs from
    the median level by more than `factor`, either way: metres among millimetres, 8-bit files among
    16-bit ones, images of which nothing was measured. Values on both sides of 0, such as relief,
    may be as small as they like."""
    levels, bounds = [], []
    for rows in chunks(modality.x):
        for image in modality.x[rows]:
            measured = image if modality.invalid is None else image[image != modality.invalid]
            levels.append(np.percentile(np.abs(measured), 98) if measured.size else 0.0)
            bounds.append(np.percentile(measured, (2, 98)) if measured.size else (0.0, 0.0))
    usual, (low, high) = np.median(levels), np.median(bounds, axis=0)
    small = (np.array(levels) * factor < usual) & (not low < 0 < high)
    return np.flatnonzero(small | (levels > usual * factor))
