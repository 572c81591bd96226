"""The documentation site builds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="needs discom[docs]")
ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path):
    """A link that leads nowhere is one."""
    words = ["-m", "sphinx", "-c", "docs", "-W", "--keep-going", "-q", "-d", tmp_path / "trees"]
    command = [sys.executable, *words, ".", tmp_path / "html"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for file in [*ROOT.glob("notebooks/[0-9]*.ipynb"), *ROOT.glob("docs/guides/*.md")]:
        page = file.relative_to(ROOT).with_suffix(".html")
        assert (tmp_path / "html" / page).exists(), page
    home = re.search(r"url=(\S+)\"", (tmp_path / "html/index.html").read_text())[1]
    assert (tmp_path / "html" / home).exists(), home
    results = (tmp_path / "html/docs/results/real.html").read_text()
    assert '/blob/main/results/watch.csv"' in results, "a file that is no page leads to GitHub"
