"""Should I train with my second sensor, and deploy both? Trainings on a person's own pairs, in
folds that test every image once, and the answer."""

import json
import shlex
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import product
from math import ceil, log, sqrt
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np

from discom import methods
from discom.config import Config, profile
from discom.data import MultiModalData, load
from discom.data.batches import paired_rows
from discom.errors import ConfigError, DataError
from discom.evaluation.scores import count_by_group
from discom.files import digest
from discom.frozen import frozen
from discom.running.runs import Result, Run, read_metrics, read_predictions
from discom.tables import Row, compare
from discom.tables.intervals import tally

# with two weights of either contrast: which one is right differs between sensors
ALONE = [Row("student", {}), *(Row("simclr", {"weights": {"contrast": w}}) for w in (0.03, 0.3))]
# `mdico` takes longer, and scored no higher
BOTH = [Row("kdv2", {}), *(Row("nt-xent", {"weights": {"contrast": w}}) for w in (1.0, 3.0))]
FUSED = Row("teacher", {})
RATES = (3e-3, 1e-2)  # of which the student's validation part chooses one for all
STEPS, UNLEARNED = 600, 0.5  # fewer steps, or a larger share of guessing's loss, decide nothing
WIDE = 10.0  # an interval of so many points decides nothing
DISAGREE = 0.2  # share of images of which one of two trained networks alone is right, roughly


def outlook(images: MultiModalData, runs: int, workers: int) -> str:
    """How many runs there are, and the smallest gain that they would show four times out of five,
    in points:

        280 √(d / N) for N tested images, of which a share d = 0.2 is right in one network alone

    It is larger where images of a group are alike.
    """
    tested = int((images.labels >= 0).sum())
    smallest = f"a gain below {280 * sqrt(DISAGREE / tested):.0f} points will hardly show"
    return f"{runs} runs, {workers} side by side; with {tested} labelled images {smallest}"


def frozen_runs(
    images: MultiModalData, config: Config, folds: int, runs: Path | str, pretrained: str
) -> list[Run]:
    """Runs of a linear layer on frozen features, of each sensor and of both. In each fold the
    training part scales the images, as for trained networks; the features are kept as prepared
    folders beside `runs`. Where the weights cannot be had, a warning and no run."""
    weights = Config(pretrained=pretrained).identity()["pretrained"]  # of a file its content
    own = replace(config, encoder="none", pretrained="", encoder_rate=1.0, augment=0.0)
    planned = []
    for fold in range(folds):
        bounds = images.split(config.seed, folds, fold).train.normalization
        scales = [bounds[sensor].to_dict() for sensor in images.modalities]
        known = digest(images.fingerprint, weights, scales)
        folder = Path(runs) / f"{images.name}-frozen" / f"features-{known}"
        if not folder.exists():
            try:
                frozen(images, bounds, pretrained=pretrained).save(folder)
            except ConfigError as error:
                warnings.warn(f"frozen features are left out: {error}", stacklevel=2)
                return []
        where = runs, methods.get("student"), load(folder), own, str(folder), None, folds, fold
        planned.append(Run.of(*where))
    return planned


def plan(
    images: MultiModalData,
    config: Config,
    rates: Iterable[float],
    folds: int,
    runs: Path | str,
    source: str,
    modalities: str | None = None,
) -> dict[float, list[Run]]:
    """Learning rate → the runs of `ALONE`, `BOTH` and `FUSED` in every fold. A ConfigError for one
    sensor, a DataError for a class for every pixel, or no pair."""
    if images.dense:
        way_out = "compare with: discom table dense"
        raise DataError(images.name, "has a class for every pixel", way_out)
    paired_rows(images, [*images.modalities])  # refuses data without a pair
    planned: dict[float, list[Run]] = {}
    for rate, (name, options, _) in product(rates, (*ALONE, *BOTH, FUSED)):
        method, own = methods.get(name), replace(config, options=options, learning_rate=rate)
        methods.build(method, images, own)  # refuses a setting before anything is trained
        where = runs, method, images, own, source, modalities, folds
        planned.setdefault(rate, []).extend(Run.of(*where, fold) for fold in range(folds))
    return planned


def beside(frozen: Iterable[Result], results: Sequence[Result]) -> list[Result]:
    """Runs on frozen features as rows of one table with trained networks of the same folds: their
    method is called "frozen", and "fused" is the network of all sensors."""
    first = results[0]
    names = {"fused": "+".join(name for name in first.scores if "+" not in name)}
    same: Any = {name: getattr(first, name) for name in ("data", "digest", "drawn")}
    rows = []
    for run in frozen:
        config = {**first.config, "learning_rate": run.config["learning_rate"]}
        rows.append(replace(_renamed(run, names), method="frozen", config=config, **same))
    return rows


def best_rate(results: Iterable[Result]) -> float:
    """The learning rate with the best validation score, mean over folds and sensors."""
    rates: dict[float, list[float]] = {}
    for result in results:
        rates.setdefault(result.config["learning_rate"], []).append(mean(result.valid.values()))
    return max(rates, key=lambda rate: mean(rates[rate]))


def unfinished(students: Iterable[Result], runs_dir: Path | str) -> str:
    """Why finished runs of `student` below `runs_dir` give no verdict, or "": fewer than STEPS
    steps, or a training loss whose last epoch is above UNLEARNED times that of guessing, log C for
    each network."""
    for run in students:
        steps = run.config["epochs"] * ceil(run.counts["train"] / run.config["batch_size"])
        if steps < STEPS:
            return f"a training of {steps} of {STEPS} steps decides nothing; give more --epochs"
        loss = read_metrics(run.folder(runs_dir) / "metrics.csv")["cl"].iloc[-1]
        if (share := loss / (len(run.scores) * log(run.classes))) > UNLEARNED:
            found = f"the training loss ends at {100 * share:.0f} % of guessing"
            return f"{found}, which decides nothing; give more --epochs or another --learning-rate"
    return ""


class Answer(NamedTuple):
    """For a sensor deployed alone, or for both: the best method with the other sensor and the best
    without it, by validation score, and their difference on the test parts with its 95 % interval.
    `network` is what is deployed; `learned`, whether the one without tells the classes apart."""

    network: str
    with_other: str
    without: str
    difference: float
    low: float
    high: float
    learned: bool = True

    @property
    def recommended(self) -> str:
        """The method to train: with the other sensor only where that is a clear gain."""
        return self.with_other if self.low > 0 else self.without

    @property
    def text(self) -> str:
        """One sentence."""
        if fused := "+" in self.network:
            sensors = "both" if self.network.count("+") == 1 else "all"
            place, gain, cost = f"{sensors} sensors are there", "fuse them", "do not fuse them"
        else:
            place, gain = f"{self.network} is deployed alone", "train it with the other sensor"
            cost = "train it alone, the other sensor costs"
        if not self.learned:
            verdict = f"{self.without} learned nothing, train longer or label more images"
        elif self.low > 0 or self.high < 0:
            verdict = gain if self.low > 0 else cost
        elif not self.high - self.low <= WIDE:  # also where one seed gives no interval
            verdict = "not decided, label more images"
        else:
            verdict = f"no measurable difference, {'one is enough' if fused else 'train it alone'}"
        span = f"{self.difference:+.1f} [{self.low:+.1f}, {self.high:+.1f}] F1 points"
        return f"If {place}: {verdict}: {span}, {self.with_other} against {self.without}."


def answers(
    results: Iterable[Result], images: MultiModalData | None = None, runs_dir: Path | str = "runs"
) -> list[Answer]:
    """An answer for both sensors fused, against the better one alone, and one for each sensor, from
    finished runs of the methods of `ALONE`, `BOTH` and `FUSED`, with any weights.

    A fused network is tested on complete pairs: where some of the `images` lack a partner, the
    sensor alone is counted on pairs, too, by the predictions of its folds below `runs_dir`.
    """
    runs: dict[str, list[Result]] = {}
    for result in results:
        runs.setdefault(result.label, []).append(result)

    def valid(label: str, sensor: str) -> float:
        return mean(run.valid[sensor] for run in runs[label])

    def best(rows: Iterable[Row], sensor: str) -> str:
        kinds = {row.method for row in rows}
        labels = [label for label, own in runs.items() if own[0].method in kinds]
        return max(labels, key=lambda label: valid(label, sensor))

    sensors = list(runs["student"][0].scores)
    alone = {sensor: best(ALONE, sensor) for sensor in sensors}
    better = max(sensors, key=lambda sensor: valid(alone[sensor], sensor))
    pairs = [(sensor, sensor, best(BOTH, sensor)) for sensor in sensors]
    if FUSED.method in runs:
        network = "+".join(sensors)
        runs[FUSED.method] = [_renamed(run, {network: better}) for run in runs[FUSED.method]]
        pairs.insert(0, (network, better, FUSED.method))
    found = []
    for network, sensor, label in pairs:
        other, theirs, ours = alone[sensor], runs[alone[sensor]], runs[label]
        if network != sensor and images is not None and len(images.paired_ids) < len(images):
            theirs = [_on_pairs(run, sensor, images, runs_dir) for run in theirs]
        table = compare(theirs + ours, [(label, other)])
        row = table[table["modality"] == sensor].iloc[0]
        answer = row.difference, row.low, row.high, _learned(theirs, sensor)
        found.append(Answer(network, label, other, *answer))
    return found


def _learned(runs: Sequence[Result], sensor: str) -> bool:
    """Whether the mean recall of K classes in the test parts of folds is above that of chance:

    1/K + 2 √((K - 1) Σ_c 1/n_c) / K²
    """
    if not runs[0].folds:
        return True
    hits, labels, _ = tally(runs)[sensor].to_numpy().sum(0).reshape(3, -1)
    recall, number = (hits / labels.clip(1))[labels > 0], labels[labels > 0]
    kinds = len(recall)
    return recall.mean() > 1 / kinds + 2 * np.sqrt((kinds - 1) * (1 / number).sum()) / kinds**2


def _on_pairs(run: Result, sensor: str, images: MultiModalData, runs_dir: Path | str) -> Result:
    """A run of a fold as if it were tested on complete pairs alone."""
    every = read_predictions(run.folder(runs_dir) / "predictions.npz")
    paired = np.isin(every[f"{sensor}_ids"], images.paired_ids)
    names = [f"{sensor}_{kind}" for kind in ("logits", "labels", "ids")]
    own = {name: every[name][paired] for name in names}
    test = images.take(images.split_indices(*run.parts)["test"])
    return replace(run, tested=count_by_group(test, own, [sensor]))


def _renamed(run: Result, names: Mapping[str, str]) -> Result:
    """A run whose networks have other names."""
    scores = {names.get(network, network): own for network, own in run.scores.items()}
    tested = run.tested and {
        **run.tested,
        "counts": {names.get(k, k): own for k, own in run.tested["counts"].items()},
    }
    return replace(run, scores=scores, tested=tested)


def command(run: Run, name: str = "cpu") -> str:
    """The command that trains with the settings of a run, on all its data and labels; `name` is of
    the profile."""
    words = ["discom", "train", "--data", run.source, "--method", run.method, "--profile", name]
    usual, apart = profile(name), ("seed", "dense", "labelled", "options")
    for setting, value in asdict(run.config).items():
        if setting not in apart and value != getattr(usual, setting):
            words += [f"--{setting.replace('_', '-')}", str(value)]
    if run.modalities:
        words += ["--modalities", run.modalities]
    if changed := methods.get(run.method).changed(run.config.options):
        words += ["--options", json.dumps(changed)]
    return shlex.join([*words, "--runs", str(run.runs)])
