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
    channels, height, width = sensor.shape
    if is_signal((1, *sensor.shape)):
        image, way_out = (
            sensor.rule(pixels),
            f"give each in a file of its own, [{channels}, {width}]",
        )
        image = image.swapaxes(0, 1) if len(image) == 1 else image
        if image.shape != sensor.shape:
            found = (
                f"holds {list(pixels.shape)}, and signals of {sensor.name} are {list(sensor.shape)}"
            )
            raise DataError(file, found, way_out)
    elif len(pixels) != channels:
        found = f"has {len(pixels)} bands, and images of {sensor.name} had {channels} in training"
        raise DataError(file, found, "give an image of this sensor")
    elif (image := sensor.rule(pixels)).shape != sensor.shape:
        found = (
            f"is {image.shape[1]}×{image.shape[2]}, and images of {sensor.name} {height}×{width}"
        )
        raise DataError(file, found, "bring it to this height and width")
    image = image.astype(np.float32)
    check_finite(image[None], str(file))
    return image, pixels.dtype


def oddity(image: np.ndarray, sensor: Sensor) -> str:
    """In which way an image [C, H, W] is unlike those of training, over measured pixels: "empty",
    there are none; "blank", each band has one value; "unlike", of a band the mean lies beyond
    low … high by more than high − low, or the standard deviation is below 1/500 of that; "" in
    none. This finds other units and number types, but no other sensor of like values.

    >>> depth = Sensor(name="depth", unit="m", shape=(1, 1, 2), low=(0,), high=(9,), invalid=0)
    >>> [oddity(np.float32([[pixels]]), depth) for pixels in ((0, 0), (5, 5), (0, 99), (2, 5))]
    ['empty', 'blank', 'blank', '']
    """
    unmeasured = sensor.invalid is not None and is_unmeasured(image, sensor.invalid)
    pixels: Any = np.ma.array(image, mask=unmeasured, dtype=float)
    if not pixels.count():
        return "empty"
    low, high = np.array(sensor.low), np.array(sensor.high)
    span, distance = high - low, abs(pixels.mean((1, 2)) - (low + high) / 2)
    varies, flat = span > 0, pixels.std((1, 2)) < span / 500
    # resizing may round a blank image
    spread = pixels.max((1, 2)) - pixels.min((1, 2)) > 1e-6 * abs(pixels).max((1, 2))
    if varies.any() and (flat & ~spread).filled(True)[varies].all():
        return "blank"
    return "unlike" if ((distance > 1.5 * span) | flat).filled(True)[varies].any() else ""


def compare(
    files: Sequence[Path], sensor: Sensor, odd: Sequence[str], types: Sequence[np.dtype]
) -> None:
    """Warn of files of another number type than those of training, where more than one in twenty is
    "unlike" by its `oddity`, and of all that are "empty" or "blank"."""
    usual, reason, kinds = [np.dtype(name) for name in sensor.types or types], "", np.array(odd)
    floats = "f" in {own.kind for own in usual}  # of two widths, they hold numbers of one scale
    alike = np.array([kind in usual or (floats and kind.kind == "f") for kind in types])
    if not alike.all():
        reason = f" ({types[int(alike.argmin())]}, in training {' or '.join(sensor.types)})"
    strange = (kinds == "unlike") | ~alike
    if reason or strange.mean() > 0.05:
        span = f"{min(sensor.low):.3g} … {max(sensor.high):.3g}"
        advice = f"compare {span}, unit, number type{reason} and sensor"
        _warn_of(files, sensor, strange, f"are unlike training; {advice}")
    _warn_of(files, sensor, kinds == "empty", "have no measured pixel, and get no class")
    _warn_of(
        files, sensor, kinds == "blank", "are blank, so their class says nothing; look at them"
    )


def _warn_of(files: Sequence[Path], sensor: Sensor, chosen: np.ndarray, found: str) -> None:
    if chosen.any():
        count = f"{chosen.sum()} of {len(chosen)} images of {sensor.name}"
        warnings.warn(f"{files[int(chosen.argmax())]}: {count} {found}", stacklevel=4)
