"""Tables 1 to 4 of the DisCoM-KD paper, with the controls that it lacks, and 5, ours; and the forms of a table."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discom import methods
from discom.errors import ConfigError, RunError
from discom.experiments import BASELINES, label, summary
from discom.runs import Result
from discom.storage import atomic_file

__all__ = [
    "baselines",
    "cost_to_markdown",
    "paper_figures",
    "paper_rows",
    "paper_table",
    "to_latex",
    "to_markdown",
    "to_text",
    "write",
]

Row = tuple[str, dict[str, Any]]  # a method and its options

FULL: Row = ("discom", {})
ABLATIONS: dict[int, list[Row]] = {
    # Table 3: each term switched off; then what the paper leaves out
    3: [
        FULL,
        *(("discom", {"weights": {term: 0.0}}) for term in ("adv", "mod", "aux", "orth")),
        ("discom", {"reduction": "released", "modality_targets": "released"}),
        ("discom", {"pairing": "paired"}),
        ("discom", {"grl_lambda": 0.1}),
        ("discom", {"grl_warmup": 30}),
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
}  # fmt: skip


def paper_rows(
    number: int, modalities: Sequence[str], teacher: str | None = None, as_published: bool = False
) -> list[Row]:
    """The rows of a table: the teacher, the baselines, every distillation, and DisCoM-KD; or DisCoM-KD's ablations.

    Table 1, cross-modal: the teacher reads one modality and the students another. Table 2, multi-modal: the teacher
    reads all of them, and there is a student for each. Table 3: terms switched off, and what the paper leaves out.
    Table 4: the full model, for its parts. Table 5, ours: terms that separate the parts.

    Args:
        number: 1 to 5.
        modalities: of the data.
        teacher: Table 1's teacher; the first modality by default, which is where a data set puts its richest.
        as_published: every method with the options of the DisCoM-KD authors' own code (`Method.published`).

    Raises:
        ConfigError: another number, a teacher that is no modality, or one modality only.

    >>> paper_rows(1, ["rgb", "depth"])[3]
    ('kdv1', {'teacher': 'rgb'})
    """
    if number not in (1, 2, *ABLATIONS):
        raise ConfigError(f"table: {number} is not one of ours; choose 1 to {max(ABLATIONS)}")
    if len(modalities) < 2:
        raise ConfigError(f"table: needs two modalities or more, the data has {list(modalities)}")
    if teacher is not None and (number != 1 or teacher not in modalities):
        others = "table 2's reads all modalities" if number == 2 else f"table {number} has none"
        choice = f"choose {', '.join(modalities)}" if number == 1 else others
        raise ConfigError(f"teacher: '{teacher}' cannot be this table's; {choice}")
    if number in ABLATIONS:
        if as_published:
            raise ConfigError(f"as_published: table {number} says for itself which options a row has; leave it out")
        return list(ABLATIONS[number])
    reads = "all" if number == 2 else teacher or modalities[0]
    rows = []
    for name in methods.names():
        method = methods.get(name)
        own = {"teacher": reads} if method.taught else {"reads": reads} if method is methods.Teacher else {}
        rows.append((name, {**(method.published if as_published else {}), **own}))
    return rows


def baselines(number: int) -> tuple[str, ...]:
    """What the rows of a table are compared with: the controls, or in ablations the full DisCoM-KD."""
    return ("discom",) if number in ABLATIONS else BASELINES


def paper_figures() -> pd.DataFrame:
    """The paper's Tables 1 to 4: columns table, data, modality, method (by our names), f1 (a mean of 5 runs)."""
    return pd.read_csv(files("discom") / "paper_tables.csv")


def paper_table(
    results: Iterable[Result], number: int, teacher: str | None = None, as_published: bool = False
) -> pd.DataFrame:
    """A table from finished runs of one data set: what `summary` gives, in the table's order, and two columns.

    `arrow` compares with the first of its `baselines`: ↑ or ↓ where the 95 % interval of the paired difference
    excludes zero, ~ where it does not, nothing where there is no interval. `paper` is the paper's figure where data set
    and modalities are the paper's, else NaN.

    Raises:
        RunError: no results, or results of several data sets or settings.
    """
    results = list(results)
    table = summary(results, baselines(number))
    described = {(r.data, tuple(sorted((k, str(v)) for k, v in r.config.items() if k not in ("seed", "options"))))
                 for r in results}  # fmt: skip
    if len(described) > 1:
        raise RunError(f"table {number}: runs of {len(described)} data sets or settings; collect them apart")
    widest = sorted((list(r.scores) for r in results), key=len, reverse=True)  # a run of all modalities has their order
    modalities = list(dict.fromkeys(name for names in widest for name in names if "+" not in name))
    rows = paper_rows(number, modalities, teacher, as_published)
    found = _competitors(table, rows) if number in (1, 2) else _ablations(table, rows, number)
    published = paper_figures().query("table == @number and data == @results[0].data")
    if set(published["modality"]) - {"all"} <= set(modalities) and len(published):
        figures = published.set_index(["method", "modality"])["f1"]
        found["paper"] = [
            figures.get((row.method, "all" if "+" in row.modality else row.modality)) for row in found.itertuples()
        ]
    against = baselines(number)[0]
    found.insert(list(found).index("sd") + 1, "arrow", [_arrow(row, f"vs {against}") for _, row in found.iterrows()])
    return found


def _competitors(table: pd.DataFrame, rows: Sequence[Row]) -> pd.DataFrame:
    """Tables 1 and 2: methods by their bare names."""
    chosen, reads = [], rows[0][1]["reads"]
    for name, options in rows:
        part = table[table["method"] == label(name, options)]
        if name == methods.Teacher.name:  # it is no competitor: it reads another modality, or more of them
            part = part.assign(**{column: np.nan for column in part if column.startswith("vs ")})
        elif reads != "all":
            part = part[part["modality"] != reads]
        chosen.append(part.assign(method=name))
    return pd.concat(chosen, ignore_index=True)


def _ablations(table: pd.DataFrame, rows: Sequence[Row], number: int) -> pd.DataFrame:
    """Tables 3 to 5: rows by what they change, and in Table 4 what is read from each part."""
    names = [label(*row) for row in rows]
    names += [name for name in dict.fromkeys(table["method"]) if number == 4 and name.startswith("discom z_")]
    return pd.concat([table[table["method"] == name] for name in names], ignore_index=True)


def _arrow(row, against: str) -> str:
    low, high = row[f"{against} low"], row[f"{against} high"]
    return "" if np.isnan(low) else "↑" if low > 0 else "↓" if high < 0 else "~"


def _cells(table: pd.DataFrame, baselines: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Heads and cells as text: F1 as mean ± sd with its arrow, differences with their interval in brackets."""
    shown = [name for name in baselines if table[f"vs {name}"].notna().any()]
    paper = ["paper"] if "paper" in table else []
    heads = ["data", "method", "modality", "n", "F1", *(f"Δ {name}" for name in shown), *paper]
    rows = []
    for _, row in table.iterrows():
        f1 = f"{row['f1']:.1f}" + ("" if np.isnan(row["sd"]) else f" ± {row['sd']:.1f}")
        cells = [row["data"], row["method"], row["modality"], str(row["n"]), f"{f1} {row.get('arrow', '')}".strip()]
        cells += [_difference(row, f"vs {name}") for name in shown]
        rows.append(cells + [f"{row[name]:.1f}" if row[name] == row[name] else "–" for name in paper])
    return heads, rows


def _difference(row, name: str) -> str:
    if np.isnan(row[name]):
        return "–"
    interval = "" if np.isnan(row[f"{name} low"]) else f" [{row[f'{name} low']:+.1f}, {row[f'{name} high']:+.1f}]"
    return f"{row[name]:+.1f}{interval}"


def to_markdown(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """A summary, or a table of the paper, in Markdown."""
    return _markdown(*_cells(table, baselines))


def to_text(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """The same for a terminal: columns aligned with spaces."""
    heads, rows = _cells(table, baselines)
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in (heads, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def to_latex(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """The same for a paper: a tabular that needs \\usepackage{booktabs}."""
    heads, rows = _cells(table, baselines)
    text = pd.DataFrame(rows, columns=heads).to_latex(index=False, escape=True, column_format="l" * len(heads))
    # \textasciitilde is what escaping makes of ~
    signs = {"±": r"$\pm$", "Δ": r"$\Delta$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "–": "--",
             r"\textasciitilde": r"$\sim$"}  # fmt: skip
    for sign, command in signs.items():
        text = text.replace(sign, command)
    return text


def write(table: pd.DataFrame, stem: Path | str, baselines: Sequence[str] = BASELINES) -> list[Path]:
    """Write a table as STEM.txt, .md, .csv (all digits) and .tex; returns the files."""
    forms: Mapping[str, str] = {
        ".txt": to_text(table, baselines) + "\n",
        ".md": to_markdown(table, baselines) + "\n",
        ".csv": table.to_csv(index=False),
        ".tex": to_latex(table, baselines),
    }
    written = []
    for ending, text in forms.items():
        file = Path(f"{stem}{ending}")
        with atomic_file(file) as part:
            part.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def cost_to_markdown(results: Iterable[Result]) -> str:
    """What a run costs, as a Markdown table: medians over the runs of a method, its quickest run, and the machine."""
    rows = pd.DataFrame(
        [
            {
                "data": r.data,
                "method": label(r.method, r.config["options"]),
                "parameters at use": f"{max(r.parameters.values()):,}".replace(",", " "),
                "s per run": r.seconds,
                "samples/s": r.pairs_per_second,
                "peak MB": r.peak_memory_mb,
                "machine": f"{r.machine['processor']}, {r.machine['threads']} threads, device {r.machine['device']}",
            }
            for r in results
        ]
    )
    groups = rows.groupby(["data", "method", "parameters at use"], sort=False)
    table = groups[["s per run", "samples/s", "peak MB"]].median()
    table.insert(1, "quickest", groups["s per run"].min())
    heads = ["data", "method", "parameters at use", "n", *table.columns]
    counts = groups.size()
    cells = [[*named, str(counts[named]), *(f"{value:.0f}" for value in row)] for named, row in table.iterrows()]
    return f"{_markdown(heads, cells)}\n\nMachine: {'; '.join(rows['machine'].unique())}"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]])
