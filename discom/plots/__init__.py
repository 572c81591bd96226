"""Figures: each function draws one and returns it; the caller saves it."""

from discom.plots.images import confusions, pairs, predictions
from discom.plots.lines import curves, gains, scores
from discom.plots.look import style
from discom.plots.tables import forest, intervals, probe_map, separation

__all__ = ["confusions", "curves", "forest", "gains", "intervals", "pairs", "predictions"]
__all__ += ["probe_map", "scores", "separation", "style"]
