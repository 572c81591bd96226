"""A class for every pixel of an image of any size, a tile at a time."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from discom.data.checks import NO_LABEL
from discom.data.images import read_pixels
from discom.deployment import Model
from discom.errors import ConfigError, DataError
from discom.files import atomic_file

# GeoTIFF's tags: scale and place of a pixel, or a matrix; the coordinate system in three parts
PLACE = (33550, 33922, 34264, 34735, 34736, 34737)
NO_DATA = 42113  # GDAL's tag for the value of a pixel that was not measured, as text


def segment(model: Model, image: np.ndarray, tile: int = 256) -> np.ndarray:
    """The class of every pixel of a raw image [C, H, W]: ids [H, W], uint8.

    Tiles overlap by half. A pixel takes the class with the largest sum of its tiles' logits, each
    weighted by how near the pixel is to the middle of that tile, so that no seam shows. At the
    border the image is continued by its last row and column. Logits are held for `tile` rows.

    Raises:
        ConfigError: a model of whole images, or a tile that its stride does not divide.
        DataError: an image with other bands than the model reads.
    """
    contract = model.contract
    if not contract.stride:
        raise ConfigError("--tile: the model names one class for each image; leave it out")
    if tile < 1 or tile % contract.stride:
        rule = f"choose a multiple of {contract.stride}, such as {32 * contract.stride}"
        raise ConfigError(f"--tile: {tile} pixels do not suit the network; {rule}")
    bands, *sides = image.shape
    if bands != contract.shape[0]:
        expected = f"the model reads {contract.shape[0]} of {contract.modality}"
        raise DataError(f"has {bands} bands, {expected}; give images of that sensor")
    step = max(1, tile // 2)
    starts = [range(0, max(1, math.ceil((side - tile) / step) + 1) * step, step) for side in sides]
    height, width = sides
    ids = np.empty(sides, np.uint8)
    across = np.arange(starts[1][-1] + tile).clip(max=width - 1)
    total = np.zeros((len(contract.classes), tile, len(across)), np.float32)
    near = np.minimum(np.arange(1, tile + 1), np.arange(tile, 0, -1)).astype(np.float32)
    weight = near[:, None] * near
    for top in starts[0]:
        down = np.arange(top, top + tile).clip(max=height - 1)
        strip = image[:, down][:, :, across].astype(np.float32)
        for left in starts[1]:
            columns = np.s_[:, :, left : left + tile]
            total[columns] += weight * model.answer(strip[columns][None])[0][0]
        ready = min(tile if top == starts[0][-1] else step, height - top)
        ids[top : top + ready] = total[:, :ready, :width].argmax(0)
        total = np.concatenate([total[:, step:], np.zeros_like(total[:, :step])], 1)
    return ids


def segment_files(
    model: Model, files: Sequence[Path], out: Path | None, tile: int = 256
) -> Iterator[tuple[Path, tuple[int, int]]]:
    """`segment` of each image into `out`/<name>.tif, as `write_classes` does; gives each file when
    it is written, with its height and width. Pixels that a GeoTIFF calls "no data", in all bands,
    are 255 in the map. A ConfigError for no `out`, one that holds images, or two images of one
    name; a DataError that names an image which the model cannot read."""
    if out is None or out.suffix == ".csv":
        raise ConfigError("--out: maps need a folder; name one, such as maps")
    maps = {file: out / f"{file.stem}.tif" for file in files}
    if out.resolve() in {file.resolve().parent for file in files}:
        raise ConfigError(f"--out: {out} holds some of the images; name another folder")
    if len(maps) > len(set(maps.values())):
        raise ConfigError(f"--out: two images of one name would share a map in {out}; rename one")
    for file, written in maps.items():
        image = read_pixels(file)
        empty = no_data(file, image)
        if empty.any():
            image[:, empty] = model.contract.invalid or 0
        try:
            ids = segment(model, image, tile)
        except DataError as error:
            raise DataError(f"{file}: {error}") from None
        out.mkdir(parents=True, exist_ok=True)
        ids[empty] = NO_LABEL
        write_classes(written, ids, model.contract.classes, file)
        yield written, ids.shape


def no_data(file: Path, image: np.ndarray) -> np.ndarray:
    """Whether all bands of a pixel hold what the file calls "no data" (GDAL's tag), bool [H, W]."""
    known = _tags(file, [NO_DATA])
    if not known:
        return np.zeros(image.shape[1:], bool)
    return np.all(image == float(known[0][3]), axis=0)


def write_classes(file: Path, ids: np.ndarray, classes: tuple[str, ...], source: Path) -> None:
    """Write ids [H, W] as a TIFF that names its classes, in the place and coordinate system of
    `source` where that is a GeoTIFF. Where an id is 255, the map says that this is no data."""
    import tifffile

    tags = _tags(source, PLACE)
    if (ids == NO_LABEL).any():
        tags.append((NO_DATA, 2, 0, str(NO_LABEL), True))
    names = ", ".join(f"{number} {name}" for number, name in enumerate(classes))
    with atomic_file(file) as part:
        tifffile.imwrite(part, ids, compression="zlib", description=names.encode(), extratags=tags)


def _tags(file: Path, codes: Sequence[int]) -> list[tuple]:
    """Those of a TIFF's tags, as `tifffile` writes them; none of another file."""
    import tifffile

    if file.suffix.lower() not in (".tif", ".tiff"):
        return []
    with tifffile.TiffFile(file) as tiff:
        known = tiff.pages.first.tags
        own = [known[code] for code in codes if code in known]
        return [(tag.code, tag.dtype, tag.count, tag.value, True) for tag in own]
