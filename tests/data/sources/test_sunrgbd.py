"""SUN RGB-D, Kinect v2: values, pairs, days and lists as planted; every known defect is told or
read as it is meant."""

import re
import warnings

import numpy as np
import pytest
from fixtures import sunrgbd as fixture
from PIL import Image

from discom.data import load
from discom.data.sources.sunrgbd import CLASSES, SUNRGBD, read_sunrgbd
from discom.errors import ConfigError, DataError

NATIVE = (fixture.HEIGHT, fixture.WIDTH)
FIRST = str(fixture.sample_id(0, 0))  # the damaged one


def read(root, **options):
    """The reader at the files' own size; that the list is a small one is known."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*unlike the published list")
        return read_sunrgbd(root, **{"size": NATIVE} | options)


def planted(label, frame, far=8.0, refined=False):
    return np.minimum(fixture.millimetres(label, frame, refined) / 1000, far).astype(np.float32)


def row_of(data, label, frame):
    return data.ids.tolist().index(str(fixture.sample_id(label, frame)))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return fixture.make(tmp_path_factory.mktemp("sunrgbd"), frames=fixture.FRAMES)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return fixture.make(tmp_path_factory.mktemp("small"), classes=4)


# a sound copy
# ---------------------------------------------------------------------------------------------------


def test_every_value_is_the_planted_one(root):
    data = read(root)
    assert CLASSES == data.classes == tuple(fixture.CLASSES)
    assert {
        name: (m.x.shape, m.x.dtype, m.unit, m.invalid) for name, m in data.modalities.items()
    } == {
        "rgb": ((60, 3, *NATIVE), np.uint8, "", None),
        "depth": ((60, 1, *NATIVE), np.float32, "m", 0.0),
    }
    assert data.ids.tolist() == [str(k) for k in range(4244, 4304)]
    assert data.paired_ids.tolist() == data.ids.tolist()
    for label in range(10):
        for frame in range(fixture.FRAMES):
            row = row_of(data, label, frame)
            assert data.labels[row] == label
            np.testing.assert_allclose(
                data.modalities["depth"].x[row, 0], planted(label, frame), rtol=1e-6
            )
            colours = np.moveaxis(fixture.colours(label, frame), 2, 0).astype(int)
            off = np.abs(data.modalities["rgb"].x[row].astype(int) - colours)
            assert np.median(off) <= 2
            assert np.mean(off > 12) < 0.02  # JPEG


@pytest.mark.parametrize("wrong", ["no rotation", "int32", "8 bits", "rotated to the other side"])
def test_a_wrong_decoding_gives_something_else(root, wrong):
    """What the classic errors make of the same file."""
    with Image.open(root / "SUNRGBD" / fixture.folder(3, 1) / "depth" / "0000118.png") as image:
        stored = np.array(image)
    signed = stored.astype(np.int32)
    metres = {
        "no rotation": stored / 1000,
        "int32": ((signed >> 3) | (signed << 13)) / 1000,
        "8 bits": (stored // 256).astype(np.uint8) / 1000,
        "rotated to the other side": ((stored << 3) | (stored >> 13)) / 1000,
    }[wrong]
    right, measured = planted(3, 1, far=np.inf), stored > 0
    assert np.median(np.abs(metres[measured] / right[measured] - 1)) > 0.5
    data = read(root, far=20)
    np.testing.assert_allclose(data.modalities["depth"].x[row_of(data, 3, 1), 0], right, rtol=1e-6)


def test_the_rotation_is_undone_for_all_numbers(tmp_path):
    from discom.data.sources.sunrgbd import _read_depth

    depth = np.arange(65536, dtype=np.int64)
    depth[10001:] %= 10001  # most must be credible; the rest is tried below
    for numbers in (depth, np.where(np.arange(65536) % 3, 1000, np.arange(65536))):
        Image.fromarray(fixture.rotate_left(numbers).reshape(256, 256)).save(tmp_path / "all.png")
        found = _read_depth(tmp_path / "all.png", size=(256, 256), far=100.0)
        np.testing.assert_array_equal(np.round(found.ravel() * 1000), numbers)


def test_depth_beyond_far_is_clipped_and_holes_stay(root):
    rows = {far: read(root, far=far).modalities["depth"].x[0, 0] for far in (8.0, 10, 5.5)}
    assert [round(float(depth.max()), 3) for depth in rows.values()] == [8.0, 10.0, 5.5]
    assert rows[10][fixture.MEDIUM][-1, -1] == np.float32(8.901)
    for depth in rows.values():
        assert (depth[fixture.HOLE] == 0).all()
        assert (depth == 0).sum() == 120


def test_refined_depth_has_no_holes(root):
    data = read(root, depth="refined")
    assert data.name == "sunrgbd-refined-grouped"
    assert data.about["depth"] == "refined"
    row = row_of(data, 4, 2)
    np.testing.assert_allclose(
        data.modalities["depth"].x[row, 0], planted(4, 2, refined=True), rtol=1e-6
    )
    assert data.fingerprint != read(root).fingerprint


@pytest.mark.parametrize("size", [27, [27, 36], (27, 36)])
def test_another_size(root, size):
    data = read(root, size=size)
    height, width = (27, 27) if size == 27 else (27, 36)
    assert {m.x.shape[2:] for m in data.modalities.values()} == {(height, width)}
    if width == 36:
        depth, row = data.modalities["depth"].x, row_of(data, 2, 3)
        np.testing.assert_allclose(
            depth[row, 0], planted(2, 3)[1::2, 1::2], rtol=1e-6
        )  # values that were there
        whole = read(root).modalities["rgb"].x[row].astype(float)
        mean = whole.reshape(3, 27, 2, 36, 2).mean((2, 4))
        np.testing.assert_allclose(data.modalities["rgb"].x[row], mean, atol=1.01)  # rounded twice


def test_size_as_the_paper_s_networks_take_it(root):
    with pytest.warns(UserWarning, match="unlike the published list"):
        data = read_sunrgbd(root)
    assert [m.x[0].shape for m in data.modalities.values()] == [(3, 224, 224), (1, 224, 224)]


@pytest.mark.parametrize(
    ("options", "name", "held"),
    [
        ({}, "sunrgbd-grouped", ["rgb", "depth"]),
        ({"modalities": ["depth", "rgb"]}, "sunrgbd-depth-rgb-grouped", ["depth", "rgb"]),
        ({"modalities": ["rgb"], "depth": "refined"}, "sunrgbd-rgb-grouped", ["rgb"]),
        ({"modalities": ["depth"], "depth": "refined"}, "sunrgbd-depth-refined-grouped", ["depth"]),
    ],
)
def test_names_and_modalities(root, options, name, held):
    data = read(root, **options)
    assert (data.name, list(data.modalities)) == (name, held)


def test_one_modality_needs_no_files_of_the_other(tmp_path):
    data = read(fixture.make(tmp_path, without_depth=True, depths=0), modalities=["rgb"])
    assert len(data) == 10


def test_groups_are_days(root):
    data = read(root)
    assert len(set(data.groups)) == 11
    for label in range(10):
        for frame in range(fixture.FRAMES):
            expected = fixture.day(label, frame) or "corner_of_the_lab-resize"
            assert data.groups[row_of(data, label, frame)] == expected


def test_random_split_divides_days_and_the_default_does_not(root):
    data = read(root)
    drawn = data.protocol("random")
    assert (data.name, drawn.name, data.protocol("grouped").name) == (
        "sunrgbd-grouped",
        "sunrgbd",
        "sunrgbd-grouped",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small parts lack a class
        whole = [set(part.groups) for part in data.split(seed=1)]
        divided = [set(data.groups[np.isin(data.ids, part.ids)]) for part in drawn.split(seed=1)]
    assert sum(map(len, whole)) == len(set().union(*whole)) == 11
    assert sum(map(len, divided)) > len(set().union(*divided))
    with pytest.raises(ConfigError, match="sunrgbd-grouped has no split 'official'"):
        data.protocol("official")


def test_round_trip(root, tmp_path):
    data = read(root, size=18)
    data.save(tmp_path / "out")
    again = load(tmp_path / "out")
    assert again.fingerprint == data.fingerprint
    assert (again.name, again.classes) == (data.name, data.classes)
    assert again.groups.tolist() == data.groups.tolist()
    assert again.about == data.about
    for name, modality in data.modalities.items():
        np.testing.assert_array_equal(again.modalities[name].x, modality.x)
        assert (again.modalities[name].unit, again.modalities[name].invalid) == (
            modality.unit,
            modality.invalid,
        )
    assert again.about["size"] == [18, 18]
    assert again.about["scene.txt"] == {
        "agree": 60,
        "differ": 0,
        "missing": 0,
        "empty": 0,
        "idk": 0,
    }


def test_the_published_lists(tmp_path):
    """2 105 frames with the documented counts: nothing is warned about."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = read_sunrgbd(fixture.make_full(tmp_path), modalities=["rgb"])
    assert len(data) == 2105
    assert np.bincount(data.labels).tolist() == fixture.PUBLISHED
    assert len(set(data.groups)) == 31


def test_another_list_is_told(root):
    with pytest.warns(
        UserWarning,
        match=r"kv2\.txt: lists 60 frames, unlike .* bathroom 6 \(150\), bedroom 6 \(121\)",
    ):
        read_sunrgbd(root)


def test_source():
    assert SUNRGBD.access == "--download"
    assert [file.name for file in SUNRGBD.files] == ["SUNRGBD.zip", "kv2.txt", "mapping.txt"]
    assert SUNRGBD.files[0].urls == (
        "https://rgbd.cs.princeton.edu/data/SUNRGBD.zip",
    )  # no checksum, so no http
    assert all(
        file.checksum is None and file.size is None for file in SUNRGBD.files
    )  # none is published


# read as it is meant
# --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "defects", [{"slashes": True}, {"windows": True}, {"more_mapped": "\n\n4999 -> nothing\n"}]
)
def test_lists_in_another_form(tmp_path, small, defects):
    data = read(fixture.make(tmp_path, classes=4, **defects))
    assert data.fingerprint == read(small).fingerprint


def test_no_heading_or_count_becomes_a_frame(root):
    lines = (root / "subsets" / "mapping.txt").read_text().splitlines()
    assert (
        sum("->" in line for line in lines) == 63
    )  # what a careless reader takes: a heading and other sensors too
    assert len(read(root)) == 60


def test_prefix_is_no_set_of_characters(tmp_path):
    """`lstrip("SUNRGBD/")` would damage folders whose names begin with one of these letters."""
    from discom.data.sources.sunrgbd import _read_mapping

    (tmp_path / "other.txt").write_text("7.png -> /SUNRGBD/DUSB/SUN_room\n")
    assert _read_mapping(tmp_path / "other.txt") == {"7": "DUSB/SUN_room"}
    assert "/SUNRGBD/DUSB/SUN_room".lstrip("SUNRGBD/") == "_room"


@pytest.mark.parametrize("nested", ["", "unpacked/SUNRGBD", "SUNRGBD/SUNRGBD"])
def test_folder_and_lists_are_found_at_any_depth(tmp_path, nested):
    fixture.make(tmp_path / "copy", classes=4)
    place = tmp_path / "data" / nested
    place.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "copy" / "SUNRGBD").rename(place)
    for name in ("kv2.txt", "mapping.txt"):
        (tmp_path / "copy" / "subsets" / name).rename(tmp_path / "data" / name)
    assert len(read(tmp_path / "data")) == 4


def test_the_fuller_of_two_copies_is_taken(tmp_path):
    fixture.make(tmp_path)
    (tmp_path / "A" / "SUNRGBD" / "kv2").mkdir(parents=True)
    assert len(read(tmp_path)) == 10


def test_classes_by_name_where_the_sensor_lacks_one(tmp_path):
    data = read(fixture.make(tmp_path, without="bedroom"))
    lines = (tmp_path / "subsets" / "kv2.txt").read_text().splitlines()
    assert (
        f"kv2/classroom/{fixture.sample_id(2, 0)}.png 1" in lines
    )  # its number there is bedroom's here
    assert data.classes[data.labels[row_of(data, 2, 0)]] == "classroom"
    assert np.bincount(data.labels).tolist() == [1, 0, *[1] * 8]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_image_is_turned_upright(tmp_path, small, orientation):
    data = read(fixture.make(tmp_path, classes=4, sideways=orientation))
    file = tmp_path / "SUNRGBD" / fixture.folder(0, 0) / "image" / "0000118.jpg"
    with Image.open(file) as image:
        assert (image.size == (fixture.WIDTH, fixture.HEIGHT)) == (orientation == 3)
    row = row_of(data, 0, 0)
    off = np.abs(data.modalities["rgb"].x[row].astype(int) - read(small).modalities["rgb"].x[row])
    assert np.median(off) <= 2
    assert np.mean(off > 16) < 0.02


def test_scene_txt_is_compared_and_kv2_txt_kept(tmp_path):
    scenes = ["kitchen", "BEDROOM", "classroom \n", "", "idk", None]
    fixture.make(tmp_path, scenes=scenes)
    with pytest.warns(UserWarning, match=r"scene\.txt against kv2\.txt") as told:
        data = read(tmp_path)
    assert data.about["scene.txt"] == {"agree": 6, "differ": 1, "missing": 1, "empty": 1, "idk": 1}
    message = str(next(w.message for w in told if "scene" in str(w.message)))
    assert re.search(
        r"6 agree, 1 differ, 1 missing, 1 empty, 1 idk; first .*scene\.txt: 'kitchen', not bath",
        message,
    )
    assert [data.labels[row_of(data, label, 0)] for label in range(10)] == list(range(10))


def test_missing_frames_can_be_left_out(tmp_path):
    fixture.make(tmp_path, missing=2)
    with pytest.warns(UserWarning, match=r"2 of kv2\.txt have no partner .*left out"):
        data = read(tmp_path, orphans="drop")
    assert len(data) == 8
    assert FIRST not in data.ids
    assert data.about["dropped"] == {"frames missing": 2}


@pytest.mark.parametrize(("share", "warned"), [(0.4, False), (0.7, True)])
def test_many_holes_are_told(tmp_path, share, warned):
    data = read(fixture.make(tmp_path, classes=4, holes=share))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        depth = data.modalities["depth"].x[row_of(data, 0, 0), 0]
    messages = [str(w.message) for w in told]
    assert (depth == 0).mean() == pytest.approx(share, abs=0.05)
    assert bool(messages) == warned
    if warned:
        assert re.fullmatch(
            r".*depth/0000118\.png: 70% of the frame was not measured \(0\)", messages[0]
        )


# refused
# --------------------------------------------------------------------------------------------------------

LINE = f"kv2/bathroom/{FIRST}.png 0\n"
BAD = {
    # of the lists
    "no kv2.txt": (
        {"listed": "absent"},
        r"holds no kv2\.txt; fetch https://raw.*/subsets/kv2\.txt$",
    ),
    "no mapping.txt": (
        {"mapping": "absent"},
        r"holds no mapping\.txt; fetch https://raw.*/subsets/mapping\.txt$",
    ),
    "kv2.txt is empty": ({"listed": "\n"}, r"kv2\.txt: line '' is not of the form"),
    "mapping.txt is a web page": (
        {"mapping": "<html>404</html>"},
        r"mapping\.txt: has no line '<id>\.png -> /SUNRGBD/…'; fetch it from https",
    ),
    "kv2.txt is of another sensor": (
        {"listed": "kv1/office/3.png 7\n"},
        r"kv2\.txt: line 'kv1/.*' is not of the form",
    ),
    "kv2.txt is cut off": (
        {"more_listed": "kv2/off"},
        r"kv2\.txt: line 'kv2/off' is not of the form .* fetch",
    ),
    "a class of another set": (
        {"more_listed": "kv2/attic/1.png 3\n"},
        r"kv2\.txt: line 'kv2/attic/1\.png 3' has an unknown class; there are bathroom, .*; fetch the list again",
    ),
    "an id that is not mapped": (
        {"more_listed": "kv2/office/9.png 8\n"},
        r"kv2\.txt: line 'kv2/office/9\.png 8' has an id that .*mapping\.txt does not map",
    ),
    "an id twice": (
        {"more_listed": LINE},
        rf"kv2\.txt: line '{LINE.strip()}' is the frame kv2/\S+, which stands bef",
    ),
    "one folder for two ids": (
        {
            "more_listed": "kv2/office/9.png 8\n",
            "more_mapped": f"9.png -> /SUNRGBD/{fixture.folder(0, 0)}\n",
        },
        r"kv2\.txt: line 'kv2/office/9\.png 8' is the frame kv2/align_kv2/\S+, which stands before it",
    ),
    "one id for two folders": (
        {"more_mapped": f"{FIRST}.png -> /SUNRGBD/kv2/else\n"},
        rf"mapping\.txt: maps {FIRST}\.png to kv2/align_kv2/\S+ and to kv2/else; fetch it again",
    ),
    # of the folders
    "frames are missing": (
        {"missing": 3},
        r"SUNRGBD: 3 of kv2\.txt have no partner \((kv2/\S+, ){2}kv2/\S+\); complete the files, or leave them out with",
    ),
    "depth not unpacked": (
        {"without_depth": True},
        r"SUNRGBD: 1 of kv2\.txt have no partner \(kv2/align_kv2/\S+\)",
    ),
    "no image": (
        {"images": 0},
        r"/image: holds 0 images, there must be exactly one; unpack the archive again",
    ),
    "two images": ({"images": 2}, r"/image: holds 2 images, there must be exactly one"),
    "no depth": ({"depths": 0}, r"/depth: holds 0 images, there must be exactly one"),
    "two depths": ({"depths": 2}, r"/depth: holds 2 images, there must be exactly one"),
    # of the files
    "sizes differ": (
        {"depth_size": (80, 60)},
        r"depth/0000118\.png: image/ 72×54 but depth/ 80×60 pixels, which do not align; unpack",
    ),
    "image on its side beside upright depth": (
        {"sideways": 6, "depth_size": (54, 72)},
        r"depth/0000118\.png: image/ 72×54 but depth/ 54×72 pixels",
    ),
    "image is a web page": (
        {"page": True},
        r"image/0000118\.jpg: cannot be read as an image \(cannot identify",
    ),
    "image is cut off": (
        {"truncated": True},
        r"image/0000118\.jpg: cannot be read as an image \(image file is trunc",
    ),
    "image is grey": ({"grey": True}, r"image/0000118\.jpg: is of kind L, needed is RGB of 8 bits"),
    "depth is cut off": ({"depth": "cut off"}, r"depth/0000118\.png: cannot be read as an image"),
    "depth of 8 bits": (
        {"depth": "uint8"},
        r"depth/0000118\.png: holds 1 × uint8, depth is 1 × uint16; take the orig",
    ),
    "depth of three bands": (
        {"depth": "colour"},
        r"depth/0000118\.png: holds 3 × uint8, depth is 1 × uint16",
    ),
    "depth in int32": (
        {"depth": "int32"},
        r"depth/0000118\.png: holds 1 × int32, depth is 1 × uint16",
    ),
    "depth is 0 everywhere": (
        {"empty": True},
        r"depth/0000118\.png: is 0 everywhere, nothing was measured; unpack",
    ),
    "bits not rotated": (
        {"bits": "plain"},
        r"depth/0000118\.png: \d\d% lie beyond 10 m: bits not rotated; take the",
    ),
}


@pytest.mark.parametrize(("defects", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_in_one_line(tmp_path, defects, message):
    fixture.make(tmp_path, classes=4, **defects)
    with pytest.raises(DataError, match=message) as told:  # noqa: PT012  some files are opened by the second line
        data = read(tmp_path)
        for modality in data.modalities.values():
            _ = modality.x[row_of(data, 0, 0)]
    assert "\n" not in str(told.value)
    assert str(told.value).startswith(str(tmp_path))


def test_no_frame_at_all(tmp_path):
    with pytest.raises(
        DataError, match=r"nowhere: no such folder; give the one with the raw files"
    ):
        read(tmp_path / "nowhere")
    fixture.make(tmp_path / "made")
    (tmp_path / "made" / "SUNRGBD" / "kv2").rename(tmp_path / "made" / "SUNRGBD" / "else")
    with pytest.raises(
        DataError,
        match=r"made: holds no SUNRGBD folder \(with kv2/ in it\); unpack SUNRGBD\.zip there",
    ):
        read(tmp_path / "made")
    (tmp_path / "made" / "SUNRGBD" / "kv2").mkdir()
    with pytest.raises(
        DataError, match=r"SUNRGBD: holds no file of image/ and depth/; unpack or fetch it"
    ):
        read(tmp_path / "made")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"modalities": ["rgb", "lidar"]},
            "modalities: 'lidar' is unknown to sunrgbd or twice; choose of rgb, depth",
        ),
        ({"depth": "bfx"}, "depth: 'bfx' is unknown; choose raw or refined"),
        ({"far": 0}, r"far: 0 is no distance; give metres above 0, such as 8\.0"),
        ({"far": float("nan")}, "far: nan is no distance"),
        ({"far": float("inf")}, "far: inf is no distance"),
        ({"far": "8 m"}, "far: '8 m' is no distance"),
        (
            {"size": 0},
            r"size: 0 is no size; give pixels, such as 224, or height and width, \[224, 224\]",
        ),
        ({"size": [224]}, r"size: \[224\] is no size"),
        ({"size": "224"}, "size: '224' is no size"),
        ({"size": (224, 1.5)}, r"size: \(224, 1\.5\) is no size"),
        ({"size": None}, "size: None is no size"),
        ({"orphans": "ignore"}, "orphans: 'ignore' is unknown; choose refuse or drop"),
    ],
)
def test_options_out_of_range(root, options, message):
    with pytest.raises(ConfigError, match=message):
        read(root, **options)
