"""Notebook 10: checkers that refuse likely wrong answers, its scenes and its pictures."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from fixtures.refusal import answers_with

from checks import exercises_10
from pictures import segments

pytestmark = pytest.mark.usefixtures("clean_slate")  # of pictures


def dice_loss(logits, masks, *, skip=True, axes=(0, 2, 3), factor=2, power=2, start=1):
    drawn = (masks < 255) | (not skip)
    p = logits.softmax(1) * drawn[:, None]
    y = F.one_hot(masks.clamp(max=3), 4).movedim(3, 1) * drawn[:, None]
    overlap = factor * (p * y).sum(axes) / (p.pow(power).sum(axes) + y.sum(axes))
    return abs(start - overlap.mean())


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (dice_loss, ""),
        (lambda *given: None, "return a loss"),
        (lambda z, y: F.cross_entropy(z, y, ignore_index=255), "mean over classes"),
        (lambda *given: dice_loss(*given, start=0), "1 minus Dice"),
        (lambda *given: dice_loss(*given, factor=1), "2 Σ p y"),
        (lambda *given: dice_loss(*given, power=1), "squared"),
        (lambda *given: dice_loss(*given, axes=(2, 3)), "the whole batch"),
        (lambda *given: dice_loss(*given, skip=False), "out of all three sums"),
        (lambda z, y: dice_loss(z, F.one_hot(y, 4).argmax(3)), "255 is no class"),
    ],
)
def test_a_loss_that_is_dice(answer, problem):
    assert answers_with(exercises_10.first(answer), problem)


def hard(soft, *, exp=True, unsure=255):
    confidence, masks = (soft.exp() if exp else soft).max(1)
    return masks.masked_fill(confidence < 0.9, unsure)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (hard, ""),
        (lambda soft: None, r"\[N, H, W\]"),
        (lambda soft: soft.exp() > 0.9, r"\[N, H, W\]"),
        (lambda soft: soft.exp().max(1)[0], "numbers of classes"),
        (lambda soft: hard(soft, exp=False), "take exp"),
        (lambda soft: soft.argmax(1), "must be 255"),
        (lambda soft: hard(soft, unsure=0), "must be 255"),
    ],
)
def test_masks_of_what_is_sure(answer, problem):
    assert answers_with(exercises_10.second(answer), problem)


def test_scenes_hold_what_colour_shows():
    scenes, test, best = segments.load("scenes-dense:n=40,size=32", seed=1)
    assert scenes.images["rgb"].shape == (20, 3, 32, 32)
    assert scenes.masks.shape == scenes.shown.shape == (20, 32, 32)
    assert len(test.masks) == 16
    assert best["rgb"] == best["depth"] < best["rgb+depth"] == 100
    same = torch.cat([(part.masks == part.shown).flatten() for part in (scenes, test)])
    masks = torch.cat([part.masks.flatten() for part in (scenes, test)])
    assert same[(masks == 0) | (masks == 3)].all()  # background, stone
    assert 0.5 < same[(masks == 1) | (masks == 2)].float().mean() < 0.9  # of wood, metal .7


def test_gains_are_drawn_with_their_mean():
    points = pd.Series(np.arange(10.0))
    figure = segments.plot_gains({"few": dict.fromkeys([*segments.WAYS][1:], points)}, "title")
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.texts] == ["+4.5 ± 2.2"] * 3
    drawn = [dots.get_offsets()[:, 1].tolist() for dots in axis.collections]
    assert drawn.count(points.tolist()) == 3


def test_masks_are_drawn_beside_their_images():
    scenes, _, _ = segments.load("scenes-dense:n=40,size=16", seed=1)
    assert len(segments.show_scenes(scenes, [0, 1, 2], "title").axes) == 9
    answers = dict.fromkeys(("alone", "own teacher"), scenes.masks)
    assert len(segments.show_answers(scenes, [0, 2], answers, "title").axes) == 10
