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

from discom.data.checks import NO_LABEL
from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import RemoteFile, Source
from discom.errors import DataError
from discom.files import as_data_error

# in the order of the class map; "refridgerator" is the data's own spelling
NAMES = (
    "wall floor cabinet bed chair sofa table door window bookshelf picture counter blinds desk"
    " shelves curtain dresser pillow mirror floor-mat clothes ceiling books refridgerator"
    " television paper towel shower-curtain box whiteboard person night-stand toilet sink lamp"
    " bathtub bag otherstructure otherfurniture otherprop"
)
CLASSES = tuple(NAMES.split())
FILE, LABELS = "nyu_depth_v2_labeled.mat", 894
FARTHEST = 20.0  # metres, about twice what a Kinect sees
HOST = "horatio.cs.nyu.edu/mit/silberman"
CHECKSUM = "sha256:2d724b0c0ab358aa1ce5df855e5bd14a2279ab7202efe22f32a30d612dcb86aa"
_reading = partial(as_data_error, kind="a .mat file", way_out="fetch the file again")
SPLITS = "md5:08e3c3aea27130ac7c01ffd739a4535f"


def read_nyuv2(root: Path | str, modalities: Sequence[str] | None = None) -> MultiModalData:
    """Colour [N, 3, 480, 640] and depth [N, 1, 480, 640] in metres, 0 = not measured.

    A validation part is carved from the official training part by scene; a scene is a group.
    """
    names = steps.choose(NYUV2, modalities)
    file = steps.find_folder(Path(root), [FILE], f"{FILE}; fetch it with --download") / FILE
    groups = _read_scenes(file)
    rows = [(file, row) for row in range(len(groups))]
    ids = [f"{row + 1:04d}" for _, row in rows]  # the data's own numbers
    table = _class_table(file.with_name("classMapping40.mat"))
    forms = {
        "rgb": steps.Form(_read_rgb),
        "depth": steps.Form(_read_depth, "m", 0.0),
        "masks": steps.Form(partial(_read_mask, table)),
    }
    parts = steps.split_official(_read_tested(file.with_name("splits.mat"), len(groups)), groups)
    items = {name: rows for name in [*names, "masks"]}
    return steps.build(NYUV2, items, forms, ids, CLASSES, "official", groups=groups, parts=parts)


def _read_scenes(file: Path) -> np.ndarray:
    """The scene of every image, such as kitchen_0004."""
    import h5py

    with _reading(file), h5py.File(file) as mat:
        references = mat["scenes"][()].ravel()
        scenes = ["".join(map(chr, mat[reference][()].ravel())) for reference in references]
    return np.array(scenes)


def _read_numbers(file: Path, key: str) -> np.ndarray:
    """The whole numbers of an array in a MATLAB v5 file, flat."""
    from scipy.io import loadmat

    with _reading(file):
        return loadmat(file)[key].ravel().astype(int)


def _class_table(file: Path) -> np.ndarray:
    """From a label, 0 … 894, to a class counted from 0; 255 for none."""
    if not file.is_file():
        raise DataError(file, f"no such file. {NYUV2.by_hand}")
    numbers = _read_numbers(file, "mapClass")
    if (len(numbers), numbers.min(), numbers.max()) != (LABELS, 1, len(CLASSES)):
        raise DataError(file, f"does not map {LABELS} labels to 40 classes", "fetch it again")
    return np.append(NO_LABEL, numbers - 1).astype(np.uint8)


def _read_tested(file: Path, count: int) -> np.ndarray:
    """Whether each image is in the official test part; the file counts from 1."""
    train, test = (_read_numbers(file, key) for key in ("trainNdxs", "testNdxs"))
    numbers = np.arange(1, count + 1)
    if sorted([*train, *test]) != numbers.tolist():
        raise DataError(file, f"does not list each of {count} images once", "fetch it again")
    return np.isin(numbers, test)


def _read_array(key: str, item: tuple[Path, int]) -> np.ndarray:
    import h5py

    file, row = item
    with _reading(file), h5py.File(file) as mat:  # anew, since an open file survives no pickle
        return mat[key][row]


def _read_rgb(item: tuple[Path, int]) -> np.ndarray:
    return _read_array("images", item).transpose(0, 2, 1)  # a turn by 90° instead would mirror it


def _read_depth(item: tuple[Path, int]) -> np.ndarray:
    (file, row), metres = item, _read_array("depths", item).T[None]
    if not (metres.min() >= 0 and 0 < metres.max() <= FARTHEST):  # also where it is NaN
        found = f"depths of image {row + 1} holds {metres.min():g} … {metres.max():g} m"
        raise DataError(file, found, "fetch it again")
    return metres


def _read_mask(table: np.ndarray, item: tuple[Path, int]) -> np.ndarray:
    labels = _read_array("labels", item).T
    if labels.max() > LABELS:
        raise DataError(item[0], f"image {item[1] + 1} has label {labels.max()}", "fetch it again")
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
        RemoteFile(FILE, f"https://{HOST}/nyu_depth_v2/{FILE}", CHECKSUM),
        RemoteFile("splits.mat", f"https://{HOST}/indoor_seg_sup/splits.mat", SPLITS),
        RemoteFile("classMapping40.mat"),  # no address is known for certain
    ),
    by_hand="Take classMapping40.mat from github.com/VainF/nyuv2-python-toolkit and put it beside"
    f" {FILE}",
)
