"""Choose a learning rate for each method, or another number: the same values for all, by the mean
validation score of the single sensors (F1 or mIoU), on seeds that no table reports.

python benchmarks/choose.py student discom 'discom:{"adversary": "alternating"}'
python benchmarks/choose.py kdv2+lskd --option temperature --values 0.5,1,2
python benchmarks/choose.py mdico --option contrast --values 0.1,0.3,1 --labelled 0.2
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

import grid
from discom import cli, files
from discom import methods as registry
from discom.cli import flags
from discom.running import sweep
from discom.running.runs import Run


def numbers(text: str) -> list[float]:
    """What reads --values and --seeds."""
    return json.loads(f"[{text}]")


def changed(run: Run, option: str, value: float) -> Run:
    """The run of one try, with a setting, an option or a weight of its method changed. Its teacher
    stays the same."""
    if option in grid.SETTINGS:
        return replace(run, config=replace(run.config, **{option: value}))
    method, options = registry.get(run.method), dict(run.config.options)
    value = bool(value) if isinstance(options.get(option), bool) else value
    if option in method.terms:
        options["weights"] = {**options["weights"], option: value}
    else:
        options[option] = value
    return replace(run, config=replace(run.config, options=method.options(options)))


@flags.command
def choose(
    methods: tuple[str, ...],
    option: Annotated[str, "A setting, or an option or weight of the method."] = "learning_rate",
    values: Annotated[Any, numbers, "Numbers."] = "0.005,0.01,0.02",
    data: grid.Data = "objects",
    seeds: Annotated[Any, numbers, "Numbers, of no table."] = "100",
    out: Annotated[Path | None, Path, "JSON file to write."] = None,
    workers: flags.Workers = 0,
    modalities: flags.Modalities = "",
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> None:
    """Train METHODS with each value; print and write of each its mean validation score, and the
    best value. The file has the scores of each sensor, too."""
    usual = grid.plan(map(grid.Arm.of, methods), seeds, settings, data, modalities, runs)
    tries = [(label, value) for label, *_ in usual for value in values]
    planned = [changed(run, option, value) for run in usual.values() for value in values]
    results, rows = sweep.results(planned, workers=workers), []
    for (label, value), result in zip(tries, results, strict=True):
        alone = {name: score for name, score in result.valid.items() if "+" not in name}
        scores = alone or result.valid
        rows += [(label, f"{value:g}", sensor, score) for sensor, score in scores.items()]
    each = pd.DataFrame(rows, columns=["method", "value", "sensor", "score"])
    table = each.pivot_table("score", "method", "value", sort=False)
    apart = each.pivot_table("score", "value", ["method", "sensor"], sort=False)
    table = table.assign(chosen=table.idxmax(axis=1).astype(float))
    print(table.round(2).to_string())
    if out:
        given = {name: value for name, value in settings.items() if name != "name"}
        how = {"data": planned[0].data, "seeds": seeds, "set": given}
        sensors = {" / ".join(column): dict(apart[column].dropna()) for column in apart}
        files.write_json(out, {**how, **table.to_dict(), "sensors": sensors})


if __name__ == "__main__":
    sys.exit(cli.main(command=choose))
