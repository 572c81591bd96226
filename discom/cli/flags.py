"""Flags of several commands. Those of settings are made from the fields of `Config`."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
from click import option

from discom.config import FIELDS

SETTINGS = [name for name in FIELDS if name not in ("seed", "dense", "options")]


def command(*parameters: Callable) -> Callable[[Callable], click.Command]:
    """Make a command of a function of one namespace: its flags, and as `settings` those that were
    given of the settings."""

    def decorate(call: Callable) -> click.Command:
        @wraps(call)
        def called(**flags: Any) -> Any:
            given = {name: flags[name] for name in SETTINGS if flags.get(name) is not None}
            return call(SimpleNamespace(**flags, settings=given))

        for parameter in reversed(parameters):
            called = parameter(called)
        return click.command()(called)

    return decorate


def json_object(text: str) -> dict[str, Any]:
    """The type of --options."""
    with suppress(ValueError):
        if isinstance(content := json.loads(text), dict):
            return content
    raise ValueError(f"'{text}' is not a JSON object")


def by_sensor(text: str) -> dict[str, Any]:
    """The type of --bands and --motions: numbers or a word for each sensor.

    >>> by_sensor("rgb=1,2,3;nir=4"), by_sensor("rgb=flip")
    ({'rgb': [1, 2, 3], 'nir': [4]}, {'rgb': 'flip'})
    """
    with suppress(ValueError):
        words = dict(part.split("=") for part in text.split(";"))
        return {s: w if w.isalpha() else [*map(int, w.split(","))] for s, w in words.items()}
    raise ValueError(f"'{text}' is not of the form 'rgb=1,2,3;nir=4'")


PATH, SEED = click.Path(path_type=Path), click.IntRange(0, 2**32 - 1)
JSON: dict[str, Any] = {"type": json_object, "metavar": "JSON", "default": "{}"}
DATA = option("--data", help="Name or folder  [default: scenes, or scenes-dense]")
MODALITIES = option("--modalities", help="Sensors in this order: rgb+depth  [default: all]")
WORKERS = option(
    "--workers", type=click.IntRange(0), default=0, help="Runs side by side; 0: one a core."
)
DRY_RUN = option("--dry-run", is_flag=True, help="Say which runs are missing, and stop.")
OVERWRITE = option("--overwrite", is_flag=True, help="Replace what this command wrote there.")
TRAINING = [  # every setting has a flag
    MODALITIES,
    option("--runs", type=PATH, default="runs", help="Folder of all runs."),
    option("--profile", default="cpu", help="Of all settings: tiny, cpu, finetune or paper."),
]
for name in SETTINGS:
    kind, about = FIELDS[name].annotation, FIELDS[name].description
    simple = kind if kind in (int, float, bool) else str
    TRAINING.append(option(f"--{name.replace('_', '-')}", type=simple, help=about))
