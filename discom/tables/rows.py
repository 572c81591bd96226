"""Tables 1 to 4 of the DisCoM-KD paper, with the controls that it lacks; and ours: "dense" and
"crodino"."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom import methods
from discom.errors import ConfigError, RunError, check_choice
from discom.running.runs import Result
from discom.tables.statistics import APART, BASELINES, summary

NUMBERS = (1, 2, 3, 4, "dense", "crodino")
# the network alone, two of it, plain distillation, and for what reads all sensors the teacher
DENSE_BASELINES = ("single", "single-2x", "dense-kdv2", "dense-teacher")


class Row(NamedTuple):
    """A row of a table: a method, its options, the settings that this row alone has, and the part
    of the embedding from which alone the class is read."""

    method: str
    options: dict[str, Any]
    settings: dict[str, Any] = {}  # of `Config`, such as augment=0
    part: str = ""  # such as "inv"; by default all that is deployed

    def display_name(self, *hidden: str) -> str:
        """What it is called, without the options of these names."""
        options = {name: value for name, value in self.options.items() if name not in hidden}
        changed = methods.get(self.method).changed(options) | self.settings | _only(self.part)
        return methods.display_name(self.method, changed)

    @property
    def name(self) -> str:
        """What it is called in the table, which says itself whom a teacher reads."""
        return self.display_name("teacher", "reads")


def paper_rows(number: int | str, modalities: Sequence[str]) -> list[Row]:
    """The rows of a table, as they stand in table_rows.toml. In Table 1 the teacher reads the first
    modality and the students another, elsewhere it reads all. A ConfigError for another number, or
    one modality only.
    """
    check_choice("table", str(number), [*map(str, NUMBERS)])
    if len(modalities) < 2:
        found = f"the data has {list(modalities)} alone"
        raise ConfigError("table", found, "give two modalities or more")
    stored = tomllib.loads((files("discom") / "table_rows.toml").read_text("utf-8"))
    rows = []
    for method, options, *more in stored[
        "classification" if str(number) in ("1", "2") else str(number)
    ]:
        names = {"teacher", "reads"} & set(methods.get(method).options())
        reads = dict.fromkeys(names, modalities[0] if str(number) == "1" else "all")
        rows.append(Row(method, {**reads, **options}, *more))
    return rows


def _only(part: str) -> dict[str, str]:
    """As an option, so that a row says what it reads: "discom only=inv"."""
    return {"only": part} if part else {}


def read_from(part: str, result: Result) -> Result | None:
    """The same run with the scores that are read from one part of the embedding alone; None where
    it recorded none, or is of a fold, whose scores count with those of other folds only."""
    column, scores = f"{result.metric}/{part}", dict[str, dict[str, float]]()
    for network, own in result.scores.items():
        if column in own:
            scores[network] = {result.metric: own[column], "best_epoch": own["best_epoch"]}
    if result.fold is not None or not scores:
        return None
    return replace(result, scores=scores, changed=result.changed | _only(part))


def baselines(number: int | str) -> tuple[str, ...]:
    """What the rows of a table are compared with: the controls, or in ablations the full model."""
    if str(number) in ("1", "2"):
        return BASELINES
    return {"dense": DENSE_BASELINES, "crodino": ("crodino",)}.get(str(number), ("discom",))


def paper_figures() -> pd.DataFrame:
    """The paper's Tables 1 to 4: columns table, data (a set with the paper's random split, see
    docs/guides/splits.md), modality, method (by our names), f1 (a mean of 5 runs)."""
    return pd.read_csv(files("discom") / "paper_tables.csv")


def readme_figures() -> pd.DataFrame:
    """What the README of CroDiNo-KD reports of three sets: columns data, modality, method (by our
    names), miou. Of other methods we have the best one for each sensor alone."""
    return pd.read_csv(files("discom") / "readme_figures.csv")


def paper_table(
    results: Iterable[Result], number: int | str, modalities: Sequence[str]
) -> pd.DataFrame:
    """A table from finished runs of one data set with these modalities: what `summary` gives, in
    the table's order, with `arrow` and `paper` (the paper's figure).

    `arrow` compares with the first of its `baselines`, see `arrows`. A RunError for no results, or
    for results of several data sets, settings (two precisions, too) or learning rates.
    """
    results, rows = list(results), paper_rows(number, modalities)
    parts = [row.part for row in rows if row.part]
    of_parts = [read_from(part, result) for part in parts for result in results]
    compared = summary([*results, *filter(None, of_parts)], baselines(number))
    settings = compared.iloc[:, : list(compared).index("method")].drop_duplicates()
    if len(settings) > 1:
        raise RunError(f"table {number}", f"runs of {len(settings)} data sets or settings", APART)
    if twice := {result.display_name for result in results} - set(compared["method"]):
        raise RunError(f"table {number}", f"{min(twice)} has two learning rates", APART)
    lines = []
    for row in rows:
        own = compared[compared["method"] == row.display_name()].assign(method=row.name)
        if "reads" in row.options:  # a teacher is no competitor: it reads another modality, or more
            own = own.assign(**dict.fromkeys(own.filter(like="vs "), np.nan))
        elif str(number) == "1":
            own = own[own["modality"] != modalities[0]]
        lines.append(own)
    table = pd.concat(lines, ignore_index=True)
    table = published(table, number, results[0].data, modalities)
    table.insert(list(table).index("sd") + 1, "arrow", arrows(table, baselines(number)[0]))
    return table


def arrows(table: pd.DataFrame, baseline: str) -> pd.Series:
    """What the intervals of the differences from a baseline say: ↑ above zero, ↓ below it, ~ where
    they hold it, "" where there is none.

    >>> low, high = [0.4, -2.0, -0.5], [2.4, -0.3, 0.5]
    >>> arrows(pd.DataFrame({"vs student low": low, "vs student high": high}), "student").tolist()
    ['↑', '↓', '~']
    """
    low, high = table[f"vs {baseline} low"], table[f"vs {baseline} high"]
    return pd.Series(np.select([low > 0, high < 0, low <= 0], ["↑", "↓", "~"], ""), table.index)


def published(
    table: pd.DataFrame, number: int | str, name: str, modalities: Sequence[str]
) -> pd.DataFrame:
    """The table with `paper`, the paper's figures for the data of this name, where it has some for
    these modalities; of our tables "dense" and "crodino" those of CroDiNo-KD's README."""
    if str(number).isdigit():
        figures, metric = paper_figures(), "f1"
        figures = figures[figures["table"].astype(str) == str(number)]
    else:
        figures, metric = readme_figures(), "miou"
    figures = figures[figures["data"] == name]
    if figures.empty or not set(figures["modality"]) - {"all"} <= set(modalities):
        return table
    values = figures.set_index(["method", "modality"])[metric]
    read = table["modality"].where(~table["modality"].str.contains("+", regex=False), "all")
    places = pd.MultiIndex.from_arrays([table["method"], read])
    return table.assign(paper=values.reindex(places).to_numpy())
