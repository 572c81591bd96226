"""Notebook 09: checkers that refuse likely wrong answers, and its pictures."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import each_answer

from checks import exercises_09
from pictures import wristband


def vote(beliefs, has, *, mean=False, unit=True, all_of_them=False):
    there = {name: has[name][:, None] | all_of_them for name in beliefs}
    total = sum(torch.where(there[name], own, 0.0) for name, own in beliefs.items())
    total = total / len(beliefs) if mean else total
    return total.log_softmax(1) if unit else total


PERSON, LABELS = torch.arange(700) % 10, torch.arange(700) // 10 % 7


def some(rows, fold, each=5, shuffled=True):
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(fold))
    rows = rows[order] if shuffled else rows[PERSON[rows].argsort()]
    return torch.cat([rows[LABELS[rows] == k][:each] for k in range(7)])


def both(beliefs, merge=lambda own: sum(own.values()), to=("acc", "gyro")):
    return dict.fromkeys(to, merge(beliefs))


VOTE, SCORES, PRODUCT = exercises_09.first, exercises_09.third, exercises_09.product
DRAW = partial(exercises_09.second, person=PERSON, labels=LABELS)
ANSWERS = [
    (VOTE, vote, ""),
    (VOTE, lambda beliefs, has: None, "return log probabilities"),
    (VOTE, partial(vote, mean=True), "do not average"),
    (VOTE, partial(vote, unit=False), "sum to one"),
    (VOTE, partial(vote, all_of_them=True), "lacks a window"),
    (VOTE, lambda beliefs, has: beliefs["a"], "not the product"),
    (DRAW, some, ""),
    (DRAW, lambda rows, fold: None, "return row numbers"),
    (DRAW, lambda rows, fold: some(torch.arange(700), fold), "others are tested"),
    (DRAW, partial(some, each=4), "five of each"),
    (DRAW, lambda rows, fold: rows[:35], "five of each"),
    (DRAW, lambda *given: some(*given)[[*range(34), 33]], "twice"),
    (DRAW, partial(some, shuffled=False), "one person"),
    (SCORES, {0.5: 41.0, 0.9: 47.0}, ""),
    (SCORES, {0.5: 41.0, 0.9: None}, "set both"),
    (SCORES, {0.5: 0.41, 0.9: 0.47}, "guessing gets 14 %"),
    (SCORES, {0.5: 47.0, 0.9: 47.0}, "one score"),
    (PRODUCT, both, ""),
    (PRODUCT, partial(both, merge=lambda own: own["acc"] + own["gyro"] + 3), ""),
    (PRODUCT, lambda beliefs: None, "for each sensor"),
    (PRODUCT, partial(both, to=("gyro",)), "for each sensor"),
    (PRODUCT, partial(both, merge=lambda own: None), "a belief is a tensor"),
    (PRODUCT, lambda beliefs: beliefs, "the same belief"),
    (PRODUCT, partial(both, merge=lambda own: sum(own.values()) / 2), "do not average"),
    (PRODUCT, partial(both, merge=lambda own: torch.logaddexp(*own.values())), "do not add them"),
    (PRODUCT, partial(both, merge=lambda own: own["acc"]), "not the product"),
]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)


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


@pytest.mark.usefixtures("in_notebooks")
def test_units_have_gains_above_own_labels_and_labels_alone():
    units = wristband.stored_units()
    assert units.groupby("better").size().tolist() == [50, 50]
    means = wristband.unit_means(units)
    halves = means.loc[["with a better unit", "with a weaker unit"]].mean()
    np.testing.assert_allclose(halves, means.loc["with any unit"], atol=0.11)
    assert means.loc["own labels", "above own labels"] == 0


def test_two_exercises_of_one_person_stand_beside_other_persons():
    labels, person = torch.arange(700) % 7, torch.arange(700) // 7 % 10
    signals = {sensor: torch.rand(700, 3, 100) for sensor in ("acc", "gyro")}
    figure = wristband.show_exercises(signals, labels, person)
    titles = [axis.get_title() for axis in figure.axes[:4]]
    assert [title.split(":")[0] for title in titles] == [f"person {k}" for k in (8, 8, 1, 3)]
    row = np.flatnonzero((person == 3) & (labels == 3))[2]
    drawn = figure.axes[3].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, signals["acc"][row, 0])
