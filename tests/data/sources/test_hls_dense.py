"""HLS land cover with a class per pixel: the made tiles, damaged ones, and the real ones where
there are any."""

import numpy as np
import pytest
import tifffile
from fixtures import hls as fixture

from discom.data import load
from discom.data.lazy import Lazy
from discom.data.sources.hls import CLASSES, HLS, HLS_DENSE, read_hls_dense
from discom.errors import ConfigError, DataError

LABEL = {10: 0, 30: 1, 40: 2, 80: 3}  # tree, grass, crop, water
HALF, BARE = (
    "007-000-064",
    "007-064-000",
)  # the crop with labels on just half of its pixels, and that without any


def label_of(codes):
    return np.vectorize(lambda code: LABEL.get(code, 255))(codes).astype(np.uint8)


def read_all(root, **options):
    """Read, and look at every pixel."""
    data = read_hls_dense(root, **options)
    for modality in data.modalities.values():
        np.asarray(modality.x)
    return data


def message(error) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return fixture.make(tmp_path_factory.mktemp("hls"))


@pytest.fixture(scope="module")
def data(root):
    return read_hls_dense(root)


# what is read
# --------------------------------------------------------------------------------------------------------


def test_shapes_units_and_names(data):
    assert {
        name: (m.x.shape, m.x.dtype, m.unit, m.invalid) for name, m in data.modalities.items()
    } == {
        "rgb": ((31, 3, 64, 64), np.int16, "reflectance × 10 000", None),
        "elevation": ((31, 1, 64, 64), np.float32, "asinh(Δz / 5 m)", None),
    }
    assert (data.masks.shape, data.masks.dtype, data.dense) == ((31, 64, 64), np.uint8, True)
    assert all(
        isinstance(images, Lazy)
        for images in (data.masks, *(m.x for m in data.modalities.values()))
    )
    assert data.classes == ("tree", "grass", "crop", "water") == tuple(CLASSES.values())
    assert data.name == "hls-dense"
    assert data.ids[:5].tolist() == [
        "000-000-000",
        "000-000-064",
        "000-064-000",
        "000-064-064",
        "001-000-000",
    ]
    assert data.groups.tolist() == [group for group in fixture.GROUPS for _ in range(4)][:-1]


def test_every_crop_is_its_place_of_its_tile(root):
    data = read_hls_dense(root, ["infrared", "elevation", "rgb"])
    for row, (tile, top, left) in enumerate(name.split("-") for name in data.ids):
        pixels = fixture.planted(int(tile))
        window = pixels[:, int(top) : int(top) + 64, int(left) : int(left) + 64].astype(np.int64)
        np.testing.assert_array_equal(
            data.modalities["rgb"].x[row], window[[2, 1, 0]]
        )  # red, green, blue
        np.testing.assert_array_equal(
            data.modalities["infrared"].x[row], window[[3, 4, 5]]
        )  # NIR, SWIR1, SWIR2
        expected = np.arcsinh((window[6] - pixels[6].mean()) / 5)  # in double precision
        np.testing.assert_allclose(data.modalities["elevation"].x[row, 0], expected, atol=2e-6)
        np.testing.assert_array_equal(data.masks[row], label_of(window[7]))
        counts = np.bincount(data.masks[row].ravel(), minlength=256)[:4]
        assert data.labels[row] == counts.argmax()


def test_a_wrong_reading_gives_something_else(data):
    """Rows for columns, blue for red, and the mean of the crop for that of the tile: each would be
    seen above."""
    pixels = fixture.planted(0)
    row = data.ids.tolist().index("000-000-064")
    transposed = pixels[:, 64:, :64]
    assert not np.array_equal(data.masks[row], label_of(transposed[7]))
    assert not np.array_equal(data.modalities["rgb"].x[row], pixels[[0, 1, 2], :64, 64:])
    window = pixels[6, :64, 64:]
    wrong = np.arcsinh((window - window.mean()) / 5)
    assert np.abs(data.modalities["elevation"].x[row, 0] - wrong).max() > 0.3


def test_relief_does_not_depend_on_the_height_of_the_place(data):
    """Steps of metres stay as they are, heights of hundreds go."""
    x = np.asarray(data.modalities["elevation"].x)[:, 0]
    np.testing.assert_array_equal(x[:4], x[4:8])  # one place on two dates, at 300 m
    assert np.abs(x).max() < np.arcsinh(100 / 5)
    heights = fixture.planted(0)[6].astype(float)
    assert heights.min() > 290
    whole = np.block([[x[0], x[1]], [x[2], x[3]]])
    near = np.abs(whole) < 0.2  # asinh is about linear there
    np.testing.assert_allclose(5 * whole[near], (heights - heights.mean())[near], rtol=0.01)


def test_elevation_in_metres(root):
    data = read_hls_dense(root, relief=False)
    assert (data.name, data.modalities["elevation"].unit) == ("hls-dense-metres", "m")
    np.testing.assert_array_equal(
        data.modalities["elevation"].x[3, 0], fixture.planted(0)[6, 64:, 64:]
    )
    assert data.modalities["elevation"].x.dtype == np.float32


def test_crops_with_few_labels_are_left_out_and_counted(root, data, tmp_path):
    assert HALF in data.ids  # half is enough
    assert BARE not in data.ids
    assert data.about["dropped"] == {"crops with less than half of their pixels labelled": 1}
    counts = [(label_of(fixture.planted(tile)[7]) == 255).sum() for tile in range(8)]
    share = (sum(counts) - 64 * 64) / (31 * 64 * 64)
    assert f"which are {share:.1%} of the pixels" in data.about["masks"]

    fixture.make(tmp_path)  # one pixel less than half
    file = tmp_path / "tiles" / "007.tif"
    pixels = fixture.planted(7)
    pixels[7, 63, 127] = fixture.WETLAND
    tifffile.imwrite(file, pixels, photometric="minisblack", planarconfig="separate")
    fewer = read_hls_dense(tmp_path)
    assert set(data.ids) - set(fewer.ids) == {HALF}
    assert list(fewer.about["dropped"].values()) == [2]


@pytest.mark.parametrize(("patch", "count"), [(16, 488), (32, 122), (128, 8)])
def test_other_sizes_of_a_crop(root, patch, count):
    data = read_hls_dense(root, patch=patch)
    codes = np.stack([fixture.planted(tile)[7] for tile in range(8)])
    blocks = (
        (label_of(codes) != 255)
        .reshape(8, 128 // patch, patch, 128 // patch, patch)
        .mean(axis=(2, 4))
    )
    assert len(data) == (blocks >= 0.5).sum() == count
    assert data.masks.shape[1:] == (patch, patch)
    tile, top, left = (int(part) for part in data.ids[-1].split("-"))
    np.testing.assert_array_equal(
        data.modalities["rgb"].x[-1, 0],
        fixture.planted(tile)[2, top : top + patch, left : left + patch],
    )


@pytest.mark.parametrize(
    "names", [["rgb"], ["elevation"], ["infrared", "elevation"], ["elevation", "rgb"]]
)
def test_chosen_modalities(root, names):
    data = read_hls_dense(root, names)
    assert list(data.modalities) == names
    assert data.name == "-".join(["hls-dense", *names])


def test_a_tile_that_is_not_listed_is_told(root, tmp_path):
    fixture.make(tmp_path)
    (tmp_path / "tiles" / "900.tif").write_bytes((root / "tiles" / "000.tif").read_bytes())
    with pytest.warns(
        UserWarning, match=r"index\.csv: 1 of the tiles are not listed \(900\); left out"
    ):
        assert len(read_hls_dense(tmp_path)) == 31


def test_a_file_that_was_replaced_is_read_again(tmp_path):
    fixture.make(tmp_path)
    old = read_hls_dense(tmp_path, patch=128)
    np.testing.assert_array_equal(
        old.modalities["rgb"].x[0], fixture.planted(0)[[2, 1, 0]]
    )  # the tile that is kept
    other = fixture.planted(7)
    tifffile.imwrite(
        tmp_path / "tiles" / "000.tif", other, photometric="minisblack", planarconfig="separate"
    )
    new = read_hls_dense(tmp_path, patch=128)
    assert new.about["masks"] != old.about["masks"]  # the first that is read are the masks
    np.testing.assert_array_equal(new.masks[0], label_of(other[7]))


def test_round_trip(data, tmp_path):
    data.save(tmp_path / "out")
    again = load(tmp_path / "out")
    assert again.fingerprint == data.fingerprint
    assert (again.name, again.dense, again.about) == (data.name, True, data.about)
    assert again.groups.tolist() == data.groups.tolist()
    np.testing.assert_array_equal(again.masks, np.asarray(data.masks))


@pytest.mark.parametrize("seed", range(5))
def test_places_are_never_divided(data, seed):
    parts = data.split(seed=seed)
    groups = [set(part.groups) for part in parts]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 7
    assert sum(map(len, parts)) == 31


def test_the_source():
    assert HLS_DENSE.access == "by hand"
    assert HLS_DENSE.read is read_hls_dense
    assert (HLS_DENSE.licence, HLS_DENSE.by_hand) == (HLS.licence, HLS.by_hand)


# what is refused
# -----------------------------------------------------------------------------------------------------

BAD = {
    "no index": (
        {"missing": "index.csv"},
        r"index\.csv: missing; give the folder that holds index\.csv and tiles/",
    ),
    "an empty index": (
        {"index": "\n"},
        r"index\.csv: cannot be read as a table \(.*\); copy the file again",
    ),
    "an index of other columns": (
        {"index": "name,group\n000,1\n"},
        r"index\.csv: has no column location_group; copy the file again",
    ),
    "a line without its group": (
        {"listed": ("008,,0.1",)},
        r"index\.csv: line 10 lacks its tile or its location_group; copy the file again",
    ),
    "a tile twice": (
        {"listed": ("3,5,0.1",)},
        r"index\.csv: lists tile 003 twice; copy the file again",
    ),
    "a tile missing": (
        {"missing": "tiles/004.tif"},
        r"tiles/004\.tif: no such file, but index\.csv lists it; copy it again",
    ),
    "no tiles": ({"missing": "tiles"}, r"tiles: no such folder; unpack the archive again"),
    "a small tile": (
        {"tile": "small"},
        r"001\.tif: has shape \(8, 64, 128\), needed \(8, 128, 128\); copy it again",
    ),
    "a tile of seven bands": (
        {"tile": "seven bands"},
        r"001\.tif: has shape \(7, 128, 128\), needed \(8, 128, 128\)",
    ),
    "a tile without signs": (
        {"tile": "uint16"},
        r"001\.tif: holds uint16, needed int16; copy it again",
    ),
    "a tile of floats": (
        {"tile": "float"},
        r"001\.tif: holds float32, needed int16; copy it again",
    ),
    "a code that WorldCover lacks": (
        {"tile": "unknown code"},
        r"001\.tif: holds WorldCover code 33, there are \(0, 10,",
    ),
    "half a tile": ({"cut": "tiles/002.tif"}, r"002\.tif: cannot be read as an image"),
    "no pixel with a label": (
        {"codes": {10: 20, 30: 50, 40: 60, 80: 0}},
        r"tiles: no crop of 64×64 pixels has half of them in tree, grass, crop, water",
    ),
    "an index without lines": (
        {"index": "tile,location_group\n"},
        r"tiles: no crop of 64×64 pixels has half of them",
    ),
}


@pytest.mark.filterwarnings("ignore:.*of the tiles are not listed")
@pytest.mark.parametrize(("defects", "expected"), BAD.values(), ids=BAD)
def test_refused(tmp_path, defects, expected):
    fixture.make(tmp_path, **defects)
    with pytest.raises(DataError, match=expected) as error:
        read_all(tmp_path)
    assert str(tmp_path) in message(error)


def test_an_empty_folder(tmp_path):
    with pytest.raises(
        DataError, match=r"index\.csv: missing; give the folder that holds index\.csv and tiles/"
    ):
        read_hls_dense(tmp_path)


WRONG = {
    "modality": (
        {"modalities": ["sar"]},
        r"modalities: 'sar' is unknown to hls-dense or twice; choose of rgb, infr",
    ),
    "modality twice": (
        {"modalities": ["rgb", "rgb"]},
        r"modalities: 'rgb' is unknown to hls-dense or twice",
    ),
    "patch": ({"patch": 48}, r"patch: 48 pixels are no side of a crop; choose 16, 32, 64, 128"),
    "patch of half pixels": ({"patch": 64.0}, r"patch: 64\.0 pixels are no side of a crop"),
    "relief": ({"relief": "yes"}, r"relief: 'yes' is neither true nor false; choose one"),
}


@pytest.mark.parametrize(("options", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_options(root, options, expected):
    with pytest.raises(ConfigError, match=expected) as error:
        read_hls_dense(root, **options)
    message(error)


# the real folder
# -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(real):
    return real("hls_dem_worldcover")


@pytest.fixture(scope="module")
def prepared(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared") / "hls-dense"
    HLS_DENSE.read(folder).save(out)
    return load(out)


def test_counts_of_the_real_tiles(prepared):
    assert len(prepared) == len(prepared.paired_ids) == 1186
    assert prepared.about["dropped"] == {"crops with less than half of their pixels labelled": 38}
    assert 4 * 306 == 1186 + 38
    counts = np.bincount(np.asarray(prepared.masks).ravel(), minlength=256)
    assert counts.sum() == counts[[0, 1, 2, 3, 255]].sum() == 1186 * 64 * 64
    shares = dict(zip(prepared.classes, counts[:4] / counts.sum(), strict=True))
    assert shares == pytest.approx(
        {"tree": 0.2436, "grass": 0.2270, "crop": 0.3785, "water": 0.1098}, abs=1e-4
    )
    assert "which are 4.1% of the pixels" in prepared.about["masks"]
    sizes = np.sort(np.unique(prepared.groups, return_counts=True)[1])[::-1]
    assert (len(sizes), sizes[:4].tolist()) == (62, [316, 112, 96, 68])


@pytest.mark.parametrize("seed", range(5))
def test_places_of_the_real_tiles_are_never_divided(prepared, seed):
    parts = prepared.split(seed=seed)
    groups = [set(part.groups) for part in parts]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 62
    assert 2 in groups[0]  # the place of 79 tiles
    np.testing.assert_allclose(
        np.array([len(part) for part in parts]) / 1186, (0.7, 0.1, 0.2), atol=0.03
    )
    for part in parts:
        assert np.isin(range(4), part.masks).all()  # every class stands in every part


def test_real_crops_are_those_of_the_tiles(prepared, folder):
    for row in (0, 600, 1185):
        tile, top, left = prepared.ids[row].split("-")
        pixels = tifffile.imread(folder / "tiles" / f"{tile}.tif").astype(np.int64)
        window = pixels[:, int(top) : int(top) + 64, int(left) : int(left) + 64]
        np.testing.assert_array_equal(prepared.modalities["rgb"].x[row], window[[2, 1, 0]])
        expected = np.arcsinh((window[6] - pixels[6].mean()) / 5)
        np.testing.assert_allclose(prepared.modalities["elevation"].x[row, 0], expected, atol=5e-6)
        np.testing.assert_array_equal(prepared.masks[row], label_of(window[7]))
