"""Folders of arrays as the public code of DisCoM-KD writes and reads them, without a manifest."""

import warnings
from pathlib import Path

import numpy as np

from discom.data.checks import PARTS
from discom.data.multimodal import Modality, MultiModalData
from discom.errors import DataError
from discom.files import as_data_error

PLAIN, SCALED = "_data.npy", "_data_normalized.npy"  # how files of images end
AGAIN = "copy it again"


def is_released(folder: Path) -> bool:
    """Whether the folder has their files."""
    images = [*folder.glob(f"*{PLAIN}"), *folder.glob(f"*{SCALED}")]
    return bool(images) and (folder / "labels.npy").is_file()


def read_released(folder: Path | str) -> MultiModalData:
    """Read a folder as their code leaves it; row n of every array is sample n, images stay on disk.

    `<MOD>_data.npy` are images [N, H, W, C] in the sensor's unit, else `<MOD>_data_normalized.npy`,
    [N, C, H, W] scaled to [0, 1], which `preproc2.py` makes of them by bounds of all images, those
    of the test part included, of which there is a warning. The bands are the smaller one of axes 1
    and 3. `labels.npy` [N] are numbers; each that occurs is a class. `train_idx.npy`,
    `valid_idx.npy` and `test_idx.npy`, rows of the parts, are the split where they are there; of
    numbered ones (`train_idx_0.npy` …, from `createSplits.py`) the first is, with a warning.
    Augmentation flips and turns all sensors, as theirs does.

    A DataError for arrays that are missing, damaged or do not fit together.

    Source: github.com/tanodino/CMKD_Disentangle, commit b63bd5c.
    """
    folder = Path(folder)
    numbers = _load(folder / "labels.npy")
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        found = f"holds {numbers.dtype} {list(numbers.shape)}"
        raise DataError(folder / "labels.npy", found, "give a number for each sample, [N]")
    kinds, labels = np.unique(numbers, return_inverse=True)
    files = {file.name.removesuffix(SCALED): file for file in sorted(folder.glob(f"*{SCALED}"))}
    files |= {file.name.removesuffix(PLAIN): file for file in sorted(folder.glob(f"*{PLAIN}"))}
    ids, sensors = np.arange(len(labels)), dict[str, Modality]()
    for name, file in sorted(files.items()):
        images = _load(file)
        if images.ndim != 4:
            found = f"holds {list(images.shape)}"
            raise DataError(file, found, "images are [N, H, W, C] or [N, C, H, W]")
        if images.shape[3] < images.shape[1]:
            images = np.moveaxis(images, 3, 1)
        sensors[name.lower()] = Modality(images, labels, ids, symmetry="all")
    if scaled := [file.name for file in files.values() if file.name.endswith(SCALED)]:
        found = "scaled by bounds of all images, those of the test part included"
        warnings.warn(f"{folder}: {', '.join(scaled)}: {found}", stacklevel=2)
    classes = tuple(f"{kind:g}" for kind in kinds)
    name, parts = folder.resolve().name, _read_parts(folder)
    return MultiModalData(sensors, classes, name=name, parts=parts)


def _read_parts(folder: Path) -> dict[str, np.ndarray] | None:
    """Rows of the three parts; None where there is no split."""
    ending = "_idx.npy"
    if not (folder / f"train{ending}").is_file():
        numbered = len([*folder.glob("train_idx_*.npy")])
        if not numbered:
            return None
        ending = "_idx_0.npy"
        warnings.warn(f"{folder}: of {numbered} splits number 0 is taken", stacklevel=3)
    return {part: _load(folder / f"{part}{ending}") for part in PARTS}


def _load(file: Path) -> np.ndarray:
    with as_data_error(file, "a NumPy array", AGAIN):
        array = np.load(file, "r")
        return array if array.ndim > 1 else np.array(array, ndmin=1)
