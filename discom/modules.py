"""Modules as they were imported: their names and their text; of a notebook those of its kernel."""

import ast
import inspect
import sys
import sysconfig
from types import ModuleType
from typing import Any

ROOMS = ("discom.losses", "discom.models", "discom.methods")
LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
_TEXTS: dict[str, tuple[Any, str]] = {}  # module → its spec, which a reload makes anew, and text


def remember() -> None:
    """Read the text of every module that is followed. What runs is what was imported, not what its
    file holds after a later edit; so this is called whenever a method is defined."""
    for module in [*sys.modules.values()]:
        if isinstance(module, ModuleType) and vars(module).get("__file__") and is_followed(module):
            source(module)


def is_followed(module: ModuleType) -> bool:
    """Whether a method's numbers may come from it: it is in one of ROOMS, or a person's own."""
    names = vars(module)  # asking a lazy module itself would import it
    name, file = names["__name__"], names.get("__file__") or ""
    if name.partition(".")[0] in ("discom", "builtins"):
        return name.startswith(ROOMS)
    return not file.startswith(LIBRARIES)


def space(module: ModuleType) -> dict[str, Any]:
    """The names of a module; of a notebook those of its kernel."""
    shell = _shell(module)
    return shell.user_ns if shell else vars(module)


def source(module: ModuleType) -> str:
    """Its text when it was first asked for since its import; of a notebook that of all cells, in
    the order in which they were run; "" where there is none."""
    if shell := _shell(module):
        return "\n".join(filter(_is_python, map(shell.transform_cell, shell.user_ns["In"])))
    spec = vars(module).get("__spec__")
    known, text = _TEXTS.get(module.__name__, (None, None))
    if text is None or known is not spec:
        try:
            text = inspect.getsource(module)
        except (OSError, TypeError):
            text = ""
        _TEXTS[module.__name__] = spec, text
    return text


def _shell(module: ModuleType) -> Any:
    """What runs the cells, if the module is a notebook."""
    if module.__name__ != "__main__" or "IPython" not in sys.modules:
        return None
    return sys.modules["IPython"].get_ipython()


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
