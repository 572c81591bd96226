"""Potholes in roads: 67 pairs of a colour image and a stereo disparity, pothole or not for every
pixel.

Files `rgb/dD_NN.png` (8 bits, three bands), `disparity/dD_NN.png` (16 bits) and `label/dD_NN.png`
(0 road, 1 pothole), 480 × 285, 287 or 289 pixels (width × height) in set d1 (22 pairs), d2 (40) and
d3 (5). The disparity is transformed: the plane of the road is taken out, so that the road is about
level and holes are lower. 0 is not measured: it stands at the rim of the image and, above all in
d1, at the walls of holes, so the missing value itself points at potholes. The files are the
authors' of about 1720 × 1030 pixels, made smaller. Source: Fan et al., IEEE TIP 2019.

Known: d3_01 and d3_02 are one image with two labels, and d3_03 and d3_04 differ little; all are in
one part. UNCERTAIN: the scale of the disparity, and whether it is the same in all images; that 0 is
not measured (inferred from where it stands); that values just above 0 beside it are means of 0 and
a measured one, from making the files smaller.
"""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from discom.data.images import check_one_size, read_pixels, resize
from discom.data.lazy import Lazy
from discom.data.multimodal import Modality, MultiModalData
from discom.data.sources.source import Source
from discom.data.sources.steps import (
    check_modalities,
    count_pixels,
    find_folder,
    most_frequent,
    pair,
    sorted_files,
)
from discom.errors import ConfigError, DataError

__all__ = ["CLASSES", "POTHOLE", "read_pothole"]

CLASSES = ("background", "pothole")
SETS = {
    "train": "d2",
    "valid": "d3",
    "test": "d1",
}  # our own division: the largest set trains, no set is divided


def read_pothole(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    orphans: str = "refuse",
    size: Sequence[int] = (96, 160),
) -> MultiModalData:
    """RGB [N, 3, H, W] uint8, disparity [N, 1, H, W] uint16 with 0 = not measured, and masks; a set
    is a group.

    Args:
        root: a folder that holds rgb/, disparity/ and label/ at any depth.
        modalities: of rgb and disparity; both by default. The folder of the other is not needed.
        orphans: "refuse" or "drop" images that lack their partner or their label.
        size: height and width in pixels. Colours are averaged; disparity and labels take the
            nearest pixel, since the mean of a missing value and a road is a hole.

    Raises:
        DataError: folders, a set or a partner missing, or a file of another form.
        ConfigError: an option out of its range.
    """
    names = list(modalities or ("rgb", "disparity"))
    check_modalities(names, ("rgb", "disparity"), "pothole")
    size = _check_size(size)
    held = _files(Path(root), [*names, "label"])
    keys, dropped = pair(held, str(root), orphans)
    for key in keys:
        check_one_size({name: files[key] for name, files in held.items()}, "its files")
    ids, sets = np.array(keys), np.array([key.partition("_")[0] for key in keys])
    parts = {part: np.flatnonzero(sets == name) for part, name in SETS.items()}
    if lacking := [part for part, rows in parts.items() if not len(rows)]:
        raise DataError(
            f"{root}: holds no pair of set {SETS[lacking[0]]}, the {lacking[0]} part; fetch all three sets"
        )
    masks = Lazy([held["label"][key] for key in keys], partial(_read_label, size), size, np.uint8)
    pixels = count_pixels(masks, len(CLASSES), str(root))
    if not pixels[parts["train"], 1].any():
        raise DataError(
            f"{root}: no pixel of set {SETS['train']}, the train part, is pothole; take the original files"
        )

    def modality(name: str) -> Modality:
        files, labels = [held[name][key] for key in keys], most_frequent(pixels)
        if name == "rgb":
            return Modality(
                Lazy(files, partial(_read_rgb, size), (3, *size), np.uint8), labels, ids
            )
        disparity = Lazy(files, partial(_read_disparity, size), (1, *size), np.uint16)
        return Modality(disparity, labels, ids, "transformed disparity", invalid=0.0)

    return MultiModalData(
        {name: modality(name) for name in names},
        CLASSES,
        dense=True,
        masks=masks,
        groups=sets,
        parts=parts,
        name="-".join(["pothole", *(names if names != ["rgb", "disparity"] else []), "official"]),
        about={"source": POTHOLE.page, "licence": POTHOLE.licence, "dropped": dropped,
               "invalid values": "disparity 0 is not measured; it is frequent at the walls of potholes in d1 and d3",
               "masks": "class per pixel, 255 = no label (none here)",
               "split": "d2 trains, d3 validates, d1 tests; this choice is ours",
               "known": "d3_01 and d3_02 are one image with two labels; d3_03 and d3_04 differ little",
               "images": f"resized to {size[0]}×{size[1]}: colours averaged, disparity and labels nearest"},
    )  # fmt: skip


def _check_size(size: Sequence[int]) -> tuple[int, int]:
    sides = tuple(size) if isinstance(size, list | tuple) else ()
    if len(sides) != 2 or not all(type(side) is int and side > 0 for side in sides):
        raise ConfigError(f"size: {size!r} is no size; give height and width in pixels, [96, 160]")
    return sides


def _files(root: Path, names: list[str]) -> dict[str, dict[str, Path]]:
    """Modality → "dD_NN" → file."""
    places = find_folder(
        root, names, f"folder with {', '.join(f'{name}/' for name in names)}. {POTHOLE.by_hand}"
    )
    if len(places) > 1:
        raise DataError(
            f"{places[1]}: stands beside {places[0]}, the same set; keep one of the two below --root"
        )
    held = {name: sorted_files(places[0] / name, ".png") for name in names}
    for file in (file for files in held.values() for file in files.values()):
        if not re.fullmatch(r"d[123]_\d{2}", file.stem):
            raise DataError(
                f"{file}: is no d<1, 2 or 3>_<two digits>.png; give it its name or remove it"
            )
    return held


def _read(file: Path, bands: int, kind: type) -> np.ndarray:
    pixels = read_pixels(file)
    if len(pixels) != bands or pixels.dtype != kind:
        raise DataError(
            f"{file}: holds {len(pixels)} band(s) of {pixels.dtype}, needed {bands} of {np.dtype(kind)}; take the"
            " original file"
        )
    return pixels


def _read_rgb(size: tuple[int, int], file: Path) -> np.ndarray:
    return resize(_read(file, 3, np.uint8), size, smooth=True)


def _read_disparity(size: tuple[int, int], file: Path) -> np.ndarray:
    pixels = _read(file, 1, np.uint16)
    if not pixels.any():
        raise DataError(f"{file}: holds 0 alone, which is not measured; take the original file")
    return resize(pixels, size, smooth=False)


def _read_label(size: tuple[int, int], file: Path) -> np.ndarray:
    labels = _read(file, 1, np.uint8)
    if labels.max() >= len(CLASSES):
        raise DataError(
            f"{file}: holds {labels.max()}; labels are 0 (road) and 1 (pothole), take the original file"
        )
    return resize(labels, size, smooth=False)[0]


POTHOLE = Source(
    name="pothole",
    what="potholes in roads, 67 pairs of colour and stereo disparity, two classes per pixel",
    modalities={
        "rgb": "3×96×160, uint8",
        "disparity": "1×96×160, transformed disparity, 16 bits, 0 = not measured",
    },
    size="33 MB",
    licence="MIT, © 2021 Rui Fan; cite Fan et al. 2019",
    page="https://github.com/ruirangerfan/stereo_pothole_datasets (commit a6cc8e7)",
    read=read_pothole,
    by_hand="Give a folder with rgb/, disparity/ and label/, each with dD_NN.png for set D and pair NN: 8 bits a"
    " colour, 16 bits of transformed disparity, and 0 (road) or 1 (pothole)",
)
