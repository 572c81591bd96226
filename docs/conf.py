"""The documentation site: `make docs` writes it to build/docs. First what Sphinx is told, then what
it cannot know: pages from outside docs/, links that hold on GitHub as well as on the site, and
docstrings that read well in a terminal."""

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
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
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
# a link's target without its anchor; an image's has the text before it, too
TARGET = re.compile(r"(!\[(?:[^\[\]]|\[[^\[\]]*\])*)?\]\(([^()\s#:]+)")


def copy_pages() -> None:
    """Bring the copies up to date."""
    for copy, file in COPIES.items():
        copy.parent.mkdir(exist_ok=True)
        # a notebook's language, whose lines such as %pip are none of Python's
        copy.write_text(file.read_text().replace('"name": "python"\n', '"name": "ipython3"\n'))


def rewrite_links(app, docname: str, source: list[str]) -> None:
    """Sphinx's source-read: links to files of the repository lead to their page, or to GitHub where
    they have none; what leads nowhere is Sphinx's to tell."""
    page = Path(app.env.doc2path(docname))
    folder, pages = COPIES.get(page, page).parent, {file: copy for copy, file in COPIES.items()}
    github, commit = PROJECT["urls"]["Repository"], os.environ.get("GITHUB_SHA", "main")

    def link(found: re.Match) -> str:
        image, target = found.groups("")
        file = (folder / target).resolve()
        if not file.exists():
            return found[0]
        address = Path(os.path.relpath(pages.get(file, file), page.parent)).as_posix()
        if not (image or file in pages or file.is_relative_to(DOCS)):
            kind = "tree" if file.is_dir() else "blob"
            address = f"{github}/{kind}/{commit}/{file.relative_to(ROOT).as_posix()}"
        return f"{image}]({address}"

    source[0] = TARGET.sub(link, source[0])


def setup(app):
    copy_pages()
    app.connect("source-read", rewrite_links)
