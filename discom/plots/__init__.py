"""Pictures: each function draws one and returns its figure; saving is the caller's."""

from discom.plots.look import COLOURS, MARKERS, style
from discom.plots.samples import class_counts, pairs, values
from discom.plots.scores import differences, gains, intervals, probe_map
from discom.plots.trainings import confusions, curves

__all__ = ["COLOURS", "MARKERS", "class_counts", "confusions", "curves", "differences", "gains", "intervals", "pairs",
           "probe_map", "style", "values"]  # fmt: skip
