"""Intervals of differences, by scipy and by simulation, and Holm's correction against its steps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from discom.tables import holm, paired_difference

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=50)


@given(st.integers(2, 20), st.integers(0, 2**16))
@seeded
def test_differences_are_scipys(n, seed):
    rng = np.random.default_rng(seed)
    ours, theirs = 80 + rng.normal(size=n), 78 + 3 * rng.normal(size=n)
    ends = stats.ttest_1samp(ours - theirs, 0).confidence_interval()
    expected = pytest.approx(((ours - theirs).mean(), *ends), rel=1e-9)
    assert paired_difference(list(ours), list(theirs)) == expected


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
