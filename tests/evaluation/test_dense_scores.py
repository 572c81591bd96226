"""Scores of dense prediction: scikit-learn's values, a closed form, and wrong copies that must
fail."""

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from discom.errors import DataError
from discom.evaluation.scores import dense_scores

NAMES = ("grass", "crop", "tree", "water", "snow")


def draw(seed=0, images=6, size=(9, 7), classes=5, absent=(), dtype=torch.int64):
    """Predictions that are right in about half of the pixels; `absent` classes are predicted but
    have no label."""
    rng = np.random.default_rng(seed)
    predicted = rng.integers(0, classes, (images, *size))
    other = rng.integers(0, classes, predicted.shape)
    labels = np.where(rng.random(predicted.shape) < 0.5, predicted, other)
    labels[np.isin(labels, absent) | (rng.random(labels.shape) < 0.2)] = 255
    return torch.from_numpy(predicted).to(dtype), torch.from_numpy(labels).to(dtype)


def sklearns(predicted, labels, classes=5):
    """Percent [C], NaN where a class has no label."""
    labelled = labels != 255
    truth, ids = labels[labelled].numpy(), predicted[labelled].numpy()
    iou = jaccard_score(truth, ids, labels=range(classes), average=None, zero_division=0)
    return np.where(np.isin(np.arange(classes), truth), 100 * iou, np.nan)


def sklearns_per_image(predicted, labels, classes=5):
    pairs = zip(predicted, labels, strict=True)
    return np.mean([np.nanmean(sklearns(p, y, classes)) for p, y in pairs if (y != 255).any()])


@pytest.mark.parametrize(
    "dtypes", [(torch.uint8,) * 2, (torch.int64,) * 2, (torch.uint8, torch.int64)]
)
@pytest.mark.parametrize("absent", [(), (0, 2)])
def test_scores_are_scikit_learns(absent, dtypes):
    predicted, labels = draw(1, absent=absent)
    labels[0] = 255  # an image without a label counts nowhere
    expected, per_image = sklearns(predicted, labels), sklearns_per_image(predicted, labels)
    labelled = labels != 255
    values = dense_scores(predicted.to(dtypes[0]), labels.to(dtypes[1]), NAMES)
    assert json.loads(json.dumps(values)) == values
    present = {f"iou/{name}": iou for name, iou in zip(NAMES, expected, strict=True) if iou == iou}
    accuracy = 100 * accuracy_score(labels[labelled], predicted[labelled])
    known = [k for k, iou in enumerate(expected) if iou == iou]
    dice = 100 * f1_score(labels[labelled], predicted[labelled], labels=known, average=None)
    present |= {f"dice/{NAMES[k]}": value for k, value in zip(known, dice, strict=True)}
    means = {"miou": np.nanmean(expected), "dice": dice.mean()}
    means |= {"miou_per_image": per_image, "accuracy": accuracy}
    assert values == pytest.approx({**means, **present})
    assert list(values) == [*means, *present]


# ---------------------------------------------------------------- closed forms


def test_per_image_and_pooled_differ_as_worked_out():
    """Image 1: class 0 has 3/4, class 1 has 0; image 2, ten pixels, is all right and class 1."""
    truth = torch.tensor([[[0, 0, 0, 1] + [255] * 6], [[1] * 10]])
    predicted = torch.tensor([[[0, 0, 0, 0] + [1] * 6], [[1] * 10]])
    scores = dense_scores(predicted, truth, NAMES[:2])
    assert scores["miou_per_image"] == pytest.approx((100 * 3 / 8 + 100) / 2)
    assert scores["miou"] == pytest.approx(100 * (3 / 4 + 10 / 11) / 2)


# ---------------------------------------------------------------- what is refused


def test_ids_that_are_no_class_shapes_that_differ_and_no_label_are_refused():
    predicted, labels = draw()
    four = predicted.where(predicted == 4, 0), labels.where(labels == 255, 0)
    for *pair, classes, fragment in (
        (*four, 4, "predictions .* 4"),
        (predicted % 4, labels, 4, "labels hold the id 4; give ids from 0 to 3, in labels 255"),
        (predicted, labels.where(labels != 255, -1), 5, "labels hold the id -1"),
        (labels, predicted, 5, "predictions hold the id 255"),
        (predicted, labels[1:], 5, r"predictions \[6, 9, 7\], labels \[5, 9, 7\]"),
        (predicted, 0 * labels + 255, 5, "no pixel of these images has a label"),
    ):
        with pytest.raises(DataError, match=fragment):
            dense_scores(*pair, NAMES[:classes])


# ---------------------------------------------------------------- wrong copies


def miou(predicted, labels):
    return dense_scores(predicted, labels, NAMES)["miou"]


def counts_ignored(predicted, labels):
    return miou(predicted, labels.where(labels != 255, 0))


def ignores_predictions_of_absent_classes(predicted, labels):
    present = torch.isin(predicted, labels[labels != 255])
    return miou(predicted.where(present, 0), labels.where(present, 255))


@pytest.mark.parametrize("wrong", [counts_ignored, ignores_predictions_of_absent_classes])
def test_a_wrong_copy_differs_from_scikit_learn(wrong):
    predicted, labels = draw(absent=(4,))
    expected = np.nanmean(sklearns(predicted, labels))
    assert miou(predicted, labels) == pytest.approx(expected)
    assert not np.isclose(wrong(predicted, labels), expected, rtol=1e-3)
