"""The documentation site: it builds without a warning, says of the code what the code is, and its
guides run."""

import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from discom import methods

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
site_pages, site_text = (importlib.import_module(name) for name in ("site_pages", "site_text"))

METHODS = (DOCS / "methods.md").read_text()
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
KNOWN = {  # pages that show figures → what they may quote from
    page: "".join(
        file.read_text()
        for file in [ROOT / "README.md", ROOT / "data/README.md", *ROOT.glob("results/**/*.md")]
    )
    for page in ("faq", "index", "benchmarks", "guides/gpu")
}


# ---------------------------------------------------------------- methods, equations, functions,
# tests


def rows(of: str) -> list[list[str]]:
    """The cells of the page's table rows whose first cell matches."""
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in METHODS.splitlines()
        if line.startswith("| `")
    ]
    return [cells for cells in lines if re.fullmatch(of, cells[0])]


def test_every_registered_method_has_its_row_in_the_order_of_tables():
    named = [cells[0].strip("`") for cells in rows(r"`[a-z\d+-]+`")]
    assert named == [
        name for name in methods.names() if methods.get(name).__module__.startswith("discom.")
    ]


@pytest.mark.parametrize("cells", rows(r"`[a-z\d+-]+`"), ids=lambda cells: cells[0].strip("`"))
def test_a_method_has_the_class_and_the_weights_that_its_row_says(cells):
    method = methods.get(cells[0].strip("`"))
    assert issubclass(method, getattr(methods, cells[1].strip("`").removeprefix("discom.methods.")))
    assert dict(term.split() for term in cells[2].split(", ")).keys() == method.terms.keys()
    assert {term.split()[0]: float(term.split()[1]) for term in cells[2].split(", ")} == dict(
        method.terms
    )


def public_losses() -> set[str]:
    """Every public function and class of the losses but those that only check their arguments."""
    found = set()
    for file in (ROOT / "discom/losses").glob("[a-z]*.py"):
        module = importlib.import_module(f"discom.losses.{file.stem}")
        names = [
            name for name in module.__all__ if not name.isupper() and not name.startswith("check_")
        ]
        found |= {f"{module.__name__}.{name}" for name in names}
    return found


def test_every_loss_function_has_its_row():
    named = [cells[0].strip("`") for cells in rows(r"`discom\.losses\..+`")]
    assert sorted(named) == sorted(public_losses())


def test_a_forgotten_loss_would_be_noticed():
    named = {cells[0].strip("`") for cells in rows(r"`discom\.losses\..+`")}
    assert public_losses() - (named - {"discom.losses.distill.kd"}) == {"discom.losses.distill.kd"}


def test_names_and_tests_of_the_page_are_there():
    for name in re.findall(r"`(discom(?:\.\w+)+)`", METHODS):
        module, _, last = name.rpartition(".")
        assert hasattr(importlib.import_module(module), last), name
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", METHODS)
    assert len(named) > 40
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / file).read_text(), test


@pytest.mark.parametrize("name", sorted(public_losses()))
def test_an_equation_in_a_docstring_can_stand_in_a_cell(name):
    module, _, last = name.rpartition(".")
    formulas = site_text.equations(name)
    assert bool(formulas) == (
        ".. math::" in inspect.getdoc(getattr(importlib.import_module(module), last))
    )
    for formula in formulas:
        assert formula.count("{") == formula.count("}")
        assert "|" not in formula
        assert "&" not in formula


def test_equations_of_an_aligned_block_are_apart_and_have_no_bars():
    one, two = site_text.equations("discom.losses.distill.dkd_terms")
    assert one.startswith(r"\mathrm{TCKD} =")
    assert two.endswith(r"\mathrm{KL}(q^t_i \Vert q^s_i)")


# ---------------------------------------------------------------- guides and figures


@pytest.mark.slow
@pytest.mark.parametrize("guide", ["new_method", "new_data"])
def test_the_one_file_of_a_guide_runs_as_it_stands(guide, tmp_path):
    (code,) = re.findall(
        r"```python\n(.*?)```", (DOCS / f"guides/{guide}.md").read_text(), re.DOTALL
    )
    file = tmp_path / f"{guide}.py"
    file.write_text(code)
    done = subprocess.run(
        [sys.executable, file.name], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'rgb': " in done.stdout
    assert list(tmp_path.glob("runs/*/result.json"))


@pytest.mark.parametrize("page", KNOWN)
def test_intervals_that_a_page_quotes_stand_in_the_results(page):
    for interval in re.findall(r"\[[-+][\d.]+, [-+][\d.]+\]", (DOCS / f"{page}.md").read_text()):
        assert interval in KNOWN[page], interval


def test_every_table_of_results_is_shown():
    shown = (DOCS / "benchmarks.md").read_text()
    for file in (ROOT / "results").rglob("*.md"):
        assert f"```{{include}} ../{file.relative_to(ROOT).as_posix()}\n" in shown, file.name


# ---------------------------------------------------------------- from text to text


def page(text: str, docname: str = "methods") -> str:
    return site_text.markdown(text, docname, DOCS)


def test_links_lead_to_pages_where_there_are_and_to_the_repository_elsewhere():
    blob = f"{URLS['Repository']}/blob/{site_pages.COMMIT}"
    assert page("[a](../notebooks/03_training.ipynb)") == "[a](notebooks/03_training.ipynb)"
    assert page("[a](../data/README.md#how)", "guides/gpu") == page(
        "[a](../data/README.md#how)", "guides/gpu"
    )
    assert page("[a](../../data/README.md#how)", "guides/gpu") == "[a](../data/index.md#how)"
    assert page("[a](../discom/training.py)") == f"[a]({blob}/discom/training.py)"
    assert (
        page("[a](03_training.ipynb)", "notebooks/02_model_and_losses") == "[a](03_training.ipynb)"
    )
    assert page("[s](solutions/py/03_training.py)", "notebooks/03_training").startswith(
        f"[s]({blob}/notebooks/solutions"
    )
    assert page("![p](../results/bench/cpu.png)", "performance") == "![p](../results/bench/cpu.png)"


def test_what_is_no_link_is_left_alone():
    for text in (
        "[a](https://x.org)",
        "[a](no/such.md)",
        "`a[0](b)`",
        "```\n`discom/cli.py`\n```",
        "`discom train`",
    ):
        assert page(text) == text


def test_paths_and_names_in_the_text_become_links():
    assert page("`discom/cli.py`").startswith(f"[`discom/cli.py`]({URLS['Repository']}/blob/")
    assert (
        page("`discom.methods.KDv2`")
        == "{py:obj}`discom.methods.KDv2 <discom.methods.distilled.KDv2>`"
    )


def test_plain_docstrings_become_restructured_text():
    lines = [
        "Sum, z_* and |a|, of `kd` and `--out`s.",
        "",
        "    a + b_",
        "",
        "name: words",
        "    more.",
        "",
        "x",
        ">>> 1 * 1",
    ]
    assert site_text.plain_to_rst(lines) == [
        "Sum, z\\_\\* and \\|a\\|, of `kd` and ``--out``\\ s.", "", "::", "", "    a + b_", "",
        "- name: words", "  more.", "", "x", "", ">>> 1 * 1",
    ]  # fmt: skip


def test_sections_and_math_stay_as_they_are():
    lines = [
        "Args:",
        "    a: one",
        "        two.",
        "",
        ".. math:: a * b_c",
        "          + |d|",
        "",
        "End.",
    ]
    assert site_text.plain_to_rst(lines) == lines


def test_the_source_of_a_method_is_its_lines():
    address = site_pages.source_of("discom.losses.distill", "CurriculumTemperature.forward")
    file, first, last = re.fullmatch(r".*/(discom/[\w/]+\.py)#L(\d+)-L(\d+)", address).groups()
    lines = (ROOT / file).read_text().splitlines()[int(first) - 1 : int(last)]
    assert lines[0].strip().startswith("def forward")
    assert lines[-1].strip().startswith("return")
    assert site_pages.source_of("discom.config", "PROFILES") is None


# ---------------------------------------------------------------- the site


def test_the_address_of_the_site_is_that_of_the_repository():
    owner, name = URLS["Repository"].removeprefix("https://github.com/").split("/")
    assert URLS["Documentation"] == f"https://{owner}.github.io/{name}/"
    assert URLS["Documentation"] in (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site, and what the build said."""
    pytest.importorskip("myst_nb", reason="the libraries of the site are not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "--keep-going",
        "-q",
        "-d",
        folder / "trees",
        DOCS,
        folder / "html",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "html", done.stderr


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_holds_every_page(site):
    html, said = site
    assert said == ""
    for file in [*(ROOT / "notebooks").glob("[0-9]*.ipynb"), *DOCS.glob("guides/*.md")]:
        assert (html / file.parent.name / f"{file.stem}.html").exists(), file.name
    losses = (html / "api/losses.html").read_text()
    assert r"\[L_{adv} = \sum_m" in losses
    assert re.search(r'href="[^"]+/discom/losses/distill\.py#L\d+-L\d+"', losses)


@pytest.mark.slow
def test_no_page_scrolls_sideways_on_a_phone(site):
    from test_browser import CHROMIUM

    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 390, "height": 844})
        view.route(
            "http*://**", lambda route: route.abort()
        )  # what a reader without a network sees
        wide = {}
        for file in sorted(site[0].rglob("*.html")):
            view.goto(file.as_uri(), wait_until="domcontentloaded")
            wide[str(file.relative_to(site[0]))] = view.evaluate(
                "document.documentElement.scrollWidth"
            )
        browser.close()
    assert {name: width for name, width in wide.items() if width > 390} == {}
