"""Notebook 08: checkers that refuse likely wrong answers, curves and points of stored runs."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from fixtures.refusal import answers_with
from fixtures.results import result

import course
from checks import exercises_08
from discom import tables
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
    runs += [
        result(method, seed, {"rgb": 52.0, "depth": 45.0}, data="objects", labelled=0.1)
        for method in ("agreed", "fixmatch", "decur")
        for seed in (0, 1)
    ]
    tables.collect(runs, tmp_path / "labels.csv")
    return labels.stored_scores(str(tmp_path / "labels.csv"))


def test_stored_scores_are_found_by_sensor_way_and_number(tmp_path):
    scores = stored(tmp_path)
    assert scores["rgb", "alone", 2000].tolist() == [60, 61]
    assert scores["depth", "pairs and labels", 200].tolist() == [45, 45]
    assert set(scores["depth"].columns.get_level_values("way")) == {
        "alone",
        "FixMatch",
        "pairs and labels",
    }


def test_the_arrow_ends_at_the_number_of_labels(tmp_path):
    scores, worth = stored(tmp_path), {"depth": 283.0, "rgb": 500.0}
    figure = labels.plot_worth(scores, worth, {"depth": 80, "rgb": 87}, "title")
    for axis, (sensor, number) in zip(figure.axes, worth.items(), strict=True):
        (arrow,) = [text for text in axis.texts if hasattr(text, "arrow_patch")]
        assert arrow.xy == (number, scores[sensor, "pairs and labels", 200].mean())
        alone = axis.lines[0]
        assert list(alone.get_xdata()) == [200, 400, 2000]


def test_stored_seeds_and_the_live_run_share_a_row(tmp_path):
    live = pd.DataFrame({"depth": [33.0, 44.0], "rgb": [35.0, 46.0]}, ["alone", "FixMatch"])
    figure = labels.plot_ways(stored(tmp_path), live, "title")
    axis = figure.axes[0]
    rows = [text.get_text() for text in axis.get_yticklabels()]
    diamonds = [line for line in axis.lines if line.get_marker() == "D"]
    places = {float(d.get_xdata()[0]): rows[int(d.get_ydata()[0])] for d in diamonds}
    assert places == {33: "alone", 44: "FixMatch"}


def test_judges_are_drawn_by_kind_of_scene():
    names = [*labels.JUDGES]
    history = pd.DataFrame(
        [(kind, step, 50, 60, 70 + step) for kind in ("dark", "ordinary") for step in (1, 2)],
        columns=["kind", "step", *names],
    )
    figure = labels.plot_judges(history, "title")
    assert [axis.get_title() for axis in figure.axes] == ["ordinary", "dark"]
    assert [text.get_text() for text in figure.axes[1].texts] == ["50", "60", "72"]


def test_every_scene_has_one_kind():
    dark, far = torch.tensor([[0, 1, 0, 1], [0, 0, 1, 1]])
    part = SimpleNamespace(labels=torch.zeros(4), factors={"dark": dark, "far": far})
    assert [*labels.kind_names(part)] == ["ordinary", "dark", "far away", "dark and far"]


def test_stored_cases_are_those_of_the_pages(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    cases, worn = labels.cases(), read("docs/results/real.md")
    assert not cases.drop(columns="own data").isna().any(axis=None)
    units = cases.loc["body units, one person"]
    assert f"| {units['pairs'] - units['own data']:+.1f} [" in worn
    few = cases.loc["objects, depth, 200 labels"]
    row = next(line for line in read("docs/results/labels.md").splitlines() if "`agreed` |" in line)
    assert f"| {few['pairs']:.1f} ±" in row
    table = course.results("08")["right, %"]
    assert table["depth, 200 labels, F1"]["FixMatch"] == round(few["own data"])


def read(page):
    return (ROOT / page).read_text()
