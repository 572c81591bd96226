"""Embeddings laid out in the plane, how far such a picture may be trusted, and which rows are near
each other before it.

Every function raises a DataError for embeddings that are no finite table of the same units, and a
ConfigError for a setting out of its range.
"""

import warnings

import numpy as np
from sklearn.neighbors import NearestNeighbors

from discom.errors import ConfigError, DataError

__all__ = ["neighbours", "preserved", "project"]


def project(
    z: np.ndarray, *, neighbors: int = 15, min_dist: float = 0.1, seed: int = 0
) -> np.ndarray:
    """Lay the rows of `z` out in the plane by UMAP, on one thread: one seed, one picture.

    Units are standardised first; a constant unit is left out. Only who is near whom is kept, as far
    as it can be; axes, distances between groups and their sizes mean nothing.

    Args:
        z: embeddings [N, D].
        neighbors: how many nearest rows each row is tied to, 2 to N - 1; few invent small groups.
        min_dist: how close points may lie in the picture, 0 to 1.
        seed: of the start and the order of the updates.

    Returns:
        Positions [N, 2], float32, in no unit.

    >>> project(np.zeros((9, 3)), neighbors=15)
    Traceback (most recent call last):
    discom.errors.DataError: project: 9 rows are too few for neighbors=15; give 16 or lower it
    """
    z = _matrix(z, "project")
    if neighbors < 2 or not 0 <= min_dist <= 1:
        raise ConfigError(
            f"project: neighbors={neighbors}, min_dist={min_dist}; use 2 or more, and 0 to 1"
        )
    needed = max(neighbors + 1, 4)  # UMAP's start needs four rows
    if len(z) < needed:
        rows = f"{len(z)} rows are too few for neighbors={neighbors}"
        raise DataError(f"project: {rows}; give {needed} or lower it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of optional parts that are not installed, and of few rows
        from umap import UMAP  # takes seconds, so only who draws a map waits for it

        layout = UMAP(n_neighbors=neighbors, min_dist=min_dist, random_state=seed, n_jobs=1)
        return layout.fit_transform(_standardised(z, "project").astype(np.float32))


def neighbours(z: np.ndarray, others: np.ndarray, k: int) -> np.ndarray:
    """The k rows of `others` [M, D] nearest to each row of `z` [N, D] by cosine, nearest first:
    row numbers [N, k], int64. A row of zeros is at right angles to all.

    >>> others = np.array([[0.0, 2.0], [5.0, 0.0], [1.0, 1.0]])
    >>> neighbours(np.array([[1.0, 0.1]]), others, k=2).tolist()
    [[1, 2]]
    """
    z, others = _matrix(z, "neighbours: z"), _matrix(others, "neighbours: others")
    if z.shape[1] != others.shape[1]:
        raise DataError(f"neighbours: {z.shape[1]} and {others.shape[1]} units; give one space")
    if not 1 <= k <= len(others):
        raise ConfigError(f"neighbours: k={k}; choose 1 to {len(others)}, the rows to search")
    search = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(others)
    return search.kneighbors(z, return_distance=False)


def preserved(z: np.ndarray, xy: np.ndarray, k: int = 15) -> float:
    """How far a picture may be trusted: of the k nearest rows in `z` [N, D], standardised as in
    `project`, the share that are also the k nearest in the positions `xy` [N, 2]. Mean over rows:
    1 where every neighbourhood survived; k / (N - 1) for a picture without relation to `z`.

    >>> line = np.arange(6.0)[:, None] ** 2
    >>> preserved(line, np.hstack([-line, 0 * line]), k=2)
    1.0
    """
    z, xy = _matrix(z, "preserved: z"), _matrix(xy, "preserved: xy")
    if len(z) != len(xy):
        raise DataError(f"preserved: {len(z)} embeddings and {len(xy)} positions; give one each")
    if not 1 <= k < len(z):
        raise ConfigError(f"preserved: k={k}; choose 1 to {len(z) - 1}, the rows beside one")
    search = NearestNeighbors(n_neighbors=k)  # asked without rows, it leaves out each row itself
    near, drawn = (
        search.fit(rows).kneighbors(return_distance=False)
        for rows in (_standardised(z, "preserved"), xy)
    )
    return float(np.mean([np.isin(*pair).mean() for pair in zip(near, drawn, strict=True)]))


def _matrix(z: np.ndarray, where: str) -> np.ndarray:
    z = np.asarray(z, dtype=np.float64)
    if z.ndim != 2:
        raise DataError(f"{where}: shape {z.shape}; give a table, a row for each sample")
    bad = ~np.isfinite(z).all(axis=1)
    if bad.any():
        rows = f"row {np.argmax(bad)} (of {bad.sum()})"
        raise DataError(f"{where}: {rows} has NaN or infinity; leave such rows out")
    return z


def _standardised(z: np.ndarray, where: str) -> np.ndarray:
    z = z[:, np.ptp(z, axis=0) > 0]
    if not z.shape[1]:
        raise DataError(
            f"{where}: no unit varies over the rows; give embeddings of trained weights"
        )
    return (z - z.mean(axis=0)) / z.std(axis=0)
