"""NYU Depth v2, the labelled set: 1 449 indoor images of a Kinect with a class for every pixel.

`nyu_depth_v2_labeled.mat` is MATLAB v7.3, so HDF5, and h5py shows MATLAB's axes reversed: `images`
[N, 3, W, H]; `depths` (metres, holes filled) and `labels`, 0 = none, 1 … 894, both [N, W, H];
`scenes`, references to text. `splits.mat` lists the official parts, counted from 1;
`classMapping40.mat` takes 894 labels to 40 classes. Source: Silberman et al. 2012.
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

# in the order of the class map; "refridgerator" is the data's own spelling
NAMES = (
    "wall floor cabinet bed chair sofa table door window bookshelf picture counter blinds desk"
    " shelves curtain dresser pillow mirror floor-mat clothes ceiling books refridgerator"
    " television paper towel shower-curtain box whiteboard person night-stand toilet sink lamp"
    " bathtub bag otherstructure otherfurniture otherprop"
)
CLASSES = tuple(NAMES.split())
FILE, LABELS = "nyu_depth_v2_labeled.mat", 894
KINDS = {"images": "uint8", "depths": "float32", "labels": "uint16"}
FARTHEST = 20.0  # metres, about twice what a Kinect sees
HOST = "horatio.cs.nyu.edu/mit/silberman"
CHECKSUM = "sha256:2d724b0c0ab358aa1ce5df855e5bd14a2279ab7202efe22f32a30d612dcb86aa"
SPLITS = "md5:08e3c3aea27130ac7c01ffd739a4535f"


def read_nyuv2(root: Path | str, modalities: Sequence[str] | None = None) -> MultiModalData:
    """Colour [N, 3, 480, 640] and depth [N, 1, 480, 640] in metres, 0 = not measured.

    A validation part is carved from the official training part by scene; a scene is a group.

    Raises:
        DataError: a .mat file is missing, damaged, or of another form.
    """
    names = steps.choose(modalities, ("rgb", "depth"))
    file = steps.find_folder(Path(root), [FILE], f"{FILE}; fetch it with --download")[0] / FILE
    groups, height, width = _check_layout(file)
    items = tuple((file, row) for row in range(len(groups)))
    read_mask = partial(_read_mask, _class_table(file.with_name("classMapping40.mat")))
    masks = Lazy(items, read_mask, (height, width), np.uint8)
    labels = steps.most_frequent(steps.count_pixels(masks, len(CLASSES), file))
    if (labels < 0).any():
        raise DataError(f"{file}: an image has no label at all; take the original file")
    train, test = _read_split(file.with_name("splits.mat"), len(groups))
    train, valid = steps.carve(train, groups)
    forms = {
        "rgb": steps.Form(_read_rgb, (3, height, width), np.uint8),
        "depth": steps.Form(_read_depth, (1, height, width), np.float32, "m", 0.0),
    }
    ids = [f"{row + 1:04d}" for _, row in items]  # the data's own numbers
    return MultiModalData(
        steps.views(dict.fromkeys(names, items), forms, labels, ids),
        CLASSES,
        dense=True,
        masks=masks,
        groups=groups,
        name=steps.variant("nyuv2", names, ["rgb", "depth"], "official"),
        parts={"train": train, "valid": valid, "test": test},
        about=NYUV2.about({}, "depth 0 is not measured", masks="255 = no label"),
    )


def _check_layout(file: Path) -> tuple[np.ndarray, int, int]:
    """The scene of every image, such as kitchen_0004; height and width."""
    with matlab.open_mat(file) as mat:
        forms = {key: (str(mat[key].dtype), mat[key].shape) for key in KINDS}
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


def _class_table(file: Path) -> np.ndarray:
    """From a label, 0 … 894, to a class counted from 0; 255 for none."""
    if not file.is_file():
        raise DataError(f"{file}: no such file. {NYUV2.by_hand}")
    numbers = matlab.read_numbers(file, "mapClass", len(CLASSES))
    if len(numbers) != LABELS or numbers.max() != len(CLASSES):
        raise DataError(f"{file}: does not take {LABELS} labels to 40 classes; fetch it again")
    return np.append(steps.NO_LABEL, numbers - 1).astype(np.uint8)


def _read_split(file: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the official training and test part; the file counts from 1."""
    keys = ("trainNdxs", "testNdxs")
    train, test = (np.sort(matlab.read_numbers(file, key, count)) - 1 for key in keys)
    if sorted([*train, *test]) != list(range(count)):
        raise DataError(f"{file}: does not list each of {count} images once; fetch it again")
    return train, test


def _read_array(key: str, item: tuple[Path, int]) -> np.ndarray:
    with matlab.open_mat(item[0]) as mat:
        return mat[key][item[1]]


def _read_rgb(item: tuple[Path, int]) -> np.ndarray:
    return _read_array("images", item).transpose(0, 2, 1)  # a turn by 90° instead would mirror it


def _read_depth(item: tuple[Path, int]) -> np.ndarray:
    metres = _read_array("depths", item).T[None]
    if not (metres.min() >= 0 and 0 < metres.max() <= FARTHEST):  # also where it is NaN
        span = f"{metres.min():g} … {metres.max():g}"
        raise DataError(f"{item[0]}: depths of image {item[1] + 1} holds {span} m; fetch it again")
    return metres


def _read_mask(table: np.ndarray, item: tuple[Path, int]) -> np.ndarray:
    labels = _read_array("labels", item).T
    if labels.max() > LABELS:
        raise DataError(f"{item[0]}: image {item[1] + 1} has label {labels.max()}; fetch it again")
    return table[labels]


NYUV2 = Source(
    name="nyuv2",
    what="indoor images of a Kinect, 1 449 pairs with a class per pixel, 40 classes",
    modalities={"rgb": "3×480×640", "depth": "1×480×640, m"},
    size="3.0 GB",
    licence="unknown (none is stated)",
    page="https://cs.nyu.edu/~silberman/datasets/nyu_depth_v2.html",
    read=read_nyuv2,
    files=(
        RemoteFile(FILE, {f"https://{HOST}/nyu_depth_v2/{FILE}": CHECKSUM}),
        RemoteFile("splits.mat", {f"https://{HOST}/indoor_seg_sup/splits.mat": SPLITS}),
        RemoteFile("classMapping40.mat"),  # no address is known for certain
    ),
    by_hand="Take classMapping40.mat from github.com/VainF/nyuv2-python-toolkit and put it beside"
    f" {FILE}",
)
