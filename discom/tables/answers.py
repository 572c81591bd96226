"""Answers of networks to the images of a data set, each tested once in each seed: scores of all
together, and differences with their intervals over groups and seeds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from discom.data import MultiModalData
from discom.running.runs import Run, read_predictions
from discom.tables.intervals import crossed_test, pseudo_values, tally_score

Answers = list[pd.DataFrame]  # of each seed: id → probability of each class
Row = dict[str, Answers]  # by network
Place = tuple[str, str]  # kind and network
LITTLE = 2.0  # F1 points: a smaller gain is none


def read(planned: Mapping[str, Sequence[Run]]) -> dict[str, Row]:
    """A row for each kind of finished runs. Networks of one sensor each also answer together: the
    product of their probabilities."""
    rows: dict[str, Row] = {}
    for kind, runs in planned.items():
        parts: dict[str, dict[int, list[pd.DataFrame]]] = {}
        for run in runs:
            kept = read_predictions(run.folder / "predictions.npz")
            for name in [key.removesuffix("_ids") for key in kept if key.endswith("_ids")]:
                shares = torch.from_numpy(kept[f"{name}_logits"]).softmax(1).numpy()
                found = pd.DataFrame(shares, kept[f"{name}_ids"])
                parts.setdefault(name, {}).setdefault(run.config.seed, []).append(found)
        row = {name: [*map(pd.concat, seeds.values())] for name, seeds in parts.items()}
        if len(row) > 1:
            each = zip(*row.values(), strict=True)
            row["+".join(row)] = [reduce(pd.DataFrame.mul, own).dropna() for own in each]
        rows[kind] = row
    return rows


class Difference(NamedTuple):
    """F1 points, their 95 % interval over groups and seeds, their standard error, and that of the
    groups alone."""

    mean: float
    low: float
    high: float
    error: float
    of_groups: float
    seeds: int
    groups: int

    @property
    def verdict(self) -> str:
        """yes, no, or open: LITTLE points or more are gained, are not, or neither is shown."""
        if self.low > 0 and self.mean >= LITTLE:
            return "yes"
        return "no" if self.high < LITTLE or self.low > 0 else "open"

    @property
    def missing(self) -> float:
        """How many groups more would decide four times out of five, if the mean stays; infinity
        where more seeds are needed."""
        reach = (self.high - self.mean) / self.error  # Student's t
        error = max(self.mean, LITTLE - self.mean) / (reach + 0.84)
        left = error**2 - (self.error**2 - self.of_groups**2)  # that groups may have
        more = self.groups * (self.of_groups**2 / left - 1) if left > 0 else inf
        return float(f"{max(1, more):.2g}")

    def moved(self, by: float) -> "Difference":
        """The same, so many points higher."""
        return self._replace(mean=self.mean + by, low=self.low + by, high=self.high + by)

    def __str__(self) -> str:
        return f"{self.mean:+.1f} F1 points [{self.low:+.1f}, {self.high:+.1f}]"


Longer = Mapping[Place, Difference]  # what a network gains where it is trained twice as long


def gains(ours: Answers, theirs: Answers, images: MultiModalData) -> pd.DataFrame:
    """Pooled F1 of one network minus that of another on the images that both answer, as a value for
    each seed and group, see `pseudo_values`."""
    rows = []
    for one, other in zip(ours, theirs, strict=True):
        both = one.index.intersection(other.index)
        tallies = [[_tally(own.loc[both], images)] for own in (one, other)]
        rows.append(pseudo_values(tallies[0], tallies[1], "f1"))
    return pd.DataFrame(rows)


def difference(values: pd.DataFrame) -> Difference:
    """The mean of `gains`."""
    return Difference(*crossed_test(values.to_numpy()), values.mean().sem(), *values.shape)


def lengthened(
    longer: Mapping[str, Row], rows: Mapping[str, Row], images: MultiModalData
) -> Longer:
    """What each network gains where it is trained twice as long, on images of one fold."""
    single, found = images.changed(groups=None), dict[Place, Difference]()
    for kind, row in longer.items():
        for name, own in row.items():
            found[kind, name] = difference(gains(own, rows[kind][name][:1], single))
    return found


def score(answers: Answers, images: MultiModalData) -> float:
    """Pooled F1, mean over seeds."""
    return float(np.mean([tally_score(_tally(own, images), "f1") for own in answers]))


@dataclass(frozen=True)
class Networks:
    """Rows of networks on `images`, to compare, and what each gains where it is trained longer."""

    rows: Mapping[str, Row]
    images: MultiModalData
    longer: Longer

    @cached_property
    def points(self) -> dict[Place, float]:
        """Pooled F1 of each."""
        places = [(kind, name) for kind, row in self.rows.items() for name in row]
        return {place: score(self.rows[place[0]][place[1]], self.images) for place in places}

    def best(self, places: Iterable[Place]) -> Place:
        """The one with the most points."""
        return max(places, key=self.points.__getitem__)

    def grows(self, place: Place) -> bool:
        """Whether a longer training is shown to help it."""
        return place in self.longer and self.longer[place].verdict == "yes"

    def compare(
        self, ours: Sequence[Place], theirs: Sequence[Place]
    ) -> tuple[tuple[Place, Place], Difference, bool]:
        """The best of each, their difference, and whether its verdict stays where all are trained
        longer. Who is ahead then is told by gains that are shown; where one of these two grows,
        what the other gains counts as well."""
        one, rival = self.best(ours), self.best(theirs)
        pair = self.rows[one[0]][one[1]], self.rows[rival[0]][rival[1]]
        gain = difference(gains(*pair, self.images))
        ahead = [max(each, key=lambda p: self._later(p, self.grows(p))) for each in (ours, theirs)]
        counts = any(map(self.grows, ahead))
        first, second = (self._later(place, counts) for place in ahead)
        more = first - second - self.points[one] + self.points[rival]
        return (one, rival), gain, gain.moved(more).verdict == gain.verdict

    def _later(self, place: Place, counts: bool) -> float:
        gain = self.longer[place].mean if counts and place in self.longer else 0.0
        return self.points[place] + gain


def learned(answers: Answers, images: MultiModalData) -> bool:
    """Whether the mean recall of K classes is above 1/K + 2 √((K - 1) Σ_c 1/n_c) / K², chance."""
    cells = np.mean([_tally(own, images).to_numpy().sum(0) for own in answers], 0).reshape(3, -1)
    hits, labels, _ = cells[:, cells[1] > 0]
    kinds = len(labels)
    chance = 1 / kinds + 2 * sqrt((kinds - 1) * (1 / labels).sum()) / kinds**2
    return bool((hits / labels).mean() > chance)


def _tally(answers: pd.DataFrame, images: MultiModalData) -> pd.DataFrame:
    """What `intervals.tally` has of one network: hits, labels and predictions of every class for
    each group, [G, 3·C]."""
    rows, one = pd.Index(images.ids).get_indexer(answers.index), np.eye(answers.shape[1])
    truth, found = images.labels[rows], answers.to_numpy().argmax(1)
    cells = np.hstack([one[truth] * (truth == found)[:, None], one[truth], one[found]])
    groups = images.ids if images.groups is None else images.groups
    return pd.DataFrame(cells).groupby(groups[rows]).sum()


def to_markdown(rows: Mapping[str, Row], images: MultiModalData) -> str:
    """F1 of every row."""
    scores = {kind: {k: score(own, images) for k, own in row.items()} for kind, row in rows.items()}
    shown = pd.DataFrame(scores).T.map("{:.1f}".format).replace("nan", "–").rename_axis("F1")
    return shown.to_markdown(tablefmt="github", disable_numparse=True)
