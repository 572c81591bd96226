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


SOFT = torch.randn(100, 9, generator=torch.Generator().manual_seed(1))
LABELS = torch.where(torch.arange(100) % 9 == 0, 0, SOFT.argmax(1))  # the teacher errs in some


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda z, rows: F.cross_entropy(z, SOFT[rows].argmax(1)), ""),
        (lambda z, rows: F.cross_entropy(z, LABELS[rows]), "not the label"),
        (lambda z, rows: F.cross_entropy(z, SOFT[rows].softmax(1)), "one class"),
        (lambda z, rows: F.cross_entropy(z, SOFT.argmax(1)[: len(rows)]), "that the teacher"),
        (lambda z, rows: F.cross_entropy(z, SOFT[rows].argmax(1), reduction="sum"), "a mean"),
        (lambda z, rows: SOFT[rows].argmax(1), "return a loss"),
    ],
)
def test_a_loss_that_names_the_teachers_choice(answer, problem):
    assert answers_with(exercises_04.second(answer, SOFT, LABELS), problem)


def test_bars_are_the_probabilities_and_the_true_class_is_bold():
    part = SimpleNamespace(
        images={"rgb": torch.rand(2, 3, 8, 8), "depth": torch.rand(2, 1, 8, 8)},
        labels=torch.tensor([2, 0]),
        classes=["a/x", "a/y", "b/x"],
    )
    said = {"teacher": torch.eye(3)[[2, 0]], "student": torch.full((2, 3), 1 / 3)}
    figure = teaching.show_words(part, {"near": 0, "far": 1}, said, "title")
    words = [axis for axis in figure.axes if axis.patches]
    for axis, row in zip(words, (0, 1), strict=True):
        widths = [bar.get_width() for bar in axis.patches]
        assert widths == pytest.approx([*(100 * said["teacher"][row]).tolist(), *[100 / 3] * 3])
        bold = [t.get_text() for t in axis.get_yticklabels() if t.get_fontweight() == "bold"]
        assert bold == [part.classes[part.labels[row]]]
