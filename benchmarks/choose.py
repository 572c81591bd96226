"""Choose a learning rate for each method, or another number: the same values for all, by the mean
validation score of the single sensors (F1 or mIoU), on seeds that no table reports.

python benchmarks/choose.py student discom 'discom:{"adversary": "alternating"}'
python benchmarks/choose.py kdv2+lskd --option temperature --values 0.5,1,2
python benchmarks/choose.py mdico --option contrast --values 0.1,0.3,1 --labelled 0.2
"""

import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace as Namespace

import click
import pandas as pd

import grid
from discom import cli, files, methods
from discom.cli import flags
from discom.running import sweep
from discom.running.runs import Run


def values(text: str) -> list[float]:
    """The type of --values."""
    return [*map(float, text.split(","))]


def seeds(text: str) -> list[int]:
    """The type of --seeds."""
    return [*map(int, text.split(","))]


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


@flags.command(
    *grid.TRAINED,
    click.option("--option", default="learning_rate", help="Setting, or option or weight."),
    click.option("--values", type=values, default="0.005,0.01,0.02", metavar="NUMBERS"),
    click.option("--seeds", type=seeds, default="100", metavar="NUMBERS", help="Of no table."),
    click.option("--out", type=flags.PATH, help="JSON file to write."),
)
def choose(asked: Namespace) -> None:
    """Train METHODS with each value; print and write of each its mean validation score, and the
    best value. The file has the scores of each sensor, too."""
    usual = grid.plan(asked, asked.seeds)
    tries = [(*key, value) for key in usual for value in asked.values]
    runs = [changed(usual[label, seed], asked.option, value) for label, seed, value in tries]
    results, rows = sweep.results(runs, workers=asked.workers), []
    for (label, _, value), result in zip(tries, results, strict=True):
        alone = {name: score for name, score in result.valid.items() if "+" not in name}
        scores = alone or result.valid
        rows += [(label, f"{value:g}", sensor, score) for sensor, score in scores.items()]
    each = pd.DataFrame(rows, columns=["method", "value", "sensor", "score"])
    table = each.pivot_table("score", "method", "value", sort=False)
    apart = each.pivot_table("score", "value", ["method", "sensor"], sort=False)
    table = table.assign(chosen=table.idxmax(axis=1).astype(float))
    print(table.round(2).to_string())
    if asked.out:
        how = {"data": runs[0].data, "seeds": asked.seeds, "set": asked.settings}
        sensors = {" / ".join(column): dict(apart[column].dropna()) for column in apart}
        files.write_json(asked.out, {**how, **table.to_dict(), "sensors": sensors})


main = partial(cli.main, command=choose)

if __name__ == "__main__":
    sys.exit(main())
