"""Choose a learning rate for each method, or another number: the same values for all, by the mean
validation score of the single sensors (F1 or mIoU), on seeds that no table reports.

python benchmarks/choose.py --methods student discom 'discom:{"adversary": "alternating"}'
python benchmarks/choose.py --option temperature --values 0.5 1 2 --methods kdv2+lskd
python benchmarks/choose.py --option contrast --values 0.1 0.3 1 --set labelled=0.2 --methods mdico
"""

import argparse
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean

import pandas as pd
from grid import SETTINGS, Arm, arm, check_arms, setting

from discom import data, files, methods, profile
from discom.config import Config
from discom.errors import DiscomError
from discom.methods import Method
from discom.running import sweep
from discom.running.runs import Result, Run

RATES = (5e-3, 1e-2, 2e-2)


def settings(chosen: argparse.Namespace, row: Arm, seed: int) -> Config:
    """The settings where nothing is tried."""
    dense, changes = methods.get(row.method).dense, {**dict(chosen.set), **row.settings}
    return profile(chosen.profile, dense=dense, seed=seed, options=row.options, **changes)


def changed(config: Config, method: type[Method], option: str, value: float) -> Config:
    """The settings of one try: of Config, an option of the method, or a weight."""
    defaults = method.defaults()
    default = {**defaults, **defaults["weights"]}.get(option, getattr(config, option, value))
    value = int(value) if isinstance(default, int) and value == int(value) else value
    if option in SETTINGS:
        return replace(config, **{option: value})
    options = dict(config.options)
    if option in defaults["weights"]:
        weights = {**options.get("weights", {}), option: value}
        return replace(config, options=options | {"weights": weights})
    return replace(config, options=options | {option: value})


def choose(chosen: argparse.Namespace) -> pd.DataFrame:
    """A row for each method: its mean validation score for each value, and the best value."""
    runs = {}
    check_arms(chosen.methods)
    for seed in chosen.seeds:
        images = data.load(chosen.data, seed=seed)
        for row, value in product(chosen.methods, chosen.values):
            method, usual = methods.get(row.method), settings(chosen, row, seed)
            config = changed(usual, method, chosen.option, value)
            run = Run.of(chosen.runs, method, images, config)
            if run.teacher and chosen.option != "labelled":  # the same for every value
                run = replace(run, teacher=Run.of(chosen.runs, method, images, usual).teacher)
            runs[row.label, value, seed] = run
    failed = sweep.sweep(runs.values(), chosen.data, workers=chosen.workers)
    if failed:
        raise DiscomError(next(iter(failed.values())))
    rows = []
    for (label, value, _), run in runs.items():
        result = Result.read(run.folder / "result.json")
        alone = {name: score for name, score in result.valid.items() if "+" not in name}
        rows.append((label, f"{value:g}", mean((alone or result.valid).values())))
    each = pd.DataFrame(rows, columns=["method", "value", "score"])
    table = each.pivot_table("score", "method", "value", sort=False)
    table.attrs["data"] = images.name
    return table.assign(chosen=table.idxmax(axis=1).astype(float))


def main(arguments: list[str] | None = None) -> int:
    """Train, print and write the choice; the exit status is 2 where the input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--methods", type=arm, nargs="+", required=True, help="name or name:{JSON}")
    what = "a setting, or an option or weight of the method"
    parser.add_argument("--option", default="learning_rate", help=what)
    parser.add_argument("--values", type=float, nargs="+", default=RATES)
    parser.add_argument("--data", default="scenes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[100], help="not of a table")
    parser.add_argument("--set", type=setting, nargs="+", default=[], help="such as labelled=0.2")
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
        files.write_json(
            chosen.out,
            {**table.attrs, "seeds": chosen.seeds, "set": dict(chosen.set), **table.to_dict()},
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
