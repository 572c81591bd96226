"""Should I train with my second sensor? Short trainings on a person's own pairs, and the answer."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from discom import methods
from discom.config import Config
from discom.data import MultiModalData
from discom.data.batches import paired_rows
from discom.errors import ConfigError, DataError
from discom.running.runs import Result, Run
from discom.tables import Row, compare

# with two weights of either contrast: which one is right differs between sensors
ALONE = [Row("student", {}), *(Row("simclr", {"weights": {"contrast": w}}) for w in (0.03, 0.3))]
# `mdico` takes longer, and scored no higher
BOTH = [Row("kdv2", {}), *(Row("nt-xent", {"weights": {"contrast": w}}) for w in (1.0, 3.0))]
WIDE = 10.0  # an interval of so many points decides nothing
RATES = (3e-3, 1e-2)  # of which the student's validation part chooses one for all


def plan(
    images_of: Callable[[int], MultiModalData],
    config: Config,
    rates: Iterable[float],
    seeds: int,
    runs: Path | str,
    source: str = "",
    modalities: str | None = None,
) -> dict[float, list[Run]]:
    """Learning rate → the runs of `ALONE` and `BOTH` for seeds 0, 1, …; a ConfigError for too few
    seeds, a DataError for data that leave the question without an answer: all that can be known
    before a training."""
    if seeds < 3:
        raise ConfigError("seeds", f"{seeds} give no useful interval", "use 3 or more")
    planned: dict[float, list[Run]] = {rate: [] for rate in rates}
    for seed in range(seeds):
        images = images_of(seed)
        _check(images, seed)
        for name, options, _ in (*ALONE, *BOTH):
            method, own = methods.get(name), replace(config, seed=seed, options=options)
            methods.build(method, images, own)  # refuses a setting before anything is trained
            for rate, found in planned.items():
                at_rate = replace(own, learning_rate=rate)
                found.append(Run.of(runs, method, images, at_rate, source, modalities))
    return planned


def _check(images: MultiModalData, seed: int) -> None:
    """Refuse a class for every pixel, a class that one sensor never saw, sensors of different
    sizes, and fewer than two labelled pairs to train with; the methods refuse one sensor."""
    name, names = images.name, [*images.modalities]
    if images.dense:
        raise DataError(name, "has a class for every pixel", "compare with: discom table dense")
    for sensor, modality in images.modalities.items():
        if absent := set(range(len(images.classes))) - set(modality.y):
            found = f"no image of {sensor} is of class '{images.classes[min(absent)]}'"
            raise DataError(name, found, "correct the folder's name, or leave the class out")
    if len(sizes := {m.x.shape[2:]: sensor for sensor, m in images.modalities.items()}) > 1:
        command = "discom data prepare folders --root … --size 64 --out …"
        found = f"images of {' and '.join(sizes.values())} differ in size"
        raise DataError(name, found, f"bring them to one: {command}")
    train = images.split(seed=seed).train
    classes = train.modalities[names[0]].y[paired_rows(train, names)[names[0]].numpy()]
    if (known := int((classes >= 0).sum())) < 2:
        found = f"{known} of {len(classes)} pairs to train with have a label"
        raise DataError(name, found, "label more pairs")


def best_rate(results: Iterable[Result]) -> float:
    """The learning rate with the best validation score, mean over seeds and sensors."""
    rates: dict[float, list[float]] = {}
    for result in results:
        rates.setdefault(result.config["learning_rate"], []).append(mean(result.valid.values()))
    return max(rates, key=lambda rate: mean(rates[rate]))


class Answer(NamedTuple):
    """For one sensor: the best method on that sensor alone and the best with the other one, both by
    validation score, and their difference on the test part with its 95 % interval."""

    modality: str
    alone: str
    both: str
    difference: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """One sentence."""
        span = f"{self.difference:+.1f} [{self.low:+.1f}, {self.high:+.1f}] F1 points"
        found = f"{self.both} against {self.alone}, each the best of its kind on validation"
        if self.low > 0:
            return f"{self.modality}: train with the other sensor: {span}, {found}."
        if self.high < 0:
            return f"{self.modality}: train alone, the other sensor costs: {span}, {found}."
        if self.high - self.low > WIDE:
            way_out = "try more --seeds or more labelled images"
            return f"{self.modality}: not decided: {span}, {found}; {way_out}."
        return f"{self.modality}: no measurable difference, train alone: {span}, {found}."


def answers(results: Iterable[Result]) -> list[Answer]:
    """An answer for each sensor, from finished runs of the methods of `ALONE` and `BOTH`, with any
    weights; runs of other methods are left out."""
    by_label: dict[str, list[Result]] = {}
    for result in results:
        by_label.setdefault(result.label, []).append(result)
    names = [{row.method for row in rows} for rows in (ALONE, BOTH)]
    kinds = [[label for label in by_label if by_label[label][0].method in kind] for kind in names]
    found = []
    for modality in by_label["student"][0].scores:
        valid = {
            label: mean(result.valid[modality] for result in by_label[label])
            for label in (*kinds[0], *kinds[1])
        }
        alone, both = (max(labels, key=valid.__getitem__) for labels in kinds)
        pair = compare(by_label[alone] + by_label[both], [(both, alone)])
        row = pair[pair["modality"] == modality].iloc[0]
        found.append(Answer(modality, alone, both, row.difference, row.low, row.high))
    return found
