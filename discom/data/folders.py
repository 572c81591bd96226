"""A person's own images: `<root>/<modality>/<class>/<id>.<ending>`, paired by class and id."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from discom.data.images import ENDINGS, read_pixels, resize
from discom.data.multimodal import Modality, MultiModalData
from discom.errors import ConfigError, DataError

__all__ = ["has_class_folders", "read_folders"]


def has_class_folders(root: Path | str) -> bool:
    """Whether `root` looks like `<modality>/<class>/` with at least one image."""
    return any(_is_image(file) for file in Path(root).glob("*/*/*"))


def read_folders(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    size: int | tuple[int, int] | None = None,
) -> MultiModalData:
    """Read `<root>/<modality>/<class>/<id>.<ending>`; the same class and id in two trees are a
    pair.

    Samples without a partner are kept. Classes are numbered in alphabetical order of their names,
    over all modalities. Values keep the files' bit depth, and photos are turned as their EXIF entry
    says.

    Args:
        root: the folder that has one tree per modality.
        modalities: which trees; None takes all, in alphabetical order.
        size: height and width of all images, or one number for both; the whole image is scaled, so
            other proportions are squeezed. Colours (three bands or more) are averaged; of one or
            two bands, such as depth, the nearest pixel is taken. None keeps every image as it is.

    Raises:
        DataError: no images, an unreadable file, other band counts within a modality, or other
            sizes, where no `size` is given.
    """
    root = Path(root)
    size = (size, size) if isinstance(size, int) else size
    if size and min(size) < 1:
        raise ConfigError(f"size: {size} has no pixel; give a side such as 64")
    trees = sorted(path for path in root.glob("[!.]*") if path.is_dir())
    trees = [root / name for name in modalities] if modalities else trees
    files: dict[str, list[Path]] = {}
    for tree in trees:
        if (name := tree.name.lower()) in files:
            raise DataError(f"{tree}: another folder has this name in other letters; rename one")
        files[name] = sorted(file for file in tree.glob("[!.]*/*") if _is_image(file))
        if not files[name]:
            raise DataError(
                f"{tree}: no images; expected {tree}/<class>/<id> with one of {' '.join(ENDINGS)}"
            )
    if not files:
        raise DataError(f"{root}: has no folder; expected {root}/<modality>/<class>/<id>.png or so")
    classes = sorted({file.parent.name for tree in files.values() for file in tree})
    return MultiModalData(
        {name: _modality(tree, classes, size) for name, tree in files.items()},
        tuple(classes),
        name=root.resolve().name,
    )


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS and not file.name.startswith(".") and file.is_file()


def _modality(files: list[Path], classes: list[str], size: tuple[int, int] | None) -> Modality:
    images: list[np.ndarray] = []
    for file in files:
        pixels = read_pixels(file)
        if size:
            pixels = resize(pixels, size, smooth=len(pixels) >= 3)
        images.append(pixels)
        if pixels.shape != images[0].shape:
            advice = "give a size (--size 64), and all are brought to it"
            if len(pixels) != len(images[0]):
                advice = "bring all images of a modality to one band count"
            differ = f"is {_describe(pixels)}, but {files[0].name} is {_describe(images[0])}"
            raise DataError(f"{file}: {differ}; {advice}")
    labels = np.array([classes.index(file.parent.name) for file in files])
    ids = np.array([f"{file.parent.name}/{file.stem}" for file in files])
    return Modality(np.stack(images), labels, ids)  # of the widest of their types


def _describe(pixels: np.ndarray) -> str:
    bands, height, width = pixels.shape
    return f"{height}×{width} with {bands} band(s)"
