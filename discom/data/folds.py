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
    {'train': 103, 'valid': 17, 'test': 60}
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
    tested = _deal(labels[known], groups[known], k, seed) == number
    test, rest = known[tested], known[~tested]
    valid = rest[_validation(labels[rest], groups[rest], seed, 10 * len(rest) / len(known))]
    train = np.flatnonzero(~np.isin(groups, groups[np.r_[test, valid]]))
    for part, rows in (("training", train), ("valid", valid)):
        if lost := [data.classes[c] for c in np.setdiff1d(labels[known], labels[rows])]:
            found = f"the {part} part of fold {number} has no sample of class '{lost[0]}'"
            if part == "training":
                raise DataError(data.name, found, "take another seed, more folds or more groups")
            warnings.warn(f"{data.name}: {found}", stacklevel=4)
    return {"train": train, "valid": valid, "test": test}


def _deal(labels: np.ndarray, groups: np.ndarray, k: int, seed: int) -> np.ndarray:
    """The fold of each sample, [N]: by scikit-learn, but a group above 1/k of all is one alone."""
    from sklearn.model_selection import StratifiedGroupKFold

    numbers, sizes = np.unique(groups, return_counts=True)
    large = numbers[sizes * k > len(groups)]
    fold = np.full(len(groups), len(large))
    for number, group in enumerate(large):
        fold[groups == group] = number
    rest = np.flatnonzero(fold == len(large))
    if (count := k - len(large)) > 1:
        # it refuses classes that are all smaller than the number of folds
        own = labels[rest] if np.bincount(labels[rest]).max() >= count else 0 * rest
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a class with fewer samples than folds
            for number, (_, test) in enumerate(splitter.split(rest, own, groups[rest])):
                fold[rest[test]] = len(large) + number
    return fold


def _validation(labels: np.ndarray, groups: np.ndarray, seed: int, parts: float) -> np.ndarray:
    """Which samples validate, [N]: one of so many parts, that which takes no class from training
    and has most classes itself, if there is one."""
    count = min(max(2, round(parts)), len(np.unique(groups)))
    part, classes, lacks = _deal(labels, groups, count, seed), set(labels), []
    for number in range(count):
        own = part == number
        lacks.append((len(classes - {*labels[~own]}), len(classes - {*labels[own]}), not own.any()))
    return part == lacks.index(min(lacks))


def warn_ungrouped(data: Any) -> None:
    """Warn that folds of data without groups may train on near copies of what they test."""
    if data.groups is None:
        advice = "give groups where samples belong together, such as frames of one video"
        warnings.warn(f"{data.name}: folds divide single samples; {advice}", stacklevel=3)
