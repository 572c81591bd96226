"""Where a study stands: a table whose missing rows are named."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from discom.running.runs import Result
from discom.tables.rows import Row, baselines, paper_table, published
from discom.tables.statistics import METRICS
from discom.tables.study import Study


def standings(study: Study, number: int | str, known: Iterable[Result] = ()) -> pd.DataFrame:
    """A table with all its rows, those without a run, too: what `paper_table` gives of the finished
    results, in their folders or among the known ones, and `wanted`, how many seeds were asked for.

    A row without a run has n = 0, its sensors, and no score. The paper's student is the first
    baseline, `discom-solo`, a branch that trains alone, another (`vs discom-solo`). A RunError for
    results that are no table, see `paper_table`.
    """
    results, planned = _named(study, number, known), study.planned[str(number)]
    table = paper_table(results, number, study.sensors) if results else _empty(study, number)
    places, seeds = list[tuple[str, str]](), dict[str, int]()
    for row in study.rows[str(number)]:
        if row.name in planned:
            present = table.loc[table["method"] == row.name, "modality"]
            networks = dict.fromkeys([*present, *_networks(row, number, study.sensors)])
            places += [(row.name, network) for network in networks]
            seeds[row.name] = len({run.config.seed for run in planned[row.name]})
    whole = table.set_index(["method", "modality"]).reindex(places).reset_index()[[*table]]
    shared = [*table.loc[:, :"method"]][:-1]  # in these all rows agree
    whole[shared] = whole[shared].bfill().ffill()
    if not results:
        whole[["data", "labelled"]] = study.images_of(0).name, study.every[0].config.labelled
    whole["n"] = whole["n"].fillna(0).astype(int)
    whole["arrow"] = whole["arrow"].fillna("")
    whole.insert([*whole].index("n") + 1, "wanted", whole["method"].map(seeds))
    return published(whole, number, whole["data"].iloc[0], study.sensors)


def _named(study: Study, number: int | str, known: Iterable[Result]) -> list[Result]:
    """The finished results, each by the name of its row: a setting that its row alone has goes from
    the settings, in which all rows of a table agree, to its name."""
    planned = study.planned[str(number)]
    results = {result.hash: result for result in study.found(number, known)}
    rows = [row for row in study.rows[str(number)] if row.name in planned]
    others = [planned[row.name][0].config for row in rows if not row.settings]
    for row in rows:
        usual = {name: getattr(config, name) for config in others[:1] for name in row.settings}
        for run in planned[row.name] if row.settings else []:
            if result := results.get(run.hash):
                changed, config = result.changed | row.settings, result.config | usual
                results[run.hash] = replace(result, changed=changed, config=config)
    return [*results.values()]


def _networks(row: Row, number: int | str, sensors: Sequence[str]) -> list[str]:
    """What a run of the row scores, as its options say."""
    if reads := row.options.get("reads"):
        return ["+".join(sensors) if reads == "all" else reads]
    students = sensors[1:] if str(number) == "1" else sensors
    return [name for name in students if name != row.options.get("teacher")]


def _empty(study: Study, number: int | str) -> pd.DataFrame:
    """The columns of `paper_table`, without a row."""
    metric = [*METRICS][isinstance(number, str) and not number.isdigit()]
    about = ["data", "labelled", "method", "modality", "n", "lr", metric, "sd", "arrow"]
    about += ["low", "high", "best"]
    ends = ("", " low", " high")
    against = [f"vs {name}{end}" for name in baselines(number) for end in ends]
    columns: dict[str, Any] = dict.fromkeys([*about, "draws", *against], np.array([], float))
    return pd.DataFrame(columns).astype({"method": str, "modality": str, "arrow": object})
