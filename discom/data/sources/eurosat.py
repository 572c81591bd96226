"""EuroSAT: Sentinel-2 (multispectral) and Sentinel-1 (radar) patches of 64×64 pixels, ten land-use
classes.

Files `<Class>/<Class>_<n>.tif`, the same name in both sensors: MS uint16 [13, 64, 64],
top-of-atmosphere reflectance × 10 000, bands in the order B01 B02 … B12 B8A; SAR float32 [2, 64,
64], VV and VH backscatter in decibel. Sources: Helber et al. 2019 (MS), Wang et al. 2023 (SAR).
Uncertain: the name of the folder in EuroSAT-SAR.zip, so any is taken; whether a patch has pixels
without a measurement (NaN, infinity and a patch of one value are refused, single zeros not).
"""

import re
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from discom.data.images import read_pixels
from discom.data.lazy import Lazy
from discom.data.multimodal import Modality, MultiModalData
from discom.data.sources.download import RemoteFile
from discom.data.sources.source import Source
from discom.data.sources.steps import (
    check_modalities,
    find_folder,
    official_parts,
    pair,
    sorted_files,
)
from discom.errors import ConfigError, DataError

__all__ = ["CLASSES", "EUROSAT", "read_eurosat"]

# by name, in this order: other readers number the same classes otherwise
CLASSES = (
    "AnnualCrop", "Forest", "HerbaceousVegetation", "Highway", "Industrial", "Pasture", "PermanentCrop",
    "Residential", "River", "SeaLake",
)  # fmt: skip
PATCHES = 27_000
WIDTH = {"ms": 13, "sar": 2}  # bands of each sensor's files
BANDS = {
    "ms": list(range(13)),
    "sar": [0, 1],
    "rgb": [3, 2, 1],
    "other": [0, *range(4, 13)],
}  # rgb: B04 B03 B02
B10, B11 = 9, 10  # their places in a file: cirrus and short-wave infrared
UNITS = {"ms": "reflectance × 10 000", "sar": "dB"}
DECIBEL, EXTREME, SHARE = (
    (-60, 30),
    100,
    0.01,
)  # where backscatter lies, but for a share of very bright or dark pixels

TORCHGEO = "https://huggingface.co/datasets/torchgeo/eurosat/resolve/1ce6f1bfb56db63fd91b6ecc466ea67f2509774c"
WANG = "https://huggingface.co/datasets/wangyi111"
BENCH = "Copernicus-Bench/resolve/9d252acd3aa0e3da3128e05c6f028647f0e48e5f/l2_eurosat_s1s2"
LISTS = {"eurosat-train.txt": "908f142e73d6acdf3f482c5e80d851b1", "eurosat-val.txt": "95de90f2aa998f70a3b2416bfe0687b4",
         "eurosat-test.txt": "7ae5ab94471417b6e315763121e67c5f"}  # fmt: skip


def read_eurosat(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    orphans: str = "refuse",
    lists: bool = False,
) -> MultiModalData:
    """MS [N, 13, 64, 64] and SAR [N, 2, 64, 64], read from their files when asked for.

    Args:
        root: a folder that holds the ten class folders of each sensor, at any depth (archives nest
        them differently).
        modalities: of ms, sar, rgb (three bands of MS) and other (its other ten); ms and sar by
            default. Files of a sensor that is not asked for are not needed.
        orphans: "refuse" or "drop" patches that one sensor lacks.
        lists: take torchgeo's eurosat-{train,val,test}.txt, in one folder at or below `root`, as
            the official split (60/20/20). The authors gave none; without the lists it is drawn by
            seed, as in the paper.

    Raises:
        ConfigError: an unknown modality, or one named twice.
        DataError: class folders missing or there twice, orphans, or a file of another form.
    """
    names, root = list(modalities or WIDTH), Path(root)
    check_modalities(names, tuple(BANDS), "eurosat")
    if not isinstance(lists, bool):
        raise ConfigError(f"lists: {lists!r} is neither true nor false; choose one")
    sensor_of = {name: "sar" if name == "sar" else "ms" for name in names}
    held = _files(root, sorted(set(sensor_of.values())))
    stems, dropped = pair(held, str(root), orphans)
    labels = np.array([CLASSES.index(stem.partition("_")[0]) for stem in stems])

    if len(stems) != PATCHES:
        warnings.warn(f"{root}: {len(stems)} patches; the whole set has {PATCHES}", stacklevel=2)

    def modality(name: str) -> Modality:
        sensor, bands = sensor_of[name], BANDS[name]
        read, kind = (
            (_read_sar, np.float32)
            if sensor == "sar"
            else (partial(_read_ms, bands=bands), np.uint16)
        )
        x = Lazy([held[sensor][stem] for stem in stems], read, (len(bands), 64, 64), kind)
        x[0]  # an export of another form is refused before anything is written
        return Modality(x, labels, np.array(stems), UNITS[sensor])

    parts = None
    if lists:
        what = f"folder with {', '.join(LISTS)}; fetch them, or go without lists"
        parts = official_parts(
            find_folder(root, tuple(LISTS), what)[0], {name: name for name in LISTS}, stems
        )
    return MultiModalData(
        {name: modality(name) for name in names},
        CLASSES,
        name="-".join(["eurosat", *(names if names != list(WIDTH) else []), *(["official"] if lists else [])]),
        parts=parts,
        about={"source": EUROSAT.page, "licence": EUROSAT.licence, "dropped": dropped,
               "samples": f"{len(stems)} of {PATCHES}",
               "invalid values": "none known and none let through: NaN, infinity, and SAR that cannot be decibel"},
    )  # fmt: skip


def _files(root: Path, sensors: list[str]) -> dict[str, dict[str, Path]]:
    """Sensor → stem → file. Whose class folders are whose is told by the bands: their archives have
    many names."""
    what = f"folder with EuroSAT's ten class folders ({CLASSES[0]} … {CLASSES[-1]}); unpack the archives there"
    bands = {}
    for folder in find_folder(root, CLASSES, what):
        first = next(
            (file for name in CLASSES for file in sorted_files(folder / name, ".tif").values()),
            None,
        )
        if first is not None:  # else JPEG copies
            bands[first] = len(read_pixels(first))
    found = {}
    for sensor in sensors:
        fitting = [file.parents[1] for file, count in bands.items() if count == WIDTH[sensor]]
        if len(fitting) > 1:
            raise DataError(
                f"{fitting[1]}: holds {sensor}, as {fitting[0]} does; remove one of the two"
            )
        if not fitting:
            there = (
                ", ".join(f"{file} has {count}" for file, count in bands.items())
                or "there is no .tif"
            )
            way = " (or give --modalities rgb+other, which do without)" if sensor == "sar" else ""
            raise DataError(
                f"{root}: no ten class folders of {sensor}, {WIDTH[sensor]} bands ({there}); unpack that archive{way}"
            )
        found[sensor] = _class_files(fitting[0])
    return found


def _class_files(folder: Path) -> dict[str, Path]:
    found = {}
    for name in CLASSES:
        files = sorted_files(folder / name, ".tif")
        if not files:
            raise DataError(f"{folder / name}: no {name}_<n>.tif in it; unpack the archive again")
        if stray := [stem for stem in files if not re.fullmatch(rf"{name}_\d+", stem)]:
            raise DataError(
                f"{files[stray[0]]}: is no {name}_<n>.tif; move it to its class or remove it"
            )
        found |= files
    return found


def _read_ms(file: Path, bands: list[int]) -> np.ndarray:
    pixels = read_pixels(file)
    if pixels.shape != (13, 64, 64):
        raise DataError(
            f"{file}: has shape {pixels.shape}, EuroSAT's multispectral files have (13, 64, 64)"
        )
    if pixels.dtype != np.uint16:
        raise DataError(
            f"{file}: holds {pixels.dtype}, reflectance × 10 000 is uint16; take the original file"
        )
    _check_measured(pixels, file)
    if pixels[B10].mean() > 2 * pixels[B11].mean():
        # B10 is the darkest band of all, even over water; with B8A after B08 these two places hold
        # B09 and B10
        raise DataError(
            f"{file}: its bands are B01 … B8 B8A B09 …; in EuroSAT B8A comes last, take the original file"
        )
    return pixels[bands]


def _read_sar(file: Path) -> np.ndarray:
    pixels = read_pixels(file)
    if pixels.shape != (2, 64, 64):
        raise DataError(
            f"{file}: has shape {pixels.shape}, EuroSAT-SAR's files have (2, 64, 64): VV and VH"
        )
    pixels = pixels.astype(np.float32)
    _check_measured(pixels, file)
    if pixels.min() >= 0:
        raise DataError(
            f"{file}: no value is below 0, so this is linear backscatter; decibel are needed: 10 log10"
        )
    outside = (pixels < DECIBEL[0]) | (pixels > DECIBEL[1])
    if outside.mean() > SHARE or np.abs(pixels).max() > EXTREME:
        worst = pixels.flat[np.abs(pixels).argmax()]
        raise DataError(
            f"{file}: holds {worst:.1f} dB; backscatter lies in {DECIBEL[0]} … {DECIBEL[1]} dB: replace the file, or"
            ' remove it and take --options \'{"orphans": "drop"}\''
        )
    return pixels


def _check_measured(pixels: np.ndarray, file: Path) -> None:
    if (pixels == pixels.flat[0]).all():
        raise DataError(
            f"{file}: is {pixels.flat[0]:g} everywhere, nothing was measured; fetch the archive again"
        )


EUROSAT = Source(
    name="eurosat",
    what="Sentinel-2 and Sentinel-1 patches, 27 000 pairs, ten land-use classes",
    modalities={"ms": "13×64×64, reflectance × 10 000", "sar": "2×64×64, dB"},
    size="2.1 GB and 0.9 GB",
    licence="MIT, as the copies on Hugging Face say; Copernicus data",
    page="https://zenodo.org/records/7711810, https://huggingface.co/datasets/wangyi111/EuroSAT-SAR",
    read=read_eurosat,
    files=(
        RemoteFile("EuroSAT_MS.zip", ("https://zenodo.org/records/7711810/files/EuroSAT_MS.zip",),
                   2_065_402_329, "md5:091174add3c8e680a49244acf185b9f0",
                   instead=(RemoteFile("EuroSATallBands.zip", (f"{TORCHGEO}/EuroSATallBands.zip",), 2_067_725_275,
                            "sha256:751f070f9bffa2eed48b24ca2dd0b02959280c08837e8c9a5532a67ba611df59"),)),
        RemoteFile("EuroSAT-SAR.zip", (f"{WANG}/EuroSAT-SAR/resolve/main/EuroSAT-SAR.zip",),
                   922_267_666, "sha256:3ffad1e8bb3c2b0c2941ed60b978d78f43a77c9b3bddd6fe35c34ab655459c10",
                   instead=(RemoteFile("eurosat_s1.zip", (f"{WANG}/{BENCH}/eurosat_s1.zip",), None,
                            "md5:e7e7f8fc68fc55a7a689cb654912ff3f"),)),
        *(RemoteFile(name, (f"{TORCHGEO}/{name}",), None, f"md5:{md5}", needed=False) for name, md5 in LISTS.items()),
    ),
)  # fmt: skip
