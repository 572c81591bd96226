"""A person's own folders of images: sensors, classes, pairs and groups by the names of files."""

import math
import re
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discom.data.checks import UNLABELLED, check_size
from discom.data.images import ENDINGS, Rule, images_of, no_data, read_pixels
from discom.data.multimodal import Modality, MultiModalData
from discom.data.splitting import near_groups
from discom.errors import ConfigError, DataError
from discom.files import as_data_error

NAMELESS = ("unlabelled", "unlabeled")  # folders of images without a class
HOLE = -32768.0  # takes the place of NaN; every type of float holds it exactly
GROUPS = r"write e.g. (.+)_[0-9]+ for frames of videos"


def read_folders(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    size: int | Sequence[int] | None = None,
    unit: Mapping[str, str] | None = None,
    invalid: Mapping[str, float] | None = None,
    group_copies: bool = False,
    groups: str = "",
    bands: Mapping[str, Sequence[int]] | None = None,
    fit: str = "squeeze",
    classes: Sequence[str] = (),
    motions: Mapping[str, str] | None = None,
) -> MultiModalData:
    """Read `<root>/<modality>/<class>/<id>.<ending>`; the same class and id in two trees are a
    pair, and samples without a partner are kept. A folder `unlabelled` (or `unlabeled`) is no
    class, but holds images without a label. Names are compared in Unicode's form NFC.

    Args:
        root: the folder that has one tree per modality; they come in alphabetical order, as
            classes do.
        modalities: the ones to keep, in this order; all by default.
        size, fit, bands, invalid: see `Rule`, the last two by modality. Modalities of `bands`
            without a folder are taken from the one folder that is not among them. "Not measured"
            is by default what TIFFs state by GDAL's tag; where there is NaN, that is -32768.
        unit, motions: modality → unit of its pixels, such as "mm", and what augmentation may do to
            it (see `Modality`), by default "flip"; no image file states them.
        classes: modalities whose pixels are classes, such as land cover.
        groups: a pattern of files' names without their endings; its first part in parentheses is
            the group, such as (.+)_[0-9]+ for frames of videos. Without it `<root>/groups.csv`, if
            there, has the columns name (`<class>/<id>` or `<id>`) and group.
        group_copies: join near copies, and what is in one group, to groups (`near_groups`).

    Raises:
        ConfigError: an option of another form, or for a modality that has no folder.
        DataError: no images, an unreadable file, other band counts within a modality, or other
            sizes, where no `size` is given; an image without a group.
    """
    root, shape = Path(root), None if size is None else check_size(size)
    options = {"unit": unit, "invalid": invalid, "motions": motions, "bands": bands}
    stated: dict[str, dict[str, Any]] = {}  # option → modality, in lower case → what is stated
    for option, values in {**options, "classes": dict.fromkeys(classes)}.items():
        if not isinstance(values, Mapping | None):
            raise ConfigError(option, f"{values!r} names no modality", 'write {"depth": …}')
        stated[option] = {name.lower(): value for name, value in (values or {}).items()}
    files = _share_bands(_list_files(root), stated["bands"])
    for option, values in stated.items():
        if unknown := sorted(set(values) - set(files)):
            have = f"it has {', '.join(files)}"
            raise ConfigError(option, f"{root} has no folder '{unknown[0]}'", have)
    _check_names(root, files)
    folders = {name_of(file)[0] for tree in files.values() for file in tree}
    kinds, read, rules = sorted(folders - {NAMELESS[0]}), {}, {}
    for name, tree in files.items():
        own = {option: values.get(name) for option, values in stated.items()}
        chosen = tuple(own["bands"] or ()) or None
        rule = Rule(shape, fit, chosen, name in stated["classes"], own["invalid"])
        images, rule = _read_tree(tree, rule)
        names = [name_of(file) for file in tree]
        labels = np.array([kinds.index(k) if k in kinds else UNLABELLED for k, _ in names])
        about = own["unit"] or "", rule.invalid, own["motions"] or "flip"
        read[name] = Modality(images, labels, np.array(["/".join(n) for n in names]), *about)
        rules[name] = asdict(rule)
    data = MultiModalData(read, tuple(kinds), name=root.resolve().name, about={"rules": rules})
    data = data.changed(groups=_read_groups(root, groups, data.ids.tolist()))
    if group_copies:
        data = data.changed(groups=near_groups(data))
    return data.select(modalities) if modalities else data


def name_of(file: Path) -> tuple[str, str]:
    """Class and name of an image, in Unicode's form NFC: systems write "é" in two ways."""
    kind = NAMELESS[0] if file.parent.name.lower() in NAMELESS else file.parent.name
    return unicodedata.normalize("NFC", kind), unicodedata.normalize("NFC", file.stem)


def _list_files(root: Path) -> dict[str, list[Path]]:
    """Modality → its images, by class and name."""
    files: dict[str, list[Path]] = {}
    for tree in sorted(path for path in root.glob("[!.]*") if path.is_dir()):
        if (name := tree.name.lower()) in files:
            raise DataError(tree, "another folder has this name in other letters", "rename one")
        expected = f"expected {tree}/<class>/<id>"
        files[name] = images_of(tree, tree.glob("[!.]*/*"))
        names: dict[tuple[str, str], Path] = {}
        for file in files[name]:
            if (other := names.setdefault(name_of(file), file)) != file:
                raise DataError(file, f"{other.name} has its name, too", "remove or rename one")
        for file in tree.glob("[!.]*/[!.]*/**/[!.]*"):
            if file.suffix.lower() in ENDINGS and file.is_file():
                raise DataError(file, "lies too deep", expected)
        if not files[name]:
            raise DataError(tree, "no images", f"{expected} with one of {' '.join(ENDINGS)}")
    if not files:
        raise DataError(root, "has no folder", f"expected {root}/<modality>/<class>/<id>.png")
    return files


def _share_bands(files: dict[str, list[Path]], bands: Mapping) -> dict[str, list[Path]]:
    """Modalities of `bands` without a folder share that of the one which `bands` does not name."""
    if not (new := [name for name in bands if name not in files]):
        return files
    if len(shared := [name for name in files if name not in bands]) != 1:
        found = f"{new[0]} may be in any of {', '.join(shared) or 'no folder'}"
        raise ConfigError("bands", found, "name the bands of all other folders, too: thermal=1")
    tree = files.pop(shared[0])
    return dict(sorted({**files, **dict.fromkeys(new, tree)}.items()))


def _check_names(root: Path, files: Mapping[str, list[Path]]) -> None:
    """Refuse classes that differ only in case; warn where most images have no partner."""
    ids = {name: {"/".join(name_of(file)) for file in tree} for name, tree in files.items()}
    every, paired = set().union(*ids.values()), set.intersection(*ids.values())
    kinds = sorted(sorted({one.partition("/")[0] for one in every}), key=str.casefold)
    for kind, other in pairwise(kinds):
        if kind.casefold() == other.casefold():
            found = f"'{kind}' and '{other}' differ only in case"
            raise DataError(root, found, "give one class one name")
    if 2 * len(paired) < len(every):
        alone = [f"{name} {', '.join(sorted(own - paired)[:3])}" for name, own in ids.items()]
        found = f"only {len(paired)} of {len(every)} images have a partner"
        warnings.warn(f"{root}: {found}; without one are {'; '.join(alone)}", stacklevel=3)


def _read_tree(files: list[Path], rule: Rule) -> tuple[np.ndarray, Rule]:
    """The images of a modality, and the rule with the value of pixels that were not measured."""
    values = {value for file in files if (value := no_data(file)) is not None and value == value}
    if rule.invalid is None and values:
        if len(values) > 1:
            found = f"its files state {min(values):g} and {max(values):g} as no data"
            raise DataError(files[0].parents[1], found, "state one of them as invalid")
        rule = replace(rule, invalid=values.pop())
    images: list[np.ndarray] = []
    for file in files:
        hole = math.nan if rule.invalid is None else rule.invalid
        pixels = read_pixels(file, hole, alpha=bool(rule.bands))
        if np.isnan(pixels).any():
            warnings.warn(f"{file}: NaN becomes {HOLE:g}, 'not measured'", stacklevel=3)
            return _read_tree(files, replace(rule, invalid=HOLE))
        images.append(rule(pixels, file))
        if (shape := images[-1].shape) != (first := images[0].shape):
            advice = "bring all images of a modality to one band count"
            if shape[0] == first[0]:
                command = f"discom data prepare folders --root {file.parents[2]} --size 64 --out …"
                advice = f"bring all to one size: {command}"
            one, other = (f"{h}×{w} with {c} band(s)" for c, h, w in (shape, first))
            raise DataError(file, f"is {one}, but {files[0].name} is {other}", advice)
    return np.stack(images), rule  # in the widest of their types


def _read_groups(root: Path, pattern: str, ids: list[str]) -> np.ndarray | None:
    """The group of each id by the pattern, else by the table beside the folders; None without."""
    table, of, source = root / "groups.csv", dict[str, str](), pattern or "groups.csv"
    if pattern:
        with as_data_error("groups", "a pattern", GROUPS):
            rule = re.compile(pattern)
        if not rule.groups:
            raise ConfigError("groups", f"'{pattern}' has no part in parentheses", GROUPS)
        matches = {one: rule.fullmatch(one.partition("/")[2]) for one in ids}
        of = {one: match[1] for one, match in matches.items() if match}
    elif table.is_file():
        with as_data_error(table, "a table of groups", "give it the columns name and group"):
            rows = pd.read_csv(table, dtype=str, keep_default_na=False, usecols=["name", "group"])
            ending = "|".join(map(re.escape, ENDINGS))
            names = rows["name"].str.normalize("NFC").str.replace(f"({ending})$", "", regex=True)
        rows = rows.assign(name=names).drop_duplicates()
        if (twice := rows["name"].duplicated()).any():
            found = f"'{rows['name'][twice].iloc[0]}' is in two groups"
            raise DataError(table, found, "name each image once")
        of = dict(zip(rows["name"], rows["group"], strict=True))
    else:
        return None
    groups = [of.get(one) or of.get(one.partition("/")[2], "") for one in ids]
    if "" in groups:
        found = f"'{ids[groups.index('')]}' has no group by {source}"
        raise DataError(root, found, "every image needs one")
    return np.array(groups)
