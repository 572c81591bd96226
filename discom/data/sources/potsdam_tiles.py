"""The files of ISPRS Potsdam: which tile and which layer each is, found at any depth and checked by
their headers."""

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from discom.data.rasters import check_raster
from discom.data.sources.steps import walk
from discom.errors import DataError

__all__ = ["LABELS", "LAYERS", "RIGHT_COPY", "TEST", "TRAIN", "Layer", "find_tiles", "tile_size"]

TRAIN = (
    "2_10", "2_11", "2_12", "3_10", "3_11", "3_12", "4_10", "4_11", "4_12", "5_10", "5_11", "5_12", "6_7", "6_8", "6_9",
    "6_10", "6_11", "6_12", "7_7", "7_8", "7_9", "7_10", "7_11", "7_12",
)  # fmt: skip
TEST = (
    "2_13",
    "2_14",
    "3_13",
    "3_14",
    "4_13",
    "4_14",
    "4_15",
    "5_13",
    "5_14",
    "5_15",
    "6_13",
    "6_14",
    "6_15",
    "7_13",
)
RIGHT_COPY = (
    "5_Labels_for_participants"  # 4_12 is right in it; in 5_Labels_all it is blended over the photo
)


class Layer(NamedTuple):
    """The files of one kind."""

    stem: str  # with two places for the tile's numbers
    archive: str
    bands: tuple[int, ...]  # how many a file may have; the reader gives the first
    kinds: tuple[str, ...] = ("uint8",)
    endings: tuple[str, ...] = (".tif",)
    unit: str = ""


LAYERS = {
    "rgb": Layer("top_potsdam_{}_{}_RGB", "2_Ortho_RGB", (3,)),
    "dsm": Layer("dsm_potsdam_{}_{}", "1_DSM", (1,), ("float32", "float64"), unit="m"),
    "ndsm": Layer("dsm_potsdam_{}_{}_normalized_lastools", "1_DSM_normalisation", (1, 3), endings=(".jpg",),
                  unit="height above ground, 0 … 255, scale unknown"),
    "irrg": Layer("top_potsdam_{}_{}_IRRG", "3_Ortho_IRRG", (3,)),
    "rgbir": Layer("top_potsdam_{}_{}_RGBIR", "4_Ortho_RGBIR", (4,)),
}  # fmt: skip
ENDINGS = (".tif", ".jpg", ".jpeg")  # a label saved as JPEG is found to be refused
LABELS = {
    "eroded": Layer(
        "top_potsdam_{}_{}_label_noBoundary", "5_Labels_all_noBoundary", (3,), endings=ENDINGS
    ),
    "full": Layer("top_potsdam_{}_{}_label", "5_Labels_all", (3,), endings=ENDINGS),
}


def find_tiles(
    root: Path, layers: Mapping[str, Layer], wanted: Sequence[str]
) -> dict[str, dict[str, Path]]:
    """Layer → tile → file. Tiles are known by their two numbers, since only heights have zeros in
    front.

    Args:
        root: searched at every depth, since some archives unpack into a folder and some do not.
        layers: what is looked for.
        wanted: tiles; others are left alone.

    Raises:
        DataError: a layer without a file, a file of no known tile, or two of one tile. Of two
            labels the copy below a folder `RIGHT_COPY`… is taken.
    """
    files, held = (
        [place / name for place, _, names in walk(root) for name in names if "potsdam_" in name],
        {},
    )
    for name, layer in layers.items():
        copies: dict[str, list[Path]] = {}
        for file in files:
            match = re.fullmatch(layer.stem.format(r"(\d+)", r"(\d+)"), file.stem)
            if match and file.suffix.lower() in layer.endings:
                copies.setdefault(f"{int(match[1])}_{int(match[2])}", []).append(file)
        if unknown := [tile for tile in copies if tile not in TRAIN + TEST]:
            raise DataError(
                f"{copies[unknown[0]][0]}: is none of Potsdam's 38 tiles; remove or rename it"
            )
        if not copies:
            form = layer.stem.format("<r>", "<c>") + layer.endings[0]
            other = (
                "" if name != "labels" else f", or change the option border ({' or '.join(LABELS)})"
            )
            raise DataError(f"{root}: holds no {form}; unpack {layer.archive}.zip there{other}")
        held[name] = {tile: _one(copies[tile], root) for tile in wanted if tile in copies}
    return held


def _one(copies: list[Path], root: Path) -> Path:
    right = [
        file
        for file in copies
        if any(p.startswith(RIGHT_COPY) for p in file.relative_to(root).parts)
    ] or copies
    if len(right) > 1:
        raise DataError(f"{right[0]}: stands a second time as {right[1]}; remove one of them")
    return right[0]


def tile_size(files: Mapping[str, Path], tile: str) -> tuple[int, int]:
    """Height and width of a tile's orthophoto, which its other files must have too.

    Args:
        files: by layer; "labels" is one of them.

    Raises:
        DataError: a file of another form or size; heights of 3_13, which lack a column as
            published, only warn.
    """
    if files["labels"].suffix.lower() != ".tif":
        raise DataError(
            f"{files['labels']}: is a JPEG, which blends the colours of classes; take the original TIFF"
        )
    layers = {name: LAYERS.get(name) or LABELS["full"] for name in files}
    sizes = {
        name: check_raster(files[name], name, layer.bands, layer.kinds)
        for name, layer in layers.items()
    }
    first = next((name for name in ("rgb", "irrg", "rgbir") if name in files), "labels")
    height, width = sizes[first]
    for name, file in files.items():
        if tile == "3_13" and name in ("dsm", "ndsm") and sizes[name] == (height, width - 1):
            warnings.warn(
                f"{file}: has {width - 1} of {width} columns; the last one is repeated",
                stacklevel=5,
            )
        elif sizes[name] != (height, width):
            raise DataError(
                f"{file}: has {sizes[name][0]} × {sizes[name][1]} pixels, {files[first].name} {height} × {width}; fetch"
                " it again, or leave the tile out with the option tiles"
            )
    return height, width
