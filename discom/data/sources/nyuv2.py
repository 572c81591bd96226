"""NYU Depth v2, the labelled set: 1 449 indoor images of a Kinect with a class for every pixel.

`nyu_depth_v2_labeled.mat` is MATLAB v7.3, so HDF5, and h5py shows MATLAB's axes reversed: `images`
[N, 3, W, H]; `depths` (holes filled) and `rawDepths` (0 = missing), metres, and `labels`, 0 = none,
1 … 894, all [N, W, H]; `scenes`, references to text. `splits.mat` lists the official parts, counted
from 1; `classMapping40.mat` takes 894 labels to 40 classes, `class13Mapping.mat` the 40 to 13.
Sources: Silberman et al. 2012, Gupta et al. 2013.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from discom.data.lazy import Lazy
from discom.data.multimodal import MultiModalData
from discom.data.sources import matlab, steps
from discom.data.sources.source import RemoteFile, Source
from discom.errors import DataError

__all__ = ["CLASSES", "NYUV2", "read_nyuv2"]

# in the order of the class maps; "refridgerator" is the data's own spelling
NAMES = {
    40: "wall floor cabinet bed chair sofa table door window bookshelf picture counter blinds desk"
    " shelves curtain dresser pillow mirror floor-mat clothes ceiling books refridgerator"
    " television paper towel shower-curtain box whiteboard person night-stand toilet sink lamp"
    " bathtub bag otherstructure otherfurniture otherprop",
    13: "bed books ceiling chair floor furniture objects picture sofa table tv wall window",
}
CLASSES = {count: tuple(names.split()) for count, names in NAMES.items()}
FILE, LABELS = "nyu_depth_v2_labeled.mat", 894
DEPTHS = {"filled": "depths", "raw": "rawDepths"}
KINDS = {"images": "uint8", "depths": "float32", "rawDepths": "float32", "labels": "uint16"}
FARTHEST = 20.0  # metres, about twice what a Kinect sees
HOST = "horatio.cs.nyu.edu/mit/silberman"
CHECKSUM = "sha256:2d724b0c0ab358aa1ce5df855e5bd14a2279ab7202efe22f32a30d612dcb86aa"
SPLITS = "md5:08e3c3aea27130ac7c01ffd739a4535f"


def read_nyuv2(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    classes: int = 40,
    depth: str = "filled",
) -> MultiModalData:
    """Colour [N, 3, 480, 640] and depth [N, 1, 480, 640] in metres, 0 = not measured.

    A validation part is carved from the official training part by scene.

    Args:
        root: a folder with the .mat files side by side, at any depth.
        modalities: of rgb and depth; both by default.
        classes: 40, or 13 with class13Mapping.mat.
        depth: "filled", holes filled by the authors, or "raw", as the Kinect gave it.

    Raises:
        DataError: a file is missing, damaged, or of another form.
    """
    names = steps.choose(modalities, ("rgb", "depth"))
    steps.check_choice("classes", classes, tuple(CLASSES))
    steps.check_choice("depth", depth, tuple(DEPTHS))
    file = steps.find_folder(Path(root), [FILE], f"{FILE}; fetch it with --download")[0] / FILE
    groups, height, width = _check_layout(file, {"images", "labels", DEPTHS[depth]})
    items = tuple((file, row) for row in range(len(groups)))
    read_mask = partial(_read_mask, _class_table(file.parent, classes))
    masks = Lazy(items, read_mask, (height, width), np.uint8)
    labels = steps.most_frequent(steps.count_pixels(masks, len(CLASSES[classes]), file))
    if (labels < 0).any():
        raise DataError(f"{file}: an image has no label at all; take the original file")
    train, test = _read_split(file.parent / "splits.mat", len(groups))
    train, valid = steps.carve(train, groups)
    read_depth = partial(_read_depth, DEPTHS[depth])
    forms = {
        "rgb": steps.Form(_read_rgb, (3, height, width), np.uint8),
        "depth": steps.Form(read_depth, (1, height, width), np.float32, "m", 0.0),
    }
    ids = [f"{row + 1:04d}" for _, row in items]  # the data's own numbers
    others = "raw" if depth == "raw" else "", "13" if classes == 13 else "", "official"
    return MultiModalData(
        steps.views(dict.fromkeys(names, items), forms, labels, ids),
        CLASSES[classes],
        dense=True,
        masks=masks,
        groups=groups,
        name=steps.variant("nyuv2", names, ["rgb", "depth"], *others),
        parts={"train": train, "valid": valid, "test": test},
        about=NYUV2.about({}, "depth 0 is not measured", masks="255 = no label", depth=depth),
    )


def _check_layout(file: Path, keys: set[str]) -> tuple[np.ndarray, int, int]:
    """The scene of every image, such as kitchen_0004; height and width."""
    with matlab.opened(file) as mat:
        forms = {key: (str(mat[key].dtype), mat[key].shape) for key in sorted(keys)}
        references = mat["scenes"][()].ravel()
        scenes = ["".join(map(chr, mat[reference][()].ravel())) for reference in references]
    width, height = forms["images"][1][-2:]
    for key, form in forms.items():
        bands = (3,) if key == "images" else ()
        needed = (KINDS[key], (len(scenes), *bands, width, height))
        if form != needed or width <= height:
            way = "the axes reversed and as many as scenes; take the original file"
            raise DataError(f"{file}: {key} is {form}, needed is {needed}, {way}")
    return np.array(scenes), height, width


def _class_table(root: Path, classes: int) -> np.ndarray:
    """From a label, 0 … 894, to a class counted from 0; 255 for none."""
    for name in ("classMapping40.mat", "class13Mapping.mat")[: 2 if classes == 13 else 1]:
        if not (root / name).is_file():
            raise DataError(f"{root / name}: no such file. {NYUV2.by_hand}")
    mapped = matlab.numbers(root / "classMapping40.mat", "mapClass", 40)
    if classes == 13:
        mapped = matlab.numbers(root / "class13Mapping.mat", "classMapping13", 13)[mapped - 1]
    if len(mapped) != LABELS or mapped.max() != classes:
        raise DataError(f"{root}: the class maps do not take {LABELS} labels to {classes} classes")
    return np.concatenate([[steps.NO_LABEL], mapped - 1]).astype(np.uint8)


def _read_split(file: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the official training and test part; the file counts from 1."""
    keys = ("trainNdxs", "testNdxs")
    train, test = (np.sort(matlab.numbers(file, key, count)) - 1 for key in keys)
    if sorted([*train, *test]) != list(range(count)):
        raise DataError(f"{file}: does not list each of {count} images once; fetch it again")
    return train, test


def _read_array(key: str, item: tuple[Path, int]) -> np.ndarray:
    with matlab.opened(item[0]) as mat:
        return mat[key][item[1]]


def _read_rgb(item: tuple[Path, int]) -> np.ndarray:
    return _read_array("images", item).transpose(0, 2, 1)  # a turn by 90° instead would mirror it


def _read_depth(key: str, item: tuple[Path, int]) -> np.ndarray:
    metres = _read_array(key, item).T[None]
    if not (metres.min() >= 0 and 0 < metres.max() <= FARTHEST):  # also where it is NaN
        span = f"{metres.min():g} … {metres.max():g}"
        raise DataError(f"{item[0]}: {key} of image {item[1] + 1} holds {span} m; fetch it again")
    return metres


def _read_mask(table: np.ndarray, item: tuple[Path, int]) -> np.ndarray:
    labels = _read_array("labels", item).T
    if labels.max() > LABELS:
        raise DataError(f"{item[0]}: image {item[1] + 1} has label {labels.max()}; fetch it again")
    return table[labels]


NYUV2 = Source(
    name="nyuv2",
    what="indoor images of a Kinect, 1 449 pairs with a class per pixel, 40 or 13 classes",
    modalities={"rgb": "3×480×640", "depth": "1×480×640, m"},
    size="3.0 GB",
    licence="unknown (none is stated)",
    page="https://cs.nyu.edu/~silberman/datasets/nyu_depth_v2.html",
    read=read_nyuv2,
    files=(
        RemoteFile(FILE, {f"https://{HOST}/nyu_depth_v2/{FILE}": CHECKSUM}),
        RemoteFile("splits.mat", {f"https://{HOST}/indoor_seg_sup/splits.mat": SPLITS}),
        RemoteFile("classMapping40.mat"),  # no address is known for certain
        RemoteFile("class13Mapping.mat", needed=False),
    ),
    by_hand="Take classMapping40.mat (and class13Mapping.mat, for 13 classes) from"
    " github.com/VainF/nyuv2-python-toolkit and put it beside nyu_depth_v2_labeled.mat",
)
