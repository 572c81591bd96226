"""Training, validation and test: by class, and by group where samples belong together."""

import warnings
from collections.abc import Sequence

import numpy as np

from discom.errors import ConfigError, DataError

__all__ = ["PARTS", "split_rows"]

PARTS = ("train", "valid", "test")


def split_rows(
    labels: np.ndarray,
    fractions: Sequence[float],
    seed: int,
    groups: np.ndarray | None = None,
    where: str = "data",
) -> list[np.ndarray]:
    """Rows of the three parts, in ascending order; every row is in exactly one.

    Args:
        labels: class of each sample, [N].
        fractions: shares of train, valid and test; positive, sum 1.
        seed: draws the split.
        groups: group of each sample, [N]; a group is never divided.

    Raises:
        ConfigError: fractions that are not three positive numbers with sum 1, or a negative seed.
        DataError: a class that the training part would lack.

    >>> [len(rows) for rows in split_rows(np.repeat([0, 1], 50), (0.7, 0.1, 0.2), seed=0)]
    [70, 10, 20]
    """
    if len(fractions) != 3 or not min(fractions) > 0 or not abs(sum(fractions) - 1) < 1e-6:
        raise ConfigError(
            f"fractions: {tuple(fractions)} are not three positive shares with sum 1, such as .7 .1 .2"
        )
    if seed < 0:
        raise ConfigError(f"seed: {seed} is negative; use 0 or more")
    rng = np.random.default_rng([seed, 0x5917])
    place = (
        _by_class(labels, fractions, rng)
        if groups is None
        else _by_group(labels, fractions, rng, groups)
    )
    for part, name in enumerate(PARTS):
        if not (place == part).any():
            raise DataError(
                f"{where}: no group is left for the {name} part; give smaller groups or other fractions"
            )
        missing = np.setdiff1d(labels, labels[place == part])
        if len(missing) and part == 0:
            raise DataError(
                f"{where}: the training part has no group of class {missing[0]}; take another seed"
            )
        if len(missing):
            warnings.warn(
                f"{where}: the {name} part has no sample of class {missing.tolist()}", stacklevel=3
            )
    return [np.flatnonzero(place == part) for part in range(3)]


def _by_class(labels, fractions, rng) -> np.ndarray:
    place = np.zeros(len(labels), dtype=int)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        valid, test = (
            max(1, round(share * len(rows))) for share in fractions[1:]
        )  # no part stays empty
        while valid + test >= len(rows) > 2:
            valid, test = (valid - 1, test) if valid > test else (valid, test - 1)
        place[rows[:valid]], place[rows[valid : valid + test]] = 1, 2
    return place


def _by_group(labels, fractions, rng, groups) -> np.ndarray:
    """Greedy: groups in random order, each to the part where it leaves the class counts nearest to
    their targets.

    A group that holds more than the test share of the samples goes to the training part: there is
    no other place for it that leaves the shares near what was asked.
    """
    names, group = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), labels.max() + 1))
    np.add.at(counts, (group, labels), 1)  # [G, C]
    target = np.outer(fractions, counts.sum(0))  # [3, C]
    scale = np.maximum(target, 1)
    filled, chosen = np.zeros_like(target), np.zeros(len(names), dtype=int)
    large = counts.sum(1) > fractions[2] * len(labels)
    for index in [*np.flatnonzero(large), *rng.permutation(np.flatnonzero(~large))]:
        # growth of the squared relative distance to the target, if the group went to each part
        after, before = (filled + counts[index] - target) / scale, (filled - target) / scale
        cost = ((after**2 - before**2) * scale / scale.sum(0)).sum(1)  # [3]
        chosen[index] = 0 if large[index] else cost.argmin()
        filled[chosen[index]] += counts[index]
    return chosen[group]
