"""benchmarks/pages.py: tables of pages come from the runs in results/, and the README's numbers and
the pages' cells are those of the tables."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import advice
import claims
import front
import pages
import stored
from discom import cli, tables

README = " ".join((pages.ROOT / "README.md").read_text().split())
DOCS = pages.ROOT / "docs"
ALONE = ("student", "fixmatch", "simclr contrast=1")
NUMBERS = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
NUMBERS += ["eleven", "twelve"]
CELL = re.compile(r"\d+\.\d ± \d+\.\d|[+-]\d+\.\d \[[+-]\d+\.\d, [+-]\d+\.\d\]")


def score(name: str, method: str, modality: str, column: str = "", **settings: float) -> float:
    """One number of a table of results/: its score, or another column."""
    table, _ = stored.table(name)
    keys = {"method": method, "modality": modality, **settings}
    rows = table[np.all([table[key] == value for key, value in keys.items()], axis=0)]
    assert len(rows) == 1
    return rows[column or tables.metric_of(table)].item()


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
        assert pairs.get_width() - twice.get_width() < 2  # "about as much"
    plt.close("all")


def test_the_picture_of_the_readme_shows_the_best_of_what_one_camera_has():
    means = {sensor: front.scores(sensor).mean().round(1) for sensor in ("rgb", "depth")}
    rows = {"alone": "student", "pairs": "agreed"}  # of one machine
    for sensor, shown in means.items():
        for bar, method in rows.items():
            assert shown[bar] == round(score("labels", method, sensor, labelled=0.1), 1)
    best = score("labels-controls", "fixmatch-simclr contrast=0.3", "rgb")
    assert means["rgb"]["own"] == round(best, 1) > score("labels", "fixmatch", "rgb", labelled=0.1)
    assert means["depth"]["own"] == round(score("labels", "fixmatch", "depth", labelled=0.1), 1)
    for axis in front.front().axes[1::2]:
        alone, own, pairs = (bar.get_width() for bar in axis.patches)
        assert pairs > max(alone, own)
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
    judged = advice.judged()
    few = judged.query("situation.str.contains('few labels of all|one person')")
    one = few["situation"].str.contains("one person")
    few = few.set_index(few["data"].mask(one, few["data"] + ", one person"))
    stated = {
        "scenes, RGB": "9.5 points in colour",
        "scenes, depth": "16.5 in depth above the best network",
    }
    for data, words in stated.items():
        assert words in README
        assert f"{few.loc[data, 'mean']:.1f}" in words
        assert few.loc[data, "low"] > 0
    ends = []
    for worn in few[few.index.str.startswith("body")], few[few.index.str.startswith("belt")]:
        assert len(worn) == 2
        assert (worn["low"] > 0).all()
        ends += [NUMBERS[round(mean)] for mean in worn["mean"].sort_values()]
    words = "gain {} to {} points from a like one elsewhere on the body, {} or {} on a belt"
    assert words.format(*ends) in README
    kinds = few[~few.index.str.startswith(("scenes", "body"))]
    assert not (kinds["mean"] >= 2).any()  # "no pair of two different kinds of sensors"
    cells = few[few.index.str.startswith("cells")]
    assert sorted(cells["high"] < 0) == [False, True]  # "one loses, the other is open"
    assert (cells["low"] < 0).all()
    withdrawn = few.index[few["mean"].isna()].str.split(",").str[0]
    assert set(withdrawn) == {"watch", "land cover"}
    assert "rows of a watch and land cover are withdrawn and [run again]" in README
    assert len(few) == len(stated) + len(ends) + len(cells) + len(withdrawn)
    every = advice.gains().query("situation == 'deploy one, a label for every pair'")
    assert (every["high"] < 2).all()
    assert (every["mean"] < 0).all()
    both = judged.query("situation == 'deploy both, a label for every pair'")
    sets = both.assign(data=both["data"].str.split(",").str[0], gains=both["verdict"] == "gains")
    sets = sets.groupby("data")["gains"].any()
    counted = f"{NUMBERS[sets.sum()]} of {NUMBERS[len(sets)]} sets"
    assert f"gained on {counted} with a label for every pair" in README
    figures = tables.paper_figures().query("table == 2 and method in ['student', 'discom']")
    theirs = figures.pivot_table("f1", ["data", "modality"], "method")
    margins = theirs["discom"] - theirs["student"]
    words = "in six of six columns of Table 2, by {:.1f} to {:.1f} points"
    assert words.format(margins.min(), margins.max()) in README
    assert (margins > 0).sum() == len(margins) == 6
    for sensor in ("rgb", "depth"):
        ours, student = (score("all-labels", name, sensor) for name in ("discom", "student"))
        assert abs(ours - student) < 0.2  # "level with the student"
        paper, alone = (score("labels-others", name, sensor) for name in ("discom", "student"))
        assert paper < alone  # "below the student there"
    measured = judged.query("situation == 'deploy both, few labels'").dropna(subset="mean")
    counted = f"{NUMBERS[(measured['verdict'] == 'gains').sum()]} of "
    counted += NUMBERS[measured["data"].str.split(",").str[0].nunique()]
    assert f"With few labels it gained on [{counted}]" in README
    lost = measured[measured["high"] < 0]["data"].str.split(",").str[0]
    assert f"in one seed, and lost on {NUMBERS[lost.nunique()]}" in README


def test_the_guide_tells_where_both_mounted_gain_with_few_labels():
    few = advice.judged().query("situation == 'deploy both, few labels'").set_index("data")
    gained = few[few["verdict"] == "gains"]
    guide = " ".join((DOCS / "guides/second_sensor.md").read_text().split())
    assert "With few labels one network of both gained three points on a belt, in one seed" in guide
    assert gained.index.tolist() == ["belt, one network"]
    assert gained["seeds"].item() == 1
    assert round(gained["mean"].item()) == 3


def test_the_guide_counts_the_rows_of_its_table():
    """Real sensors, few labels or masks, pairs in training, one deployed."""
    guide = " ".join((DOCS / "guides/second_sensor.md").read_text().split())
    faq = " ".join((DOCS / "faq.md").read_text().split())
    every = advice.judged().query("situation.str.startswith('deploy one')")
    few = every.query("~situation.str.contains('every pair') and ~data.str.startswith('scenes')")
    withdrawn, gains = few["mean"].isna(), few["verdict"] == "gains"
    undecided = few["verdict"] == "open"
    counted = [len(few), undecided.sum(), (undecided & ~withdrawn).sum(), withdrawn.sum()]
    counted = [NUMBERS[number] for number in counted]
    words = "So of the {} real cases with few labels or masks where one sensor is deployed and "
    words += "pairs train, {} are not decided: {} are open, and {} are withdrawn."
    assert words.format(*counted) in guide
    assert f"{NUMBERS[gains.sum()]} of [{counted[0]} real cases]" in faq
    assert (few["high"] < 0).sum() == 1  # "and one lost"


def test_one_seed_is_told_beside_the_row():
    table = advice.advice().set_index("situation")["seeds"]
    assert table["deploy one, few masks"] == "scenes 10<br>MRI 1"
    assert "body units, product 5" in table["deploy both, few labels"]
    assert "body units, one network, labels of one person 1" in table["deploy both, few labels"]


def test_advice_compares_with_the_strongest_network_that_never_saw_the_other_sensor():
    gains = advice.gains().set_index("data")["mean"]
    own = {each: score("labels", each, "depth", labelled=0.1) for each in ALONE}
    own["both"] = score("labels-controls", "fixmatch-simclr contrast=0.1", "depth")
    assert max(own, key=own.get) == "student"
    expected = score("labels", "agreed", "depth", labelled=0.1) - own["student"]
    assert gains["scenes, depth"].iloc[-1] == pytest.approx(expected, abs=1e-4)
    own = {each: score("labels", each, "rgb", labelled=0.1) for each in ALONE}
    own["both"] = score("labels-controls", "fixmatch-simclr contrast=0.3", "rgb")
    assert max(own, key=own.get) == "both"
    expected = score("labels", "agreed", "rgb", labelled=0.1) - own["both"]
    assert gains["scenes, RGB"].iloc[-1] == pytest.approx(expected, abs=1e-4)


def test_few_labels_are_of_one_share():
    """Shares of 5 and 10 % were pooled: 40 rows of 10 seeds, and too narrow an interval."""
    few = stored.networks("dense/scenes-labelled").query("labels == 'few'")
    assert set(few["share"]) == {0.05}
    place = "dense/scenes-labelled", "few", "dense-kdv2", "single-2x", "rgb"
    assert len(claims.differences(*place)) == few["seed"].nunique() == 10


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


def test_all_words_of_the_front_picture_lie_within_it():
    drawn = front.front()
    drawn.canvas.draw()
    for words in drawn.findobj(Text):
        if words.get_text() and words.get_visible():
            box = words.get_window_extent()
            assert box.x0 >= 0, words.get_text()
            assert box.x1 <= drawn.bbox.x1, words.get_text()
