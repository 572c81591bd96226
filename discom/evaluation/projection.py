"""Embeddings as tables of units: checked, standardised, and laid out in the plane.

Every function raises a DataError for embeddings that are no finite table of the same units.
"""

import warnings

import numpy as np
from numpy.typing import ArrayLike

from discom.errors import DataError


def project(z: np.ndarray, *, neighbors: int = 15, seed: int = 0) -> np.ndarray:
    """Lay the rows of `z` [N, D] out in the plane by UMAP: positions [N, 2], float32.

    Units are standardised first. Only who is near whom is kept, as far as it can be; axes and the
    sizes and distances of groups mean nothing.

    Args:
        neighbors: how many nearest rows each row is tied to, 2 to N - 1; few invent small groups.
        seed: of the start and the order of the updates, on one thread.

    >>> project(np.zeros((9, 3)), neighbors=15)
    Traceback (most recent call last):
    discom.errors.DataError: project: 9 rows are too few for neighbors=15; give 16 or lower it
    """
    units = standardised(z, None, "project")
    needed = max(neighbors + 1, 4)  # UMAP's start needs four rows
    if len(units) < needed:
        few = f"{len(units)} rows are too few for neighbors={neighbors}"
        raise DataError("project", few, f"give {needed} or lower it")
    if not units.any():
        raise DataError(
            "project", "no unit varies over the rows", "give embeddings of a trained run"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of optional parts that are not installed, and of few rows
        from umap import UMAP  # takes seconds, so only who draws a map waits for it

        layout = UMAP(n_neighbors=neighbors, random_state=seed, n_jobs=1)
        return layout.fit_transform(units.astype(np.float32))


def matrix(values: ArrayLike, name: str) -> np.ndarray:
    """Finite numbers [N, D] as floats; `name` stands in the error."""
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype.kind not in "biuf" or not array.size:
        raise DataError(name, f"{array.dtype} of shape {array.shape}", "give numbers [N, D]")
    if bad := int((~np.isfinite(array)).any(1).sum()):
        raise DataError(name, f"{bad} of {len(array)} rows hold NaN or infinity", "leave them out")
    return array.astype(float)


def standardised(values: ArrayLike, train: ArrayLike | None, name: str) -> np.ndarray:
    """(z - mean) / sd of each unit, of the training split where given; a constant unit has sd 1."""
    z = matrix(values, name)
    fit = z if train is None else matrix(train, f"{name} in training")
    own, fitted = z.shape[1], fit.shape[1]
    if own != fitted:
        raise DataError(name, f"{own} units, {fitted} in training", "give one network's")
    sd = (fit - fit[0]).std(0)
    return centred(z, fit) / np.where(sd > 0, sd, 1)


def centred(z: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """z less the mean of `fit`; the first row goes first, so that a constant unit is exactly 0."""
    return z - fit[0] - (fit - fit[0]).mean(0)
