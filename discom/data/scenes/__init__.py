"""Synthetic scenes with known factors: one object each (`make`), or several and dense (`dense`)."""

from discom.data.scenes.drawing import MATERIALS, SHAPES
from discom.data.scenes.several import ceilings, dense
from discom.data.scenes.single import MODALITIES, best_accuracy, best_scores, information, make

__all__ = ["MATERIALS", "MODALITIES", "SHAPES", "best_accuracy", "best_scores", "ceilings"]
__all__ += ["dense", "information", "make"]
