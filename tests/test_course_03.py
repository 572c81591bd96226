"""Notebook 03: code of 02, checkers that refuse likely wrong answers, stored seeds."""

from functools import partial
from itertools import pairwise
from pathlib import Path

import jupytext
import pytest
import torch
from fixtures.refusal import each_answer

import course
from checks import exercises_03
from pictures import training

ROOT = Path(__file__).parents[1]


@pytest.mark.usefixtures("in_notebooks")
def test_definitions_come_as_they_stand_in_a_notebook():
    code = course.written("02", "orth_loss", "Branch")
    assert code.startswith("def orth_loss(")
    assert "secret" not in code
    cells = jupytext.read("py/02_model_and_losses.py", fmt="py:percent").cells
    assert code.split("\n\n\n")[1] in "".join(cell.source for cell in cells)
    _, right = course.written("03", "Student", "right").split("\n\n\n")
    assert right.startswith("@torch.no_grad()\ndef right(")
    with pytest.raises(KeyError):
        course.written("02", "Student")


def batches(part, sensors, size, *, one_order=True, labels_of=None, drop=False, shuffled=True):
    count = len(part.labels)
    order = torch.randperm(count) if shuffled else torch.arange(count)
    orders = {s: order if one_order else torch.randperm(count) for s in sensors}
    for k in range(0, count - (count % size if drop else 0), size):
        rows = {s: own[k : k + size] for s, own in orders.items()}
        images = {s: part.images[s][own] for s, own in rows.items()}
        yield images, {s: part.labels[rows[labels_of or s]] for s in sensors}


def rows(counts, size, *, most=max, again=torch.randperm, whole=True):
    longest = most(counts.values())
    found = {}
    for sensor, count in counts.items():
        rounds = [torch.randperm(count), *(again(count) for _ in range(longest // count))]
        if not whole:  # drawn with repetition
            rounds = [torch.randint(count, (longest,))] if count < longest else rounds
        found[sensor] = torch.cat(rounds)[:longest].split(size)
    return found


ORDER = torch.randperm(30)


def one_order_again(counts, size):
    return rows(counts, size) | {"rgb": ORDER.repeat(7)[:200].split(size)}


def each_once(counts, size):
    return {sensor: torch.randperm(count).split(size) for sensor, count in counts.items()}


def scores_of_03(paired, unpaired=73.0):
    return {"unpaired": unpaired, "paired": paired}


BATCHES, UNLIKE = exercises_03.first, exercises_03.second
BELOW_80 = partial(exercises_03.third, best=80.0)
ANSWERS = [
    (BATCHES, batches, ""),
    (BATCHES, partial(batches, one_order=False), "the same scene"),
    (BATCHES, partial(batches, one_order=False, labels_of="rgb"), "labels of depth"),
    (BATCHES, partial(batches, drop=True), "every scene once"),
    (BATCHES, partial(batches, shuffled=False), "shuffle anew"),
    (UNLIKE, rows, ""),
    (UNLIKE, partial(rows, most=min), "13 batches, not 2"),
    (UNLIKE, lambda counts, size: {s: [range(n)] for s, n in counts.items()}, "13 batches, not 1"),
    (UNLIKE, each_once, "start it again"),
    (UNLIKE, partial(rows, whole=False), "before any is shown again"),
    (UNLIKE, lambda *given: list(rows(*given).values()), "return the batches"),
    (UNLIKE, one_order_again, "shuffle colour anew"),
    (BELOW_80, scores_of_03(74.0), ""),
    (BELOW_80, scores_of_03(95.0), "best possible"),
    (BELOW_80, scores_of_03(0.74), "has not learned"),
    (BELOW_80, scores_of_03(None, None), "set both"),
]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)


def test_seeds_of_a_stored_table_are_those_that_the_page_averages():
    scores = course.seeds(ROOT / "results/all-labels.csv", course.EVERY, "depth")
    names = ["student", "branch alone", "DisCoM-KD", "DisCoM-KD, pairs", "both sensors"]
    assert list(scores) == names
    assert scores.mean().round(1).tolist() == [75.6, 76.2, 75.7, 76.1, 92.6]
    assert len(scores) == 10


def test_stored_kinds_are_means_over_seeds():
    file = ROOT / "results/all-labels-kinds.csv"
    kinds = course.stored_kinds(file, "teacher", "depth").round(1)
    assert kinds.to_dict() == {"ordinary": 98.0, "dark": 88.2, "far": 97.1, "dark and far": 32.0}
    assert course.stored_kinds(file, "student", "depth").round(1)["far"] == 34.5


def test_a_mean_and_every_dot_are_drawn_where_they_are():
    scores = course.seeds(ROOT / "results/all-labels.csv", course.EVERY, "depth")
    axis = training.plot_seeds(scores, "title", 80.0).axes[0]
    dots = [line for line in axis.lines if line.get_linestyle() == "None"]
    assert [line.get_xdata().mean() for line in dots] == pytest.approx(scores.mean().tolist())
    axis = training.plot_curves(
        {name: scores[name].tolist() for name in scores}, "title", 80.0
    ).axes[0]
    assert [line.get_ydata()[-1] for line in axis.lines[:5]] == sorted(scores.iloc[-1])
    heights = [float(text.get_position()[1]) for text in axis.texts[:5]]
    assert min(b - a for a, b in pairwise(heights)) >= 5
