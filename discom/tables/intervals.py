"""Means of differences with their intervals, over seeds or over the groups of pooled folds; Holm's
correction."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from discom.errors import RunError
from discom.running.runs import Result


def paired_difference(ours: ArrayLike, theirs: ArrayLike) -> tuple[float, float, float]:
    """Mean of the differences of runs with the same seed, and its 95 % Student-t interval::

        d_i = a_i - b_i;  d̄ ± t_{n-1} · sd(d) / √n

    Row i of both comes from the same seed; the bounds are NaN for n = 1. A ValueError for lengths
    that differ, or no scores.

    >>> tuple(round(v, 2) for v in paired_difference([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]))
    (2.0, -0.48, 4.48)
    """
    first, second = np.asarray(ours, float), np.asarray(theirs, float)
    if not len(first) == len(second) > 0:
        raise ValueError(f"{len(first)} and {len(second)} scores; give one of each for every seed")
    return t_test(first - second)[:3]


def t_test(differences: np.ndarray) -> tuple[float, float, float, float]:
    """Their mean, its 95 % interval and the p-value, NaN and 1 for one seed; all NaN for none."""
    count = len(differences)
    if not count:
        return (np.nan,) * 4
    mean = float(differences.mean())
    if count < 2:
        return mean, np.nan, np.nan, 1.0
    if np.ptp(differences) < 1e-12:  # no spread but rounding
        return mean, mean, mean, float(abs(mean) < 1e-12)
    error = differences.std(ddof=1) / np.sqrt(count)
    low, high = stats.t.interval(0.95, count - 1, mean, error)
    return mean, float(low), float(high), float(2 * stats.t.sf(abs(mean) / error, count - 1))


def resampled_interval(differences: ArrayLike, ratio: float) -> tuple[float, float, float]:
    """Mean of differences [n], one for each random split of the same samples, and its approximate
    95 % interval; the bounds are NaN for n < 3, all is NaN for none::

        d̄ ± t_{n-1} · sd(d) · √(1/n + ratio),  with ratio = test samples / training samples

    Such splits overlap, so their differences are correlated, and Student's t interval, which has
    1/n alone, is too narrow; ratio takes the correlation to be the share of the test part.

    Source: C. Nadeau and Y. Bengio, Inference for the Generalization Error, Machine Learning 2003.

    >>> tuple(round(v, 2) for v in resampled_interval([2.0, 0.0, 1.0], 2 / 7))
    (1.0, -2.39, 4.39)
    """
    values = np.asarray(differences, float)
    if not len(values):
        return (np.nan,) * 3
    mean = float(values.mean())
    if len(values) < 3:  # of two, t is 12.7, and tells nothing
        return mean, np.nan, np.nan
    reach = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1)
    half = float(reach * np.sqrt(1 / len(values) + ratio))
    return mean, mean - half, mean + half


def tally(runs: Sequence[Result]) -> dict[str, pd.DataFrame]:
    """Network → a row for each group: hits, labels and predictions of every class, [G, 3 · C], in
    the test parts of all folds of one method and seed. A RunError where a fold is missing."""
    first, tables = runs[0], dict[str, list[pd.DataFrame]]()
    if untested := {*range(first.folds)} - {run.fold for run in runs if run.tested}:
        found = f"no run of {first.display_name} with seed {first.seed} tests fold {min(untested)}"
        raise RunError(first.data, found, "train it, or leave that seed out")
    for run in runs:
        tested = run.tested or {}
        for network, rows in tested["counts"].items():
            group, truth, predicted, count = np.array(rows).T
            cells = np.zeros((len(tested["groups"]), 3, run.classes))
            np.add.at(cells, (group, 0, truth), count * (truth == predicted))
            np.add.at(cells, (group, 1, truth), count)
            np.add.at(cells, (group, 2, predicted), count)
            table = pd.DataFrame(cells.reshape(len(cells), -1), tested["groups"])
            tables.setdefault(network, []).append(table[table.any(axis=1)])
    return {network: pd.concat(parts) for network, parts in tables.items()}


def pooled_score(cells: np.ndarray, metric: str) -> np.ndarray:
    """Weighted F1 ("f1"), mean IoU ("miou") or mean recall ("recall") in percent, [...], from the
    number of hits, of labels and of predictions of each class, [..., 3, C]: `scores` and
    `dense_scores` of all samples together. A class without labels counts in none::

        F1_c = 2 hits_c / (labels_c + predictions_c)
        IoU_c = hits_c / (labels_c + predictions_c - hits_c)
        recall_c = hits_c / labels_c
    """
    hits, labels, predicted = np.moveaxis(np.asarray(cells, float), -2, 0)
    either = np.maximum(labels + predicted, 1e-9)
    if metric == "f1":
        return 100 * (labels * 2 * hits / either).sum(-1) / labels.sum(-1)
    present, whole = labels > 0, labels if metric == "recall" else either - hits
    return 100 * (hits / np.maximum(whole, 1e-9) * present).sum(-1) / present.sum(-1)


def tally_score(table: pd.DataFrame, metric: str) -> float:
    """`pooled_score` of all groups of a `tally` together."""
    return float(pooled_score(table.to_numpy().sum(0).reshape(3, -1), metric))


def group_dice(table: pd.DataFrame, label: int) -> pd.Series:
    """Dice of the class numbered `label` in each group in percent [G], of all its labelled pixels
    together, from a `tally`; NaN where the class has no label::

        Dice_g = 100 · 2 hits_g / (labels_g + predictions_g)
    """
    hits, labels, predicted = table.to_numpy().reshape(len(table), 3, -1)[..., label].T
    dice = 200 * hits / np.maximum(labels + predicted, 1)
    return pd.Series(np.where(labels > 0, dice, np.nan), table.index)


def pseudo_values(
    ours: Sequence[pd.DataFrame], theirs: Sequence[pd.DataFrame], metric: str
) -> pd.Series:
    """Of the difference D of two methods' pooled scores one value for each group [G], whose mean is
    D, from a tally of each for every seed; D is the mean over seeds::

        D̃_g = G · D - (G - 1) · D_{-g} - bias,  where D_{-g} leaves out group g

    Source: J. W. Tukey, Bias and confidence in not-quite large samples, 1958.
    """
    every = [*ours, *theirs]
    names = pd.concat(every).index.unique()
    cells = np.stack([table.reindex(names, fill_value=0).to_numpy() for table in every])
    count, sums = len(names), cells.sum(1, keepdims=True)
    parts = np.concatenate([sums, sums - cells], 1)  # all groups, then all but one
    scores = pooled_score(parts.reshape(*parts.shape[:2], 3, -1), metric)
    whole, *without = (scores[: len(ours)] - scores[len(ours) :]).mean(0)
    values = count * whole - (count - 1) * np.array(without)
    return pd.Series(values - values.mean() + whole, names)


def crossed_test(values: np.ndarray) -> tuple[float, float, float, float]:
    """Mean of values of S seeds and G groups [S, G], its 95 % interval and its standard error, for
    other seeds and other groups::

        error² = s²_groups / G + max(0, s²_seeds / S - s²_rest / (S·G))

    s² are the variances of the groups' means over seeds, of the seeds' means over groups, and of
    what these two leave. Student's t has degrees of freedom after Satterthwaite (1946); one seed
    adds nothing, and one group gives no interval.
    """
    seeds, count = values.shape
    group_means, seed_means = values.mean(0), values.mean(1)
    parts = [(group_means.var(ddof=1) / count, count - 1)] if count > 1 else [(np.nan, 1)]
    if seeds > 1 and count > 1:
        rest = values - group_means - seed_means[:, None] + values.mean()
        spread = (rest**2).sum() / ((seeds - 1) * (count - 1)) / (seeds * count)
        parts.append((max(0.0, seed_means.var(ddof=1) / seeds - spread), seeds - 1))
    variance = sum(part for part, _ in parts)
    degrees = variance**2 / max(sum(part**2 / freedom for part, freedom in parts), 1e-300)
    mean, error = float(values.mean()), float(np.sqrt(variance))
    reach = error and float(stats.t.ppf(0.975, degrees)) * error
    return mean, mean - reach, mean + reach, error


def holm(p: ArrayLike) -> np.ndarray:
    """Holm's correction of the p-values of all comparisons that are read together [m], in their
    order (a ValueError for a value outside of [0, 1], or NaN): p̃ < α makes any false alarm among
    them as rare as α::

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
