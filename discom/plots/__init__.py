"""Figures: each function draws one and returns it; the caller saves it."""

from discom.plots.look import pairs, predictions, style
from discom.plots.tables import curves, gains, intervals, scores

__all__ = ["curves", "gains", "intervals", "pairs", "predictions"]
__all__ += ["scores", "style"]
