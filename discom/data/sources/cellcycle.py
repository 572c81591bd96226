"""Cell cycle: Jurkat cells by imaging flow cytometry, in brightfield, a DNA stain and darkfield.

Montages `<phase>/Ch<n>_<number>.tif`, uint16 [1200, 1200], camera counts: 30×30 tiles of 40×40
pixels, a cell each, column after column. Channel 3 is brightfield, 4 the DNA stain (propidium
iodide), 6 darkfield (side scatter), on one pixel grid. A montage that is not full ends in filler
tiles, whose rows of pixels are all the same. The folder is the label: the authors sorted the cells
by hand. Sources: Blasi et al. 2016, Hennig et al. 2017; montages of the repository MLCP.

Uncertain: the sample and the time of a cell. In S phase the brightfield background rises by 1.5
counts in the middle of the montage, as if a second recording began there.
"""

from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Size, Source, steps

# folder → class, and the number of its montages
PHASES = {"G1": ("G1", "CP0008"), "S_phase": ("S", "CP0009"), "G2": ("G2", "CP0008")}
PHASES |= dict.fromkeys(("Prophase", "Metaphase", "Anaphase", "Telophase"), ("M", "CP0001"))
CHANNELS = {"brightfield": "Ch3", "stain": "Ch4", "darkfield": "Ch6"}
TILES, TILE = 30, 40  # tiles of a montage's side, pixels of a tile's
MLCP = "https://raw.githubusercontent.com/minh-doan/MLCP/4b4d93606e6b88654fc0a0697515d63102f60ee7"
MONTAGES = [
    f"{phase}/{channel}_{number}.tif"
    for phase, (_, number) in PHASES.items()
    for channel in CHANNELS.values()
]


class CellCycle(Source):
    """Brightfield, stain and darkfield in counts; phases of mitosis are one class, M.

    A column of a montage, 30 tiles, is a group. Three cells stand twice in their montage. Their
    second image, which differs at most in its first column of pixels, is left out with a warning.
    """

    name = "cellcycle"
    what = "cells of a flow cytometer, 3 416 in three channels, four cell-cycle phases, 116 groups"
    classes = ("G1", "S", "G2", "M")
    sensors = dict.fromkeys(CHANNELS, Sensor("1×32×32", "counts", smooth=True))
    symmetry = "all"
    size = "60 MB"
    licence = "BSD-3-Clause, as the repository of the montages; cite Blasi et al. 2016"
    page = "https://doi.org/10.1038/ncomms10256, https://github.com/minh-doan/MLCP (commit 4b4d936)"
    # without checksums: it is https, and of one commit of git
    files = {name: (f"{MLCP}/images/Experiment_1/{name}", "") for name in MONTAGES}

    def read_raw(self, root: Path, names: list[str], size: Size = 32) -> MultiModalData:
        """`size`: height and width, or one for both; with 40 pixels stay as they are."""
        folder = self.find_folder(root, [*PHASES])
        tiles = {name: _read_tiles(folder, CHANNELS[name]) for name in names}
        cells = _find_cells(folder, tiles[names[0]])
        places = [(list(PHASES)[cell // TILES**2], cell % TILES**2) for cell in cells]
        return self.build(
            {name: list(own[cells, None]) for name, own in tiles.items()},
            [f"{phase}/{tile:03d}" for phase, tile in places],
            size=size,
            labels=[self.classes.index(PHASES[phase][0]) for phase, _ in places],
            groups=np.array([f"{phase}/{tile // TILES:02d}" for phase, tile in places]),
        )


def _read_tiles(folder: Path, channel: str) -> np.ndarray:
    """The tiles of all montages of a channel, [7·900, 40, 40], those of a montage by column."""
    side, tiles = TILES * TILE, []
    for name in [name for name in MONTAGES if channel in name]:
        montage = steps.read_form(folder / name, "a montage", np.uint16, (1, side, side))
        tiles.append(montage.reshape(TILES, TILE, TILES, TILE).transpose(2, 0, 1, 3))
    return np.concatenate(tiles).reshape(-1, TILE, TILE)


def _find_cells(folder: Path, tiles: np.ndarray) -> np.ndarray:
    """Tiles that hold a cell, each cell once."""
    cells = np.flatnonzero((tiles != tiles[:, :1]).any(axis=(1, 2)))
    inner = tiles[cells, :, 1:].reshape(len(cells), -1)
    _, first = np.unique(inner, axis=0, return_index=True)
    steps.warn_left_out(folder, len(cells) - len(first), f"{len(cells)} cells stand there twice")
    return cells[np.sort(first)]
