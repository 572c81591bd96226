"""Mid-Air: frames of drone flights through two rendered landscapes, with metric depth and classes
per pixel.

Files `<set>/<climate>/<stream>/trajectory_<NNNN>/<6-digit frame>`, 1024×1024 pixels, 25 frames a
second: `color_left` is JPEG; `depth` is 16-bit PNG whose bits are a float16 in metres;
`segmentation` is 8-bit PNG with ids 0 … 13. Each flight stands under several climates, numbered
1000 apart. Frames may still be packed in `frames.zip`, beside which they are then unpacked. Source:
Fonder & Van Droogenbroeck 2019.

Uncertain: that trajectories with the same last three digits are one flight (inferred from the
numbering); whether the flights of a *_test set are others (with the same number they share a group)
and VO_test is a landscape of its own; whether sky is inf or only very far (both are read).
"""

import math
import os
import re
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from discom.data.images import check_one_size, read_pixels, resize
from discom.data.lazy import Lazy
from discom.data.multimodal import Modality, MultiModalData
from discom.data.sources.archives import unpack
from discom.data.sources.source import Source
from discom.data.sources.steps import (
    NO_LABEL,
    check_modalities,
    count_pixels,
    most_frequent,
    pair,
    sorted_files,
    walk,
)
from discom.errors import ConfigError, DataError

__all__ = ["CLASSES", "MIDAIR", "read_midair", "to_metres"]

RAW = (
    "sky", "animals", "trees", "dirt ground", "ground vegetation", "rocky ground", "boulders", "empty", "water plane",
    "man-made construction", "road", "train track", "road sign", "others",
)  # fmt: skip
MERGES = {  # class → ids in the files
    "co-semdepth": {"sky": [0], "water": [8], "trees": [2], "land": [3, 4, 5], "boulders": [6], "road": [10],
                    "construction": [9], "others": [1, 7, 11, 12, 13]},
    "none": {name: [number] for number, name in enumerate(RAW)},
}  # fmt: skip
CLASSES = tuple(MERGES["co-semdepth"])
STREAMS = {"rgb": "color_left", "depth": "depth", "masks": "segmentation"}
ENDINGS = {
    "rgb": (".jpeg", ".jpg", ".png"),
    "depth": (".png",),
    "masks": (".png",),
}  # JPEG would spoil the other two
LANDSCAPES = ("Kite", "PLE", "VO")  # a set is called <landscape>_<purpose>


def read_midair(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    orphans: str = "refuse",
    size: int = 256,
    every: int = 25,
    far: float = 1250.0,
    merge: str = "co-semdepth",
) -> MultiModalData:
    """RGB [N, 3, size, size] uint8, depth [N, 1, size, size] in metres, and masks; a flight in all
    climates is a group.

    Args:
        root: a folder that holds <set>/<climate>/ at any depth.
        modalities: of rgb and depth; both by default. The stream of the other is not needed.
        orphans: "refuse" or "drop" frames that one stream lacks.
        size: pixels of a side; colours are averaged, depth and classes take the nearest pixel.
        every: keep frames whose number is a multiple of this; 25 is one a second, since neighbours
        hardly differ.
        far: metres; what is farther, as the sky, counts as not measured (0), since a scaling that
            reached to the sky would leave no range for the ground. The authors' viewer ends at 1250
            m.
        merge: "co-semdepth" (eight classes, as Co-SemDepth merges them) or "none" (all 14, of which
            id 7 is the class named "empty").

    Raises:
        DataError: folders or a stream missing, orphans, or a file of another form.
        ConfigError: an option out of its range.
    """
    names = list(modalities or ("rgb", "depth"))
    _check_options(names, size, every, far, merge)
    root, classes = Path(root), tuple(MERGES[merge])
    held = _files(root, [*names, "masks"], every)
    keys, dropped = pair(held, str(root), orphans)
    for key in keys:
        check_one_size({STREAMS[name]: files[key] for name, files in held.items()}, "the streams")
    masks = Lazy(
        [held["masks"][key] for key in keys],
        partial(_read_mask, size, merge),
        (size, size),
        np.uint8,
    )
    pixels = count_pixels(masks, len(classes), str(root))
    labels = most_frequent(pixels)
    never = [name for label, name in enumerate(classes) if label not in labels]
    if absent := [
        name for name, count in zip(classes, pixels.sum(axis=0), strict=True) if not count
    ]:
        warnings.warn(
            f"{root}: no pixel is {', '.join(absent)}; leave that out of means over classes",
            stacklevel=2,
        )

    def modality(name: str) -> Modality:
        files, ids = [held[name][key] for key in keys], np.array(keys)
        if name == "rgb":
            return Modality(
                Lazy(files, partial(_read_rgb, size), (3, size, size), np.uint8), labels, ids
            )
        depth = Lazy(files, partial(_read_depth, size, far), (1, size, size), np.float32)
        return Modality(depth, labels, ids, "m", invalid=0.0)

    return MultiModalData(
        {name: modality(name) for name in names},
        classes,
        dense=True,
        masks=masks,
        groups=np.array([_flight(key) for key in keys]),
        name="-".join(["midair", *(names if names != ["rgb", "depth"] else []), "grouped"]),
        about={"source": MIDAIR.page, "licence": MIDAIR.licence, "dropped": dropped,
               "invalid values": f"depth 0 is not measured, nor is what is beyond {far:g} m or inf, as the sky",
               "masks": "class per pixel, 255 = no label", "classes": f"merge={merge}", "absent classes": absent,
               "never the largest class of a frame": never,
               "frames": f"those whose number {every} divides, resized to {size}×{size}"},
    )  # fmt: skip


def _check_options(names: list[str], size: int, every: int, far: float, merge: str) -> None:
    check_modalities(names, ("rgb", "depth"), "midair")
    for option, value in {"size": size, "every": every}.items():
        if not isinstance(value, int) or value < 1:
            raise ConfigError(f"{option}: {value!r} is no whole number from 1 on; give one")
    if not isinstance(far, int | float) or not 0 < far < math.inf:
        raise ConfigError(f"far: {far!r} is no positive number of metres; give one, such as 1250")
    if merge not in list(MERGES):
        raise ConfigError(f"merge: '{merge}' is unknown; choose {' or '.join(MERGES)}")


def _flight(key: str) -> str:
    """Landscape and number of the flight, whatever the climate: it flies the same path through the
    same scene."""
    collection, _, number, _ = key.split("/")
    return f"{collection.partition('_')[0]}-{int(number) % 1000:03d}"


def _files(root: Path, names: list[str], every: int) -> dict[str, dict[str, Path]]:
    """Modality → "<set>/<climate>/<NNNN>/<frame>" → file, of the frames that are kept."""
    held: dict[str, dict[str, Path]] = {name: {} for name in names}
    for place, folder in _climates(root, [STREAMS[name] for name in names]).items():
        flights = {name: _trajectories(folder / STREAMS[name]) for name in names}
        for number in sorted(set().union(*flights.values())):
            for name, found in flights.items():
                if number not in found:
                    missing = folder / STREAMS[name] / f"trajectory_{number}"
                    raise DataError(f"{missing}: missing, but another stream has it; fetch it too")
                for frame, file in _frames(found[number], ENDINGS[name]).items():
                    if int(frame) % every == 0:
                        held[name][f"{place}/{number}/{frame}"] = file
    if not any(held.values()):
        raise DataError(
            f"{root}: no frame's number is a multiple of {every}; take a smaller 'every'"
        )
    return held


def _climates(root: Path, streams: list[str]) -> dict[str, Path]:
    """Set and climate, as "<set>/<climate>" → their folder, wherever it is below `root`."""
    found: dict[str, Path] = {}
    for folder, inside, _ in walk(root):
        if not any(any((folder / stream).glob("trajectory_*")) for stream in streams):
            continue
        inside.clear()  # there are only frames below
        collection, climate = Path(os.path.abspath(folder)).parts[-2:]
        if collection.partition("_")[0] not in LANDSCAPES:
            raise DataError(
                f"{folder}: lies in '{collection}', no set such as Kite_training; keep <set>/<climate>/"
            )
        place = f"{collection}/{climate}"
        if place in found:
            raise DataError(
                f"{folder}: {place} stands at {found[place]} too; move the streams together, or remove one"
            )
        found[place] = folder
    if not found:
        raise DataError(
            f"{root}: holds no <set>/<climate>/{streams[0]}/trajectory_<NNNN>. {MIDAIR.by_hand}"
        )
    return found


def _trajectories(stream: Path) -> dict[str, Path]:
    """Number → folder of its frames."""
    if not stream.is_dir():
        raise DataError(f"{stream}: no such folder; fetch this stream of the climate too")
    folders = [
        sub for sub in sorted(stream.iterdir()) if sub.is_dir() and not sub.name.startswith(".")
    ]
    if stray := [
        folder for folder in folders if not re.fullmatch(r"trajectory_\d{4}", folder.name)
    ]:
        raise DataError(f"{stray[0]}: is no trajectory_<4 digits>; give it its number or remove it")
    return {folder.name.removeprefix("trajectory_"): folder for folder in folders}


def _frames(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    """Frame → image; unpacked from frames.zip where only that is there, or where an earlier call
    was cut off."""
    packed, unfinished = folder / "frames.zip", folder / ".frames.zip.unfinished"
    files = sorted_files(folder, *endings)
    if packed.is_file() and (unfinished.is_file() or not files):
        unfinished.touch()
        unpack(packed, folder)
        unfinished.unlink()
        files = sorted_files(folder, *endings)
    if not files:
        raise DataError(
            f"{folder}: holds no <6 digits>{' or '.join(endings)}; unpack or fetch this trajectory again"
        )
    if stray := [file for stem, file in files.items() if not re.fullmatch(r"\d{6}", stem)]:
        raise DataError(
            f"{stray[0]}: is no <6 digits>{stray[0].suffix}; give it its frame number or remove it"
        )
    return files


def _square(file: Path, kind: type, what: str) -> np.ndarray:
    pixels = read_pixels(file)
    if pixels.dtype != kind:
        raise DataError(f"{file}: holds {pixels.dtype}, but {what}; take the original file")
    if pixels.shape[1] != pixels.shape[2]:
        raise DataError(
            f"{file}: has {pixels.shape[1]}×{pixels.shape[2]} pixels, Mid-Air's are square; fetch it again"
        )
    return pixels


def _read_rgb(size: int, file: Path) -> np.ndarray:
    pixels = _square(file, np.uint8, "colours are uint8")
    if len(pixels) != 3:
        raise DataError(
            f"{file}: has {len(pixels)} band(s), color_left has 3; take the original file"
        )
    return resize(pixels, (size, size), smooth=True)


def to_metres(bits: np.ndarray) -> np.ndarray:
    """Depth as Mid-Air's PNG files store it: the bits of a float16 in metres; float32, since sums
    of float16 overflow.

    >>> to_metres(np.array([0, 15360, 31744], np.uint16)).tolist()
    [0.0, 1.0, inf]
    """
    return bits.view(np.float16).astype(np.float32)


def _read_depth(size: int, far: float, file: Path) -> np.ndarray:
    bits = _square(file, np.uint16, "depth is 16 bits a pixel, those of a float16")
    if len(bits) != 1:
        raise DataError(f"{file}: has {len(bits)} bands, depth has 1; take the original file")
    metres = to_metres(bits)
    low, high = metres.min(), metres.max()
    if (
        not low >= 0 or high < 1
    ):  # NaN, which is not >= 0; whole metres or disparities look all near
        raise DataError(
            f"{file}: its float16 bits say {low:g} … {high:g} m: wrong byte order or code; fetch it again"
        )
    metres[metres > far] = 0
    return resize(metres, (size, size), smooth=False)


def _read_mask(size: int, merge: str, file: Path) -> np.ndarray:
    ids = _square(file, np.uint8, "class ids are uint8")[
        0
    ]  # the ids, also where there are three channels
    if ids.max() >= len(RAW):
        raise DataError(
            f"{file}: holds class id {ids.max()}; Mid-Air has 0 … {len(RAW) - 1}; take the original file"
        )
    merged = np.full(len(RAW), NO_LABEL, np.uint8)
    for label, numbers in enumerate(MERGES[merge].values()):
        merged[numbers] = label
    return resize(merged[ids][None], (size, size), smooth=False)[0]


MIDAIR = Source(
    name="midair",
    what="drone flights through rendered landscapes, 54 flights in three or four climates, eight classes per pixel",
    modalities={"rgb": "3×256×256, uint8", "depth": "1×256×256, m"},
    size="some hundred GB in all; one climate is enough",
    licence="not stated in what was read; see the page",
    page="https://midair.ulg.ac.be",
    read=read_midair,
    by_hand="At https://midair.ulg.ac.be/download.html choose Left RGB, Depth and Semantic segmentation of one climate;"
    " an e-mail address gets a list of links. Put what the archives hold under the root, as"
    " MidAir/<set>/<climate>/color_left, depth, segmentation",
)
