"""Tables: which rows a table has, what they are compared with, pair by pair too, and its output."""

from discom.tables.intervals import holm, paired_difference, unpaired_difference
from discom.tables.output import cost_to_markdown, points, to_markdown, write
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
    added_sensor,
    collect,
    compare,
    load_results,
    metric_of,
    summary,
)

__all__ = ["BASELINES", "FEW", "METRICS", "SEEDS", "Row", "added_sensor", "baselines"]
__all__ += ["collect", "compare", "cost_to_markdown", "holm", "is_dense"]
__all__ += ["load_results", "metric_of", "paired_difference", "paper_figures", "paper_rows"]
__all__ += ["paper_table", "points", "summary", "to_markdown", "unpaired_difference", "write"]
