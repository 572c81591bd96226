"""Write the tables of results/, their figures, and the numbers of pages, from results/*.json.

python benchmarks/pages.py           writes what is stale
python benchmarks/pages.py --check   names what is stale, with its line; the exit status is 1

A number of a page stands behind an invisible mark with its expression (see expressions.py); of
several with semicolons there is a slash between the numbers:

    <!--= in few-labels/scenes-labelled-ten, 10 %, depth, nt-xent - student, 0-->20<!--/--> points

A table of such numbers, and rows of tables of results/, stand between blocks. What stands behind
` = ` is of the expression of a column or a row; the first line is of all:

    <!--table in scenes-table2          <!--rows
    method | RGB = rgb | depth = depth  scenes-budget: student, epochs=5; discom, epochs=5
    `student` = student                 hls-table2: student
    -->                                 -->
    …                                   …
    <!--/table-->                       <!--/rows-->

Behind `<!--claims gains-->` and `<!--claims worth-->` stand the tables of labels.py; behind
`<!--shown EXPRESSIONS-->` what `discom train` prints of a run, and `show` of several.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pandas as pd

import catalogue
import common
import labels
from discom import tables
from discom.errors import ConfigError
from expressions import Expression, Pairs, parse, runs, write

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "results/README.md", "docs/*.md", "docs/guides/*.md", "docs/results/*.md")
PAGES += ("docs/_static/*.svg",)
OPENING = re.compile(r"<!--(?:=|table|rows|shown|claims)\s")
MARK = re.compile(
    r"<!--(=|table|rows|shown|claims)\s(.*?)-->(.*?)<!--/(?:table|rows|shown|claims)?-->", re.DOTALL
)
Cell = str | list[Expression]


def table_of(spec: str) -> Iterator[list[Cell]]:
    """The rows of a table of numbers."""
    shared, head, *lines = spec.strip().split("\n")
    columns = [halves(cell) for cell in head.split(" | ")]
    yield [title for title, _ in columns]
    for line in lines:
        first, parts = halves(line)
        texts, (row,) = first.split(" | "), parse(parts, *parse(shared))
        yield [*texts, *(parse(parts, row) for _, parts in columns[len(texts) :])]


def halves(text: str) -> tuple[str, str]:
    """What stands before and behind the last ` = `."""
    first, sign, parts = text.rpartition(" = ")
    return (first, parts) if sign else (text, "")


def rows_of(spec: str) -> Iterator[list[Cell]]:
    """The chosen rows of tables of results/, below the head of the first."""
    head: list[Cell] = []
    for line in spec.strip().split("\n"):
        name, _, chosen = line.partition(": ")
        text = tables.to_markdown(*catalogue.table(name)).partition("\n\n")[0]
        rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in text.split("\n")]
        every = pd.DataFrame(rows[2:], columns=rows[0])
        if not head:
            yield (head := rows[0])
        if rows[0] != head:
            raise ConfigError(f"{name} has other columns than the first table")
        for one in chosen.split("; "):
            method, *settings = one.split(", ")
            found = every[every["method"] == method]
            for key, value in (setting.split("=") for setting in settings):
                found = found[found[key] == value]
            if found.empty:
                raise ConfigError(f"no row '{one}' in {name}")
            yield from found.to_numpy().tolist()


def shown_of(spec: str) -> Iterator[list[Cell]]:
    """What the command line prints of one run, or of several, as one cell."""
    every = [run for e in parse(spec) for run in runs(e["files"], e["method"], e["seed"])]
    if len(every) > 1:
        yield [tables.to_markdown(tables.summary(every, ["student"]), ["student"])]
        return
    run, cost = every[0], "… s, … samples/s, … MB"
    scores = pd.DataFrame(run.scores).T.to_string(float_format="{:.2f}".format)
    place = f"runs/{run.data}/{run.method}/{run.seed}-…"
    yield [f"{place}\n{run.method} on {run.data}, seed {run.seed}: {cost}\n{scores}"]


def claims_of(spec: str) -> Iterator[list[Cell]]:
    """A table of labels.py."""
    made = {"gains": labels.gain_rows, "worth": labels.worth_rows}
    for row in made[spec.strip()]():
        yield [*row]


def number_of(spec: str) -> Iterator[list[Cell]]:
    """One number, or several with slashes, as one cell."""
    yield [parse(spec)]


KINDS = {"=": number_of, "table": table_of, "rows": rows_of, "shown": shown_of}
KINDS["claims"] = claims_of


class Mark(NamedTuple):
    """A mark of a page: what stands behind it, where, and its rows by the results."""

    kind: str
    old: str
    start: int
    end: int
    place: str
    rows: list[list[Cell]]

    def text(self, family: Pairs) -> str:
        """What should stand behind it; `family` has the comparisons that stars count."""
        with at(self.place):
            texts = [[_text(cell, family) for cell in row] for row in self.rows]
        if self.kind == "=":
            return texts[0][0]
        if self.kind == "shown":
            return f"\n\n```text\n{texts[0][0]}\n```\n\n"
        head, *rows = [f"| {' | '.join(row)} |\n" for row in texts]
        return f"\n\n{head}|{'---|' * len(texts[0])}\n{''.join(rows)}\n"


def _text(cell: Cell, family: Pairs) -> str:
    return cell if isinstance(cell, str) else " / ".join(write(e, family) for e in cell)


@contextmanager
def at(place: str) -> Iterator[None]:
    """Name the place of a mark that cannot be read."""
    try:
        yield
    except (ValueError, KeyError) as error:
        raise ConfigError(place, str(error)) from None


def marks_of(file: Path, text: str) -> list[Mark]:
    """The marks of a page in their order; a ConfigError names file and line of a wrong one."""
    found = {mark.start(): mark for mark in MARK.finditer(text)}
    marks = []
    for opening in OPENING.finditer(text):
        before = text[: opening.start()]
        place = f"{os.path.relpath(file)}:{before.count(chr(10)) + 1}"
        with at(place):
            if opening.start() not in found:
                raise ConfigError("this mark or the one before has no end", "add <!--/-->")
            mark = found[opening.start()]
            kind, spec, old = mark.groups()
            if kind == "=" and re.search(r"(^|\n)\s*([-*+>]|\d+\.)?\s*$", before):
                raise ConfigError("a number begins the line", "put a word before its mark")
            rows = list(KINDS[kind](spec))
        marks.append(Mark(kind, old, *mark.span(3), place, rows))
    return marks


def page(file: Path) -> tuple[str, list[str]]:
    """A page's text with its numbers written again, and its lines that differ."""
    text = file.read_text(encoding="utf-8")
    marks = marks_of(file, text)
    cells = [cell for mark in marks for row in mark.rows for cell in row]
    each = [e for cell in cells if not isinstance(cell, str) for e in cell]
    family = tuple(dict.fromkeys((e["method"], e["minus"]) for e in each if "*" in e["form"]))
    stale = []
    for mark in reversed(marks):  # from the end, so that places stay
        new = mark.text(family)
        if file.suffix == ".svg":
            new = new.replace("-", "−")
        if new != mark.old:
            lines = zip_longest(mark.old.split("\n"), new.split("\n"), fillvalue="nothing")
            was, now = next((was, now) for was, now in lines if was != now)
            stale.insert(0, f"{mark.place}: says {was!r}, and the results {now!r}")
            text = text[: mark.start] + new + text[mark.end :]
    return text, stale


def update(check: bool) -> list[str]:
    """Write what is stale, or return it."""
    stale = []
    for name in catalogue.TABLES:
        changed = {
            file: text
            for file, text in catalogue.texts(name).items()
            if not catalogue.is_fresh(file, text)
        }
        stale += [f"{os.path.relpath(file)}: differs from its runs" for file in changed]
        if changed and not check:
            catalogue.draw(name)
            for file, text in changed.items():
                file.write_text(text, encoding="utf-8")
    for file in sorted(file for pattern in PAGES for file in ROOT.glob(pattern)):
        text, differs = page(file)
        stale += differs
        if differs and not check:
            file.write_text(text, encoding="utf-8")
    for line in stale:
        print(line, file=sys.stderr if check else sys.stdout)
    return stale if check else []


def main(arguments: list[str] | None = None) -> int:
    """Write or check; see `common.run`."""
    parser = common.parser(__doc__, "")
    parser.add_argument("--check", action="store_true", help="write nothing, name what is stale")
    chosen = parser.parse_args(arguments)
    return common.run("pages", lambda: update(chosen.check))


if __name__ == "__main__":
    sys.exit(main())
