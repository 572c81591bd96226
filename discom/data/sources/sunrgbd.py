"""SUN RGB-D, the Kinect v2 frames of Ferreri et al. 2021: 2 105 pairs, ten kinds of rooms.

A frame is a folder of SUNRGBD.zip with `image/*.jpg` and `depth/*.png`, as measured. Depth is
uint16: millimetres whose bits are rotated left by three, 0 where nothing was measured. Two lists
make the subset: `kv2.txt` (kv2/<class>/<id>.png <label>) and
`mapping.txt` (<id>.png -> the frame's folder). Frames: Song et al. 2015.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import RemoteFile, Source
from discom.errors import DataError

# by name: where a sensor lacks a class, the numbers in its list are others
NAMES = "bathroom bedroom classroom computer_room conference_room dining_area discussion_area"
CLASSES = (*NAMES.split(), "kitchen", "office", "rest_space")
FOLDERS = {"rgb": "image", "depth": "depth"}
FAR = 8.0  # metres; what is farther is set to it, as the common copy of the toolbox does
REPOSITORY = "silvia1993/Multi-Modal_RGB-D_Scene_Recognition_Across_Domains"
COMMIT = "e09eca769bc6cc45440796baab1118fac0b3f5d9"
LISTS = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/subsets"


def read_sunrgbd(
    root: Path | str, modalities: Sequence[str] | None = None, size: int | Sequence[int] = 224
) -> MultiModalData:
    """Colour, uint8 [N, 3, H, W], and depth in metres, float32 [N, 1, H, W], 0 = not measured.

    Frames of a day may show one room (1 879 of 2 105 come from 35 days), so the day is the group.
    The files of a modality that is not asked for are not needed.

    Args:
        size: height and width, or one for both; colours are averaged, of depth the nearest pixel.
    """
    names, root = steps.choose(SUNRGBD, modalities), Path(root)
    frames = _list_frames(root)
    base = steps.find_folder(root, ["kv2"], "SUNRGBD folder with kv2/; unpack SUNRGBD.zip there")
    files = {name: _find_images(base, frames, FOLDERS[name]) for name in names}
    keys = steps.pair({"kv2.txt": frames, **files}, base)
    forms = {
        "rgb": steps.Form(steps.read_colours, smooth=True),
        "depth": steps.Form(_read_depth, "m", 0.0),
    }
    folders = [Path(frames[key][0]).name for key in keys]
    days = [re.search(r"\d{4}-\d{2}-\d{2}", folder) for folder in folders]
    groups = np.array([day[0] if day else name for day, name in zip(days, folders, strict=True)])
    items, labels = steps.collect(files, keys), [frames[key][1] for key in keys]
    return steps.build(
        SUNRGBD, items, forms, keys, CLASSES, "grouped", size=size, labels=labels, groups=groups
    )


def _list_frames(root: Path) -> dict[str, tuple[str, int]]:
    """Id → folder below SUNRGBD, and class; the number in kv2.txt is not read."""
    listed, mapping = (
        steps.find_folder(root, [name], f"{name}; fetch {LISTS}/{name}") / name
        for name in ("kv2.txt", "mapping.txt")
    )
    entries = "\n".join(steps.read_lines(mapping))  # a heading and counts are none
    entry_form = r"^(\d+)\.png[ \t]*->[ \t]*/+SUNRGBD/+(.+)$"
    folder_of = dict(re.findall(entry_form, entries, re.MULTILINE))
    frames: dict[str, tuple[str, int]] = {}
    for line in steps.read_lines(listed):
        entry = re.fullmatch(r"kv2/(\w+)/(\d+)\.png\s+\d+", line)
        if not entry or entry[1] not in CLASSES or entry[2] not in folder_of or entry[2] in frames:
            form = "kv2/<class>/<id>.png <label> with a class and an id of its own in mapping.txt"
            raise DataError(listed, f"line '{line[:60]}' is not {form}", "fetch both again")
        frames[entry[2]] = folder_of[entry[2]], CLASSES.index(entry[1])
    return frames


def _find_images(base: Path, frames: dict[str, tuple[str, int]], folder: str) -> dict[str, Path]:
    """Id → the one image in that folder of the frame, where the frame has the folder."""
    images = {}
    for key, (frame, _) in frames.items():
        if (place := base / frame / folder).is_dir():
            files = list(steps.sorted_files(place, ".jpg", ".png").values())
            if len(files) != 1:
                raise DataError(place, f"holds {len(files)} images, not one", "unpack it again")
            images[key] = files[0]
    return images


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
    return np.minimum(metres, np.float32(FAR))


SUNRGBD = Source(
    name="sunrgbd",
    what="Kinect v2 frames of rooms, 2 105 pairs of colour and depth, ten scene classes",
    modalities={"rgb": "3×224×224, 8 bits", "depth": "1×224×224, m, 0 = not measured"},
    size="6.4 GB",
    licence="not known; ask the authors before you pass frames on",
    page=f"https://rgbd.cs.princeton.edu, https://github.com/{REPOSITORY} (lists, commit e09eca7)",
    read=read_sunrgbd,
    files=(
        # no checksum is published, so https alone: it shows that nothing was changed on the way
        RemoteFile("SUNRGBD.zip", "https://rgbd.cs.princeton.edu/data/SUNRGBD.zip"),
        RemoteFile("kv2.txt", f"{LISTS}/kv2.txt"),
        RemoteFile("mapping.txt", f"{LISTS}/mapping.txt"),
    ),
)
