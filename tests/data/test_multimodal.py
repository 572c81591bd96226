"""MultiModalData: pairing by id, alignment under take and select, splits, protocols, reads."""

from dataclasses import replace
from itertools import pairwise, product

import h5py
import numpy as np
import pytest
from fixtures.refusal import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data import Modality, MultiModalData, load
from discom.data.scenes import objects
from discom.errors import ConfigError, DataError

calm = settings(max_examples=20, deadline=None, derandomize=True, database=None)
CLASSES = ("cat", "dog", "owl")


def make(ids, labels=None, classes=CLASSES, texts=False, **fields):
    """Data whose every array shows the id it belongs to: class id % K (or that of `labels`), pixels
    id, factor 10·id."""

    def modality(numbers):
        numbers = np.array(numbers, dtype=int)
        shape = (len(numbers), 2, 3, 4)
        x = np.broadcast_to(numbers[:, None, None, None], shape).astype(np.float32)
        names = np.array([f"s{i:03d}" for i in numbers]) if texts else numbers
        return Modality(x, numbers % len(classes) if labels is None else labels[numbers], names)

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


def test_arrays_of_the_other_order_of_bytes_are_taken():
    """As FITS and IDL store numbers; pandas takes none of them."""
    plain, other = make({"rgb": range(12), "depth": range(6, 18)}), {}
    for name, m in plain.modalities.items():
        other[name] = replace(m, y=m.y.astype(">i8"), ids=m.ids.astype(">i8"))
    swapped = {"groups": plain.groups.astype(">i4"), "factors": {"tenfold": plain.ids * 10.0}}
    swapped["factors"]["tenfold"] = swapped["factors"]["tenfold"].astype(">f8")
    whole = replace(plain, modalities=other, **swapped)
    check_aligned(whole)
    check_aligned(whole.take(np.array([3, 1, 14])))


def test_images_in_an_hdf5_file_may_have_ids_in_another_order(tmp_path):
    """HDF5 reads each row once, and in order."""
    plain, order = make({"rgb": range(60)}), np.random.default_rng(0).permutation(60)
    m = plain.modalities["rgb"]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = m.x[order]
        stored = Modality(file["x"], m.y[order], m.ids[order])
        whole = replace(plain, modalities={"rgb": m, "depth": stored})
        check_aligned(whole.take(np.array([5, 3, 44, 2])))
        rows = whole.take(np.arange(60)).modalities["depth"].x
        np.testing.assert_array_equal(rows[[7, 2, 7]], m.x[[7, 2, 7]])
        assert whole.split(0).train.images("depth").max() <= 1


def test_one_modality_keeps_a_split_that_came_with_the_data():
    parts = {"train": np.arange(9), "valid": np.arange(9, 12), "test": np.arange(12, 15)}
    data = make({"rgb": range(15), "depth": range(3, 15)}, parts=parts)
    rows = data.select(["depth"]).parts
    assert [rows[part].tolist() for part in parts] == [[*range(6)], [6, 7, 8], [9, 10, 11]]


def test_the_fingerprint_names_the_content():
    data = make({"rgb": range(8), "depth": range(8)})
    assert data.fingerprint == make({"rgb": range(8), "depth": range(8)}).fingerprint
    depth = data.modalities["depth"]
    x = depth.x.copy()
    x[7, 1, 2, 3] += 1
    changed = replace(data, modalities={**data.modalities, "depth": replace(depth, x=x)})
    holes = replace(data, modalities={**data.modalities, "depth": replace(depth, invalid=0.0)})
    still = replace(data, modalities={**data.modalities, "depth": replace(depth, symmetry="none")})
    others = [changed, holes, still, data.select(["rgb"]), data.take(np.arange(7))]
    others += [data.select(["depth", "rgb"])]
    others += [replace(data, groups=None), replace(data, classes=("cat", "dog", "bat"))]
    assert len({d.fingerprint for d in (data, *others)}) == 1 + len(others)
    masks = np.minimum(data.masks, 2).astype(np.uint8)
    dense = [replace(data, masks=m, dense=True).fingerprint for m in (masks, masks // 2, masks)]
    assert dense[0] == dense[2] != dense[1]


@calm
@given(st.lists(st.integers(1, 80), min_size=2, max_size=3), st.integers(0, 2**31))
def test_hidden_labels_are_nested_and_stratified(counts, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    every, shares = range(len(labels)), (0.001, 0.1, 0.2, 0.75, 1.0)
    data = make({"rgb": every, "depth": every}, labels=labels, groups=None)
    kept = [data.keep_labels(share, seed).labels for share in shares]
    for share, found in zip(shares, kept, strict=True):
        assert (found[found >= 0] == labels[found >= 0]).all()
        expected = [max(1, round(share * count)) for count in counts]
        assert np.bincount(found[found >= 0]).tolist() == expected
        assert np.array_equal(found, data.keep_labels(share, seed).labels)
    assert all(((few >= 0) <= (more >= 0)).all() for few, more in pairwise(kept))
    assert np.array_equal(kept[-1], labels)


def test_hidden_are_the_same_ids_in_all_modalities_and_nothing_else_changes():
    train = objects.make(330, size=8).split().train
    hidden, other = train.keep_labels(0.2, seed=3), train.keep_labels(0.2, seed=4)
    rgb, depth = hidden.modalities.values()
    assert np.array_equal(rgb.y, depth.y)
    assert not np.array_equal(hidden.labels, other.labels)
    assert rgb.x is train.modalities["rgb"].x
    assert hidden.normalization == train.normalization
    halves = zip(train.modalities.items(), np.array_split(np.arange(len(train)), 2), strict=True)
    train = train.with_modalities({name: sensor.take(rows) for (name, sensor), rows in halves})
    for modality in train.keep_labels(0.01).modalities.values():
        assert set(modality.y) == {-1, *range(9)}  # one of each class, also without pairs


def test_labels_come_from_as_many_groups_as_asked():
    data, seen = make({"rgb": range(60)}, groups=np.arange(60) // 12), set()
    for seed in range(5):
        kept = data.keep_labels(0.1, seed, groups=1)
        people = {*data.groups[kept.labels >= 0].tolist()}
        assert np.bincount(kept.labels[kept.labels >= 0]).tolist() == [2, 2, 2]
        assert len(people) == 1
        seen |= people
    assert len(seen) == 5  # each person once
    two = data.keep_labels(1.0, 1, groups=2)
    assert {*data.groups[two.labels >= 0].tolist()} == {1, 3}  # not neighbours by name
    whole = data.keep_labels(1.0, 0, groups=1)  # all that one person has
    assert (whole.labels >= 0).sum() == 12
    lacking = data.take(np.flatnonzero((data.labels != 2) | (data.groups != 0)))
    with pytest.warns(UserWarning, match=r"\[0\].* owl"):
        kept = lacking.keep_labels(1.0, 0, groups=1)
    assert {*kept.labels.tolist()} == {-1, 0, 1}


def test_what_is_not_there_is_refused():
    data = make({"rgb": [1], "depth": [1]})
    for names in (["rgb", "x-ray"], [], ["rgb", "rgb"]):
        refused(lambda names=names: data.select(names), "^data: ")
    for share in (0, 1.5):
        refused(lambda share=share: data.keep_labels(share), "^labelled: ", ConfigError)
    for own in (data, replace(data, groups=None)):
        refused(lambda own=own: own.keep_labels(1.0, 0, 2), "^labelled_groups: ", ConfigError)


def test_arrays_cannot_be_changed_in_place():
    """Pixels set to 0, or labels and groups in another order, kept the digest of what was drawn."""
    whole = objects.make(66, size=8)
    whole = replace(whole, groups=np.arange(66) // 2)
    parts = whole, whole.split(0).train
    arrays = [getattr(part.modalities["rgb"], k) for part, k in product(parts, ("x", "y", "ids"))]
    arrays += [getattr(part, k) for part, k in product(parts, ("ids", "labels", "groups"))]
    arrays += [part.factors["shape"] for part in parts]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[:] = array[::-1]


def test_a_twin_is_a_copy_of_its_sensor_under_another_name():
    scenes = load("objects:n=45,size=8", "rgb+rgb_twin", seed=1)
    rgb = load("objects:n=45,size=8", seed=1).modalities["rgb"]
    assert [*scenes.modalities] == ["rgb", "rgb_twin"]
    for sensor in scenes.modalities.values():
        np.testing.assert_array_equal(sensor.x, rgb.x)
    assert scenes.origin_at(0).content != load("objects:n=45,size=8").origin_at(0).content
    with pytest.raises(DataError, match="no modality"):
        scenes.select(["depth_twin"])
