"""ISPRS Potsdam 2D: 38 aerial tiles of 6000×6000 pixels (5 cm), heights, six classes per pixel.

Heights (a zero in front of the tile's numbers) are metres, labels have six colours, black on the
borders of objects. Source: the ISPRS benchmark.
"""

import re
from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import product
from pathlib import Path

import numpy as np

from discom.data.checks import NO_LABEL, check_number
from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import RemoteFile, Source
from discom.errors import DataError

NUMBERS = (
    "2_10 2_11 2_12 3_10 3_11 3_12 4_10 4_11 4_12 5_10 5_11 5_12 6_7 6_8 6_9 6_10 6_11 6_12 7_7"
    " 7_8 7_9 7_10 7_11 7_12 2_13 2_14 3_13 3_14 4_13 4_14 4_15 5_13 5_14 5_15 6_13 6_14 6_15 7_13"
)
TILES = tuple(NUMBERS.split())
TEST = TILES[24:]
CLASSES = ("impervious", "building", "low_vegetation", "tree", "car", "clutter")
COLOURS = (0b111, 0b001, 0b011, 0b010, 0b110, 0b100)  # red, green, blue, each 255 or 0
SIDE = 6000  # pixels of a tile
FILES = {  # with two places for the tile's numbers
    "rgb": "top_potsdam_{}_{}_RGB.tif",
    "dsm": "dsm_potsdam_{}_{}.tif",
    "masks": "top_potsdam_{}_{}_label_noBoundary.tif",
}
RIGHT_COPY = "5_Labels_for_participants_no_Boundary"  # is taken where a tile stands twice
ARCHIVES = ("1_DSM.zip", "2_Ortho_RGB.zip", "5_Labels_all_noBoundary.zip")
PAGE = "https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx"


def read_potsdam(
    root: Path | str, modalities: Sequence[str] | None = None, window: int = 512
) -> MultiModalData:
    """RGB, heights [N, 1, window, window] and masks: 144 windows a tile of 512 pixels, as in mmseg.

    A tile is a group. Where all test tiles are there, the split is the contest's.
    """
    names, root = steps.choose(POTSDAM, modalities), Path(root)
    check_number("window", window, 1, SIDE)
    _read_tile.cache_clear()  # a file may have been replaced since
    files = {name: _find_tiles(root, name) for name in [*names, "masks"]}
    tiles = steps.pair(files, root)
    missing = [tile for tile in TILES if tile not in tiles]
    absent = f"{len(TILES)} tiles are missing ({', '.join(missing)})"
    steps.warn_left_out(root, len(missing), absent)
    official = set(TEST) <= set(tiles) and len(tiles) > len(TEST) + 1
    starts = [*range(0, SIDE - window, window), SIDE - window]  # the last is shifted back inside
    windows = list(product(tiles, starts, starts))
    items = {name: [(files[name][tile], *place) for tile, *place in windows] for name in files}
    forms = {
        "rgb": steps.Form(partial(steps.cut, _read_tile, window)),
        "dsm": steps.Form(partial(_read_heights, window), "m"),
        "masks": steps.Form(partial(_read_mask, window)),
    }
    groups = np.array([tile for tile, _, _ in windows])
    ids = [f"{tile}-{top:04d}-{left:04d}" for tile, top, left in windows]
    parts = steps.split_official(np.isin(groups, TEST), groups) if official else None
    split = "official" if official else "grouped"
    if missing:  # a name of its own, so that no figure of a paper stands beside its scores
        split = f"{len(tiles)}tiles-{split}"
    return steps.build(POTSDAM, items, forms, ids, CLASSES, split, groups=groups, parts=parts)


def _find_tiles(root: Path, layer: str) -> dict[str, Path]:
    """Tile → file, known by its two numbers, since only heights have zeros in front."""
    name, files = FILES[layer], dict[str, Path]()
    for file in steps.find(root, "*potsdam_*"):
        if match := re.fullmatch(name.format(r"(\d+)", r"(\d+)"), file.name, re.IGNORECASE):
            tile = f"{int(match[1])}_{int(match[2])}"
            if tile in files and RIGHT_COPY not in str(file):
                raise DataError(file, f"a second copy of {files[tile]}", "remove one")
            files[tile] = file
    if not files:
        raise DataError(root, f"holds no {name.format('<r>', '<c>')}. {POTSDAM.by_hand}")
    return files


@lru_cache(maxsize=3)  # the windows of a tile are read one after the other
def _read_tile(file: Path) -> np.ndarray:
    heights = file.name.lower().startswith("dsm")
    kind, bands = (np.float32, 1) if heights else (np.uint8, 3)
    lacking = int(heights and file.stem.endswith("3_13"))  # columns, as published
    pixels = steps.read_form(file, "a tile", kind, (bands, SIDE, SIDE - lacking))
    if lacking:
        return np.pad(pixels, ((0, 0), (0, 0), (0, 1)), mode="edge")
    return np.ascontiguousarray(pixels)  # the file has bands last, of which windows read slowly


def _read_heights(window: int, item: tuple[Path, int, int]) -> np.ndarray:
    heights = steps.cut(_read_tile, window, item)
    if np.abs(heights).max() > 500:  # Potsdam lies at about 30 to 100 m
        raise DataError(item[0], "has heights beyond ±500 m", "fetch it again")
    return heights


def _read_mask(window: int, item: tuple[Path, int, int]) -> np.ndarray:
    """Class ids [H, W] by colour: an exact match, or no label."""
    class_of = np.full(9, NO_LABEL, np.uint8)
    class_of[list(COLOURS)] = range(len(COLOURS))
    red, green, blue = pixels = steps.cut(_read_tile, window, item)
    code = red & 4 | green & 2 | blue & 1
    code[(pixels + np.uint8(1) > 1).any(axis=0)] = 8  # some channel is neither 0 nor 255
    mask = class_of[code]
    if ((mask == NO_LABEL) & pixels.any(axis=0)).mean() > 0.01:
        found = "its colours are no class's; it is blended or resized"
        raise DataError(item[0], found, f"take the copy in {RIGHT_COPY}.zip")
    return mask


POTSDAM = Source(
    name="potsdam",
    what="aerial RGB and heights of a town, 38 tiles cut into windows, six classes per pixel",
    modalities={"rgb": "3×512×512, 8 bit", "dsm": "1×512×512, m"},
    size="14 GB as plain pixels",
    licence="none found; see the page",
    page=PAGE,
    read=read_potsdam,
    files=(*map(RemoteFile, ARCHIVES), RemoteFile(f"{RIGHT_COPY}.zip")),
    by_hand=f"Get the share's address and password at {PAGE} and put {', '.join(ARCHIVES)} there",
)
