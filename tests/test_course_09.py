"""Notebook 09: checkers that refuse likely wrong answers, and its pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import answers_with

from checks import exercises_09
from pictures import wristband

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
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


def both(beliefs, *, merge=lambda own: sum(own.values()), to=("acc", "gyro")):
    return dict.fromkeys(to, merge(beliefs))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (both, ""),
        (lambda beliefs: both(beliefs, merge=lambda own: own["acc"] + own["gyro"] + 3), ""),
        (lambda beliefs: None, "for each sensor"),
        (lambda beliefs: both(beliefs, to=("gyro",)), "for each sensor"),
        (lambda beliefs: both(beliefs, merge=lambda own: None), "a belief is a tensor"),
        (lambda beliefs: beliefs, "the same belief"),
        (lambda beliefs: both(beliefs, merge=lambda own: sum(own.values()) / 2), "do not average"),
        (lambda beliefs: both(beliefs, merge=lambda own: torch.logaddexp(*own.values())),
         "do not add them"),
        (lambda beliefs: both(beliefs, merge=lambda own: own["acc"]), "not the product"),
    ],
)  # fmt: skip
def test_both_sensors_learn_from_the_product(answer, problem):
    assert answers_with(exercises_09.product(answer), problem)


def test_the_readers_pair_labels_are_used_where_they_are_right(capsys):
    assert exercises_09.pairs(both)
    assert not exercises_09.pairs(lambda beliefs: beliefs)
    solved, missing = capsys.readouterr().out.splitlines()
    assert "solved" in solved
    assert "the same belief" in missing


def test_gains_are_drawn_with_their_mean():
    points = pd.DataFrame({0: np.arange(10.0), 1: np.arange(10.0) + 4})
    figure = wristband.plot_gains({"acc": points, "gyro": -points})
    for axis, sign in zip(figure.axes, (1, -1), strict=True):
        shown = [float(text.get_text()) for text in axis.texts]
        np.testing.assert_allclose(shown, sign * np.array([4.5, 8.5, 6.5]), atol=0.5)
        drawn = [dots.get_offsets()[:, 1].tolist() for dots in axis.collections]
        assert (sign * points.mean(axis=1)).tolist() in drawn
    assert wristband.interval(points).startswith("+6 points [+4, +9]")  # 6.5 ± 2.2


def test_a_table_holds_these_answers_and_other_seeds(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    rows = [("labels alone", k, 50.0, 40.0, 60.0, seed) for k in range(10) for seed in (0, 1)]
    columns = ["way", "person", "acc", "gyro", "both", "seed"]
    pd.DataFrame(rows, columns=columns).to_csv("../results/watch-pairs.csv", index=False)
    belief = torch.zeros(4, 7)
    answers = {"labels alone": {"acc": belief, "gyro": belief + 1}}
    answers["twin labels"] = {"gyro": belief, "twin": belief}
    answers["pair labels"] = {"acc": belief + 1, "gyro": belief + 2}
    table = wristband.with_stored(answers, lambda z: [10 * z[0, 0].item() + 70] * 10, 0)
    means = table.groupby(["way", "seed"])[["acc", "gyro", "both"]].mean()
    assert means.loc["labels alone", 0].tolist() == [70, 80, 80]
    assert means.loc["labels alone", 1].tolist() == [50, 40, 60]  # of the file
    assert means.loc["twin labels", 0].isna().tolist() == [True, False, True]
    gains = wristband.differences(table[table["seed"] == 0], "pair labels", "labels alone")
    assert [own[0].tolist() for own in gains.values()] == [[10] * 10, [10] * 10]
    shown = wristband.decision(table)
    assert shown.loc["both, multiplied"].tolist()[:3] == [70, 60, 80]
    assert shown.loc["both, multiplied"].tolist()[3].startswith("+10.0 points")  # 10 and 10
    assert shown.loc["gyroscope, trained with pairs"].tolist()[:3] == [90, 90, 90]


def test_mistakes_of_two_networks_overlap():
    labels, count = torch.tensor([0, 0, 0, 0, 1]), torch.tensor([True] * 4 + [False])
    first = torch.eye(7)[[1, 1, 0, 1, 0]] * 99  # wrong in three that count
    second = torch.eye(7)[[1, 2, 1, 0, 0]] * 99  # wrong in two of these
    diary = [({"acc": second, "gyro": first}, labels, count)]
    assert wristband.overlap(diary, lambda z: (z.max(1)[0] > 9, z.argmax(1))) == pytest.approx(
        2 / 3
    )
    beliefs, truth = wristband.joined(diary * 2)
    assert len(truth) == len(beliefs["acc"]) == 8


def test_units_have_gains_above_own_labels_and_labels_alone(monkeypatch):
    monkeypatch.chdir(NOTEBOOKS)
    units = wristband.stored_units()
    assert units.groupby("better").size().tolist() == [50, 50]
    means = wristband.unit_means(units)
    halves = means.loc[["with a better unit", "with a weaker unit"]].mean()
    np.testing.assert_allclose(halves, means.loc["with any unit"], atol=0.11)
    assert means.loc["own labels", "above own labels"] == 0
    figure = wristband.plot_units(units)
    dots = [len(axis.collections) for axis in figure.axes]
    assert dots == [2 * 25 + 4, 2 * 30]  # a line and a mark each; the legend's four


def test_two_exercises_of_one_person_stand_beside_other_persons():
    labels, person = torch.arange(700) % 7, torch.arange(700) // 7 % 10
    signals = {sensor: torch.rand(700, 3, 100) for sensor in ("acc", "gyro")}
    figure = wristband.show_exercises(signals, labels, person)
    titles = [axis.get_title() for axis in figure.axes[:4]]
    assert [title.split(":")[0] for title in titles] == [f"person {k}" for k in (8, 8, 1, 3)]
    row = np.flatnonzero((person == 3) & (labels == 3))[2]
    drawn = figure.axes[3].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, signals["acc"][row, 0])
