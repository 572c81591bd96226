"""TRISTAR: rooms filmed by a thermal, a depth and a colour camera; the action in every frame.

Folders `{train,val,test}/<shot>/` with `thermal/`, `depth/` and `rgb/*.png` on one pixel grid, and
`actions.txt`, a line per frame: its name, then any number of labels. Thermal uint16 in 1/100 K,
depth uint16 in mm (0: no return), rgb uint8. Source: Stippel, Heitzinger & Kampel 2023.

Uncertain: the units (inferred from the authors' normalisation constants), which six of the 14
labels the paper took (a guess: states and transitions), and whether the parts share persons.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import RemoteFile, Source
from discom.errors import DataError

CLASSES = ("sit", "walk", "stand", "lay", "get_down", "get_up")
FOLDERS = {"train": "train", "valid": "val", "test": "test"}
PER_UNIT = {"thermal": 100, "depth": 1000}


def read_tristar(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    size: int | Sequence[int] = (120, 160),
) -> MultiModalData:
    """Thermal [N, 1, H, W] in kelvin and depth [N, 1, H, W] in metres, 0 = not measured.

    A frame with none or with more than one of the six classes is left out. The official folders are
    the parts; a shot is a group.

    Args:
        size: height and width; colours are averaged, else the nearest pixel is taken.
    """
    names = steps.choose(TRISTAR, modalities, "rgb")
    what = "folder with train, val and test; unpack tristar.zip there"
    folder = steps.find_folder(Path(root), list(FOLDERS.values()), what)
    files, labels_of = _list_frames(folder, names)
    frames = steps.pair({**files, "actions.txt": labels_of}, folder)
    actions = {frame: [name for name in CLASSES if name in labels_of[frame]] for frame in frames}
    kept = [frame for frame in frames if len(actions[frame]) == 1]
    unclear = f"{len(frames)} frames have none or several of {', '.join(CLASSES)}"
    steps.warn_left_out(folder, len(frames) - len(kept), unclear)
    forms = {
        "thermal": steps.Form(partial(_read, "thermal"), "K"),
        "depth": steps.Form(partial(_read, "depth"), "m", 0.0),
        "rgb": steps.Form(steps.read_colours, smooth=True),
    }
    items = steps.collect(files, kept)
    labels = [CLASSES.index(actions[frame][0]) for frame in kept]
    groups = np.array([frame.rpartition("/")[0] for frame in kept])
    part_of = np.array([frame.partition("/")[0] for frame in kept])
    parts = {part: np.flatnonzero(part_of == name) for part, name in FOLDERS.items()}
    more = {"labels": labels, "groups": groups, "parts": parts}
    return steps.build(TRISTAR, items, forms, kept, CLASSES, "official", size=size, **more)


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
                key = f"{part}/{shot.name}/{Path(frame).stem}"
                if key in labels:
                    raise DataError(shot / "actions.txt", f"lists {frame} twice", "remove one")
                labels[key] = set(words)
    return files, labels


def _read(name: str, file: Path) -> np.ndarray:
    pixels = steps.read_form(file, name, np.uint16, (1, None, None))
    middle = np.median(pixels) / 100
    if name == "thermal" and not 270 <= middle <= 320:
        raise DataError(file, f"its median would be {middle:.2f} K", "save thermal in 1/100 K")
    if not pixels.any():
        raise DataError(file, "is 0 everywhere, nothing was measured", "remove the frame")
    return pixels.astype(np.float32) / PER_UNIT[name]


TRISTAR = Source(
    name="tristar",
    what="thermal, depth and colour video of persons in rooms, six actions (a guess which)",
    modalities={"thermal": "1×120×160, K", "depth": "1×120×160, m"},
    size="size not known",
    licence="not known; see the Zenodo record",
    page="https://zenodo.org/record/7996570",
    read=read_tristar,
    files=(RemoteFile("tristar.zip", "https://zenodo.org/record/7996570/files/tristar.zip"),),
)
