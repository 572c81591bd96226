"""Compare methods with the first over factors: when does another sensor help, and which budget?

python benchmarks/grid.py student discom --factors '{"epochs": [5, 10, 20, 40, 80]}'
python benchmarks/grid.py crodino 'crodino:{"weights":{"soft":0}}' --data scenes-dense
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import click
import numpy as np
import torch

import discom.data
from discom import cli, files, methods, profile, tables
from discom.cli import flags
from discom.config import FIELDS
from discom.errors import ConfigError, say
from discom.hardware import device_type, machine
from discom.running import sweep
from discom.running.runs import Result, Run
from discom.tables.intervals import t_test

SETTINGS = [n for n, each in FIELDS.items() if each.annotation in (int, float) and n != "seed"]
Data = Annotated[str, "Such as objects:n=600, or a folder."]
Seeds = Annotated[int, click.IntRange(1), "How many."]


class Arm(NamedTuple):
    """A method with its options, and settings of its own."""

    method: str
    options: dict[str, Any]
    settings: dict[str, Any]

    @classmethod
    def of(cls, text: str) -> "Arm":
        """One of METHODS: `name` or `name:{JSON}`, JSON of options and settings."""
        name, _, braces = text.partition(":")
        options = flags.json_text(braces or "{}")
        return cls(name, options, {key: options.pop(key) for key in SETTINGS if key in options})

    @property
    def display_name(self) -> str:
        """What its row is called."""
        return methods.display_name(self.method, methods.get(self.method).changed(self.options))


def factors_of(text: str) -> dict[str, list[float]]:
    """What reads --factors: settings, and the values of each."""
    given = {name: [*map(float, values)] for name, values in flags.json_text(text).items()}
    if given.keys() - set(SETTINGS) or not all(given.values()):
        raise click.BadParameter(f"{text}: give one of {', '.join(SETTINGS)} its values")
    return given


def plan(
    arms: Iterable[Arm],
    seeds: Iterable[int],
    settings: Mapping[str, Any],
    data: str,
    modalities: str,
    runs: Path | str,
    factors: Mapping[str, Sequence[float]] = {},
    epochs: Mapping[str, int] = {},
    folds: int = 0,
) -> dict[tuple[Any, ...], Run]:
    """Every method with every seed at every point of the factors: label, seed, values → run; with
    `folds` every one of them: label, seed, values, fold → run. `epochs` are those of a value of the
    first factor."""
    arms = list(arms)
    labels = [arm.display_name for arm in arms]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError("METHODS", f"two are called '{twice[0]}'", "compare them one by one")
    if both := {name for arm in arms for name in (*arm.settings, *settings)} & factors.keys():
        raise ConfigError("--factors", f"'{both.pop()}' is also given elsewhere", "give it once")
    epochs_at = {float(value): number for value, number in epochs.items()}
    planned = {}
    images_of = lru_cache(discom.data.planned)
    for seed, *values in product(seeds, *factors.values()):
        changes = dict(zip(factors, values, strict=True))
        if values and values[0] in epochs_at:
            changes["epochs"] = epochs_at[values[0]]
        images = images_of(data, modalities)(seed)
        for arm, fold in product(arms, range(folds) if folds else [None]):
            own = {**settings, **changes, **arm.settings, "seed": seed, "options": arm.options}
            config, method = profile(dense=images.dense, **own), methods.get(arm.method)
            place = data, modalities, folds, fold or 0
            run = Run.of(runs, method, images, config, *place)
            planned[arm.display_name, seed, *values, *([fold] if folds else [])] = run
    return planned


def measure(arms: Sequence[Arm], seeds: int, file: Path, *where: Any) -> None:
    """Train all anew, one after the other, a round for each seed; print and write the machine, the
    seconds of each method, its teacher's included, and their share of the first method's: mean and
    95 % interval over rounds. The first round is left out: the first use of a library is slow."""
    if seeds < 3 or not arms[1:]:
        raise ConfigError("--seconds: give --seeds 3 or more and two methods or more")
    torch.set_num_threads(1)
    rounds: list[dict[str, float]] = [{} for _ in range(seeds)]
    with tempfile.TemporaryDirectory() as runs:
        for (label, seed), run in plan(arms, range(seeds), *where, runs).items():
            (result,) = sweep.results([run], workers=1)
            rounds[seed][label] = result.seconds
            if run.teacher:
                rounds[seed][label] += Result.read(run.teacher.folder / "result.json").seconds
    first, *others = rounds[0]
    shares = {name: np.array([one[name] / one[first] for one in rounds[1:]]) for name in others}
    ratio = {name: list(t_test(share)[:3]) for name, share in shares.items()}
    here = machine(torch.device(device_type(run.config.accelerator)))
    what = f"seconds of {run.config.epochs} epochs on {run.data}, teachers included, one thread"
    report = {"what": what, "machine": here, "ratio": ratio, "rounds": rounds[1:]}
    print(json.dumps(report, indent=1))
    files.write_json(file, report)


EPOCHS = 'Value of the first factor → epochs, so that all take as many steps: {"0.1": 11}'


@flags.command
def grid(
    methods: tuple[str, ...],
    data: Data = "objects",
    seeds: Seeds = 10,
    factors: Annotated[Any, factors_of, "Name → values, JSON."] = "{}",
    epochs_at: Annotated[Any, flags.json_text, EPOCHS] = "{}",
    collect: Annotated[Path | None, Path, "Table of runs to read and to add to."] = None,
    seconds: Annotated[Path | None, Path, "No table: seconds of training, into this file."] = None,
    workers: flags.Workers = 0,
    modalities: flags.Modalities = "",
    folds: Annotated[int | None, click.IntRange(2), "By group, instead of a split."] = None,
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> bool | None:
    """Compare METHODS, each `name` or `name:{JSON}` of options and settings, with the first over
    factors, which are numbers among the settings."""
    arms, where = [*map(Arm.of, methods)], (settings, data, modalities)
    if seconds:  # run it alone on the machine
        return measure(arms, seeds, seconds, *where)
    planned = plan(arms, range(seeds), *where, runs, factors, epochs_at, folds or 0)
    done = sweep.sweep(planned.values(), known=tables.collected(collect), workers=workers)
    if done.results:
        against = [arms[0].display_name]
        print(tables.to_markdown(tables.summary(done.results, against), against))
        if collect:
            tables.collect(done.results, collect)
    for error in done.failed.values():
        say(f"error: {error}")
    return not done.failed


if __name__ == "__main__":
    sys.exit(cli.main(command=grid))
