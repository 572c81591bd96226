"""What people install: the source archive holds the repository, the wheel the package, and it runs
away from both."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (ROOT / ".git").exists(), reason="git says which files belong to the repository"
    ),
]


def run(*command, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", folder=ROOT)
    return {name for name in listed.splitlines() if (ROOT / name).exists()}


@pytest.fixture(scope="module")
def clone(tracked, tmp_path_factory) -> Path:
    """A copy of the repository in a folder called discom."""
    copy = tmp_path_factory.mktemp("clones") / "discom"
    for name in tracked:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def built(clone, tmp_path_factory) -> Path:
    """The folder of archive and wheel, built without a network; the wheel is made from the archive
    alone."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), folder=clone)
    return out


def test_the_archive_holds_the_repository_and_the_wheel_the_package_alone(built, tracked):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked - held == set()
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {name for name in tracked if name.startswith("discom/")}


def test_the_wheel_runs_in_an_empty_folder(built, tmp_path):
    site, wheel = str(tmp_path / "site"), str(next(built.glob("*.whl")))
    pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    run(sys.executable, *pip, "--no-index", "--target", site, wheel, folder=tmp_path)
    words = ("train", "--method", "student", "--data", "objects:n=66,size=16", "--profile", "tiny")
    done = run(f"{site}/bin/discom", *words, "--epochs", "1", folder=tmp_path, PYTHONPATH=site)
    assert "student on objects" in done
