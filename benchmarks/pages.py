"""Write the tables of results/ and the rows that pages show of them.

python benchmarks/pages.py           writes what is stale
python benchmarks/pages.py --check   names what is stale; the exit status is 1

A page names a table of results/ and its rows between two marks:

    <!-- rows all-labels: student; discom, modality=depth -->
    …
    <!-- end -->

`<!-- sets -->` is what the public data sets say of themselves, `<!-- claims labels -->` what came
of a table's claims, `<!-- gains -->` what pairs gain on real sensors, `<!-- both -->` what two of
these score together at inference, `<!-- masks single -->` what segmentation gains over `single` at
each share of the masks, and `<!-- heads -->` what is read of each part; they end alike.
"""

import re
import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Annotated

import pandas as pd

import real
from claims import claims
from discom import cli, tables
from discom.cli import flags
from discom.data import sources
from discom.errors import ConfigError, check_choice
from stored import RESULTS, TABLES, table

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "data/README.md", "docs/*.md", "docs/guides/*.md", "docs/results/*.md")


def text_of(name: str) -> str:
    """A table of results/ as its page."""
    return tables.to_markdown(*table(name)) + "\n"


def rows_of(wanted: str) -> pd.DataFrame:
    """The wanted rows of a table, or all."""
    name, _, chosen = wanted.partition(": ")
    check_choice("rows", name, TABLES)
    every, parts = tables.cells(*table(name)), []
    if not chosen:
        return every
    for one in chosen.split("; "):
        method, *settings = one.split(", ")
        found = every[every["method"] == method]
        for key, value in (setting.split("=") for setting in settings):
            found = found[found[key] == value]
        if found.empty:
            raise ConfigError(name, f"no row '{one}'", "choose another row")
        parts.append(found)
    return pd.concat(parts)


def masks_of(wanted: str) -> pd.DataFrame:
    """mIoU at each share of the masks minus that of a method: of all, or of "minus: a; b"."""
    minus, colon, chosen = wanted.partition(": ")
    own = rows_of(f"dense/scenes-labelled{colon}{chosen}").query("modality in ['rgb', 'depth']")
    check_choice("masks", f"Δ {minus}", [*own])
    text = own[f"Δ {minus}"].where(own["method"] != minus, own["mIoU"])
    place = [own["modality"], own["method"].rename("minus " + minus)]
    shares = own["labelled"].map(lambda share: f"{100 * float(share):g} %")
    wide = text.groupby([*place, shares], sort=False).first().unstack()
    return wide.sort_index(level=0, ascending=False, sort_remaining=False).reset_index()


def heads_of(_: str) -> pd.DataFrame:
    """F1 of a branch of DisCoM-KD, and of the shared head on one of its parts."""
    each = pd.read_csv(RESULTS / "terms-heads.csv").groupby(["network", "part"])["f1"]
    text = each.mean().map("{:.1f}".format) + " ± " + each.std().map("{:.1f}".format)
    names = {"both": "both parts, task head", "inv": "invariant", "inf": "informative"}
    return text.unstack()[[*names]].rename(columns=names).rename_axis("modality").reset_index()


def sets_of(_: str) -> pd.DataFrame:
    """A row for each public data set."""
    rows = []
    for name in sources.names():
        own = sources.get(name)
        sensors = ((sensor, own.sensors[sensor]) for sensor in own.modalities)
        shapes = (", ".join(filter(None, [f"{name} {s.shape}", s.unit])) for name, s in sensors)
        access = ["--download"] * bool(own.files) + ["by hand"] * bool(own.by_hand)
        options = [*signature(own.read_raw).parameters.values()][2:]
        row = [name, own.what, "; ".join(shapes), own.size, own.licence]
        row += [", ".join(access), ", ".join(f"{o.name}={o.default!r}" for o in options), own.page]
        rows.append([text or "–" for text in row])
    head = "name, what, modalities, raw size, licence, access, options, described at"
    return pd.DataFrame(rows, columns=head.split(", "))


WRITERS: dict[str, Callable[[str], pd.DataFrame]] = {
    "rows": rows_of,
    "claims": claims,
    "sets": sets_of,
    "masks": masks_of,
    "heads": heads_of,
    "gains": lambda _: real.gains(),
    "both": lambda _: real.together(),
}
MARKED = re.compile(rf"(<!-- ({'|'.join(WRITERS)})(?: ([^>]*))? -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """A page with the tables that its marks name."""

    def written(mark: re.Match) -> str:
        shown = WRITERS[mark[2]](mark[3] or "")
        lines = [list(shown), *shown.astype(str).to_numpy().tolist()]
        head, *rows = [f"| {' | '.join(cells)} |" for cells in lines]
        made = "\n".join([head, f"|{'---|' * len(lines[0])}", *rows])
        return f"{mark[1]}\n{made}\n\n{mark[4]}"

    return MARKED.sub(written, page)


def stale() -> dict[Path, str]:
    """Files that do not hold what they should, and what that is: the tables of results/,
    worn-pairs.csv, and the pages."""
    made = {RESULTS / f"{name}.md": text_of(name) for name in TABLES}
    made[RESULTS / "worn-pairs.csv"] = real.pairs().round(2).to_csv(index=False)
    found = {f: new for f, new in made.items() if not f.exists() or f.read_text("utf-8") != new}
    for file in sorted(file for pattern in PAGES for file in ROOT.glob(pattern)):
        page = file.read_text(encoding="utf-8")
        try:
            if (new := filled(page)) != page:
                found[file] = new
        except ConfigError as error:
            raise ConfigError(f"{file.relative_to(ROOT)}: {error}") from None
    return found


@flags.command
def pages(check: Annotated[bool, "Write nothing, name what is stale."] = False) -> bool:
    """Write the tables of results/ and the rows that pages show of them."""
    changed = stale()
    for file, text in changed.items():
        print(f"{file.relative_to(ROOT)} {'is stale: make pages' if check else 'written'}")
        if not check:
            file.write_text(text, encoding="utf-8")
    return not (check and changed)


if __name__ == "__main__":
    sys.exit(cli.main(command=pages))
