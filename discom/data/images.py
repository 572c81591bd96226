"""Image files to arrays, and arrays to another size."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from discom.data.checks import check_images
from discom.errors import DataError, first_line

__all__ = [
    "ENDINGS",
    "check_one_size",
    "image_size",
    "open_image",
    "read_image",
    "read_pixels",
    "resize",
]

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")


def read_pixels(file: Path | str) -> np.ndarray:
    """One image [C, H, W] with the file's own values and type: 8/16-bit PNG, JPEG, TIFF of any
    bands, .npy.

    A TIFF says itself which axis holds the bands; a plain array of three axes has them last when
    the last axis is the smallest, as cameras write it, and first otherwise.

    Raises:
        DataError: unreadable, truncated, of another rank, or with NaN or infinite pixels.
    """
    file = Path(file)
    try:
        match file.suffix.lower():
            case ".npy":
                pixels, axes = np.load(file, allow_pickle=False), ""
            case ".tif" | ".tiff":
                with tifffile.TiffFile(file) as tiff:
                    pixels, axes = tiff.series[0].asarray(), tiff.series[0].axes
            case _:
                if not (content := file.read_bytes()):
                    raise ValueError("the file is empty")
                if file.suffix.lower() in (".jpg", ".jpeg") and not content.rstrip(b"\0").endswith(
                    b"\xff\xd9"
                ):
                    raise ValueError(
                        "the end of the JPEG is missing"
                    )  # decoders fill the lost part without a word
                pixels, axes = imagecodecs.imread(content), ""
    except FileNotFoundError:
        raise DataError(f"{file}: no such file") from None
    except (
        Exception
    ) as error:  # every codec has its own exceptions; the file is at fault in all of them
        reason = first_line(error)
        raise DataError(
            f"{file}: cannot be read as an image ({reason}); replace or remove it"
        ) from None
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


@contextmanager
def open_image(file: Path | str) -> Iterator[Image.Image]:
    """A PNG or JPEG of which no more is read than the block asks for.

    Raises:
        DataError: unreadable.
    """
    try:
        with Image.open(file) as image:
            yield image
    except (
        Exception
    ) as error:  # every decoder has its own exceptions; the file is at fault in all of them
        reason = (
            str(error).partition(" '")[0] or type(error).__name__
        )  # what follows is the file once more
        raise DataError(
            f"{file}: cannot be read as an image ({reason}); replace or remove it"
        ) from None


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
    sizes = {name: image_size(file) for name, file in files.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {height}×{width}" for name, (height, width) in sizes.items())
        raise DataError(
            f"{next(iter(files.values()))}: {what} differ in size ({told}); take the original files"
        )


def read_image(file: Path | str) -> np.ndarray:
    """`read_pixels` as float32."""
    return read_pixels(file).astype(np.float32)


def resize(pixels: np.ndarray, size: tuple[int, int], *, smooth: bool) -> np.ndarray:
    """Bring [C, H, W] to [C, *size]; `smooth` averages (colours), else the nearest pixel is taken
    as it is.

    Depth, temperature and class ids must not be smoothed: the mean of a hole and a wall is neither.

    >>> resize(np.array([[[0, 9], [5, 7]]], np.uint8), (4, 2), smooth=False)[0].tolist()
    [[0, 9], [0, 9], [5, 7], [5, 7]]
    """
    height, width = size
    if pixels.shape[1:] == (height, width):
        return pixels
    if smooth:
        how = {"size": (width, height), "resample": Image.Resampling.BOX}
        if height > pixels.shape[1] or width > pixels.shape[2]:
            how["resample"] = (
                Image.Resampling.BILINEAR
            )  # a box of less than a pixel would only repeat
        return np.stack([np.asarray(Image.fromarray(band).resize(**how)) for band in pixels])
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(size, pixels.shape[1:], strict=True)
    )
    return pixels[:, rows[:, None], columns]
