"""Means of differences with their intervals, paired or not; Holm's correction."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def paired_difference(
    ours: ArrayLike, theirs: ArrayLike, overlap: float = 0.0
) -> tuple[float, float, float]:
    """Mean of the differences of runs with the same seed, and its 95 % Student-t interval.

        d_i = a_i - b_i;  d̄ ± t_{n-1} · sd(d) · √(1/n + overlap)

    Row i of both comes from the same seed and split; the bounds are NaN for n = 1. `overlap` is
    n_test / n_train where all seeds split one set of samples, else 0. A ValueError for lengths that
    differ, or no scores.

    Source: C. Nadeau and Y. Bengio, Inference for the generalization error, 2003.

    >>> tuple(round(v, 2) for v in paired_difference([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]))
    (2.0, -0.48, 4.48)
    """
    first, second = np.asarray(ours, float), np.asarray(theirs, float)
    if not len(first) == len(second) > 0:
        raise ValueError(f"{len(first)} and {len(second)} scores; give one of each for every seed")
    return t_test(first - second, overlap)[:3]


def unpaired_difference(
    ours: ArrayLike, theirs: ArrayLike, overlap: float = 0.0
) -> tuple[float, float, float]:
    """Mean of `ours` minus mean of `theirs`, for runs that share no split, and its 95 % Welch
    interval; `overlap` as in `paired_difference`, for each side.

        v = s² (1/n + overlap);  ā - b̄ ± t_ν √(v_a + v_b)
        ν = (v_a + v_b)² / (v_a² / (n_a - 1) + v_b² / (n_b - 1))

    Each side has two scores or more, and not all are equal, else the bounds are NaN.

    Source: B. L. Welch, The generalization of "Student's" problem, 1947, and Nadeau and Bengio.

    >>> tuple(round(v, 2) for v in unpaired_difference([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]))
    (2.0, -0.27, 4.27)
    """
    sides = [np.asarray(side, float) for side in (ours, theirs)]
    mean = float(sides[0].mean() - sides[1].mean())
    v = np.array([side.var(ddof=1) * (1 / len(side) + overlap) for side in sides])
    freedom = v.sum() ** 2 / (v**2 / [len(side) - 1 for side in sides]).sum()
    low, high = stats.t.interval(0.95, freedom, mean, np.sqrt(v.sum()))
    return mean, float(low), float(high)


def t_test(differences: np.ndarray, overlap: float = 0.0) -> tuple[float, float, float, float]:
    """Their mean, its 95 % interval and the p-value, NaN and 1 for one seed; all NaN for none."""
    count = len(differences)
    if not count:
        return (np.nan,) * 4
    mean = float(differences.mean())
    if count < 2:
        return mean, np.nan, np.nan, 1.0
    if np.ptp(differences) < 1e-12:  # no spread but rounding
        return mean, mean, mean, float(abs(mean) < 1e-12)
    error = differences.std(ddof=1) * np.sqrt(1 / count + overlap)
    low, high = stats.t.interval(0.95, count - 1, mean, error)
    return mean, float(low), float(high), float(2 * stats.t.sf(abs(mean) / error, count - 1))


def holm(p: ArrayLike) -> np.ndarray:
    """Holm's correction of the p-values of all comparisons that are read together [m], in their
    order: p̃ < α makes any false alarm among them as rare as α. A ValueError for a value outside of
    [0, 1], or NaN.

        p̃_(i) = max_{j ≤ i} min(1, (m - j + 1) p_(j)),  with p_(j) the j-th smallest of m

    Source: S. Holm, A simple sequentially rejective multiple test procedure, 1979.

    >>> [round(float(v), 2) for v in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, float)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"holm: {values.tolist()} are not all in [0, 1]; give p-values")
    order, adjusted = np.argsort(values), np.empty(len(values))
    steps = (len(values) - np.arange(len(values))) * values[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
