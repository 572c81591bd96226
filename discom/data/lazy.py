"""Arrays that stay on disk: chosen rows of a mapped file, and images decoded when asked for."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from discom.data.checks import check_finite
from discom.errors import DataError


def is_lazy(array: Any) -> bool:
    """Whether the values are still on disk."""
    return isinstance(array, np.memmap | _OnDisk)


def take_rows(array: Any, rows: np.ndarray) -> Any:
    """The samples at `rows` of any array; what is on disk stays there."""
    if isinstance(array, Rows):
        return Rows(array.base, array.rows[rows])
    return Rows(array, rows) if is_lazy(array) else array[rows]


class _OnDisk:
    """What NumPy asks of an array, from `_read(rows)`."""

    def __init__(self, shape: tuple, dtype: Any):
        self.shape, self.dtype, self.ndim = shape, np.dtype(dtype), len(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        first, *rest = key if isinstance(key, tuple) else (key,)
        rows = np.arange(len(self))[first]
        values = self._read(np.atleast_1d(rows))
        return values[(slice(None) if rows.ndim else 0, *rest)]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    def _read(self, rows: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Rows(_OnDisk):
    """Chosen rows of an array on disk, read when asked for; `numpy.asarray` reads them all."""

    def __init__(self, base: Any, rows: np.ndarray):
        super().__init__((len(rows), *base.shape[1:]), base.dtype)
        self.base, self.rows = base, rows

    def _read(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.base[self.rows[rows]])


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

    def _read(self, rows: np.ndarray) -> np.ndarray:
        images = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for image, row in zip(images, rows, strict=True):
            item = self.items[row]
            values, file = self.read(item), item[0] if isinstance(item, tuple) else item
            if values.shape != image.shape or values.dtype != image.dtype:
                form = f"{values.dtype} of shape {values.shape}"
                needed = f"{image.dtype} of shape {image.shape} is needed"
                raise DataError(f"{file}: holds {form}, but {needed}; fetch the file again")
            if self.dtype.kind == "f":
                check_finite(values[None], str(file))
            image[...] = values
        return images
