"""The rooms of the package: imports point upwards only, and entering the house costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "discom"
# from what everything rests on to what a person calls; a module imports from earlier places only
ORDER = [
    "version",
    "errors",
    "storage",
    "machine",
    "config",
    "shares",
    "devices",
    "data",
    "models",
    "losses",
    "segmentation",
    "focusing",
    "methods",
    "evaluation",
    "calibration",
    "probing",
    "runs",
    "resuming",
    "teaching",
    "training",
    "experiments",
    "inspection",
    "deployment",
    "sweep",
    "bench",
    "tables",
    "plots",
    "report",
    "projection",
    "maps",
    "widgets",
    "notebook",
    "reproduce",
    "commands",
    "cli",
    "__main__",
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("discom"):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1] for alias in node.names if alias.name.startswith("discom.")
            }
    return found - {"Config", "fit", "profile"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_upwards(path):
    here = ORDER.index(room(path))
    for name in imported(ast.parse(path.read_text())):
        assert ORDER.index(name) <= here, f"{path.name} imports {name}, which comes after it"


def test_the_order_names_every_room():
    assert {room(path) for path in MODULES} == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_names_are_listed_and_there(path):
    tree = ast.parse(path.read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    listed = [
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    ]
    if names and path.name != "__init__.py":
        public = ast.literal_eval(listed[0].value)
        assert all(
            ast.get_docstring(node) for node in tree.body if getattr(node, "name", "") in public
        )
        assert public == sorted(
            public, key=lambda name: (not name.isupper(), name[0].islower(), name)
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_fit_a_reader(path):
    text = path.read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            assert not body or body[-1].end_lineno - body[0].lineno < 60, (
                f"{path.name}: {node.name}"
            )


def test_importing_discom_loads_neither_torch_nor_matplotlib():
    code = "import sys, discom; print([m for m in ('torch', 'matplotlib', 'pandas') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_rooms_open_when_asked_for():
    import discom

    assert discom.methods.names()[0] == "teacher"
    assert discom.fit is discom.training.fit
    with pytest.raises(AttributeError, match="no attribute 'attic'"):
        _ = discom.attic
