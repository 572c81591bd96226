"""Notebook 01: checkers that refuse likely wrong answers, pictures of the watch, stored results."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from fixtures.refusal import each_answer
from matplotlib.colors import to_rgba

from checks import exercises_01
from discom.data import sources
from pictures import watch

ROOT = Path(__file__).parents[1]


def pair(first, second, order="first", left_out=True):
    row_of = {name: row for row, name in enumerate(second)}
    rows = [row for row, name in enumerate(first) if name in row_of or not left_out]
    if order == "second":
        rows = sorted(rows, key=lambda row: row_of[first[row]])
    return rows, [row_of[first[row]] for row in rows]


def mirror(signal, sensor, left, turned=((0,), (1, 2)), copy=True):
    signal = signal.copy() if copy else signal
    signal[np.ix_(left, turned[sensor == "gyro"])] *= -1
    return signal


def everyone(signal, sensor, left):
    return mirror(signal, sensor, left | True)


PAIRS, MIRROR, WINDOWS = exercises_01.first, exercises_01.second, exercises_01.third
ONE_ON_EACH_SIDE = "find one number below 85 % and one above"
ANSWERS = [
    (PAIRS, pair, ""),
    (PAIRS, lambda a, b: [np.array(rows) for rows in pair(a, b)], ""),
    (PAIRS, lambda a, b: None, "two lists"),
    (PAIRS, lambda a, b: (range(4), range(4)), "different ids"),  # as zip does
    (PAIRS, partial(pair, left_out=False), "two lists"),  # a KeyError
    (PAIRS, lambda a, b: (pair(a, b)[0][1:], pair(a, b)[1][1:]), "of three pairs 2"),
    (PAIRS, lambda a, b: (pair(a, b)[0], [*pair(a, b)[1], 1]), "both lists"),
    (PAIRS, partial(pair, order="second"), "order of first"),
    (PAIRS, lambda a, b: np.intersect1d(a, b, return_indices=True)[1:], "order of first"),
    (MIRROR, mirror, ""),
    (MIRROR, partial(mirror, turned=((0,), (0,))), "gyro: the mirror keeps turns round x"),
    (MIRROR, partial(mirror, turned=((1,), (1, 2))), "acc: of a left arm other axes"),
    (MIRROR, partial(mirror, turned=((0,), (1,))), "gyro: of a left arm other axes"),
    (MIRROR, partial(mirror, copy=False), "copy them first"),
    (MIRROR, lambda *given: None, "same shape"),
    (MIRROR, everyone, "a right arm must stay"),
    (WINDOWS, {1: 80.0, 4: 86.0}, ""),
    *((WINDOWS, scores, ONE_ON_EACH_SIDE) for scores in ({}, {1: 80.0}, {4: 86.0})),
    (WINDOWS, {1: 80.0, 4: 95.0}, "windows that were given"),
    (WINDOWS, {1: 86.0, 4: 80.0}, "more windows gave less"),
]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)


def test_the_mirror_of_the_exercise_is_that_of_the_package():
    file, data = np.load(ROOT / "data/watch.npz"), sources.get("watch").read(ROOT / "data")
    for sensor, modality in data.modalities.items():
        signal = file[sensor] * file[f"{sensor}_step"]
        ours = mirror(signal, sensor, file["side"] == 0)
        np.testing.assert_allclose(modality.x[:, :, 0], ours, rtol=1e-6)


def test_bars_are_shares_of_finds_and_names_stand_at_their_scores():
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
