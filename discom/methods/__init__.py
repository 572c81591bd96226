"""Methods by name. Their files are imported when a method is first asked for."""

import sys
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from discom.errors import ConfigError, check_choice, first_line
from discom.files import digest
from discom.methods.base import REGISTRY, Method, build, display_name, misfit
from discom.methods.code import code, remember

__all__ = ["Method", "build", "code", "display_name", "get", "misfit", "names"]
__all__ += ["remember", "teaches"]

# modules in the order of tables, two of which lie beside this folder; its other files follow
ORDER = (
    "discom.methods.baselines",
    "discom.methods.semi_supervised",
    "discom.methods.distilled",
    "discom.discom_kd",
    "discom.methods.mdico",
    "discom.methods.dense_prediction",
    "discom.crodino_kd",
)


def names(dense: bool | None = None) -> list[str]:
    """Registered methods in the order of tables, of a file those of one sensor first: all, or those
    that are dense prediction or not.

    >>> from discom import methods
    >>> methods.names(dense=False)[:3], methods.names(dense=True)[-1]
    (['teacher', 'student', 'student-2x'], 'crodino')
    """
    rank = {family.__name__: k for k, family in enumerate(_families())}

    def place(method: type[Method]) -> tuple[int, bool]:
        return rank.get(method.__module__, len(rank)), bool(method.single_sensor_control)

    methods = sorted(REGISTRY.values(), key=place)
    return [method.name for method in methods if dense is None or method.dense == dense]


def get(name: str) -> type[Method]:
    """The method of that name, or a class in a file, "mine.py:Mine"; else a ConfigError that lists
    all."""
    file, _, class_name = name.rpartition(":")
    if file.endswith(".py"):
        return _in_file(Path(file).absolute(), class_name)
    check_choice("method", name, [*names(), "FILE.py:CLASS"])
    return REGISTRY[name]


def teaches(method: type[Method]) -> bool:
    """Whether a registered method learns from its trained networks."""
    return method in {REGISTRY[name].teacher_method for name in names()}


@cache
def _families() -> tuple[ModuleType, ...]:
    """The modules of the methods, imported: each registers its own."""
    files = sorted(f"{__name__}.{path.stem}" for path in Path(__file__).parent.glob("[!_]*.py"))
    return tuple(map(import_module, dict.fromkeys([*ORDER, *files])))


def _in_file(file: Path, class_name: str) -> type[Method]:
    """A class of a person's own file, registered under its name."""
    try:
        module = _imported(file, file.read_text("utf-8"))
    except Exception as error:  # of many kinds: no such file, or whatever it runs into
        raise ConfigError(f"method: {file}", first_line(error), "check the file") from error
    classes = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Method)]
    own_classes = {c.__name__: c for c in classes if c.__module__ == module.__name__}
    check_choice(f"method: {file}", class_name, own_classes)
    method = own_classes[class_name]
    method.register()
    method.address = f"{file}:{class_name}"
    return method


@cache
def _imported(file: Path, text: str) -> ModuleType:
    """The module of a file, anew where its text has changed."""
    name = f"{file.stem}_{digest([str(file), text])}"
    spec: Any = spec_from_file_location(name, file)
    module = sys.modules[name] = module_from_spec(spec)
    sys.path.append(str(file.parent))  # for what it imports from its folder
    spec.loader.exec_module(module)
    return module


def __getattr__(name: str) -> Any:
    """A class by its name, such as `methods.Student`."""
    if name[:1].isupper():
        for family in _families():
            if hasattr(family, name):
                return getattr(family, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
