"""Tables: which rows a table has, what they are compared with, pair by pair too, and its output."""

from discom.tables.intervals import holm, paired_difference
from discom.tables.rows import Row, baselines, paper_figures, paper_rows, paper_table, plan
from discom.tables.statistics import (
    BASELINES,
    METRICS,
    cells,
    compare,
    metric_of,
    points,
    summary,
    to_markdown,
    write,
)
from discom.tables.stored import collect, collected, complete, load_results

__all__ = ["BASELINES", "METRICS", "Row", "baselines", "cells", "collect"]
__all__ += ["collected", "compare", "complete", "holm", "load_results", "metric_of"]
__all__ += ["paired_difference", "paper_figures", "paper_rows", "paper_table", "plan", "points"]
__all__ += ["summary", "to_markdown", "write"]
