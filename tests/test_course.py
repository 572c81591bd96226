"""The course: checkers that refuse the likely wrong answers, pictures, stored curves and tables."""

import re
import statistics
from pathlib import Path

import jupytext
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from fixtures.results import result

import course
from checks import exercises_00, exercises_01
from discom import tables
from discom.data import sources
from pictures import watch

ROOT = Path(__file__).parents[1]
COURSE = [ROOT / f"notebooks/py/{name}.py" for name in ("00_start_here", "01_data_preparation")]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


# ---------------------------------------------------------------- the form of a notebook


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_notebook_of_the_course_is_short(path):
    cells = jupytext.read(path, fmt="py:percent").cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    lines = [[line for line in cell.source.splitlines() if line.strip()] for cell in code]
    story = [own for own, cell in zip(lines, code, strict=True) if "jupyter" not in cell.metadata]
    text = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    words = re.findall(r"[^\W_][\w'’-]*", re.sub(r"\]\([^)]*\)|<[^>]*>", "]", text))
    assert len(cells) <= 28
    assert len(words) <= 1300
    assert sum(map(len, lines)) <= 160
    assert statistics.median(map(len, story)) <= 7
    assert max(len(line) for own in lines for line in own) <= 88
    assert sum("alt" in cell.metadata for cell in code) <= 4


# ---------------------------------------------------------------- exercises of 00


def across(first, second, temperature=0.1, columns=True, normalized=True):
    if normalized:
        first, second = F.normalize(first, dim=1), F.normalize(second, dim=1)
    cosines, partners = first @ second.T / temperature, torch.arange(len(first))
    rows = F.cross_entropy(cosines, partners)
    return (rows + F.cross_entropy(cosines.T, partners)) / 2 if columns else rows


def in_both(first, second, temperature=0.1):
    z = F.normalize(torch.cat([first, second]), dim=1)
    cosines = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    return F.cross_entropy(cosines, torch.arange(len(z)).roll(len(first)))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (across, ""),
        (lambda a, b: None, "return a loss"),
        (in_both, "log 15"),
        (lambda a, b: 2 * across(a, b), "log 8"),
        (lambda a, b: across(a, b, columns=False), "columns count"),
        (lambda a, b: across(a, b, normalized=False), "log 8|almost 0"),
        (lambda a, b: across(a, b, temperature=1.0), "divide by 0.1"),
    ],
)
def test_a_contrast_across_the_sensors(answer, problem):
    said = exercises_00.first(answer)
    assert re.search(problem, said) if problem else said == "", said


def own_labels(projected, logits, progress, accepted=False, agreed=False, warm=True):
    loss, together = 0.0, sum(z.log_softmax(1) for z in logits.values())
    for z in logits.values():
        confidence, labels = (together if agreed else z).softmax(1).max(1)
        labels = labels.masked_fill(confidence < 0.8, -100)
        count = (labels >= 0).sum().clamp(min=1) if accepted else len(labels)
        loss += F.cross_entropy(z, labels, reduction="sum") / count
    return loss * (min(1, progress / 0.3) if warm else 1)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({}, ""),
        ({"accepted": True}, "divide by all rows"),
        ({"agreed": True}, "both must learn"),
        ({"warm": False}, "first 30 %"),
    ],
)
def test_labels_of_a_sensor_itself(wrong, problem):
    said = exercises_00.second(lambda *given: own_labels(*given, **wrong))
    assert re.search(problem, said) if problem else said == "", said
    assert exercises_00.second(lambda *given: None) == "return a loss"
    both = exercises_00.second(
        lambda projected, logits, progress: (
            own_labels(projected, logits, progress) + across(projected["rgb"], projected["depth"])
        )
    )
    assert "leave the contrast" in both
    assert "must be" in exercises_00.second(lambda *given: 3 * own_labels(*given))


def test_a_number_of_labels_needs_a_student_on_either_side():
    assert exercises_00.third({400: 50.0, 800: 61.0}, goal=58) == ""
    for scores in ({}, {400: 50.0}, {800: 61.0}):
        assert exercises_00.third(scores, goal=58) == "find one student below 58 % and one above"
    assert "another seed" in exercises_00.third({400: 61.0, 800: 50.0}, goal=58)


def test_what_is_solved_is_printed_and_what_is_missing(capsys):
    exercises_00.check(across, lambda *given: None, {400: 50.0}, goal=58)
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["exercise 1: solved", "exercise 2: not yet: return a loss"]
    assert said[2] == "exercise 3: not yet: find one student below 58 % and one above"


# ---------------------------------------------------------------- exercises of 01


def pair(first, second, order="first", left_out=True):
    row_of = {name: row for row, name in enumerate(second)}
    rows = [row for row, name in enumerate(first) if name in row_of or not left_out]
    if order == "second":
        rows = sorted(rows, key=lambda row: row_of[first[row]])
    return rows, [row_of[first[row]] for row in rows]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (pair, ""),
        (lambda a, b: [np.array(rows) for rows in pair(a, b)], ""),
        (lambda a, b: None, "two lists"),
        (lambda a, b: (range(4), range(4)), "different ids"),  # as zip does
        (lambda a, b: pair(a, b, left_out=False), "two lists"),  # a KeyError
        (lambda a, b: (pair(a, b)[0][1:], pair(a, b)[1][1:]), "of three pairs 2"),
        (lambda a, b: (pair(a, b)[0], [*pair(a, b)[1], 1]), "both lists"),
        (lambda a, b: pair(a, b, order="second"), "order of first"),
        (lambda a, b: np.intersect1d(a, b, return_indices=True)[1:], "order of first"),
    ],
)
def test_pairs_of_two_lists_with_gaps(answer, problem):
    said = exercises_01.first(answer)
    assert re.search(problem, said) if problem else said == "", said


def mirror(signal, sensor, left, turned=((0,), (1, 2)), copy=True):
    signal = signal.copy() if copy else signal
    signal[np.ix_(left, turned[sensor == "gyro"])] *= -1
    return signal


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({}, ""),
        ({"turned": ((0,), (0,))}, "gyro: the mirror keeps turns round x"),
        ({"turned": ((1,), (1, 2))}, "acc: of a left arm other axes"),
        ({"turned": ((0,), (1,))}, "gyro: of a left arm other axes"),
        ({"copy": False}, "copy them first"),
    ],
)
def test_a_left_arm_in_the_mirror(wrong, problem):
    said = exercises_01.second(lambda *given: mirror(*given, **wrong))
    assert re.search(problem, said) if problem else said == "", said
    assert "same shape" in exercises_01.second(lambda *given: None)
    everyone = exercises_01.second(lambda x, sensor, left: mirror(x, sensor, left | True))
    assert "a right arm must stay" in everyone


def test_the_mirror_of_the_exercise_is_that_of_the_package():
    file, data = np.load(ROOT / "data/watch.npz"), sources.get("watch").read(ROOT / "data")
    for sensor, modality in data.modalities.items():
        signal = file[sensor] * file[f"{sensor}_step"]
        ours = mirror(signal, sensor, file["side"] == 0)
        np.testing.assert_allclose(modality.x[:, :, 0], ours, rtol=1e-6)


def test_a_number_of_given_windows_needs_one_on_either_side():
    assert exercises_01.third({1: 80.0, 4: 86.0}) == ""
    for scores in ({}, {1: 80.0}, {4: 86.0}):
        assert exercises_01.third(scores) == "find one number below 85 % and one above"
    assert "windows that were given" in exercises_01.third({1: 80.0, 4: 95.0})
    assert "more windows gave less" in exercises_01.third({1: 86.0, 4: 80.0})


def test_what_is_missing_in_01_is_printed(capsys):
    exercises_01.check(pair, lambda *given: None, {})
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "exercise 1: solved"
    assert said[1] == "exercise 2: not yet: acc: return signals of the same shape"


# ---------------------------------------------------------------- course.py and pictures


@pytest.fixture(scope="module")
def parts():
    return course.scenes("objects:n=900,size=16", seed=1)


def test_scenes_are_divided_once_and_hold_what_the_pictures_need(parts):
    train, test = parts
    assert len(train.labels) == len(test.labels) == 360
    assert train.images["rgb"].shape == (360, 3, 16, 16)
    assert not torch.equal(train.images["depth"], test.images["depth"])
    values = course.factors(test)
    assert list(values) == ["shape", "material", "size", "distance", "tilt"]
    assert torch.equal(values["shape"].argmax(1) * 3 + values["material"].argmax(1), test.labels)
    far = [row for row, name in course.queries(test).items() if name.endswith(", far")]
    assert [test.factors["far"][row].item() for row in far] == [1]
    assert sum(chosen.sum() for chosen in course.kinds(test).values()) < 360  # not dark and far


def test_pictures_are_drawn(parts):
    assert len(course.show_pairs(parts[0], "a title").axes) == 24
    found = {name: torch.arange(5).repeat(360, 1) for name in ("before", "after")}
    figure = course.show_neighbours(parts[1], course.queries(parts[1]), found, "a title")
    assert len(figure.axes) == 33
    rows = {"before": [1, 2], "alone": [3, 4], "pairs": [5, 6]}
    axis = course.plot_bars(rows, ["a", "b"], "a title").axes[0]
    assert [bar.get_height() for bar in axis.patches] == [1, 2, 3, 4, 5, 6]


def curves(end):
    ways = {way: {20: {"depth": end, "rgb": 1.0}} for way in ("alone", "pairs")}
    start = {10: {"depth": 9.0, "rgb": 1.0}}
    return {"two students": start} | {way: start | curve for way, curve in ways.items()}


def test_curves_are_stored_by_seed_and_those_of_other_seeds_come_back(tmp_path):
    file = tmp_path / "fork.csv"
    assert course.other_seeds(curves(50.0), 1, str(file)).empty
    assert set(course.other_seeds(curves(60.0), 0, str(file))["seed"]) == {1}
    others = course.other_seeds(curves(70.0), 1, str(file))  # in the place of the first
    assert set(others["seed"]) == {0}
    stored = pd.read_csv(file)
    assert list(stored) == ["seed", "way", "step", "depth", "rgb"]
    assert stored["seed"].tolist() == [0] * 5 + [1] * 5
    assert stored.loc[stored["seed"] == 1, "depth"].max() == 70


def test_a_stored_table_has_the_names_and_the_order_of_the_course(tmp_path):
    options = {"weights": {"contrast": 3}}
    rows = [("agreed", {}), ("fixmatch", {}), ("nt-xent", {**options, "partners": "shuffled"})]
    runs = [
        result(name, 0, {"rgb": score + 1, "depth": score}, options=own, labelled=labelled)
        for score, (name, own) in enumerate([*rows, ("nt-xent", options), ("student", {})])
        for labelled in (0.1, 0.2)
    ]
    tables.collect(runs, tmp_path / "labels.csv")
    shown = course.results_table(tmp_path / "labels.csv")
    assert list(shown.index) == list(course.ROWS)
    assert list(shown) == ["depth", "colour"]
    assert shown.loc["pairs", "colour"] - shown.loc["pairs", "depth"] == 1


def test_pictures_of_the_watch_are_drawn():
    rng = np.random.default_rng(0)
    signals = {s: rng.normal(size=(3, 3, 100)) for s in ("acc", "gyro")}
    figure = watch.show_windows(signals, {"a": 0, "b": 2}, "a title")
    assert len(figure.axes) == 4
    levels = pd.Series(rng.normal(size=12), index=np.repeat([3, 7], 6))
    tested = {name: rng.random(12) > 0.5 for name in ("one way", "another")}
    assert len(watch.show_levels(levels, tested, "a title").axes) == 2
    scores = pd.DataFrame([[90.0, 70], [80, 75]], ["trees", "linear"], ["windows", "persons"])
    texts = [text.get_text() for text in watch.plot_models(scores, "a title").axes[0].texts]
    assert {"70 %  trees", "75 %  linear", "90 %", "80 %"} == set(texts)


def test_the_table_of_results_grows_by_notebook(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    table = course.results("01")["right, %"]
    assert table["00"].equals(course.results("00")["right, %"]["00"])
    ways = table["01"].droplevel(0)
    assert list(ways.index) == ["windows at random", "whole recordings", "whole persons"]
    stored = pd.read_csv("../results/watch-splits.csv").query("model == 'nearest window'")
    assert ways["whole persons"] == round(stored["whole persons"].mean())
    assert sorted(stored["seed"]) == [0, 1, 2, 3, 4]
