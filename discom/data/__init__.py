"""Data: what every loader returns, where it comes from, and how batches are drawn from it."""

import os
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discom.data import scenes
from discom.data.images import read_folders
from discom.data.multimodal import Modality, MultiModalData, Split
from discom.data.normalize import Normalization
from discom.data.prepared import is_prepared
from discom.errors import ConfigError, DataError
from discom.files import restore

if TYPE_CHECKING:
    from discom.data.batches import Batch, Batches

    HOME: Path

__all__ = ["DRAWN", "HOME", "Batch", "Batches", "Modality", "MultiModalData", "Normalization"]
__all__ += ["Split", "absolute", "at_seed", "load", "locate", "read_folders", "scenes"]

# name → the function that makes it; nothing is read
DRAWN: dict[str, Callable[..., MultiModalData]] = {
    "scenes": scenes.make,
    "scenes-dense": scenes.dense,
}
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def load(source: str | Path, modalities: str | None = None) -> MultiModalData:
    """Read a data set by name or folder.

    Args:
        source: `scenes` or `scenes-dense`, with arguments of `scenes.make` or `scenes.dense`
            (`scenes:n=600,seed=1`; modalities joined by +), the name of a public set that is
            prepared in data/, a prepared folder, or a folder of images
            `<modality>/<class>/<id>.png`.
        modalities: which ones to keep, such as rgb+elevation; all by default.

    Raises:
        DataError: nothing of that name, a damaged folder, or a modality that it lacks.
        ConfigError: an argument that is not there.

    >>> len(load("scenes:n=12,size=16,modalities=rgb+thermal"))
    12
    """
    source = str(source)
    name, _, arguments = source.partition(":")
    data = _draw(source, name, arguments) if name in DRAWN else _open(source)
    return data.select(modalities.split("+")) if modalities else data


def locate(source: str | Path) -> Path:
    """The folder of a public set that is prepared, or `source` itself: `eurosat` → data/eurosat."""
    from discom.data.sources import SOURCES  # readers of many formats: only where one is named

    folder = Path(source)
    folder = _home() / folder if source in SOURCES and not folder.is_dir() else folder
    restore(folder)
    return folder


def absolute(source: str) -> str:
    """The same source by a path that holds in any folder; synthetic data stay as they are.

    >>> absolute("scenes:n=60"), absolute("/sets/mine")
    ('scenes:n=60', '/sets/mine')
    """
    return source if source.partition(":")[0] in DRAWN else str(locate(source).resolve())


def at_seed(source: str | Path, seed: int) -> str:
    """What the run of a seed trains on: synthetic data are drawn anew for each seed, unless they
    name theirs; all other data stay as they are.

    >>> at_seed("scenes:n=60", 3), at_seed("scenes:seed=1", 3), at_seed("/sets/mine", 3)
    ('scenes:n=60,seed=3', 'scenes:seed=1', '/sets/mine')
    """
    name, _, arguments = str(source).partition(":")
    words = list(filter(None, arguments.split(",")))
    if name not in DRAWN or any(word.startswith("seed=") for word in words):
        return str(source)
    return f"{name}:{','.join([*words, f'seed={seed}'])}"


def _home() -> Path:
    """Where prepared data are: $DISCOM_DATA, or the data/ with a README.md around the working
    directory (the repository's, also from a notebook), or ./data."""
    if place := os.environ.get("DISCOM_DATA"):
        return Path(place)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "data" / "README.md").is_file():
            return Path(os.path.relpath(folder / "data"))
    return Path("data")


def _open(source: str) -> MultiModalData:
    from discom.data.sources import SOURCES

    folder = locate(source)
    if is_prepared(folder):
        return MultiModalData.open(folder)
    if source in SOURCES:
        command = f"discom data prepare {source} --root RAW"
        raise DataError(f"{folder}: not prepared yet: {command}. {SOURCES[source].advice()}")
    if folder.is_dir():
        return read_folders(folder)
    names = [*DRAWN, *SOURCES]
    near = get_close_matches(source.partition(":")[0], names, n=1)
    way_out = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    raise DataError(f"{folder}: no such folder, and no data set of that name; {way_out}")


def _draw(source: str, name: str, text: str) -> MultiModalData:
    """Synthetic scenes by `n=600,epsilon=.2`, values read by the annotations of what draws them."""
    arguments: dict[str, Any] = {}
    kinds = {key: kind for key, kind in DRAWN[name].__annotations__.items() if key != "return"}
    for item in filter(None, text.split(",")):
        key, _, value = item.partition("=")
        if key not in kinds:
            choices = ", ".join(kinds)
            if key == "labelled":
                choices += "; labels are hidden by --labelled, scenes of one sensor drawn by seen"
            raise ConfigError(f"{source}: {name} has no argument '{key}'; it has {choices}")
        try:
            if key == "modalities":
                arguments[key] = value.split("+")
            elif kinds[key] is bool:
                arguments[key] = TRUTHS[value.lower()]  # bool takes any word for true
            else:
                arguments[key] = kinds[key](value)
        except (KeyError, ValueError):
            example = f"write e.g. {name}:n=600,epsilon=0.2"
            raise ConfigError(f"{source}: '{value}' is not a value for {key}; {example}") from None
    return DRAWN[name](**arguments)


def __getattr__(name: str) -> Any:
    """Batches bring torch, which reading an image does without; HOME depends on the working
    directory."""
    if name == "HOME":
        return _home()
    if name in ("Batch", "Batches"):
        from discom.data import batches

        return getattr(batches, name)
    raise AttributeError(f"module 'discom.data' has no attribute '{name}'")
