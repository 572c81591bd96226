"""Notebook 04: checkers that refuse likely wrong answers, and the picture of what networks say."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from fixtures.refusal import each_answer

from checks import exercises_04
from pictures import teaching


def pull(student, teacher, T, *, sign=1, power=1, soften=True, mean=True):
    p_s, p_t = ((z / T if soften else z).softmax(1) for z in (student, teacher))
    return sign * T**power * (p_s - p_t) / (len(student) if mean else 1)


LABELS = torch.randint(9, (100,), generator=torch.Generator().manual_seed(1))


def softer(z, rows, **changes):
    return F.cross_entropy(z, LABELS[rows], **{"label_smoothing": 0.3} | changes)


PULL, SOFTER = exercises_04.first, partial(exercises_04.second, labels=LABELS)
ANSWERS = [
    (PULL, pull, ""),
    (PULL, partial(pull, sign=-1), "student minus"),
    (PULL, partial(pull, mean=False), "mean over B"),
    (PULL, partial(pull, power=0), "one T is left"),
    (PULL, partial(pull, power=2), "one T is left"),
    (PULL, partial(pull, soften=False), "soften both"),
    (PULL, lambda *given: pull(*given).norm(), "each logit"),
    (SOFTER, softer, ""),
    (SOFTER, partial(softer, label_smoothing=0.0), "as hard as the label"),
    (SOFTER, partial(softer, label_smoothing=0.3 * 9 / 8), "all nine alike"),
    (SOFTER, lambda z, rows: softer(z, torch.arange(len(rows))), "of these rows"),
    (SOFTER, partial(softer, reduction="sum"), "a mean"),
    (SOFTER, lambda z, rows: LABELS[rows], "return a loss"),
]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)


def test_bars_are_the_probabilities_and_the_true_class_is_bold():
    part = SimpleNamespace(
        images={"rgb": torch.rand(2, 3, 8, 8), "depth": torch.rand(2, 1, 8, 8)},
        labels=torch.tensor([2, 0]),
        classes=["a/x", "a/y", "b/x"],
    )
    p = torch.tensor([[0.1, 0.2, 0.7], [0.3, 0.5, 0.2]])
    said = {"teacher": p, "student": p.flip(0)}
    figure = teaching.show_words(part, {"near": 0, "far": 1}, said, "title")
    near, far = (axis for axis in figure.axes if axis.patches)  # of shape b, of shape a
    for axis, heights, true in (
        (near, [70, 30, 20, 80], "b, x"),
        (far, [30, 50, 20, 10, 20, 70], "a, x"),
    ):
        assert [bar.get_width() for bar in axis.patches] == pytest.approx(heights)
        bold = [t.get_text() for t in axis.get_yticklabels() if t.get_fontweight() == "bold"]
        assert bold == [true]
