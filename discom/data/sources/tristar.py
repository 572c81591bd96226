"""TRISTAR: rooms filmed by a thermal, a depth and a colour camera; the action in every frame.

Folders `{train,val,test}/<shot>/` with `thermal/`, `depth/` and `rgb/*.png` on one pixel grid, and
`actions.txt`, a line per frame: its name, then any number of labels. Thermal uint16 in 1/100 K,
depth uint16 in mm (0: no return), rgb uint8. Source: Stippel, Heitzinger & Kampel 2023.

Uncertain: the units (inferred from the authors' normalisation constants), which six of the 14
labels the paper took (a guess: states and transitions), and whether the parts share persons.
"""

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from discom.data.images import check_one_size, resize
from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import RemoteFile, Source
from discom.errors import ConfigError, DataError

__all__ = ["ACTIONS", "CLASSES", "TRISTAR", "read_tristar"]

CLASSES = ("sit", "walk", "stand", "lay", "get_down", "get_up")
OTHERS = "put_down pick_up drink type wave out_of_view out_of_room in_room"
ACTIONS = (*CLASSES, *OTHERS.split())
STORED = {"thermal": (1, np.uint16), "depth": (1, np.uint16), "rgb": (3, np.uint8)}
PER_UNIT = {"thermal": 100, "depth": 1000}


def read_tristar(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    orphans: str = "refuse",
    size: int | Sequence[int] = (120, 160),
    classes: Sequence[str] = CLASSES,
) -> MultiModalData:
    """Thermal [N, 1, H, W] in kelvin and depth [N, 1, H, W] in metres, 0 = not measured.

    A frame with none or with more than one of the `classes` is left out. The official folders are
    the parts; a shot is a group.

    Args:
        size: height and width; colours are averaged, else the nearest pixel is taken.
        classes: labels of actions.txt. The default six are a guess, see the top of this file.

    Raises:
        DataError: parts, shots or actions.txt missing, an unknown label, orphans, or another form.
    """
    names, shape = steps.choose(modalities, tuple(STORED), 2), steps.check_size(size)
    chosen = [name for name in classes if name in ACTIONS]
    if len(set(chosen)) < max(2, len(classes)):
        words = ", ".join(ACTIONS)
        raise ConfigError(f"classes: {classes!r} are not two or more different ones of {words}")
    folder, parts = _find_parts(Path(root))
    files, labels_of = _list_frames(folder, parts, names)
    frames, dropped = steps.pair({**files, "actions.txt": labels_of}, folder, orphans)
    actions = {frame: [name for name in chosen if name in labels_of[frame]] for frame in frames}
    kept = [frame for frame in frames if len(actions[frame]) == 1]
    if unclear := len(frames) - len(kept):
        text = f"{unclear} of {len(frames)} frames have none or several of {', '.join(chosen)}"
        warnings.warn(f"{folder}: {text}; left out", stacklevel=2)
    starts = [frame.partition("/")[0] for frame in kept]
    rows = {part: np.flatnonzero(np.array(starts) == name) for part, name in parts.items()}
    for frame in kept:
        check_one_size({name: files[name][frame] for name in names}, "the modalities")
    forms = {
        "thermal": steps.Form(partial(_read, "thermal", shape), (1, *shape), np.float32, "K"),
        "depth": steps.Form(partial(_read, "depth", shape), (1, *shape), np.float32, "m", 0.0),
        "rgb": steps.Form(partial(_read, "rgb", shape), (3, *shape), np.uint8),
    }
    images = {name: [files[name][frame] for frame in kept] for name in names}
    labels = np.array([chosen.index(actions[frame][0]) for frame in kept])
    return MultiModalData(
        steps.views(images, forms, labels, np.array(kept)),
        tuple(chosen),
        groups=np.array([frame.rpartition("/")[0] for frame in kept]),
        name=steps.variant("tristar", names, ["thermal", "depth"], "official"),
        parts=rows,
        about=TRISTAR.about({**dropped, "frames without one class": unclear}, "depth 0: no return"),
    )


def _find_parts(root: Path) -> tuple[Path, dict[str, str]]:
    """The folder of the three parts, and part → name of its folder."""
    what = "folder with train, val and test; unpack tristar.zip there"
    folders = steps.find_folder(root, ("train", "test"), what)
    valid = "val" if (folders[0] / "val").is_dir() else "validation"
    if len(folders) > 1 or not (folders[0] / valid).is_dir():
        wrong = "one of several" if len(folders) > 1 else "without its val (or validation)"
        raise DataError(f"{folders[0]}: is {wrong} folders; keep one, with train, val and test")
    return folders[0], {"train": "train", "valid": valid, "test": "test"}


def _list_frames(
    folder: Path, parts: dict[str, str], names: list[str]
) -> tuple[dict[str, dict[str, Path]], dict[str, set[str]]]:
    """Modality → "<part>/<shot>/<stem>" → file, and the same key → labels, by name."""
    files: dict[str, dict[str, Path]] = {name: {} for name in names}
    labels: dict[str, set[str]] = {}
    for part in parts.values():
        for shot in sorted((folder / part).glob("[!.]*/")):
            for name in names:
                for stem, file in steps.sorted_files(shot / name, ".png").items():
                    files[name][f"{part}/{shot.name}/{stem}"] = file
            for line in steps.read_lines(shot / "actions.txt"):
                frame, *words = line.split()
                key = f"{part}/{shot.name}/{Path(frame).stem}"
                if key in labels or set(words) - set(ACTIONS):
                    wrong = "is listed twice" if key in labels else "has an unknown label"
                    raise DataError(f"{shot / 'actions.txt'}: '{line[:60]}' {wrong}; mend the line")
                labels[key] = set(words)
    return files, labels


def _read(name: str, size: tuple[int, int], file: Path) -> np.ndarray:
    bands, kind = STORED[name]
    pixels = steps.read_form(file, name, kind, (bands, None, None))
    if name == "rgb":
        return resize(pixels, size, smooth=True)
    middle = np.median(pixels) / 100
    if name == "thermal" and not 270 <= middle <= 320:
        raise DataError(f"{file}: its median would be {middle:.2f} K; thermal is in 1/100 K")
    if not pixels.any():
        raise DataError(f"{file}: is 0 everywhere, nothing was measured; remove the frame")
    return resize(pixels, size, smooth=False).astype(np.float32) / PER_UNIT[name]


TRISTAR = Source(
    name="tristar",
    what="thermal, depth and colour video of persons in rooms, six actions (a guess which)",
    modalities={"thermal": "1×120×160, K", "depth": "1×120×160, m", "rgb": "3×120×160, on request"},
    size="size not known",
    licence="not known; see the Zenodo record",
    page="https://zenodo.org/record/7996570",
    read=read_tristar,
    files=(RemoteFile("tristar.zip", {"https://zenodo.org/record/7996570/files/tristar.zip": ""}),),
)
