"""NYU Depth v2: axes turned, 894 labels taken to 40 classes, the official split by scene."""

import pickle

import numpy as np
from fixtures import nyuv2 as fixture
from fixtures.refusal import refusals

from discom.data.sources.nyuv2 import CLASSES, read_nyuv2


def planted_mask(number):
    labels = fixture.labels(number).astype(int)
    return np.where(labels == 0, 255, fixture.MAP40[labels - 1] - 1)


def test_every_value_is_the_planted_one(raw):
    data = read_nyuv2(raw("nyuv2"))
    assert data.classes == CLASSES
    assert len(set(CLASSES)) == 40
    for row, number in enumerate(range(1, 13)):
        assert data.ids[row] == f"{number:04d}"
        colours = np.moveaxis(fixture.colours(number), 2, 0)
        np.testing.assert_array_equal(data.modalities["rgb"].x[row], colours)
        np.testing.assert_array_equal(data.modalities["depth"].x[row, 0], fixture.metres(number))
        mask = planted_mask(number)
        np.testing.assert_array_equal(data.masks[row], mask)
        assert data.labels[row] == np.bincount(mask[mask != 255]).argmax()


def test_names_stand_at_the_numbers_of_the_map():
    names = {1: "wall", 2: "floor", 22: "ceiling", 24: "refridgerator", 40: "otherprop"}
    assert {number: CLASSES[number - 1] for number in names} == names


def test_the_official_split_and_whole_scenes(raw):
    data = read_nyuv2(raw("nyuv2"))
    assert data.groups.tolist() == fixture.SCENES
    assert data.ids[data.parts["test"]].tolist() == [f"{number:04d}" for number in fixture.TEST]
    train, valid = data.parts["train"], data.parts["valid"]
    assert sorted([*train, *valid]) == [number - 1 for number in fixture.TRAIN]
    assert len(valid) == 2  # one scene of four


def test_rows_survive_a_pickle(raw):
    images = read_nyuv2(raw("nyuv2")).modalities["rgb"].x
    assert pickle.loads(pickle.dumps(images))[3].tolist() == images[3].tolist()


def edited(key, change):
    def damage(root):
        arrays = fixture.arrays()
        arrays[key] = change(arrays[key])
        fixture.write_mat(root, arrays)

    return damage


def put(value, row=2):
    def change(array):
        array[row, 5, 5] = value
        return array

    return change


def splits(train, test):
    return lambda root: fixture.write_splits(root, train, test)


def remove(name):
    return lambda root: (root / name).unlink()


TRAIN, TEST = fixture.TRAIN, fixture.TEST
ONCE = r"splits\.mat: does not list each of 12 images once"
BAD = {
    "depth in mm": (edited("depths", lambda a: 1000 * a), r"depths of image 1 holds 1100 … "),
    "NaN": (edited("depths", put(np.nan, 0)), r"depths of image 1 holds nan"),
    "label above 894": (edited("labels", put(895)), r"image 3 has label 895; fetch it again"),
    "0-based split": (splits([0, *TRAIN[1:]], TEST), ONCE),
    "map from 0": (lambda root: fixture.write_maps(root, fixture.MAP40 - 1), r"does not map 894"),
    "no map": (remove("classMapping40.mat"), r"40\.mat: no such file\."),
}


test_what_is_refused = refusals("nyuv2", read_nyuv2, BAD)
