"""Scores of dense prediction: scikit-learn's values, closed forms, properties, and wrong copies
that must fail."""

import json
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from discom.errors import DataError
from discom.evaluation.dense import (
    boundary,
    boundary_scores,
    class_iou,
    confusion_pixels,
    dense_scores,
    mean_iou,
    mean_iou_per_image,
)

NAMES = ("grass", "crop", "tree", "water", "snow")


def draw(seed=0, images=6, size=(9, 7), classes=5, absent=(), ignored=0.2, dtype=torch.int64):
    """Predictions that are right in about half of the pixels; `absent` classes are predicted but
    have no label."""
    rng = np.random.default_rng(seed)
    predicted = rng.integers(0, classes, (images, *size))
    labels = np.where(
        rng.random(predicted.shape) < 0.5, predicted, rng.integers(0, classes, predicted.shape)
    )
    labels[np.isin(labels, absent) | (rng.random(labels.shape) < ignored)] = 255
    return torch.from_numpy(predicted).to(dtype), torch.from_numpy(labels).to(dtype)


def sklearns(predicted, labels, classes=5):
    """Percent [C], NaN where a class has no label."""
    seen = labels != 255
    truth, said = labels[seen].numpy(), predicted[seen].numpy()
    iou = 100 * jaccard_score(truth, said, labels=range(classes), average=None, zero_division=0)
    return np.where(np.isin(np.arange(classes), truth), iou, np.nan)


def sklearns_per_image(predicted, labels, classes=5):
    found = [
        sklearns(p, y, classes) for p, y in zip(predicted, labels, strict=True) if (y != 255).any()
    ]
    return np.mean([np.nanmean(iou) for iou in found])


# ---------------------------------------------------------------- scikit-learn's


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
@pytest.mark.parametrize("absent", [(), (4,), (0, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_iou_is_scikit_learns(seed, absent, dtype):
    predicted, labels = draw(seed, absent=absent, dtype=dtype)
    expected = sklearns(predicted, labels)
    assert np.isnan(expected).sum() == len(absent)
    np.testing.assert_allclose(class_iou(predicted, labels, 5), expected, rtol=1e-6)
    assert mean_iou(predicted, labels, 5).item() == pytest.approx(np.nanmean(expected))
    assert mean_iou_per_image(predicted, labels, 5).item() == pytest.approx(
        sklearns_per_image(predicted, labels)
    )


@pytest.mark.parametrize("mixed", [(torch.uint8, torch.int64), (torch.int64, torch.uint8)])
def test_the_two_may_have_different_types(mixed):
    predicted, labels = draw()
    held = predicted.to(mixed[0]), labels.to(mixed[1])
    for score in (class_iou, mean_iou, mean_iou_per_image, confusion_pixels):
        torch.testing.assert_close(score(*held, 5), score(predicted, labels, 5), rtol=0, atol=0)


def test_many_classes_of_one_byte_do_not_wrap_round():
    predicted, labels = draw(classes=200, size=(40, 40), dtype=torch.uint8)
    np.testing.assert_allclose(
        class_iou(predicted, labels, 200), sklearns(predicted, labels, 200), rtol=1e-5
    )
    expected = sklearns_per_image(predicted, labels, 200)
    assert mean_iou_per_image(predicted, labels, 200).item() == pytest.approx(expected, rel=1e-5)
    assert confusion_pixels(predicted, labels, 200).sum() == (labels != 255).sum()


@pytest.mark.parametrize("seed", range(3))
def test_confusion_is_scikit_learns_with_the_truth_in_rows(seed):
    predicted, labels = draw(seed)
    seen = labels != 255
    found = confusion_pixels(predicted, labels, 5)
    assert (
        found.tolist() == confusion_matrix(labels[seen], predicted[seen], labels=range(5)).tolist()
    )
    assert found.sum(1).tolist() == [(labels == k).sum() for k in range(5)]


def test_an_image_without_a_label_is_left_out():
    predicted, labels = draw()
    with_empty = torch.cat([labels, torch.full_like(labels[:2], 255)])
    more = torch.cat([predicted, predicted[:2]])
    assert mean_iou_per_image(more, with_empty, 5) == mean_iou_per_image(predicted, labels, 5)
    assert mean_iou(more, with_empty, 5) == mean_iou(predicted, labels, 5)


# ---------------------------------------------------------------- closed forms


def planes(shift=0, width=32, height=8):
    """Left half class 0, right half class 1, the change `shift` columns further right."""
    return (torch.arange(width) >= width // 2 + shift).long().expand(1, height, width).clone()


@pytest.mark.parametrize("k", [0, 1, 5, 15])
def test_two_half_planes_shifted_by_k_columns(k):
    """Halves of w columns: class 1 keeps w - k of w; class 0 has w of w + k."""
    w = 16
    zero, one = class_iou(planes(k), planes(), 2).tolist()
    assert one == pytest.approx(100 * (w - k) / w)
    assert zero == pytest.approx(100 * w / (w + k))


@pytest.mark.parametrize("k", [0, 1, 4, 9, 12])
def test_a_band_shifted_by_k_columns_has_w_minus_k_over_w_plus_k(k):
    column, w = torch.arange(40), 12
    truth, said = (
        ((column >= left) & (column < left + w)).long().expand(1, 6, 40) for left in (8, 8 + k)
    )
    assert class_iou(said, truth, 2)[1].item() == pytest.approx(100 * (w - k) / (w + k))


def test_what_is_perfect_has_100_and_what_is_swapped_0():
    _, labels = draw()
    predicted = labels.where(labels != 255, 3)
    perfect = dense_scores(predicted, labels, NAMES)
    assert set(perfect.values()) == {100.0}
    swapped = dense_scores((predicted + 1) % 5, labels, NAMES)
    assert set(swapped.values()) == {0.0}
    assert boundary_scores(predicted, labels, 5)["near"] == 100


def test_one_class_everywhere_has_its_share_and_the_others_nothing():
    labels = torch.tensor([[[0, 0, 0, 1], [1, 2, 255, 255]]])
    assert class_iou(torch.zeros_like(labels), labels, 3).tolist() == [50, 0, 0]
    assert mean_iou(torch.zeros_like(labels), labels, 3).item() == pytest.approx(50 / 3)


def test_per_image_and_pooled_differ_as_worked_out():
    """Image 1: class 0 3/4, class 1 0; image 2, ten times as large: all right, class 1. See the
    docstring."""
    truth = torch.tensor([[[0, 0, 0, 1] + [255] * 6], [[1] * 10]])
    said = torch.tensor([[[0, 0, 0, 0] + [1] * 6], [[1] * 10]])
    assert mean_iou_per_image(said, truth, 2).item() == pytest.approx((100 * 3 / 8 + 100) / 2)
    assert mean_iou(said, truth, 2).item() == pytest.approx(100 * (3 / 4 + 10 / 11) / 2)


def test_of_one_image_the_two_are_the_same():
    predicted, labels = draw(images=1)
    assert mean_iou_per_image(predicted, labels, 5).item() == pytest.approx(
        mean_iou(predicted, labels, 5).item()
    )


def test_a_class_that_is_absent_but_predicted_costs_the_classes_that_are_there():
    labels = torch.tensor([[[0, 0, 1, 1]]])
    found = class_iou(torch.tensor([[[0, 2, 1, 1]]]), labels, 3)
    assert found[:2].tolist() == [50, 100]
    assert found[2].isnan()
    assert mean_iou(torch.tensor([[[0, 2, 1, 1]]]), labels, 3).item() == 75
    assert mean_iou_per_image(torch.tensor([[[0, 2, 1, 1]]]), labels, 3).item() == 75


# ---------------------------------------------------------------- properties


@st.composite
def answers(draw_):
    images, height, width, classes = (draw_(st.integers(1, top)) for top in (4, 4, 4, 4))
    cells = images * height * width
    truth = draw_(st.lists(st.sampled_from([*range(classes), 255]), min_size=cells, max_size=cells))
    truth[draw_(st.integers(0, cells - 1))] = 0  # at least one label
    said = draw_(st.lists(st.integers(0, classes - 1), min_size=cells, max_size=cells))
    shape = (images, height, width)
    return torch.tensor(said).view(shape), torch.tensor(truth).view(shape), classes


@settings(max_examples=60, deadline=None, derandomize=True)
@given(answers(), st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_motion_of_images_counts(given_, random):
    predicted, labels, classes = given_
    rows = random.sample(range(len(labels)), len(labels))
    for score in (mean_iou, mean_iou_per_image):
        expected = pytest.approx(score(predicted, labels, classes).item(), abs=1e-4)
        assert score(predicted[rows], labels[rows], classes).item() == expected
        assert score(predicted.flip(2), labels.flip(2), classes).item() == expected
    torch.testing.assert_close(
        class_iou(predicted[rows], labels[rows], classes),
        class_iou(predicted, labels, classes),
        equal_nan=True,
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(answers())
def test_what_is_said_of_a_pixel_without_a_label_does_not_count(given_):
    predicted, labels, classes = given_
    other = predicted.where(labels != 255, classes - 1 - predicted)
    names = NAMES[:classes]
    assert dense_scores(other, labels, names) == dense_scores(predicted, labels, names)
    assert np.isclose(
        list(boundary_scores(other, labels, classes).values()),
        list(boundary_scores(predicted, labels, classes).values()),
        equal_nan=True,
    ).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(answers())
def test_pooled_scores_follow_from_the_confusion_and_stay_within_their_bounds(given_):
    predicted, labels, classes = given_
    counts = confusion_pixels(predicted, labels, classes).double()
    hits, rows, columns = counts.diagonal(), counts.sum(1), counts.sum(0)
    expected = (100 * hits / (rows + columns - hits)).where(rows > 0, torch.nan)
    torch.testing.assert_close(
        class_iou(predicted, labels, classes).double(), expected, equal_nan=True
    )
    found = dense_scores(predicted, labels, NAMES[:classes])
    assert found["accuracy"] == pytest.approx(100 * (hits.sum() / counts.sum()).item())
    assert all(0 <= value <= 100 for value in found.values())


# ---------------------------------------------------------------- all scores of a test part


def test_dense_scores_are_plain_numbers_under_their_names():
    predicted, labels = draw(absent=(2,), dtype=torch.uint8)
    found = dense_scores(predicted, labels, NAMES)
    assert json.loads(json.dumps(found)) == found
    present = [name for name in NAMES if name != "tree"]
    assert list(found) == [
        "miou",
        "miou_per_image",
        "accuracy",
        *(f"iou/{name}" for name in present),
    ]
    seen = labels != 255
    assert found["accuracy"] == pytest.approx(100 * accuracy_score(labels[seen], predicted[seen]))
    assert found["miou"] == pytest.approx(np.nanmean(sklearns(predicted, labels)))
    assert found["miou"] == pytest.approx(np.mean([found[f"iou/{name}"] for name in present]))
    assert found["miou_per_image"] == pytest.approx(sklearns_per_image(predicted, labels))


# ---------------------------------------------------------------- boundaries


def boundary_by_loops(labels, width):
    """From every pair of touching pixels with two labels, all that is within width - 1 rows and
    columns of either."""
    found = np.zeros(labels.shape, bool)
    for n, mask in enumerate(labels.numpy()):
        for (row, column), one in np.ndenumerate(mask):
            around = mask[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            if one != 255 and ((around != one) & (around != 255)).any():
                reach = width - 1
                found[
                    n,
                    max(row - reach, 0) : row + reach + 1,
                    max(column - reach, 0) : column + reach + 1,
                ] = True
    return found


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_boundary_is_found_as_loops_find_it(width, dtype):
    rng = np.random.default_rng(width)
    coarse = rng.integers(0, 3, (4, 4, 5)).repeat(5, 1).repeat(4, 2)
    labels = torch.from_numpy(np.where(rng.random(coarse.shape) < 0.2, 255, coarse)).to(dtype)
    found = boundary(labels, width)
    assert found.dtype == torch.bool
    assert 0.05 < found.float().mean() < 1
    np.testing.assert_array_equal(found, boundary_by_loops(labels, width))


@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_straight_boundary_has_its_width_on_both_sides_and_the_border_of_the_image_is_none(width):
    found = boundary(planes(), width)
    columns = found.all(1)[0]
    assert (columns == found.any(1)[0]).all()
    assert columns.nonzero().flatten().tolist() == list(range(16 - width, 16 + width))
    assert not boundary(torch.zeros(2, 5, 5, dtype=torch.uint8), width).any()


def test_pixels_without_a_label_make_no_boundary():
    labels = torch.zeros(1, 7, 7, dtype=torch.uint8)
    labels[:, 3] = 255
    assert not boundary(labels).any()
    labels[:, 4:] = 1  # what lies between two classes keeps them apart
    assert not boundary(labels).any()
    labels[:, 3, 3] = 0
    assert boundary(labels, 1)[0, 4, 2:5].all()


def test_accuracy_near_and_away_is_counted_by_hand():
    labels = planes()
    predicted = labels.clone()
    predicted[:, :2, 15] = 1  # near: 2 of 32
    predicted[:, 0, :8] = 1  # away: 8 of 224
    labels[:, 7, 14:18] = 255
    found = boundary_scores(predicted, labels, 2)
    assert found == pytest.approx({"near": 100 * 26 / 28, "away": 100 * (1 - 8 / 224)})
    wider = boundary_scores(predicted, labels, 2, width=16)
    assert wider["near"] == pytest.approx(100 * (1 - 10 / 252))
    assert math.isnan(wider["away"])


def test_a_shifted_boundary_has_all_its_errors_near():
    assert boundary_scores(planes(1), planes(), 2) == {"near": 75.0, "away": 100.0}
    assert boundary_scores(planes(2), planes(), 2) == {"near": 50.0, "away": 100.0}


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "score", [mean_iou, mean_iou_per_image, lambda p, y, c: dense_scores(p, y, NAMES[:c])]
)
def test_without_any_label_there_is_no_score(score):
    labels = torch.full((2, 3, 3), 255, dtype=torch.uint8)
    with pytest.raises(
        DataError, match="no pixel of these images has a label; give images with masks"
    ):
        score(torch.zeros_like(labels), labels, 3)
    assert class_iou(torch.zeros_like(labels), labels, 3).isnan().all()
    assert confusion_pixels(torch.zeros_like(labels), labels, 3).sum() == 0


@pytest.mark.parametrize(
    "score", [class_iou, mean_iou, mean_iou_per_image, confusion_pixels, boundary_scores]
)
def test_ids_that_are_no_class_and_shapes_that_differ_are_refused(score):
    predicted, labels = draw()
    with pytest.raises(DataError, match=r"predictions hold the id 4; give ids from 0 to 3$"):
        score(predicted.where(predicted == 4, 0), labels, 4)
    with pytest.raises(
        DataError, match="labels hold the id 4; give ids from 0 to 3, and 255 for no label"
    ):
        score(predicted % 4, labels, 4)
    with pytest.raises(DataError, match="labels hold the id -1"):
        score(predicted, labels.where(labels != 255, -1), 5)
    with pytest.raises(DataError, match=r"predictions hold the id 255; give ids from 0 to 4$"):
        score(labels, predicted, 5)
    with pytest.raises(DataError, match=r"predictions \[6, 9, 7\] and labels \[5, 9, 7\]"):
        score(predicted, labels[1:], 5)
    with pytest.raises(DataError, match=r"as \[N, H, W\]"):
        score(predicted[0], labels[0], 5)


@pytest.mark.parametrize("width", [0, -1])
def test_a_boundary_has_a_width(width):
    with pytest.raises(DataError, match=f"width {width}; give"):
        boundary(planes(), width)


# ---------------------------------------------------------------- wrong copies


def counts_ignored(predicted, labels, classes):
    """Takes pixels without a label for class 0."""
    return class_iou(predicted, labels.where(labels != 255, 0), classes)


def absent_is(value):
    def wrong(predicted, labels, classes):
        return class_iou(predicted, labels, classes).nan_to_num(value)

    return wrong


def ignores_predictions_of_absent_classes(predicted, labels, classes):
    """Leaves pixels out where the class that is said has no label anywhere."""
    there = torch.isin(predicted, labels[labels != 255])
    return class_iou(predicted.where(there, 0), labels.where(there, 255), classes)


def dice(predicted, labels, classes):
    iou = class_iou(predicted, labels, classes) / 100
    return 100 * 2 * iou / (1 + iou)


@pytest.mark.parametrize(
    "wrong",
    [counts_ignored, absent_is(0.0), absent_is(100.0), ignores_predictions_of_absent_classes, dice],
)
def test_a_wrong_copy_differs_from_scikit_learn(wrong):
    predicted, labels = draw(absent=(4,))
    expected = sklearns(predicted, labels)
    np.testing.assert_allclose(class_iou(predicted, labels, 5), expected, rtol=1e-6)
    assert not np.allclose(wrong(predicted, labels, 5), expected, rtol=1e-3, equal_nan=True)
    assert not np.isclose(
        wrong(predicted, labels, 5).nanmean().item(), np.nanmean(expected), rtol=1e-3
    )


def test_a_mean_over_all_classes_of_an_image_would_differ():
    """Per image too, a class counts only where it is present: 0 or 100 for the others is another
    score."""
    predicted, labels = draw(absent=(4,))
    images = [class_iou(predicted[[n]], labels[[n]], 5) for n in range(len(labels))]
    found = mean_iou_per_image(predicted, labels, 5).item()
    assert found == pytest.approx(np.mean([iou.nanmean().item() for iou in images]))
    for value in (0.0, 100.0):
        assert np.mean([iou.nan_to_num(value).mean().item() for iou in images]) != pytest.approx(
            found, rel=1e-2
        )


def test_no_score_warns():
    predicted, labels = draw(absent=(4,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dense_scores(predicted, labels, NAMES)
        boundary_scores(predicted, labels, 5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_the_values_are_the_same():
    predicted, labels = draw()
    there = predicted.cuda(), labels.cuda()
    assert dense_scores(*there, NAMES) == pytest.approx(dense_scores(predicted, labels, NAMES))
    assert boundary_scores(*there, 5) == pytest.approx(boundary_scores(predicted, labels, 5))
    assert confusion_pixels(*there, 5).device.type == "cuda"
