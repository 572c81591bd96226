"""Maps: embeddings laid out in the plane, how far such a picture may be trusted, and who is near
whom before it."""

import warnings

import numpy as np
from sklearn.neighbors import NearestNeighbors

from discom.errors import ConfigError, DataError

__all__ = ["neighbours", "preserved", "project"]


def project(
    z: np.ndarray, *, neighbors: int = 15, min_dist: float = 0.1, seed: int = 0
) -> np.ndarray:
    """Lay the rows of `z` out in the plane by UMAP, on one thread: the same seed draws the same
    picture.

    Every unit is standardised first, so that none counts for more because its numbers are larger; a
    unit that never changes is left out. Only who is near whom is kept, as far as it can be; axes,
    distances between groups and their sizes mean nothing. 2,000 rows take some seconds, the first
    call some more for compiling.

    Args:
        z: embeddings [N, D], any scale, finite.
        neighbors: how many nearest rows (Euclidean) each row is tied to, 2 to N - 1; few invent
        small groups.
        min_dist: how close points may lie in the picture, 0 to 1; it changes only how packed groups
        look.
        seed: of the start and the order of the updates; what another seed changes means nothing.

    Returns:
        Positions [N, 2], float32, in no unit.

    Raises:
        DataError: not 2-D, rows with NaN or infinity, fewer rows than `neighbors` + 1 (or than 4),
        no unit that varies.
        ConfigError: `neighbors` or `min_dist` out of its range.

    >>> project(np.zeros((9, 3)), neighbors=15)
    Traceback (most recent call last):
    discom.errors.DataError: project: 9 rows are too few for neighbors=15; give 16 or lower it
    """
    z = _matrix(z, "project")
    if neighbors < 2 or not 0 <= min_dist <= 1:
        raise ConfigError(
            f"project: neighbors={neighbors}, min_dist={min_dist}; use 2 or more, and 0 to 1"
        )
    if len(z) < (needed := max(neighbors + 1, 4)):  # UMAP's start needs four rows
        raise DataError(
            f"project: {len(z)} rows are too few for neighbors={neighbors}; give {needed} or lower it"
        )
    scaled = _standardised(z, "project").astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of optional parts that are not installed, and of few rows
        from umap import UMAP  # takes seconds, so only who draws a map waits for it

        layout = UMAP(n_neighbors=neighbors, min_dist=min_dist, random_state=seed, n_jobs=1)
        return layout.fit_transform(scaled)


def neighbours(z: np.ndarray, others: np.ndarray, k: int) -> np.ndarray:
    """The k rows of `others` nearest to each row of `z` by cosine, nearest first; a row of zeros is
    at right angles.

    Args:
        z: embeddings [N, D], finite.
        others: embeddings [M, D] to search, of another modality for instance, finite.
        k: how many, 1 to M.

    Returns:
        Row numbers of `others` [N, k], int64.

    Raises:
        DataError, ConfigError: not 2-D, NaN or infinity, another D; k out of its range.

    >>> neighbours(np.array([[1.0, 0.1]]), np.array([[0.0, 2.0], [5.0, 0.0], [1.0, 1.0]]), k=2).tolist()
    [[1, 2]]
    """
    z, others = _matrix(z, "neighbours: z"), _matrix(others, "neighbours: others")
    if z.shape[1] != others.shape[1]:
        raise DataError(
            f"neighbours: {z.shape[1]} and {others.shape[1]} units; give embeddings of one space"
        )
    if not 1 <= k <= len(others):
        raise ConfigError(f"neighbours: k={k}; choose 1 to {len(others)}, the rows to search")
    search = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(others)
    return search.kneighbors(z, return_distance=False)


def preserved(z: np.ndarray, xy: np.ndarray, k: int = 15) -> float:
    """How far a picture may be trusted: the share of the k nearest rows in `z` that are also the k
    nearest in it.

    1: every neighbourhood of that size survived; k / (N - 1): what a picture without relation to
    `z` reaches.

    Args:
        z: embeddings [N, D], standardised here as in `project`.
        xy: their positions in the picture [N, 2].
        k: size of a neighbourhood, 1 to N - 1.

    Returns:
        Mean over all rows, 0 to 1.

    Raises:
        DataError, ConfigError: as `project`, or another number of rows, or k out of its range.

    >>> line = np.arange(6.0)[:, None] ** 2
    >>> preserved(line, np.hstack([-line, 0 * line]), k=2)
    1.0
    """
    z, xy = _matrix(z, "preserved: z"), _matrix(xy, "preserved: xy")
    if len(z) != len(xy):
        raise DataError(
            f"preserved: {len(z)} embeddings and {len(xy)} positions; give one position each"
        )
    if not 1 <= k < len(z):
        raise ConfigError(
            f"preserved: k={k}; choose 1 to {len(z) - 1}, the rows that are left beside one"
        )
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
    if (bad := ~np.isfinite(z).all(axis=1)).any():
        raise DataError(
            f"{where}: row {np.argmax(bad)} (of {bad.sum()}) has NaN or infinity; leave such rows out"
        )
    return z


def _standardised(z: np.ndarray, where: str) -> np.ndarray:
    z = z[:, np.ptp(z, axis=0) > 0]
    if not z.shape[1]:
        raise DataError(
            f"{where}: no unit varies over the rows, so there is nothing to lay out; was this trained?"
        )
    return (z - z.mean(axis=0)) / z.std(axis=0)
