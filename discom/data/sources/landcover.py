"""Land seen by satellites: patches of EuroSAT (eurosat) and of HLS tiles (hls)."""

import re
from itertools import product
from pathlib import Path

import numpy as np

from discom.data.checks import PARTS
from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Source, steps
from discom.errors import DataError
from discom.files import as_data_error

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


def read_longitude(file: Path) -> float:
    """Degrees east of the middle of a GeoTIFF in a zone of UTM on WGS 84; a DataError where its
    tags do not say where it lies."""
    import tifffile

    with as_data_error(file, "a GeoTIFF in UTM", "take EuroSAT's original file"):
        with tifffile.TiffFile(file) as tiff:
            tags, (height, width) = tiff.geotiff_metadata or {}, tiff.pages.first.shape[:2]
        code = int(tags["ProjectedCSTypeGeoKey"])  # EPSG 326zz in the north, 327zz in the south
        if code // 100 not in (326, 327):
            raise ValueError(f"its system is EPSG {code}, which is no zone of UTM")
        column, row, _, east, north, _ = tags["ModelTiepoint"]
        right, down, _ = tags["ModelPixelScale"]  # metres a pixel
        east, north = east + (width / 2 - column) * right, north - (height / 2 - row) * down
        return utm_longitude(code % 100, east, north - 1e7 * (code // 100 == 327))


def utm_longitude(zone: int, east: float, north: float) -> float:
    """Degrees east of a place in metres of a zone of UTM on WGS 84, `north` negative south of the
    equator. Source: L. Krüger 1912, his series to the third power of the flattening n.

    >>> round(utm_longitude(17, 630084, 4833438), 4)  # a tower in Toronto
    -79.3871
    """
    n, radius = 1 / (2 * 298.257223563 - 1), 0.9996 * 6367449.145823
    xi, eta = north / radius, (east - 500_000) / radius
    beta = n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96, n**2 / 48 + n**3 / 15, 17 * n**3 / 480
    k = 2 * np.arange(1, 4)
    meridian = xi - np.sum(beta * np.sin(k * xi) * np.cosh(k * eta))
    across = eta - np.sum(beta * np.cos(k * xi) * np.sinh(k * eta))
    return float(6 * zone - 183 + np.degrees(np.arctan2(np.sinh(across), np.cos(meridian))))


class EuroSAT(Source):
    """Patches of Sentinel-2 and Sentinel-1. The authors gave no split, so it is drawn by seed, or
    with `place=true` made by longitude: the western 60 % of the patches train, the next 20 %
    validate, and the eastern 20 % test, so that a patch and its neighbours are in one part.

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

    def read_raw(self, root: Path, names: list[str], place: bool = False) -> MultiModalData:
        """Patches of the same name are a pair; those of MS carry their place."""
        patches: dict[str, dict[str, Path]] = {"ms": {}, "sar": {}}
        for file in steps.find(root, "*/*.tif"):
            kind = file.parent.name
            if kind in self.classes and re.fullmatch(rf"{kind}_\d+", file.stem):
                # those of SAR lie in a folder that is called so, EuroSAT-SAR
                file_of = patches["sar" if "sar" in str(file.relative_to(root)).lower() else "ms"]
                if (other := file_of.setdefault(file.stem, file)) != file:
                    raise DataError(file, f"a second copy of {other}", "remove one")
        stems = steps.pair({name: patches[name] for name in names}, root)
        labels = [self.classes.index(stem.partition("_")[0]) for stem in stems]
        images = {name: [patches[name][stem] for stem in stems] for name in names}
        if not place:
            return self.build(images, stems, labels=labels)
        if lacking := [stem for stem in stems if stem not in patches["ms"]]:
            found = f"{lacking[0]} has no patch of MS, whose files carry their place"
            raise DataError(root, found, "unpack EuroSAT_MS.zip there")
        order = np.argsort([read_longitude(patches["ms"][stem]) for stem in stems], kind="stable")
        ends = np.round(np.array([0.6, 0.8]) * len(order)).astype(int)
        parts = dict(zip(PARTS, map(np.sort, np.split(order, ends)), strict=True))
        data = self.build(images, stems, labels=labels, parts=parts)
        return data.changed(name=f"{data.name}-place")  # the paper's figures are of another split


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
