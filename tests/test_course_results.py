"""What notebooks say of stored runs: the numbers of `results/` and of the pages; runs that are
added."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from notebook_code import written
from scipy import stats

import course
from pictures import labels, papers, segments, wristband
from worth import worth

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.usefixtures("in_notebooks")


def read(page):
    return (ROOT / page).read_text()


@pytest.mark.parametrize(
    ("number", "data", "means"),
    [
        ("01", "watch, mean of 5 deals", [93, 74, 79]),  # at random, persons, both sensors
        ("07", "colour, 20 epochs", [70, 81, 82]),  # as they are, turned, branch turned
    ],
)
def test_the_table_of_a_notebook_has_the_means_of_stored_runs(number, data, means):
    assert course.results(number).loc[data, "right, %"].tolist() == means


def test_seeds_and_kinds_of_a_stored_table_are_those_that_the_page_averages():
    scores = course.seeds("../results/all-labels.csv", course.EVERY, "depth")
    names = ["student", "branch alone", "DisCoM-KD", "DisCoM-KD, pairs", "both sensors"]
    assert list(scores) == names
    assert scores.mean().round(1).tolist() == [75.6, 76.2, 75.7, 76.1, 92.6]
    assert len(scores) == 10
    kinds = course.stored_kinds("../results/all-labels-kinds.csv", "teacher", "depth").round(1)
    assert kinds.to_dict() == {"ordinary": 98.0, "dark": 88.2, "far": 97.1, "dark and far": 32.0}


def test_seeds_of_a_stored_table_are_those_of_the_share_of_labels():
    names, file = {"student": "student", "teacher": "teacher"}, "../results/labels.csv"
    scores = course.seeds(file, names, "depth", labelled=0.1)
    assert scores.mean().round(1).tolist() == [50.2, 51.4]  # of results/labels.md
    few = course.seeds(file, {"student": "student"}, "depth", labelled=0.2)
    assert few.mean().round(1).tolist() == [65.5]


def test_the_network_of_both_sensors_stands_in_each_column_of_its_data():
    figures = papers.columns()
    assert figures.loc["teacher"].tolist() == [55.95, 55.95, 95.36, 95.36, 97.72, 97.72]
    assert figures.loc["student", ("eurosat", "ms")] == 95.49
    assert len(figures.dropna()) == 13


def test_06_says_of_stored_probes_what_they_have_read():
    said = read("notebooks/py/06_what_the_embeddings_hold.py")
    runs = pd.read_csv(ROOT / "results/parts.csv").query("part == 'inv'")
    runs = runs.pivot_table("score", ["method", "seed"], "fact")
    sensor = runs.loc["mdico", "which sensor"]
    assert said.count(f"in {sensor.min():.0f} to {sensor.max():.0f} %") == 2
    means = runs.groupby("method").mean()
    for fact in ("class", "shape", "material"):
        assert f"{means[fact]['mdico']:.0f} instead of {means[fact]['discom']:.0f} %" in said


# ---------------------------------------------------------------- runs that are added


def test_points_are_stored_by_seed_and_those_of_other_seeds_come_back(tmp_path):
    file = str(tmp_path / "points.csv")
    for seed in (2, 1):
        table = course.beside("", {"alone": 40 + seed / 3, "both": 50 + seed}, seed, file)
    assert table.loc["alone"].to_dict() == {1: 40.3, 2: 40.7}
    assert list(table) == [1, 2]  # the one that runs comes first


def test_masks_of_a_seed_replace_its_stored_ones_and_this_page_comes_first(tmp_path):
    file = str(tmp_path / "segments.csv")
    stored = [[700, 2, "alone", 1, 1], [700, 3, "alone", 43, 4], [9, 4, "alone", 5, 5]]
    columns = ["steps", "seed", "network", "mIoU", "outline"]
    pd.DataFrame(stored, columns=columns).to_csv(file, index=False)
    for seed in (2, 1):
        live = pd.DataFrame({"mIoU": {"alone": 40 + seed / 3}, "outline": {"alone": seed}})
        scores = segments.beside(live, seed, 700, file)
    assert scores["seed"].tolist() == [1, 2, 3]  # not that of another length
    assert segments.by_seed(scores)["alone"].round(1).tolist() == [40.3, 40.7, 43.0]
    kept = pd.read_csv(file)
    assert kept["seed"].tolist() == [4, 1, 2, 3]
    assert kept["mIoU"].tolist() == [5, 40.3, 40.7, 43.0]
    first = segments.beside(live[["mIoU"]].rename({"alone": "new"}), 1, 700, file)
    assert list(first) == ["steps", "seed", "network", "mIoU"]  # no errors yet
    assert len(first) == 1  # of others only the networks that have answered here


def test_scores_of_a_run_replace_those_of_its_seed_and_length_alone(tmp_path):
    file, row = tmp_path / "margins.csv", {"seed": 0, "epochs": 20}
    names = ["student, as they are", *papers.TURNS]
    places = {"seed": [0, 0, 1], "epochs": [20, 40, 20]}
    pd.DataFrame(places | dict.fromkeys(names, 50.0)).to_csv(file, index=False)
    row |= dict.fromkeys(names, 61.26)
    scores = papers.stored_scores(row, str(file))
    assert scores["student, turned"].tolist() == [61.3, 50, 50]  # as it is written
    stored = pd.read_csv(file)
    assert stored["student, turned"].tolist() == [61.3, 50, 50]
    assert list(zip(stored["seed"], stored["epochs"], strict=True)) == [(0, 20), (0, 40), (1, 20)]


# ---------------------------------------------------------------- what labels are worth


@pytest.fixture(scope="module")
def scores():
    names = "labels", "labels-more", "all-labels"
    return labels.stored_scores(*(str(ROOT / f"results/{name}.csv") for name in names))


def test_before_the_guess_the_curves_show_no_pairs(scores):
    figure = labels.plot_worth(scores, {"depth": 80, "rgb": 87})
    for axis, sensor in zip(figure.axes, ("depth", "rgb"), strict=True):
        heights = np.concatenate([line.get_ydata() for line in axis.lines])
        for way, shown in {"alone": True, "own labels": True, labels.RECIPE: False}.items():
            assert np.isclose(heights, scores[sensor, way, 200].mean()).any() == shown


def test_the_worth_of_the_notebook_is_that_of_the_page(scores):
    scope = {"np": np, "stats": stats}
    exec(written("08", "worth"), scope)
    for sensor in ("depth", "rgb"):
        few = scores[sensor].xs(200, axis=1, level="labels")
        for rival, method in {"alone": "student", "own labels": "fixmatch"}.items():
            curve = scores[sensor][rival].loc[:, 200:].dropna(axis=1)
            found = scope["worth"](few[labels.RECIPE], curve)
            assert found == pytest.approx(worth(sensor, method), abs=3)
    curve = scores["depth", "alone"].loc[:, 200:]
    assert scope["worth"](scores["depth", "own labels", 200], curve) is None
    assert scope["worth"](few[labels.RECIPE] + 30, curve) is None  # above every number


@pytest.mark.parametrize(
    ("price", "answer"),
    [(0.8, "more labels"), (1.0, "too close"), (1.3, "the second camera")],
)
def test_the_price_of_a_label_decides(capsys, price, answer):
    scope = {"labels_needed": {"depth": (473, 426, 533), "rgb": (489, 394, 633)}}
    exec(written("08", "cheaper"), scope)
    scope["cheaper"]("depth", label=price, pair=0.02, camera=250)
    said = capsys.readouterr().out
    assert f"273 labels: {answer}" in said
    assert "1.06, 95 % 0.87 to 1.28" in said
    scope["cheaper"]("rgb", label=1, pair=0.02, camera=250)
    assert "289 labels: too close to call; a label at break-even 1.00" in capsys.readouterr().out


def test_advice_is_drawn_in_the_colour_of_its_verdict():
    table = pd.read_csv(ROOT / "results/advice.csv")
    one = table[table["situation"].str.startswith("deploy one")].dropna(subset="mean")
    axis = labels.plot_advice(table[table["situation"].str.startswith("deploy one")]).axes[0]
    assert [text.get_text() for text in axis.get_yticklabels()] == one["data"].tolist()
    drawn = {}
    for line in axis.lines[:4]:  # the means, a line for each verdict; losses have their own
        for mean, place in zip(*line.get_data(), strict=True):
            drawn[place] = mean, line.get_color()
    expected = [(row["mean"], labels.VERDICTS[row["verdict"]]) for _, row in one.iterrows()]
    assert [drawn[place] for place in sorted(drawn)] == expected
    gains = one["verdict"] == "gains"
    assert (one.loc[gains, "low"] > 0).all()
    assert (one.loc[gains, "mean"] >= 2).all()


# ---------------------------------------------------------------- units on the body, masks


def test_units_have_gains_above_own_labels_and_labels_alone():
    units = wristband.stored_units()
    assert units.groupby("better").size().tolist() == [50, 50]
    means = wristband.unit_means(units)
    halves = means.loc[["with a better unit", "with a weaker unit"]].mean()
    np.testing.assert_allclose(halves, means.loc["with any unit"], atol=0.11)
    assert means.loc["own labels", "above own labels"] == 0


def test_stored_gains_are_those_of_the_page():
    gains = segments.stored_gains()
    page = read("docs/results/segmentation.md").splitlines()
    ways = {"single-2x": "alone, twice as large", "dense-self": segments.OWN}
    ways |= {"dense-kdv2": segments.BOTH, "crodino": "our CroDiNo-KD"}
    for method, way in ways.items():  # the first of a method is minus `single`
        row = next(line for line in page if line.startswith(f"| {method} | rgb |"))
        cells = row.split(" | ")
        for name, cell in (("30 masks", cells[2]), ("all 600 masks", cells[-1])):
            assert len(gains[name]) == 10
            assert cell.startswith(f"{gains[name][way].mean():+.1f}")


def test_dice_of_patients_is_that_of_the_page():
    """tests/tables/test_pooling.py has Dice itself."""
    page, table = read("docs/results/images.md"), segments.of_patients(segments.patients())
    every, seven = "masks of all patients", "masks of 7 patients"
    assert table[every]["T1+FLAIR", "one network of both"] == "68"
    assert table[every]["T1", "student of one T1 network"] == "not run"
    for way, method in ((segments.BOTH, "dense-kdv2"), ("our CroDiNo-KD", "crodino")):
        for column, masks in ((every, "all"), (seven, "7 patients")):
            place = rf"`{method}` \| `single` \| t1 \| {masks} \| 100 \| (.*?) \|"
            (expected,) = re.findall(place, page)
            assert f"({expected})" in table[column]["T1", way]


def test_advice_of_the_notebook_is_that_of_the_guide():
    def rows(page):
        lines = [line.removeprefix("# ") for line in page.splitlines()]
        cells = [line.strip("|").split("|") for line in lines if line.startswith("| deploy one")]
        return {situation.strip(): [c.strip() for c in others] for situation, *others in cells}

    guide = rows(read("docs/guides/second_sensor.md").partition("<!-- advice -->")[2])
    quoted = rows(read("notebooks/py/10_segmentation.py"))
    assert list(quoted) == ["deploy one, few masks", "deploy one, a label for every pair"]
    for situation, (recommendation, *points) in quoted.items():
        assert recommendation == guide[situation][0]
        gains, _, no_gain, _ = guide[situation][1:]
        assert points[0] == gains
        assert set(points[1].split("<br>")) <= set(no_gain.split("<br>"))
