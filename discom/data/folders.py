"""A person's own images: `<root>/<modality>/<class>/<id>.<ending>`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from discom.data.checks import UNLABELLED, check_size, check_stated
from discom.data.images import ENDINGS, is_image, read_pixels, resize
from discom.data.multimodal import Modality, MultiModalData
from discom.errors import ConfigError, DataError

NAMELESS = ("unlabelled", "unlabeled")  # folders of images without a class


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
    units, holes = (_of_each(root, files, *o) for o in (("unit", unit), ("invalid", invalid)))
    about = {name: (units.get(name, ""), holes.get(name)) for name in files}
    for name, stated in about.items():
        check_stated(f"{root}/{name}", *stated)
    folders = {file.parent.name for tree in files.values() for file in tree}
    classes = sorted(name for name in folders if name.lower() not in NAMELESS)
    read = {name: _read(own, classes, shape, *about[name]) for name, own in files.items()}
    data = MultiModalData(read, tuple(classes), name=root.resolve().name)
    if group_copies:
        from discom.data.duplicates import near_groups

        data = replace(data, groups=near_groups(data))
    return data.select(modalities) if modalities else data


def _of_each(root: Path, names: Collection[str], option: str, stated: Any) -> Mapping[str, Any]:
    """What an option states for some of the modalities."""
    if stated is None:
        return {}
    if not isinstance(stated, Mapping):
        way_out = 'write {"depth": …}'
        raise ConfigError(option, f"{stated!r} does not say of which modality", way_out)
    if unknown := sorted(set(stated) - set(names)):
        have = f"it has {', '.join(names)}"
        raise ConfigError(option, f"{root} has no folder '{unknown[0]}'", have)
    return stated


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


def _read(
    files: list[Path], classes: list[str], size: tuple[int, int] | None, unit: str, invalid: Any
) -> Modality:
    images: list[np.ndarray] = []
    for file in files:
        pixels = read_pixels(file)
        smooth = len(pixels) >= 3 and invalid is None
        images.append(resize(pixels, size, smooth=smooth) if size else pixels)
        if images[-1].shape != images[0].shape:
            advice = "bring all images of a modality to one band count"
            if len(pixels) == len(images[0]):
                command = f"discom data prepare folders --root {file.parents[2]} --size 64 --out …"
                advice = f"bring all to one size: {command}"
            one, other = (
                f"{h}×{w} with {c} band(s)" for c, h, w in (pixels.shape, images[0].shape)
            )
            raise DataError(file, f"is {one}, but {files[0].name} is {other}", advice)
    folders = [file.parent.name for file in files]
    labels = [classes.index(name) if name in classes else UNLABELLED for name in folders]
    folders = [name if name in classes else NAMELESS[0] for name in folders]
    ids = [f"{folder}/{file.stem}" for folder, file in zip(folders, files, strict=True)]
    # np.stack gives the widest of their types
    return Modality(np.stack(images), np.array(labels), np.array(ids), unit, invalid)
