"""The documentation site: `make docs` writes it to build/docs. What is made here is ours alone:
pages from elsewhere in the repository, an API page for each package, links that hold on the site as
well as on GitHub (see site_pages.py)."""

import sys
import tomllib
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import site_pages  # noqa: E402
import site_text  # noqa: E402

PROJECT = tomllib.loads((site_pages.ROOT / "pyproject.toml").read_text())["project"]

project, author, copyright = PROJECT["name"], "the discom authors", "the discom authors, MIT"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "sphinx_design",
]
exclude_patterns = ["**/.ipynb_checkpoints"]
napoleon_use_ivar = True
nitpicky = (
    False  # docstrings name types of libraries whose inventories cannot be had without a network
)

# --- notebooks: shown as they are committed, with the outputs of the run that made them
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
suppress_warnings = [
    "myst.header"
]  # a notebook's "At a glance" is a table and its parts begin at level two

# --- API pages: docstrings are plain English for a terminal; site_text makes reStructuredText of
# them
default_role = "py:obj"  # `name` is a link where it names something of ours, and code elsewhere
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


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """The lines on GitHub that define a Python object."""
    return site_pages.source_of(info["module"], info["fullname"]) if domain == "py" else None


def setup(app):
    site_pages.assemble(Path(app.srcdir))
    app.connect("source-read", site_text.rewrite_page)
    app.connect("doctree-read", site_text.keep_numbers_whole)
    app.connect(
        "autodoc-process-docstring", site_text.rewrite_docstring, priority=400
    )  # before napoleon's 500
