"""SUN RGB-D, the Kinect v2 frames of Ferreri et al. 2021: 2 105 pairs of colour and depth, ten
kinds of rooms.

A frame is a folder of SUNRGBD.zip: `image/*.jpg`, `depth/*.png` (as measured, with holes),
`depth_bfx/*.png` (holes filled in), `scene.txt`. Depth is uint16: millimetres whose bits are
rotated left by three, 0 where nothing was measured. Two lists make the subset: `kv2.txt`
(kv2/<class>/<id>.png <label>) and `mapping.txt` (<id>.png -> the frame's folder). Sources: Song et
al. 2015 (frames), Ferreri, Bucci and Tommasi 2021 (lists).
"""

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import ExifTags, ImageOps

from discom.data.images import ENDINGS, open_image, read_pixels, resize
from discom.data.lazy import Lazy
from discom.data.multimodal import Modality, MultiModalData
from discom.data.sources.download import RemoteFile
from discom.data.sources.source import Source
from discom.data.sources.steps import check_modalities, find_folder, pair, sorted_files
from discom.errors import ConfigError, DataError

__all__ = ["CLASSES", "SUNRGBD", "read_sunrgbd", "to_metres"]

# frames of each class in kv2.txt; by name: where a sensor lacks a class, the numbers in its list
# are others
PUBLISHED = {
    "bathroom": 150, "bedroom": 121, "classroom": 535, "computer_room": 65, "conference_room": 69,
    "dining_area": 192, "discussion_area": 62, "kitchen": 86, "office": 418, "rest_space": 407,
}  # fmt: skip
CLASSES = tuple(PUBLISHED)
DEPTHS = {"raw": "depth", "refined": "depth_bfx"}  # option → folder
DAY = r"\d{4}-\d{2}-\d{2}"  # in a folder's name; the rest of it varies
CREDIBLE = 10.0  # metres; most of a frame of rooms is nearer
REPOSITORY = "silvia1993/Multi-Modal_RGB-D_Scene_Recognition_Across_Domains"
Frames = dict[str, tuple[str, int]]  # folder below SUNRGBD (kv2/…/…) → id and class
RAW = f"https://raw.githubusercontent.com/{REPOSITORY}/e09eca769bc6cc45440796baab1118fac0b3f5d9/subsets"
LISTS = {name: f"{RAW}/{name}" for name in ("kv2.txt", "mapping.txt")}


def read_sunrgbd(
    root: Path | str,
    modalities: Sequence[str] | None = None,
    orphans: str = "refuse",
    depth: str = "raw",
    size: int | Sequence[int] = (224, 224),
    far: float = 8.0,
) -> MultiModalData:
    """Colour, uint8 [N, 3, H, W], and depth in metres, float32 [N, 1, H, W], read from their files
    when asked for.

    The class is the name in kv2.txt; its number is not read. Whether scene.txt always says the same
    is not known, so it is compared, and differences are counted and warned about. Frames of a day
    may show one room (1 879 of the 2 105 come from 35 days), so the day is the group;
    `protocol("random")` divides days. No split is published.

    Args:
        root: a folder that holds the unpacked SUNRGBD folder, kv2.txt and mapping.txt, each at any
        depth.
        modalities: of rgb and depth; both by default. The files of the other are not needed.
        orphans: "refuse" or "drop" listed frames whose folder is missing.
        depth: "raw" (as measured) or "refined" (holes filled in). Which one the paper took is not
            known; the settings that come with the lists say raw.
        size: height and width, or one for both; frames are squeezed, colours averaged, depth by the
        nearest pixel.
        far: metres; depth beyond is set to it. The common copy of the SUN RGB-D toolbox clips at 8,
            others at 10.

    Raises:
        DataError: a list or a frame is missing, or a file has another form.
    """
    names = list(modalities or ("rgb", "depth"))
    size = _check_options(names, depth, size, far)
    inside = {"rgb": "image", "depth": DEPTHS[depth]}
    frames = _list_frames(Path(root))
    base, folders, dropped = _find_frames(
        Path(root), frames, [inside[name] for name in names], orphans
    )
    files = {
        name: [_only_file(base / folder / inside[name]) for folder in folders] for name in names
    }
    _check_sizes(files)
    ids, labels = (
        np.array(column) for column in zip(*(frames[folder] for folder in folders), strict=True)
    )
    forms = {
        "rgb": (_read_rgb, 3, np.uint8),
        "depth": (partial(_read_depth, far=far), 1, np.float32, "m", 0.0),
    }
    made = {}
    for name in names:
        read, bands, kind, *unit = forms[name]
        made[name] = Modality(
            Lazy(files[name], partial(read, size=size), (bands, *size), kind), labels, ids, *unit
        )
    other = [] if names == ["rgb", "depth"] else names
    other = [*other, "refined"] if "depth" in names and depth == "refined" else other
    return MultiModalData(
        made,
        CLASSES,
        groups=np.array([(re.findall(DAY, folder) or [PurePosixPath(folder).name])[0] for folder in folders]),
        name="-".join(["sunrgbd", *other, "grouped"]),
        about={"source": SUNRGBD.page, "licence": SUNRGBD.licence, "dropped": dropped,
               "invalid values": f"depth 0 where nothing was measured; beyond {far:g} m it is set to {far:g} m",
               "depth": depth, "far": far, "size": list(size), "groups": "the day, or the frame where it has no date",
               "scene.txt": _compare_scenes(base, folders, labels)},
    )  # fmt: skip


def _check_options(
    names: list[str], depth: str, size: int | Sequence[int], far: float
) -> tuple[int, int]:
    """The size as (height, width), once all options are found good."""
    check_modalities(names, ("rgb", "depth"), "sunrgbd")
    if depth not in DEPTHS:
        raise ConfigError(f"depth: '{depth}' is unknown; choose {' or '.join(DEPTHS)}")
    if not isinstance(far, int | float) or not 0 < far < np.inf:
        raise ConfigError(f"far: {far!r} is no distance; give metres above 0, such as 8.0")
    sides = tuple(size) if isinstance(size, Sequence) else (size, size)
    if len(sides) != 2 or not all(type(side) is int and side > 0 for side in sides):
        raise ConfigError(
            f"size: {size!r} is no size; give pixels, such as 224, or height and width, [224, 224]"
        )
    return sides


def _list_frames(root: Path) -> Frames:
    """The frames of kv2.txt with the folders of mapping.txt."""
    listed, mapped = (
        root / name
        if (root / name).is_file()
        else find_folder(root, [name], f"{name}; fetch {url}")[0] / name
        for name, url in LISTS.items()
    )
    folder_of, frames = _read_mapping(mapped), {}
    for line in _read_lines(listed) or [""]:  # an empty list has one line that is wrong
        where = f"{listed}: line '{line[:60]}'"
        if not (found := re.fullmatch(r"kv2/(\w+)/(\d+)\.png\s+\d+", line)):
            raise DataError(
                f"{where} is not of the form 'kv2/<class>/<id>.png <label>'; fetch the list again"
            )
        name, sample = found.groups()
        if name not in CLASSES:
            raise DataError(
                f"{where} has an unknown class; there are {', '.join(CLASSES)}; fetch the list again"
            )
        if (folder := folder_of.get(sample)) is None:
            raise DataError(f"{where} has an id that {mapped} does not map; fetch both lists again")
        if folder in frames:
            raise DataError(
                f"{where} is the frame {folder}, which stands before it; fetch both lists again"
            )
        frames[folder] = (sample, CLASSES.index(name))
    counts = Counter(CLASSES[label] for _, label in frames.values())
    if counts != PUBLISHED:
        told = ", ".join(
            f"{name} {counts[name]} ({n})" for name, n in PUBLISHED.items() if counts[name] != n
        )
        warnings.warn(
            f"{listed}: lists {len(frames)} frames, unlike the published list (in brackets): {told}",
            stacklevel=3,
        )
    return frames


def _read_mapping(file: Path) -> dict[str, str]:
    """Id → folder below SUNRGBD; the heading, the counts at the end and blank lines are no
    entries."""
    folder_of: dict[str, str] = {}
    for line in _read_lines(file):
        if found := re.fullmatch(r"(\d+)\.png\s*->\s*/+SUNRGBD/+(.+)", line):
            sample, folder = found[1], str(PurePosixPath(found[2]))  # a//b is a/b
            if folder_of.setdefault(sample, folder) != folder:
                raise DataError(
                    f"{file}: maps {sample}.png to {folder_of[sample]} and to {folder}; fetch it again"
                )
    if not folder_of:
        raise DataError(
            f"{file}: has no line '<id>.png -> /SUNRGBD/…'; fetch it from {LISTS['mapping.txt']}"
        )
    return folder_of


def _read_lines(file: Path) -> list[str]:
    return [
        line for line in map(str.strip, file.read_text("utf-8-sig", "replace").splitlines()) if line
    ]


def _find_frames(
    root: Path, frames: Frames, inside: list[str], orphans: str
) -> tuple[Path, list[str], dict[str, int]]:
    """The SUNRGBD folder, the frames in it with all of the folders `inside`, by id, and how many
    are missing."""
    places = find_folder(
        root, ["kv2"], "SUNRGBD folder (with kv2/ in it); unpack SUNRGBD.zip there"
    )
    held = {
        place: [f for f in frames if all((place / f / name).is_dir() for name in inside)]
        for place in places
    }
    base = max(held, key=lambda place: len(held[place]))  # of several copies the fullest
    kept, left = pair(
        {"kv2.txt": frames, "/ and ".join(inside) + "/": dict.fromkeys(held[base])},
        str(base),
        orphans,
    )
    return (
        base,
        sorted(kept, key=lambda folder: int(frames[folder][0])),
        {"frames missing": left["kv2.txt"]},
    )


def _only_file(folder: Path) -> Path:
    if len(files := list(sorted_files(folder, *ENDINGS).values())) != 1:
        raise DataError(
            f"{folder}: holds {len(files)} images, there must be exactly one; unpack the archive again"
        )
    return files[0]


def _check_sizes(files: dict[str, list[Path]]) -> None:
    """Refuse a frame whose modalities differ in size; only the heads of the files are read."""
    for together in zip(*files.values(), strict=True):
        sizes = [_upright_size(file) for file in together]
        if len(set(sizes)) > 1:
            told = " but ".join(
                f"{file.parent.name}/ {w}×{h}" for file, (h, w) in zip(together, sizes, strict=True)
            )
            raise DataError(
                f"{together[-1]}: {told} pixels, which do not align; unpack the archive again"
            )


def _compare_scenes(base: Path, folders: list[str], labels: np.ndarray) -> dict[str, int]:
    """How many scene.txt agree with the class (in any case), differ, are missing, are empty, say
    idk (don't know)."""
    counts, example = Counter(agree=0, differ=0, missing=0, empty=0, idk=0), ""
    for folder, label in zip(folders, labels, strict=True):
        file = base / folder / "scene.txt"
        said = " ".join(_read_lines(file)).lower() if file.is_file() else None
        found = {None: "missing", "": "empty", "idk": "idk", CLASSES[label]: "agree"}.get(
            said, "differ"
        )
        counts[found] += 1
        if found == "differ" and not example:
            example = f"; first {file}: '{said[:40]}', not {CLASSES[label]}"
    if counts["agree"] < len(folders):
        told = ", ".join(f"{number} {what}" for what, number in counts.items())
        warnings.warn(
            f"{base}: scene.txt against kv2.txt: {told}{example}; kv2.txt's class is kept",
            stacklevel=3,
        )
    return dict(counts)


def _upright_size(file: Path) -> tuple[int, int]:
    """(height, width) as it is meant to be seen."""
    with open_image(file) as image:
        # a PNG without EXIF would be decoded for the answer
        turned = "exif" in image.info and image.getexif().get(ExifTags.Base.Orientation) in (
            5,
            6,
            7,
            8,
        )
        return image.size if turned else image.size[::-1]


def _read_rgb(file: Path, size: tuple[int, int]) -> np.ndarray:
    with open_image(file) as image:
        kind, pixels = image.mode, np.asarray(ImageOps.exif_transpose(image))
    if kind != "RGB":
        raise DataError(
            f"{file}: is of kind {kind}, needed is RGB of 8 bits; take the original file"
        )
    return resize(np.moveaxis(pixels, 2, 0), size, smooth=True)


def to_metres(stored: np.ndarray) -> np.ndarray:
    """Depth as SUN RGB-D's PNG files store it: the 16 bits of the millimetres turned left by three,
    0 not measured.

    Three bits back to the right, and those that fall out return on the left; only 16-bit numbers do
    so.

    >>> to_metres(np.array([0, 8000, 16385], np.uint16)).tolist()  # the last is 10.24 m: a bit came round
    [0.0, 1.0, 10.239999771118164]
    """
    return ((stored >> 3) | (stored << 13)).astype(np.float32) / 1000


def _read_depth(file: Path, size: tuple[int, int], far: float) -> np.ndarray:
    stored = read_pixels(file)
    if stored.dtype != np.uint16 or len(stored) != 1:
        raise DataError(
            f"{file}: holds {len(stored)} × {stored.dtype}, depth is 1 × uint16; take the original file"
        )
    metres = to_metres(stored)
    measured = metres[stored > 0]
    if not measured.size:
        raise DataError(
            f"{file}: is 0 everywhere, nothing was measured; unpack it again, or take it out of kv2.txt"
        )
    if (beyond := np.mean(measured > CREDIBLE)) > 0.5:
        raise DataError(
            f"{file}: {beyond:.0%} lie beyond {CREDIBLE:g} m: bits not rotated; take the original file"
        )
    if (holes := 1 - measured.size / metres.size) > 0.5:
        warnings.warn(f"{file}: {holes:.0%} of the frame was not measured (0)", stacklevel=2)
    return resize(np.minimum(metres, np.float32(far)), size, smooth=False)


SUNRGBD = Source(
    name="sunrgbd",
    what="Kinect v2 frames of rooms, 2 105 pairs of colour and depth, ten scene classes",
    modalities={"rgb": "3×224×224, 8 bits", "depth": "1×224×224, m, 0 = not measured"},
    size="6.4 GB",
    licence="not known; ask the authors before you pass frames on",
    page=f"https://rgbd.cs.princeton.edu, https://github.com/{REPOSITORY} (lists, commit e09eca7)",
    read=read_sunrgbd,
    files=(
        # https alone: without a checksum, nothing else would tell a file that was changed on its
        # way
        RemoteFile("SUNRGBD.zip", ("https://rgbd.cs.princeton.edu/data/SUNRGBD.zip",)),
        *(RemoteFile(name, (url,)) for name, url in LISTS.items()),
    ),
)  # fmt: skip
