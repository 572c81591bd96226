"""Training, validation and test: by class, and by group where samples belong together; images of
one part that come back in another, found by small pictures of them."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom.data.arrays import Normalization, resize
from discom.data.checks import PARTS, check_number
from discom.errors import ConfigError, DataError
from discom.files import chunks
from discom.files import digest as digest_of

SIDE = 16  # pixels of the small grey pictures
LIKENESS = 0.85  # cosine of two near copies at least
COLUMNS = ["modality", "part", "id", "other_part", "other_id", "likeness"]


class Origin(NamedTuple):
    """What identifies the samples of a split. Results are grouped by it, never by a name.

    Args:
        content: digest of what files hold; of drawn samples the generator, its version and its
            arguments without the seed.
        rule: how the samples are divided, without the seed.
        drawn, divided: the seeds that drew the samples, and their parts; None where none did.
        fold, folds: which of how many folds is tested, from 0 on; None and 0 for a plain split.
    """

    content: str
    rule: str
    drawn: int | None = None
    divided: int | None = None
    fold: int | None = None
    folds: int = 0

    @property
    def digest(self) -> str:
        """Sixteen digits of data and rule: ten seeds of one drawn set, and all
        folds, have the same."""
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
    def origin(self) -> Any:
        """Its Origin: what its parts were drawn and divided from; of parts that were changed or put
        together by hand their own content."""
        if self.by_hand:
            bounds = {k: v.to_dict() for k, v in (self.train.normalization or {}).items()}
            return Origin(digest_of([bounds, *(p.fingerprint for p in self)]), "by hand")
        _, origin = self.train.origin
        return origin() if callable(origin) else origin


def split_at(data: Any, rows: Mapping[str, np.ndarray], origin: Any) -> Split:
    """The split of MultiModalData with these rows (part → rows of `ids`), bounds fitted on the
    training part. `origin` is an Origin, or a function that makes it when asked."""
    parts = Split(**{name: data.take(part) for name, part in rows.items()})
    bounds = {}
    for name, m in parts.train.modalities.items():
        bounds[name] = Normalization.fit(m.x, f"{data.name}/{name}", m.invalid)
    parts = Split(*(replace(part, normalization=bounds) for part in parts))
    for name, part in parts._asdict().items():
        object.__setattr__(part, "origin", (name, origin))
    return parts


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
    classes: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Part → its rows, ascending; every row is in exactly one, and no group is divided.

    Args:
        labels, groups: class, and group if any, of each sample, [N]. Shares are those of labelled
            samples; those of class -1 go with their group, without groups to the training part.
        fractions: shares of train, valid and test; positive, sum 1.
        seed: draws the split.
        where, classes: names of the data and of the classes in messages.

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
        missing = [classes[label] for label in missing] if classes else missing
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
    return _mend(part_of, counts, target)[group]


def _mend(part_of: np.ndarray, counts: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Where parts lack classes, as of few groups: move one group after the other, the best first,
    as long as fewer classes are lacking: of training, then by empty parts, of test, of validation.
    """
    present = counts.any(0)

    def cost(parts: np.ndarray) -> tuple:
        filled = np.stack([counts[parts == part].sum(0) for part in range(3)])
        train, valid, test = (~(filled > 0) & present).sum(1).tolist()
        far = ((filled - target) ** 2 / np.maximum(target, 1)).sum()
        return train, (filled.sum(1) == 0).sum(), test, valid, far

    every = np.eye(len(part_of), dtype=bool)
    while any((best := cost(part_of))[:4]):
        moved = min((np.where(one, part, part_of) for one in every for part in range(3)), key=cost)
        if cost(moved)[:4] >= best[:4]:
            break
        part_of = moved
    return part_of


def hidden_rows(kinds: np.ndarray, labelled: float, seed: int) -> np.ndarray:
    """Which samples lose their label, [N]: of each combination of the K `kinds` [K, N], such as
    class and modality, all but a random share, one at least."""
    rng, hidden = np.random.default_rng([seed, 0x1ABE]), np.zeros(kinds.shape[1], dtype=bool)
    strata = np.unique(kinds, axis=1, return_inverse=True)[1].ravel()
    for stratum in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == stratum))
        hidden[rows[max(1, round(labelled * len(rows))) :]] = True
    return hidden


def near_duplicates(split: Split) -> pd.DataFrame:
    """Every image that has a near copy in an earlier part of the split, with the most alike one.

    Each image is scaled and shrunk to a grey picture of 16×16 pixels; e is the differences between
    neighbouring pixels of it. Near copies have r(a, b) = ⟨e_a, e_b⟩ / (‖e_a‖ ‖e_b‖) ≥ 0.85.

    Copies that were saved as JPEG or made darker are found, and most that were moved by one pixel
    of 64; turned, mirrored and cropped ones are not. Of 1 000 synthetic scenes of 64×64 pixels, 6
    are taken for a copy of another (in RGB; none in depth), of 200 EuroSAT patches none.

    Returns:
        One row for each image and earlier part, most alike first: modality, part and id of the
        earlier image, other_part and other_id of the later one, likeness r.
        `attrs["flat"]`: modality → ids of images without any structure, which match none.
    """
    # takes seconds, which a split does without
    from sklearn.metrics import pairwise_distances_argmin_min as find_nearest

    matches, flat = [], {}
    for name in split.train.modalities:
        parts = {k: v for k, v in split._asdict().items() if len(v.modalities[name].x)}
        ids = {part: data.modalities[name].ids for part, data in parts.items()}
        edges = {part: _edges(data, name) for part, data in parts.items()}
        flat[name] = [i for part in parts for i in ids[part][~edges[part].any(1)].tolist()]
        for part, other in combinations(parts, 2):
            rows, distances = find_nearest(edges[other], edges[part], metric="cosine")
            for copy in np.flatnonzero(1 - distances >= LIKENESS):
                pair = (name, part, ids[part][rows[copy]], other, ids[other][copy])
                matches.append((*pair, 1 - distances[copy]))
    table = pd.DataFrame(matches, columns=COLUMNS)
    table = table.sort_values("likeness", ascending=False, ignore_index=True)
    table.attrs["flat"] = flat
    return table


def near_groups(data: Any) -> np.ndarray:
    """A number for each id, [N], equal where images of a modality are near copies (those of
    `near_duplicates`), or in one group, also by way of others. As `groups` of the data set, no
    split divides them.

    >>> from discom.data import scenes
    >>> near_groups(scenes.make(n=9, size=32)).tolist()  # no two are alike
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import radius_neighbors_graph

    near, bounds = csr_array((len(data), len(data))), {}
    if data.groups is not None:  # each sample is near the first one of its group
        _, first, group = np.unique(data.groups, return_index=True, return_inverse=True)
        near += csr_array((np.ones(len(data)), (np.arange(len(data)), first[group])), near.shape)
    for name, m in data.modalities.items():
        bounds[name] = Normalization.fit(m.x, f"{data.name}/{name}", m.invalid)
        edges = _edges(replace(data, normalization=bounds), name)
        rows = data.rows_of(name)
        seen = edges.any(1)  # a flat image matches none
        graph = radius_neighbors_graph(edges[seen], 1 - LIKENESS, metric="cosine").tocoo()
        places = rows[seen][graph.row], rows[seen][graph.col]
        near += csr_array((graph.data, places), near.shape)
    return connected_components(near)[1]


def _edges(data: Any, name: str) -> np.ndarray:
    """Differences between neighbours in the small picture of each image, [N, D]; 0 where flat."""
    edges, bounds = [], (data.normalization or {}).get(name)
    for rows in chunks(data.modalities[name].x, itemsize=4):
        pictures = data.images(name, rows).mean(1)
        if bounds and bounds.invalid is not None:  # the border of what was measured is no edge
            pictures[pictures == 0] = np.nan
        pictures = resize(pictures, (SIDE, SIDE), smooth=True)
        steps = [np.nan_to_num(np.diff(pictures, axis=axis)) for axis in (1, 2)]
        edges.append(np.hstack([step.reshape(len(pictures), -1) for step in steps]))
        edges[-1][np.abs(edges[-1]).max(1) < 1e-5] = 0
    return np.concatenate(edges)
