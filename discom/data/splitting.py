"""Training, validation and test: by class, and by group where samples belong together."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from discom.data.checks import PARTS, check_number
from discom.errors import ConfigError, DataError
from discom.files import digest as digest_of


class Origin(NamedTuple):
    """What identifies the samples of a split. Results are grouped by it, never by a name.

    Args:
        content: digest of what files hold; of drawn samples the generator, its version and its
            arguments without the seed.
        rule: how the samples are divided, without the seed.
        drawn, divided: the seeds that drew the samples, and their parts; None where none did.
    """

    content: str
    rule: str
    drawn: int | None = None
    divided: int | None = None

    @property
    def digest(self) -> str:
        """Sixteen digits of data and rule: ten seeds of one drawn set have the same."""
        return digest_of([self.content, self.rule])


class Split(NamedTuple):
    """Training, validation and test part of one data set, MultiModalData each; no id (and no group)
    is in two."""

    train: Any
    valid: Any
    test: Any

    @property
    def origin(self) -> Any:
        """Its Origin: what its parts were drawn and divided from; of parts that were changed or put
        together by hand their own content."""
        origin = getattr(self.train.origin, "origin", None)
        if any(part.origin != Part(name, origin) for name, part in self._asdict().items()):
            bounds = {k: v.to_dict() for k, v in (self.train.normalization or {}).items()}
            return Origin(digest_of([bounds, *(p.fingerprint for p in self)]), "by hand")
        return origin() if callable(origin) else origin


class Part(NamedTuple):
    """Which part of what: kept by a part as it was split, so that a changed one is known."""

    name: str
    origin: Origin | Callable[[], Origin] | None


def protocol(data: Any, split: str) -> Any:
    """The same MultiModalData divided in another way: "official" (the parts that came with it),
    "grouped" (by seed, groups whole) or "random" (by seed). The first that it has is the usual."""
    ways = ["official"] if data.parts is not None else []
    ways += ["grouped", "random"] if data.groups is not None else ["random"]
    if split not in ways:
        way_out = f"choose {' or '.join(ways)}"
        raise ConfigError("split", f"{data.name} has no split '{split}'", way_out)
    if split == ways[0]:
        return data
    if data.normalized:
        raise ConfigError(data.name, "is already split and scaled", "use the raw folder")
    base = data.name.removesuffix(f"-{ways[0]}")
    # "sunrgbd-grouped" becomes "sunrgbd", the paper's protocol; "hls" becomes "hls-random"
    papers = base != data.name and split == "random"
    groups = data.groups if split == "grouped" else None
    return replace(data, name=base if papers else f"{base}-{split}", parts=None, groups=groups)


def split_rows(
    labels: np.ndarray,
    fractions: Sequence[float],
    seed: int,
    groups: np.ndarray | None = None,
    where: str = "data",
) -> dict[str, np.ndarray]:
    """Part → its rows, ascending; every row is in exactly one, and no group is divided.

    Args:
        labels, groups: class, and group if any, of each sample, [N]. Shares are those of labelled
            samples; those of class -1 go with their group, without groups to the training part.
        fractions: shares of train, valid and test; positive, sum 1.
        seed: draws the split.

    Raises:
        DataError: a part would be empty, or the training part lack a class.

    >>> parts = split_rows(np.repeat([0, 1], 50), (0.7, 0.1, 0.2), seed=0)
    >>> {name: len(rows) for name, rows in parts.items()}
    {'train': 70, 'valid': 10, 'test': 20}
    """
    if len(fractions) != 3 or not min(fractions) > 0 or not abs(sum(fractions) - 1) < 1e-6:
        found = f"{tuple(fractions)} are not three positive shares with sum 1"
        raise ConfigError("fractions", found)
    check_number("seed", seed, 0)
    rng = np.random.default_rng([seed, 0x5917])
    if groups is None:
        part_of = _by_class(labels, fractions, rng)
    else:
        part_of = _by_group(labels, fractions, rng, groups)
    parts = {name: np.flatnonzero(part_of == number) for number, name in enumerate(PARTS)}
    for name, rows in parts.items():
        if not len(rows):
            raise DataError(where, f"no group is left for the {name} part", "give smaller groups")
        missing = np.setdiff1d(labels[labels >= 0], labels[rows]).tolist()
        if missing and name == "train":
            lack = f"the training part has no group of class {missing[0]}"
            raise DataError(where, lack, "take another seed")
        if missing:
            warnings.warn(
                f"{where}: the {name} part has no sample of class {missing}", stacklevel=3
            )
    return parts


def _by_class(labels, fractions, rng) -> np.ndarray:
    part_of = np.zeros(len(labels), dtype=int)
    for label in np.unique(labels[labels >= 0]):
        rows = rng.permutation(np.flatnonzero(labels == label))
        valid, test = (max(1, round(share * len(rows))) for share in fractions[1:])
        while valid + test >= len(rows) > 2:  # a training sample is kept
            valid, test = (valid - 1, test) if valid > test else (valid, test - 1)
        part_of[rows[:valid]], part_of[rows[valid : valid + test]] = 1, 2
    return part_of


def _by_group(labels, fractions, rng, groups) -> np.ndarray:
    """Greedy: groups in random order, each to the part where the class counts come nearest to their
    targets; a group with more than the test share of the samples goes to the training part."""
    names, group = np.unique(groups, return_inverse=True)
    counts, known = np.zeros((len(names), labels.max() + 1)), labels >= 0
    np.add.at(counts, (group[known], labels[known]), 1)  # [G, C]
    target = np.outer(fractions, counts.sum(0))  # [3, C]
    scale = np.maximum(target, 1)
    filled, part_of = np.zeros_like(target), np.zeros(len(names), dtype=int)
    large = counts.sum(1) > fractions[2] * counts.sum()
    for index in [*np.flatnonzero(large), *rng.permutation(np.flatnonzero(~large))]:
        # growth of the squared relative distance to the target, if the group went to each part
        after, before = (filled + counts[index] - target) / scale, (filled - target) / scale
        cost = ((after**2 - before**2) * scale / scale.sum(0)).sum(1)  # [3]
        part_of[index] = 0 if large[index] else cost.argmin()
        filled[part_of[index]] += counts[index]
    return part_of[group]
