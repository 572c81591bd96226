"""Plans of many runs: methods against dials of the synthetic scenes, and how long they take."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

import torch

from discom import methods
from discom.config import Config
from discom.data import Batches, MultiModalData, load
from discom.errors import ConfigError
from discom.machine import device_type
from discom.runs import Run

__all__ = ["arm", "cell_runs", "cells", "estimate"]

DIALS = {  # the arguments of synthetic scenes that stand in a data set's name
    "scenes": ("shared", "labelled", "labelled_in", "unpaired"),
    "scenes-dense": ("labelled",),
}


def arm(text: str) -> tuple[str, dict[str, Any]]:
    """A method and its options from one word; terms of its loss are options like any other.

    >>> arm("discom:pairing=paired;adv=0")
    ('discom', {'pairing': 'paired', 'weights': {'adv': 0}})
    """
    name, _, rest = text.strip().partition(":")
    terms = methods.get(name).terms
    options: dict[str, Any] = {}
    for item in filter(None, rest.split(";")):
        key, equals, value = item.partition("=")
        if not equals:
            raise ConfigError(
                f"methods: '{item}' in '{text}' is no option; write e.g. discom:pairing=paired"
            )
        target = options.setdefault("weights", {}) if key in terms else options
        target[key] = value
        with suppress(ValueError):
            target[key] = json.loads(value)
    return name, options


def cells(data: str, dials: Mapping[str, Sequence[Any]], seeds: int) -> list[str]:
    """The data sets of a grid: every combination of the dials' values, drawn with every seed.

    >>> cells("scenes:n=99", {"shared": [0, 1]}, 1)
    ['scenes:n=99,shared=0,seed=0', 'scenes:n=99,shared=1,seed=0']

    Raises:
        ConfigError: data without dials, an unknown dial, or one without values.
    """
    name, _, arguments = data.partition(":")
    if name not in DIALS:
        raise ConfigError(f"data: '{data}' has no dials; use scenes, or discom table for the data")
    if not isinstance(dials, Mapping) or set(dials) - set(DIALS[name]):
        raise ConfigError(f"dials: {dials} are not values of {', '.join(DIALS[name])}")
    for dial, values in dials.items():
        if not isinstance(values, list | tuple) or not values:
            raise ConfigError(f"dials: {dial} needs a list of values, such as [0, 0.5, 1]")
    places = []
    for seed, values in product(range(seeds), product(*dials.values())):
        settings = [f"{dial}={value}" for dial, value in zip(dials, values, strict=True)]
        places.append(f"{name}:{','.join(filter(None, [arguments, *settings, f'seed={seed}']))}")
    return places


def cell_runs(
    cell: str,
    arms: Sequence[tuple[str, dict[str, Any]]],
    runs: Path | str,
    config: Callable[[int, dict[str, Any]], Config],
) -> list[Run]:
    """A run of each arm on one of `cells`, with the seed that the cell is drawn with; `config`
    makes the settings from the seed and the arm's options."""
    seed, data = int(cell.rpartition("seed=")[2]), load(cell)
    return [Run.of(runs, methods.get(name), data, config(seed, options)) for name, options in arms]


def estimate(runs: Sequence[Run], data: MultiModalData) -> float:
    """Seconds that one worker needs, roughly: a step of the plain student is timed now, and any
    other method is taken to need twice as long."""
    if not runs:
        return 0.0
    plain = methods.get("single" if methods.get(runs[0].method).dense else "student")
    part, config = data.split(seed=0).train, replace(runs[0].config, options={})
    device = device_type(config.accelerator)
    with torch.random.fork_rng():  # the caller's draws stay as they are
        student = methods.build(plain, part, config).to(device)
    batches = Batches(part, config.batch_size, 0, device=device, dense=plain.dense)
    for batch in islice(batches.epoch(0), 2):  # the first is slower
        started = time.perf_counter()
        student.loss(batch)["cl"].backward()
        seconds = time.perf_counter() - started
    epochs = sum(run.config.epochs * (1 if run.method == plain.name else 2) for run in runs)
    return seconds * len(batches) * epochs
