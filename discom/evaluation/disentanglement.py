"""How a representation's units share out its factors: SAP, MIG and DCI.

They take codes [N, D], D ≥ 2, and factors [N, K], integers. They lie in [0, 1] and do not depend on
the scale of a unit; `seed` draws the halves. Formulas and constants are those of
disentanglement_lib (google-research, commit 86a644d) but where a docstring says otherwise. Every
function raises a DataError for NaN or infinity, shapes that do not fit, a factor with one value,
and a value too rare to be in both halves.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

from discom.errors import DataError
from discom.evaluation.projection import standardised


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


def dci_parts(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> dict[str, float]:
    """Disentanglement (does each unit tell of one factor only?), completeness and informativeness,
    from the importance R [D, K] of units.

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


def numbered(values: np.ndarray, name: str, members: int) -> np.ndarray:
    """A factor's values as numbers from 0 on: two values or more, `members` samples of each."""
    names, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DataError(f"{name}: has only the value {names[0]}; leave it out")
    if counts.min() < members:
        rare = f"{names[counts.argmin()]} has {counts.min()} of {members} samples needed"
        raise DataError(f"{name}: {rare}; merge rare values, or give a number as floats")
    return numbers


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


def _codes(codes: ArrayLike, factors: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    z, y = standardised(codes, None, "codes"), np.asarray(factors)
    if z.shape[1] < 2:
        raise DataError("codes: 1 unit; the scores compare units, give two or more")
    if y.ndim != 2 or y.dtype.kind not in "biu" or len(y) != len(z) or not y.size:
        shape = f"{y.dtype} of shape {y.shape}"
        raise DataError(f"factors: {shape} for {len(z)} codes; give integers [N, K]")
    return z, np.stack([numbered(column, f"factor {k}", 2) for k, column in enumerate(y.T)], 1)
