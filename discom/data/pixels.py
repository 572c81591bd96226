"""Pixels and arrays: what no loader lets through. Each message names the place and the way out."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from discom.data.lazy_arrays import place_of
from discom.errors import ConfigError, DataError
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
    with np.errstate(over="ignore"):  # beyond the range of the type is infinite, and no pixel's
        holes = values == float(invalid)
        if values.dtype == np.float64 and np.isfinite(rounded := np.float32(invalid)):
            holes |= values.astype(np.float32) == rounded
    return holes


def holds(kind: np.dtype, value: float) -> bool:
    """Whether an array of this type, of real numbers, holds the value up to rounding.

    >>> holds(np.dtype("u1"), 255.0), holds(np.dtype("u1"), -1.0), holds(np.dtype("f4"), 1e39)
    (True, False, False)
    """
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return bool(np.isnan(value) or np.isfinite(kind.type(value)))
    least, most = np.iinfo(kind).min, np.iinfo(kind).max
    return math.isfinite(value) and least <= value <= most and value == round(value)


def check_invalid(where: str, value: float, kind: np.dtype) -> None:
    """Refuse a value of pixels that were not measured that the images' type cannot hold."""
    if not holds(kind, value):
        if kind.kind == "f":
            span = f"numbers from {np.finfo(kind).min:g} to {np.finfo(kind).max:g}"
        else:
            span = f"whole numbers from {np.iinfo(kind).min} to {np.iinfo(kind).max}"
        found = f"no pixel can be {value:g}, since {kind} holds {span}"
        raise ConfigError(f"{where}: invalid", found, "state the value that is stored, or none")


@dataclass
class Search:
    """A search for a pixel that is `invalid`: this is None once there is one, and until then `low`
    and `high` are the lowest and the highest value."""

    invalid: float | None
    low: float = math.inf
    high: float = -math.inf

    def look(self, values: np.ndarray) -> None:
        """Look for it in more values."""
        if self.invalid is None or is_unmeasured(values, self.invalid).any():
            self.invalid = None
        elif (finite := values[np.isfinite(values)]).size:
            self.low = min(self.low, float(finite.min()))
            self.high = max(self.high, float(finite.max()))


def warn_of_absent(where: str, invalid: float, low: float, high: float) -> None:
    """Warn of a value of pixels that were not measured that no pixel has."""
    found = f"no pixel is {invalid:g}, which was stated as invalid"
    advice = f"find the one that means 'not measured' among {low:g} … {high:g}"
    warnings.warn(f"{where}: {found}; {advice}", stacklevel=6)


def find_blank(images: Any) -> np.ndarray:
    """The rows of images [N, C, H, W], also on disk, of which each band has one value throughout.

    >>> find_blank(np.array([[[[3, 3]], [[0, 0]]], [[[3, 3]], [[0, 1]]]])).tolist()
    [0]
    """
    blank = np.zeros(len(images), bool)
    for rows in chunks(images):
        part = np.asarray(images[rows])
        blank[rows] = (part == part[:, :, :1, :1]).all(axis=(1, 2, 3))
    return np.flatnonzero(blank)


def count_pixels(masks: Any, classes: int) -> np.ndarray:
    """Pixels of every class in the masks [N, H, W], [N, classes], each mask read once."""
    return np.array([np.bincount(mask.ravel(), minlength=256)[:classes] for mask in masks])


def check_memory(place: str, needed: int, what: str, way_out: str) -> None:
    """Refuse what needs more bytes than the memory that is free, before the system ends the
    process."""
    free = psutil.virtual_memory().available
    if needed > free:
        sizes = f"{needed / 2**30:,.1f} GiB of memory, and {free / 2**30:,.1f} GiB are free"
        raise ConfigError(place, f"{what} need {sizes}", way_out)


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


def check_images(images: Any, data: Any, name: str) -> str:
    """`check_finite` of the images [N, C, H, W] of a modality, also on disk; warn of those without
    a measured pixel, and where none is `invalid`. The digest of all values, read once."""
    modality, where = data.modalities[name], f"{data.name}/{name}"
    place, invalid, blank = place_of(modality.x, where), modality.invalid, list[int]()
    # a part of a split may lack the value, and so may complete images whose tag states it; whoever
    # reads folders looks in the files themselves
    whole = not (data.normalization or "rules" in data.about or "source" in data.about)
    search = Search(invalid if whole else None)

    def check(part: np.ndarray, first: int) -> None:
        check_finite(part, place, first)
        if invalid is not None:
            unmeasured = is_unmeasured(part, invalid).all(axis=(1, 2, 3))
            blank.extend(first + np.flatnonzero(unmeasured))
            search.look(part)

    digits = _digest(images, check)
    if blank:
        names = "', '".join(map(str, modality.ids[blank[:3]]))
        found = f"{len(blank)} of {len(images)} images have no measured pixel, such as '{names}'"
        advice = "leave them out, or scores count an empty image"
        warnings.warn(f"{where}: {found}; {advice}", stacklevel=4)
    if search.invalid is not None and len(images):
        warn_of_absent(where, search.invalid, search.low, search.high)
    return digits


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
    where, classes = place_of(data.masks, f"{data.name}/masks"), len(data.classes)
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
