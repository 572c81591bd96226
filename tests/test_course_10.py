"""Notebook 10: checkers that refuse likely wrong answers, its scenes and its pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from fixtures.refusal import answers_with
from fixtures.results import result

import course
from checks import exercises_10
from discom import tables
from pictures import segments

ROOT = Path(__file__).parents[1]

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


def test_stored_gains_are_those_of_the_page(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    gains = segments.stored_gains()
    page = (ROOT / "docs/results/segmentation.md").read_text()
    for way, method in ((segments.BOTH, "dense-kdv2"), ("our CroDiNo-KD", "crodino")):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| RGB, `{method}` |")]
        cells = row.split(" | ")
        for name, cell in (("30 masks", cells[1]), ("all 600 masks", cells[-1])):
            assert len(gains[name]) == 10
            assert cell.startswith(f"{gains[name][way].mean():+.1f}")


def test_the_table_of_the_course_has_the_means_of_stored_students(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    stored = pd.read_csv(ROOT / "results/segments.csv").mean().round()
    shown = course.results("10")["right, %"]["colour, 30 masks, mIoU"]
    assert list(shown.index) == course.MASKED
    assert all(shown[way] == stored[way] for way in course.MASKED)


def test_points_stand_beside_those_of_other_seeds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = str(tmp_path / "segments.csv")
    for seed in (2, 1):
        table = course.beside("", {"alone": 40 + seed / 3, "both": 50 + seed}, seed, file)
    assert table.loc["alone"].to_dict() == {1: 40.3, 2: 40.7}
    assert list(table) == [1, 2]  # the one that runs comes first
    assert pd.read_csv(file)["seed"].tolist() == [1, 2]


PATIENTS = 8


def of_fold(method, fold, hits, *, few):
    """A run that tests every other patient, each of ten tumour pixels, of which it finds
    `hits`: network → a number for each of these patients."""
    groups = range(fold, PATIENTS, 2)
    counts = {
        network: [
            cell
            for place, number in enumerate(found)
            for cell in ([place, 1, 1, number], [place, 1, 0, 10 - number], [place, 0, 0, 90])
        ]
        for network, found in hits.items()
    }
    tested = {"groups": [f"{patient}" for patient in groups], "counts": counts}
    about = {"metric": "miou", "labelled_groups": few, "draws": "split", "data": "lgg"}
    run = result(method, 0, dict.fromkeys(hits, 50.0), **about)
    return replace(run, fold=fold, folds=2, tested=tested, classes=2)


def test_dice_of_patients_is_pooled_over_folds(tmp_path):
    runs = [of_fold("single", k, {"t1": [5] * 4, "flair": [10] * 4}, few=7) for k in (0, 1)]
    runs += [of_fold("dense-kdv2", k, {"t1": [5, 10] * 2}, few=7) for k in (0, 1)]
    runs += [of_fold("single", k, {"t1": [10] * 4}, few=None) for k in (0, 1)]
    tables.collect(runs, tmp_path / "mri.csv")
    dice = segments.patients(str(tmp_path / "mri.csv"))
    assert len(dice) == PATIENTS
    assert dice["7 patients", "T1", "alone"].round(1).eq(66.7).all()  # 2·5 of 10 + 5
    table = segments.of_patients(dice)
    assert table["7 patients", "Dice"].to_dict() == {
        ("FLAIR", "alone"): "100",
        ("T1", "alone"): "67",
        ("T1", segments.BOTH): "83",
    }
    assert table["all patients", "Dice"]["T1", "alone"] == "100"
    assert table["all patients", "Dice"]["T1", segments.BOTH] == "not run"
    gain = table["7 patients", "above alone"]["T1", segments.BOTH]
    assert gain == "+17 [+2, +32]"  # 16.7 ± t(7) 17.8 / √8
