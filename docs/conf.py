"""The documentation site: `make docs` writes it to build/docs. Its source is the whole repository,
so that a link from one page to another is the same on GitHub and on the site."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]

project, author, copyright = "discom", "the discom authors", "the discom authors, MIT"
extensions = ["myst_nb", "sphinx_design"]
extensions += [f"sphinx.ext.{name}" for name in ("apidoc", "napoleon", "viewcode")]
root_doc = "docs/index"
include_patterns = ["docs/**", "notebooks/[0-9]*.ipynb", "data/README.md"]
exclude_patterns = [".*", "**/.*", "build", "runs", "data/[!R]*"]  # not searched: many files

# --- notebooks: shown as they are committed, with the outputs of the run that made them
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4
# a notebook's "At a glance" is a table and its parts begin at level two
suppress_warnings = ["myst.header"]

# --- API pages, from docstrings; a module shows what it defines, not what it passes on
apidoc_modules = [{"path": "../discom", "destination": "docs/api", "module_first": True}]
autodoc_default_options = {"ignore-module-all": True}
default_role = "py:obj"  # `name` is a link where it names something of ours, and code elsewhere
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # an overridden method without words of its own says nothing new
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

# --- look
html_theme = "sphinx_book_theme"
html_title = "discom"
html_static_path = ["_static"]
html_css_files = ["discom.css"]
html_extra_path = ["index.html"]  # leads from the site's address to its first page
html_theme_options = {
    "repository_url": HOME,
    "use_repository_button": True,
    "use_issues_button": True,
    "navbar_persistent": [],  # one search, the sidebar's
    "show_toc_level": 2,
}
# The exact version: a page must not change because a script elsewhere does.
mathjax_path = "https://cdn.jsdelivr.net/npm/mathjax@4.1.3/tex-mml-chtml.js"

# --- make linkcheck: what is only there once it is published is not asked for
linkcheck_ignore = [rf"({HOME}/(blob|tree)|https://colab\.research\.google\.com/github)/"]
linkcheck_anchors = False


def link_to_github(app, docname: str, source: list[str]) -> None:
    """Sphinx's source-read: links to files and folders that are no pages lead to GitHub."""

    def link(found: re.Match) -> str:
        file = (app.env.doc2path(docname).parent / found[2]).resolve()
        if not file.exists() or app.project.path2doc(file) in app.project.docnames:
            return found[0]
        return f"{found[1]}{HOME}/blob/main/{file.relative_to(ROOT).as_posix()}"

    source[0] = re.sub(r"((?<!!)\[[^\[\]]*\]\()([^()\s#:]+)", link, source[0])


def setup(app):
    app.connect("source-read", link_to_github)
