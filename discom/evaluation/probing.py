"""What an embedding holds: linear probes, disentanglement (SAP, MIG, DCI), and the likeness of two
embeddings (CKA).

Letters: N samples, D units of an embedding, K factors, M modalities. Every function raises a
DataError for NaN or infinity, shapes that do not fit, a factor with one value, and a value too rare
to be in all five folds (of a probe) or in both halves (of a score).

SAP, MIG and DCI take codes [N, D], D ≥ 2, and factors [N, K], integers. They lie in [0, 1] and do
not depend on the scale of a unit; `seed` draws the halves. Formulas and constants are those of
disentanglement_lib (google-research, commit 86a644d) but where a docstring says otherwise.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mutual_info_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score, train_test_split
from sklearn.svm import LinearSVC

from discom.errors import DataError
from discom.evaluation.projection import cka, matrix, standardised

__all__ = ["Probe", "cka", "dci", "dci_parts", "mig", "modality_probe", "probe", "probe_matrix"]
__all__ += ["sap"]

Arrays = Mapping[str, ArrayLike]
FOLDS = 5


class Probe(NamedTuple):
    """What a linear probe reads: accuracies in % or R² (negative where worse than the mean)."""

    score: float  # held out, mean over the folds
    sd: float  # between the folds (n - 1), which is not the error of their mean
    chance: float  # share of the most frequent value in %; 0 for R²
    shuffled: float  # the control: the same probe after the factor's rows were permuted
    kind: str  # "accuracy" or "R2"


def probe(
    z: ArrayLike, factor: ArrayLike, *, train: ArrayLike | None = None, seed: int = 0
) -> Probe:
    """One factor read from one embedding by a linear model of the standardised units ẑ.

        classes: accuracy of softmax(W ẑ + b)
        numbers: R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)², ŷ = W ẑ + b

    Source: Alain & Bengio 2017. Penalties: ½‖W‖² beside cross-entropies, ‖W‖² beside squares.

    Args:
        z: embedding [N, D].
        factor: N integers, booleans or strings; floats [N] or [N, k], for R² the mean over k.
        train: the training split's embedding [N', D], for mean and sd; z itself otherwise.
        seed: of the five folds and of the control.

    >>> z = np.repeat(np.eye(2), 10, axis=0)
    >>> probe(z, ["cat"] * 10 + ["dog"] * 10)[:3]
    (100.0, 0.0, 50.0)
    """
    units = standardised(z, train, "embedding")
    return _probe(units, _target(factor, "factor", len(units)), seed)


def probe_matrix(
    embeddings: Arrays, factors: Arrays, *, train: Arrays | None = None, seed: int = 0
) -> pd.DataFrame:
    """The score of `probe` for every embedding (rows) and factor (columns).

    Args:
        embeddings, train: name → [N, D], name → [N', D], the same names; D may differ, N not.
        factors: name → values, as `probe` takes them.

    Returns:
        A frame with `attrs` "chance", "kind" (factor → …) and "shuffled" (row → factor → score).

    >>> probe_matrix({"z": np.repeat(np.eye(2), 10, axis=0)}, {"shape": [0] * 10 + [1] * 10})
       shape
    z  100.0
    """
    units = {
        name: standardised(z, train[name] if train else None, f"embedding {name!r}")
        for name, z in embeddings.items()
    }
    sizes = {name: len(z) for name, z in units.items()}
    if len(set(sizes.values())) != 1 or not factors:
        raise DataError(f"probe: rows {sizes}, factors {list(factors)}; give factors of all rows")
    columns = {}
    for name, values in factors.items():
        target = _target(values, f"factor {name!r}", max(sizes.values()))
        columns[name] = {row: _probe(z, target, seed) for row, z in units.items()}
    cells = pd.DataFrame(columns)
    table = cells.map(lambda cell: cell.score)
    table.attrs["chance"] = cells.iloc[0].map(lambda cell: cell.chance).to_dict()
    table.attrs["kind"] = cells.iloc[0].map(lambda cell: cell.kind).to_dict()
    table.attrs["shuffled"] = cells.map(lambda cell: cell.shuffled).to_dict("index")
    return table


def modality_probe(embeddings: Arrays, *, train: Arrays | None = None, seed: int = 0) -> Probe:
    """Which of M modalities a row comes from, read by `probe` from modality → [N, D]; chance is
    100 / M.

    Row i is one sample in every modality; its M views share a fold, so that knowing a sample is no
    help. One mean and sd serve all modalities; the control permutes them within each sample.

    >>> modality_probe({"rgb": np.ones((10, 2)), "depth": np.zeros((10, 2))})[:3]
    (100.0, 0.0, 50.0)
    """
    names = sorted(embeddings)
    shapes = {name: np.shape(embeddings[name]) for name in names}
    if len(names) < 2 or len(set(shapes.values())) > 1:
        raise DataError(f"modalities: {shapes}; give two or more, of the same samples and width")
    views = [matrix(embeddings[name], f"embedding {name!r}") for name in names]
    fit = np.concatenate([train[name] for name in names]) if train else None
    z = standardised(np.concatenate(views), fit, "embeddings")
    rows = np.arange(len(z)).reshape(len(names), -1)  # [M, N]
    source = np.broadcast_to(np.arange(len(names))[:, None], rows.shape)
    control = np.random.default_rng(seed).permuted(source, axis=0)
    samples = _folds(KFold, rows.shape[1], seed).split(rows.T)
    splits = [(rows[:, fitted].ravel(), rows[:, tested].ravel()) for fitted, tested in samples]
    return _cross_validate(z, source.ravel(), control.ravel(), splits)


def sap(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> float:
    """Separated attribute predictability: how much better the best unit tells a factor than the
    next.

        SAP = mean_k (A_(1)k - A_(2)k),   A_dk the test accuracy of a linear SVM on unit d alone

    Source: Kumar et al., ICLR 2018, section 3; C = 0.01, balanced classes, standardised units. The
    second best guesses, so a perfect code has at most 1 - 1/v for a factor of v values.

    >>> factors = np.indices((3, 3)).reshape(2, -1).T.repeat(20, axis=0)
    >>> round(sap(factors * [1.0, 5.0], factors), 1)
    0.7
    """
    z, y = _codes(codes, factors)
    svm = LinearSVC(C=0.01, class_weight="balanced", dual=False)
    accuracy = []
    for column in y.T:
        train, test, labels, truth = _halves(z, column, seed)
        units = zip(train.T[:, :, None], test.T[:, :, None], strict=True)
        accuracy.append([svm.fit(unit, labels).score(part, truth) for unit, part in units])
    return float(_gaps(accuracy).mean())


def mig(codes: ArrayLike, factors: ArrayLike) -> float:
    """Mutual information gap: how much more the best unit tells of a factor than the second best.

        MIG = mean_k (I_(1)k - I_(2)k) / H_k,   each unit cut into 20 bins of equal width

    Source: Chen et al., NeurIPS 2018, section 4.

    >>> factors = np.indices((3, 3)).reshape(2, -1).T.repeat(20, axis=0)
    >>> round(mig(factors * [1.0, 5.0], factors), 3)
    1.0
    """
    z, y = _codes(codes, factors)
    width = np.ptp(z, axis=0)
    bins = (20 * ((z - z.min(0)) / np.where(width > 0, width, 1))).astype(int).clip(max=19)
    information = [[mutual_info_score(column, unit) for unit in bins.T] for column in y.T]
    entropies = [entropy(np.bincount(column)) for column in y.T]
    return float(np.mean(_gaps(information) / entropies))


def dci(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> float:
    """The disentanglement of `dci_parts`: does each unit tell of one factor only?"""
    return dci_parts(codes, factors, seed)["disentanglement"]


def dci_parts(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> dict[str, float]:
    """Disentanglement, completeness and informativeness, from the importance R [D, K] of units.

        disentanglement = Σ_d (Σ_k R_dk / ΣR) (1 - H_K(R_d)),   H_K entropy to base K of row d
        completeness = the same of Rᵀ, base D;   informativeness = test accuracy, mean_k

    Source: Eastwood & Williams, ICLR 2018, section 2; R from gradient boosted trees with
    scikit-learn's defaults. K ≥ 2.

    >>> factors = np.indices((3, 3)).reshape(2, -1).T.repeat(20, axis=0)
    >>> [round(value, 3) for value in dci_parts(factors * [1.0, 5.0], factors).values()]
    [1.0, 1.0, 1.0]
    """
    z, y = _codes(codes, factors)
    if y.shape[1] < 2:
        raise DataError("factors: 1 column has no entropy over factors; give DCI two or more")
    importance, accuracy = [], []
    for column in y.T:
        train, test, labels, truth = _halves(z, column, seed)
        trees = GradientBoostingClassifier(random_state=seed).fit(train, labels)
        importance.append(trees.feature_importances_)
        accuracy.append(trees.score(test, truth))
    return {
        "disentanglement": _concentration(np.transpose(importance)),
        "completeness": _concentration(np.array(importance)),
        "informativeness": float(np.mean(accuracy)),
    }


def _probe(z: np.ndarray, y: np.ndarray, seed: int) -> Probe:
    splits = _folds(KFold if y.dtype.kind == "f" else StratifiedKFold, len(y), seed)
    return _cross_validate(z, y, np.random.default_rng(seed).permutation(y), splits)


def _folds(kind: type, rows: int, seed: int) -> Any:
    if rows < 2 * FOLDS:
        raise DataError(f"probe: {rows} samples for {FOLDS} folds; give {2 * FOLDS} or more")
    return kind(FOLDS, shuffle=True, random_state=seed)


def _cross_validate(z: np.ndarray, y: np.ndarray, control: np.ndarray, splits: Any) -> Probe:
    number = y.dtype.kind == "f"
    model: Any = Ridge() if number else LogisticRegression(max_iter=1000)
    unit = 1 if number else 100
    chance = 0.0 if number else 100 * float(np.bincount(y).max()) / len(y)
    folds, shuffled = (
        unit * cross_val_score(model, z, target, cv=splits, error_score="raise")
        for target in (y, control)
    )
    kind, sd = "R2" if number else "accuracy", float(folds.std(ddof=1))
    return Probe(float(folds.mean()), sd, chance, float(shuffled.mean()), kind)


def _halves(z: np.ndarray, column: np.ndarray, seed: int) -> list[np.ndarray]:
    """Codes to fit and to test, and their values of a factor."""
    return train_test_split(z, column, test_size=0.5, stratify=column, random_state=seed)


def _gaps(scores: ArrayLike) -> np.ndarray:
    """Of units for each factor [K, D]: the best less the second best, [K]."""
    return np.ptp(np.sort(scores, axis=1)[:, -2:], axis=1)


def _concentration(importance: np.ndarray) -> float:
    rows = importance.sum(1)
    evenness = entropy(importance + 1e-11, base=importance.shape[1], axis=1)  # empty rows are even
    return float(np.clip(rows @ (1 - evenness) / (rows.sum() or 1), 0, 1))


def _classes(values: np.ndarray, name: str, members: int) -> np.ndarray:
    """A factor's values as numbers from 0 on: two values or more, `members` samples of each."""
    names, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DataError(f"{name}: one value only, {names[0]}, nothing to tell apart; leave it out")
    if counts.min() < members:
        rare = f"{names[counts.argmin()]} has {counts.min()} of {members} samples needed"
        raise DataError(f"{name}: {rare}; merge rare values, or give a number as floats")
    return numbers


def _target(values: ArrayLike, name: str, rows: int) -> np.ndarray:
    array = np.asarray(values)
    array = np.array(array.tolist()) if array.dtype.kind == "O" else array  # pandas' strings
    number = array.dtype.kind == "f"
    if array.shape[:1] != (rows,) or array.ndim > 1 + number or array.dtype.kind not in "biuUSf":
        shape = f"{array.dtype} of shape {array.shape}"
        raise DataError(f"{name}: {shape} for {rows} samples; give one value for each")
    if not number:
        return _classes(array, name, FOLDS)
    if not np.ptp(array := matrix(array.reshape(rows, -1), name), axis=0).all():
        raise DataError(f"{name}: one value only in a column, nothing to tell apart; leave it out")
    return array


def _codes(codes: ArrayLike, factors: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    z, y = standardised(codes, None, "codes"), np.asarray(factors)
    if z.shape[1] < 2:
        raise DataError("codes: 1 unit; the scores compare units, give two or more")
    if y.ndim != 2 or y.dtype.kind not in "biu" or len(y) != len(z) or not y.size:
        shape = f"{y.dtype} of shape {y.shape}"
        raise DataError(f"factors: {shape} for {len(z)} codes; give integers [N, K]")
    return z, np.stack([_classes(column, f"factor {k}", 2) for k, column in enumerate(y.T)], 1)
