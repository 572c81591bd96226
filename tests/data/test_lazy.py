"""Arrays that stay on disk: the values of the whole, nothing read before it is asked for."""

from pathlib import Path

import numpy as np
import pytest

from discom.data.lazy import Lazy, Rows, is_lazy, take_rows
from discom.errors import DataError

WHOLE = np.arange(7 * 2 * 3 * 4, dtype=np.float32).reshape(7, 2, 3, 4)
KEYS = (3, -1, slice(2, 5), slice(5, 1, -2), [4, 0, 4], np.array([], int), (slice(1, 4), 1), (2, 1))


def lazy(read=WHOLE.__getitem__, items=range(7)):
    return Lazy(items, read, (2, 3, 4), np.float32)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing_gives_what_the_whole_array_gives(key, tmp_path):
    np.save(tmp_path / "x.npy", WHOLE)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for array in (lazy(), Rows(lazy(), np.arange(7)), Rows(mapped, np.arange(7))):
        np.testing.assert_array_equal(array[key], WHOLE[key])
        assert (array.shape, array.ndim, array.dtype) == (WHOLE.shape, 4, WHOLE.dtype)
        np.testing.assert_array_equal(np.asarray(array), WHOLE)


def test_a_row_is_read_when_it_is_asked_for_and_not_before():
    asked = []
    array = lazy(lambda k: asked.append(k) or WHOLE[k])
    later = take_rows(take_rows(array, np.array([6, 5, 1, 0])), np.array([0, 2]))
    assert (asked, later.shape) == ([], (2, 2, 3, 4))
    np.testing.assert_array_equal(later[:], WHOLE[[6, 1]])
    assert asked == [6, 1]


def test_what_is_in_memory_is_taken_at_once_and_what_is_on_disk_later(tmp_path):
    np.save(tmp_path / "x.npy", WHOLE)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert not is_lazy(take_rows(WHOLE, np.array([1, 3])))
    for array in (mapped, lazy(), Rows(mapped, np.arange(5))):
        part = take_rows(array, np.array([1, 3]))
        assert isinstance(part, Rows)
        assert not isinstance(part.base, Rows)  # no view of a view
        np.testing.assert_array_equal(part, WHOLE[[1, 3]])


WRONG = {
    "shape": (np.zeros((2, 3, 5), np.float32), r"holds float32 of shape \(2, 3, 5\)"),
    "type": (np.zeros((2, 3, 4), np.uint8), r"holds uint8 of shape"),
    "value": (
        np.where(WHOLE[0] == 23, -np.inf, WHOLE[0]),
        r"sample 0, band 1 holds -inf at pixel \(2, 3\); fill",
    ),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("item", [Path("raw/b.tif"), (Path("raw/b.tif"), 512, 0)])
def test_a_wrong_image_is_named_by_its_file(case, item):
    values, message = WRONG[case]
    with pytest.raises(DataError, match=rf"^raw/b\.tif: {message}"):
        lazy(lambda _: values, items=[item])[0]
