"""Land cover from optical bands and elevation: 306 tiles of 128×128 pixels, cut into patches.

Tiles `tiles/NNN.tif`, int16 [8, 128, 128]: blue, green, red, NIR, SWIR1, SWIR2 (reflectance),
elevation in metres, ESA WorldCover code; `index.csv` gives the `location_group` of each, since they
overlap and repeat. WorldCover is a classifier's map, and not of the image's date.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from discom.data.arrays import Lazy
from discom.data.checks import NO_LABEL
from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import Source
from discom.errors import DataError
from discom.files import as_data_error

CLASSES = {10: "tree", 30: "grass", 40: "crop", 80: "water"}  # the other codes are too rare
CODES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)  # of WorldCover; 0 is no data
BAND, SHAPE = "reflectance × 10 000", "asinh of relief over 5 m"
TILE, PATCH, CROP = 128, 32, 64  # pixels of a side
MAJORITY, LABELLED = 0.6, 0.5  # share of one class in a patch; of labels in a crop
RELIEF = 5.0  # metres, over which the relief goes from linear to logarithmic


def read_hls(root: Path | str, modalities: Sequence[str] | None = None) -> MultiModalData:
    """RGB and infrared (NIR, SWIR1, SWIR2) [N, 3, 32, 32] and relief [N, 1, 32, 32] of the patches
    of which 60 % are of one class.

    Elevation z in metres is taken to asinh((z - m) / 5 m), m the mean of its tile: relief tells
    cover apart, heights of places do not.
    """
    return _cut(HLS, Path(root), steps.choose(HLS, modalities), dense=False)


def read_hls_dense(root: Path | str, modalities: Sequence[str] | None = None) -> MultiModalData:
    """RGB [N, 3, 64, 64], relief [N, 1, 64, 64] as of `read_hls` and masks of crops; infrared on
    request. Crops with labels on less than half are left out.
    """
    names = steps.choose(HLS_DENSE, modalities, "infrared")
    return _cut(HLS_DENSE, Path(root), names, dense=True)


def _cut(source: Source, root: Path, names: list[str], *, dense: bool) -> MultiModalData:
    """Patches with a clear class, or (dense) crops with enough labels."""
    _read_tile.cache_clear()  # a file may have been replaced since
    side, share = (CROP, LABELLED) if dense else (PATCH, MAJORITY)
    index, starts = _read_index(root), range(0, TILE, side)
    files = [root / "tiles" / f"{tile}.tif" for tile in index["tile"]]
    crops, read_mask = list(product(files, starts, starts)), partial(_read_mask, side)
    pixels = steps.count_pixels(Lazy(crops, read_mask, (side, side), np.uint8), len(CLASSES))
    measure = pixels.sum(axis=1) if dense else pixels.max(axis=1)
    rows = np.flatnonzero(measure >= share * side**2)
    lack = f"{len(crops)} crops have less than {share:.0%} {'with a' if dense else 'of one'} class"
    steps.warn_left_out(root, len(crops) - len(rows), lack)
    kept = [crops[row] for row in rows]
    forms = {
        "rgb": steps.Form(partial(_read_bands, side, [2, 1, 0]), BAND),
        "infrared": steps.Form(partial(_read_bands, side, [3, 4, 5]), BAND),
        "elevation": steps.Form(partial(_read_relief, side), "asinh(Δz / 5 m)"),
        "masks": steps.Form(read_mask),
    }
    items = {name: kept for name in ([*names, "masks"] if dense else names)}
    ids = [f"{file.stem}-{row:03d}-{column:03d}" for file, row, column in kept]
    labels = pixels[rows].argmax(axis=1)
    groups = index["location_group"].to_numpy().repeat(len(starts) ** 2)[rows]
    return steps.build(source, items, forms, ids, CLASSES.values(), labels=labels, groups=groups)


def _read_index(root: Path) -> pd.DataFrame:
    file = root / "index.csv"
    with as_data_error(file, "a table of tiles", "copy it again"):
        index = pd.read_csv(file, dtype={"tile": str})[["tile", "location_group"]]
    index["tile"] = index["tile"].str.zfill(3)
    if index.empty or index.isna().any(axis=None) or index["tile"].duplicated().any():
        found = "has no line, or one without a value or of a tile twice"
        raise DataError(file, found, "copy it again")
    return index


@lru_cache(maxsize=1)  # the crops of a tile are read one after the other
def _read_tile(file: Path) -> np.ndarray:
    pixels = steps.read_form(file, "a tile", np.int16, (8, TILE, TILE))
    if len(unknown := np.setdiff1d(pixels[7], CODES)):
        raise DataError(file, f"{unknown[0]} is not a WorldCover code", "copy it again")
    return pixels


def _read_bands(patch: int, bands: list[int], item: tuple[Path, int, int]) -> np.ndarray:
    return steps.cut(_read_tile, patch, item)[bands]


def _read_relief(patch: int, item: tuple[Path, int, int]) -> np.ndarray:
    mean = np.float32(_read_tile(item[0])[6].mean())  # of the tile: crops keep their place in it
    height = _read_bands(patch, [6], item).astype(np.float32)
    return np.arcsinh((height - mean) / np.float32(RELIEF))


def _read_mask(patch: int, item: tuple[Path, int, int]) -> np.ndarray:
    label_of = np.full(101, NO_LABEL, np.uint8)
    label_of[list(CLASSES)] = range(len(CLASSES))
    return label_of[_read_bands(patch, [7], item)[0]]


HLS = Source(
    name="hls",
    what="land cover of 306 tiles cut into 3 064 patches, four classes, 62 groups of places",
    modalities={
        "rgb": f"3×32×32, {BAND}",
        "infrared": "the same",
        "elevation": f"1×32×32, {SHAPE}",
    },
    size="60 MB",
    licence="NASA HLS (free and open), Copernicus DEM (attribution), ESA WorldCover (CC BY 4.0)",
    page="https://github.com/shahed137003/Water-Segmentation-project (commit 3db152b, MIT)",
    read=read_hls,
    by_hand="Give a folder with index.csv (columns tile, location_group) and tiles/NNN.tif (int16:"
    " blue, green, red, NIR, SWIR1, SWIR2, elevation, WorldCover code)",
)
HLS_DENSE = replace(
    HLS,
    name="hls-dense",
    what="the tiles of hls cut into 1 186 crops, four classes per pixel, 62 groups of places",
    modalities={"rgb": f"3×64×64, {BAND}", "elevation": f"1×64×64, {SHAPE}"},
    read=read_hls_dense,
)
