"""The pages that are not written in docs/: notebooks, the page of data sets, and an API page for
each module.

They are copied or written into folders that git ignores (docs/notebooks, docs/data, docs/api) each
time the site is built, and only where something has changed, so that a second build is quick.
"""

import ast
import inspect
import os
import sys
import tomllib
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
COMMIT = os.environ.get(
    "GITHUB_SHA", "main"
)  # the workflow's commit, so that line numbers stay right

# the API by what a reader looks for; the README has the order of imports
GROUPS = {
    "Data": ("data",),
    "Networks, losses, methods": ("models", "losses", "methods"),
    "Training and runs": ("config", "running", "advice"),
    "What was learned": ("evaluation", "inspection"),
    "Many runs, tables, pictures": ("tables", "plots"),
    "Deployment": ("deployment", "prediction"),
    "Command line and notebooks": ("cli", "notebook"),
}
REST = "What everything rests on"  # every other module


def origin(docname: str, srcdir: Path) -> Path:
    """The file of the repository that a page was written in."""
    if docname == "data/index":
        return ROOT / "data/README.md"
    if docname.startswith("notebooks/0") or docname.startswith("notebooks/1"):
        return ROOT / f"{docname}.ipynb"
    return srcdir / f"{docname}.md"


def page_of(file: Path, srcdir: Path) -> Path | None:
    """The page of the site that shows a file of the repository, the inverse of `origin`; none for
    most files."""
    if file == ROOT / "data/README.md":
        return srcdir / "data/index.md"
    if file.parent == ROOT / "notebooks" and file.suffix == ".ipynb":
        return srcdir / "notebooks" / file.name
    return file if file.is_relative_to(srcdir) and file.suffix == ".md" else None


def on_github(file: Path, lines: str = "") -> str:
    """The address of a file or folder in the repository."""
    kind = "tree" if file.is_dir() else "blob"
    return f"{REPOSITORY}/{kind}/{COMMIT}/{file.relative_to(ROOT).as_posix()}{lines}"


def source_of(module: str, name: str) -> str | None:
    """The address of the lines that define a class, function or method; none for a constant."""
    found = import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    found = inspect.unwrap(getattr(found, "fget", None) or getattr(found, "func", None) or found)
    try:
        file, (text, first) = inspect.getsourcefile(found), inspect.getsourcelines(found)
    except TypeError:  # a constant, or a field of a named tuple
        return None
    if not file or not Path(file).is_relative_to(ROOT):
        return None
    return on_github(Path(file), f"#L{first}-L{first + len(text) - 1}")


def modules(name: str) -> list[str]:
    """The modules of a package, or one module, by dotted name; a package before its modules."""
    place = ROOT / "discom" / name
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    dotted = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in files
    ]
    return sorted(dotted)


def assemble(srcdir: Path) -> None:
    """Bring the generated folders up to date with the repository."""
    pages = {srcdir / "data/index.md": (ROOT / "data/README.md").read_text()}
    notebooks = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    pages |= {srcdir / "notebooks" / file.name: file.read_text() for file in notebooks}
    pages[srcdir / "notebooks/index.md"] = _contents(
        "Notebooks", NOTEBOOKS, [file.stem for file in notebooks]
    )
    pages |= {
        srcdir / f"api/{name}.md": _api_page(name) for names in _groups().values() for name in names
    }
    pages[srcdir / "api/index.md"] = _api_contents()
    for folder in ("data", "notebooks", "api"):
        for file in (srcdir / folder).glob("*.*"):
            if file not in pages:
                file.unlink()
    for file, text in pages.items():
        if not file.exists() or file.read_text() != text:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)


NOTEBOOKS = """\
Each one runs alone, from top to bottom, in JupyterLab (`make lab`), on Colab (its badge), or in
batch (`make tutorial`). Shown here with the outputs of one run on two CPU cores. Solutions:
[notebooks/solutions/py](../../notebooks/solutions/py).
"""
API = """\
Made from the docstrings, examples included; these run as tests. Every name has a link to its
source. Imports point upwards only, in the order of [CONTRIBUTING](../../CONTRIBUTING.md).
"""


def _contents(title: str, text: str, names: list[str]) -> str:
    return f"# {title}\n\n{text}\n```{{toctree}}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```\n"


def _api_contents() -> str:
    parts = [f"# API\n\n{API}"]
    for title, names in _groups().items():
        lines = [
            f"| [`discom.{name}`]({name}.md) | {_summary(modules(name)[0])} |" for name in names
        ]
        table = "| module | contents |\n|---|---|\n" + "\n".join(lines)
        parts.append(f"## {title}\n\n{table}\n")
    every = "\n".join(name for names in _groups().values() for name in names)
    return "\n".join(parts) + f"\n```{{toctree}}\n:hidden:\n\n{every}\n```\n"


def _groups() -> dict[str, list[str]]:
    """GROUPS, and the modules that it does not name in a last one."""
    every = {
        path.stem
        for path in (ROOT / "discom").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    named = {title: list(names) for title, names in GROUPS.items()}
    rest = (
        every
        - {name for names in GROUPS.values() for name in names}
        - {"__init__", "__main__", "version"}
    )
    return named | {REST: sorted(rest)}


def _file(module: str) -> Path:
    place = ROOT.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _summary(module: str) -> str:
    """The first sentence of a module's docstring, on one line; one that asks, with its answer."""
    text = ast.get_docstring(ast.parse(_file(module).read_text())).split("\n\n")[0]
    return " ".join(text.split()).partition(". ")[0].removesuffix(".") + "."


def _api_page(name: str) -> str:
    """Each module of a package with the public names that it defines itself, and not those that it
    passes on."""
    parts = []
    for module in modules(name):
        names = _own_names(ast.parse(_file(module).read_text()))
        members = f"   :members: {', '.join(names)}\n" if names else ""
        title = "#" if not parts else "##"
        parts.append(
            f"{title} {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n{members}```\n"
        )
    return "\n".join(parts)


def _own_names(tree: ast.Module) -> list[str]:
    """Public functions and classes, in the order of the file."""
    defined = (ast.FunctionDef, ast.ClassDef)
    return [node.name for node in tree.body if isinstance(node, defined) and node.name[0] != "_"]


if __name__ == "__main__":
    assemble(Path(sys.argv[1]).resolve())
