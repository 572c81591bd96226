"""One image file to an array, and its resizing."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from discom.data.arrays import load_npy
from discom.data.checks import check_finite
from discom.errors import DataError
from discom.files import as_data_error

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")
# GeoTIFF's tags: scale and place of a pixel, or a matrix; the coordinate system in three parts
PLACE = (33550, 33922, 34264, 34735, 34736, 34737)
NO_DATA = 42113  # GDAL's tag for the value of a pixel that was not measured, as text


def find_images(paths: Iterable[Path]) -> list[Path]:
    """Files as they are named, and every image below a folder that is named, sorted; a DataError
    for a path that is not there, or no image at all."""
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DataError(path, "no such file or folder", "give images, or folders of images")
        files += sorted(filter(is_image, path.rglob("*"))) if path.is_dir() else [path]
    if not files:
        raise DataError(f"no image ({' '.join(ENDINGS)})", "", "give images, or folders of images")
    return files


def is_image(file: Path) -> bool:
    """Whether it is a file with the ending of an image, and not hidden."""
    return file.suffix.lower() in ENDINGS and not file.name.startswith(".") and file.is_file()


def read_pixels(file: Path | str) -> np.ndarray:
    """One image [C, H, W] with the file's own values and type: 8/16-bit PNG, JPEG, TIFF of any
    bands, .npy.

    A JPEG is turned as its EXIF entry says. A TIFF says itself which axis has the bands; of a plain
    array with three axes it is the last one where that is the smallest, else the first.

    Raises:
        DataError: unreadable, truncated, of another rank, or with NaN or infinite pixels.
    """
    file = Path(file)
    with as_data_error(file, "an image", "replace or remove it"):
        pixels, axes = _decode(file)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3:
        shapes = "an image is [H, W], [H, W, C] or [C, H, W]"
        raise DataError(file, f"has shape {pixels.shape}", shapes)
    if axes.endswith(("S", "C")) or (len(axes) != 3 and pixels.shape[2] < min(pixels.shape[:2])):
        pixels = np.moveaxis(pixels, 2, 0)
    check_finite(pixels[None], str(file))
    return pixels


def _decode(file: Path) -> tuple[np.ndarray, str]:
    """The pixels, and the names of a TIFF's axes; decoders are loaded where a file needs them."""
    ending = file.suffix.lower()
    if ending == ".npy":
        return load_npy(file), ""
    if ending in (".tif", ".tiff"):
        import tifffile

        with tifffile.TiffFile(file) as tiff:
            return tiff.series[0].asarray(), tiff.series[0].axes
    if ending in (".jpg", ".jpeg"):
        with Image.open(file, formats=["JPEG"]) as image:
            return np.asarray(ImageOps.exif_transpose(image)), ""
    import imagecodecs

    return imagecodecs.png_decode(file.read_bytes()), ""


def read_tags(file: Path) -> dict[int, tuple]:
    """Where a TIFF lies (`PLACE`) and what is no data in it, by the tags' numbers, as `tifffile`
    writes them; nothing of another file."""
    import tifffile

    if file.suffix.lower() not in (".tif", ".tiff"):
        return {}
    with tifffile.TiffFile(file) as tiff:
        tags = [tag for tag in tiff.pages.first.tags if tag.code in (*PLACE, NO_DATA)]
        return {tag.code: (tag.code, tag.dtype, tag.count, tag.value, True) for tag in tags}


def read_image(file: Path | str) -> np.ndarray:
    """`read_pixels` as float32."""
    return read_pixels(file).astype(np.float32)


def resize(pixels: np.ndarray, size: tuple[int, int], *, smooth: bool) -> np.ndarray:
    """Bring [C, H, W] to [C, *size] in the same type; `smooth` averages (colours), else the nearest
    pixel is taken (depth, temperature, class ids [H, W]: the mean of a hole and a wall is neither).

    >>> resize(np.array([[[0, 9], [5, 7]]], np.uint8), (4, 2), smooth=False)[0].tolist()
    [[0, 9], [0, 9], [5, 7], [5, 7]]
    """
    (height, width), (new_height, new_width) = pixels.shape[-2:], size
    if (height, width) == (new_height, new_width):
        return pixels
    if not smooth:
        rows = ((np.arange(new_height) + 0.5) * height / new_height).astype(int)
        columns = ((np.arange(new_width) + 0.5) * width / new_width).astype(int)
        return pixels[..., rows[:, None], columns]
    larger = new_height > height or new_width > width  # a box of less than a pixel would repeat
    how = Image.Resampling.BILINEAR if larger else Image.Resampling.BOX
    plain = pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32)  # what Pillow resizes
    bands = [Image.fromarray(band).resize((new_width, new_height), how) for band in plain]
    resized = np.stack([np.asarray(band) for band in bands])
    if pixels.dtype.kind in "iu" and pixels.dtype != np.uint8:
        resized = np.round(resized)
    return resized.astype(pixels.dtype)
