"""NYU Depth v2: a small copy in the real layout, right and with every known defect."""

import multiprocessing
import os
import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor

import h5py
import numpy as np
import pytest
from fixtures import nyuv2 as fixture
from scipy.io import savemat

from discom.data import load
from discom.data.prepared import verify
from discom.data.sources.nyuv2 import CLASSES, NYUV2, read_nyuv2
from discom.errors import ConfigError, DataError

NUMBERS = range(1, fixture.COUNT + 1)
MAT = "nyu_depth_v2_labeled.mat"


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    return fixture.make(tmp_path_factory.mktemp("nyuv2"))


@pytest.fixture(scope="module")
def data(raw):
    return read_nyuv2(raw)


def planted_mask(number):
    classes = fixture.classes(number)
    return np.where(classes == 0, 255, classes - 1)


# values
# ---------------------------------------------------------------------------------------------------------


def test_every_image_is_the_planted_one(data):
    assert data.name == "nyuv2-official"
    assert data.ids.tolist() == [f"{number:04d}" for number in NUMBERS]
    assert data.paired_ids.tolist() == data.ids.tolist()
    rgb, depth = data.modalities["rgb"], data.modalities["depth"]
    assert (rgb.x.shape, rgb.x.dtype) == ((12, 3, 12, 16), np.uint8)
    assert (depth.x.shape, depth.x.dtype, depth.unit, depth.invalid) == (
        (12, 1, 12, 16),
        np.float32,
        "m",
        0.0,
    )
    assert (data.masks.shape, data.masks.dtype) == ((12, 12, 16), np.uint8)
    for row, number in enumerate(NUMBERS):
        np.testing.assert_array_equal(rgb.x[row], np.moveaxis(fixture.colours(number), 2, 0))
        np.testing.assert_array_equal(depth.x[row, 0], fixture.metres(number))
        np.testing.assert_array_equal(data.masks[row], planted_mask(number))


def test_the_ceiling_is_at_the_top_and_the_door_at_the_left(data):
    rgb, mask = data.modalities["rgb"].x[6], data.masks[6]
    assert rgb[:, :3, 5].tolist() == [[250, 230, 210]] * 3
    assert data.classes[mask[0, 0]] == "ceiling"
    assert data.classes[mask[4, 2]] == "door"
    assert np.argwhere(rgb[0] == 255).tolist() == [
        [6, 7]
    ]  # the red pixel in the column of the image's number


def test_raw_depth_keeps_its_holes(raw):
    data = read_nyuv2(raw, depth="raw")
    assert data.name == "nyuv2-raw-official"
    depth = data.modalities["depth"]
    assert depth.invalid == 0
    np.testing.assert_array_equal(depth.x[4, 0], fixture.raw_metres(5))
    assert (depth.x[:] == 0).sum() == 12 * 6


def test_thirteen_classes(raw, data):
    coarse = read_nyuv2(raw, classes=13)
    assert coarse.name == "nyuv2-13-official"
    assert coarse.classes == CLASSES[13]
    for row in range(12):
        fine = data.masks[row]
        expected = np.where(fine == 255, 255, fixture.MAP13[np.minimum(fine, 39)] - 1)
        np.testing.assert_array_equal(coarse.masks[row], expected)


def test_classes_are_named_in_the_order_of_the_maps(data):
    assert (
        [len(CLASSES[40]), len(CLASSES[13])]
        == [len(set(CLASSES[40])), len(set(CLASSES[13]))]
        == [40, 13]
    )
    assert data.classes == CLASSES[40]
    assert [CLASSES[40][number - 1] for number in (1, 22, 24, 40)] == [
        "wall",
        "ceiling",
        "refridgerator",
        "otherprop",
    ]
    assert [CLASSES[13][number - 1] for number in (1, 13)] == ["bed", "window"]
    assert data.labels.tolist() == [0, 1] * 6  # wall in odd images, floor in even ones


def test_scenes_and_the_official_split(data):
    assert data.groups.tolist() == fixture.SCENES
    assert data.ids[data.parts["test"]].tolist() == ["0003", "0006", "0009", "0012"]
    train, valid = (data.parts[part] for part in ("train", "valid"))
    assert sorted([*train, *valid]) == [number - 1 for number in fixture.TRAIN]
    assert not set(data.groups[train]) & set(data.groups[valid])
    assert all((np.diff(rows) > 0).all() for rows in data.parts.values())
    assert data.parts["valid"].tolist() == read_again(data).parts["valid"].tolist()
    assert len(valid) == 2  # one scene of four


def read_again(data):
    return read_nyuv2(data.masks.items[0][0].parent)


def test_one_modality_alone(raw, tmp_path):
    data = read_nyuv2(raw, ["depth"])
    assert (data.name, list(data.modalities)) == ("nyuv2-depth-official", ["depth"])
    assert data.protocol("random").name == "nyuv2-depth"
    colour = read_nyuv2(
        fixture.make(tmp_path, without="depths"), ["rgb"]
    )  # does not need the other's array
    assert (colour.name, colour.channels) == ("nyuv2-rgb-official", {"rgb": 3})


def test_round_trip(data, tmp_path):
    data.save(tmp_path / "out")
    opened = load(tmp_path / "out")
    verify(tmp_path / "out")
    assert opened.name == data.name
    for name, modality in data.modalities.items():
        np.testing.assert_array_equal(opened.modalities[name].x, modality.x[:])
        assert (opened.modalities[name].unit, opened.modalities[name].invalid) == (
            modality.unit,
            modality.invalid,
        )
    np.testing.assert_array_equal(opened.masks, data.masks[:])
    np.testing.assert_array_equal(opened.groups, data.groups)
    for part, rows in data.parts.items():
        np.testing.assert_array_equal(opened.parts[part], rows)
    assert opened.about == data.about
    assert opened.fingerprint == data.fingerprint


def one_image(images):
    return images[3].tolist()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system starts processes otherwise")
def test_rows_survive_a_pickle_and_another_process(data):
    images = data.modalities["rgb"].x
    expected = images[3].tolist()  # the file is open here
    assert pickle.loads(pickle.dumps(images))[3].tolist() == expected
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        assert pool.submit(one_image, images).result() == expected
    assert images[3].tolist() == expected


def test_a_file_that_was_replaced_is_opened_anew(tmp_path):
    def darker(planted):
        planted["images"] //= 2

    before = read_nyuv2(fixture.make(tmp_path)).modalities["rgb"].x[0]
    (tmp_path / MAT).unlink()
    after = read_nyuv2(fixture.make(tmp_path, edit=darker)).modalities["rgb"].x[0]
    np.testing.assert_array_equal(after, before // 2)


# the classic errors give something else
# -------------------------------------------------------------------------


def test_a_turn_by_90_degrees_mirrors_the_picture(raw, data):
    with h5py.File(raw / MAT) as mat:
        stored = mat["images"][6]
    turned = np.rot90(np.moveaxis(stored, 0, 2), -1)  # [H, W, 3], as one published script reads it
    right = np.moveaxis(data.modalities["rgb"].x[6], 0, 2)
    assert turned.shape == right.shape
    assert (turned != right).any()
    np.testing.assert_array_equal(turned[:, ::-1], right)


def test_unreversed_axes_lay_the_room_on_its_side(raw, data):
    with h5py.File(raw / MAT) as mat:
        stored = mat["images"][6]
        np.testing.assert_array_equal(mat["depths"][6].T, data.modalities["depth"].x[6, 0])
    assert stored.shape == (3, 16, 12)
    assert len(set(stored[0, 4:, 0])) == 1  # its first column is the ceiling's first row
    assert (
        stored[0, 4, :3].tolist()
        == data.modalities["rgb"].x[6, 0, :3, 4].tolist()
        == [250, 230, 210]
    )


def test_labels_in_8_bits_would_be_other_classes(data):
    table = np.concatenate([[0], fixture.MAP40])
    wrong = table[fixture.labels(1).astype(np.uint8)] - 1
    assert (wrong != data.masks[0].astype(int)).mean() > 0.5
    assert len(np.unique(data.masks[0])) == 5  # wall, floor, door, ceiling, none


def test_no_label_is_no_class(data):
    assert (data.masks[:, :, -1] == 255).all()
    assert (data.masks[:, :, :-1] < 40).all()


# bad input
# ------------------------------------------------------------------------------------------------------


def planted(key, number, value):
    """An edit: `value` in the middle of image `number`, or everywhere where it is a tuple of
    one."""

    def edit(arrays):
        place = np.s_[number - 1] if isinstance(value, tuple) else np.s_[number - 1, 5, 5]
        arrays[key][place] = value[0] if isinstance(value, tuple) else value

    return {"edit": edit}


def split(train, test):
    return {"splits": {"trainNdxs": np.array(train)[:, None], "testNdxs": np.array(test)[:, None]}}


TRAIN, TEST = fixture.TRAIN, fixture.TEST
BY_HAND = r"fetch it by hand from github\.com/VainF/nyuv2-python-toolkit"
BAD = {
    "no .mat": ({"missing": MAT}, rf"{MAT}: missing; fetch it with --download \(3\.0 GB\), or from https://horatio"),
    "half-downloaded": ({"truncated": True}, rf"{MAT}: cannot be opened \(.*truncated file.*\); half-downloaded or no"),
    "web page": ({"web_page": True}, rf"{MAT}: cannot be opened \(.*signature not found.*delete it and fetch it again"),
    "axes not reversed": ({"layout": "plain"}, r"images has shape \(12, 16, 3, 12\).*axes not reversed or swapped"),
    "width and height swapped": ({"layout": "swapped"}, r"images has shape \(12, 3, 12, 16\).*not reversed or swapped"),
    "colours last": ({"layout": "pictures"}, r"images has shape \(12, 12, 16, 3\).*axes not reversed or swapped"),
    "no images": ({"without": "images"}, r"has no array 'images' \(it has .*depths.*\); take the labelled set's own"),
    "no labels": ({"without": "labels"}, r"has no array 'labels'"),
    "no depths": ({"without": "depths"}, r"has no array 'depths'"),
    "no scenes": ({"without": "scenes"}, r"has no array 'scenes'"),
    "labels in 8 bit": ({"labels_type": np.uint8}, r"labels is uint8, needed is uint16 \(8 bits cannot hold 894"),
    "depth in whole mm": (
        {"depth_scale": 1000, "depth_type": np.uint16}, r"depths is uint16, needed is float32 \(metres\)",
    ),
    "one depth less": ({"shorter": "depths"}, r"depths has shape \(11, 16, 12\), images \(12, 3, 16, 12\)"),
    "one label less": ({"shorter": "labels"}, r"labels has shape \(11, 16, 12\)"),
    "label beyond 894": (planted("labels", 7, 895), r"labels of image 7 holds 895, there are 0 … 894"),
    "no label anywhere": ({"edit": lambda arrays: arrays["labels"].fill(0)}, r"no image has a label"),
    "scenes one short": ({"scenes": fixture.SCENES[:-1]}, r"scenes is object of shape \(1, 11\), needed are 12 ref"),
    "scenes as numbers": ({"scenes_as": "codes"}, r"scenes is int64 of shape \(1, 12\), needed are 12 references"),
    "scenes in 8 bit": ({"scenes_as": "bytes"}, r"scenes of image 1 is no text \(uint16\)"),
    "scenes without text": ({"scenes_as": "nothing"}, r"scenes of image 1 is no text"),
    "scenes damaged": ({"damaged_scene": 4}, r"the list of arrays or of scenes cannot be read \(.*\); delete the file"),
    "one scene trains": ({"scenes": ["hall_0001", "hall_0001", "office_0003"] * 4}, r"the training part is one group"),
    "no splits": ({"missing": "splits.mat"}, r"splits\.mat: missing; fetch it again from https://.*/splits\.mat"),
    "splits garbled": ({"garbled": "splits.mat"}, r"splits\.mat: cannot be read as a MATLAB file \(.*\); fetch it"),
    "splits of other names": (
        {"splits": {"train": np.ones(3)}}, r"splits\.mat: has no 'trainNdxs' \(it has train\); fetch it again",
    ),
    "splits 0-based": (
        split([k - 1 for k in TRAIN], [k - 1 for k in TEST]),
        r"splits\.mat: trainNdxs holds 0, images are counted 1 … 12: 0-based or of another file",
    ),
    "splits beyond": (split(TRAIN, [*TEST, 13]), r"testNdxs holds 13, images are counted 1 … 12: 0-based or of anoth"),
    "splits overlap": (split(TRAIN, [*TEST, 8]), r"image 8 is listed 2 times \(in trainNdxs and testNdxs\), not once"),
    "splits repeat": (split([*TRAIN, 2], TEST), r"image 2 is listed 2 times \(in trainNdxs\), not once"),
    "splits incomplete": (split(TRAIN, TEST[:-1]), r"image 12 is listed 0 times \(in neither part\), not once"),
    "splits empty": (split(TRAIN, []), r"testNdxs holds 0 values of .*, not whole numbers"),
    "splits of fractions": (split([1.5, *TRAIN], TEST), r"trainNdxs holds 9 values of float64, not whole numbers"),
    "no map to 40": ({"missing": "classMapping40.mat"}, rf"classMapping40\.mat: missing; {BY_HAND}"),
    "map to 40 garbled": ({"garbled": "classMapping40.mat"}, r"classMapping40\.mat: cannot be read as a MATLAB file"),
    "map to 40 counted from 0": (
        {"map40": fixture.MAP40 - 1}, rf"classMapping40\.mat: mapClass holds 0 … 39, needed is 1 … 40; {BY_HAND}",
    ),
    "map of fewer labels": ({"map40": fixture.MAP40[:-1]}, r"mapClass has 893 values of uint8, needed are 894 numbers"),
}  # fmt: skip
BAD13 = {
    "no map to 13": ({"missing": "class13Mapping.mat"}, rf"class13Mapping\.mat: missing; {BY_HAND}"),
    "plain array": ({"map13": fixture.MAP13}, r"class13Mapping\.mat: classMapping13 is .*int64 and no structure"),
    "counted from 0": (
        {"map13": {"labels13": fixture.MAP13 - 1}}, r"classMapping13, first field, holds 0 … 12, needed is 1 … 13",
    ),
    "names first": (
        {"map13": {"names": np.array(["bed"] * 13, object)}},
        r"classMapping13, first field, has 13 values of object, needed are 40 numbers",
    ),
}  # fmt: skip
BAD_IMAGES = {
    "depth in mm": (
        {"depth_scale": 1000}, "depth", r"depths of image 1 holds 1960; depth is in metres, 0 … 20: take",
    ),
    "depth all zero": (planted("depths", 3, (0,)), "depth", r"depths of image 3 is 0 everywhere, nothing was measured"),
    "depth below zero": (planted("depths", 4, -1.0), "depth", r"depths of image 4 holds -1;"),
    "depth NaN": (planted("depths", 5, np.nan), "depth", r"depths of image 5 holds nan;"),
    "colours damaged": ({"damaged": 9}, "rgb", r"images of image 9 cannot be read \(.*\); delete the file and fetch"),
}  # fmt: skip


def assert_refused(regex, root, action):
    with pytest.raises(DataError, match=regex) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message
    assert str(root) in message or "one group" in message  # of a shared function that knows no file


@pytest.mark.parametrize(("defects", "regex"), BAD.values(), ids=BAD)
def test_bad_input(tmp_path, defects, regex):
    fixture.make(tmp_path, **defects)
    assert_refused(regex, tmp_path, lambda: read_nyuv2(tmp_path))


@pytest.mark.parametrize(("defects", "regex"), BAD13.values(), ids=BAD13)
def test_bad_map_to_13(tmp_path, defects, regex):
    fixture.make(tmp_path, **defects)
    read_nyuv2(tmp_path)  # 40 classes do not need it
    assert_refused(regex, tmp_path, lambda: read_nyuv2(tmp_path, classes=13))


@pytest.mark.parametrize(("defects", "name", "regex"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_bad_image_is_refused_when_it_is_read(tmp_path, defects, name, regex):
    data = read_nyuv2(fixture.make(tmp_path / "raw", **defects))
    assert_refused(regex, tmp_path / "raw", lambda: data.modalities[name].x[:])
    with pytest.raises(DataError, match=regex):
        data.save(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "regex"),
    [
        ({"modalities": ["rgb", "thermal"]}, r"modalities: 'thermal' is unknown to nyuv2 or twice"),
        ({"classes": 27}, r"classes: nyuv2 has no 27; choose 40 or 13"),
        ({"classes": [40]}, r"classes: nyuv2 has no \[40\]; choose 40 or 13"),
        ({"depth": "mm"}, r"depth: nyuv2 has no 'mm'; choose filled or raw"),
    ],
)
def test_wrong_options(raw, options, regex):
    with pytest.raises(ConfigError, match=regex):
        read_nyuv2(raw, **options)


# warnings
# -------------------------------------------------------------------------------------------------------


def test_an_image_without_any_label_is_left_out_and_counted(tmp_path):
    fixture.make(tmp_path, **planted("labels", 5, (0,)))
    with pytest.warns(UserWarning, match=rf"{MAT}: images without any label: 1 \(0005\); left out"):
        data = read_nyuv2(tmp_path)
    assert data.about["dropped"] == {"no label": 1}
    assert data.ids.tolist() == [f"{number:04d}" for number in NUMBERS if number != 5]
    np.testing.assert_array_equal(
        data.modalities["rgb"].x[4], np.moveaxis(fixture.colours(6), 2, 0)
    )
    np.testing.assert_array_equal(data.masks[4], planted_mask(6))
    assert data.groups[4] == fixture.SCENES[5]
    assert data.ids[data.parts["test"]].tolist() == ["0003", "0006", "0009", "0012"]
    assert sorted(np.concatenate(list(data.parts.values()))) == list(range(11))


def test_a_scene_in_training_and_test_part_is_counted(tmp_path):
    fixture.make(tmp_path, scenes=[*fixture.SCENES[:2], fixture.SCENES[0], *fixture.SCENES[3:]])
    with pytest.warns(
        UserWarning, match=r"in both official parts, training and test: 1 \(kitchen_0001\); kept"
    ):
        data = read_nyuv2(tmp_path)
    assert data.ids[data.parts["test"]].tolist() == ["0003", "0006", "0009", "0012"]


def test_the_right_data_give_no_warning(raw):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_nyuv2(raw)


def test_row_vectors_and_small_integers_in_splits_are_read_too(tmp_path):
    fixture.make(tmp_path)
    lists = {"trainNdxs": fixture.TRAIN, "testNdxs": fixture.TEST}
    savemat(
        tmp_path / "splits.mat",
        {key: np.array(values, np.uint8)[None] for key, values in lists.items()},
    )
    assert read_nyuv2(tmp_path).parts["test"].tolist() == [2, 5, 8, 11]


def test_source():
    assert NYUV2.access == "--download, and a part by hand"
    assert [remote.name for remote in NYUV2.files if not remote.urls] == [
        "classMapping40.mat",
        "class13Mapping.mat",
    ]
    for remote in NYUV2.files[:2]:
        assert [url.partition("://")[0] for url in remote.urls] == [
            "https",
            "http",
        ]  # port 80 was closed for long
        assert all(url.endswith(remote.name) for url in remote.urls)
