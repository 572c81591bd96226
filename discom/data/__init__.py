"""Data: what every loader returns, where it comes from, and how batches are drawn from it."""

import os
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from operator import methodcaller
from pathlib import Path
from typing import Any

from discom.config import check_options
from discom.data import scenes, sources
from discom.data.checks import listed
from discom.data.multimodal import Modality, MultiModalData, Split
from discom.data.own_arrays import read_arrays
from discom.data.own_folders import read_folders
from discom.data.prepared import MANIFEST, read_folder
from discom.data.released_arrays import is_released, read_released
from discom.data.scaling import Normalization
from discom.data.splitting import split_rule, way_of
from discom.errors import ConfigError, DataError, check_choice
from discom.files import check_place

__all__ = ["DRAWN", "OWN", "Modality", "MultiModalData", "Normalization", "Split", "home", "load"]
__all__ += ["locate", "planned", "prepare", "read_arrays", "read_folders", "scenes", "split_rule"]
__all__ += ["way_of"]

# name → the function that makes it; nothing is read
DRAWN: dict[str, Callable[..., MultiModalData]] = {
    "objects": scenes.objects.make,
    "scenes-dense": scenes.dense,
}
# what a person brings → its reader
OWN: dict[str, Callable[..., MultiModalData]] = {"folders": read_folders, "arrays": read_arrays}


WAYS = ("", "random", "place", "official")  # to divide a set; the first is its own


def load(
    source: str | Path, modalities: str | Sequence[str] | None = None, seed: int | None = None
) -> MultiModalData:
    """Read a data set by name or folder. A DataError where there is none, it is damaged, or lacks a
    modality; a ConfigError for an argument that scenes do not have.

    Args:
        source: `objects` or `scenes-dense`, with arguments of `scenes.objects.make` or
            `scenes.dense` (`objects:n=600,seed=1`; modalities joined by +), the name of a public
            set that is prepared, a prepared folder, a folder of arrays of DisCoM-KD's public code,
            or a folder of images `<modality>/<class>/<id>.png`; see `locate`.
        modalities: which ones to keep, such as rgb+elevation, or a list; all by default.
        seed: by which scenes are drawn that name no seed of their own; other data have none.

    >>> len(load("objects:n=12,size=16,modalities=rgb+thermal")), load("objects:n=9,size=8").best
    (12, {'rgb': 86.66666666666667, 'depth': 80.0, 'rgb+depth': 96.0})
    """
    if (folder := locate(source)) is not None:
        data = _open(str(source), folder, listed(modalities))
    else:
        drawn = {} if seed is None else {"seed": seed}
        data = DRAWN[str(source).partition(":")[0]](**drawn | _arguments(str(source)))
    return data.select(modalities) if modalities else data


def planned(
    source: str | Path, modalities: str | None = None
) -> Callable[[int | None], MultiModalData]:
    """A function of a seed: what runs are planned with, the data of `load` with this seed; of drawn
    data nine scenes, with the origin of all."""
    if locate(source) is not None:
        data = load(source, modalities)
        return lambda seed: data
    name, _, text = str(source).partition(":")
    usual = signature(DRAWN[name]).parameters["n"].default
    count = _arguments(str(source)).get("n", usual)
    others = [item for item in text.split(",") if item and item.partition("=")[0] != "n"]

    def data_of(seed: int | None) -> MultiModalData:
        images = load(f"{name}:{','.join([*others, 'n=9'])}", modalities, seed)
        return images.drawn_by(**{**(images.drawn or {}), "n": count})

    return data_of


def prepare(
    source: str,
    root: Path | str | None = None,
    download: bool = False,
    split: str = "",
    *,
    modalities: str = "",
    out: Path | str | None = None,
    overwrite: bool = False,
    options: Mapping[str, Any] = {},
) -> Path:
    """Read raw data and write one prepared folder, whole or not at all; the folder, which `load`
    takes.

    Args:
        source: a public set, "folders" or "arrays", synthetic scenes, or a prepared folder.
        root: the folder of the raw files, by default raw/NAME in `home`.
        download: fetch what is missing there first.
        split: "random" in each class, by "place" (in whole groups; of EuroSAT by longitude), or
            "official", as published; by default the set's own. A set that is divided in another way
            than its own has it in its name, such as sunrgbd-random.
        modalities: which ones to keep, such as rgb+depth.
        out: the folder to write, by default one of the set's name in `home`.
        options: of the reader, such as {"size": 64}.

    Raises:
        ConfigError: an option that the reader does not have, or another split.
        DataError: no raw files, damaged ones, a split that the set does not have, or a folder that
            is there already, without `overwrite`.
    """
    check_choice("split", split, WAYS)
    if out:  # refused before hours of reading
        check_place(Path(out), MANIFEST, overwrite)
    public = source.removesuffix(":")
    reader = sources.get(public).read_raw if public in sources.names() else load
    by_reader = "place" in signature(reader).parameters  # its files carry their place
    if by_reader:
        split = split or ("place" if options.get("place") else "")
        options = {**options, "place": split == "place"} if split else options
    images, name = _read(source, root, modalities, download, options)
    usual = "random" if by_reader else way_of(images)
    if split not in ("", usual):
        if not by_reader:
            images = _divided(images, split, usual)
            images = images.changed(name=f"{images.name}-{split}")
        elif split == "official":
            raise DataError(source, "has no official split", "choose --split random or place")
        name = f"{name}-{split}"
    images.split_indices()  # too few groups are told now, not when training starts
    folder = Path(out) if out else home() / name
    if public in OWN:  # runs are called by what they read
        images = images.changed(name=folder.resolve().name)
    images.save(folder, overwrite=overwrite)
    return folder


def _divided(images: MultiModalData, split: str, usual: str) -> MultiModalData:
    """The same samples to be divided in another way than their own; a DataError where they lack
    what it needs."""
    if split == "official":
        raise DataError(images.name, "has no official split", f"choose --split {usual}")
    if split == "place" and images.groups is None:
        found = "has no groups, of samples of one place, to keep whole"
        raise DataError(images.name, found, "choose --split random")
    return images.changed(parts=None, groups=images.groups if split == "place" else None)


def _read(
    source: str,
    root: Path | str | None,
    modalities: str,
    download: bool,
    options: Mapping[str, Any],
) -> tuple[MultiModalData, str]:
    """The images, and the name of the folder that takes them."""
    name, sensors = source.removesuffix(":"), listed(modalities)
    if not (root or download):
        locate(source)  # refuses the name of a set that is a folder here, too
    if name in sources.names():
        root = root or home() / "raw" / name
        images = sources.get(name).read(root, sensors, download=download, **options)
        name = "-".join([name, *(sensors or [])])
    elif name in OWN:
        check_options(name, OWN[name], options)
        if not root or not Path(root).is_dir():
            way_out = "name the folder of your images or arrays: --root DIR"
            raise DataError(root or name, "no such folder", way_out)
        images = OWN[name](root, sensors, **options)
    else:  # drawn, or prepared before
        if root or options:
            found = f"'{name}' takes no --root and no options of a reader"
            way_out = "leave them out, or write folders or arrays in its place, for files of yours"
            raise ConfigError(source, found, way_out)
        images = load(source, modalities)
        return images, images.name
    return images.changed(about={**images.about, "options": dict(options)}), name


def home() -> Path:
    """Where prepared data are: $DISCOM_DATA, or data/ in the working directory."""
    return Path(os.environ.get("DISCOM_DATA") or "data")


def locate(source: str | Path) -> Path | None:
    """The folder of a source, None for synthetic scenes, which are drawn.

    `NAME:` is a set of discom's, ``./NAME`` a folder; the bare name is either, where there is one
    alone, else a folder in `home`. A public set is there, too. A DataError for a bare name that is
    a set of discom's and a folder here.

    >>> locate("objects:n=60"), locate("eurosat:").name, locate("./mine").name
    (None, 'eurosat', 'mine')
    """
    if source == "":  # as a path it would be the working directory
        raise ConfigError("data", "is empty", "name a data set or a folder")
    name, colon, arguments = str(source).partition(":")
    # scenes first: the names of sets are asked of their readers, which are imported then
    if isinstance(source, Path) or not (name in DRAWN or name in sources.names()):
        prepared = home() / source
        return prepared if os.path.isdir(prepared) and not os.path.isdir(source) else Path(source)
    folder = home() / name
    if not colon and os.path.isdir(name) and Path(name).resolve() != folder.resolve():
        way_out = f"write ./{name} for the folder, {name}: for discom's"
        raise DataError(name, "is a data set of discom and a folder here", way_out)
    if name in DRAWN:
        return None
    if arguments:
        raise ConfigError(source, f"{name} takes no arguments", f"write {name}:")
    return folder


def _open(source: str, folder: Path, modalities: list[str] | None) -> MultiModalData:
    """The data in a folder; of a person's own folders those modalities alone are read."""
    if os.path.isdir(folder):  # also where the name is too long for the system
        if not (folder / MANIFEST).is_file():
            released = is_released(folder)
            return read_released(folder) if released else read_folders(folder, modalities)
        fields = read_folder(folder)
        sensors = {name: Modality(*arrays) for name, arrays in fields.pop("modalities").items()}
        return MultiModalData(sensors, **fields)
    if (name := source.removesuffix(":")) in sources.names():
        command = f"discom data prepare {name} --root RAW"
        raise DataError(folder, f"not prepared yet: {command}. {sources.get(name).advice()}")
    way_out = f"there are {', '.join([*DRAWN, *sources.names()])}"
    raise DataError(folder, "no such folder, and no data set of that name", way_out)


def _arguments(source: str) -> dict[str, Any]:
    """Those in the name of synthetic scenes, read by the annotations of what draws them."""
    name, _, text = source.partition(":")
    readers = {key: kind for key, kind in DRAWN[name].__annotations__.items() if key != "return"}
    if "modalities" in readers:
        readers["modalities"] = methodcaller("split", "+")
    try:
        items = [item.split("=") for item in text.split(",") if item]
        values = {key: readers[key](value) for key, value in items}
    except (KeyError, ValueError):
        way_out = f"write e.g. {name}:n=600,size=16; there are {', '.join(readers)}"
        raise ConfigError(source, "an argument or value is unknown", way_out) from None
    if len(values) < len(items):
        names = [key for key, _ in items]
        twice = next(key for key in names if names.count(key) > 1)
        raise ConfigError(source, f"'{twice}' is given twice", "give one value")
    return values
