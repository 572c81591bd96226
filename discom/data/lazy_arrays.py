"""Arrays that stay on disk until their rows are asked for."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from discom.errors import DataError


def read_only(values: Any) -> Any:
    """The same array, not to be changed in place: the digest of its content is taken once."""
    if isinstance(values, np.ndarray) and values.flags.writeable:
        values = values.view()
        values.flags.writeable = False
    return values


def native(values: Any) -> Any:
    """The same array in this machine's order of bytes, which pandas needs; FITS and IDL store the
    other one."""
    if isinstance(values, np.ndarray) and not values.dtype.isnative:
        return values.astype(values.dtype.newbyteorder("="))
    return values


def place_of(array: Any, name: str) -> str:
    """Where an error of an array sends its reader: its file, if it is one on disk, or `name`."""
    return str(getattr(array, "filename", None) or name)


class Rows:
    """An array [N, …] whose rows are read when they are asked for; `numpy.asarray` reads them all.

    Args:
        read: numbers of rows [n] → their values `[n, *shape]`.
    """

    def __init__(self, read: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, shape, dtype):
        self.read, self.rows, self.dtype = read, rows, np.dtype(dtype)
        self.shape, self.ndim = (len(rows), *shape), 1 + len(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        first, *rest = key if isinstance(key, tuple) else (key,)
        rows = self.rows[first]
        values = np.asarray(self.read(np.atleast_1d(rows)))
        return values[(slice(None) if rows.ndim else 0, *rest)]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)


def take_rows(array: Any, rows: np.ndarray) -> Any:
    """The samples at `rows` of any array; what is on disk stays there."""
    if isinstance(array, np.memmap):
        return Rows(array.__getitem__, rows, array.shape[1:], array.dtype)
    if isinstance(array, Rows):
        return Rows(array.read, array.rows[rows], array.shape[1:], array.dtype)
    if isinstance(array, np.ndarray):
        return array[rows]

    def in_order(chosen: np.ndarray) -> np.ndarray:
        """Such as HDF5 reads rows: each once, in order."""
        unique, places = np.unique(chosen, return_inverse=True)
        return np.asarray(array[unique])[places]

    return Rows(in_order, rows, array.shape[1:], array.dtype)


def lazy(items: Sequence, read: Callable[[Any], np.ndarray], shape: tuple, dtype: Any) -> Rows:
    """An array whose row i is `read(items[i])`, `[*shape]`, called each time the row is asked for.
    An item is a file, or a tuple that begins with one; an image of another shape or type is a
    DataError that names the file."""

    def read_rows(rows: np.ndarray) -> np.ndarray:
        images = np.empty((len(rows), *shape), dtype)
        for image, row in zip(images, rows, strict=True):
            values = read(items[row])
            if (values.shape, values.dtype) != (image.shape, image.dtype):
                file = items[row][0] if isinstance(items[row], tuple) else items[row]
                found = f"holds {values.dtype} {values.shape}, not {image.dtype} {image.shape}"
                raise DataError(file, found, "fetch the file again")
            image[...] = values
        return images

    return Rows(read_rows, np.arange(len(items)), shape, dtype)
