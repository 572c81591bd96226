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
site_links = importlib.import_module("site_links")


def test_site_links_pages_and_sources():
    def link(text: str, page: str = "methods.md") -> str:
        return site_links.with_links(text, DOCS / page)

    assert link("[a](../notebooks/03_training.ipynb)") == "[a](notebooks/03_training.ipynb)"
    assert link("[a](../../data/README.md#how)", "guides/gpu.md") == "[a](../data/index.md#how)"
    home = "[a](../docs/results/index.md)"
    assert link(home, "notebooks/03_training.ipynb") == "[a](../results/index.md)"
    assert f"]({site_links.PROJECT['urls']['Repository']}/blob/" in link("[a](../LICENSE)")
    for text in (
        "[a](https://x.org)",
        "[a](no/such.md)",
        "`discom train`",
        "```\n[a](cli.md)\n```",
    ):
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
