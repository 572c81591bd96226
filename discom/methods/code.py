"""The digest of the code behind a method's numbers: of an edited loss the old run is not taken.

What counts is the text of modules as they were imported; of a notebook that of its cells.
"""

import ast
import dis
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from importlib.util import resolve_name
from types import FunctionType, ModuleType
from typing import Any

from discom.errors import ConfigError
from discom.files import digest

FOLLOWED = ("losses", "models", "methods", "discom_kd", "crodino_kd")
ROOMS = tuple(f"discom.{name}" for name in FOLLOWED)
LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
unparse = lru_cache(maxsize=4096)(ast.unparse)
walk = lru_cache(maxsize=4096)(lambda statement: [*ast.walk(statement)])


def code(method: Any) -> str:
    """Six digits of all that a method's class and what makes the encoders name, and what that names
    in turn: classes, functions, constants and decorators in losses, models, methods, and a person's
    own modules and cells. Comments and docstrings do not count. A ConfigError for a class whose
    text is nowhere, such as one that a function makes."""
    own = method.__module__, method.__qualname__
    if own[1] not in _definitions(*_texts(sys.modules[own[0]])):
        way_out = "define it in a file or a cell, outside of functions and without magic"
        raise ConfigError(f"method: {method.__name__}", "its source cannot be read", way_out)
    family, maker = ("segmentation", "network") if method.dense else ("encoders", "encoder")
    pending = [own, (f"discom.models.{family}", maker)]
    seen, texts = set[tuple[str, str]](), set[str]()
    while pending:
        place, name = pending.pop()
        module: Any = sys.modules.get(place)
        if (place, name) in seen or not _is_followed(module):
            continue
        seen.add((place, name))
        for statement in _definitions(*_texts(module)).get(name, ()):
            pending += _names(statement, name, module)
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                texts.add(f"{place if place.startswith(ROOMS) else ''}:{unparse(statement)}")
        live = vars(module).get(name)  # which may have been put there
        for each in (live, *(vars(live).values() if inspect.isclass(live) else ())):
            if isinstance(each, FunctionType | type):
                pending.append((each.__module__, each.__qualname__.partition(".")[0]))
    return digest(sorted(texts))[:6]


@lru_cache(maxsize=256)
def _definitions(*texts: str) -> dict[str, list[ast.stmt]]:
    """Name → the statements that bind it, from its last definition on, without docstrings."""
    bound: dict[str, list[ast.stmt]] = {}
    for text in texts:
        with suppress(SyntaxError):  # of a cell, which did not run
            for statement in ast.parse(text).body:
                steps = dis.get_instructions(compile(ast.Module([statement], []), "", "exec"))
                for name in {step.argval for step in steps if step.opname == "STORE_NAME"}:
                    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Assign):
                        bound[name] = []
                    bound.setdefault(name, []).append(statement)
                for node in ast.walk(statement):
                    if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                        node.body = node.body[1:] or [ast.Pass()]
    return bound


def _names(statement: ast.stmt, name: str, module: Any) -> Iterator[tuple[str, str]]:
    """Module and name of all that a statement names; of an import the origin of `name`."""
    for node in walk(statement):
        match node:
            case ast.Name(id=other):
                yield module.__name__, other
            case ast.Attribute(value=ast.Name(id=other), attr=attribute):
                if isinstance(owner := vars(module).get(other), ModuleType):
                    yield owner.__name__, attribute
            case ast.ImportFrom(level=level, module=origin, names=aliases):
                origin = resolve_name("." * level + (origin or ""), module.__package__)
                yield from ((origin, a.name) for a in aliases if (a.asname or a.name) == name)


def remember() -> None:
    """Read the text of every module that is followed. What runs is what was imported, not what its
    file holds after a later edit; so this is called whenever a method is defined."""
    for module in filter(_is_followed, [*sys.modules.values()]):
        _texts(module)


def _is_followed(module: Any) -> bool:
    """Whether a method's numbers may come from it: it is in one of ROOMS, or a person's own."""
    if not isinstance(module, ModuleType):
        return False
    names = vars(module)  # asking a lazy module itself would import it
    if names["__name__"].startswith("discom."):
        return names["__name__"].startswith(ROOMS)
    return not (names.get("__file__") or "").startswith(LIBRARIES)


def _texts(module: ModuleType) -> list[str]:
    """The cells of a notebook, as they were run; of another module its text when it was first asked
    for since its import, or reload, which makes another spec."""
    if module.__name__ == "__main__" and "In" in vars(module):
        return vars(module)["In"]
    keeper: Any = vars(module).get("__spec__") or module  # a script has no spec
    if not hasattr(keeper, "discom_text"):
        keeper.discom_text = ""
        with suppress(OSError, TypeError):
            keeper.discom_text = inspect.getsource(module)
    return [keeper.discom_text]
