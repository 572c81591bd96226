"""The digest of the code behind a method's numbers: of an edited loss the old run is not taken."""

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import resolve_name
from types import FunctionType, ModuleType
from typing import Any

from discom.files import digest
from discom.methods.base import Method
from discom.modules import ROOMS, is_followed, source, space


def code(method: type[Method]) -> str:
    """Six digits of all that a method's class, its teacher's, and what makes the encoders name, and
    what that names in turn: classes, functions, constants and decorators in losses, models,
    methods, and a person's own modules and cells. Comments and docstrings do not count.

    >>> from discom import methods
    >>> code(methods.Student) == code(methods.Student), len(code(methods.DisCoMKD))
    (True, 6)
    """
    own, seen, texts = _place(method), set[tuple[str, str]](), set[str]()
    networks = ("segmentation", "network") if method.dense else ("encoders", "encoder")
    todo = [own, (f"discom.models.{networks[0]}", networks[1])]
    while todo:
        place, name = todo.pop()
        module = sys.modules.get(place)
        if module is None or (place, name) in seen or not is_followed(module):
            continue
        seen.add((place, name))
        statements, live = _bindings(source(module)), space(module).get(name)
        label = f"{place if place.startswith(ROOMS) else ''}:{name}"
        for node in statements.get(name, ()):
            texts.add(label + _text(node))
            todo += _named(node, name, place, statements)
        if name not in statements and (place, name) == own:
            texts.add(label + _bytecode(method))  # of a class in a function, or a lost cell
            todo += [*((place, each) for each in statements), *map(_place, method.__bases__)]
        for each in (live, *(vars(live).values() if inspect.isclass(live) else ())):
            function = inspect.unwrap(each) if isinstance(each, FunctionType) else each
            if isinstance(function, FunctionType | type) and function.__module__ != place:
                todo.append(_place(function))  # it was put there
        if teacher := getattr(live, "teacher_method", None):
            todo.append(_place(teacher))
    return digest(sorted(texts))[:6]


def _place(thing: Any) -> tuple[str, str]:
    """Its module, and by what name that has it: another than its own for a class that a call
    made."""
    bound = space(sys.modules[thing.__module__])
    names = [thing.__qualname__, *(name for name, each in [*bound.items()] if each is thing)]
    return thing.__module__, next((n for n in names if bound.get(n) is thing), names[0])


@lru_cache(maxsize=256)
def _bindings(source: str) -> dict[str, list[ast.stmt]]:
    """Name → the statements of a module's text that bind it, from its last definition on."""
    bound: dict[str, list[ast.stmt]] = {}
    for statement in ast.parse(source).body:
        defines = isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Assign)
        for name in _bound(statement):
            bound[name] = [statement] if defines else [*bound.get(name, []), statement]
    return bound


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module binds."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]


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
            module = space(sys.modules[place]).get(each.value.id)
            if isinstance(module, ModuleType):
                yield module.__name__, each.attr


@lru_cache(maxsize=4096)
def _text(node: ast.stmt) -> str:
    """A statement without docstrings and comments; of an import nothing."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return ""
    tree = ast.parse(ast.unparse(node))
    for each in ast.walk(tree):
        body = getattr(each, "body", None)
        if not isinstance(body, list) or not body or not isinstance(body[0], ast.Expr):
            continue
        if isinstance(body[0].value, ast.Constant):
            each.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _bytecode(thing: Any) -> str:
    """What stands for a class without a statement of its own: its plain values, and the code of its
    functions."""
    values = {k: v for k, v in vars(thing).items() if not k.startswith("__")}
    text = {k: repr(v) for k, v in values.items() if isinstance(v, bool | int | float | str | dict)}
    own = [each.__code__ for each in vars(thing).values() if isinstance(each, FunctionType)]
    return f"{text}{[(c.co_code.hex(), c.co_names, _constants(c)) for c in own]}"


def _constants(code: Any) -> list[str]:
    inner = [each for each in code.co_consts if hasattr(each, "co_code")]
    plain = [repr(each) for each in code.co_consts if not hasattr(each, "co_code")]
    return plain + [text for each in inner for text in (each.co_code.hex(), *_constants(each))]
