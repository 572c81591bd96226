"""Tables: which rows a table has and what they are compared with, pair by pair too, and the forms
it is written in."""

from discom.tables.forms import cost_to_markdown, to_latex, to_markdown, to_text, write
from discom.tables.paired import compare, holm
from discom.tables.rows import baselines, is_dense, paper_figures, paper_rows, paper_table

__all__ = ["baselines", "compare", "cost_to_markdown", "holm", "is_dense", "paper_figures", "paper_rows",
           "paper_table", "to_latex", "to_markdown", "to_text", "write"]  # fmt: skip
