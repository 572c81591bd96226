"""A person's own folders of images: sensors, classes, pairs and groups by the names of files."""

import re
import unicodedata
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discom.data.checks import UNLABELLED, check_size
from discom.data.images import ENDINGS, Rule, images_of, no_data, read_image
from discom.data.multimodal import Modality, MultiModalData
from discom.data.splitting import near_groups
from discom.errors import ConfigError, DataError
from discom.files import as_data_error

NAMELESS = ("unlabelled", "unlabeled")  # folders of images without a class
HOLE = -32768.0  # takes the place of NaN; every type of float holds it exactly
GROUPS = r"write e.g. (.+)_[0-9]+ for frames of videos"
# where below the root no image may lie
MISPLACED = ("[!.]*", "[!.]*/[!.]*", "[!.]*/[!.]*/[!.]*/**/[!.]*")


def read_folders(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    size: int | Sequence[int] | None = None,
    unit: Mapping[str, str] | None = None,
    invalid: Mapping[str, float] | None = None,
    group_copies: bool = False,
    groups: str = "",
    fit: str = "squeeze",
    symmetry: Mapping[str, str] | None = None,
) -> MultiModalData:
    """Read `<root>/<modality>/<class>/<id>.<ending>`; the same class and id in two trees are a
    pair, and samples without a partner are kept. A folder `unlabelled` (or `unlabeled`) is no
    class, but holds images without a label. Names are compared in Unicode's form NFC.

    Args:
        root: the folder that has one tree per modality; they come in alphabetical order, as
            classes do.
        modalities: the ones to keep, in this order; all by default.
        size, fit, invalid: see `Rule`, the last by modality. "Not measured" is by default what
            TIFFs state by GDAL's tag; where there is NaN, that is -32768.
        unit, symmetry: modality → unit of its pixels, such as "mm", and what augmentation may do to
            it (see `Modality`), by default "flip"; no image file states them.
        groups: a pattern of files' names without their endings; its first part in parentheses is
            the group, such as (.+)_[0-9]+ for frames of videos. Without it `<root>/groups.csv`, if
            there, has the columns name (`<class>/<id>` or `<id>`) and group.
        group_copies: join near copies, and what is in one group, to groups (`near_groups`).

    Raises:
        ConfigError: an option of another form, or for a modality that has no folder.
        DataError: no images, an unreadable or misplaced file, other band counts within a modality,
            or other sizes, where no `size` is given; an image without a group.
    """
    root, shape = Path(root), None if size is None else check_size(size)
    files = _list_files(root)
    stated = _by_modality(root, files, {"unit": unit, "invalid": invalid, "symmetry": symmetry})
    number = {k: n for n, k in enumerate(_classes(root, chain.from_iterable(files.values())))}
    sensors, rules = {}, {}
    for name, tree in files.items():
        own = stated[name]
        images, rule = _read_tree(root, [*tree.values()], Rule(shape, fit, own["invalid"]))
        labels = np.array([number.get(one.partition("/")[0], UNLABELLED) for one in tree])
        about = own["unit"] or "", rule.invalid, own["symmetry"] or "flip"
        sensors[name] = Modality(images, labels, np.array([*tree]), *about)
        rules[name] = asdict(rule)
    own_name, kinds = root.resolve().name, tuple(number)
    data = MultiModalData(sensors, kinds, name=own_name, about={"rules": rules})
    data = data.changed(groups=_read_groups(root, groups, data.ids.tolist()))
    if group_copies:
        data = data.changed(groups=near_groups(data))
    return data.select(modalities) if modalities else data


def id_of(file: Path) -> str:
    """Class (its folder) and name of an image, in Unicode's form NFC: systems write "é" in two
    ways."""
    kind = NAMELESS[0] if file.parent.name.lower() in NAMELESS else file.parent.name
    return unicodedata.normalize("NFC", f"{kind}/{file.stem}")


def _list_files(root: Path) -> dict[str, dict[str, Path]]:
    """Modality → id → image."""
    files: dict[str, dict[str, Path]] = {}
    expected = f"expected {root}/<modality>/<class>/<id> with one of {' '.join(ENDINGS)}"
    for file in chain.from_iterable(map(root.glob, MISPLACED)):
        if file.suffix.lower() in ENDINGS and file.is_file():
            raise DataError(file, "lies beside the folders, or too deep", expected)
    for tree in sorted(path for path in root.glob("[!.]*") if path.is_dir()):
        if (name := tree.name.lower()) in files:
            raise DataError(tree, "another folder has this name in other letters", "rename one")
        files[name] = {}
        for file in images_of(tree, tree.glob("[!.]*/*")):
            if (other := files[name].setdefault(id_of(file), file)) != file:
                raise DataError(file, f"{other.name} has its name, too", "remove or rename one")
        if not files[name]:
            raise DataError(tree, "no images", expected)
    if not files:
        raise DataError(root, "has no folder", expected)
    return files


def _by_modality(root: Path, names: Iterable[str], options: Mapping[str, Any]) -> dict:
    """Modality → option → what is stated, None where nothing is."""
    stated: dict[str, dict] = {name: {} for name in names}
    for option, values in options.items():
        given = {name.lower(): value for name, value in (values or {}).items()}
        if unknown := sorted(set(given) - set(stated)):
            have = f"it has {', '.join(stated)}"
            raise ConfigError(option, f"{root} has no folder '{unknown[0]}'", have)
        for name, own in stated.items():
            own[option] = given.get(name)
    return stated


def _classes(root: Path, ids: Iterable[str]) -> tuple[str, ...]:
    kinds = sorted({one.partition("/")[0] for one in ids} - {NAMELESS[0]})
    plain: dict[str, str] = {}
    for kind in kinds:
        if (other := plain.setdefault(" ".join(kind.casefold().split()), kind)) != kind:
            found = f"'{other}' and '{kind}' differ only in case or blanks"
            raise DataError(root, found, "give one class one name")
    return tuple(kinds)


def _read_tree(root: Path, files: list[Path], rule: Rule) -> tuple[np.ndarray, Rule]:
    """The images of a modality, and the rule with the value of pixels that were not measured."""
    tree = root / files[0].relative_to(root).parts[0]
    values = {value for file in files if (value := no_data(file)) is not None and value == value}
    if rule.invalid is None and values:
        if len(values) > 1:
            found = f"its files state {min(values):g} and {max(values):g} as no data"
            raise DataError(tree, found, "state one of them as invalid")
        rule = replace(rule, invalid=values.pop())
    images: list[np.ndarray] = []
    for file in files:
        images.append(read_image(file, rule, rule.invalid))
        if (shape := images[-1].shape) != (first := images[0].shape):
            advice = "bring all images of a modality to one band count"
            if shape[0] == first[0]:
                command = f"discom data prepare folders --root {root} --size 64 --out …"
                advice = f"bring all to one size: {command}"
            one, other = (f"{h}×{w} with {c} band(s)" for c, h, w in (shape, first))
            raise DataError(file, f"is {one}, but {files[0].name} is {other}", advice)
    stacked = np.stack(images)  # in the widest of their types
    if (holes := np.isnan(stacked)).any():
        warnings.warn(f"{tree}: NaN becomes {HOLE:g}, 'not measured'", stacklevel=3)
        stacked[holes], rule = HOLE, replace(rule, invalid=HOLE)
    return stacked, rule


def find_alone(data: Any) -> dict[str, np.ndarray]:
    """Modality → its ids that another one lacks."""
    paired = data.paired_ids
    return {name: m.ids[~np.isin(m.ids, paired)] for name, m in data.modalities.items()}


def _read_groups(root: Path, pattern: str, ids: list[str]) -> np.ndarray | None:
    """The group of each id by the pattern, else by the table beside the folders; None without."""
    table = _beside(root, "groups.csv")
    if not pattern and not table.is_file():
        return None
    of = _groups_by_name(pattern, ids) if pattern else _read_table(table)
    groups = [of.get(one) or of.get(one.partition("/")[2], "") for one in ids]
    if "" in groups:
        found = f"'{ids[groups.index('')]}' has no group by {pattern or table.name}"
        raise DataError(root, found, "every image needs one")
    return np.array(groups)


def _groups_by_name(pattern: str, ids: list[str]) -> dict[str, str]:
    with as_data_error("groups", "a pattern", GROUPS):
        rule = re.compile(pattern)
    if not rule.groups:
        raise ConfigError("groups", f"'{pattern}' has no part in parentheses", GROUPS)
    matches = {one: rule.fullmatch(one.partition("/")[2]) for one in ids}
    return {one: match[1] for one, match in matches.items() if match}


def _beside(root: Path, name: str) -> Path:
    """A file beside the folders, also where its name is in other letters."""
    return next((file for file in root.glob("*") if file.name.lower() == name), root / name)


def _read_table(table: Path) -> dict[str, str]:
    """Name → group, however a spreadsheet separated the two."""
    with as_data_error(table, "a table of groups", "give it the columns name and group, in UTF-8"):
        title = table.read_text(encoding="utf-8-sig").partition("\n")[0]
        separator = next((mark for mark in ";\t" if mark in title), ",")
        rows = pd.read_csv(
            table, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
        rows = rows.rename(columns=lambda title: title.strip().lower())[["name", "group"]]
        rows = rows.apply(lambda column: column.str.strip().str.normalize("NFC"))
        rows = rows.drop_duplicates()
    if (twice := rows["name"].duplicated()).any():
        found = f"'{rows['name'][twice].iloc[0]}' is in two groups"
        raise DataError(table, found, "name each image once")
    return dict(zip(rows["name"], rows["group"], strict=True))
