"""A summary or a table in the forms that people read: text, Markdown, LaTeX, CSV."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from discom.files import atomic_file
from discom.runs import Result
from discom.tables.statistics import BASELINES, METRICS, label, metric_of

__all__ = ["cost_to_markdown", "to_latex", "to_markdown", "to_text", "write"]


def _cells(table: pd.DataFrame, baselines: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Heads and cells as text: the score as mean ± sd with its arrow, differences with their
    interval in brackets."""
    metric, timed = metric_of(table), "seconds" in table
    shown = [name for name in baselines if table[f"vs {name}"].notna().any()]
    paper = ["paper"] if "paper" in table else []
    heads = [
        "data",
        "method",
        "modality",
        "n",
        METRICS[metric],
        *(f"Δ {name}" for name in shown),
        *paper,
    ]
    heads += ["s", "time"] if timed else []
    rows = []
    for _, row in table.iterrows():
        score = f"{row[metric]:.1f}" + ("" if np.isnan(row["sd"]) else f" ± {row['sd']:.1f}")
        cells = [
            row["data"],
            row["method"],
            row["modality"],
            str(row["n"]),
            f"{score} {row.get('arrow', '')}".strip(),
        ]
        cells += [_difference(row, f"vs {name}") for name in shown]
        cells += [f"{row[name]:.1f}" if row[name] == row[name] else "–" for name in paper]
        rows.append(cells + ([f"{row['seconds']:.0f}", _ratio(row)] if timed else []))
    return heads, rows


def _difference(row, name: str) -> str:
    if np.isnan(row[name]):
        return "–"
    interval = (
        ""
        if np.isnan(row[f"{name} low"])
        else f" [{row[f'{name} low']:+.1f}, {row[f'{name} high']:+.1f}]"
    )
    return f"{row[name]:+.1f}{interval}"


def _ratio(row) -> str:
    """Time as a factor of what teacher and students take."""
    if np.isnan(row["time"]):
        return "–"
    return f"{row['time']:.2f}" + (
        "" if np.isnan(row["time low"]) else f" [{row['time low']:.2f}, {row['time high']:.2f}]"
    )


def to_markdown(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """A summary, or a table of the paper, in Markdown."""
    return _markdown(*_cells(table, baselines))


def to_text(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """The same for a terminal: columns aligned with spaces."""
    heads, rows = _cells(table, baselines)
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in (heads, *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)


def to_latex(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """The same for a paper: a tabular that needs \\usepackage{booktabs}."""
    heads, rows = _cells(table, baselines)
    text = pd.DataFrame(rows, columns=heads).to_latex(
        index=False, escape=True, column_format="l" * len(heads)
    )
    # \textasciitilde is what escaping makes of ~
    signs = {"±": r"$\pm$", "Δ": r"$\Delta$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "–": "--",
             r"\textasciitilde": r"$\sim$"}  # fmt: skip
    for sign, command in signs.items():
        text = text.replace(sign, command)
    return text


def write(
    table: pd.DataFrame, stem: Path | str, baselines: Sequence[str] = BASELINES
) -> list[Path]:
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
    """What a run costs, as a Markdown table: medians over the runs of a method, its quickest run,
    and the machine."""
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
    cells = [
        [*named, str(counts[named]), *(f"{value:.0f}" for value in row)]
        for named, row in table.iterrows()
    ]
    return f"{_markdown(heads, cells)}\n\nMachine: {'; '.join(rows['machine'].unique())}"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]])
