"""What the scripts share: methods and settings on the command line, and the exit status."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from discom import methods
from discom.config import FIELDS
from discom.errors import ConfigError, DiscomError

NUMBERS = {name for name, each in FIELDS.items() if each.annotation in (int, float)}
SETTINGS = tuple(sorted(NUMBERS - {"seed"}))


class Arm(NamedTuple):
    """A method with its options, settings of its own, and its number of seeds if it has one."""

    method: str
    options: dict[str, Any]
    settings: dict[str, Any]
    seeds: int | None = None

    @property
    def label(self) -> str:
        """What its row is called."""
        return methods.label(self.method, methods.get(self.method).changed(self.options))


def arm(text: str) -> Arm:
    """The type of --methods: `name` or `name:{JSON}`, JSON of options, settings and seeds."""
    name, _, braces = text.partition(":")
    options = dict(json.loads(braces or "{}"))
    settings = {key: options.pop(key) for key in SETTINGS if key in options}
    seeds = options.pop("seeds", None)
    if seeds is not None and (type(seeds) is not int or seeds < 1):
        raise ValueError(f"seeds={seeds}")
    return Arm(name, options, settings, seeds)


def check_arms(rows: Sequence[Arm]) -> None:
    """A ConfigError where a method brings its own number of seeds, or two have one label."""
    if several := [row.method for row in rows if row.seeds]:
        raise ConfigError("--methods", f"{several[0]} has seeds of its own", "use --seeds")
    labels = [row.label for row in rows]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError("--methods", f"two are called '{twice[0]}'", "compare them one by one")


def setting(text: str) -> tuple[str, object]:
    """The type of --set: a setting of Config and its value."""
    name, _, value = text.partition("=")
    if name in ("seed", "options"):
        raise ValueError(f"{name} is not for --set")
    is_number = name in FIELDS and FIELDS[name].annotation in (bool, int, float)
    return name, json.loads(value) if is_number else value  # Config checks type and range


FLAGS: dict[str, dict[str, Any]] = {
    "methods": {
        "type": arm,
        "nargs": "+",
        "required": True,
        "help": "name or name:{JSON}, JSON of options and settings",
    },
    "data": {"default": "scenes", "help": "such as scenes:n=600, or a folder"},
    "set": {"type": setting, "nargs": "+", "default": [], "help": "such as labelled=0.2 epochs=15"},
    "profile": {"default": "cpu", "help": "tiny, cpu (default) or paper"},
    "workers": {"type": int, "default": 0, "help": "side by side (default: all cores)"},
    "runs": {"type": Path, "default": "runs", "help": "the folder of all runs"},
}


def parser(text: str, flags: str) -> argparse.ArgumentParser:
    """A parser with these of the shared FLAGS; it says the first paragraph of `text`."""
    made = argparse.ArgumentParser(description=text.partition("\n\n")[0])
    for name in flags.split():
        made.add_argument(f"--{name}", **FLAGS[name])
    return made


def run(name: str, work: Callable[[], object]) -> int:
    """Do a script's work. The exit status is 1 where it returns failures, 2 where the input is
    wrong, 130 where it was interrupted."""
    try:
        return 1 if work() else 0
    except KeyboardInterrupt as stop:
        print(f"{name}: {stop or 'interrupted'}", file=sys.stderr)
        return 130
    except (DiscomError, OSError) as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 2
