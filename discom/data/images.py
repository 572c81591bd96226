"""Image files to arrays: what a file holds, and the rule by which it becomes an image."""

import glob
import unicodedata
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from discom.data.checks import bands_are_last
from discom.data.pixels import check_array, check_finite, holds, is_unmeasured
from discom.data.tags import TIFF, tags
from discom.errors import DataError, check_choice
from discom.files import as_data_error

ENDINGS = (".png", ".jpg", ".jpeg", *TIFF, ".npy")
# of files that hold arrays, which are not read, but may hold a sensor
CONTAINERS = (
    *(".npz", ".h5", ".hdf5", ".hdf", ".nc", ".zarr", ".mat", ".pt", ".pth", ".safetensors"),
    *(".pkl", ".pickle", ".parquet", ".feather", ".edf", ".wav"),
)
NAMELESS = ("unlabelled", "unlabeled")  # folders of images without a class


def sensor_folders(root: Path, names: Collection[str] | None = None) -> dict[str, Path]:
    """Sensor, in lower case → its folder below `root`: of all, or of those `names`; none that is
    hidden. A DataError where two folders differ in case alone."""
    folders: dict[str, Path] = {}
    for folder in sorted(path for path in root.glob("[!.]*") if path.is_dir()):
        name = folder.name.lower()
        if names is None or name in names:
            if name in folders:
                found = f"{folders[name].name} has this name in other letters"
                raise DataError(folder, found, "rename one")
            folders[name] = folder
    return folders


def images_by_name(folder: Path) -> dict[str, Path]:
    """The path below `folder` without its ending → image, as preparation and prediction pair them:
    the two ways to write "é" in Unicode are one (NFC), and so are the two of NAMELESS. A DataError
    where two images have one name."""
    files: dict[str, Path] = {}
    for file in find_images([folder]):
        *above, _ = file.relative_to(folder).parts
        if above and above[-1].lower() in NAMELESS:
            above[-1] = NAMELESS[0]
        name = unicodedata.normalize("NFC", "/".join([*above, file.stem]))
        if (other := files.setdefault(name, file)) != file:
            raise DataError(file, f"{other} has its name, too", "remove or rename one")
    return files


def find_images(paths: Iterable[Path]) -> list[Path]:
    """Files as they are named, and every image below a folder that is named, sorted; none that is
    hidden. Warns of other files in it. A DataError for a path that is not there, or no image."""
    files: list[Path] = []
    for path in (paths := list(paths)):
        if not path.exists():
            raise DataError(path, "no such file or folder", "give images, or folders of images")
        if path.is_file() and path.suffix.lower() not in ENDINGS:
            raise DataError(path, "is no image", f"those end in {' '.join(ENDINGS)}")
        below = map(path.joinpath, glob.glob("**/*", root_dir=path, recursive=True))
        # a link to a file that is away is no folder, and is refused when it is read
        every = sorted(file for file in below if not file.is_dir()) if path.is_dir() else [path]
        images = [file for file in every if file == path or file.suffix.lower() in ENDINGS]
        if others := sorted({file.suffix.lower() or file.name for file in {*every} - {*images}}):
            found = f"{len(every) - len(images)} files are not read ({' '.join(others[:3])})"
            warnings.warn(f"{path}: {found}; images end in {' '.join(ENDINGS)}", stacklevel=3)
        for file in images:
            try:
                str(file).encode("utf-8")
            except UnicodeEncodeError:
                raise DataError(ascii(str(file)), "is no name in UTF-8", "rename it") from None
        files += images
    if not files:
        found = f"no image ({' '.join(ENDINGS)})"
        raise DataError(", ".join(map(str, paths)), found, "give images, or folders of images")
    return files


@dataclass(frozen=True)
class Rule:
    """How the pixels of a file become an image of the data set; its fields are JSON.

    Args:
        size: height and width; by default those of the file.
        fit: other proportions are squeezed ("squeeze") or cut to the middle ("crop").
        invalid: the value of pixels that were not measured; they count for no average.

    >>> Rule((1, 1), "crop")(np.array([[[4, 6, 8]]], np.uint8)).tolist()
    [[[6]]]
    """

    size: tuple[int, int] | None = None
    fit: str = "squeeze"
    invalid: float | None = None

    def __post_init__(self):
        check_choice("fit", self.fit, ("squeeze", "crop"))

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """The image [C, h, w] of a file's pixels [C, H, W]."""
        if self.size is None:
            return pixels
        if self.fit == "crop":
            old, new = np.array(pixels.shape[1:]), np.array(self.size)
            middle = np.maximum(1, np.round(new * (old / new).min())).astype(int)
            top, left = (old - middle) // 2
            pixels = pixels[:, top : top + middle[0], left : left + middle[1]]
        return resize(pixels, self.size, smooth=True, invalid=self.invalid)


def read_pixels(file: Path | str, invalid: float | None = None) -> np.ndarray:
    """One image [C, H, W] with the file's own values and type: 8/16-bit PNG, JPEG, TIFF of any
    bands, .npy.

    A JPEG is turned as its EXIF entry says, a palette of a PNG becomes its colours. Of a plain
    array with three axes the bands are the one that differs in length from two equal ones, else the
    last one where that is the smallest, else the first. Opacity is no band.

    Args:
        invalid: what NaN and a TIFF's own "no data" become; by default NaN is refused.

    Raises:
        DataError: unreadable, of another rank, several images, infinite or transparent pixels, or
            pixels that mean neither brightness nor red, green and blue.
    """
    return fill_holes(read_stored(file), file, invalid)


def read_stored(file: Path | str) -> np.ndarray:
    """`read_pixels` without its check of values: what a file holds, NaN and infinity included."""
    file = Path(file)
    with as_data_error(file, "an image", "replace or remove it"):
        pixels, axes, opacity = _decode(file)
    if pixels.ndim == 2:
        pixels, axes = pixels[None], "SYX"
    if pixels.ndim != 3:
        shapes = "an image is [H, W], [H, W, C] or [C, H, W]"
        raise DataError(file, f"has shape {pixels.shape}", shapes)
    first, middle, last = pixels.shape
    stated = set(axes) & set("SC")  # a TIFF may hold [H, W, 1] as H pages
    odd_one = not stated and middle > 1 and bands_are_last(first, middle, last)
    if axes.endswith(("S", "C")) or odd_one:
        pixels = np.moveaxis(pixels, 2, 0)
    if opacity:
        full = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "iu" else 1
        if (pixels[opacity] != full).any():
            found = f"band {opacity[0] + 1} is marked as opacity"
            raise DataError(file, found, "save it without opacity")
        pixels = np.delete(pixels, opacity, 0)
    return pixels


def fill_holes(pixels: np.ndarray, file: Path | str, invalid: float | None) -> np.ndarray:
    """The pixels [C, H, W] of a file with `invalid` in the place of NaN and of the value that its
    tag states; a DataError for others that are not finite, and for NaN where that is None."""
    file = Path(file)
    check_array(pixels, str(file), "fiu", "C", "H", "W")
    if invalid is None:
        check_finite(pixels[None], str(file))
        return pixels
    holes = np.isnan(pixels)
    for value in (invalid, tags(file).no_data):
        if value is not None:
            holes |= is_unmeasured(pixels, value)
    check_finite(np.where(holes, 0, pixels)[None], str(file))
    if not holes.any():
        return pixels
    fits = holds(pixels.dtype, invalid)  # whether the file's own type holds the value
    return np.where(holes, np.array(invalid, pixels.dtype if fits else float), pixels)


def _decode(file: Path) -> tuple[np.ndarray, str, list[int]]:
    """The pixels, the names of their axes in TIFF's letters ("": not known), and which bands are
    opacity; decoders are loaded where a file needs them."""
    ending = file.suffix.lower()
    if ending == ".npy":
        return np.asarray(np.load(file)), "", []
    if ending in TIFF:
        return _decode_tiff(file)
    if ending != ".png":
        with Image.open(file, formats=["JPEG"]) as image:
            if image.mode == "CMYK":
                raise DataError(file, "holds inks (CMYK)", "save it as RGB")
            return np.asarray(ImageOps.exif_transpose(image)), "YXS", []
    import imagecodecs

    pixels = imagecodecs.png_decode(file.read_bytes())  # Pillow takes 8 bits of 16 in colours
    opacity = [pixels.shape[-1] - 1] if pixels.ndim == 3 and pixels.shape[2] != 3 else []
    return pixels, "YXS", opacity


def _decode_tiff(file: Path) -> tuple[np.ndarray, str, list[int]]:
    import tifffile

    with tifffile.TiffFile(file) as tiff:
        every = [image for series in tiff.series for image in series.levels]
        images = [image for image in every if not image.keyframe.is_reduced]  # no thumbnails
        if len(images) != 1 or set(images[0].axes) - set("YXSCQI"):  # time or depth are no bands
            found = ", ".join(f"{i.axes} {list(i.shape)} {i.dtype}" for i in images or every)
            raise DataError(file, f"holds {found}", "keep one image, with all bands, in a file")
        page: Any = images[0].keyframe
        meaning = page.photometric.name
        as_rgb = meaning == "YCBCR" and page.compression.name == "JPEG"
        if meaning not in ("MINISBLACK", "RGB") and not as_rgb:
            found = f"its pixels are {meaning} of {page.dtype}"
            raise DataError(file, found, "save it as grey (0 is black) or RGB")
        extra = enumerate(page.extrasamples, page.samplesperpixel - len(page.extrasamples))
        opacity = [band for band, kind in extra if kind in (1, 2)]
        return images[0].asarray(), images[0].axes, opacity


def resize(
    pixels: np.ndarray, size: tuple[int, int], *, smooth: bool, invalid: float | None = None
) -> np.ndarray:
    """Bring [C, H, W] to `[C, *size]` in the same type.

    `smooth` averages, band by band, the pixels that were measured, neither `invalid` nor NaN; where
    they are less than half of the area, the new pixel is `invalid`, else NaN. Without `smooth` the
    nearest pixel is taken: for classes, also [H, W], since there is none between two of them.

    >>> resize(np.array([[0, 9], [5, 7]], np.uint8), (4, 2), smooth=False).tolist()
    [[0, 9], [0, 9], [5, 7], [5, 7]]
    """
    (height, width), (new_height, new_width) = pixels.shape[-2:], size
    if (height, width) == (new_height, new_width):
        return pixels
    if not smooth:
        rows = ((np.arange(new_height) + 0.5) * height / new_height).astype(int)
        columns = ((np.arange(new_width) + 0.5) * width / new_width).astype(int)
        return pixels[..., rows[:, None], columns]
    measured = ~np.isnan(pixels)
    if invalid is not None:
        measured &= ~is_unmeasured(pixels, invalid)
    plain, offset = pixels, 0.0
    if pixels.dtype != np.uint8 or not measured.all():
        if measured.any() and not np.can_cast(pixels.dtype, np.float32):
            offset = float(pixels[measured].min())  # far from 0, float32 tells little apart
        # Pillow resizes float32
        plain = np.where(measured, pixels - offset if offset else pixels, 0).astype(np.float32)
    resized = _average(plain, size)
    if not measured.all():
        share = _average(measured.astype(np.float32), size)
        resized = resized / np.maximum(share, 0.5)
    if offset:
        resized = resized.astype(float) + offset
    if not measured.all():
        resized = np.where(share < 0.5, np.nan if invalid is None else invalid, resized)
    if pixels.dtype.kind in "iu" and resized.dtype != np.uint8:
        resized = np.round(resized)
    return resized.astype(pixels.dtype)


def _average(bands: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    larger = np.greater(size, bands.shape[-2:]).any()  # a box of less than a pixel would repeat
    how = Image.Resampling.BILINEAR if larger else Image.Resampling.BOX
    resized = [Image.fromarray(band).resize((size[1], size[0]), how) for band in bands]
    return np.stack([np.asarray(band) for band in resized])
