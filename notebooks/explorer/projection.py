"""Embeddings laid out in the plane."""

import warnings

import numpy as np
import torch

from discom.errors import DataError
from discom.evaluation.probing import standardised


def project(z: np.ndarray, *, neighbors: int = 15, seed: int = 0) -> np.ndarray:
    """Lay the rows of `z` [N, D] out in the plane by UMAP: positions [N, 2], float32.

    Units are standardised first. Only who is near whom is kept, as far as it can be; axes and the
    sizes and distances of groups mean nothing.

    Args:
        neighbors: how many nearest rows each row is tied to, 2 to N - 1; few invent small groups.
        seed: of the start and the order of the updates, on one thread.

    Raises:
        DataError: rows that are too few or not finite, or units of which none varies.

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
        raise DataError("project", "no unit varies over the rows", "give those of a trained run")
    threads = torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of optional parts that are not installed, and of few rows
        from umap import UMAP  # takes seconds, so only who draws a map waits for it

        layout = UMAP(n_neighbors=neighbors, random_state=seed, n_jobs=1)
        places = layout.fit_transform(units.astype(np.float32))
    torch.set_num_threads(threads)  # numba takes all cores, for torch, too
    return places
