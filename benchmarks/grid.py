"""Compare methods with the first over factors: when does another sensor help, and which budget?

python benchmarks/grid.py student discom --factors '{"epochs": [5, 10, 20, 40, 80]}'
python benchmarks/grid.py crodino 'crodino:{"weights":{"soft":0}}' --data scenes-dense
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import product
from types import SimpleNamespace as Namespace
from typing import Any, NamedTuple

import click
import numpy as np
import torch

from catalogue import SCENES, summary
from discom import cli, data, files, methods, profile, tables
from discom.cli import flags
from discom.config import FIELDS
from discom.errors import ConfigError, say
from discom.hardware import device_type, machine
from discom.running import sweep
from discom.running.runs import Result, Run
from discom.tables.intervals import t_test

SETTINGS = [n for n, each in FIELDS.items() if each.annotation in (int, float) and n != "seed"]
FACTORS = [*SCENES, *SETTINGS]


class Arm(NamedTuple):
    """A method with its options, and settings of its own."""

    method: str
    options: dict[str, Any]
    settings: dict[str, Any]

    @property
    def label(self) -> str:
        """What its row is called."""
        return methods.label(self.method, methods.get(self.method).changed(self.options))


def arm(text: str) -> Arm:
    """The type of METHODS: `name` or `name:{JSON}`, JSON of options and settings."""
    name, _, braces = text.partition(":")
    options = flags.json_object(braces or "{}")
    return Arm(name, options, {key: options.pop(key) for key in SETTINGS if key in options})


def factors(text: str) -> dict[str, list[float]]:
    """The type of --factors: arguments of the scenes or settings, and the values of each."""
    given = {name: [*map(float, values)] for name, values in flags.json_object(text).items()}
    if given.keys() - set(FACTORS) or not all(given.values()):
        raise click.BadParameter(f"{text}: give one of {', '.join(FACTORS)} its values")
    return given


# what the scripts that train have in common
TRAINED = [
    click.argument("methods", type=arm, nargs=-1, required=True),
    click.option("--data", default="scenes", help="Such as scenes:n=600, or a folder."),
    flags.WORKERS,
    *flags.TRAINING,
]


def plan(
    asked: Namespace,
    seeds: Iterable[int],
    factors: Mapping[str, Sequence[float]] = {},
    epochs: Mapping[str, int] = {},
) -> dict[tuple[Any, ...], Run]:
    """Every method with every seed at every point of the factors: label, seed, values → run.
    `epochs` are those of a value of the first factor."""
    labels = [row.label for row in asked.methods]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError("METHODS", f"two are called '{twice[0]}'", "compare them one by one")
    own = {name for row in asked.methods for name in row.settings} | asked.settings.keys()
    if both := own & factors.keys():
        raise ConfigError("--factors", f"'{both.pop()}' is also given elsewhere", "give it once")
    epochs_at = {float(value): number for value, number in epochs.items()}
    if lost := epochs_at.keys() - set(next(iter(factors.values()), [])):
        raise ConfigError("--epochs-at", f"{lost.pop():g} is no value", "leave it out")
    runs = {}
    planned = lru_cache(data.planned)
    for seed, *values in product(seeds, *factors.values()):
        changes = dict(zip(factors, values, strict=True))
        if values and values[0] in epochs_at:
            changes["epochs"] = epochs_at[values[0]]
        source = asked.data
        if drawn := [f"{name}={changes.pop(name):g}" for name in SCENES if name in changes]:
            source += ("," if ":" in source else ":") + ",".join(drawn)
        images = planned(source, asked.modalities)(seed)
        for row in asked.methods:
            settings = {**asked.settings, **changes, **row.settings, "seed": seed}
            settings |= {"dense": images.dense, "options": row.options}
            config, method = profile(asked.profile, **settings), methods.get(row.method)
            run = Run.of(asked.runs, method, images, config, source, asked.modalities)
            runs[row.label, seed, *values] = run
    return runs


def compare(asked: Namespace, runs: Iterable[Run]) -> bool:
    """Train what is missing, then print and collect the table."""
    done = sweep.sweep(runs, known=tables.collected(asked.collect), workers=asked.workers)
    if done.results:
        against = [asked.methods[0].label]
        print(tables.to_markdown(summary(done.results, against, [*asked.factors]), against))
        if asked.collect:
            tables.collect(done.results, asked.collect)
    for error in done.failed.values():
        say(f"error: {error}")
    return not done.failed


def measure(asked: Namespace) -> None:
    """Train all anew, one after the other, a round for each seed; print and write the machine, the
    seconds of each method, its teacher's included, and their share of the first method's: mean and
    95 % interval over rounds. The first round is left out: the first use of a library is slow."""
    if asked.seeds < 3 or not asked.methods[1:] or asked.factors:
        raise ConfigError("--seconds: give --seeds 3 or more, two methods or more, and no factors")
    torch.set_num_threads(1)
    rounds: list[dict[str, float]] = [{} for _ in range(asked.seeds)]
    with tempfile.TemporaryDirectory() as asked.runs:
        for (label, seed), run in plan(asked, range(asked.seeds)).items():
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
    files.write_json(asked.seconds, report)


SECONDS = "No table: seconds of training into this JSON file; run it alone on the machine."
EPOCHS = 'Value of the first factor → epochs, so that all take as many steps: {"0.1": 11}'


@flags.command(
    *TRAINED,
    click.option("--seeds", type=click.IntRange(1), default=10, help="How many."),
    click.option("--factors", type=factors, default="{}", help="Name → values.", metavar="JSON"),
    click.option("--epochs-at", **flags.JSON, help=EPOCHS),
    click.option("--collect", type=flags.PATH, help="Table of runs to read and to add to."),
    click.option("--seconds", type=flags.PATH, help=SECONDS),
)
def grid(asked: Namespace) -> bool | None:
    """Compare METHODS, each `name` or `name:{JSON}` of options and settings, with the first over
    factors: arguments of the scenes, which each seed draws anew, or numbers among the settings."""
    if asked.seconds:
        return measure(asked)
    runs = plan(asked, range(asked.seeds), asked.factors, asked.epochs_at)
    return compare(asked, runs.values())


main = partial(cli.main, command=grid)

if __name__ == "__main__":
    sys.exit(main())
