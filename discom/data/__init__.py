"""Data: what every loader returns, where it comes from, and how batches are drawn from it."""

import os
from collections.abc import Callable
from inspect import signature
from operator import methodcaller
from pathlib import Path
from typing import Any

from discom.data import scenes, sources
from discom.data.multimodal import Modality, MultiModalData, Split
from discom.data.own_arrays import read_arrays
from discom.data.own_folders import read_folders
from discom.data.prepared import MANIFEST, read_folder
from discom.data.scaling import Normalization
from discom.errors import ConfigError, DataError

__all__ = ["DRAWN", "OWN", "Modality", "MultiModalData", "Normalization", "Split", "home", "load"]
__all__ += ["locate", "planned", "read_arrays", "read_folders", "scenes"]

# name → the function that makes it; nothing is read
DRAWN: dict[str, Callable[..., MultiModalData]] = {
    "objects": scenes.objects.make,
    "scenes-dense": scenes.dense,
}
# what a person brings → its reader
OWN: dict[str, Callable[..., MultiModalData]] = {"folders": read_folders, "arrays": read_arrays}


def load(
    source: str | Path, modalities: str | None = None, seed: int | None = None
) -> MultiModalData:
    """Read a data set by name or folder. A DataError where there is none, it is damaged, or lacks a
    modality; a ConfigError for an argument that scenes do not have.

    Args:
        source: `objects` or `scenes-dense`, with arguments of `scenes.objects.make` or
            `scenes.dense` (`objects:n=600,seed=1`; modalities joined by +), the name of a public
            set that is prepared, a prepared folder, or a folder of images
            `<modality>/<class>/<id>.png`; see `locate`.
        modalities: which ones to keep, such as rgb+elevation; all by default.
        seed: by which scenes are drawn that name no seed of their own; other data have none.

    >>> len(load("objects:n=12,size=16,modalities=rgb+thermal")), load("objects:n=9,size=8").best
    (12, {'rgb': 86.66666666666667, 'depth': 80.0, 'rgb+depth': 96.0})
    """
    if (folder := locate(source)) is not None:
        data = _open(str(source), folder)
    else:
        drawn = {} if seed is None else {"seed": seed}
        data = DRAWN[str(source).partition(":")[0]](**drawn | _arguments(str(source)))
    return data.select(modalities.split("+")) if modalities else data


def planned(
    source: str | Path, modalities: str | None = None
) -> Callable[[int | None], MultiModalData]:
    """A function of a seed: what runs are planned with, the data of `load` with this seed; of drawn
    data nine scenes, with the origin of all."""
    if locate(source) is not None:
        data = load(source, modalities)
        return lambda seed: data
    name, _, arguments = str(source).partition(":")
    usual = signature(DRAWN[name]).parameters["n"].default
    count = _arguments(str(source)).get("n", usual)

    def data_of(seed: int | None) -> MultiModalData:
        few = load(f"{name}:{arguments},n=9", modalities, seed)  # the last n counts
        return few.drawn_by(**{**(few.drawn or {}), "n": count})

    return data_of


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


def _open(source: str, folder: Path) -> MultiModalData:
    if os.path.isdir(folder):  # also where the name is too long for the system
        if not (folder / MANIFEST).is_file():
            return read_folders(folder)
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
        return {key: readers[key](value) for key, value in items}
    except (KeyError, ValueError):
        way_out = f"write e.g. {name}:n=600,size=16; there are {', '.join(readers)}"
        raise ConfigError(source, "an argument or value is unknown", way_out) from None
