"""What the pages in docs/ say: figures are those of the files, links and tests that they name are
there."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from discom import cli

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/guides").glob("*.md")]
)  # the rest is made by the build
each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@each
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@each
def test_tests_that_a_page_names_are_there(page):
    text = page.read_text()
    known = {
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    for name in re.findall(r"\b(test_\w+)(…?)`", text):
        assert name[0] in known or (name[1] and any(test.startswith(name[0]) for test in known)), (
            name[0]
        )
    for file in re.findall(r"\b(?:tests/)?(?:faults/)?(test_\w+\.py)", text):
        assert list((ROOT / "tests").rglob(file)), file


@each
def test_discom_commands_parse(page):
    for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            command = shlex.split(line, comments=True)
            if command[:1] == ["discom"] and "$" not in line:
                cli.make_parser().parse_args(command[1:])


def test_there_is_a_page_for_each_question():
    readme, contents = (ROOT / "README.md").read_text(), (ROOT / "docs/index.md").read_text()
    for name in ("cluster", "performance", "reliability"):
        assert f"docs/{name}.md" in readme
    for page in PAGES:
        assert (
            f"\n{page.relative_to(ROOT / 'docs').with_suffix('')}\n" in contents
            or page.stem == "index"
        ), page
