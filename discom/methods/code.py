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
_TEXTS: dict[str, tuple[Any, str]] = {}  # module → its spec, which a reload makes anew, and text


def code(method: Any) -> str:
    """Six digits of all that a method's class, its teacher's, and what makes the encoders name, and
    what that names in turn: classes, functions, constants and decorators in losses, models,
    methods, and a person's own modules and cells. Comments and docstrings do not count. A
    ConfigError for a class whose text is nowhere, such as one typed at Python's prompt.

    >>> from discom import methods
    >>> code(methods.Student) == code(methods.Student), len(code(methods.DisCoMKD))
    (True, 6)
    """
    place, name = own = _home(method)
    if name not in _bindings(_source(sys.modules[place])):
        way_out = "define it in a file, or in a cell without magic"
        raise ConfigError(f"method: {method.__name__}", "its source cannot be read", way_out)
    seen, texts = set[tuple[str, str]](), {_arguments(method)}
    networks = ("segmentation", "network") if method.dense else ("encoders", "encoder")
    pending = [own, (f"discom.models.{networks[0]}", networks[1])]
    while pending:
        place, name = pending.pop()
        module = sys.modules.get(place)
        if module is None or (place, name) in seen or not _is_followed(module):
            continue
        seen.add((place, name))
        statements, live = _bindings(_source(module)), _space(module).get(name)
        label = f"{place if place.startswith(ROOMS) else ''}:{name}"
        for node in statements.get(name, ()):
            texts.add(label + _text(node))
            pending += _named(node, name, place, statements)
        for each in (live, *(vars(live).values() if inspect.isclass(live) else ())):
            function = inspect.unwrap(each) if isinstance(each, FunctionType) else each
            if isinstance(function, FunctionType | type) and function.__module__ != place:
                pending.append(_home(function))  # it was put there
        if teacher := getattr(live, "teacher_method", None):
            pending.append(_home(teacher))
    return digest(sorted(texts))[:6]


def _home(thing: Any) -> tuple[str, str]:
    """Its module, and the name that a statement there gives it, or gives the function or class that
    it is defined in."""
    bound, own = _space(sys.modules[thing.__module__]), thing.__qualname__
    names = [own, *(name for name, each in [*bound.items()] if each is thing)]
    found = (name for name in names if bound.get(name) is thing)
    return thing.__module__, next(found, own.partition(".")[0])


def _arguments(method: Any) -> str:
    """Plain values that a class in a function has of that function's arguments."""
    if "<locals>" not in method.__qualname__:
        return ""
    values = {name: value for name, value in vars(method).items() if not name.startswith("__")}
    for function in filter(inspect.isfunction, [*values.values()]):
        values |= inspect.getclosurevars(function).nonlocals
    plain = {k: v for k, v in values.items() if isinstance(v, bool | int | float | str | dict)}
    return repr(sorted(plain.items(), key=str))


@lru_cache(maxsize=256)
def _bindings(text: str) -> dict[str, list[ast.stmt]]:
    """Name → the statements of a module's text that bind it, from its last definition on."""
    bound: dict[str, list[ast.stmt]] = {}
    for statement in ast.parse(text).body:
        defines = isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Assign)
        for name in _bound(statement):
            bound[name] = [statement] if defines else [*bound.get(name, []), statement]
    return bound


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module binds."""
    steps = dis.get_instructions(compile(ast.Module([statement], []), "module", "exec"))
    return {step.argval for step in steps if step.opname == "STORE_NAME"}


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
            module = _space(sys.modules[place]).get(each.value.id)
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


def remember() -> None:
    """Read the text of every module that is followed. What runs is what was imported, not what its
    file holds after a later edit; so this is called whenever a method is defined."""
    for module in [*sys.modules.values()]:
        if isinstance(module, ModuleType) and vars(module).get("__file__") and _is_followed(module):
            _source(module)


def _is_followed(module: ModuleType) -> bool:
    """Whether a method's numbers may come from it: it is in one of ROOMS, or a person's own."""
    names = vars(module)  # asking a lazy module itself would import it
    name, file = names["__name__"], names.get("__file__") or ""
    if name.partition(".")[0] in ("discom", "builtins"):
        return name.startswith(ROOMS)
    return not file.startswith(LIBRARIES)


def _space(module: ModuleType) -> dict[str, Any]:
    """The names of a module; of a notebook those of its kernel."""
    shell = _shell(module)
    return shell.user_ns if shell else vars(module)


def _source(module: ModuleType) -> str:
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
