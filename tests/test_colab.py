"""Colab: its versions are allowed, and the install cell works in a kernel that is already running.

`make colab` resolves the whole set with the network; here is what can be told without.
"""

import json
import shutil
import subprocess
import sysconfig
import tomllib
import venv
from pathlib import Path

import nbclient
import nbformat
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from discom.version import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LINES = (ROOT / "tests/fixtures/colab-constraints.txt").read_text().splitlines()
COLAB = [Requirement(line) for line in LINES if line and not line.startswith("#")]
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = PROJECT["dependencies"] + EXTRAS["dense"] + EXTRAS["deploy"]


def held(python: str) -> dict[str, str]:
    """What Colab has installed with this Python: name → version."""
    here = {**default_environment(), "python_version": python}
    found = [r for r in COLAB if r.marker is None or r.marker.evaluate(here)]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in found}


@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_what_colab_has_is_allowed(python):
    has, needed = (
        held(python),
        {canonicalize_name(Requirement(line).name): Requirement(line) for line in NEEDED},
    )
    shared = has.keys() & needed.keys()
    assert {"torch", "torchvision", "numpy", "pandas", "ipykernel", "ipywidgets"} <= shared
    refused = [
        f"{needed[name]}, Colab has {has[name]}"
        for name in shared
        if has[name] not in needed[name].specifier
    ]
    assert refused == [], "a higher bound makes pip replace what Colab's kernel has loaded"


def git(folder: Path, *words: str) -> None:
    name = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *name, "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def released(tmp_path):
    """This working tree as a repository with the tag of the release."""
    repository = tmp_path / "released"
    for name in ("discom", "notebooks", "results"):
        shutil.copytree(
            ROOT / name, repository / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, repository)
    for words in (["init"], ["add", "."], ["commit", "-m", "all"], ["tag", f"v{__version__}"]):
        git(repository, *words)
    return repository


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """The name of a kernel with all that discom needs and without discom, as Colab's; nothing
    reaches the network."""
    folder = tmp_path / "colab"
    venv.create(folder, with_pip=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    for old in [
        *site.glob("setuptools*"),
        *site.glob("*distutils*"),
    ]:  # the one that builds stands below
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    (site / "there.pth").write_text(
        sysconfig.get_path("purelib")
    )  # .pth files in there, discom's too, are not read
    spec = tmp_path / "kernels/colab/kernel.json"
    spec.parent.mkdir(parents=True)
    launch = [str(folder / "bin/python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": launch, "display_name": "Colab", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    for name in ("NO_INDEX", "NO_DEPS", "DISABLE_PIP_VERSION_CHECK"):
        monkeypatch.setenv(f"PIP_{name}", "1")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip's spelling of: without isolation
    return "colab"


def run(kernel: str, folder: Path, *cells: str) -> str:
    """What the last cell prints when the cells run in the folder, in a kernel of their own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(
        notebook, kernel_name=kernel, resources=resources, timeout=300
    ).execute()
    return "".join(output.text for output in notebook.cells[-1].outputs)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git") is None, reason="git is missing")
def test_the_first_cell_installs_into_the_running_kernel(released, kernel, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{released}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", PROJECT["urls"]["Repository"])
    content = tmp_path / "content"  # where Colab opens a notebook
    content.mkdir()
    stored = nbformat.read(ROOT / "notebooks/03_training.ipynb", as_version=4)
    first = next(cell.source for cell in stored.cells if cell.cell_type == "code")
    where = 'print(discom.losses.__file__, os.getcwd(), os.path.exists("../results"), sep="|")'
    told = run(kernel, content, first, where).strip().split("|")
    installed = tmp_path / "colab/lib"
    assert Path(told[0]).is_relative_to(installed)
    assert told[1:] == [str(content / "discom/notebooks"), "True"]
    shutil.rmtree(released)  # a restarted kernel has discom, and fetches nothing
    assert run(kernel, content, first, where).strip().split("|") == told
    assert [path.name for path in content.iterdir()] == ["discom"]
