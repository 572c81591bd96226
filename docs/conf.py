"""The documentation site: `make docs` writes it to build/docs. site_links.py has what is ours."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import site_links  # noqa: E402
from site_links import PROJECT, ROOT  # noqa: E402

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


def setup(app):
    site_links.copy_pages()
    app.connect("source-read", site_links.rewrite_page)
    # before napoleon's 500
    app.connect("autodoc-process-docstring", site_links.rewrite_docstring, priority=400)
