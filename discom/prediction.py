"""Use of a deployed network without torch: the class of an image, or of a pair of images."""

import unicodedata
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from discom.data.checks import check_finite, is_signal
from discom.data.images import find_images, read_image
from discom.deployment import Model, Sensor, levels
from discom.errors import DataError


def find_inputs(paths: Sequence[Path], sensors: Sequence[Sensor]) -> list[tuple[Path, ...]]:
    """The images that are answered, a tuple of files for each answer.

    Of one sensor: all images below `<path>/<sensor>` or, without that folder, below the path. Of
    several: pairs `<path>/<sensor>/<name>`, whatever their endings; sensors that are bands of one
    file need no folder of their own. Hidden folders are left out.

    Warns of names that a sensor lacks. A DataError for a folder that is missing or there in two
    spellings, two images of one sensor and name, or no pair.
    """
    if len(sensors) == 1:
        return [(file,) for file in find_images(_place(path, *sensors) or path for path in paths)]
    if file := next((path for path in paths if path.is_file()), None):
        way_out = f"give a folder that has {' and '.join(sensor.name for sensor in sensors)}"
        raise DataError(file, f"is one file, the model reads {len(sensors)} sensors", way_out)
    found: dict[str, dict[str, Path]] = {}
    for path in paths:
        own = [_place(path, sensor) for sensor in sensors]
        others = [each for each in path.glob("[!.]*") if each.is_dir() and each not in own]
        # where sensors are bands of one file, and another one has a folder of its own
        shared = others[0] if any(own) and len(others) == 1 else path
        for sensor, folder in zip(sensors, own, strict=True):
            place = folder or (shared if sensor.rule.bands else path / sensor.name)
            for file in find_images([place]):
                name = str((path / file.relative_to(place)).with_suffix(""))
                name = unicodedata.normalize("NFC", name)  # an accent has two forms in file names
                if found.setdefault(name, {}).setdefault(sensor.name, file) != file:
                    twice = f"another image of {sensor.name} has its name"
                    raise DataError(file, twice, "rename one")
    pairs = [own for own in found.values() if len(own) == len(sensors)]
    if alone := [own for own in found.values() if len(own) < len(sensors)]:
        first = next(iter(alone[0].values()))
        lacking = f"{len(alone)} of {len(found)} images have no partner, this is the first"
        warnings.warn(f"{first}: {lacking}; they are not answered", stacklevel=3)
    if not pairs:
        raise DataError(paths[0], "no name is in the folder of each sensor", "name pairs alike")
    return [tuple(pair[sensor.name] for sensor in sensors) for pair in pairs]


def _place(path: Path, sensor: Sensor) -> Path | None:
    """The folder of a sensor below a path, in whatever letters; None where there is none."""
    name = sensor.name.lower()
    folders = sorted(each for each in path.glob("*") if each.is_dir() and each.name.lower() == name)
    if len(folders) > 1:
        found = f"{folders[0].name} has this name in other letters"
        raise DataError(folders[1], found, "rename one, or name one of them")
    return folders[0] if folders else None


def predict(model: Model, paths: Sequence[Path]) -> pd.DataFrame:
    """The class of every image, or pair, of `find_inputs`: rows of file (or of each sensor's file),
    class, probability and "p(<class>)" of each class; empty where a sensor measured nothing.

    An image is prepared as those of training were, by the contract's rule, and a signal may be a
    file [C, T]; see `warn_unlike`. A DataError for one that is unreadable, holds NaN where the
    contract has no value for "not measured", or is not of the contract's shape; and for a model
    that answers for every pixel.
    """
    contract, sensors = model.contract, model.contract.sensors
    if contract.stride:
        way_out = "ask model.onnx itself, see docs/guides/deploy.md"
        raise DataError(contract.run, "names the class of every pixel", way_out)
    inputs, answers, measured = find_inputs(paths, sensors), [], []
    for files in inputs:
        images = [_read(*each) for each in zip(files, sensors, strict=True)]
        measured.append([*map(levels, images, (sensor.invalid for sensor in sensors))])
        answers.append(model.answer(*(image[None] for image in images))[1][0])
    shares = np.array(answers, dtype=float)  # [N, K]
    for number, sensor in enumerate(sensors):
        own = np.array([each[number] for each in measured])  # [N, 3, C]
        warn_unlike(sensor, [files[number] for files in inputs], own)
        shares[~own[:, 2].any(1)] = np.nan  # no measurement, no answer
    columns = [sensor.name for sensor in sensors] if len(sensors) > 1 else ["file"]
    table = pd.DataFrame(np.array(inputs, dtype=str), columns=columns)
    names = np.array(contract.classes)[shares.argmax(1)]
    table["class"] = np.where(np.isnan(shares[:, 0]), "", names)
    table["probability"] = shares.max(1)
    table[[f"p({name})" for name in contract.classes]] = shares
    return table


def _read(file: Path, sensor: Sensor) -> np.ndarray:
    """An image as the network reads it, [C, H, W]."""
    image = read_image(file, sensor.rule, sensor.invalid).astype(np.float32)
    if is_signal((1, *sensor.shape)) and len(image) == 1:  # a file [C, T]
        image = image.swapaxes(0, 1)
    check_finite(image[None], str(file))
    if image.shape != sensor.shape:
        shape, own = ("×".join(map(str, each)) for each in (image.shape, sensor.shape))
        found = f"is an image of {shape} (bands, height, width), {sensor.name} needs {own}"
        raise DataError(file, found, "give an image of this sensor in this size")
    return image


def warn_unlike(sensor: Sensor, files: Sequence[Path], measured: np.ndarray) -> None:
    """Warn where more than one image in twenty is unlike those of training: nothing was measured,
    the mean of a band is beyond theirs by more than high − low, or its deviation is below a tenth
    of theirs. This finds other units and number types, but no other sensor of like values.
    `measured`: `levels` of each image, [N, 3, C].
    """
    means, deviations, _ = measured.swapaxes(0, 1)  # [N, C] each
    least, largest, usual = np.transpose(sensor.range)
    span = np.subtract(sensor.high, sensor.low)
    unlike = (means < least - span) | (means > largest + span)
    unlike |= ~(deviations >= usual / 10)  # also NaN: nothing was measured
    unlike &= span > 0
    if unlike.any(1).mean() > 0.05:
        k, c = np.argwhere(unlike)[0]
        count = f"{unlike.any(1).sum()} of {len(files)} images of {sensor.name}"
        own = f"{means[k, c]:.3g} ± {deviations[k, c]:.2g}"
        usually = f"{least[c]:.3g} … {largest[c]:.3g} ± {usual[c]:.2g} or more"
        found = f"{count} are unlike training (band {c + 1}: {own}, in training {usually})"
        warnings.warn(f"{files[k]}: {found}; compare unit, number type and sensor", stacklevel=3)
