"""Which sensor alone, both, or one trained with the other? Trainings on a person's own pairs, in
folds that test every image once, and what they say, in words."""

import json
import shlex
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import chain, product
from math import ceil, inf, sqrt
from pathlib import Path

import numpy as np
import torch

from discom import methods
from discom.config import Config, profile
from discom.data import MultiModalData, Split
from discom.data.batches import count_steps, paired_rows
from discom.data.checks import UNLABELLED, is_signal
from discom.errors import ConfigError, DataError
from discom.models.encoders import OF_SIGNALS
from discom.models.signals import WINDOW
from discom.running.fit import fit
from discom.running.runs import Run, read_metrics
from discom.tables.answers import Difference, Longer, Networks, Place, Row, learned, read, score

STUDENT, HALF, FUSED = "student", "student, half of the labels", "one network of both"
OWN, PAIRS, TAUGHT = "FixMatch", "agreed labels", "taught by both"
# row → its method, and what a step takes, of a student's
METHODS = {STUDENT: ("student", 1.0), HALF: ("student", 1.0), FUSED: ("teacher", 1.0)}
METHODS |= {OWN: ("fixmatch", 4.0), PAIRS: ("agreed", 4.0), TAUGHT: ("kdv2", 1.3)}
LATER = "No answer yet"
# what a watch took, see results/README.md
SIGNALS = {OWN: {"threshold": 0.95}, PAIRS: {"threshold": 0.95, "weights": {"contrast": 0}}}
# roughly: the share of images of which one of two networks alone is right, and the share of this
# variance that is one of groups (0 to 0.04 on our worn sensors)
DISAGREE, ALIKE = 0.2, 0.03


def _some(part: MultiModalData, count: int) -> MultiModalData:
    """About so many labelled samples of each sensor, evenly spaced, and so many others."""
    known = part.labels != UNLABELLED
    kinds = [*(np.flatnonzero(known & own) for own in part.has.values()), np.flatnonzero(~known)]
    return part.take(np.unique(np.hstack([own[:: max(1, len(own) // count)] for own in kinds])))


def settings(images: MultiModalData, name: str, **given: object) -> Config:
    """The profile `name`, with its last epoch, and for signals an encoder of these, see `best`."""
    usual: dict = {"select": "last"}
    if all(is_signal(m.x.shape) for m in images.modalities.values()):
        long = min(m.x.shape[3] for m in images.modalities.values()) >= WINDOW
        usual |= {"encoder": "spectrum" if long else "conv1d", "weight_decay": 0.1}
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
        """The rows that are trained: a student, what trains with the other sensor, and others."""
        return (STUDENT, PAIRS, OWN, HALF, FUSED) if self.few else (STUDENT, TAUGHT, FUSED)

    @cached_property
    def _train(self) -> MultiModalData:
        return self.images.take(self.images.split_indices(0, self.folds)["train"])

    def run(self, kind: str, seed: int = 0, fold: int = 0, longer: int = 1) -> Run:
        """A run of about `steps` steps, or so many times as long."""
        share = self.config.labelled * (0.5 if kind == HALF else 1)
        kept = self._train.keep_labels(share, 0, self.config.labelled_groups).labels != UNLABELLED
        epoch = count_steps(int(kept.sum()), int((~kept).sum()), self.config.batch_size)[1]
        own: dict = {"seed": seed, "labelled": share, "epochs": longer * ceil(self.steps / epoch)}
        own["options"] = SIGNALS.get(kind, {}) if self.config.encoder in OF_SIGNALS else {}
        method, config = methods.get(METHODS[kind][0]), replace(self.config, **own)
        where = self.source, self.modalities, self.folds, fold
        return Run.of(self.runs, method, self.images, config, *where)

    @cached_property
    def plan(self) -> dict[str, list[Run]]:
        """Kind → its runs, folds within seeds. A ConfigError for one sensor, a DataError for a
        class for every pixel, or no pair."""
        if self.images.dense:
            way_out = "compare with: discom table dense"
            raise DataError(self.images.name, "has a class for every pixel", way_out)
        if len(self.images.modalities) < 2:
            found = f"the data has {[*self.images.modalities]} alone"
            raise ConfigError("advise", found, "give two modalities or more")
        paired_rows(self.images, [*self.images.modalities])  # refuses data without a pair
        for run in map(self.run, self.kinds):  # refuses a setting before anything is trained
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

    def again(self, grown: Longer, minutes: float, waiting: bool) -> str:
        """Which networks gain from a longer training, and how to ask for it, in so many minutes;
        `waiting`: an answer waits for it."""
        each = ", ".join(f"{kind} of {name} {gain}" for (kind, name), gain in grown.items())
        why = "ask again" if waiting else "no answer above would change; for better networks ask"
        return (
            f"Twice as long a training gains: {each}; {why} with --steps {2 * self.steps}, about "
            f"{minutes:.0f} minutes."
        )

    def candidates(self) -> "list[Asked]":
        """Itself, and for signals as long as a spectrum needs the same with another encoder."""
        names = OF_SIGNALS if self.config.encoder == "spectrum" else [self.config.encoder]
        return [replace(self, config=replace(self.config, encoder=name)) for name in names]

    def outlook(self, missing: int, workers: int) -> str:
        """How many runs there are, the minutes that they take by a student's first steps, and the
        smallest gain that they show four times out of five, in points, for N tested images in G
        groups:

            280 √(d (ρ / G + (1 - ρ) / N)), with d = 0.2 and ρ = 0.03
        """
        images, known = self.images, self.images.labels != UNLABELLED
        groups = len(np.unique((images.ids if images.groups is None else images.groups)[known]))
        few = Split(*map(_some, images.split(0, self.folds), (256, 50, 50)))
        config, threads = replace(self.run(STUDENT).config, epochs=2), torch.get_num_threads()
        if config.labelled_groups:  # of which so few images have too few
            share = config.labelled * config.labelled_groups / groups
            config = replace(config, labelled=share, labelled_groups=0)
        torch.set_num_threads(1)  # as side by side
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scores after two epochs
            counts = fit("student", few, config, folder, progress=False).counts
            first, last = read_metrics(Path(folder, "metrics.csv"))["seconds"]
        torch.set_num_threads(threads)
        rest = counts["train"] - counts["labelled"]
        step = (last - first) / count_steps(counts["labelled"], rest, config.batch_size)[1]
        cost = np.mean([METHODS[kind][1] for kind in self.kinds]) * self.steps * step + 2  # tests
        units = missing + min(missing, len(self.kinds))  # one run of each kind is twice as long
        least = 280 * sqrt(DISAGREE * (ALIKE / groups + (1 - ALIKE) / known.sum()))
        sizes = (f"{k} {'×'.join(map(str, m.x.shape[1:]))}" for k, m in images.modalities.items())
        return (
            f"{len(images)} samples of {', '.join(sizes)}; {known.sum()} with a label, in {groups} "
            f"groups: a gain below {least:.0f} F1 points will hardly show.\n{missing} runs of "
            f"{self.steps} steps, {workers} side by side: {ceil(units * cost / workers / 60)} "
            "minutes or so."
        )

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


def best(tried: Sequence[Asked]) -> tuple[Asked, str]:
    """Of these, whose students are trained, the one whose two networks score best together, and a
    sentence about it.

    What they say together are the agreed labels, and no encoder is right for all signals. On a
    watch agreed labels scored one to six points below a student by spectra, and three to six above
    it by conv1d; students of units on arm and leg scored seven points more by spectra.
    """
    both, scores = "+".join(tried[0].images.modalities), list[float]()
    for asked in tried:
        students = read({STUDENT: asked.plan[STUDENT]})[STUDENT]
        scores.append(score(students[both], asked.images))
    named = [f"{a.config.encoder} {own:.1f}" for a, own in zip(tried, scores, strict=True)]
    chosen = tried[int(np.argmax(scores))]
    return chosen, f"Encoder {chosen.config.encoder}: students together {', '.join(named)}."


def answers(
    rows: Mapping[str, Row], images: MultiModalData, few: bool, longer: Longer
) -> tuple[list[str], dict[str, str]]:
    """The questions with their answers, and what is recommended: network → the row it is of.
    `longer` is of `lengthened`; what such gains together would change is not answered."""
    networks, sensors = Networks(rows, images, longer), [*images.modalities]
    best, other = networks.best, PAIRS if few else TAUGHT
    both, word = "+".join(sensors), "both" if len(sensors) == 2 else "all"
    lines, lost, waiting = list[str](), list[str](), list[str]()
    deployed = dict[str, str]()
    alone = {name: [(kind, name) for kind in (STUDENT, OWN)[: 1 + few]] for name in sensors}

    def ask(
        question: str, ours: list[Place], theirs: list[Place], than: str = "", sure=True
    ) -> str:
        """Add the question, the best of ours against the best of theirs, with its answer, whose
        first words are returned."""
        pair, gain, stays = networks.compare(ours, theirs)
        known = {"yes": "Yes", "no": "No", "open": "Not decided"}[gain.verdict]
        found = known if sure and stays else LATER
        rated = " against ".join(f"{place[0]} {networks.points[place]:.1f}" for place in pair)
        lines.append(f"{question}? {found}: {gain}{than} ({rated}).")
        if found == "Not decided":
            lines[-1] += f" That takes {_missing(gain, images, few)}."
        return found

    first, second, *_ = sorted(sensors, key=lambda name: -networks.points[best(alone[name])])
    ask(f"Is {first} alone better than {second}", alone[first], alone[second])
    for name in sensors:
        partners = " and ".join(each for each in sensors if each != name)
        question = f"Deploy {name} alone: train it with {partners}"
        found = ask(question, [(other, name)], alone[name])
        deployed[name] = other if found == "Yes" else best(alone[name])[0]
        if found != LATER and not learned(rows[deployed[name]][name], images):
            found = LATER if networks.grows((deployed[name], name)) else "Not known"
            lines[-1] = f"{question}? {found}: its networks do no better than guessing."
            lost.append(name)
        if found == LATER:
            waiting.append(name)
    single = [(deployed[name], name) for name in sensors] + [(other, name) for name in waiting]
    kind, top = best(single)
    mounted = [(each, both) for each in (kind, other, FUSED)]
    than, sure = f" above {top} alone", top not in waiting
    if ask(f"Mount {word}", mounted, single, than, sure) == "Yes":
        deployed = {both: best(mounted)[0], **deployed}
    lines.insert(1, lines.pop())
    for name in sensors if few else []:
        than = " from half of the labels to all"
        ask(f"Label more, for {name}", [(STUDENT, name)], [(HALF, name)], than)
    lines += cheaper(networks, deployed, (top, both))
    return lines, {name: kind for name, kind in deployed.items() if name not in lost}


def _missing(gain: Difference, images: MultiModalData, few: bool) -> str:
    """What would decide a question."""
    unit = "images" if images.groups is None else "groups"
    if gain.missing < inf:
        return f"{'labels for ' * few}about {gain.missing:,.0f} {unit} more (now {gain.groups})"
    return f"another draw of folds and weights: --seeds {gain.seeds + 1}"


def cheaper(networks: Networks, deployed: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """A line for each row without a training that beats what is deployed, also where that is
    trained longer: the network of the same name, or where that is not, of the first."""
    lines = []
    for kind, network in product([kind for kind in networks.rows if kind not in METHODS], names):
        known = network if network in deployed else names[0]
        _, gain, stays = networks.compare([(kind, network)], [(deployed[known], known)])
        if gain.verdict == "yes" and stays:
            hint = "pretrained weights" if kind == "frozen features" else "another learning rate"
            lines.append(f"But {kind} of {network}: {gain} above {known}; {hint} may help.")
    return lines
