"""Public data sets: what their readers make of the real folders where there are any, and of damaged small ones."""

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from discom.data.sources import SOURCES
from discom.data.sources.eurosat import CLASSES as EUROSAT
from discom.data.sources.eurosat import read_eurosat
from discom.data.sources.hls import read_hls
from discom.errors import DataError

REAL = Path(os.environ.get("DISCOM_REAL_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


def real(name, folder):
    if not (REAL / folder).is_dir():
        pytest.skip(f"{REAL / folder} is not there; set DISCOM_REAL_DATA to the folder that holds {folder}")
    return SOURCES[name](REAL / folder)


# the real folders -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hls():
    return real("hls", "hls_dem_worldcover")


@pytest.fixture(scope="module")
def eurosat():
    return real("eurosat", "eurosat_ms_200")


def test_hls_counts(hls):
    assert len(hls) == 3064
    counts = np.bincount(hls.labels).tolist()
    assert dict(zip(hls.classes, counts, strict=True)) == {"tree": 566, "grass": 612, "crop": 1497, "water": 389}
    assert hls.channels == {"rgb": 3, "infrared": 3, "elevation": 1}
    assert {m.x.shape[2:] for m in hls.modalities.values()} == {(32, 32)}
    assert len(hls.paired_ids) == 3064
    large = hls.groups == 2
    assert (large.sum(), len({i.split("-")[0] for i in hls.ids[large]})) == (899, 79)  # patches, tiles


@pytest.mark.parametrize("seed", range(10))
def test_hls_groups_are_never_divided_and_the_large_one_trains(hls, seed):
    train, valid, test = hls.split(seed=seed)
    groups = [set(part.groups) for part in (train, valid, test)]
    assert len(set().union(*groups)) == sum(map(len, groups))  # disjoint
    assert 2 in groups[0]
    shares = np.array([len(part) for part in (train, valid, test)]) / 3064
    np.testing.assert_allclose(shares, (0.7, 0.1, 0.2), atol=0.05)
    for part in (train, valid, test):
        assert (np.bincount(part.labels, minlength=4) > 0).all()


def test_hls_patches_are_those_of_the_tiles(hls):
    for row in (0, 1500, 3063):
        tile, top, left = hls.ids[row].split("-")
        pixels = tifffile.imread(REAL / "hls_dem_worldcover" / "tiles" / f"{tile}.tif")
        pixels = pixels if pixels.shape[0] == 8 else np.moveaxis(pixels, -1, 0)
        patch = pixels[:, int(top) : int(top) + 32, int(left) : int(left) + 32]
        np.testing.assert_array_equal(hls.modalities["rgb"].x[row], patch[[2, 1, 0]])  # red, green, blue
        np.testing.assert_array_equal(hls.modalities["infrared"].x[row], patch[[3, 4, 5]])
        np.testing.assert_array_equal(hls.modalities["elevation"].x[row], patch[[6]])
        code = {"tree": 10, "grass": 30, "crop": 40, "water": 80}[hls.classes[hls.labels[row]]]
        assert (patch[7] == code).mean() >= 0.6


def test_eurosat_counts_and_pairs(eurosat):
    assert {name: m.x.shape for name, m in eurosat.modalities.items()} == {
        "rgb": (200, 3, 64, 64),
        "other": (200, 10, 64, 64),
    }
    assert np.bincount(eurosat.labels).tolist() == [20] * 10
    assert eurosat.paired_ids.tolist() == eurosat.ids.tolist()
    assert len(set(eurosat.ids)) == 200
    for name, label in zip(eurosat.ids, eurosat.labels, strict=True):
        assert name.split("_")[0] == eurosat.classes[label]
    parts = eurosat.split(seed=0)
    assert [len(part) for part in parts] == [140, 20, 40]
    held = [set(part.ids) for part in parts]
    assert len(set().union(*held)) == sum(map(len, held)) == 200


# small made ones ------------------------------------------------------------------------------------------------


def make_hls(root, count=2, size=128, bands=8):
    """Tiles of one pixel value per band (tile · 100 + band) with four quarters of tree, grass, crop and water."""
    (root / "tiles").mkdir(parents=True)
    lines = ["tile,location_group"]
    for tile in range(count):
        pixels = np.empty((bands, size, size), np.int16)
        pixels[:] = (100 * tile + np.arange(bands))[:, None, None]
        codes = np.array([[10, 30], [40, 80]]).repeat(size // 2, 0).repeat(size // 2, 1)
        codes[:32, :32] = 60  # bare: of no class
        codes[32:64, :19] = 60  # with 19 of 32 columns of it, a patch has no majority of tree
        codes[96:, :12] = 50  # 20 of 32 columns are crop still: 62 %
        pixels[-1] = codes
        tifffile.imwrite(root / "tiles" / f"{tile:03d}.tif", pixels, photometric="minisblack", planarconfig="separate")
        lines.append(f"{tile:03d},{tile % 2}")
    (root / "index.csv").write_text("\n".join(lines) + "\n")
    return root


def test_hls_reader_on_made_tiles(tmp_path):
    data = read_hls(make_hls(tmp_path))
    assert data.classes == ("tree", "grass", "crop", "water")
    assert np.bincount(data.labels).tolist() == [4, 8, 8, 8]  # two of sixteen patches have no clear class
    assert data.ids[:3].tolist() == ["000-000-032", "000-000-064", "000-000-096"]
    assert data.groups.tolist() == [0] * 14 + [1] * 14
    assert data.modalities["rgb"].x[14, :, 0, 0].tolist() == [102, 101, 100]
    assert data.modalities["infrared"].x[14, :, 0, 0].tolist() == [103, 104, 105]
    assert data.modalities["elevation"].x[14, :, 0, 0].tolist() == [106]
    assert data.modalities["rgb"].x.dtype == np.float32


def test_hls_without_index(tmp_path):
    with pytest.raises(DataError, match=r"index\.csv: missing; give the folder that holds index\.csv and tiles/"):
        read_hls(tmp_path)


def test_hls_without_a_tile(tmp_path):
    make_hls(tmp_path)
    (tmp_path / "tiles" / "001.tif").unlink()
    with pytest.raises(DataError, match=r"001\.tif: no such file"):
        read_hls(tmp_path)


@pytest.mark.parametrize(("size", "bands"), [(64, 8), (128, 7)])
def test_hls_tile_of_another_form(tmp_path, size, bands):
    make_hls(tmp_path, size=size, bands=bands)
    with pytest.raises(DataError, match=rf"000\.tif: has shape \({bands}, {size}, {size}\), needed \(8, 128, 128\)"):
        read_hls(tmp_path)


def test_hls_truncated_tile(tmp_path):
    make_hls(tmp_path)
    file = tmp_path / "tiles" / "001.tif"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"001\.tif: cannot be read as an image"):
        read_hls(tmp_path)


def test_hls_index_of_another_form(tmp_path):
    make_hls(tmp_path)
    (tmp_path / "index.csv").write_text("name,group\n000,1\n")
    with pytest.raises(DataError, match=r"index\.csv"):
        read_hls(tmp_path)


def test_hls_without_any_clear_patch(tmp_path):
    make_hls(tmp_path)
    (tmp_path / "index.csv").write_text("tile,location_group\n")
    with pytest.raises(DataError, match=r"index\.csv|no patch"):
        read_hls(tmp_path)


def make_eurosat(root, count=2, bands=13, size=64):
    for label, name in enumerate(EUROSAT):
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.empty((size, size, bands), np.uint16)
            pixels[:] = 1000 * label + 100 * number + np.arange(bands)
            tifffile.imwrite(
                root / name / f"{name}_{number}.tif", pixels, photometric="minisblack", planarconfig="contig"
            )
    return root


@pytest.mark.parametrize("nested", ["", "ds/images/remote_sensing/otherDatasets/sentinel_2/tif"])
def test_eurosat_reader_on_made_files(tmp_path, nested):
    make_eurosat(tmp_path / nested)
    data = read_eurosat(tmp_path)
    assert data.channels == {"rgb": 3, "other": 10}
    assert np.bincount(data.labels).tolist() == [2] * 10
    assert data.paired_ids.tolist() == data.ids.tolist()
    row = data.ids.tolist().index("Forest_1")
    assert data.labels[row] == 1
    assert data.modalities["rgb"].x[row, :, 0, 0].tolist() == [1103, 1102, 1101]  # B04, B03, B02
    assert data.modalities["other"].x[row, :, 5, 5].tolist() == [1100 + band for band in (0, *range(4, 13))]


def test_eurosat_without_a_class_folder(tmp_path):
    make_eurosat(tmp_path)
    for file in (tmp_path / "River").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"River: no River_<n>\.tif in it; unpack the archive again"):
        read_eurosat(tmp_path)
    (tmp_path / "River").rmdir()
    with pytest.raises(DataError, match=r"holds no folder with EuroSAT's ten class folders \(AnnualCrop … SeaLake\)"):
        read_eurosat(tmp_path)


@pytest.mark.parametrize(("bands", "size"), [(3, 64), (13, 32)])
def test_eurosat_file_of_another_form(tmp_path, bands, size):
    make_eurosat(tmp_path, bands=bands, size=size)
    with pytest.raises(DataError, match=rf"AnnualCrop_0\.tif: has shape \({bands}, {size}, {size}\), EuroSAT's"):
        read_eurosat(tmp_path)


def test_eurosat_truncated_file(tmp_path):
    make_eurosat(tmp_path)
    file = tmp_path / "SeaLake" / "SeaLake_1.tif"
    file.write_bytes(file.read_bytes()[:9000])
    with pytest.raises(DataError, match=r"SeaLake_1\.tif: cannot be read as an image"):
        read_eurosat(tmp_path)
