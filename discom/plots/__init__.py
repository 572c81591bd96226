"""Figures: each function draws one and returns it; the caller saves it."""

from discom.plots.look import pairs, style
from discom.plots.tables import intervals

__all__ = ["intervals", "pairs", "style"]
