"""Data: what every loader returns, where it comes from, and how batches are drawn from it."""

from pathlib import Path
from typing import TYPE_CHECKING

from discom.data import scenes
from discom.data.folders import has_class_folders, read_folders
from discom.data.multimodal import Modality, MultiModalData, Split
from discom.data.normalize import Normalization
from discom.data.prepared import is_prepared
from discom.errors import ConfigError, DataError

if TYPE_CHECKING:
    from discom.data.batches import Batch, Batches

__all__ = ["DRAWN", "HOME", "Batch", "Batches", "Modality", "MultiModalData", "Normalization", "Split",
           "absolute", "load", "locate", "scenes"]  # fmt: skip


DRAWN = {
    "scenes": scenes.make,
    "scenes-dense": scenes.dense,
}  # name → what draws it; nothing is read
HOME = Path("data")  # where `discom data prepare NAME` writes and `load("NAME")` looks


def load(source: str | Path, modalities: str | None = None) -> MultiModalData:
    """Read a data set by name or folder.

    Args:
        source: `scenes`, `scenes:n=600,seed=1` (any argument of `scenes.make`; modalities joined by
            +), `scenes-dense` (the same with `scenes.dense`), a prepared folder, the name of a
            public set that is prepared in data/, or a folder of images
            `<modality>/<class>/<id>.png`. Any but the drawn ones may say how it is divided and
            scaled: `data/tristar:split=random,scaling=whole` (see `MultiModalData.protocol`).
        modalities: which ones to keep, such as rgb+elevation; all by default.

    Raises:
        DataError: nothing of that name, a damaged folder, or a modality that it lacks.
        ConfigError: an argument that `scenes.make`, `scenes.dense` or `MultiModalData.protocol`
            does not have.

    >>> len(load("scenes:n=12,size=16,modalities=rgb+thermal"))
    12
    >>> load("scenes-dense:n=3,size=16,objects=2").masks.shape
    (3, 16, 16)
    """
    data = _load(str(source))
    return data.select(modalities.split("+")) if modalities else data


def _load(source: str) -> MultiModalData:
    name, _, settings = source.partition(":")
    if name in DRAWN:
        return DRAWN[name](**_arguments(source, settings, DRAWN[name], name))
    place, settings = _divide(source)
    data = _open(place)
    return (
        data.protocol(**_arguments(source, settings, data.protocol, "a folder"))
        if settings
        else data
    )


def locate(source: str | Path) -> Path:
    """The folder that a name or a folder with settings stands for: `eurosat:split=random` →
    data/eurosat."""
    return _folder(_divide(str(source))[0])


def absolute(source: str) -> str:
    """The same source by a path that holds in any folder; drawn data stay as they are.

    >>> absolute("scenes:n=60"), absolute("eurosat:split=random").endswith("/data/eurosat:split=random")
    ('scenes:n=60', True)
    """
    if source.partition(":")[0] in DRAWN:
        return source
    place, settings = _divide(source)
    return ":".join(filter(None, [str(_folder(place).resolve()), settings]))


def _folder(place: str) -> Path:
    from discom.data.sources import (
        SOURCES,
    )  # brings readers of many formats, which a drawn data set does not need

    return HOME / place if place in SOURCES and not Path(place).is_dir() else Path(place)


def _divide(source: str) -> tuple[str, str]:
    """A folder, whose name may hold a colon, and the settings behind the last one."""
    place, _, settings = source.rpartition(":")
    return (source, "") if not place or Path(source).exists() else (place, settings)


def _open(source: str) -> MultiModalData:
    from discom.data.sources import SOURCES

    folder = _folder(source)
    if is_prepared(folder):
        return MultiModalData.open(folder)
    if source in SOURCES:
        raise DataError(
            f"{folder}: not prepared yet: discom data prepare {source} --root RAW. {SOURCES[source].advice()}"
        )
    if has_class_folders(folder):
        return read_folders(folder)
    if folder.is_dir():
        raise DataError(
            f"{folder}: neither a prepared folder nor <modality>/<class>/<image>; see data/README.md"
        )
    there = ", ".join([*DRAWN, *SOURCES])
    raise DataError(f"{folder}: no such folder, and no data set of that name; there are {there}")


def _arguments(source: str, settings: str, function, what: str) -> dict:
    """`n=600,epsilon=.2` → {"n": 600, "epsilon": .2}, by the annotations of `function`."""
    arguments = {}
    known = {name: kind for name, kind in function.__annotations__.items() if name != "return"}
    for item in filter(None, settings.split(",")):
        name, _, value = item.partition("=")
        try:
            kind = known[name] if isinstance(known[name], type) else str
            arguments[name] = (
                value.split("+")
                if name == "modalities"
                else _truth(value)
                if kind is bool
                else kind(value)
            )
        except KeyError:
            raise ConfigError(
                f"{source}: {what} has no argument '{name}'; it has {', '.join(known)}"
            ) from None
        except ValueError:
            raise ConfigError(
                f"{source}: '{value}' is no value for {name}; write e.g. {what}:n=600,epsilon=0.2"
            ) from None
    return arguments


def _truth(value: str) -> bool:
    """`true` or `false`, also as 1 and 0; Python's own `bool` takes any word for true."""
    if value.lower() not in ("true", "false", "1", "0"):
        raise ValueError(value)
    return value.lower() in ("true", "1")


def __getattr__(name: str):
    """Batches bring torch, which reading an image and using an exported branch do without."""
    if name in ("Batch", "Batches"):
        from discom.data import batches

        return getattr(batches, name)
    raise AttributeError(f"module 'discom.data' has no attribute '{name}'")
