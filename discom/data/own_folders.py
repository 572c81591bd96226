"""A person's own folders of images: sensors, classes, pairs and groups by the names of files."""

import math
import re
import warnings
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from discom.data.checks import PICTURES, check_size, is_narrow, is_signal, listed
from discom.data.groups import read_groups
from discom.data.images import (
    CONTAINERS,
    ENDINGS,
    NAMELESS,
    Rule,
    fill_holes,
    images_by_name,
    read_stored,
    sensor_folders,
)
from discom.data.multimodal import TWIN, Modality, MultiModalData
from discom.data.pixels import Search, check_memory, holds
from discom.data.prepared import MANIFEST
from discom.data.tags import tags
from discom.errors import DataError, check_choice
from discom.labels import UNLABELLED

# names of parts, which are no sensors and no classes, such as train2017 and test_set
PARTED = re.compile(
    r"(train|test|val|valid|dev|eval|holdout)(ing|idation|uation|elopment)?"
    r"[\W\d_]*((set|part|split|data|images)[\W\d_]*)*",
    re.IGNORECASE,
)
HOLE = -32768.0  # takes the place of NaN; every type of float holds it exactly


def read_folders(
    root: Path | str,
    modalities: str | Sequence[str] | None = None,
    size: int | Sequence[int] | None = None,
    unit: Mapping[str, str] = {},
    invalid: Mapping[str, float] = {},
    groups: str = "",
    fit: str = "squeeze",
    symmetry: Mapping[str, str] = {},
) -> MultiModalData:
    """Read ``<root>/<modality>/<class>/<id>.<ending>``; the same class and id in two trees are a
    pair, and samples without a partner are kept. A folder `unlabelled` (or `unlabeled`) is no
    class, but holds images without a label.

    Args:
        root: the folder that has one tree per modality.
        modalities: the ones to keep, in this order, a list or such as "rgb+depth"; all by default,
            alphabetically. Other folders are not read.
        size, fit, invalid: see `Rule`, the last by modality. "Not measured" is by default what
            TIFFs state by GDAL's tag; where there is NaN, that is -32768.
        unit, symmetry: modality → unit of its pixels, such as "mm", and what augmentation may do to
            it (see `Modality`), by default "flip", of signals "none"; no image file states them.
        groups: a pattern of files' names without their endings; its first part in parentheses is
            the group, such as (.+)_[0-9]+ for frames of videos. Without it `<root>/groups.csv`, if
            there, has the columns name (``<class>/<id>`` or ``<id>``) and group.

    Raises:
        ConfigError: an option of another form, or for a modality that has no folder; a size at
            which the images cannot be held in memory.
        DataError: no images, an unreadable or misplaced file, other band counts within a modality,
            other scale and offset tags, or other sizes, where no `size` is given; an image without
            a group; train and test in the place of sensors or classes.

    Warns of files of several types, such as uint8 and uint16, in one modality, of an image that
    has another class in another modality, and of modalities that have no name in common.
    """
    root, shape = Path(root), None if size is None else check_size(size)
    asked = listed(modalities)
    files = _list_files(root, asked)
    places = [path for path in root.glob("[!.]*") if path.is_dir()]
    folders = {path.name.lower() for path in places if not (path / MANIFEST).is_file()}
    _check_memory(files, shape)
    for option, values in {"unit": unit, "invalid": invalid, "symmetry": symmetry}.items():
        for name in values:  # also of a sensor that is not asked for
            check_choice(option, name, sorted(folders))
    every = {sample.partition("/")[0] for tree in files.values() for sample in tree}
    _refuse_parts(root, "sensors", files)
    _refuse_parts(root, "classes", every - {NAMELESS[0]})
    number = {name: k for k, name in enumerate(sorted(every - {NAMELESS[0]}))}
    plain: dict[str, str] = {}
    for name in number:
        if (other := plain.setdefault(" ".join(name.casefold().split()), name)) != name:
            found = f"'{other}' and '{name}' differ only in case or blanks"
            raise DataError(root, found, "give one class one name")
    sensors, rules, stored = {}, {}, {}
    for name, tree in files.items():
        first = Rule(shape, fit, invalid.get(name))
        images, rule, stored[name] = _read_tree([*tree.values()], first)
        labels = np.array([number.get(sample.partition("/")[0], UNLABELLED) for sample in tree])
        usual = "none" if is_signal(images.shape) else "flip"
        own = unit.get(name, ""), rule.invalid, symmetry.get(name, usual)
        sensors[name] = Modality(images, labels, np.array([*tree]), *own)
        rules[name] = asdict(rule)
    some = [] if {*files} == folders else [*files]  # of a part of the folders, as by `select`
    about, called = {"rules": rules, "files": stored}, "-".join([root.resolve().name, *some])
    data = MultiModalData(sensors, tuple(number), name=called, about=about)
    samples = {name: own.ids.tolist() for name, own in sensors.items()}
    if not warn_of_classes(root, samples):
        _warn_without_pairs(root, samples)
    data = data.changed(groups=read_groups(root, groups, data.ids.tolist()))
    return data.select(asked) if asked else data


def _refuse_parts(root: Path, what: str, names: Collection[str]) -> None:
    """Refuse sensors, or classes, that are all called as parts of a split."""
    if names and all(map(PARTED.fullmatch, names)):
        found = f"its only {what} are {', '.join(sorted(names))}, the names of parts"
        way_out = f"sort the images of all parts as {root}/<modality>/<class>/<id>"
        raise DataError(root, found, way_out)


def warn_of_classes(place: Path | str, ids: Mapping[str, Sequence[str]]) -> set[str]:
    """Warn of images of one name, by sensor → ids, ``<class>/<name>``, that have one class in each
    sensor, but not the same; their ids."""
    classes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for sensor, samples in ids.items():
        for sample in samples:
            kind, _, name = sample.partition("/")
            classes[name][sensor].append(kind)
    apart = {
        name: {sensor: kinds[0] for sensor, kinds in by_sensor.items()}
        for name, by_sensor in classes.items()
        if {*map(len, by_sensor.values())} == {1} and len({*chain(*by_sensor.values())}) > 1
    }
    if apart:
        name, kinds = next(iter(apart.items()))
        first = ", ".join(f"'{kind}' in {sensor}" for sensor, kind in kinds.items())
        found = f"{len(apart)} of {len(classes)} names have several classes, as '{name}' ({first})"
        advice = "if they are pairs, put each into one class"
        warnings.warn(f"{place}: {found}; {advice}", stacklevel=3)
    return {f"{kind}/{name}" for name, kinds in apart.items() for kind in kinds.values()}


def _warn_without_pairs(root: Path, ids: Mapping[str, Sequence[str]]) -> None:
    """Warn of several sensors, each with the names of its images, of which none has one twice."""
    if len(ids) > 1 and len({*chain(*ids.values())}) == sum(map(len, ids.values())):
        one, other, *_ = (f"'{names[0]}' of {sensor}" for sensor, names in ids.items())
        found = f"no image has a partner, such as {one} and {other}"
        warnings.warn(f"{root}: {found}; name the files of a pair alike", stacklevel=3)


def _list_files(root: Path, modalities: Sequence[str] | None) -> dict[str, dict[str, Path]]:
    """Modality → id, ``<class>/<name>``, → image, of those that are asked for; where none are, a
    DataError for a file beside the folders that may be a sensor, too."""
    if not root.is_dir():
        raise DataError(root, "no such folder", "name the folder that has one folder per sensor")
    expected = f"expected {root}/<modality>/<class>/<id> with one of {' '.join(ENDINGS)}"
    names = {name.removesuffix(TWIN) for name in modalities} if modalities else None
    folders = sensor_folders(root, names)
    for name in sorted((names or set()) - {*folders}):
        check_choice("modalities", name, sensor_folders(root))
    files: dict[str, dict[str, Path]] = {}
    for name, tree in folders.items():
        if names is None and (tree / MANIFEST).is_file():
            continue  # a prepared folder
        files[name] = images_by_name(tree)
        for sample, file in files[name].items():
            if sample.count("/") != 1:
                raise DataError(file, "is not in the folder of a class", expected)
    if not files:
        raise DataError(root, "has no folder", expected)
    if not names:
        _look_beside(root, files)
    return files


def _check_memory(files: Mapping[str, Mapping[str, Path]], shape: tuple[int, int] | None) -> None:
    """Refuse images that cannot be held, by the first of each sensor: all of them, those of one
    sensor once more when they are stacked, and one as float64 while it is resized."""
    stored, largest = [], 0
    for tree in files.values():
        pixels = read_stored(next(iter(tree.values())))
        height, width = shape or pixels.shape[1:]
        count = len(pixels) * height * width  # no product of NumPy, which overflows
        stored.append(len(tree) * count * pixels.dtype.itemsize)
        largest = max(largest, 8 * count)
    size = f"size {shape[0]}×{shape[1]}" if shape else "size"
    images = f"{sum(map(len, files.values()))} images"
    way_out = "choose a smaller one" if shape else "choose a smaller one than the files', --size 64"
    check_memory(size, sum(stored) + max(stored) + largest, images, way_out)


def _look_beside(root: Path, sensors: Collection[str]) -> None:
    """Refuse a file of arrays directly in the folder, which may be a sensor; warn of others."""
    files = sorted(path for path in root.glob("[!.]*") if path.is_file())
    for file in files:
        if file.suffix.lower() in (".npy", *CONTAINERS):
            one_folder = "sort its images in a folder"
            way_out = f"{one_folder}, or take the others: --modalities {'+'.join(sensors)}"
            raise DataError(file, "would be left out, and may be of a sensor", way_out)
    if others := [file.name for file in files if not file.name.lower().startswith("groups.")]:
        found = f"{len(others)} files are not read, such as {others[0]}"
        warnings.warn(f"{root}: {found}; sensors are folders of images", stacklevel=3)


def _read_tree(files: list[Path], rule: Rule) -> tuple[np.ndarray, Rule, dict[str, Any]]:
    """The images of a modality, the rule with the value of pixels that were not measured, and how
    the files are stored: type → [how many, the first], and the scaling of their tags."""
    tree, search = files[0].parents[1], Search(rule.invalid)  # a tag's value may be absent
    stated, (rule, scaling) = rule.invalid, _with_tags(files, tree, rule)
    hole, images = np.nan if rule.invalid is None else rule.invalid, list[np.ndarray]()
    kinds: dict[str, list[Path]] = defaultdict(list)  # type → its files
    for file in files:
        stored = read_stored(file)
        _check_signal(file, *stored.shape)
        pixels = fill_holes(stored, file, hole)
        search.look(stored)
        kinds[pixels.dtype.name].append(file)
        images.append(rule(pixels))
        if images[-1].shape != images[0].shape:
            _refuse_form(file, images[-1].shape, files[0], images[0].shape)
    stacked = np.stack(images)  # in the widest of their types
    if (holes := np.isnan(stacked)).any():
        warnings.warn(f"{tree}: NaN becomes {HOLE:g}, 'not measured'", stacklevel=3)
        stacked[holes], rule = HOLE, replace(rule, invalid=HOLE)
    if stated is None and rule.invalid is not None and not holds(stacked.dtype, rule.invalid):
        rule = replace(rule, invalid=None)  # as tiles of 8 bits whose tag is -9999
    above = tree.resolve().parents[1]
    types = {
        kind: [len(own), own[0].resolve().relative_to(above).as_posix()]
        for kind, own in kinds.items()
    }
    about: dict[str, Any] = {"types": types, "scaling": scaling}
    if search.invalid is not None:
        place = tree.resolve().relative_to(above).as_posix()
        about["absent"] = [place, search.invalid, search.low, search.high]
    return stacked, rule, about


def _refuse_form(file: Path, form: Sequence[int], first: Path, usual: Sequence[int]) -> None:
    """A DataError for an image [C, H, W] of another form than the first one of its sensor."""
    if form[0] != usual[0]:
        found = f"has {form[0]} bands, but {first.name} has {usual[0]}"
        raise DataError(file, found, "save all with the same bands, or leave it out")
    found = f"is {form[1]}×{form[2]}, but {first.name} is {usual[1]}×{usual[2]}"
    raise DataError(file, found, "bring all to one size with --size 64")


def _with_tags(files: list[Path], tree: Path, rule: Rule) -> tuple[Rule, tuple]:
    """The rule with the value that the TIFFs of a modality state for pixels that were not measured,
    and the scaling that they state; a DataError where they state several of either."""
    entries = {file: tags(file) for file in files}
    scales = {entry.scaling: file for file, entry in entries.items()}
    if len(scales) > 1:
        texts = [
            f"{file.relative_to(tree)} states {entries[file].factors()}"
            for file in [*scales.values()][:2]
        ]
        way_out = "write all with one scale, as with gdal_translate -unscale -ot Float32"
        raise DataError(tree, " and ".join(texts), way_out)
    every = {entry.no_data for entry in entries.values()}
    values = {value for value in every if value is not None and math.isfinite(value)}
    if rule.invalid is None and values:
        if len(values) > 1:
            found = f"its files state {min(values):g} and {max(values):g} as no data"
            raise DataError(tree, found, "state one of them as invalid")
        rule = replace(rule, invalid=values.pop())
    return rule, next(iter(scales))


def _check_signal(file: Path, bands: int, height: int, width: int) -> None:
    """Refuse an array [C, T] or [T, C], which would be a grey image; a signal is [C, 1, T]."""
    if file.suffix.lower() == ".npy" and bands == 1 and is_narrow(height, width):
        shape = np.load(file, "r").shape
        if height > 1 or len(shape) == 2:
            found = f"holds {list(shape)}, a signal or a grey image"
            way_out = "save a signal [C, T] as x[:, None]; a grey image is x[None]"
            raise DataError(file, found, f"{way_out}, and {PICTURES}")
