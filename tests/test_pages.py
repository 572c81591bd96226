"""benchmarks/pages.py: numbers of pages and tables come from the runs in results/."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from scipy import stats

import catalogue
import pages
from discom.errors import ConfigError
from expressions import parse, write

FILES = sorted(file for pattern in pages.PAGES for file in pages.ROOT.glob(pattern))
MARKED = [file for file in FILES if file.suffix == ".md" and "<!--" in file.read_text()]
TEN, FIVE = "few-labels/scenes-labelled-ten", "few-labels/scenes-labelled"
MARK = f"by <!--= in {TEN}, 10 %, depth, nt-xent, 1-->56.7<!--/--> points\n"


def content(name: str):
    return json.loads((catalogue.RESULTS / f"{name}.json").read_text())


def scores(name: str, method: str, network: str, metric: str = "f1", **settings) -> np.ndarray:
    """Of runs with these settings and no options, by seed."""
    kinds, rows = content(name), pd.read_csv(catalogue.RESULTS / f"{name}.csv")
    kinds = {
        key: kind
        for key, kind in kinds.items()
        if (kind["method"], kind["changed"]) == (method, {})
        and settings.items() <= kind["config"].items()
    }
    rows = rows[rows["settings"].isin(kinds) & (rows["network"] == network)]
    return rows.sort_values("seed")[metric].to_numpy()


def interval(each: np.ndarray) -> str:
    """Mean of paired differences, and Student's interval."""
    half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / len(each) ** 0.5
    return f"{each.mean():+.1f} [{each.mean() - half:+.1f}, {each.mean() + half:+.1f}]"


def test_nothing_is_stale():
    assert pages.main(["--check"]) == 0


def test_numbers_are_those_of_the_runs():
    ours, theirs = (scores(TEN, name, "depth", labelled=0.1) for name in ("nt-xent", "student"))
    teacher = scores("dense/hls-labelled", "dense-teacher", "rgb+elevation", "miou", labelled=1.0)
    budget = scores("scenes-budget", "discom", "rgb", epochs=10)
    files = (f"few-labels/scenes-{name}" for name in ("again", "labelled"))
    again, before = (scores(name, "student", "rgb", labelled=0.1) for name in files)
    random, place = (scores(f"hls-{n}table2", "discom", "elevation") for n in ("random-", ""))
    runs = pd.read_csv(catalogue.RESULTS / "scenes-table2.csv")
    runs = runs.drop_duplicates(["settings", "seed"])
    seconds = content("bench/main-job")["after"]["seconds"]
    probes = [run for run in content("scenes-probes") if run["method"] == "discom"]
    place_of = f"in {TEN}, 10 %, depth, nt-xent"
    expected = {
        f"{place_of}": f"{ours.mean():.1f} ± {ours.std(ddof=1):.1f}",
        f"{place_of}, n": "10",
        f"{place_of}, seed=3, 1": f"{ours[3]:.1f}",
        f"{place_of} - student": interval(ours - theirs),
        f"{place_of} - student, +1": f"{(ours - theirs).mean():+.1f}",
        f"{place_of} - nt-xent": "–",
        "in dense/hls-labelled, rgb+elevation, dense-teacher, 1": f"{teacher.mean():.1f}",
        "in scenes-budget, rgb, discom, epochs=10, 1": f"{budget.mean():.1f}",
        f"in few-labels/scenes-again - {FIVE}, 10 %, rgb, student": interval(again - before),
        "in hls-random-table2 - hls-table2, elevation, discom, 0": f"{(random - place).mean():.0f}",
        "in scenes-table2, runs": f"{len(runs)}",
        "in scenes-table2, minutes": f"{runs['seconds'].sum() / 60:.0f}",
        "in bench/main-job, at after/seconds, 1": f"{np.median(seconds):.1f}",
        "in scenes-probes, discom, at transfer/rgb/depth, 1": (
            f"{np.mean([run['transfer']['rgb']['depth'] for run in probes]):.1f}"
        ),
    }
    assert {text: write(*parse(text)) for text in expected} == expected
    welch = write(*parse("in hls-random-table2 - hls-table2, elevation, discom, welch"))
    low, high = map(float, re.findall(r"[+-][\d.]+(?=[,\]])", welch))
    apart = stats.ttest_ind(random, place, equal_var=False).confidence_interval()
    assert low < apart.low < apart.high < high  # wider, since splits overlap


def test_stars_count_all_comparisons_of_a_page(tmp_path):
    """Holm's p of one method is .04 among its ten differences, and .07 beside another's ten."""
    form = "by <!--= in dense/scenes-labelled, 10 %, depth, {} - single, ci*-->?<!--/-->\n"
    lines = [form.format(name) for name in ("dense-kdv2", "single-2x")]
    for text, stars in ((lines[0], ["*"]), ("".join(lines), ["", ""])):
        (tmp_path / "page.md").write_text(text)
        assert re.findall(r"-->[+-]\d\.\d(\*?) \[", pages.page(tmp_path / "page.md")[0]) == stars


def test_a_wrong_number_is_found_and_written(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(f"\n{MARK.replace('56.7', '65.7')}{MARK}")
    text, stale = pages.page(file)
    assert len(stale) == 1
    assert re.search(r"page\.md:2: says '65\.7', and the results '56\.7'", stale[0])
    assert text == f"\n{MARK}{MARK}"
    file.write_text(text)
    assert pages.page(file) == (text, [])


def test_tables_and_rows_are_written(tmp_path):
    file = tmp_path / "page.md"
    table = f"<!--table in {TEN}, depth, 1\nlabels | own = student | pairs = nt-xent; rgb\n"
    table += "200 = 10 %\n400 = 20 %\n-->\n\nold\n\n<!--/table-->\n"
    rows = "<!--rows\nscenes-budget: discom, epochs=80, modality=rgb\n-->\n\n<!--/rows-->\n"
    file.write_text(table + rows)
    written = pages.page(file)[0]
    assert "\n\n| labels | own | pairs |\n|---|---|---|\n| 200 | 36.8 | 56.7 / 67.8 |\n" in written
    (row,) = re.findall(r"^\| scenes \| 80 \|.*$", written, re.MULTILINE)
    own = re.sub(" +", " ", (catalogue.RESULTS / "scenes-budget.md").read_text())
    assert row in own


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MARK.replace("nt-xent", "discom"), "no method 'discom' in few-labels/scenes-labelled-ten"),
        (MARK.replace(TEN, "nowhere"), "results/nowhere.json: no such file"),
        ("of <!--= in scenes-budget, rgb, discom, 1-->9<!--/-->", "5 rows of discom .*: say which"),
        ("of <!--= in bench/speed, at rounds/0-->7<!--/-->", "no number at rounds/0 in"),
        ("of <!--rows\nscenes-table2: ntxent\n-->\n<!--/rows-->", "no row 'ntxent' in"),
        (MARK.replace("<!--/-->", "") + MARK, "this mark or the one before has no end"),
        (MARK.replace("by ", "- "), "a number begins the line"),
    ],
)
def test_a_mark_that_cannot_be_read_is_one_line(tmp_path, text, said):
    file = tmp_path / "page.md"
    file.write_text(f"\n\n{text}")
    with pytest.raises(ConfigError, match=rf"page\.md:[34]: {said}") as error:
        pages.page(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("file", MARKED, ids=lambda file: file.stem)
def test_marks_are_invisible(file):
    """A page looks as it does without them: no mark begins a block, or ends a table or a phrase."""
    render = MarkdownIt("commonmark").enable("table").render
    text, comment = file.read_text(), re.compile("<!--.*?-->", re.DOTALL)
    seen, plain = comment.sub("", render(text)), render(comment.sub("", text))
    assert re.sub(r"\n+", "\n", seen) == re.sub(r"\n+", "\n", plain)
