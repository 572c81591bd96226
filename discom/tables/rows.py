"""Tables 1 to 4 of the DisCoM-KD paper, with the controls that it lacks; and ours: 5, "dense" and
"crodino"."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom import methods
from discom.errors import ConfigError, RunError
from discom.running.runs import Result
from discom.tables.statistics import APART, BASELINES, grouped, summary

SEEDS, FEW = 10, 5  # seeds of a row; of options, LSKD, FEW_SEEDS, and one set split anew
FEW_SEEDS = ("dense-simclr", "dense-self", "kdnet", "protokd", "maskd")
# methods of classification that are in neither Table 1 nor 2
NOT_IN_TABLES = ("simclr", "nt-xent")
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


def _few(method: str, **options: Any) -> Row:
    """A row that takes fewer seeds."""
    return Row(method, options, FEW)


FULL = Row("discom", {})
ALTERNATING = Row("discom", {"adversary": "alternating"})
BLIND = {**ALTERNATING.options, "adversary_head": 64, "dimension": 32}  # where orth is off
IRR = Row("discom", {"weights": {"irr": 1.0}})
SOLO, MDICO = Row("discom-solo", {}), Row("mdico", {})
CRODINO = Row("crodino", {})
ABLATIONS: dict[int | str, list[Row]] = {
    # Table 3: each term switched off; then what the paper leaves out
    3: [
        FULL,
        *(Row("discom", {"weights": {term: 0.0}}) for term in ("adv", "mod", "aux", "orth")),
        ALTERNATING,
        IRR,
        _few("discom", reduction="released", modality_targets="released"),
        _few("discom", pairing="paired"),
        _few("discom", grl_lambda=0.1),
        _few("discom", grl_warmup=1.0),
        _few("discom", dimension=16),
        _few("discom", dimension=256),
        SOLO,
        Row("discom-solo", {"weights": {"orth": 0.0}}),
        _few("discom-solo", dimension=256),
    ],
    # Table 4: the full model; its parts are read one by one (`inspection.readings`)
    4: [FULL],
    # ours: what takes the sensor out of z_inv, and what separates z_irr from the other parts
    5: [
        FULL,
        *(Row("discom", {"weights": {term: 0.0}}) for term in ("adv", "orth")),
        Row("discom", {"weights": dict.fromkeys(("adv", "mod", "orth"), 0.0)}),
        ALTERNATING,
        Row("discom", {**ALTERNATING.options, "weights": {"orth": 0.0}}),
        _few("discom", **ALTERNATING.options, dimension=32, weights={"orth": 0.0}),
        Row("discom", {**BLIND, "weights": {"orth": 0.0}}),
        Row("discom", {**BLIND, "weights": {"orth": 0.0, "hsic": 0.2}}),
        _few("discom", dimension=32, weights={"orth": 0.0}),
        MDICO,
        _few("mdico", dimension=32),
        IRR,
        Row("discom", {"weights": {"xcov": 5.0}}),
        _few("discom", weights={"xcov": 20.0}),
        Row("discom", {"weights": {"hsic": 0.2}}),
        _few("discom", weights={"hsic": 1.0}),
        SOLO,
    ],
    # each idea of our CroDiNo-KD switched off (soft labels need the auxiliary decoder); all off
    "crodino": [
        CRODINO,
        *(Row("crodino", {"weights": {term: 0.0}}) for term in ("orth", "contrast", "soft")),
        Row("crodino", {"weights": {"aux": 0.0, "soft": 0.0}}),
        Row("crodino", {"augmentation": "coupled"}),
        Row("single", {}),
    ],
}
NUMBERS = (1, 2, 3, 4, 5, "dense", "crodino")
# the network alone, two of it, plain distillation, and for what reads all sensors the teacher
DENSE_BASELINES = ("single", "single-2x", "dense-kdv2", "dense-teacher")


def is_dense(number: int | str) -> bool:
    """Whether a table is of dense prediction."""
    return isinstance(number, str)


def paper_rows(
    number: int | str,
    modalities: Sequence[str],
    teacher: str | None = None,
    as_published: bool = False,
) -> list[Row]:
    """The rows of a table: methods, their options, and how many seeds each takes.

    Table 1, cross-modal: the teacher reads one modality and the students another. 2, multi-modal:
    the teacher reads all. In both, an LSKD method has a second row where another
    temperature than its authors' was chosen (`TEMPERATURES`), and discom one with the alternating
    adversary. dense: every method of dense prediction. The others are `ABLATIONS`.

    Args:
        teacher: Table 1's, the first modality by default.
        as_published: the options of the authors' own code (`Method.published`); Tables 1 and 2.

    Raises:
        ConfigError: another number, a teacher that is not a modality, or one modality only.

    >>> paper_rows(1, ["rgb", "depth"])[3]
    Row(method='kdv1', options={'teacher': 'rgb'}, seeds=10)
    """
    if number not in NUMBERS:
        choice = ", ".join(map(str, NUMBERS))
        raise ConfigError(f"table: {number} is unknown; choose {choice}")
    if len(modalities) < 2:
        raise ConfigError(f"table: needs two modalities or more, the data has {list(modalities)}")
    if teacher is not None and (number != 1 or teacher not in modalities):
        way_out = f"choose {', '.join(modalities)}" if number == 1 else "only table 1 has one"
        reason = f"'{teacher}' cannot be the teacher of table {number}"
        raise ConfigError(f"teacher: {reason}; {way_out}")
    if as_published and number not in (1, 2):
        raise ConfigError(f"as_published: table {number} sets its options itself; leave it out")
    if number in ABLATIONS:
        return list(ABLATIONS[number])
    reads = teacher or modalities[0] if number == 1 else "all"
    rows = []
    for name in methods.names(dense=is_dense(number)):
        if name in NOT_IN_TABLES:
            continue
        method = methods.get(name)
        options = dict(method.published) if as_published else {}
        if "teacher" in method.defaults():
            options["teacher"] = reads
        elif method in (methods.Teacher, methods.DenseTeacher):
            options["reads"] = reads
        row = Row(name, options, FEW if name in FEW_SEEDS or name.endswith("+lskd") else SEEDS)
        rows.append(row)
        if as_published:
            continue
        if name in TEMPERATURES:
            rows.append(row._replace(options={**options, "temperature": TEMPERATURES[name]}))
        if name == "discom":
            rows.append(ALTERNATING)
    return list({row.label(): row for row in rows}.values())  # none twice


def baselines(number: int | str) -> tuple[str, ...]:
    """What the rows of a table are compared with: the controls, or in ablations the full model."""
    if number in ABLATIONS:
        return (ABLATIONS[number][0].method,)
    return DENSE_BASELINES if is_dense(number) else BASELINES


def paper_figures() -> pd.DataFrame:
    """The paper's Tables 1 to 4: columns table, data, modality, method (by our names), f1 (a mean
    of 5 runs)."""
    return pd.read_csv(files("discom") / "paper_tables.csv")


def paper_table(
    results: Iterable[Result],
    number: int | str,
    teacher: str | None = None,
    as_published: bool = False,
    modalities: Sequence[str] = (),
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
    rows = paper_rows(number, modalities, teacher, as_published)
    if number in ABLATIONS:
        table = _ablations(compared, rows)
    else:
        table = _competitors(compared, rows, as_published)
    figures = paper_figures().query("table == @number and data == @results[0].data")
    if len(figures) and set(figures["modality"]) - {"all"} <= set(modalities):
        published = figures.set_index(["method", "modality"])["f1"]
        read = table["modality"].where(~table["modality"].str.contains("+", regex=False), "all")
        places = zip(table["method"], read, strict=True)
        table["paper"] = [published.get(place, np.nan) for place in places]
    against = f"vs {baselines(number)[0]}"
    bounds = table[[f"{against} low", f"{against} high"]].to_numpy(float)
    arrows = np.select([bounds[:, 0] > 0, bounds[:, 1] < 0, bounds[:, 0] <= 0], ["↑", "↓", "~"], "")
    table.insert(list(table).index("sd") + 1, "arrow", arrows)
    return table


def _competitors(table: pd.DataFrame, rows: Sequence[Row], bare: bool) -> pd.DataFrame:
    """Tables 1, 2 and dense: methods by their names without the teacher, or by `bare` names."""
    parts, reads = [], rows[0].options["reads"]
    for row in rows:
        name = row.method if bare else row.label("teacher", "reads")
        part = table[table["method"] == row.label()].assign(method=name)
        if "reads" in row.options:  # a teacher is no competitor: it reads another modality, or more
            part = part.assign(**{column: np.nan for column in part if column.startswith("vs ")})
        elif reads != "all":
            part = part[part["modality"] != reads]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _ablations(table: pd.DataFrame, rows: Sequence[Row]) -> pd.DataFrame:
    """Tables 3 to 5 and crodino: rows by what they change; in 4 what is read from each part."""
    names = [row.label() for row in rows]
    if names == ["discom"]:
        names += [name for name in table["method"].unique() if name.startswith("discom z_")]
    return pd.concat([table[table["method"] == name] for name in names], ignore_index=True)
