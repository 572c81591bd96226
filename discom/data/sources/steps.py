"""What the sources have in common: find files, pair them by name and both ways, keep groups whole,
name masks."""

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from discom.data.checks import NO_LABEL
from discom.data.splitting import PARTS
from discom.errors import ConfigError, DataError
from discom.files import chunks

__all__ = ["NO_LABEL", "carve", "check_modalities", "count_pixels", "dominant_classes", "find_folder", "most_frequent",
           "official_parts", "pair", "sorted_files", "walk"]  # fmt: skip


def sorted_files(folder: Path, *endings: str) -> dict[str, Path]:
    """Stem → file with one of `endings` (any case) in `folder`, in the order of names; hidden files
    are no images.

    Raises:
        DataError: the folder is missing, or two files have one stem.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; unpack the archive again")
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if (
            not file.name.startswith(".")
            and file.name.lower().endswith(endings)
            and not file.is_dir()
        ):
            if file.stem in found:
                raise DataError(
                    f"{file}: stands beside {found[file.stem].name}, the same sample; remove one of them"
                )
            found[file.stem] = file
    return found


def walk(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Every folder at and below `root`, through links too, with its folders and files in the order
    of names.

    Hidden ones and `__MACOSX` are passed over. Whoever takes a name out of the list of folders is
    not led there.

    Raises:
        DataError: `root` is no folder.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the one with the raw files")
    visited = set()
    for place, folders, files in os.walk(root, followlinks=True):
        if (here := os.path.realpath(place)) in visited:
            folders.clear()  # a link led back
            continue
        visited.add(here)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        yield Path(place), folders, sorted(name for name in files if not name.startswith("."))


def check_modalities(names: Sequence[str], known: Sequence[str], where: str) -> None:
    """Raise a ConfigError where a name is not among the `known`, or stands twice."""
    if wrong := [name for name in names if name not in known or list(names).count(name) > 1]:
        raise ConfigError(
            f"modalities: '{wrong[0]}' is unknown to {where} or twice; choose of {', '.join(known)}"
        )


def find_folder(root: Path, inside: Sequence[str], what: str) -> list[Path]:
    """Every folder at or below `root`, through links too, that directly holds all of the folders or
    files `inside`.

    Raises:
        DataError: `root` is missing, or there is no such folder; `what` says what is looked for and
            where to get it.
    """
    found, nearest, lacks = [], root, list(inside)
    for place, folders, files in walk(root):
        if not (missing := [name for name in inside if name not in folders and name not in files]):
            found.append(place)
        elif len(missing) < len(lacks):
            nearest, lacks = place, missing
        folders[:] = [name for name in folders if name not in inside]
    if not found:
        near = f" ({nearest} lacks {', '.join(lacks[:3])})" if len(lacks) < len(inside) else ""
        raise DataError(f"{root}: holds no {what}{near}")
    return found


def pair(
    held: Mapping[str, Mapping[str, Any]], where: str, orphans: str = "refuse"
) -> tuple[list[str], dict[str, int]]:
    """The keys that every modality has, in natural order (2 before 10), and how many of each
    modality are left over.

    Args:
        held: modality → key → anything, as a rule the file.
        orphans: "refuse" raises where a key is missing somewhere, "drop" leaves it out and warns.

    Raises:
        DataError: a modality is empty, nothing pairs, or orphans; the first three of each are
            named.

    >>> pair({"rgb": {"b": 1, "a": 2}, "depth": {"a": 3}}, "here", orphans="drop")[0]
    ['a']
    """
    if orphans not in ("refuse", "drop"):
        raise ConfigError(f"orphans: '{orphans}' is unknown; choose refuse or drop")
    for name, keys in held.items():
        if not keys:
            raise DataError(f"{where}: holds no file of {name}; unpack or fetch it")
    common = set.intersection(*(set(keys) for keys in held.values()))
    if not common:
        first = {name: min(keys) for name, keys in held.items()}
        raise DataError(
            f"{where}: no name stands in all of {', '.join(held)} (the first are {first}); check the folders"
        )
    left = {name: sorted(set(keys) - common, key=_natural) for name, keys in held.items()}
    told = "; ".join(
        f"{len(keys)} of {name} have no partner ({', '.join(keys[:3])}{', …' if len(keys) > 3 else ''})"
        for name, keys in left.items()
        if keys
    )
    if told and orphans == "refuse":
        raise DataError(
            f'{where}: {told}; complete the files, or leave them out with --options \'{{"orphans": "drop"}}\''
        )
    if told:
        warnings.warn(f"{where}: {told}; left out", stacklevel=3)
    return sorted(common, key=_natural), {name: len(keys) for name, keys in left.items()}


def _natural(key: str) -> tuple:
    """Numbers by value; the key itself comes last, since 1 and 01 are one number."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", key)
    ], key


def carve(
    train: np.ndarray, groups: np.ndarray, share: float = 0.125, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Divide the rows `train` of an official training part into training and validation, groups
    whole.

    Args:
        train: rows, [n].
        groups: group of every row of the data, [N].
        share: of the validation part; 1/8 of 80 % is the paper's tenth of all. Groups are taken in
            an order drawn by `seed`, each that brings the part nearer to it; the smallest alone
            where all are too large.

    Raises:
        DataError: one group alone, which cannot be divided.
    """
    names, sizes = np.unique(groups[train], return_counts=True)
    if len(names) < 2:
        raise DataError(
            f"the training part is one group ({names[:1].tolist()}); two are needed for a validation part"
        )
    chosen, taken = [], 0
    for place in np.random.default_rng([seed, 0x7A1]).permutation(len(names)):
        if taken + sizes[place] / 2 <= share * len(train) and len(chosen) < len(names) - 1:
            chosen.append(place)
            taken += sizes[place]
    held_out = np.isin(groups[train], names[chosen or [sizes.argmin()]])
    return train[~held_out], train[held_out]


def official_parts(
    root: Path, lists: Mapping[str, str], stems: Sequence[str]
) -> dict[str, np.ndarray]:
    """Rows of the three parts by lists of file names (one a line, any ending).

    Args:
        lists: the file of the train, the validation and the test part, in this order.
        stems: the samples, in the order of the rows.

    Samples in no list are counted in a warning: they are in no part.

    Raises:
        DataError: a list is missing or empty, a listed name is no sample, or is listed twice.
    """
    row_of = {stem: row for row, stem in enumerate(stems)}
    parts, owner = {}, {}
    for part, file in zip(PARTS, (root / name for name in lists.values()), strict=True):
        listed = _listed(file)
        if unknown := [stem for stem in listed if stem not in row_of]:
            raise DataError(
                f"{file}: {len(unknown)} of its names are not there ({', '.join(unknown[:3])}); unpack all"
                " archives, or go without the official split"
            )
        for stem in listed:
            if stem in owner:
                raise DataError(
                    f"{file}: lists {stem}, which {owner[stem]} lists already; fetch the lists again"
                )
            owner[stem] = file.name
        parts[part] = np.array(sorted(row_of[stem] for stem in listed))
    if left := [stem for stem in stems if stem not in owner]:
        warnings.warn(
            f"{root}: {len(left)} samples are in no list ({', '.join(left[:3])}); left out",
            stacklevel=3,
        )
    return parts


def _listed(file: Path) -> list[str]:
    if not file.is_file():
        raise DataError(f"{file}: missing; fetch the list, or go without the official split")
    # bytes that are no text become names that are not there
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    if not (found := [Path(line.strip()).stem for line in lines if line.strip()]):
        raise DataError(f"{file}: lists no name; fetch it again")
    return found


def dominant_classes(masks: Any, classes: int, where: str) -> np.ndarray:
    """The most frequent class of every mask, [N]; -1 where no pixel has a label.

    It stands for the sample where a split is drawn by class. See `count_pixels`, which reads the
    masks.
    """
    return most_frequent(count_pixels(masks, classes, where))


def most_frequent(counts: np.ndarray) -> np.ndarray:
    """The class with the most of the pixels `counts` [N, classes], [N]; -1 where there are none."""
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)


def count_pixels(masks: Any, classes: int, where: str) -> np.ndarray:
    """Pixels of every class in every mask, [N, classes]. Every mask is read once, so every id is
    checked.

    Args:
        masks: class ids [N, H, W], uint8; 255 is no label.
        classes: how many there are.

    Raises:
        DataError: an id that is neither a class nor 255.
    """
    found = np.zeros((len(masks), classes), dtype=np.int64)
    for rows in chunks(masks):
        for row, mask in enumerate(masks[rows], rows.start):
            counts = np.bincount(mask.ravel(), minlength=256)
            ids = np.flatnonzero(counts)
            if len(wrong := ids[(ids >= classes) & (ids != NO_LABEL)]):
                raise DataError(
                    f"{where}: mask {row} holds id {wrong[0]}; there are 0 … {classes - 1}, and 255 for no label"
                )
            found[row] = counts[:classes]
    return found
