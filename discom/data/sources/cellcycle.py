"""Cell cycle: Jurkat cells by imaging flow cytometry, in brightfield, a DNA stain and darkfield.

Montages `<phase>/Ch<n>_<number>.tif`, uint16 [1200, 1200], camera counts: 30×30 tiles of 40×40
pixels, a cell each, column after column. Channel 3 is brightfield, 4 the DNA stain (propidium
iodide), 6 darkfield (side scatter), on one pixel grid. A montage that is not full ends in filler
tiles, whose rows of pixels are all the same. The folder is the label: the authors sorted the cells
by hand. Sources: Blasi et al. 2016, Hennig et al. 2017; montages of the repository MLCP.

Uncertain: the sample and the time of a cell. In S phase the brightfield background rises by 1.5
counts in the middle of the montage, as if a second recording began there.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import RemoteFile, Source
from discom.errors import DataError

CLASSES = ("G1", "S", "G2", "M")
PHASES = {"G1": "G1", "S_phase": "S", "G2": "G2"}  # folder → class
PHASES |= dict.fromkeys(("Prophase", "Metaphase", "Anaphase", "Telophase"), "M")
CHANNELS = {"brightfield": "Ch3", "stain": "Ch4", "darkfield": "Ch6"}
TILES, TILE = 30, 40  # tiles of a montage's side, pixels of a tile's
REPOSITORY = "https://raw.githubusercontent.com/minh-doan/MLCP"
COMMIT = "4b4d93606e6b88654fc0a0697515d63102f60ee7"
FILES = pd.read_csv(Path(__file__).with_suffix(".csv"))  # every montage and its checksum


def read_cellcycle(
    root: Path | str, modalities: Sequence[str] | None = None, size: int | Sequence[int] = 32
) -> MultiModalData:
    """Brightfield, stain and darkfield [N, 1, H, W] in counts; phases of mitosis are one class, M.

    A column of a montage, 30 tiles, is a group. Three cells stand twice in their montage. Their
    second image, which differs at most in its first column of pixels, is left out with a warning.

    Args:
        size: height and width, or one for both; pixels are averaged, with 40 they stay as they are.
    """
    names = steps.choose(CELLCYCLE, modalities)
    _read_tiles.cache_clear()  # a file may have been replaced since
    files = {name: {phase: _place(Path(root), phase, name) for phase in PHASES} for name in names}
    cells = [(phase, tile) for phase in PHASES for tile in _find_cells(files[names[0]][phase])]
    items = {name: [(files[name][phase], tile) for phase, tile in cells] for name in names}
    forms = dict.fromkeys(names, steps.Form(_read_cell, "counts", smooth=True))
    ids = [f"{phase}/{tile:03d}" for phase, tile in cells]
    labels = [CLASSES.index(PHASES[phase]) for phase, _ in cells]
    groups = np.array([f"{phase}/{tile // TILES:02d}" for phase, tile in cells])
    return steps.build(
        CELLCYCLE, items, forms, ids, CLASSES, size=size, labels=labels, groups=groups
    )


def _place(root: Path, phase: str, modality: str) -> Path:
    start = f"{phase}/{CHANNELS[modality]}_"
    file = root / next(name for name in FILES["file"] if name.startswith(start))
    if not file.is_file():
        raise DataError(file, f"no such file. {CELLCYCLE.advice()}")
    return file


@lru_cache(maxsize=len(CHANNELS))  # the cells of a montage are read one after the other
def _read_tiles(file: Path) -> np.ndarray:
    """The tiles of a montage, [900, 40, 40]."""
    side = TILES * TILE
    montage = steps.read_form(file, "a montage", np.uint16, (1, side, side))
    grid = montage.reshape(TILES, TILE, TILES, TILE).transpose(2, 0, 1, 3)  # column after column
    return grid.reshape(-1, TILE, TILE)


def _find_cells(file: Path) -> np.ndarray:
    """Tiles of a montage that hold a cell, each cell once."""
    tiles = _read_tiles(file)
    cells = np.flatnonzero((tiles != tiles[:, :1]).any(axis=(1, 2)))
    if not len(cells):
        raise DataError(file, "holds no cell", "fetch it again")
    inner = tiles[cells, :, 1:].reshape(len(cells), -1)
    _, first = np.unique(inner, axis=0, return_index=True)
    steps.warn_left_out(file, len(cells) - len(first), f"{len(cells)} cells stand there twice")
    return cells[np.sort(first)]


def _read_cell(item: tuple[Path, int]) -> np.ndarray:
    file, tile = item
    return _read_tiles(file)[tile][None]


CELLCYCLE = Source(
    name="cellcycle",
    what="cells of a flow cytometer, 3 416 in three channels, four cell-cycle phases, 116 groups",
    modalities={"brightfield": "1×32×32, counts", "stain": "the same", "darkfield": "the same"},
    size="60 MB",
    licence="BSD-3-Clause, as the repository of the montages; cite Blasi et al. 2016",
    page="https://doi.org/10.1038/ncomms10256, https://github.com/minh-doan/MLCP (commit 4b4d936)",
    read=read_cellcycle,
    files=tuple(
        RemoteFile(name, f"{REPOSITORY}/{COMMIT}/images/Experiment_1/{name}", f"sha256:{digits}")
        for name, digits in FILES.to_numpy()
    ),
)
