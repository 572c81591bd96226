"""Pixels and arrays: what no loader lets through. Each message names the place and the way out."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from discom.errors import DataError
from discom.files import chunks, digest
from discom.labels import NO_LABEL, UNLABELLED

KINDS = {"iu": "whole numbers", "iuU": "whole numbers or text"}
KINDS |= {"fiu": "numbers", "biufU": "numbers or text"}
IMAGES = ("fiu", "N", "C", "H", "W")  # the kinds and the shape of images


def is_unmeasured(values: np.ndarray, invalid: float) -> np.ndarray:
    """Where the values are `invalid`, that of pixels that were not measured; as in GDAL also after
    rounding to float32, which the pixels of many a float64 file were once.

    >>> is_unmeasured(np.array([-3.3999999521443642e38, 0.0]), -3.4e38).tolist()
    [True, False]
    """
    holes = values == float(invalid)
    with np.errstate(over="ignore"):
        if values.dtype == np.float64 and np.isfinite(rounded := np.float32(invalid)):
            holes |= values.astype(np.float32) == rounded
    return holes


def check_array(values: Any, where: str, kinds: str, *shape: int | str) -> None:
    """Refuse anything but an array, in memory or on disk, of these kinds (NumPy's letters; objects
    that are text are "U") and this shape, where a letter stands for any length."""
    needed = f"give {KINDS[kinds]} of shape [{', '.join(map(str, shape))}]"
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    # a column of a table takes rows by an index of its own, and a masked array loses its mask
    column = len(shape) == 1 and not isinstance(values, np.ndarray)
    if not kind or column or isinstance(values, np.ma.MaskedArray):
        raise DataError(where, f"is no plain array but a {type(values).__name__}", needed)
    if kind == "O" and all(isinstance(value, str) for value in values.flat):
        kind = "U"
    form = tuple(values.shape)
    same = [isinstance(n, str) or n == m for n, m in zip(shape, form, strict=False)]
    if kind not in kinds or len(form) != len(shape) or not all(same) or 0 in form[1:]:
        raise DataError(where, f"holds {values.dtype} of shape {form}", needed)


def check_images(images: Any, where: str) -> str:
    """`check_finite` of images [N, C, H, W], also on disk; the digest of all values, read once."""
    return _digest(images, lambda part, first: check_finite(part, where, first))


def check_finite(images: np.ndarray, where: str, first: int = 0) -> None:
    """Refuse anything but finite numbers [N, C, H, W], the samples from number `first` on."""
    check_array(images, where, *IMAGES)
    if images.dtype.kind == "f" and not (finite := np.isfinite(images)).all():
        sample = first + (~finite).any(axis=(1, 2, 3)).argmax()
        found = f"sample {sample} holds NaN or infinity"
        raise DataError(where, found, "fill or drop such samples first")


def check_masks(masks: Any, data: Any) -> str:
    """Refuse masks [N, H, W] of dense data with an id of no class, and one without any label where
    the image's is not -1; warn of a class without a pixel. The digest of all values, read once."""
    where, classes = f"{data.name}/masks", len(data.classes)
    pixels = np.zeros(256, int)  # of each id

    def check(part: np.ndarray, first: int) -> None:
        if (wrong := (part >= classes) & (part != NO_LABEL)).any():
            found = f"sample {first + wrong.any(axis=(1, 2)).argmax()} holds {part[wrong][0]}"
            way_out = f"use classes 0 … {classes - 1}, or {NO_LABEL} for no label"
            raise DataError(where, found, way_out)
        has_label = data.labels[first : first + len(part)] != UNLABELLED
        if (empty := has_label & (part == NO_LABEL).all(axis=(1, 2))).any():
            sample = f"sample {first + empty.argmax()} is {NO_LABEL} throughout"
            raise DataError(where, f"{sample}, but its y is a class", "set its y to -1")
        pixels[:] += np.bincount(part.ravel(), minlength=256)

    name = _digest(masks, check)
    if len(empty := np.flatnonzero(pixels[:classes] == 0)):
        found = f"no pixel is of class '{data.classes[empty[0]]}'"
        warnings.warn(f"{where}: {found}; {NO_LABEL} is 'no label'", stacklevel=4)
    return name


def _digest(array: Any, check: Callable) -> str:
    """The digest of all values, each part of them checked when it is read."""
    digests = []
    for rows in chunks(array):
        part = np.asarray(array[rows])
        check(part, rows.start)
        digests.append(digest(part))
    return digest(digests)
