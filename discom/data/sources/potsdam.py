"""ISPRS Potsdam 2D: 38 aerial tiles of 6000×6000 pixels (5 cm), heights, six classes per pixel.

Orthophotos are uint8, surface heights (a zero in front of the tile's numbers) float metres, labels
in six colours; in `…_label_noBoundary.tif`, black covers the borders of objects. Heights above
ground (`…_lastools.jpg`) have 8 bits of unknown scale; `…_ownapproach.jpg` are never read.
Source: the ISPRS benchmark on urban classification.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
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
# by colour, in this order: other readers number the same classes otherwise
CLASSES = ("impervious", "building", "low_vegetation", "tree", "car", "clutter")
COLOURS = (0b111, 0b001, 0b011, 0b010, 0b110, 0b100)  # red, green, blue, each 255 or 0
BYTE, METRES = ("uint8",), ("float32", "float64")
LAYERS = {  # name of a file with two places for the tile's numbers, bands, types
    "rgb": ("top_potsdam_{}_{}_RGB.tif", (3,), BYTE),
    "dsm": ("dsm_potsdam_{}_{}.tif", (1,), METRES),
    "ndsm": ("dsm_potsdam_{}_{}_normalized_lastools.jpg", (1, 3), BYTE),
    "irrg": ("top_potsdam_{}_{}_IRRG.tif", (3,), BYTE),
    "rgbir": ("top_potsdam_{}_{}_RGBIR.tif", (4,), BYTE),
    "eroded": ("top_potsdam_{}_{}_label_noBoundary.tif", (3,), BYTE),
    "full": ("top_potsdam_{}_{}_label.tif", (3,), BYTE),
}
UNITS = {"dsm": "m", "ndsm": "height above ground, 0 … 255, scale unknown"}
RIGHT_COPY = "5_Labels_for_participants"  # 4_12 is right in it; in 5_Labels_all it is blended
PAGE = "https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx"


def read_potsdam(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    orphans: str = "refuse",
    window: int = 512,
    border: str = "eroded",
    tiles: Sequence[str] | None = None,
) -> MultiModalData:
    """RGB [N, 3, 512, 512], heights [N, 1, 512, 512] and masks: 144 windows a tile, as in mmseg.

    Args:
        root: a folder that holds the files, at any depth.
        modalities: of rgb, dsm (metres), ndsm, irrg and rgbir; rgb and dsm by default.
        orphans: "refuse" or "drop" tiles that a modality lacks.
        window: its side in pixels.
        border: "eroded" takes the labels without the borders of objects, "full" those with them.
        tiles: a part of the 38, such as ["6_7", "2_10"].

    Raises:
        DataError: files are missing or stand twice, orphans, or a file of another form.
    """
    names, root = steps.choose(modalities, tuple(LAYERS)[:5]), Path(root)
    steps.check_choice("border", border, ("eroded", "full"))
    steps.check_number("window", window, whole=True)
    for tile in tiles or ():
        steps.check_choice("tiles", tile, TILES)
    asked = [tile for tile in TILES if tile in (tiles or TILES)]
    files = {name: _find_tiles(root, name, asked) for name in [*names, border]}
    for tile in set(TEST) - set(files[border]):  # of no use without its label
        for name in names:
            files[name].pop(tile, None)
    chosen, dropped = steps.pair(files, root, orphans)
    trained, tested = set(TRAIN) & set(chosen), set(TEST) & set(chosen)
    official = len(trained) > 1 and bool(tested) and tested == set(TEST) & set(asked)
    if missing := [tile for tile in asked if tile not in chosen]:
        text = f"{root}: {len(missing)} of {len(asked)} tiles are missing: {', '.join(missing)}"
        warnings.warn(text if official else f"{text}; there is no official split", stacklevel=2)
    windows, counts = [], []
    for tile in chosen:
        places, pixels = _windows(tile, {name: files[name][tile] for name in files}, window)
        labelled = np.flatnonzero(pixels.any(axis=1))
        windows += [(tile, *places[row]) for row in labelled]
        counts.append(pixels[labelled])
    items = {name: [(files[name][tile], *place) for tile, *place in windows] for name in files}
    masks = Lazy(items.pop(border), partial(_read_mask, window), (window, window), np.uint8)
    forms = {}
    for name in names:
        _, bands, kinds = LAYERS[name]
        read, shape = partial(_read, name, window), (bands[0], window, window)
        forms[name] = steps.Form(read, shape, kinds[0], UNITS.get(name, ""))
    groups, parts = np.array([tile for tile, _, _ in windows]), None
    if official:
        train, valid = steps.carve(np.flatnonzero(np.isin(groups, TRAIN)), groups)
        parts = {"train": train, "valid": valid, "test": np.flatnonzero(np.isin(groups, TEST))}
    ids = [f"{tile}-{top:04d}-{left:04d}" for tile, top, left in windows]
    count = "" if len(chosen) in (len(TILES), len(TRAIN)) else f"{len(chosen)}tiles"
    split = "official" if official else "grouped"
    return MultiModalData(
        steps.views(items, forms, steps.most_frequent(np.concatenate(counts)), ids),
        CLASSES,
        dense=True,
        masks=masks,
        groups=groups,
        name=steps.variant("potsdam", names, ["rgb", "dsm"], count, split),
        parts=parts,
        about=POTSDAM.about(dropped, "none known in heights", masks="255 = no label"),
    )


def _find_tiles(root: Path, layer: str, asked: Sequence[str]) -> dict[str, Path]:
    """Tile → file. Tiles are known by their two numbers, since only heights have zeros in front."""
    name = LAYERS[layer][0]
    files: dict[str, Path] = {}
    for file in steps.find(root, "*potsdam_*"):
        match = re.fullmatch(name.format(r"(\d+)", r"(\d+)"), file.name, re.IGNORECASE)
        tile = f"{int(match[1])}_{int(match[2])}" if match else ""
        if tile in asked and RIGHT_COPY not in str(files.get(tile)):
            if tile in files and RIGHT_COPY not in str(file):
                raise DataError(f"{file}: a second copy of {files[tile]}; remove one")
            files[tile] = file
    if not files:
        raise DataError(f"{root}: holds no {name.format('<r>', '<c>')}. {POTSDAM.by_hand}")
    return files


def _windows(tile: str, files: Mapping[str, Path], window: int) -> tuple[list, np.ndarray]:
    """(top, left) of every window of a tile, and its pixels of every class; checks all headers."""
    rasters, (*_, label) = _rasters(), files.values()
    rasters.read_rows.cache_clear()  # a file may have been replaced since
    sizes = {name: rasters.check_raster(files[name], name, *LAYERS[name][1:]) for name in files}
    height, width = list(sizes.values())[-1]
    for name, (high, wide) in sizes.items():
        narrow = tile == "3_13" and name in ("dsm", "ndsm")  # lacks a column as published
        if (high, wide) not in ((height, width), (height, width - narrow)):
            raise DataError(f"{files[name]}: has not the size of {label}; fetch both again")
    if window > min(height, width):
        raise ConfigError(f"window: {window} is more than the pixels of {label}; choose less")
    strips, strange = [], 0
    for top in range(0, height, window):
        colours = rasters.read_rows(label, top, window)
        strips.append(_decode(colours))
        strange += int(np.count_nonzero((strips[-1] == steps.NO_LABEL) & colours.any(axis=0)))
    if strange > 0.001 * height * width:
        wrong = f"{strange} pixels have no class's colour; it is blended or resized"
        raise DataError(f"{label}: {wrong}: take the copy in {RIGHT_COPY}….zip")
    ids = np.concatenate(strips)
    tops, lefts = (rasters.window_starts(side, window) for side in (height, width))
    places = [(top, left) for top in tops for left in lefts]
    cut = np.stack([ids[top : top + window, left : left + window] for top, left in places])
    return places, steps.count_pixels(cut, len(CLASSES), label)


def _rasters() -> Any:
    """Loads GDAL, which only this reader needs."""
    from discom.data.sources import rasters

    return rasters


def _decode(pixels: np.ndarray) -> np.ndarray:
    """Colours [3, H, W] to class ids [H, W]: an exact match or no label."""
    class_of = np.full(9, steps.NO_LABEL, np.uint8)
    class_of[list(COLOURS)] = range(len(COLOURS))
    red, green, blue = pixels
    code = red & 4 | green & 2 | blue & 1  # in bytes, since a tile has 36 million pixels
    code[(pixels + np.uint8(1) > 1).any(axis=0)] = 8  # some channel is neither 0 nor 255
    return class_of[code]


def _read_mask(window: int, item: tuple[Path, int, int]) -> np.ndarray:
    return _decode(_rasters().read_window(item, window))


def _read(name: str, window: int, item: tuple[Path, int, int]) -> np.ndarray:
    pixels = _rasters().read_window(item, window)
    if name == "dsm" and np.abs(pixels).max() > 500:  # Potsdam lies at some 30 to 100 m
        raise DataError(f"{item[0]}: has heights beyond ±500 m; fetch it again")
    bands, kinds = LAYERS[name][1:]
    return pixels[: bands[0]].astype(kinds[0])  # grey heights may be saved in three equal bands


ARCHIVES = "1_DSM 2_Ortho_RGB 5_Labels_all_noBoundary"
OTHERS = f"1_DSM_normalisation 3_Ortho_IRRG 4_Ortho_RGBIR 5_Labels_all {RIGHT_COPY}"
POTSDAM = Source(
    name="potsdam",
    what="aerial RGB and heights of a town, 38 tiles cut into windows, six classes per pixel",
    modalities={"rgb": "3×512×512, 8 bit", "dsm": "1×512×512, m; on request ndsm, irrg, rgbir"},
    size="14 GB as plain pixels",
    licence="none found; see the page",
    page=PAGE,
    read=read_potsdam,
    files=(
        *(RemoteFile(f"{name}.zip") for name in ARCHIVES.split()),
        *(RemoteFile(f"{name}.zip", needed=False) for name in OTHERS.split()),
        RemoteFile(f"{RIGHT_COPY}_no_Boundary.zip", needed=False),
    ),
    by_hand=f"Get the share's address and password at {PAGE} and put {ARCHIVES.replace(' ', ', ')}"
    f" and {RIGHT_COPY}_no_Boundary into the folder (for border=full: 5_Labels_all, {RIGHT_COPY})",
)
