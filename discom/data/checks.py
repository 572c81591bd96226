"""Input validation: what no loader lets through; each message names the place and the way out."""

import keyword
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from discom.errors import ConfigError, DataError
from discom.files import chunks, digest
from discom.labels import NO_LABEL, UNLABELLED

PARTS = ("train", "valid", "test")
KINDS = {"iu": "whole numbers", "iuU": "whole numbers or text"}
KINDS |= {"fiu": "numbers", "biufU": "numbers or text"}
CHANNELS = 32  # of a signal [C, T]; what has more is as a rule a grey image
IMAGES = ("fiu", "N", "C", "H", "W")  # the kinds and the shape of images
# what augmentation may do to a sensor → its motions are the multiples of this, see `apply_d4`
SYMMETRIES = {"all": 1, "flip": 4, "none": 8, "rotate": 8}


def check_number(
    option: str, value: Any, least: float, most: float = math.inf, *, whole: bool = True
) -> None:
    """Raise a ConfigError unless the value is a (whole) number from `least` to `most`."""
    number = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
    if not (number and least <= value <= most and value < math.inf):
        span = f"from {least} to {most}" if most < math.inf else f"from {least} on"
        raise ConfigError(option, f"{value!r} is not a {'whole ' * whole}number {span}")


def is_signal(shape: Sequence[int]) -> bool:
    """Whether images [N, C, H, W] of this shape are signals: one row of more than one value."""
    return shape[2] == 1 < shape[3]


def bands_are_last(first: int, middle: int, last: int) -> bool:
    """Whether the last of an array's three axes has the bands: it is the one that differs in length
    from two equal ones, or the shortest.

    >>> bands_are_last(11, 11, 144), bands_are_last(32, 48, 13), bands_are_last(3, 32, 48)
    (True, True, False)
    """
    return first == middle != last or last < min(first, middle)


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


def looks_like_signal(channels: int, samples: int) -> bool:
    """Whether an array [channels, samples] is more likely a signal than a grey image.

    >>> looks_like_signal(3, 64), looks_like_signal(24, 32), looks_like_signal(48, 640)
    (True, False, False)
    """
    return channels <= CHANNELS and samples >= 2 * channels


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


def check_parts(data: Any, rows: Mapping[str, np.ndarray]) -> None:
    """Refuse a split (part → rows of `ids`) of fewer than two classes, of which a part has no label
    of a modality, or training none of a class in a modality; warn of a class that another part
    lacks, and of groups that official parts divide."""
    if len(data.classes) < 2 and not data.dense:
        raise DataError(data.name, "has one class", "a split needs two: add samples of another")
    for one, other in combinations(rows, 2) if data.groups is not None else ():
        if len(both := np.intersect1d(*(data.groups[rows[part]] for part in (one, other)))):
            found = f"the {one} and the {other} part share {len(both)} groups, such as '{both[0]}'"
            warnings.warn(f"{data.name}: {found}; leave out parts, or mend groups", stacklevel=4)
    for part, places in rows.items():
        for name in data.modalities:
            own = data.rows_of(name)
            if not (data.labels[np.intersect1d(own, places)] >= 0).any():
                kind = "" if data.dense else " of each class"
                number, way_out = _supply(data, own[data.labels[own] >= 0], kind)
                lack = f"the {part} part has none of the {number}"
                raise DataError(f"{data.name}/{name}", lack, way_out)
        if not data.dense:
            _check_classes(data, part, places)


def _check_classes(data: Any, part: str, chosen: np.ndarray) -> None:
    """Refuse a training part that lacks a class, also in one modality alone, whose network would
    score 100 where the test part lacks it, too; warn of another part that does."""
    lacks: dict[int, list[str]] = {}  # class → modalities without a sample of it
    for name in data.modalities:
        labels = data.labels[np.intersect1d(data.rows_of(name), chosen)]
        for absent in np.setdiff1d(np.arange(len(data.classes)), labels):
            lacks.setdefault(absent, []).append(name)
    if lacks:
        kind, names = next(iter(lacks.items()))
        everywhere = len(names) == len(data.modalities)
        place = data.name if everywhere else f"{data.name}/{names[0]}"
        own = data.rows_of(names[0])
        number, way_out = _supply(data, own[data.labels[own] == kind], " of it")
        lack = f"the {part} part has no sample of class '{data.classes[kind]}', which has {number}"
        if part == "train":
            drop = "the class" if everywhere else "the class or the sensor"
            raise DataError(place, lack, f"{way_out}, or drop {drop}")
        warnings.warn(f"{place}: {lack}; {way_out}", stacklevel=5)


def _supply(data: Any, rows: np.ndarray, what: str) -> tuple[str, str]:
    """How many labels these rows are, and in how many groups; and how many it takes."""
    found, least = f"{len(rows)} label{'s' * (len(rows) != 1)}", len(PARTS)
    if data.parts:
        return found, f"label a sample{what} in each part"
    if data.groups is None:
        return found, f"label {least} samples{what} or more"
    groups = len(np.unique(data.groups[rows]))
    found += f" in {groups} group{'s' * (groups != 1)}"
    return found, f"label samples{what} in {least} groups or more"


def check_data(data: Any) -> None:
    """Refuse a MultiModalData that would be misread: lists or tables in the place of arrays, arrays
    of other lengths, labels out of range, a class, an id or a row of `parts` twice, an id with two
    labels, or masks of another size than the images; warn of files of several types in a sensor, as
    its reader noted them in `about`."""
    name = data.name
    words = {word for word in data.classes if isinstance(word, str) and word.strip()}
    if isinstance(data.classes, str) or not 0 < len(words) == len(data.classes):
        way_out = "name each class once, in a tuple of texts"
        raise DataError(name, f"classes are {data.classes!r}", way_out)
    for sensor, modality in data.modalities.items():
        _check_modality(f"{name}/{sensor}", sensor, modality, len(data.classes))
    if len({m.ids.dtype.kind in "iu" for m in data.modalities.values()}) != 1:
        raise DataError(name, "ids of several types, or no modality", "use numbers, or text")
    for factor, values in data.factors.items():
        check_array(values, f"{name}/{factor}", "biufU", len(data))
    if data.groups is not None:
        check_array(data.groups, f"{name}/groups", "iuU", len(data))
    if data.dense or data.masks is not None:
        check_array(data.masks, f"{name}/masks", "biufU", len(data), "H", "W")
    for sensor, modality in data.modalities.items():
        expected = data.labels[data.rows_of(sensor)]
        if (differs := expected != modality.y).any():
            found = f"id {str(modality.ids[differs][0])!r} has another label in another sensor"
            raise DataError(f"{name}/{sensor}", found, "give a scene one label")
        pixels = modality.x.shape[2:]
        if data.dense and (data.masks.shape[1:] != pixels or data.masks.dtype != np.uint8):
            found = f"masks are {data.masks.dtype} {data.masks.shape}, images of {pixels} pixels"
            raise DataError(f"{name}/masks", found, "save uint8 of the images' size")
    for sensor, files in data.about.get("files", {}).items():
        _check_types(sensor, files["types"])
    if data.parts is not None:
        if set(data.parts) != set(PARTS):
            raise DataError(name, f"parts are {[*data.parts]}", f"give {', '.join(PARTS)}")
        for part, rows in data.parts.items():
            check_array(rows, f"{name}/{part}", "iu", "N")
        rows = np.concatenate([*data.parts.values()])
        if len(np.intersect1d(rows, np.arange(len(data)))) < len(rows):
            way_out = f"give each of 0 … {len(data) - 1} once at most"
            raise DataError(f"{name}/parts", "an index is twice in them, or out of range", way_out)


def _check_types(sensor: str, types: Mapping[str, tuple[int, str]]) -> None:
    """Warn of files of several types, each with their number and the first of them."""
    if len(types) > 1:
        fewest = min(types, key=lambda kind: types[kind][0])
        (count, first), total = types[fewest], sum(number for number, _ in types.values())
        others = " and ".join(sorted({*types} - {fewest}))
        found = f"is {fewest}, as {count} of {total} files of {sensor}; others are {others}"
        advice = "write all by one program, a network may tell them apart by their range"
        warnings.warn(f"{first}: {found}; {advice}", stacklevel=5)


def _check_modality(where: str, name: str, modality: Any, classes: int) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        found = "a modality's name is lower-case letters, digits and _, and no keyword of Python"
        raise DataError(where, found, "rename it")
    check_array(modality.x, where, *IMAGES)
    if modality.symmetry not in SYMMETRIES:
        raise DataError(where, f"symmetry {modality.symmetry!r}", f"write {', '.join(SYMMETRIES)}")
    _, channels, height, width = modality.x.shape
    found = f"would be {channels} band(s) of {height}×{width} pixels"
    if height > 1 and bands_are_last(channels, height, width):
        raise DataError(where, found, "bring the bands to the front: np.moveaxis(x, -1, -3)")
    if channels == 1 < width <= height / 8:
        way_out = "signals are [N, C, 1, T]: np.moveaxis(x, -1, 1)"
        raise DataError(where, found, f"{way_out}; cut such images in squares")
    if height == 1 < width < channels:
        found = f"would be {channels} channels of {width} samples"
        raise DataError(where, found, "signals are [N, C, 1, T]: x.swapaxes(1, 3)")
    if modality.symmetry == "rotate" and (height > 1 or channels % 3):
        found = f"symmetry 'rotate' of {channels} channels and {height} rows"
        raise DataError(where, found, "rotate signals of three axes each, or write none")
    labels, count = modality.y, len(modality.x)
    check_array(labels, f"{where}/y", "iu", count)
    if count and not UNLABELLED <= labels.min() <= labels.max() < classes:
        found = f"labels go from {labels.min()} to {labels.max()}"
        way_out = f"number classes from 0 to {classes - 1}; -1 is no label"
        raise DataError(f"{where}/y", found, way_out)
    check_array(modality.ids, f"{where}/ids", "iuU", count)
    if modality.invalid is not None:
        check_number(f"{where}: invalid", modality.invalid, -math.inf, whole=False)
    if (ids := pd.Index(modality.ids)).has_duplicates:
        twice = str(ids[ids.duplicated()][0])
        raise DataError(where, f"id {twice!r} occurs twice", "give each sample its own id")


def check_split(split: Any) -> None:
    """Refuse parts, put together by hand, that do not belong together: other classes, sensors or
    bounds than the training part has, or a sample or group of another part."""
    alike = "take parts of one split, or replace(part, normalization=train.normalization)"
    forms = []
    for name, part in split._asdict().items():
        place = f"{part.name}, {name} part"
        bounds = {k: scaling.to_dict() for k, scaling in (part.normalization or {}).items()}
        forms.append((part.classes, [*part.channels.items()], bounds))
        if not bounds or forms[-1] != forms[0]:
            raise DataError(place, "classes, sensors or bounds are not the training part's", alike)
        for sensor, modality in part.modalities.items():
            has_label = modality.y != UNLABELLED
            if not has_label.any() or not (has_label.all() or part.dense or name == "train"):
                found = f"'{sensor}' has no labelled sample, or one without a label"
                raise DataError(place, found, "divide the data anew")
    for (_, one), (name, other) in combinations(split._asdict().items(), 2):
        both = np.intersect1d(one.ids, other.ids)
        if not len(both) and one.groups is not None and other.groups is not None:
            both = np.intersect1d(one.groups, other.groups)
        if len(both):
            found = f"id or group '{both[0]}' is in another part, too"
            raise DataError(f"{other.name}, {name} part", found, alike)
