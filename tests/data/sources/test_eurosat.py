"""EuroSAT: what the reader makes of the archives' layouts, of every known damage, and of the real
files."""

import shutil

import numpy as np
import pytest
import tifffile
from fixtures import eurosat as fixture

from discom.data import load
from discom.data.sources.eurosat import CLASSES, EUROSAT, read_eurosat
from discom.errors import ConfigError, DataError

ALL = ["ms", "sar", "rgb", "other"]


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """An undamaged copy; no test writes into it."""
    return fixture.make(tmp_path_factory.mktemp("raw"), lists=True)


def planted(sensor, ids):
    return np.stack([fixture.patch(sensor, *name_and_number(stem)) for stem in ids])


def read_all(root, lists):
    for modality in read_eurosat(root, lists=lists).modalities.values():
        np.asarray(modality.x)


def name_and_number(stem):
    name, _, number = stem.partition("_")
    return name, int(number)


# values
# ---------------------------------------------------------------------------------------------------------


def test_ms_and_sar_hold_the_planted_values(raw):
    data = read_eurosat(raw)
    assert data.name == "eurosat"
    assert data.channels == {"ms": 13, "sar": 2}
    assert {name: (m.unit, m.invalid) for name, m in data.modalities.items()} == {
        "ms": ("reflectance × 10 000", None),
        "sar": ("dB", None),
    }
    for name, kind in (("ms", np.uint16), ("sar", np.float32)):
        found = np.asarray(data.modalities[name].x)
        assert found.dtype == kind
        np.testing.assert_array_equal(found, planted(name, data.ids))
    assert data.groups is None
    assert data.parts is None
    assert data.about["dropped"] == {"ms": 0, "sar": 0}
    assert data.about["samples"] == "30 of 27000"
    assert {"source", "licence", "invalid values"} <= set(data.about)


def test_pairs_are_in_natural_order_and_classes_by_name(raw):
    data = read_eurosat(raw)
    assert data.classes == CLASSES == tuple(fixture.CLASSES)
    assert data.ids.tolist() == [f"{name}_{number}" for name in CLASSES for number in (1, 2, 10)]
    assert data.paired_ids.tolist() == data.ids.tolist()
    assert [data.classes[label] for label in data.labels] == [
        stem.partition("_")[0] for stem in data.ids
    ]
    assert [len(part) for part in data.split()] == [10, 10, 10]


def test_rgb_is_b04_b03_b02_and_other_the_rest(raw):
    data = read_eurosat(raw, ["rgb", "other"])
    assert data.name == "eurosat-rgb-other"
    ms = planted("ms", data.ids)
    np.testing.assert_array_equal(np.asarray(data.modalities["rgb"].x), ms[:, [3, 2, 1]])
    np.testing.assert_array_equal(
        np.asarray(data.modalities["other"].x), ms[:, [0, 4, 5, 6, 7, 8, 9, 10, 11, 12]]
    )
    assert (
        np.asarray(data.modalities["rgb"].x) != ms[:, :3]
    ).any()  # blue first, as in the file, is something else


def test_modalities_in_the_order_asked_for(raw):
    data = read_eurosat(raw, ["sar", "rgb"])
    assert list(data.modalities) == ["sar", "rgb"]
    assert data.name == "eurosat-sar-rgb"
    assert read_eurosat(raw, ["ms", "sar"]).name == "eurosat"  # the default by another way


def test_values_beyond_int16_survive(raw):
    data = read_eurosat(raw)
    row = data.ids.tolist().index("Industrial_10")
    assert data.modalities["ms"].x[row].max() == fixture.BRIGHT + 10
    naive = tifffile.imread(fixture.place(raw, "zenodo", "ms", "Industrial_10")).astype(np.int16)
    assert naive.max() < 32_768
    assert naive.min() == fixture.BRIGHT + 10 - 65_536  # bright roofs become the darkest of all


def test_a_list_of_files_pairs_nothing(raw):
    """What reading each folder in its own order would give: the patches of one class, mixed up."""
    ms = sorted((raw / "EuroSAT_MS" / "River").iterdir())
    sar = sorted(
        (raw / "EuroSAT-SAR" / "River").iterdir(), key=lambda file: int(file.stem.split("_")[1])
    )
    assert [a.stem for a in ms] != [b.stem for b in sar]
    data = read_eurosat(raw)
    for name in data.modalities:
        assert [file.stem for file in data.modalities[name].x.items] == data.ids.tolist()


def test_another_readers_numbers_are_other_classes(raw):
    copernicus = ["AnnualCrop", "HerbaceousVegetation", "Industrial", "PermanentCrop", "River", "Forest", "Highway",
                  "Pasture", "Residential", "SeaLake"]  # fmt: skip
    data = read_eurosat(raw)
    right = {
        name for name, number in zip(CLASSES, range(10), strict=True) if copernicus[number] == name
    }
    assert right == {
        "AnnualCrop",
        "SeaLake",
    }  # a label file numbered that way would be wrong for eight of ten
    assert (data.labels == [CLASSES.index(stem.partition("_")[0]) for stem in data.ids]).all()


def test_nothing_is_read_until_it_is_asked_for(raw, monkeypatch):
    read = []
    imread = tifffile.TiffFile
    monkeypatch.setattr(
        "discom.data.images.tifffile.TiffFile", lambda file: read.append(file) or imread(file)
    )
    data = read_eurosat(raw)
    assert len(read) == 4  # the first of each sensor: once to count its bands, once to check it
    data.modalities["sar"].x[4:6]
    assert [file.name for file in read[4:]] == ["Forest_2.tif", "Forest_10.tif"]


# layouts
# --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("layout", list(fixture.MS))
def test_every_layout_gives_the_same(raw, tmp_path, layout, hidden):
    data = read_eurosat(fixture.make(tmp_path, layout=layout, hidden=hidden, jpegs=hidden))
    assert data.fingerprint == read_eurosat(raw).fingerprint


@pytest.mark.parametrize(
    "how",
    [{"axes": "first"}, {"compression": None, "rowsperstrip": 4}, {"byteorder": ">"}],
    ids=str,
)
def test_every_encoding_gives_the_same(raw, tmp_path, how):
    data = read_eurosat(fixture.make(tmp_path, how=how))
    assert data.fingerprint == read_eurosat(raw).fingerprint


def test_upper_case_endings_and_folders_behind_links(raw, tmp_path):
    for archive in ("EuroSAT_MS", "EuroSAT-SAR"):
        (tmp_path / archive).symlink_to(raw / archive)
    (tmp_path / "again").symlink_to(tmp_path)  # leads back
    assert read_eurosat(tmp_path).fingerprint == read_eurosat(raw).fingerprint
    fixture.make(tmp_path / "mine")
    file = fixture.place(tmp_path / "mine", "zenodo", "sar", "River_2")
    file.rename(file.with_suffix(".TIF"))
    assert read_eurosat(tmp_path / "mine").fingerprint == read_eurosat(raw).fingerprint


@pytest.mark.parametrize("modalities", [["rgb", "other"], ["ms"]])
def test_without_sar_its_files_are_not_needed(tmp_path, modalities):
    data = read_eurosat(fixture.make(tmp_path, sensors=("ms",)), modalities)
    assert len(data) == 30


def test_sar_alone(tmp_path):
    data = read_eurosat(fixture.make(tmp_path, sensors=("sar",)), ["sar"])
    assert data.name == "eurosat-sar"
    np.testing.assert_array_equal(np.asarray(data.modalities["sar"].x), planted("sar", data.ids))


# the split, and the folder on disk
# ------------------------------------------------------------------------------


def test_lists_are_the_official_split(raw, tmp_path):
    data = read_eurosat(raw, lists=True)
    assert data.name == "eurosat-official"
    for part, number in (("train", 1), ("valid", 2), ("test", 10)):
        rows = data.parts[part]
        assert (np.diff(rows) > 0).all()
        assert data.ids[rows].tolist() == [f"{name}_{number}" for name in CLASSES]
    assert data.split(seed=5).train.ids.tolist() == data.ids[data.parts["train"]].tolist()
    assert data.protocol("random").name == "eurosat"
    assert read_eurosat(raw, ["ms"], lists=True).name == "eurosat-ms-official"


def test_lists_beside_the_images_are_found(tmp_path):
    fixture.make(tmp_path, layout="bench", lists=True)
    for part in ("train", "val", "test"):
        shutil.move(tmp_path / f"eurosat-{part}.txt", tmp_path / "eurosat_s1")
    assert len(read_eurosat(tmp_path, lists=True).parts["test"]) == 10


def test_samples_in_no_list_are_counted(tmp_path):
    fixture.make(tmp_path, lists=True, count=(1, 2, 3, 10))
    with pytest.warns(
        UserWarning, match=r"10 samples are in no list \(AnnualCrop_3, Forest_3, .*\); left out"
    ):
        data = read_eurosat(tmp_path, lists=True)
    assert sum(map(len, data.parts.values())) == 30


@pytest.mark.parametrize("lists", [False, True])
def test_round_trip(raw, tmp_path, lists):
    data = read_eurosat(raw, ALL, lists=lists)
    data.save(tmp_path / "out")
    again = load(tmp_path / "out")
    assert again.fingerprint == data.fingerprint
    assert again.name == data.name
    assert again.about == data.about
    assert {name: m.unit for name, m in again.modalities.items()} == {
        name: m.unit for name, m in data.modalities.items()
    }
    assert again.modalities["ms"].x.max() == fixture.BRIGHT + 10
    np.testing.assert_array_equal(again.modalities["sar"].x, planted("sar", again.ids))
    for part, rows in (data.parts or {}).items():
        np.testing.assert_array_equal(again.parts[part], rows)
    assert (again.parts is None) == (not lists)


def test_a_constant_b10_is_scaled_to_zero_with_a_warning(tmp_path):
    """Divided by a standard deviation near 0, its noise would be the loudest band."""
    data = read_eurosat(fixture.make(tmp_path, sensors=("ms",), flat_b10="all"), ["ms"])
    with pytest.warns(
        UserWarning, match=r"eurosat-ms/ms: band 9 is constant \(12\) .* scaled to zero"
    ):
        images = data.split().train.images("ms")
    assert not images[:, 9].any()
    assert (images.max((0, 2, 3)) == 1).tolist() == [band != 9 for band in range(13)]


# what bad input looks like
# --------------------------------------------------------------------------------------

BAD = {
    "orphan in MS": (
        {"no_sar": ["River_2"]},
        r"1 of ms have no partner \(River_2\); complete the files, or leave",
    ),
    "orphan in SAR": (
        {"no_ms": ["River_2", "Forest_1"]},
        r"2 of sar have no partner \(Forest_1, River_2\); compl",
    ),
    "orphans on both sides": (
        {"no_ms": ["River_2"], "no_sar": ["River_10"]},
        r"1 of ms have no partner \(River_10\); 1 of sar have no partner \(River_2\)",
    ),
    "no SAR": (
        {"sensors": ["ms"]},
        r"no ten class folders of sar, 2 bands \(.*AnnualCrop_1\.tif has 13\); unpack that archive .*rgb\+other",
    ),
    "no MS": (
        {"sensors": ["sar"]},
        r"no ten class folders of ms, 13 bands \(.*AnnualCrop_1\.tif has 2\); unpack that archive$",
    ),
    "JPEG copies alone": (
        {"sensors": [], "jpegs": True},
        r"no ten class folders of ms, 13 bands \(there is no \.tif\); unpack that archive$",
    ),
    "nothing": (
        {"sensors": []},
        r"holds no folder with EuroSAT's ten class folders \(AnnualCrop … SeaLake\); unpack",
    ),
    "MS twice": ({"twice": True}, r"old: holds ms, as .*EuroSAT_MS does; remove one of the two"),
    "no class folder": (
        {"no_class": "River", "sensors": ["ms"]},
        r"holds no folder with EuroSAT's ten class folders .*; unpack .* \(.*EuroSAT_MS lacks River\)$",
    ),
    "no class folder in MS": (
        {"no_class": "River"},
        r"no ten class folders of ms, 13 bands \(.*AnnualCrop_1\.tif has 2\)",
    ),
    "empty class folder": (
        {"empty_class": "River"},
        r"River: no River_<n>\.tif in it; unpack the archive again",
    ),
    "first class folder empty": (
        {"empty_class": "AnnualCrop"},
        r"AnnualCrop: no AnnualCrop_<n>\.tif in it; unpack",
    ),
    "file of another class": (
        {"stray": ("River", "Forest_2")},
        r"River/Forest_2\.tif: is no River_<n>\.tif; move it to its class or remove it",
    ),
    "all of 12 bands": (
        {"bands_12": "all"},
        r"no ten class folders of ms, 13 bands \(.*has 2, .*MS.*_1\.tif has 12\)",
    ),
    "12 bands": (
        {"bands_12": "River_2"},
        r"River_2\.tif: has shape \(12, 64, 64\), EuroSAT's .* \(13, 64, 64\)",
    ),
    "RGB": (
        {"bands_3": "River_2"},
        r"River_2\.tif: has shape \(3, 64, 64\), EuroSAT's multispectral files have",
    ),
    "32 pixels": (
        {"small": "all"},
        r"AnnualCrop_1\.tif: has shape \(13, 32, 32\), EuroSAT's multispectral files",
    ),
    "B8A in its natural place": (
        {"natural_order": "all"},
        r"AnnualCrop_1\.tif: its bands are B01 … B8 B8A B09 …; in EuroSAT B8A comes last, take the original file",
    ),
    "B8A in its natural place, once": (
        {"natural_order": "SeaLake_10"},
        r"SeaLake_10\.tif: its bands are B01",
    ),
    "8-bit MS": (
        {"eight_bit": "River_2"},
        r"River_2\.tif: holds uint8, reflectance × 10 000 is uint16; take the",
    ),
    "MS from 0 to 1": (
        {"float_ms": "all"},
        r"AnnualCrop_1\.tif: holds float32, reflectance × 10 000 is uint16",
    ),
    "truncated MS": (
        {"truncated": ("ms", "SeaLake_10")},
        r"SeaLake_10\.tif: cannot be read as an image \(.*\); repl",
    ),
    "truncated SAR": (
        {"truncated": ("sar", "River_1")},
        r"River_1\.tif: cannot be read as an image \(.*\); replace",
    ),
    "first file truncated": (
        {"truncated": ("ms", "AnnualCrop_1")},
        r"AnnualCrop_1\.tif: cannot be read as an image",
    ),
    "web page": (
        {"web_page": ("sar", "River_1")},
        r"River_1\.tif: cannot be read as an image \(.*\); replace or rem",
    ),
    "NaN in SAR": (
        {"nan": "River_2"},
        r"River_2\.tif: .*band 1 holds nan at pixel \(20, 30\); fill or drop",
    ),
    "-inf in SAR": (
        {"minus_inf": "River_2"},
        r"River_2\.tif: .*band 1 holds -inf at pixel \(20, 30\); fill or drop",
    ),
    "linear SAR": (
        {"linear": "all"},
        r"AnnualCrop_1\.tif: no value is below 0, so this is linear backscatter; decibel are needed: 10 log10",
    ),
    "one linear SAR": ({"linear": "River_2"}, r"River_2\.tif: no value is below 0"),
    "fill value in SAR": (
        {"filled": "River_2"},
        r"River_2\.tif: holds -9999\.0 dB; backscatter lies in -60 … 30 dB: re",
    ),
    "an eighth too dark": (
        {"shadow": "River_2"},
        r"River_2\.tif: holds -80\.0 dB; backscatter lies in -60 … 30 dB",
    ),
    "SAR × 100": (
        {"hundredths": "all"},
        r"AnnualCrop_1\.tif: holds -2\d\d\d\.\d dB; backscatter lies in -60 … 30 dB",
    ),
    "one band of SAR": (
        {"one_band": "River_2"},
        r"River_2\.tif: has shape \(1, 64, 64\), EuroSAT-SAR's files have \(2",
    ),
    "all of one band": (
        {"one_band": "all"},
        r"no ten class folders of sar, 2 bands \(.*AnnualCrop_1\.tif has 1, .* has 13\); unpack",
    ),
    "no list": (
        {"no_list": "val"},
        r"no folder with eurosat-train\.txt, eurosat-val\.txt, .*; fetch them, or go with",
    ),
    "empty list": ({"empty_list": "test"}, r"eurosat-test\.txt: lists no name; fetch it again"),
    "list names what is not there": (
        {"listed": ("val", "Forest_3000.jpg")},
        r"eurosat-val\.txt: 1 of its names are not there \(Forest_3000\); unpack all archives, or go without",
    ),
    "one name in two lists": (
        {"listed": ("test", "Forest_1.jpg")},
        r"eurosat-test\.txt: lists Forest_1, which eurosat-train\.txt lists already; fetch the lists again",
    ),
}


@pytest.mark.parametrize("title", list(BAD))
def test_bad_input_is_refused_in_one_line(tmp_path, title):
    defects, message = BAD[title]
    lists = any("list" in name for name in defects)
    fixture.make(tmp_path, lists=lists, **defects)
    with pytest.raises(DataError, match=message) as caught:
        read_all(tmp_path, lists)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("defects", "message"), [BAD["linear SAR"], BAD["B8A in its natural place"], BAD["SAR × 100"]]
)
def test_an_export_of_another_form_is_refused_before_anything_is_written(
    tmp_path, defects, message
):
    with pytest.raises(DataError, match=message):
        read_eurosat(fixture.make(tmp_path, **defects))


def test_orphans_are_dropped_with_a_warning_and_counted(tmp_path):
    fixture.make(tmp_path, no_ms=["River_2"], no_sar=["River_10", "Forest_1"])
    with pytest.warns(
        UserWarning, match=r"2 of ms have no partner \(Forest_1, River_10\); 1 of sar .*; left out"
    ):
        data = read_eurosat(tmp_path, orphans="drop")
    assert data.about["dropped"] == {"ms": 2, "sar": 1}
    assert len(data) == 27
    np.testing.assert_array_equal(np.asarray(data.modalities["sar"].x), planted("sar", data.ids))
    np.testing.assert_array_equal(np.asarray(data.modalities["ms"].x), planted("ms", data.ids))


def test_unequal_classes_are_divided_by_class(tmp_path):
    fixture.make(tmp_path, count=range(1, 11), sensors=("sar",))
    for number in range(4, 11):
        fixture.place(tmp_path, "zenodo", "sar", f"Pasture_{number}").unlink()
    for part in read_eurosat(tmp_path, ["sar"]).split():
        assert set(part.labels) == set(range(10))


def test_a_single_bright_target_is_no_damage(tmp_path):
    data = read_eurosat(fixture.make(tmp_path, glint="River_2"))
    assert np.asarray(data.modalities["sar"].x).max() == 33


def test_sar_in_double_precision_becomes_float32(tmp_path, raw):
    assert (
        read_eurosat(fixture.make(tmp_path, double="all")).fingerprint
        == read_eurosat(raw).fingerprint
    )


def test_cirrus_over_dark_water_is_not_taken_for_another_order(tmp_path):
    data = read_eurosat(fixture.make(tmp_path, cirrus="SeaLake_1"))
    row = data.ids.tolist().index("SeaLake_1")
    assert data.modalities["ms"].x[row, 9:11, 0, 0].tolist() == [80, 60]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"modalities": ["ms", "depth"]},
            "modalities: 'depth' is unknown to eurosat or twice; choose of ms, sar, rgb",
        ),
        ({"modalities": ["ms", "ms"]}, "modalities: 'ms' is unknown to eurosat or twice"),
        ({"orphans": "ignore"}, "orphans: 'ignore' is unknown; choose refuse or drop"),
    ],
)
def test_unknown_options(raw, options, message):
    with pytest.raises(ConfigError, match=message):
        read_eurosat(raw, **options)


def test_the_source_says_what_it_is():
    archives = [file for file in EUROSAT.files if file.needed]
    assert [file.name for file in archives] == ["EuroSAT_MS.zip", "EuroSAT-SAR.zip"]
    for file in EUROSAT.files:
        kind, _, value = file.checksum.partition(":")
        assert len(value) == {"md5": 32, "sha256": 64}[kind]
        assert all(
            url.startswith("https://") and url.endswith(f"/{file.name}") for url in file.urls
        )
    assert EUROSAT.access == "--download"


# the real files
# -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(real):
    return real("eurosat_ms_200")


def test_real_counts_and_pairs(folder, tmp_path):
    read_eurosat(folder, ["rgb", "other"]).save(tmp_path / "out")
    data = load(tmp_path / "out")
    assert {name: m.x.shape for name, m in data.modalities.items()} == {
        "rgb": (200, 3, 64, 64),
        "other": (200, 10, 64, 64),
    }
    assert np.bincount(data.labels).tolist() == [20] * 10
    assert data.paired_ids.tolist() == data.ids.tolist()
    assert len(set(data.ids)) == 200
    for name, label in zip(data.ids, data.labels, strict=True):
        assert name.split("_")[0] == data.classes[label]
    parts = data.split(seed=0)
    assert [len(part) for part in parts] == [140, 20, 40]
    held = [set(part.ids) for part in parts]
    assert len(set().union(*held)) == sum(map(len, held)) == 200


def test_real_bands_are_in_the_files_order(folder):
    """Every real file passes; every one with B8A in its natural place is told apart."""
    data = read_eurosat(folder, ["ms"])
    x = np.asarray(data.modalities["ms"].x)
    np.testing.assert_array_equal(
        x[17], np.moveaxis(tifffile.imread(data.modalities["ms"].x.items[17]), -1, 0)
    )
    means = x.mean((2, 3))
    assert (means.argmin(1) == 9).all()  # B10
    natural = means[:, fixture.NATURAL]
    assert (means[:, 9] < means[:, 10]).all()
    assert (natural[:, 9] > 2 * natural[:, 10]).all()


def test_real_files_lack_sar(folder):
    with pytest.raises(
        DataError, match=r"no ten class folders of sar, 2 bands \(.*AnnualCrop_1\.tif has 13\)"
    ):
        read_eurosat(folder)
