"""HLS land cover: what the reader makes of the real tiles where there are any, and of damaged small
ones."""

import numpy as np
import pytest
import tifffile

from discom.data import load
from discom.data.sources.hls import HLS, read_hls
from discom.errors import DataError

# the real folder
# ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(real):
    return real("hls_dem_worldcover")


@pytest.fixture(scope="module")
def hls(folder):
    return HLS.read(folder)


def test_counts(hls):
    assert len(hls) == 3064
    counts = np.bincount(hls.labels).tolist()
    assert dict(zip(hls.classes, counts, strict=True)) == {
        "tree": 566,
        "grass": 612,
        "crop": 1497,
        "water": 389,
    }
    assert hls.channels == {"rgb": 3, "infrared": 3, "elevation": 1}
    assert {m.x.shape[2:] for m in hls.modalities.values()} == {(32, 32)}
    assert len(hls.paired_ids) == 3064
    large = hls.groups == 2
    assert (large.sum(), len({i.split("-")[0] for i in hls.ids[large]})) == (
        899,
        79,
    )  # patches, tiles


@pytest.mark.parametrize("seed", range(10))
def test_groups_are_never_divided_and_the_large_one_trains(hls, seed):
    train, valid, test = hls.split(seed=seed)
    groups = [set(part.groups) for part in (train, valid, test)]
    assert len(set().union(*groups)) == sum(map(len, groups))  # disjoint
    assert 2 in groups[0]
    shares = np.array([len(part) for part in (train, valid, test)]) / 3064
    np.testing.assert_allclose(shares, (0.7, 0.1, 0.2), atol=0.05)
    for part in (train, valid, test):
        assert (np.bincount(part.labels, minlength=4) > 0).all()


def test_patches_are_those_of_the_tiles(hls, folder):
    for row in (0, 1500, 3063):
        tile, top, left = hls.ids[row].split("-")
        pixels = tifffile.imread(folder / "tiles" / f"{tile}.tif")
        pixels = pixels if pixels.shape[0] == 8 else np.moveaxis(pixels, -1, 0)
        patch = pixels[:, int(top) : int(top) + 32, int(left) : int(left) + 32]
        np.testing.assert_array_equal(
            hls.modalities["rgb"].x[row], patch[[2, 1, 0]]
        )  # red, green, blue
        np.testing.assert_array_equal(hls.modalities["infrared"].x[row], patch[[3, 4, 5]])
        np.testing.assert_array_equal(hls.modalities["elevation"].x[row], patch[[6]])
        code = {"tree": 10, "grass": 30, "crop": 40, "water": 80}[hls.classes[hls.labels[row]]]
        assert (patch[7] == code).mean() >= 0.6


# small made tiles
# -----------------------------------------------------------------------------------------------


def make_hls(root, count=2, size=128, bands=8):
    """Tiles of one pixel value per band (tile · 100 + band) with four quarters of tree, grass, crop
    and water."""
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
        tifffile.imwrite(
            root / "tiles" / f"{tile:03d}.tif",
            pixels,
            photometric="minisblack",
            planarconfig="separate",
        )
        lines.append(f"{tile:03d},{tile % 2}")
    (root / "index.csv").write_text("\n".join(lines) + "\n")
    return root


def test_made_tiles(tmp_path):
    data = read_hls(make_hls(tmp_path))
    assert data.name == "hls"
    assert data.classes == ("tree", "grass", "crop", "water")
    assert np.bincount(data.labels).tolist() == [
        4,
        8,
        8,
        8,
    ]  # two of sixteen patches have no clear class
    assert data.ids[:3].tolist() == ["000-000-032", "000-000-064", "000-000-096"]
    assert data.groups.tolist() == [0] * 14 + [1] * 14
    assert data.modalities["rgb"].x[14, :, 0, 0].tolist() == [102, 101, 100]
    assert data.modalities["infrared"].x[14, :, 0, 0].tolist() == [103, 104, 105]
    assert data.modalities["elevation"].x[14, :, 0, 0].tolist() == [106]
    assert data.modalities["elevation"].unit == "m"
    assert data.modalities["rgb"].x.dtype == np.float32


@pytest.mark.parametrize("modalities", [["rgb", "elevation"], ["elevation"]])
def test_chosen_modalities(tmp_path, modalities):
    data = read_hls(make_hls(tmp_path), modalities)
    assert list(data.modalities) == modalities
    assert data.name == "-".join(["hls", *modalities])
    assert data.groups.tolist() == [0] * 14 + [1] * 14


def test_an_unknown_modality(tmp_path):
    with pytest.raises(
        DataError, match=r"hls: no modality \['sar'\]; there are \['rgb', 'infrared', 'elevation'\]"
    ):
        read_hls(make_hls(tmp_path), ["sar"])


def test_round_trip(tmp_path):
    data = read_hls(make_hls(tmp_path / "raw"))
    data.save(tmp_path / "out")
    again = load(tmp_path / "out")
    assert again.fingerprint == data.fingerprint
    assert again.groups.tolist() == data.groups.tolist()
    assert again.about == data.about
    assert again.about["licence"] == HLS.licence


def test_it_is_fetched_by_hand(tmp_path):
    assert HLS.access == "by hand"
    assert HLS.gather(make_hls(tmp_path)) == tmp_path
    with pytest.raises(
        DataError, match=r"hls: cannot be downloaded by a program\. Give a folder with index\.csv"
    ):
        HLS.gather(tmp_path / "nowhere", download=True)


def test_without_index(tmp_path):
    with pytest.raises(
        DataError, match=r"index\.csv: missing; give the folder that holds index\.csv and tiles/"
    ):
        read_hls(tmp_path)


def test_without_a_tile(tmp_path):
    make_hls(tmp_path)
    (tmp_path / "tiles" / "001.tif").unlink()
    with pytest.raises(DataError, match=r"001\.tif: no such file"):
        read_hls(tmp_path)


@pytest.mark.parametrize(("size", "bands"), [(64, 8), (128, 7)])
def test_tile_of_another_form(tmp_path, size, bands):
    make_hls(tmp_path, size=size, bands=bands)
    with pytest.raises(
        DataError, match=rf"000\.tif: has shape \({bands}, {size}, {size}\), needed \(8, 128, 128\)"
    ):
        read_hls(tmp_path)


def test_truncated_tile(tmp_path):
    make_hls(tmp_path)
    file = tmp_path / "tiles" / "001.tif"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"001\.tif: cannot be read as an image"):
        read_hls(tmp_path)


def test_index_of_another_form(tmp_path):
    make_hls(tmp_path)
    (tmp_path / "index.csv").write_text("name,group\n000,1\n")
    with pytest.raises(
        DataError, match=r"index\.csv: has no column location_group; copy the file again"
    ):
        read_hls(tmp_path)


@pytest.mark.filterwarnings("ignore:.*of the tiles are not listed")
def test_without_any_clear_patch(tmp_path):
    make_hls(tmp_path)
    (tmp_path / "index.csv").write_text("tile,location_group\n")
    with pytest.raises(
        DataError, match=r"tiles: no patch of 32×32 pixels has a majority class of 60%"
    ):
        read_hls(tmp_path)
