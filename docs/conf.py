"""The documentation site: `make docs` writes it to build/docs. First what Sphinx is told, then what
it cannot know: pages from outside docs/, links that hold on GitHub as well as on the site, and
docstrings that read well in a terminal."""

import json
import os
import re
import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

project, author, copyright = PROJECT["name"], "the discom authors", "the discom authors, MIT"
extensions = [
    "myst_nb",
    "sphinx.ext.apidoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "sphinx_design",
]
exclude_patterns = ["**/.ipynb_checkpoints"]

# --- notebooks: shown as they are committed, with the outputs of the run that made them
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
# a notebook's "At a glance" is a table and its parts begin at level two
suppress_warnings = ["myst.header"]

# --- API pages, from docstrings; a module shows what it defines, not what it passes on
apidoc_modules = [{"path": str(ROOT / "discom"), "destination": "api", "module_first": True}]
autodoc_default_options = {"ignore-module-all": True}
default_role = "py:obj"  # `name` is a link where it names something of ours, and code elsewhere
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # an overridden method without words of its own says nothing new
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

# --- look
html_theme = "sphinx_book_theme"
html_title = "discom"
html_baseurl = PROJECT["urls"]["Documentation"]
html_static_path = ["_static"]
html_css_files = ["discom.css"]
html_copy_source = False
html_theme_options = {
    "repository_url": PROJECT["urls"]["Repository"],
    "repository_branch": "main",
    "path_to_docs": "docs",
    "use_repository_button": True,
    "use_issues_button": True,
    "navbar_persistent": [],  # one search, the sidebar's
    "show_navbar_depth": 1,
    "show_toc_level": 2,
}
# The exact version: a page must not change because a script elsewhere does.
mathjax_path = "https://cdn.jsdelivr.net/npm/mathjax@4.1.3/tex-mml-chtml.js"

# --- make linkcheck: what is only there once it is published is not asked for
linkcheck_ignore = [
    rf"{PROJECT['urls']['Repository']}/(blob|tree)/",
    r"https://colab\.research\.google\.com/github/",
]
linkcheck_anchors = False
linkcheck_timeout = 20

# --- what is ours
# pages from elsewhere, copied into folders that git ignores
COPIES = {DOCS / "notebooks" / file.name: file for file in ROOT.glob("notebooks/[0-9]*.ipynb")}
COPIES |= {DOCS / "data/index.md": ROOT / "data/README.md"}
# a fenced block, which stays as it is, or a link: its label, target and anchor
LINK = re.compile(
    r"^ *(?P<ticks>`{3,})[^\n]*\n.*?^ *(?P=ticks)[ \t]*$"
    r"|(!?\[(?:[^\[\]]|\[[^\[\]]*\])*\])\(([^()\s#:]+)(#[^()\s]*)?\)",
    re.MULTILINE | re.DOTALL,
)


def copy_pages() -> None:
    """Bring the copies up to date."""
    for copy, file in COPIES.items():
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(file.read_text())


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
        _, label, target, anchor = found.groups("")
        file = (folder / target).resolve()
        if not label or not file.exists():
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

    return LINK.sub(link, text)


# what begins a block whose indented paragraphs are not literal
BLOCK = re.compile(r"(Args|Returns|Raises):$|\.\. math::", re.MULTILINE)
MARKS = re.compile(r"`[^`]+`|(?<=\w)_(?!\w)|[*|]")


def rewrite_docstring(app, what, name, obj, options, lines: list[str]) -> None:
    """Autodoc's process-docstring, before napoleon reads the sections: paragraphs that are indented
    (equations, layouts) become literal blocks, characters that mean something in reStructuredText
    are escaped; examples, sections and `.. math::` stay as they are."""
    made, block = [], ""
    for paragraph in re.split(r"\n{2,}", "\n".join(lines)):
        text, mark, example = paragraph.partition(">>>")
        if not paragraph.startswith(" "):
            block = found[0] if (found := BLOCK.match(paragraph)) else ""
        if block == ".. math::":
            made.append(paragraph)
        elif paragraph.startswith(" ") and not block and not mark:
            made += ["::", paragraph]
        else:
            made += [MARKS.sub(escaped, text)] * bool(text.strip()) + [mark + example] * bool(mark)
    lines[:] = "\n\n".join(made).split("\n")


def escaped(mark: re.Match) -> str:
    """One of MARKS: a name stays a link, where it is ours, and other code becomes literal."""
    if not mark[0].startswith("`"):
        return rf"\{mark[0]}"
    return mark[0] if re.fullmatch(r"`[A-Za-z_][\w.]*\w`", mark[0]) else f"`{mark[0]}`"


def setup(app):
    copy_pages()
    app.connect("source-read", rewrite_page)
    # before napoleon's 500
    app.connect("autodoc-process-docstring", rewrite_docstring, priority=400)
