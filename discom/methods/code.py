"""The digest of the code behind a method's numbers: of an edited loss the old run is not taken."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from discom import models
from discom.files import digest
from discom.methods.base import Method

ROOMS = ("discom.losses", "discom.models", "discom.methods")


def code(method: type[Method]) -> str:
    """Six digits of the syntax trees, without docstrings and comments, of a method's class and
    bases, its teacher's, what makes the encoders, and all that these name in losses, models and
    methods, or beside an own class in its module or notebook.

    >>> from discom import methods
    >>> code(methods.Student) == code(methods.Student), len(code(methods.DisCoMKD))
    (True, 6)
    """
    rooms, found = (*ROOMS, method.__module__), dict[str, str]()
    todo: list[Any] = [method, models.network if method.dense else models.encoder]
    while todo:
        thing = todo.pop()
        name = f"{thing.__module__}.{thing.__qualname__}".removeprefix(f"{method.__module__}.")
        if name in found or not thing.__module__.startswith(rooms):
            continue
        found[name] = _plain(thing)
        if inspect.isclass(thing):
            todo += [*thing.__bases__, getattr(thing, "teacher_method", None)]
        for function in _functions(thing):
            space = function.__globals__
            named = {name for each in _codes(function.__code__) for name in each.co_names}
            modules = [m for m in map(space.get, named) if isinstance(m, ModuleType)]
            todo += [vars(place).get(n) for place in modules for n in named]
            todo += [space.get(name) for name in named]
        todo = [each for each in todo if isinstance(each, type | FunctionType)]
    return digest(sorted(found.items()))[:6]


def _functions(thing: Any) -> Iterator[FunctionType]:
    """A function, or those of a class: properties, static and class methods, too."""
    for each in vars(thing).values() if inspect.isclass(thing) else [thing]:
        function = getattr(each, "__func__", getattr(each, "fget", each))
        function = inspect.unwrap(function) if callable(function) else None
        if isinstance(function, FunctionType):
            yield function


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those inside it, of comprehensions and inner functions."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


@cache
def _plain(thing: Any) -> str:
    """The syntax tree as text; the bytecode of a class whose source a notebook does not keep."""
    try:
        return _tree(inspect.getsource(thing))
    except (OSError, TypeError):
        values = {k: v for k, v in vars(thing).items() if isinstance(v, str | float | tuple | dict)}
        text = {k: f"{v}" for k, v in values.items() if not k.startswith("__")}
        return f"{text}{[_tree(inspect.getsource(each)) for each in _functions(thing)]}"


def _tree(source: str) -> str:
    """The syntax tree of a source without docstrings, as text."""
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not body or not isinstance(body[0], ast.Expr):
            continue
        if isinstance(body[0].value, ast.Constant):
            node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.dump(tree)
