"""The documentation site builds."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="needs discom[docs]")
ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path):
    """A link that leads nowhere is one."""
    words = ["-m", "sphinx", "-W", "--keep-going", "-q", "-d", tmp_path / "trees"]
    command = [sys.executable, *words, ROOT / "docs", tmp_path / "html"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for file in [*(ROOT / "notebooks").glob("[0-9]*.ipynb"), *ROOT.glob("docs/guides/*.md")]:
        assert (tmp_path / f"html/{file.parent.name}/{file.stem}.html").exists(), file.name
