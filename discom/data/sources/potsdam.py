"""ISPRS Potsdam 2D: 38 aerial tiles of 6000×6000 pixels (5 cm), heights, six classes per pixel.

Heights (a zero in front of the tile's numbers) are metres, labels have six colours, black on the
borders of objects. Source: the ISPRS benchmark.
"""

import re
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from discom.data.checks import NO_LABEL
from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Source, steps
from discom.errors import DataError

NUMBERS = (
    "2_10 2_11 2_12 3_10 3_11 3_12 4_10 4_11 4_12 5_10 5_11 5_12 6_7 6_8 6_9 6_10 6_11 6_12 7_7"
    " 7_8 7_9 7_10 7_11 7_12 2_13 2_14 3_13 3_14 4_13 4_14 4_15 5_13 5_14 5_15 6_13 6_14 6_15 7_13"
)
TILES = NUMBERS.split()
TEST = TILES[24:]
COLOURS = [[255, 255, 255], [0, 0, 255], [0, 255, 255], [0, 255, 0], [255, 255, 0], [255, 0, 0]]
SIDE = 6000  # pixels of a tile
FILES = {  # with the two numbers of a tile, of which only those of heights have zeros in front
    "rgb": r"top_potsdam_(\d+)_(\d+)_RGB\.tif",
    "dsm": r"dsm_potsdam_(\d+)_(\d+)\.tif",
    "masks": r"top_potsdam_(\d+)_(\d+)_label_noBoundary\.tif",
}
RIGHT_COPY = "5_Labels_for_participants_no_Boundary"  # is taken where a tile stands twice


@lru_cache(maxsize=3)  # the windows of a tile are read one after the other
def _read_tile(file: Path) -> np.ndarray:
    heights = file.name.lower().startswith("dsm")
    kind, bands = (np.float32, 1) if heights else (np.uint8, 3)
    lacking = int(heights and file.stem.endswith("3_13"))  # columns, as published
    pixels = steps.read_form(file, "a tile", kind, (bands, SIDE, SIDE - lacking))
    # contiguous, since the file has bands last, of which windows read slowly
    return np.ascontiguousarray(np.pad(pixels, ((0, 0), (0, 0), (0, lacking)), mode="edge"))


def _read_window(item: tuple[Path, int, int, int]) -> np.ndarray:
    file, top, left, side = item
    return _read_tile(file)[:, top : top + side, left : left + side]


def _read_mask(item: tuple[Path, int, int, int]) -> np.ndarray:
    """Class ids [H, W] by colour: an exact match, or no label."""
    pixels = _read_window(item)
    mask = np.full(pixels.shape[1:], NO_LABEL, np.uint8)
    for number, colour in enumerate(COLOURS):
        mask[(pixels == np.reshape(colour, (3, 1, 1))).all(axis=0)] = number
    if ((mask == NO_LABEL) & pixels.any(axis=0)).mean() > 0.01:
        found = "its colours are no class's; it is blended or resized"
        raise DataError(item[0], found, f"take the copy in {RIGHT_COPY}.zip")
    return mask


class Potsdam(Source):
    """RGB, heights and masks of windows: 144 a tile with 512 pixels a side, as in mmseg; a tile is
    a group, and the split is the contest's."""

    name = "potsdam"
    what = "aerial RGB and heights of a town, 38 tiles cut into windows, six classes per pixel"
    classes = ("impervious", "building", "low_vegetation", "tree", "car", "clutter")
    sensors = {
        "rgb": Sensor("3×512×512", read=_read_window),
        "dsm": Sensor("1×512×512", "m", _read_window),
        "masks": Sensor(read=_read_mask),
    }
    symmetry = "all"
    size = "14 GB as plain pixels"
    licence = "none found; see the page"
    page = "https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx"
    by_hand = (
        f"Get the share's address and password at {page} and unpack 1_DSM.zip, 2_Ortho_RGB.zip and"
        " 5_Labels_all_noBoundary.zip there"
    )

    def read_raw(
        self, root: Path, names: list[str], window: Annotated[int, Field(ge=1, le=SIDE)] = 512
    ) -> MultiModalData:
        """`window`: pixels of a side; the last of a row or a column is shifted back inside."""
        _read_tile.cache_clear()  # a file may have been replaced since
        starts = [*range(0, SIDE - window, window), SIDE - window]
        places = list(product(sorted(TILES), starts, starts))
        files = {name: _find_tiles(root, name) for name in [*names, "masks"]}
        images = {name: [(own[t], *at, window) for t, *at in places] for name, own in files.items()}
        ids = [f"{tile}-{top:04d}-{left:04d}" for tile, top, left in places]
        groups = np.array([tile for tile, _, _ in places])
        parts = steps.split_official(np.isin(groups, TEST), groups)
        return self.build(images, ids, groups=groups, parts=parts)


def _find_tiles(root: Path, layer: str) -> dict[str, Path]:
    """Tile → file."""
    files: dict[str, Path] = {}
    for file in steps.find(root, "*potsdam_*"):
        if match := re.fullmatch(FILES[layer], file.name, re.IGNORECASE):
            tile = f"{int(match[1])}_{int(match[2])}"
            if tile in files and RIGHT_COPY not in str(file):
                raise DataError(file, f"a second copy of {files[tile]}", "remove one")
            files[tile] = file
    if missing := [tile for tile in TILES if tile not in files]:
        raise DataError(root, f"lacks {layer} of tiles {', '.join(missing)}", Potsdam.by_hand)
    return files
