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
from discom import notebook as shared
from discom.errors import DataError
from discom.notebook import check, finish, stamp, terminal

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "notebooks/py").glob("[0-9][0-9]_*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks/solutions/py").glob("*.py"))
HOME = "https://github.com/other/place"
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

# ---------------------------------------------------------------- the committed notebooks


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
    assert int(re.search(r"all (\d+) checks passed", last)[1]) == ticks >= 2
    assert not {"widgets", "papermill"} & notebook.metadata.keys()
    assert not re.search(r"/(home|root|tmp|work|Users)/", path.read_text())


def git(*arguments):
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@each
def test_the_stamped_commit_holds_the_code(path):
    """What ran is what is shown: the twin, as it was committed when the outputs were made."""
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
    committed = [cell.source for cell in cells if cell.cell_type == "code"]
    assert [cell.source for cell in code[1:]] == committed[1:], (
        f"execute it again: {commit} differs"
    )


@each
def test_links_lead_somewhere(path):
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (path.parent / target).exists(), target
    for name in re.findall(r"`((?:discom|tests)/[\w/]+\.py)`", text):
        assert (ROOT / name).exists(), name


@pytest.mark.slow
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_run(path, tmp_path):
    command = [sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


# ---------------------------------------------------------------- build.py: heads

TWIN = """# %% [markdown]
# # A title
#
# [![open in colab](x)](y) · [solutions](z)

# %%
print("git clone")

# %%
1 + 1

# %% [markdown]
# Some text.
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of everything in which the address could stand."""
    for name in ("README.md", "CHANGELOG.md", "CITATION.cff", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("docs", "notebooks/py", "discom", ".github"):
        ignored = shutil.ignore_patterns("__pycache__", "_build")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    return tmp_path


def test_no_place_keeps_an_old_address_or_version(checkout):
    assert build.heads(checkout) == [], "run python notebooks/build.py --text"
    old, project = build.address(checkout), checkout / "pyproject.toml"
    project.write_text(project.read_text().replace(old, HOME))
    changed = build.heads(checkout, "9.8.7")
    assert {"README.md", "CITATION.cff"} < {file.name for file in changed}
    for file in checkout.rglob("*"):
        if file.suffix in {".py", ".md", ".cff", ".toml", ".yml", ".js"}:
            text = file.read_text()
            assert old.removeprefix("https://") not in text, f"{file}: take it from pyproject.toml"
            released = text.replace(f"/releases/tag/v{build.__version__}\n", "")  # the changelog's
            assert f"v{build.__version__}" not in released, file
    assert "\nversion: 9.8.7\n" in (checkout / "CITATION.cff").read_text()
    for file in checkout.glob("notebooks/py/*.py"):
        badge = "https://colab.research.google.com/github/other/place/blob/main/notebooks/"
        assert f"{badge}{file.stem}.ipynb" in file.read_text()
        assert f'ref, url = "v9.8.7", "{HOME}"' in file.read_text()


def test_the_install_cell_finds_the_notebooks_folder_again(tmp_path, monkeypatch):
    """After a restart Colab has the clone and another place; elsewhere nothing moves."""
    monkeypatch.chdir(tmp_path)
    for expected in (tmp_path, tmp_path / "discom/notebooks"):
        exec(compile(build.INSTALL, "install", "exec"), {})
        assert Path.cwd() == expected.resolve()
        (tmp_path / "discom/notebooks").mkdir(parents=True, exist_ok=True)


def test_a_picture_has_the_text_of_its_cell_or_the_caption_below(tmp_path):
    source, first = tmp_path / "01_a.py", '# %% alt="A line rises."\n1\n\n'
    source.write_text(f"{first}# %%\n2\n\n# %% [markdown]\n# *Figure: a line falls.*\n")
    notebook, picture = build.twin(source), {"image/png": "", "text/plain": "<Figure>"}
    for cell in notebook.cells[:2]:
        cell.outputs = [nbformat.v4.new_output("display_data", picture)]
    cells = build.describe(build.clean(notebook)).cells
    texts = [cell.outputs[0].metadata["image/png"]["alt"] for cell in cells[:2]]
    assert texts == ["A line rises.", "a line falls."]
    assert [cell.metadata["mystnb"]["image"]["alt"] for cell in cells[:2]] == texts
    notebook.cells[2].source = "No caption."
    with pytest.raises(ValueError, match="cell 1: no text for its picture"):
        build.describe(build.clean(notebook))


# ---------------------------------------------------------------- build.py: text around outputs


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """A twin with its head, and its notebook as one run left it."""
    source, target = tmp_path / "01_a.py", tmp_path / "01_a.ipynb"
    source.write_text(build.head(TWIN, "01_a", HOME, "1.2.3"))
    notebook = build.twin(source)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[0].execution_count = 1
    output = nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=2)
    code[1].update(execution_count=2, outputs=[output])
    nbformat.write(build.clean(notebook), target)
    monkeypatch.setattr(build, "HERE", tmp_path)
    return source, target


def test_text_is_carried_and_outputs_stay(pair):
    source, target = pair
    text = source.read_text().replace("Some text.", "Better text.\n\n# %% [markdown]\n# And more.")
    source.write_text(text.replace("v1.2.3", "v1.2.4"))  # in the install cell, which has no output
    before = nbformat.read(target, as_version=4)
    after = nbformat.read(build.renew_text(source), as_version=4)
    assert [cell.source for cell in after.cells[-2:]] == ["Better text.", "And more."]
    assert "v1.2.4" in after.cells[1].source
    assert after.cells[2] == before.cells[2]


@pytest.mark.parametrize("new", ["1 + 2", "1 + 1\n\n# %%\n2"])
def test_text_is_not_carried_beside_edited_code(pair, new):
    source, target = pair
    before = target.read_bytes()
    source.write_text(source.read_text().replace("1 + 1", new))
    with pytest.raises(DataError, match=r"01_a\.py: a code cell was edited; run .*build\.py 01"):
        build.renew_text(source)
    assert target.read_bytes() == before


# ---------------------------------------------------------------- what their cells share


def test_claims_that_hold_are_printed_and_counted_from_the_stamp_on(capsys, monkeypatch):
    check("before", True)
    monkeypatch.setattr(shared, "peak_memory", lambda device: 345.6)
    stamp(seed=11)
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.startswith("python 3.")
    assert " · torch " in first
    assert re.search(r" threads? · seed 11 · .+ · \d{4}-\d\d-\d\d$", second)
    check("two and two are four", 2 + 2 == 4)
    for holds in (False, 0, None, [], ""):
        with pytest.raises(AssertionError, match=r"^this should hold and does not: two is five$"):
            check("two is five", holds)
    assert capsys.readouterr().out == "✓ two and two are four\n"
    finish(**{"F1 discom rgb": 74.61234, "seconds": 12})
    figures, end = capsys.readouterr().out.splitlines()
    assert figures == "key figures: F1 discom rgb 74.61 · seconds 12"
    assert re.fullmatch(r"all 1 checks passed · \d s · peak memory 346 MB", end)


def test_a_notebook_that_needs_scenes_refuses_other_data_in_one_line():
    stamp(0, scenes="scenes:n=330")
    stamp(0, scenes="scenes-dense:n=20")
    with pytest.raises(DataError, match=r"^data: 'data/hls' has no known factors; .*scenes$"):
        stamp(0, scenes="data/hls")


def test_a_command_is_printed_with_its_answer_and_status(tmp_path, capsys):
    status, said = terminal("discom data check nothing", tmp_path)
    assert status == 2
    assert said.startswith("discom: error: nothing: no such folder")
    assert capsys.readouterr().out == f"$ discom data check nothing\n{said}"
    assert terminal("discom --version", quiet=True)[0] == 0
    assert capsys.readouterr().out == "$ discom --version\n"
