"""Land seen by satellites: patches of EuroSAT (eurosat) and of HLS tiles (hls)."""

import re
from itertools import product
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
MS_SUM = "md5:091174add3c8e680a49244acf185b9f0"
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
    """Patches of Sentinel-2 and Sentinel-1. The authors gave no split, so it is drawn by seed.

    Files `<Class>/<Class>_<n>.tif`, the same name in both sensors: MS, bands B01 B02 … B12 B8A (B8A
    comes last); SAR, VV and VH backscatter. Sources: Helber et al. 2019, Wang et al. 2023.
    """

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
        "EuroSAT_MS.zip": (f"{ZENODO}/files/EuroSAT_MS.zip", MS_SUM),
        "EuroSAT-SAR.zip": (f"{HUGGING_FACE}/resolve/main/EuroSAT-SAR.zip", SAR_SUM),
    }

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        """Patches of the same name are a pair."""
        patches: dict[str, dict[str, Path]] = {"ms": {}, "sar": {}}
        for file in steps.find(root, "*/*.tif"):
            kind = file.parent.name
            if kind in self.classes and re.fullmatch(rf"{kind}_\d+", file.stem):
                # those of SAR lie in a folder that is called so, EuroSAT-SAR
                own = patches["sar" if "sar" in str(file.relative_to(root)).lower() else "ms"]
                if (other := own.setdefault(file.stem, file)) != file:
                    raise DataError(file, f"a second copy of {other}", "remove one")
        stems = steps.pair({name: patches[name] for name in names}, root)
        labels = [self.classes.index(stem.partition("_")[0]) for stem in stems]
        images = {name: [patches[name][stem] for stem in stems] for name in names}
        return self.build(images, stems, labels=labels)


COVERS = {10: "tree", 30: "grass", 40: "crop", 80: "water"}  # the other codes are too rare
TILE, SIDE = 128, 32  # pixels of a tile's side, and of a patch's
SHARE = 0.6  # of a patch's pixels, at least, are of its class


class HLS(Source):
    """Land cover from optical bands and relief: patches, of 60 % or more one class, of tiles whose
    files `by_hand` describes.

    Tiles overlap and repeat, so a `location_group` of `index.csv` is a group. Elevation z in metres
    is taken to asinh((z - m) / 5 m), m the mean of its tile. WorldCover is a classifier's map, and
    not of the image's date.
    """

    name = "hls"
    what = "land cover of 306 tiles cut into 3 064 patches, four classes, 62 groups of places"
    classes = tuple(COVERS.values())
    sensors = {
        "rgb": Sensor("3×32×32", REFLECTANCE),
        "infrared": Sensor("3×32×32", REFLECTANCE),
        "elevation": Sensor("1×32×32", "asinh(Δz / 5 m)"),
    }
    symmetry = "all"
    size = "60 MB"
    licence = "NASA HLS (free and open), Copernicus DEM (attribution), ESA WorldCover (CC BY 4.0)"
    page = "https://github.com/shahed137003/Water-Segmentation-project (commit 3db152b, MIT)"
    by_hand = (
        "Give a folder with index.csv (columns tile, location_group) and tiles/NNN.tif (int16:"
        " blue, green, red, NIR, SWIR1, SWIR2, elevation, WorldCover code)"
    )

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        """Patches in the order of tiles, from top left to bottom right."""
        groups = steps.read_table(root / "index.csv", ["tile", "location_group"])["location_group"]
        tile_names, form = groups.index.str.zfill(3), ("a tile", np.int16, (8, TILE, TILE))
        files = [root / "tiles" / f"{tile}.tif" for tile in tile_names]
        tiles = np.stack([steps.read_form(file, *form) for file in files])
        if (wrong := np.any((tiles[:, 7] < 0) | (tiles[:, 7] > 100), axis=(1, 2))).any():
            raise DataError(
                files[wrong.argmax()], "holds a code above 100, or below 0", self.by_hand
            )
        metres = tiles[:, 6:7]
        relief = np.arcsinh((metres - metres.mean((2, 3), keepdims=True)) / 5)  # of the whole tile
        bands = {"rgb": tiles[:, [2, 1, 0]], "infrared": tiles[:, [3, 4, 5]]}
        bands["elevation"] = relief.astype(np.float32)  # in float32 arcsinh differs by processor
        codes = steps.cut(tiles[:, 7:], SIDE)
        pixels = np.stack([(codes == code).sum(axis=(1, 2, 3)) for code in COVERS], axis=1)
        rows = np.flatnonzero(pixels.max(axis=1) >= SHARE * SIDE**2)
        lack = f"{len(pixels)} patches have no class on {SHARE:.0%} of their pixels"
        steps.warn_left_out(root, len(pixels) - len(rows), lack)
        starts = range(0, TILE, SIDE)
        places = product(tile_names, starts, starts)
        ids = np.array([f"{tile}-{top:03d}-{left:03d}" for tile, top, left in places])
        images = {name: steps.cut(bands[name], SIDE)[rows] for name in names}
        labels, groups = pixels.argmax(axis=1), groups.to_numpy().repeat(len(ids) // len(tiles))
        return self.build(images, ids[rows], labels=labels[rows], groups=groups[rows])
