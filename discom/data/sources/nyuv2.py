"""NYU Depth v2, the labelled set: 1 449 indoor images of a Kinect, colour and depth, with a class
for every pixel.

`nyu_depth_v2_labeled.mat` is MATLAB v7.3, so HDF5, and h5py shows MATLAB's axes reversed: `images`
uint8 [N, 3, W, H]; `depths` (holes filled) and `rawDepths` (0 = missing), float32 metres, and
`labels`, uint16, 0 = none, 1 … 894, all [N, W, H]; `scenes`, references to text. `splits.mat` lists
the official training and test images, counted from 1; `classMapping40.mat` takes the 894 labels to
40 classes, `class13Mapping.mat` the 40 to 13. Sources: Silberman et al. 2012; Gupta et al. 2013 (40
classes). Uncertain: the range of depth (some 0.7 … 10 m), and the usual crop of the border.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

import h5py
import numpy as np

from discom.data.lazy import Lazy
from discom.data.multimodal import Modality, MultiModalData
from discom.data.sources.download import RemoteFile
from discom.data.sources.nyuv2_tables import CLASSES, LABELS, PLACES, class_table, read_split
from discom.data.sources.source import Source
from discom.data.sources.steps import carve, check_modalities, dominant_classes, walk
from discom.errors import ConfigError, DataError, first_line

__all__ = ["CLASSES", "NYUV2", "read_nyuv2"]

FILE = "nyu_depth_v2_labeled.mat"
DEPTHS = {"filled": "depths", "raw": "rawDepths"}
FARTHEST = 20.0  # metres, about twice what a Kinect sees
KINDS = {
    "images": ("uint8", "colours of 8 bit"),
    "depths": ("float32", "metres"),
    "rawDepths": ("float32", "metres"),
    "labels": ("uint16", f"8 bits cannot hold {LABELS} labels"),
}


def read_nyuv2(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    classes: int = 40,
    depth: str = "filled",
) -> MultiModalData:
    """Colour [N, 3, 480, 640] and depth [N, 1, 480, 640], read from the .mat file when asked for.

    The ids are the data's own numbers, "0001" … "1449". A validation part is carved from the
    training part by scene.

    Args:
        root: a folder with nyu_depth_v2_labeled.mat, splits.mat and classMapping40.mat side by
        side, at any depth.
        modalities: of rgb and depth; both by default.
        classes: 40, or 13 with class13Mapping.mat.
        depth: "filled", holes filled by the authors, or "raw", as the Kinect gave it (0 = missing).

    Raises:
        DataError: a file is missing, damaged, or of another form.
    """
    names = list(modalities or ("rgb", "depth"))
    check_modalities(names, ("rgb", "depth"), "nyuv2")
    for option, value, known in [
        ("classes", classes, tuple(CLASSES)),
        ("depth", depth, tuple(DEPTHS)),
    ]:
        if value not in known:
            raise ConfigError(
                f"{option}: nyuv2 has no {value!r}; choose {' or '.join(map(str, known))}"
            )
    found = [place for place, _, files in walk(Path(root)) if FILE in files]
    root = found[0] if found else Path(root)
    file = root / FILE
    _handle.cache_clear()  # the file may have been replaced since
    with _reading(file, "the list of arrays or of scenes"):
        count, height, width = _check_layout(
            file, ["labels", *([DEPTHS[depth]] if "depth" in names else [])]
        )
        scenes = _read_scenes(file, count)
    official = read_split(root / "splits.mat", count)
    read_mask = partial(_read_mask, table=class_table(root, classes))
    items = [(file, number) for number in range(1, count + 1)]
    found = dominant_classes(
        Lazy(items, read_mask, (height, width), np.uint8), len(CLASSES[classes]), str(file)
    )
    rows = np.flatnonzero(found >= 0)
    if not len(rows):
        raise DataError(f"{file}: no image has a label; take the original file")
    if without := [f"{row + 1:04d}" for row in np.flatnonzero(found < 0)]:
        warnings.warn(
            f"{file}: images without any label: {len(without)} ({', '.join(without[:3])}); left out",
            stacklevel=2,
        )
    items, y, groups = [items[row] for row in rows], found[rows], scenes[rows]
    ids = np.array([f"{number:04d}" for _, number in items])
    colours = Lazy(items, _read_rgb, (3, height, width), np.uint8)
    metres = Lazy(items, partial(_read_depth, key=DEPTHS[depth]), (1, height, width), np.float32)
    views = {"rgb": Modality(colours, y, ids), "depth": Modality(metres, y, ids, "m", invalid=0.0)}
    variants = [*(names if names != ["rgb", "depth"] else []), *(["raw"] if depth == "raw" else []),
                *(["13"] if classes == 13 else [])]  # fmt: skip
    return MultiModalData(
        {name: views[name] for name in names},
        CLASSES[classes],
        dense=True,
        masks=Lazy(items, read_mask, (height, width), np.uint8),
        groups=groups,
        name="-".join(["nyuv2", *variants, "official"]),
        parts=_parts(official, rows, groups, file),
        about={"source": NYUV2.page, "licence": NYUV2.licence, "dropped": {"no label": len(without)},
               "invalid values": "depth 0 is missing; an image without any depth, or outside 0 … 20 m, is refused",
               "masks": "class per pixel, 255 = no label",
               "labels": f"894 labels taken to {classes} classes", "depth": f"{depth} ({DEPTHS[depth]})",
               "border": "a white border surrounds the picture and is kept; a crop to rows 45-470 and columns 41-600"
               " is common, but these figures are uncertain"},
    )  # fmt: skip


def _parts(
    official: list[np.ndarray], rows: np.ndarray, groups: np.ndarray, file: Path
) -> dict[str, np.ndarray]:
    train, test = (np.flatnonzero(np.isin(rows + 1, numbers)) for numbers in official)
    if len(shared := np.intersect1d(groups[train], groups[test])):
        warnings.warn(
            f"{file}: scenes in both official parts, training and test: {len(shared)} ({', '.join(shared[:3])});"
            " kept as published",
            stacklevel=3,
        )
    train, valid = carve(train, groups)
    return {"train": train, "valid": valid, "test": test}


def _open(file: Path) -> h5py.File:
    """The file, opened once per process: a row knows its path alone, so it can be pickled and
    survives a fork."""
    return _handle(file, os.getpid())


@lru_cache(maxsize=2)
def _handle(file: Path, process: int) -> h5py.File:
    if not file.is_file():
        raise DataError(
            f"{file}: missing; fetch it with --download ({NYUV2.size}), or from {PLACES[0]}/nyu_depth_v2"
        )
    try:
        return h5py.File(file, "r")
    except OSError as error:
        raise DataError(
            f"{file}: cannot be opened ({first_line(error)}); half-downloaded or no MATLAB v7.3 file: delete it and"
            " fetch it again"
        ) from None


@contextmanager
def _reading(file: Path, what: str) -> Iterator[None]:
    """What h5py raises where the inside of the file is damaged, as a DataError."""
    try:
        yield
    except (OSError, RuntimeError, KeyError) as error:
        raise DataError(
            f"{file}: {what} cannot be read ({first_line(error)}); delete the file and fetch it again"
        ) from None


def _check_layout(file: Path, keys: list[str]) -> tuple[int, int, int]:
    """Number, height and width of the images; `keys` are the other arrays that must fit them."""
    held = _open(file)
    for key in ["images", *keys, "scenes"]:
        if not isinstance(held.get(key), h5py.Dataset):
            raise DataError(
                f"{file}: has no array '{key}' (it has {', '.join(held)}); take the labelled set's own file"
            )
    shape = held["images"].shape
    if len(shape) != 4 or shape[1] != 3 or shape[2] <= shape[3]:
        raise DataError(
            f"{file}: images has shape {shape}, [N, 3, W, H] with W > H is needed: axes not reversed or swapped; take"
            " the original file"
        )
    for key in ["images", *keys]:
        kind, why = KINDS[key]
        if held[key].dtype != kind:
            raise DataError(
                f"{file}: {key} is {held[key].dtype}, needed is {kind} ({why}); take the original file"
            )
        if held[key].shape != (shape if key == "images" else (shape[0], *shape[2:])):
            raise DataError(
                f"{file}: {key} has shape {held[key].shape}, images {shape}; take the original file"
            )
    return shape[0], shape[3], shape[2]


def _read_scenes(file: Path, count: int) -> np.ndarray:
    """The scene of every image, such as kitchen_0004."""
    held = _open(file)
    if (
        h5py.check_ref_dtype(held["scenes"].dtype) is not h5py.Reference
        or held["scenes"].size != count
    ):
        raise DataError(
            f"{file}: scenes is {held['scenes'].dtype} of shape {held['scenes'].shape}, needed are {count} references"
            " to text; take the original file"
        )
    names = []
    for number, reference in enumerate(held["scenes"][()].ravel(), 1):
        text = held[reference] if reference else None
        if not isinstance(text, h5py.Dataset) or text.dtype != np.uint16:
            raise DataError(
                f"{file}: scenes of image {number} is no text (uint16); take the original file"
            )
        names.append("".join(map(chr, text[()].ravel())))
    return np.array(names)


def _read_array(item: tuple[Path, int], key: str) -> np.ndarray:
    file, number = item
    with _reading(file, f"{key} of image {number}"):
        return _open(file)[key][number - 1]


def _read_rgb(item: tuple[Path, int]) -> np.ndarray:
    return _read_array(item, "images").transpose(
        0, 2, 1
    )  # [3, W, H]: a turn by 90° instead would mirror it


def _read_depth(item: tuple[Path, int], key: str) -> np.ndarray:
    metres = _read_array(item, key).T[None]
    low, high = metres.min(), metres.max()
    if not (low >= 0 and high <= FARTHEST):  # also where it is NaN
        worst = high if low >= 0 else low
        raise DataError(
            f"{item[0]}: {key} of image {item[1]} holds {worst:g}; depth is in metres, 0 … {FARTHEST:g}: take the"
            " original file"
        )
    if high == 0:
        raise DataError(
            f"{item[0]}: {key} of image {item[1]} is 0 everywhere, nothing was measured; take the original file, or"
            " filled depth instead of raw"
        )
    return metres


def _read_mask(item: tuple[Path, int], table: np.ndarray) -> np.ndarray:
    labels = _read_array(item, "labels").T
    if labels.max() > LABELS:
        raise DataError(
            f"{item[0]}: labels of image {item[1]} holds {labels.max()}, there are 0 … {LABELS}; take the original file"
        )
    return table[labels]


NYUV2 = Source(
    name="nyuv2",
    what="indoor colour and depth images of a Kinect, 1 449 with a class per pixel, 40 or 13 classes",
    modalities={"rgb": "3×480×640", "depth": "1×480×640, m"},
    size="3.0 GB",
    licence="unknown (none is stated)",
    page="https://cs.nyu.edu/~silberman/datasets/nyu_depth_v2.html",
    read=read_nyuv2,
    files=(
        RemoteFile("nyu_depth_v2_labeled.mat",
                   tuple(f"{place}/nyu_depth_v2/nyu_depth_v2_labeled.mat" for place in PLACES), 2_972_037_809,
                   "sha256:2d724b0c0ab358aa1ce5df855e5bd14a2279ab7202efe22f32a30d612dcb86aa"),
        RemoteFile("splits.mat", tuple(f"{place}/indoor_seg_sup/splits.mat" for place in PLACES),
                   None, "md5:08e3c3aea27130ac7c01ffd739a4535f"),
        RemoteFile("classMapping40.mat"),  # no address is known for certain
        RemoteFile("class13Mapping.mat", needed=False),
    ),
    by_hand="Take classMapping40.mat (and class13Mapping.mat, for 13 classes) from"
    " github.com/VainF/nyuv2-python-toolkit and put it into the folder",
)  # fmt: skip
