"""NYU Depth v2, the labelled set: 1 449 indoor images of a Kinect with a class for every pixel.

`nyu_depth_v2_labeled.mat` is MATLAB v7.3, so HDF5, and h5py shows MATLAB's axes reversed: `images`
[N, 3, W, H]; `depths` (metres, holes filled) and `labels`, 0 = none, 1 … 894, both [N, W, H];
`scenes`, references to text. `splits.mat` lists the official parts, counted from 1;
`classMapping40.mat` takes 894 labels to 40 classes. Source: Silberman et al. 2012.
"""

from functools import partial
from pathlib import Path

import numpy as np

from discom.data.checks import NO_LABEL
from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Source, steps
from discom.errors import DataError
from discom.files import as_data_error

# in the order of the class map; "refridgerator" is the data's own spelling
NAMES = (
    "wall floor cabinet bed chair sofa table door window bookshelf picture counter blinds desk"
    " shelves curtain dresser pillow mirror floor-mat clothes ceiling books refridgerator"
    " television paper towel shower-curtain box whiteboard person night-stand toilet sink lamp"
    " bathtub bag otherstructure otherfurniture otherprop"
)
PARTS = ("nyu_depth_v2_labeled.mat", "splits.mat", "classMapping40.mat")
HOST = "https://horatio.cs.nyu.edu/mit/silberman"
SHA256 = "2d724b0c0ab358aa1ce5df855e5bd14a2279ab7202efe22f32a30d612dcb86aa"
Item = tuple[Path, int, np.ndarray]  # the .mat file, the row, label → class
_reading = partial(as_data_error, kind="a .mat file", way_out="fetch the file again")


def _read_row(key: str, item: Item) -> np.ndarray:
    import h5py

    with _reading(item[0]), h5py.File(item[0]) as mat:
        return mat[key][item[1]].swapaxes(-1, -2)  # a turn by 90° instead would mirror it


def _read_depth(item: Item) -> np.ndarray:
    return _read_row("depths", item)[None]


def _read_mask(item: Item) -> np.ndarray:
    with _reading(item[0]):  # a label that has no class
        return item[2][_read_row("labels", item)]


class NYUv2(Source):
    """Colour, depth and masks; a scene is a group, and the official training part gives the
    validation part."""

    name = "nyuv2"
    what = "indoor images of a Kinect, 1 449 pairs with a class per pixel, 40 classes"
    classes = tuple(NAMES.split())
    sensors = {
        "rgb": Sensor("3×480×640", read=partial(_read_row, "images")),
        "depth": Sensor("1×480×640", "m", _read_depth, invalid=0.0),
        "masks": Sensor(read=_read_mask),
    }
    symmetry = "all"
    size = "3.0 GB"
    licence = "unknown (none is stated)"
    page = "https://cs.nyu.edu/~silberman/datasets/nyu_depth_v2.html"
    files = {
        PARTS[0]: (f"{HOST}/nyu_depth_v2/{PARTS[0]}", f"sha256:{SHA256}"),
        PARTS[1]: (f"{HOST}/indoor_seg_sup/splits.mat", "md5:08e3c3aea27130ac7c01ffd739a4535f"),
    }
    by_hand = "Take classMapping40.mat from github.com/VainF/nyuv2-python-toolkit"

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        """Images under the data's own numbers, from 0001."""
        import h5py
        from scipy.io import loadmat

        folder = self.find_folder(root, PARTS)
        file, splits, classes = (folder / name for name in PARTS)
        with _reading(file), h5py.File(file) as mat:
            scenes = [mat[reference][()].ravel() for reference in mat["scenes"][()].ravel()]
        groups = np.array(["".join(map(chr, scene)) for scene in scenes])
        with _reading(classes):
            class_of = np.append(NO_LABEL, loadmat(classes)["mapClass"].ravel() - 1)
        if len(class_of) != 895 or class_of[1:].max() != len(self.classes) - 1:
            raise DataError(classes, "does not map 894 labels to 40 classes", "fetch it again")
        with _reading(splits):
            train, test = (loadmat(splits)[key].ravel() for key in ("trainNdxs", "testNdxs"))
        rows = np.arange(len(groups))
        if sorted([*train, *test]) != list(rows + 1):
            raise DataError(splits, "does not list each image once", "fetch it again")
        items = [(file, row, class_of.astype(np.uint8)) for row in rows]
        images, ids = dict.fromkeys([*names, "masks"], items), [f"{row + 1:04d}" for row in rows]
        parts = steps.split_official(np.isin(rows + 1, test), groups)
        return self.build(images, ids, groups=groups, parts=parts)
