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

import pandas as pd

import common
from discom import data, files, methods, profile
from discom.config import Config
from discom.errors import DiscomError
from discom.methods import Method
from discom.running import sweep
from discom.running.runs import Run

RATES = (5e-3, 1e-2, 2e-2)


def settings(chosen: argparse.Namespace, row: common.Arm, seed: int) -> Config:
    """The settings where nothing is tried."""
    dense, changes = methods.get(row.method).dense, {**dict(chosen.set), **row.settings}
    return profile(chosen.profile, dense=dense, seed=seed, options=row.options, **changes)


def changed(config: Config, method: type[Method], option: str, value: float) -> Config:
    """The settings of one try: of Config, an option of the method, or a weight."""
    defaults = method.defaults()
    default = {**defaults, **defaults["weights"]}.get(option, getattr(config, option, value))
    value = type(default)(value) if isinstance(default, int) and value == int(value) else value
    if option in common.SETTINGS:
        return replace(config, **{option: value})
    options = dict(config.options)
    if option in defaults["weights"]:
        weights = {**options.get("weights", {}), option: value}
        return replace(config, options=options | {"weights": weights})
    return replace(config, options=options | {option: value})


def choose(chosen: argparse.Namespace) -> None:
    """Train, print and write a row for each method: its mean validation score for each value, and
    the best value. The file has the scores of each sensor, too."""
    runs = {}
    common.check_arms(chosen.methods)
    images_of = data.planned(chosen.data)
    for seed in chosen.seeds:
        images = images_of(seed)
        for row, value in product(chosen.methods, chosen.values):
            method, usual = methods.get(row.method), settings(chosen, row, seed)
            config = changed(usual, method, chosen.option, value)
            run = Run.of(chosen.runs, method, images, config, chosen.data)
            if run.teacher and chosen.option != "labelled":  # the same for every value
                teacher = Run.of(chosen.runs, method, images, usual, chosen.data).teacher
                run = replace(run, teacher=teacher)
            runs[row.label, value, seed] = run
    done = sweep.sweep(runs.values(), workers=chosen.workers)
    if done.failed:
        raise DiscomError(next(iter(done.failed.values())))
    rows = []
    for (label, value, _), result in zip(runs, done.results, strict=True):
        alone = {name: score for name, score in result.valid.items() if "+" not in name}
        scores = alone or result.valid
        rows += [(label, f"{value:g}", sensor, score) for sensor, score in scores.items()]
    each = pd.DataFrame(rows, columns=["method", "value", "sensor", "score"])
    table = each.pivot_table("score", "method", "value", sort=False)
    apart = each.pivot_table("score", "value", ["method", "sensor"], sort=False)
    table = table.assign(chosen=table.idxmax(axis=1).astype(float))
    print(table.round(2).to_string())
    if chosen.out:
        how = {"data": images.name, "seeds": chosen.seeds, "set": dict(chosen.set)}
        sensors = {" / ".join(column): dict(apart[column].dropna()) for column in apart}
        files.write_json(chosen.out, {**how, **table.to_dict(), "sensors": sensors})


def main(arguments: list[str] | None = None) -> int:
    """Choose; see `common.run`."""
    parser = common.parser(__doc__, "methods data set profile runs workers")
    what = "a setting, or an option or weight of the method"
    parser.add_argument("--option", default="learning_rate", help=what)
    parser.add_argument("--values", type=float, nargs="+", default=RATES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[100], help="not of a table")
    parser.add_argument("--out", type=Path, help="write the table into this JSON file")
    chosen = parser.parse_args(arguments)
    return common.run("choose", lambda: choose(chosen))


if __name__ == "__main__":
    sys.exit(main())
