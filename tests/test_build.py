"""notebooks/build.py: one address and one version in every badge, cell and page; text carried
without a run."""

import re
import shutil
from importlib import util
from pathlib import Path

import nbformat
import pytest

from discom.errors import DataError
from discom.version import __version__

pytest.importorskip("jupytext", reason="jupytext is missing: pip install -r requirements.txt")
ROOT = Path(__file__).parents[1]
spec = util.spec_from_file_location("build", ROOT / "notebooks/build.py")
build = util.module_from_spec(spec)
spec.loader.exec_module(build)

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
HOME = "https://github.com/other/place"


@pytest.fixture
def checkout(tmp_path):
    """A copy of everything in which the address could stand."""
    for name in ("README.md", "CHANGELOG.md", "CITATION.cff", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("docs", "notebooks/py", "discom", ".github"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "_build")
        )
    return tmp_path


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """A twin with its head, and its notebook as one run left it."""
    source, target = tmp_path / "01_a.py", tmp_path / "01_a.ipynb"
    source.write_text(build.head(TWIN, "01_a", HOME, "1.2.3"))
    notebook = build.twin(source)
    output = nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=2)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[0].execution_count = 1
    code[1].update(execution_count=2, outputs=[output])
    nbformat.write(build.clean(notebook), target)
    monkeypatch.setattr(build, "HERE", tmp_path)
    return source, target


def test_committed_heads_are_what_pyproject_says(checkout):
    assert build.heads(checkout) == [], "run python notebooks/build.py --text"


def test_no_place_keeps_an_old_address_or_version(checkout):
    old = build.address(checkout)
    project = checkout / "pyproject.toml"
    project.write_text(project.read_text().replace(old, HOME))
    changed = build.heads(checkout, "9.8.7")
    assert {"README.md", "CITATION.cff"} < {file.name for file in changed}
    for file in checkout.rglob("*"):
        if file.suffix in {".py", ".md", ".cff", ".toml", ".yml", ".js"}:
            text = file.read_text()
            assert old.removeprefix("https://") not in text, (
                f"{file}: take it from pyproject.toml, by build.py --heads"
            )
            assert f"v{__version__}" not in text, file
    assert "\nversion: 9.8.7\n" in (checkout / "CITATION.cff").read_text()
    for file in checkout.glob("notebooks/py/*.py"):
        badge = "https://colab.research.google.com/github/other/place/blob/v9.8.7/notebooks/"
        assert f"{badge}{file.stem}.ipynb" in file.read_text()
        assert f"--branch v9.8.7 {HOME}\n" in file.read_text()
    assert build.heads(checkout, "9.8.7") == []


@pytest.mark.parametrize(
    ("part", "said"),
    [("[![open in colab](x)](y)", "no badge"), ('print("git clone")', "first code cell")],
)
def test_a_twin_without_its_head_is_named(part, said):
    with pytest.raises(DataError, match=f"01_a.py: .*{said}"):
        build.head(TWIN.replace(part, ""), "01_a", HOME, "1.2.3")


def test_the_install_cell_is_python_where_discom_is_installed(tmp_path, monkeypatch):
    """Without its two lines for Colab the cell runs, and leaves the folder as it is."""
    monkeypatch.chdir(tmp_path)
    exec(compile(build.INSTALL, "install", "exec"), {})
    assert Path.cwd() == tmp_path.resolve()
    (tmp_path / "discom/notebooks").mkdir(parents=True)
    exec(
        compile(build.INSTALL, "install", "exec"), {}
    )  # Colab after a restart: the clone is there, the place is lost
    assert Path.cwd() == (tmp_path / "discom/notebooks").resolve()


def test_text_is_carried_and_outputs_stay(pair):
    source, target = pair
    edited = source.read_text().replace(
        "Some text.", "Better text.\n\n# %% [markdown]\n# And more."
    )
    source.write_text(
        edited.replace("v1.2.3", "v1.2.4")
    )  # the install cell's output does not depend on its text
    before = nbformat.read(target, as_version=4)
    after = nbformat.read(build.renew_text(source), as_version=4)
    assert [cell.source for cell in after.cells[-2:]] == ["Better text.", "And more."]
    assert "v1.2.4" in after.cells[1].source
    assert after.cells[2] == before.cells[2]
    assert len({cell.id for cell in after.cells}) == len(after.cells)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1 + 1", "1 + 2"),
        ("# %%\n1 + 1", '# %% tags=["parameters"]\n1 + 1'),
        ("1 + 1", "1 + 1\n\n# %%\n2"),
    ],
)
def test_text_is_not_carried_beside_edited_code(pair, old, new):
    source, target = pair
    before = target.read_bytes()
    source.write_text(source.read_text().replace(old, new))
    with pytest.raises(
        DataError, match=r"01_a\.py: a code cell was edited; run .*build\.py 01"
    ) as caught:
        build.renew_text(source)
    assert "\n" not in str(caught.value)
    assert target.read_bytes() == before


def test_the_script_says_in_one_line_what_is_wrong(pair, monkeypatch, capsys):
    source, target = pair
    (source.parent / "py").mkdir()
    source.rename(source.parent / "py" / source.name)
    target.write_text(target.read_text().replace("1 + 1", "1 + 3"))
    monkeypatch.setattr(build, "heads", lambda root: [])
    assert build.main(["--text"]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"notebooks/build.py: 01_a.py: a code cell was edited; .*\n", said)
    assert build.main(["--heads"]) == 0
    with pytest.raises(SystemExit):
        build.main(["--heads", "--text"])
    assert "not allowed with" in capsys.readouterr().err
