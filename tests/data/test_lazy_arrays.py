"""Arrays that stay on disk have the values of the whole."""

from pathlib import Path

import numpy as np
import pytest
from fixtures.refusal import refused

from discom.data.lazy_arrays import Rows, lazy, take_rows

WHOLE = np.arange(7 * 2 * 3 * 4, dtype=np.float32).reshape(7, 2, 3, 4)
KEYS = (3, -1, slice(2, 5), slice(5, 1, -2), [4, 0, 4], np.array([], int), (slice(1, 4), 1), (2, 1))


def whole(read=WHOLE.__getitem__, items=range(7)):
    return lazy(items, read, (2, 3, 4), np.float32)


@pytest.fixture
def mapped(tmp_path):
    np.save(tmp_path / "x.npy", WHOLE)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing_gives_what_the_whole_array_gives(key, mapped):
    for array in (whole(), *(take_rows(each, np.arange(7)) for each in (whole(), mapped))):
        np.testing.assert_array_equal(array[key], WHOLE[key])
        assert (array.shape, array.ndim, array.dtype) == (WHOLE.shape, 4, WHOLE.dtype)
        np.testing.assert_array_equal(np.asarray(array), WHOLE)


def test_a_row_on_disk_is_read_when_it_is_asked_for_and_not_before(mapped):
    asked = []
    for array in (mapped, whole(lambda k: asked.append(k) or WHOLE[k])):
        later = take_rows(take_rows(array, np.array([6, 5, 1, 0])), np.array([0, 2]))
        assert (asked, later.shape) == ([], (2, 2, 3, 4))
        assert isinstance(later, Rows)
        np.testing.assert_array_equal(later, WHOLE[[6, 1]])
    assert asked == [6, 1]
    assert isinstance(take_rows(WHOLE, np.array([1, 3])), np.ndarray)


@pytest.mark.parametrize("wrong", [np.zeros((2, 3, 5), "f4"), np.zeros((2, 3, 4), "u1")])
def test_a_wrong_image_is_named_by_its_file(wrong):
    for item in (Path("raw/b.tif"), (Path("raw/b.tif"), 512, 0)):
        refused(lambda item=item: whole(lambda _: wrong, items=[item])[0], r"^raw/b\.tif: ")
