"""A person's own images: one directory tree per modality,
`<root>/<modality>/<class>/<id>.<ending>`, paired by id."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from discom.data.images import ENDINGS, read_image
from discom.data.multimodal import Modality, MultiModalData
from discom.errors import DataError

__all__ = ["has_class_folders", "read_folders"]


def has_class_folders(root: Path | str) -> bool:
    """Whether `root` looks like `<modality>/<class>/` with at least one image."""
    return any(_is_image(file) for file in Path(root).glob("*/*/*"))


def read_folders(root: Path | str, modalities: Sequence[str] | None = None) -> MultiModalData:
    """Read `<root>/<modality>/<class>/<id>.<ending>`; the same class and id in two trees are a
    pair.

    Samples without a partner are kept; `MultiModalData.paired_ids` counts the complete ones.
    Classes are numbered in alphabetical order of their names, over all modalities.

    Args:
        root: the folder that holds one tree per modality.
        modalities: which trees; None takes all, in alphabetical order.

    Raises:
        DataError: no images, sizes or band counts that differ within a modality, an unreadable
            file.
    """
    root = Path(root)
    trees = (
        [root / name for name in modalities]
        if modalities
        else sorted(p for p in root.glob("[!.]*") if p.is_dir())
    )
    files: dict[str, list[Path]] = {}
    for tree in trees:
        if (name := tree.name.lower()) in files:
            raise DataError(
                f"{tree}: another folder has the same name in other letters; rename one of the two"
            )
        files[name] = _images(tree)
    if not files:
        raise DataError(
            f"{root}: holds no folder; expected {root}/<modality>/<class>/<id>.png or so"
        )
    classes = sorted({file.parent.name for found in files.values() for file in found})
    return MultiModalData(
        {name: _modality(found, classes) for name, found in files.items()}, tuple(classes),
        name=root.resolve().name,
    )  # fmt: skip


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS and not file.name.startswith(".") and file.is_file()


def _images(tree: Path) -> list[Path]:
    found = [file for file in sorted(tree.glob("[!.]*/*")) if _is_image(file)]
    if not found:
        raise DataError(
            f"{tree}: no images; expected {tree}/<class>/<id> with one of {' '.join(ENDINGS)}"
        )
    return found


def _modality(files: list[Path], classes: list[str]) -> Modality:
    first = read_image(files[0])
    images = np.empty((len(files), *first.shape), np.float32)
    for row, file in enumerate(files):
        pixels = read_image(file)
        if pixels.shape != first.shape:
            raise DataError(
                f"{file}: is {_size(pixels)}, but {files[0].name} is {_size(first)}; bring all images of a modality"
                " to one size and band count"
            )
        images[row] = pixels
    labels = np.array([classes.index(file.parent.name) for file in files])
    return Modality(images, labels, np.array([f"{file.parent.name}/{file.stem}" for file in files]))


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]}×{pixels.shape[2]} with {pixels.shape[0]} band(s)"
