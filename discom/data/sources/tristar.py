"""TRISTAR: rooms filmed by a thermal, a depth and a colour camera; the action in every frame.

Folders `{train,val,test}/<shot>/` with `thermal/` and `depth/*.png` on one pixel grid, and
`actions.txt`, a line per frame: its name, then any number of labels. Thermal uint16 in 1/100 K,
depth uint16 in mm (0: no return). Its colour images are not read, as in DisCoM-KD's paper. Source:
Stippel, Heitzinger & Kampel 2023.

Uncertain: the units (inferred from the authors' normalisation constants), which six of the 14
labels the paper took (a guess: states and transitions), and whether the parts share persons.
"""

from functools import partial
from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Size, Source, steps
from discom.errors import DataError

FOLDERS = {"train": "train", "valid": "val", "test": "test"}


def _read(name: str, per_unit: int, file: Path) -> np.ndarray:
    pixels = steps.read_form(file, name, np.uint16, (1, None, None))
    middle = np.median(pixels) / 100
    if name == "thermal" and not 270 <= middle <= 320:
        raise DataError(file, f"its median would be {middle:.2f} K", "save thermal in 1/100 K")
    return pixels.astype(np.float32) / per_unit


class TRISTAR(Source):
    """Thermal and depth of the frames with exactly one of the six classes.

    The official folders are the parts; a shot is a group.
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
        files, labels_of = _list_frames(folder, names)
        frames = steps.pair({**files, "actions.txt": labels_of}, folder)
        actions = {frame: [c for c in self.classes if c in labels_of[frame]] for frame in frames}
        kept = [frame for frame in frames if len(actions[frame]) == 1]
        unclear = f"{len(frames)} frames have none or several of {', '.join(self.classes)}"
        steps.warn_left_out(folder, len(frames) - len(kept), unclear)
        part_of = np.array([frame.partition("/")[0] for frame in kept])
        return self.build(
            {name: [own[frame] for frame in kept] for name, own in files.items()},
            kept,
            size=size,
            labels=[self.classes.index(actions[frame][0]) for frame in kept],
            groups=np.array([frame.rpartition("/")[0] for frame in kept]),
            parts={part: np.flatnonzero(part_of == name) for part, name in FOLDERS.items()},
        )


def _list_frames(
    folder: Path, names: list[str]
) -> tuple[dict[str, dict[str, Path]], dict[str, set[str]]]:
    """Modality → "<part>/<shot>/<stem>" → file, and the same key → labels, by name."""
    files: dict[str, dict[str, Path]] = {name: {} for name in names}
    labels: dict[str, set[str]] = {}
    for part in FOLDERS.values():
        for shot in sorted((folder / part).glob("[!.]*/")):
            for name in names:
                for stem, file in steps.sorted_files(shot / name, ".png").items():
                    files[name][f"{part}/{shot.name}/{stem}"] = file
            for line in steps.read_lines(shot / "actions.txt"):
                frame, *words = line.split()
                labels.setdefault(f"{part}/{shot.name}/{Path(frame).stem}", set()).update(words)
    return files, labels
