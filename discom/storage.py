"""Files that are either whole or absent: everything is written beside its place and then moved there."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from discom.errors import DataError

__all__ = ["atomic_file", "atomic_folder", "checksum", "digest", "read_json", "write_json"]


@contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the same folder; it becomes `path` when the block ends well, and vanishes otherwise.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_file(Path(folder) / "a.txt") as part:
    ...         _ = part.write_text("whole")
    ...     os.listdir(folder)
    ['a.txt']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path | str, *, marker: str, overwrite: bool = False) -> Iterator[Path]:
    """Yield a new folder beside `path` that takes its place when the block ends well.

    A folder is ours when it holds the file `marker`. An existing folder is replaced only when it is ours and
    `overwrite` is true; an empty one is filled.

    Raises:
        DataError: `path` exists and may not be replaced.
    """
    path = Path(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        if not (path / marker).is_file():
            raise DataError(f"{path}: exists and was not made by discom (no {marker}); choose another output folder")
        if not overwrite:
            raise DataError(f"{path}: exists already; pass overwrite (--overwrite) to replace it")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        yield part
        part.chmod(0o755)  # mkdtemp makes it private
        old = part.with_suffix(".old")
        if path.exists():
            os.replace(path, old)  # aside first: at no moment is there neither the old nor the new
        os.replace(part, path)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_json(path: Path | str, content: Any) -> None:
    """Write `content` as indented JSON, atomically; NaN and infinity are refused because JSON has no word for them."""
    with atomic_file(path) as part:
        part.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path | str) -> Any:
    """Read a JSON file; one that is cut short or edited into something else is a DataError that names it."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not valid JSON ({error}); delete it and run the command again") from None


def digest(*parts: Any) -> str:
    """Sixteen hexadecimal digits that name a content: arrays by their bytes, everything else by its JSON.

    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    total = hashlib.blake2b(digest_size=8)
    for part in parts:
        if hasattr(part, "dtype"):
            total.update(f"{part.dtype}{part.shape}".encode())
            for start in range(0, len(part), 4096):  # chunks, so that a memory map is never read whole
                total.update(np.ascontiguousarray(part[start : start + 4096]).tobytes())
        else:
            total.update(json.dumps(part, sort_keys=True).encode())
    return total.hexdigest()


def checksum(path: Path | str) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
