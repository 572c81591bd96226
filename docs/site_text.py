"""From text that reads well on GitHub and in a terminal to text that Sphinx can link and
typeset."""

import inspect
import json
import os
import re
from importlib import import_module
from pathlib import Path

import site_pages
from docutils import nodes

__all__ = [
    "equations",
    "keep_numbers_whole",
    "markdown",
    "plain_to_rst",
    "rewrite_docstring",
    "rewrite_page",
    "with_equations",
]

FENCE = re.compile(r"(^ *(`{3,})[^\n]*\n.*?^ *\2[ \t]*$)", re.MULTILINE | re.DOTALL)
LINK = r"(?P<text>!?\[(?:[^\[\]]|\[[^\[\]]*\])*\])\((?P<target>[^()\s#]+)(?P<anchor>#[^()\s]*)?\)"
CODE = r"(?<!`)`(?P<code>[^`\n]+)`(?!`)"


def rewrite_page(app, docname: str, source: list[str]) -> None:
    """Sphinx's source-read: the links of a page, and of a notebook's Markdown cells."""
    srcdir = Path(app.srcdir)
    if site_pages.origin(docname, srcdir).suffix != ".ipynb":
        source[0] = with_equations(markdown(source[0], docname, srcdir))
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = markdown("".join(cell["source"]), docname, srcdir)
    notebook["metadata"]["language_info"] = {
        "name": "python",
        "pygments_lexer": "ipython3",
    }  # for lines such as %pip
    source[0] = json.dumps(notebook)


def markdown(text: str, docname: str, srcdir: Path) -> str:
    """Links to files become pages or addresses on GitHub; `paths` and `discom.names` in the text
    become links.

    What stands in a code block is left alone, but for the links of directives such as cards.
    """
    folder, here = site_pages.origin(docname, srcdir).parent, (srcdir / docname).parent

    def link(found: re.Match) -> str:
        if code := found["code"]:
            return _code(code) or found[0]
        target = (folder / found["target"]).resolve()
        if found["target"].startswith(("http:", "https:", "mailto:")) or not target.exists():
            return found[0]  # what leads nowhere is Sphinx's to tell
        address = _address(target, found["text"], here, srcdir)
        return f"{found['text']}({address}{found['anchor'] or ''})"

    parts = FENCE.split(text)  # text, fence, its ticks, text, …
    plain = [
        re.sub(f"{LINK}|{CODE}", link, part) if at % 3 == 0 else part
        for at, part in enumerate(parts)
    ]
    return "".join(part for at, part in enumerate(plain) if at % 3 != 2)


def _address(target: Path, text: str, here: Path, srcdir: Path) -> str:
    page = target if text.startswith("!") else site_pages.page_of(target, srcdir)
    return Path(os.path.relpath(page, here)).as_posix() if page else site_pages.on_github(target)


def _code(code: str) -> str | None:
    if re.fullmatch(r"discom(\.\w+)+", code):
        return f"{{py:obj}}`{code} <{_home(code)}>`"
    file = code.partition("::")[0]
    if (
        re.fullmatch(r"(discom|tests|notebooks|results|docs)/[\w./+-]+", file)
        and (site_pages.ROOT / file).exists()
    ):
        return f"[`{code.rpartition('::')[2]}`]({site_pages.on_github(site_pages.ROOT / file)})"
    return None


def with_equations(text: str) -> str:
    """In a table a link shows the last part of its name alone, and the `…` behind it becomes the
    equation of its docstring, or a dash if it has none."""

    def fill(found: re.Match) -> str:
        cell = f"| {{py:obj}}`{found['name'].rpartition('.')[2]} <{found['home']}>` |"
        formulas = (
            " <br> ".join(f"${one}$" for one in equations(found["name"])) if found["gap"] else ""
        )
        return cell + (f" {formulas or '–'} |" if found["gap"] else "")

    return re.sub(r"\| {py:obj}`(?P<name>[\w.]+) <(?P<home>[\w.]+)>` \|(?P<gap> … \|)?", fill, text)


def equations(name: str) -> list[str]:
    """The formulas in the `.. math::` block of a function's or class's docstring; lines and wide
    gaps divide them."""
    module, _, function = name.rpartition(".")
    text = inspect.getdoc(getattr(import_module(module), function)) or ""
    block = re.search(r"^\.\. math:: (.*(?:\n .*)*)", text, re.MULTILINE)
    formulas = re.split(r"\\\\$|,?\s*\\qquad\s", block[1], flags=re.MULTILINE) if block else []
    bars = {r"\|": r"\Vert ", "|": r"\vert "}  # a bar would end the cell
    for bar, name in bars.items():
        formulas = [one.replace(bar, name) for one in formulas]
    return [" ".join(one.replace("&=", "=").split()) for one in formulas]


def keep_numbers_whole(app, page: nodes.document) -> None:
    """Sphinx's doctree-read: a line of a table breaks between `74.0 ± 1.7` and `[-0.9, +0.6]`, not
    within them."""
    for cell in page.findall(nodes.entry):
        for text in list(cell.findall(nodes.Text)):
            whole = re.sub(r"\S+ ± \S+( [↑↓~])?|\[[+-]\d.*?\]", _unbroken, text)
            text.parent.replace(text, nodes.Text(whole))


def _unbroken(found: re.Match) -> str:
    return found[0].replace(" ", "\N{NO-BREAK SPACE}")


def _home(name: str) -> str:
    """Where a name that a package passes on is defined: discom.methods.Teacher →
    discom.methods.baselines.Teacher."""
    package, _, last = name.rpartition(".")
    try:
        found = getattr(import_module(package), last)
    except (ImportError, AttributeError):  # a method, an attribute, or nothing: Sphinx's to find
        return name
    home = getattr(found, "__module__", "")
    return (
        f"{home}.{found.__qualname__}"
        if home.startswith("discom.") and hasattr(found, "__qualname__")
        else name
    )


def rewrite_docstring(
    app, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Autodoc's process-docstring, before napoleon reads the sections."""
    lines[:] = plain_to_rst(lines)


SECTION = re.compile(r"(Args|Attributes|Returns|Raises):$")


def plain_to_rst(lines: list[str]) -> list[str]:
    """A docstring in plain English as reStructuredText that napoleon can read on.

    Indented paragraphs (equations, layouts) become literal blocks, `name: words` with hanging lines
    becomes a list, examples get the empty line that they need, and characters that mean something
    in reStructuredText are escaped; `.. math::` stays as it is.

    >>> plain_to_rst(["Sum of a* and |b|:", "", "    a + b"])
    ['Sum of a\\\\* and \\\\|b\\\\|:', '', '::', '', '    a + b']
    """
    made: list[str] = []
    kind = "text"  # of the block that a line stands in: text, section, example, math or literal
    for at, line in enumerate(lines):
        indent, first = len(line) - len(line.lstrip()), not (at and lines[at - 1].strip())
        if kind in ("math", "literal") and (not line.strip() or indent):
            made.append(line)
            continue
        if not line.strip():
            kind = kind if kind == "section" else "text"
        elif line.lstrip().startswith(">>>"):
            made += [""] if kind not in ("example",) and made and made[-1].strip() else []
            kind = "example"
        elif kind != "example":
            if not indent:
                kind = (
                    "section"
                    if SECTION.match(line)
                    else "math"
                    if line.startswith(".. math::")
                    else "text"
                )
            elif kind == "text" and first:
                made += ["::", ""]
                kind = "literal"
        made.append(line if kind in ("example", "math", "literal") else _escaped(line))
    return _hanging(made)


def _hanging(lines: list[str]) -> list[str]:
    """`name: words` with lines that hang below it, outside of sections, as items of a list."""
    made, section, item = [], False, False
    for at, line in enumerate(lines):
        section = bool(SECTION.match(line)) if line[:1].strip() else section
        below = lines[at + 1] if at + 1 < len(lines) else ""
        starts = (
            not section
            and re.match(r"\w[\w, ]*: ", line)
            and below.startswith("    ")
            and below.strip()
        )
        item = bool(starts) or (item and line.startswith("    "))
        made.append(f"- {line}" if starts else f"  {line.lstrip()}" if item else line)
    return made


def _escaped(line: str) -> str:
    """Characters of plain text escaped, `names` left for the default role and other `code` made
    literal."""
    parts = line.split("`")
    if len(parts) % 2 == 0 or "``" in line:
        return line
    for at, part in enumerate(parts):
        if at % 2 == 0:
            parts[at] = re.sub(r"(?<=\w)_(?!\w)|[*|\\]", lambda found: "\\" + found[0], part)
        else:
            space = "\\ " if parts[at + 1][:1].isalnum() else ""
            parts[at] = (
                f"`{part}`{space}"
                if re.fullmatch(r"[A-Za-z_][\w.]*\w", part)
                else f"``{part}``{space}"
            )
    return "".join(parts)
