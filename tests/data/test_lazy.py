"""Arrays that are read in parts: the values of the whole, nothing read before it is asked for, and
named defects."""

import mmap
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discom import files
from discom.data.lazy import Lazy, Rows, announce, is_lazy, take_rows
from discom.errors import DataError
from discom.files import chunks

WHOLE = np.arange(7 * 2 * 3 * 4, dtype=np.float32).reshape(7, 2, 3, 4)


def held(read=None, items=None):
    return Lazy(
        range(7) if items is None else items, read or WHOLE.__getitem__, (2, 3, 4), np.float32
    )


KEYS = [
    3, -1, np.int64(2), slice(None), slice(2, 5), slice(None, None, 3), slice(5, 1, -2), [4, 0, 4], np.array([], int),
    np.array([True, False] * 3 + [True]), (slice(1, 4), 1), (slice(None, None, 2), 0), ([6, 2], slice(None), 1), (2, 1),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_every_way_of_indexing_gives_what_the_whole_array_gives(key):
    np.testing.assert_array_equal(held()[key], WHOLE[key])
    assert held()[key].dtype == WHOLE.dtype


@pytest.mark.parametrize("key", [7, -8, [0, 7]])
def test_outside_is_an_index_error(key):
    with pytest.raises(IndexError):
        held()[key]


def test_it_looks_like_an_array():
    array = held()
    assert (len(array), array.shape, array.ndim, array.dtype) == (7, WHOLE.shape, 4, WHOLE.dtype)
    np.testing.assert_array_equal(np.asarray(array), WHOLE)


def test_a_row_is_read_when_it_is_asked_for_and_not_before():
    asked = []
    array = held(lambda k: asked.append(k) or WHOLE[k])
    later = take_rows(take_rows(array, np.array([6, 5, 1, 0])), np.array([0, 2]))
    assert asked == []
    assert later.shape == (2, 2, 3, 4)
    np.testing.assert_array_equal(later[:], WHOLE[[6, 1]])
    assert asked == [6, 1]
    asked.clear()
    np.testing.assert_array_equal(later[1:, 0], WHOLE[[1], 0])
    assert asked == [1]


def test_one_band_of_all_needs_the_memory_of_one_band():
    array = Lazy(range(64), lambda k: np.full((50, 32, 32), k, np.uint8), (50, 32, 32), np.uint8)
    tracemalloc.start()
    band = array[:, 7]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert band[:, 0, 0].tolist() == list(range(64))
    assert peak < 64 * 32 * 32 + 4 * 50 * 32 * 32  # the band, and an image or so


@given(st.lists(st.integers(0, 6)), st.data())
def test_rows_of_rows_are_rows(first, data):
    second = data.draw(st.lists(st.integers(0, len(first) - 1))) if first else []
    first, second = np.array(first, int), np.array(second, int)
    np.testing.assert_array_equal(
        np.asarray(take_rows(take_rows(held(), first), second)), WHOLE[first][second]
    )


def test_what_is_in_memory_is_taken_at_once_and_what_is_on_disk_later(tmp_path):
    np.save(tmp_path / "x.npy", WHOLE)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    rows = np.array([1, 3])
    assert isinstance(take_rows(WHOLE, rows), np.ndarray)
    assert not is_lazy(take_rows(WHOLE, rows))
    for array in (on_disk, held(), Rows(on_disk, np.arange(5))):
        assert is_lazy(array)
        assert isinstance(take_rows(array, rows), Rows)
        assert isinstance(take_rows(array, rows).base, np.memmap | Lazy)  # no view of a view
        np.testing.assert_array_equal(take_rows(array, rows), WHOLE[rows])


BAD = {
    "another shape": (
        np.zeros((2, 3, 5), np.float32),
        r"holds float32 of shape \(2, 3, 5\), but float32 of shape",
    ),
    "another type": (
        np.zeros((2, 3, 4), np.uint8),
        r"holds uint8 of shape \(2, 3, 4\), but float32",
    ),
    "a pixel without a value": (
        np.full((2, 3, 4), np.nan, np.float32),
        r"holds nan at \[0, 0, 0\]; replace the file",
    ),
    "an infinite pixel": (
        np.where(WHOLE[0] == 23, -np.inf, WHOLE[0]),
        r"holds -inf at \[1, 2, 3\]",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("item", [Path("raw/b.tif"), (Path("raw/b.tif"), 512, 0)])
def test_a_wrong_image_is_named_by_its_file(case, item):
    values, message = BAD[case]
    array = held(lambda _: values, items=[item])
    with pytest.raises(DataError, match=rf"^raw/b\.tif: {message}"):
        array[0]


@pytest.mark.parametrize("shape", [(10, 3), (1, 5), (0, 4), (5, 0)])
@pytest.mark.parametrize("start", [0, 1])
def test_chunks_cover_every_row_once(monkeypatch, shape, start):
    monkeypatch.setattr(files, "CHUNK_BYTES", 100)
    rows = [row for part in chunks(np.zeros(shape), start) for row in range(part.start, part.stop)]
    assert rows == list(range(start, shape[0]))


def test_a_chunk_holds_no_more_than_it_may(monkeypatch):
    monkeypatch.setattr(files, "CHUNK_BYTES", 100)
    array = np.zeros((50, 3), np.float32)  # 12 bytes a row
    assert max(part.stop - part.start for part in chunks(array)) == 8
    assert [part.stop - part.start for part in chunks(np.zeros((3, 500)))] == [
        1,
        1,
        1,
    ]  # a row is never divided


def test_a_chunk_of_what_becomes_larger_is_smaller(monkeypatch):
    monkeypatch.setattr(files, "CHUNK_BYTES", 100)
    assert [part.stop - part.start for part in chunks(np.zeros((9, 5), np.uint8), itemsize=4)] == [
        5,
        4,
    ]


@pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="the system takes no advice")
@pytest.mark.parametrize("shape", [(50, 3, 7, 11), (9, 1, 64, 64)], ids=str)
def test_announced_ranges_hold_the_rows_and_less_than_two_pages_more(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.arange(np.prod(shape), dtype=np.float32).reshape(shape))
    held = np.load(tmp_path / "x.npy", mmap_mode="r")
    whole = (tmp_path / "x.npy").read_bytes()

    class Told(mmap.mmap):
        asked = []

        def madvise(self, advice, start=0, length=None):
            Told.asked.append((advice, start, length))
            return super().madvise(advice, start, *([length] if length else []))

    with open(tmp_path / "x.npy", "rb") as file:
        pages = Told(file.fileno(), 0, access=mmap.ACCESS_READ)
    mapped = np.ndarray.__new__(np.memmap, shape, np.float32, buffer=pages, offset=held.offset)
    mapped._mmap, mapped.offset, mapped.mode, mapped.filename = (
        pages,
        held.offset,
        "r",
        held.filename,
    )
    announce(take_rows(mapped, np.array([8, 2, 5])), np.array([2, 0]))  # rows 5 and 8
    assert Told.asked[0][0] == mmap.MADV_RANDOM
    assert [advice for advice, *_ in Told.asked[1:]] == [mmap.MADV_WILLNEED] * 2
    for row, (_, start, length) in zip((5, 8), Told.asked[1:], strict=True):
        wanted = np.asarray(held[row]).tobytes()
        assert wanted in whole[start : start + length]
        assert start % mmap.PAGESIZE == 0
        assert length < len(wanted) + mmap.PAGESIZE


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 2)), Lazy([1, 2], lambda k: np.zeros(2), (2,), float)],
    ids=["held", "lazy"],
)
def test_what_is_no_mapped_file_is_not_announced(array):
    announce(array, np.array([0, 1]))


def test_a_part_of_a_mapped_array_is_left_to_the_system(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((9, 4)))
    announce(
        np.load(tmp_path / "x.npy", mmap_mode="r")[3:], np.array([5])
    )  # its rows stand elsewhere than it says
