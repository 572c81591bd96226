"""EuroSAT: Sentinel-2 and Sentinel-1 patches of 64×64 pixels, ten land-use classes.

Files `<Class>/<Class>_<n>.tif`, the same name in both sensors: MS uint16 [13, 64, 64],
top-of-atmosphere reflectance × 10 000, bands B01 B02 … B12 B8A (B8A comes last); SAR float32
[2, 64, 64], VV and VH backscatter in decibel. Sources: Helber et al. 2019, Wang et al. 2023.
"""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from discom.data.images import read_pixels
from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import RemoteFile, Source
from discom.errors import DataError

# by name, in this order: other readers number the same classes otherwise
NAMES = "AnnualCrop Forest HerbaceousVegetation Highway Industrial Pasture PermanentCrop"
CLASSES = (*NAMES.split(), "Residential", "River", "SeaLake")
REFLECTANCE = "reflectance × 10 000"
BANDS = {"ms": [*range(13)], "rgb": [3, 2, 1], "other": [0, *range(4, 13)]}  # all of MS
COUNTS = {"ms": 13, "sar": 2}
ZENODO = "https://zenodo.org/records/7711810"
HUGGING_FACE = "https://huggingface.co/datasets/wangyi111/EuroSAT-SAR"
MS_SUM = "md5:091174add3c8e680a49244acf185b9f0"
SAR_SUM = "sha256:3ffad1e8bb3c2b0c2941ed60b978d78f43a77c9b3bddd6fe35c34ab655459c10"


def read_eurosat(root: Path | str, modalities: Sequence[str] | None = None) -> MultiModalData:
    """MS [N, 13, 64, 64] and SAR [N, 2, 64, 64]; the authors gave no split, so it is drawn by seed.

    Args:
        modalities: of ms, sar, rgb (three bands of MS) and other (its other ten); ms and sar by
            default. Files of a sensor that is not asked for are not needed.
    """
    names, root = steps.choose(EUROSAT, modalities, "rgb", "other"), Path(root)
    sensor_of = {name: "sar" if name == "sar" else "ms" for name in names}
    files = {sensor: _class_files(root, sensor) for sensor in sorted(set(sensor_of.values()))}
    stems = steps.pair(files, root)
    labels = [CLASSES.index(stem.partition("_")[0]) for stem in stems]
    forms = {name: steps.Form(partial(_read_ms, b), REFLECTANCE) for name, b in BANDS.items()}
    forms["sar"] = steps.Form(_read_sar, "dB")
    items = {name: [files[sensor][stem] for stem in stems] for name, sensor in sensor_of.items()}
    return steps.build(EUROSAT, items, forms, stems, CLASSES, labels=labels)


def _class_files(root: Path, sensor: str) -> dict[str, Path]:
    """Stem → file. The number of bands tells the sensor, since the archives have many names."""

    def fits(folder: Path) -> bool:
        images = list(steps.sorted_files(folder / CLASSES[0], ".tif").values())
        return bool(images) and len(read_pixels(images[0])) == COUNTS[sensor]

    classes = f"class folders {CLASSES[0]} … {CLASSES[-1]} of {sensor}, {COUNTS[sensor]} bands"
    folder = steps.find_folder(root, CLASSES, f"{classes}; unpack its archive", fits)
    files: dict[str, Path] = {}
    for name in CLASSES:
        patches = steps.sorted_files(folder / name, ".tif")
        if not patches or not all(re.fullmatch(rf"{name}_\d+", stem) for stem in patches):
            raise DataError(folder / name, f"holds more than {name}_<n>.tif", "unpack it again")
        files |= patches
    return files


def _read_ms(bands: list[int], file: Path) -> np.ndarray:
    pixels = steps.read_form(file, REFLECTANCE, np.uint16, (13, 64, 64))
    if pixels[9].mean() > 2 * pixels[10].mean():  # B10 is the darkest; with B8A before, it is B09
        raise DataError(file, "B8A is not its last band, as in EuroSAT", "take the original file")
    return pixels[bands]


def _read_sar(file: Path) -> np.ndarray:
    pixels = steps.read_form(file, "SAR", np.float32, (2, 64, 64))
    low, high, usual = pixels.min(), pixels.max(), np.mean((pixels > -60) & (pixels < 30))
    if low >= 0 or usual < 0.99 or max(-low, high) > 100:
        span = f"holds {low:g} … {high:g}, SAR is VV and VH in decibel (10 log10), -60 … 30"
        raise DataError(file, span, "replace or remove the file")
    return pixels


EUROSAT = Source(
    name="eurosat",
    what="Sentinel-2 and Sentinel-1 patches, 27 000 pairs, ten land-use classes",
    modalities={"ms": f"13×64×64, {REFLECTANCE}", "sar": "2×64×64, dB"},
    size="2.1 GB and 0.9 GB",
    licence="MIT, as the copies on Hugging Face say; Copernicus data",
    page=f"{ZENODO}, {HUGGING_FACE}",
    read=read_eurosat,
    files=(
        RemoteFile("EuroSAT_MS.zip", f"{ZENODO}/files/EuroSAT_MS.zip", MS_SUM),
        RemoteFile("EuroSAT-SAR.zip", f"{HUGGING_FACE}/resolve/main/EuroSAT-SAR.zip", SAR_SUM),
    ),
)
