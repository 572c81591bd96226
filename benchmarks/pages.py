"""Write the tables of results/, their figures, and the rows that pages show of them.

python benchmarks/pages.py           writes what is stale
python benchmarks/pages.py --check   names what is stale; the exit status is 1

A page names tables of results/ and their rows between two marks; the first one has the head:

    <!-- rows all-labels: student; discom
    terms-ten: discom -->
    …
    <!-- end -->

`<!-- sets -->` is what the public data sets say of themselves, `<!-- claims labels -->` what came
of a table's claims, `<!-- gains -->` what pairs gain on real sensors, and `<!-- both -->` what two
of these score together at inference; they end alike.
"""

import re
import sys
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

import catalogue
import mri
import real
from discom import cli, tables
from discom.cli import flags
from discom.data import sources
from discom.errors import ConfigError

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "data/README.md", "docs/*.md", "docs/guides/*.md", "docs/results/*.md")
KINDS = "rows|claims|sets|gains|both"
MARKED = re.compile(rf"(<!-- ({KINDS})(?: ([^>]*))? -->\n).*?(<!-- end -->)", re.DOTALL)


def text_of(name: str) -> str:
    """A table of results/ as its page."""
    return tables.to_markdown(*catalogue.table(name)) + "\n"


def rows_of(wanted: str) -> str:
    """The head of the first table and the wanted rows of all, in Markdown."""
    head: list[str] = []
    lines: list[list[str]] = []
    for line in wanted.split("\n"):
        name, _, chosen = line.partition(": ")
        if name not in catalogue.TABLES:
            raise ConfigError(name, "is no table of results/", "check the name")
        every = tables.cells(*catalogue.table(name))
        head = head or list(every)
        for one in chosen.split("; "):
            method, *settings = one.split(", ")
            found = every[every["method"] == method]
            for key, value in (setting.split("=") for setting in settings):
                found = found[found[key] == value]
            if found.empty or list(every) != head:
                raise ConfigError(name, f"no row '{one}' with these columns", "choose another row")
            lines += found.to_numpy().tolist()
    return table_of(head, *lines)


def claims_of(name: str) -> str:
    """What came of a table's claims, in Markdown."""
    owners = [owner for owner in (real, mri, catalogue) if name in owner.CLAIMS]
    if not owners:
        raise ConfigError(f"claims {name}", "names no table with claims", "name one")
    return frame_of(owners[0].claims(name))


def frame_of(table: pd.DataFrame) -> str:
    """A frame in Markdown."""
    return table_of(list(table), *table.astype(str).to_numpy().tolist())


def sets_of(_: str) -> str:
    """A row for each public data set, in Markdown."""
    rows = []
    for name in sources.names():
        own = sources.get(name)
        sensors = ((sensor, own.sensors[sensor]) for sensor in own.modalities)
        shapes = (", ".join(filter(None, [f"{name} {s.shape}", s.unit])) for name, s in sensors)
        access = ["--download"] * bool(own.files) + ["by hand"] * bool(own.by_hand)
        options = [*signature(own.read_raw).parameters.values()][2:]
        row = [name, own.what, "; ".join(shapes), ", ".join(own.on_request), own.size, own.licence]
        row += [", ".join(access), ", ".join(f"{o.name}={o.default!r}" for o in options), own.page]
        rows.append([text or "–" for text in row])
    head = "name, what, modalities, on request, raw size, licence, access, options, described at"
    return table_of(head.split(", "), *rows)


def table_of(*rows: list[str]) -> str:
    """A table in Markdown, the first row its head."""
    head, *lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([head, f"|{'---|' * len(rows[0])}", *lines])


WRITERS: dict[str, Any] = {"rows": rows_of, "claims": claims_of, "sets": sets_of}
WRITERS |= {"gains": lambda _: frame_of(real.gains()), "both": lambda _: frame_of(real.together())}


def texts() -> dict[Path, str]:
    """File → what it should hold: the tables of results/, and the pages."""
    made = {catalogue.RESULTS / f"{name}.md": text_of(name) for name in catalogue.TABLES}
    for file in sorted(file for pattern in PAGES for file in ROOT.glob(pattern)):
        try:
            made[file] = filled(file.read_text(encoding="utf-8"))
        except ConfigError as error:
            raise ConfigError(f"{file.relative_to(ROOT)}: {error}") from None
    return made


def filled(page: str) -> str:
    """A page with the tables that its marks name."""
    return MARKED.sub(lambda m: f"{m[1]}\n{WRITERS[m[2]](m[3] or '')}\n\n{m[4]}", page)


@flags.command
def pages(check: Annotated[bool, "Write nothing, name what is stale."] = False) -> bool:
    """Write the tables of results/, their figures, and the rows that pages show of them."""
    made = texts()
    stale = {f: new for f, new in made.items() if not f.exists() or f.read_text("utf-8") != new}
    for file, text in stale.items():
        print(f"{file.relative_to(ROOT)} {'is stale: make pages' if check else 'written'}")
        if not check:
            file.write_text(text, encoding="utf-8")
            if file.is_relative_to(catalogue.RESULTS):
                name = file.relative_to(catalogue.RESULTS).with_suffix("").as_posix()
                catalogue.draw(name)
    return not (check and stale)


if __name__ == "__main__":
    sys.exit(cli.main(command=pages))
