"""Image files to arrays: one file, and a person's own folders of images."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from discom.data.arrays import load_npy, resize
from discom.data.checks import UNLABELLED, check_finite, check_size
from discom.data.multimodal import Modality, MultiModalData
from discom.data.splitting import near_groups
from discom.errors import ConfigError, DataError
from discom.files import as_data_error

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")
# GeoTIFF's tags: scale and place of a pixel, or a matrix; the coordinate system in three parts
PLACE = (33550, 33922, 34264, 34735, 34736, 34737)
NO_DATA = 42113  # GDAL's tag for the value of a pixel that was not measured, as text
NAMELESS = ("unlabelled", "unlabeled")  # folders of images without a class


@dataclass(frozen=True)
class Rule:
    """How a file's pixels [C, H, W] become an image of the data set: squeezed to `size`."""

    size: tuple[int, int] | None = None

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        return resize(pixels, self.size, smooth=len(pixels) >= 3) if self.size else pixels


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


def read_pixels(file: Path | str, *, finite: bool = True) -> np.ndarray:
    """One image [C, H, W] with the file's own values and type: 8/16-bit PNG, JPEG, TIFF of any
    bands, .npy.

    A JPEG is turned as its EXIF entry says. A TIFF says itself which axis has the bands; of a plain
    array with three axes it is the last one where that is the smallest, else the first.

    Raises:
        DataError: unreadable, truncated, of another rank, or, where they must be `finite`, with NaN
            or infinite pixels.
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
    if finite:
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


def read_folders(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    size: int | Sequence[int] | None = None,
    unit: Mapping[str, str] | None = None,
    invalid: Mapping[str, float] | None = None,
    group_copies: bool = False,
) -> MultiModalData:
    """Read `<root>/<modality>/<class>/<id>.<ending>`; the same class and id in two trees are a
    pair, and samples without a partner are kept. A folder `unlabelled` (or `unlabeled`) is no
    class, but holds images without a label.

    Args:
        root: the folder that has one tree per modality; they come in alphabetical order, as
            classes do.
        modalities: the ones to keep, in this order; all by default.
        size: height and width of all images, or one number for both; other proportions are
            squeezed. Three bands or more are averaged; of fewer (depth), and where `invalid` is
            stated, the nearest pixel is taken.
        unit: modality → unit of its pixels, such as "mm"; no image file states one.
        invalid: modality → pixel value that says "not measured".
        group_copies: join near copies to groups (`near_groups`), which no split divides.

    Raises:
        ConfigError: an option of another form, or for a modality that has no folder.
        DataError: no images, an unreadable file, other band counts within a modality, or other
            sizes, where no `size` is given.
    """
    root, shape = Path(root), None if size is None else check_size(size)
    files = _list_files(root)
    for option, stated in {"unit": unit, "invalid": invalid}.items():
        if stated is not None and not isinstance(stated, Mapping):
            found = f"{stated!r} does not say of which modality"
            raise ConfigError(option, found, 'write {"depth": …}')
        if unknown := sorted(set(stated or ()) - set(files)):
            have = f"it has {', '.join(files)}"
            raise ConfigError(option, f"{root} has no folder '{unknown[0]}'", have)
    folders = {file.parent.name for tree in files.values() for file in tree}
    classes = sorted(name for name in folders if name.lower() not in NAMELESS)
    read = {}
    for name, own in files.items():
        about = (unit or {}).get(name, ""), (invalid or {}).get(name)
        read[name] = _read_tree(own, classes, shape, *about)
    data = MultiModalData(read, tuple(classes), name=root.resolve().name)
    if group_copies:
        data = replace(data, groups=near_groups(data))
    return data.select(modalities) if modalities else data


def _list_files(root: Path) -> dict[str, list[Path]]:
    """Modality → its images, by class and name."""
    files: dict[str, list[Path]] = {}
    for tree in sorted(path for path in root.glob("[!.]*") if path.is_dir()):
        if (name := tree.name.lower()) in files:
            raise DataError(tree, "another folder has this name in other letters", "rename one")
        expected = f"expected {tree}/<class>/<id>"
        files[name] = sorted(file for file in tree.glob("[!.]*/*") if is_image(file))
        if deep := [file for file in tree.glob("[!.]*/[!.]*/**/*") if is_image(file)]:
            raise DataError(deep[0], "lies too deep", expected)
        if not files[name]:
            raise DataError(tree, "no images", f"{expected} with one of {' '.join(ENDINGS)}")
    if not files:
        raise DataError(root, "has no folder", f"expected {root}/<modality>/<class>/<id>.png")
    return files


def _read_tree(
    files: list[Path], classes: list[str], size: tuple[int, int] | None, unit: str, invalid: Any
) -> Modality:
    images: list[np.ndarray] = []
    for file in files:
        pixels = read_pixels(file)
        smooth = len(pixels) >= 3 and invalid is None
        images.append(resize(pixels, size, smooth=smooth) if size else pixels)
        if (shape := images[-1].shape) != (first := images[0].shape):
            advice = "bring all images of a modality to one band count"
            if shape[0] == first[0]:
                command = f"discom data prepare folders --root {file.parents[2]} --size 64 --out …"
                advice = f"bring all to one size: {command}"
            one, other = (f"{h}×{w} with {c} band(s)" for c, h, w in (shape, first))
            raise DataError(file, f"is {one}, but {files[0].name} is {other}", advice)
    folders = [file.parent.name for file in files]
    labels = [classes.index(name) if name in classes else UNLABELLED for name in folders]
    folders = [name if name in classes else NAMELESS[0] for name in folders]
    ids = [f"{folder}/{file.stem}" for folder, file in zip(folders, files, strict=True)]
    # np.stack gives the widest of their types
    return Modality(np.stack(images), np.array(labels), np.array(ids), unit, invalid)
