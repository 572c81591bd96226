"""Potsdam: windows of tiles, classes by colour, the contest's split, faults of the originals."""

import numpy as np
import pytest
from fixtures import potsdam as fixture
from fixtures import writing
from fixtures.refusal import refusals

from discom.data.sources.potsdam import RIGHT_COPY, TEST, TILES, read_potsdam
from discom.errors import DataError

STARTS = [0, 4]  # of windows of 16 in 20 pixels: the last is shifted back


def read(root, **options):
    return read_potsdam(root, **{"window": 16} | options)


def windows(pixels):
    """Every window of a planted tile [H, W, …], in the order of the samples."""
    return np.stack([pixels[top : top + 16, left : left + 16] for top in STARTS for left in STARTS])


def test_every_pixel_is_the_planted_one(raw):
    data = read(raw("potsdam"))
    assert data.groups.tolist() == [identity.partition("-")[0] for identity in data.ids]
    for tile in TILES:
        scene, rows = fixture.town(tile), np.flatnonzero(data.groups == tile)
        assert data.ids[rows][1] == f"{tile}-0000-0004"
        height = scene.height.copy()
        if tile == "3_13":  # its last column is missing, and repeats the one before
            height[:, 19] = height[:, 18]
        rgb = np.moveaxis(windows(scene.rgb), -1, 1)
        np.testing.assert_array_equal(data.modalities["rgb"].x[rows], rgb)
        np.testing.assert_array_equal(data.modalities["dsm"].x[rows][:, 0], windows(height))
        masks = windows(np.where(scene.eroded == fixture.NONE, 255, scene.eroded))
        np.testing.assert_array_equal(data.masks[rows], masks)
        for mask, label in zip(masks, data.labels[rows], strict=True):
            assert label == np.bincount(mask[mask != 255]).argmax()


def test_the_contest_split(raw):
    data = read(raw("potsdam"), window=20)
    assert (len(TEST), len(data), data.name) == (14, 38, "potsdam-official")
    tiles = {part: set(data.groups[rows]) for part, rows in data.parts.items()}
    assert tiles["test"] == set(TEST)
    assert tiles["train"] | tiles["valid"] == set(TILES) - set(TEST)
    assert not tiles["train"] & tiles["valid"]
    assert len(tiles["valid"]) == 3  # an eighth of 24


def test_without_labels_of_a_test_tile_there_is_no_official_split(copy):
    root = copy("potsdam")
    fixture.label_file(root, "3_13").unlink()
    with pytest.warns(UserWarning, match=r"have no partner \(3_13\)"):
        data = read(root)
    assert (data.parts, data.name) == (None, "potsdam-37tiles-grouped")


def no_zeros(root):
    fixture.dsm_file(root, "6_7").rename(root / "1_DSM/dsm_potsdam_6_7.tif")


def blended_with_the_right_copy(root):
    file = fixture.label_file(root, "4_12", folder=RIGHT_COPY)
    fixture.write_label(file, fixture.COLOURS[fixture.town("4_12").eroded])
    fixture.write_label(fixture.label_file(root, "4_12"), fixture.town("4_12").rgb)


@pytest.mark.parametrize("change", [no_zeros, blended_with_the_right_copy])
def test_layouts_that_mean_the_same(raw, copy, change):
    root = copy("potsdam")
    change(root)
    assert read(root).fingerprint == read(raw("potsdam")).fingerprint


def test_few_pixels_of_another_colour_are_no_label(copy):
    root, colours = copy("potsdam"), fixture.COLOURS[fixture.town("6_7").eroded]
    colours[8, 8:10] = (17, 200, 90)  # of 256 pixels: below 1 %
    fixture.write_label(fixture.label_file(root, "6_7"), colours)
    data = read(root)
    assert (data.masks[data.ids.tolist().index("6_7-0000-0000")][8, 8:10] == 255).all()
    colours[8, 10] = (17, 200, 90)
    fixture.write_label(fixture.label_file(root, "6_7"), colours)
    with pytest.raises(DataError, match="its colours are no class's; it is blended or"):
        read(root)


def heights(change):
    def damage(root):
        writing.tiff(fixture.dsm_file(root, "6_7"), change(fixture.town("6_7").height[None]))

    return damage


def second_copy(root):
    file = fixture.rgb_file(root, "6_7")
    writing.tiff(root / "old" / file.name, np.zeros((3, 20, 20), np.uint8))


BAD = {
    "heights beyond 500 m": (heights(lambda h: h + 600), r"heights beyond ±500 m; fetch it again"),
    "narrow heights": (heights(lambda h: h[:, :, :19]), r"06_07\.tif: holds float32 \[1, 20, 19\]"),
    "a second copy": (second_copy, r"top_potsdam_6_7_RGB\.tif: a second copy of"),
}


test_what_is_refused = refusals("potsdam", read, BAD)
