"""Potsdam: windows of tiles, classes by colour, the contest's split, faults of the originals."""

import numpy as np
import pytest
from fixtures import potsdam as fixture
from fixtures import writing
from PIL import Image

from discom.data.sources.potsdam import TEST, TRAIN, read_potsdam
from discom.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore:.*tiles are missing")
STARTS = [0, 16, 32, 44]  # of windows of 16 in 60 pixels: the last is shifted back


def read(root, **options):
    return read_potsdam(root, **{"window": 16} | options)


def windows(pixels):
    """Every window of a planted tile [H, W, …], in the order of the samples."""
    return np.stack([pixels[top : top + 16, left : left + 16] for top in STARTS for left in STARTS])


def of_tile(data, tile):
    return np.flatnonzero(data.groups == tile)


@pytest.mark.parametrize("border", ["eroded", "full"])
def test_every_pixel_is_the_planted_one(raw, border):
    data = read(raw("potsdam"), modalities=["rgb", "dsm", "ndsm", "irrg", "rgbir"], border=border)
    assert data.groups.tolist() == [identity.partition("-")[0] for identity in data.ids]
    assert data.ids[of_tile(data, "6_7")][1] == "6_7-0000-0016"
    for tile in fixture.TILES:
        scene, rows = fixture.town(tile), of_tile(data, tile)
        colours = np.moveaxis(windows(scene.rgbir), -1, 1)
        height, above = scene.height.copy(), scene.above.astype(int)
        if tile == "3_13":  # its last column is missing, and repeats the one before
            height[:, 59], above[:, 59] = height[:, 58], above[:, 58]
        images = {name: view.x[rows] for name, view in data.modalities.items()}
        np.testing.assert_array_equal(images["rgb"], colours[:, :3])
        np.testing.assert_array_equal(images["irrg"], colours[:, [3, 0, 1]])
        np.testing.assert_array_equal(images["rgbir"], colours)
        np.testing.assert_array_equal(images["dsm"][:, 0], windows(height))
        assert np.abs(images["ndsm"][:, 0] - windows(above)).max() <= 3  # JPEG
        ids = scene.ids if border == "full" else scene.eroded
        masks = windows(np.where(ids == fixture.NONE, 255, ids))
        np.testing.assert_array_equal(data.masks[rows], masks)
        for mask, label in zip(masks, data.labels[rows], strict=True):
            assert label == np.bincount(mask[mask != 255]).argmax()


def test_the_contest_split(tmp_path):
    fixture.make(tmp_path, tiles=TRAIN + TEST, side=20)
    data = read(tmp_path, window=20)
    assert (len(TRAIN), len(TEST), len(data), data.name) == (24, 14, 38, "potsdam-official")
    tiles = {part: set(data.groups[rows]) for part, rows in data.parts.items()}
    assert tiles["test"] == set(TEST)
    assert tiles["train"] | tiles["valid"] == set(TRAIN)
    assert not tiles["train"] & tiles["valid"]
    assert len(tiles["valid"]) == 3  # an eighth of 24


def test_without_labels_of_test_tiles_there_is_no_official_split(copy):
    root = copy("potsdam")
    for tile in ("3_13", "5_14"):
        fixture.label_file(root, tile).unlink()
    with pytest.warns(UserWarning, match=r"34 of 38 tiles are missing: .*; there is no official"):
        data = read(root)
    assert data.parts is None
    assert data.name == "potsdam-4tiles-grouped"


def test_chosen_tiles(raw):
    data = read(raw("potsdam"), tiles=["7_11", "6_7", "5_14"])
    assert (data.name, set(data.groups)) == ("potsdam-3tiles-official", {"5_14", "6_7", "7_11"})
    assert set(data.groups[data.parts["test"]]) == {"5_14"}
    assert read(raw("potsdam"), tiles=["6_7"]).name == "potsdam-1tiles-grouped"


def flat(root):
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        for file in folder.iterdir():
            inside = (
                root if "participants" not in folder.name else root / "5_Labels_for_participants"
            )
            inside.mkdir(exist_ok=True)
            file.replace(inside / file.name)


def no_zeros(root):
    fixture.dsm_file(root, "6_7").rename(root / "1_DSM/dsm_potsdam_6_7.tif")


def capitals_and_hidden(root):
    file = fixture.rgb_file(root, "6_7")
    writing.page(file.with_name(f"._{file.name}"))
    file.rename(file.with_suffix(".TIF"))


def three_grey_bands(root):
    file = fixture.ndsm_file(root, "6_7")
    pixels = np.asarray(Image.open(file))
    writing.image(file, np.stack([pixels] * 3, -1))


@pytest.mark.parametrize("change", [flat, no_zeros, capitals_and_hidden])
def test_layouts_that_mean_the_same(raw, copy, change):
    root, options = copy("potsdam"), {"tiles": ["6_7", "2_10", "5_14"]}
    change(root)
    assert read(root, **options).fingerprint == read(raw("potsdam"), **options).fingerprint


def test_grey_heights_in_three_bands(copy):
    root = copy("potsdam")
    three_grey_bands(root)
    heights = read(root, modalities=["ndsm"], tiles=["6_7"]).modalities["ndsm"].x[:, 0].astype(int)
    assert np.abs(heights - windows(fixture.town("6_7").above.astype(int))).max() <= 4


def repaint(root, tile, change):
    for folder in ("5_Labels_all", "5_Labels_for_participants"):
        file = fixture.label_file(root, tile, folder=folder)
        ids = fixture.town(tile).eroded
        fixture.write_label(file, change(fixture.COLOURS[ids].copy()))


def test_the_right_copy_of_4_12_is_taken_and_the_blended_one_refused(raw, copy):
    masks = read(raw("potsdam"), border="full", tiles=["4_12"]).masks
    np.testing.assert_array_equal(masks[:], windows(fixture.town("4_12").ids))
    root = copy("potsdam")
    fixture.label_file(root, "4_12", "", "5_Labels_for_participants").unlink()
    with pytest.raises(
        DataError, match=r"4_12_label\.tif: \d+ pixels have no class's colour; it is bl"
    ):
        read(root, border="full", tiles=["4_12"])


@pytest.mark.parametrize(("count", "refused"), [(3, False), (4, True)])
def test_few_pixels_of_another_colour_are_no_label(copy, count, refused):
    def dots(colours):
        colours[20, 20 : 20 + count] = (17, 200, 90)
        return colours

    root = copy("potsdam")
    repaint(root, "6_7", dots)  # of 3 600 pixels: below and above 0.1 %
    if refused:
        with pytest.raises(DataError, match="4 pixels have no class's colour"):
            read(root, tiles=["6_7"])
    else:
        expected = np.where(fixture.town("6_7").eroded == 6, 255, fixture.town("6_7").eroded)
        expected[20, 20:23] = 255
        np.testing.assert_array_equal(read(root, tiles=["6_7"]).masks[:], windows(expected))


def test_windows_without_a_label_are_left_out(copy):
    def dark(colours):
        colours[:16, :16] = 0
        return colours

    root = copy("potsdam")
    repaint(root, "6_7", dark)
    assert read(root, tiles=["6_7"]).ids[0] == "6_7-0000-0016"


def test_a_row_is_no_view_of_what_is_kept(raw):
    data = read(raw("potsdam"), tiles=["6_7"])
    for array in (*(view.x for view in data.modalities.values()), data.masks):
        before = array[0].copy()
        array[0][:] = 0
        np.testing.assert_array_equal(array[0], before)


def heights(change):
    def damage(root):
        writing.tiff(fixture.dsm_file(root, "6_7"), change(fixture.town("6_7").height[None]))

    return damage


def second_copy(root):
    file = fixture.rgb_file(root, "6_7")
    writing.tiff(root / "old" / file.name, np.zeros((3, 60, 60), np.uint8))


BAD = {
    "heights beyond 500 m": (
        heights(lambda h: h + 600),
        r"has heights beyond ±500 m; fetch it again",
    ),
    "heights of 8 bits": (heights(lambda h: h.astype(np.uint8)), r"holds uint8, dsm needs float32"),
    "narrow heights": (
        heights(lambda h: h[:, :, :59]),
        r"06_07\.tif: has not the size of .*_6_7_label",
    ),
    "low heights": (
        heights(lambda h: h[:, :59]),
        r"06_07\.tif: has not the size of .*; fetch both",
    ),
    "a second copy": (second_copy, r"top_potsdam_6_7_RGB\.tif: a second copy of"),
    "small labels": (
        lambda root: repaint(root, "6_7", lambda c: c[::2, ::2]),
        r"has not the size of",
    ),
    "labels of one band": (
        lambda root: writing.tiff(
            fixture.label_file(root, "6_7", folder="5_Labels_for_participants"),
            np.zeros((1, 60, 60), np.uint8),
        ),
        r"has 1 band\(s\), eroded needs 3; take the original file",
    ),
}


@pytest.mark.parametrize(("damage", "message"), BAD.values(), ids=BAD)
def test_what_is_refused(copy, damage, message):
    root = copy("potsdam")
    damage(root)
    with pytest.raises(DataError, match=message):
        read(root, tiles=["6_7"])
