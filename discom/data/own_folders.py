"""A person's own folders of images: sensors, classes, pairs and groups by the names of files."""

import io
import math
import re
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discom.data.checks import check_size, is_signal, listed, looks_like_signal
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
from discom.data.pixels import Search, holds
from discom.data.prepared import MANIFEST
from discom.data.tags import tags
from discom.errors import DataError, check_choice
from discom.files import as_data_error
from discom.labels import UNLABELLED

PARTED = {"train", "training", "test", "testing", "val", "valid", "validation"}  # no classes
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
        ConfigError: an option of another form, or for a modality that has no folder.
        DataError: no images, an unreadable or misplaced file, other band counts within a modality,
            other scale and offset tags, or other sizes, where no `size` is given; an image without
            a group; train and test in the place of classes.

    Warns of files of several types, such as uint8 and uint16, in one modality, of an image that
    has another class in another modality, and of modalities that have no name in common.
    """
    root, shape = Path(root), None if size is None else check_size(size)
    asked = listed(modalities)
    files = _list_files(root, asked)
    folders = {path.name.lower() for path in root.iterdir() if path.is_dir()}
    for option, values in {"unit": unit, "invalid": invalid, "symmetry": symmetry}.items():
        for name in values:  # also of a sensor that is not asked for
            check_choice(option, name, sorted(folders))
    every = {sample.partition("/")[0] for tree in files.values() for sample in tree}
    if (labelled := {name.lower() for name in every - {NAMELESS[0]}}) and labelled <= PARTED:
        found = f"its only classes are {', '.join(sorted(every))}, the names of parts"
        raise DataError(root, found, f"sort the images by class: {root}/<modality>/<class>/<id>")
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
    folder_name, about = root.resolve().name, {"rules": rules, "files": stored}
    data = MultiModalData(sensors, tuple(number), name=folder_name, about=about)
    samples = {name: own.ids.tolist() for name, own in sensors.items()}
    if not warn_of_classes(root, samples):
        _warn_without_pairs(root, samples)
    data = data.changed(groups=_read_groups(root, groups, data.ids.tolist()))
    return data.select(asked) if asked else data


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
        found = f"{len(apart)} names have several classes, such as '{name}' ({first})"
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
    if not names and (other := _container(root)):
        way_out = f"sort its images in a folder, or take the others: --modalities {'+'.join(files)}"
        raise DataError(other, "would be left out, and may be of a sensor", way_out)
    return files


def _container(root: Path) -> Path | None:
    """The first file directly in the folder that holds arrays, if there is one."""
    files = sorted(path for path in root.glob("[!.]*") if path.is_file())
    return next((f for f in files if f.suffix.lower() in (".npy", *CONTAINERS)), None)


def _read_tree(files: list[Path], rule: Rule) -> tuple[np.ndarray, Rule, dict[str, Any]]:
    """The images of a modality, the rule with the value of pixels that were not measured, and how
    the files are stored: type → [how many, the first], and the scaling of their tags."""
    tree, search = files[0].parents[1], Search(rule.invalid)  # a tag's value may be absent
    stated, (rule, scaling) = rule.invalid, _with_tags(files, tree, rule)
    hole, images = np.nan if rule.invalid is None else rule.invalid, list[np.ndarray]()
    kinds: dict[str, list[Path]] = defaultdict(list)  # type → its files
    for file in files:
        _check_signal(file)
        stored = read_stored(file)
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
        about["absent"] = [search.invalid, search.low, search.high]
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


def _check_signal(file: Path) -> None:
    """Refuse an array [C, T], which would be an image of C rows."""
    if file.suffix.lower() == ".npy":
        with as_data_error(file, "an image", "replace or remove it"):
            shape = np.load(file, "r").shape
        if len(shape) == 2 and looks_like_signal(*shape):
            found = f"holds {list(shape)}, a signal or a grey image"
            raise DataError(file, found, "save a signal as x[:, None], a grey image as x[None]")


def _read_groups(root: Path, pattern: str, ids: list[str]) -> np.ndarray | None:
    """The group of each id by the pattern, else by the table beside the folders; None without."""
    table = root / "groups.csv"
    if pattern:
        with as_data_error("groups", "a pattern", "write e.g. (.+)_[0-9]+ for frames of videos"):
            matches = {sample: re.fullmatch(pattern, sample.partition("/")[2]) for sample in ids}
            group_of = {sample: match[1] for sample, match in matches.items() if match}
    elif table.is_file():
        group_of = _read_table(table)
    else:
        return None
    groups = [group_of.get(sample) or group_of.get(sample.partition("/")[2], "") for sample in ids]
    if "" in groups:
        found = f"'{ids[groups.index('')]}' has no group by {pattern or table.name}"
        raise DataError(root, found, "every image needs one")
    return np.array(groups)


def _read_table(table: Path) -> dict[str, str]:
    """Name → group, however a spreadsheet separated the two."""
    with as_data_error(
        table, "a table of groups", "save it in UTF-8, with the columns name and group"
    ):
        how: dict = {"sep": None, "engine": "python", "dtype": str, "keep_default_na": False}
        text = table.read_text("utf-8-sig")
        if text[:4].lower() == "sep=":  # Excel's own first line
            how["sep"], text = text[4], text.partition("\n")[2]
        rows = pd.read_csv(io.StringIO(text), **how)  # it finds what separates columns
        rows = rows.rename(columns=lambda title: title.strip().lower())
        if absent := [title for title in ("name", "group") if title not in rows]:
            titles = ", ".join(rows.columns)
            raise DataError(table, f"has the columns {titles}", f"call one {absent[0]}")
        rows = rows[["name", "group"]].fillna("")  # a row that ends before its group
        rows = rows.apply(lambda column: column.str.strip().str.normalize("NFC")).drop_duplicates()
    if (twice := rows["name"].duplicated()).any():
        found = f"'{rows['name'][twice].iloc[0]}' is in two groups"
        raise DataError(table, found, "name each image once")
    return dict(zip(rows["name"], rows["group"], strict=True))
