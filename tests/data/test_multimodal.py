"""MultiModalData: construction errors, pairing by id, alignment under take and select, splits, and
normalisation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data import Modality, MultiModalData, Normalization, scenes
from discom.data.lazy import Rows
from discom.errors import ConfigError, DataError

calm = settings(max_examples=60, deadline=None, derandomize=True, database=None)
CLASSES = ("cat", "dog", "owl")


def make(ids, classes=CLASSES, texts=False, **fields):
    """Data whose every array tells the id it belongs to: class id % K, image value id, factor
    10·id, and so on."""

    def modality(held):
        held = np.array(held, dtype=int)
        x = np.broadcast_to(held[:, None, None, None], (len(held), 2, 3, 4)).astype(np.float32)
        return Modality(
            x, held % len(classes), np.array([f"s{i:03d}" for i in held]) if texts else held
        )

    modalities = {name: modality(held) for name, held in ids.items()}
    seen = np.array(list(dict.fromkeys(i for held in ids.values() for i in held)), dtype=int)
    aligned = {
        "factors": {"tenfold": 10 * seen},
        "masks": np.broadcast_to(seen[:, None, None], (len(seen), 3, 4)).copy(),
        "groups": seen // 4,
    }
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
        held = numbers(modality.ids)
        assert (data.ids[data.rows_of(name)] == modality.ids).all()
        assert (np.asarray(modality.x) == held[:, None, None, None]).all()
        assert (modality.y == held % len(data.classes)).all()


some_ids = st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=15)
modality_ids = st.dictionaries(st.sampled_from(["rgb", "depth", "thermal_2"]), some_ids, min_size=1)


# construction
# ---------------------------------------------------------------------------------------------------


def arrays(n=6, **changed):
    return {
        "x": np.zeros((n, 1, 2, 2), np.float32),
        "y": np.arange(n) % 3,
        "ids": np.arange(n),
    } | changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y": np.zeros(5, int)}, r"^mine/rgb: \(5,\) labels for 6 samples; one label per sample"),
        ({"y": np.zeros((6, 1), int)}, r"^mine/rgb: \(6, 1\) labels for 6 samples"),
        (
            {"y": np.full(6, 0.5)},
            r"^mine/rgb: labels are float64, e.g. \[0.5\]; save them as integers",
        ),
        ({"y": np.array(list("aabbcc"))}, r"^mine/rgb: labels are <U1, .*; save them as integers"),
        ({"y": np.zeros(6, bool)}, r"^mine/rgb: labels are bool, .*; save them as integers"),
        (
            {"y": np.array([0, 1, 2, 3, 0, 0])},
            r"^mine/rgb: label 3 is above 2, the last class; renumber",
        ),
        ({"y": np.array([0, 1, 2, -1, 0, 0])}, r"^mine/rgb: label -1 is below 0; renumber"),
        ({"ids": np.arange(5)}, r"^mine/rgb: 5 ids for 6 samples; give one id each"),
        (
            {"ids": np.array([0, 1, 2, 3, 4, 2])},
            r"^mine/rgb: id .*2.* stands twice; an id names one sample",
        ),
        ({"ids": np.array(["a", "b", "c", "d", "e", "b"])}, r"^mine/rgb: id .*'b'.* stands twice"),
    ],
)
def test_wrong_modality_is_refused(changed, message):
    with pytest.raises(DataError, match=message):
        MultiModalData({"rgb": Modality(**arrays(**changed))}, CLASSES, name="mine")


def test_no_modality_is_refused():
    with pytest.raises(DataError, match=r"^mine: no modality; give at least one"):
        MultiModalData({}, CLASSES, name="mine")


@pytest.mark.parametrize("name", ["RGB", "near infrared", "", "2d", "../x", "rgb-1"])
def test_names_that_are_no_file_names_are_refused(name):
    with pytest.raises(DataError, match=r"lower-case letters, digits and _; rename it"):
        MultiModalData({name: Modality(**arrays())}, CLASSES)


def test_pair_with_two_labels_is_refused():
    other = arrays()
    other["y"] = other["y"].copy()
    other["y"][4] = 0  # was 1
    with pytest.raises(
        DataError, match=r"^mine/depth: id .*4.* has another label in another modality"
    ):
        MultiModalData(
            {"rgb": Modality(**arrays()), "depth": Modality(**other)}, CLASSES, name="mine"
        )


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("groups", np.zeros(5, int)),
        ("masks", np.zeros((7, 2, 2))),
        ("factors", {"height": np.zeros(5)}),
    ],
)
def test_misaligned_extras_are_refused(field, values):
    name, count = ("height", 5) if field == "factors" else (field, len(values))
    with pytest.raises(
        DataError, match=rf"^mine: {name} has {count} entries for 6 samples; align with ids"
    ):
        MultiModalData({"rgb": Modality(**arrays())}, CLASSES, name="mine", **{field: values})


def test_ids_of_two_types_are_refused():
    one, two = arrays(y=np.zeros(6, int)), arrays(y=np.zeros(6, int), ids=np.arange(6).astype(str))
    with pytest.raises(DataError, match="id"):
        MultiModalData({"rgb": Modality(**one), "depth": Modality(**two)}, CLASSES)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_pixels_that_are_not_finite_never_reach_training(value):
    wrong = arrays(n=12)
    wrong["x"] = wrong["x"] + np.arange(12, dtype=np.float32)[:, None, None, None]
    wrong["x"][:, 0, 1, 1] = value
    with pytest.raises(DataError, match="rgb"):
        MultiModalData({"rgb": Modality(**wrong)}, CLASSES).split()


# pairing
# --------------------------------------------------------------------------------------------------------


def test_paired_partly_paired_and_unpaired():
    paired = make({"rgb": [3, 1, 2], "depth": [1, 2, 3]})
    assert paired.ids.tolist() == [3, 1, 2]  # order of first appearance
    assert paired.paired_ids.tolist() == [3, 1, 2]
    assert paired.rows_of("depth").tolist() == [1, 2, 0]
    partly = make({"rgb": [0, 1, 2], "depth": [2, 5, 1], "thermal": [9, 1]})
    assert partly.ids.tolist() == [0, 1, 2, 5, 9]
    assert partly.paired_ids.tolist() == [1]
    assert partly.labels.tolist() == [0, 1, 2, 2, 0]
    assert len(partly) == 5
    unpaired = make({"rgb": [0, 1], "depth": [2, 3]})
    assert unpaired.paired_ids.tolist() == []
    assert len(unpaired) == 4


def test_channels():
    assert make({"rgb": [1], "depth": [1]}).channels == {"rgb": 2, "depth": 2}


@calm
@given(modality_ids, st.booleans(), st.data())
def test_take_keeps_everything_aligned(ids, texts, data):
    whole = make(ids, texts=texts)
    check_aligned(whole)
    rows = data.draw(st.lists(st.integers(0, len(whole) - 1), unique=True, min_size=1))
    part = whole.take(np.array(rows))
    check_aligned(part)
    assert set(part.ids) == set(whole.ids[rows])
    for name, modality in part.modalities.items():
        wanted = set(whole.modalities[name].ids) & set(whole.ids[rows])
        assert set(modality.ids) == wanted
    check_aligned(part.take(np.arange(len(part))[::-1]))


@calm
@given(modality_ids, st.data())
def test_select_keeps_everything_aligned(ids, data):
    whole = make(ids)
    names = data.draw(st.permutations(list(ids)).map(tuple))[: data.draw(st.integers(1, len(ids)))]
    part = whole.select(names)
    check_aligned(part)
    assert tuple(part.modalities) == names
    assert set(part.ids) == set().union(*(ids[name] for name in names))


def test_misalignment_would_be_noticed():
    """The mutation: factors of another order must fail the check that the tests above rest on."""
    data = make({"rgb": [3, 1, 2]})
    with pytest.raises(AssertionError):
        check_aligned(replace(data, factors={"tenfold": 10 * np.array([1, 2, 3])}))


@pytest.mark.parametrize("names", [["rgb", "x-ray"], []])
def test_select_of_what_is_not_there(names):
    with pytest.raises(DataError, match=r"no modality .*; there are \['rgb', 'depth'\]"):
        make({"rgb": [1], "depth": [1]}).select(names)


def test_fingerprint_names_the_content():
    data = make({"rgb": range(8), "depth": range(8)})
    assert data.fingerprint == make({"rgb": range(8), "depth": range(8)}).fingerprint
    x = data.modalities["depth"].x.copy()
    x[7, 1, 2, 3] += 1
    changed = replace(
        data, modalities=dict(data.modalities) | {"depth": replace(data.modalities["depth"], x=x)}
    )
    others = [changed, data.select(["rgb"]), data.take(np.arange(7)), replace(data, groups=None)]
    others += [replace(data, classes=("cat", "dog", "bat")), replace(data, normalized=True)]
    assert len({data.fingerprint, *(other.fingerprint for other in others)}) == 1 + len(others)


# split
# ----------------------------------------------------------------------------------------------------------


@calm
@given(st.integers(0, 10**6), st.integers(0, 30), st.booleans())
def test_no_id_in_two_parts_across_modalities(seed, lacking, grouped):
    """Leakage: one modality's test scene must not be another modality's training scene."""
    rng = np.random.default_rng(seed)
    everything = np.arange(120)
    ids = {name: rng.permutation(everything)[lacking:] for name in ("rgb", "depth", "thermal")}
    data = make(ids, texts=True, **({} if grouped else {"groups": None}))
    parts = data.split(seed=seed)
    held = [set().union(*(m.ids for m in part.modalities.values())) for part in parts]
    assert len(set().union(*held)) == sum(map(len, held))  # disjoint
    assert set().union(*held) == set(data.ids)
    assert sum(len(part) for part in parts) == len(data)
    for name in ids:  # nothing of a modality is lost either
        assert sum(len(part.modalities[name].x) for part in parts) == len(ids[name])
    for part in parts if grouped else []:
        check_aligned(part)
    if grouped:
        groups = [set(part.groups) for part in parts]
        assert len(set().union(*groups)) == sum(map(len, groups))  # disjoint


def test_leakage_would_be_noticed():
    """The mutation: a split of each modality on its own puts a scene's depth into training and its
    RGB into test."""
    data = make({"rgb": range(60), "depth": range(60)}, groups=None)
    train = data.select(["rgb"]).split(seed=0).train
    test = data.select(["depth"]).split(seed=1).test
    assert set(train.ids) & set(test.ids)


def test_shares_by_class_and_seed():
    data = make({"rgb": range(300), "depth": range(300)}, groups=None)
    first, again, other = (data.split(seed=seed) for seed in (0, 0, 1))
    assert [np.bincount(part.labels).tolist() for part in first] == [[70] * 3, [10] * 3, [20] * 3]
    assert [np.bincount(part.labels).tolist() for part in data.split((0.5, 0.25, 0.25))] == [
        [50] * 3,
        [25] * 3,
        [25] * 3,
    ]
    assert all(np.array_equal(a.ids, b.ids) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.train.ids, other.train.ids)
    assert [a.fingerprint for a in first] == [a.fingerprint for a in again]


def test_own_fractions_are_the_default():
    data = make({"rgb": range(300)}, groups=None, fractions=(0.5, 0.25, 0.25))
    assert [len(part) for part in data.split()] == [150, 75, 75]


def test_oversized_group_goes_to_train():
    groups = np.concatenate([np.zeros(90, int), np.arange(1, 211)])
    data = make({"rgb": range(300)}, groups=groups)
    for seed in range(5):
        parts = data.split(seed=seed)
        assert (parts.train.groups == 0).sum() == 90


def test_pixels_are_looked_at_once_however_often_the_data_are_divided(monkeypatch):
    looked, data = [], scenes.make(99, size=8)
    monkeypatch.setattr(
        "discom.data.multimodal.check_images", lambda images, where: looked.append(where)
    )
    for seed in range(3):
        data.split(seed=seed)
    assert looked == ["scenes/rgb", "scenes/depth"]


def test_split_that_came_with_the_data_is_returned():
    rows = {"train": np.arange(9), "valid": np.arange(9, 12), "test": np.arange(12, 15)}
    data = make({"rgb": range(15)}, groups=None, parts=rows)
    for seed in (0, 1):
        assert [part.ids.tolist() for part in data.split(seed=seed)] == [
            r.tolist() for r in rows.values()
        ]
    assert len(data.split((0.6, 0.2, 0.2)).valid) == 3
    assert (
        data.split((0.6, 0.2, 0.2)).test.ids.tolist() != rows["test"].tolist()
    )  # asked for: drawn anew


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([*range(0, 30, 3)], r"^mine: only class 'cat' has samples; two classes at least"),
        (
            [*range(0, 30, 3), 1],
            r"^mine: class 'dog' has 1 sample\(s\); three are needed.*add samples or drop the class",
        ),
        ([*range(0, 30, 3), 1, 4, 7], r"^mine: class 'owl' has 0 sample\(s\)"),
    ],
)
def test_classes_that_cannot_be_split(ids, message):
    with pytest.raises(DataError, match=message):
        make({"rgb": ids}, name="mine").split()


def near_duplicates(name, **fields):
    """Sixty samples of three classes in ten groups of six, two of each class."""
    rows = np.arange(60)
    x = np.random.default_rng(8).random((60, 1, 4, 4), dtype=np.float32)
    return MultiModalData(
        {"rgb": Modality(x, rows % 3, rows)}, tuple("abc"), groups=rows // 6, name=name, **fields
    )


def shared_groups(split):
    return set(split.train.groups) & set(split.test.groups)


def test_a_random_protocol_divides_groups_and_a_grouped_one_does_not():
    data = near_duplicates("days-grouped")
    assert shared_groups(data.protocol().split(seed=0)) == set()
    assert data.protocol("grouped").fingerprint == data.fingerprint
    random = data.protocol("random")
    assert random.groups is None
    assert set(random.split(seed=0).train.ids // 6) & set(random.split(seed=0).test.ids // 6)
    assert random.fingerprint != data.fingerprint  # another identity for its runs


def test_the_official_protocol_comes_first_and_can_be_left():
    parts = {"train": np.arange(30), "valid": np.arange(30, 36), "test": np.arange(36, 60)}
    data = near_duplicates("shots-official", parts=parts)
    assert data.protocol().split(seed=5).test.ids.tolist() == parts["test"].tolist()
    assert shared_groups(data.protocol("grouped").split(seed=5)) == set()
    assert [len(part) for part in data.protocol("random").split(seed=5)] == [42, 6, 12]


@pytest.mark.parametrize(
    ("name", "split", "expected"),
    [
        ("sunrgbd-grouped", "random", "sunrgbd"),  # the name alone is that of the paper's protocol
        ("sunrgbd-grouped", None, "sunrgbd-grouped"),
        ("hls", "random", "hls-random"),
        ("hls", "grouped", "hls"),
    ],
)
def test_a_protocol_has_its_name(name, split, expected):
    assert near_duplicates(name).protocol(split).name == expected


def test_protocols_that_are_not_there_are_refused():
    with pytest.raises(
        ConfigError, match=r"mine has no split 'official'; choose grouped or random$"
    ):
        near_duplicates("mine").protocol("official")
    with pytest.raises(ConfigError, match="scaling: 'test' is unknown; choose train or whole"):
        near_duplicates("mine").protocol(scaling="test")


def test_scaling_by_the_whole_array_reads_the_test_part_and_says_so():
    data = near_duplicates("mine")
    with pytest.warns(
        UserWarning, match="mine: scaling=whole takes its bounds from the test part too"
    ):
        whole = data.protocol(scaling="whole")
    expected = np.percentile(data.modalities["rgb"].x, (2, 98)).tolist()  # the released code's rule
    bounds = whole.split(seed=0).test.normalization["rgb"]
    assert [*bounds.low, *bounds.high] == expected
    assert [*data.split(seed=0).test.normalization["rgb"].low] != expected[:1]
    assert whole.fingerprint != data.fingerprint
    assert whole.name == "mine-whole"


def test_the_whole_array_rule_knows_of_no_invalid_value():
    """The released preparation takes percentiles of all pixels, holes among them."""
    data = near_duplicates("mine")
    x = np.where(data.modalities["rgb"].x < 0.3, 0, data.modalities["rgb"].x)
    data = replace(data, modalities={"rgb": replace(data.modalities["rgb"], x=x, invalid=0.0)})
    with pytest.warns(UserWarning, match="scaling=whole"):
        bounds = data.protocol(scaling="whole").split(seed=0).train.normalization["rgb"]
    assert [*bounds.low, *bounds.high] == np.percentile(x, (2, 98)).tolist()
    assert data.split(seed=0).train.normalization["rgb"].low[0] > 0.3
    none = replace(data, modalities={"rgb": replace(data.modalities["rgb"], invalid=None)})
    assert none.fingerprint != data.fingerprint  # other bounds, so another identity for its runs


def test_what_is_divided_and_scaled_already_takes_no_other_protocol(tmp_path):
    data = near_duplicates("mine")
    data.save(tmp_path / "fixed", split=data.split(seed=0))
    fixed = MultiModalData.open(tmp_path / "fixed")
    assert fixed.protocol().fingerprint == fixed.fingerprint
    for wanted in ({"split": "random"}, {"split": "grouped"}, {"scaling": "whole"}):
        with pytest.raises(
            ConfigError,
            match="mine: is divided and scaled already; take the folder that was made wit",
        ):
            fixed.protocol(**wanted)


def test_dense_data_need_no_stratum_and_name_their_content():
    rows = np.arange(20)
    masks = np.zeros((20, 4, 4), np.uint8)
    masks[0, 0, 0] = 1  # class b is never the most frequent one
    x = np.random.default_rng(9).random((20, 1, 4, 4), dtype=np.float32)
    data = MultiModalData({"rgb": Modality(x, 0 * rows, rows)}, ("a", "b"), masks=masks, dense=True)
    parts = data.split(seed=1)
    assert [len(part) for part in parts] == [14, 2, 4]
    assert sorted(np.concatenate([part.ids for part in parts]).tolist()) == rows.tolist()
    assert replace(data, masks=1 - masks).fingerprint != data.fingerprint
    with pytest.raises(
        DataError, match="masks are bool; classes of pixels are uint8, 255 for no label"
    ):
        replace(data, masks=masks > 0)


# normalisation
# --------------------------------------------------------------------------------------------------


def noisy(seed=0, n=90):
    data = make({"rgb": range(n), "depth": range(n)}, groups=None)
    rng = np.random.default_rng(seed)
    images = {name: rng.normal(size=(n, 2, 3, 4)).astype(np.float32) for name in data.modalities}
    return replace(
        data, modalities={name: replace(m, x=images[name]) for name, m in data.modalities.items()}
    )


def with_pixels(data, ids, value):
    """The same data with every pixel of the samples `ids` set to `value`."""
    modalities = {}
    for name, modality in data.modalities.items():
        x = modality.x.copy()
        x[np.isin(modality.ids, ids)] = value
        modalities[name] = replace(modality, x=x)
    return replace(data, modalities=modalities)


def bounds_of(split):
    return {
        name: (b.low.tolist(), b.high.tolist()) for name, b in split.train.normalization.items()
    }


@pytest.mark.parametrize("part", ["valid", "test"])
def test_bounds_do_not_depend_on_held_out_pixels(part):
    data = noisy()
    split = data.split(seed=3)
    changed = with_pixels(data, getattr(split, part).ids, 1e6)
    assert bounds_of(changed.split(seed=3)) == bounds_of(split)
    assert bounds_of(with_pixels(data, split.train.ids[:9], 1e6).split(seed=3)) != bounds_of(split)


def test_bounds_of_all_pixels_differ():
    """The mutation: fitting on the whole array, as the released code does, must change with the
    test pixels."""
    data = noisy()
    split = data.split(seed=3)
    changed = with_pixels(data, split.test.ids, 1e6)
    before, after = (Normalization.fit(d.modalities["rgb"].x) for d in (data, changed))
    assert before.high.tolist() != after.high.tolist()
    assert before.high.tolist() != bounds_of(split)["rgb"][1]


def test_bounds_are_the_training_percentiles_and_travel_with_every_part():
    split = noisy().split(seed=1)
    for name in ("rgb", "depth"):
        x = split.train.modalities[name].x
        expected = [np.percentile(x[:, band], [2, 98]) for band in range(2)]
        for part in split:
            bounds = part.normalization[name]
            np.testing.assert_allclose(np.stack([bounds.low, bounds.high], 1), expected, rtol=1e-6)
            np.testing.assert_array_equal(part.images(name), bounds(part.modalities[name].x))
        assert (split.train.images(name).min(), split.train.images(name).max()) == (0, 1)


def test_images_are_raw_before_a_split_and_as_held_when_scaled_already():
    data = noisy()
    raw = data.modalities["rgb"].x
    np.testing.assert_array_equal(data.images("rgb", np.array([4, 2])), raw[[4, 2]])
    done = replace(data, normalized=True)
    np.testing.assert_array_equal(
        done.split().train.images("rgb"), done.split().train.modalities["rgb"].x
    )
    assert done.split().train.normalization is None


def test_constant_band_warns_with_its_place_and_is_zero():
    data = noisy()
    data.modalities["depth"].x[:, 1] = 4
    with pytest.warns(UserWarning, match=r"^data/depth: band 1 is constant \(4\)"):
        split = data.split()
    assert (split.test.images("depth")[:, 1] == 0).all()
    assert split.test.images("depth")[:, 0].max() > 0


# memory maps
# ----------------------------------------------------------------------------------------------------


def test_memory_maps_stay_on_disk_until_asked(tmp_path, monkeypatch):
    data = noisy()
    data.save(tmp_path / "raw")
    data.save(tmp_path / "split", split=data.split(seed=2))
    opened = MultiModalData.open(tmp_path / "split")
    assert all(isinstance(m.x, np.memmap) for m in opened.modalities.values())
    assert all(
        isinstance(m.x, np.memmap)
        for m in MultiModalData.open(tmp_path / "raw").modalities.values()
    )

    def refuse(*_, **__):
        raise AssertionError("images were read")

    with monkeypatch.context() as patched:
        patched.setattr(Rows, "__getitem__", refuse)
        patched.setattr(Rows, "__array__", refuse)
        train = opened.split().train
        part = train.select(["depth"]).take(np.array([5, 1, 3]))
        held = part.modalities["depth"].x
        assert isinstance(held, Rows)
        assert isinstance(held.base, np.memmap)
        assert (len(held), held.shape, held.dtype, held.ndim) == (3, (3, 2, 3, 4), np.float32, 4)
        with pytest.raises(AssertionError, match="images were read"):
            part.images("depth")
    expected = data.split(seed=2).train.images("depth")[[5, 1, 3]]
    np.testing.assert_array_equal(np.asarray(held), expected)
    np.testing.assert_array_equal(held[1:], expected[1:])
    np.testing.assert_array_equal(held[:, 1], expected[:, 1])
    np.testing.assert_array_equal(held[np.array([2, 0])], expected[[2, 0]])
    np.testing.assert_array_equal(part.images("depth", np.array([2, 0])), expected[[2, 0]])


def test_bounds_from_a_memory_map_equal_those_in_memory(tmp_path):
    data = noisy()
    data.save(tmp_path / "raw")
    opened = MultiModalData.open(tmp_path / "raw")
    assert bounds_of(opened.split(seed=4)) == bounds_of(data.split(seed=4))
    assert opened.fingerprint == data.fingerprint
    assert opened.split().train.fingerprint == data.split().train.fingerprint
