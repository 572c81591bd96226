"""Potsdam: the reader on a small copy of the archives' layout, with every fault that is known of
the real one."""

import shutil
import warnings

import numpy as np
import pytest
import rasterio
import tifffile
from fixtures import potsdam as fixture
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning

from discom.data import load
from discom.data.rasters import read_rows
from discom.data.sources.potsdam import CLASSES, POTSDAM, read_potsdam
from discom.data.sources.potsdam_tiles import TEST, TRAIN
from discom.errors import ConfigError, DataError

pytestmark = pytest.mark.filterwarnings("ignore:.*3[_]13|.*tiles are missing")
STARTS = [0, 16, 32, 44]  # of windows of 16 in 60 pixels: the last is shifted back


def read(root, window=16, **options):
    return read_potsdam(root, window=window, **options)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The good copy, which no test changes."""
    return fixture.make(tmp_path_factory.mktemp("potsdam"))


@pytest.fixture(scope="module")
def data(root):
    return read(root, modalities=["rgb", "dsm", "ndsm", "irrg", "rgbir"])


def windows(pixels):
    """Every window of a planted tile [H, W, …], in the order of the samples."""
    return np.stack([pixels[top : top + 16, left : left + 16] for top in STARTS for left in STARTS])


def of_tile(data, tile):
    return np.flatnonzero(data.groups == tile)


# what is read
# ------------------------------------------------------------------------------------------------------


def test_default_pair(root):
    data = read(root, tiles=fixture.TILES)
    assert {name: (m.x.shape, m.x.dtype, m.unit) for name, m in data.modalities.items()} == {
        "rgb": ((96, 3, 16, 16), np.uint8, ""),
        "dsm": ((96, 1, 16, 16), np.float32, "m"),
    }
    assert (data.masks.shape, data.masks.dtype) == ((96, 16, 16), np.uint8)
    assert (
        data.classes
        == CLASSES
        == ("impervious", "building", "low_vegetation", "tree", "car", "clutter")
    )
    assert data.name == "potsdam-6tiles-official"
    assert data.about["tiles"] == ["2_10", "3_13", "4_12", "5_14", "6_7", "7_11"]
    assert data.about["dropped"] == {
        "rgb": 0, "dsm": 0, "labels": 0, "test tiles without labels": 0, "windows without labels": 0,
    }  # fmt: skip


def test_ids_name_tile_top_and_left(data):
    expected = [f"6_7-{top:04d}-{left:04d}" for top in STARTS for left in STARTS]
    assert data.ids[of_tile(data, "6_7")].tolist() == expected
    assert expected[1] == "6_7-0000-0016"
    assert data.paired_ids.tolist() == data.ids.tolist()
    assert [identity.partition("-")[0] for identity in data.ids] == data.groups.tolist()


@pytest.mark.parametrize("tile", fixture.TILES)
def test_pixels_are_the_planted_ones(data, tile):
    scene, rows = fixture.town(tile), of_tile(data, tile)
    colours = np.moveaxis(windows(scene.rgbir), -1, 1)
    np.testing.assert_array_equal(data.modalities["rgb"].x[rows], colours[:, :3])
    np.testing.assert_array_equal(data.modalities["irrg"].x[rows], colours[:, [3, 0, 1]])
    np.testing.assert_array_equal(data.modalities["rgbir"].x[rows], colours)
    heights = scene.ground + scene.height
    if tile == "3_13":
        heights[:, 59] = heights[:, 58]
    np.testing.assert_array_equal(data.modalities["dsm"].x[rows][:, 0], windows(heights))
    expected = np.where(scene.eroded == fixture.NONE, 255, scene.eroded)
    np.testing.assert_array_equal(data.masks[rows], windows(expected))


def test_full_labels_know_the_borders(root):
    data = read(root, border="full")
    for tile in fixture.TILES:
        expected = windows(fixture.town(tile).ids)
        np.testing.assert_array_equal(data.masks[of_tile(data, tile)], expected)
        most = [np.bincount(mask.ravel()).argmax() for mask in expected]
        assert data.labels[of_tile(data, tile)].tolist() == most
    assert data.about["border"] == "full"


def test_heights_agree_with_classes(data):
    """A mix-up of axes, tiles or windows would tear roofs from buildings."""
    above, masks = np.asarray(data.modalities["ndsm"].x)[:, 0].astype(float), np.asarray(data.masks)
    assert above[masks == CLASSES.index("building")].min() > 80
    assert above[masks == CLASSES.index("impervious")].max() < 40
    assert data.modalities["ndsm"].unit == "height above ground, 0 … 255, scale unknown"
    planted = windows(25 * fixture.town("6_7").height)
    np.testing.assert_allclose(
        data.modalities["ndsm"].x[of_tile(data, "6_7")][:, 0], planted, atol=16
    )  # a JPEG


def test_bgr_would_swap_building_and_clutter(root, data):
    """What a reader with OpenCV's order of colours makes of the same label."""
    swapped = tifffile.imread(fixture.label_files(root, "6_7", "_noBoundary")[0])[..., ::-1]
    naive = np.full(swapped.shape[:2], 255)
    for label, colour in enumerate(fixture.COLOURS[:6]):
        naive[(swapped == colour).all(-1)] = label
    ours = fixture.town("6_7").eroded
    assert (naive[ours == CLASSES.index("building")] == CLASSES.index("clutter")).all()
    wrong, right = windows(naive), data.masks[of_tile(data, "6_7")]
    assert (wrong != right).any()
    assert (right == windows(np.where(ours == fixture.NONE, 255, ours))).all()


def test_sorted_listings_would_pair_other_tiles(tmp_path):
    """Heights are named with zeros in front, so that the two listings differ in order; we pair by
    number."""
    tiles = ["6_10", "6_7"]
    fixture.make(tmp_path, tiles)
    photos, heights = (
        sorted(file(tmp_path, "6_7").parent.glob("*.tif"))
        for file in (fixture.rgb_file, fixture.dsm_file)
    )
    assert [photos[0].stem, heights[0].stem] == [
        "top_potsdam_6_10_RGB",
        "dsm_potsdam_06_07",
    ]  # a naive pair
    data = read(tmp_path, tiles=tiles)
    for tile in tiles:
        scene = fixture.town(tile)
        np.testing.assert_array_equal(
            data.modalities["dsm"].x[of_tile(data, tile)][:, 0],
            windows(scene.ground + scene.height),
        )


def test_modalities_in_the_name(root):
    assert read(root, modalities=["rgb", "ndsm"]).name == "potsdam-rgb-ndsm-6tiles-grouped"
    assert list(read(root, modalities=["dsm"]).modalities) == ["dsm"]  # needs no orthophoto


# split
# ---------------------------------------------------------------------------------------------------------------


def test_the_contest_split(tmp_path):
    fixture.make(tmp_path, tiles=TRAIN + TEST, size=20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*3_13.* the last one is repeated")
        data = read(tmp_path)
    assert (len(TRAIN), len(TEST), len(data)) == (24, 14, 38 * 4)
    assert data.name == "potsdam-official"
    held = {part: set(data.groups[rows]) for part, rows in data.parts.items()}
    assert held["test"] == set(TEST)
    assert held["train"] | held["valid"] == set(TRAIN)
    assert not held["train"] & held["valid"]
    assert len(held["valid"]) == 3  # an eighth of 24 tiles
    for rows in data.parts.values():
        assert (np.diff(rows) > 0).all()
    assert sorted(np.concatenate(list(data.parts.values()))) == list(range(len(data)))


def test_without_labels_of_test_tiles_there_is_no_official_split(tmp_path):
    fixture.make(tmp_path, without=["5_Labels_all*/*.tif"])
    message = r"34 of 38 tiles are missing .*\(2 test tiles lack their label\); so there is no official split, and a dr"
    with pytest.warns(UserWarning, match=message) as caught:
        data = read(tmp_path)
    assert len([w for w in caught if "official" in str(w.message)]) == 1
    assert data.parts is None
    assert data.name == "potsdam-4tiles-grouped"
    assert set(data.groups) == {"2_10", "4_12", "6_7", "7_11"}
    assert data.about["dropped"]["test tiles without labels"] == 2


def test_the_24_tiles_with_labels_for_participants(tmp_path):
    fixture.make(tmp_path, tiles=TRAIN + TEST, size=20, without=["5_Labels_all*/*.tif"])
    with pytest.warns(
        UserWarning, match=r"14 of 38 tiles .*2_13, .* \(14 test tiles lack their label\)"
    ):
        data = read(tmp_path)
    assert (data.name, set(data.groups)) == ("potsdam-grouped", set(TRAIN))


def test_chosen_tiles(root):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing that was asked for is missing
        data = read(root, tiles=["7_11", "6_7", "5_14"])
        assert data.about["tiles"] == ["5_14", "6_7", "7_11"]
        assert data.name == "potsdam-3tiles-official"
        assert set(data.groups[data.parts["test"]]) == {"5_14"}
        assert read(root, tiles=["6_7"]).name == "potsdam-1tiles-grouped"


def test_round_trip(root, tmp_path):
    data = read(root, tiles=fixture.TILES)
    data.save(tmp_path / "prepared")
    again = load(tmp_path / "prepared")
    assert again.fingerprint == data.fingerprint
    np.testing.assert_array_equal(again.masks, np.asarray(data.masks))
    assert again.groups.tolist() == data.groups.tolist()
    assert {part: rows.tolist() for part, rows in again.parts.items()} == {
        part: rows.tolist() for part, rows in data.parts.items()
    }
    assert [m.unit for m in again.modalities.values()] == ["", "m"]
    assert again.about == data.about


# layouts and faults that are read correctly
# --------------------------------------------------------------------------

SAME = {
    "flat": {"flat": True},
    "folders in folders": {"nested": True},
    "no zeros in heights": {"rename": ("1_DSM/dsm_potsdam_06_07.tif", "1_DSM/dsm_potsdam_6_7.tif")},
    "capital ending": {
        "rename": ("2_Ortho_RGB/top_potsdam_6_7_RGB.tif", "2_Ortho_RGB/top_potsdam_6_7_RGB.TIF")
    },
    "double precision": {"double_heights": "6_7"},
    "hidden file": {
        "copy": ("2_Ortho_RGB/top_potsdam_6_7_RGB.tif", "2_Ortho_RGB/._top_potsdam_6_7_RGB.tif")
    },
    "grey as colour": {"grey_as_colour": "6_7"},
}


@pytest.mark.parametrize("case", SAME)
def test_layouts_that_mean_the_same(root, tmp_path, case):
    options = {"modalities": ["rgb", "dsm", "ndsm"], "tiles": ["6_7", "2_10", "5_14"]}
    found = read(fixture.make(tmp_path, **SAME[case]), **options)
    assert found.fingerprint == read(root, **options).fingerprint


def test_column_that_3_13_lacks(root):
    with pytest.warns(
        UserWarning, match=r"3_13.* has 59 of 60 columns; the last one is repeated"
    ) as caught:
        data = read(root, modalities=["rgb", "dsm", "ndsm"])
    named = [str(w.message) for w in caught if "repeated" in str(w.message)]
    assert [name.partition(":")[0].rpartition("/")[2] for name in named] == [
        "dsm_potsdam_03_13.tif",
        "dsm_potsdam_03_13_normalized_lastools.jpg",
    ]
    for name in ("dsm", "ndsm"):
        last = data.modalities[name].x[data.ids.tolist().index("3_13-0044-0044"), 0]
        np.testing.assert_array_equal(last[:, 15], last[:, 14])
        assert (last[:, 15] > 0).any()  # a column of zeros would be a ditch of 40 m


def test_the_right_copy_of_4_12(root):
    """5_Labels_all holds it blended over the photo; the participants' copy is taken where there is
    one."""
    data = read(root, border="full", tiles=["4_12"])
    np.testing.assert_array_equal(data.masks[:], windows(fixture.town("4_12").ids))
    blended = tifffile.imread(fixture.label_files(root, "4_12", "")[0])
    assert blended.max() < 255
    nearest = np.abs(blended[..., None, :].astype(int) - fixture.COLOURS[:6]).sum(-1).argmin(-1)
    assert (nearest != fixture.town("4_12").ids).any()  # why the nearest colour is not taken


def test_a_replaced_file_is_read_again(tmp_path):
    fixture.make(tmp_path, strange=("6_7", 100))
    with pytest.raises(DataError, match=r"6_7_label_noBoundary\.tif: 2\.78% of its pixels"):
        read(tmp_path, tiles=["6_7"], window=60)
    fixture.make(tmp_path)
    assert len(read(tmp_path, tiles=["6_7"], window=60)) == 1


def test_few_pixels_of_another_colour(tmp_path):
    fixture.make(tmp_path, strange=("6_7", 3))  # of 3600: 0.083 %
    with pytest.warns(
        UserWarning, match=r"top_potsdam_6_7_label.tif: 3 pixels have no class's colour"
    ):
        data = read(tmp_path, tiles=["6_7"], border="full")
    expected = fixture.town("6_7").ids.copy()
    expected[20, 20:23] = 255
    np.testing.assert_array_equal(data.masks[:], windows(expected))


def test_black_in_a_full_label(tmp_path):
    fixture.make(tmp_path, black=("6_7", 25))
    with pytest.warns(
        UserWarning, match=r"top_potsdam_6_7_label.tif: 25 pixels are black; they are no label"
    ):
        data = read(tmp_path, tiles=["6_7"], border="full")
    expected = fixture.town("6_7").ids.copy()
    expected[20:22, 20:30] = expected[22, 20:25] = 255
    np.testing.assert_array_equal(data.masks[:], windows(expected))


def test_windows_without_a_label_are_left_out(tmp_path):
    data = read(fixture.make(tmp_path, blank="6_7"), tiles=["6_7", "2_10"])
    assert "6_7-0000-0000" not in data.ids
    assert (len(data), data.about["dropped"]["windows without labels"]) == (31, 1)
    row = data.ids.tolist().index("6_7-0000-0016")
    np.testing.assert_array_equal(
        data.modalities["rgb"].x[row], np.moveaxis(fixture.town("6_7").rgbir, -1, 0)[:3, :16, 16:32]
    )


def test_orphans_can_be_dropped(tmp_path):
    fixture.make(tmp_path, without=["dsm_potsdam_06_07.tif"])
    with pytest.warns(
        UserWarning, match=r"1 of rgb have no partner \(6_7\); 1 of labels .* left out"
    ):
        data = read(tmp_path, orphans="drop")
    assert "6_7" not in data.groups
    assert data.name == "potsdam-5tiles-grouped"
    assert data.about["dropped"]["rgb"] == 1


def test_only_the_missing_georeference_is_silent(root):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(root, tiles=["6_7", "5_14"])
    with pytest.warns(NotGeoreferencedWarning):
        rasterio.open(fixture.dsm_file(root, "6_7")).close()


def test_rows_are_read_once_for_windows_side_by_side(root):
    data = read(root, tiles=["6_7"])
    read_rows.cache_clear()
    np.asarray(data.modalities["dsm"].x)
    assert read_rows.cache_info().misses == 4
    assert read_rows.cache_info().hits == 12


def test_a_row_is_no_view_of_the_kept_rows(root):
    data = read(root, tiles=["6_7"])
    for array in (*(m.x for m in data.modalities.values()), data.masks):
        before = array[0].copy()
        array[0][:] = 0
        np.testing.assert_array_equal(array[0], before)


# what is refused
# -----------------------------------------------------------------------------------------------------

PHOTO = "2_Ortho_RGB/top_potsdam_6_7_RGB.tif"
HEIGHT = "1_DSM/dsm_potsdam_06_07.tif"
ABOVE = "1_DSM_normalisation/dsm_potsdam_06_07_normalized_lastools.jpg"
LABEL = "top_potsdam_5_14_label_noBoundary.tif"
AGAIN = "fetch it again, or leave the tile out with the option tiles"
NDSM = {"modalities": ["ndsm"]}
BAD = {
    "4_12 blended": (
        {"without": ["5_Labels_for_participants/*4_12*"]}, {"border": "full"},
        r"5_Labels_all/top_potsdam_4_12_label\.tif: \d+\.\d\d% of its pixels have no class's colour; it is blended or"
        r" resized, as 4_12 in 5_Labels_all\.zip is; take the copy in 5_Labels_for_participants….zip, or"),
    "label resized": ({"resized_labels": "6_7"}, {}, r"6_7_label_noBoundary\.tif: \d+\.\d\d% of its pixels have no"),
    "strange colours": ({"strange": ("6_7", 4)}, {}, r"6_7_label_noBoundary\.tif: 0\.11% of its pixels have no class"),
    "label as JPEG": ({"jpeg_labels": "6_7"}, {}, r"6_7_label_noBoundary\.jpg: is a JPEG, which blends the colours"),
    "label of 1 band": ({"index_labels": "6_7"}, {}, r"6_7_label_noBoundary\.tif: has 1 band\(s\), labels needs 3"),
    "label of 4 bands": ({"alpha_labels": "6_7"}, {}, r"6_7_label_noBoundary\.tif: has 4 band\(s\), labels needs 3"),
    "label smaller": ({"small_labels": "6_7"}, {},
                      rf"6_7_label_noBoundary\.tif: has 30 × 30 pixels, top_potsdam_6_7_RGB\.tif 60 × 60; {AGAIN}"),
    "label twice": ({"copy": (f"5_Labels_all_noBoundary/{LABEL}", f"mine/{LABEL}")}, {},
                    rf"/{LABEL}: stands a second time as .*/mine/{LABEL}; remove one of them"),
    "no label at all": (
        {"without": ["*_noBoundary.tif"]}, {},
        r"holds no top_potsdam_<r>_<c>_label_noBoundary\.tif; unpack 5_Labels_all_noBoundary\.zip there, or change the"
        r" option border \(eroded or full\)"),
    "label of a training tile missing": ({"without": ["top_potsdam_6_7_label*"]}, {},
                                         r"1 of rgb have no partner \(6_7\); 1 of dsm .*complete the files, or leave"),
    "labels all black": ({"void": "6_7"}, {"tiles": ["6_7"]}, r"5_Labels.*: none of 16 windows holds a label; fetch"),
    "height missing": ({"without": ["dsm_potsdam_06_07.tif"]}, {}, r"1 of rgb have no partner \(6_7\); 1 of labels"),
    "photo missing": ({"without": ["*_6_7_RGB.tif"]}, {}, r"1 of dsm have no partner \(6_7\); 1 of labels have no"),
    "heights not unpacked": ({"without": ["1_DSM/*"]}, {}, r"holds no dsm_potsdam_<r>_<c>\.tif; unpack 1_DSM\.zip"),
    "height twice": ({"copy": (HEIGHT, "1_DSM/dsm_potsdam_6_7.tif")}, {},
                     r"dsm_potsdam_06_07\.tif: stands a second time as .*dsm_potsdam_6_7\.tif; remove one"),
    "column missing elsewhere": ({"narrow": ("6_7", 59)}, {},
                                 rf"_06_07\.tif: has 60 × 59 pixels, top_potsdam_6_7_RGB\.tif 60 × 60; {AGAIN}"),
    "two columns of 3_13": ({"narrow": ("3_13", 58)}, {}, r"dsm_potsdam_03_13\.tif: has 60 × 58 pixels"),
    "row of 3_13": ({"short": ("3_13", 59)}, {}, r"dsm_potsdam_03_13\.tif: has 59 × 59 pixels"),
    "heights in bytes": ({"byte_heights": "6_7"}, {}, r"dsm_potsdam_06_07\.tif: holds uint8, dsm needs float32; take"),
    "height of a void": ({"height": ("6_7", -9999.0)}, {}, r"dsm_potsdam_06_07\.tif: holds -9999 m; Potsdam lies in"),
    "height NaN": ({"height": ("6_7", np.nan)}, {}, r"dsm_potsdam_06_07\.tif: holds nan at \[0, 4, 4\]; replace the"),
    "nDSM empty": ({"empty": ABOVE}, NDSM, r"lastools\.jpg: cannot be read as an image \(the file is empty\); unpack"),
    "nDSM of ownapproach only": (
        {"without": ["*_lastools.jpg"]}, {"modalities": ["rgb", "ndsm"]},
        r"holds no dsm_potsdam_<r>_<c>_normalized_lastools\.jpg; unpack 1_DSM_normalisation\.zip there"),
    "nDSM in colours": ({"ndsm_colours": "6_7"}, NDSM, r"lastools\.jpg: its three bands differ, and heights are grey"),
    "nDSM cut": ({"cut": ABOVE}, NDSM, r"lastools\.jpg: cannot be read as an image \(.*Premature end.*\); unpack the"),
    "photo cut": ({"cut": PHOTO}, {}, r"6_7_RGB\.tif: cannot be read as an image \(.+\); unpack the archive again"),
    "photo of four bands": ({"copy": ("4_Ortho_RGBIR/top_potsdam_6_7_RGBIR.tif", PHOTO)}, {},
                            r"top_potsdam_6_7_RGB\.tif: has 4 band\(s\), rgb needs 3; take the original file"),
    "photo a web page": ({"page": PHOTO}, {}, r"6_7_RGB\.tif: cannot be read as an image \(.*not recognized"),
    "unknown tile": ({"rename": (PHOTO, "2_Ortho_RGB/top_potsdam_9_9_RGB.tif")}, {},
                     r"top_potsdam_9_9_RGB\.tif: is none of Potsdam's 38 tiles; remove or rename it"),
    "tile asked for": ({}, {"tiles": ["6_7", "6_8"]}, r"1 of 2 tiles are missing or incomplete: 6_8; complete them,"),
    "test label asked for": ({"without": ["5_Labels_all*/*"]}, {"tiles": ["6_7", "5_14"]},
                             r"1 of 2 tiles .*: 5_14 \(1 test tiles lack their label\); complete them, or leave them"),
}  # fmt: skip


def read_all(root, **options):
    """Some faults are found only when a file is read."""
    for modality in read(root, **options).modalities.values():
        np.asarray(modality.x)


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_named_with_a_way_out(tmp_path, case):
    defects, options, message = BAD[case]
    fixture.make(tmp_path, ("4_12", "6_7", "3_13", "5_14"), **defects)
    with pytest.raises(DataError, match=message) as caught:
        read_all(tmp_path, **options)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_folder(tmp_path):
    with pytest.raises(DataError, match=r"none: no such folder; give the one with the raw files"):
        read(tmp_path / "none")


OPTIONS = {
    "modality": ({"modalities": ["rgb", "depth"]}, r"modalities: 'depth' is unknown to potsdam or twice"),
    "border": ({"border": "wide"}, r"border: 'wide' is unknown; choose eroded or full"),
    "orphans": ({"orphans": "keep"}, r"orphans: 'keep' is unknown; choose refuse or drop"),
    "window 0": ({"window": 0}, r"window: 0 is no side in pixels; choose a whole number such as 512"),
    "window text": ({"window": "16"}, r"window: '16' is no side in pixels"),
    "window real": ({"window": 16.0}, r"window: 16\.0 is no side in pixels"),
    "window true": ({"window": True}, r"window: True is no side in pixels"),
    "window large": ({"window": 61}, r"window: 61 is more than the 60 pixels of .*noBoundary\.tif; choose less"),
    "tile unknown": ({"tiles": ["06_07"]}, r"tiles: potsdam has no '06_07'; choose of 2_10, 2_11"),
    "tiles text": ({"tiles": "6_7"}, r"tiles: '6_7' is no list of tiles; choose such as \[\"6_7\", \"2_10\"\]"),
    "tiles none": ({"tiles": []}, r"tiles: \[\] is no list of tiles"),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_wrong_options(root, case):
    options, message = OPTIONS[case]
    with pytest.raises(ConfigError, match=message) as caught:
        read(root, **options)
    assert "\n" not in str(caught.value)


def test_window_of_a_whole_tile(root):
    data = read(root, window=60, tiles=["6_7"])
    assert data.ids.tolist() == ["6_7-0000-0000"]
    np.testing.assert_array_equal(
        np.moveaxis(data.modalities["rgb"].x[0], 0, -1), fixture.town("6_7").rgbir[..., :3]
    )


# the source
# ----------------------------------------------------------------------------------------------------------


def test_archives_are_gathered_by_hand(root, tmp_path):
    assert POTSDAM.access == "by hand"
    with pytest.raises(
        DataError,
        match=r"potsdam: cannot be downloaded by a program\. Get .*isprs\.org.*1_DSM\.zip, 2_O",
    ):
        POTSDAM.gather(tmp_path, download=True)
    assert not any(file.urls for file in POTSDAM.files)
    sums = {file.name: file.checksum for file in POTSDAM.files if file.checksum}
    assert sums == {
        "4_Ortho_RGBIR.zip": "md5:c4a8f7d8c7196dd4eba4addd0aae10c1"
    }  # that listed for labels is none


def test_archives_are_unpacked_and_read(root, tmp_path):
    for folder in (
        "1_DSM",
        "2_Ortho_RGB",
        "5_Labels_all_noBoundary",
        "5_Labels_for_participants_no_Boundary",
    ):
        shutil.make_archive(str(tmp_path / folder), "zip", root / folder)
    assert read(POTSDAM.gather(tmp_path)).fingerprint == read(root).fingerprint


def test_fixture_is_faithful(root):
    with Image.open(fixture.ndsm_file(root, "6_7")) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "L", (60, 60))
    assert fixture.ndsm_file(root, "6_7", "ownapproach").stat().st_size == 0
    assert tifffile.imread(fixture.dsm_file(root, "3_13")).shape == (60, 59)
