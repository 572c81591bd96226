"""The structure of the package: no import circles, small files, and a light `import discom`."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "discom"
MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


NAMES = {module_name(path) for path in MODULES}


def imported(path: Path) -> set[str]:
    """The modules of the package that a module loads when it is imported itself."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("discom"):
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in NAMES else node.module for name in full}
    return found - {module_name(path)}


def test_imports_form_no_circle():
    """Neither of modules nor of folders."""
    modules = {module_name(path): imported(path) for path in MODULES}
    assert len(list(TopologicalSorter(modules).static_order())) >= len(MODULES)
    folders: dict[str, set[str]] = {}
    for name, others in modules.items():
        own, *_ = name.removeprefix("discom.").split(".")
        used = {other.removeprefix("discom.").split(".")[0] for other in others}
        folders.setdefault(own, set()).update(used - {own, "discom"})
    assert "running" in list(TopologicalSorter(folders).static_order())


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_files_stay_below_300_lines_and_public_names_are_documented(path):
    assert path.read_text().count("\n") <= 300
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


def printed(code: str) -> list[str]:
    """The words that this code prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("discom", "torch matplotlib pandas h5py onnx"),
        ("discom.cli", "torch numpy pandas matplotlib joblib papermill"),  # so help is quick
        ("discom.deployment", "torch onnx sklearn"),  # where it is used
        ("discom.running.fit, discom.data.sources", "h5py onnx segmentation_models_pytorch"),
    ],
)
def test_an_import_loads_no_library_that_it_does_not_need(modules, heavy):
    assert not set(printed(f"import sys, {modules}; print(*sys.modules)")) & set(heavy.split())


def test_training_loads_few_modules_of_the_package():
    """Methods, losses and readers are imported when they are asked for."""
    modules = printed("import sys; from discom import fit; print(*sys.modules)")
    loaded = [name for name in modules if "discom" in name]
    assert len(loaded) <= 38, loaded
    assert not [name for name in loaded if name.startswith("discom.losses")]
