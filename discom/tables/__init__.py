"""Tables: which rows a table has and what they are compared with, and the forms it is written in."""

from discom.tables.forms import cost_to_markdown, to_latex, to_markdown, to_text, write
from discom.tables.rows import baselines, is_dense, paper_figures, paper_rows, paper_table

__all__ = ["baselines", "cost_to_markdown", "is_dense", "paper_figures", "paper_rows", "paper_table", "to_latex",
           "to_markdown", "to_text", "write"]  # fmt: skip
