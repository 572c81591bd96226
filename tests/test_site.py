"""The documentation site: its links, docstrings and sources, and that it builds."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="needs discom[docs]")

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
site_pages, site_text = (importlib.import_module(name) for name in ("site_pages", "site_text"))


def test_site_links_pages_and_sources():
    repository = site_pages.REPOSITORY

    def link(text: str, page: str = "methods") -> str:
        return site_text.markdown(text, page, DOCS)

    assert link("[a](../notebooks/03_training.ipynb)") == "[a](notebooks/03_training.ipynb)"
    assert link("[a](../../data/README.md#how)", "guides/gpu") == "[a](../data/index.md#how)"
    assert link("`discom/cli/__init__.py`").startswith(
        f"[`discom/cli/__init__.py`]({repository}/blob/"
    )
    for text in ("[a](https://x.org)", "[a](no/such.md)", "`discom train`"):
        assert link(text) == text


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", tmp_path / "trees"]
    done = subprocess.run(
        [*command, DOCS, tmp_path / "html"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for file in [*(ROOT / "notebooks").glob("[0-9]*.ipynb"), *DOCS.glob("guides/*.md")]:
        assert (tmp_path / f"html/{file.parent.name}/{file.stem}.html").exists(), file.name
