"""Splits: shares by class, groups in one piece, the same seed the same rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data.splitting import PARTS, split_rows
from discom.errors import ConfigError, DataError

SHARES = [(0.7, 0.1, 0.2), (5 / 11, 1 / 11, 5 / 11), (0.5, 0.25, 0.25), (0.6, 0.2, 0.2)]
calm = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def partition(rows, count):
    """Whether the parts are disjoint, ascending, and together everything."""
    ascending = all((np.diff(part) > 0).all() for part in rows)
    return ascending and np.array_equal(np.sort(np.concatenate(rows)), np.arange(count))


@calm
@given(
    st.lists(st.integers(5, 60), min_size=2, max_size=6),
    st.sampled_from(SHARES),
    st.integers(0, 2**31),
)
def test_every_class_is_divided_within_one_sample(counts, fractions, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = split_rows(labels, fractions, seed)
    assert partition(rows, len(labels))
    for share, part in zip(fractions, rows, strict=True):
        held = np.bincount(labels[part], minlength=len(counts))
        assert (abs(held - share * np.array(counts)) <= 1 + 1e-9).all()
        assert (held >= 1).all()


def test_three_samples_of_a_class_give_one_to_each_part():
    labels = np.repeat([0, 1, 2], [3, 3, 100])
    for part in split_rows(labels, (0.7, 0.1, 0.2), seed=0):
        assert (np.bincount(labels[part])[:2] == 1).all()


@pytest.mark.parametrize("grouped", [False, True])
def test_seed_decides(grouped):
    labels = np.tile([0, 1], 100)
    groups = np.arange(200) // 2 if grouped else None
    first, again, other = (
        np.concatenate(split_rows(labels, SHARES[0], seed, groups)) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@calm
@given(st.integers(0, 2**31), st.integers(2, 4), st.booleans())
def test_groups_are_never_divided_and_classes_stay_near_their_shares(seed, classes, named):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(60), rng.integers(1, 8, 60))
    labels = rng.integers(0, classes, len(groups))
    rows = split_rows(
        labels, (0.7, 0.1, 0.2), seed, np.array([f"g{g}" for g in groups]) if named else groups
    )
    assert partition(rows, len(labels))
    parts = [set(groups[part]) for part in rows]
    assert len(set().union(*parts)) == sum(map(len, parts))  # disjoint
    for share, part in zip((0.7, 0.1, 0.2), rows, strict=True):
        assert abs(len(part) / len(labels) - share) < 0.08


@pytest.mark.parametrize("seed", range(10))
def test_oversized_group_goes_to_train(seed):
    labels = np.tile([0, 1], 100)
    groups = np.concatenate(
        [np.zeros(60, int), np.arange(1, 141)]
    )  # 60 of 200 are more than the test part's share
    train, valid, test = split_rows(labels, (0.7, 0.1, 0.2), seed, groups)
    assert (groups[train] == 0).sum() == 60
    assert abs(len(train) - 140) <= 2
    assert abs(len(valid) - 20) <= 2
    assert abs(len(test) - 40) <= 2


@pytest.mark.parametrize("seed", range(5))
def test_oversized_group_goes_to_train_even_where_test_has_more_room(seed):
    groups = np.concatenate([np.zeros(130, int), np.arange(1, 71)])
    train, valid, test = split_rows(np.tile([0, 1], 100), (0.3, 0.1, 0.6), seed, groups)
    assert (groups[train] == 0).sum() == 130
    assert min(len(valid), len(test)) > 0


def test_a_divided_group_would_be_noticed():
    """The mutation: splitting by class alone divides groups, so the test above can fail."""
    labels, groups = np.tile([0, 1], 100), np.arange(200) // 4
    train, _, test = split_rows(labels, (0.7, 0.1, 0.2), 0)
    assert set(groups[train]) & set(groups[test])


@pytest.mark.parametrize(
    "fractions",
    [(0.5, 0.5), (0.7, 0.1, 0.3), (0.8, 0.0, 0.2), (1.2, -0.4, 0.2), (0.25, 0.25, 0.25, 0.25)],
)
def test_fractions_must_be_three_positive_shares(fractions):
    with pytest.raises(
        ConfigError, match=r"fractions: \(.*\) are not three positive shares with sum 1, such as"
    ):
        split_rows(np.tile([0, 1], 10), fractions, 0)


def test_fractions_with_nan_are_refused():
    with pytest.raises(ConfigError, match="fractions"):
        split_rows(np.tile([0, 1], 10), (0.7, 0.3, float("nan")), 0)


@pytest.mark.filterwarnings("ignore:.*part has no sample")
def test_class_without_a_training_group_is_an_error():
    labels, groups = np.repeat([0, 1], [90, 10]), np.arange(100)
    groups[90:] = 90  # class 1 is one group, and the test part is nearest to its size
    with pytest.raises(
        DataError, match=r"^mine: the training part has no group of class 1; take another seed$"
    ):
        split_rows(labels, (0.1, 0.3, 0.6), 0, groups, "mine")


def test_class_missing_from_another_part_is_a_warning():
    labels = np.array([0] * 97 + [1] * 3)
    groups = np.concatenate([np.arange(97), [97] * 3])
    with pytest.warns(
        UserWarning, match=r"mine: the (valid|test) part has no sample of class \[1\]"
    ):
        rows = split_rows(labels, (0.7, 0.1, 0.2), 0, groups, "mine")
    assert partition(rows, 100)


@pytest.mark.parametrize("count", [1, 3, 4])
@pytest.mark.filterwarnings("ignore:.*part has no sample")
def test_too_few_groups_are_an_error_or_fill_every_part(count):
    labels, groups = np.tile([0, 1], 60), np.repeat(np.arange(count), 120 // count)
    try:
        rows = split_rows(labels, (0.7, 0.1, 0.2), 0, groups)
    except DataError:
        return
    assert all(len(part) for part in rows), dict(zip(PARTS, map(len, rows), strict=True))


def test_small_class_keeps_a_training_sample_whatever_the_shares():
    labels = np.repeat([0, 1], [4, 40])
    train, valid, test = split_rows(labels, (0.1, 0.45, 0.45), 0)
    assert all((labels[part] == 0).any() for part in (train, valid, test))
