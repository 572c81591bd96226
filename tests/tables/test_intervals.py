"""Intervals of differences, by scipy and by simulation, and Holm's correction against its steps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from discom.tables import holm, labels_worth, paired_difference, unpaired_difference

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=50)


def stretched(scores, overlap):
    """√(1 + n · overlap) times as far from their mean: what has the corrected variance."""
    return scores.mean() + np.sqrt(1 + len(scores) * overlap) * (scores - scores.mean())


@given(st.integers(2, 20), st.integers(0, 2**16), st.sampled_from([0.0, 0.3]))
@seeded
def test_differences_are_scipys_of_stretched_scores(n, seed, overlap):
    rng = np.random.default_rng(seed)
    ours, theirs, others = 80 + rng.normal(size=n), 78 + 3 * rng.normal(size=n), rng.normal(size=7)
    ends = stats.ttest_1samp(stretched(ours - theirs, overlap), 0).confidence_interval()
    expected = pytest.approx(((ours - theirs).mean(), *ends), rel=1e-9)
    assert paired_difference(list(ours), list(theirs), overlap) == expected
    sides = stretched(ours, overlap), stretched(others, overlap)
    ends = stats.ttest_ind(*sides, equal_var=False).confidence_interval()
    expected = pytest.approx((ours.mean() - others.mean(), *ends), rel=1e-9)
    assert unpaired_difference(list(ours), list(others), overlap) == expected


def test_of_one_seed_there_is_no_interval_and_equal_differences_have_no_width():
    assert paired_difference([5.0], [3.5]) == pytest.approx((1.5, math.nan, math.nan), nan_ok=True)
    assert paired_difference([12.0, 22.0, 42.0], [10.0, 20.0, 40.0]) == (2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match="give one of each"):
        paired_difference([1.0, 2.0], [1.0, 2.0, 3.0])


@seeded
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_its_steps_reject(p):
    """Holm's steps: up the sorted values, stopping at the first above α / (m - j + 1)."""
    alpha, rejected = 0.05, set()
    for step, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] * (len(p) - step) > alpha:
            break
        rejected.add(int(place))
    assert {int(place) for place in np.flatnonzero(holm(p) <= alpha)} == rejected
    assert (holm(p) >= np.asarray(p)).all()


@pytest.mark.parametrize("p", [[-0.1], [0.2, 1.2], [np.nan]])
def test_holm_refuses_what_is_no_p_value(p):
    with pytest.raises(ValueError, match="give p-values"):
        holm(p)


# ---------------------------------------------------------------- what a gain is worth in labels


def student(labels, seeds):
    """Ten points for each doubling of the labels, from 40 with 200 on, and what the seed adds."""
    return {number: 40 + 10 * math.log2(number / 200) + seeds for number in labels}


def test_labels_are_read_from_a_straight_curve_as_by_hand():
    """Gains 20 ± d are worth 200 · 2^(2 ± d / 10) labels; the interval is scipy's."""
    rng = np.random.default_rng(0)
    seeds, noise = rng.normal(size=6), rng.normal(size=6)
    curve = student([200, 400, 800, 1600], seeds)
    mean, low, high = paired_difference(60 + noise, np.full(6, 60.0))
    expected = [800 * 2 ** (d / 10) for d in (mean, low, high)]
    assert labels_worth(60 + seeds + noise, curve) == pytest.approx(expected, rel=2e-3)
    other = dict(reversed(curve.items()))  # in any order
    assert labels_worth(60 + seeds + noise, other) == labels_worth(60 + seeds + noise, curve)


def test_beyond_the_curve_the_number_is_said_to_be_outside():
    seeds = np.array([-1.0, 0.0, 1.0])
    curve = student([200, 400, 800], seeds)
    assert labels_worth(80 + seeds, curve) == (math.inf, math.inf, math.inf)
    assert labels_worth(20 + seeds, curve) == (0, 0, 0)
    number, low, high = labels_worth([59.0, 62.0, 58.5], curve)  # as good as with 800, about
    assert 400 < low < number < 800 < high == math.inf
    number, low, high = labels_worth([39.0, 42.0, 41.5], curve)
    assert low == 0 < 200 < number < high < 400
    falls = {100: [40.0, 42, 41], 200: [55, 56, 57.5], 400: [45, 46, 47], 800: [60, 61, 62.5]}
    number, low, high = labels_worth([50.0, 52, 51], falls)  # it is passed three times
    assert 100 < low < number < 200 < 400 < high < 800


BAD = [
    ([1.0, math.nan], {1: [1, 2], 2: [1, 2]}),
    ([1, 2], {0: [1, 2], 2: [3, 4]}),
    ([1.0], {1: [1.0], 2: [1.0]}),
    ([1.0, 2.0], {1: [1.0, 2.0]}),
    ([1.0, 2.0, 3.0], {1: [1.0, 2.0], 2: [1.0, 2.0]}),
]


@pytest.mark.parametrize(("scores", "curve"), BAD)
def test_scores_that_give_no_number_of_labels_are_refused(scores, curve):
    with pytest.raises(ValueError, match="labels_worth"):
        labels_worth(scores, curve)


@pytest.mark.parametrize(("gain", "slope"), [(15.0, 10.0), (3.0, 2.0)])
def test_the_interval_covers_the_true_number_in_95_of_100(gain, slope):
    """Also where the curve is flat, since its own noise counts."""
    rng, hits, labels = np.random.default_rng(1), 0, np.array([200, 400, 800, 1600])
    for _ in range(400):
        seeds = rng.normal(size=10)
        rise = slope * np.log2(labels / 200)[:, None]
        scores = 40 + rise + seeds + rng.normal(size=(4, 10)) / 2
        curve = dict(zip(labels.tolist(), scores, strict=True))
        _, low, high = labels_worth(40 + gain + seeds + rng.normal(size=10) / 2, curve)
        hits += low <= 200 * 2 ** (gain / slope) <= high
    assert 0.92 <= hits / 400 <= 0.98
