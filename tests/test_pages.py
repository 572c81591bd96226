"""benchmarks/pages.py: numbers of pages and tables come from the runs in results/."""

import json
import re

import catalogue
import numpy as np
import pages
import pytest
from expressions import parse, write
from markdown_it import MarkdownIt
from scipy import stats

from discom.errors import ConfigError

FILES = sorted(file for pattern in pages.PAGES for file in pages.ROOT.glob(pattern))
MARKED = [file for file in FILES if file.suffix == ".md" and "<!--" in file.read_text()]
TEN, FIVE = "few-labels/scenes-labelled-ten", "few-labels/scenes-labelled"
MARK = f"by <!--= in {TEN}, 10 %, depth, nt-xent, 1-->56.7<!--/--> points\n"


def scores(name: str, method: str, network: str, metric: str = "f1", **settings) -> np.ndarray:
    """Of runs with these settings and no options, by seed."""
    runs = json.loads((catalogue.RESULTS / f"{name}.json").read_text())
    runs = [run for run in runs if run["method"] == method and not run["changed"]]
    runs = [run for run in runs if settings.items() <= run["config"].items()]
    return np.array([r["scores"][network][metric] for r in sorted(runs, key=lambda r: r["seed"])])


def interval(each: np.ndarray, overlap: float = 0.0) -> str:
    """Mean and Student's interval of paired differences."""
    error = each.std(ddof=1) * np.sqrt(1 / len(each) + overlap)
    half = stats.t.ppf(0.975, len(each) - 1) * error
    return f"{each.mean():+.1f} [{each.mean() - half:+.1f}, {each.mean() + half:+.1f}]"


def test_nothing_is_stale():
    assert pages.main(["--check"]) == 0


def test_scores_and_differences_are_those_of_the_runs():
    ours, theirs = (scores(TEN, name, "depth", labelled=0.1) for name in ("nt-xent", "student"))
    place = f"in {TEN}, 10 %, depth"
    expected = {
        "nt-xent": f"{ours.mean():.1f} ± {ours.std(ddof=1):.1f}",
        "nt-xent, 0": f"{ours.mean():.0f}",
        "nt-xent, n": "10",
        "nt-xent, seed=3, 1": f"{ours[3]:.1f}",
        "nt-xent - student": interval(ours - theirs),
        "nt-xent - student, +1": f"{(ours - theirs).mean():+.1f}",
        "nt-xent - nt-xent": "–",
    }
    assert {text: write(*parse(f"{place}, {text}")) for text in expected} == expected
    dense = {"labelled": 1.0, "metric": "miou"}
    teacher = scores("dense/hls-labelled", "dense-teacher", "rgb+elevation", **dense).mean()
    text = "in dense/hls-labelled, rgb+elevation, dense-teacher, 1"
    assert write(*parse(text)) == f"{teacher:.1f}"
    few = scores("scenes-budget", "discom", "rgb", epochs=10)
    assert write(*parse("in scenes-budget, rgb, discom, epochs=10, 1")) == f"{few.mean():.1f}"


def test_differences_between_files_are_those_of_the_runs():
    again, before = (
        scores(name, "student", "rgb", labelled=0.1) for name in ("few-labels/scenes-again", FIVE)
    )
    text = f"in few-labels/scenes-again - {FIVE}, 10 %, rgb, student"
    assert write(*parse(text)) == interval(again - before)
    random, place = (scores(f"hls-{n}table2", "discom", "elevation") for n in ("random-", ""))
    text = write(*parse("in hls-random-table2 - hls-table2, elevation, discom, welch"))
    assert text.startswith(f"{random.mean() - place.mean():+.1f} [")
    low, high = map(float, re.findall(r"[+-][\d.]+(?=[,\]])", text))
    welch = stats.ttest_ind(random, place, equal_var=False).confidence_interval()
    assert low < welch.low < welch.high < high  # splits overlap, so that it is wider


def test_runs_and_other_json_are_read():
    runs = json.loads((catalogue.RESULTS / "scenes-table2.json").read_text())
    minutes = sum(run["seconds"] for run in runs) / 60
    assert write(*parse("in scenes-table2, runs")) == f"{len(runs)}"
    assert write(*parse("in scenes-table2, minutes")) == f"{minutes:.0f}"
    probes = json.loads((catalogue.RESULTS / "scenes-probes.json").read_text())
    found = [run["transfer"]["rgb"]["depth"] for run in probes if run["method"] == "discom"]
    assert write(*parse("in scenes-probes, discom, at transfer/rgb/depth, 1")) == (
        f"{np.mean(found):.1f}"
    )
    job = json.loads((catalogue.RESULTS / "bench/main-job.json").read_text())
    seconds = np.median(job["after"]["seconds"])
    assert write(*parse("in bench/main-job, at after/seconds, 1")) == f"{seconds:.1f}"


def test_stars_count_all_comparisons_of_a_page(tmp_path):
    """One in two of a pair with p = .03 has its star; among more comparisons it loses it."""
    each = "in dense/scenes-labelled, 50 %, depth, {} - single, ci*"
    alone = write(*parse(each.format("single-2x")), (("single-2x", "single"),))
    assert "*" not in alone
    every = [f"<!--= {each.format(name)}-->?<!--/-->" for name in ("dense-kdv2", "single-2x")]
    (tmp_path / "page.md").write_text(f"of {every[0]} and {every[1]}\n")
    text, stale = pages.page(tmp_path / "page.md")
    assert len(stale) == 2
    assert re.findall(r"-->\+\d\.\d(\*?) \[", text) == ["*", ""]


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
        (MARK.replace("nt-xent,", "nt-xent - discom,"), "no method 'discom' in few-labels"),
        (MARK.replace("depth", "thermal"), "no modality 'thermal' in .*: there are rgb, depth"),
        (MARK.replace("10 %", "30 %"), "no labelled '0.3' in .*: there are 0.1, 0.2"),
        (MARK.replace("10 %", "10 %, width=16"), "no width '16.0' in"),
        (MARK.replace(TEN, "nowhere"), "results/nowhere.json: no such file"),
        (MARK.replace(TEN, "bench/speed"), "results/bench/speed.json: not a result that discom"),
        ("of <!--= in scenes-budget, rgb, discom, 1-->9<!--/-->", "5 rows of discom .*: say which"),
        (
            "of <!--= in bench/speed, at rounds/0-->7<!--/-->",
            "no number at rounds/0 in bench/speed",
        ),
        (
            "of <!--rows\nscenes-table2: ntxent\n-->\n<!--/rows-->",
            "no row 'ntxent' in scenes-table2",
        ),
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


def test_every_file_of_runs_is_a_table():
    made = {
        f"{file.relative_to(catalogue.RESULTS)}"[:-3] for file in catalogue.RESULTS.rglob("*-*.md")
    }
    assert made == set(catalogue.TABLES)
