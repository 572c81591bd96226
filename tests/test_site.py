"""The documentation site: its links, docstrings and sources, and that it builds."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="needs discom[docs]")
nodes, utils = (importlib.import_module(f"docutils.{name}") for name in ("nodes", "utils"))

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


def test_docstrings_become_restructured_text():
    lines = ["Sum of z_* and |a|:", "", "    a + b_", "", "x", ">>> 1 * 1"]
    expected = ["Sum of z\\_\\* and \\|a\\|:", "", "::", "", "    a + b_", "", "x", "", ">>> 1 * 1"]
    assert site_text.plain_to_rst(lines) == expected


def test_numbers_of_a_table_stay_whole():
    cell, text = nodes.entry(), nodes.Text("74.0 ± 1.7 ~ and +0.3 [-0.5, +1.1]")
    cell += nodes.paragraph("", "", text)
    page = utils.new_document("page")
    page += cell
    site_text.keep_numbers_whole(None, page)
    assert page.astext().split(" ") == ["74.0\xa0±\xa01.7\xa0~", "and", "+0.3", "[-0.5,\xa0+1.1]"]


def test_source_links_point_at_the_definition():
    address = site_pages.source_of("discom.losses.distill", "kd")
    file, first, last = re.fullmatch(r".*/(discom/[\w/]+\.py)#L(\d+)-L(\d+)", address).groups()
    lines = (ROOT / file).read_text().splitlines()[int(first) - 1 : int(last)]
    kd = importlib.import_module("discom.losses.distill").kd
    assert "\n".join(lines) == inspect.getsource(kd).rstrip()


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", tmp_path / "trees"]
    done = subprocess.run(
        [*command, DOCS, tmp_path / "html"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for file in [*(ROOT / "notebooks").glob("[0-9]*.ipynb"), *DOCS.glob("guides/*.md")]:
        assert (tmp_path / f"html/{file.parent.name}/{file.stem}.html").exists(), file.name
