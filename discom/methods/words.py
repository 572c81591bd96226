"""Values in words that are the same in every process, for the digest of a run's code."""

import ast
import dis
import linecache
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import lru_cache, partial
from numbers import Number
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

from discom.files import digest

NO_NUMBERS = ("address", "training")  # where a method is found, and how a module is used just now
LASTING = ModuleType | FunctionType | type  # a call of theirs does not change them


class Bare(ast.NodeTransformer):
    """A text without what changes no number."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """A docstring, or another constant on its own, goes."""
        return None if isinstance(node.value, ast.Constant) else node


class Words:
    """What values are, in words: numbers, texts, arrays, and what is made of these; of an object
    its attributes; of a function or a class its file and its name. What has no words, such as a
    device, is its type.

    Of a person's own function, also its text and what it reads; but not what the functions change
    themselves when they are called: a global name, an entry or an attribute that they set, and what
    they call a method of for its effect alone, as in ``rows.append(row)``.

    Args:
        texts: module → what names its text.
        is_own: whether a module's functions count by their text and what they read.
        text_of: module → its text, "" for the cells of a notebook.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        is_own: Callable[[str], bool],
        text_of: Callable[[str], str],
    ):
        self.texts, self.is_own, self.text_of = texts, is_own, text_of
        self.met: dict[int, Any] = {}  # what has had its words, so that a circle ends
        self.changed: set[tuple[str, str]] = set()  # module and name of what functions change

    def of(self, value: Any) -> str:
        """The words of a value."""
        self._of(value)  # finds what its functions change
        self.met = {}
        return self._of(value)

    def _of(self, value: Any) -> str:
        match value:
            case str() | bytes() | None:
                return repr(value)
            case Number():
                return str(value)
            case tuple() | list() | range():
                return str([self._of(entry) for entry in value])
            case set() | frozenset():
                return str(sorted(self._of(entry) for entry in value))
            case dict():
                return self._of([*value.items()])
            case partial():
                return self._of((value.func, value.args, value.keywords))
            case property():
                return self._of((value.fget, value.fset, value.fdel))
            case MethodType():
                return self._of((value.__func__, value.__self__))
            case ModuleType():
                return value.__name__
            case torch.Tensor():
                flat = value.detach().cpu().reshape(-1).contiguous()
                return f"{value.dtype} {[*value.shape]} {digest(flat.view(torch.uint8).numpy())}"
        if not isinstance(value, type) and hasattr(value, "__array__"):  # NumPy's, and tables
            array = np.asarray(value)
            return self._of(array.tolist()) if array.dtype == object else digest(array)
        value = getattr(value, "__func__", value)  # of a class method
        place = str(getattr(value, "__module__", ""))
        if isinstance(value, FunctionType):  # a wrapper has the module of what it wraps
            place = value.__globals__["__name__"]
        name = getattr(value, "__qualname__", type(value).__qualname__)
        words = [f"{self.texts.get(place, place.partition('.')[0])} {name}"]
        if id(value) not in self.met:
            self.met[id(value)] = value
            if isinstance(value, FunctionType):
                words += self._of_function(value, place)
            elif isinstance(value, type):
                words += self._of_class(value, place) if self.is_own(place) else []
            else:
                words += [self._of(type(value))] if self.is_own(place) else []
                words += self._of_all(_attributes(value))
        return words[0] if len(words) == 1 else str(words)

    def _of_all(self, values: Mapping[str, Any]) -> list[str]:
        return [f"{name} = {self._of(value)}" for name, value in values.items()]

    def _of_class(self, own: type, place: str) -> list[str]:
        """Its base classes, its attributes, and of what begins with __ the functions."""
        kinds = FunctionType | classmethod | staticmethod | property
        attributes = {
            name: value
            for name, value in vars(own).items()
            if (not name.startswith("__") or isinstance(value, kinds))
            and name not in NO_NUMBERS
            and (place, f"{own.__qualname__}.{name}") not in self.changed
        }
        return [self._of(own.__bases__), *self._of_all(attributes)]

    def _of_function(self, function: Any, place: str) -> list[str]:
        code, is_own = function.__code__, self.is_own(place)
        if not is_own and "<" not in function.__qualname__:
            if place in self.texts:  # it is there
                return []
            wrapped = getattr(function, "__wrapped__", None)  # by a library's decorator
            return [self._of(wrapped or _enclosed(function))]
        text = self.text_of(place) or "".join(linecache.getlines(code.co_filename))
        nodes = _functions(text).get((code.co_firstlineno, code.co_name), [])
        words = [ast.unparse(node) for node in nodes]
        if not is_own:  # a lambda of a library, whose name says nothing
            return words
        names = _names(code, "LOAD_GLOBAL")
        changed = {each for node in nodes for each in _changed(node) if _root(each) in names}
        changed |= _names(code, "STORE_GLOBAL")
        self.changed |= {(place, each) for each in changed}
        defaults = function.__defaults__, function.__kwdefaults__, _enclosed(function)
        words += [self._of(defaults)]
        return words + self._of_names(names, function.__globals__, code, place)

    def _of_names(
        self, names: set[str], values: Mapping[str, Any], code: CodeType, place: str, of: str = ""
    ) -> list[str]:
        """What code in a module reads by these names of its own module, or of a person's module
        that it calls `of`, as in ``mine.STEPS``."""
        words = list[str]()
        for name in sorted(names & {*values}):
            value = values[name]
            if (place, f"{of}{name}") not in self.changed or isinstance(value, LASTING):
                words.append(f"{name} = {self._of(value)}")
            if isinstance(value, ModuleType) and self.is_own(value.__name__):
                attributes = _names(code, "LOAD_ATTR", "LOAD_METHOD")
                path = f"{of}{name}."
                words += self._of_names(attributes, vars(value), code, place, path)
        return words


def _attributes(value: Any) -> dict[str, Any]:
    """Those of an object, but of a dataclass its fields alone: the rest may be computed later."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in fields(value)}
    attributes = getattr(value, "__dict__", {})
    if wrapped := attributes.get("__wrapped__"):  # of a function with a cache
        return {"function": wrapped}
    names = [name for name in attributes if not name.startswith("__") and name not in NO_NUMBERS]
    return {name: attributes[name] for name in names}


def _enclosed(function: Any) -> list[Any]:
    """What a function keeps of the one that it was made in."""
    values = []
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # it is empty
            values.append(cell.cell_contents)
    return values


def _names(code: CodeType, *operations: str) -> set[str]:
    """The names that code reads by these operations, with functions inside of it."""
    own = {step.argval for step in dis.get_instructions(code) if step.opname in operations}
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return own.union(*(_names(part, *operations) for part in inner))


@lru_cache(maxsize=64)
def _functions(text: str) -> dict[tuple[int, str], list[ast.AST]]:
    """First line and name → the functions of a text that begin there."""
    found: dict[tuple[int, str], list[ast.AST]] = {}
    with suppress(SyntaxError):
        for node in ast.walk(Bare().visit(ast.parse(text))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                line = min(part.lineno for part in (node, *node.decorator_list))
                found.setdefault((line, node.name), []).append(node)
            elif isinstance(node, ast.Lambda):
                found.setdefault((node.lineno, "<lambda>"), []).append(node)
    return found


def _changed(function: ast.AST) -> set[str]:
    """What a function changes, such as "rows" or "Mine.calls": it sets an entry or an attribute, or
    calls a method for its effect alone."""
    changed = set[str]()
    for node in ast.walk(function):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                changed |= {ast.unparse(node), _root(ast.unparse(node))}
            case ast.Subscript(ctx=ast.Store() | ast.Del()):
                changed |= {ast.unparse(node.value), _root(ast.unparse(node))}
            case (
                ast.Expr(value=ast.Call(func=ast.Attribute() as called))
                | ast.Call(func=ast.Attribute(attr="setdefault") as called)
            ):
                changed |= {ast.unparse(called.value), _root(ast.unparse(called))}
    return changed


def _root(path: str) -> str:
    """The name at the beginning of ``rows.of[0].them``."""
    return re.split(r"\W", path, maxsplit=1)[0]
