"""Mid-Air: frames of drone flights through two rendered landscapes, with classes per pixel.

Files `<set>/<climate>/<stream>/trajectory_<NNNN>/<6-digit frame>`, 1024×1024 pixels, 25 a second:
`color_left` is JPEG; `depth` is 16-bit PNG whose bits are a float16 in metres; `segmentation` is
8-bit PNG with ids 0 … 13. Source: Fonder & Van Droogenbroeck 2019. Uncertain: that trajectories
with the same last three digits are one flight under several climates (inferred from the numbering).
"""

import re
from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Size, Source, steps
from discom.errors import DataError

CLASS_OF = np.array([0, 7, 2, 3, 3, 3, 4, 7, 1, 6, 5, 7, 7, 7], np.uint8)  # of id 0 … 13
EVERY = 25  # so many frames one is kept: one a second
FAR = 1250.0  # metres; what is farther, as the sky, counts as not measured
STREAMS = {"rgb": "color_left", "depth": "depth", "masks": "segmentation"}
FORM = "<set>/<climate>/<stream>/trajectory_<NNNN>/<6 digits>"


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


class MidAir(Source):
    """RGB, depth and masks, a frame a second; a flight in all its climates is a group."""

    name = "midair"
    what = "drone flights over rendered landscapes, 54 flights in 3-4 climates, classes per pixel"
    # as Co-SemDepth merges the 14 ids of the files
    classes = ("sky", "water", "trees", "land", "boulders", "road", "construction", "others")
    sensors = {
        "rgb": Sensor("3×256×256", read=steps.read_colours, smooth=True),
        "depth": Sensor("1×256×256", "m", _read_depth, invalid=0.0),
        "masks": Sensor(read=_read_mask),
    }
    symmetry = "all"
    size = "some hundred GB in all; one climate is enough"
    licence = "not stated in what was read; see the page"
    page = "https://midair.ulg.ac.be"
    by_hand = (
        f"At {page}/download.html choose Left RGB, Depth and Semantic segmentation of one climate;"
        " an e-mail address gets a list of links. Unpack the archives under the root, as"
        " MidAir/<set>/<climate>/color_left, depth, segmentation, and each frames.zip where it lies"
    )

    def read_raw(self, root: Path, names: list[str], size: Size = 256) -> MultiModalData:
        """`size`: height and width, or one for both."""
        files = {name: _find_frames(root, STREAMS[name]) for name in [*names, "masks"]}
        keys = steps.pair(files, root)
        flights = [key.split("/") for key in keys]  # a number ends alike in all climates
        groups = np.array([f"{kind.partition('_')[0]}-{n[1:]}" for kind, _, n, _ in flights])
        images = {name: [own[key] for key in keys] for name, own in files.items()}
        return self.build(images, keys, size=size, groups=groups)


def _find_frames(root: Path, stream: str) -> dict[str, Path]:
    """Key <set>/<climate>/<NNNN>/<frame> → file of a stream."""
    files: dict[str, Path] = {}
    for folder in steps.find(root.absolute(), f"{stream}/trajectory_*"):
        collection, climate, _, trajectory = folder.parts[-4:]
        images = steps.sorted_files(folder, ".jpeg", ".jpg", ".png")
        for frame, file in images.items():
            key = f"{collection}/{climate}/{trajectory.removeprefix('trajectory_')}/{frame}"
            if not re.fullmatch(r"(Kite|PLE|VO)_.+/.+/\d{4}/\d{6}", key) or key in files:
                raise DataError(file, f"is not {FORM}, or a second copy of one", "move it away")
            if int(frame) % EVERY == 0:
                files[key] = file
    return files
