"""Scores against scikit-learn and in closed form, calibration by bins, and predictions in the order
of the data."""

import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data import Modality, MultiModalData
from discom.data.batches import ModalityTensor
from discom.evaluation.scores import predict_logits, scores, weighted_f1

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=25)


def draw(seed, classes=5, samples=60, labels=None, predicted=None):
    """Logits that are right more often than not; `labels` and `predicted` restrict which classes
    occur."""
    rng = np.random.default_rng(seed)
    y = rng.choice(labels or classes, size=samples)
    logits = rng.normal(size=(samples, classes))
    logits[np.arange(samples), y] += 1
    if predicted is not None:
        logits[:, [c for c in range(classes) if c not in predicted]] -= 100
    return torch.from_numpy(logits).float(), torch.from_numpy(y).long()


CASES = {
    "all classes": {},
    "two of five classes": {"labels": [0, 3]},
    "what is predicted is absent": {"labels": [0, 1], "predicted": [1, 2]},
    "nothing right": {"labels": [0, 1], "predicted": [3, 4]},
    "one class": {"labels": [2]},
    "one sample": {"samples": 1},
    "many classes, few samples": {"classes": 30, "samples": 20},
}


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
@pytest.mark.parametrize("name", CASES)
def test_f1_and_recall_are_scikit_learns(name):
    logits, y = draw(1, **CASES[name])
    predicted = logits.argmax(1).numpy()
    f1 = sklearn.metrics.f1_score(y.numpy(), predicted, average="weighted", zero_division=0)
    assert weighted_f1(logits, y).item() == pytest.approx(100 * f1, rel=1e-5, abs=1e-5)
    present = {"labels": np.unique(y), "zero_division": 0}
    macro = sklearn.metrics.f1_score(y, predicted, average="macro", **present)
    recall = sklearn.metrics.balanced_accuracy_score(y, predicted)
    values, expected = scores(logits, y), {"macro_f1": macro, "balanced_accuracy": recall}
    for key, value in expected.items():
        assert values[key] == pytest.approx(100 * value, rel=1e-5, abs=1e-5)


@seeded
@given(st.lists(st.integers(0, 12), min_size=2, max_size=6).filter(any), st.integers(0, 5))
def test_constant_prediction(counts, guess):
    """With a share p of the guessed class: precision p, recall 1, F1 = 2p / (1 + p), weight p."""
    guess %= len(counts)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    logits = torch.zeros(len(y), len(counts))
    logits[:, guess] = 1
    p = counts[guess] / sum(counts)
    expected = {"f1": 100 * p * 2 * p / (1 + p), "accuracy": 100 * p}
    values = scores(logits, y)
    assert {name: values[name] for name in expected} == pytest.approx(expected, rel=1e-5, abs=1e-6)


def confident(groups):
    """Two-class probabilities: (confidence, samples, how many of them right) for each group; class
    0 is always predicted."""
    probabilities, y = [], []
    for confidence, samples, right in groups:
        probabilities += [[confidence, 1 - confidence]] * samples
        y += [0] * right + [1] * (samples - right)
    return np.array(probabilities), np.array(y)


@pytest.mark.parametrize(
    ("groups", "error"),
    [
        ([(0.61, 100, 61), (0.75, 4, 3), (0.9, 10, 9)], 0.0),  # right as often as it says
        ([(0.99, 10, 5)], 0.49),  # too sure
        ([(0.6, 10, 10)], 0.4),  # not sure enough
        ([(1.0, 5, 0)], 1.0),  # always sure and never right
        ([(0.9, 10, 5), (0.55, 30, 30)], (10 * 0.4 + 30 * 0.45) / 40),  # bins weigh by their size
        ([(0.81, 10, 10), (0.86, 10, 6)], 0.035),  # one of 15 bins: (0.81 + 0.86 - 1.6) / 2
        ([(0.81, 10, 10), (0.88, 10, 6)], (0.19 + 0.28) / 2),  # two of 15 bins, though one of 10
    ],
)
def test_calibration_error(groups, error):
    probabilities, y = confident(groups)
    logits = torch.from_numpy(probabilities).clamp(min=1e-7).log().float()
    values = scores(logits, torch.from_numpy(y))
    assert values["calibration_error"] == pytest.approx(error, abs=1e-5)


# ---------------------------------------------------------------- predictions


def numbered(count):
    """Images that hold their own number."""
    x = np.arange(count, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 4, 4), np.float32)
    data = MultiModalData({"rgb": Modality(x, np.arange(count) % 2, np.arange(count))}, ("a", "b"))
    return ModalityTensor(data, "rgb", "cpu")


@pytest.mark.parametrize("count", [1, 11])
@pytest.mark.parametrize("batch_size", [1, 4, 512])
def test_predictions_keep_the_order_of_the_data(count, batch_size):
    sizes = []

    def predict(x):
        sizes.append(len(x))
        return x.mean((1, 2, 3))[:, None]

    logits = predict_logits(predict, numbered(count), batch_size)
    assert logits[:, 0].tolist() == list(range(count))
    assert sum(sizes) == count
    assert max(sizes) <= batch_size


def test_predictions_are_float32_without_a_graph_in_the_layout_asked_for():
    weight = torch.ones(2, 3, requires_grad=True)
    layouts = []

    def predict(x):
        layouts.append(x.is_contiguous(memory_format=torch.channels_last))
        return (x.mean((2, 3)) @ weight).bfloat16()

    logits = predict_logits(predict, numbered(5), 2, memory_format=torch.channels_last)
    assert (logits.dtype, logits.requires_grad) == (torch.float32, False)
    assert layouts == [True, True, True]
