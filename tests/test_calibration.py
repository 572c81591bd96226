"""Reliability by bins: closed forms, known bins, and torchmetrics' calibration error."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from discom.errors import DataError
from discom.evaluation.calibration import calibration_error, reliability


def sure(confidence, right):
    """Two-class probabilities with these confidences for class 0, and labels that are right where
    asked for."""
    confidence = np.asarray(confidence, float)
    return np.stack([confidence, 1 - confidence], 1), np.where(right, 0, 1)


def drawn(seed, classes=5, samples=400):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(samples, classes)) * rng.uniform(0.5, 3)
    return torch.from_numpy(logits).softmax(1).numpy(), rng.integers(0, classes, samples)


def test_a_calibrated_network_has_no_error():
    table = reliability(*sure([0.75] * 4 + [0.6] * 5, [1, 1, 1, 0, 1, 1, 1, 0, 0]))
    assert calibration_error(table) == pytest.approx(0, abs=1e-12)


def test_always_sure_and_never_right_is_the_largest_error():
    assert calibration_error(reliability(*sure([1.0] * 5, [0] * 5))) == 1


def test_known_bins():
    table = reliability(*sure([0.6, 0.7, 0.95, 1.0], [1, 0, 1, 1]), bins=4)
    assert table["count"].tolist() == [0, 0, 2, 2]
    assert table["confidence"].tolist()[2:] == pytest.approx([0.65, 0.975])
    assert table["accuracy"].tolist()[2:] == [0.5, 1.0]
    assert table[["confidence", "accuracy"]].iloc[:2].isna().all(axis=None)
    assert calibration_error(table) == pytest.approx((2 * 0.15 + 2 * 0.025) / 4)


@pytest.mark.parametrize("bins", [1, 10, 15])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_error_of_torchmetrics(seed, bins):
    p, y = drawn(seed)
    theirs = multiclass_calibration_error(
        torch.from_numpy(p), torch.from_numpy(y), num_classes=5, n_bins=bins
    )
    table = reliability(p, y, bins)
    assert calibration_error(table) == pytest.approx(theirs.item(), abs=1e-6)
    assert table["count"].sum() == len(y)


def test_one_bin_is_the_gap_of_the_means():
    p, y = drawn(0)
    gap = abs(p.max(1).mean() - (p.argmax(1) == y).mean())
    assert calibration_error(reliability(p, y, bins=1)) == pytest.approx(gap)


def wrong_reliability(p, y, bins=15):
    """The mean probability of the true class in place of the confidence."""
    table = reliability(p, y, bins)
    place = np.minimum((p.max(1) * bins).astype(int), bins - 1)
    of_truth = [
        p[place == b][np.arange((place == b).sum()), y[place == b]].mean() for b in np.unique(place)
    ]
    table.loc[table["count"] > 0, "confidence"] = of_truth
    return table


def test_a_wrong_copy_fails():
    p, y = drawn(1)
    assert (
        abs(calibration_error(wrong_reliability(p, y)) - calibration_error(reliability(p, y)))
        > 0.01
    )


@pytest.mark.parametrize(
    ("p", "y", "what"),
    [([[2.0, -1.0]], [0], "softmax"), ([[3.0, 4.0]], [0], "softmax"), ([[0.5, 0.5]], [0, 1], "labels"),
     ([0.5, 0.5], [0, 1], "labels")],
)  # fmt: skip
def test_what_is_no_probability_is_refused(p, y, what):
    with pytest.raises(DataError, match=what):
        reliability(np.array(p), np.array(y))
