"""Tables: which rows a table has, what they are compared with, pair by pair too, and its output."""

from discom.methods import label
from discom.tables.output import cost_to_markdown, to_markdown, write
from discom.tables.rows import (
    FEW,
    SEEDS,
    Row,
    baselines,
    is_dense,
    paper_figures,
    paper_rows,
    paper_table,
)
from discom.tables.statistics import (
    BASELINES,
    METRICS,
    collect,
    compare,
    holm,
    load_results,
    paired_difference,
    summary,
)

__all__ = [
    "BASELINES",
    "FEW",
    "METRICS",
    "SEEDS",
    "Row",
    "baselines",
    "collect",
    "compare",
    "holm",
    "label",
]
__all__ += ["cost_to_markdown", "is_dense", "load_results", "paired_difference", "paper_figures"]
__all__ += ["paper_rows", "paper_table", "summary", "to_markdown", "write"]
