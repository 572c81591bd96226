"""Data: what every loader returns, where it comes from, and how batches are drawn from it."""

from pathlib import Path

from discom.data import scenes
from discom.data.batches import Batch, Batches
from discom.data.folders import has_class_folders, read_folders
from discom.data.multimodal import Modality, MultiModalData, Split
from discom.data.normalize import Normalization
from discom.data.prepared import is_prepared
from discom.errors import ConfigError, DataError

__all__ = ["Batch", "Batches", "Modality", "MultiModalData", "Normalization", "Split", "load", "scenes"]


def load(source: str | Path, modalities: str | None = None) -> MultiModalData:
    """Read a data set by name or folder.

    Args:
        source: `scenes`, `scenes:n=600,seed=1` (any argument of `scenes.make`; modalities joined by +), a prepared
            folder, or a folder of images `<modality>/<class>/<id>.png`.
        modalities: which ones to keep, such as rgb+elevation; all by default.

    Raises:
        DataError: nothing of that name, a damaged folder, or a modality that it lacks.
        ConfigError: an argument that `scenes.make` does not have.

    >>> len(load("scenes:n=12,size=16,modalities=rgb+thermal"))
    12
    """
    data = _load(source)
    return data.select(modalities.split("+")) if modalities else data


def _load(source: str | Path) -> MultiModalData:
    if str(source).split(":")[0] == "scenes":
        return scenes.make(**_arguments(str(source)))
    folder = Path(source)
    if is_prepared(folder):
        return MultiModalData.open(folder)
    if has_class_folders(folder):
        return read_folders(folder)
    if folder.is_dir():
        raise DataError(f"{folder}: neither a prepared folder nor <modality>/<class>/<image>; see data/README.md")
    raise DataError(f"{folder}: no such folder, and no data set of that name; there is 'scenes'")


def _arguments(source: str) -> dict:
    """`scenes:n=600,epsilon=.2` → {"n": 600, "epsilon": .2}."""
    arguments = {}
    known = {name: kind for name, kind in scenes.make.__annotations__.items() if name != "return"}
    for item in filter(None, source.partition(":")[2].split(",")):
        name, _, value = item.partition("=")
        try:
            arguments[name] = value.split("+") if name == "modalities" else known[name](value)
        except KeyError:
            raise ConfigError(f"{source}: scenes has no argument '{name}'; it has {', '.join(known)}") from None
        except ValueError:
            raise ConfigError(
                f"{source}: '{value}' is no value for {name}; write e.g. scenes:n=600,epsilon=0.2"
            ) from None
    return arguments
