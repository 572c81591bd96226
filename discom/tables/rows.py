"""Tables 1 to 4 of the DisCoM-KD paper, with the controls that it lacks; and ours: 5, "dense" and
"crodino"."""

import tomllib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom import methods
from discom.errors import ConfigError, RunError
from discom.running.runs import Result
from discom.tables.statistics import APART, BASELINES, grouped, summary

# seeds of a main row; of one with options, LSKD, FEW_SEEDS, or of one set split anew
SEEDS, FEW = 10, 5
FEW_SEEDS = ("dense-simclr", "dense-self", "kdnet", "protokd", "maskd")
# methods of classification that are in neither Table 1 nor 2
NOT_IN_TABLES = ("simclr", "fixmatch", "nt-xent", "decur", "agreed")
# LSKD's methods that have a temperature → the one with the best score on validation parts of a seed
# that no table reports
TEMPERATURES = {"kdv1+lskd": 2.0, "kdv2+lskd": 2.0, "dkd+lskd": 2.0, "mlkd+lskd": 4.0}


class Row(NamedTuple):
    """A row of a table: a method, its options, and how many seeds it takes where seeds are many."""

    method: str
    options: dict[str, Any]
    seeds: int = SEEDS

    def label(self, *hidden: str) -> str:
        """What it is called, without the options of these names."""
        shown = {name: value for name, value in self.options.items() if name not in hidden}
        return methods.label(self.method, methods.get(self.method).changed(shown))


ALTERNATING = Row("discom", {"adversary": "alternating"})
# Tables 3 to 5 and "crodino": their rows, the first of which all are compared with
ABLATIONS: dict[int | str, list[Row]] = {
    int(name) if name.isdigit() else name: [Row(*row) for row in rows]
    for name, rows in tomllib.loads((files("discom") / "ablations.toml").read_text("utf-8")).items()
}
NUMBERS = (1, 2, 3, 4, 5, "dense", "crodino")
# the network alone, two of it, plain distillation, and for what reads all sensors the teacher
DENSE_BASELINES = ("single", "single-2x", "dense-kdv2", "dense-teacher")


def paper_rows(number: int | str, modalities: Sequence[str]) -> list[Row]:
    """The rows of a table: methods, their options, and how many seeds each takes.

    Table 1, cross-modal: the teacher reads the first modality and the students another. 2,
    multi-modal: the teacher reads all. In both, an LSKD method has a second row where another
    temperature than its authors' was chosen (`TEMPERATURES`), and discom one with the alternating
    adversary. dense: every method of dense prediction. The others are `ABLATIONS`. A ConfigError
    for another number, or one modality only.

    >>> paper_rows(1, ["rgb", "depth"])[3]
    Row(method='kdv1', options={'teacher': 'rgb'}, seeds=10)
    """
    if number not in NUMBERS:
        raise ConfigError("table", f"{number} is unknown", f"choose {', '.join(map(str, NUMBERS))}")
    if len(modalities) < 2:
        found = f"the data has {list(modalities)} alone"
        raise ConfigError("table", found, "give two modalities or more")
    if number in ABLATIONS:
        return list(ABLATIONS[number])
    reads = modalities[0] if number == 1 else "all"
    rows = []
    for name in methods.names(dense=number == "dense"):
        options = dict.fromkeys({"teacher", "reads"} & set(methods.get(name).defaults()), reads)
        row = Row(name, options, FEW if name in FEW_SEEDS or name.endswith("+lskd") else SEEDS)
        if name not in NOT_IN_TABLES:
            rows.append(row)
        if name in TEMPERATURES:
            rows.append(row._replace(options={**options, "temperature": TEMPERATURES[name]}))
        if name == "discom":
            rows.append(ALTERNATING)
    return list({row.label(): row for row in rows}.values())  # none twice


def baselines(number: int | str) -> tuple[str, ...]:
    """What the rows of a table are compared with: the controls, or in ablations the full model."""
    if number in ABLATIONS:
        return (ABLATIONS[number][0].method,)
    return DENSE_BASELINES if number == "dense" else BASELINES


def paper_figures() -> pd.DataFrame:
    """The paper's Tables 1 to 4: columns table, data, modality, method (by our names), f1 (a mean
    of 5 runs)."""
    return pd.read_csv(files("discom") / "paper_tables.csv")


def paper_table(
    results: Iterable[Result], number: int | str, modalities: Sequence[str] = ()
) -> pd.DataFrame:
    """A table from finished runs of one data set: what `summary` gives, in the table's order, with
    `arrow` and `paper` (the paper's figure).

    `arrow` compares with the first of its `baselines`: ↑ or ↓ where the 95 % interval of the paired
    difference excludes zero, ~ where it does not, nothing where there is no interval. `modalities`
    are those of the data, by default all that the results have. A RunError for no results, or for
    results of several data sets, settings or learning rates.
    """
    results = list(results)
    compared = summary(results, baselines(number))
    if len(groups := grouped(results)) > 1:
        raise RunError(f"table {number}", f"runs of {len(groups)} data sets or settings", APART)
    if twice := {result.label for result in results} - set(compared["method"]):
        raise RunError(f"table {number}", f"{min(twice)} has two learning rates", APART)
    widest = sorted((list(r.scores) for r in results), key=len, reverse=True)  # in the data's order
    found = dict.fromkeys(name for names in widest for name in names if "+" not in name)
    modalities = list(modalities or found)
    rows, parts = paper_rows(number, modalities), []
    reads = rows[0].options.get("reads", "all")
    for row in rows:
        name = row.label("teacher", "reads")
        part = compared[compared["method"] == row.label()].assign(method=name)
        if "reads" in row.options:  # a teacher is no competitor: it reads another modality, or more
            part = part.assign(**dict.fromkeys(part.filter(like="vs "), np.nan))
        elif reads != "all":
            part = part[part["modality"] != reads]
        parts.append(part)
    if number == 4:  # and what is read from each part
        parts.append(compared[compared["method"].str.startswith("discom z_")])
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
