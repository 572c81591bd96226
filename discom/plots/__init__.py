"""Figures: each function draws one and returns it; the caller saves it."""

from discom.plots.factors import gains, scores
from discom.plots.look import style
from discom.plots.runs import confusions, curves, pixel_confusions, predictions
from discom.plots.samples import maps, pairs
from discom.plots.tables import forest, intervals, probe_map, separation

__all__ = ["confusions", "curves", "forest", "gains", "intervals", "maps", "pairs"]
__all__ += ["pixel_confusions", "predictions", "probe_map", "scores", "separation", "style"]
