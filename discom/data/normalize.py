"""Per-band scaling to [0, 1] by percentiles of the training split."""

import warnings
from dataclasses import dataclass

import numpy as np

from discom.errors import DataError

__all__ = ["Normalization"]

PERCENTILES = (2.0, 98.0)  # the paper's clipping bounds
PIXELS = 1 << 27  # of one band; of a larger one, evenly spaced samples are read


@dataclass(frozen=True, eq=False)
class Normalization:
    """Clip each band to [low, high] and scale it to [0, 1].

    x'_c = clip((x_c - low_c) / (high_c - low_c), 0, 1)

    Source: the released code of DisCoM-KD takes the 2nd and 98th percentile of the whole array;
    here they are those of the training split, so that nothing of the test split is read.

    Args:
        low: lower bound per band, [C], in the data's own unit.
        high: upper bound per band, [C]; a band with high = low is constant and becomes zero.

    >>> Normalization(np.array([0.0]), np.array([4.0]))(np.full((1, 1, 1, 2), 3.0))
    array([[[[0.75, 0.75]]]], dtype=float32)
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def fit(cls, images, name: str = "modality", invalid: float | None = None) -> "Normalization":
        """Percentiles per band of `images` [N, C, H, W], pixels equal to `invalid` left out.

        Of a band with more than 2²⁷ pixels every k-th sample is read, with the smallest k that is
        enough: its values are held in memory. Warns, naming the band, where a band is constant.
        """
        if not len(images):
            raise DataError(
                f"{name}: no sample in the training part; are there too few, or do the names not pair?"
            )
        every = max(1, -(-len(images) * int(np.prod(images.shape[2:])) // PIXELS))
        bounds = np.array(
            [_bounds(images[::every, band], invalid) for band in range(images.shape[1])]
        )
        for band in np.flatnonzero(bounds[:, 0] == bounds[:, 1]):
            warnings.warn(
                f"{name}: band {band} is constant ({bounds[band, 0]:g}) between its percentiles; it is scaled to zero",
                stacklevel=2,
            )
        return cls(*bounds.T)

    def __call__(self, images) -> np.ndarray:
        """Scale `images` [N, C, H, W] of any real type to float32 in [0, 1]."""
        span = np.where(self.high > self.low, self.high - self.low, np.inf)
        low, span = (
            np.asarray(v, dtype=np.float32)[:, None, None] for v in (self.low, span)
        )  # [C, 1, 1]
        scaled = np.array(images, dtype=np.float32)
        scaled -= low
        scaled /= span
        return np.clip(scaled, 0, 1, out=scaled)

    def to_dict(self) -> dict[str, list[float]]:
        """Plain numbers for a manifest; `Normalization.from_dict` reads them back."""
        return {"low": self.low.tolist(), "high": self.high.tolist()}

    @classmethod
    def from_dict(cls, numbers: dict[str, list[float]]) -> "Normalization":
        """The inverse of `to_dict`."""
        return cls(
            np.array(numbers["low"], dtype=np.float64), np.array(numbers["high"], dtype=np.float64)
        )


def _bounds(values: np.ndarray, invalid: float | None) -> np.ndarray:
    measured = values if invalid is None else values[values != invalid]
    return np.percentile(measured if measured.size else values, PERCENTILES)
