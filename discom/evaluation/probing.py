"""What an embedding holds: fresh linear probes of its factors and of its modality.

Letters: N samples, D units of an embedding, M modalities. A score is the mean over five folds of
the samples given: a classifier softmax(W ẑ + b) with ½‖W‖², or ridge regression with ‖W‖², of
standardised units ẑ is fitted to four folds and scored on the fifth.

Every function raises a DataError for NaN or infinity, shapes that do not fit, a factor with one
value, and a value too rare to be in all folds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from discom.errors import DataError

FOLDS = 5


def probe(z: ArrayLike, factor: ArrayLike, *, seed: int = 0) -> float:
    """What a fresh model reads of one factor in one embedding: accuracy in %, or R² (negative where
    worse than the mean). Chance is the share of the most frequent value; of R² it is 0.

        classes: accuracy;   numbers: R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)²

    Source: Alain & Bengio 2017.

    Args:
        z: an embedding [N, D].
        factor: N integers, booleans or strings; floats [N] or [N, k], for R² the mean over k.
        seed: of the folds.

    >>> probe(np.repeat(np.eye(2), 10, axis=0), ["cat"] * 10 + ["dog"] * 10)
    100.0
    """
    units = standardised(z, "embedding")
    y = _target(factor, len(units))
    folds = _folds(KFold if y.dtype.kind == "f" else StratifiedKFold, len(y), seed)
    return _cross_validate(units, y, folds)


def modality_probe(embeddings: Mapping[str, ArrayLike], *, seed: int = 0) -> float:
    """Which of M modalities a row comes from, read by `probe` from modality → [N, D], in %; chance
    is 100 / M.

    Row i is one sample in every modality; its M views share a fold, so that knowing a sample is no
    help. One mean and sd serve all modalities.

    >>> modality_probe({"rgb": np.ones((10, 2)), "depth": np.zeros((10, 2))})
    100.0
    """
    names = sorted(embeddings)
    shapes = {name: np.shape(embeddings[name]) for name in names}
    if len(names) < 2 or len(set(shapes.values())) > 1:
        raise DataError("probe", f"modalities {shapes}", "give two or more of one shape")
    units = standardised(np.concatenate([embeddings[name] for name in names]), "embeddings")
    rows = np.arange(len(units)).reshape(len(names), -1)  # [M, N]
    samples = _folds(KFold, rows.shape[1], seed).split(rows.T)
    splits = [(rows[:, fitted].ravel(), rows[:, tested].ravel()) for fitted, tested in samples]
    return _cross_validate(units, np.repeat(np.arange(len(names)), rows.shape[1]), splits)


def standardised(values: ArrayLike, name: str) -> np.ndarray:
    """(z - mean) / sd of each unit, [N, D]; a constant unit is 0. `name` stands in the error."""
    z = _matrix(values, name)
    z = z - z[0]  # so that a constant unit is exactly 0
    sd = z.std(0)
    return (z - z.mean(0)) / np.where(sd > 0, sd, 1)


def _matrix(values: ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype.kind not in "biuf" or not array.size:
        raise DataError(name, f"{array.dtype} of shape {array.shape}", "give numbers [N, D]")
    if bad := int((~np.isfinite(array)).any(1).sum()):
        raise DataError(name, f"{bad} of {len(array)} rows hold NaN or infinity", "leave them out")
    return array.astype(float)


def _folds(kind: type, rows: int, seed: int) -> Any:
    if rows < 2 * FOLDS:
        raise DataError("probe", f"{rows} samples for {FOLDS} folds", f"give {2 * FOLDS} or more")
    return kind(FOLDS, shuffle=True, random_state=seed)


def _cross_validate(z: np.ndarray, y: np.ndarray, splits: Any) -> float:
    number = y.dtype.kind == "f"
    model: Any = Ridge() if number else LogisticRegression(max_iter=1000)
    scores = cross_val_score(model, z, y, cv=splits, error_score="raise")
    return (1 if number else 100) * float(scores.mean())


def _target(values: ArrayLike, rows: int) -> np.ndarray:
    """A factor's values: classes numbered from 0 on, [N] integers; numbers [N, k]."""
    array = np.asarray(values)
    if array.dtype == object:  # such as pandas' own floats
        array = np.array(array.tolist())
    number = array.dtype.kind == "f"
    if array.shape[:1] != (rows,) or array.ndim > 1 + number:
        found = f"{array.dtype} of shape {array.shape} for {rows} samples"
        raise DataError("factor", found, "give one value for each")
    if number:
        columns = _matrix(array.reshape(rows, -1), "factor")
        if not np.ptp(columns, axis=0).all():
            raise DataError("factor", "has a column of only one value", "leave it out")
        return columns
    numbers, names = pd.factorize(array, sort=True)  # -1: a value is missing
    rarest = np.bincount(numbers + 1, minlength=2)[1:].min()
    if numbers.min() < 0 or len(names) < 2 or rarest < FOLDS:
        found = f"has {len(names)} values, the rarest in {rarest} samples, or lacks some"
        raise DataError(
            "factor", found, f"give two values or more, each in {FOLDS} samples or more"
        )
    return numbers
