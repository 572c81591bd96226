"""The digest of the code behind a run's numbers: after an edit an old run is not taken.

A file counts as a whole: of discom those that the loop and the method import, and a person's own.
Of a notebook, or a script, those statements count that a class names. What counts is the text that
was imported, not what a file holds after a later edit; and beside the text what a running program
has put in the place of its constants, class attributes and functions.
"""

import ast
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any

from discom.errors import ConfigError
from discom.files import digest
from discom.methods.replaced import added, bound_by, otherwise

PACKAGE = Path(__file__).parents[1]
LOOP = "discom.running.fit"  # what every run imports
STANDARD = sysconfig.get_path("stdlib")
INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]")  # where libraries lie
_texts: dict[str, tuple[Any, str]] = {}  # module → the spec that it was imported by, its text


def code(method: Any) -> str:
    """Six digits of the code that makes a method's numbers: the loop, the method's class, those
    that it is derived from, its teacher's, and what they import of discom and of a person's files
    beside theirs. Comments and docstrings do not count; a value that was put in the place of what
    a text says does. A ConfigError for a class whose text is nowhere, such as one that a function
    makes."""
    kinds = [kind for kind in (method, method.teacher_method) if kind]
    folders, pending = tuple(map(_folder, kinds)), {LOOP}
    parts, visited = set[str](), set[str]()
    for owner in dict.fromkeys(owner for kind in kinds for owner in kind.__mro__):
        place, name = owner.__module__, owner.__qualname__
        if owner not in kinds and not _is_followed(place, folders):
            continue
        definitions = _definitions(_cells() if place == "__main__" else (_text(place),))
        if name not in definitions:
            way_out = "define it in a file or a cell, outside of functions and without magic"
            raise ConfigError(f"method: {owner.__name__}", "its source cannot be read", way_out)
        pending.add(place)
        if place == "__main__":
            statements = _named(name, definitions)
            parts |= {ast.unparse(statement) for statement in statements}
            pending |= {other for other in _imports(statements) if _is_followed(other, folders)}
        else:
            parts |= added(owner, definitions[name][0])
    while pending:
        visited.add(place := pending.pop())
        if place != "__main__" and (text := _text(place)):
            package = getattr(sys.modules.get(place), "__package__", None)
            part, imports = _read(text, package or "")
            parts.add(part)
            parts |= otherwise(place, text)
            pending |= {other for other in imports if _is_followed(other, folders)} - visited
    return digest(sorted(parts))[:6]


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


def _is_followed(name: str, folders: tuple[str, ...]) -> bool:
    """Whether a module is of discom, or a person's own in one of the folders and no library."""
    if name.partition(".")[0] in ("discom", "__main__"):
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


class _Bare(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """A docstring, or another constant on its own, goes."""
        return None if isinstance(node.value, ast.Constant) else node


@lru_cache(maxsize=512)
def _read(text: str, package: str) -> tuple[str, frozenset[str]]:
    """The digest of a file's text, and the modules that it imports."""
    tree = _Bare().visit(ast.parse(text))
    return digest(ast.unparse(tree)), frozenset(_imports([tree], package))


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
            for statement in _Bare().visit(ast.parse(text)).body:
                for part in _apart(statement):
                    for name, anew in bound_by(part).items():
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


def _named(name: str, definitions: Mapping[str, list[ast.stmt]]) -> list[ast.stmt]:
    """The statements that make a name, and those that make what they name, in turn."""
    pending, statements = [name], dict[str, list[ast.stmt]]()
    while pending:
        if (name := pending.pop()) not in statements:
            statements[name] = definitions.get(name, [])
            nodes = [node for statement in statements[name] for node in ast.walk(statement)]
            pending += [node.id for node in nodes if isinstance(node, ast.Name)]
    return [statement for group in statements.values() for statement in group]
