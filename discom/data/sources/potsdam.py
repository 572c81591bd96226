"""ISPRS Potsdam 2D: 38 aerial tiles of 6000×6000 pixels (5 cm), heights, six classes per pixel.

Heights (a zero in front of the tile's numbers) are metres, labels have six colours, black on the
borders of objects. Source: the ISPRS benchmark.
"""

import re
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from discom.data.lazy import Lazy
from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import RemoteFile, Source
from discom.errors import ConfigError, DataError

__all__ = ["CLASSES", "POTSDAM", "TEST", "TRAIN", "read_potsdam"]

NUMBERS = (
    "2_10 2_11 2_12 3_10 3_11 3_12 4_10 4_11 4_12 5_10 5_11 5_12 6_7 6_8 6_9 6_10 6_11 6_12 7_7"
    " 7_8 7_9 7_10 7_11 7_12 2_13 2_14 3_13 3_14 4_13 4_14 4_15 5_13 5_14 5_15 6_13 6_14 6_15 7_13"
)
TILES = tuple(NUMBERS.split())
TRAIN, TEST = TILES[:24], TILES[24:]
CLASSES = ("impervious", "building", "low_vegetation", "tree", "car", "clutter")
COLOURS = (0b111, 0b001, 0b011, 0b010, 0b110, 0b100)  # red, green, blue, each 255 or 0
LAYERS = {  # name of a file with two places for the tile's numbers, bands, types
    "rgb": ("top_potsdam_{}_{}_RGB.tif", (3,), ("uint8",)),
    "dsm": ("dsm_potsdam_{}_{}.tif", (1,), ("float32", "float64")),
    "labels": ("top_potsdam_{}_{}_label_noBoundary.tif", (3,), ("uint8",)),
}
RIGHT_COPY = "5_Labels_for_participants_no_Boundary"  # is taken where a tile stands twice
ARCHIVES = ("1_DSM.zip", "2_Ortho_RGB.zip", "5_Labels_all_noBoundary.zip")
PAGE = "https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx"


def read_potsdam(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    orphans: str = "refuse",
    window: int = 512,
) -> MultiModalData:
    """RGB, heights [N, 1, window, window] and masks: 144 windows a tile of 512 pixels, as in mmseg.

    A tile is a group. Where all test tiles are there, the split is the contest's. A
    DataError says which file is missing, stands twice or has another form.
    """
    names, root = steps.choose(modalities, ("rgb", "dsm")), Path(root)
    shape = (steps.check_whole("window", window), window)
    _rasters().read_rows.cache_clear()  # a file may have been replaced since
    files = {name: _find_tiles(root, name) for name in [*names, "labels"]}
    tiles, dropped = steps.pair(files, root, orphans)
    official = set(TEST) <= set(tiles) and len(tiles) > len(TEST) + 1
    if missing := [tile for tile in TILES if tile not in tiles]:
        text = f"{root}: {len(missing)} of 38 tiles are missing: {', '.join(missing)}"
        warnings.warn(f"{text}; there is an official split: {official}", stacklevel=2)
    windows = [(tile, *place) for tile in tiles for place in _windows(tile, files, window)]
    items = {name: [(files[name][tile], *place) for tile, *place in windows] for name in files}
    masks = Lazy(items.pop("labels"), partial(_read_mask, window), shape, np.uint8)
    labels = steps.most_frequent(steps.count_pixels(masks, len(CLASSES), root))
    forms = {
        "rgb": steps.Form(partial(_rasters().read_window, window=window), (3, *shape), np.uint8),
        "dsm": steps.Form(partial(_read_heights, window), (1, *shape), np.float32, "m"),
    }
    if (labels < 0).any():
        raise ConfigError(f"window: {window} leaves windows without any label; choose more")
    groups, parts = np.array([tile for tile, _, _ in windows]), None
    if official:
        rows = np.isin(groups, TEST)
        train, valid = steps.carve(np.flatnonzero(~rows), groups)
        parts = {"train": train, "valid": valid, "test": np.flatnonzero(rows)}
    ids = [f"{tile}-{top:04d}-{left:04d}" for tile, top, left in windows]
    kind = f"{len(tiles)}tiles" if missing else "", "official" if official else "grouped"
    return MultiModalData(
        steps.views(items, forms, labels, ids),
        CLASSES,
        dense=True,
        masks=masks,
        groups=groups,
        name=steps.variant("potsdam", names, ["rgb", "dsm"], *kind),
        parts=parts,
        about=POTSDAM.about(dropped, "none known in heights", masks="255 = no label"),
    )


def _find_tiles(root: Path, layer: str) -> dict[str, Path]:
    """Tile → file, known by its two numbers, since only heights have zeros in front."""
    name, files = LAYERS[layer][0], dict[str, Path]()
    for file in steps.find(root, "*potsdam_*"):
        if match := re.fullmatch(name.format(r"(\d+)", r"(\d+)"), file.name, re.IGNORECASE):
            tile = f"{int(match[1])}_{int(match[2])}"
            if tile in files and RIGHT_COPY not in str(file):
                raise DataError(f"{file}: a second copy of {files[tile]}; remove one")
            files[tile] = file
    if not files:
        raise DataError(f"{root}: holds no {name.format('<r>', '<c>')}. {POTSDAM.by_hand}")
    return files


def _windows(tile: str, files: dict[str, dict[str, Path]], window: int) -> list[Any]:
    """(top, left) of every window of a tile, whose headers are checked."""
    rasters, label = _rasters(), files["labels"][tile]
    sizes = {
        name: rasters.check_raster(files[name][tile], name, *LAYERS[name][1:]) for name in files
    }
    height, width = sizes["labels"]
    for name, size in sizes.items():
        narrow = tile == "3_13" and name == "dsm"  # lacks a column as published
        if size not in ((height, width), (height, width - narrow)):
            raise DataError(f"{files[name][tile]}: has not the size of {label}; fetch both again")
    if window > min(height, width):
        raise ConfigError(f"window: {window} is more than the pixels of {label}; choose less")
    tops, lefts = (rasters.window_starts(side, window) for side in (height, width))
    return [(top, left) for top in tops for left in lefts]


def _rasters() -> Any:
    """Loads GDAL, which only this reader needs."""
    from discom.data.sources import rasters

    return rasters


def _read_mask(window: int, item: tuple[Path, int, int]) -> np.ndarray:
    """Class ids [H, W] by colour: an exact match, or no label."""
    class_of = np.full(9, steps.NO_LABEL, np.uint8)
    class_of[list(COLOURS)] = range(len(COLOURS))
    pixels = _rasters().read_window(item, window)
    red, green, blue = pixels
    code = red & 4 | green & 2 | blue & 1  # in bytes, since a tile has 36 million pixels
    code[(pixels + np.uint8(1) > 1).any(axis=0)] = 8  # some channel is neither 0 nor 255
    mask = class_of[code]
    if ((mask == steps.NO_LABEL) & pixels.any(axis=0)).mean() > 0.01:
        wrong = "its colours are no class's; it is blended or resized"
        raise DataError(f"{item[0]}: {wrong}: take the copy in {RIGHT_COPY}.zip")
    return mask


def _read_heights(window: int, item: tuple[Path, int, int]) -> np.ndarray:
    heights = _rasters().read_window(item, window).astype(np.float32)
    if np.abs(heights).max() > 500:  # Potsdam lies at some 30 to 100 m
        raise DataError(f"{item[0]}: has heights beyond ±500 m; fetch it again")
    return heights


POTSDAM = Source(
    name="potsdam",
    what="aerial RGB and heights of a town, 38 tiles cut into windows, six classes per pixel",
    modalities={"rgb": "3×512×512, 8 bit", "dsm": "1×512×512, m"},
    size="14 GB as plain pixels",
    licence="none found; see the page",
    page=PAGE,
    read=read_potsdam,
    files=(*map(RemoteFile, ARCHIVES), RemoteFile(f"{RIGHT_COPY}.zip", needed=False)),
    by_hand=f"Get the share's address and password at {PAGE} and put {', '.join(ARCHIVES)} there",
)
