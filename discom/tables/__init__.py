"""Tables: which rows a table has, what they are compared with, and its output."""

from discom.tables.intervals import holm, paired_difference, resampled_interval
from discom.tables.rows import arrows, baselines, paper_figures, paper_rows, paper_table
from discom.tables.standings import standings
from discom.tables.statistics import cells, metric_of, points, summary, to_markdown
from discom.tables.stored import collect, collected, complete, load_results
from discom.tables.study import Study

__all__ = ["Study", "arrows", "baselines", "cells", "collect", "collected", "complete", "holm"]
__all__ += ["load_results", "metric_of", "paired_difference", "paper_figures", "paper_rows"]
__all__ += ["paper_table", "points", "resampled_interval", "standings", "summary", "to_markdown"]
