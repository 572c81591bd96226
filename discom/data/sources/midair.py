"""Mid-Air: frames of drone flights through two rendered landscapes, with classes per pixel.

Files `<set>/<climate>/<stream>/trajectory_<NNNN>/<6-digit frame>`, 1024×1024 pixels, 25 a second:
`color_left` is JPEG; `depth` is 16-bit PNG whose bits are a float16 in metres; `segmentation` is
8-bit PNG with ids 0 … 13. Source: Fonder & Van Droogenbroeck 2019. Uncertain: that trajectories
with the same last three digits are one flight under several climates (inferred from the numbering).
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from discom.data.checks import check_number
from discom.data.multimodal import MultiModalData
from discom.data.sources import steps
from discom.data.sources.source import Source
from discom.errors import DataError

NAMES = "sky, water, trees, land, boulders, road, construction, others"
CLASSES = tuple(NAMES.split(", "))  # as Co-SemDepth merges the 14 ids of the files
CLASS_OF = np.array([0, 7, 2, 3, 3, 3, 4, 7, 1, 6, 5, 7, 7, 7], np.uint8)  # of id 0 … 13
FAR = 1250.0  # metres; what is farther, as the sky, counts as not measured
STREAMS = {"rgb": "color_left", "depth": "depth", "masks": "segmentation"}
FORM = "<set>/<climate>/<stream>/trajectory_<NNNN>/<6 digits>"
ENDINGS = {"rgb": (".jpeg", ".jpg", ".png"), "depth": (".png",), "masks": (".png",)}


def read_midair(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    size: int | Sequence[int] = 256,
    every: int = 25,
) -> MultiModalData:
    """RGB [N, 3, size, size], depth [N, 1, size, size] in metres, 0 = not measured, and masks.

    A flight in all its climates is a group. The stream of a modality not asked for is not needed.

    Args:
        size: height and width, or one for both; colours are averaged, else the nearest.
        every: keep frames whose number is a multiple of this; 25 is one a second.
    """
    names, root = steps.choose(MIDAIR, modalities), Path(root)
    check_number("every", every, 1)
    files = {name: _frames(root, name, every) for name in [*names, "masks"]}
    keys = steps.pair(files, root)
    items = steps.collect(files, keys)
    forms = {
        "rgb": steps.Form(steps.read_colours, smooth=True),
        "depth": steps.Form(_read_depth, "m", 0.0),
        "masks": steps.Form(_read_mask),
    }
    parts = [key.split("/") for key in keys]  # a flight's number ends alike in all climates
    groups = np.array([f"{kind.partition('_')[0]}-{number[1:]}" for kind, _, number, _ in parts])
    return steps.build(MIDAIR, items, forms, keys, CLASSES, "grouped", size=size, groups=groups)


def _frames(root: Path, name: str, every: int) -> dict[str, Path]:
    """Key <set>/<climate>/<NNNN>/<frame> → file of a stream."""
    files: dict[str, Path] = {}
    for folder in steps.find(root.absolute(), "trajectory_*"):
        collection, climate, stream, trajectory = folder.parts[-4:]
        if stream != STREAMS[name]:
            continue
        images = steps.sorted_files(folder, *ENDINGS[name])
        if not images and (folder / "frames.zip").is_file():
            raise DataError(folder / "frames.zip", "is not unpacked", "unzip it where it lies")
        for frame, file in images.items():
            key = f"{collection}/{climate}/{trajectory.removeprefix('trajectory_')}/{frame}"
            if not re.fullmatch(r"(Kite|PLE|VO)_.+/.+/\d{4}/\d{6}", key) or key in files:
                raise DataError(file, f"is not {FORM}, or a second copy of one", "move it away")
            if int(frame) % every == 0:
                files[key] = file
    if not files:
        found = f"holds no {FORM} of {STREAMS[name]} and a multiple of {every}. {MIDAIR.by_hand}"
        raise DataError(root, found)
    return files


def _read_depth(file: Path) -> np.ndarray:
    bits = steps.read_form(file, "depth", np.uint16, (1, None, None))
    metres = bits.view(np.float16).astype(np.float32)
    low, high = metres.min(), metres.max()
    if not low >= 0 or high < 1:  # NaN is not >= 0; whole metres or disparities look all near
        span = f"its float16 bits say {low:g} … {high:g} m"
        raise DataError(file, span, "take the original file")
    metres[metres > FAR] = 0
    return metres


def _read_mask(file: Path) -> np.ndarray:
    ids = steps.read_form(file, "segmentation", np.uint8, (None, None, None))[0]  # the bands repeat
    if ids.max() >= len(CLASS_OF):
        raise DataError(file, f"class id {ids.max()} is above 13", "take the original file")
    return CLASS_OF[ids]


MIDAIR = Source(
    name="midair",
    what="drone flights through rendered landscapes, 54 flights in 3-4 climates, classes per pixel",
    modalities={"rgb": "3×256×256, uint8", "depth": "1×256×256, m"},
    size="some hundred GB in all; one climate is enough",
    licence="not stated in what was read; see the page",
    page="https://midair.ulg.ac.be",
    read=read_midair,
    by_hand="At https://midair.ulg.ac.be/download.html choose Left RGB, Depth and Semantic"
    " segmentation of one climate; an e-mail address gets a list of links. Unpack the archives"
    " under the root, as MidAir/<set>/<climate>/color_left, depth, segmentation, and each"
    " frames.zip where it lies",
)
