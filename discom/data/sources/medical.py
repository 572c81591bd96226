"""Images of medicine: cells of a flow cytometer (cellcycle) and brain MRI (lgg)."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
from pydantic import PositiveInt

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Size, Source, steps
from discom.errors import DataError

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
FIRST = "TCGA_CS_4941_19960909"  # of lgg's patients
BANDS = {"t1": 0, "flair": 1, "t1c": 2}  # of a slice of lgg
SIDE = 256  # pixels of a slice
WAY_OUT = "take the original file"


class CellCycle(Source):
    """Jurkat cells by imaging flow cytometry. Phases of mitosis are one class, M; a column of a
    montage is a group.

    Montages `<phase>/Ch<n>_<number>.tif`: 30×30 tiles of 40×40 pixels, a cell each, column after
    column; channel 3 is brightfield, 4 the DNA stain, 6 darkfield (side scatter). A montage that is
    not full ends in filler tiles, whose rows of pixels are all the same. Three cells stand twice;
    their second image, which differs at most in its first column of pixels, is left out with a
    warning. Sources: Blasi et al. 2016, Hennig et al. 2017.

    Uncertain: the sample and the time of a cell (data/README.md).
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
        ids = [f"{phase}/{tile:03d}" for phase, tile in places]
        groups = np.array([f"{phase}/{tile // TILES:02d}" for phase, tile in places])
        labels = [self.classes.index(PHASES[phase][0]) for phase, _ in places]
        images = {name: list(channel[cells, None]) for name, channel in tiles.items()}
        return self.build(images, ids, size=size, labels=labels, groups=groups)


def _read_tiles(folder: Path, channel: str) -> np.ndarray:
    """The tiles of all montages of a channel, [7·900, 40, 40], those of a montage by column."""
    form = "a montage", np.uint16, (1, TILES * TILE, TILES * TILE)
    files = [folder / name for name in MONTAGES if channel in name]
    montages = np.stack([steps.read_form(file, *form) for file in files])
    return steps.cut(montages.swapaxes(2, 3), TILE)[:, 0].swapaxes(1, 2)


def _find_cells(folder: Path, tiles: np.ndarray) -> np.ndarray:
    """Tiles that hold a cell, each cell once."""
    cells = np.flatnonzero((tiles != tiles[:, :1]).any(axis=(1, 2)))
    inner = tiles[cells, :, 1:].reshape(len(cells), -1)
    _, first = np.unique(inner, axis=0, return_index=True)
    steps.warn_left_out(folder, len(cells) - len(first), f"{len(cells)} cells stand there twice")
    return cells[np.sort(first)]


class LGG(Source):
    """Brain MRI of patients with a low-grade glioma: T1, FLAIR, T1 with a contrast agent, and masks
    of the tumour, a quarter as high and wide. Groups are patients, numbered by name; ids number the
    slices by patient and place.

    `kaggle_3m/<patient>/<patient>_<slice>.tif`, the three bands, and `…_mask.tif`, 0 or 255. Where
    a sequence was not taken its band is a copy of FLAIR; such patients are left out with a warning.
    Source: Buda et al. 2019.

    Uncertain: the licence. Four slices were read here as files, the others as arrays.
    """

    name = "lgg"
    what = "brain MRI, 3 473 slices of 100 patients in three sequences, tumour or not per pixel"
    classes = ("other", "tumour")
    sensors = dict.fromkeys(BANDS, Sensor("1×64×64", "grey levels"))
    size = "0.9 GB"
    licence = (
        "CC BY-NC-SA 4.0 (masks) and CC BY 3.0 (images), uncertain: see the page; cite Buda et al."
        " 2019"
    )
    page = "https://www.kaggle.com/datasets/mateuszbuda/lgg-mri-segmentation"
    by_hand = f"Unpack the archive; --root is a folder with one kaggle_3m, which holds {FIRST}"

    def read_raw(self, root: Path, names: list[str], every: PositiveInt = 1) -> MultiModalData:
        """`every`: keep each patient's first slice and every so many-th after it."""
        folder = self.find_folder(root, [FIRST])
        patients, complete = sorted(folder.glob("TCGA_*")), []
        for number, patient in enumerate(patients):
            slices = [read_slice(*files) for files in find_slices(patient)[::every]]
            t1, flair, t1c = np.stack([image for image, _ in slices], axis=1)
            if not ((t1 == flair).all() or (t1c == flair).all()):
                complete.append([(*pair, number) for pair in slices])
        steps.warn_left_out(folder, len(patients) - len(complete), "the patients lack a sequence")
        pixels, masks, groups = map(np.array, zip(*chain(*complete), strict=True))
        images = {name: pixels[:, BANDS[name], None] for name in names}
        return self.build({**images, "masks": masks}, np.arange(len(pixels)), groups=groups)


def find_slices(patient: Path) -> list[tuple[Path, Path]]:
    """Image and mask of each slice of a patient, from the first to the last place."""
    files: dict[str, dict[str, Path]] = {"images": {}, "masks": {}}
    for stem, file in steps.sorted_files(patient, ".tif").items():
        place = stem.removeprefix(f"{patient.name}_").removesuffix("_mask")
        if not place.isdecimal():
            raise DataError(file, "its name is not that of a slice of this patient", WAY_OUT)
        files["masks" if stem.endswith("_mask") else "images"][place.zfill(3)] = file
    return [(files["images"][at], files["masks"][at]) for at in steps.pair(files, patient)]


def read_slice(image: Path, mask: Path) -> tuple[np.ndarray, np.ndarray]:
    """Three bands [3, 64, 64] and the mask [64, 64], 0 or 1, uint8 both."""
    bands = steps.read_form(image, "a slice", np.uint8, (len(BANDS), SIDE, SIDE))
    drawn = steps.read_form(mask, "a mask", np.uint8, (1, SIDE, SIDE))[0]
    if not np.isin(drawn, (0, 255)).all():
        raise DataError(mask, "holds other values than 0 and 255", WAY_OUT)
    return shrink(bands, np.round), shrink(drawn > 0, lambda share: share >= 0.5)


def shrink(pixels: np.ndarray, rule: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """[..., H, W] at a quarter of height and width: twice the mean of 2×2 pixels, by the rule."""
    for _ in range(2):
        height, width = (side // 2 for side in pixels.shape[-2:])
        blocks = pixels.reshape(*pixels.shape[:-2], height, 2, width, 2)
        pixels = rule(blocks.mean(axis=(-3, -1)))
    return pixels.astype(np.uint8)
