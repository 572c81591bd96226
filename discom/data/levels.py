"""How bright each image of a modality is, and those that lie far from the rest: another unit,
another bit depth."""

from typing import Any

import numpy as np

from discom.data.multimodal import Modality
from discom.files import chunks

__all__ = ["levels", "odd_levels"]


def levels(modality: Modality) -> np.ndarray:
    """The 98th percentile of |x| over the measured pixels of each image, in the sensor's unit, [N];
    0 where nothing was measured."""
    return np.array(
        [
            _level(image, modality.invalid)
            for rows in chunks(modality.x)
            for image in modality.x[rows]
        ]
    )


def odd_levels(levels: np.ndarray, factor: float = 100.0) -> np.ndarray:
    """Rows of the images whose level [N] differs from the median of all by more than `factor`,
    either way.

    A depth image in metres among millimetres has a thousandth of their level, an 8-bit file among
    16-bit ones a 256th; the default lies below both, and above what water and mountains differ by.
    A mistake that keeps the level is not seen: a range that was turned upside down needs an eye.

    >>> odd_levels(np.array([2100.0, 1900.0, 2.0, 2000.0])).tolist()  # millimetres, and one image in metres
    [2]
    """
    usual = np.median(levels)
    return np.flatnonzero((levels * factor < usual) | (levels > usual * factor))


def _level(image: Any, invalid: float | None) -> float:
    measured = image if invalid is None else image[image != invalid]
    return float(np.percentile(np.abs(measured), 98)) if measured.size else 0.0
