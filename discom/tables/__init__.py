"""Tables: which rows a table has, what they are compared with, and its output."""

from discom.tables.intervals import holm, paired_difference
from discom.tables.rows import baselines, paper_figures, paper_rows, paper_table, plan
from discom.tables.statistics import cells, metric_of, points, summary, to_markdown
from discom.tables.stored import collect, collected, complete, load_results

__all__ = ["baselines", "cells", "collect", "collected", "complete", "holm", "load_results"]
__all__ += ["metric_of", "paired_difference", "paper_figures", "paper_rows", "paper_table", "plan"]
__all__ += ["points", "summary", "to_markdown"]
