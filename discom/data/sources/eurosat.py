"""EuroSAT: Sentinel-2 and Sentinel-1 patches of 64×64 pixels, ten land-use classes.

Files `<Class>/<Class>_<n>.tif`, the same name in both sensors: MS uint16 [13, 64, 64],
top-of-atmosphere reflectance × 10 000, bands B01 B02 … B12 B8A (B8A comes last); SAR float32
[2, 64, 64], VV and VH backscatter in decibel. Sources: Helber et al. 2019, Wang et al. 2023.
"""

import re
from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Source, steps
from discom.errors import DataError

# by name, in this order: other readers number the same classes otherwise
NAMES = "AnnualCrop Forest HerbaceousVegetation Highway Industrial Pasture PermanentCrop"
REFLECTANCE = "reflectance × 10 000"
ZENODO = "https://zenodo.org/records/7711810"
HUGGING_FACE = "https://huggingface.co/datasets/wangyi111/EuroSAT-SAR"
SAR_SUM = "sha256:3ffad1e8bb3c2b0c2941ed60b978d78f43a77c9b3bddd6fe35c34ab655459c10"


def _read_ms(file: Path) -> np.ndarray:
    pixels = steps.read_form(file, REFLECTANCE, np.uint16, (13, 64, 64))
    if pixels[9].mean() > 2 * pixels[10].mean():  # B10 is the darkest; with B8A before, it is B09
        raise DataError(file, "B8A is not its last band, as in EuroSAT", "take the original file")
    return pixels


def _read_sar(file: Path) -> np.ndarray:
    pixels = steps.read_form(file, "SAR", np.float32, (2, 64, 64))
    if not -60 < np.median(pixels) < 0:
        raise DataError(file, "is not backscatter in decibel (10 log10)", "take the original file")
    return pixels


class EuroSAT(Source):
    """MS and SAR; the authors gave no split, so it is drawn by seed."""

    name = "eurosat"
    what = "Sentinel-2 and Sentinel-1 patches, 27 000 pairs, ten land-use classes"
    classes = (*NAMES.split(), "Residential", "River", "SeaLake")
    sensors = {
        "ms": Sensor("13×64×64", REFLECTANCE, _read_ms),
        "sar": Sensor("2×64×64", "dB", _read_sar),
    }
    symmetry = "all"
    size = "2.1 GB and 0.9 GB"
    licence = "MIT, as the copies on Hugging Face say; Copernicus data"
    page = f"{ZENODO}, {HUGGING_FACE}"
    files = {
        "EuroSAT_MS.zip": (
            f"{ZENODO}/files/EuroSAT_MS.zip",
            "md5:091174add3c8e680a49244acf185b9f0",
        ),
        "EuroSAT-SAR.zip": (f"{HUGGING_FACE}/resolve/main/EuroSAT-SAR.zip", SAR_SUM),
    }

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        """Patches of the same name are a pair."""
        patches = self._find_patches(root)
        stems = steps.pair({name: patches[name] for name in names}, root)
        labels = [self.classes.index(stem.partition("_")[0]) for stem in stems]
        images = {name: [patches[name][stem] for stem in stems] for name in names}
        return self.build(images, stems, labels=labels)

    def _find_patches(self, root: Path) -> dict[str, dict[str, Path]]:
        """Sensor → stem → file; those of SAR lie in a folder that is called so, EuroSAT-SAR."""
        patches: dict[str, dict[str, Path]] = {"ms": {}, "sar": {}}
        for file in steps.find(root, "*/*.tif"):
            kind = file.parent.name
            if kind in self.classes and re.fullmatch(rf"{kind}_\d+", file.stem):
                sensor = "sar" if "sar" in str(file.relative_to(root)).lower() else "ms"
                if file.stem in patches[sensor]:
                    raise DataError(file, f"a second copy of {file.stem} of {sensor}", "remove one")
                patches[sensor][file.stem] = file
        return patches
