"""One number for a whole code: SAP, MIG and DCI; and CKA, the likeness of two embeddings.

SAP, MIG and DCI take codes [N, D], D ≥ 2, and factors [N, K], integers; they lie in [0, 1], and
scaling or shifting a unit leaves them as they are. `seed` draws the halves, train and test,
stratified by the factor; MIG needs none, and has it to be called alike. Formulas and constants are
those of disentanglement_lib (google-research, commit 86a644d); where one departs from it, its
docstring says so.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

from discom.errors import DataError
from discom.evaluation.probing.arrays import classes, matrix, standardised

__all__ = ["cka", "dci", "dci_parts", "mig", "sap"]


def sap(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> float:
    """Separated attribute predictability: how much better the best unit tells a factor than the
    second best.

        SAP = mean_k (A_(1)k - A_(2)k),   A_dk the test accuracy of a linear SVM on unit d alone

    Source: Kumar et al., ICLR 2018, section 3, for discrete factors; SVM with C = 0.01 and balanced
    classes. Units are
    standardised first, lest its penalty make this a score of scale: the same as
    disentanglement_lib's on units of mean 0 and sd 1. The runner-up guesses at least, so a perfect
    code has 1 - 1/v for a factor of v even values, not 1, and less for N of some hundreds, where
    the penalty wins. A constant code, and one that holds each unit twice, have 0.

    >>> factors = np.indices((3, 3)).reshape(2, -1).T.repeat(20, axis=0)
    >>> round(sap(factors * [1.0, 5.0], factors), 1)
    0.7
    """
    codes, factors = _codes(codes, factors)
    svm = LinearSVC(
        C=0.01, class_weight="balanced", dual=False
    )  # the dual's optimum, without its random draws
    accuracy = []
    for y in factors.T:
        train, test = train_test_split(
            np.arange(len(y)), test_size=0.5, stratify=y, random_state=seed
        )
        accuracy.append(
            [
                svm.fit(unit[train], y[train]).score(unit[test], y[test])
                for unit in codes.T[:, :, None]
            ]
        )
    gaps = np.ptp(np.sort(accuracy, axis=1)[:, -2:], axis=1)  # [K], best less second best
    return float(gaps.mean())


def mig(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> float:
    """Mutual information gap: how much more the best unit tells of a factor than the second best.

        MIG = mean_k (I_(1)k - I_(2)k) / H_k,   each unit cut into 20 bins of equal width

    Source: Chen et al., NeurIPS 2018, section 4. A constant code, and one that holds each unit
    twice, have 0.

    >>> factors = np.indices((3, 3)).reshape(2, -1).T.repeat(20, axis=0)
    >>> round(mig(factors * [1.0, 5.0], factors), 3)
    1.0
    """
    codes, factors = _codes(codes, factors)
    width = np.ptp(codes, axis=0)
    bins = (20 * ((codes - codes.min(0)) / np.where(width > 0, width, 1))).astype(int).clip(max=19)
    information = [[mutual_info_score(y, unit) for unit in bins.T] for y in factors.T]
    gaps = np.ptp(np.sort(information, axis=1)[:, -2:], axis=1)  # [K], best less second best
    return float(np.mean(gaps / [entropy(np.bincount(y)) for y in factors.T]))


def dci(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> float:
    """The disentanglement of `dci_parts`: does each unit tell of one factor only? Holding each unit
    twice does no harm.

    >>> factors = np.indices((3, 3)).reshape(2, -1).T.repeat(20, axis=0)
    >>> round(dci(factors * [1.0, 5.0], factors), 3)
    1.0
    """
    return dci_parts(codes, factors, seed)["disentanglement"]


def dci_parts(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> dict[str, float]:
    """Disentanglement, completeness and informativeness, from the importance R [D, K] of units for
    factors.

        disentanglement = Σ_d (Σ_k R_dk / ΣR) (1 - H_K(R_d)),   H_K entropy to base K of row d, normed to sum 1
        completeness = the same of Rᵀ, base D;   informativeness = test accuracy, mean_k

    Source: Eastwood & Williams, ICLR 2018, section 2, with R from lasso and random forests; here,
    as in disentanglement_lib, from gradient boosted trees of scikit-learn's defaults. K ≥ 2. A
    constant code has 0, 0 and chance; one that holds each unit twice keeps its disentanglement and
    loses completeness.

    >>> factors = np.indices((3, 3)).reshape(2, -1).T.repeat(20, axis=0)
    >>> {name: round(value, 3) for name, value in dci_parts(factors * [1.0, 5.0], factors).items()}
    {'disentanglement': 1.0, 'completeness': 1.0, 'informativeness': 1.0}
    """
    codes, factors = _codes(codes, factors)
    if factors.shape[1] < 2:
        raise DataError(
            "factors: 1 column; an entropy over one factor says nothing, give DCI two or more"
        )
    rows, accuracy = [], []
    for y in factors.T:
        train, test = train_test_split(
            np.arange(len(y)), test_size=0.5, stratify=y, random_state=seed
        )
        trees = GradientBoostingClassifier(random_state=seed).fit(codes[train], y[train])
        rows.append(trees.feature_importances_)
        accuracy.append(trees.score(codes[test], y[test]))
    found = (
        _concentration(np.transpose(rows)),
        _concentration(np.array(rows)),
        float(np.mean(accuracy)),
    )
    return dict(zip(("disentanglement", "completeness", "informativeness"), found, strict=True))


def cka(a: ArrayLike, b: ArrayLike) -> float:
    """Likeness of two embeddings of the same samples: linear centred kernel alignment, [N, D₁] and
    [N, D₂] → [0, 1].

        CKA = ‖BᵀA‖²_F / (‖AᵀA‖_F ‖BᵀB‖_F),   columns centred

    Source: Kornblith et al., ICML 2019, section 3. Rotation, one scale for all units and shift
    leave it as it is; a constant embedding has 0. Few samples raise it: independent noise is near 1
    for N < D.

    >>> a = np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]])
    >>> round(cka(a, 3 * a[:, ::-1] + 1), 3), cka(a, np.ones((3, 1)))
    (1.0, 0.0)
    """
    a, b = matrix(a, "a"), matrix(b, "b")
    if len(a) != len(b):
        raise DataError(f"cka: {len(a)} rows in a, {len(b)} in b; take both from the same samples")
    a, b = (
        held - held.mean(0) for held in (a - a[0], b - b[0])
    )  # less the first row: constants are 0 exactly
    norm = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(min(np.linalg.norm(b.T @ a) ** 2 / norm, 1)) if norm else 0.0


def _concentration(importance: np.ndarray) -> float:
    rows = importance.sum(1)
    evenness = entropy(
        importance + 1e-11, base=importance.shape[1], axis=1
    )  # the constant makes empty rows even
    return float(np.clip(rows @ (1 - evenness) / (rows.sum() or 1), 0, 1))


def _codes(codes: ArrayLike, factors: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    codes, factors = standardised(codes, None, "codes"), np.asarray(factors)
    if codes.shape[1] < 2:
        raise DataError("codes: 1 unit; the scores compare units, give two or more")
    if (
        factors.ndim != 2
        or factors.dtype.kind not in "biu"
        or len(factors) != len(codes)
        or not factors.size
    ):
        shape = f"{factors.dtype} of shape {factors.shape}"
        raise DataError(
            f"factors: {shape} for {len(codes)} codes; give integers, a row a code, a column a factor"
        )
    return codes, np.stack([classes(y, f"factor {k}", 2) for k, y in enumerate(factors.T)], axis=1)
