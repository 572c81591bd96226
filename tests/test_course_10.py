"""Notebook 10: checkers that refuse likely wrong answers, its scenes and its pictures."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from fixtures.refusal import each_answer

from checks import exercises_10
from pictures import segments

ROOT = Path(__file__).parents[1]


def dice_loss(logits, masks, *, skip=True, axes=(0, 2, 3), factor=2, power=2, start=1):
    drawn = (masks < 255) | (not skip)
    p = logits.softmax(1) * drawn[:, None]
    y = F.one_hot(masks.clamp(max=3), 4).movedim(3, 1) * drawn[:, None]
    overlap = factor * (p * y).sum(axes) / (p.pow(power).sum(axes) + y.sum(axes))
    return abs(start - overlap.mean())


def hard(soft, *, exp=True, unsure=255):
    confidence, masks = (soft.exp() if exp else soft).max(1)
    return masks.masked_fill(confidence < 0.9, unsure)


DICE, MASKS = exercises_10.first, exercises_10.second
ANSWERS = [
    (DICE, dice_loss, ""),
    (DICE, lambda *given: None, "return a loss"),
    (DICE, partial(F.cross_entropy, ignore_index=255), "mean over classes"),
    (DICE, partial(dice_loss, start=0), "1 minus Dice"),
    (DICE, partial(dice_loss, factor=1), "2 Σ p y"),
    (DICE, partial(dice_loss, power=1), "squared"),
    (DICE, partial(dice_loss, axes=(2, 3)), "the whole batch"),
    (DICE, partial(dice_loss, skip=False), "out of all three sums"),
    (DICE, lambda z, y: dice_loss(z, F.one_hot(y, 4).argmax(3)), "255 is no class"),
    (MASKS, hard, ""),
    (MASKS, lambda soft: None, r"\[N, H, W\]"),
    (MASKS, lambda soft: soft.exp() > 0.9, r"\[N, H, W\]"),
    (MASKS, lambda soft: soft.exp().max(1)[0], "numbers of classes"),
    (MASKS, partial(hard, exp=False), "take exp"),
    (MASKS, lambda soft: soft.argmax(1), "must be 255"),
    (MASKS, partial(hard, unsure=0), "must be 255"),
]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)


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
    figure = segments.plot_gains({"few": dict.fromkeys(segments.WAYS, points)}, "title")
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.texts] == ["+4.5 ± 2.2"] * 3
    drawn = [dots.get_offsets()[:, 1].tolist() for dots in axis.collections]
    assert drawn.count(points.tolist()) == 3


def test_masks_are_drawn_and_outlined_where_colour_deceives():
    scenes, _, _ = segments.load("scenes-dense:n=40,size=32", seed=1)
    deceives = (scenes.shown != scenes.masks).flatten(1).any(1)
    rows = [deceives.nonzero()[0].item(), (~deceives).nonzero()[0].item()]
    answers = dict.fromkeys(("both sensors", "student of both sensors"), scenes.masks)
    columns = np.array(segments.show_scenes(scenes, rows, "title").axes).reshape(3, 2)
    lines = np.array(segments.show_answers(scenes, rows, answers, "title").axes).reshape(2, 4)
    for true, plain in (columns.T, lines):
        assert all(axis.collections for axis in true)
        assert not any(axis.collections for axis in plain)


@pytest.mark.usefixtures("in_notebooks")
def test_stored_gains_are_those_of_the_page():
    gains = segments.stored_gains()
    page = (ROOT / "docs/results/segmentation.md").read_text()
    for way, method in ((segments.BOTH, "dense-kdv2"), ("our CroDiNo-KD", "crodino")):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| RGB, `{method}` |")]
        cells = row.split(" | ")
        for name, cell in (("30 masks", cells[1]), ("all 600 masks", cells[-1])):
            assert len(gains[name]) == 10
            assert cell.startswith(f"{gains[name][way].mean():+.1f}")


@pytest.mark.usefixtures("in_notebooks")
def test_dice_of_patients_is_that_of_the_page():
    """tests/tables/test_pooling.py has Dice itself."""
    page = (ROOT / "docs/results/real.md").read_text()
    table = segments.of_patients(segments.patients())
    assert table["all patients", "Dice"]["T1+FLAIR", "one network of both"] == "68"
    assert table["all patients", "Dice"]["T1", segments.SAME] == "not run"
    for way, method in ((segments.BOTH, "dense-kdv2"), ("our CroDiNo-KD", "crodino")):
        for patients, masks in (("all patients", "all"), ("7 patients", "7 patients")):
            place = rf"`{method}` \| `single` \| t1 \| {masks} \| 100 \| (.*?) \|"
            (exact,) = re.findall(place, page)
            shown = table[patients, "above alone"]["T1", way]
            numbers = [[float(x) for x in re.findall(r"[+-][\d.]+", y)] for y in (shown, exact)]
            assert numbers[0] == pytest.approx(numbers[1], abs=0.51)
