"""Notebook 07: checkers that refuse likely wrong answers, its pictures."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import each_answer
from torch import nn

from checks import exercises_07
from discom import tables
from discom.models.encoders import resnet10
from pictures import papers

ROOT = Path(__file__).parents[1]


def holm(p, *, bonferroni=False, sort_back=True, steps=True, cap=True, ones=False):
    order = np.argsort(p)
    factors = np.full(len(p), len(p)) if bonferroni else len(p) - np.arange(len(p))
    own = np.array(p)[order] * (factors - ones)
    own = np.maximum.accumulate(own) if steps else own
    own = np.minimum(own, 1) if cap else own
    return own[np.argsort(order)] if sort_back else own


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


def smooth(valid, width=7):
    means = valid.unfold(0, width, 1).mean(1)
    return means.argmax() + width // 2


HOLM, TWO_ENCODERS, EPOCH = exercises_07.first, exercises_07.second, exercises_07.third
ANSWERS = [
    (HOLM, holm, ""),
    (HOLM, tables.holm, ""),
    (HOLM, lambda p: None, "as many"),
    (HOLM, partial(holm, ones=True), "a single p-value"),
    (HOLM, partial(holm, bonferroni=True), "smallest times 3"),
    (HOLM, partial(holm, sort_back=False), "order they came"),
    (HOLM, partial(holm, steps=False), "fall below"),
    (HOLM, partial(holm, cap=False), "exceeds 1"),
    (TWO_ENCODERS, Twice, ""),
    (TWO_ENCODERS, Student, "a second one"),
    (TWO_ENCODERS, Same, "a second one"),
    (TWO_ENCODERS, Features, "return logits"),
    (TWO_ENCODERS, type("Added", (Twice,), {"beside": False}), "not added"),
    (TWO_ENCODERS, type("Unused", (Twice,), {"used": False}), "reads no image"),
    (TWO_ENCODERS, type("Grey", (Twice,), {"bands": 2}), "619977 weights, not"),
    (EPOCH, smooth, ""),
    (EPOCH, partial(smooth, width=11), ""),
    (EPOCH, lambda valid: None, "number of an epoch"),
    (EPOCH, lambda valid: valid.max(), "number of an epoch"),
    (EPOCH, lambda valid: 60, "number of an epoch"),
    (EPOCH, lambda valid: valid.argmax(), r"\+0.0 points"),
    (EPOCH, lambda valid: smooth(valid) - 3, r"-0|\+0"),  # the first of seven
    (EPOCH, lambda valid: -1, "-"),
    (EPOCH, lambda valid: 30, "-|\\+0"),  # the middle, whatever it sees
]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)


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


@pytest.mark.usefixtures("in_notebooks")
def test_without_record_nothing_is_written_and_stored_seeds_stand_beside():
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
