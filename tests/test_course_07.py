"""Notebook 07: checkers that refuse likely wrong answers, its pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import answers_with
from torch import nn

import course
from checks import exercises_07
from discom import tables
from discom.models.encoders import resnet10
from pictures import papers

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("clean_slate")  # of pictures


def holm(p, *, bonferroni=False, sort_back=True, steps=True, cap=True, ones=False):
    order = np.argsort(p)
    factors = np.full(len(p), len(p)) if bonferroni else len(p) - np.arange(len(p))
    own = np.array(p)[order] * (factors - ones)
    own = np.maximum.accumulate(own) if steps else own
    own = np.minimum(own, 1) if cap else own
    return own[np.argsort(order)] if sort_back else own


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (holm, ""),
        (tables.holm, ""),
        (lambda p: None, "as many"),
        (lambda p: holm(p, ones=True), "a single p-value"),
        (lambda p: holm(p, bonferroni=True), "smallest times 3"),
        (lambda p: holm(p, sort_back=False), "order they came"),
        (lambda p: holm(p, steps=False), "fall below"),
        (lambda p: holm(p, cap=False), "exceeds 1"),
    ],
)
def test_holm_by_hand(answer, problem):
    assert answers_with(exercises_07.first(answer), problem)


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, features = resnet10(3)
        self.task = nn.Linear(features, 9)

    def forward(self, images):
        return self.task(self.encoder(images))


class Twice(Student):
    beside, used, bands = True, True, 3

    def __init__(self):
        super().__init__()
        self.second, features = resnet10(self.bands)
        self.task = nn.Linear((1 + self.beside) * features, 9)

    def forward(self, images):
        first = self.encoder(images)
        second = self.second(images[:, : self.bands]) if self.used else first
        return self.task(torch.cat([first, second], 1) if self.beside else first + second)


class Same(Student):  # one encoder, twice
    def __init__(self):
        super().__init__()
        self.task = nn.Linear(256, 9)

    def forward(self, images):
        return self.task(torch.cat([self.encoder(images)] * 2, 1))


class Features(Twice):
    def forward(self, images):
        return self.encoder(images)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Twice, ""),
        (Student, "a second one"),
        (Same, "a second one"),
        (Features, "return logits"),
        (type("Added", (Twice,), {"beside": False}), "not added"),
        (type("Unused", (Twice,), {"used": False}), "reads no image"),
        (type("Grey", (Twice,), {"bands": 2}), "619977 weights, not"),
    ],
)
def test_a_student_with_two_encoders(answer, problem):
    assert answers_with(exercises_07.second(answer), problem)


def smooth(valid, width=7):
    means = valid.unfold(0, width, 1).mean(1)
    return means.argmax() + width // 2


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (smooth, ""),
        (lambda valid: smooth(valid, 11), ""),
        (lambda valid: None, "number of an epoch"),
        (lambda valid: valid.max(), "number of an epoch"),
        (lambda valid: 60, "number of an epoch"),
        (lambda valid: valid.argmax(), r"\+0.0 points"),
        (lambda valid: smooth(valid, 7) - 3, r"-0|\+0"),  # the first of seven
        (lambda valid: -1, "-"),
        (lambda valid: 30, "-|\\+0"),  # the middle, whatever it sees
    ],
)
def test_a_rule_for_the_epoch(answer, problem):
    assert answers_with(exercises_07.third(answer), problem)


def test_margins_beyond_the_axis_are_told_and_missing_ones_are_left_out():
    theirs = pd.DataFrame({"a": [1.0, -45.2], "b": [2.0, 3.0]}, index=["discom", "mlkd+lskd"])
    figure = papers.plot_margins(theirs, {("discom", "rgb"): (0.5, 0.2)}, "title")
    paper, ours = figure.axes
    assert [line.get_xdata().tolist() for line in paper.lines[:2]] == [[1, 2], [3]]
    assert [text.get_text() for text in paper.texts] == ["", "◂ -45"]
    assert [label.get_text() for label in paper.get_yticklabels()] == ["DisCoM-KD", "MLKD + LSKD"]
    (bar,) = ours.containers
    assert bar.lines[0].get_xdata().tolist() == [0.5]


def test_papers_rows_are_all_methods_but_the_student():
    points = tables.paper_figures().query("table == 2").pivot_table("f1", "method", "modality")
    rows = papers.in_order(points).index
    assert set(points.index) - set(rows) == {"student", "teacher"}


def test_a_cell_shows_stored_seeds_and_this_run():
    stored = pd.DataFrame({"seed": [1, 2], "one": [60.0, 62.0], "two": [70.0, np.nan]})
    axis = papers.plot_cell(stored, {"one": 61.0, "two": 71.0}, 9.0, "title").axes[0]
    drawn = [line.get_xdata().tolist() for line in axis.lines]
    assert drawn == [[60, 62], [61], [70], [71], [61, 70]]


def test_a_choice_marks_the_best_epoch_of_test_and_validation():
    curves = np.array([[1.0, 3, 2], [4, 3, 2], [2, 2, 2]])
    figure = papers.plot_choice(curves, {"best on test": 1.5, "last": -0.1}, "title")
    stars = [line for line in figure.axes[0].lines if line.get_marker() == "*"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in stars] == [(2, 3), (1, 4)]
    assert [text.get_text() for text in figure.axes[1].texts] == ["+1.5", "-0.1"]


def test_the_table_of_the_course_has_the_means_of_stored_networks(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    stored = pd.read_csv(ROOT / "results/margins.csv").mean().round()
    shown = course.results("07")["right, %"]["colour, every label"]
    for column, name in course.MARGINS.items():
        assert shown[name] == stored[column]
