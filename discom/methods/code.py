"""The digest of the code behind a run's numbers: after an edit an old run is not taken.

A file counts as a whole: of discom those that the loop and the method import, and a person's own.
Of a notebook, or a script, those statements count that a class names. What counts is the text that
was imported, not what a file holds after a later edit. Beside the text values count as they are
now, since a running program may have changed them: of a person's class all that it reads, of discom
constants, functions, classes and their attributes.
"""

import ast
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from discom.errors import ConfigError
from discom.files import digest
from discom.methods.words import Bare, Words

PACKAGE = Path(__file__).parents[1]
LOOP = "discom.running.fit"  # what every run imports
STANDARD = sysconfig.get_path("stdlib")
INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]")  # where libraries lie
_texts: dict[str, tuple[Any, str]] = {}  # module → the spec that it was imported by, its text


def code(method: Any) -> str:
    """Six digits of the code that makes a method's numbers: the loop, the method's class, those
    that it is derived from, its teacher's, and what they import of discom and of a person's files
    beside theirs. Comments and docstrings do not count; the values that a person's class reads, and
    replaced constants and functions of discom, do. A ConfigError for a class whose text is nowhere,
    such as one that a function makes."""
    kinds = [kind for kind in (method, method.teacher_method) if kind]
    folders, pending = tuple(map(_folder, kinds)), {LOOP}
    parts, visited, own = set[str](), set[str](), dict[str, list[Any]]()
    texts, varying = dict[str, str](), set[tuple[str, str]]()
    for owner in dict.fromkeys(owner for kind in kinds for owner in kind.__mro__):
        place, name = owner.__module__, owner.__qualname__
        if owner not in kinds and not _is_followed(place, folders):
            continue
        definitions = _definitions(_cells() if place == "__main__" else (_text(place),))
        if name not in definitions:
            way_out = "define it in a file or a cell, outside of functions and without magic"
            raise ConfigError(f"method: {owner.__name__}", "its source cannot be read", way_out)
        pending.add(place)
        if not _is_ours(place):
            own.setdefault(place, []).append(owner)
        if place == "__main__":
            statements = _named(name, definitions)
            parts |= {ast.unparse(statement) for statement in statements}
            pending |= {other for other in _imports(statements) if _is_followed(other, folders)}
    while pending:
        visited.add(place := pending.pop())
        if place != "__main__" and (text := _text(place)):
            texts[place], imports, computed = _read(text, import_module(place).__package__ or "")
            varying |= {(place, path) for path in computed}
            pending |= {other for other in imports if _is_followed(other, folders)} - visited

    def is_own(name: str) -> bool:
        return not _is_ours(name) and (name in own or _is_followed(name, folders))

    read = Words(texts, is_own, _text).of([*own.values()])
    return digest(sorted(parts | {*texts.values(), read} | _values(texts, varying)))[:6]


def _values(texts: Mapping[str, str], varying: set[tuple[str, str]]) -> set[str]:
    """What the constants, functions and classes of discom's modules, and attributes of these, are
    now; but not what varies, nor where that is imported, nor a set, such as of devices, that may
    grow."""
    values = dict[tuple[str, str], Any]()
    for place in filter(_is_ours, texts):
        for name, value in [*vars(sys.modules[place]).items()]:
            is_class = isinstance(value, type) and value.__module__ in texts
            if name.isupper() or is_class or isinstance(value, FunctionType | partial):
                values[place, name] = value
            for key, attribute in vars(value).items() if is_class else ():
                if value.__module__ == place and not key.startswith("__") and key != "address":
                    values[place, f"{name}.{key}"] = attribute
    hidden = {(key[1], id(values[key])) for key in varying & values.keys()}
    return {
        f"{texts[place]} {path} = {Words(texts, '__main__'.__eq__, _text).of(value)}"
        for (place, path), value in values.items()
        if (place, path) not in varying and (path, id(value)) not in hidden
        if not isinstance(value, set)
    }


def remember(method: Any = None) -> None:
    """Read the files of discom, and those beside a method's, that are imported by now. It is called
    when the loop is imported and when a method is defined."""
    folders = (_folder(method),) if method else ()
    for name in [*sys.modules]:
        if _is_followed(name, folders):
            _text(name)


def _folder(method: Any) -> str:
    """Where a person's own files are: beside the file or the package of the method's class, or of a
    notebook where it runs."""
    names = vars(sys.modules[method.__module__])
    if not (file := names.get("__file__")):
        return os.path.join(os.getcwd(), "")
    return os.path.join(Path(file).absolute().parents[method.__module__.count(".")], "")


def _is_ours(name: str) -> bool:
    """Whether a module is of discom."""
    return name.partition(".")[0] == "discom"


def _is_followed(name: str, folders: tuple[str, ...]) -> bool:
    """Whether a module is of discom, or a person's own in one of the folders and no library."""
    if _is_ours(name) or name == "__main__":
        return True
    module = sys.modules.get(name)  # asking a lazy module itself would import it
    file = isinstance(module, ModuleType) and vars(module).get("__file__")
    if not file or not file.startswith(folders):
        return False
    return not file.startswith(STANDARD) and not INSTALLED.search(file)


def _text(name: str) -> str:
    """The text of a module when it was first asked for since its import, or reload, which makes
    another spec; of one of discom that is not imported yet its file's."""
    if name not in sys.modules:
        path = PACKAGE.parent.joinpath(*name.split("."))
        files = [path.with_suffix(".py"), path / "__init__.py"]
        return next((file.read_text("utf-8") for file in files if file.is_file()), "")
    names = vars(sys.modules[name])
    if name not in _texts or _texts[name][0] is not names.get("__spec__"):
        file = Path(names.get("__file__") or "")
        text = file.read_text("utf-8") if file.suffix == ".py" and file.is_file() else ""
        _texts[name] = names.get("__spec__"), text
    return _texts[name][1]


def _cells() -> tuple[str, ...]:
    """The cells of a notebook, as they were run; of a script its text."""
    return tuple(vars(sys.modules["__main__"]).get("In") or [_text("__main__")])


@lru_cache(maxsize=512)
def _read(text: str, package: str) -> tuple[str, frozenset[str], frozenset[str]]:
    """The digest of a file's text, the modules that it imports, and the names in it that vary."""
    tree = Bare().visit(ast.parse(text))
    imports = frozenset(_imports([tree], package))
    return digest(ast.unparse(tree)), imports, frozenset(_varying(tree))


def _varying(tree: ast.Module) -> set[str]:
    """Constants and attributes whose value may differ between machines, or while a program runs, so
    that it does not count: what a call, a condition or the environment gives, and what is empty in
    the text or global in a function."""
    global_names = [node.names for node in ast.walk(tree) if isinstance(node, ast.Global)]
    varying = {"os", "sys", "__file__"}.union(*global_names)
    classes = [part for part in tree.body if isinstance(part, ast.ClassDef)]
    owned = [("", part) for part in tree.body]
    owned += [(f"{owner.name}.", part) for owner in classes for part in owner.body]
    for owner, part in owned:
        if not isinstance(part, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            nodes = [*ast.walk(value := getattr(part, "value", None) or part)]
            origins = {node.id for node in nodes if isinstance(node, ast.Name)}
            computed = any(isinstance(node, ast.Call | ast.stmt) for node in nodes)
            if computed or origins & varying or ast.unparse(value) in ("{}", "[]"):
                varying |= {f"{owner}{name}" for name in _bound(part)}
    return varying


def _imports(statements: Iterable[ast.AST], package: str = "") -> set[str]:
    """What may be a module in what is imported, and in what is named of that."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    origins: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            origins |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            origins |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
    modules = {*origins.values(), *(origin.rpartition(".")[0] for origin in origins.values())}
    for node in nodes:
        if isinstance(node, ast.Attribute):
            root, _, rest = ast.unparse(node).partition(".")
            modules |= {f"{origins[root]}.{rest}"} if root in origins else set()
    return modules


@lru_cache(maxsize=64)
def _definitions(texts: tuple[str, ...]) -> dict[str, list[ast.stmt]]:
    """Name → the statements that bind or change it, from its last definition on."""
    bound: dict[str, list[ast.stmt]] = {}
    for text in texts:
        with suppress(SyntaxError):  # of a cell, which did not run
            for statement in Bare().visit(ast.parse(text)).body:
                for part in _apart(statement):
                    for name, anew in _bound(part).items():
                        bound[name] = [part] if anew else [*bound.get(name, ()), part]
    return bound


def _apart(statement: ast.stmt) -> list[ast.stmt]:
    """Each name of an import on its own, so that a second one changes nothing of the first."""
    match statement:
        case ast.Import(names=names):
            return [ast.Import([alias]) for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            return [ast.ImportFrom(module, [alias], level) for alias in names]
    return [statement]


def _bound(statement: ast.stmt) -> dict[str, bool]:
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


def _named(name: str, definitions: Mapping[str, list[ast.stmt]]) -> list[ast.stmt]:
    """The statements that make a name, and those that make what they name, in turn."""
    pending, statements = [name], dict[str, list[ast.stmt]]()
    while pending:
        if (name := pending.pop()) not in statements:
            statements[name] = definitions.get(name, [])
            nodes = [node for statement in statements[name] for node in ast.walk(statement)]
            pending += [node.id for node in nodes if isinstance(node, ast.Name)]
    return [statement for group in statements.values() for statement in group]
