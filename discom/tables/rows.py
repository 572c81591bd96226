"""Tables 1 to 3 of the DisCoM-KD paper, with the controls that it lacks; and ours: "dense" and
"crodino"."""

import tomllib
import warnings
from collections.abc import Iterable, Sequence
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom import data, methods
from discom.config import profile
from discom.errors import ConfigError, RunError, check_choice
from discom.running.runs import Result, Run
from discom.tables.statistics import APART, BASELINES, summary

NUMBERS = (1, 2, 3, "dense", "crodino")
# the network alone, two of it, plain distillation, and for what reads all sensors the teacher
DENSE_BASELINES = ("single", "single-2x", "dense-kdv2", "dense-teacher")


class Row(NamedTuple):
    """A row of a table: a method and its options."""

    method: str
    options: dict[str, Any]

    def display_name(self, *hidden: str) -> str:
        """What it is called, without the options of these names."""
        shown = {name: value for name, value in self.options.items() if name not in hidden}
        return methods.display_name(self.method, methods.get(self.method).changed(shown))


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
    for method, options in stored["classification" if number in (1, 2) else str(number)]:
        asked = {"teacher", "reads"} & set(methods.get(method).options())
        reads = dict.fromkeys(asked, modalities[0] if number == 1 else "all")
        rows.append(Row(method, {**reads, **options}))
    return rows


def plan(
    number: int | str,
    runs: Path | str,
    source: str,
    modalities: str = "",
    kept: Sequence[str] = (),
    seeds: int | None = None,
    folds: int | None = None,
    **settings: Any,
) -> list[Run]:
    """The runs of a table on a data set, of the `kept` methods or of all. `settings` are those of
    `profile`, its name too. A method that cannot learn from the labels or classes is left out, with
    a warning. A ConfigError for a method that the table lacks, and for folds of synthetic data."""
    images_of, planned = data.planned(source, modalities), list[Run]()
    rows = paper_rows(number, [*images_of(1).modalities])
    for name in kept:
        check_choice(f"table {number}", name, dict.fromkeys(row.method for row in rows))
    if folds and images_of(0).drawn:
        way_out = "leave it out, or prepare them: discom data prepare"
        raise ConfigError("--folds", "scenes are drawn anew for each seed", way_out)
    if folds:
        if images_of(0).groups is None:
            advice = "give groups where samples belong together, such as frames of one video"
            warnings.warn(f"{source}: folds divide single samples; {advice}", stacklevel=2)
        images_of(0).split_indices(0, folds)  # refuses more folds than groups
    chosen = [row for row in rows if row.method in kept] if kept else rows
    for seed, row in product(range(seeds or (1 if folds else 5)), chosen):
        method, images = methods.get(row.method), images_of(seed)
        own: dict[str, Any] = {"dense": method.dense, "seed": seed, "options": row.options}
        config = profile(**own | settings)
        if error := methods.misfit(method, images, config):
            warnings.warn(f"left out: {error}", stacklevel=2)
            continue
        where = runs, method, images, config, source, modalities
        planned += [Run.of(*where, folds or 0, fold) for fold in range(folds or 1)]
    if not planned:
        raise ConfigError("--methods", "no run of the table is left", "keep at least one")
    return planned


def baselines(number: int | str) -> tuple[str, ...]:
    """What the rows of a table are compared with: the controls, or in ablations the full model."""
    if number in (1, 2):
        return BASELINES
    return {"dense": DENSE_BASELINES, "crodino": ("crodino",)}.get(str(number), ("discom",))


def paper_figures() -> pd.DataFrame:
    """The paper's Tables 1 to 3: columns table, data (a set with the paper's random split, see
    docs/guides/splits.md), modality, method (by our names), f1 (a mean of 5 runs)."""
    return pd.read_csv(files("discom") / "paper_tables.csv")


def paper_table(
    results: Iterable[Result], number: int | str, modalities: Sequence[str]
) -> pd.DataFrame:
    """A table from finished runs of one data set with these modalities: what `summary` gives, in
    the table's order, with `arrow` and `paper` (the paper's figure).

    `arrow` compares with the first of its `baselines`: ↑ or ↓ where the 95 % interval of the paired
    difference excludes zero, ~ where it does not, nothing where there is no interval. A RunError
    for no results, or for results of several data sets, settings or learning rates.
    """
    results = list(results)
    compared = summary(results, baselines(number))
    settings = compared.iloc[:, : list(compared).index("method")].drop_duplicates()
    if len(settings) > 1:
        raise RunError(f"table {number}", f"runs of {len(settings)} data sets or settings", APART)
    if twice := {result.display_name for result in results} - set(compared["method"]):
        raise RunError(f"table {number}", f"{min(twice)} has two learning rates", APART)
    parts = []
    for row in paper_rows(number, modalities):
        part = compared[compared["method"] == row.display_name()]
        part = part.assign(method=row.display_name("teacher", "reads"))
        if "reads" in row.options:  # a teacher is no competitor: it reads another modality, or more
            part = part.assign(**dict.fromkeys(part.filter(like="vs "), np.nan))
        elif number == 1:
            part = part[part["modality"] != modalities[0]]
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    figures = paper_figures().query("table == @number and data == @results[0].data")
    if len(figures) and set(figures["modality"]) - {"all"} <= set(modalities):
        published = figures.set_index(["method", "modality"])["f1"]
        read = table["modality"].where(~table["modality"].str.contains("+", regex=False), "all")
        places = pd.MultiIndex.from_arrays([table["method"], read])
        table["paper"] = published.reindex(places).to_numpy()
    against = f"vs {baselines(number)[0]}"
    low, high = table[f"{against} low"], table[f"{against} high"]
    arrows = np.select([low > 0, high < 0, low <= 0], ["↑", "↓", "~"], "")
    table.insert(list(table).index("sd") + 1, "arrow", arrows)
    return table
