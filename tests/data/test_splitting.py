"""Splits and folds: no id or group in two parts, shares, every labelled sample tested once. Near
copies between parts: planted ones are found; different scenes and flat images match nothing."""

import io
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fixtures.refusal import refused
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.model_selection import KFold

from discom.data import Modality, MultiModalData, Split
from discom.data.scenes import objects
from discom.data.splitting import near_duplicates
from discom.errors import ConfigError, DataError

SHARES = (0.7, 0.1, 0.2)
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


def folds_of(data, k, seed=0):
    return [data.split(seed, k, fold) for fold in range(k)]


def broken(data, split):
    """What is wrong with a split: a list, empty where nothing is."""
    ids = [set(part.ids) for part in split]
    found = ["twice"] * (len(set().union(*ids)) < sum(map(len, ids)))
    if data.groups is not None:
        groups = [set(data.groups[part.ids]) for part in split]
        found += ["divided"] * (len(set().union(*groups)) < sum(map(len, groups)))
    found += ["a class"] * (set(split.train.labels) - {-1} != set(data.labels) - {-1})
    found += ["no label"] * (-1 in [*split.valid.labels, *split.test.labels])
    return found


@calm
@given(
    st.lists(st.integers(5, 60), min_size=2, max_size=6),
    st.sampled_from([SHARES, (5 / 11, 1 / 11, 5 / 11), (0.5, 0.25, 0.25)]),
    st.integers(0, 2**31),
)
def test_every_class_is_divided_within_one_sample(counts, fractions, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    split = make(labels, fractions=fractions).split(seed)
    assert sorted(i for part in split for i in part.ids) == [*range(len(labels))]
    for share, part in zip(fractions, split, strict=True):
        found = np.bincount(part.labels, minlength=len(counts))
        assert (abs(found - share * np.array(counts)) <= 1 + 1e-9).all()
        assert (found >= 1).all()


@pytest.mark.parametrize(("count", "shares"), [(3, SHARES), (4, (0.1, 0.45, 0.45))])
def test_a_small_class_is_in_every_part(count, shares):
    data = make(np.repeat([0, 1], [count, 40]), fractions=shares)
    assert all((part.labels == 0).any() for part in data.split())


def test_unlabelled_samples_go_to_the_training_part_and_change_nothing_about_the_others():
    labels = np.tile([0, 1, 2], 40)
    plain, split = make(labels).split(), make(np.r_[labels, [-1] * 30]).split()
    assert split.train.ids.tolist() == [*plain.train.ids, *range(120, 150)]
    assert split.valid.ids.tolist() == plain.valid.ids.tolist()
    assert split.test.ids.tolist() == plain.test.ids.tolist()


def test_a_split_without_groups_is_for_ever_the_same():
    """Committed results rest on it."""
    test = make(np.arange(40) % 3).split(seed=5).test
    assert test.ids.tolist() == [6, 8, 14, 16, 19, 23, 27, 34, 39]


@st.composite
def data_sets(draw):
    """Groups of unequal size and classes, some samples without a label."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    sizes = rng.integers(1, 12, draw(st.integers(24, 60)))
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    labels = rng.integers(0, draw(st.integers(2, 4)), len(groups))
    unlabelled = rng.random(len(groups)) < draw(st.sampled_from([0, 0.3]))
    return make(np.where(unlabelled, -1, labels), groups)


@calm
@given(data_sets(), st.sampled_from([SHARES, (0.4, 0.2, 0.4)]), st.integers(0, 2**31))
def test_groups_are_never_divided_and_parts_stay_near_their_shares(data, fractions, seed):
    data = replace(data, fractions=fractions)
    split, again, other = (data.split(s) for s in (seed, seed, seed + 1))
    assert broken(data, split) == []
    known = [(part.labels >= 0).sum() for part in split]
    assert np.abs(np.array(known) / (data.labels >= 0).sum() - fractions).max() < 0.1
    ids = [[part.ids.tolist() for part in each] for each in (split, again, other)]
    assert ids[0] == ids[1] != ids[2]
    left_out = set(data.ids).difference(*(part.ids for part in split))
    assert (data.labels[[*left_out]] == -1).all()  # of groups that validate or are tested


def test_seeds_test_other_groups_also_where_groups_differ_in_size():
    """scikit-learn alone shuffles none of such groups."""
    data = make(np.tile([0, 1], 300), np.repeat(np.arange(24), np.arange(2, 50, 2)))
    tests = [frozenset(data.groups[data.split(seed).test.ids]) for seed in range(8)]
    assert len(set(tests)) >= 7


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(3))
def test_three_groups_of_a_rare_class_are_in_three_parts(seed):
    labels = np.repeat([1, 0], [9, 91])
    for part in make(labels, np.arange(100) // 3).split(seed):
        assert set(part.labels) == {0, 1}


@calm
@given(data_sets(), st.booleans(), st.integers(2, 6), st.integers(0, 2**31))
def test_every_labelled_sample_is_tested_once(data, grouped, k, seed):
    data = data if grouped else replace(data, groups=None)
    folds = folds_of(data, k, seed)
    tested = sorted(i for fold in folds for i in fold.test.ids)
    assert tested == np.flatnonzero(data.labels >= 0).tolist()
    assert [broken(data, fold) for fold in folds] == [[]] * k
    ids = [[f.test.ids.tolist() for f in each] for each in (folds, folds_of(data, k, seed))]
    assert ids[0] == ids[1]
    for train, valid, _ in folds:
        assert 0.03 < len(valid) / (data.labels >= 0).sum() < 0.25
        assert valid.normalization == train.normalization
        assert train.normalization["rgb"].low >= train.modalities["rgb"].x.min()


@pytest.mark.parametrize("groups", [None, np.arange(60) // 3])
def test_folds_of_another_seed_test_other_samples(groups):
    data = make(np.tile([0, 1], 30), groups)
    tests = [{*data.split_indices(seed, 5, 0)["test"].tolist()} for seed in range(6)]
    assert len({*map(frozenset, tests)}) >= 5


def test_parts_that_divide_groups_are_caught():
    data = make(np.tile([0, 1], 60), np.arange(120) // 4)
    fold = folds_of(data, 4)[0]
    rest, test = next(KFold(4, shuffle=True, random_state=0).split(data.ids))
    wrong = type(fold)(*map(data.take, (rest[12:], rest[:12], test)))
    assert (broken(data, fold), broken(data, wrong)) == ([], ["divided"])


def test_official_parts_are_ignored_and_dense_data_are_divided_as_if_of_one_class():
    data = make(np.tile([0, 1], 30), np.arange(60) // 3)
    rows = {"train": np.arange(20), "valid": np.arange(20, 40), "test": np.arange(40, 60)}
    with pytest.warns(UserWarning, match="^data: the train and .* '6'"):
        replace(data, parts=rows).split()
    for ours, theirs in zip(folds_of(replace(data, parts=rows), 3), folds_of(data, 3), strict=True):
        assert ours.test.ids.tolist() == theirs.test.ids.tolist()
    masks = np.zeros((60, 1, 1), np.uint8)
    masks[15:], labels = 1, np.repeat([0, 1, -1], [15, 40, 5])
    dense = make(labels, np.arange(60) // 3, masks=masks, dense=True)
    for split in (*folds_of(dense, 4), dense.split()):
        assert broken(dense, split) == []


def test_an_origin_says_how_parts_are_made():
    data = make(np.tile([0, 1], 30), np.arange(60) // 3)
    folds = [*folds_of(data, 3), *folds_of(data, 3, 1)]
    single = replace(data, groups=None)
    others = folds_of(single, 3)[0], folds_of(data, 4)[0], data.split(0), single.split(0)
    assert len({fold.origin for fold in folds}) == 6
    assert len({split.origin.digest for split in (*folds, *others)}) == 5


MANY, NO_C2 = np.r_[2, 2, 2, 2, np.arange(36) % 2], np.arange(40) % 20 * (np.arange(40) > 3)
PARTS = {"train": np.arange(12), "valid": np.arange(12, 26), "test": np.arange(26, 40)}
PARTS_, LACKS = dict(zip(PARTS, [*PARTS.values()][::-1], strict=True)), MANY % 2
LACKS[26:] = -1
REFUSED = [
    (MANY, None, lambda d: d.split(0, 3, 3), "fold"),
    (MANY, None, lambda d: d.split(-1), "seed"),
    (MANY, np.arange(40) // 10, lambda d: folds_of(d, 5), "data"),  # of 4 groups
    (MANY, np.arange(40) // 20, lambda d: d.split(), "data"),
    (MANY, NO_C2, lambda d: folds_of(d, 4), "data: the train part .* 'c2'"),
    ([0] * 40, None, lambda d: d.split(), "data: the train part .* 'c1'"),
    ([0] * 40, None, lambda d: replace(d, classes=("c0",)).split(), "data: has one class"),
    ([0, 1] * 19 + [2, 2], None, lambda d: d.split(), "data: the train part .* 'c2'"),
    (LACKS, None, lambda d: replace(d, parts=PARTS).split(), "data/rgb: .* test part"),
    (MANY, None, lambda d: replace(d, parts=PARTS_).split(), "data: the train .* 'c2'"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("labels", "groups", "divide", "place"), REFUSED)
def test_what_cannot_be_divided(labels, groups, divide, place):
    refused(lambda: divide(make(labels, groups)), f"^{place}", (ConfigError, DataError))


COPIES = 40


@pytest.fixture(scope="module")
def split() -> Split:
    return objects.make(n=200, size=64, seed=4, dark=0, far=0).split()


def jpeg(image: np.ndarray) -> np.ndarray:
    """Written as JPEG files of quality 90, band by band, and read back."""
    bands = []
    for band in np.round(255 * image).astype(np.uint8):
        file = io.BytesIO()
        Image.fromarray(band).save(file, "JPEG", quality=90)
        bands.append(np.asarray(Image.open(file), np.float32) / 255)
    return np.stack(bands)


CHANGES = {
    "the same": lambda image: image,
    "darker": lambda image: 0.7 * image,
    "brighter": lambda image: np.clip(1.2 * image, 0, 1),
    "jpeg": jpeg,
    "moved by a pixel": lambda image: np.roll(image, 1, axis=2),
}


def planted(split: Split, change, into: str) -> Split:
    """The split with changed copies of training scenes in the place of the first ones of a part."""
    part, modalities = getattr(split, into), {}
    for name, modality in part.modalities.items():
        x = modality.x.copy()
        x[:COPIES] = [change(image) for image in split.train.modalities[name].x[-COPIES:]]
        modalities[name] = replace(modality, x=x)
    return split._replace(**{into: replace(part, modalities=modalities)})


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("part", ["valid", "test"])
def test_planted_copies_are_reported_with_their_original(split, change, part):
    table = near_duplicates(planted(split, CHANGES[change], part))
    table = table[(table["part"] == "train") & (table["other_part"] == part)]
    copies = getattr(split, part).ids[:COPIES]
    original = dict(zip(copies, split.train.ids[-COPIES:], strict=True))
    for name in split.train.modalities:
        rows = table[table["modality"] == name]
        reported = (rows["other_id"].map(original) == rows["id"]).sum()
        assert reported >= COPIES * (1 if change in ("the same", "darker") else 0.85)


@pytest.mark.parametrize("count", [5, None])
def test_different_scenes_and_flat_images_match_nothing(split, count):
    def emptied(part):
        depth = part.modalities["depth"]
        x = depth.x.copy()
        x[:count] = 0.5
        return replace(part, modalities={**part.modalities, "depth": replace(depth, x=x)})

    copies = planted(split, CHANGES["the same"], "train")  # in one part, which is no leak
    assert len(near_duplicates(copies)) == 0
    blank = Split(*(emptied(part) for part in split))
    assert len(near_duplicates(blank)) == 0


def test_signals_are_compared_along_their_time():
    """Waves of one shape, each with noise of its own, are no copies; a softer one is."""
    time, rng = np.linspace(0, 4, 128), np.random.default_rng(0)
    x = np.sin(2 * np.pi * time) + rng.normal(0, 0.5, (40, 1, 1, 128))
    kinds, ids = np.arange(40) % 2, np.arange(40)
    parts = {"train": ids[:24], "valid": ids[24:32], "test": ids[32:]}
    x[39] = 0.7 * x[0] + 0.2

    signals = Modality(x.astype(np.float32), kinds, ids, symmetry="none")
    data = MultiModalData({"acc": signals}, ("still", "moving"), parts=parts)
    copies = near_duplicates(data.split())[["id", "other_id"]]
    assert copies.to_numpy().tolist() == [[0, 39]]


def test_a_class_that_one_sensor_lacks_is_told():
    """Its network saw one class, and scored 100 on the test part, which lacked the other one."""
    ids, y = np.arange(40), np.arange(40) % 2
    x = np.random.default_rng(0).random((40, 1, 4, 4))
    rows = {"train": np.arange(24), "valid": np.arange(24, 32), "test": np.arange(32, 40)}

    def lacking(*parts):
        without = np.concatenate([[], *(rows[part][y[rows[part]] == 1] for part in parts)])
        kept = np.setdiff1d(ids, without)
        depth = Modality(x[kept], y[kept], ids[kept])
        sensors = {"rgb": Modality(x, y, ids), "depth": depth}
        return MultiModalData(sensors, ("cat", "dog"), parts=rows, name="mine")

    refused(lacking("train").split, "^mine/depth: the train part has no sample of class 'dog'")
    with pytest.warns(match="^mine/depth: the test part has no sample of class 'dog'"):
        lacking("test").split()


def with_labels(count, group=None):
    """Samples of two classes, of which so many of each have a label."""
    ids = np.arange(60)
    labels = np.where(ids // 2 < count, ids % 2, -1)
    groups = None if group is None else ids // 2 // group
    sensor = Modality(np.random.default_rng(0).random((60, 1, 4, 4)), labels, ids)
    return MultiModalData({"rgb": sensor}, ("cat", "dog"), groups=groups, name="mine")


@pytest.mark.parametrize("group", [None, 1])
@pytest.mark.parametrize("folds", [0, 2, 3])
def test_too_few_labels_are_counted_and_as_many_as_the_error_asks_for_are_enough(group, folds):
    for count in (1, 2):
        said = refused(partial(with_labels(count, group).split_indices, 0, folds), "^mine")
        numbers = {int(number) for number in re.findall("[0-9]+", said)}
        assert numbers & {count, 2 * count}
        least = max(numbers)
        assert least > count
        with_labels(least, group).split_indices(0, folds)


def test_labels_of_a_class_in_one_group_are_counted_with_their_groups():
    labels = np.arange(60) % 2
    groups = np.where(labels == 1, 0, np.arange(60))
    sensor = Modality(np.zeros((60, 1, 4, 4)), labels, np.arange(60))
    data = MultiModalData({"rgb": sensor}, ("cat", "dog"), groups=groups, name="mine")
    with pytest.warns(match="'dog', which has 30 labels in 1 group; .* 3 groups"):
        data.split_indices(0)
