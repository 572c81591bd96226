"""Synthetic scenes with known factors: one object (`objects.make`) or several (`dense`)."""

from discom.data.scenes import objects
from discom.data.scenes.dense_scenes import dense

__all__ = ["dense", "objects"]
