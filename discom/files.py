"""Files that are either whole or absent: written beside their place, then moved there."""

import glob
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from discom.errors import DataError, first_line

CHUNK_BYTES = 64 << 20
OLD = "old"  # in a hidden folder: what is being replaced
ANEW = "delete it and run the command again"


@contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the same folder; it becomes `path` when the block ends well, and
    vanishes otherwise. After a power cut, too, there is the old file or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")  # what a killed process left is written over
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path | str, *, marker: str, overwrite: bool = False) -> Iterator[Path]:
    """Yield a new folder beside `path` that takes its place when the block ends well. A DataError
    where `path` is not empty, unless it is ours (has the file `marker`) and `overwrite` is set."""
    path = Path(path)
    check_place(path, marker, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{_hidden(path)}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as folder:
        part = Path(folder) / path.name
        part.mkdir()
        yield part
        if overwrite and path.exists():
            os.replace(path, Path(folder) / OLD)  # goes when the new one is there
        os.replace(part, path)


def _hidden(path: Path) -> str:
    """How the names of hidden folders beside `path` begin, before the number of the process: of
    this machine alone, since another one may see the same disk."""
    return f".{path.name}-{platform.node()}-"


def sweep(path: Path) -> None:
    """Delete the hidden folders that killed processes of this machine left beside `path`, and put
    back what was to be replaced."""
    start = _hidden(path)
    for folder in path.parent.glob(f"{glob.escape(start)}*-*"):
        process = folder.name.removeprefix(start).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            if (folder / OLD).exists() and not path.exists():
                os.replace(folder / OLD, path)
            shutil.rmtree(folder, ignore_errors=True)


def check_place(path: Path, marker: str, overwrite: bool) -> None:
    """Raise a DataError where `path` may not be replaced, see `atomic_folder`; what killed
    processes left beside it goes."""
    sweep(path)
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / marker).is_file():
        found = f"exists and was not made by discom (no {marker})"
        raise DataError(path, found, "choose another output folder")
    if not overwrite:
        raise DataError(path, "exists already", "pass overwrite (--overwrite) to replace it")


def write_json(path: Path | str, content: Any) -> None:
    """Write `content` as indented JSON, whole or not at all; NaN is refused."""
    with atomic_file(path) as part:
        part.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def parse_json(text: str) -> Any:
    """The value of a JSON text; a ValueError for one that is damaged, or that gives a key twice.

    >>> parse_json('{"size": 64}')
    {'size': 64}
    """
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, whose own reader would keep the last of two values."""
    values = dict[str, Any]()
    for key, value in pairs:
        if key in values:
            raise ValueError(f"'{key}' is given twice")
        values[key] = value
    return values


def read_json(path: Path | str, advice: str = ANEW) -> Any:
    """Read a JSON file by `parse_json`; one that is missing, cut short, damaged or ambiguous is a
    DataError that names it."""
    with as_data_error(path, "JSON", advice):
        return parse_json(Path(path).read_text(encoding="utf-8-sig"))  # editors add a mark


@contextmanager
def as_data_error(file: Path | str, kind: str, way_out: str) -> Iterator[None]:
    """A DataError that names the file, for whatever a decoder raises: each has its own kinds. The
    way out is that of a damaged file, so it is not for one that the system does not hand out."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except FileNotFoundError:
        raise DataError(file, "no such file", way_out) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise DataError(file, f"cannot be read ({error.strerror})", "check its disk") from None
        reason = first_line(error).partition(f" '{file}")[0]
        if "allow_pickle" in reason:  # NumPy's advice, which is dangerous
            reason = "it is damaged, or holds objects"
        raise DataError(file, f"cannot be read as {kind} ({reason})", way_out) from None


def chunks(array: Any, itemsize: int = 0) -> Iterator[slice]:
    """Slices of rows, about 64 MiB each, for arrays larger than the memory; `itemsize` is that of a
    value after conversion, if that is more than in the array."""
    row = int(np.prod(array.shape[1:])) * max(itemsize, np.dtype(array.dtype).itemsize)
    step = max(1, CHUNK_BYTES // max(1, row))
    for first in range(0, len(array), step):
        yield slice(first, min(first + step, len(array)))


def digest(*parts: Any) -> str:
    """Sixteen hexadecimal digits that name a content: arrays by their bytes, all else by its JSON
    with sorted keys."""
    total = hashlib.blake2b(digest_size=8)
    for part in parts:
        if hasattr(part, "dtype"):
            total.update(f"{part.dtype}{part.shape}".encode())
            for rows in chunks(part):
                total.update(np.ascontiguousarray(part[rows]).tobytes())
        else:
            total.update(json.dumps(part, sort_keys=True).encode())
    return total.hexdigest()
