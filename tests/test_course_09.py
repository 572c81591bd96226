"""Notebook 09: checkers that refuse likely wrong answers, and its pictures."""

import numpy as np
import pytest
import torch
from fixtures.refusal import answers_with

from checks import exercises_09
from pictures import watch

pytestmark = pytest.mark.usefixtures("clean_slate")  # of pictures


def vote(beliefs, has, *, mean=False, unit=True, all_of_them=False):
    there = {name: has[name][:, None] | all_of_them for name in beliefs}
    total = sum(torch.where(there[name], own, 0.0) for name, own in beliefs.items())
    total = total / len(beliefs) if mean else total
    return total.log_softmax(1) if unit else total


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (vote, ""),
        (lambda beliefs, has: None, "return log probabilities"),
        (lambda *given: vote(*given, mean=True), "do not average"),
        (lambda *given: vote(*given, unit=False), "sum to one"),
        (lambda *given: vote(*given, all_of_them=True), "lacks a window"),
        (lambda beliefs, has: beliefs["a"], "not the product"),
    ],
)
def test_sensors_that_are_there_vote(answer, problem):
    assert answers_with(exercises_09.first(answer), problem)


PERSON, LABELS = torch.arange(700) % 10, torch.arange(700) // 10 % 7


def some(rows, fold, each=5, shuffled=True):
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(fold))
    rows = rows[order] if shuffled else rows[PERSON[rows].argsort()]
    return torch.cat([rows[LABELS[rows] == k][:each] for k in range(7)])


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (some, ""),
        (lambda rows, fold: None, "return row numbers"),
        (lambda rows, fold: some(torch.arange(700), fold), "others are tested"),
        (lambda rows, fold: some(rows, fold, each=4), "five of each"),
        (lambda rows, fold: rows[:35], "five of each"),
        (lambda *given: some(*given)[[*range(34), 33]], "twice"),
        (lambda rows, fold: some(rows, fold, shuffled=False), "one person"),
    ],
)
def test_a_few_labels_of_every_person(answer, problem):
    assert answers_with(exercises_09.second(answer, PERSON, LABELS), problem)


@pytest.mark.parametrize(
    ("scores", "problem"),
    [
        ({0.5: 41.0, 0.9: 47.0}, ""),
        ({0.5: 41.0, 0.9: None}, "set both"),
        ({0.5: 0.41, 0.9: 0.47}, "guessing gets 14 %"),
        ({0.5: 47.0, 0.9: 47.0}, "one score"),
    ],
)
def test_scores_of_two_thresholds(scores, problem):
    assert answers_with(exercises_09.third(scores), problem)


def test_gains_are_drawn_with_their_mean():
    points = np.arange(10.0)
    gains = {(s, way): points + k for s in watch.NAMES for k, way in enumerate(watch.WAYS)}
    figure = watch.plot_gains(gains, "title")
    for axis in figure.axes:
        assert [text.get_text() for text in axis.texts] == ["+4.5", "+5.5"]
        drawn = [dots.get_offsets()[:, 1].tolist() for dots in axis.collections]
        assert points.tolist() in drawn
