"""The structure of the package: no import circles, small files, and a light `import discom`."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "discom"
MODULES = sorted(PACKAGE.rglob("*.py"))
PAGES = ("discom_kd", "crodino_kd")  # methods on a page of their own, beside the folder of methods


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


def folder_of(module: str) -> str:
    """The folder of a module, or the module where it is in none; the two pages are methods."""
    own, *_ = module.removeprefix("discom.").split(".")
    return "methods" if own in PAGES else own


def test_imports_form_no_circle():
    """Neither of modules nor of folders."""
    modules = {module_name(path): imported(path) for path in MODULES}
    assert len(list(TopologicalSorter(modules).static_order())) >= len(MODULES)
    folders: dict[str, set[str]] = {}
    for name, others in modules.items():
        used = {folder_of(other) for other in others}
        folders.setdefault(folder_of(name), set()).update(used - {folder_of(name), "discom"})
    assert "running" in list(TopologicalSorter(folders).static_order())


def test_no_two_files_have_one_name():
    """A search for a name, or a tab of an editor, must lead to one file."""
    names = [path.name for path in MODULES if path.stem not in ("__init__", "__main__")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_files_stay_short_and_public_names_are_documented(path):
    """A method on one page may be longer than a module."""
    assert path.read_text().count("\n") <= (420 if path.stem in PAGES else 300)
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


def loaded(code: str) -> set[str]:
    """The modules that this code loads in a process of its own."""
    return {*printed(f"import sys; {code}; print(*sys.modules)")}


def test_a_loss_and_the_page_of_discom_kd_serve_in_a_loop_of_ones_own():
    """Files of losses/ load torch alone beside what `import discom` loads; the page of DisCoM-KD
    loads nothing of the data, and neither of them a library that draws, reads or trains."""
    files = sorted(name for name in NAMES if name.startswith("discom.losses"))
    assert len(files) > 4
    of_torch = {name.partition(".")[0] for name in loaded("import torch, discom")}
    light = {"discom", "discom.config", "discom.errors", "discom.labels", *files}
    for file in files:
        modules = loaded(f"import {file}")
        assert {name for name in modules if name.partition(".")[0] == "discom"} <= light, file
        others = {name.partition(".")[0] for name in modules} - of_torch - sys.stdlib_module_names
        assert not others - {"discom"}, file
    modules = loaded("import discom.discom_kd")
    heavy = {"pandas", "PIL", "sklearn", "lightning", "torchvision", "timm", "discom.data"}
    assert not modules & heavy


def test_training_loads_few_modules_of_the_package():
    """Methods, losses and readers are imported when they are asked for."""
    modules = [name for name in loaded("from discom import fit") if "discom" in name]
    assert len(modules) <= 45, modules
    assert not [name for name in modules if name.startswith("discom.losses")]
