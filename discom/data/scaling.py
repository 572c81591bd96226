"""The scaling of each band to [0, 1] by percentiles of the training part."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from discom.data.checks import is_signal
from discom.data.pixels import check_finite, is_unmeasured
from discom.errors import DataError

PERCENTILES = (2.0, 98.0)  # the released code's clipping bounds
EXTREMES = (0.0, 100.0)  # of a signal, whose peaks tell what happened
VALUES = 1 << 27  # so many are read at once to find the bounds; of more, every k-th sample is read
HUGE = 1e30  # no sensor measures more, but files store such values where nothing was measured
LOWEST = 1 / 255  # of measured pixels, where 0 stands for "nothing was measured"


@dataclass(frozen=True, eq=False)
class Normalization:
    """Clip each band to [low, high], both [C] in the data's unit, and scale it to [0, 1].

    x'_c = clip((x_c - low_c) / (high_c - low_c), 0, 1)

    A constant band becomes zero. Pixels equal to `invalid` (see `Modality`) become 0 and measured
    ones 1/255 + 254/255 · x'_c, so that a hole is never taken for the nearest surface.

    Source: the released code's percentiles, here of the training split instead of the whole array.
    """

    low: np.ndarray
    high: np.ndarray
    invalid: float | None = None

    @classmethod
    def fit(
        cls, images: Any, name: str = "modality", invalid: float | None = None
    ) -> "Normalization":
        """Percentiles 2 and 98 per band of `images` [N, C, H, W], of signals the extremes, pixels
        equal to `invalid` left out.

        Of more than 2²⁷ values every k-th sample is read, with the smallest k that is enough. Warns
        where a band is constant; a DataError for no sample, another shape, pixels that are not
        finite, bounds that no sensor measures, and values that float32 does not tell apart.
        """
        if not len(images):
            raise DataError(name, "has no sample in the training part", "give more samples")
        sample = np.asarray(images[:: -(-int(np.prod(images.shape)) // VALUES)])
        check_finite(sample, name)
        bounds, ends = [], EXTREMES if is_signal(sample.shape) else PERCENTILES
        for band, values in enumerate(sample.swapaxes(0, 1)):
            measured = values if invalid is None else values[~is_unmeasured(values, invalid)]
            low, high = np.percentile(measured, ends) if measured.size else (0.0, 0.0)
            _check_band(f"{name}: band {band}", measured, low, high)
            bounds.append((low, high))
        low, high = np.transpose(bounds)
        if len(constant := np.flatnonzero(low == high)):
            found = f"bands {constant.tolist()} are constant between the percentiles"
            warnings.warn(f"{name}: {found}; such a band is scaled to zero", stacklevel=2)
        return cls(low, high, invalid)

    def __call__(self, images: Any) -> np.ndarray:
        """Scale `images` [N, C, H, W] of any real type to float32 in [0, 1]."""
        raw = np.asarray(images)
        holes = None if self.invalid is None else is_unmeasured(raw, self.invalid)
        with np.errstate(over="ignore"):  # what float32 cannot hold is clipped all the same
            stored = np.array(raw, dtype=np.float32)
        return self.scale(stored, holes, *self.bounds)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """What `scale` takes off each band and divides it by, float32 [C, 1, 1] each."""
        span = np.where(self.high > self.low, self.high - self.low, np.inf)
        low, span = (band.astype(np.float32)[:, None, None] for band in (self.low, span))
        return low, span

    @staticmethod
    def scale(values: Any, holes: Any, low: Any, span: Any) -> Any:
        """Scale float32 `values` [N, C, H, W], an array or a tensor, which change, too; `holes`, of
        the same shape, says which were not measured, None where all were."""
        values -= low
        values /= span
        values = values.clip(0, 1)
        if holes is not None:
            values *= 1 - LOWEST
            values += LOWEST
            values[holes] = 0
        return values

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, such as a digest takes."""
        bounds = {"low": self.low.tolist(), "high": self.high.tolist()}
        return bounds if self.invalid is None else {**bounds, "invalid": self.invalid}


def _check_band(where: str, measured: np.ndarray, low: float, high: float) -> None:
    """Refuse the measured values of a band, with these bounds, that no sensor measures or that
    float32 does not tell apart."""
    if max(-low, high) > HUGE:
        extreme = measured.min() if -low > high else measured.max()
        way_out = f"networks read float32, so divide it by a constant, such as {extreme:.0e}"
        if (measured == extreme).mean() > PERCENTILES[0] / 100:
            way_out = f"if {extreme} means 'not measured', state it as invalid"
        raise DataError(where, f"goes from {measured.min():g} to {measured.max():g}", way_out)
    if low < high and not np.can_cast(measured.dtype, np.float32):
        usual = measured[(measured >= low) & (measured <= high)]
        error = abs(usual - usual.astype("f4")).max(initial=0)
        if error > (high - low) * LOWEST:
            found = f"from {low:.15g} to {high:.15g}, would be rounded by {error:g}"
            way_out = "networks read float32, so subtract a constant, such as its mean, before"
            raise DataError(where, found, way_out)
