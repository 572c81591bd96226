"""Steps that the readers share: find files, pair them, read their pixels, keep groups whole."""

import glob
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discom.data.images import read_pixels
from discom.errors import DataError
from discom.files import as_data_error
from discom.labels import UNLABELLED


def find(root: Path, pattern: str) -> list[Path]:
    """Files and folders of that name at any depth, through links too; none that is hidden or
    in `__MACOSX`."""
    places = glob.glob(f"{glob.escape(str(root))}/**/{pattern}", recursive=True)
    return sorted(Path(place) for place in places if "__MACOSX" not in place)


def sorted_files(folder: Path, *endings: str) -> dict[str, Path]:
    """Stem → file with one of `endings` (any case), by name, none that is hidden; a DataError
    where two files have one stem."""
    files: dict[str, Path] = {}
    for file in sorted(folder.glob("[!.]*")):
        if file.name.lower().endswith(endings) and not file.is_dir():
            if file.stem in files:
                raise DataError(file, f"the same sample as {files[file.stem].name}", "remove one")
            files[file.stem] = file
    return files


def read_lines(file: Path) -> list[str]:
    """The lines of a text that are not blank, without blanks around them."""
    with as_data_error(file, "text", "fetch or unpack it again"):
        lines = map(str.strip, file.read_text("utf-8-sig").splitlines())
        return [line for line in lines if line]


def read_table(file: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of a CSV by the first of them, text that names each row; a DataError where a column,
    a row or a value is missing, or a name is there twice."""
    with as_data_error(file, f"a table with {', '.join(columns)}", "copy it again"):
        table = pd.read_csv(file, dtype={columns[0]: str})[[*columns]]
        if table.empty or table.isna().any(axis=None) or table[columns[0]].duplicated().any():
            raise ValueError("a line or a value is missing, or a name is there twice")
        return table.set_index(columns[0])


def read_form(
    file: Path, what: str, kind: Any, shape: Sequence[int | None], invalid: float | None = None
) -> np.ndarray:
    """The pixels [C, H, W] of a file that must have this type and shape (None: any size), else a
    DataError; NaN becomes `invalid`, and is refused without it."""
    pixels = read_pixels(file, invalid)
    expected = tuple(n or m for n, m in zip(shape, pixels.shape, strict=True))
    if (pixels.dtype, pixels.shape) != (kind, expected):
        needed = f"{what} is {np.dtype(kind)} {list(shape)}".replace("None", "any")
        found = f"holds {pixels.dtype} {list(pixels.shape)}, {needed}"
        raise DataError(file, found, "take the original file")
    return pixels


# an image of three bands and 8 bits
read_colours = partial(read_form, what="an image", kind=np.uint8, shape=(3, None, None))


def cut(images: np.ndarray, side: int) -> np.ndarray:
    """Images [N, C, H, W] in squares [M, C, side, side], those of an image row by row."""
    count, bands, height, width = images.shape
    grid = images.reshape(count, bands, height // side, side, width // side, side)
    return grid.transpose(0, 2, 4, 1, 3, 5).reshape(-1, bands, side, side)


def warn_left_out(where: Path | str, count: int, of: str) -> None:
    """Warn of samples that a reader leaves out, if there are any."""
    if count:
        warnings.warn(f"{where}: {count} of {of}; left out", stacklevel=3)


def pair(files: Mapping[str, Mapping[str, Any]], where: Path | str) -> list[str]:
    """The keys that every modality (→ key → anything, as a rule the file) has, sorted; a warning
    counts those that are left out since another modality lacks them."""
    common = set.intersection(*(set(keys) for keys in files.values()))
    if not common:
        counts = ", ".join(f"{len(keys)} of {name}" for name, keys in files.items())
        raise DataError(where, f"holds no pair ({counts})", "unpack all archives")
    for name, keys in files.items():
        alone = sorted(set(keys) - common)
        warn_left_out(where, len(alone), f"{name} have no partner ({', '.join(alone[:3])})")
    return sorted(common)


def split_official(tested: np.ndarray, groups: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of the three parts of an official split that only says which samples are `tested`: an
    eighth of the other groups, always the same, is for validation."""
    from sklearn.model_selection import GroupShuffleSplit

    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    splitter = GroupShuffleSplit(1, test_size=0.125, random_state=0)
    kept, valid = next(splitter.split(train, groups=groups[train]))
    return {"train": train[kept], "valid": train[valid], "test": test}


def most_frequent(counts: np.ndarray) -> np.ndarray:
    """The class with most pixels of each mask, [N], from `count_pixels`; -1 if there is none."""
    return np.where(counts.any(axis=1), counts.argmax(axis=1), UNLABELLED)
