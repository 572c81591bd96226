"""Chosen pairs of methods compared seed by seed, and what is left when many comparisons are read
together."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from discom.errors import RunError
from discom.runs import Result
from discom.tables.statistics import label, paired_difference

__all__ = ["compare", "holm"]


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's correction: p-values such that p̃ < α as a rule makes any false alarm among them as
    rare as α.

    p̃_(i) = max_{j ≤ i} min(1, (m - j + 1) p_(j)),  with p_(j) the j-th smallest of m

    S. Holm, A simple sequentially rejective multiple test procedure, 1979. Holds for dependent
    comparisons, too.

    Args:
        p: p-values in [0, 1] of all comparisons that are read together, [m].

    Returns:
        Corrected p-values, in the order of `p`.

    Raises:
        ValueError: a value outside of [0, 1], or NaN.

    >>> [round(float(v), 2) for v in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, float)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"holm: p-values lie in [0, 1], got {values.tolist()}")
    order, adjusted = np.argsort(values), np.empty(len(values))
    adjusted[order] = np.minimum(
        np.maximum.accumulate((len(values) - np.arange(len(values))) * values[order]), 1
    )
    return adjusted


def compare(results: Iterable[Result], pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Differences of pairs of methods, paired by seed, on every data set and deployed network that
    both have.

    Args:
        results: finished runs; one of each data set, method (with its options) and seed.
        pairs: (method, method to subtract), each named as by `experiments.label`; a pair that was
            not run is left out.

    Returns:
        A row for each comparison: data, modality, method, minus, n (seeds in common), difference,
        low, high (95 % Student-t interval, in points; NaN for one seed), p (of the paired t test; 1
        for one seed), holm (p corrected for all rows together) and each (the differences, [n],
        seeds ascending).

    Raises:
        RunError: two runs of the same data, method, options and seed.
    """
    listed = [(r.data, label(r.method, r.config["options"]), name, r.seed, score)
              for r in results for name, score in r.main.items()]  # fmt: skip
    scores = pd.DataFrame(listed, columns=["data", "method", "modality", "seed", "score"])
    if scores.duplicated(["data", "method", "modality", "seed"]).any():
        raise RunError("compare: two runs of the same data, method and seed; collect them apart")
    wide = scores.pivot(
        index="seed", columns=["data", "modality", "method"], values="score"
    ).sort_index()
    rows = []
    for method, minus in pairs:
        for data, modality in (
            scores.loc[scores["method"] == method, ["data", "modality"]]
            .drop_duplicates()
            .to_numpy()
        ):
            if (data, modality, minus) in wide:
                both = (
                    wide[[(data, modality, method), (data, modality, minus)]].dropna().to_numpy().T
                )
                if both.size:
                    rows.append(
                        {
                            "data": data,
                            "modality": modality,
                            "method": method,
                            "minus": minus,
                            **_row(*both),
                        }
                    )
    found = pd.DataFrame(rows, columns=["data", "modality", "method", "minus", "n", "difference", "low", "high", "p",
                                        "each"])  # fmt: skip
    found.insert(9, "holm", holm(found["p"].to_numpy()))
    return found


def _row(ours: np.ndarray, theirs: np.ndarray) -> dict:
    mean, low, high = paired_difference(ours, theirs)
    if len(ours) < 2:
        p = 1.0
    elif np.ptp(ours - theirs) < 1e-12:  # no spread but rounding: scipy would divide by 0
        p = float(abs(mean) < 1e-12)
    else:
        p = float(stats.ttest_rel(ours, theirs).pvalue)
    return {
        "n": len(ours),
        "difference": mean,
        "low": low,
        "high": high,
        "p": p,
        "each": ours - theirs,
    }
