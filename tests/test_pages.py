"""benchmarks/pages.py: tables of pages come from the runs in results/, and the README's numbers and
the pages' cells are those of the tables."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import claims
import pages
import stored
from discom import cli, tables
from discom.tables import intervals

README = " ".join((pages.ROOT / "README.md").read_text().split())
DOCS = pages.ROOT / "docs"
CELL = re.compile(r"\d+\.\d ± \d+\.\d|[+-]\d+\.\d \[[+-]\d+\.\d, [+-]\d+\.\d\]")


def score(name: str, method: str, modality: str, column: str = "", **settings: float) -> float:
    """One number of a table of results/: its score, or another column."""
    table, _ = stored.table(name)
    keys = {"method": method, "modality": modality, **settings}
    rows = table[np.all([table[key] == value for key, value in keys.items()], axis=0)]
    assert len(rows) == 1
    return rows[column or tables.metric_of(table)].item()


def mean_of(*place: str) -> float:
    """Mean F1 of `stored.of`."""
    return stored.of(*place)["score"].mean()


def test_nothing_is_stale():
    assert cli.main(["--check"], pages.pages) == 0


WRONG = ["claims", "rows", "claims labels-worth", "rows nobody", "rows parts: method == 'nobody'"]
WRONG += ["rows parts: nobody == 1", "rows parts: method =", "means parts: method; part"]
WRONG += ["means parts: nobody; part; score", "means parts: method; part; fact"]


@pytest.mark.parametrize("mark", WRONG)
def test_a_mark_that_names_nothing_is_refused_by_page(monkeypatch, tmp_path, capsys, mark):
    (tmp_path / "README.md").write_text(f"<!-- {mark} -->\n\n<!-- end -->\n")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(pages, "TABLES", {})
    assert cli.main([], pages.pages) == 2
    assert "error: README.md: " in capsys.readouterr().err


def test_the_figure_of_the_readme_shows_what_its_title_says():
    """Bars from the top: labels alone, own images, pairs, and own images of twice the labels."""
    for axis in pages.worth_of_pairs().axes:
        alone, own, pairs, twice = sorted(axis.patches, key=lambda bar: bar.get_y())
        assert pairs.get_width() > twice.get_width() > max(alone.get_width(), own.get_width())
    plt.close("all")


def test_a_mark_ends_at_its_own_end(monkeypatch):
    for kind in ("both", "gains"):
        monkeypatch.setitem(pages.WRITERS, kind, lambda _, kind=kind: pd.DataFrame({kind: [1]}))
    page = "<!-- gains -->\n\n<!-- end -->\ntext\n<!-- both -->\nold\n<!-- end -->\n"
    once = pages.filled(page)
    assert once == pages.filled(once)
    marks = "<!-- gains --> | gains | |---| | 1 | <!-- end --> "
    marks += "text <!-- both --> | both | |---| | 1 | <!-- end -->"
    assert " ".join(once.split()) == marks


def test_numbers_of_the_readme_are_those_of_the_runs():
    rivals = ("student", "fixmatch")  # the better one counts
    columns = ["mean", "low", "high"]
    tests = [claims.gained(rival)[columns].stack() for rival in rivals]
    gains = pd.concat(tests, axis=1).min(axis=1).unstack()
    clear, lost = gains["low"] > 0, gains["high"] < 0
    open_ = gains[~clear & ~lost]
    assert (len(gains), clear.sum(), len(open_), lost.sum()) == (9, 3, 5, 1)
    three = gains["mean"][clear]
    words = f"three gain {three.min():.1f} to {three.max():.1f} points of F1 above the better "
    words += "of two controls, five are open, one loses four."
    assert f"Of nine [real cases](docs/results/real.md) {words}" in README
    assert round(gains["mean"][lost].item()) == -4
    ranges = {"body": (3, 4.5), "belt": (1.5, 1.5), "watch": (1.5, 3), "land": (1.5, 2.2)}
    for place, (low, high) in ranges.items():
        worn = gains["mean"][gains.index.str.contains(place)]
        assert (worn.min(), worn.max()) == pytest.approx((low, high), abs=0.1)
    cells = gains["mean"][gains.index.str.contains("cells")]
    assert (round(cells.max()), round(cells.min())) == (1, -4)
    assert set(open_.index) | {cells.idxmin()} == set(
        gains.index[gains.index.str.contains("watch|land|cells")]
    )
    assert "body units gain 3 to 4.5 points, a belt 1.5; open are a watch (1.5 to 3)" in README
    assert "land cover (2), brightfield of cells (1); their stain loses 4 |" in README
    dice = stored.networks("mri").query("labels == 'all'").set_index(["method", "network"])["tally"]
    dice = dice.map(lambda tally: round(intervals.group_dice(tally, claims.TUMOUR).mean()))
    words = ": T1 {:.0f}, trained beside FLAIR {:.0f}; FLAIR {:.0f}, a network of both {:.0f}"
    rows = (
        ("single", "t1"),
        ("dense-kdv2", "t1"),
        ("single", "flair"),
        ("dense-teacher", "t1+flair"),
    )
    assert words.format(*(dice[row] for row in rows)) in README
    tuned = [mean_of("hls-pretrained", "few", method, "rgb") for method in ("student", "agreed")]
    tuned += [mean_of("hls", "few", method, "rgb") for method in ("student", "agreed")]
    words = "F1 {:.0f}, with pairs {:.0f} (one draw of labels); "
    words += "not pretrained {:.0f}, with pairs {:.0f}"
    assert words.format(*tuned) in README
    for share, name, low, high in (
        ("all", "dsads-all", 2, 3),
        ("all", "cells", 0, 2),
        ("all", "watch", 1, 1),
        ("few", "dsads-spread", 2, 2),
        ("few", "cells", -9, -4),
    ):
        own = claims.both(name).loc[share, "mean"].reindex(["teacher", "student"]).dropna()
        gains = [round(gain) for gain in own]
        assert (min(gains), max(gains)) == (low, high)
    words = "two or three on the body, none to two on cells; few labels, two on the body, "
    words += "cells lose four to nine; on a watch nothing with every label; not decided on a watch "
    assert words in README
    for method, gain in (("dense-kdv2", 7), ("dense-self", 2), ("single-2x", 3)):
        points = score("dense/scenes-labelled", method, "rgb", "vs single", labelled=0.05)
        assert round(points) == gain
    assert "masks for 5 %: seven points of mIoU in RGB" in README
    assert "RGB's own teacher gives two, a network of double size three" in README
    assert "DisCoM-KD included, gains [more than a point]" in README
    assert stored.table("all-labels")[0]["vs student"].max() < 1
    alone, both = (
        score("all-labels", *of) for of in (("student", "rgb"), ("teacher", "rgb+depth"))
    )
    assert round(both - alone) == 9
    assert "nine points on [synthetic scenes](docs/results/all_labels.md)" in README


def test_cells_of_pages_stand_in_tables_of_results():
    """Every mean ± sd and every difference with its interval."""
    texts = [pages.text_of(name) for name in stored.TABLES]
    known = set(CELL.findall(re.sub(" +", " ", "\n".join(texts))))
    written = {page: page.read_text() for page in DOCS.rglob("*.md")}
    for mark in pages.MARKED.finditer("".join(written.values())):  # none of these is stale
        known |= set(CELL.findall(mark[0]))
    for page, text in written.items():
        unknown = [cell for cell in CELL.findall(text) if cell not in known]
        assert not unknown, (page.name, unknown)
