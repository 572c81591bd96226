"""What the readers share: files by name, pairs, official lists, whole groups, pixels of masks."""

import random
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data.lazy import Lazy
from discom.data.sources import steps
from discom.errors import DataError

# ² is a digit and no number
KEYS = st.sets(st.text(st.sampled_from("ab01290²٣_-"), min_size=1, max_size=5), max_size=12)


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


# files


def test_files_with_an_ending_without_what_systems_leave(tmp_path):
    touch(tmp_path, "b.tif", "a.TIF", "._a.tif", ".DS_Store", "a.tif.aux.xml", "c.png", "e.tif/x")
    expected = {"a": tmp_path / "a.TIF", "b": tmp_path / "b.tif"}
    assert list(steps.sorted_files(tmp_path, ".tif").items()) == list(expected.items())
    assert list(steps.sorted_files(tmp_path, ".tif", ".png")) == ["a", "b", "c"]
    with pytest.raises(DataError, match=r"a\.tif: the same sample as a\.TIF; remove one"):
        steps.sorted_files(touch(tmp_path, "a.tif"), ".tif")
    with pytest.raises(DataError, match=r"images: no such folder; unpack the archive again"):
        steps.sorted_files(tmp_path / "images", ".png")


def test_folders_that_hold_all_the_names_at_any_depth(tmp_path):
    touch(tmp_path, "two/deep/cat/x", "two/deep/dog/x", "one/cat/x", "one/dog/x", "half/cat/x")
    touch(tmp_path, "__MACOSX/cat/x", "__MACOSX/dog/x", ".trash/cat/x", ".trash/dog/x")
    folders = [tmp_path / "one", tmp_path / "two" / "deep"]
    assert steps.find_folder(tmp_path, ("cat", "dog"), "animals") == folders
    with pytest.raises(DataError, match=r"holds no horses; fetch them$"):
        steps.find_folder(tmp_path, ("horse",), "horses; fetch them")


def test_links_are_followed_once(tmp_path):
    touch(tmp_path, "disk/cat/x", "disk/dog/x", "root/readme")
    (tmp_path / "root" / "set").symlink_to(tmp_path / "disk")
    (tmp_path / "root" / "set again").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "up").symlink_to(tmp_path / "root")
    folders = steps.find_folder(tmp_path / "root", ("cat", "dog"), "animals")
    assert folders == [tmp_path / "root" / "set"]


# pairs


def test_pairs_are_in_natural_order():
    keys = ["b_10", "b_2", "a_10", "a_9", "b_1"]
    files = {"rgb": dict.fromkeys(keys), "depth": dict.fromkeys(reversed(keys))}
    assert steps.pair(files, "") == (["a_9", "a_10", "b_1", "b_2", "b_10"], {"rgb": 0, "depth": 0})
    equal = {"rgb": dict.fromkeys(["a_1", "a_001", "a_01", "a_2"])}
    assert steps.pair(equal, "")[0] == ["a_001", "a_01", "a_1", "a_2"]  # in every process


@settings(max_examples=60, deadline=None)
@given(
    files=st.dictionaries(st.sampled_from(["rgb", "depth", "sar"]), KEYS, min_size=1),
    seed=st.integers(0, 9),
)
def test_what_pairs_and_what_is_left_is_all_there_is(files, seed):
    files = {name: dict.fromkeys(keys) for name, keys in files.items()}
    common = set.intersection(*map(set, files.values()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not common:
            with pytest.raises(DataError, match="no pair"):
                steps.pair(files, "here", "drop")
            return
        keys, left = steps.pair(files, "here", "drop")
        assert set(keys) == common
        assert len(keys) == len(common)
        assert left == {name: len(values) - len(common) for name, values in files.items()}
        draw = random.Random(seed)
        mixed = {
            name: dict.fromkeys(draw.sample(sorted(values), len(values)))
            for name, values in files.items()
        }
        assert steps.pair(mixed, "here", "drop")[0] == keys
    if any(left.values()):
        with pytest.raises(DataError, match="have no partner"):
            steps.pair(files, "here")


ORPHANS = {
    "one side": (
        {"rgb": "ab", "depth": "abcdef"},
        "here: 4 of depth have no partner (c, d, e); complete the files, or leave these out with"
        ' --options \'{"orphans": "drop"}\'',
    ),
    "both sides": ({"rgb": "abx", "depth": "aby"}, "here: 1 of rgb have no partner (x); 1 of"),
    "nothing": ({"rgb": "ab", "depth": ""}, "here: no pair (2 of rgb have no partner (a, b));"),
    "no file at all": ({"rgb": ""}, "here: no pair (no file); unpack all archives"),
}


@pytest.mark.parametrize(("files", "message"), ORPHANS.values(), ids=ORPHANS)
def test_what_does_not_pair_is_named(files, message):
    with pytest.raises(DataError) as caught:
        steps.pair({name: dict.fromkeys(keys) for name, keys in files.items()}, "here")
    assert str(caught.value).startswith(message)


# parts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=2, max_size=60), st.integers(0, 99), st.data())
def test_a_carved_part_has_whole_groups(groups, seed, data):
    groups = np.array(groups)
    chosen = data.draw(st.lists(st.booleans(), min_size=len(groups), max_size=len(groups)))
    train = np.flatnonzero(chosen)
    if len(set(groups[train])) < 2:
        with pytest.raises(DataError, match=r"the training part is one group"):
            steps.carve(train, groups, seed)
        return
    kept, valid = steps.carve(train, groups, seed)
    assert sorted([*kept, *valid]) == train.tolist()
    assert not set(groups[kept]) & set(groups[valid])
    assert len(set(groups[valid])) == np.ceil(len(set(groups[train])) / 8)
    np.testing.assert_array_equal(steps.carve(train, groups, seed)[1], valid)


LISTS = ("train.txt", "val.txt", "test.txt")


def write_lists(root, train="b.jpg\na.jpg\n", val="c.jpg\n", test="d.jpg\n"):
    root.mkdir(exist_ok=True)
    for name, content in zip(LISTS, (train, val, test), strict=True):
        if content is not None:
            (root / name).write_bytes(content.encode())
    return root


@pytest.mark.parametrize(
    "train", ["b.jpg\na.jpg\n", "b\na", "\ufeffb.jpg\r\na.jpg\r\n\r\n", " b.tif \n\nx/a.png\n"]
)
def test_rows_of_the_lists_ascend(tmp_path, train):
    write_lists(tmp_path / "deep", train)
    parts = steps.official_parts(tmp_path, LISTS, list("abcd"))
    expected = {"train": [0, 1], "valid": [2], "test": [3]}
    assert {part: rows.tolist() for part, rows in parts.items()} == expected


ONCE = r"the lists do not name each of the 4 samples once; unpack"
LACK = r"holds no folder with train\.txt, val\.txt, test\.txt; fetch them, or"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"val": None}, LACK),
        ({"test": "\n \n"}, ONCE),
        ({"val": "c\ny\nx\n"}, ONCE),
        ({"test": "d\nc\n"}, ONCE),
        ({"test": "d\nd.jpg\n"}, ONCE),
        ({"train": "<html>\n404</html>\n"}, ONCE),
    ],
)
def test_lists_that_do_not_fit(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        steps.official_parts(write_lists(tmp_path, **content), LISTS, list("abcd"))


# masks


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([0, 1, 2, 255]), min_size=6, max_size=6), min_size=1, max_size=5
    )
)
def test_pixels_of_every_class_and_the_most_frequent_one(masks):
    masks = np.array(masks, np.uint8).reshape(-1, 2, 3)
    lazy = Lazy(range(len(masks)), masks.__getitem__, (2, 3), np.uint8)
    for array in (masks, lazy):
        counts = steps.count_pixels(array, 3, "here")
        expected = [[mask.ravel().tolist().count(label) for label in range(3)] for mask in masks]
        assert counts.tolist() == expected
    for row, label in zip(expected, steps.most_frequent(counts), strict=True):
        assert label == (row.index(max(row)) if any(row) else -1)


@pytest.mark.parametrize("wrong", [3, 254])
def test_an_id_of_no_class(wrong):
    masks = np.zeros((3, 2, 2), np.uint8)
    masks[1, 1, 0] = wrong
    with pytest.raises(
        DataError, match=rf"^here: mask 1 holds id {wrong}; 0 to 2 and 255 are allowed$"
    ):
        steps.count_pixels(masks, 3, "here")
