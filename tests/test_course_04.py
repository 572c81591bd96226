"""Notebook 04: checkers that refuse likely wrong answers, and the picture of what networks say."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from fixtures.refusal import answers_with

from checks import exercises_04
from pictures import teaching

pytestmark = pytest.mark.usefixtures("clean_slate")  # of pictures


def pull(student, teacher, T, *, sign=1, power=1, soften=True, mean=True):
    p_s, p_t = ((z / T if soften else z).softmax(1) for z in (student, teacher))
    return sign * T**power * (p_s - p_t) / (len(student) if mean else 1)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({}, ""),
        ({"sign": -1}, "student minus"),
        ({"mean": False}, "mean over B"),
        ({"power": 0}, "one T is left"),
        ({"power": 2}, "one T is left"),
        ({"soften": False}, "soften both"),
    ],
)
def test_the_gradient_of_kd(wrong, problem):
    assert answers_with(exercises_04.first(lambda *given: pull(*given, **wrong)), problem)
    assert "each logit" in exercises_04.first(lambda *given: pull(*given, **wrong).norm())


LABELS = torch.randint(9, (100,), generator=torch.Generator().manual_seed(1))


def softer(z, rows, **changes):
    return F.cross_entropy(z, LABELS[rows], **{"label_smoothing": 0.3} | changes)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (softer, ""),
        (lambda z, rows: softer(z, rows, label_smoothing=0.0), "as hard as the label"),
        (lambda z, rows: softer(z, rows, label_smoothing=0.3 * 9 / 8), "all nine alike"),
        (lambda z, rows: softer(z, torch.arange(len(rows))), "of these rows"),
        (lambda z, rows: softer(z, rows, reduction="sum"), "a mean"),
        (lambda z, rows: LABELS[rows], "return a loss"),
    ],
)
def test_a_loss_with_softer_labels(answer, problem):
    assert answers_with(exercises_04.second(answer, LABELS), problem)


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
