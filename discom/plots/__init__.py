"""Figures: each function draws one and returns it; the caller saves it."""

from discom.plots.look import pairs, style
from discom.plots.tables import gains, intervals, scores

__all__ = ["gains", "intervals", "pairs", "scores", "style"]
