"""Steps that the readers share: check options, find files, pair them, keep groups whole."""

import fnmatch
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from discom.data.checks import NO_LABEL
from discom.data.images import read_pixels
from discom.data.lazy import Lazy
from discom.data.multimodal import Modality
from discom.data.splitting import PARTS
from discom.errors import ConfigError, DataError
from discom.files import chunks

__all__ = [
    *("Form", "NO_LABEL", "carve", "check_choice", "check_number", "check_size", "choose"),
    *("count_pixels", "find", "find_folder", "most_frequent", "official_parts", "pair"),
    *("read_form", "read_lines", "sorted_files", "variant", "views"),
]


class Form(NamedTuple):
    """How the images of a modality are read, and what they are."""

    read: Callable[[Any], np.ndarray]
    shape: tuple[int, ...]  # of one image, [C, H, W]
    kind: Any  # dtype
    unit: str = ""
    invalid: float | None = None  # the value where nothing was measured


def views(
    items: Mapping[str, Sequence[Any]], forms: Mapping[str, Form], labels: Any, ids: Any
) -> dict[str, Modality]:
    """Modality → its images, read when asked for; of each the first is read at once, so that
    files of another form are refused before anything is written."""
    modalities = {}
    for name, files in items.items():
        read, shape, kind, unit, invalid = forms[name]
        images = Lazy(files, read, shape, kind)
        images[0]
        modalities[name] = Modality(images, np.asarray(labels), np.asarray(ids), unit, invalid)
    return modalities


def choose(modalities: Sequence[str] | None, known: Sequence[str], default: int = 2) -> list[str]:
    """The modalities that are asked for; the first `default` of the known ones where none is.

    Raises:
        ConfigError: a name that is not among the `known`, or that stands twice.
    """
    names = list(modalities or known[:default])
    if wrong := [name for name in names if name not in known or names.count(name) > 1]:
        choices = ", ".join(known)
        raise ConfigError(f"modalities: '{wrong[0]}' is unknown or twice; choose of {choices}")
    return names


def check_choice(option: str, value: Any, choices: Sequence[Any]) -> None:
    """Raise a ConfigError where the value of an option is none of the `choices`."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        words = " or ".join(map(str, choices))
        raise ConfigError(f"{option}: {value!r} is unknown; choose {words}")


def check_number(option: str, value: Any, *, whole: bool = False) -> None:
    """Raise a ConfigError where the value of an option is no finite number above 0."""
    if type(value) not in ((int,) if whole else (int, float)) or not 0 < value < float("inf"):
        kind = "whole number" if whole else "number"
        raise ConfigError(f"{option}: {value!r} is no {kind} above 0; give one")


def check_size(size: Any) -> tuple[int, int]:
    """Height and width of one number of pixels for both, or of two."""
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2 or not all(type(side) is int and side > 0 for side in sides):
        raise ConfigError(f"size: {size!r} is no size in pixels; write 224, or [height, width]")
    return sides[0], sides[1]


def variant(name: str, names: Sequence[str], default: Sequence[str], *more: str) -> str:
    """The name of a data set with what differs from its usual form.

    >>> variant("nyuv2", ["depth"], ["rgb", "depth"], "raw", "", "official")
    'nyuv2-depth-raw-official'
    """
    return "-".join([name, *(names if names != default else []), *filter(None, more)])


def find(root: Path, pattern: str) -> list[Path]:
    """Files and folders of that name at any depth below `root`, through links too, by name.

    Hidden ones and copies in `__MACOSX` are passed over.

    Raises:
        DataError: `root` is no folder.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the one with the raw files")
    places, visited = [], set()
    for place, folders, files in os.walk(root, followlinks=True):
        if (real := os.path.realpath(place)) in visited:
            folders.clear()  # a link led back
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        names = [*folders, *(name for name in files if not name.startswith("."))]
        places += [Path(place, name) for name in fnmatch.filter(names, pattern)]
    return sorted(places)


def find_folder(root: Path, inside: Sequence[str], what: str) -> list[Path]:
    """Every folder at or below `root` that directly holds all of the folders or files `inside`.

    Raises:
        DataError: there is none; `what` says what is looked for and where to get it.
    """
    folders = [place.parent for place in find(root, inside[0])]
    if full := [place for place in folders if all((place / name).exists() for name in inside)]:
        return full
    raise DataError(f"{root}: holds no {what}")


def sorted_files(folder: Path, *endings: str) -> dict[str, Path]:
    """Stem → file with one of `endings` (any case), in the order of names, without hidden files.

    Raises:
        DataError: the folder is missing, or two files have one stem.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; unpack the archive again")
    files: dict[str, Path] = {}
    for file in sorted(folder.glob("[!.]*")):
        if file.name.lower().endswith(endings) and not file.is_dir():
            if file.stem in files:
                raise DataError(f"{file}: the same sample as {files[file.stem].name}; remove one")
            files[file.stem] = file
    return files


def read_lines(file: Path) -> list[str]:
    """The lines of a text that are not blank, without blanks around them.

    Raises:
        DataError: the file is missing.
    """
    if not file.is_file():
        raise DataError(f"{file}: no such file; fetch or unpack it again")
    # bytes that are no text become names that stand nowhere, which the caller reports
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_form(file: Path, what: str, kind: Any, shape: Sequence[int | None]) -> np.ndarray:
    """The pixels [C, H, W] of a file that must have this type and shape (None: any size).

    Raises:
        DataError: unreadable, or of another form.
    """
    pixels = read_pixels(file)
    if pixels.dtype != kind or any(
        n not in (None, m) for n, m in zip(shape, pixels.shape, strict=True)
    ):
        needed = f"{np.dtype(kind)} {list(shape)}".replace("None", "any")
        is_ = f"{pixels.dtype} {list(pixels.shape)}"
        raise DataError(f"{file}: holds {is_}, {what} is {needed}; take the original file")
    return pixels


def pair(
    files: Mapping[str, Mapping[str, Any]], where: Path | str, orphans: str = "refuse"
) -> tuple[list[str], dict[str, int]]:
    """The keys that every modality has, in natural order, and how many each has left over.

    Args:
        files: modality → key → anything, as a rule the file.
        where: named in messages.
        orphans: "refuse" raises where a modality lacks a key, "drop" leaves the key out and warns.

    Raises:
        DataError: nothing pairs, or orphans; the first three of each modality are named.

    >>> pair({"rgb": {"a10": 1, "a9": 2}, "depth": {"a9": 3, "a10": 4}}, "here")[0]
    ['a9', 'a10']
    """
    check_choice("orphans", orphans, ("refuse", "drop"))
    common = set.intersection(*(set(keys) for keys in files.values()))
    alone = {name: sorted(set(keys) - common, key=_natural) for name, keys in files.items()}
    report = "; ".join(
        f"{len(keys)} of {name} have no partner ({', '.join(keys[:3])})"
        for name, keys in alone.items()
        if keys
    )
    if not common:
        raise DataError(f"{where}: no pair ({report or 'no file'}); unpack all archives")
    if report and orphans == "refuse":
        way = 'complete the files, or leave these out with --options \'{"orphans": "drop"}\''
        raise DataError(f"{where}: {report}; {way}")
    if report:
        warnings.warn(f"{where}: {report}; left out", stacklevel=3)
    return sorted(common, key=_natural), {name: len(keys) for name, keys in alone.items()}


def _natural(key: str) -> tuple[list[tuple[int, int, str]], str]:
    """Numbers by value; the key itself comes last, since 1 and 01 are one number."""
    parts = re.split(r"(\d+)", key)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts], key


def carve(
    train: np.ndarray, groups: np.ndarray, share: float = 0.125, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Divide the rows `train` of an official training part into training and validation.

    Groups stay whole: they are taken in an order drawn by `seed`, each that brings the validation
    part nearer to its `share` (1/8 of 80 % is a tenth of all); the smallest, where all are too
    large.

    Raises:
        DataError: one group alone, which cannot be divided.
    """
    names, sizes = np.unique(groups[train], return_counts=True)
    if len(names) < 2:
        raise DataError(f"the training part is one group ({names.tolist()}); two are needed")
    chosen: list[int] = []
    for place in np.random.default_rng([seed, 0x7A1]).permutation(len(names)):
        enough = sizes[chosen].sum() + sizes[place] / 2 > share * len(train)
        if not enough and len(chosen) < len(names) - 1:
            chosen.append(int(place))
    is_valid = np.isin(groups[train], names[chosen or [int(sizes.argmin())]])
    return train[~is_valid], train[is_valid]


def official_parts(root: Path, lists: Sequence[str], stems: Sequence[str]) -> dict[str, np.ndarray]:
    """Rows of the three parts by lists of file names, which lie at any depth.

    Raises:
        DataError: a list is missing or empty, or a name in it is no sample or stands twice.
    """
    what = f"folder with {', '.join(lists)}; fetch them, or go without the official split"
    place = find_folder(root, lists, what)[0]
    row_of = {stem: row for row, stem in enumerate(stems)}
    parts: dict[str, np.ndarray] = {}
    for part, file in zip(PARTS, [place / name for name in lists], strict=True):
        names = [Path(line).stem for line in read_lines(file)]
        rows = [row_of.pop(name, -1) for name in names]
        if not rows or -1 in rows:
            wrong = (
                f"{names[rows.index(-1)]} is no sample, or listed before" if rows else "is empty"
            )
            raise DataError(f"{file}: {wrong}; unpack all archives and fetch the lists again")
        parts[part] = np.sort(rows)
    if row_of:
        text = f"{len(row_of)} samples are in no list ({', '.join(list(row_of)[:3])})"
        warnings.warn(f"{place}: {text}; left out", stacklevel=3)
    return parts


def most_frequent(counts: np.ndarray) -> np.ndarray:
    """The class with most of the pixels `counts` [N, classes], [N]; -1 where there are none."""
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)


def count_pixels(masks: Any, classes: int, where: Path | str) -> np.ndarray:
    """Pixels of every class in the masks [N, H, W], [N, classes]; every mask is read once.

    Raises:
        DataError: an id that is neither a class nor 255, which is no label.
    """
    counts = np.zeros((len(masks), 256), dtype=np.int64)
    for rows in chunks(masks):
        for row, mask in enumerate(masks[rows], rows.start):
            counts[row] = np.bincount(mask.ravel(), minlength=256)
    wrong = np.argwhere(counts[:, classes:NO_LABEL])
    if len(wrong):
        row, label = wrong[0] + [0, classes]
        raise DataError(
            f"{where}: mask {row} holds id {label}; there are {classes} classes, and 255"
        )
    return counts[:, :classes]
