"""A summary or a table as text, Markdown, LaTeX and CSV."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from discom.files import atomic_file
from discom.methods import label
from discom.runs import Result
from discom.tables.statistics import BASELINES, METRICS, metric_of

__all__ = ["cost_to_markdown", "to_latex", "to_markdown", "to_text", "write"]


def _cells(table: pd.DataFrame, baselines: Sequence[str]) -> pd.DataFrame:
    """Every cell as text: scores as mean ± sd with an arrow, differences with their interval."""
    metric = metric_of(table)
    cells = table[["data", "method", "modality"]].copy()
    cells["n"] = table["n"].astype(str)
    sd = [_text(value, ".1f", " ± ") for value in table["sd"]]
    arrows = table["arrow"] if "arrow" in table else [""] * len(table)
    scores = zip(table[metric], sd, arrows, strict=True)
    cells[METRICS[metric]] = [f"{mean:.1f}{sd} {arrow}".strip() for mean, sd, arrow in scores]
    for name in baselines:
        if table[f"vs {name}"].notna().any():
            cells[f"Δ {name}"] = _intervals(table, f"vs {name}", "+.1f")
    if "paper" in table:
        cells["paper"] = [_text(value, ".1f") or "–" for value in table["paper"]]
    if "seconds" in table:
        cells["s"] = [f"{value:.0f}" for value in table["seconds"]]
        cells["time"] = _intervals(table, "time", ".2f")
    return cells


def _text(value: float, form: str, before: str = "") -> str:
    return "" if np.isnan(value) else f"{before}{value:{form}}"


def _intervals(table: pd.DataFrame, name: str, form: str) -> list[str]:
    cells = []
    for middle, low, high in table[[name, f"{name} low", f"{name} high"]].to_numpy(float):
        interval = "" if np.isnan(low) else f" [{low:{form}}, {high:{form}}]"
        cells.append((_text(middle, form) or "–") + interval)
    return cells


def _markdown(cells: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(line) + " |" for line in (cells.columns, *cells.to_numpy())]
    return "\n".join([lines[0], "|" + "---|" * cells.shape[1], *lines[1:]])


def to_markdown(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """A summary, or a table of the paper, in Markdown."""
    return _markdown(_cells(table, baselines))


def to_text(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """The same for a terminal: columns aligned with spaces."""
    cells = _cells(table, baselines)
    columns = [[name, *cells[name]] for name in cells]
    aligned = [[cell.ljust(max(map(len, column))) for cell in column] for column in columns]
    return "\n".join("  ".join(line).rstrip() for line in zip(*aligned, strict=True))


def to_latex(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """The same for a paper: a tabular that needs \\usepackage{booktabs}."""
    cells = _cells(table, baselines)
    text = cells.to_latex(index=False, escape=True, column_format="l" * cells.shape[1])
    signs = {"±": r"$\pm$", "Δ": r"$\Delta$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "–": "--"}
    for sign, command in signs.items():
        text = text.replace(sign, command)
    return text.replace(r"\textasciitilde", r"$\sim$")  # what escaping makes of ~


def write(
    table: pd.DataFrame, stem: Path | str, baselines: Sequence[str] = BASELINES
) -> list[Path]:
    """Write a table as STEM.txt, .md, .csv (all digits) and .tex; returns the files."""
    texts = {
        Path(f"{stem}.txt"): to_text(table, baselines) + "\n",
        Path(f"{stem}.md"): to_markdown(table, baselines) + "\n",
        Path(f"{stem}.csv"): table.to_csv(index=False),
        Path(f"{stem}.tex"): to_latex(table, baselines),
    }
    for file, text in texts.items():
        with atomic_file(file) as part:
            part.write_text(text, encoding="utf-8")
    return list(texts)


def cost_to_markdown(results: Iterable[Result]) -> str:
    """What a run costs, as a Markdown table: medians over the runs of a method, its quickest run,
    and the machine."""
    names = ["data", "method", "parameters at use", "s per run", "samples/s", "peak MB"]
    listed, machines = [], []
    for r in results:
        parameters = f"{max(r.parameters.values()):,}".replace(",", " ")
        run = (r.data, label(r.method, r.config["options"]), parameters)
        listed.append((*run, r.seconds, r.pairs_per_second, r.peak_memory_mb))
        m = r.machine
        machines.append(f"{m['processor']}, {m['threads']} threads, device {m['device']}")
    named = pd.DataFrame(listed, columns=names).groupby(names[:3], sort=False)
    costs = named.median()
    costs.insert(1, "quickest", named["s per run"].min())
    costs.insert(0, "n", named.size())
    cells = costs.map("{:.0f}".format).reset_index()
    return f"{_markdown(cells)}\n\nMachine: {'; '.join(dict.fromkeys(machines))}"
