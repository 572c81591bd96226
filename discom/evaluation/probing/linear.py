"""Linear probes: what a linear model reads from an embedding."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from discom.errors import DataError
from discom.evaluation.probing.arrays import classes, matrix, standardised

__all__ = ["Probe", "modality_probe", "probe", "probe_matrix"]

Arrays = Mapping[str, ArrayLike]


class Probe(NamedTuple):
    """What a linear probe reads: accuracies in % or R² (1 at most, negative where worse than the
    mean)."""

    score: float  # held out, mean over the folds
    sd: float  # between the folds' scores (n - 1), which is not the error of their mean
    chance: float  # share of the most frequent value in %; 0 for R²
    shuffled: float  # the control: the same probe after the factor's rows were permuted, so at chance or below
    kind: str  # "accuracy" or "R2"


def probe(
    z: ArrayLike,
    factor: ArrayLike,
    *,
    train: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Probe:
    """One factor read from one embedding by a linear model of the standardised units ẑ = (z - mean)
    / sd.

        classes: accuracy of softmax(W ẑ + b);   numbers: R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)², ŷ = W ẑ + b, ȳ of the fold

    Source: Alain & Bengio 2017. Penalties: ½‖W‖² beside the sum of cross-entropies, ‖W‖² beside the
    sum of squares.

    Args:
        z: embedding [N, D].
        factor: N integers, booleans or strings → accuracy, folds stratified; floats [N] or [N, k] →
            R², the mean over the k columns (an angle, say, as its cosine and sine).
        train: the training split's embedding [N', D], whose mean and sd are used; z's own
            otherwise. A unit without spread is divided by 1.
        folds: 2 to N / 2; they and the control are drawn from `seed`.

    >>> z = np.repeat(np.eye(2), 10, axis=0)
    >>> probe(z, ["cat"] * 10 + ["dog"] * 10)[:3]
    (100.0, 0.0, 50.0)
    """
    return _probe(
        standardised(z, train, "embedding"), _target(factor, "factor", len(z), folds), folds, seed
    )


def probe_matrix(
    embeddings: Arrays,
    factors: Arrays,
    *,
    train: Arrays | None = None,
    folds: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """The score of `probe` for every embedding (rows) and factor (columns); the order of neither
    changes a cell.

    Args:
        embeddings, train: name → [N, D], name → [N', D], the same names; D may differ between
        names, N not.
        factors: name → values, as `probe` takes them.

    Returns:
        A frame with `attrs` "chance" and "kind", dicts factor → value, and "shuffled", embedding →
        factor → score.

    >>> probe_matrix({"z": np.repeat(np.eye(2), 10, axis=0)}, {"shape": [0] * 10 + [1] * 10})
       shape
    z  100.0
    """
    if not embeddings or not factors:
        raise DataError(
            f"probe: {len(embeddings)} embeddings, {len(factors)} factors; give one of each at least"
        )
    train = _same_names(embeddings, train)
    z = {
        name: standardised(held, train[name], f"embedding {name!r}")
        for name, held in embeddings.items()
    }
    sizes = {name: len(held) for name, held in z.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f"embeddings: rows {sizes}; take all from the same samples")
    y = {
        name: _target(held, f"factor {name!r}", max(sizes.values()), folds)
        for name, held in factors.items()
    }
    read = pd.DataFrame(
        {name: {row: _probe(z[row], held, folds, seed) for row in z} for name, held in y.items()}
    )
    table = read.map(lambda cell: cell.score)
    for field in ("chance", "kind"):  # of the factor alone, the same in every row
        table.attrs[field] = {name: getattr(cell, field) for name, cell in read.iloc[0].items()}
    table.attrs["shuffled"] = read.map(lambda cell: cell.shuffled).to_dict("index")
    return table


def modality_probe(
    embeddings: Arrays, *, train: Arrays | None = None, folds: int = 5, seed: int = 0
) -> Probe:
    """Which of M modalities a row comes from, read by `probe` from modality → [N, D], rows paired;
    chance is 100 / M.

    Row i is one sample in every modality, and its M views share a fold, so that knowing a sample is
    no help. One mean and sd serve all modalities, as a shift between them is to be read; the
    control permutes them within each sample.

    >>> modality_probe({"rgb": np.ones((10, 2)), "depth": np.zeros((10, 2))})[:3]
    (100.0, 0.0, 50.0)
    """
    names, train = (
        sorted(embeddings),
        _same_names(embeddings, train),
    )  # sorted: their order changes nothing
    shapes = {name: np.shape(embeddings[name]) for name in names}
    if len(names) < 2 or len(set(shapes.values())) > 1:
        raise DataError(f"modalities: {shapes}; give two or more, of the same samples and width")
    views = [matrix(embeddings[name], f"embedding {name!r}") for name in names]
    fit = [matrix(train[name], f"train {name!r}") for name in names if train[name] is not None]
    z = standardised(np.concatenate(views), np.concatenate(fit) if fit else None, "embeddings")
    rows = np.arange(len(z)).reshape(len(names), -1)  # [M, N]
    source = np.broadcast_to(np.arange(len(names))[:, None], rows.shape)
    control = np.random.default_rng(seed).permuted(source, axis=0)
    samples = _folds(KFold, len(views[0]), folds, seed).split(rows.T)
    splits = [tuple(rows[:, part].ravel() for part in pair) for pair in samples]
    return _cross_validate(z, source.ravel(), control.ravel(), splits)


def _probe(z: np.ndarray, y: np.ndarray, folds: int, seed: int) -> Probe:
    splits = _folds(KFold if y.dtype.kind == "f" else StratifiedKFold, len(y), folds, seed)
    return _cross_validate(z, y, np.random.default_rng(seed).permutation(y), splits)


def _folds(kind: type, rows: int, folds: int, seed: int) -> KFold | StratifiedKFold:
    if not 2 <= folds <= rows / 2:
        raise DataError(f"folds: {folds} of {rows} samples; use 2 or more, with two samples each")
    return kind(folds, shuffle=True, random_state=seed)


def _cross_validate(z: np.ndarray, y: np.ndarray, control: np.ndarray, splits) -> Probe:
    number = y.dtype.kind == "f"
    kind, model, unit = (
        ("R2", Ridge(), 1) if number else ("accuracy", LogisticRegression(max_iter=1000), 100)
    )
    chance = 0.0 if number else unit * np.bincount(y).max() / len(y)
    read, blind = (
        unit * cross_val_score(model, z, held, cv=splits, error_score="raise")
        for held in (y, control)
    )
    return Probe(
        float(read.mean()), float(read.std(ddof=1)), float(chance), float(blind.mean()), kind
    )


def _same_names(embeddings: Arrays, train: Arrays | None) -> Mapping[str, ArrayLike | None]:
    if train is not None and set(train) != set(embeddings):
        raise DataError(
            f"train: {sorted(train)} for embeddings {sorted(embeddings)}; give the same names"
        )
    return dict.fromkeys(embeddings) if train is None else train


def _target(values: ArrayLike, name: str, rows: int, folds: int) -> np.ndarray:
    array = np.asarray(values)
    array = np.array(array.tolist()) if array.dtype.kind == "O" else array  # pandas' strings
    number = array.dtype.kind == "f"
    if array.shape[:1] != (rows,) or array.ndim > 1 + number or array.dtype.kind not in "biuUSf":
        raise DataError(
            f"{name}: {array.dtype} of shape {array.shape} for {rows} samples; give one value for each"
        )
    if not number:
        return classes(array, name, folds)
    if not np.ptp(array := matrix(array.reshape(rows, -1), name), axis=0).all():
        raise DataError(f"{name}: one value only in a column, nothing to tell apart; leave it out")
    return array
