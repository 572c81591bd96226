"""What no loader lets through, and images at an odd level; each message names place and way out."""

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from discom.errors import ConfigError, DataError
from discom.files import chunks, digest

PARTS = ("train", "valid", "test")
NO_LABEL = 255  # in a mask: void, border, unknown
UNLABELLED = -1  # the class of a sample without a label
KINDS = {"iu": "whole numbers", "iuU": "whole numbers or text"}
KINDS |= {"fiu": "numbers", "biufU": "numbers or text"}
IMAGES = ("fiu", "N", "C", "H", "W")  # the kinds and the shape of images
# what augmentation may do to a sensor → its motions are the multiples of this, see `turn`
MOTIONS = {"all": 1, "flip": 4, "none": 8}


def check_number(
    option: str, value: Any, least: float, most: float = math.inf, *, whole: bool = True
) -> None:
    """Raise a ConfigError unless the value is a (whole) number from `least` to `most`."""
    number = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
    if not (number and least <= value <= most and value < math.inf):
        span = f"from {least} to {most}" if most < math.inf else f"from {least} on"
        raise ConfigError(option, f"{value!r} is not a {'whole ' * whole}number {span}")


def check_size(size: Any) -> tuple[int, int]:
    """Height and width of one number of pixels for both, or of two (else a ConfigError)."""
    sides = size if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2:
        raise ConfigError("size", f"{size!r} has {len(sides)} sides", "give 64, or [height, width]")
    for side in sides:
        check_number("size", side, 1)
    return sides[0], sides[1]


def check_array(values: Any, where: str, kinds: str, *shape: int | str) -> None:
    """Refuse anything but an array, in memory or on disk, of these kinds (NumPy's letters; objects
    that are text are "U") and this shape, where a letter stands for any length."""
    needed = f"give {KINDS[kinds]} of shape [{', '.join(map(str, shape))}]"
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    # a column of a table has a type, too, but takes rows by an index of its own
    if not kind or (len(shape) == 1 and not isinstance(values, np.ndarray)):
        raise DataError(where, f"is no array but a {type(values).__name__}", needed)
    if kind == "O" and all(isinstance(value, str) for value in values.flat):
        kind = "U"
    form = tuple(values.shape)
    same = [isinstance(n, str) or n == m for n, m in zip(shape, form, strict=False)]
    if kind not in kinds or len(form) != len(shape) or not all(same) or 0 in form[1:]:
        raise DataError(where, f"holds {values.dtype} of shape {form}", needed)


def check_images(images: Any, where: str) -> str:
    """`check_finite` of images [N, C, H, W], also on disk; the digest of all values, read once."""
    return _digest(images, partial(check_finite, where=where))


def check_finite(images: np.ndarray, where: str, first: int = 0) -> None:
    """Refuse anything but finite numbers [N, C, H, W], the samples from number `first` on."""
    check_array(images, where, *IMAGES)
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        _refuse(images, ~np.isfinite(images), first, where, "fill or drop such samples first")


def check_masks(masks: Any, data: Any) -> str:
    """Refuse masks [N, H, W] of dense data with an id of no class, and one without any label where
    the image's is not -1; the digest of all values, read once."""
    if masks is None:
        raise DataError(data.name, "dense, but has no masks", "give masks [N, H, W], uint8")
    where, classes = f"{data.name}/masks", len(data.classes)
    advice = f"use classes 0 … {classes - 1}, or {NO_LABEL} for no label"

    def check(part: np.ndarray, first: int) -> None:
        wrong = (part >= classes) & (part != NO_LABEL)
        if wrong.any():
            _refuse(part, wrong, first, where, advice)
        known = data.labels[first : first + len(part)] != UNLABELLED
        if (empty := known & (part == NO_LABEL).all(axis=(1, 2))).any():
            sample = f"sample {first + empty.argmax()} is {NO_LABEL} throughout"
            raise DataError(where, f"{sample}, but its y is a class", "set its y to -1")

    return _digest(masks, check)


def _digest(array: Any, check: Callable) -> str:
    """The digest of all values, each part of them checked when it is read."""
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
    value, pixel = part[(sample, *place)], f"pixel ({place[-2]}, {place[-1]})"
    raise DataError(where, f"sample {first + sample}{band} holds {value} at {pixel}", advice)


def check_labels(labels: Any, count: int, classes: int | None, where: str) -> None:
    """Refuse labels that are not `count` whole numbers in [0, classes), or `UNLABELLED`."""
    check_array(labels, where, "iu", count)
    if count and labels.min() < UNLABELLED:
        rule = "renumber them from 0 on, with -1 for no label"
        raise DataError(where, f"label {labels.min()} is below -1", rule)
    if count and classes is not None and labels.max() >= classes:
        highest = f"label {labels.max()} is above {classes - 1}, the last class"
        raise DataError(where, highest, "renumber or name it")


def check_rows(parts: Mapping[str, Any], count: int, where: str) -> None:
    """Refuse index arrays that leave [0, count), are empty, or share a sample."""
    owner = np.full(count, "", object)
    for part, rows in parts.items():
        place = f"{where}/{part}"
        check_array(rows, place, "iu", "N")
        if not len(rows):
            raise DataError(place, "is empty", "every part needs samples")
        for row in rows.tolist():
            if not 0 <= row < count:
                raise DataError(place, f"index {row} is outside 0 … {count - 1}")
            if owner[row]:
                twice = f"index {row} is in {owner[row]} already"
                raise DataError(place, twice, "keep it in one part")
            owner[row] = part


def check_classes(data: Any) -> None:
    """Refuse a data set that has too few labels to be divided: two classes at least, of each three
    samples, and one of each in an official training part that has unlabelled ones."""
    labels, classes = data.labels, data.classes
    counts = np.bincount(labels[labels != UNLABELLED], minlength=len(classes))
    if (counts > 0).sum() < 2:
        only = ", ".join(np.array(classes)[counts > 0]) or "no class"
        raise DataError(data.name, f"has labels of {only}", "two classes at least are needed")
    for name, count in zip(classes, counts, strict=True):
        if count < 3:
            way_out = "a split needs three: add samples or drop the class"
            raise DataError(data.name, f"class '{name}' has {count} labelled sample(s)", way_out)
    train = labels[data.parts["train"]] if data.parts else labels
    absent = np.setdiff1d(np.arange(len(classes)), train)
    if UNLABELLED in train and 0 < len(absent) < len(classes):
        lack = f"no training sample of class '{classes[absent[0]]}' has a label"
        raise DataError(data.name, lack, "label some, or divide the data anew")


def check_parts(data: Any, rows: Mapping[str, np.ndarray]) -> None:
    """Refuse a split (part → rows of `ids`) of which a part has no label of a modality."""
    for name in data.modalities:
        own = data.rows_of(name)
        for part, chosen in rows.items():
            if not (data.labels[np.intersect1d(own, chosen)] >= 0).any():
                lack = f"no sample of the {part} part has a label"
                raise DataError(f"{data.name}/{name}", lack, "label some, or divide the data anew")


def check_data(data: Any) -> None:
    """Refuse a MultiModalData that would be misread: lists or tables in the place of arrays, arrays
    of other lengths, labels out of range, a class, an id or a row of `parts` twice, an id with two
    labels, or masks of another size than the images."""
    if not data.modalities:
        raise DataError(data.name, "no modality", "give at least one")
    words = {name for name in data.classes if isinstance(name, str)}
    if isinstance(data.classes, str) or not 0 < len(words) == len(data.classes):
        way_out = "name each class once, in a tuple of texts"
        raise DataError(data.name, f"classes are {data.classes!r}", way_out)
    for name, modality in data.modalities.items():
        _check_modality(f"{data.name}/{name}", name, modality, len(data.classes))
    if len({m.ids.dtype.kind in "iu" for m in data.modalities.values()}) > 1:
        raise DataError(data.name, "some ids are numbers, some are text", "use one type")
    masked = data.masks is not None
    if masked:
        check_array(data.masks, f"{data.name}/masks", "biufU", len(data), "H", "W")
    if masked and data.dense and data.masks.dtype != np.uint8:
        raise DataError(data.name, f"masks are {data.masks.dtype}", "save them as uint8")
    for name, modality in data.modalities.items():
        place = f"{data.name}/{name}"
        if (differs := data.labels[data.rows_of(name)] != modality.y).any():
            other = f"id {str(modality.ids[differs.argmax()])!r} has another label"
            raise DataError(place, f"{other} in another modality", "pairs share their class")
        images = modality.x.shape[2:]
        if masked and data.dense and tuple(data.masks.shape[1:]) != tuple(images):
            sizes = ["×".join(map(str, size)) for size in (images, data.masks.shape[1:])]
            found = "images are {} pixels, masks {}".format(*sizes)
            raise DataError(place, found, "resize masks by nearest neighbour")
    for name, values in data.factors.items():
        check_array(values, f"{data.name}/{name}", "biufU", len(data))
    if data.groups is not None:
        check_array(data.groups, f"{data.name}/groups", "iuU", len(data))
    if data.parts is not None:
        if set(data.parts) != set(PARTS):
            raise DataError(data.name, f"parts are {[*data.parts]}", f"give {', '.join(PARTS)}")
        check_rows(data.parts, len(data), data.name)


def _check_modality(where: str, name: str, modality: Any, classes: int) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise DataError(where, "a modality's name is lower-case letters, digits and _", "rename it")
    check_array(modality.x, where, *IMAGES)
    _, bands, height, width = modality.x.shape
    if width <= 4 and min(bands, height) >= 8:  # [N, H, W, C]: no sensor is four pixels wide
        found = f"would be {bands} bands of {height}×{width} pixels"
        raise DataError(where, found, "bring the bands to the front: np.moveaxis(x, 3, 1)")
    if modality.motions not in MOTIONS:
        raise DataError(where, f"motions {modality.motions!r}", f"write {', '.join(MOTIONS)}")
    check_labels(modality.y, len(modality.x), classes, f"{where}/y")
    check_array(modality.ids, f"{where}/ids", "iuU", len(modality.x))
    if not isinstance(modality.unit, str):
        raise DataError(where, f"unit {modality.unit!r} is no text", 'write e.g. "mm"')
    hole = modality.invalid
    number = isinstance(hole, int | float) and not isinstance(hole, bool)
    if hole is not None and not (number and math.isfinite(hole)):
        raise DataError(where, f"invalid {hole!r} is no number", "write e.g. 0, or leave it out")
    if (ids := pd.Index(modality.ids)).has_duplicates:
        twice = str(ids[ids.duplicated()][0])
        raise DataError(where, f"id {twice!r} occurs twice", "give each sample its own id")


def odd_values(modality: Any, sample: int = 1000) -> str:
    """What is odd about the value of unmeasured pixels, or "": none is stated, and one value lies
    farther from all others than they from each other; or the stated one occurs nowhere. Looks at
    `sample` images, spread over all."""
    rows = slice(None, None, max(1, len(modality.x) // sample))
    pixels = np.asarray(modality.x[rows])
    if modality.invalid is not None:
        found = f"no pixel is {modality.invalid:g}, which shall mean 'not measured'"
        return "" if (pixels == modality.invalid).any() else found
    for end in (pixels.min(), pixels.max()):
        others = pixels[pixels != end]
        low, high = (float(others.min()), float(others.max())) if len(others) else (0.0, 0.0)
        if low < high < low + min(abs(end - low), abs(end - high)):
            share = 100 * (1 - len(others) / pixels.size)
            found = f"{share:.2g} % of the pixels are {end:g}, all others {low:g} to {high:g}"
            return f"{found}; if that means 'not measured', say so"
    return ""


def check_split(split: Any) -> None:
    """Refuse parts, put together by hand, that do not belong together: other classes, sensors or
    bounds than the training part has, or a sample or group of another part."""
    train, seen = split.train, dict[str, dict[str, set]]()
    bounds = [{k: v.to_dict() for k, v in (p.normalization or {}).items()} for p in split]
    for (name, part), own in zip(split._asdict().items(), bounds, strict=True):
        place = f"{part.name}, {name} part"
        if part.classes != train.classes:
            found = f"classes are {', '.join(part.classes)}, those of the training part"
            raise DataError(place, f"{found} {', '.join(train.classes)}", "give all one order")
        if [*part.modalities] != [*train.modalities]:
            found = f"sensors are {', '.join(part.modalities)}, those of the training part"
            raise DataError(place, f"{found} {', '.join(train.modalities)}", "select the same")
        if part.channels != train.channels:
            raise DataError(place, f"has bands {part.channels}, not {train.channels}", "cut them")
        if name != "train" and not part.dense and not (part.labels >= 0).all():
            raise DataError(place, "has a sample without a label", "label it, or leave it out")
        if not len(part):
            raise DataError(place, "has no sample", "take parts of one split")
        if own != bounds[0] or part.normalization is None:
            way_out = "take parts of one split, or replace(part, normalization=train.normalization)"
            raise DataError(place, "is not scaled by the bounds of the training part", way_out)
        groups = () if part.groups is None else part.groups.tolist()
        seen[name] = {"id": {*part.ids.tolist()}, "group": {*groups}}
        for other, kind in product([*seen][:-1], seen[name]):
            if both := seen[name][kind] & seen[other][kind]:
                found = f"{kind} {min(both)!r} is in the {other} part, too"
                raise DataError(place, found, "take parts of one split")
