"""Per-band scaling to [0, 1] by percentiles of the training split."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from discom.errors import DataError

PERCENTILES = (2.0, 98.0)  # the paper's clipping bounds
VALUES = 1 << 27  # so many are read at once to find the bounds; of more, every k-th sample is read
LOWEST = 1 / 255  # of measured pixels, where 0 stands for "nothing was measured"


@dataclass(frozen=True, eq=False)
class Normalization:
    """Clip each band to [low, high], both [C] in the data's unit, and scale it to [0, 1].

    x'_c = clip((x_c - low_c) / (high_c - low_c), 0, 1)

    A constant band becomes zero. Pixels equal to `invalid` (see `Modality`) become 0 and measured
    ones 1/255 + 254/255 · x'_c, so that a hole is never taken for the nearest surface.

    Source: the released code's percentiles, here of the training split instead of the whole array.

    >>> depth = np.array([[[[0.0, 1.0, 9.0]]]])  # a hole, the nearest and the farthest point
    >>> Normalization(np.array([2.0]), np.array([8.0]), invalid=0.0)(depth).round(3).tolist()
    [[[[0.0, 0.004000000189989805, 1.0]]]]
    """

    low: np.ndarray
    high: np.ndarray
    invalid: float | None = None

    @classmethod
    def fit(
        cls, images: Any, name: str = "modality", invalid: float | None = None
    ) -> "Normalization":
        """Percentiles per band of `images` [N, C, H, W], pixels equal to `invalid` left out.

        Of more than 2²⁷ values every k-th sample is read, with the smallest k that is enough. Warns
        where a band is constant.
        """
        if not len(images):
            raise DataError(f"{name}: has no sample in the training part; give more samples")
        every = -(-int(np.prod(images.shape)) // VALUES)
        sample = np.asarray(images[:: max(1, every)])
        bounds = np.array([_bounds(sample[:, band], invalid) for band in range(sample.shape[1])])
        for band in np.flatnonzero(bounds[:, 0] == bounds[:, 1]):
            constant = f"band {band} is constant ({bounds[band, 0]:g}) between its percentiles"
            warnings.warn(f"{name}: {constant}; it is scaled to zero", stacklevel=2)
        return cls(bounds[:, 0], bounds[:, 1], invalid)

    def __call__(self, images: Any) -> np.ndarray:
        """Scale `images` [N, C, H, W] of any real type to float32 in [0, 1]."""
        raw = np.asarray(images)
        span = np.where(self.high > self.low, self.high - self.low, np.inf)
        scaled = np.array(raw, dtype=np.float32)
        scaled -= self.low.astype(np.float32)[:, None, None]  # [C, 1, 1]
        scaled /= span.astype(np.float32)[:, None, None]
        np.clip(scaled, 0, 1, out=scaled)
        if self.invalid is not None:
            scaled *= 1 - LOWEST
            scaled += LOWEST
            scaled[raw == self.invalid] = 0
        return scaled

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for a manifest; `Normalization.from_dict` reads them back."""
        bounds = {"low": self.low.tolist(), "high": self.high.tolist()}
        return bounds if self.invalid is None else {**bounds, "invalid": self.invalid}

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> "Normalization":
        """The inverse of `to_dict`."""
        low, high = (np.array(numbers[name], dtype=np.float64) for name in ("low", "high"))
        return cls(low, high, numbers.get("invalid"))


def _bounds(values: np.ndarray, invalid: float | None) -> np.ndarray:
    measured = values if invalid is None else values[values != invalid]
    return np.percentile(measured if measured.size else values, PERCENTILES)
