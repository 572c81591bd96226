"""MATLAB files: v7.3, which is HDF5, and v5."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from discom.errors import DataError, first_line

__all__ = ["open_mat", "read_numbers"]


@contextmanager
def open_mat(file: Path) -> Iterator[Any]:
    """A v7.3 file, opened anew for each image, since a handle survives neither pickle nor fork; a
    DataError where it, or what the block reads of it, is missing or damaged."""
    import h5py

    try:
        with h5py.File(file, "r") as mat:
            yield mat
    except (OSError, RuntimeError, KeyError, AttributeError) as error:
        reason = first_line(error)
        raise DataError(f"{file}: cannot be read ({reason}); fetch the file again") from None


def read_numbers(file: Path, key: str, highest: int) -> np.ndarray:
    """The numbers 1 … highest of an array in a v5 file, flat; a DataError where it is damaged
    or holds another number."""
    from scipy.io import loadmat

    try:
        numbers = loadmat(file)[key].ravel().astype(int)
        if numbers.min() < 1 or numbers.max() > highest:
            raise ValueError(f"{numbers.min()} … {numbers.max()}, counted from 1 to {highest}")
    except Exception as error:  # scipy has many exceptions for a damaged file
        reason = f"{key} cannot be read ({first_line(error)})"
        raise DataError(f"{file}: {reason}; fetch {file.name} again") from None
    return numbers
