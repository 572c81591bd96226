"""k folds: every labelled sample is tested exactly once, and no group is ever divided."""

import warnings
from typing import Any

import numpy as np

from discom.data.checks import check_number
from discom.errors import DataError


def fold_rows(data: Any, k: int, seed: int, number: int) -> dict[str, np.ndarray]:
    """Part → its rows, ascending, in fold `number` of k; see `MultiModalData.folds`.

    >>> from discom.data import scenes
    >>> {part: len(rows) for part, rows in fold_rows(scenes.make(180, size=8), 3, 0, 0).items()}
    {'train': 102, 'valid': 18, 'test': 60}
    """
    check_number("folds", k, 2)
    check_number("fold", number, 0, k - 1)
    check_number("seed", seed, 0)
    # a mask has many classes; without groups every sample is one
    labels = np.minimum(data.labels, 0) if data.dense else data.labels
    samples = np.arange(len(labels)) if data.groups is None else data.groups
    groups, known = np.unique(samples, return_inverse=True)[1], np.flatnonzero(labels >= 0)
    if (count := len(np.unique(groups[known]))) < max(k, 3):
        found = f"{count} groups (or single samples) with a label cannot make {k} folds"
        raise DataError(data.name, found, "take fewer folds, or more groups (three at least)")
    rng = np.random.default_rng([seed, 0xF01D])
    tested = _deal(labels[known], groups[known], k, rng) == number
    test, rest = known[tested], known[~tested]
    valid = _validation(labels, groups, rest, len(known) / 10, rng)
    train = np.flatnonzero(~np.isin(groups, groups[np.r_[test, valid]]))
    for part, rows in (("training", train), ("valid", valid)):
        if lost := [data.classes[c] for c in np.setdiff1d(labels[known], labels[rows])]:
            found = f"the {part} part of fold {number} has no sample of class '{lost[0]}'"
            if part == "training":
                raise DataError(data.name, found, "take another seed, more folds or more groups")
            warnings.warn(f"{data.name}: {found}", stacklevel=4)
    return {"train": train, "valid": valid, "test": test}


def _deal(labels: np.ndarray, groups: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each sample, [N]: greedy, large groups first, each to the fold that has the least
    of its classes. A group above 1/k of all is a fold of its own.

    Unlike scikit-learn's StratifiedGroupKFold it keeps such groups apart, takes classes with fewer
    than k samples, and depends on the seed where groups differ in size.
    """
    group = np.unique(groups, return_inverse=True)[1]
    counts = np.zeros((group.max() + 1, labels.max() + 1))
    np.add.at(counts, (group, labels), 1)  # [G, C]
    size = counts.sum(1)
    shares = counts / np.maximum(counts.sum(0), 1) + 1e-6 * size[:, None] / len(labels)
    filled, fold = np.zeros((k, counts.shape[1])), np.zeros(len(counts), dtype=int)
    order = rng.permutation(len(counts))
    octaves = -np.log2(size[order])  # within a quarter of one the order is random
    for index in order[np.argsort(4 * octaves // 1, kind="stable")]:
        fold[index] = (filled @ counts[index]).argmin()
        filled[fold[index]] += 1e9 if size[index] * k > len(labels) else shares[index]
    return fold[group]


def _validation(
    labels: np.ndarray, groups: np.ndarray, rest: np.ndarray, tenth: float, rng: Any
) -> np.ndarray:
    """The rows of `rest` that validate: groups of about a tenth of all samples, which leave the
    training part every class, if that can be, and have as many of them as possible."""
    classes, costs = len(np.unique(labels[rest])), {}
    for count in range(max(2, round(len(rest) / tenth)), 1, -1):
        part = _deal(labels[rest], groups[rest], count, rng)
        for rows in (rest[part == number] for number in np.unique(part)):
            left = len(np.unique(labels[np.setdiff1d(rest, rows)]))
            lack = classes - len(np.unique(labels[rows]))
            costs[classes - left, lack + abs(len(rows) / tenth - 1)] = rows
        if min(costs) < (0, 1):  # neither part lacks a class
            break
    return costs[min(costs)]


def warn_ungrouped(data: Any) -> None:
    """Warn that folds of data without groups may train on near copies of what they test."""
    if data.groups is None:
        advice = "give groups where samples belong together, such as frames of one video"
        warnings.warn(f"{data.name}: folds divide single samples; {advice}", stacklevel=3)
