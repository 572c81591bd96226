"""Folds: every labelled sample is tested once, a group is never divided, validation is apart."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, StratifiedGroupKFold

from discom.data import Modality, MultiModalData
from discom.errors import ConfigError, DataError

calm = settings(max_examples=12, deadline=None, derandomize=True, database=None)
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*has no sample of class", "ignore:.*single samples"
)


def make(labels, groups=None, **fields):
    """Samples of these classes, whose one pixel is their number."""
    labels, ids = np.asarray(labels), np.arange(len(labels))
    x = ids.astype("float32").reshape(-1, 1, 1, 1)
    names = tuple(f"c{k}" for k in range(max(labels.max() + 1, 2)))
    groups = None if groups is None else np.asarray(groups)
    return MultiModalData({"rgb": Modality(x, labels, ids)}, names, groups=groups, **fields)


@st.composite
def data_sets(draw):
    """Groups of unequal size and classes, some samples without a label."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    sizes = rng.integers(1, 12, draw(st.integers(24, 60)))
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    labels = rng.integers(0, draw(st.integers(2, 4)), len(groups))
    return make(
        np.where(rng.random(len(groups)) < draw(st.sampled_from([0, 0.3])), -1, labels), groups
    )


def broken(data, folds):
    """What is wrong with these folds: a list, empty where nothing is."""
    tested = np.concatenate([fold.test.ids for fold in folds])
    found = [] if sorted(tested) == np.flatnonzero(data.labels >= 0).tolist() else ["tested once"]
    for train, valid, test in folds:
        groups = [set(data.groups[part.ids]) for part in (train, valid, test)]
        found += ["divided"] * (len(set().union(*groups)) < sum(map(len, groups)))
        found += ["a class"] * (set(train.labels) - {-1} != set(data.labels) - {-1})
        found += ["not labelled"] * (-1 in [*valid.labels, *test.labels])
    return found


@calm
@given(data_sets(), st.integers(2, 6), st.integers(0, 2**31))
def test_every_labelled_sample_is_tested_once_and_no_group_is_divided(data, k, seed):
    folds = data.folds(k, seed)
    assert len(folds) == k
    assert broken(data, folds) == []
    again, other = data.folds(k, seed), data.folds(k, seed + 1)
    ids = [[part.ids.tolist() for fold in each for part in fold] for each in (folds, again, other)]
    assert ids[0] == ids[1] != ids[2]
    for train, valid, _ in folds:
        assert 0.03 < len(valid) / (data.labels >= 0).sum() < 0.25
        assert valid.normalization == train.normalization
        assert train.normalization["rgb"].low >= train.modalities["rgb"].x.min()


def test_folds_that_divide_groups_are_caught():
    data = make(np.tile([0, 1], 60), np.arange(120) // 4)
    folds = data.folds(4)
    assert broken(data, folds) == []
    plain = KFold(4, shuffle=True, random_state=0).split(data.ids)
    wrong = [
        type(fold)(*map(data.take, (rest[12:], rest[:12], test)))
        for (rest, test), fold in zip(plain, folds, strict=True)
    ]
    assert set(broken(data, wrong)) == {"divided"}
    assert "tested once" in broken(data, [*folds[:3], folds[0]])


@pytest.mark.parametrize("groups", [None, np.arange(200) % 100])
def test_classes_are_balanced_as_by_scikit_learn(groups):
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [120, 60, 20]))
    data = make(labels, groups)

    def spread(tests):
        return np.ptp([np.bincount(labels[rows], minlength=3) for rows in tests], axis=0).max()

    ours = np.mean([spread([fold.test.ids for fold in data.folds(5, s)]) for s in range(5)])
    own = np.arange(200) if groups is None else groups
    theirs = (StratifiedGroupKFold(5, shuffle=True, random_state=s) for s in range(5))
    assert ours <= np.mean([spread([t for _, t in cv.split(labels, labels, own)]) for cv in theirs])


def test_a_group_above_a_kth_of_the_samples_is_a_fold_of_its_own():
    groups = np.r_[np.zeros(60, int), np.ones(45, int), np.arange(2, 77)]
    data = make(np.tile([0, 1, 2], 60), groups)
    tested = [set(groups[fold.test.ids]) for fold in data.folds(5)]
    assert sorted(map(len, tested))[:2] == [1, 1]
    assert {0} in tested
    assert {1} in tested


def test_official_parts_are_ignored_and_dense_data_are_divided_as_if_of_one_class():
    data = make(np.tile([0, 1], 30), np.arange(60) // 3)
    rows = {"train": np.arange(20), "valid": np.arange(20, 40), "test": np.arange(40, 60)}
    official = replace(data, parts=rows)
    for ours, theirs in zip(official.folds(3), data.folds(3), strict=True):
        assert ours.test.ids.tolist() == theirs.test.ids.tolist()
    masks = np.zeros((60, 1, 1), np.uint8)
    masks[5:], labels = 1, np.r_[0, 0, 0, 0, 0, [1] * 50, [-1] * 5]
    dense = make(labels, np.arange(60) // 3, masks=masks, dense=True)
    assert broken(dense, dense.folds(4)) in ([], ["a class"])  # of the group of class 0 alone


def test_folds_have_one_digest_and_an_origin_each_which_says_how_they_are_made():
    data = make(np.tile([0, 1], 30), np.arange(60) // 3)
    folds = [*data.folds(3), *data.folds(3, seed=1)]
    origins = [fold.origin for fold in folds]
    assert len(set(origins)) == 6
    assert len({origin.digest for origin in origins}) == 1
    assert origins[1] == data.origin_at(0, 3, 1)
    assert (origins[4].rule, origins[4].divided, origins[4].fold) == ("3 folds by group", 1, 1)
    others = replace(data, groups=None).folds(3)[0], data.folds(4)[0], data.split(0)
    assert len({origins[0].digest, *(split.origin.digest for split in others)}) == 4


def test_data_without_groups_say_so():
    data = make(np.tile([0, 1], 30))
    with pytest.warns(UserWarning, match="folds divide single samples"):
        data.folds(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        replace(data, groups=np.arange(60) // 2).folds(3)


@pytest.mark.parametrize(
    ("groups", "k", "error", "found"),
    [
        (range(40), 1, ConfigError, "folds: 1 is not"),
        (np.arange(40) // 10, 5, DataError, "data: 4 groups .* cannot make 5 folds"),
        (np.arange(40) // 20, 2, DataError, "data: 2 groups"),
        (np.arange(40) % 20 * (np.arange(40) > 3), 4, DataError, "no sample of class 'c2'"),
    ],
)
def test_what_cannot_be_divided_is_refused_in_one_line(groups, k, error, found):
    labels = np.r_[2, 2, 2, 2, np.arange(36) % 2]
    with pytest.raises(error, match=found):
        make(labels, np.array(groups)).folds(k)
    with pytest.raises(ConfigError, match="fold: 3 is not a whole number from 0 to 2"):
        make(labels, np.arange(40)).split(0, 3, 3)
