"""Which sensor alone, both, or one trained with the other? Trainings on a person's own pairs, in
folds that test every image once, and what they say, in words."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, reduce
from itertools import chain, product
from math import ceil, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from discom import methods
from discom.config import Config, profile
from discom.data import MultiModalData
from discom.data.batches import count_steps, paired_rows
from discom.data.checks import is_signal
from discom.errors import ConfigError
from discom.labels import UNLABELLED
from discom.models.encoders import OF_SIGNALS
from discom.running.runs import Run, read_predictions
from discom.tables.intervals import crossed_test, pseudo_values, tally_score
from discom.tables.study import warn_of_single_samples

STUDENT, HALF, FUSED = "student", "student, half of the labels", "one network of both"
OWN, PAIRS, TAUGHT = "FixMatch", "agreed labels", "taught by both"
METHODS = {STUDENT: "student", HALF: "student", FUSED: "teacher"}
METHODS |= {OWN: "fixmatch", PAIRS: "agreed", TAUGHT: "kdv2"}
# what a watch took, see results/README.md
SIGNALS = {OWN: {"threshold": 0.95}, PAIRS: {"threshold": 0.95, "weights": {"contrast": 0}}}
GUIDE = "https://discom-kd.github.io/discom/docs/guides/second_sensor.html"  # has the table of all
LITTLE = 2.0  # F1 points: a smaller gain is none
# roughly: the share of images of which one of two networks alone is right, and the share of this
# variance that is one of groups (0 to 0.04 on our worn sensors)
DISAGREE, ALIKE = 0.2, 0.03

Answers = list[pd.DataFrame]  # of each seed: id → probability of each class
Row = dict[str, Answers]  # by network
Place = tuple[str, str]  # kind of row, and network


def settings(images: MultiModalData, name: str, **given: object) -> Config:
    """The profile `name`, with its last epoch, and for signals an encoder of these."""
    usual: dict = {"select": "last"}
    if all(is_signal(m.x.shape) for m in images.modalities.values()):
        usual |= {"encoder": "conv1d", "weight_decay": 0.1}
    return profile(name, **{**usual, **given})


@dataclass(frozen=True)
class Asked:
    """What is trained: each of `kinds` in every fold of every seed, for about so many steps."""

    images: MultiModalData
    config: Config
    source: str
    modalities: str
    runs: Path
    steps: int
    folds: int
    seeds: int

    @property
    def few(self) -> bool:
        """Whether labels are missing."""
        return bool(self.config.hides_labels or (self.images.labels == UNLABELLED).any())

    @property
    def kinds(self) -> tuple[str, ...]:
        """The rows are a student, what trains with the other sensor, and others."""
        return (STUDENT, PAIRS, OWN, HALF, FUSED) if self.few else (STUDENT, TAUGHT, FUSED)

    @cached_property
    def _train(self) -> MultiModalData:
        return self.images.take(self.images.split_indices(0, self.folds)["train"])

    def run(self, kind: str, seed: int = 0, fold: int = 0, longer: int = 1) -> Run:
        """A run of about `steps` steps, or so many times as long."""
        share = self.config.labelled * (0.5 if kind == HALF else 1)
        kept = self._train.keep_labels(share, 0, self.config.labelled_groups).labels != UNLABELLED
        epoch = count_steps(int(kept.sum()), int((~kept).sum()), self.config.batch_size)[1]
        changes: dict = {"seed": seed, "labelled": share}
        changes["epochs"] = longer * ceil(self.steps / epoch)
        changes["options"] = SIGNALS.get(kind, {}) if self.config.encoder in OF_SIGNALS else {}
        method, config = methods.get(METHODS[kind]), replace(self.config, **changes)
        where = self.source, self.modalities, self.folds, fold
        return Run.of(self.runs, method, self.images, config, *where)

    @cached_property
    def plan(self) -> dict[str, list[Run]]:
        """Kind → its runs, folds within seeds. A ConfigError for one sensor, or a class for every
        pixel, a DataError for no pair."""
        if len(self.images.modalities) < 2:
            found = f"the data has {[*self.images.modalities]} alone"
            raise ConfigError("advise", found, "give two modalities or more")
        paired_rows(self.images, [*self.images.modalities])  # refuses data without a pair
        warn_of_single_samples(self.images, self.source)
        for run in map(self.run, self.kinds):  # refuses settings and data before a training
            methods.build(methods.get(run.method), self.images, run.config)
        places = [*product(range(self.seeds), range(self.folds))]
        return {kind: [self.run(kind, *place) for place in places] for kind in self.kinds}

    @cached_property
    def longer(self) -> dict[str, list[Run]]:
        """Each kind once, twice as long."""
        return {kind: [self.run(kind, longer=2)] for kind in self.kinds}

    @property
    def every(self) -> list[Run]:
        """All of these."""
        return [*chain(*self.plan.values(), *self.longer.values())]

    def outlook(self) -> str:
        """The smallest gain that the data show four times out of five, in points, for N tested
        images in G groups (without any each is one)::

            280 √(d (ρ / G + (1 - ρ) / N)), with d = 0.2 and ρ = 0.03
        """
        images, has_label = self.images, self.images.labels != UNLABELLED
        groups = len(np.unique(images.group_ids[has_label]))
        of = "without groups" if images.groups is None else f"in {groups} groups"
        least = 280 * sqrt(DISAGREE * (ALIKE / groups + (1 - ALIKE) / has_label.sum()))
        sizes = (f"{k} {'×'.join(map(str, m.x.shape[1:]))}" for k, m in images.modalities.items())
        return (
            f"{len(images)} samples of {', '.join(sizes)}; {has_label.sum()} with a label, "
            f"{of}: a gain below {least:.0f} F1 points will hardly show.\n"
            f"{len(self.every)} runs of about {self.steps} steps."
        )

    def remedy(self) -> str:
        """What to try where nothing learned."""
        rate, signals = self.config.learning_rate, self.config.encoder in OF_SIGNALS
        view = "--encoder spectrum" if signals else "larger images (discom data prepare --size)"
        rates = f"--learning-rate {rate / 3:.2g} or {3 * rate:.2g}"
        return f"discom data show {self.source}, --steps {2 * self.steps}, {rates}, {view}"

    def commands(self, deployed: Mapping[str, str], name: str) -> list[str]:
        """What trains on all images and labels, and exports networks: network → its kind; `name`
        is of the profile."""
        if self.config.hides_labels:
            return ["No commands: labels were hidden on purpose. Ask again with all of them."]
        lines, final = list[list[str]](), replace(self, folds=1)
        data = ["--data", self.source] + ["--modalities", self.modalities] * bool(self.modalities)
        for network, kind in deployed.items():
            run, words = final.run(kind), ["--everything", "--profile", name]
            for setting, value in asdict(run.config).items():
                usual = getattr(profile(name), setting)
                if setting not in ("dense", "options") and value != usual:
                    words += [f"--{setting.replace('_', '-')}", str(value)]
            if changed := methods.get(run.method).changed(run.config.options):
                words += ["--options", json.dumps(changed)]
            train = ["discom", "train", *data, "--method", run.method, *words]
            out = ["--modality", network, "--out", f"deployed/{network}"]
            export = ["discom", "export", str(run.folder), *data, *out]
            lines += [[*train, "--runs", str(self.runs)], export]
        return [*dict.fromkeys(map(shlex.join, lines))]


def read(planned: Mapping[str, Sequence[Run]]) -> dict[str, Row]:
    """A row for each kind of finished runs. Networks of one sensor each also answer together: the
    product of their probabilities."""
    rows: dict[str, Row] = {}
    for kind, runs in planned.items():
        parts: dict[str, dict[int, list[pd.DataFrame]]] = {}
        for run in runs:
            arrays = read_predictions(run.folder / "predictions.npz")
            for name in [key.removesuffix("_ids") for key in arrays if key.endswith("_ids")]:
                shares = torch.from_numpy(arrays[f"{name}_logits"]).softmax(1).numpy()
                table = pd.DataFrame(shares, arrays[f"{name}_ids"])
                parts.setdefault(name, {}).setdefault(run.config.seed, []).append(table)
        row = {name: [*map(pd.concat, seeds.values())] for name, seeds in parts.items()}
        if len(row) > 1:
            by_seed = zip(*row.values(), strict=True)
            row["+".join(row)] = [reduce(pd.DataFrame.mul, tables).dropna() for tables in by_seed]
        rows[kind] = row
    return rows


class Difference(NamedTuple):
    """F1 points, and their 95 % interval over groups and seeds."""

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Whether LITTLE points or more are gained, are not, or neither is shown."""
        if self.low > 0 and self.mean >= LITTLE:
            return "Yes"
        return "No" if self.high < LITTLE or self.low > 0 else "Not decided"

    def __str__(self) -> str:
        return f"{self.mean:+.1f} F1 points [{self.low:+.1f}, {self.high:+.1f}]"


def difference(
    ours: Answers, theirs: Answers, images: MultiModalData, metric: str = "f1"
) -> Difference:
    """Pooled F1, or mean recall, of one network minus that of another, in the seeds that both have,
    on the images that both answer; see `pseudo_values`."""
    values = []
    for first, second in zip(ours, theirs, strict=False):
        both = first.index.intersection(second.index)
        tallies = [[_tally(table.loc[both], images)] for table in (first, second)]
        values.append(pseudo_values(tallies[0], tallies[1], metric).to_numpy())
    return Difference(*crossed_test(np.array(values))[:3])


def score(answers: Answers, images: MultiModalData, metric: str = "f1") -> float:
    """Pooled F1, or mean recall, mean over seeds."""
    return float(np.mean([tally_score(_tally(table, images), metric) for table in answers]))


def has_learned(answers: Answers, images: MultiModalData) -> bool:
    """Whether its mean recall is shown to be above that of guessing, 1 / C."""
    guesses = [table * np.eye(len(images.classes))[0] for table in answers]  # the first class
    return difference(answers, guesses, images, "recall").low > 0


def _tally(answers: pd.DataFrame, images: MultiModalData) -> pd.DataFrame:
    """What `intervals.tally` has of one network: hits, labels and predictions of every class for
    each group, [G, 3·C]."""
    rows, eye = pd.Index(images.ids).get_indexer(answers.index), np.eye(answers.shape[1])
    truth, predicted = images.labels[rows], answers.to_numpy().argmax(1)
    cells = np.hstack([eye[truth] * (truth == predicted)[:, None], eye[truth], eye[predicted]])
    return pd.DataFrame(cells).groupby(images.group_ids[rows]).sum()


def to_markdown(rows: Mapping[str, Row], images: MultiModalData) -> str:
    """F1 of every row."""
    scores = {kind: {k: score(v, images) for k, v in row.items()} for kind, row in rows.items()}
    table = pd.DataFrame(scores).T.map("{:.1f}".format).replace("nan", "–").rename_axis("F1")
    return table.to_markdown(tablefmt="github", disable_numparse=True)


def answers(
    rows: Mapping[str, Row], images: MultiModalData, few: bool
) -> tuple[list[str], dict[str, str]]:
    """The questions with their answers, and what is recommended: network → the kind of row that it
    is of; no network that has learned nothing."""
    sensors, other = [*images.modalities], PAIRS if few else TAUGHT
    both, word = "+".join(sensors), "both" if len(sensors) == 2 else "all"
    places = [(kind, name) for kind, row in rows.items() for name in row]
    points = {(kind, name): score(rows[kind][name], images) for kind, name in places}
    learned = {(kind, name): has_learned(rows[kind][name], images) for kind, name in places}
    lines, deployed = list[str](), dict[str, Place]()

    def best(*places: Place) -> Place:
        return max(places, key=points.__getitem__)

    def ask(question: str, ours: Place, theirs: Place, than: str = "") -> bool:
        """Add the question with its answer; whether that is a yes."""
        candidate, rival = (rows[kind][name] for kind, name in (ours, theirs))
        if not (learned[ours] or learned[theirs]):
            recalls = (f"{score(own, images, 'recall'):.1f}" for own in (candidate, rival))
            found = f"mean recall {' and '.join(recalls)} ({ours[0]} and {theirs[0]})"
            guess = f"where guessing has {100 / len(images.classes):.1f}"
            lines.append(
                f"{question}? Nothing learned, as far as these data show: {found}, {guess}."
            )
            return False
        gain = difference(candidate, rival, images)
        rated = f"{ours[0]} {points[ours]:.1f} against {theirs[0]} {points[theirs]:.1f}"
        lines.append(f"{question}? {gain.verdict}: {gain}{than} ({rated}).")
        return gain.verdict == "Yes"

    alone = {name: best(*((kind, name) for kind in (STUDENT, OWN)[: 1 + few])) for name in sensors}
    first, second, *_ = sorted(sensors, key=lambda name: -points[alone[name]])
    ask(f"Is {first} alone better than {second}", alone[first], alone[second])
    for name in sensors:
        partners = " and ".join(sensor for sensor in sensors if sensor != name)
        question, taught = f"Deploy {name} alone: train it with {partners}", (other, name)
        deployed[name] = taught if ask(question, taught, alone[name]) else alone[name]
    top = best(*deployed.values())
    mounted = best(*((kind, both) for kind in (top[0], other, FUSED)))
    if ask(f"Mount {word}", mounted, top, f" above {top[1]} alone"):
        deployed[both] = mounted
    for name in sensors if few else []:
        than = " from half of the labels to all"
        ask(f"Label more, for {name}", (STUDENT, name), (HALF, name), than)
    return lines, {name: place[0] for name, place in deployed.items() if learned[place]}


def longer(
    lengthened: Mapping[str, Row], rows: Mapping[str, Row], images: MultiModalData
) -> list[str]:
    """Which networks are shown to gain where they are trained twice as long, on one fold."""
    single, lines = images.changed(groups=None), list[str]()
    for kind, row in lengthened.items():
        for name, tables in row.items():
            gain = difference(tables, rows[kind][name][:1], single)
            if gain.verdict == "Yes":
                lines.append(f"{kind} of {name} {gain}")
    return lines
