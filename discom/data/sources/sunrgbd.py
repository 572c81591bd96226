"""SUN RGB-D, the Kinect v2 frames of Ferreri et al. 2021: 2 105 pairs, ten kinds of rooms.

A frame is a folder of SUNRGBD.zip with `image/*.jpg` and `depth/*.png`, as measured. Depth is
uint16: millimetres whose bits are rotated left by three, 0 where nothing was measured. Two lists
make the subset: `kv2.txt` (kv2/<class>/<id>.png <label>) and
`mapping.txt` (<id>.png -> the frame's folder). Frames: Song et al. 2015.
"""

import re
from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Size, Source, steps
from discom.errors import DataError

# by name: where a sensor lacks a class, the numbers in its list are others
NAMES = "bathroom bedroom classroom computer_room conference_room dining_area discussion_area"
REPOSITORY = "silvia1993/Multi-Modal_RGB-D_Scene_Recognition_Across_Domains"
COMMIT = "e09eca769bc6cc45440796baab1118fac0b3f5d9"
ENTRY = re.compile(r"^(\d+)\.png *-> */+SUNRGBD/+(.+)$", re.MULTILINE)
LISTS = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/subsets"


def to_metres(stored: np.ndarray) -> np.ndarray:
    """Depth as SUN RGB-D's PNG files store it: 16 bits of millimetres, rotated left by three.

    >>> to_metres(np.array([0, 8000, 16385], np.uint16)).tolist()  # of the last, a bit came round
    [0.0, 1.0, 10.239999771118164]
    """
    return ((stored >> 3) | (stored << 13)).astype(np.float32) / 1000


def _read_depth(file: Path) -> np.ndarray:
    metres = to_metres(steps.read_form(file, "depth", np.uint16, (1, None, None)))
    measured = metres[metres > 0]
    if not measured.size or np.median(measured) > 10:
        found = "nothing was measured, or most lies beyond 10 m (bits not rotated)"
        raise DataError(file, found, "take the original file")
    return np.minimum(metres, np.float32(8))  # as the common copy of the toolbox does


class SUNRGBD(Source):
    """Colour and depth; frames of a day may show one room (1 879 of 2 105 come from 35 days), so
    the day is the group."""

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
    files = {
        # no checksum is published, so https alone: it shows that nothing was changed on the way
        "SUNRGBD.zip": ("https://rgbd.cs.princeton.edu/data/SUNRGBD.zip", ""),
        "kv2.txt": (f"{LISTS}/kv2.txt", ""),
        "mapping.txt": (f"{LISTS}/mapping.txt", ""),
    }

    def read_raw(self, root: Path, names: list[str], size: Size = 224) -> MultiModalData:
        frames = self._list_frames(root)
        base = self.find_folder(root, ["kv2"])
        files = {name: _find_images(base, frames, name) for name in names}
        keys = steps.pair({"kv2.txt": frames, **files}, base)
        images = {name: [own[key] for key in keys] for name, own in files.items()}
        labels = [frames[key][1] for key in keys]
        folders = [frames[key][0].name for key in keys]
        groups = np.array([re.sub(r".*(\d{4}-\d\d-\d\d).*", r"\1", folder) for folder in folders])
        return self.build(images, keys, size=size, labels=labels, groups=groups)

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
    folder, images = "image" if name == "rgb" else name, {}
    for key, (frame, _) in frames.items():
        if (place := base / frame / folder).is_dir():
            files = list(steps.sorted_files(place, ".jpg", ".png").values())
            if len(files) != 1:
                raise DataError(place, f"holds {len(files)} images, not one", "unpack it again")
            images[key] = files[0]
    return images
