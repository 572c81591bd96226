"""A person's own folders of images: sensors, classes, pairs and groups by the names of files."""

import re
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from discom.data.checks import check_size
from discom.data.images import ENDINGS, Rule, find_images, no_data, read_pixels
from discom.data.multimodal import Modality, MultiModalData
from discom.errors import DataError, check_choice
from discom.files import as_data_error
from discom.labels import UNLABELLED

NAMELESS = ("unlabelled", "unlabeled")  # folders of images without a class
HOLE = -32768.0  # takes the place of NaN; every type of float holds it exactly


def read_folders(
    root: Path | str,
    modalities: Sequence[str] | None = None,
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
        modalities: the ones to keep, in this order; all by default, alphabetically.
        size, fit, invalid: see `Rule`, the last by modality. "Not measured" is by default what
            TIFFs state by GDAL's tag; where there is NaN, that is -32768.
        unit, symmetry: modality → unit of its pixels, such as "mm", and what augmentation may do to
            it (see `Modality`), by default "flip"; no image file states them.
        groups: a pattern of files' names without their endings; its first part in parentheses is
            the group, such as (.+)_[0-9]+ for frames of videos. Without it `<root>/groups.csv`, if
            there, has the columns name (``<class>/<id>`` or ``<id>``) and group.

    Raises:
        ConfigError: an option of another form, or for a modality that has no folder.
        DataError: no images, an unreadable or misplaced file, other band counts within a modality,
            or other sizes, where no `size` is given; an image without a group.
    """
    root, shape = Path(root), None if size is None else check_size(size)
    files = _list_files(root)
    for name in (*unit, *invalid, *symmetry):
        check_choice("unit, invalid, symmetry", name, files)
    every = {one.partition("/")[0] for tree in files.values() for one in tree}
    number = {name: k for k, name in enumerate(sorted(every - {NAMELESS[0]}))}
    plain: dict[str, str] = {}
    for name in number:
        if (other := plain.setdefault(" ".join(name.casefold().split()), name)) != name:
            found = f"'{other}' and '{name}' differ only in case or blanks"
            raise DataError(root, found, "give one class one name")
    sensors, rules = {}, {}
    for name, tree in files.items():
        images, rule = _read_tree([*tree.values()], Rule(shape, fit, invalid.get(name)))
        labels = np.array([number.get(one.partition("/")[0], UNLABELLED) for one in tree])
        about = unit.get(name, ""), rule.invalid, symmetry.get(name, "flip")
        sensors[name] = Modality(images, labels, np.array([*tree]), *about)
        rules[name] = asdict(rule)
    own_name = root.resolve().name
    data = MultiModalData(sensors, tuple(number), name=own_name, about={"rules": rules})
    data = data.changed(groups=_read_groups(root, groups, data.ids.tolist()))
    return data.select(modalities) if modalities else data


def _list_files(root: Path) -> dict[str, dict[str, Path]]:
    """Modality → id, ``<class>/<name>``, of the two ways to write "é" in Unicode NFC → image."""
    expected = f"expected {root}/<modality>/<class>/<id> with one of {' '.join(ENDINGS)}"
    files: dict[str, dict[str, Path]] = {}
    for tree in sorted(path for path in root.glob("[!.]*") if path.is_dir()):
        if (name := tree.name.lower()) in files:
            raise DataError(tree, "another folder has this name in other letters", "rename one")
        own = files[name] = {}
        for file in find_images([tree]):
            if file.parent.parent != tree:
                raise DataError(file, "is not in the folder of a class", expected)
            kind = NAMELESS[0] if file.parent.name.lower() in NAMELESS else file.parent.name
            one = unicodedata.normalize("NFC", f"{kind}/{file.stem}")
            if (other := own.setdefault(one, file)) != file:
                raise DataError(file, f"{other} has its name, too", "remove or rename one")
    if not files:
        raise DataError(root, "has no folder", expected)
    return files


def _read_tree(files: list[Path], rule: Rule) -> tuple[np.ndarray, Rule]:
    """The images of a modality, and the rule with the value of pixels that were not measured."""
    tree = files[0].parents[1]
    values = {value for file in files if (value := no_data(file)) is not None and value == value}
    if rule.invalid is None and values:
        if len(values) > 1:
            found = f"its files state {min(values):g} and {max(values):g} as no data"
            raise DataError(tree, found, "state one of them as invalid")
        rule = replace(rule, invalid=values.pop())
    hole, images = np.nan if rule.invalid is None else rule.invalid, list[np.ndarray]()
    for file in files:
        images.append(rule(read_pixels(file, hole)))
        if images[-1].shape != images[0].shape:
            shapes = images[-1].shape, images[0].shape
            one, other = (f"{h}×{w} with {c} band(s)" for c, h, w in shapes)
            advice = "bring all to one size with --size 64, and to one number of bands"
            raise DataError(file, f"is {one}, but {files[0].name} is {other}", advice)
    stacked = np.stack(images)  # in the widest of their types
    if (holes := np.isnan(stacked)).any():
        warnings.warn(f"{tree}: NaN becomes {HOLE:g}, 'not measured'", stacklevel=3)
        stacked[holes], rule = HOLE, replace(rule, invalid=HOLE)
    return stacked, rule


def _read_groups(root: Path, pattern: str, ids: list[str]) -> np.ndarray | None:
    """The group of each id by the pattern, else by the table beside the folders; None without."""
    table = root / "groups.csv"
    if pattern:
        with as_data_error("groups", "a pattern", "write e.g. (.+)_[0-9]+ for frames of videos"):
            matches = {one: re.fullmatch(pattern, one.partition("/")[2]) for one in ids}
            of = {one: match[1] for one, match in matches.items() if match}
    elif table.is_file():
        of = _read_table(table)
    else:
        return None
    groups = [of.get(one) or of.get(one.partition("/")[2], "") for one in ids]
    if "" in groups:
        found = f"'{ids[groups.index('')]}' has no group by {pattern or table.name}"
        raise DataError(root, found, "every image needs one")
    return np.array(groups)


def _read_table(table: Path) -> dict[str, str]:
    """Name → group, however a spreadsheet separated the two."""
    with as_data_error(table, "a table of groups", "give it the columns name and group, in UTF-8"):
        how: dict = {"sep": None, "engine": "python", "dtype": str, "keep_default_na": False}
        rows = pd.read_csv(table, encoding="utf-8-sig", **how)  # it finds what separates columns
        rows = rows.rename(columns=lambda title: title.strip().lower())[["name", "group"]]
        rows = rows.apply(lambda column: column.str.strip().str.normalize("NFC")).drop_duplicates()
    if (twice := rows["name"].duplicated()).any():
        found = f"'{rows['name'][twice].iloc[0]}' is in two groups"
        raise DataError(table, found, "name each image once")
    return dict(zip(rows["name"], rows["group"], strict=True))
