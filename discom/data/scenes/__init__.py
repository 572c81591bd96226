"""Synthetic scenes with known factors: one object each (`make`), or several and dense (`dense`)."""

from discom.data.scenes.drawing import MATERIALS, SHAPES
from discom.data.scenes.several import ceilings, dense
from discom.data.scenes.single import MODALITIES, best_accuracy, make

__all__ = ["MATERIALS", "MODALITIES", "SHAPES", "best_accuracy", "ceilings", "dense", "make"]
