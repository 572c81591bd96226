"""What Sphinx cannot know of this repository: pages that stand outside docs/, links that hold on
GitHub as well as on the site, and docstrings that read well in a terminal."""

import json
import os
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCS = ROOT / "docs"
# pages from elsewhere, copied into folders that git ignores
COPIES = {DOCS / "notebooks" / file.name: file for file in ROOT.glob("notebooks/[0-9]*.ipynb")}
COPIES |= {DOCS / "data/index.md": ROOT / "data/README.md"}
NOTEBOOKS = """\
# Notebooks

Each one runs alone, from top to bottom, in JupyterLab (`make lab`), on Colab (its badge), or in
batch (`make tutorial`). Shown here with the outputs of one run on two CPU cores. Solutions:
[notebooks/solutions/py](../../notebooks/solutions/py).

```{toctree}
:maxdepth: 1
:glob:

[0-9]*
```
"""
FENCE = re.compile(r"(^ *(`{3,})[^\n]*\n.*?^ *\2[ \t]*$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\[\]]*\])*\])\(([^()\s#:]+)(#[^()\s]*)?\)")


def copy_pages() -> None:
    """Bring the copies up to date, and write the contents of the notebooks."""
    texts = {copy: file.read_text() for copy, file in COPIES.items()}
    texts[DOCS / "notebooks/index.md"] = NOTEBOOKS
    for file, text in texts.items():
        if not file.exists() or file.read_text() != text:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)


def rewrite_page(app, docname: str, source: list[str]) -> None:
    """Sphinx's source-read: the links of a page, and of a notebook's Markdown cells."""
    notebook_file = DOCS / f"{docname}.ipynb"
    if not notebook_file.exists():
        source[0] = with_links(source[0], DOCS / f"{docname}.md")
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = with_links("".join(cell["source"]), notebook_file)
    # for lines such as %pip
    notebook["metadata"]["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    source[0] = json.dumps(notebook)


def with_links(text: str, page: Path) -> str:
    """Links to files of the repository lead to their page, or to GitHub where they have none; what
    leads nowhere is Sphinx's to tell. Code blocks stay as they are."""
    folder = COPIES.get(page, page).parent
    pages = {file: copy for copy, file in COPIES.items()}

    def link(found: re.Match) -> str:
        label, target, anchor = found.groups("")
        file = (folder / target).resolve()
        if not file.exists():
            return found[0]
        if label.startswith("!") or (file.is_relative_to(DOCS) and file.suffix == ".md"):
            pages.setdefault(file, file)
        if file in pages:
            address = Path(os.path.relpath(pages[file], page.parent)).as_posix()
        else:
            kind = "tree" if file.is_dir() else "blob"
            commit = os.environ.get("GITHUB_SHA", "main")
            place = file.relative_to(ROOT).as_posix()
            address = f"{PROJECT['urls']['Repository']}/{kind}/{commit}/{place}"
        return f"{label}({address}{anchor})"

    parts = FENCE.split(text)  # text, fence, its ticks, text, …
    parts = [part if at % 3 else LINK.sub(link, part) for at, part in enumerate(parts)]
    return "".join(part for at, part in enumerate(parts) if at % 3 != 2)


SECTION = re.compile(r"(Args|Attributes|Returns|Raises):$")


def rewrite_docstring(app, what, name, obj, options, lines: list[str]) -> None:
    """Autodoc's process-docstring, before napoleon reads the sections: paragraphs that are indented
    (equations, layouts) become literal blocks, characters that mean something in reStructuredText
    are escaped; examples, sections and `.. math::` stay as they are."""
    made: list[str] = []
    kind = "text"  # of the block that a line stands in: text, section, example, math or literal
    for before, line in zip(["", *lines], list(lines), strict=False):
        indented = line.startswith(" ")
        if kind in ("math", "literal") and (indented or not line.strip()):
            made.append(line)
            continue
        if not line.strip():
            kind = kind if kind == "section" else "text"
        elif line.lstrip().startswith(">>>"):
            made += [""] if kind != "example" and before.strip() else []
            kind = "example"
        elif kind != "example" and not indented:
            math = "math" if line.startswith(".. math::") else "text"
            kind = "section" if SECTION.match(line) else math
        elif kind == "text" and not before.strip():
            made += ["::", ""]
            kind = "literal"
        made.append(line if kind in ("example", "math", "literal") else escaped(line))
    lines[:] = made


def escaped(line: str) -> str:
    """Characters of plain text escaped, `code` made literal.

    >>> escaped("a* of `b`, |c|")
    'a\\\\* of ``b``, \\\\|c\\\\|'
    """
    parts = line.split("`")
    if len(parts) % 2 == 0 or "``" in line:
        return line
    for at, part in enumerate(parts):
        if at % 2:
            name = re.fullmatch(r"[A-Za-z_][\w.]*\w", part)  # a link where it is ours
            parts[at] = (f"`{part}`" if name else f"``{part}``") + "\\ " * parts[at + 1][
                :1
            ].isalnum()
        else:
            parts[at] = re.sub(r"(?<=\w)_(?!\w)|[*|\\]", r"\\\g<0>", part)
    return "".join(parts)
