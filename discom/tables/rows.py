"""Tables 1 to 4 of the DisCoM-KD paper, with the controls that it lacks; and 5, "dense" and
"crodino", ours."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from discom import methods
from discom.errors import ConfigError, RunError
from discom.runs import Result
from discom.tables.statistics import BASELINES, label, paired_difference, summary

__all__ = ["baselines", "is_dense", "paper_figures", "paper_rows", "paper_table"]

Row = tuple[str, dict[str, Any]]  # a method and its options

FULL: Row = ("discom", {})
CRODINO: Row = ("crodino", {})
ABLATIONS: dict[int | str, list[Row]] = {
    # Table 3: each term switched off; then what the paper leaves out
    3: [
        FULL,
        *(("discom", {"weights": {term: 0.0}}) for term in ("adv", "mod", "aux", "orth")),
        ("discom", {"reduction": "released", "modality_targets": "released"}),
        ("discom", {"pairing": "paired"}),
        ("discom", {"grl_lambda": 0.1}),
        ("discom", {"grl_warmup": 0.1}),
        ("discom", {"dimension": 16}),
        ("discom", {"dimension": 256}),
        ("discom-solo", {}),
        ("discom-solo", {"weights": {"orth": 0.0}}),
        ("discom-solo", {"dimension": 256}),
    ],
    # Table 4: the full model; its parts are read one by one (`inspection.readings`)
    4: [FULL],
    # ours: terms that separate z_irr from the other parts
    5: [
        FULL,
        *(("discom", {"weights": {term: weight}})
          for term, weight in (("irr", 1.0), ("xcov", 5.0), ("xcov", 20.0), ("hsic", 1.0), ("hsic", 5.0))),
    ],
    # CroDiNo-KD's four ideas, each switched off; with soft labels from its auxiliary decoder; and
    # all four off
    "crodino": [
        CRODINO,
        *(("crodino", {"weights": {term: 0.0}}) for term in ("orth", "contrast", "aux")),
        ("crodino", {"augmentation": "coupled"}),
        ("crodino", {"weights": {"soft": 0.5}}),
        ("single", {}),
    ],
}  # fmt: skip
NUMBERS = (1, 2, 3, 4, 5, "dense", "crodino")
# of dense prediction: the network alone, twice of it, plain distillation, and for what reads all
# sensors the teacher
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
    """The rows of a table: the teacher, the baselines, every distillation, and DisCoM-KD; or
    DisCoM-KD's ablations.

    Table 1, cross-modal: the teacher reads one modality and the students another. Table 2,
    multi-modal: the teacher reads all of them, and there is a student for each. Table 3: terms
    switched off, and what the paper leaves out. Table 4: the full model, for its parts. Table 5,
    ours: terms that separate the parts. Table dense: every method of dense prediction. Table
    crodino: CroDiNo-KD's ideas switched off one by one.

    Args:
        number: 1 to 5, "dense" or "crodino".
        modalities: of the data.
        teacher: Table 1's teacher; the first modality by default, which is where a data set puts
        its richest.
        as_published: every method with the options of the DisCoM-KD authors' own code
            (`Method.published`).

    Raises:
        ConfigError: another number, a teacher that is no modality, or one modality only.

    >>> paper_rows(1, ["rgb", "depth"])[3]
    ('kdv1', {'teacher': 'rgb'})
    """
    if number not in NUMBERS:
        raise ConfigError(
            f"table: {number} is not one of ours; choose {', '.join(map(str, NUMBERS))}"
        )
    if len(modalities) < 2:
        raise ConfigError(f"table: needs two modalities or more, the data has {list(modalities)}")
    if teacher is not None and (number != 1 or teacher not in modalities):
        others = "table 2's reads all modalities" if number == 2 else f"table {number} has none"
        choice = f"choose {', '.join(modalities)}" if number == 1 else others
        raise ConfigError(f"teacher: '{teacher}' cannot be this table's; {choice}")
    if as_published and number == "dense":
        raise ConfigError(
            "as_published: dense methods have no options of the DisCoM-KD authors; leave it out"
        )
    if number in ABLATIONS:
        if as_published:
            raise ConfigError(
                f"as_published: table {number} says for itself which options a row has; leave it out"
            )
        return list(ABLATIONS[number])
    reads = teacher or modalities[0] if number == 1 else "all"
    rows = []
    for name in methods.names(dense=is_dense(number)):
        method = methods.get(name)
        teaches = method in (methods.Teacher, methods.DenseTeacher)
        own = {"teacher": reads} if method.taught else {"reads": reads} if teaches else {}
        rows.append((name, {**(method.published if as_published else {}), **own}))
    return rows


def baselines(number: int | str) -> tuple[str, ...]:
    """What the rows of a table are compared with: the controls, or in ablations the full model."""
    if number == "dense":
        return DENSE_BASELINES
    return (ABLATIONS[number][0][0],) if number in ABLATIONS else BASELINES


def paper_figures() -> pd.DataFrame:
    """The paper's Tables 1 to 4: columns table, data, modality, method (by our names), f1 (a mean
    of 5 runs)."""
    return pd.read_csv(files("discom") / "paper_tables.csv")


def paper_table(
    results: Iterable[Result],
    number: int | str,
    teacher: str | None = None,
    as_published: bool = False,
) -> pd.DataFrame:
    """A table from finished runs of one data set: what `summary` gives, in the table's order, and
    two columns.

    `arrow` compares with the first of its `baselines`: ↑ or ↓ where the 95 % interval of the paired
    difference excludes zero, ~ where it does not, nothing where there is no interval. `paper` is
    the paper's figure where data set and modalities are the paper's, else NaN. Table dense has
    `seconds` and `time` instead, see `_cost`.

    Raises:
        RunError: no results, or results of several data sets or settings.
    """
    results = list(results)
    table = summary(results, baselines(number))
    described = {(r.data, tuple(sorted((k, str(v)) for k, v in r.config.items() if k not in ("seed", "options"))))
                 for r in results}  # fmt: skip
    if len(described) > 1:
        raise RunError(
            f"table {number}: runs of {len(described)} data sets or settings; collect them apart"
        )
    widest = sorted(
        (list(r.scores) for r in results), key=len, reverse=True
    )  # a run of all modalities has their order
    modalities = list(dict.fromkeys(name for names in widest for name in names if "+" not in name))
    rows = paper_rows(number, modalities, teacher, as_published)
    found = _ablations(table, rows, number) if number in ABLATIONS else _competitors(table, rows)
    found = _cost(found, results) if number == "dense" else found
    published = paper_figures().query("table == @number and data == @results[0].data")
    if set(published["modality"]) - {"all"} <= set(modalities) and len(published):
        figures = published.set_index(["method", "modality"])["f1"]
        found["paper"] = [
            figures.get((row.method, "all" if "+" in row.modality else row.modality))
            for row in found.itertuples()
        ]
    against = baselines(number)[0]
    found.insert(
        list(found).index("sd") + 1,
        "arrow",
        [_arrow(row, f"vs {against}") for _, row in found.iterrows()],
    )
    return found


def _competitors(table: pd.DataFrame, rows: Sequence[Row]) -> pd.DataFrame:
    """Tables 1 and 2: methods by their bare names."""
    chosen, reads = [], rows[0][1]["reads"]
    for name, options in rows:
        part = table[table["method"] == label(name, options)]
        if (
            "reads" in options
        ):  # a teacher is no competitor: it reads another modality, or more of them
            part = part.assign(**{column: np.nan for column in part if column.startswith("vs ")})
        elif reads != "all":
            part = part[part["modality"] != reads]
        chosen.append(part.assign(method=name))
    return pd.concat(chosen, ignore_index=True)


def _ablations(table: pd.DataFrame, rows: Sequence[Row], number: int) -> pd.DataFrame:
    """Tables 3 to 5: rows by what they change, and in Table 4 what is read from each part."""
    names = [label(*row) for row in rows]
    names += [
        name
        for name in dict.fromkeys(table["method"])
        if number == 4 and name.startswith("discom z_")
    ]
    return pd.concat([table[table["method"] == name] for name in names], ignore_index=True)


def _cost(table: pd.DataFrame, results: Sequence[Result]) -> pd.DataFrame:
    """Two columns on what a method costs, all its trainings counted: its own run, which trains a
    network for each modality, and its teacher's.

    `seconds` is the mean over seeds, NaN where a teacher's run is not among the results; `time`,
    with `time low` and `time high`, the method's seconds over those of teacher and `dense-kdv2`
    students with the same seed, as a mean with its 95 % interval.
    """
    own = {result.hash: result.seconds for result in results}
    seconds: dict[str, dict[int, float]] = {}
    for result in results:
        held = seconds.setdefault(label(result.method, result.config["options"]), {})
        held[result.seed] = result.seconds + (
            own.get(result.teacher, np.nan) if result.teacher else 0.0
        )
    reference, rows = seconds.get("dense-kdv2", {}), []
    for method in table["method"]:
        held = seconds[method]
        ratios = [held[seed] / reference[seed] for seed in held if seed in reference]
        values = paired_difference(ratios, [0.0] * len(ratios)) if ratios else (np.nan,) * 3
        rows.append((float(np.mean(list(held.values()))), *values))
    columns = ("seconds", "time", "time low", "time high")
    return table.assign(**dict(zip(columns, np.array(rows).T, strict=True)))


def _arrow(row, against: str) -> str:
    low, high = row[f"{against} low"], row[f"{against} high"]
    return "" if np.isnan(low) else "↑" if low > 0 else "↓" if high < 0 else "~"
