"""The contract of a deployed network: its sensors, and how a file becomes what it reads."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from discom.data.checks import is_signal
from discom.data.images import Rule, read_pixels
from discom.data.pixels import check_finite, is_unmeasured
from discom.data.tags import TIFF, Tags, tags
from discom.errors import DataError


class Sensor(BaseModel, frozen=True):
    """A sensor that a deployed network reads; `low`, `high`, `invalid` as in `Normalization`."""

    name: str
    unit: str  # of its pixels, empty where they have none
    shape: tuple[int, int, int]  # of every image, [C, H, W]
    low: tuple[float, ...]
    high: tuple[float, ...]
    invalid: float | None = None
    rule: Rule = Rule()  # by which preparation made an image of a file
    types: tuple[str, ...] = ()  # of numbers in files of training, by NumPy's names; () not known
    scaling: tuple[tuple[int, str, float], ...] | None = None  # of their tags, where it is known


class Contract(BaseModel, frozen=True):
    """What an exported network reads and answers; its JSON is in the ONNX file's metadata, too."""

    run: str  # data, method, seed and hash of its training: "objects/discom/0-1f2e3d4c5b"
    classes: tuple[str, ...]  # name of class k at place k
    stride: int  # of a network for every pixel: sides of images are multiples of it; else 0
    sensors: tuple[Sensor, ...]  # each is an input of the file, by its name


def read(file: Path, sensor: Sensor) -> tuple[np.ndarray, np.dtype]:
    """The image of a file as the network reads it, [C, H, W] float32, and the file's own type; a
    signal may be a file [C, T]. A DataError for a file that cannot be read or prepared as those of
    training were, and for a TIFF whose tags state another scale or offset than theirs."""
    hole = np.nan if sensor.invalid is None else sensor.invalid
    pixels, stated = read_pixels(file, hole), tags(file)
    # other kinds of files have no tags, so they contradict nothing
    if file.suffix.lower() in TIFF and sensor.scaling not in (None, stated.scaling):
        usual = Tags(scaling=sensor.scaling or ()).factors()
        found = f"states {stated.factors()}, files of {sensor.name} in training {usual}"
        raise DataError(file, found, "write its numbers as those of training are written")
    image = sensor.rule(pixels).astype(np.float32)
    if (signal := is_signal((1, *sensor.shape))) and len(image) == 1:
        image = image.swapaxes(0, 1)
    check_finite(image[None], str(file))
    if image.shape != sensor.shape:
        found = f"has bands, height, width {image.shape}, {sensor.name} needs {sensor.shape}"
        way_out = "give an image of this sensor in this size"
        if signal:
            channels, _, samples = sensor.shape
            way_out = f"give each signal in a file of its own, [{channels}, {samples}]"
        raise DataError(file, found, way_out)
    return image, pixels.dtype


def unlike(image: np.ndarray, sensor: Sensor) -> bool:
    """Whether an image [C, H, W] is unlike those of training: of a band the mean lies beyond
    low … high by more than high − low, or the standard deviation is below 1/500 of that, over
    measured pixels. This finds other units and number types, but no other sensor of like values.
    """
    unmeasured = sensor.invalid is not None and is_unmeasured(image, sensor.invalid)
    pixels: Any = np.ma.array(image, mask=unmeasured, dtype=float)
    low, high = np.array(sensor.low), np.array(sensor.high)
    span, distance = high - low, abs(pixels.mean((1, 2)) - (low + high) / 2)
    strange = (distance > 1.5 * span) | (pixels.std((1, 2)) < span / 500)
    return bool((strange.filled(True) & (span > 0)).any())


def compare(
    files: Sequence[Path], sensor: Sensor, strange: Sequence[bool], types: Sequence[np.dtype]
) -> None:
    """Warn of files of another number type than those of training, and where more than one in
    twenty is strange."""
    usual, reason = [np.dtype(name) for name in sensor.types or types], ""
    floats = "f" in {own.kind for own in usual}  # of two widths, they hold numbers of one scale
    alike = [kind in usual or (floats and kind.kind == "f") for kind in types]
    if not all(alike):
        reason = f" ({types[alike.index(False)]}, in training {' or '.join(sensor.types)})"
    odd = np.array(strange) | ~np.array(alike)
    if reason or odd.mean() > 0.05:
        found = f"{odd.sum()} of {len(odd)} images of {sensor.name} are unlike training"
        span = f"{min(sensor.low):.3g} … {max(sensor.high):.3g}"
        advice = f"compare {span}, unit, number type{reason} and sensor"
        warnings.warn(f"{files[odd.argmax()]}: {found}; {advice}", stacklevel=3)
