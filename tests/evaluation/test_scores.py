"""Scores of classes and of masks against scikit-learn and in closed form, calibration by bins;
answers in the order of the data."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.metrics as sk
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.fabric import Fabric
from torchmetrics.functional.classification import multiclass_confusion_matrix

from discom.data import Modality, MultiModalData, Split
from discom.errors import DataError
from discom.evaluation.scores import Scoring, count_by_group, dense_scores, scores

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=40)
NAMES = ("grass", "crop", "tree", "water", "snow")


@pytest.mark.filterwarnings("ignore:y_pred contains classes", "ignore:A single label")
@given(st.integers(0, 2**16), st.integers(1, 40), st.integers(2, 12), st.data())
@seeded
def test_scores_are_scikit_learns(seed, samples, classes, data):
    """Whichever classes have labels or are predicted."""
    some = st.lists(st.integers(0, classes - 1), min_size=1)
    rng = np.random.default_rng(seed)
    y, predicted = (rng.choice(data.draw(some), samples) for _ in range(2))
    logits = torch.from_numpy(rng.normal(size=(samples, classes))).float()
    logits[torch.arange(samples), torch.from_numpy(predicted)] += 20
    present = {"average": "macro", "labels": np.unique(y), "zero_division": 0}
    expected = {
        "f1": sk.f1_score(y, predicted, average="weighted", zero_division=0),
        "macro_f1": sk.f1_score(y, predicted, **present),
        "balanced_accuracy": sk.recall_score(y, predicted, **present),
        "accuracy": sk.accuracy_score(y, predicted),
    }
    values = scores(logits, torch.from_numpy(y))
    for key, value in expected.items():
        assert values[key] == pytest.approx(100 * value, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(
    ("groups", "error"),
    [
        ([(0.61, 100, 61), (0.75, 4, 3), (0.9, 10, 9)], 0.0),  # right as often as it says
        ([(1.0, 5, 0)], 1.0),  # always sure and never right
        ([(0.9, 10, 5), (0.55, 30, 30)], (10 * 0.4 + 30 * 0.45) / 40),  # bins weigh by their size
        ([(0.81, 10, 10), (0.86, 10, 6)], 0.035),  # one of 15 bins: (0.81 + 0.86 - 1.6) / 2
        ([(0.81, 10, 10), (0.88, 10, 6)], (0.19 + 0.28) / 2),  # two of 15 bins, though one of 10
    ],
)
def test_calibration_error(groups, error):
    """Of two classes: (confidence, samples, how many of them right); class 0 is predicted."""
    shares, y = [], []
    for confidence, samples, right in groups:
        shares += [[confidence, 1 - confidence]] * samples
        y += [0] * right + [1] * (samples - right)
    values = scores(torch.tensor(shares).clamp(min=1e-7).log(), torch.tensor(y))
    assert values["calibration_error"] == pytest.approx(error, abs=1e-5)


def masks(seed=0, absent=()):
    """Predictions that are right in about half of the pixels; `absent` classes are predicted but
    have no label."""
    rng = np.random.default_rng(seed)
    predicted, other = rng.integers(0, 5, (2, 6, 9, 7))
    labels = np.where(rng.random(predicted.shape) < 0.5, predicted, other)
    labels[np.isin(labels, absent) | (rng.random(labels.shape) < 0.2)] = 255
    return torch.from_numpy(predicted), torch.from_numpy(labels)


def sklearns(predicted, labels):
    """IoU and Dice of the classes that have a label, in percent; class → value."""
    truth, ids = (each[labels != 255].numpy() for each in (labels, predicted))
    present = np.unique(truth)
    asked = {"labels": present, "average": None, "zero_division": 0}
    values = (100 * score(truth, ids, **asked) for score in (sk.jaccard_score, sk.f1_score))
    return [dict(zip(present.tolist(), each.tolist(), strict=True)) for each in values]


@pytest.mark.parametrize("absent", [(), (0, 2)])
def test_scores_of_masks_are_scikit_learns(absent):
    predicted, labels = masks(1, absent)
    labels[0] = 255  # an image without a label counts nowhere
    iou, dice = sklearns(predicted, labels)
    expected = {"miou": np.mean([*iou.values()]), "dice": np.mean([*dice.values()])}
    known = labels != 255
    expected["accuracy"] = 100 * sk.accuracy_score(labels[known], predicted[known])
    expected |= {f"iou/{NAMES[k]}": value for k, value in iou.items()}
    expected |= {f"dice/{NAMES[k]}": value for k, value in dice.items()}
    values = dense_scores(predicted, labels, NAMES)
    assert json.loads(json.dumps(values)) == values == pytest.approx(expected)
    with pytest.raises(DataError, match=r"^scores: "):
        dense_scores(predicted, 0 * labels + 255, NAMES)


def test_scores_of_masks_wait_for_a_gpu_as_often_for_one_image_as_for_many(monkeypatch):
    """Each image of a validation part waited, in each epoch."""
    counted = "discom.evaluation.scores.multiclass_confusion_matrix"
    original, calls = multiclass_confusion_matrix, []
    monkeypatch.setattr(counted, lambda *g, **k: calls.append(1) or original(*g, **k))
    predicted, labels = masks(1)
    values = dense_scores(predicted, labels, NAMES)
    assert dense_scores(predicted.repeat(9, 1, 1), labels.repeat(9, 1, 1), NAMES) == values
    assert len(calls) == 2


def test_answers_are_float32_in_the_order_of_the_data_and_the_layout_asked_for(monkeypatch):
    """Images that hold their own number."""
    x = np.arange(11, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 4, 4), np.float32)
    part = MultiModalData({"rgb": Modality(x, np.arange(11) % 2, np.arange(11))}, ("a", "b"))
    weight, asked = torch.ones(2, 1, requires_grad=True), []

    def predict(_, x):
        asked.append((len(x), x.is_contiguous(memory_format=torch.channels_last)))
        return (x.mean((2, 3)) @ weight / 2).bfloat16()

    monkeypatch.setattr("discom.evaluation.scores.BATCH_SIZE", {False: 4})
    network = SimpleNamespace(dense=False, deployed=["rgb"], eval=lambda: None, predict=predict)
    split, layout = Split(part, part, part), torch.channels_last
    scoring = Scoring(network, split, Fabric(accelerator="cpu", devices=1), layout)
    logits = scoring._answer("rgb", scoring.valid["rgb"])
    assert logits[:, 0].tolist() == list(range(11))
    assert (logits.dtype, logits.requires_grad) == (torch.float32, False)
    assert asked == [(4, True), (4, True), (3, True)]


def test_counts_of_groups_go_by_id():
    """Predictions in another order than the data."""
    images = Modality(np.zeros((4, 1, 2, 2), np.float32), np.array([0, 1, 0, 1]), np.arange(4))
    data = MultiModalData({"rgb": images}, ("a", "b"), groups=np.array(["g", "h", "h", "h"]))
    logits = np.eye(2)[[0, 0, 0, 0]]
    told = {"rgb_ids": data.ids[::-1], "rgb_labels": data.labels[::-1], "rgb_logits": logits}
    counts = [[0, 0, 0, 1], [1, 0, 0, 1], [1, 1, 0, 2]]
    assert count_by_group(data, told, ["rgb"]) == {"groups": ["g", "h"], "counts": {"rgb": counts}}
