"""Synthetic scenes with known factors: one object (`make`, `objects.make`) or several (`dense`)."""

from discom.data.scenes import objects
from discom.data.scenes.classification import best_accuracy, make
from discom.data.scenes.segmentation import ceilings, dense

__all__ = ["best_accuracy", "ceilings", "dense", "make", "objects"]
