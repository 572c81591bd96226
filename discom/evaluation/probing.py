"""What an embedding holds: fresh probes of its factors and of its modality, and a class reader that
is carried from one modality to another.

Letters: N samples, D units of an embedding, M modalities. A probe's score is the mean over five
folds of the samples given: a reader is fitted to four folds and read on the fifth. Two readers:

    linear: softmax(W ẑ + b) with ½‖W‖², or ridge regression with ‖W‖², of standardised units ẑ
    mlp: one hidden layer of 64 ReLU units, 0.005 ‖W‖² beside the mean loss, 50 steps of L-BFGS

`train` holds the training split's embeddings, whose mean and sd standardise the units; without it
the samples' own do. Every function raises a DataError for NaN or infinity, shapes that do not fit,
a factor with one value, and a value too rare to be in all folds; a ConfigError for another reader.
"""

import warnings
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor

from discom.errors import DataError, check_choice

Arrays = Mapping[str, ArrayLike]
FOLDS = 5
READERS = ("linear", "mlp")


class Probe(NamedTuple):
    """What a probe reads: accuracies in % or R² (negative where worse than the mean)."""

    score: float  # held out, mean over the folds
    chance: float  # share of the most frequent value in %; 0 for R²
    shuffled: float  # the control: the same probe after the factor's rows were permuted


def probe(
    z: ArrayLike,
    factor: ArrayLike,
    *,
    train: ArrayLike | None = None,
    seed: int = 0,
    reader: str = "linear",
) -> Probe:
    """One factor read from one embedding by a fresh model.

        classes: accuracy;   numbers: R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)²

    Source: Alain & Bengio 2017.

    Args:
        z, train: embeddings [N, D] and [N', D].
        factor: N integers, booleans or strings; floats [N] or [N, k], for R² the mean over k.
        seed: of the folds, of the control and of the MLP's start.
        reader: "linear" or "mlp".

    >>> z = np.repeat(np.eye(2), 10, axis=0)
    >>> probe(z, ["cat"] * 10 + ["dog"] * 10)[:2]
    (100.0, 50.0)
    """
    units = standardised(z, train, "embedding")
    return _probe(units, _target(factor, "factor", len(units)), seed, reader)


def probe_matrix(
    embeddings: Arrays,
    factors: Arrays,
    *,
    train: Arrays | None = None,
    seed: int = 0,
    reader: str = "linear",
) -> pd.DataFrame:
    """The score of `probe` for every embedding (rows) and factor (columns), which are given by
    name; D may differ, N not. The frame's `attrs["chance"]` has factor → level.

    >>> probe_matrix({"z": np.repeat(np.eye(2), 10, axis=0)}, {"shape": [0] * 10 + [1] * 10})
       shape
    z  100.0
    """
    columns: dict[str, dict[str, Probe]] = {name: {} for name in factors}
    for row, z in embeddings.items():
        units = standardised(z, train[row] if train else None, f"embedding {row!r}")
        for name, values in factors.items():
            target = _target(values, f"factor {name!r}", len(units))
            columns[name][row] = _probe(units, target, seed, reader)
    cells = pd.DataFrame(columns)
    table = cells.map(attrgetter("score"))
    table.attrs["chance"] = cells.iloc[0].map(attrgetter("chance")).to_dict()  # of all embeddings
    return table


def modality_probe(
    embeddings: Arrays, *, train: Arrays | None = None, seed: int = 0, reader: str = "linear"
) -> Probe:
    """Which of M modalities a row comes from, read by `probe` from modality → [N, D]; chance is
    100 / M.

    Row i is one sample in every modality; its M views share a fold, so that knowing a sample is no
    help. One mean and sd serve all modalities; the control permutes them within each sample.

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
    return _cross_validate(reader, seed, units, names, others, splits)


def class_transfer(
    embeddings: Arrays, labels: ArrayLike, *, train: Arrays | None = None, seed: int = 0
) -> pd.DataFrame:
    """Does a class look alike in every modality? A linear class reader fitted to one modality's
    embedding (rows) and read on another's (columns), in %.

        A_ab = mean over folds k of the accuracy, on modality b's samples in k, of softmax(W ẑ + b)
        fitted to modality a's samples outside k

    Row i of modality → [N, D] is one sample in every modality. One mean and sd serve all, so
    nothing aligns them. `labels` are the samples' classes, integers or strings [N].

    >>> z, animals = np.repeat(np.eye(2), 10, axis=0), ["cat"] * 10 + ["dog"] * 10
    >>> class_transfer({"depth": 1 - z, "rgb": z}, animals)
           depth    rgb
    depth  100.0    0.0
    rgb      0.0  100.0
    """
    z = _views(embeddings, train)  # [M, N, D]
    y = _target(labels, "labels", z.shape[1])
    accuracy = np.zeros((len(z), len(z)))
    for fitted, tested in _folds(StratifiedKFold, len(y), seed).split(y, y):
        for row, own in zip(accuracy, z, strict=True):
            model = LogisticRegression(max_iter=1000).fit(own[fitted], y[fitted])
            row += [100 / FOLDS * model.score(view[tested], y[tested]) for view in z]
    return pd.DataFrame(accuracy, index=sorted(embeddings), columns=sorted(embeddings))


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


def _probe(z: np.ndarray, y: np.ndarray, seed: int, reader: str) -> Probe:
    splits = _folds(KFold if y.dtype.kind == "f" else StratifiedKFold, len(y), seed)
    control = np.random.default_rng(seed).permutation(y)
    return _cross_validate(reader, seed, z, y, control, splits)


def _folds(kind: type, rows: int, seed: int) -> Any:
    if rows < 2 * FOLDS:
        raise DataError("probe", f"{rows} samples for {FOLDS} folds", f"give {2 * FOLDS} or more")
    return kind(FOLDS, shuffle=True, random_state=seed)


def _cross_validate(
    reader: str, seed: int, z: np.ndarray, y: np.ndarray, control: np.ndarray, splits: Any
) -> Probe:
    check_choice("reader", reader, READERS)
    number = y.dtype.kind == "f"
    model: Any = Ridge() if number else LogisticRegression(max_iter=1000)
    if reader == "mlp":  # alpha is divided by the rows of four folds
        size = {"hidden_layer_sizes": (64,), "max_iter": 50, "alpha": 0.008 * len(z)}
        kind = MLPRegressor if number else MLPClassifier
        model = kind(solver="lbfgs", random_state=seed, **size)
    unit = 1 if number else 100
    with warnings.catch_warnings():  # an MLP ends after its 50 steps
        warnings.filterwarnings("ignore", module=r"sklearn\.neural_network")
        folds, shuffled = (
            unit * cross_val_score(model, z, target, cv=splits, error_score="raise")
            for target in (y, control)
        )
    chance = 0.0 if number else 100 * float(np.bincount(y).max()) / len(y)
    return Probe(float(folds.mean()), chance, float(shuffled.mean()))


def _target(values: ArrayLike, name: str, rows: int) -> np.ndarray:
    """A factor's values: classes numbered from 0 on, [N] integers; numbers standardised, [N, k]."""
    array = np.asarray(values)
    array = np.array(array.tolist()) if array.dtype.kind == "O" else array  # pandas' strings
    number = array.dtype.kind == "f"
    if array.shape[:1] != (rows,) or array.ndim > 1 + number or array.dtype.kind not in "biuUSf":
        shape = f"{array.dtype} of shape {array.shape} for {rows} samples"
        raise DataError(name, shape, "give one value for each")
    if number:
        units = standardised(array.reshape(rows, -1), None, name)  # R² knows no scale, an MLP does
        if not np.ptp(units, axis=0).all():
            raise DataError(name, "has a column of only one value", "leave it out")
        return units
    names, numbers, counts = np.unique(array, return_inverse=True, return_counts=True)
    if len(names) < 2 or counts.min() < FOLDS:
        found = f"has {len(names)} values, {names[counts.argmin()]} in {counts.min()} samples"
        raise DataError(name, found, f"give two values or more, each in {FOLDS} samples or more")
    return numbers
