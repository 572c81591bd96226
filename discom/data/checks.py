"""Input validation: what no loader lets through; each message names the place and the way out."""

import keyword
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from itertools import combinations
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from discom.data.lazy_arrays import native, place_of
from discom.data.pixels import IMAGES, check_array, check_invalid, count_pixels, warn_of_absent
from discom.errors import ConfigError, DataError
from discom.labels import UNLABELLED

PARTS = ("train", "valid", "test")
NO_GROUP = ("", "nan", "None", "<NA>", "NaT")  # what pandas makes of an empty cell
CHANNELS = 32  # of a signal [C, T]; what has more is as a rule a grey image
# the way out for a grey image of fewer rows or columns
PICTURES = "give narrow pictures three equal bands: np.repeat(x, 3, -3)"
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


def looks_like_signal(channels: int, samples: int) -> bool:
    """Whether an array [channels, samples] is more likely a signal than a grey image.

    >>> looks_like_signal(3, 64), looks_like_signal(24, 32), looks_like_signal(48, 640)
    (True, False, False)
    """
    return channels <= CHANNELS and samples >= 2 * channels


def is_narrow(height: int, width: int) -> bool:
    """Whether an image of one band is more likely a window of signals, [T, C] or [C, T].

    >>> is_narrow(20, 3), is_narrow(6, 128), is_narrow(24, 32), is_narrow(48, 640)
    (True, True, False, False)
    """
    return looks_like_signal(*sorted((height, width)))


def listed(modalities: str | Sequence[str] | None) -> list[str] | None:
    """The names of modalities in a list, or in a text that joins them by +; None where it is empty.

    >>> listed("rgb+depth"), listed(("rgb",)), listed("")
    (['rgb', 'depth'], ['rgb'], None)
    """
    names = modalities.split("+") if isinstance(modalities, str) else [*(modalities or ())]
    return names if modalities else None


def check_classes(classes: Any, where: str, way_out: str) -> None:
    """Refuse names of classes that are no texts, or of which two are alike."""
    words = {word for word in classes if isinstance(word, str) and word.strip()}
    if isinstance(classes, str) or not 0 < len(words) == len(classes):
        raise DataError(where, f"classes are {classes!r}", way_out)


def check_ids(ids: Any, where: str, count: int) -> None:
    """Refuse ids of another number or kind, and one that is there twice."""
    check_array(ids, where, "iuU", count)
    if (index := pd.Index(native(ids))).has_duplicates:
        twice = str(index[index.duplicated()][0])
        raise DataError(where, f"id {twice!r} occurs twice", "give each sample its own id")


def check_groups(groups: Any, where: str, count: int) -> None:
    """Refuse groups of another number or kind, and one that stands for an empty cell."""
    check_array(groups, where, "iuU", count)
    if (empty := np.isin(np.asarray(groups).astype(str), NO_GROUP)).any():
        row = empty.argmax()
        found = f"sample {row} has no group, but '{groups[row]}'"
        raise DataError(where, found, "give each sample a group, or leave it out")


def check_size(size: Any) -> tuple[int, int]:
    """Height and width of one number of pixels for both, or of two (else a ConfigError)."""
    sides = size if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2:
        raise ConfigError("size", f"{size!r} has {len(sides)} sides", "give 64, or [height, width]")
    for side in sides:
        check_number("size", side, 1)
    return sides[0], sides[1]


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
    shown = _classes_of(data)
    for part, places in rows.items():
        for name in data.modalities:
            own = data.rows_of(name)
            if not (data.labels[np.intersect1d(own, places)] >= 0).any():
                kind = "" if data.dense else " of each class"
                number, way_out = _supply(data, own[data.labels[own] >= 0], kind)
                lack = f"the {part} part has none of the {number}"
                raise DataError(f"{data.name}/{name}", lack, way_out)
        _check_classes(data, shown, part, places)


def _classes_of(data: Any) -> np.ndarray:
    """Which classes each sample shows, [N, C]: that of its label, where dense all of its mask."""
    if not data.dense:
        return data.labels[:, None] == np.arange(len(data.classes))
    return (count_pixels(data.masks, len(data.classes)) > 0) & (data.labels >= 0)[:, None]


def _check_classes(data: Any, shown: np.ndarray, part: str, chosen: np.ndarray) -> None:
    """Refuse a training part that lacks a class, also in one modality alone, whose network would
    score 100 where the test part lacks it, too; warn of another part that does."""
    lacks: dict[Any, list[str]] = {}  # class → modalities without a sample of it
    for name in data.modalities:
        own = np.intersect1d(data.rows_of(name), chosen)
        for absent in np.flatnonzero(~shown[own].any(axis=0)):
            lacks.setdefault(absent, []).append(name)
    if lacks:
        kind, names = next(iter(lacks.items()))
        everywhere = len(names) == len(data.modalities)
        place = data.name if everywhere else f"{data.name}/{names[0]}"
        own = data.rows_of(names[0])
        number, way_out = _supply(data, own[shown[own, kind]], " of it")
        lack = f"the {part} part has no {'pixel' if data.dense else 'sample'}"
        lack += f" of class '{data.classes[kind]}', which has {number}"
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
    labels, or masks of another size than the images; warn of files of several types in a sensor,
    and of an `invalid` that no file has, as its reader noted them in `about`."""
    name = data.name
    check_classes(data.classes, name, "name each class once, in a tuple of texts")
    from_files = "rules" in data.about  # a reader of folders looked at each of them
    for sensor, modality in data.modalities.items():
        _check_modality(f"{name}/{sensor}", sensor, modality, len(data.classes), from_files)
    if len({m.ids.dtype.kind in "iu" for m in data.modalities.values()}) != 1:
        raise DataError(name, "ids of several types, or no modality", "use numbers, or text")
    for factor, values in data.factors.items():
        check_array(values, f"{name}/{factor}", "biufU", len(data))
    if data.groups is not None:
        check_groups(data.groups, f"{name}/groups", len(data))
    if data.dense or data.masks is not None:
        masks = place_of(data.masks, f"{name}/masks")
        check_array(data.masks, masks, "biufU", len(data), "H", "W")
    for sensor, modality in data.modalities.items():
        expected = data.labels[data.rows_of(sensor)]
        if (differs := expected != modality.y).any():
            row = differs.argmax()
            sample, own = modality.ids[row], _class_of(data, modality.y[row])
            first = next(other for other, m in data.modalities.items() if sample in m.ids)
            other = f"{_class_of(data, expected[row])} in {first}"
            found = f"id {str(sample)!r} is {own} here and {other}"
            raise DataError(f"{name}/{sensor}", found, "give a pair one label")
        pixels = modality.x.shape[2:]
        if data.dense and (data.masks.shape[1:] != pixels or data.masks.dtype != np.uint8):
            found = f"masks are {data.masks.dtype} {data.masks.shape}, images of {pixels} pixels"
            raise DataError(masks, found, "save uint8 of the images' size")
    for sensor, files in data.about.get("files", {}).items():
        _check_types(sensor, files["types"])
        if "absent" in files:
            warn_of_absent(*files["absent"])
    if data.parts is not None:
        if set(data.parts) != set(PARTS):
            raise DataError(name, f"parts are {[*data.parts]}", f"give {', '.join(PARTS)}")
        for part, rows in data.parts.items():
            check_array(rows, f"{name}/{part}", "iu", "N")
        rows = np.concatenate([*data.parts.values()])
        if len(np.intersect1d(rows, np.arange(len(data)))) < len(rows):
            way_out = f"give each of 0 … {len(data) - 1} once at most"
            raise DataError(f"{name}/parts", "an index is twice in them, or out of range", way_out)


def _class_of(data: Any, label: int) -> str:
    """A label in words."""
    return "without a label" if label == UNLABELLED else f"'{data.classes[label]}'"


def _check_types(sensor: str, types: Mapping[str, tuple[int, str]]) -> None:
    """Warn of files of several types, each with their number and the first of them."""
    if len(types) > 1:
        fewest = min(types, key=lambda kind: types[kind][0])
        (count, first), total = types[fewest], sum(number for number, _ in types.values())
        others = " and ".join(sorted({*types} - {fewest}))
        found = f"is {fewest}, as {count} of {total} files of {sensor}; others are {others}"
        advice = "write all by one program, a network may tell them apart by their range"
        warnings.warn(f"{first}: {found}; {advice}", stacklevel=5)


def _check_modality(where: str, name: str, modality: Any, classes: int, from_files: bool) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        found = "a modality's name is lower-case letters, digits and _, and no keyword of Python"
        raise DataError(where, found, "rename it")
    place = place_of(modality.x, where)
    check_array(modality.x, place, *IMAGES)
    if modality.symmetry not in SYMMETRIES:
        raise DataError(where, f"symmetry {modality.symmetry!r}", f"write {', '.join(SYMMETRIES)}")
    _, channels, height, width = modality.x.shape
    found = f"would be {channels} band(s) of {height}×{width} pixels"
    if height > 1 and bands_are_last(channels, height, width):
        raise DataError(place, found, "bring the bands to the front: np.moveaxis(x, -1, -3)")
    narrow = not from_files and is_narrow(height, width)
    if channels == 1 < height and (narrow or 1 < width <= height / 8):
        axes = "np.moveaxis(x, -1, 1)" if width < height else "x.swapaxes(1, 2)"
        raise DataError(place, found, f"signals are [N, C, 1, T]: {axes}; {PICTURES}")
    if height == 1 < width < channels:
        found = f"would be {channels} channels of {width} samples"
        raise DataError(place, found, "signals are [N, C, 1, T]: x.swapaxes(1, 3)")
    if modality.symmetry == "rotate" and (height > 1 or channels % 3):
        found = f"symmetry 'rotate' of {channels} channels and {height} rows"
        raise DataError(place, found, "rotate signals of three axes each, or write none")
    labels, count = modality.y, len(modality.x)
    check_array(labels, f"{where}/y", "iu", count)
    if count and not UNLABELLED <= labels.min() <= labels.max() < classes:
        found = f"labels go from {labels.min()} to {labels.max()}"
        way_out = f"number classes from 0 to {classes - 1}; -1 is no label"
        raise DataError(f"{where}/y", found, way_out)
    check_ids(modality.ids, f"{where}/ids", count)
    if modality.invalid is not None:
        check_number(f"{where}: invalid", modality.invalid, -math.inf, whole=False)
        check_invalid(where, modality.invalid, modality.x.dtype)


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
