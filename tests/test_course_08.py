"""Notebook 08: checkers that refuse likely wrong answers, curves and points of stored runs."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import answers_with
from fixtures.results import result

import course
from checks import exercises_08
from discom import tables
from labels import worth  # of benchmarks
from pictures import labels

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("clean_slate")  # of pictures


def surest(beliefs, batch=False):
    rgb, depth = beliefs.values()
    sure = [z.max(1).values for z in (rgb, depth)]
    first = sure[0].sum() > sure[1].sum() if batch else (sure[0] > sure[1])[:, None]
    return dict.fromkeys(beliefs, torch.where(torch.as_tensor(first), rgb, depth))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (surest, ""),
        (lambda beliefs: {s: z + 1 for s, z in surest(beliefs).items()}, ""),  # logits will do
        (lambda beliefs: None, "as pair_labels does"),
        (lambda beliefs: surest(beliefs)["rgb"], "as pair_labels does"),
        (lambda beliefs: {s: z.argmax(1) for s, z in surest(beliefs).items()}, "a row for each"),
        (lambda beliefs: beliefs, "same judge"),
        (lambda beliefs: surest(beliefs, batch=True), "same judge|scene by scene"),
        (lambda b: dict.fromkeys(b, torch.maximum(*b.values())), "from one sensor"),
        (lambda b: dict.fromkeys(b, sum(b.values())), "the product"),
        (lambda b: dict.fromkeys(b, sum(z.exp() for z in b.values()).log()), "scene by scene"),
    ],
)
def test_the_surer_sensor_judges(answer, problem):
    assert answers_with(exercises_08.first(answer), problem)


def late(pool, count=24, source=None, in_place=False):
    rows = pool if in_place else pool.clone()
    rows[:count] = (pool if source is None else source)[:count].roll(1)
    return rows


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (late, ""),
        (lambda pool: None, "a row number"),
        (lambda pool: pool.roll(1), "these are 96"),
        (lambda pool: pool, "these are 0"),
        (lambda pool: late(pool, count=4), "these are 4"),
        (lambda pool: late(pool, in_place=True), "leave the pool"),
        (lambda pool: late(pool, source=pool + 2000), "from the pool"),
        (lambda pool: torch.where(torch.arange(96) < 24, pool[40], pool), "once"),
    ],
)
def test_a_quarter_of_the_pairs_is_late(answer, problem):
    assert answers_with(exercises_08.second(answer), problem)


@pytest.mark.parametrize(
    ("scores", "problem"),
    [
        ({"ordinary": 51.0, "far away": 44.0}, ""),
        ({"ordinary": 51.0}, "set both"),
        ({"ordinary": 51.0, "far away": None}, "set both"),
        ({"ordinary": 0.51, "far away": 0.44}, "guessing gets 11"),
        ({"ordinary": 51.0, "far away": 51.0}, "did the pool change"),
    ],
)
def test_scores_of_two_recordings(scores, problem):
    assert answers_with(exercises_08.third(scores), problem)


def stored(tmp_path, shares=(0.1, 0.2, 1.0)):
    """Runs of two seeds: `student` gains ten points for each doubling, `agreed` has 200 labels."""
    points = {0.1: 40.0, 0.2: 50.0, 1.0: 60.0}
    runs = [
        result("student", seed, {"rgb": points[share] + seed, "depth": points[share]},
               data="objects", labelled=share)
        for share in shares
        for seed in (0, 1)
    ]  # fmt: skip
    without = {"weights": {"contrast": 0.0}}
    runs += [
        result(method, seed, {"rgb": f1 + 7, "depth": f1},
               options=own, data="objects", labelled=0.1)
        for method, f1, own in (("agreed", 45.0, {}), ("agreed", 41.0, without),
                                ("fixmatch", 38.0, {}), ("decur", 1.0, {}))
        for seed in (0, 1)
    ]  # fmt: skip
    tables.collect(runs, tmp_path / "labels.csv")
    return labels.stored_scores(str(tmp_path / "labels.csv"))


def test_stored_scores_are_found_by_sensor_way_and_number(tmp_path):
    scores = stored(tmp_path)
    assert scores["rgb", "alone", 2000].tolist() == [60, 61]
    assert scores["depth", labels.RECIPE, 200].tolist() == [45, 45]
    assert scores["depth", "pair labels", 200].tolist() == [41, 41]
    ways = {"alone", "own labels", "pair labels", labels.RECIPE}
    assert set(scores["depth"].columns.get_level_values("way")) == ways


def test_the_arrow_ends_at_the_number_of_labels_in_its_interval(tmp_path):
    scores, worth = stored(tmp_path), {"depth": (283, 250, 320), "rgb": (500, 410, 610)}
    figure = labels.plot_worth(scores, {"depth": 80, "rgb": 87}, worth)
    for axis, (sensor, (number, low, high)) in zip(figure.axes, worth.items(), strict=True):
        (arrow,) = [text for text in axis.texts if hasattr(text, "arrow_patch")]
        assert arrow.xy == (number, scores[sensor, labels.RECIPE, 200].mean())
        assert (axis.patches[0].get_x(), axis.patches[0].get_width()) == (low, high - low)
        alone = axis.lines[0]
        assert list(alone.get_xdata()) == [200, 400, 2000]
    assert re.findall(r"\d+", figure.get_suptitle())[-2:] == ["283", "500"]


def test_before_the_guess_the_curve_shows_labels_alone(tmp_path):
    figure = labels.plot_worth(stored(tmp_path), {"depth": 80, "rgb": 87})
    assert figure.get_suptitle().count("+10 ") == 2  # of 200 more labels
    for axis in figure.axes:
        assert [line.get_label() for line in axis.lines][:1] == ["labels alone"]
        heights = {float(y) for line in axis.lines for y in line.get_ydata()}
        assert not heights & {45.0, 52.0}  # the recipe's scores
        assert not [text for text in axis.texts if hasattr(text, "arrow_patch")]


def test_stored_seeds_and_the_live_run_share_a_row(tmp_path):
    live = pd.DataFrame({"depth": [33.0, 44.0], "rgb": [35.0, 46.0]}, ["alone", "pair labels"])
    figure = labels.plot_ways(stored(tmp_path), live)
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


def test_stored_cases_are_those_of_the_pages(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
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


def test_both_sensors_are_compared_with_the_better_one(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    cases, both, page = labels.cases(), labels.both_deployed(), read("docs/results/real.md")
    for size, name in both.index[:4]:
        own = cases.loc[size].filter(regex=f"^{name},", axis=0)
        assert both.loc[(size, name), "better sensor"] == round(own.max(axis=None))
    watch = both.loc["35 of 800, all persons", "watch"]
    (row,) = re.findall(r"\| watch \| few \| \d+ \| \d+ \| (\d+) \| (\d+) \|", page)
    assert row == (str(watch["two networks"]), str(watch["one network"]))
    assert (both["two networks"] == "–").sum() == 4  # not run


def test_the_worth_of_the_notebook_is_that_of_the_page(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
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
def test_the_price_of_a_label_decides(monkeypatch, capsys, price, answer):
    monkeypatch.chdir(ROOT / "notebooks")
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
