"""What people install: the source archive holds the repository, the wheel the package. That it runs
away from both is seen by `make wheel-check`."""

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


def run(*command, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_archive_holds_the_repository_and_the_wheel_the_package_alone(tmp_path):
    """Built in a copy of the repository without a network, the wheel from the archive alone."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", folder=ROOT)
    tracked = {name for name in listed.splitlines() if (ROOT / name).exists()}
    clone, out = tmp_path / "discom", tmp_path / "dist"
    for name in tracked:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, clone / name)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), folder=clone)
    with tarfile.open(next(out.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked - held == set()
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {name for name in tracked if name.startswith("discom/")}
