"""The digest of the code behind a method's numbers: of an edited loss the old run is not taken.

What counts is the text of modules as they were imported; of a notebook that of its cells.
"""

import ast
import dis
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import resolve_name
from types import FunctionType, ModuleType
from typing import Any

from discom.errors import ConfigError
from discom.files import digest

ROOMS = ("discom.losses", "discom.models", "discom.methods")
LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))


def code(method: Any) -> str:
    """Six digits of all that a method's class and what makes the encoders name, and what that names
    in turn: classes, functions, constants and decorators in losses, models, methods, and a person's
    own modules and cells. Comments and docstrings do not count. A ConfigError for a class whose
    text is nowhere, such as one that a function makes.

    >>> from discom import methods
    >>> code(methods.Student) == code(methods.Student), len(code(methods.DisCoMKD))
    (True, 6)
    """
    own = method.__module__, method.__qualname__
    if own[1] not in _bindings(_source(sys.modules[own[0]])):
        way_out = "define it in a file or a cell, outside of functions and without magic"
        raise ConfigError(f"method: {method.__name__}", "its source cannot be read", way_out)
    networks = ("segmentation", "network") if method.dense else ("encoders", "encoder")
    pending = [own, (f"discom.models.{networks[0]}", networks[1])]
    seen, texts = set[tuple[str, str]](), set[str]()
    while pending:
        place, name = pending.pop()
        module = sys.modules.get(place)
        if module is None or (place, name) in seen or not _is_followed(module):
            continue
        seen.add((place, name))
        statements, live = _bindings(_source(module)), vars(module).get(name)
        for node in statements.get(name, ()):
            texts.add(f"{place if place.startswith(ROOMS) else ''}:{name}{_text(node)}")
            pending += _named(node, name, place, statements)
        for each in (live, *(vars(live).values() if inspect.isclass(live) else ())):
            if isinstance(each, FunctionType | type) and each.__module__ != place:
                # it was put there
                pending.append((each.__module__, each.__qualname__.partition(".")[0]))
    return digest(sorted(texts))[:6]


@lru_cache(maxsize=256)
def _bindings(text: str) -> dict[str, list[ast.stmt]]:
    """Name → the statements of a module's text that bind it, from its last definition on."""
    bound: dict[str, list[ast.stmt]] = {}
    for statement in ast.parse(text).body:
        defines = isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Assign)
        steps = dis.get_instructions(compile(ast.Module([statement], []), "module", "exec"))
        for name in {step.argval for step in steps if step.opname == "STORE_NAME"}:
            bound[name] = [statement] if defines else [*bound.get(name, []), statement]
    return bound


def _named(node: ast.stmt, name: str, place: str, names: Any) -> Iterator[tuple[str, str]]:
    """Module and name of all that a statement names; of an import the origin of `name`."""
    if isinstance(node, ast.ImportFrom):
        package = sys.modules[place].__package__
        origin = resolve_name("." * node.level + (node.module or ""), package)
        yield from ((origin, a.name) for a in node.names if (a.asname or a.name) == name)
        return
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id in names:
            yield place, each.id
        elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            module = vars(sys.modules[place]).get(each.value.id)
            if isinstance(module, ModuleType):
                yield module.__name__, each.attr


@lru_cache(maxsize=4096)
def _text(node: ast.stmt) -> str:
    """A statement without docstrings and comments; of an import nothing."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return ""
    tree = ast.parse(ast.unparse(node))
    for each in ast.walk(tree):
        match each:
            case ast.FunctionDef() | ast.ClassDef() if ast.get_docstring(each) is not None:
                each.body = each.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def remember() -> None:
    """Read the text of every module that is followed. What runs is what was imported, not what its
    file holds after a later edit; so this is called whenever a method is defined."""
    for module in [*sys.modules.values()]:
        if isinstance(module, ModuleType) and vars(module).get("__file__") and _is_followed(module):
            _source(module)


def _is_followed(module: ModuleType) -> bool:
    """Whether a method's numbers may come from it: it is in one of ROOMS, or a person's own."""
    names = vars(module)  # asking a lazy module itself would import it
    if names["__name__"].startswith("discom."):
        return names["__name__"].startswith(ROOMS)
    return not (names.get("__file__") or "").startswith(LIBRARIES)


def _source(module: ModuleType) -> str:
    """Its text when it was first asked for since its import, or reload, which makes another spec;
    of a notebook that of its cells, as they were run; "" where there is none."""
    shell = "IPython" in sys.modules and sys.modules["IPython"].get_ipython()
    if module.__name__ == "__main__" and shell:
        return "\n".join(filter(_is_python, shell.user_ns["In"]))
    keeper: Any = vars(module).get("__spec__") or module  # a script has no spec
    if not hasattr(keeper, "discom_text"):
        try:
            keeper.discom_text = inspect.getsource(module)
        except (OSError, TypeError):
            keeper.discom_text = ""
    return keeper.discom_text


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
