"""Write the tables of results/, what pages show of them, and two figures.

python benchmarks/pages.py            writes what is stale
python benchmarks/pages.py --check    names what is stale; the exit status is 1
python benchmarks/pages.py --figure   draws results/front.png, of the README, and labels-worth.png

A page names what it shows between two marks, such as rows of a table that a pandas query chooses,
or means of a file of results/ (rows; columns; values; query):

    <!-- rows all-labels: method == 'discom' and modality == 'depth' -->
    <!-- means parts: method, part; fact; score; sensor == 'rgb' -->
    …
    <!-- end -->

`<!-- advice -->` is what each situation gained, `<!-- worth -->` how many labels pairs replace,
`<!-- sets -->` what the public data sets say of themselves, `<!-- claims labels -->` what came
of a table's claims, `<!-- gains -->` what pairs gain on real sensors, and `<!-- both -->` what two
of these score together at inference; they end alike.
"""

import re
import sys
from collections.abc import Callable
from inspect import signature
from io import BytesIO
from pathlib import Path
from typing import Annotated

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image
from scipy import stats

import advice
import claims
import front
import worth
from discom import cli, plots, tables
from discom.cli import flags
from discom.data import sources
from discom.errors import ConfigError, check_choice
from stored import RESULTS, TABLES, networks, table

GREY, LIGHT, ORANGE = "#4d4d4d", "#b0b0b0", "#d55e00"
ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "data/README.md", "docs/*.md", "docs/guides/*.md", "docs/results/*.md")


def text_of(name: str) -> str:
    """A table of results/ as its page."""
    return tables.to_markdown(*table(name)) + "\n"


def rows_of(wanted: str) -> pd.DataFrame:
    """The rows of a table of results/, or of a file there, that a query chooses, or all."""
    name, _, query = wanted.partition(": ")
    files = {file.stem for file in RESULTS.glob("*.csv")}
    check_choice("rows", name, sorted({*TABLES} | files))
    rows = tables.cells(*table(name)) if name in TABLES else pd.read_csv(RESULTS / f"{name}.csv")
    rows = rows.query(query) if query else rows
    if rows.empty:
        raise ConfigError(name, f"no row where {query}", "choose other rows")
    return rows


def means_of(wanted: str) -> pd.DataFrame:
    """A pivot of such rows: means of a file as whole numbers, the one cell of a table as it is."""
    name, _, pivot = wanted.partition(": ")
    index, columns, values, *query = pivot.split("; ")
    rows = rows_of(": ".join([name, *query]))
    each = rows.groupby([*index.split(", "), columns], sort=False)[values]
    texts = each.agg(pd.Series.item) if name in TABLES else each.mean().map("{:.0f}".format)
    return texts.unstack().fillna("–").reset_index()


def sets_of(_: str) -> pd.DataFrame:
    """A row for each public data set."""
    rows = []
    for name in sources.names():
        own = sources.get(name)
        sensors = ((sensor, own.sensors[sensor]) for sensor in own.modalities)
        shapes = (", ".join(filter(None, [f"{name} {s.shape}", s.unit])) for name, s in sensors)
        access = ["`--download`"] * bool(own.files) + ["by hand"] * bool(own.by_hand)
        options = [*signature(own.read_raw).parameters.values()][2:]
        row = [name, own.what, "; ".join(shapes), own.size, own.licence]
        row += [", ".join(access), ", ".join(f"{o.name}={o.default!r}" for o in options), own.page]
        rows.append([text or "–" for text in row])
    head = "name, what, modalities, raw size, licence, access, options, described at"
    return pd.DataFrame(rows, columns=head.split(", "))


def worth_of_pairs() -> Figure:
    """Bars for each sensor: labels alone, with its own images, with pairs, and twice the labels
    with its own images; mean and 95 % interval over seeds, dotted the best possible score."""
    bars = {
        ("student", 0.1): ("200 labels", GREY),
        ("fixmatch", 0.1): ("200 labels + own unlabelled\nimages (FixMatch)", LIGHT),
        ("agreed", 0.1): ("200 labels + unlabelled\npairs (agreed labels)", ORANGE),
        ("fixmatch", 0.2): ("400 labels + own unlabelled\nimages (FixMatch)", LIGHT),
    }
    every = pd.concat([networks("labels"), networks("labels-more")])
    every = every.set_index(["method", "share"]).loc[[*bars]]
    every["bar"] = every.index.map(lambda key: bars[key][0])
    drawn, axes = plots.panels(1, 2, 7.8, 3.0, sharex=True, sharey=True)
    look = {"palette": dict(bars.values()), "saturation": 1, "width": 0.72}
    spread = float(stats.t.ppf(0.975, every["seed"].nunique() - 1))
    look |= {"errorbar": ("se", spread), "err_kws": {"color": "black"}}
    for axis, sensor in zip(axes[0], ("depth", "rgb"), strict=True):
        own = every[every["network"] == sensor]
        sns.barplot(own, x="score", y="bar", hue="bar", ax=axis, **look)
        for name, score in own.groupby("bar")["score"].mean().items():
            colour = "black" if look["palette"][name] == LIGHT else "white"
            axis.text(2, name, f"{score:.0f}", va="center", fontweight="bold", color=colour)
        best = own["best"].iloc[0]
        axis.axvline(best, color=GREY, linestyle=":")
        axis.text(best - 1, -0.62, "best possible", ha="right", color=GREY, fontsize=9)
        axis.set(xlim=(0, 100), ylim=(3.6, -0.9), xlabel="F1 on new scenes, %", ylabel="")
        axis.set_title(f"deployed: {sensor.replace('rgb', 'RGB')} alone", fontsize=11)
    title = "200 labels with pairs score about as much as 400 with own images"
    drawn.suptitle(title, fontweight="bold", fontsize=12)
    return drawn


WRITERS: dict[str, Callable[[str], pd.DataFrame]] = {
    "rows": rows_of,
    "claims": claims.claims,
    "means": means_of,
    "sets": sets_of,
    "advice": advice.advice,
    "expected": advice.expected,
    "worth": lambda _: worth.shown(),
    "gains": lambda _: claims.gains(),
    "both": lambda _: claims.together(),
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
    worn-pairs.csv, advice.csv, and the pages."""
    made = {RESULTS / f"{name}.md": text_of(name) for name in TABLES}
    made[RESULTS / "worn-pairs.csv"] = claims.pairs().round(2).to_csv(index=False)
    made[RESULTS / "advice.csv"] = advice.judged().round(2).to_csv(index=False)
    found = {f: new for f, new in made.items() if not f.exists() or f.read_text("utf-8") != new}
    for file in sorted(file for pattern in PAGES for file in ROOT.glob(pattern)):
        page = file.read_text(encoding="utf-8")
        try:
            if (new := filled(page)) != page:
                found[file] = new
        except Exception as error:  # of pandas, too, where a query is wrong
            raise ConfigError(f"{file.relative_to(ROOT)}: {error}") from None
    return found


@flags.command
def pages(
    check: Annotated[bool, "Write nothing, name what is stale."] = False,
    figure: Annotated[bool, "Draw the two figures, too."] = False,
) -> bool:
    """Write the tables of results/ and what pages show of them."""
    changed = stale()
    for file, text in changed.items():
        print(f"{file.relative_to(ROOT)} {'is stale: make pages' if check else 'written'}")
        if not check:
            file.write_text(text, encoding="utf-8")
    if figure and not check:
        plots.style()
        for name, draw in {"labels-worth": worth_of_pairs, "front": front.front}.items():
            drawn = BytesIO()
            draw().savefig(drawn, dpi=150)
            picture = Image.open(drawn).convert("RGB").quantize()  # a third of the room
            picture.save(RESULTS / f"{name}.png", optimize=True)
    return not (check and changed)


if __name__ == "__main__":
    sys.exit(cli.main(command=pages))
