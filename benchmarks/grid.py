"""Compare methods with the first of them, each `name` or `name:{JSON}` of options and settings.

python benchmarks/grid.py student discom 'discom:{"pairing": "paired"}' --epochs 10
python benchmarks/grid.py crodino 'crodino:{"weights":{"soft":0}}' --data scenes-dense
"""

import sys
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import click

import discom.data
from discom import cli, methods, profile, tables
from discom.cli import flags
from discom.config import FIELDS
from discom.errors import ConfigError, say
from discom.running import sweep
from discom.running.runs import Run

SETTINGS = [n for n, each in FIELDS.items() if each.annotation in (int, float) and n != "seed"]
Data = Annotated[str, "Such as objects:n=600, or a folder."]


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


def plan(
    arms: Iterable[Arm],
    seeds: Iterable[int],
    settings: Mapping[str, Any],
    data: str,
    modalities: str,
    runs: Path | str,
    folds: int = 0,
) -> dict[tuple[str, int, int], Run]:
    """Every method with every seed, and with `folds` every one of them: label, seed, fold → run."""
    arms, planned = list(arms), {}
    labels = [arm.display_name for arm in arms]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError("METHODS", f"two are called '{twice[0]}'", "compare them one by one")
    images_of = discom.data.planned(data, modalities)
    for seed, arm, fold in product(seeds, arms, range(folds or 1)):
        images, method = images_of(seed), methods.get(arm.method)
        own = {**settings, **arm.settings, "seed": seed, "options": arm.options}
        config = profile(dense=images.dense, **own)
        run = Run.of(runs, method, images, config, data, modalities, folds, fold)
        planned[arm.display_name, seed, fold] = run
    return planned


@flags.command
def grid(
    methods: tuple[str, ...],
    data: Data = "objects",
    seeds: Annotated[int, click.IntRange(1), "How many."] = 10,
    collect: Annotated[Path | None, Path, "Table of runs to read and to add to."] = None,
    workers: flags.Workers = 0,
    modalities: flags.Modalities = "",
    folds: Annotated[int | None, click.IntRange(2), "By group, instead of a split."] = None,
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> bool:
    """Compare METHODS, each `name` or `name:{JSON}` of options and settings, with the first."""
    arms = [*map(Arm.of, methods)]
    planned = plan(arms, range(seeds), settings, data, modalities, runs, folds or 0)
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
