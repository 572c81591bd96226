"""Write lessons/ from the cells of the twins that are tagged `lesson-NAME`: what later
notebooks import, one file a NAME."""

import ast
import builtins
import os
import re
from pathlib import Path

import jupytext

from discom.errors import DataError
from discom.files import atomic_file

TAG = re.compile(r"lesson-(\w+)")
HEAD = '''"""What later notebooks import, as it stands in {}.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""
'''


def _bound(tree: ast.AST) -> set[str]:
    """Names that this code defines, at any depth, or takes as arguments."""
    names = {node.id for node in ast.walk(tree) if _stored(node)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    kinds = ast.FunctionDef | ast.ClassDef
    return names | {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def _stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)


def _read(tree: ast.AST) -> set[str]:
    """Names that this code reads from outside itself."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names - _bound(tree) - set(dir(builtins))


def _imports(cells: list[str]) -> dict[str, str]:
    """Name → the statement that imports it, of all cells of one notebook."""
    statements = {}
    for cell in cells:
        for node in ast.parse(cell).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    one = type(node)(**{**vars(node), "names": [alias]})
                    statements[alias.asname or alias.name] = ast.unparse(one)
    return statements


def _python(source: str) -> str:
    """A cell without the lines that are none of Python's."""
    lines = source.splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))


def lessons(twins: Path) -> dict[str, str]:
    """File name → text, of all tagged cells in a folder of twins.

    Raises:
        DataError: a tagged cell reads a name that it neither defines nor imports.
    """
    texts: dict[str, list[str]] = {}
    imported: dict[str, set[str]] = {}
    sources: dict[str, list[str]] = {}
    for twin in sorted(twins.glob("[0-9][0-9]_*.py")):
        notebook = jupytext.read(twin, fmt="py:percent")
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        statements = _imports([_python(cell.source) for cell in code[1:]])
        home: dict[str, str] = {}  # name → the lesson of this notebook that has it
        for cell in code:
            tags = filter(None, map(TAG.fullmatch, cell.metadata.get("tags", [])))
            for name in (tag[1] for tag in tags):
                tree = ast.parse(cell.source)
                here = {one for one, lesson in home.items() if lesson == name}
                for missing in sorted(_read(tree) - here):
                    if missing in home:
                        line = f"from lessons.{home[missing]} import {missing}"
                    elif missing in statements:
                        line = statements[missing]
                    else:
                        raise DataError(
                            f"notebooks/py/{twin.name}: the cell of lesson {name} reads"
                            f" {missing}, which it neither defines nor imports;"
                            " make it an argument"
                        )
                    imported.setdefault(name, set()).add(line)
                home |= dict.fromkeys(_top(tree), name)
                body = f"# from {twin.stem}\n{cell.source.strip()}"
                texts.setdefault(name, []).append(body)
                if twin.stem not in sources.setdefault(name, []):
                    sources[name].append(twin.stem)
    files = {}
    for name, bodies in texts.items():
        head = HEAD.format(" and ".join(sources[name])) + "\n"
        head += _sorted(imported.get(name, set()))
        files[f"{name}.py"] = head + "\n\n\n" + "\n\n\n".join(bodies) + "\n"
    return files


def _top(tree: ast.Module) -> set[str]:
    """Names that a module defines at its top level."""
    kinds = ast.FunctionDef | ast.ClassDef
    names = {node.name for node in tree.body if isinstance(node, kinds)}
    values = [node for node in tree.body if isinstance(node, ast.Assign)]
    return names | {node.id for v in values for node in ast.walk(v) if _stored(node)}


def _sorted(statements: set[str]) -> str:
    """Import statements in two groups, other packages' and ours."""
    ours = {
        line for line in statements if line.startswith(("from discom", "from lessons"))
    }
    groups = [
        sorted(group, key=lambda line: (line.split()[1], line))
        for group in (statements - ours, ours)
    ]
    return "\n\n".join("\n".join(group) for group in groups if group)


def write(notebooks: Path) -> list[Path]:
    """Write the files that differ, and remove those whose tag is gone."""
    folder, made = notebooks / "lessons", lessons(notebooks / "py")
    changed = []
    for name, text in made.items():
        file = folder / name
        if not file.is_file() or file.read_text() != text:
            with atomic_file(file) as part:
                part.write_text(text)
            changed.append(file)
    for file in folder.glob("*.py"):
        if file.name not in {"__init__.py", *made}:
            os.remove(file)
            changed.append(file)
    return changed
