"""Choose a learning rate for each method, or another number: the same values for all, by the
validation F1 of one seed that no table reports.

python benchmarks/choose.py --methods student discom 'discom:{"adversary": "alternating"}'
python benchmarks/choose.py --option temperature --values 0.5 1 2 --methods kdv2+lskd
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from grid import SETTINGS, arm

from discom import data, files, methods, profile, sweep
from discom.config import Config
from discom.errors import DiscomError
from discom.runs import Result, Run

RATES = (5e-3, 1e-2, 2e-2)


def usual(chosen: argparse.Namespace, name: str, options: dict) -> Config:
    """The settings where nothing is tried."""
    dense = methods.get(name).dense
    return profile(chosen.profile, dense=dense, seed=chosen.seed, options=options)


def settings(chosen: argparse.Namespace, name: str, options: dict, value: float) -> Config:
    """The settings of one try."""
    config = usual(chosen, name, options)
    default = methods.get(name).defaults().get(chosen.option, getattr(config, chosen.option, value))
    value = int(value) if isinstance(default, int) and value == int(value) else value
    if chosen.option in SETTINGS:
        return replace(config, **{chosen.option: value})
    return replace(config, options={**options, chosen.option: value})


def choose(chosen: argparse.Namespace) -> pd.DataFrame:
    """A row for each method: its mean validation F1 for each value, and the best value."""
    place = data.at_seed(chosen.data, chosen.seed)
    images = data.load(place)
    runs = {}
    for name, options in chosen.methods:
        for value in chosen.values:
            method, config = methods.get(name), settings(chosen, name, options, value)
            run = Run.of(chosen.runs, method, images, config)
            if run.teacher and chosen.option != "labelled":  # the same for every value
                one = Run.of(chosen.runs, method, images, usual(chosen, name, options))
                run = replace(run, teacher=one.teacher)
            runs[methods.label(name, options), value] = run
    failed = sweep.sweep(runs.values(), place, workers=chosen.workers)
    if failed:
        raise DiscomError(next(iter(failed.values())))
    scores: dict[str, dict[str, float]] = {}
    for (label, value), run in runs.items():
        result = Result.read(run.folder / "result.json")
        valid = [score[f"valid_{result.metric}"] for score in result.scores.values()]
        scores.setdefault(label, {})[f"{value:g}"] = sum(valid) / len(valid)
    table = pd.DataFrame(scores).T
    table.attrs["data"] = images.name
    return table.assign(chosen=table.idxmax(axis=1).astype(float))


def main(arguments: list[str] | None = None) -> int:
    """Train, print and write the choice; the exit status is 2 where the input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--methods", type=arm, nargs="+", required=True, help="name or name:{JSON}")
    parser.add_argument(
        "--option", default="learning_rate", help="a setting, or an option of the method"
    )
    parser.add_argument("--values", type=float, nargs="+", default=RATES)
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--seed", type=int, default=100, help="not one of a table")
    parser.add_argument("--profile", default="cpu", help="tiny, cpu (default) or paper")
    parser.add_argument("--runs", type=Path, default="runs", help="the folder of all runs")
    parser.add_argument("--workers", type=int, default=0, help="side by side (default: all cores)")
    parser.add_argument("--out", type=Path, help="write the table into this JSON file")
    chosen = parser.parse_args(arguments)
    try:
        table = choose(chosen)
    except KeyboardInterrupt as stop:
        print(f"choose: {stop or 'interrupted'}", file=sys.stderr)
        return 130
    except (DiscomError, OSError) as error:
        print(f"choose: error: {error}", file=sys.stderr)
        return 2
    print(table.round(2).to_string())
    if chosen.out:
        files.write_json(chosen.out, {**table.attrs, "seed": chosen.seed, **table.to_dict()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
