"""Use of a deployed network without torch: a class for an image, or a pair of images, or for every
pixel of images of any size."""

import math
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from discom.data.checks import NO_LABEL, check_finite
from discom.data.images import find_images, read_pixels
from discom.deployment import Model, Sensor, levels
from discom.errors import ConfigError, DataError
from discom.files import atomic_file


def find_inputs(paths: Sequence[Path], sensors: Sequence[Sensor]) -> list[tuple[Path, ...]]:
    """The images of one sensor, `<path>/<sensor>/<name>` or, without that folder, all of the path;
    of several sensors the pairs `<path>/<sensor>/<name>`, whatever their endings. Sensors that are
    bands of one file need no folder of their own: `<path>/<name>`, or one folder of any name.

    Warns of names that a sensor lacks, which are left out. A DataError for a folder that is
    missing, two images of one sensor and name, or no pair.
    """
    names = [sensor.name for sensor in sensors]
    if len(sensors) == 1:
        return [(file,) for file in find_images(_place(path, sensors[0], names) for path in paths)]
    if file := next((path for path in paths if path.is_file()), None):
        way_out = f"give a folder that has {' and '.join(names)}"
        raise DataError(file, f"is one file, the model reads {len(names)} sensors", way_out)
    found: dict[str, dict[str, Path]] = {}
    for path, (sensor, own) in product(paths, zip(names, sensors, strict=True)):
        for file in find_images([place := _place(path, own, names)]):
            name = str((path / file.relative_to(place)).with_suffix(""))
            name = unicodedata.normalize("NFC", name)  # an accent has two forms in file names
            if found.setdefault(name, {}).setdefault(sensor, file) != file:
                raise DataError(file, f"another image of {sensor} has its name", "rename one")
    for sensor in names:
        if alone := [pair for pair in found.values() if sensor not in pair]:
            lacking = f"{len(alone)} of {len(found)} images have no partner in {sensor}"
            first = next(iter(alone[0].values()))
            warnings.warn(f"{first}: {lacking}, this is the first; none is answered", stacklevel=2)
    whole = [pair for pair in found.values() if len(pair) == len(sensors)]
    if not whole:
        raise DataError(paths[0], f"no name is in all of {', '.join(names)}", "name pairs alike")
    return [tuple(pair[sensor] for sensor in names) for pair in whole]


def _place(path: Path, sensor: Sensor, names: Sequence[str]) -> Path:
    """The folder below a path, or the path itself, that has a sensor's images."""
    folders = {each.name.lower(): each for each in path.glob("*") if each.is_dir()}
    if sensor.name in folders:
        return folders[sensor.name]
    if len(names) > 1 and not sensor.rule.bands:
        return path / sensor.name
    others = [folder for name, folder in folders.items() if name not in names]
    return others[0] if len(others) == 1 else path


def warn_far(sensors: Sequence[Sensor], inputs: Sequence[tuple], measured: Sequence) -> None:
    """Warn, once for each sensor, where more than one image in twenty lies far from those of
    training: nothing was measured, the mean of a band is beyond theirs by more than high − low, or
    its deviation is below a tenth of theirs; or where more than half of four images or more lie on
    one side of all of training. This finds other units, number types and offsets, but no other
    sensor of like values.

    Args:
        inputs, measured: of each input, the files of the sensors, and their `levels`.
    """
    for number, sensor in enumerate(sensors):
        if sensor.low is None or sensor.high is None:
            continue
        means, deviations = np.swapaxes([each[number] for each in measured], 0, 1)  # [N, C] each
        least, largest, usual = np.transpose(sensor.range)
        span = np.subtract(sensor.high, sensor.low)
        beyond = (means < least - span) | (means > largest + span)
        far = (beyond | ~(deviations >= usual / 10)) & (span > 0)  # also NaN: nothing was measured
        for side in (means < least, means > largest) if len(means) > 3 else ():
            far |= side & (side.mean(0) > 0.5) & (span > 0)
        if far.any(1).mean() > 0.05:
            k, c = np.argwhere(far)[0]
            count = f"{far.any(1).sum()} of {len(inputs)} images of {sensor.name}"
            own = f"{means[k, c]:.3g} ± {deviations[k, c]:.2g}"
            usually = f"{least[c]:.3g} … {largest[c]:.3g} ± {usual[c]:.2g} or more"
            found = f"{count} are unlike training (band {c + 1}: {own}, in training {usually})"
            way_out = "compare unit, number type and sensor"
            warnings.warn(f"{inputs[k][number]}: {found}; {way_out}", stacklevel=3)


def predict(model: Model, paths: Sequence[Path]) -> pd.DataFrame:
    """The class of every image, or pair, of `find_inputs`: rows of file (or of each sensor's file),
    class, probability and "p(<class>)" of each class.

    An image is prepared as those of training were, by the contract's rule; see `warn_far`. A
    DataError for one that is unreadable, holds NaN where the contract has no value for "not
    measured", or is not of the contract's shape.
    """
    rows, measured, classes, sensors = [], [], model.contract.classes, model.contract.sensors
    few: dict[Path, float] = {}  # files of which less than half was measured
    names = [sensor.name for sensor in sensors]
    inputs = find_inputs(paths, sensors)
    for files in inputs:
        images = []
        for file, sensor in zip(files, sensors, strict=True):
            hole = math.nan if sensor.invalid is None else sensor.invalid
            pixels = read_pixels(file, hole, alpha=bool(sensor.rule.bands))
            image = sensor.rule(pixels, file).astype(np.float32)
            check_finite(image[None], str(file))
            _check_shape(file, sensor, image, sensor.shape)
            images.append(image)
            if sensor.invalid is not None and (share := (image != sensor.invalid).mean()) < 0.5:
                few[file] = share
        measured.append([*map(levels, images, (sensor.invalid for sensor in sensors))])
        shares = model.answer(*(image[None] for image in images))[1][0].tolist()
        if not all(few.get(file, 1) for file in files):  # no measurement, no answer
            shares = [math.nan] * len(shares)
        best = int(np.argmax(shares))
        row = dict(zip(names if len(names) > 1 else ["file"], map(str, files), strict=True))
        row |= {"class": "" if math.isnan(shares[best]) else classes[best]}
        row |= {"probability": shares[best]}
        rows.append(row | {f"p({k})": p for k, p in zip(classes, shares, strict=True)})
    warn_far(sensors, inputs, measured)
    if few:
        found = f"{len(few)} of {len(inputs)} images are measured in less than half of their pixels"
        way_out = "distrust their answers; those without any have none"
        warnings.warn(f"{next(iter(few))}: {found}; {way_out}", stacklevel=2)
    return pd.DataFrame(rows)


def _check_shape(place: object, sensor: Sensor, image: np.ndarray, shape: Sequence[int]) -> None:
    if len(image) != shape[0]:
        found = f"has {len(image)} band(s), {sensor.name} has {shape[0]}"
        raise DataError(place, found, "give an image of this sensor")
    if image.shape != shape:
        pixels = "×".join(map(str, image.shape[1:]))
        usual = "×".join(map(str, shape[1:]))
        raise DataError(place, f"has {pixels} pixels, {sensor.name} needs {usual}", "convert it")


def segment(
    model: Model, paths: Sequence[Path], out: Path | None
) -> Iterator[tuple[Path, tuple[int, int]]]:
    """The class of every pixel of each image, or pair, of `find_inputs`, whatever its size, as
    `out`/<name>.tif, uint8, which names its classes; gives each file when it is written, with its
    height and width.

    Pixels that are NaN, or what a TIFF calls "no data" (GDAL's tag), are read as the contract's
    `invalid`, or 0; where all bands are, the map is 255. At the end see `warn_far`. A ConfigError
    for no `out`, one that holds images, or two images of one name; a DataError that names an image
    which the model cannot read, or whose sides its stride does not divide.
    """
    if out is None or out.suffix == ".csv":
        raise ConfigError("--out", "maps need a folder", "name one, such as maps")
    contract, measured = model.contract, []
    inputs = find_inputs(paths, contract.sensors)
    if out.resolve() in {file.resolve().parent for files in inputs for file in files}:
        raise ConfigError("--out", f"{out} holds some of the images", "name another folder")
    maps = {files: out / f"{files[0].stem}.tif" for files in inputs}
    if len(maps) > len(set(maps.values())):
        raise ConfigError("--out", "two images of one name would share a map", "rename one")
    names = ", ".join(f"{k} {name}" for k, name in enumerate(contract.classes)).encode()
    for files, target in maps.items():
        images = [_read_whole(*each) for each in zip(files, contract.sensors, strict=True)]
        height, width = images[0].shape[1:]
        if height % contract.stride or width % contract.stride:
            found = f"{height}×{width} pixels are no multiples of {contract.stride}"
            raise DataError(files[0], found, "crop or pad it")
        for file, image, sensor in zip(files, images, contract.sensors, strict=True):
            _check_shape(file, sensor, image, (sensor.shape[0], height, width))
        holes = [sensor.invalid for sensor in contract.sensors]
        measured.append([*map(levels, images, holes)])
        empty = np.concatenate([np.isnan(image) for image in images]).all(0)
        filled = [np.nan_to_num(each, nan=h or 0) for each, h in zip(images, holes, strict=True)]
        ids = model.answer(*(each[None] for each in filled))[0][0].argmax(0).astype(np.uint8)
        ids[empty] = NO_LABEL
        with atomic_file(target) as part:
            tifffile.imwrite(part, ids, compression="zlib", description=names)
        yield target, ids.shape
    warn_far(contract.sensors, inputs, measured)


def _read_whole(file: Path, sensor: Sensor) -> np.ndarray:
    """An image of any size, float32, NaN where there is no data."""
    pixels = read_pixels(file, math.nan, alpha=bool(sensor.rule.bands)).astype(np.float32)
    return replace(sensor.rule, size=None)(pixels, file)
