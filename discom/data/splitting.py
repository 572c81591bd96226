"""Training, validation and test, or folds: by class, and by group where samples belong together;
near copies: images of one part that come back in another."""

import warnings
from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom.data.checks import PARTS, check_number
from discom.data.images import resize
from discom.errors import ConfigError, DataError
from discom.files import chunks
from discom.files import digest as digest_of
from discom.labels import UNLABELLED

FOLDS, WAYS = 10, 1000  # groups are dealt into so many folds, which are joined at random
SIDE = 16  # pixels of the small grey pictures
LIKENESS = 0.85  # cosine of two near copies at least


class Origin(NamedTuple):
    """What identifies the samples of a split; results are grouped by its digest, not by names."""

    content: str  # digest of files, or of a generator, its version and arguments without the seed
    rule: str  # how the samples are divided, without the seed
    drawn: int | None = None  # the seed that drew the samples
    divided: int | None = None  # the seed that divided them
    fold: int | None = None  # the one that is tested, from 0 on
    folds: int = 0  # of how many; 0 for a plain split

    @property
    def digest(self) -> str:
        """Sixteen digits of data and rule, the same for ten seeds and for all folds."""
        return digest_of([self.content, self.rule])


class Split(NamedTuple):
    """Training, validation and test part of one data set, MultiModalData each; no id (and no group)
    is in two."""

    train: Any
    valid: Any
    test: Any

    @property
    def by_hand(self) -> bool:
        """Whether its parts were changed or put together by hand."""
        _, origin = self.train.origin or ("", None)
        return any(part.origin != (name, origin) for name, part in self._asdict().items())

    @property
    def origin(self) -> Origin:
        """What its parts were divided from; of parts made by hand a digest of their content."""
        if self.by_hand:
            bounds = {k: v.to_dict() for k, v in (self.train.normalization or {}).items()}
            return Origin(digest_of([bounds, *(p.fingerprint for p in self)]), "by hand")
        return self.train.origin[1]


def way_of(data: Any) -> str:
    """How a MultiModalData is divided: "official", by "place", in whole groups, or "random"."""
    if data.parts:
        return "official"
    return "random" if data.groups is None else "place"


def split_rule(data: Any) -> tuple[str, str]:
    """How a MultiModalData is divided, and how the paper divided its three sets."""
    paper = "DisCoM-KD's paper: at random within each class, 70/10/20 %"
    shares = "/".join(f"{100 * share:.0f}" for share in data.fractions)
    if data.drawn:
        return f"each seed draws its own scenes, {shares} % of them for each part", paper
    if data.parts:
        rows = np.concatenate([*data.parts.values()])
        shares = "/".join(f"{100 * len(data.parts[part]) / len(rows):.0f}" for part in PARTS)
        way = "by longitude, west to east" if data.name.endswith("-place") else "as published"
        return f"{way}, {shares} %, the same for each seed", paper
    if data.groups is not None:
        count = len(np.unique(data.groups))
        return (
            f"{count} groups, each whole in one part, about {shares} %, anew for each seed",
            paper,
        )
    return f"at random within each class, {shares} %, anew for each seed", paper


def split_rows(data: Any, seed: int) -> dict[str, np.ndarray]:
    """Part → its rows of a MultiModalData, ascending, in shares near its `fractions`. Every class
    is divided; where there are groups, none of them is."""
    if data.groups is not None:
        labels, groups, labelled = _labelled(data, 3)
        part_of = _join(labels[labelled], groups[labelled], data.fractions, seed)
        return _with_training(groups, labelled[part_of == 1], labelled[part_of == 2])
    # a mask has many classes, so dense data are divided as if of one
    labels = np.zeros(len(data), dtype=np.int64) if data.dense else data.labels
    rng = np.random.default_rng([seed, 0x5917])
    part_of = np.zeros(len(data), dtype=int)
    for label in np.unique(labels[labels >= 0]):
        rows = rng.permutation(np.flatnonzero(labels == label))
        valid, test = (max(1, round(share * len(rows))) for share in data.fractions[1:])
        while valid + test >= len(rows) > 2:  # a training sample is kept
            valid, test = (valid - 1, test) if valid > test else (valid, test - 1)
        part_of[rows[:valid]], part_of[rows[valid : valid + test]] = 1, 2
    return {name: np.flatnonzero(part_of == number) for number, name in enumerate(PARTS)}


def fold_rows(data: Any, k: int, seed: int, number: int) -> dict[str, np.ndarray]:
    """Part → its rows, ascending, in fold `number` of k: each labelled sample is tested in
    exactly one, and about a tenth of all, in whole groups, validates. One fold trains on all
    samples, and is scored on samples that trained."""
    check_number("folds", k, 1)
    check_number("fold", number, 0, k - 1)
    labels, groups, labelled = _labelled(data, 4 if k == 2 else max(k, 3))  # half of 3 leaves one
    if k == 1:
        return {"train": np.arange(len(data)), "valid": labelled, "test": labelled}
    tested = _deal(labels[labelled], groups[labelled], k, seed) == number
    test, rest = labelled[tested], labelled[~tested]
    _check_count(data, groups[rest], 2, f" that fold {number} does not test")
    share = min(0.5, 0.1 * len(labelled) / len(rest))
    part_of = _join(labels[rest], groups[rest], (1 - share, share), seed)
    return _with_training(groups, rest[part_of == 1], test)


def _labelled(data: Any, needed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class and number of the group of each sample [N], and which have a label; of dense data the
    class is 0 or none, and without groups every sample is one. A DataError for fewer groups with a
    label than `needed`."""
    labels = np.minimum(data.labels, 0) if data.dense else data.labels
    groups = np.unique(data.group_ids, return_inverse=True)[1]
    labelled = np.flatnonzero(labels >= 0)
    _check_count(data, groups[labelled], needed)
    return labels, groups, labelled


def _check_count(data: Any, groups: np.ndarray, needed: int, which: str = "") -> None:
    """Refuse fewer groups of labelled samples than are `needed`, with a DataError."""
    if (count := len(np.unique(groups))) < needed:
        kind, more = "group", "make smaller ones"
        if data.groups is None:
            kind, more = "sample", "label more"
        found = f"{count} {kind}{'s' * (count != 1)} with a label{which}"
        raise DataError(data.name, found, f"{needed} at least are needed: {more}")


def _with_training(groups: np.ndarray, valid: np.ndarray, test: np.ndarray) -> dict:
    """The three parts: for training all groups of which no sample is in another part."""
    train = np.flatnonzero(~np.isin(groups, groups[np.r_[test, valid]]))
    return {"train": train, "valid": valid, "test": test}


def _deal(labels: np.ndarray, groups: np.ndarray, k: int, seed: int) -> np.ndarray:
    """The fold of each sample, [N], by scikit-learn: groups whole, classes balanced."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    single = len(np.unique(groups)) == len(groups)  # no groups, which takes seconds less
    deal, folds = StratifiedKFold if single else StratifiedGroupKFold, np.zeros_like(labels)
    # it refuses classes that are all smaller than the number of folds
    strata = labels if np.bincount(labels).max() >= k else 0 * labels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a class with fewer samples than folds
        splitter = deal(k, shuffle=True, random_state=seed % 2**32)
        for number, (_, dealt) in enumerate(splitter.split(labels, strata, groups)):
            folds[dealt] = number
    return folds


def _join(labels: np.ndarray, groups: np.ndarray, shares: Sequence[float], seed: int) -> np.ndarray:
    """The number of each sample's part, [N]. Groups are dealt into ten folds, and of 1 000 random
    ways to join these to parts the best is taken: that in which the first part, for training, lacks
    fewest classes, then the others do, then sizes are nearest to the `shares`. One fold alone would
    be the same for most seeds: scikit-learn shuffles only groups of equal size and classes."""
    folds = _deal(labels, groups, min(FOLDS, len(np.unique(groups))), seed)
    counts = np.zeros((folds.max() + 1, labels.max() + 1))
    np.add.at(counts, (folds, labels), 1)
    rng, chances = np.random.default_rng([seed, 0x5917]), np.divide(shares, sum(shares))
    ways = rng.choice(len(shares), (WAYS, len(counts)), p=chances)  # [W, folds]
    joined = np.stack([(ways == part) @ counts for part in range(len(shares))], 1)  # [W, parts, C]
    lacking = (joined == 0).sum(2)
    far = (joined.sum(2) / len(labels) - shares) ** 2
    best = np.lexsort((far.sum(1), lacking[:, 1:].sum(1), lacking[:, 0]))[0]
    return ways[best][folds]


def hidden_rows(data: Any, labelled: float, seed: int, groups: int) -> np.ndarray:
    """Which samples lose their label, [N], see `MultiModalData.keep_labels`."""
    classes = np.minimum(data.labels, 0) if data.dense else data.labels
    rng, hidden = np.random.default_rng([seed, 0x1ABE]), np.zeros(len(data), dtype=bool)
    chosen, candidates = list[Any](), ~hidden
    if groups:
        names = [] if data.groups is None else np.unique(data.groups[data.labels >= 0]).tolist()
        if groups > len(names):
            found = f"{groups} of {len(names)} groups with a label"
            raise ConfigError("labelled_groups", found, "ask for fewer, or give the data groups")
        # evenly spaced, since names that are alike often come from one place
        chosen = np.roll(names, -seed)[:: len(names) // groups][:groups].tolist()
        candidates = np.isin(data.groups, chosen)
    kinds = np.stack([classes, *data.has.values()])
    strata = np.unique(kinds, axis=1, return_inverse=True)[1].ravel()
    for stratum in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == stratum))
        kept = rows[candidates[rows]][: max(1, round(labelled * len(rows)))]
        hidden[np.setdiff1d(rows, kept)] = True
    if lost := {*classes.tolist()} - {*classes[~hidden].tolist(), UNLABELLED}:
        found = f"groups {chosen} have no label of class {data.classes[lost.pop()]}"
        warnings.warn(f"{data.name}: {found}", stacklevel=3)
    return hidden


def near_duplicates(split: Split) -> pd.DataFrame:
    """Every image that has a near copy in an earlier part of the split, with the most alike one:
    columns modality, part and id of the earlier image, other_part and other_id of the later one,
    and likeness r, most alike first.

    Each image is scaled and shrunk to a grey picture of 16×16 pixels; e is the differences between
    neighbouring pixels of it. Near copies have r(a, b) = ⟨e_a, e_b⟩ / (‖e_a‖ ‖e_b‖) ≥ 0.85.

    Copies that were saved as JPEG or made darker are found, and most that were moved by one pixel
    of 64; turned, mirrored and cropped ones are not. Images without any structure match none. Of
    1 000 scenes of `objects` at 64×64 pixels, 37 are taken for a copy of another (in RGB; none in
    depth), of 200 EuroSAT patches none.
    """
    # takes seconds, which a split does without
    from sklearn.metrics import pairwise_distances_argmin_min as find_nearest

    matches = []
    for name in split.train.modalities:
        ids = {part: data.modalities[name].ids for part, data in split._asdict().items()}
        edges = {part: _edges(data, name) for part, data in split._asdict().items()}
        for part, other in combinations(edges, 2):
            rows, distances = find_nearest(edges[other], edges[part], metric="cosine")
            for copy in np.flatnonzero(1 - distances >= LIKENESS):
                pair = (name, part, ids[part][rows[copy]], other, ids[other][copy])
                matches.append((*pair, 1 - distances[copy]))
    columns = ["modality", "part", "id", "other_part", "other_id", "likeness"]
    table = pd.DataFrame(matches, columns=columns)
    return table.sort_values("likeness", ascending=False, ignore_index=True)


def _edges(data: Any, name: str) -> np.ndarray:
    """Differences between neighbours in the small picture of each image, [N, D]; 0 where flat."""
    edges, bounds = [], (data.normalization or {}).get(name)
    for rows in chunks(data.modalities[name].x, itemsize=4):
        pictures = data.images(name, rows).mean(1)
        if bounds and bounds.invalid is not None:  # the border of what was measured is no edge
            pictures[pictures == 0] = np.nan
        size = (SIDE, SIDE) if pictures.shape[1] > 1 else (1, SIDE * SIDE)  # of a signal no rows
        pictures = resize(pictures, size, smooth=True)
        steps = [np.nan_to_num(np.diff(pictures, axis=axis)) for axis in (1, 2)]
        edges.append(np.hstack([step.reshape(len(pictures), -1) for step in steps]))
        edges[-1][np.abs(edges[-1]).max(1) < 1e-5] = 0
    return np.concatenate(edges)
