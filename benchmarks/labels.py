"""What unlabelled pairs are worth with 200 labels of `objects`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from stored import networks

TRAIN = 2000  # pairs of the training part


def worth(sensor: str, rival: str = "student") -> tuple[float, float, float]:
    """How many labels a rival that sees one sensor needs to score as `agreed` does with 200, and
    the interval; numbers of labels that not all seeds have are left out."""
    own = pd.concat([networks("labels"), networks("labels-more")]).query("network == @sensor")
    own = own.assign(number=(TRAIN * own["share"]).round())
    own = own.drop_duplicates(["method", "number", "seed"])
    scores = own.pivot(index="seed", columns=["method", "number"], values="score")
    return labels_worth(scores["agreed", 200], scores[rival].dropna(axis=1))


def labels_worth(scores: ArrayLike, curve: Mapping[float, ArrayLike]) -> tuple[float, float, float]:
    """How many labels a baseline needs to score as a method does with few, and a 95 % interval.

    The baseline's scores are interpolated between the measured numbers of labels, for each seed,
    along the logarithm. The interval reaches from the first to the last number at which the paired
    t test finds no difference; the number is where the mean difference first passes zero.

    Args:
        scores: of the method, one for each seed, [n].
        curve: number of labels → the baseline's scores with the same seeds, [n].

    Returns:
        The number and its bounds. Infinity stands for more labels than the curve has, 0 for fewer
        than its first.
    """
    labels = np.array(sorted(curve), float)
    grid = np.linspace(np.log(labels[0]), np.log(labels[-1]), 2001)
    baseline = np.stack([np.asarray(curve[number], float) for number in labels], 1)
    each = [np.interp(grid, np.log(labels), own) for own in baseline]
    each = np.asarray(scores, float)[:, None] - each  # [n, 2001]
    mean, half = each.mean(0), stats.t.ppf(0.975, len(each) - 1) * stats.sem(each)
    # from the other end: after the last number that is not clearly too many
    too_many = np.logical_and.accumulate((mean + half < 0)[::-1])[::-1]

    def first(reached: np.ndarray) -> float:
        if not reached.any():
            return np.inf
        return float(np.exp(grid[reached.argmax()])) if reached.argmax() else 0.0

    return first(mean <= 0), first(mean - half <= 0), first(too_many)
