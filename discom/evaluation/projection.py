"""Embeddings as tables of units: checked, standardised, and laid out in the plane.

Every function but `neighbours`, which leaves it to scikit-learn, raises a DataError for embeddings
that are no finite table of the same units.
"""

import warnings

import numpy as np
from numpy.typing import ArrayLike
from sklearn.neighbors import NearestNeighbors

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


def neighbours(z: np.ndarray, others: np.ndarray, k: int) -> np.ndarray:
    """The k rows of `others` [M, D] nearest to each row of `z` [N, D] by cosine, nearest first:
    row numbers [N, k], int64.

    >>> others = np.array([[0.0, 2.0], [5.0, 0.0], [1.0, 1.0]])
    >>> neighbours(np.array([[1.0, 0.1]]), others, k=2).tolist()
    [[1, 2]]
    """
    search = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(others)
    return search.kneighbors(z, return_distance=False)


def preserved(z: np.ndarray, xy: np.ndarray, k: int = 15) -> float:
    """How far a picture may be trusted: of the k nearest rows in `z` [N, D], standardised, the mean
    share that are also the k nearest in the positions `xy` [N, 2]; by chance k / (N - 1).

    >>> line = np.arange(6.0)[:, None] ** 2
    >>> preserved(line, np.hstack([-line, 0 * line]), k=2)
    1.0
    """
    z, xy = standardised(z, None, "preserved: z"), matrix(xy, "preserved: xy")
    if len(z) != len(xy):
        raise DataError(f"preserved: {len(z)} embeddings and {len(xy)} positions; give one each")
    search = NearestNeighbors(n_neighbors=k)  # asked without rows, it leaves out each row itself
    near, drawn = (search.fit(rows).kneighbors(return_distance=False) for rows in (z, xy))
    return float(np.mean([np.isin(*pair).mean() for pair in zip(near, drawn, strict=True)]))


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
