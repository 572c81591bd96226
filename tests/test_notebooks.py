"""The committed notebooks are what one run of their twins gives, and build.py makes them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

import build
from devices import on_a_cpu
from discom.notebook import check, finish, stamp

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "notebooks/py").glob("[0-9][0-9]_*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks/solutions/py").glob("*.py"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_every_twin_has_its_notebook_and_the_other_way_round():
    assert [path.stem for path in NOTEBOOKS] == [path.stem for path in SOURCES]
    assert len(NOTEBOOKS) >= 10


@each
def test_notebook_and_twin_hold_the_same_cells(path):
    notebook = nbformat.read(path, as_version=4).cells
    twin = jupytext.read(ROOT / f"notebooks/py/{path.stem}.py", fmt="py:percent").cells
    shown = [
        [(cell.cell_type, cell.source, cell.metadata.get("tags", [])) for cell in cells]
        for cells in (notebook, twin)
    ]
    assert shown[0] == shown[1], "run `make notebooks`: the twin in notebooks/py was edited"


@each
def test_outputs_come_from_one_run_without_errors_and_draw_anywhere(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    ticks = 0
    for output in (output for cell in code for output in cell.outputs):
        assert output.output_type != "error"
        assert build.WIDGET not in output.get("data", {})
        ticks += output.get("text", "").count("✓")
    last = "".join(output.text for output in code[-1].outputs)
    assert int(re.search(r"all (\d+) checks passed", last)[1]) == ticks >= 1
    assert not {"widgets", "papermill"} & notebook.metadata.keys()
    assert not re.search(r"/(home|root|tmp|work|Users)/", path.read_text())


@each
def test_colab_opens_a_notebook_that_trains_with_a_gpu(path):
    notebook = nbformat.read(path, as_version=4)
    trains = any("hardware.device()" in cell.source for cell in notebook.cells)
    assert notebook.metadata.get("accelerator") == ("GPU" if trains else None)
    assert trains or path.stem.startswith("01_")


def git(*arguments):
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@each
def test_the_stamped_commit_holds_the_code(path):
    """What ran is what is shown, but for devices: the twin, as it was committed when the outputs
    were made on a CPU."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    text = "".join(output.get("text", "") for cell in code for output in cell.outputs)
    (commit,) = re.findall(r" · commit ([0-9a-f]{7,}) · ", text)
    shown = git("show", f"{commit}:notebooks/py/{path.stem}.py")
    if shown.returncode:
        kept = git("rev-parse", "--is-shallow-repository").stdout.strip()
        assert kept != "false", f"{commit} is not a commit of this repository"
        pytest.skip("without the history of the repository nothing can be compared")
    cells = jupytext.reads(shown.stdout, fmt="py:percent").cells
    committed = [on_a_cpu(cell.source) for cell in cells if cell.cell_type == "code"]
    run = [on_a_cpu(cell.source) for cell in code]
    assert [*filter(None, run[1:])] == [*filter(None, committed[1:])], (
        f"execute it again: {commit} differs"
    )


@pytest.mark.slow
def test_sliders_hide_no_answer_of_the_kernel(tmp_path):
    """Sixty of them in a row, in workers as batch.py has: nbclient alone waits for ever at one."""
    slider = "import ipywidgets\nipywidgets.interact(lambda x: print(x), x=(0, 5))"
    cells = [nbformat.v4.new_code_cell(slider) for _ in range(60)]
    sources = [str(tmp_path / f"{number}.ipynb") for number in range(2)]
    for source in sources:
        nbformat.write(nbformat.v4.new_notebook(cells=cells), source)
    script = f"""
from functools import partial
from pathlib import Path
from runpy import run_path
from discom.running.sweep import spread
execute = run_path("batch.py")["execute"]
print([*spread([partial(execute, Path(own), own, {{}}) for own in {sources}], 2)])
"""
    command = [sys.executable, "-c", script]
    subprocess.run(command, cwd=ROOT / "notebooks", check=True, timeout=240)


@pytest.mark.slow
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_run(path, tmp_path):
    command = [sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_place_keeps_an_old_address_or_version(tmp_path):
    for name in ("README.md", "CHANGELOG.md", "CITATION.cff", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("docs", "notebooks/py", "discom", ".github"):
        shutil.copytree(ROOT / name, tmp_path / name)
    assert build.heads(tmp_path) == [], "run python notebooks/build.py --text"


def test_the_first_cell_finds_the_notebooks_from_any_folder(tmp_path, monkeypatch):
    cell = "".join(line for line in build.INSTALL.splitlines(True) if not line.startswith("    #"))
    cell = cell.replace("# on Colab, whose torch stays", "").replace(
        "except ImportError:", "finally:"
    )
    for place in (ROOT, tmp_path, ROOT / "notebooks"):
        monkeypatch.chdir(place)
        exec(cell, {})
        assert Path.cwd() == ROOT / "notebooks"
    (tmp_path / "course.py").touch()  # a copy of one's own stays where it is
    monkeypatch.chdir(tmp_path)
    exec(cell, {})
    assert Path.cwd() == tmp_path


def test_claims_that_hold_are_counted_from_the_stamp_on(capsys):
    check("before", True)
    stamp(seed=11)
    check("two and two are four", 2 + 2 == 4)
    for holds in (False, 0, None, [], ""):
        with pytest.raises(AssertionError, match="two is five"):
            check("two is five", holds)
    finish(**{"F1 discom rgb": 74.61234, "seconds": 12})
    figures, end = capsys.readouterr().out.splitlines()[-2:]
    assert "F1 discom rgb 74.61" in figures
    assert end.startswith("all 1 checks passed")


def test_on_a_processor_the_seconds_are_those_of_its_own_work():
    """What waits for others, as on a crowded machine, is not counted; a command that it runs is.
    In a process of its own: here children of other tests may end at any moment."""
    page = """
import subprocess, sys, time
from discom.notebook import finish, stamp
stamp(seed=11)
time.sleep(1.6)
finish()
stamp(seed=11)
work = "import time\\nwhile time.process_time() < 1.2: pass"
subprocess.run([sys.executable, "-c", work], check=True)
finish()
"""
    done = subprocess.run([sys.executable, "-c", page], capture_output=True, text=True, check=True)
    ends = [line for line in done.stdout.splitlines() if line.startswith("all 0 checks passed")]
    assert ["of one core" in end for end in ends] == [True, True]
    assert [end.split(" · ")[1].split()[0] for end in ends] == ["0", "1"]
