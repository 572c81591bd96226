"""Mid-Air: float16 in the bits of a PNG, merged classes, flights kept whole in all climates."""

import numpy as np
import pytest
from fixtures import midair as fixture
from fixtures import writing
from fixtures.refusal import refusals

from discom.data.sources.midair import CLASSES, read_midair
from discom.errors import DataError

KEY = "Kite_training/foggy/2001/000025"
MERGED = {0: 0, 8: 1, 2: 2, 3: 3, 4: 3, 5: 3, 6: 4, 10: 5, 9: 6, 1: 7, 7: 7, 11: 7, 12: 7, 13: 7}
FAR = 1250


def read(root, **options):
    return read_midair(root, **{"size": fixture.SIDE} | options)


def test_every_value_is_the_planted_one(raw):
    data = read(raw("midair"))
    names = "sky water trees land boulders road construction others"
    assert tuple(names.split()) == CLASSES == data.classes
    for row, key in enumerate(data.ids):
        colours, metres, ids = fixture.planted(key)
        near = np.where(metres > FAR, 0, metres).astype(np.float32)
        np.testing.assert_array_equal(data.modalities["depth"].x[row, 0], near)
        rgb = np.moveaxis(colours, 2, 0).astype(int)
        assert np.median(np.abs(data.modalities["rgb"].x[row] - rgb)) <= 2  # JPEG
        mask = np.vectorize(MERGED.get)(ids)
        np.testing.assert_array_equal(data.masks[row], mask)
        assert data.labels[row] == np.bincount(mask.ravel()).argmax()


def test_frames_kept(raw):
    assert len(read(raw("midair"), every=1)) == 9 * 4
    assert len(read(raw("midair"))) == 9 * 3  # 12 is not a multiple of 25


def test_a_stream_that_is_not_unpacked_is_named(tmp_path):
    fixture.make(tmp_path)
    folder = next(path.parent for path in sorted(tmp_path.rglob("*.JPEG")))
    for file in folder.iterdir():
        file.unlink()
    (folder / "frames.zip").write_bytes(b"")
    with pytest.raises(DataError, match=r"frames\.zip: is not unpacked; unzip it where it lies"):
        read(tmp_path)


def test_smaller_frames_average_colours_and_pick_the_rest(raw):
    whole, half = read(raw("midair")), read(raw("midair"), size=16)
    depth = whole.modalities["depth"].x[5, :, 1::2, 1::2]
    np.testing.assert_array_equal(half.modalities["depth"].x[5], depth)
    np.testing.assert_array_equal(half.masks[5], whole.masks[5][1::2, 1::2])
    mean = whole.modalities["rgb"].x[5].reshape(3, 16, 2, 16, 2).mean((2, 4))
    np.testing.assert_allclose(half.modalities["rgb"].x[5], mean, atol=1.01)


def test_a_flight_is_one_group_in_all_climates(raw):
    data = read(raw("midair"))
    group_of = dict(zip(data.ids, data.groups, strict=True))
    flight = group_of["Kite_training/sunny/0001/000000"]
    assert group_of["Kite_training/foggy/2001/000050"] == flight
    assert group_of["PLE_training/fall/4001/000000"] != flight


def image(stream, pixels):
    return lambda root: writing.image(fixture.place(root, stream, KEY), pixels)


def moved(old, new):
    return lambda root: (root / old).rename(root / new)


METRES, IDS = fixture.planted(KEY)[1], fixture.planted(KEY)[2]
BITS = METRES.view(np.uint16)
NAN = np.where(METRES == 0, np.uint16(0x7E00), BITS)
UNKNOWN = np.where(IDS == 9, 14, IDS).astype(np.uint8)
FRAMES = "MidAir/Kite_training/foggy/depth/trajectory_2001"
FORM = r"is not <set>/<climate>/<stream>/trajectory_<NNNN>/<6 dig"
BAD = {
    "bytes swapped": (image("depth", BITS.byteswap()), r"float16 bits say .* m; take the original"),
    "NaN": (image("depth", NAN), r"float16 bits say nan"),
    "unknown id": (image("segmentation", UNKNOWN), r"class id 14 is above"),
    "another size": (image("depth", BITS[:, :24]), "rgb, depth, masks differ in size"),
    "no frame": (moved(f"{FRAMES}/000025.PNG", f"{FRAMES}/25.PNG"), FORM),
}
test_what_is_refused = refusals("midair", read, BAD)
