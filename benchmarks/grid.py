"""Compare methods with the first over factors: when does another sensor help, and which budget?

A factor is a parameter of the synthetic scenes, or a number among the settings. Scenes are drawn
anew for each seed. A stopped sweep continues.

python benchmarks/grid.py --factors '{"epochs": [5, 10, 20, 40, 80]}' --methods student discom
python benchmarks/grid.py --factors '{"labelled": [0.1, 0.2]}' --methods student 'mdico:{"seeds":3}'
"""

import argparse
import json
import sys
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import common
from catalogue import SCENES, summary
from discom import data, methods, profile, tables
from discom.config import FIELDS
from discom.errors import ConfigError
from discom.running import sweep
from discom.running.runs import Run

FACTORS = SCENES + common.SETTINGS


def factors(text: str) -> dict[str, list[float]]:
    """The type of --factors: arguments of the scenes or settings, and the values of each."""
    given = {name: list(values) for name, values in dict(json.loads(text)).items()}
    if not given or set(given) - set(FACTORS) or not all(given.values()):
        raise argparse.ArgumentTypeError(f"{text}: give one of {', '.join(FACTORS)} its values")
    return {name: [number(name, value) for value in given[name]] for name in given}


def number(name: str, value: Any) -> float:
    """A value of a factor or setting, as that setting's type: 2.0 epochs are 2."""
    kind = FIELDS[name].annotation if name in FIELDS else float
    if kind not in (int, float) or kind(value) != float(value):
        raise ValueError(f"{name}={value}")
    return kind(value)


def epochs(text: str) -> dict[float, dict[str, int]]:
    """The type of --epochs: a value of the first factor → its epochs, as changed settings."""
    return {float(key): {"epochs": int(value)} for key, value in dict(json.loads(text)).items()}


def plan(chosen: argparse.Namespace) -> list[Run]:
    """Every method at every point of the factors and with every seed, or as many as it says."""
    own = {name for row in chosen.methods for name in row.settings}
    if both := (own | {name for name, _ in chosen.set}) & set(chosen.factors):
        found = f"'{both.pop()}' is also in --set or --methods"
        raise ConfigError("--factors", found, "give it once")
    if lost := set(chosen.epochs) - set(next(iter(chosen.factors.values()))):
        raise ConfigError("--epochs", f"{lost.pop():g} is not in the first factor", "leave it out")
    runs: list[Run] = []
    planned = lru_cache(data.planned)
    most = max(row.seeds or chosen.seeds for row in chosen.methods)
    for seed, *values in product(range(most), *chosen.factors.values()):
        changes = dict(zip(chosen.factors, values, strict=True)) | chosen.epochs.get(values[0], {})
        source = chosen.data
        if drawn := [f"{name}={changes.pop(name):g}" for name in SCENES if name in changes]:
            source += ("," if ":" in source else ":") + ",".join(drawn)
        images = planned(source)(seed)
        for row in chosen.methods:
            if seed < (row.seeds or chosen.seeds):
                settings = {**dict(chosen.set), **changes, **row.settings, "seed": seed}
                settings |= {"dense": images.dense, "options": row.options}
                config = profile(chosen.profile, **settings)
                method = methods.get(row.method)
                runs.append(Run.of(chosen.runs, method, images, config, source))
    return runs


def compare(chosen: argparse.Namespace) -> dict[Path, str]:
    """Train what is missing, then print and collect the table; folder → error of the runs that
    failed."""
    against, runs = [chosen.methods[0].label], plan(chosen)
    if not runs:
        raise ConfigError("--seeds", f"{chosen.seeds} runs make no table", "use 1 or more")
    known = tables.collected(chosen.collect)
    done = sweep.sweep(runs, known=known, workers=chosen.workers)
    if done.results:
        table = summary(done.results, against, list(chosen.factors))
        print(tables.to_markdown(table, against))
        if chosen.collect:
            tables.collect(done.results, chosen.collect)
    sys.stderr.writelines(f"grid: error: {error}\n" for error in done.failed.values())
    return done.failed


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; see `common.run`."""
    parser = common.parser(__doc__, "data methods set profile runs workers")
    what = "table of runs, FILE.csv: read first, then these are added"
    parser.add_argument("--collect", type=Path, help=what)
    parser.add_argument("--factors", type=factors, required=True, help="name → its values, JSON")
    what = 'JSON: value of the first factor → epochs, so that all take as many steps: {"0.1": 11}'
    parser.add_argument("--epochs", type=epochs, default={}, help=what)
    parser.add_argument("--seeds", type=int, default=10, help="how many (default: 10)")
    chosen = parser.parse_args(arguments)
    return common.run("grid", lambda: compare(chosen))


if __name__ == "__main__":
    sys.exit(main())
