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


def test_the_network_of_both_sensors_stands_in_each_column_of_its_data():
    figures = papers.columns()
    assert figures.loc["teacher"].tolist() == [55.95, 55.95, 95.36, 95.36, 97.72, 97.72]
    assert figures.loc["student", ("eurosat", "ms")] == 95.49
    assert len(figures.dropna()) == 13


def test_margins_are_dots_of_the_paper_and_ours_with_intervals():
    columns = pd.MultiIndex.from_tuples([("eurosat", "sar"), ("tristar", "depth")])
    theirs = pd.Series([8.5, 2.2], index=columns)
    axis = papers.plot_margins(theirs, {"rgb": (-0.1, 0.5)}).axes[0]
    assert axis.lines[0].get_xdata().tolist() == [8.5, 2.2]
    (bar,) = axis.containers
    (ends,) = bar.lines[2][0].get_segments()
    assert np.allclose(ends, [[-0.6, 2], [0.4, 2]])
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["EuroSAT, radar", "TRISTAR, depth", "ours, colour"]


NAMES = ["student, as they are", *papers.TURNS]


def test_scores_of_a_run_replace_those_of_its_seed_and_length_alone(tmp_path):
    file, row = tmp_path / "margins.csv", {"seed": 0, "epochs": 20}
    places = {"seed": [0, 0, 1], "epochs": [20, 40, 20]}
    pd.DataFrame(places | dict.fromkeys(NAMES, 50.0)).to_csv(file, index=False)
    row |= dict.fromkeys(NAMES, 61.26)
    scores = papers.beside_stored(row, str(file))
    assert scores["student, turned"].tolist() == [61.26, 50, 50]
    stored = pd.read_csv(file)
    assert stored["student, turned"].tolist() == [61.3, 50, 50]
    assert list(zip(stored["seed"], stored["epochs"], strict=True)) == [(0, 20), (0, 40), (1, 20)]


def test_without_record_nothing_is_written_and_stored_seeds_stand_beside(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    before = (ROOT / "results/margins.csv").read_text()
    scores = papers.beside_stored({"seed": 7, "epochs": 20} | dict.fromkeys(NAMES, 50.0))
    assert (ROOT / "results/margins.csv").read_text() == before
    assert len(scores) == len(pd.read_csv(ROOT / "results/margins.csv")) + 1


def test_a_line_joins_the_lengths_of_one_seed_and_leaves_out_what_is_missing():
    index = pd.MultiIndex.from_tuples([(0, 20), (0, 80), (1, 20)], names=papers.PLACE)
    scores = pd.DataFrame([[60, 74.0, 75], [80, 83, np.nan], [61, 70, 71]], index, NAMES)
    axis = papers.plot_lengths(scores, 0, 20).axes[0]
    drawn = [[*line.get_ydata()] for line in axis.lines if len(line.get_ydata())]
    assert drawn == [[14, 3], [9], [15], [10], [0, 0]]
    assert axis.get_title() == "What turns give one seed: 14 points at 20 epochs, 3 at 80"


def test_leads_are_stacked():
    leads = pd.DataFrame({"shown": [1.5, 2.0], "not": [7.5, 15.0]}, index=["colour", "depth"])
    bars = papers.plot_leads(leads).axes[0].patches
    assert [bar.get_x() for bar in bars] == [0, 0, 1.5, 2]
    assert [bar.get_width() for bar in bars] == [1.5, 2, 7.5, 15]


def test_the_table_of_the_course_has_the_means_of_stored_networks(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    stored = pd.read_csv(ROOT / "results/margins.csv").query("epochs == 20").mean().round()
    shown = course.results("07")["right, %"]["colour, 20 epochs"]
    for column, name in course.MARGINS.items():
        assert shown[name] == stored[column]
