"""Arrays that are read in parts: chosen rows of a file on disk, and images that are decoded when
they are asked for."""

import mmap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from discom.errors import DataError

__all__ = ["Lazy", "Rows", "announce", "is_lazy", "origin", "take_rows"]


def is_lazy(array: Any) -> bool:
    """Whether the values are still on disk."""
    return isinstance(array, np.memmap | Rows | Lazy)


def take_rows(array: Any, rows: np.ndarray) -> Any:
    """The samples at `rows` of any array; what is on disk stays there."""
    if isinstance(array, Rows):
        return Rows(array.base, array.rows[rows])
    return Rows(array, rows) if is_lazy(array) else array[rows]


def announce(array: Any, rows: np.ndarray) -> None:
    """Have the system begin to read these rows of a mapped file, all of them at once and nothing
    around them.

    By itself it reads when a page is missed, one after the other, and some 128 KiB around each, of
    which samples in random order need little; where the file is larger than memory the rest is
    thrown away again.
    """
    if isinstance(array, Rows):
        announce(array.base, array.rows[rows])
    elif (
        isinstance(array, np.memmap)
        and isinstance(array.base, mmap.mmap)
        and hasattr(mmap, "MADV_WILLNEED")
    ):
        array.base.madvise(mmap.MADV_RANDOM)
        first = array.offset % mmap.ALLOCATIONGRANULARITY + np.asarray(rows) * array.strides[0]
        for start in first.tolist():
            page = start - start % mmap.PAGESIZE
            array.base.madvise(mmap.MADV_WILLNEED, page, start - page + array.strides[0])


def origin(array: Any) -> list:
    """What tells one source of an array from another: its files with size and time, or the values
    themselves."""
    match array:
        case Rows():
            return [array.rows, *origin(array.base)]
        case Lazy():
            files = {file: _stamp(file) for file in {_file(item) for item in array.items}}
            return [[[str(item), files[_file(item)]] for item in array.items]]
        case np.memmap():
            return [_stamp(Path(array.filename))]
    return [array]


def _file(item: Any) -> Any:
    """The file of an item, also where it stands with a place inside it: (file, …)."""
    return item[0] if isinstance(item, tuple) and isinstance(item[0], Path) else item


def _stamp(file: Any) -> list:
    held = file.stat() if isinstance(file, Path) and file.exists() else None
    return [str(file), held.st_size, held.st_mtime_ns] if held else [str(file)]


class Rows:
    """Chosen rows of an array on disk, read when they are asked for; `numpy.asarray` reads all of
    them."""

    def __init__(self, base: Any, rows: np.ndarray):
        self.base, self.rows = base, rows
        self.shape, self.dtype, self.ndim = (len(rows), *base.shape[1:]), base.dtype, base.ndim

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key) -> np.ndarray:
        if isinstance(key, tuple):
            return self.base[(self.rows[key[0]], *key[1:])]
        return self.base[self.rows[key]]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self.base[self.rows], dtype=dtype)


class Lazy:
    """An array [N, …] whose row i is `read(items[i])`, called each time the row is asked for.

    What `read` returns is checked: an image of another shape or type, or with a pixel that is not
    finite, is a DataError that names the item.

    Args:
        items: one per row, as a rule the image's file.
        read: from an item to an array of `shape` and `dtype`.
        shape: of one row, as a rule (C, H, W).
        dtype: of the values.

    >>> halves = Lazy([1, 2, 3], lambda k: np.full((1, 2, 2), k / 2), (1, 2, 2), float)
    >>> halves.shape, halves[1:].shape, float(halves[-1].max())
    ((3, 1, 2, 2), (2, 1, 2, 2), 1.5)
    """

    def __init__(
        self, items: Sequence, read: Callable[[Any], np.ndarray], shape: tuple[int, ...], dtype: Any
    ):
        self.items, self.read = list(items), read
        self.shape, self.dtype, self.ndim = (
            (len(self.items), *shape),
            np.dtype(dtype),
            1 + len(shape),
        )

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key) -> np.ndarray:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        chosen = np.arange(len(self))[first]
        if chosen.ndim == 0:
            return self._row(chosen)[rest].copy()  # a reader may keep what it gave
        inside = np.broadcast_to(np.zeros((), self.dtype), self.shape[1:])[
            rest
        ]  # one band of all, where one is asked
        out = np.empty((len(chosen), *inside.shape), self.dtype)
        for place, row in enumerate(chosen):
            out[place] = self._row(row)[rest]
        return out

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    def _row(self, row: int) -> np.ndarray:
        item = self.items[row]
        values = self.read(item)
        if values.shape != self.shape[1:] or values.dtype != self.dtype:
            raise DataError(
                f"{_file(item)}: holds {values.dtype} of shape {values.shape}, but {self.dtype} of shape"
                f" {self.shape[1:]} is needed; fetch the file again"
            )
        if self.dtype.kind == "f" and not np.isfinite(values).all():
            place = np.argwhere(~np.isfinite(values))[0].tolist()
            raise DataError(
                f"{_file(item)}: holds {values[tuple(place)]} at {place}; replace the file or remove it"
            )
        return values
