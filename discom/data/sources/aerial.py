"""Seen from the air, a class for every pixel: drone flights (midair) and a town (potsdam)."""

import re
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Size, Source, steps
from discom.errors import DataError
from discom.files import as_data_error
from discom.labels import NO_LABEL

CLASS_OF = np.array([0, 7, 2, 3, 3, 3, 4, 7, 1, 6, 5, 7, 7, 7], np.uint8)  # of id 0 … 13
EVERY = 25  # so many frames one is kept: one a second
FAR = 1250.0  # metres; what is farther, as the sky, counts as not measured
STREAMS = {"rgb": "color_left", "depth": "depth", "masks": "segmentation"}
TESTED = "2_13 2_14 3_13 3_14 4_13 4_14 4_15 5_13 5_14 5_15 6_13 6_14 6_15 7_13"
TEST = TESTED.split()
TILES = [f"{row}_{column}" for row in range(2, 8) for column in range(10 if row < 6 else 7, 13)]
TILES += TEST  # after those of training
COLOURS = [[255, 255, 255], [0, 0, 255], [0, 255, 255], [0, 255, 0], [255, 255, 0], [255, 0, 0]]
SIDE = 6000  # pixels of a tile
FILES = {  # with the two numbers of a tile, of which only those of heights have zeros in front
    "rgb": "top_potsdam_*_RGB.tif",
    "dsm": "dsm_potsdam_*.tif",
    "masks": "top_potsdam_*_label_noBoundary.tif",
}


def _read_depth(file: Path) -> np.ndarray:
    bits = steps.read_form(file, "depth", np.uint16, (1, None, None))
    metres = bits.view(np.float16).astype(np.float32)
    low, high = metres.min(), metres.max()
    if not low >= 0 or high < 1:  # NaN is not >= 0; whole metres or disparities look all near
        span = f"its float16 bits say {low:g} … {high:g} m"
        raise DataError(file, span, "take the original file")
    metres[metres > FAR] = 0
    return metres


def _read_ids(file: Path) -> np.ndarray:
    ids = steps.read_form(file, "segmentation", np.uint8, (None, None, None))[0]  # the bands repeat
    with as_data_error(file, "class ids 0 … 13", "take the original file"):
        return CLASS_OF[ids]


class MidAir(Source):
    """RGB, depth and masks of drone flights through two rendered landscapes, a frame a second; a
    flight in all its climates is a group.

    Files ``<set>/<climate>/<stream>/trajectory_<NNNN>/<6-digit frame>``, 25 a second; the bits of
    16-bit `depth` are a float16 in metres, `segmentation` has ids 0 … 13. Source: Fonder & Van
    Droogenbroeck 2019. Uncertain: that trajectories with the same last three digits are one flight
    under several climates (inferred from the numbering).
    """

    name = "midair"
    what = "drone flights over rendered landscapes, 54 flights in 3-4 climates, classes per pixel"
    # as Co-SemDepth merges the 14 ids of the files
    classes = ("sky", "water", "trees", "land", "boulders", "road", "construction", "others")
    sensors = {
        "rgb": Sensor("3×256×256", read=steps.read_colours, smooth=True),
        "depth": Sensor("1×256×256", "m", _read_depth, invalid=0.0),
        "masks": Sensor(read=_read_ids),
    }
    symmetry = "all"
    size = "some hundred GB in all; one climate is enough"
    licence = "not stated in what was read; see the page"
    page = "https://midair.ulg.ac.be"
    by_hand = (
        f"At {page}/download.html choose Left RGB, Depth and Semantic segmentation of one climate."
        " Unpack the archives under the root, and each frames.zip where it lies"
    )

    def read_raw(self, root: Path, names: list[str], size: Size = 256) -> MultiModalData:
        """`size`: height and width, or one for both."""
        files = {name: _find_frames(root, STREAMS[name]) for name in [*names, "masks"]}
        keys = steps.pair(files, root)
        # Kite_training/sunny/0001/000025 → Kite-001: a number ends alike in all climates
        groups = np.array([re.sub(r"_.*/\d(\d{3})/.*", r"-\1", key) for key in keys])
        images = {name: [file_of[key] for key in keys] for name, file_of in files.items()}
        return self.build(images, keys, size=size, groups=groups)


def _find_frames(root: Path, stream: str) -> dict[str, Path]:
    """Key <set>/<climate>/<NNNN>/<frame> → file of a stream."""
    files: dict[str, Path] = {}
    for folder in steps.find(root.absolute(), f"{stream}/trajectory_*"):
        collection, climate, _, trajectory = folder.parts[-4:]
        for frame, file in steps.sorted_files(folder, ".jpeg", ".jpg", ".png").items():
            key = f"{collection}/{climate}/{trajectory.removeprefix('trajectory_')}/{frame}"
            if not re.fullmatch(r"(Kite|PLE|VO)_.+/.+/\d{4}/\d{6}", key) or key in files:
                raise DataError(file, "is no frame of six digits, or a second copy", "move it away")
            if int(frame) % EVERY == 0:
                files[key] = file
    return files


@lru_cache(maxsize=3)  # the windows of a tile are read one after the other
def _read_tile(file: Path) -> np.ndarray:
    kind, bands = (np.float32, 1) if file.name.startswith("dsm") else (np.uint8, 3)
    lacking = int(file.stem == "dsm_potsdam_03_13")  # columns, as published
    pixels = steps.read_form(file, "a tile", kind, (bands, SIDE, SIDE - lacking))
    return np.pad(pixels, ((0, 0), (0, 0), (0, lacking)), mode="edge")


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
        way_out = "replace it by the copy in 5_Labels_for_participants_no_Boundary.zip"
        raise DataError(item[0], "its colours are no class's; it is blended or resized", way_out)
    return mask


class Potsdam(Source):
    """RGB, heights and masks of windows of ISPRS Potsdam 2D, 38 tiles of 6000×6000 pixels (5 cm):
    144 a tile with 512 pixels a side, as in mmseg. A tile is a group, the split the contest's.

    Heights (a zero in front of the tile's numbers) are metres, labels have six colours, black on
    the borders of objects. Source: the ISPRS benchmark.
    """

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
        images = {
            name: [(tile_of[t], *at, window) for t, *at in places]
            for name, tile_of in files.items()
        }
        ids = [f"{tile}-{top:04d}-{left:04d}" for tile, top, left in places]
        groups = np.array([tile for tile, _, _ in places])
        parts = steps.split_official(np.isin(groups, TEST), groups)
        return self.build(images, ids, groups=groups, parts=parts)


def _find_tiles(root: Path, layer: str) -> dict[str, Path]:
    """Tile → file."""
    files: dict[str, Path] = {}
    for file in steps.find(root, FILES[layer]):
        tile = "_".join(number.lstrip("0") for number in re.findall(r"\d+", file.name))
        if (other := files.setdefault(tile, file)) != file:
            raise DataError(file, f"a second copy of {other}", "remove one")
    if missing := [tile for tile in TILES if tile not in files]:
        raise DataError(root, f"lacks {layer} of tiles {', '.join(missing)}", Potsdam.by_hand)
    return files
