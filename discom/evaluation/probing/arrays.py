"""What goes into a measure, checked once."""

import numpy as np
from numpy.typing import ArrayLike

from discom.errors import DataError

__all__ = ["classes", "matrix", "standardised"]


def matrix(values: ArrayLike, name: str) -> np.ndarray:
    """Finite numbers [N, D] as floats."""
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype.kind not in "biuf" or not array.size:
        raise DataError(
            f"{name}: {array.dtype} of shape {array.shape}; give numbers, a row a sample, a column a unit"
        )
    if bad := int((~np.isfinite(array)).any(1).sum()):
        raise DataError(
            f"{name}: {bad} of {len(array)} rows hold NaN or infinity; leave them out, or train again"
        )
    return array.astype(float)


def standardised(z: ArrayLike, train: ArrayLike | None, name: str) -> np.ndarray:
    """(z - mean) / sd of each unit, with mean and sd of the training split where given; a unit
    without spread is 0."""
    z = matrix(z, name)
    fit = z if train is None else matrix(train, f"{name} in training")
    if fit.shape[1] != z.shape[1]:
        raise DataError(
            f"{name}: {z.shape[1]} units, {fit.shape[1]} in training; take both from one network"
        )
    z, fit = (
        z - fit[0],
        fit - fit[0],
    )  # a constant unit is now 0, not what rounding its mean would leave
    return (z - fit.mean(0)) / np.where((sd := fit.std(0)) > 0, sd, 1)


def classes(values: np.ndarray, name: str, members: int) -> np.ndarray:
    """A factor's values as numbers from 0 on: two values or more, each held by `members` samples at
    least."""
    found, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(found) < 2:
        raise DataError(f"{name}: one value only, {found[0]}, nothing to tell apart; leave it out")
    if counts.min() < members:
        rare = f"{name}: {found[counts.argmin()]} has {counts.min()} of {members} samples needed"
        raise DataError(f"{rare}; use fewer folds, merge rare values, or give a number as floats")
    return numbers
