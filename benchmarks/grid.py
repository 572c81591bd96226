"""Compare methods with the first over factors: when does another sensor help, and which budget?

A factor is a parameter of the synthetic scenes, or a number among the settings. Scenes are drawn
anew for each seed. A stopped sweep continues.

python benchmarks/grid.py --factors '{"epochs": [5, 10, 20, 40, 80]}' --methods student discom
python benchmarks/grid.py --methods crodino 'crodino:{"weights":{"soft":0}}' --data scenes-dense
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from catalogue import SCENES, summary
from discom import data, files, methods, profile, tables
from discom.config import FIELDS
from discom.errors import ConfigError, DiscomError
from discom.hardware import device_type, machine
from discom.running import sweep
from discom.running.runs import Result, Run
from discom.tables.intervals import t_test

NUMBERS = {name for name, each in FIELDS.items() if each.annotation in (int, float)}
SETTINGS = tuple(sorted(NUMBERS - {"seed"}))
FACTORS = SCENES + SETTINGS


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
    """The type of --methods: `name` or `name:{JSON}`, JSON of options and settings."""
    name, _, braces = text.partition(":")
    options = dict(json.loads(braces or "{}"))
    settings = {key: options.pop(key) for key in SETTINGS if key in options}
    return Arm(name, options, settings)


def setting(text: str) -> tuple[str, object]:
    """The type of --set: a setting of Config and its value."""
    name, _, value = text.partition("=")
    if name in ("seed", "options"):
        raise ValueError(f"{name} is not for --set")
    is_number = name in FIELDS and FIELDS[name].annotation in (bool, int, float)
    return name, json.loads(value) if is_number else value  # Config checks type and range


def seeds(text: str) -> range:
    """The type of --seeds: so many, from 0 on, one at least."""
    if int(text) < 1:
        raise ValueError(text)
    return range(int(text))


def factors(text: str) -> dict[str, list[float]]:
    """The type of --factors: arguments of the scenes or settings, and the values of each."""
    given = {name: list(map(float, values)) for name, values in dict(json.loads(text)).items()}
    if set(given) - set(FACTORS) or not all(given.values()):
        raise argparse.ArgumentTypeError(f"{text}: give one of {', '.join(FACTORS)} its values")
    return given


def epochs(text: str) -> dict[float, dict[str, int]]:
    """The type of --epochs: a value of the first factor → its epochs, as changed settings."""
    return {float(key): {"epochs": int(value)} for key, value in dict(json.loads(text)).items()}


def parser(text: str) -> argparse.ArgumentParser:
    """What the scripts that train have in common; it says the first paragraph of `text`."""
    made = argparse.ArgumentParser(description=text.partition("\n\n")[0])
    how = "name or name:{JSON}, JSON of options and settings"
    made.add_argument("--methods", type=arm, nargs="+", required=True, help=how)
    made.add_argument("--data", default="scenes", help="such as scenes:n=600, or a folder")
    how = "such as labelled=0.2 epochs=15"
    made.add_argument("--set", type=setting, nargs="+", default=[], help=how)
    made.add_argument("--profile", default="cpu", help="tiny, cpu (default) or paper")
    how = "side by side (default: all cores)"
    made.add_argument("--workers", type=int, default=0, help=how)
    made.set_defaults(factors={}, epochs={}, runs="runs")
    return made


def plan(chosen: argparse.Namespace) -> dict[tuple[Any, ...], Run]:
    """Every method at every point of the factors and with every seed: label, seed, values → run."""
    labels = [row.label for row in chosen.methods]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError("--methods", f"two are called '{twice[0]}'", "compare them one by one")
    own = {name for row in chosen.methods for name in row.settings}
    if both := (own | {name for name, _ in chosen.set}) & set(chosen.factors):
        found = f"'{both.pop()}' is also in --set or --methods"
        raise ConfigError("--factors", found, "give it once")
    if lost := set(chosen.epochs) - set(next(iter(chosen.factors.values()), [])):
        raise ConfigError("--epochs", f"{lost.pop():g} is not in the first factor", "leave it out")
    runs = {}
    planned = lru_cache(data.planned)
    for seed, *values in product(chosen.seeds, *chosen.factors.values()):
        changes = dict(zip(chosen.factors, values, strict=True))
        changes |= chosen.epochs.get(next(iter(values), None), {})
        source = chosen.data
        if drawn := [f"{name}={changes.pop(name):g}" for name in SCENES if name in changes]:
            source += ("," if ":" in source else ":") + ",".join(drawn)
        images = planned(source)(seed)
        for row in chosen.methods:
            settings = {**dict(chosen.set), **changes, **row.settings, "seed": seed}
            settings |= {"dense": images.dense, "options": row.options}
            config, method = profile(chosen.profile, **settings), methods.get(row.method)
            run = Run.of(chosen.runs, method, images, config, source)
            runs[row.label, seed, *values] = run
    return runs


def compare(chosen: argparse.Namespace) -> dict[Path, str]:
    """Train what is missing, then print and collect the table; folder → error of the runs that
    failed."""
    against, runs = [chosen.methods[0].label], plan(chosen).values()
    known = tables.collected(chosen.collect)
    done = sweep.sweep(runs, known=known, workers=chosen.workers)
    if done.results:
        table = summary(done.results, against, list(chosen.factors))
        print(tables.to_markdown(table, against))
        if chosen.collect:
            tables.collect(done.results, chosen.collect)
    sys.stderr.writelines(f"grid: error: {error}\n" for error in done.failed.values())
    return done.failed


def measure(chosen: argparse.Namespace) -> None:
    """Train all anew, one after the other, a round for each seed; print and write the machine, the
    seconds of each method, its teacher's included, and their share of the first method's: mean and
    95 % interval over rounds. The first round is left out: the first use of a library is slow."""
    if len(chosen.seeds) < 3 or not chosen.methods[1:] or chosen.factors:
        raise ConfigError("--seconds: give --seeds 3 or more, two methods or more, and no factors")
    torch.set_num_threads(1)
    rounds = []
    with tempfile.TemporaryDirectory() as chosen.runs:
        every = plan(chosen)
        for seed in chosen.seeds:
            runs = {label: run for (label, number), run in every.items() if number == seed}
            spent = {}
            for label, run in runs.items():
                (result,) = sweep.results([run], workers=1)
                both = [result]
                if run.teacher:
                    both.append(Result.read(run.teacher.folder / "result.json"))
                spent[label] = sum(each.seconds for each in both)
            rounds.append(spent)
    first, *others = rounds[0]
    shares = {name: np.array([one[name] / one[first] for one in rounds[1:]]) for name in others}
    ratio = {name: list(t_test(share)[:3]) for name, share in shares.items()}
    here = machine(torch.device(device_type(run.config.accelerator)))
    what = f"seconds of {run.config.epochs} epochs on {run.data}, teachers included, one thread"
    report = {"what": what, "machine": here, "ratio": ratio, "rounds": rounds[1:]}
    print(json.dumps(report, indent=1))
    files.write_json(chosen.seconds, report)


def status(name: str, work: Callable[[], object]) -> int:
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


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; see `status`."""
    flags = parser(__doc__)
    what = "table of runs, FILE.csv: read first, then these are added"
    flags.add_argument("--collect", type=Path, help=what)
    flags.add_argument("--factors", type=factors, help="name → its values, JSON")
    what = 'JSON: value of the first factor → epochs, so that all take as many steps: {"0.1": 11}'
    flags.add_argument("--epochs", type=epochs, help=what)
    flags.add_argument("--seeds", type=seeds, default="10", help="how many (default: 10)")
    flags.add_argument("--runs", type=Path, help="the folder of all runs")
    what = "no table: seconds of training into this JSON file; run it alone on the machine"
    flags.add_argument("--seconds", type=Path, help=what)
    chosen = flags.parse_args(arguments)
    return status("grid", lambda: measure(chosen) if chosen.seconds else compare(chosen))


if __name__ == "__main__":
    sys.exit(main())
