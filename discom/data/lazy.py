"""Arrays that stay on disk: chosen rows of a mapped file, and images decoded when asked for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from discom.data.checks import check_finite
from discom.errors import DataError

__all__ = ["Lazy", "Rows", "is_lazy", "take_rows"]


def is_lazy(array: Any) -> bool:
    """Whether the values are still on disk."""
    return isinstance(array, np.memmap | _OnDisk)


def take_rows(array: Any, rows: np.ndarray) -> Any:
    """The samples at `rows` of any array; what is on disk stays there."""
    if isinstance(array, Rows):
        return Rows(array.base, array.rows[rows])
    return Rows(array, rows) if is_lazy(array) else array[rows]


class _OnDisk:
    """What NumPy asks of an array, from `_rows(rows, further axes)`."""

    def __init__(self, shape: tuple, dtype: Any):
        self.shape, self.dtype, self.ndim = shape, np.dtype(dtype), len(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        first, *rest = key if isinstance(key, tuple) else (key,)
        return self._read(np.arange(len(self))[first], rest)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    def _read(self, rows: np.ndarray, rest: list) -> np.ndarray:
        raise NotImplementedError


class Rows(_OnDisk):
    """Chosen rows of an array on disk, read when asked for; `numpy.asarray` reads them all."""

    def __init__(self, base: Any, rows: np.ndarray):
        super().__init__((len(rows), *base.shape[1:]), base.dtype)
        self.base, self.rows = base, rows

    def _read(self, rows: np.ndarray, rest: list) -> np.ndarray:
        return np.asarray(self.base[(self.rows[rows], *rest)])


class Lazy(_OnDisk):
    """An array [N, …] whose row i is `read(items[i])`, called each time the row is asked for.

    An item is a file, or a tuple that begins with one; `shape` is that of one row. An image of
    another shape or type, or with a pixel that is not finite, is a DataError that names the file.

    >>> halves = Lazy([1, 2, 3], lambda k: np.full((1, 2, 2), k / 2), (1, 2, 2), float)
    >>> halves.shape, halves[1:].shape, float(halves[-1].max())
    ((3, 1, 2, 2), (2, 1, 2, 2), 1.5)
    """

    def __init__(self, items: Sequence, read: Callable[[Any], np.ndarray], shape: tuple, dtype):
        super().__init__((len(items), *shape), dtype)
        self.items, self.read = list(items), read

    def _read(self, rows: np.ndarray, rest: list) -> np.ndarray:
        if rows.ndim == 0:
            return self._row(int(rows))[tuple(rest)].copy()  # a reader may keep what it gave
        images = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for place, row in enumerate(rows):
            images[place] = self._row(row)
        return images[(slice(None), *rest)]

    def _row(self, row: int) -> np.ndarray:
        item = self.items[row]
        file = item[0] if isinstance(item, tuple) and isinstance(item[0], Path) else item
        values = self.read(item)
        if values.shape != self.shape[1:] or values.dtype != self.dtype:
            raise DataError(
                f"{file}: holds {values.dtype} of shape {values.shape}, but {self.dtype} of shape"
                f" {self.shape[1:]} is needed; fetch the file again"
            )
        if self.dtype.kind == "f":
            check_finite(values[None], str(file))
        return values
