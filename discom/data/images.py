"""Image files to arrays, and arrays to another size."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import ExifTags, Image

from discom.data.checks import check_images
from discom.errors import DataError, first_line

__all__ = ["ENDINGS", "check_one_size", "image_size", "open_image", "read_image", "read_pixels"]
__all__ += ["resize"]

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")


def read_pixels(file: Path | str) -> np.ndarray:
    """One image [C, H, W] with the file's own values and type: 8/16-bit PNG, JPEG, TIFF of any
    bands, .npy.

    A JPEG is turned as its EXIF entry says. A TIFF says itself which axis has the bands; a plain
    array of three axes has them last when the last axis is the smallest, and first otherwise.

    Raises:
        DataError: unreadable, truncated, of another rank, or with NaN or infinite pixels.
    """
    file, axes = Path(file), ""
    with _named(file):
        match file.suffix.lower():
            case ".npy":
                pixels = np.load(file, allow_pickle=False)
            case ".tif" | ".tiff":
                with tifffile.TiffFile(file) as tiff:
                    pixels, axes = tiff.series[0].asarray(), tiff.series[0].axes
            case ".jpg" | ".jpeg":
                pixels = _read_jpeg(file.read_bytes())
            case _:
                pixels = imagecodecs.imread(_not_empty(file.read_bytes()))
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3:
        raise DataError(
            f"{file}: has shape {pixels.shape}; an image is [H, W], [H, W, C] or [C, H, W]"
        )
    if axes.endswith(("S", "C")) or (len(axes) != 3 and pixels.shape[2] < min(pixels.shape[:2])):
        pixels = np.moveaxis(pixels, 2, 0)
    check_images(pixels[None], str(file))
    return pixels


def _not_empty(content: bytes) -> bytes:
    if not content:
        raise ValueError("the file is empty")
    return content


def _read_jpeg(content: bytes) -> np.ndarray:
    if not _not_empty(content).rstrip(b"\0").endswith(b"\xff\xd9"):
        raise ValueError("the end of the JPEG is missing")  # decoders fill it without a word
    with Image.open(BytesIO(content)) as image:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    pixels = imagecodecs.imread(content)
    if orientation in (5, 6, 7, 8):  # rows are columns
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels


@contextmanager
def _named(file: Path | str) -> Iterator[None]:
    """A DataError that names the file, for whatever a decoder raises: each has its own kinds."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{file}: no such file") from None
    except Exception as error:
        reason = first_line(error).partition(f" '{file}")[0]
        raise DataError(
            f"{file}: cannot be read as an image ({reason}); replace or remove it"
        ) from None


@contextmanager
def open_image(file: Path | str) -> Iterator[Image.Image]:
    """A PNG or JPEG of which no more is read than the block asks for.

    Raises:
        DataError: unreadable.
    """
    with _named(file), Image.open(file) as image:
        yield image


def image_size(file: Path | str) -> tuple[int, int]:
    """Height and width as the head of a PNG or JPEG has them; the pixels are not decoded.

    Raises:
        DataError: unreadable.
    """
    with open_image(file) as image:
        return image.height, image.width


def check_one_size(files: Mapping[str, Path], what: str) -> None:
    """Refuse the images of one scene that differ in size: resized, they would look like a pair.

    Args:
        files: name → file, of the same scene.
        what: the names are, such as "the modalities".

    Raises:
        DataError: naming the first file and every size.
    """
    sizes = {name: "{}×{}".format(*image_size(file)) for name, file in files.items()}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
        first = next(iter(files.values()))
        raise DataError(f"{first}: {what} differ in size ({listed}); take the original files")


def read_image(file: Path | str) -> np.ndarray:
    """`read_pixels` as float32."""
    return read_pixels(file).astype(np.float32)


def resize(pixels: np.ndarray, size: tuple[int, int], *, smooth: bool) -> np.ndarray:
    """Bring [C, H, W] to [C, *size] in the same type; `smooth` averages (colours), else the nearest
    pixel is taken as it is.

    Depth, temperature and class ids must not be smoothed: the mean of a hole and a wall is neither.

    >>> resize(np.array([[[0, 9], [5, 7]]], np.uint8), (4, 2), smooth=False)[0].tolist()
    [[0, 9], [0, 9], [5, 7], [5, 7]]
    """
    (height, width), (new_height, new_width) = pixels.shape[1:], size
    if (height, width) == (new_height, new_width):
        return pixels
    if not smooth:
        rows = ((np.arange(new_height) + 0.5) * height / new_height).astype(int)
        columns = ((np.arange(new_width) + 0.5) * width / new_width).astype(int)
        return pixels[:, rows[:, None], columns]
    larger = new_height > height or new_width > width  # a box of less than a pixel would repeat
    how = Image.Resampling.BILINEAR if larger else Image.Resampling.BOX
    plain = pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32)  # what Pillow resizes
    bands = [np.asarray(Image.fromarray(b).resize((new_width, new_height), how)) for b in plain]
    resized = np.stack(bands)
    if pixels.dtype.kind in "iu" and pixels.dtype != np.uint8:
        resized = np.round(resized)
    return resized.astype(pixels.dtype)
