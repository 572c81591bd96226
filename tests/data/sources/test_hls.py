"""HLS land cover, in patches of one class and with a class per pixel; places stay whole."""

import numpy as np
import pytest
from fixtures import hls as fixture
from fixtures import writing
from fixtures.refusal import refusals

from discom.data.sources.hls import CLASSES, read_hls, read_hls_dense

LABEL = {10: 0, 30: 1, 40: 2, 80: 3}  # tree, grass, crop, water
HALF, BARE = "007-000-064", "007-064-000"  # crops with labels on just half of the pixels, and none


def label_of(codes):
    return np.vectorize(lambda code: LABEL.get(code, 255))(codes).astype(np.uint8)


@pytest.mark.parametrize(("read", "side"), [(read_hls, 32), (read_hls_dense, 64)])
def test_every_pixel_is_the_planted_one(raw, read, side):
    data = read(raw("hls"), ["infrared", "elevation", "rgb"])
    assert data.classes == ("tree", "grass", "crop", "water") == tuple(CLASSES.values())
    images = {name: np.asarray(view.x) for name, view in data.modalities.items()}
    for row, name in enumerate(data.ids):
        tile, top, left = (int(part) for part in name.split("-"))
        pixels = fixture.planted(tile).astype(np.int64)
        window = pixels[:, top : top + side, left : left + side]
        np.testing.assert_array_equal(images["rgb"][row], window[[2, 1, 0]])
        np.testing.assert_array_equal(images["infrared"][row], window[[3, 4, 5]])
        relief = np.arcsinh((window[6] - pixels[6].mean()) / 5)  # in double precision
        np.testing.assert_allclose(images["elevation"][row, 0], relief, atol=5e-6)
        if data.dense:
            np.testing.assert_array_equal(data.masks[row], label_of(window[7]))
        else:
            assert (label_of(window[7]) == data.labels[row]).mean() >= 0.6
    labels = np.stack([label_of(fixture.planted(tile)[7]) for tile in range(8)])
    blocks = labels.reshape(8, 128 // side, side, 128 // side, side).swapaxes(2, 3)
    shares = np.stack([(blocks == label).mean((3, 4)) for label in range(4)])
    kept = shares.sum(0) >= 0.5 if data.dense else shares.max(0) >= 0.6
    assert len(data) == kept.sum()
    assert data.groups[-1] == 6


def test_crops_with_few_labels_are_left_out_and_counted(copy):
    root = copy("hls")
    with pytest.warns(UserWarning, match="1 of 32 crops have less than 50% with a class; left out"):
        data = read_hls_dense(root)
    assert HALF in data.ids  # half is enough
    assert BARE not in data.ids
    pixels = fixture.planted(7)
    pixels[7, 63, 127] = fixture.WETLAND  # one pixel less than half
    writing.tiff(root / "tiles/007.tif", pixels)
    fewer = read_hls_dense(root)  # the file that was replaced is read again
    assert set(data.ids) - set(fewer.ids) == {HALF}


def tile(change):
    return lambda root: writing.tiff(root / "tiles/001.tif", change(fixture.planted(1)))


def index(*lines):
    return lambda root: writing.text(root / "index.csv", *lines)


def code_33(pixels):
    pixels[7, 5, 5] = 33
    return pixels


HEAD = "tile,location_group"
BAD = {
    "no index": (lambda root: (root / "index.csv").unlink(), r"index\.csv: no such file; copy it"),
    "lacks a value": (index(HEAD, "000,1", "001,"), r"index\.csv: has no line, or one without"),
    "tile twice": (index(HEAD, "0,1", "000,2"), r"index\.csv: has no line, or one .* twice"),
    "small": (tile(lambda p: p[:, :64]), r"001\.tif: holds int16 \[8, 64, 128\], a tile is int16"),
    "unknown code": (tile(code_33), r"001\.tif: 33 is not a WorldCover code; copy it again"),
}


test_what_is_refused = refusals("hls", read_hls, BAD)


# the real tiles


def test_real_patches_as_their_readme_counts_them(real):
    data = read_hls(real("hls_dem_worldcover"))
    assert np.bincount(data.labels).tolist() == [566, 612, 1497, 389]
    assert len(set(data.groups)) == 62  # of the 64 places of all tiles
