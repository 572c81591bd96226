"""Figures: each function draws one and returns it; the caller saves it."""

from discom.plots.dense import boundaries, pixel_confusions, predictions
from discom.plots.embeddings import maps, stability
from discom.plots.look import COLOURS, MARKERS, style
from discom.plots.runs import confusions, curves, reliability_diagram
from discom.plots.samples import class_counts, pairs, values
from discom.plots.tables import differences, gains, intervals, probe_map

__all__ = [
    "COLOURS",
    "MARKERS",
    "boundaries",
    "class_counts",
    "confusions",
    "curves",
    "differences",
    "gains",
    "intervals",
    "maps",
    "pairs",
    "pixel_confusions",
    "predictions",
    "probe_map",
    "reliability_diagram",
    "stability",
    "style",
    "values",
]
