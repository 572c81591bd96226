"""Choose a learning rate for each method, or another number: the same values for all, by the mean
validation score of the single sensors (F1 or mIoU), on seeds that no table reports.

python benchmarks/choose.py --methods student discom 'discom:{"adversary": "alternating"}'
python benchmarks/choose.py --option temperature --values 0.5 1 2 --methods kdv2+lskd
python benchmarks/choose.py --option contrast --values 0.1 0.3 1 --set labelled=0.2 --methods mdico
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

import grid
from discom import files, methods
from discom.running import sweep
from discom.running.runs import Run

RATES = (5e-3, 1e-2, 2e-2)


def changed(run: Run, option: str, value: float) -> Run:
    """The run of one try, with a setting, an option or a weight of its method changed. Its teacher
    stays the same but for the share of labels."""
    if option == "labelled" and run.teacher:
        run = replace(run, teacher=changed(run.teacher, option, value))
    if option in grid.SETTINGS:
        return replace(run, config=replace(run.config, **{option: value}))
    method, options = methods.get(run.method), dict(run.config.options)
    value = bool(value) if isinstance(options.get(option), bool) else value
    if option in method.terms:
        options["weights"] = {**options["weights"], option: value}
    else:
        options[option] = value
    return replace(run, config=replace(run.config, options=method.options(options)))


def choose(chosen: argparse.Namespace) -> None:
    """Train, print and write a row for each method: its mean validation score for each value, and
    the best value. The file has the scores of each sensor, too."""
    usual = grid.plan(chosen)
    tries = [(*key, value) for key in usual for value in chosen.values]
    runs = [changed(usual[label, seed], chosen.option, value) for label, seed, value in tries]
    results, rows = sweep.results(runs, workers=chosen.workers), []
    for (label, _, value), result in zip(tries, results, strict=True):
        alone = {name: score for name, score in result.valid.items() if "+" not in name}
        scores = alone or result.valid
        rows += [(label, f"{value:g}", sensor, score) for sensor, score in scores.items()]
    each = pd.DataFrame(rows, columns=["method", "value", "sensor", "score"])
    table = each.pivot_table("score", "method", "value", sort=False)
    apart = each.pivot_table("score", "value", ["method", "sensor"], sort=False)
    table = table.assign(chosen=table.idxmax(axis=1).astype(float))
    print(table.round(2).to_string())
    if chosen.out:
        how = {"data": runs[0].data, "seeds": chosen.seeds, "set": dict(chosen.set)}
        sensors = {" / ".join(column): dict(apart[column].dropna()) for column in apart}
        files.write_json(chosen.out, {**how, **table.to_dict(), "sensors": sensors})


def main(arguments: list[str] | None = None) -> int:
    """Choose; see `grid.status`."""
    flags = grid.parser(__doc__)
    what = "a setting, or an option or weight of the method"
    flags.add_argument("--option", default="learning_rate", help=what)
    flags.add_argument("--values", type=float, nargs="+", default=RATES)
    flags.add_argument("--seeds", type=int, nargs="+", default=[100], help="not of a table")
    flags.add_argument("--runs", type=Path, help="the folder of all runs")
    flags.add_argument("--out", type=Path, help="write the table into this JSON file")
    chosen = flags.parse_args(arguments)
    return grid.status("choose", lambda: choose(chosen))


if __name__ == "__main__":
    sys.exit(main())
