"""Images in another unit stand out; the closed form of the level."""

import numpy as np
import pytest

from discom.data import Modality, scenes
from discom.data.levels import levels, odd_levels


def modality(x, invalid=None):
    return Modality(x, np.zeros(len(x), int), np.arange(len(x)), invalid=invalid)


def test_the_level_is_the_98th_percentile_of_the_absolute_values():
    x = -np.arange(101.0).reshape(1, 1, 1, 101)
    assert levels(modality(x)).tolist() == [98.0]


def test_unmeasured_pixels_are_left_out_and_an_empty_image_has_none():
    x = np.zeros((2, 1, 1, 4))
    x[0, 0, 0, 0] = 7.0
    assert levels(modality(x, invalid=0)).tolist() == [7.0, 0.0]
    assert levels(modality(x))[0] == np.percentile([7, 0, 0, 0], 98)


@pytest.mark.parametrize("scale", [1000, 257, 1 / 1000, 1 / 257, 0])
def test_another_unit_stands_out(scale):
    depth = scenes.make(n=60, size=16).modalities["depth"]
    x = 3000 * depth.x
    x[[4, 17]] *= scale
    assert odd_levels(levels(modality(x))).tolist() == [4, 17]


def test_drawn_scenes_have_no_odd_level():
    for held in scenes.make(n=200).modalities.values():
        assert len(odd_levels(levels(held))) == 0


def test_a_range_turned_upside_down_is_not_seen():
    x = scenes.make(n=60, size=16).modalities["depth"].x.copy()
    x[3] = 1 - x[3]
    assert len(odd_levels(levels(modality(x)))) == 0
