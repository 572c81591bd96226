"""Methods by name. Their files are imported when a method is first asked for."""

from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from discom.errors import check_choice
from discom.methods.base import REGISTRY, Method, build, label, misfit, register
from discom.methods.code import code

__all__ = ["Method", "build", "code", "get", "label", "misfit", "names", "register"]

# files in the order of tables; others follow
ORDER = ("baselines", "semi_supervised", "distilled", "disentangled", "dense", "crodino")


def names(dense: bool | None = None) -> list[str]:
    """Registered methods in the order of tables: all, or those that are dense prediction or not.

    >>> from discom import methods
    >>> methods.names(dense=False)[:3], methods.names(dense=True)[-1]
    (['teacher', 'student', 'student-2x'], 'crodino')
    """
    rank = {family.__name__: k for k, family in enumerate(_families())}
    known = sorted(REGISTRY.values(), key=lambda method: rank.get(method.__module__, len(rank)))
    return [method.name for method in known if dense is None or method.dense == dense]


def get(name: str) -> type[Method]:
    """The method of that name; else a ConfigError that lists all."""
    _families()
    if name not in REGISTRY:
        check_choice("method", name, names())
    return REGISTRY[name]


@cache
def _families() -> tuple[ModuleType, ...]:
    """The files of this folder, imported: each registers its methods."""
    files = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return tuple(import_module(f"{__name__}.{file}") for file in dict.fromkeys([*ORDER, *files]))


def __getattr__(name: str) -> Any:
    """A class by its name, such as `methods.Student`."""
    if name[:1].isupper():
        for family in _families():
            if hasattr(family, name):
                return getattr(family, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
