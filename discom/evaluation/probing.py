"""What an embedding holds: fresh linear probes of its factors and of its modality.

Letters: N samples, D units of an embedding, M modalities. A score is the mean over five folds of
the samples given: a classifier softmax(W ẑ + b) with ½‖W‖², or ridge regression with ‖W‖², of
standardised units ẑ is fitted to four folds and scored on the fifth. What NumPy or scikit-learn
refuses, such as a factor of another length, is its ValueError.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from discom.errors import DataError

FOLDS = 5


def probe(z: ArrayLike, factor: ArrayLike, *, seed: int = 0) -> float:
    """What a fresh model reads of one factor in one embedding: accuracy in %, or R² (negative where
    worse than the mean). Chance is the share of the most frequent value; of R² it is 0::

        classes: accuracy;   numbers: R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)²

    Source: Alain & Bengio 2017. `z` is [N, D]; `factor` are N integers, booleans or strings, which
    are classes, or N floats. A DataError for NaN or infinity in z, or a factor of one value.

    >>> probe(np.repeat(np.eye(2), 10, axis=0), ["cat"] * 10 + ["dog"] * 10)
    100.0
    """
    units, y = standardised(z, "embedding"), np.asarray(factor)
    if (y == y[0]).all():
        raise DataError("factor", "has only one value", "leave it out")
    folds = KFold if y.dtype.kind == "f" else StratifiedKFold
    return _cross_validate(units, y, folds(FOLDS, shuffle=True, random_state=seed))


def modality_probe(embeddings: Mapping[str, ArrayLike], *, seed: int = 0) -> float:
    """Which of M modalities a row comes from, read by `probe` from modality → [N, D], in %; chance
    is 100 / M. Row i is one sample in every modality; its M views share a fold, so that knowing a
    sample is no help. One mean and sd serve all modalities.
    """
    views = np.stack([embeddings[name] for name in sorted(embeddings)])  # [M, N, D]
    units = standardised(np.concatenate(views), "embeddings")
    rows = np.arange(len(units)).reshape(len(views), -1)  # [M, N]
    samples = KFold(FOLDS, shuffle=True, random_state=seed).split(rows.T)
    splits = [(rows[:, fitted].ravel(), rows[:, tested].ravel()) for fitted, tested in samples]
    return _cross_validate(units, np.repeat(np.arange(len(views)), rows.shape[1]), splits)


def standardised(values: ArrayLike, name: str) -> np.ndarray:
    """(z - mean) / sd of each unit, [N, D]; a constant unit is 0. A DataError, with `name`, for
    another shape, NaN or infinity."""
    z = np.asarray(values, float)
    if z.ndim != 2 or not np.isfinite(z).all():
        raise DataError(name, f"shape {z.shape}, or NaN in it", "give finite numbers [N, D]")
    z = z - z[0]  # so that a constant unit is exactly 0
    sd = z.std(0)
    return (z - z.mean(0)) / np.where(sd > 0, sd, 1)


def _cross_validate(z: np.ndarray, y: np.ndarray, splits: Any) -> float:
    number = y.dtype.kind == "f"
    model: Any = Ridge() if number else LogisticRegression(max_iter=1000)
    scores = cross_val_score(model, z, y, cv=splits, error_score="raise")
    return (1 if number else 100) * float(scores.mean())
