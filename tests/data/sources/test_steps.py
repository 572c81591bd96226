"""What the sources share: files by name, pairs, official lists, whole groups, and the class of a
mask."""

import os
import random
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data.lazy import Lazy
from discom.data.sources.steps import (
    NO_LABEL,
    carve,
    dominant_classes,
    find_folder,
    official_parts,
    pair,
    sorted_files,
)
from discom.errors import ConfigError, DataError

KEYS = st.sets(
    st.text(st.sampled_from("ab01290²٣_-"), min_size=1, max_size=5), max_size=12
)  # ² is a digit, no number


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


# sorted_files
# ---------------------------------------------------------------------------------------------------


def test_files_with_an_ending_without_what_systems_leave(tmp_path):
    touch(
        tmp_path,
        "b.tif",
        "a.TIF",
        "._a.tif",
        ".DS_Store",
        "a.tif.aux.xml",
        "c.png",
        "d.tif.part",
        "e.tif/x",
    )
    assert list(sorted_files(tmp_path, ".tif").items()) == [
        ("a", tmp_path / "a.TIF"),
        ("b", tmp_path / "b.tif"),
    ]
    assert list(sorted_files(tmp_path, ".tif", ".png")) == ["a", "b", "c"]
    assert sorted_files(tmp_path, ".jpg") == {}


def test_a_link_to_nowhere_is_a_file_that_fails_and_none_that_vanishes(tmp_path):
    (tmp_path / "a.tif").symlink_to(tmp_path / "annex")
    assert list(sorted_files(tmp_path, ".tif")) == ["a"]


def test_one_stem_twice(tmp_path):
    with pytest.raises(
        DataError, match=r"a\.tif: stands beside a\.TIF, the same sample; remove one of them"
    ):
        sorted_files(touch(tmp_path, "a.tif", "a.TIF"), ".tif")


def test_files_of_a_missing_folder(tmp_path):
    with pytest.raises(DataError, match=r"images: no such folder; unpack the archive again"):
        sorted_files(tmp_path / "images", ".png")


# find_folder
# ----------------------------------------------------------------------------------------------------


def test_folders_that_hold_all_the_names(tmp_path):
    touch(
        tmp_path,
        "two/deep/cat/x",
        "two/deep/dog/x",
        "one/cat/x",
        "one/dog/x",
        "half/cat/x",
        "cat/x",
        "dog",
    )
    assert find_folder(tmp_path, ("cat", "dog"), "animals") == [
        tmp_path,
        tmp_path / "one",
        tmp_path / "two" / "deep",
    ]


def test_copies_that_systems_leave_are_none(tmp_path):
    touch(
        tmp_path,
        "__MACOSX/set/cat/._x",
        "__MACOSX/set/dog/._x",
        ".trash/cat/x",
        ".trash/dog/x",
        "set/cat/x",
    )
    with pytest.raises(DataError, match=r"holds no animals \(.*/set lacks dog\)$"):
        find_folder(tmp_path, ("cat", "dog"), "animals")
    touch(tmp_path, "set/dog/x")
    assert find_folder(tmp_path, ("cat", "dog"), "animals") == [tmp_path / "set"]


def test_inside_what_was_looked_for_is_nothing_to_find(tmp_path):
    touch(tmp_path, "cat/cat/x", "cat/dog/x", "dog/x")
    assert find_folder(tmp_path, ("cat", "dog"), "animals") == [tmp_path]


def test_nothing_like_it(tmp_path):
    with pytest.raises(DataError, match=r"holds no animals; fetch them$"):
        find_folder(touch(tmp_path, "horse/x"), ("cat", "dog"), "animals; fetch them")


def test_links_are_followed_and_end(tmp_path):
    touch(tmp_path, "disk/cat/x", "disk/dog/x", "root/readme")
    (tmp_path / "root" / "set").symlink_to(tmp_path / "disk")
    (tmp_path / "root" / "set again").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "up").symlink_to(tmp_path / "root")
    assert find_folder(tmp_path / "root", ("cat", "dog"), "animals") == [tmp_path / "root" / "set"]


def test_the_order_is_not_that_of_the_disk(tmp_path, monkeypatch):
    touch(tmp_path, *(f"{place}/cat/x" for place in "badc"))
    real = os.walk

    def listing(top, followlinks=False):
        for place, folders, files in real(top, followlinks=followlinks):
            folders.sort(reverse=True)
            yield place, folders, files

    monkeypatch.setattr("discom.data.sources.steps.os.walk", listing)
    assert [folder.name for folder in find_folder(tmp_path, ["cat"], "animals")] == [
        "a",
        "b",
        "c",
        "d",
    ]


def test_no_root(tmp_path):
    with pytest.raises(
        DataError, match=r"nowhere: no such folder; give the one with the raw files"
    ):
        find_folder(tmp_path / "nowhere", ["cat"], "animals")


# pair
# -----------------------------------------------------------------------------------------------------------


def test_pairs_are_in_natural_order():
    keys = ["b_10", "b_2", "a_10", "a_9", "b_1"]
    held = {"rgb": dict.fromkeys(keys), "depth": dict.fromkeys(reversed(keys))}
    assert pair(held, "here") == (["a_9", "a_10", "b_1", "b_2", "b_10"], {"rgb": 0, "depth": 0})


@settings(max_examples=60, deadline=None)
@given(
    held=st.dictionaries(st.sampled_from(["rgb", "depth", "sar"]), KEYS, min_size=1),
    seed=st.integers(0, 9),
)
def test_what_pairs_and_what_is_left_is_all_there_is(held, seed):
    held = {name: dict.fromkeys(keys) for name, keys in held.items()}
    common = set.intersection(*map(set, held.values()))
    if not common:
        with pytest.raises(DataError, match=r"holds no file of|no name stands in all of"):
            pair(held, "here", "drop")
        return
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        keys, left = pair(held, "here", "drop")
    assert set(keys) == common
    assert len(set(keys)) == len(keys)
    assert {name: len(keys) + left[name] for name in held} == {
        name: len(values) for name, values in held.items()
    }
    assert bool(told) == any(left.values())
    mixed = {
        name: random.Random(seed).sample(sorted(values), len(values))
        for name, values in held.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (
            pair({name: dict.fromkeys(values) for name, values in mixed.items()}, "here", "drop")[0]
            == keys
        )
    if any(left.values()):
        with pytest.raises(DataError, match="have no partner"):
            pair(held, "here")


@settings(max_examples=60, deadline=None)
@given(numbers=st.sets(st.integers(0, 10**20), min_size=1, max_size=9))
def test_numbers_are_in_the_order_of_their_values(numbers):
    keys, _ = pair({"rgb": {f"River_{number}" for number in numbers}}, "here")
    assert keys == [f"River_{number}" for number in sorted(numbers)]


def test_equal_numbers_have_an_order_too():
    """Sets of text have another order in every process; ids must not."""
    assert pair({"rgb": {"a_1": 0, "a_001": 0, "a_01": 0, "a_2": 0}}, "here")[0] == [
        "a_001",
        "a_01",
        "a_1",
        "a_2",
    ]


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (
            {"rgb": "ab", "depth": "abcdef"},
            r"^here: 4 of depth have no partner \(c, d, e, …\); complete the files, or leave them out with --options"
            r" '\{\"orphans\": \"drop\"\}'$",
        ),
        (
            {"rgb": "ax", "depth": "ay"},
            r"^here: 1 of rgb have no partner \(x\); 1 of depth have no partner \(y\); comp",
        ),
        ({"rgb": "ab", "depth": ""}, r"^here: holds no file of depth; unpack or fetch it$"),
        (
            {"rgb": "ba", "depth": "yx"},
            r"^here: no name stands in all of rgb, depth \(the first are \{'rgb': 'a', 'depth': 'x'\}\); check",
        ),
    ],
)
def test_what_does_not_pair_is_named(held, message):
    with pytest.raises(DataError, match=message):
        pair({name: dict.fromkeys(keys) for name, keys in held.items()}, "here")


def test_an_unknown_way_with_orphans():
    with pytest.raises(ConfigError, match=r"^orphans: 'keep' is unknown; choose refuse or drop$"):
        pair({"rgb": {"a": 1}}, "here", "keep")


# carve
# ----------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    groups=st.lists(st.integers(0, 12), min_size=2, max_size=60),
    share=st.floats(0.01, 0.9),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_a_carved_part_has_whole_groups_and_about_the_share(groups, share, seed, data):
    groups = np.array(groups)
    train = np.flatnonzero(
        data.draw(st.lists(st.booleans(), min_size=len(groups), max_size=len(groups)))
    )
    if len(set(groups[train])) < 2:
        with pytest.raises(
            DataError, match=r"the training part is one group \(.*\); two are needed"
        ):
            carve(train, groups, share, seed)
        return
    kept, held_out = carve(train, groups, share, seed)
    assert sorted([*kept, *held_out]) == train.tolist()
    assert len(kept)
    assert len(held_out)
    assert not set(groups[kept]) & set(groups[held_out])
    for part in (kept, held_out):
        assert (np.diff(part) > 0).all()
    sizes = np.unique(groups[train], return_counts=True)[1]
    assert len(held_out) <= max(
        2 * share * len(train), sizes.min()
    )  # a large group is never taken for a small share
    for again, part in zip(carve(train, groups, share, seed), (kept, held_out), strict=True):
        np.testing.assert_array_equal(again, part)


def test_carved_from_groups_of_one_the_share_is_exact():
    train = np.arange(10, 90)
    kept, held_out = carve(train, np.arange(100))
    assert (len(kept), len(held_out)) == (70, 10)
    assert carve(train, np.arange(100), seed=1)[1].tolist() != held_out.tolist()


@pytest.mark.parametrize("seed", range(10))
def test_a_group_larger_than_the_part_trains(seed):
    groups = np.repeat(["large", "a", "b", "c", "d"], [80, 5, 5, 5, 5])
    kept, held_out = carve(np.arange(100), groups, 0.1, seed)
    assert len(held_out) == 10
    assert "large" in groups[kept]


def test_of_groups_that_are_all_too_large_the_smallest_is_taken():
    groups = np.repeat(["a", "b", "c"], [40, 30, 50])
    assert set(groups[carve(np.arange(120), groups, 0.05)[1]]) == {"b"}


# official_parts
# -------------------------------------------------------------------------------------------------

LISTS = {"train": "train.txt", "val": "val.txt", "test": "test.txt"}


def lists(root, train="b.jpg\na.jpg\n", val="c.jpg\n", test="d.jpg\n"):
    for name, content in {"train": train, "val": val, "test": test}.items():
        if content is not None:
            (root / f"{name}.txt").write_bytes(
                content.encode() if isinstance(content, str) else content
            )
    return root


@pytest.mark.parametrize(
    "train",
    ["b.jpg\na.jpg\n", "b\na", "\ufeffb.jpg\r\na.jpg\r\n\r\n", " b.tif \n\nx/a.png\n"],
    ids=repr,
)
def test_rows_of_the_lists_ascend(tmp_path, train):
    parts = official_parts(lists(tmp_path, train), LISTS, list("abcd"))
    assert {part: rows.tolist() for part, rows in parts.items()} == {
        "train": [0, 1],
        "valid": [2],
        "test": [3],
    }
    assert {rows.dtype.kind for rows in parts.values()} == {"i"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"val": None}, r"val\.txt: missing; fetch the list, or go without the official split"),
        ({"test": "\n \n"}, r"test\.txt: lists no name; fetch it again"),
        (
            {"val": "c\ny\nx\n"},
            r"val\.txt: 2 of its names are not there \(y, x\); unpack all archives, or go without",
        ),
        (
            {"test": "d\nc\n"},
            r"test\.txt: lists c, which val\.txt lists already; fetch the lists again",
        ),
        (
            {"test": "d\nd.jpg\n"},
            r"test\.txt: lists d, which test\.txt lists already; fetch the lists again",
        ),
        ({"train": b"\xff\xfe\x00a\n"}, r"train\.txt: 1 of its names are not there"),
        (
            {"train": "<!DOCTYPE html>\n<html>404</html>\n"},
            r"train\.txt: 2 of its names are not there",
        ),
    ],
)
def test_lists_that_do_not_fit(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as caught:
        official_parts(lists(tmp_path, **content), LISTS, list("abcd"))
    assert "\n" not in str(caught.value)


def test_what_no_list_names_is_counted(tmp_path):
    with pytest.warns(UserWarning, match=r"2 samples are in no list \(e, f\); left out"):
        parts = official_parts(lists(tmp_path), LISTS, list("abcdef"))
    assert sum(map(len, parts.values())) == 4


# dominant_classes
# -----------------------------------------------------------------------------------------------


def test_the_most_frequent_class_of_each_mask():
    masks = np.full((4, 2, 3), NO_LABEL, np.uint8)
    masks[0] = [[2, 2, 0], [1, 2, 0]]
    masks[1, 0] = [1, 0, 255]  # as many of both: the first
    masks[2, 1, 2] = 3  # one pixel against five without a label
    assert dominant_classes(masks, 4, "here").tolist() == [2, 0, 3, -1]
    lazy = Lazy(range(4), masks.__getitem__, (2, 3), np.uint8)
    assert dominant_classes(lazy, 4, "here").tolist() == [2, 0, 3, -1]


@settings(max_examples=50, deadline=None)
@given(
    masks=st.lists(
        st.lists(st.sampled_from([0, 1, 2, 255]), min_size=6, max_size=6), min_size=1, max_size=5
    )
)
def test_the_dominant_class_is_the_mode_without_the_unlabelled(masks):
    masks = np.array(masks, np.uint8).reshape(-1, 2, 3)
    for mask, found in zip(masks, dominant_classes(masks, 3, "here"), strict=True):
        labelled = mask[mask != NO_LABEL].tolist()
        assert found == (min(range(3), key=lambda c: (-labelled.count(c), c)) if labelled else -1)


@pytest.mark.parametrize(
    ("wrong", "kind"), [(3, np.uint8), (254, np.uint8), (256, np.uint16), (700, np.int32)]
)
def test_an_id_of_no_class(wrong, kind):
    masks = np.zeros((3, 2, 2), kind)
    masks[1, 1, 0] = wrong
    with pytest.raises(
        DataError, match=rf"^here: mask 1 holds id {wrong}; there are 0 … 2, and 255 for no label$"
    ):
        dominant_classes(masks, 3, "here")


def test_masks_are_read_in_parts(monkeypatch):
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 8)
    masks = np.random.default_rng(0).integers(0, 5, (7, 2, 2)).astype(np.uint8)
    assert dominant_classes(masks, 5, "here").tolist() == [
        np.bincount(m.ravel()).argmax() for m in masks
    ]
