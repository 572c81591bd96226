"""Pictures: each function draws one and returns its figure; saving is the caller's."""

from discom.plots.calibration import reliability_diagram
from discom.plots.dense import boundaries, class_ious, pixel_confusions, predictions
from discom.plots.look import COLOURS, MARKERS, style
from discom.plots.maps import maps, stability
from discom.plots.samples import class_counts, pairs, values
from discom.plots.scores import differences, gain_map, gains, intervals, probe_map
from discom.plots.trainings import confusions, curves

__all__ = [
    "COLOURS",
    "MARKERS",
    "boundaries",
    "class_counts",
    "class_ious",
    "confusions",
    "curves",
    "differences",
    "gain_map",
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
