"""Steps that the readers share: check options, find files, pair them, keep groups whole."""

import fnmatch
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom.data.checks import NO_LABEL
from discom.data.images import read_pixels
from discom.data.lazy import Lazy
from discom.data.multimodal import Modality
from discom.data.splitting import PARTS
from discom.errors import ConfigError, DataError
from discom.files import chunks

__all__ = ["NO_LABEL", "Form", "carve", "check_size", "check_whole", "choose"]
__all__ += ["count_pixels", "find", "find_folder", "most_frequent", "official_parts", "pair"]
__all__ += ["read_form", "read_lines", "sorted_files", "variant", "views"]

VALID_SHARE = 0.125  # of an official training part: 1/8 of 80 % is a tenth of all


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
    """Modality → its images, read when asked for; the first now, to refuse other forms."""
    modalities = {}
    for name, files in items.items():
        read, shape, kind, unit, invalid = forms[name]
        images = Lazy(files, read, shape, kind)
        images[0]
        modalities[name] = Modality(images, np.asarray(labels), np.asarray(ids), unit, invalid)
    return modalities


def choose(modalities: Sequence[str] | None, choices: Sequence[str], default: int = 2) -> list[str]:
    """The modalities asked for, by default the first of the `choices` (else a ConfigError)."""
    names = list(modalities or choices[:default])
    if wrong := [name for name in names if name not in choices or names.count(name) > 1]:
        words = ", ".join(choices)
        raise ConfigError(f"modalities: '{wrong[0]}' is unknown or twice; choose of {words}")
    return names


def check_whole(option: str, value: Any) -> int:
    """The value of an option, which must be a whole number above 0 (else a ConfigError)."""
    if type(value) is not int or value < 1:
        raise ConfigError(f"{option}: {value!r} is no whole number above 0; give one")
    return value


def check_size(size: Any) -> tuple[int, int]:
    """Height and width of one number of pixels for both, or of two (else a ConfigError)."""
    sides = size if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2:
        raise ConfigError(f"size: {size!r} is no size in pixels; write 224, or [height, width]")
    return check_whole("size", sides[0]), check_whole("size", sides[1])


def variant(name: str, names: Sequence[str], default: Sequence[str], *more: str) -> str:
    """The name of a data set with what differs from its usual form.

    >>> variant("nyuv2", ["depth"], ["rgb", "depth"], "", "official")
    'nyuv2-depth-official'
    """
    return "-".join([name, *(names if names != default else []), *filter(None, more)])


def find(root: Path, pattern: str) -> list[Path]:
    """Files and folders of that name at any depth, through links too; none that is hidden or
    in `__MACOSX`."""
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
    """Every folder at or below `root` that directly holds all of `inside`; a DataError says where
    to get `what` if there is none."""
    folders = [place.parent for place in find(root, inside[0])]
    if complete := [place for place in folders if all((place / n).exists() for n in inside)]:
        return complete
    raise DataError(f"{root}: holds no {what}")


def sorted_files(folder: Path, *endings: str) -> dict[str, Path]:
    """Stem → file with one of `endings` (any case), by name, none that is hidden; a DataError
    where two files have one stem."""
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
    """The lines of a text that are not blank, without blanks around them."""
    if not file.is_file():
        raise DataError(f"{file}: no such file; fetch or unpack it again")
    text = file.read_text(encoding="utf-8-sig", errors="replace")  # the caller refuses odd names
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_form(file: Path, what: str, kind: Any, shape: Sequence[int | None]) -> np.ndarray:
    """The pixels [C, H, W] of a file that must have this type and shape (None: any size), else a
    DataError."""
    pixels = read_pixels(file)
    expected = tuple(n or m for n, m in zip(shape, pixels.shape, strict=True))
    if (pixels.dtype, pixels.shape) != (kind, expected):
        needed = f"{np.dtype(kind)} {list(shape)}".replace("None", "any")
        form = f"{pixels.dtype} {list(pixels.shape)}"
        raise DataError(f"{file}: holds {form}, {what} is {needed}; take the original file")
    return pixels


def pair(
    files: Mapping[str, Mapping[str, Any]], where: Path | str, orphans: str = "refuse"
) -> tuple[list[str], dict[str, int]]:
    """The keys that every modality has, in natural order, and how many each has left over.

    Args:
        files: modality → key → anything, as a rule the file.
        where: named in messages.
        orphans: "refuse" raises a DataError where a modality lacks a key, "drop" leaves it out.

    >>> pair({"rgb": {"a10": 1, "a9": 2}, "depth": {"a9": 3, "a10": 4}}, "here")[0]
    ['a9', 'a10']
    """
    if orphans not in ("refuse", "drop"):
        raise ConfigError(f"orphans: {orphans!r} is unknown; choose refuse or drop")
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


def carve(train: np.ndarray, groups: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the training and of the validation part, made of the official training part `train`:
    an eighth of its groups, drawn by `seed`; a DataError where it is one group."""
    from sklearn.model_selection import GroupShuffleSplit

    if len(names := np.unique(groups[train])) < 2:
        raise DataError(f"the training part is one group ({names.tolist()}); two are needed")
    splitter = GroupShuffleSplit(1, test_size=VALID_SHARE, random_state=seed)
    kept, valid = next(splitter.split(train, groups=groups[train]))
    return train[kept], train[valid]


def official_parts(root: Path, lists: Sequence[str], stems: Sequence[str]) -> dict[str, np.ndarray]:
    """Rows of the three parts by lists of file names, at any depth; a DataError where they do not
    name every sample once."""
    what = f"folder with {', '.join(lists)}; fetch them, or go without the official split"
    place = find_folder(root, lists, what)[0]
    row_of, parts = pd.Index(stems), {}
    for part, name in zip(PARTS, lists, strict=True):
        names = [Path(line).stem for line in read_lines(place / name)]
        parts[part] = np.sort(row_of.get_indexer(names))
    if sorted(np.concatenate(list(parts.values()))) != list(range(len(stems))):
        wrong = f"the lists do not name each of the {len(stems)} samples once"
        raise DataError(f"{place}: {wrong}; unpack all archives and fetch the lists again")
    return parts


def most_frequent(counts: np.ndarray) -> np.ndarray:
    """The class with most of the pixels `counts` [N, classes], [N]; -1 where there are none."""
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)


def count_pixels(masks: Any, classes: int, where: Path | str) -> np.ndarray:
    """Pixels of every class in the masks [N, H, W], [N, classes], each read once; a DataError names
    an id that is neither a class nor 255, which is no label."""
    counts = np.zeros((len(masks), 256), dtype=np.int64)
    for rows in chunks(masks):
        for row, mask in enumerate(masks[rows], rows.start):
            counts[row] = np.bincount(mask.ravel(), minlength=256)
    wrong = np.argwhere(counts[:, classes:NO_LABEL])
    if len(wrong):
        row, label = wrong[0] + [0, classes]
        allowed = f"0 to {classes - 1} and 255 are allowed"
        raise DataError(f"{where}: mask {row} holds id {label}; {allowed}")
    return counts[:, :classes]
