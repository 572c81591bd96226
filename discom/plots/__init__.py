"""Figures: each function draws one and returns it; the caller saves it."""

from discom.plots.images import confusions, pairs, predictions
from discom.plots.tables import curves, forest, gains, intervals, probe_map, scores, style

__all__ = ["confusions", "curves", "forest", "gains", "intervals", "pairs", "predictions"]
__all__ += ["probe_map", "scores", "style"]
