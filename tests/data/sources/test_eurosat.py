"""EuroSAT: bands, decibel and classes as written; the order of bands is checked."""

import numpy as np
import pytest
import tifffile
from fixtures import eurosat as fixture
from fixtures import writing
from fixtures.refusal import refusals

from discom.data.sources.eurosat import CLASSES, read_eurosat
from discom.errors import DataError

RGB, OTHER = [3, 2, 1], [0, 4, 5, 6, 7, 8, 9, 10, 11, 12]  # of B01 … B12 B8A


def test_every_pixel_is_the_planted_one(raw):
    data = read_eurosat(raw("eurosat"), ["ms", "sar", "rgb", "other"])
    assert CLASSES == data.classes == fixture.CLASSES
    assert data.ids[:3].tolist() == ["AnnualCrop_1", "AnnualCrop_10", "AnnualCrop_2"]
    for row, stem in enumerate(data.ids):
        name, number = stem.split("_")
        assert data.classes[data.labels[row]] == name
        ms = fixture.patch("ms", name, int(number))
        expected = {"ms": ms, "rgb": ms[RGB], "other": ms[OTHER]}
        expected["sar"] = fixture.patch("sar", name, int(number))
        for modality, pixels in expected.items():
            np.testing.assert_array_equal(data.modalities[modality].x[row], pixels)


LAYOUTS = (
    {"ms": "ds/images/remote_sensing/otherDatasets/sentinel_2/tif", "sar": "EuroSAT-SAR"},
    {"ms": ".", "sar": "sar"},
)


@pytest.mark.parametrize("folders", LAYOUTS)
def test_every_layout_gives_the_same(raw, tmp_path, folders):
    fixture.make(tmp_path, folders=folders)
    for name in fixture.CLASSES:  # EuroSAT_RGB.zip, which is no sensor of ours
        writing.text(tmp_path / "2750" / name / f"{name}_1.jpg")
    assert read_eurosat(tmp_path).fingerprint == read_eurosat(raw("eurosat")).fingerprint


@pytest.mark.parametrize("modalities", [["rgb", "other"], ["ms"]])
def test_without_sar_its_files_are_not_needed(tmp_path, modalities):
    assert len(read_eurosat(fixture.make(tmp_path, sensors=("ms",)), modalities)) == 30


def plant(pixels, value):
    pixels = pixels.copy()
    pixels[1, 20, 30] = value
    return pixels


BAD = {
    "8 bits": ("ms", lambda p: (p // 160).astype(np.uint8), r"holds uint8 \[13, 64, 64\]"),
    "B8A after B08": ("ms", lambda p: p[fixture.NATURAL], r"B8A is not its last band"),
    "linear SAR": ("sar", lambda p: 10 ** (p / 10), r"SAR is VV and VH in decibel \(10 log10\)"),
    "fill value": ("sar", lambda p: plant(p, -9999), r"holds -9999 … .*, SAR is VV and VH"),
    "NaN": ("sar", lambda p: plant(p, np.nan), r"holds nan at pixel \(20, 30\)"),
}


@pytest.mark.parametrize(("sensor", "change", "message"), BAD.values(), ids=BAD)
def test_another_form_is_refused_the_first_file_at_once(copy, sensor, change, message):
    root = copy("eurosat")
    last, first = (fixture.place(root, sensor, stem) for stem in ("SeaLake_10", "AnnualCrop_1"))
    writing.tiff(last, change(fixture.patch(sensor, "SeaLake", 10)))
    with pytest.raises(DataError, match=rf"SeaLake_10\.tif: .*{message}"):
        writing.look_at(read_eurosat(root))
    writing.tiff(first, change(fixture.patch(sensor, "AnnualCrop", 1)))
    with pytest.raises(DataError, match=r"AnnualCrop_1\.tif|holds no class folders .* of (ms|sar)"):
        read_eurosat(root)


def second_copy(root):
    fixture.make(root / "old", sensors=("ms",), count=(1,))


def stray_file(root):
    river = fixture.place(root, "ms", "River_1").parent
    fixture.place(root, "ms", "Forest_2").rename(river / "Forest_2.tif")


def no_river(root):
    fixture.place(root, "ms", "River_1").parent.rename(root / "gone")


FOLDERS = {
    "two copies": (second_copy, r"old/EuroSAT_MS: a second copy of .*/EuroSAT_MS; remove"),
    "stray file": (stray_file, r"River: holds more than River_<n>\.tif; unpack it again"),
    "no class folder": (no_river, r"holds no class folders .* of ms, 13 bands; unpack its"),
}


test_folders_that_are_not_those_of_the_set = refusals("eurosat", read_eurosat, FOLDERS)


def test_real_patches(real):
    """Every real file passes, and every one with B8A in its natural place would not."""
    data = read_eurosat(real("eurosat_ms_200"), ["ms"])
    images = np.asarray(data.modalities["ms"].x)
    assert np.bincount(data.labels).tolist() == [20] * 10
    file = data.modalities["ms"].x.items[17]
    np.testing.assert_array_equal(images[17], np.moveaxis(tifffile.imread(file), -1, 0))
    means = images.mean((2, 3))
    assert (means[:, fixture.NATURAL][:, 9] > 2 * means[:, fixture.NATURAL][:, 10]).all()
    with pytest.raises(DataError, match=r"holds no class folders .* of sar, 2 bands"):
        read_eurosat(real("eurosat_ms_200"))
