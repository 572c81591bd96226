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

PHASES = {"G1": "G1", "S_phase": "S", "G2": "G2"}  # folder → class
PHASES |= dict.fromkeys(("Prophase", "Metaphase", "Anaphase", "Telophase"), "M")
CHANNELS = {"brightfield": "Ch3", "stain": "Ch4", "darkfield": "Ch6"}
TILES, TILE = 30, 40  # tiles of a montage's side, pixels of a tile's
MLCP = "https://raw.githubusercontent.com/minh-doan/MLCP/4b4d93606e6b88654fc0a0697515d63102f60ee7"
MONTAGES = """
G1/Ch3_CP0008.tif 373d146c82ce923b953c64165c243bfee48562793cb8bfe170cfca96e3d05f26
G1/Ch4_CP0008.tif 1d3c32de96b4ebbbeeae98688f1025d81e29b248f30d3b1cc8147fa10b36f519
G1/Ch6_CP0008.tif 94054f1682116c6cbf4864b577f5dd8e6d3c35c9760e9623c2b2e7828b2f9e6b
S_phase/Ch3_CP0009.tif 0e9b52c6bbf4f9e6e90340112b9eacb56cac63f909cd8f4b97e91911a764d73f
S_phase/Ch4_CP0009.tif 8d8649e779e944f8d40c6e4a0d739952799a410b4242f5f47719d8b91f020178
S_phase/Ch6_CP0009.tif 66374337c59d451fca4f089fb95b4cd3d667c3adafd964c91ed442d9ad45ec42
G2/Ch3_CP0008.tif b4040fdbf5049c2fbd37058e5eddb5472257fc6c90045ec4f840c707a934ab22
G2/Ch4_CP0008.tif 5fb64b41126ae95028c64b5e0b4b12029fb842d55ddf5042338c2c32515c1be4
G2/Ch6_CP0008.tif 5519c06824fdaa6e0bed054ee4b93a7a53b4ccd0761ef6d7da1d60974f97a6f1
Prophase/Ch3_CP0001.tif 502b80326fa58cc11169b447fd633946493dd7c8368263bd67d6b1ecae1445cd
Prophase/Ch4_CP0001.tif 667bd7b1e0af933535d78ee3d908981489ae83ab47c214ee7ac813ecf1778a6e
Prophase/Ch6_CP0001.tif a7807c2727ce0d6b345ee5a402530e324129c810550274d576b29646dfe00e21
Metaphase/Ch3_CP0001.tif f3929672e88443e41053383a18aa87164f472a75c107e8c7309d81a148335aa6
Metaphase/Ch4_CP0001.tif df1f5d922c54ff593434f2ec518ca36b719686538368de23dc2fa505e3488ef4
Metaphase/Ch6_CP0001.tif 51acc1daff25785a16605aba9cf48048b714a12dd4e41aba8c461fd81457ee3a
Anaphase/Ch3_CP0001.tif 7787d8f0cd533398a18756f79a4f69cfb7b21e8ab6bfd814601b85503cf25a98
Anaphase/Ch4_CP0001.tif 6b53d036937ce353c4769f2867e8fbdb5a5dd08c323d2beb92c85468a2551a97
Anaphase/Ch6_CP0001.tif 231ee02a0b25b854380bc94a38a0d363e75aa54b8ced6cf8d3107c2bd374403e
Telophase/Ch3_CP0001.tif 48a09ef683702b48931b0a6c241b85da71ec833e4361c18865ef3ea4ee343787
Telophase/Ch4_CP0001.tif 97fc175c7cb2253a33bedcea6fdfc7d5fbf67272a0bb11b378e3e901c54e0bfc
Telophase/Ch6_CP0001.tif 1b25f04ddae9be6139803fe64261b02665d77cb8e1e9ab9b2d87bf2c80286e50
"""


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
    files = {
        name: (f"{MLCP}/images/Experiment_1/{name}", f"sha256:{digits}")
        for name, digits in map(str.split, MONTAGES.strip().splitlines())
    }

    def read_raw(self, root: Path, names: list[str], size: Size = 32) -> MultiModalData:
        """`size`: height and width, or one for both; with 40 pixels stay as they are."""
        folder = steps.find_folder(root, [*PHASES], f"{', '.join(PHASES)}. {self.advice()}")
        tiles = {name: _read_tiles(folder, CHANNELS[name]) for name in names}
        cells = _find_cells(folder, tiles[names[0]])
        places = [(list(PHASES)[cell // TILES**2], cell % TILES**2) for cell in cells]
        return self.build(
            {name: list(own[cells, None]) for name, own in tiles.items()},
            [f"{phase}/{tile:03d}" for phase, tile in places],
            size=size,
            labels=[self.classes.index(PHASES[phase]) for phase, _ in places],
            groups=np.array([f"{phase}/{tile // TILES:02d}" for phase, tile in places]),
        )


def _read_tiles(folder: Path, channel: str) -> np.ndarray:
    """The tiles of all montages of a channel, [7·900, 40, 40], those of a montage by column."""
    side, tiles = TILES * TILE, []
    for name in [name for name in MONTAGES.split() if channel in name]:
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
