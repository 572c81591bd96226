"""Compare methods over factors: when does the other sensor help, and what does training buy?

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
from typing import Any, NamedTuple, get_type_hints

import pandas as pd
from matplotlib.figure import Figure

from discom import data, methods, plots, profile, tables
from discom.config import Config
from discom.errors import ConfigError, DiscomError
from discom.running import sweep
from discom.running.runs import Result, Run

SCENES = ("noise", "epsilon", "delta")  # the numbers that stand in a data set's name
NUMBERS = {name for name, kind in get_type_hints(Config).items() if kind in (int, float)}
SETTINGS = tuple(sorted(NUMBERS - {"seed", "devices"}))
FACTORS = SCENES + SETTINGS


def factors(text: str) -> dict[str, list[float]]:
    """The type of --factors: arguments of the scenes or settings, and the values of each."""
    given = {name: list(values) for name, values in dict(json.loads(text)).items()}
    if not given or set(given) - set(FACTORS) or not all(given.values()):
        raise argparse.ArgumentTypeError(f"{text}: give one of {', '.join(FACTORS)} its values")
    return {name: [number(name, value) for value in given[name]] for name in given}


def number(name: str, value: Any) -> float:
    """A value of a factor or setting, as that setting's type: 2.0 epochs are 2."""
    kind = get_type_hints(Config).get(name, float)
    if kind not in (int, float) or kind(value) != float(value):
        raise ValueError(f"{name}={value}")
    return kind(value)


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


def check_arms(rows: list[Arm]) -> None:
    """A ConfigError where a method brings its own number of seeds, or two have one label."""
    if several := [row.method for row in rows if row.seeds]:
        raise ConfigError(f"--methods: {several[0]}: seeds stand in --seeds; leave them out")
    labels = [row.label for row in rows]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError(f"--methods: two are called '{twice[0]}'; compare them one by one")


def epochs(text: str) -> dict[float, dict[str, int]]:
    """The type of --epochs: a value of the first factor → its epochs, as changed settings."""
    return {float(key): {"epochs": int(value)} for key, value in dict(json.loads(text)).items()}


def setting(text: str) -> tuple[str, object]:
    """The type of --set: a setting of Config and its value."""
    name, _, value = text.partition("=")
    if name in ("seed", "options"):
        raise ValueError(f"{name} is not for --set")
    kind = type(getattr(Config, name, ""))
    return name, json.loads(value) if kind is bool else kind(value)


Planned = tuple[Run, str, dict[str, float]]  # a run, its data, and the value of every factor


def plan(chosen: argparse.Namespace) -> list[Planned]:
    """Every method at every point of the factors and with every seed, or as many as it says."""
    planned: list[Planned] = []
    own = {name for row in chosen.methods for name in row.settings}
    if both := (own | {name for name, _ in chosen.set}) & set(chosen.factors):
        raise ConfigError(f"--factors: '{both.pop()}' is also in --set or --methods; give it once")
    if lost := set(chosen.epochs) - set(next(iter(chosen.factors.values()))):
        raise ConfigError(f"--epochs: {lost.pop():g} is not in the first factor; leave it out")
    load = lru_cache(maxsize=1)(data.load)
    most = max(row.seeds or chosen.seeds for row in chosen.methods)
    for seed, *values in product(range(most), *chosen.factors.values()):
        point = dict(zip(chosen.factors, values, strict=True))
        place, changes = chosen.data, point | chosen.epochs.get(values[0], {})
        drawn = [name for name in point if name in SCENES]
        if arguments := [f"{name}={changes.pop(name):g}" for name in drawn]:
            place += ("," if ":" in place else ":") + ",".join(arguments)
        images = load(place, seed=seed)
        for row in chosen.methods:
            if seed >= (row.seeds or chosen.seeds):
                continue
            settings = {**dict(chosen.set), **changes, **row.settings, "seed": seed}
            config = profile(chosen.profile, dense=images.dense, options=row.options, **settings)
            run = Run.of(chosen.runs, methods.get(row.method), images, config)
            planned.append((run, place, point))
    return planned


def summary(planned: list[Planned], against: list[str]) -> pd.DataFrame:
    """A summary for each point of the factors, one below the other; a column for each factor."""
    points: dict[str, list[Planned]] = {}
    for each in planned:
        points.setdefault(json.dumps(each[2]), []).append(each)
    parts = []
    for group in points.values():
        point = {name: float(value) for name, value in group[0][2].items()}
        part = tables.summary([read(run) for run, *_ in group], against).assign(**point)
        for name in [name for name in point if name not in (*SCENES, "labelled")]:
            part["data"] += f" {name}={point[name]:g}"  # which the summary does not say
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def read(run: Run) -> Result:
    """What a finished run reports."""
    return Result.read(run.folder / "result.json")


def figures(
    table: pd.DataFrame, chosen: argparse.Namespace, against: list[str]
) -> dict[str, Figure]:
    """End of the file's name → a figure: the differences, and the scores over a factor."""
    varied = any(len(values) > 1 for values in chosen.factors.values())
    several = len(chosen.methods) > 1
    drawn = {}
    if several and varied:
        drawn[""] = plots.gains(table, *chosen.factors, against=against, names=chosen.names)
    elif several:
        drawn[""] = plots.intervals(table, against)
    if varied:
        drawn["-scores"] = plots.scores(table, *chosen.factors, names=chosen.names)
        drawn["-scores"].suptitle(chosen.title)
    return drawn


def compare(chosen: argparse.Namespace) -> bool:
    """Train what is missing, then print, write and draw the table; whether no run failed."""
    labels = [row.label for row in chosen.methods]
    against = chosen.against or labels[:1]
    if absent := set(against) - set(labels):
        raise ConfigError(f"--against: '{absent.pop()}' is not among {', '.join(labels)}")
    planned = plan(chosen)
    if not planned:
        raise ConfigError(f"--seeds: {chosen.seeds} runs make no table; use 1 or more")
    places = {run.fingerprint: place for run, place, _ in planned}
    runs = [run for run, *_ in planned]
    failed = sweep.sweep(runs, lambda run: places[run.fingerprint], workers=chosen.workers)
    if done := [each for each in planned if each[0].folder not in failed]:
        table = summary(done, against)
        print(tables.to_markdown(table, against))
        if chosen.collect:
            tables.collect([read(run) for run, *_ in done], chosen.collect)
        if chosen.out:
            tables.write(table, chosen.out, against)
            plots.style()
            for end, figure in figures(table, chosen, against).items():
                figure.savefig(f"{chosen.out}{end}.png")
    sys.stderr.writelines(f"grid: error: {error}\n" for error in failed.values())
    return not failed


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; the exit status is 1 where runs failed, 2 where the input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="scenes", help="such as scenes:n=600, or a folder")
    parser.add_argument("--factors", type=factors, required=True, help="name → its values, JSON")
    what = "name or name:{JSON}, JSON of options and settings"
    parser.add_argument("--methods", type=arm, nargs="+", required=True, help=what)
    parser.add_argument("--against", nargs="+", help="labels of baselines (default: the first)")
    what = "JSON: methods in the figure of scores → their names there (default: all)"
    parser.add_argument("--names", type=json.loads, default={}, help=what)
    parser.add_argument("--title", help="what the figure of scores shows")
    what = 'JSON: value of the first factor → epochs, so that all take as many steps: {"0.1": 11}'
    parser.add_argument("--epochs", type=epochs, default={}, help=what)
    parser.add_argument("--profile", default="cpu", help="tiny, cpu (default) or paper")
    parser.add_argument("--set", type=setting, nargs="+", default=[], help="such as epochs=15")
    parser.add_argument("--seeds", type=int, default=10, help="how many (default: 10)")
    parser.add_argument("--runs", type=Path, default="runs", help="the folder of all runs")
    parser.add_argument("--workers", type=int, default=0, help="side by side (default: all cores)")
    parser.add_argument("--out", type=Path, help="write OUT.md, .csv, .tex and figures")
    parser.add_argument("--collect", type=Path, help="write all results into this JSON file")
    try:
        return 0 if compare(parser.parse_args(arguments)) else 1
    except KeyboardInterrupt as stop:
        print(f"grid: {stop or 'interrupted'}", file=sys.stderr)
        return 130
    except (DiscomError, OSError) as error:
        print(f"grid: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
