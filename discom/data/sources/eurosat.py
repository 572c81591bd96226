"""EuroSAT (Helber et al. 2019): Sentinel-2 patches of 64×64 pixels, 13 bands, ten land-use classes.

Files `<Class>/<Class>_<n>.tif`, uint16, top-of-atmosphere reflectance × 10 000, bands in the order
B01 B02 B03 B04 B05 B06 B07 B08 B09 B10 B11 B12 B8A. Licence MIT; data from the Copernicus programme.
"""

from pathlib import Path

import numpy as np

from discom.data.folders import read_image
from discom.data.multimodal import Modality, MultiModalData
from discom.errors import DataError

__all__ = ["CLASSES", "read_eurosat"]

CLASSES = (
    "AnnualCrop", "Forest", "HerbaceousVegetation", "Highway", "Industrial", "Pasture", "PermanentCrop",
    "Residential", "River", "SeaLake",
)  # fmt: skip
RGB = [3, 2, 1]  # B04, B03, B02
OTHER = [band for band in range(13) if band not in RGB]


def read_eurosat(root: Path | str) -> MultiModalData:
    """RGB [N, 3, 64, 64] against the other ten bands [N, 10, 64, 64], reflectance × 10 000.

    Args:
        root: a folder that holds the ten class folders, at any depth (archives nest them differently).

    Raises:
        DataError: class folders missing, or a file with another number of bands.
    """
    folder = _class_parent(Path(root))
    files = [
        (label, file) for label, name in enumerate(CLASSES) for file in sorted(folder.glob(f"{name}/{name}_*.tif"))
    ]
    for name in CLASSES:
        if not any(file.parent.name == name for _, file in files):
            raise DataError(f"{folder / name}: no {name}_<n>.tif in it; unpack the archive again")
    images = np.empty((len(files), 13, 64, 64), np.float32)
    for row, (_, file) in enumerate(files):
        pixels = read_image(file)
        if pixels.shape != (13, 64, 64):
            raise DataError(f"{file}: has shape {pixels.shape}, EuroSAT's multispectral files have (13, 64, 64)")
        images[row] = pixels
    labels = np.array([label for label, _ in files])
    ids = np.array([file.stem for _, file in files])
    modalities = {"rgb": Modality(images[:, RGB], labels, ids), "other": Modality(images[:, OTHER], labels, ids)}
    return MultiModalData(modalities, CLASSES, name="eurosat")


def _class_parent(root: Path) -> Path:
    for marker in [root / CLASSES[0], *sorted(root.rglob(CLASSES[0]))]:
        if all((marker.parent / name).is_dir() for name in CLASSES):
            return marker.parent
    raise DataError(f"{root}: holds no folder with EuroSAT's ten class folders ({CLASSES[0]} … {CLASSES[-1]})")
