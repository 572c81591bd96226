"""Data: what every loader returns, where it comes from, and how batches are drawn from it."""

import os
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discom.data import scenes
from discom.data.images import has_class_folders, read_folders
from discom.data.multimodal import Modality, MultiModalData, Split
from discom.data.normalize import Normalization
from discom.data.prepared import is_prepared
from discom.errors import ConfigError, DataError

if TYPE_CHECKING:
    from discom.data.batches import Batch, Batches

    HOME: Path

__all__ = ["DRAWN", "HOME", "Batch", "Batches", "Modality", "MultiModalData", "Normalization"]
__all__ += ["Split", "absolute", "load", "locate", "read_folders", "scenes"]

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
            `<modality>/<class>/<id>.png`. Any but the synthetic ones may say how it is divided and
            scaled: `data/tristar:split=random,scaling=whole` (see `MultiModalData.protocol`).
        modalities: which ones to keep, such as rgb+elevation; all by default.

    Raises:
        DataError: nothing of that name, a damaged folder, or a modality that it lacks.
        ConfigError: an argument that is not there.

    >>> len(load("scenes:n=12,size=16,modalities=rgb+thermal"))
    12
    """
    source = str(source)
    name, _, settings = source.partition(":")
    if name in DRAWN:
        data = DRAWN[name](**_arguments(source, settings, DRAWN[name], name))
    else:
        place, settings = _divide(source)
        data = _open(place)
        if settings:
            data = data.protocol(**_arguments(source, settings, data.protocol, "a folder"))
    return data.select(modalities.split("+")) if modalities else data


def locate(source: str | Path) -> Path:
    """The folder of a name or of a folder with settings: `eurosat:split=random` → data/eurosat."""
    return _folder(_divide(str(source))[0])


def absolute(source: str) -> str:
    """The same source by a path that holds in any folder; synthetic data stay as they are.

    >>> absolute("scenes:n=60"), absolute("/sets/mine:split=random")
    ('scenes:n=60', '/sets/mine:split=random')
    """
    if source.partition(":")[0] in DRAWN:
        return source
    place, settings = _divide(source)
    return ":".join(filter(None, [str(_folder(place).resolve()), settings]))


def _home() -> Path:
    """Where prepared data are: $DISCOM_DATA, or data/ of the repository around the working
    directory (a notebook's, too), or ./data."""
    if place := os.environ.get("DISCOM_DATA"):
        return Path(place)
    here = Path.cwd()
    for folder in (here, *here.parents):
        project = folder / "pyproject.toml"
        ours = project.is_file() and 'name = "discom"' in project.read_text(encoding="utf-8")
        if ours or (folder / "data" / "README.md").is_file():
            return Path(os.path.relpath(folder / "data"))
    return Path("data")


def _folder(place: str) -> Path:
    from discom.data.sources import SOURCES  # readers of many formats: only where one is named

    return _home() / place if place in SOURCES and not Path(place).is_dir() else Path(place)


def _divide(source: str) -> tuple[str, str]:
    """A folder, whose name may contain a colon, and the settings behind the last one."""
    place, _, settings = source.rpartition(":")
    return (source, "") if not place or Path(source).exists() else (place, settings)


def _open(source: str) -> MultiModalData:
    from discom.data.sources import SOURCES

    folder = _folder(source)
    if is_prepared(folder):
        return MultiModalData.open(folder)
    if source in SOURCES:
        command = f"discom data prepare {source} --root RAW"
        raise DataError(f"{folder}: not prepared yet: {command}. {SOURCES[source].advice()}")
    if has_class_folders(folder):
        return read_folders(folder)
    if folder.is_dir():
        raise DataError(
            f"{folder}: neither prepared nor <modality>/<class>/<image>; see data/README.md"
        )
    names = [*DRAWN, *SOURCES]
    near = get_close_matches(source, names, n=1)
    way_out = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    raise DataError(f"{folder}: no such folder, and no data set of that name; {way_out}")


def _arguments(source: str, settings: str, function: Callable, what: str) -> dict[str, Any]:
    """`n=600,epsilon=.2` → {"n": 600, "epsilon": .2}, by the annotations of `function`."""
    arguments = {}
    kinds = {name: kind for name, kind in function.__annotations__.items() if name != "return"}
    for item in filter(None, settings.split(",")):
        name, _, value = item.partition("=")
        if name not in kinds:
            choices = ", ".join(kinds)
            raise ConfigError(f"{source}: {what} has no argument '{name}'; it has {choices}")
        try:
            arguments[name] = _value(name, value, kinds[name])
        except (KeyError, ValueError):
            example = f"write e.g. {what}:n=600,epsilon=0.2"
            raise ConfigError(f"{source}: '{value}' is no value for {name}; {example}") from None
    return arguments


def _value(name: str, text: str, kind: Any) -> Any:
    if name == "modalities":
        return text.split("+")
    if kind is bool:
        return TRUTHS[text.lower()]  # Python's own takes any word for true
    return kind(text) if kind in (int, float) else text


def __getattr__(name: str) -> Any:
    """Batches bring torch, which reading an image does without; HOME depends on the working
    directory."""
    if name == "HOME":
        return _home()
    if name in ("Batch", "Batches"):
        from discom.data import batches

        return getattr(batches, name)
    raise AttributeError(f"module 'discom.data' has no attribute '{name}'")
