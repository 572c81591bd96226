"""Image files to arrays: what a file holds, and the rule by which it becomes an image."""

import glob
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from discom.data.arrays import load_npy, resize
from discom.data.checks import check_finite
from discom.errors import DataError, check_choice
from discom.files import as_data_error

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")
NO_DATA = 42113  # GDAL's tag for the value of a pixel that was not measured, as text


def find_images(paths: Iterable[Path]) -> list[Path]:
    """Files as they are named, and every image below a folder that is named, sorted: also in linked
    ones, each of them once, never in hidden ones. A DataError for a path that is not there, or no
    image at all."""
    files: list[Path] = []
    for path in (paths := list(paths)):
        if not path.exists():
            raise DataError(path, "no such file or folder", "give images, or folders of images")
        below = map(Path, glob.glob(f"{glob.escape(str(path))}/**/*", recursive=True))
        once = {(os.path.realpath(file.parent), file.name): file for file in sorted(below)[::-1]}
        files += images_of(path, once.values()) if path.is_dir() else [path]
    if not files:
        found = f"no image ({' '.join(ENDINGS)})"
        raise DataError(", ".join(map(str, paths)), found, "give images, or folders of images")
    return files


def images_of(folder: Path, files: Iterable[Path]) -> list[Path]:
    """Those of a folder's files that are images, sorted; warns of other files, unless hidden."""
    every = sorted(file for file in files if file.is_file() and not file.name.startswith("."))
    images = [file for file in every if file.suffix.lower() in ENDINGS]
    if others := sorted({file.suffix.lower() or file.name for file in every} - set(ENDINGS)):
        found = f"{len(every) - len(images)} files are not read ({' '.join(others[:3])})"
        warnings.warn(f"{folder}: {found}; images end in {' '.join(ENDINGS)}", stacklevel=4)
    return images


@dataclass(frozen=True)
class Rule:
    """How the pixels of a file become an image of the data set; its fields are JSON.

    Args:
        size: height and width; by default those of the file.
        fit: other proportions are squeezed ("squeeze"), cut to the middle ("crop"), or get pixels
            around ("pad"): `invalid` ones, else those of the border once more.
        bands: numbers of the bands to take, from 1 on, in this order; by default all.
        classes: pixels are classes: the nearest one is taken. Others are averaged (`resize`).
        invalid: the value of pixels that were not measured; they count for no average.

    >>> Rule((2, 2), "pad")(np.array([[[4, 4, 8, 8]]], np.uint8)).tolist()
    [[[4, 8], [4, 8]]]
    """

    size: tuple[int, int] | None = None
    fit: str = "squeeze"
    bands: tuple[int, ...] | None = None
    classes: bool = False
    invalid: float | None = None

    def __post_init__(self):
        check_choice("fit", self.fit, ("squeeze", "crop", "pad"))

    def __call__(self, pixels: np.ndarray, file: object = "bands") -> np.ndarray:
        """The image [c, h, w] of a file's pixels [C, H, W]; a DataError where a band is lacking."""
        if self.bands:
            if not 1 <= min(self.bands) <= max(self.bands) <= len(pixels):
                found = f"{self.bands} are asked for, an image has {len(pixels)}"
                raise DataError(file, found, "count from 1 on, or leave the file out")
            pixels = pixels[np.subtract(self.bands, 1)]
        if self.size is None:
            return pixels
        old, new = np.array(pixels.shape[1:]), np.array(self.size)
        middle, inner = old, new
        if self.fit == "crop":
            middle = np.maximum(1, np.round(new * (old / new).min())).astype(int)
        if self.fit == "pad":
            inner = np.maximum(1, np.round(old * (new / old).min())).astype(int)
        rows, columns = (slice(k, k + n) for k, n in zip((old - middle) // 2, middle, strict=True))
        pixels, size = pixels[:, rows, columns], (int(inner[0]), int(inner[1]))
        image = resize(pixels, size, smooth=not self.classes, invalid=self.invalid)
        if self.fit != "pad":
            return image
        gap = (new - inner) // 2
        around = [(0, 0), *zip(gap, new - inner - gap, strict=True)]
        bounds = (np.iinfo if image.dtype.kind in "iu" else np.finfo)(image.dtype)
        if self.invalid is None or not bounds.min <= self.invalid <= bounds.max:
            return np.pad(image, around, mode="edge")
        return np.pad(image, around, constant_values=self.invalid)


def read_pixels(file: Path | str, invalid: float | None = None, alpha: bool = False) -> np.ndarray:
    """One image [C, H, W] with the file's own values and type: 8/16-bit PNG, JPEG, TIFF of any
    bands, .npy.

    A JPEG is turned as its EXIF entry says. A TIFF says itself which axis has the bands; of a plain
    array with three axes it is the last one where that is the smallest, else the first.

    Args:
        invalid: what NaN and a TIFF's own "no data" become; by default NaN is refused.
        alpha: keep a channel of opacity; else it is left out, if it is opaque throughout.

    Raises:
        DataError: unreadable, truncated, of another rank, several images, infinite or transparent
            pixels.
    """
    file = Path(file)
    with as_data_error(file, "an image", "replace or remove it"):
        pixels, axes, opacity = _decode(file)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3:
        shapes = "an image is [H, W], [H, W, C] or [C, H, W]"
        raise DataError(file, f"has shape {pixels.shape}", shapes)
    stated = set(axes) & set("SC")  # a TIFF may hold [H, W, 1] as H pages
    if axes.endswith(("S", "C")) or (not stated and pixels.shape[2] < min(pixels.shape[:2])):
        pixels = np.moveaxis(pixels, 2, 0)
    if opacity and not alpha:
        full = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "iu" else 1
        if (pixels[opacity] != full).any():
            way_out = "flatten it, or take the bands that you name: --bands 'rgb=1,2,3'"
            raise DataError(file, f"band {opacity[0] + 1} is marked as opacity", way_out)
        pixels = np.delete(pixels, opacity, 0)
    if invalid is None:
        check_finite(pixels[None], str(file))
        return pixels
    check_finite(np.nan_to_num(pixels, posinf=np.inf, neginf=-np.inf)[None], str(file))
    holes = np.isnan(pixels)
    if (value := no_data(file)) not in (None, invalid):
        holes |= pixels == value
    return np.where(holes, float(invalid), pixels) if holes.any() else pixels


def _decode(file: Path) -> tuple[np.ndarray, str, list[int]]:
    """The pixels, the names of a TIFF's axes, and which bands are opacity; decoders are loaded
    where a file needs them."""
    ending = file.suffix.lower()
    if ending == ".npy":
        return load_npy(file), "", []
    if ending in (".tif", ".tiff"):
        return _decode_tiff(file)
    if ending in (".jpg", ".jpeg"):
        with Image.open(file, formats=["JPEG"]) as image:
            return np.asarray(ImageOps.exif_transpose(image)), "", []
    import imagecodecs

    pixels = imagecodecs.png_decode(file.read_bytes())
    return pixels, "", [pixels.shape[-1] - 1] if pixels.ndim == 3 and pixels.shape[2] != 3 else []


def _decode_tiff(file: Path) -> tuple[np.ndarray, str, list[int]]:
    import tifffile

    with tifffile.TiffFile(file) as tiff:
        every = [image for series in tiff.series for image in series.levels]
        images = [image for image in every if not image.keyframe.is_reduced]  # no thumbnails
        if len(images) != 1 or set(images[0].axes) - set("YXSCQI"):  # time or depth are no bands
            found = ", ".join(f"{i.axes} {list(i.shape)} {i.dtype}" for i in images or every)
            raise DataError(file, f"holds {found}", "keep one image, with all bands, in a file")
        page = images[0].keyframe
        extra = enumerate(page.extrasamples, page.samplesperpixel - len(page.extrasamples))
        opacity = [band for band, kind in extra if kind in (1, 2)]
        return images[0].asarray(), images[0].axes, opacity


def no_data(file: Path) -> float | None:
    """The value that a TIFF itself, by GDAL's tag, gives to pixels that were not measured."""
    import tifffile

    if file.suffix.lower() not in (".tif", ".tiff"):
        return None
    with as_data_error(file, "an image", "replace or remove it"), tifffile.TiffFile(file) as tiff:
        tag = tiff.pages.first.tags.get(NO_DATA)
        return None if tag is None else float(tag.value)
