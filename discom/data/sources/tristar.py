"""TRISTAR: rooms filmed by a thermal, a depth and a colour camera, with the action of the person in
every frame.

Folders `{train,val,test}/<shot>/` with `thermal/`, `depth/` and `rgb/*.png` (on one pixel grid,
which is checked) and `actions.txt`, a line per frame: its name, then any number of labels. Thermal
uint16 in 1/100 K, depth uint16 in mm (0: no return), rgb uint8. Source: Stippel, Heitzinger &
Kampel 2023.

UNCERTAIN: the two units are inferred from the authors' normalisation constants (means 29 903 and 2
959), and which six of the 14 labels the paper took as classes is a guess: the states and the
transitions. Whether the official parts share persons is not known either; persons do repeat between
shots.
"""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from discom.data.images import check_one_size, read_pixels, resize
from discom.data.lazy import Lazy
from discom.data.multimodal import Modality, MultiModalData
from discom.data.sources.download import RemoteFile
from discom.data.sources.source import Source
from discom.data.sources.steps import check_modalities, find_folder, pair, sorted_files
from discom.errors import ConfigError, DataError

__all__ = ["ACTIONS", "CLASSES", "TRISTAR", "read_tristar"]

CLASSES = ("sit", "walk", "stand", "lay", "get_down", "get_up")
ACTIONS = (
    *CLASSES, "put_down", "pick_up", "drink", "type", "wave", "out_of_view", "out_of_room", "in_room",
)  # fmt: skip
DEFAULT = ("thermal", "depth")
# name → bands and type in the file, type and unit here, values per unit
FORMS = {
    "thermal": (1, np.uint16, np.float32, "K", 100),
    "depth": (1, np.uint16, np.float32, "m", 1000),
    "rgb": (3, np.uint8, np.uint8, "", 1),
}
KELVIN = (270, 320)  # where the median of a room lies
LINES = "actions.txt"


def read_tristar(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    orphans: str = "refuse",
    size: Sequence[int] = (120, 160),
    classes: Sequence[str] = CLASSES,
) -> MultiModalData:
    """Thermal [N, 1, H, W] in kelvin and depth [N, 1, H, W] in metres, read from their files when
    asked for.

    A frame with none or with more than one of the `classes` is left out. One that has one of them
    is kept also where it is marked `out_of_view`, that is without a person in the picture. The
    first frame of each shot is read at once, to check form and unit; the grid is compared in every
    frame.

    Args:
        root: a folder that holds train, val (or validation, where there is no val) and test, at any
        depth.
        modalities: of thermal, depth and rgb; thermal and depth by default.
        orphans: "refuse" or "drop" frames that a modality or actions.txt lacks.
        size: height and width here, half of what the authors use by default; colours are averaged,
            of depth and temperature the nearest pixel is taken.
        classes: labels of actions.txt. The default six are a guess, see the top of this file.

    Raises:
        ConfigError: an unknown modality or class, or a size that is none.
        DataError: parts, shots or actions.txt missing, an unknown label, orphans, or a file of
            another form.
    """
    names = list(modalities or DEFAULT)
    check_modalities(names, tuple(FORMS), "tristar")
    size, classes = _checked_size(size), _checked_classes(classes)
    folder, parts = _find_parts(Path(root))
    held = _list_frames(folder, list(parts.values()), names)
    frames, dropped = pair(held, str(folder), orphans)
    label_of, left_out = _one_label(frames, held[LINES], classes, folder)
    ids, labels = np.array(list(label_of), dtype=str), np.array(list(label_of.values()))
    rows = _rows(ids, parts, folder)
    groups = np.array([frame.rpartition("/")[0] for frame in label_of])
    files = {name: [held[name][frame] for frame in label_of] for name in names}
    for row in range(len(ids)):
        check_one_size({name: files[name][row] for name in names}, "the modalities")
    for row in np.unique(groups, return_index=True)[1]:
        for name in names:
            _pixels(files[name][row], name)  # form and unit, before anything is written

    def modality(name: str) -> Modality:
        bands, _, kind, unit, _ = FORMS[name]
        images = Lazy(files[name], partial(_read, name=name, size=size), (bands, *size), kind)
        return Modality(images, labels, ids, unit, invalid=0.0 if name == "depth" else None)

    return MultiModalData(
        {name: modality(name) for name in names},
        classes,
        groups=groups,
        name="-".join(["tristar", *(names if names != list(DEFAULT) else []), "official"]),
        parts=rows,
        about={"source": TRISTAR.page, "licence": TRISTAR.licence, "dropped": dropped | left_out,
               "invalid values": "depth 0 m is no return; temperatures stay as they are, but a frame whose median is"
               " outside 270 … 320 K is refused",
               "classes": "uncertain: the six of the paper are not known; chosen here were " + ", ".join(classes),
               "parts": "the official folders " + ", ".join(parts.values()) + "; they may share persons",
               "size": "{} × {}; nearest pixel of depth and temperature, mean of colours".format(*size)},
    )  # fmt: skip


def _checked_size(size: Any) -> tuple[int, int]:
    if not (
        isinstance(size, Sequence)
        and len(size) == 2
        and all(isinstance(n, int) and n > 0 for n in size)
    ):
        raise ConfigError(f"size: {size!r} is no height and width in pixels; write e.g. [120, 160]")
    return size[0], size[1]


def _checked_classes(classes: Any) -> tuple[str, ...]:
    chosen = (
        tuple(classes)
        if isinstance(classes, Sequence) and not isinstance(classes, str)
        else (classes,)
    )
    if unknown := [name for name in chosen if name not in ACTIONS]:
        raise ConfigError(
            f"classes: tristar has no action '{unknown[0]}'; choose of {', '.join(ACTIONS)}"
        )
    if len(set(chosen)) < max(2, len(chosen)):
        raise ConfigError(
            f"classes: {list(chosen)} are not two or more different actions; name each of them once"
        )
    return chosen


def _find_parts(root: Path) -> tuple[Path, dict[str, str]]:
    """The folder of the three parts, and part → name of its folder."""
    what = "folder with train, val and test, TRISTAR's parts; unpack tristar.zip there"
    full = {
        folder: name
        for folder in find_folder(root, ("train", "test"), what)
        for name in ("validation", "val")  # the later, where both are there
        if (folder / name).is_dir()
    }
    if not full:
        raise DataError(
            f"{root}: holds train and test, but no val (or validation) beside them; unpack tristar.zip again"
        )
    if len(full) > 1:
        raise DataError(
            f"{root}: {' and '.join(map(str, full))} all hold train, val and test; give one of them"
        )
    ((folder, valid),) = full.items()
    return folder, {"train": "train", "valid": valid, "test": "test"}


def _list_frames(
    folder: Path, parts: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Modality → frame → file, and actions.txt → frame → labels; a frame is
    "<part>/<shot>/<stem>"."""
    held = {name: {} for name in [*names, LINES]}
    for part in parts:
        inside = sorted((folder / part).iterdir())
        shots = [shot for shot in inside if shot.is_dir() and not shot.name.startswith(".")]
        if not shots:
            raise DataError(f"{folder / part}: holds no shot; unpack tristar.zip again")
        for shot in shots:
            found = {name: sorted_files(shot / name, ".png") for name in names}
            for name, content in [*found.items(), (LINES, _read_lines(shot / LINES))]:
                held[name] |= {
                    f"{part}/{shot.name}/{stem}": value for stem, value in content.items()
                }
    return held


def _read_lines(file: Path) -> dict[str, set[str]]:
    """Stem of the frame → its labels; they are looked up by name, the order of the lines does not
    matter."""
    if not file.is_file():
        raise DataError(f"{file}: missing; unpack tristar.zip again, or move this shot away")
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file}: is no UTF-8 text (byte {error.start}); unpack tristar.zip again"
        ) from None
    found: dict[str, set[str]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        frame, *labels = line.split()
        stem = Path(frame).stem
        if unknown := [word for word in labels if word not in ACTIONS]:
            raise DataError(
                f"{file}: line {number} has the label '{unknown[0]}'; write one of {', '.join(ACTIONS)}, or remove it"
            )
        if stem in found:
            raise DataError(
                f"{file}: line {number} names frame {stem} again; remove one of its lines"
            )
        found[stem] = set(labels)
    if not found:
        raise DataError(f"{file}: names no frame; unpack tristar.zip again, or move this shot away")
    return found


def _one_label(
    frames: Sequence[str], labels: Mapping[str, set[str]], classes: Sequence[str], folder: Path
) -> tuple[dict[str, int], dict[str, int]]:
    """Frame → class where exactly one of the `classes` is given, and how many frames have none or
    several."""
    chosen = {
        frame: [k for k, name in enumerate(classes) if name in labels[frame]] for frame in frames
    }
    counts = [len(found) for found in chosen.values()]
    none, several = counts.count(0), sum(count > 1 for count in counts)
    if none or several:
        told = f"{none} of {len(frames)} frames have none of the classes {', '.join(classes)}, {several} more than one"
        warnings.warn(f"{folder}: {told}; left out", stacklevel=3)
    left_out = {
        "frames with none of the classes": none,
        "frames with several of the classes": several,
    }
    return {frame: found[0] for frame, found in chosen.items() if len(found) == 1}, left_out


def _rows(ids: np.ndarray, parts: Mapping[str, str], folder: Path) -> dict[str, np.ndarray]:
    rows = {
        part: np.flatnonzero(np.char.startswith(ids, f"{name}/")) for part, name in parts.items()
    }
    if empty := [parts[part] for part, found in rows.items() if not len(found)]:
        raise DataError(
            f"{folder / empty[0]}: no frame has exactly one of the classes; choose other classes"
        )
    return rows


def _pixels(file: Path, name: str) -> np.ndarray:
    """One frame [C, H, W] with the file's own values."""
    pixels = read_pixels(file)
    bands, kind, *_ = FORMS[name]
    if len(pixels) != bands or pixels.dtype != kind:
        raise DataError(
            f"{file}: holds {pixels.dtype} in {len(pixels)} channel(s), {name} is {np.dtype(kind)} in {bands}; take"
            " the original file"
        )
    if name == "thermal" and not KELVIN[0] <= np.median(pixels) / 100 <= KELVIN[1]:
        raise DataError(
            f"{file}: its median, {np.median(pixels):g}, would be {np.median(pixels) / 100:.2f} K, and a room has"
            f" {KELVIN[0]} … {KELVIN[1]} K; thermal must be in 1/100 K"
        )
    if name == "depth" and not pixels.any():
        raise DataError(
            f'{file}: all depth is 0, no return; remove it, with --options \'{{"orphans": "drop"}}\''
        )
    return pixels


def _read(file: Path, name: str, size: tuple[int, int]) -> np.ndarray:
    _, _, kind, _, per_unit = FORMS[name]
    pixels = resize(_pixels(file, name), size, smooth=name == "rgb")
    return pixels if name == "rgb" else pixels.astype(kind) / per_unit


TRISTAR = Source(
    name="tristar",
    what="thermal, depth and colour video of persons in rooms, one of six actions (a guess which) per frame",
    modalities={"thermal": "1×120×160, K", "depth": "1×120×160, m", "rgb": "3×120×160, on request"},
    size="size not known",
    licence="not known; see the Zenodo record",
    page="https://zenodo.org/record/7996570",
    read=read_tristar,
    files=(
        RemoteFile(
            "tristar.zip",
            ("https://zenodo.org/record/7996570/files/tristar.zip",),
            record="7996570",
        ),
    ),
)
