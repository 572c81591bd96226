"""What a running program has put in the place of what its text says: constants, attributes of
classes, functions, and names that are imported."""

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from importlib.util import resolve_name
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

PLAIN = {bool, int, float, str, bytes, type(None), tuple, list, set, frozenset, dict}
# what an expression of constants and of names consists of
DISPLAYS = ast.Tuple, ast.List, ast.Set, ast.Dict
OPERATIONS = ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context
FIXED = (ast.Constant, ast.Name, *DISPLAYS, *OPERATIONS)
NAMED = {"name", "address"}  # attributes that each method is given when it is defined
_kept: dict[int, Any] = {}  # address → value, so that no two values have the same


class _Said(NamedTuple):
    """What a text says of a name, at its top or in the body of a class."""

    owner: str  # the class, or ""
    name: str
    value: CodeType | None = None  # an expression of constants, such as 1 / 3
    origin: str = ""  # the module that it is imported from; of a function neither is there
    original: str = ""  # what it is called there


def otherwise(place: str, text: str) -> set[str]:
    """Of a module, what is not as its text says, with what it is now. A function has another
    address in each process, so that a run with one of these is never taken for another."""
    names, other = vars(sys.modules.get(place, ModuleType(place))), set[str]()
    for said in _said(text, names.get("__package__") or ""):
        holder = names.get(said.owner) if said.owner else names
        holder = vars(holder) if isinstance(holder, type) else holder
        if isinstance(holder, Mapping) and said.name in holder:
            path = f"{said.owner}.{said.name}".lstrip(".")
            if _is_other(said, path, holder[said.name], names, holder):
                other.add(_described(f"{place}.{path}", holder[said.name]))
    return other


def _is_other(said: _Said, path: str, value: Any, names: dict, holder: Mapping) -> bool:
    if said.origin:
        return value is not getattr(sys.modules.get(said.origin), said.original, value)
    if said.value is None:
        function = getattr(value, "__func__", value)  # of a class method
        place = function.__module__ if isinstance(function, FunctionType) else ""
        return place != names["__name__"] or function.__qualname__ != path
    try:
        expected = eval(said.value, names, holder)
    except (NameError, TypeError):  # of a name that is gone, or was replaced
        return False
    if type(value) not in PLAIN or expected in ({}, []):  # a store, which the program fills
        return False
    return type(value) is not type(expected) or value != expected


def added(owner: type, definition: ast.stmt) -> set[str]:
    """Of a method's class, attributes from elsewhere that its definition lacks, such as one that
    hides an inherited one."""
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    bound, place = {name for statement in body for name in bound_by(statement)}, owner.__module__
    return {
        _described(f"{place}.{owner.__qualname__}.{name}", value)
        for name, value in vars(owner).items()
        if name not in bound | NAMED and not name.startswith("__")
        if type(value) in PLAIN or isinstance(value, FunctionType | partial)
        if getattr(value, "__module__", "") != place
    }


def _described(path: str, value: Any) -> str:
    _kept[id(value)] = value
    return f"{path} = {value!r}"


@lru_cache(maxsize=512)
def _said(text: str, package: str) -> list[_Said]:
    """Constants, class attributes, functions without decorators and imported names of a text."""
    top, said = ast.parse(text).body, dict[tuple[str, str], _Said]()
    classes = [statement for statement in top if isinstance(statement, ast.ClassDef)]
    statements = [("", statement) for statement in top]
    statements += [(owner.name, statement) for owner in classes for statement in owner.body]
    for owner, statement in statements:
        for name in bound_by(statement):
            said.pop((owner, name), None)  # what is bound twice, or in a loop, has no one value
        for each in _of_statement(owner, statement, package):
            said[owner, each.name] = each
    for statement in top:
        if not isinstance(statement, ast.ClassDef | ast.FunctionDef):
            for node in ast.walk(statement):  # such as Mine.loss = other
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    said.pop((ast.unparse(node.value), node.attr), None)
    return [*said.values()]


def _of_statement(owner: str, statement: ast.stmt, package: str) -> Iterator[_Said]:
    match statement:
        case ast.FunctionDef(name=name, decorator_list=[]):
            yield _Said(owner, name)
        case ast.ImportFrom(module=module, names=names, level=level) if not owner:
            base = resolve_name("." * level + (module or ""), package)
            for alias in names:
                yield _Said("", alias.asname or alias.name, origin=base, original=alias.name)
        case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value):
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = [*zip(target.elts, value.elts, strict=False)]
            for target, expression in pairs:
                if expression is None or not all(map(_is_fixed, ast.walk(expression))):
                    continue
                if isinstance(target, ast.Name) and (owner or target.id.isupper()):
                    code = compile(ast.Expression(expression), "", "eval")
                    yield _Said(owner, target.id, code)


def _is_fixed(node: ast.AST) -> bool:
    return isinstance(node, FIXED)


def bound_by(statement: ast.stmt) -> dict[str, bool]:
    """What a statement binds or changes → whether nothing from before is left of it."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name: True}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0]: True for alias in statement.names}
    bound, nodes = dict[str, bool](), [*ast.walk(statement)]
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound[name] = False
            case ast.Name(id=name, ctx=ast.Store()):
                bound[name] = isinstance(statement, ast.Assign) and name not in read
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                bound[ast.unparse(node).partition(".")[0].partition("[")[0]] = False
    return bound
