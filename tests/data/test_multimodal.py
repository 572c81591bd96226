"""MultiModalData: pairing by id, alignment under take and select, splits, protocols, reads."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data import Modality, MultiModalData, Normalization, load, scenes
from discom.data.splitting import protocol
from discom.errors import ConfigError, DataError

calm = settings(max_examples=20, deadline=None, derandomize=True, database=None)
CLASSES = ("cat", "dog", "owl")


def make(ids, classes=CLASSES, texts=False, **fields):
    """Data whose every array shows the id it belongs to: class id % K, pixels id, factor 10·id."""

    def modality(numbers):
        numbers = np.array(numbers, dtype=int)
        shape = (len(numbers), 2, 3, 4)
        x = np.broadcast_to(numbers[:, None, None, None], shape).astype(np.float32)
        names = np.array([f"s{i:03d}" for i in numbers]) if texts else numbers
        return Modality(x, numbers % len(classes), names)

    every = np.array(list(dict.fromkeys(i for some in ids.values() for i in some)), dtype=int)
    aligned = {
        "factors": {"tenfold": 10 * every},
        "masks": np.broadcast_to(every[:, None, None], (len(every), 3, 4)).copy(),
        "groups": every // 4,
    }
    modalities = {name: modality(some) for name, some in ids.items()}
    return MultiModalData(modalities, classes, **aligned | fields)


def numbers(ids):
    return np.array([int(str(i).lstrip("s")) for i in ids], dtype=int)


def check_aligned(data):
    ids = numbers(data.ids)
    assert (data.labels == ids % len(data.classes)).all()
    assert (data.factors["tenfold"] == 10 * ids).all()
    assert (data.masks == ids[:, None, None]).all()
    assert (data.groups == ids // 4).all()
    for name, modality in data.modalities.items():
        own = numbers(modality.ids)
        assert (data.ids[data.rows_of(name)] == modality.ids).all()
        assert (np.asarray(modality.x) == own[:, None, None, None]).all()
        assert (modality.y == own % len(data.classes)).all()


some_ids = st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=15)
modality_ids = st.dictionaries(st.sampled_from(["rgb", "depth", "thermal_2"]), some_ids, min_size=1)


# pairing


def test_paired_partly_paired_and_unpaired():
    paired = make({"rgb": [3, 1, 2], "depth": [1, 2, 3]})
    assert paired.ids.tolist() == paired.paired_ids.tolist() == [3, 1, 2]  # of first appearance
    assert paired.rows_of("depth").tolist() == [1, 2, 0]
    assert paired.channels == {"rgb": 2, "depth": 2}
    partly = make({"rgb": [0, 1, 2], "depth": [2, 5, 1], "thermal": [9, 1]})
    assert partly.ids.tolist() == [0, 1, 2, 5, 9]
    assert partly.labels.tolist() == [0, 1, 2, 2, 0]
    assert (len(partly), partly.paired_ids.tolist()) == (5, [1])
    unpaired = make({"rgb": [0, 1], "depth": [2, 3]})
    assert (len(unpaired), unpaired.paired_ids.tolist()) == (4, [])


@calm
@given(modality_ids, st.booleans(), st.data())
def test_take_and_select_keep_everything_aligned(ids, texts, data):
    whole = make(ids, texts=texts)
    check_aligned(whole)
    rows = data.draw(st.lists(st.integers(0, len(whole) - 1), unique=True, min_size=1))
    part = whole.take(np.array(rows))
    check_aligned(part)
    for name, modality in part.modalities.items():
        assert set(modality.ids) == set(whole.modalities[name].ids) & set(whole.ids[rows])
    check_aligned(part.take(np.arange(len(part))[::-1]))
    names = data.draw(st.permutations(list(ids)))[: data.draw(st.integers(1, len(ids)))]
    chosen = whole.select(names)
    check_aligned(chosen)
    assert list(chosen.modalities) == names


def test_one_modality_keeps_a_split_that_came_with_the_data():
    parts = {"train": np.arange(9), "valid": np.arange(9, 12), "test": np.arange(12, 15)}
    data = make({"rgb": range(15), "depth": range(3, 15)}, parts=parts)
    rows = data.select(["depth"]).parts
    assert {name: (part + 3).tolist() for name, part in rows.items()} == {
        "train": [*range(3, 9)],
        "valid": [9, 10, 11],
        "test": [12, 13, 14],
    }


# identity, and how often pixels are read


def test_the_fingerprint_names_the_content():
    data = make({"rgb": range(8), "depth": range(8)})
    assert data.fingerprint == make({"rgb": range(8), "depth": range(8)}).fingerprint
    depth = data.modalities["depth"]
    x = depth.x.copy()
    x[7, 1, 2, 3] += 1
    changed = replace(data, modalities={**data.modalities, "depth": replace(depth, x=x)})
    holes = replace(data, modalities={**data.modalities, "depth": replace(depth, invalid=0.0)})
    others = [changed, holes, data.select(["rgb"]), data.take(np.arange(7))]
    others += [replace(data, groups=None), replace(data, classes=("cat", "dog", "bat"))]
    others += [replace(data, normalized=True)]
    assert len({d.fingerprint for d in (data, *others)}) == 1 + len(others)
    masks = np.minimum(data.masks, 2).astype(np.uint8)
    dense = [replace(data, masks=m, dense=True).fingerprint for m in (masks, masks // 2, masks)]
    assert dense[0] == dense[2] != dense[1]


@pytest.mark.parametrize("kind", [np.uint8, np.int32, ">i8"])
def test_labels_of_any_whole_type_are_the_same_content(kind):
    data = make({"rgb": range(8)})
    rgb = data.modalities["rgb"]
    other = replace(data, modalities={"rgb": replace(rgb, y=rgb.y.astype(kind))})
    assert other.fingerprint == data.fingerprint
    assert other.modalities["rgb"].y.dtype == np.int64


def test_a_prepared_folder_is_checked_and_named_without_reading_it(tmp_path, monkeypatch):
    data = scenes.dense(20, size=16, objects=2)
    fingerprint = data.fingerprint
    data.save(tmp_path / "out")
    monkeypatch.setattr("discom.data.checks.digest", None)  # a call would fail
    opened = load(tmp_path / "out")
    assert opened.fingerprint == fingerprint
    assert len(opened.split(seed=1).train) == 10


# split


@calm
@given(st.integers(0, 10**6), st.integers(0, 30), st.booleans())
def test_no_id_in_two_parts_across_modalities(seed, lacking, grouped):
    """Leakage: one modality's test scene must not be another modality's training scene."""
    rng = np.random.default_rng(seed)
    ids = {name: rng.permutation(np.arange(120))[lacking:] for name in ("rgb", "depth", "thermal")}
    data = make(ids, texts=True, **({} if grouped else {"groups": None}))
    parts = data.split(seed=seed)
    everyone = [set().union(*(m.ids for m in part.modalities.values())) for part in parts]
    assert len(set().union(*everyone)) == sum(map(len, everyone))  # disjoint
    assert set().union(*everyone) == set(data.ids)
    for name in ids:  # nothing of a modality is lost either
        assert sum(len(part.modalities[name].x) for part in parts) == len(ids[name])
    if grouped:
        groups = [set(part.groups) for part in parts]
        assert len(set().union(*groups)) == sum(map(len, groups))
        check_aligned(parts.test)


def test_shares_and_seed_decide():
    data = make({"rgb": range(300), "depth": range(300)}, groups=None)
    first, again, other = (data.split(seed=seed).train.ids.tolist() for seed in (0, 0, 1))
    assert first == again != other
    assert [len(p) for p in replace(data, fractions=(0.5, 0.25, 0.25)).split()] == [150, 75, 75]


def test_images_are_scaled_by_the_bounds_of_the_training_part():
    split = scenes.make(66, size=8).split(seed=1)
    bounds = Normalization.fit(split.train.modalities["rgb"].x)
    for part in split:
        np.testing.assert_array_equal(part.images("rgb"), bounds(part.modalities["rgb"].x))


# protocols


def in_groups(name, **fields):
    """Sixty samples of three classes in ten groups of six, two of each class."""
    rows = np.arange(60)
    x = np.random.default_rng(8).random((60, 1, 4, 4), dtype=np.float32)
    modalities = {"rgb": Modality(x, rows % 3, rows)}
    return MultiModalData(modalities, tuple("abc"), groups=rows // 6, name=name, **fields)


def test_a_random_protocol_divides_groups_and_a_grouped_one_does_not():
    data = in_groups("days-grouped")
    train, _, test = protocol(data, "grouped").split(seed=0)
    assert not set(train.groups) & set(test.groups)
    random = protocol(data, "random")
    train, _, test = random.split(seed=0)
    assert set(train.ids // 6) & set(test.ids // 6)
    assert random.fingerprint != data.fingerprint == protocol(data, "grouped").fingerprint


NAMES = [
    ("sunrgbd-grouped", "random", "sunrgbd"),  # the name of the paper's protocol
    ("sunrgbd-grouped", "grouped", "sunrgbd-grouped"),
    ("hls", "random", "hls-random"),
]


@pytest.mark.parametrize(("name", "split", "expected"), NAMES)
def test_a_protocol_has_its_name(name, split, expected):
    assert protocol(in_groups(name), split).name == expected


def test_a_protocol_that_is_not_there():
    fragment = "split: days has no split 'official'; choose grouped or random"
    with pytest.raises(ConfigError, match=fragment):
        protocol(in_groups("days"), "official")
    with pytest.raises(ConfigError, match="days: is already split and scaled"):
        protocol(in_groups("days", normalized=True), "random")


def test_select_of_what_is_not_there():
    data = make({"rgb": [1], "depth": [1]})
    for names in (["rgb", "x-ray"], [], ["rgb", "rgb"]):
        with pytest.raises(DataError, match=r"no modality .*; there are \['rgb', 'depth'\]"):
            data.select(names)
