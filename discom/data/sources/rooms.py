"""Rooms: kinds of them (sunrgbd), actions in them (tristar), a class for every pixel (nyuv2)."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Size, Source, steps
from discom.errors import DataError
from discom.files import as_data_error
from discom.labels import NO_LABEL

# by name: where a sensor lacks a class, the numbers in its list are others
NAMES = "bathroom bedroom classroom computer_room conference_room dining_area discussion_area"
REPOSITORY = "silvia1993/Multi-Modal_RGB-D_Scene_Recognition_Across_Domains"
COMMIT = "e09eca769bc6cc45440796baab1118fac0b3f5d9"
ENTRY = re.compile(r"^(\d+)\.png *-> */+SUNRGBD/+(.+)$", re.MULTILINE)
LISTS = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/subsets"
FOLDERS = {"train": "train", "valid": "val", "test": "test"}  # of tristar
# in the order of the class map; "refridgerator" is the data's own spelling
NYU_CLASSES = (
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


def _read_depth(file: Path) -> np.ndarray:
    stored = steps.read_form(file, "depth", np.uint16, (1, None, None))
    metres = ((stored >> 3) | (stored << 13)).astype(np.float32) / 1000  # bits turned back by three
    measured = metres[metres > 0]
    if not measured.size or np.median(measured) > 10:
        found = "nothing was measured, or most lies beyond 10 m (bits not rotated)"
        raise DataError(file, found, "take the original file")
    return np.minimum(metres, np.float32(8))  # as the common copy of the toolbox does


class SUNRGBD(Source):
    """Colour and depth of ten kinds of rooms: the Kinect v2 frames of SUN RGB-D that Ferreri et al.
    2021 chose. Frames of a day may show one room (1 879 of 2 105 come from 35 days), so the day is
    the group.

    A frame is a folder of SUNRGBD.zip with `image/*.jpg` and `depth/*.png`: millimetres whose bits
    are rotated left by three, 0 where nothing was measured. Two lists make the subset: `kv2.txt`
    (``kv2/<class>/<id>.png <label>``) and `mapping.txt` (``<id>.png`` -> the frame's folder).
    Frames: Song et al. 2015.
    """

    name = "sunrgbd"
    what = "Kinect v2 frames of rooms, 2 105 pairs of colour and depth, ten scene classes"
    classes = (*NAMES.split(), "kitchen", "office", "rest_space")
    sensors = {
        "rgb": Sensor("3×224×224", read=steps.read_colours, smooth=True),
        "depth": Sensor("1×224×224", "m", _read_depth, invalid=0.0),
    }
    symmetry = "all"
    size = "6.4 GB"
    licence = "not known; ask the authors before you pass frames on"
    page = f"https://rgbd.cs.princeton.edu, https://github.com/{REPOSITORY} (lists, commit e09eca7)"
    files = {  # no checksum is published
        "SUNRGBD.zip": ("https://rgbd.cs.princeton.edu/data/SUNRGBD.zip", ""),
        "kv2.txt": (f"{LISTS}/kv2.txt", ""),
        "mapping.txt": (f"{LISTS}/mapping.txt", ""),
    }

    def read_raw(self, root: Path, names: list[str], size: Size = 224) -> MultiModalData:
        frames = self._list_frames(root)
        base = self.find_folder(root, ["kv2"])
        files = {name: _find_images(base, frames, name) for name in names}
        keys = steps.pair({"kv2.txt": frames, **files}, base)
        images = {name: [file_of[key] for key in keys] for name, file_of in files.items()}
        folders, labels = zip(*(frames[key] for key in keys), strict=True)
        groups = [re.sub(r".*(\d{4}-\d\d-\d\d).*", r"\1", folder.name) for folder in folders]
        return self.build(images, keys, size=size, labels=labels, groups=np.array(groups))

    def _list_frames(self, root: Path) -> dict[str, tuple[Path, int]]:
        """Id → folder below SUNRGBD, and class; the number in kv2.txt is not read."""
        folder = self.find_folder(root, ["kv2.txt", "mapping.txt"])
        mapping = "\n".join(steps.read_lines(folder / "mapping.txt"))
        folder_of = dict(ENTRY.findall(mapping))  # a heading and counts are none
        frames: dict[str, tuple[Path, int]] = {}
        for line in steps.read_lines(folder / "kv2.txt"):
            entry = re.fullmatch(r"kv2/(\w+)/(\d+)\.png\s+\d+", line)
            kind, key = entry.groups() if entry else ("", "")
            if kind not in self.classes or key not in folder_of or key in frames:
                found = f"'{line[:60]}' is no kv2/<class>/<id>.png <label> of a frame of its own"
                raise DataError(folder / "kv2.txt", found, "fetch both again")
            frames[key] = Path(folder_of[key]), self.classes.index(kind)
        return frames


def _find_images(base: Path, frames: dict[str, tuple[Path, int]], name: str) -> dict[str, Path]:
    """Id → the one image of a modality in the frame's folder, where the frame has it."""
    folder, images = "image" if name == "rgb" else name, dict[str, Path]()
    for key, (frame, _) in frames.items():
        for file in steps.sorted_files(base / frame / folder, ".jpg", ".png").values():
            if images.setdefault(key, file) != file:
                raise DataError(file, "a second image of its frame", "unpack it again")
    return images


def _read(name: str, per_unit: int, file: Path) -> np.ndarray:
    pixels = steps.read_form(file, name, np.uint16, (1, None, None))
    middle = np.median(pixels) / 100
    if name == "thermal" and not 270 <= middle <= 320:
        raise DataError(file, f"its median would be {middle:.2f} K", "save thermal in 1/100 K")
    return pixels.astype(np.float32) / per_unit


class TRISTAR(Source):
    """Rooms filmed by a thermal and a depth camera: the frames with exactly one of six actions.

    Folders `{train,val,test}/<shot>/`, the official parts, with `thermal/*.png` in 1/100 K,
    `depth/*.png` in mm (0: no return), and `actions.txt`, a line per frame: its name, then any
    number of labels. A shot is a group. Source: Stippel, Heitzinger & Kampel 2023.

    Uncertain: the units (inferred from the authors' normalisation constants), which six of the 14
    labels the paper took (a guess: states and transitions), and whether the parts share persons.
    """

    name = "tristar"
    what = "thermal and depth video of persons in rooms, six actions (a guess which)"
    classes = ("sit", "walk", "stand", "lay", "get_down", "get_up")
    sensors = {
        "thermal": Sensor("1×120×160", "K", partial(_read, "thermal", 100)),
        "depth": Sensor("1×120×160", "m", partial(_read, "depth", 1000), invalid=0.0),
    }
    symmetry = "all"
    size = "size not known"
    licence = "not known; see the Zenodo record"
    page = "https://zenodo.org/record/7996570"
    files = {"tristar.zip": (f"{page}/files/tristar.zip", "")}

    def read_raw(self, root: Path, names: list[str], size: Size = (120, 160)) -> MultiModalData:
        folder = self.find_folder(root, list(FOLDERS.values()))
        files = _list_frames(folder, names)
        frames = steps.pair(files, folder)
        words = files.pop("actions.txt")
        actions = {frame: [c for c in self.classes if c in words[frame]] for frame in frames}
        kept = [frame for frame in frames if len(actions[frame]) == 1]
        unclear = f"{len(frames)} frames have none or several of {', '.join(self.classes)}"
        steps.warn_left_out(folder, len(frames) - len(kept), unclear)
        images = {name: [file_of[frame] for frame in kept] for name, file_of in files.items()}
        labels = [self.classes.index(actions[frame][0]) for frame in kept]
        part_of = np.array([frame.partition("/")[0] for frame in kept])
        shots = np.array([frame.rpartition("/")[0] for frame in kept])
        parts = {part: np.flatnonzero(part_of == name) for part, name in FOLDERS.items()}
        return self.build(images, kept, size=size, labels=labels, groups=shots, parts=parts)


def _list_frames(folder: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """Modality → "<part>/<shot>/<stem>" → file; "actions.txt" → the same key → labels."""
    files: dict[str, dict[str, Any]] = {name: {} for name in [*names, "actions.txt"]}
    for part in FOLDERS.values():
        for shot in sorted((folder / part).glob("[!.]*/")):
            for name in names:
                for stem, file in steps.sorted_files(shot / name, ".png").items():
                    files[name][f"{part}/{shot.name}/{stem}"] = file
            for line in steps.read_lines(shot / "actions.txt"):
                frame, *words = line.split()
                key = f"{part}/{shot.name}/{Path(frame).stem}"
                files["actions.txt"].setdefault(key, []).extend(words)
    return files


def _read_row(key: str, item: Item) -> np.ndarray:
    import h5py

    file, row, class_of = item
    with _reading(file), h5py.File(file) as mat:
        values = mat[key][row].swapaxes(-1, -2)  # a turn by 90° instead would mirror it
        # depth has no axis of bands
        return class_of[values] if key == "labels" else values.reshape(-1, *values.shape[-2:])


class NYUv2(Source):
    """Colour, depth and a class for every pixel: the labelled set of NYU Depth v2, images of a
    Kinect. A scene is a group, and the official training part gives the validation part.

    `nyu_depth_v2_labeled.mat` is HDF5, and h5py shows MATLAB's axes reversed: `images`
    [N, 3, W, H]; `depths` (metres, holes filled) and `labels`, 0 = none, 1 … 894, both [N, W, H];
    `scenes`, references to text. `splits.mat` lists the official parts, counted from 1;
    `classMapping40.mat` takes 894 labels to 40 classes. Source: Silberman et al. 2012.
    """

    name = "nyuv2"
    what = "indoor images of a Kinect, 1 449 pairs with a class per pixel, 40 classes"
    classes = tuple(NYU_CLASSES.split())
    sensors = {
        "rgb": Sensor("3×480×640", read=partial(_read_row, "images")),
        "depth": Sensor("1×480×640", "m", partial(_read_row, "depths"), invalid=0.0),
        "masks": Sensor(read=partial(_read_row, "labels")),
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
        groups = np.array(["".join(map(chr, codes)) for codes in scenes])
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
