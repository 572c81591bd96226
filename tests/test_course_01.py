"""Notebook 01: checkers that refuse likely wrong answers, pictures of the watch, stored results."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fixtures.refusal import answers_with
from matplotlib.colors import to_rgba

import course
from checks import exercises_01
from discom.data import sources
from pictures import watch

ROOT = Path(__file__).parents[1]


pytestmark = pytest.mark.usefixtures("clean_slate")  # of pictures


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
    assert answers_with(exercises_01.first(answer), problem)


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
    assert answers_with(exercises_01.second(lambda *given: mirror(*given, **wrong)), problem)
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


def test_pictures_of_the_watch_are_drawn():
    rng = np.random.default_rng(0)
    signals = {s: rng.normal(size=(3, 3, 100)) for s in ("acc", "gyro")}
    figure = watch.show_windows(signals, {"a": 0, "b": 2}, "a title")
    assert len(figure.axes) == 4
    recording = np.repeat([0, 1, 2, 3], 5)  # of two persons, who do both exercises
    found = {"own": np.arange(20), "own person": (np.arange(20) + 5) % 10}
    axis = watch.show_finds(found, recording % 2, recording, recording // 2, "a title").axes[0]
    bars = [
        (bar.get_y() > 0.5, bar.get_width(), bar.get_facecolor())
        for bar in axis.patches
        if bar.get_height()
    ]
    first, second = ([bar[1:] for bar in bars if bar[0] == k and bar[1]] for k in (False, True))
    right, wrong = (to_rgba(colour) for colour in (watch.RIGHT, watch.WRONG))
    assert first == [(100, right)]
    assert second == [(50, wrong), (50, wrong)]  # half another exercise of their own person
    scores = pd.DataFrame([[90.0, 70], [80, 75]], ["trees", "linear"], ["windows", "persons"])
    texts = [text.get_text() for text in watch.plot_models(scores, "a title").axes[0].texts]
    assert {"trees  90 %", "linear  80 %", "70 %  trees", "75 %  linear"} == set(texts)


def test_the_table_of_results_has_the_means_of_stored_deals(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    ways = course.results("01")["right, %"].droplevel(0)
    stored = pd.read_csv("../results/watch-splits.csv")
    for name in ("", ", both sensors"):
        rows = stored[stored["model"] == f"nearest window{name}"]
        assert ways[f"whole persons{name}"] == round(rows["whole persons"].mean())
        assert sorted(rows["seed"]) == [0, 1, 2, 3, 4]
