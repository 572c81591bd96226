"""The committed notebooks: made from their twins by one run, and readable on any page."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "notebooks/py").glob("[0-9][0-9]_*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


spec = importlib.util.spec_from_file_location("build", ROOT / "notebooks/build.py")
spec.loader.exec_module(build := importlib.util.module_from_spec(spec))


def code_of(path: Path) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_every_twin_has_its_notebook_and_the_other_way_round():
    assert [path.stem for path in NOTEBOOKS] == [path.stem for path in SOURCES]
    assert len(NOTEBOOKS) >= 3


@each
def test_notebook_and_twin_hold_the_same_cells(path):
    ours = nbformat.read(path, as_version=4).cells
    twin = jupytext.read(ROOT / f"notebooks/py/{path.stem}.py", fmt="py:percent").cells
    shown = [
        [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in cells]
        for cells in (ours, twin)
    ]
    assert shown[0] == shown[1], "run `make notebooks`: the twin in notebooks/py was edited"


@each
def test_outputs_come_from_one_run_without_errors_and_draw_anywhere(path):
    code = code_of(path)
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for output in (output for cell in code for output in cell.outputs):
        assert output.output_type != "error"
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
    notebook = json.loads(path.read_text())
    assert "widgets" not in notebook["metadata"]
    assert "papermill" not in notebook["metadata"]


@each
def test_outputs_name_no_folder_of_the_machine(path):
    text = path.read_text()
    assert not re.search(r"/(home|root|tmp|work|Users)/", text)


@each
def test_the_last_output_counts_the_checks_that_the_cells_make(path):
    code = code_of(path)
    last = "".join(output.text for output in code[-1].outputs)
    passed = int(re.search(r"all (\d+) checks passed", last)[1])
    ticks = sum(
        output.text.count("✓")
        for cell in code
        for output in cell.outputs
        if output.output_type == "stream"
    )
    assert passed == ticks >= 5


@each
def test_the_template_is_kept(path):
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert len(cells) <= 45
    assert 12 <= len(code) <= 25
    assert max(len(cell.source.splitlines()) for cell in code) <= 25
    assert path.stat().st_size <= 1_000_000
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    figures = [
        output for cell in code for output in cell.outputs if "image/png" in output.get("data", {})
    ]
    assert 4 <= len(figures) <= 8
    assert "At a glance" in cells[1].source


@each
def test_every_picture_has_the_caption_below_it_as_its_text(path):
    notebook = nbformat.read(path, as_version=4)
    stored = deepcopy(notebook)
    assert build.describe(notebook) == stored, (
        "run `notebooks/build.py --text`: a caption was edited"
    )


def page(*sources: str) -> nbformat.NotebookNode:
    """A notebook in which each cell "picture" has drawn one and every other cell is text."""
    made = nbformat.v4.new_notebook()
    for source in sources:
        made.cells.append(nbformat.v4.new_markdown_cell(source))
        if source == "picture":
            drawn = nbformat.v4.new_output(
                "display_data", {"image/png": "x", "text/plain": "<Figure>"}
            )
            made.cells[-1] = nbformat.v4.new_code_cell(source, outputs=[drawn])
    return made


def test_a_caption_describes_the_picture_above_it_and_no_other():
    described = build.describe(
        page(
            "*Figure: none.*", "picture", "no caption", "*Figure: a `b`\nof $c$.* **Take-away:** d"
        )
    )
    (output,) = described.cells[1].outputs
    assert output.metadata == {"image/png": {"alt": "a b of c."}}
    assert (
        output.data["text/plain"]
        == described.cells[1].metadata["mystnb"]["image"]["alt"]
        == "a b of c."
    )
    with pytest.raises(ValueError, match="cell 0: no caption"):
        build.describe(page("picture", "picture", "*Figure: one.*"))


def test_new_text_keeps_outputs_and_a_new_code_cell_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "HERE", tmp_path)
    nbformat.write(page("picture", "*Figure: old.*"), tmp_path / "01.ipynb")
    (tmp_path / "01.py").write_text("# %%\npicture\n\n# %% [markdown]\n# *Figure: new.*\n")
    made = nbformat.read(build.renew_text(tmp_path / "01.py"), as_version=4)
    assert made.cells[1].source == "*Figure: new.*"
    assert made.cells[0].outputs[0].data == {"image/png": "x", "text/plain": "new."}
    (tmp_path / "01.py").write_text("# %%\nother\n")
    with pytest.raises(ValueError, match="a code cell was edited"):
        build.renew_text(tmp_path / "01.py")


@each
def test_links_lead_somewhere(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for target in re.findall(
            r"\]\(([^)#]+)\)", cell.source if cell.cell_type == "markdown" else ""
        ):
            if not target.startswith("http"):
                assert (path.parent / target).exists(), target


@each
def test_modules_and_tests_that_the_references_name_exist(path):
    text = "".join(
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
    )
    for name in re.findall(r"`((?:discom|tests)/[\w/]+\.py)`", text):
        assert (ROOT / name).exists(), name


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks/solutions/py").glob("*.py")), ids=lambda path: path.stem
)
def test_solutions_run(path, tmp_path):
    ast.parse(path.read_text())
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
