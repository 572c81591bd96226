"""Public data sets, a file each, found by name; a file is imported when its set is asked for."""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from discom.data.sources.source import Source

__all__ = ["REGISTRY", "get", "names"]

REGISTRY: dict[str, "Source"] = {}  # name → the set; a subclass of Source enters itself


def names() -> list[str]:
    """The sets of this folder, and those that were defined elsewhere, by name."""
    files = {file.name.replace("_", "-") for file in iter_modules(__path__)}
    return sorted(files - {"source", "steps", "arrays"} | {*REGISTRY})


def get(name: str) -> "Source":
    """The set that `names` calls so."""
    if name not in REGISTRY:
        import_module(f"{__name__}.{name.replace('-', '_')}")
    return REGISTRY[name]
