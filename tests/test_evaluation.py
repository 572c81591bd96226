"""Scores against scikit-learn and in closed form, and predictions in the order of the data."""

import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data import Modality, MultiModalData
from discom.data.batches import Images
from discom.evaluation import confusion, predict_logits, scores, weighted_f1

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
    "a class never predicted": {"predicted": [0, 1, 2, 4]},
    "what is predicted is absent": {"labels": [0, 1], "predicted": [1, 2]},
    "nothing right": {"labels": [0, 1], "predicted": [3, 4]},
    "one class": {"labels": [2]},
    "one sample": {"samples": 1},
    "two classes": {"classes": 2},
    "many classes, few samples": {"classes": 30, "samples": 20},
}


def by_sklearn(logits, y, average="weighted"):
    return 100 * sklearn.metrics.f1_score(
        y.numpy(), logits.argmax(1).numpy(), average=average, zero_division=0
    )


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(4))
def test_weighted_f1_is_scikit_learns(name, seed):
    logits, y = draw(seed, **CASES[name])
    value = weighted_f1(logits, y)
    assert value.shape == ()
    assert value.item() == pytest.approx(by_sklearn(logits, y), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_weighted_f1_is_no_other_average(average):
    logits, y = draw(0, labels=[0, 0, 0, 1, 2])
    assert abs(weighted_f1(logits, y).item() - by_sklearn(logits, y, average)) > 1


@pytest.mark.parametrize("labels", [[0, 1, 2], [1, 1, 1], [0, 0, 2]])
def test_perfect_and_all_wrong(labels):
    y = torch.tensor(labels)
    perfect = torch.nn.functional.one_hot(y, 3).float()
    assert weighted_f1(perfect, y).item() == 100
    assert weighted_f1(perfect.roll(1, 1), y).item() == 0
    assert scores(perfect, y)["accuracy"] == 100
    assert scores(perfect.roll(1, 1), y)["accuracy"] == 0


@seeded
@given(st.lists(st.integers(0, 12), min_size=2, max_size=6).filter(any), st.integers(0, 5))
def test_constant_prediction(counts, guess):
    """With a share p of the guessed class: precision p, recall 1, F1 = 2p / (1 + p), and weight
    p."""
    guess %= len(counts)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    logits = torch.zeros(len(y), len(counts))
    logits[:, guess] = 1
    p = counts[guess] / sum(counts)
    assert weighted_f1(logits, y).item() == pytest.approx(
        100 * p * 2 * p / (1 + p), rel=1e-5, abs=1e-6
    )
    assert scores(logits, y)["accuracy"] == pytest.approx(100 * p, rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_scores_do_not_depend_on_the_order_of_samples(seed):
    logits, y = draw(seed)
    rows = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    assert scores(logits[rows], y[rows]) == pytest.approx(scores(logits, y), rel=1e-5)
    assert scores(logits[rows], y) != pytest.approx(scores(logits, y), rel=1e-3)


def test_scores_hold_the_three_numbers():
    logits, y = draw(0)
    found = scores(logits, y)
    assert set(found) == {"f1", "accuracy", "calibration_error"}
    assert all(type(value) is float for value in found.values())
    assert found["f1"] == pytest.approx(by_sklearn(logits, y), rel=1e-5)
    assert found["accuracy"] == pytest.approx(
        100 * (logits.argmax(1) == y).float().mean().item(), rel=1e-6
    )


@pytest.mark.parametrize("name", CASES)
def test_confusion_is_scikit_learns(name):
    logits, y = draw(1, **CASES[name])
    classes = logits.shape[1]
    expected = sklearn.metrics.confusion_matrix(
        y.numpy(), logits.argmax(1).numpy(), labels=range(classes)
    )
    found = confusion(logits, y)
    assert found.shape == (classes, classes)
    assert found.tolist() == expected.tolist()


def test_confusion_has_the_truth_in_its_rows():
    logits = torch.tensor([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    assert confusion(logits, torch.tensor([0, 0, 0])).tolist() == [[1, 2], [0, 0]]


def confident(groups):
    """Two-class logits: (confidence, samples, how many of them right) for each group; class 0 is
    always predicted."""
    logits, y = [], []
    for confidence, samples, right in groups:
        logits += [[np.log(confidence), np.log(1 - confidence)]] * samples
        y += [0] * right + [1] * (samples - right)
    return torch.tensor(logits, dtype=torch.float32), torch.tensor(y)


@pytest.mark.parametrize(
    ("groups", "error"),
    [
        ([(0.8, 10, 8)], 0.0),  # right as often as it says
        ([(0.61, 100, 61), (0.75, 4, 3), (0.9, 10, 9)], 0.0),
        ([(0.99, 10, 5)], 0.49),  # too sure
        ([(0.6, 10, 10)], 0.4),  # not sure enough
        (
            [(0.9, 10, 5), (0.55, 30, 30)],
            (10 * 0.4 + 30 * 0.45) / 40,
        ),  # errors of bins add up, with their sizes
        (
            [(0.81, 10, 10), (0.86, 10, 6)],
            0.035,
        ),  # one bin of 15 holds both: (0.81 + 0.86 - 1.0 - 0.6) / 2
        ([(0.81, 10, 10), (0.88, 10, 6)], (0.19 + 0.28) / 2),  # two bins of 15, though one of 10
    ],
)
def test_calibration_error(groups, error):
    assert scores(*confident(groups))["calibration_error"] == pytest.approx(error, abs=1e-5)


def numbered(count, folder=None):
    """Images that hold their own number; saved and opened again, they stay on disk."""
    x = np.arange(count, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 4, 4), np.float32)
    y = np.arange(count) % 2
    data = MultiModalData({"rgb": Modality(x, y, np.arange(count))}, ("a", "b"))
    if folder is None:
        return data
    data.save(folder / "saved")
    return MultiModalData.open(folder / "saved")


def number(x):
    return x.flatten(1).mean(1, keepdim=True).expand(-1, 3)


@pytest.mark.parametrize("count", [1, 4, 11])
@pytest.mark.parametrize("batch_size", [1, 4, 512])
@pytest.mark.parametrize("resident_bytes", [0, 1 << 30])
def test_predictions_keep_the_order_of_the_data(count, batch_size, resident_bytes):
    seen = []

    def predict(x):
        seen.append(len(x))
        return number(x)

    logits = predict_logits(
        predict, Images(numbered(count), "rgb", "cpu", resident_bytes), batch_size
    )
    assert logits.shape == (count, 3)
    assert logits[:, 0].tolist() == list(range(count))
    assert sum(seen) == count
    assert max(seen) <= batch_size


@pytest.mark.parametrize("resident_bytes", [0, 1 << 30])
def test_predictions_from_a_memory_map(tmp_path, resident_bytes):
    data = numbered(11, tmp_path)
    assert isinstance(data.modalities["rgb"].x, np.memmap)
    images = Images(data, "rgb", "cpu", resident_bytes)
    assert (images.resident is None) == (resident_bytes == 0)
    assert predict_logits(number, images, 4)[:, 0].tolist() == list(range(11))
    chosen = np.array([7, 2, 9, 0])
    part = Images(data.take(chosen), "rgb", "cpu", resident_bytes)
    assert predict_logits(number, part, 3)[:, 0].tolist() == [7, 2, 9, 0]


def test_predictions_are_float32_without_a_graph_in_the_layout_asked_for():
    weight = torch.ones(2, 3, requires_grad=True)
    layouts = []

    def predict(x):
        layouts.append(x.is_contiguous(memory_format=torch.channels_last))
        return (x.mean((2, 3)) @ weight).bfloat16()

    logits = predict_logits(
        predict, Images(numbered(5), "rgb", "cpu"), 2, memory_format=torch.channels_last
    )
    assert logits.dtype == torch.float32
    assert not logits.requires_grad
    assert layouts == [True, True, True]
