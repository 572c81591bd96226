"""What an embedding holds: fresh linear probes of its factors and of its modality.

Letters: N samples, D units of an embedding, M modalities. A probe's score is the mean over five
folds of the samples given: a classifier softmax(W ẑ + b) with ½‖W‖², or ridge regression with ‖W‖²,
of standardised units ẑ is fitted to four folds and scored on the fifth.

Every function raises a DataError for NaN or infinity, shapes that do not fit, a factor with one
value, and a value too rare to be in all folds.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from discom.errors import DataError

Arrays = Mapping[str, ArrayLike]
FOLDS = 5


class Probe(NamedTuple):
    """What a probe reads: accuracies in % or R² (negative where worse than the mean)."""

    score: float  # held out, mean over the folds
    chance: float  # share of the most frequent value in %; 0 for R²
    shuffled: float  # the control: the same probe after the factor's rows were permuted


def probe(z: ArrayLike, factor: ArrayLike, *, seed: int = 0) -> Probe:
    """One factor read from one embedding by a fresh model.

        classes: accuracy;   numbers: R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)²

    Source: Alain & Bengio 2017.

    Args:
        z: an embedding [N, D].
        factor: N integers, booleans or strings; floats [N] or [N, k], for R² the mean over k.
        seed: of the folds and of the control.

    >>> z = np.repeat(np.eye(2), 10, axis=0)
    >>> probe(z, ["cat"] * 10 + ["dog"] * 10)[:2]
    (100.0, 50.0)
    """
    units = standardised(z, None, "embedding")
    y = _target(factor, "factor", len(units))
    splits = _folds(KFold if y.dtype.kind == "f" else StratifiedKFold, len(y), seed)
    control = np.random.default_rng(seed).permutation(y)
    return _cross_validate(units, y, control, splits)


def modality_probe(embeddings: Arrays, *, train: Arrays | None = None, seed: int = 0) -> Probe:
    """Which of M modalities a row comes from, read by `probe` from modality → [N, D]; chance is
    100 / M.

    Row i is one sample in every modality; its M views share a fold, so that knowing a sample is no
    help. One mean and sd serve all modalities, those of `train` where it is given; the control
    permutes them within each sample.

    >>> modality_probe({"rgb": np.ones((10, 2)), "depth": np.zeros((10, 2))})[:2]
    (100.0, 50.0)
    """
    z = _views(embeddings, train)  # [M, N, D]
    rows = np.arange(len(z) * z.shape[1]).reshape(len(z), -1)  # [M, N]
    source = np.broadcast_to(np.arange(len(z))[:, None], rows.shape)
    control = np.random.default_rng(seed).permuted(source, axis=0)
    samples = _folds(KFold, rows.shape[1], seed).split(rows.T)
    splits = [(rows[:, fitted].ravel(), rows[:, tested].ravel()) for fitted, tested in samples]
    units, names, others = z.reshape(rows.size, -1), source.ravel(), control.ravel()
    return _cross_validate(units, names, others, splits)


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
    if z.shape[1] != fit.shape[1]:
        found = f"{z.shape[1]} units, {fit.shape[1]} in training"
        raise DataError(name, found, "give one network's")
    first = fit[0]  # goes first, so that a constant unit is exactly 0
    sd = (fit - first).std(0)
    return (z - first - (fit - first).mean(0)) / np.where(sd > 0, sd, 1)


def _views(embeddings: Arrays, train: Arrays | None) -> np.ndarray:
    """Modalities by name, standardised together: [M, N, D]."""
    names = sorted(embeddings)
    shapes = {name: np.shape(embeddings[name]) for name in names}
    if len(names) < 2 or len(set(shapes.values())) > 1:
        raise DataError("modalities", f"{shapes}", "give two or more of one shape")
    views = np.concatenate([matrix(embeddings[name], f"embedding {name!r}") for name in names])
    fit = np.concatenate([train[name] for name in names]) if train else None
    return standardised(views, fit, "embeddings").reshape(len(names), *shapes[names[0]])


def _folds(kind: type, rows: int, seed: int) -> Any:
    if rows < 2 * FOLDS:
        raise DataError("probe", f"{rows} samples for {FOLDS} folds", f"give {2 * FOLDS} or more")
    return kind(FOLDS, shuffle=True, random_state=seed)


def _cross_validate(z: np.ndarray, y: np.ndarray, control: np.ndarray, splits: Any) -> Probe:
    number = y.dtype.kind == "f"
    model: Any = Ridge() if number else LogisticRegression(max_iter=1000)
    unit = 1 if number else 100
    folds, shuffled = (
        unit * cross_val_score(model, z, target, cv=splits, error_score="raise")
        for target in (y, control)
    )
    chance = 0.0 if number else 100 * float(np.bincount(y).max()) / len(y)
    return Probe(float(folds.mean()), chance, float(shuffled.mean()))


def _target(values: ArrayLike, name: str, rows: int) -> np.ndarray:
    """A factor's values: classes numbered from 0 on, [N] integers; numbers [N, k]."""
    array = np.asarray(values)
    array = np.array(array.tolist()) if array.dtype.kind == "O" else array  # pandas' strings
    number = array.dtype.kind == "f"
    if array.shape[:1] != (rows,) or array.ndim > 1 + number or array.dtype.kind not in "biuUSf":
        shape = f"{array.dtype} of shape {array.shape} for {rows} samples"
        raise DataError(name, shape, "give one value for each")
    if number:
        columns = matrix(array.reshape(rows, -1), name)
        if not np.ptp(columns, axis=0).all():
            raise DataError(name, "has a column of only one value", "leave it out")
        return columns
    names, numbers, counts = np.unique(array, return_inverse=True, return_counts=True)
    if len(names) < 2 or counts.min() < FOLDS:
        found = f"has {len(names)} values, {names[counts.argmin()]} in {counts.min()} samples"
        raise DataError(name, found, f"give two values or more, each in {FOLDS} samples or more")
    return numbers
