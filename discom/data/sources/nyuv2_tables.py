"""NYU Depth v2's small files: the classes and the maps to them, and the official split, all MATLAB
v5.

`classMapping40.mat`: `mapClass`, label 1 … 894 → class 1 … 40. `class13Mapping.mat`: first field of
`classMapping13`, class 1 … 40 → 1 … 13. `splits.mat`: `trainNdxs` and `testNdxs`, columns of image
numbers counted from 1.
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from discom.data.sources.steps import NO_LABEL
from discom.errors import DataError, first_line

__all__ = ["CLASSES", "LABELS", "PLACES", "class_table", "read_split"]

# in the order of the class maps; "refridgerator" is the data's own spelling
CLASSES = {
    40: (
        "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf", "picture",
        "counter", "blinds", "desk", "shelves", "curtain", "dresser", "pillow", "mirror", "floor-mat", "clothes",
        "ceiling", "books", "refridgerator", "television", "paper", "towel", "shower-curtain", "box", "whiteboard",
        "person", "night-stand", "toilet", "sink", "lamp", "bathtub", "bag", "otherstructure", "otherfurniture",
        "otherprop",
    ),
    13: (
        "bed", "books", "ceiling", "chair", "floor", "furniture", "objects", "picture", "sofa", "table", "tv", "wall",
        "window",
    ),
}  # fmt: skip
LABELS = 894
PLACES = ("https://horatio.cs.nyu.edu/mit/silberman", "http://horatio.cs.nyu.edu/mit/silberman")
BY_HAND = "fetch it by hand from github.com/VainF/nyuv2-python-toolkit (or TUI-NICR/ESANet, src/datasets/nyuv2)"


def class_table(root: Path, classes: int) -> np.ndarray:
    """From a label, 0 … 894, to a class counted from 0; 255 for none."""
    file = root / "classMapping40.mat"
    mapped = _checked_map(
        _load_mat(file, ["mapClass"], BY_HAND)["mapClass"], LABELS, 40, f"{file}: mapClass"
    )
    if classes == 13:
        file = root / "class13Mapping.mat"
        held = _load_mat(file, ["classMapping13"], BY_HAND)["classMapping13"]
        if not held.dtype.names or held.size != 1:
            raise DataError(f"{file}: classMapping13 is {held.dtype} and no structure; {BY_HAND}")
        mapped = _checked_map(held.ravel()[0][0], 40, 13, f"{file}: classMapping13, first field,")[
            mapped - 1
        ]
    return np.concatenate([[NO_LABEL], mapped - 1]).astype(
        np.uint8
    )  # 0 stands apart: 0 - 1 would wrap


def _checked_map(values: np.ndarray, length: int, highest: int, where: str) -> np.ndarray:
    values = np.ravel(values)
    if values.dtype.kind not in "iuf" or len(values) != length:
        raise DataError(
            f"{where} has {len(values)} values of {values.dtype}, needed are {length} numbers; {BY_HAND}"
        )
    if (values.min(), values.max()) != (1, highest):
        raise DataError(
            f"{where} holds {values.min():g} … {values.max():g}, needed is 1 … {highest}; {BY_HAND}"
        )
    return values.astype(int)


def _load_mat(file: Path, keys: list[str], advice: str) -> dict[str, Any]:
    if not file.is_file():
        raise DataError(f"{file}: missing; {advice}")
    try:
        held = loadmat(file)
    except Exception as error:  # scipy has many exceptions for a damaged file
        raise DataError(
            f"{file}: cannot be read as a MATLAB file ({first_line(error)}); {advice}"
        ) from None
    for key in keys:
        if key not in held:
            there = ", ".join(name for name in held if not name.startswith("__"))
            raise DataError(f"{file}: has no '{key}' (it has {there or 'nothing'}); {advice}")
    return held


def read_split(file: Path, count: int) -> list[np.ndarray]:
    """The numbers of the official training and test images, counted from 1; every image has one
    place."""
    advice = f"fetch it again from {PLACES[0]}/indoor_seg_sup/splits.mat"
    keys = ["trainNdxs", "testNdxs"]
    held = _load_mat(file, keys, advice)
    for key in keys:
        values = held[key].ravel()
        if values.dtype.kind not in "iuf" or not len(values) or (values % 1).any():
            raise DataError(
                f"{file}: {key} holds {len(values)} values of {values.dtype}, not whole numbers; {advice}"
            )
        if len(wrong := values[(values < 1) | (values > count)]):
            raise DataError(
                f"{file}: {key} holds {wrong[0]:g}, images are counted 1 … {count}: 0-based or of another file;"
                f" {advice}"
            )
    train, test = (held[key].ravel().astype(int) for key in keys)
    times = np.bincount(np.concatenate([train, test]), minlength=count + 1)[1:]
    if (times != 1).any():
        number = int(np.argmax(times != 1)) + 1
        where = " and ".join(key for key in keys if number in held[key]) or "neither part"
        raise DataError(
            f"{file}: image {number} is listed {times[number - 1]} times (in {where}), not once; {advice}"
        )
    return [train, test]
