"""Land cover from optical bands and elevation: 306 tiles of 128×128 pixels, as patches of one class
or with masks.

Tiles `tiles/NNN.tif`, int16 [8, 128, 128]: blue, green, red, NIR, SWIR1, SWIR2 (surface reflectance
× 10 000), elevation in metres, ESA WorldCover code; `index.csv` gives each tile's `location_group`.
Sources: NASA HLS, Copernicus DEM, ESA WorldCover (CC BY 4.0). Tiles overlap and repeat, so groups
must never be divided by a split. WorldCover is itself a map made by a classifier, of 2020 or 2021
and not of the image's date: a flooded field is crop.
"""

import warnings
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from discom.data.images import read_pixels
from discom.data.lazy import Lazy
from discom.data.multimodal import Modality, MultiModalData
from discom.data.sources.source import Source
from discom.data.sources.steps import (
    NO_LABEL,
    check_modalities,
    count_pixels,
    most_frequent,
    sorted_files,
)
from discom.errors import ConfigError, DataError, first_line

__all__ = ["CLASSES", "HLS", "HLS_DENSE", "read_hls", "read_hls_dense"]

CLASSES = {
    10: "tree",
    30: "grass",
    40: "crop",
    80: "water",
}  # WorldCover code → name; the rest is too rare
CODES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)  # all that WorldCover has; 0 is no data
BANDS = {"rgb": [2, 1, 0], "infrared": [3, 4, 5], "elevation": [6]}
UNITS = {"rgb": "reflectance × 10 000", "infrared": "reflectance × 10 000", "elevation": "m"}
TILE, PATCH, MAJORITY = 128, 32, 0.60  # pixels, pixels; share of a patch that its class must cover
SIDES = (16, 32, 64, 128)  # pixels; they divide a tile
LABELLED = 0.5  # share of a crop's pixels that must have a label
RELIEF = 5.0  # metres, over which the relief goes from linear to logarithmic


def read_hls(root: Path | str, modalities: Sequence[str] | None = None) -> MultiModalData:
    """RGB [N, 3, 32, 32], infrared (NIR, SWIR1, SWIR2) and elevation [N, 1, 32, 32] of patches with
    a clear class.

    Raises:
        DataError: the index or a tile is missing or has another form.
    """
    items, ids, groups = _cut(Path(root), PATCH)
    rows, patches, labels = [], [], []
    for number, item in enumerate(items):
        patch = _crop(PATCH, item)
        shares = [(patch[7] == code).mean() for code in CLASSES]
        if max(shares) >= MAJORITY:
            rows.append(number)
            patches.append(patch.astype(np.float32))
            labels.append(int(np.argmax(shares)))
    if not patches:
        place = Path(root) / "tiles"
        raise DataError(
            f"{place}: no patch of {PATCH}×{PATCH} pixels has a majority class of {MAJORITY:.0%}"
        )
    images, labels, ids = np.stack(patches), np.array(labels), ids[rows]
    data = MultiModalData(
        {
            name: Modality(images[:, bands], labels, ids, UNITS[name])
            for name, bands in BANDS.items()
        },
        tuple(CLASSES.values()),
        groups=groups[rows],
        name="hls",
        about={"source": HLS.page, "licence": HLS.licence, "invalid values": "none known"},
    )
    return data.select(modalities) if modalities else data


def read_hls_dense(
    root: Path | str, modalities: Sequence[str] | None = None, patch: int = 64, relief: bool = True
) -> MultiModalData:
    """RGB [N, 3, patch, patch], elevation [N, 1, patch, patch] and masks of crops that do not
    overlap.

    With relief, elevation z in metres is taken to asinh((z - m) / 5 m), m the mean of its tile:
    what tells cover apart is relief over metres to tens of metres, and heights of places differ by
    hundreds. Crops of which less than half of the pixels are of a class are left out.

    Args:
        root: the folder that holds index.csv and tiles/.
        modalities: of rgb, infrared (NIR, SWIR1, SWIR2) and elevation; rgb and elevation by
        default.
        patch: pixels of a side, of 16, 32, 64 and 128 (the whole tile).
        relief: False gives elevation in metres.

    Raises:
        DataError: the index or a tile is missing or has another form, or no crop has labels enough.
        ConfigError: an option out of its range.
    """
    names = list(modalities or ("rgb", "elevation"))
    check_modalities(names, list(BANDS), "hls-dense")
    _check_options(patch, relief)
    found, ids, groups = _cut(Path(root), patch)
    read_mask = partial(_read_mask, patch)
    pixels = count_pixels(Lazy(found, read_mask, (patch, patch), np.uint8), len(CLASSES), str(root))
    rows = np.flatnonzero(pixels.sum(axis=1) >= LABELLED * patch**2)
    if not len(rows):
        place = Path(root) / "tiles"
        raise DataError(
            f"{place}: no crop of {patch}×{patch} pixels has half of them in {', '.join(CLASSES.values())}"
        )
    items, pixels = [found[row] for row in rows], pixels[rows]

    def modality(name: str) -> Modality:
        read, kind, unit = partial(_read_bands, patch, BANDS[name]), np.int16, UNITS[name]
        if name == "elevation":
            read, kind = partial(_read_elevation, patch, relief), np.float32
            unit = f"asinh(Δz / {RELIEF:g} m)" if relief else unit
        images = Lazy(items, read, (len(BANDS[name]), patch, patch), kind)
        return Modality(images, most_frequent(pixels), ids[rows], unit)

    variants = [*(names if names != ["rgb", "elevation"] else []), *([] if relief else ["metres"])]
    return MultiModalData(
        {name: modality(name) for name in names},
        tuple(CLASSES.values()),
        dense=True,
        masks=Lazy(items, read_mask, (patch, patch), np.uint8),
        groups=groups[rows],
        name="-".join(["hls-dense", *variants]),
        about={"source": HLS.page, "licence": HLS.licence, "invalid values": "none known",
               "dropped": {"crops with less than half of their pixels labelled": len(found) - len(rows)},
               "masks": "class per pixel, 255 = no label: every other class of WorldCover, which are"
               f" {1 - pixels.sum() / (len(rows) * patch**2):.1%} of the pixels",
               "labels": "a map of 2020 or 2021 made by a classifier, not of the image's date",
               "elevation": f"asinh((z - mean of the tile) / {RELIEF:g} m)" if relief else "metres"},
    )  # fmt: skip


def _check_options(patch: int, relief: bool) -> None:
    if type(patch) is not int or patch not in SIDES:
        raise ConfigError(
            f"patch: {patch!r} pixels are no side of a crop; choose {', '.join(map(str, SIDES))}"
        )
    if not isinstance(relief, bool):
        raise ConfigError(f"relief: {relief!r} is neither true nor false; choose one")


def _cut(root: Path, patch: int) -> tuple[list[tuple[Path, int, int]], np.ndarray, np.ndarray]:
    """Every crop as (file, first row, first column), its id and its group, [N] each."""
    _read_tile.cache_clear()  # a file may have been replaced since
    corners = [(row, column) for row in range(0, TILE, patch) for column in range(0, TILE, patch)]
    index = _read_index(root)
    items = [
        (root / "tiles" / f"{tile}.tif", *corner) for tile in index["tile"] for corner in corners
    ]
    ids = [f"{file.stem}-{row:03d}-{column:03d}" for file, row, column in items]
    return items, np.array(ids), np.repeat(index["location_group"].to_numpy(), len(corners))


def _read_index(root: Path) -> pd.DataFrame:
    file = root / "index.csv"
    if not file.is_file():
        raise DataError(f"{file}: missing; give the folder that holds index.csv and tiles/")
    try:
        index = pd.read_csv(file, dtype={"tile": str})
    except ValueError as error:  # pandas' own are all of this kind
        raise DataError(
            f"{file}: cannot be read as a table ({first_line(error)}); copy the file again"
        ) from None
    if missing := {"tile", "location_group"} - set(index.columns):
        raise DataError(f"{file}: has no column {sorted(missing)[0]}; copy the file again")
    if empty := np.flatnonzero(index[["tile", "location_group"]].isna().any(axis=1)).tolist():
        raise DataError(
            f"{file}: line {empty[0] + 2} lacks its tile or its location_group; copy the file again"
        )
    index["tile"] = index["tile"].str.zfill(3)
    if (twice := index["tile"].duplicated()).any():
        raise DataError(
            f"{file}: lists tile {index['tile'][twice].iloc[0]} twice; copy the file again"
        )
    if stray := sorted(set(sorted_files(root / "tiles", ".tif")) - set(index["tile"])):
        warnings.warn(
            f"{file}: {len(stray)} of the tiles are not listed ({', '.join(stray[:3])}); left out",
            stacklevel=4,
        )
    return index


@lru_cache(maxsize=1)  # the crops of a tile are read one after the other
def _read_tile(file: Path) -> np.ndarray:
    if not file.is_file():
        raise DataError(f"{file}: no such file, but index.csv lists it; copy it again")
    pixels = read_pixels(file)
    if pixels.shape != (8, TILE, TILE):
        raise DataError(
            f"{file}: has shape {pixels.shape}, needed (8, {TILE}, {TILE}); copy it again"
        )
    if pixels.dtype != np.int16:
        raise DataError(f"{file}: holds {pixels.dtype}, needed int16; copy it again")
    return pixels


def _crop(patch: int, item: tuple[Path, int, int]) -> np.ndarray:
    file, row, column = item
    return _read_tile(file)[:, row : row + patch, column : column + patch]


def _read_bands(patch: int, bands: list[int], item: tuple[Path, int, int]) -> np.ndarray:
    return _crop(patch, item)[bands]


def _read_elevation(patch: int, relief: bool, item: tuple[Path, int, int]) -> np.ndarray:
    metres = _crop(patch, item)[BANDS["elevation"]].astype(np.float32)
    if not relief:
        return metres
    mean = np.float32(
        _read_tile(item[0])[BANDS["elevation"]].mean()
    )  # of the tile: crops keep their place in it
    return np.arcsinh((metres - mean) / np.float32(RELIEF))


def _read_mask(patch: int, item: tuple[Path, int, int]) -> np.ndarray:
    codes = _crop(patch, item)[7]
    if len(unknown := np.setdiff1d(codes, CODES)):
        raise DataError(
            f"{item[0]}: holds WorldCover code {unknown[0]}, there are {CODES}; copy it again"
        )
    mask = np.full(codes.shape, NO_LABEL, np.uint8)
    for label, code in enumerate(CLASSES):
        mask[codes == code] = label
    return mask


HLS = Source(
    name="hls",
    what="land cover of 306 tiles cut into 3 064 patches, four classes, 64 groups of places",
    modalities={
        "rgb": "3×32×32, reflectance × 10 000",
        "infrared": "3×32×32, the same",
        "elevation": "1×32×32, m",
    },
    size="60 MB",
    licence="NASA HLS (free and open), Copernicus DEM (attribution), ESA WorldCover (CC BY 4.0)",
    page="https://github.com/shahed137003/Water-Segmentation-project (commit 3db152b, MIT)",
    read=read_hls,
    by_hand="Give a folder with index.csv (columns tile, location_group) and tiles/NNN.tif (int16: blue, green, red,"
    " NIR, SWIR1, SWIR2, elevation, WorldCover code)",
)

HLS_DENSE = Source(
    name="hls-dense",
    what="the tiles of hls cut into 1 186 crops, four classes per pixel, 62 groups of places",
    modalities={
        "rgb": "3×64×64, reflectance × 10 000",
        "elevation": "1×64×64, asinh of relief over 5 m, or m",
        "infrared": "3×64×64, reflectance × 10 000, on request",
    },
    size=HLS.size,
    licence=HLS.licence,
    page=HLS.page,
    read=read_hls_dense,
    by_hand=HLS.by_hand,
)
