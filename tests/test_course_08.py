"""Notebook 08: checkers that refuse likely wrong answers, curves and points of stored runs."""

import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import each_answer
from fixtures.results import result

import course
from checks import exercises_08
from discom import tables
from labels import worth  # of benchmarks
from pictures import labels

ROOT = Path(__file__).parents[1]


def surest(beliefs, batch=False):
    rgb, depth = beliefs.values()
    sure = [z.max(1).values for z in (rgb, depth)]
    first = sure[0].sum() > sure[1].sum() if batch else (sure[0] > sure[1])[:, None]
    return dict.fromkeys(beliefs, torch.where(torch.as_tensor(first), rgb, depth))


def late(pool, count=24, source=None, in_place=False):
    rows = pool if in_place else pool.clone()
    rows[:count] = (pool if source is None else source)[:count].roll(1)
    return rows


SUREST, LATE, SCORES = exercises_08.first, exercises_08.second, exercises_08.third
ANSWERS = [
    (SUREST, surest, ""),
    (SUREST, lambda b: {s: z + 1 for s, z in surest(b).items()}, ""),  # logits will do
    (SUREST, lambda b: None, "as pair_labels does"),
    (SUREST, lambda b: surest(b)["rgb"], "as pair_labels does"),
    (SUREST, lambda b: {s: z.argmax(1) for s, z in surest(b).items()}, "a row for each"),
    (SUREST, lambda b: b, "same judge"),
    (SUREST, partial(surest, batch=True), "same judge|scene by scene"),
    (SUREST, lambda b: dict.fromkeys(b, torch.maximum(*b.values())), "from one sensor"),
    (SUREST, lambda b: dict.fromkeys(b, sum(b.values())), "the product"),
    (SUREST, lambda b: dict.fromkeys(b, torch.logaddexp(*b.values())), "scene by scene"),
    (LATE, late, ""),
    (LATE, lambda pool: None, "a row number"),
    (LATE, lambda pool: pool.roll(1), "these are 96"),
    (LATE, lambda pool: pool, "these are 0"),
    (LATE, partial(late, count=4), "these are 4"),
    (LATE, partial(late, in_place=True), "leave the pool"),
    (LATE, lambda pool: late(pool, source=pool + 2000), "from the pool"),
    (LATE, lambda pool: torch.where(torch.arange(96) < 24, pool[40], pool), "once"),
    (SCORES, {"ordinary": 51.0, "far away": 44.0}, ""),
    (SCORES, {"ordinary": 51.0}, "set both"),
    (SCORES, {"ordinary": 51.0, "far away": None}, "set both"),
    (SCORES, {"ordinary": 0.51, "far away": 0.44}, "guessing gets 11"),
    (SCORES, {"ordinary": 51.0, "far away": 51.0}, "did the pool change"),
]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)


@pytest.fixture
def stored(tmp_path):
    """Runs of two seeds: `student` gains ten points for each doubling, `agreed` has 200 labels."""
    points = {0.1: 40.0, 0.2: 50.0, 1.0: 60.0}
    others = [("agreed", 45.0, {}), ("agreed", 41.0, {"weights": {"contrast": 0.0}})]
    others += [("fixmatch", 38.0, {}), ("decur", 1.0, {})]
    runs = []
    for seed in (0, 1):
        for share in points:
            scores = {"rgb": points[share] + seed, "depth": points[share]}
            runs.append(result("student", seed, scores, labelled=share))
        for method, f1, options in others:
            scores = {"rgb": f1 + 7, "depth": f1}
            runs.append(result(method, seed, scores, options=options, labelled=0.1))
    tables.collect(runs, tmp_path / "labels.csv")
    return labels.stored_scores(str(tmp_path / "labels.csv"))


def test_stored_scores_are_found_by_sensor_way_and_number(stored):
    assert stored["rgb", "alone", 2000].tolist() == [60, 61]
    assert stored["depth", labels.RECIPE, 200].tolist() == [45, 45]
    assert stored["depth", "pair labels", 200].tolist() == [41, 41]
    ways = {"alone", "own labels", "pair labels", labels.RECIPE}
    assert set(stored["depth"].columns.get_level_values("way")) == ways


def test_the_arrow_ends_at_the_number_of_labels_in_its_interval(stored):
    worth = {"depth": (283, 250, 320), "rgb": (500, 410, 610)}
    figure = labels.plot_worth(stored, {"depth": 80, "rgb": 87}, worth)
    for axis, (sensor, (number, low, high)) in zip(figure.axes, worth.items(), strict=True):
        (arrow,) = [text for text in axis.texts if hasattr(text, "arrow_patch")]
        assert arrow.xy == (number, stored[sensor, labels.RECIPE, 200].mean())
        assert (axis.patches[0].get_x(), axis.patches[0].get_width()) == (low, high - low)
        assert list(axis.lines[0].get_xdata()) == [200, 400, 2000]
    assert re.findall(r"\d+", figure.get_suptitle())[-2:] == ["283", "500"]


def test_before_the_guess_the_curve_shows_labels_alone(stored):
    figure = labels.plot_worth(stored, {"depth": 80, "rgb": 87})
    assert figure.get_suptitle().count("+10 ") == 2  # of 200 more labels
    for axis in figure.axes:
        heights = {float(y) for line in axis.lines for y in line.get_ydata()}
        assert not heights & {45.0, 52.0}  # the recipe's scores
        assert not [text for text in axis.texts if hasattr(text, "arrow_patch")]


def test_stored_seeds_and_the_live_run_share_a_row(stored):
    live = pd.DataFrame({"depth": [33.0, 44.0], "rgb": [35.0, 46.0]}, ["alone", "pair labels"])
    figure = labels.plot_ways(stored, live)
    assert re.findall(r"[+-]\d+", figure.get_suptitle()) == ["+1", "+8"]
    axis = figure.axes[0]
    rows = [text.get_text() for text in axis.get_yticklabels()]

    def points(marker):
        lines = [line for line in axis.lines if line.get_marker() == marker]
        return {rows[int(line.get_ydata()[0])]: list(line.get_xdata()) for line in lines}

    assert points("D") == {"alone": [33], "pair labels": [44]}
    assert points("o") == {"alone": [40, 40], "pair labels": [41, 41]}


def test_every_scene_has_one_kind():
    dark, far = torch.tensor([[0, 1, 0, 1], [0, 0, 1, 1]])
    part = SimpleNamespace(labels=torch.zeros(4), factors={"dark": dark, "far": far})
    assert [*labels.kind_names(part)] == ["ordinary", "dark", "far away", "dark and far"]


@pytest.mark.usefixtures("in_notebooks")
def test_stored_cases_are_those_of_the_pages():
    cases, worn = labels.cases(), read("docs/results/real.md")
    sizes = {"2000 of 2000, every label", "200 of 2000, at random", "35 of 800, all persons"}
    assert sizes < {size for size, _ in cases.index}
    units = cases.loc["133 of 5700, one person", "body, mean of units"]
    assert f"| {units['pair labels'] - units['own labels']:+.1f} [" in worn
    few = cases.loc["200 of 2000, at random", "objects, depth"]
    row = next(line for line in read("docs/results/labels.md").splitlines() if "`agreed` |" in line)
    assert f"| {few[labels.RECIPE]:.1f} ±" in row
    table = course.results("08")["right, %"]["depth, 200 labels, F1"]
    for way in ("alone", "own labels", "pair labels", "contrast", labels.RECIPE):
        assert table[way] == round(few["labels alone" if way == "alone" else way])
    assert units.isna().sum() == 3  # no contrast, alone or with labels, and no MDiCo


@pytest.mark.usefixtures("in_notebooks")
def test_both_sensors_are_compared_with_the_better_one():
    cases, both, page = labels.cases(), labels.both_deployed(), read("docs/results/real.md")
    for size, name in both.index[:4]:
        own = cases.loc[size].filter(regex=f"^{name},", axis=0)
        assert both.loc[(size, name), "better sensor"] == round(own.max(axis=None))
    watch = both.loc["35 of 800, all persons", "watch"]
    (row,) = re.findall(r"\| watch \| few \| \d+ \| \d+ \| (\d+) \| (\d+) \|", page)
    assert row == (str(watch["two networks"]), str(watch["one network"]))
    assert (both["two networks"] == "–").sum() == 4  # not run


@pytest.mark.usefixtures("in_notebooks")
def test_the_worth_of_the_notebook_is_that_of_the_page():
    scope, scores = {"np": np}, labels.stored_scores()
    exec(course.written("08", "worth"), scope)
    for sensor in ("depth", "rgb"):
        few, curve = scores[sensor].xs(200, axis=1, level="labels"), scores[sensor]["alone"]
        found = scope["worth"](few[labels.RECIPE], curve)
        assert found == pytest.approx(worth(sensor), abs=3)
    assert scope["worth"](scores["depth", "own labels", 200], scores["depth", "alone"]) is None
    few = scores["depth", labels.RECIPE, 200]
    assert scope["worth"](few + 30, scores["depth", "alone"]) is None  # above every number


@pytest.mark.parametrize(
    ("price", "answer"),
    [(0.8, "more labels"), (1.0, "too close"), (1.3, "the second camera")],
)
@pytest.mark.usefixtures("in_notebooks")
def test_the_price_of_a_label_decides(capsys, price, answer):
    scope = {"numbers": {"depth": (473, 426, 532), "rgb": (944, 830, 1057)}}
    exec(course.written("08", "cheaper"), scope)
    scope["cheaper"]("depth", label=price, pair=0.02, camera=250)
    said = capsys.readouterr().out
    assert f"273 labels: {answer}" in said
    assert "1.06" in said
    scope["cheaper"]("rgb", label=0.5, pair=0.02, camera=250, without=310)
    assert "634 labels: too close to call; break-even 0.46" in capsys.readouterr().out


def read(page):
    return (ROOT / page).read_text()
