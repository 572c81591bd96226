"""Data sets along dials of the drawn scenes, and the runs on them."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from discom import methods
from discom.config import Config
from discom.errors import ConfigError
from discom.runs import Run
from discom.sweep.jobs import Source

__all__ = ["arm", "cell_runs", "cells"]

# the arguments of drawn data that a data set's name tells
DIALS = {
    "scenes": ("shared", "spurious", "spurious_in", "labelled", "labelled_in", "unpaired"),
    "scenes-dense": ("noise", "labelled", "degraded", "degraded_in"),
}


def arm(text: str) -> tuple[str, dict[str, Any]]:
    """A method and its options from one word; terms of its loss are options like any other.

    >>> arm("discom:pairing=paired;adv=0")
    ('discom', {'pairing': 'paired', 'weights': {'adv': 0}})
    """
    name, _, rest = text.strip().partition(":")
    terms, options = methods.get(name).terms, {}
    for item in filter(None, rest.split(";")):
        key, equals, value = item.partition("=")
        if not equals:
            raise ConfigError(
                f"methods: '{item}' in '{text}' is no option; write e.g. discom:pairing=paired;adv=0"
            )
        held = options.setdefault("weights", {}) if key in terms else options
        held[key] = _value(value)
    return name, options


def _value(text: str) -> Any:
    """A number or a truth where it is one, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def cells(data: str, dials: Mapping[str, Sequence[Any]], seeds: int) -> list[Source]:
    """Every combination of the dials' values, drawn with every seed; seeds first, so that a part is
    a whole table.

    >>> [source.path for source in cells("scenes:n=99", {"shared": [0, 1]}, 1)]
    ['scenes:n=99,shared=0,seed=0', 'scenes:n=99,shared=1,seed=0']

    Raises:
        ConfigError: data that has no dials, a dial that there is not, or one without values.
    """
    known = DIALS.get(data.partition(":")[0])
    if known is None:
        raise ConfigError(
            f"data: '{data}' has no dials; only scenes are drawn, use discom table for the others"
        )
    if not isinstance(dials, Mapping) or set(dials) - set(known):
        raise ConfigError(
            f"dials: {dials} are not values of {', '.join(known)}; other arguments go with the data"
        )
    if empty := [
        name for name, values in dials.items() if not isinstance(values, list | tuple) or not values
    ]:
        raise ConfigError(f"dials: {empty[0]} needs a list of values, such as [0, 0.5, 1]")
    head = data if ":" in data else f"{data}:"
    joint = "" if head.endswith(":") else ","
    settings = [",".join(f"{name}={value}" for name, value in zip(dials, values, strict=True))
                for values in product(*dials.values())]  # fmt: skip
    return [Source(f"{head}{joint}{','.join(filter(None, [chosen, f'seed={seed}']))}")
            for seed in range(seeds) for chosen in settings]  # fmt: skip


def cell_runs(
    source: Source,
    arms: Sequence[tuple[str, dict[str, Any]]],
    runs: Path | str,
    config: Callable[[int, dict[str, Any]], Config],
) -> list[Run]:
    """A run of every arm on one cell, with the seed that the cell is drawn with.

    Args:
        source: of `cells`.
        arms: methods and their options.
        runs: the folder of all runs.
        config: of a seed and a method's options.
    """
    seed, held = int(source.path.rpartition("seed=")[2]), source.load()
    return [Run.of(runs, methods.get(name), held, config(seed, options)) for name, options in arms]
