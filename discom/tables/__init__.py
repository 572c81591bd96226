"""Tables: which rows a table has, what they are compared with, pair by pair too, and its output."""

from discom.tables.intervals import holm, paired_difference
from discom.tables.output import cells, points, to_markdown, write
from discom.tables.rows import (
    FEW,
    SEEDS,
    Row,
    baselines,
    paper_figures,
    paper_rows,
    paper_table,
    plan,
)
from discom.tables.statistics import BASELINES, METRICS, added_sensor, compare, metric_of, summary
from discom.tables.stored import collect, collected, complete, load_results

__all__ = ["BASELINES", "FEW", "METRICS", "SEEDS", "Row", "added_sensor", "baselines"]
__all__ += ["cells", "collect", "collected", "compare", "complete", "holm", "load_results"]
__all__ += ["metric_of", "paired_difference", "paper_figures", "paper_rows", "paper_table"]
__all__ += ["plan", "points", "summary", "to_markdown", "write"]
