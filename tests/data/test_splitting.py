"""Splits: shares by class, groups in one piece, the same seed the same rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data.splitting import split_rows
from discom.errors import ConfigError, DataError

SHARES = (0.7, 0.1, 0.2)
calm = settings(max_examples=20, deadline=None, derandomize=True, database=None)


def is_partition(parts, count):
    """Whether the parts are ascending, disjoint, and together everything."""
    rows = list(parts.values())
    ascending = all((np.diff(part) > 0).all() for part in rows)
    return ascending and np.array_equal(np.sort(np.concatenate(rows)), np.arange(count))


@calm
@given(
    st.lists(st.integers(5, 60), min_size=2, max_size=6),
    st.sampled_from([SHARES, (5 / 11, 1 / 11, 5 / 11), (0.5, 0.25, 0.25)]),
    st.integers(0, 2**31),
)
def test_every_class_is_divided_within_one_sample(counts, fractions, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = split_rows(labels, fractions, seed)
    assert is_partition(rows, len(labels))
    for share, part in zip(fractions, rows.values(), strict=True):
        found = np.bincount(labels[part], minlength=len(counts))
        assert (abs(found - share * np.array(counts)) <= 1 + 1e-9).all()
        assert (found >= 1).all()


@pytest.mark.parametrize(("count", "shares"), [(3, SHARES), (4, (0.1, 0.45, 0.45))])
def test_a_small_class_is_in_every_part(count, shares):
    labels = np.repeat([0, 1], [count, 40])
    assert all((labels[part] == 0).any() for part in split_rows(labels, shares, 0).values())


def test_unlabelled_samples_go_to_the_training_part_and_change_nothing_about_the_others():
    labels = np.tile([0, 1, 2], 40)
    plain = split_rows(labels, SHARES, 0)
    parts = split_rows(np.r_[labels, [-1] * 30], SHARES, 0)
    assert parts["train"].tolist() == [*plain["train"], *range(120, 150)]
    assert all(parts[name].tolist() == plain[name].tolist() for name in ("valid", "test"))


@calm
@given(st.integers(0, 2**31), st.integers(2, 4))
def test_groups_are_never_divided_and_parts_stay_near_their_shares(seed, classes):
    rng = np.random.default_rng(seed)
    groups = np.repeat([f"g{k}" for k in range(60)], rng.integers(1, 8, 60))
    labels = rng.integers(0, classes, len(groups))
    rows = split_rows(labels, SHARES, seed, groups)
    assert is_partition(rows, len(labels))
    parts = [set(groups[part]) for part in rows.values()]
    assert len(set().union(*parts)) == sum(map(len, parts))
    for share, part in zip(SHARES, rows.values(), strict=True):
        assert abs(len(part) / len(labels) - share) < 0.08


@pytest.mark.parametrize(("size", "shares"), [(60, SHARES), (130, (0.3, 0.1, 0.6))])
def test_a_group_larger_than_the_test_part_goes_to_training(size, shares):
    groups = np.concatenate([np.zeros(size, int), np.arange(1, 201 - size)])
    for seed in range(5):
        train, valid, test = split_rows(np.tile([0, 1], 100), shares, seed, groups).values()
        assert (groups[train] == 0).sum() == size
        assert min(len(valid), len(test)) > 0


@pytest.mark.parametrize(
    "fractions",
    [(0.5, 0.5), (0.7, 0.1, 0.3), (0.8, 0.0, 0.2), (1.2, -0.4, 0.2), (0.7, 0.3, float("nan"))],
)
def test_fractions_must_be_three_positive_shares(fractions):
    with pytest.raises(ConfigError, match=r"fractions: \(.*\) are not three positive shares"):
        split_rows(np.tile([0, 1], 10), fractions, 0)


def test_a_class_of_one_group_is_in_training():
    labels, groups = np.repeat([0, 1], [90, 10]), np.arange(100)
    groups[90:] = 90  # class 1 is one group, and the test part is nearest to its size
    with pytest.warns(UserWarning, match=r"mine: the (valid|test) part has no sample of class \[1"):
        parts = split_rows(labels, (0.1, 0.3, 0.6), 0, groups, "mine")
    assert (labels[parts["train"]] == 1).sum() == 10
    assert is_partition(parts, 100)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("count", [3, 4, 5])
@pytest.mark.parametrize("seed", range(3))
def test_few_groups_of_each_class_are_in_every_part(count, seed):
    sizes = np.random.default_rng(seed).integers(5, 30, 4 * count)
    groups = np.repeat(np.arange(4 * count), sizes)
    labels, places = groups % 4, []
    for rows in split_rows(labels, SHARES, seed, groups).values():
        assert set(labels[rows]) == {0, 1, 2, 3}
        places += [*set(groups[rows])]
    assert sorted(places) == list(range(4 * count))


def test_a_class_missing_from_another_part_is_a_warning():
    labels, groups = np.repeat([0, 1], [97, 3]), np.minimum(np.arange(100), 97)
    with pytest.warns(UserWarning, match=r"mine: the (valid|test) part has no sample of class \[1"):
        assert is_partition(split_rows(labels, SHARES, 0, groups, "mine"), 100)


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_groups_than_parts_are_an_error(count):
    labels, groups = np.tile([0, 1], 60), np.repeat(np.arange(count), 120 // count)
    with pytest.raises(DataError, match=r"no group is left for the (valid|test) part"):
        split_rows(labels, SHARES, 0, groups)
