"""Numbers special to one public set, and its real files where they are there."""

import numpy as np
import pytest
from fixtures import midair

from discom.data import read_arrays
from discom.data.sources import get, medical, worn


def read(name, root, *modalities, **options):
    return get(name).read(root, modalities, **options)


LEFT_OUT = {
    "tristar": "14 of 56 frames",  # of no class, or of several
    "hls": "6 of 128 patches",  # of which too few pixels have a class
    "cellcycle": "1 of .* cells",  # which stands twice
    "lgg": "2 of the patients lack a sequence",
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_samples_that_are_left_out_are_counted(name, raw):
    with pytest.warns(UserWarning, match=LEFT_OUT[name]):
        read(name, raw(name))


def test_classes_of_nyuv2_have_the_numbers_of_its_map():
    names = {1: "wall", 2: "floor", 22: "ceiling", 24: "refridgerator", 40: "otherprop"}
    assert {number: get("nyuv2").classes[number - 1] for number in names} == names


def test_midair_averages_colours_and_picks_the_rest(raw):
    whole, half = (read("midair", raw("midair"), size=size) for size in (midair.SIDE, 16))
    depth = whole.modalities["depth"].x[5, :, 1::2, 1::2]
    np.testing.assert_array_equal(half.modalities["depth"].x[5], depth)
    np.testing.assert_array_equal(half.masks[5], whole.masks[5][1::2, 1::2])
    mean = whole.modalities["rgb"].x[5].reshape(3, 16, 2, 16, 2).mean((2, 4))
    np.testing.assert_allclose(half.modalities["rgb"].x[5], mean, atol=1.01)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_lgg_keeps_every_second_slice_of_each_patient(raw):
    whole, half = (read("lgg", raw("lgg"), every=every) for every in (1, 2))
    first = np.concatenate([np.flatnonzero(whole.groups == group)[::2] for group in half.groups])
    flair = whole.modalities["flair"].x[np.unique(first)]
    np.testing.assert_array_equal(half.modalities["flair"].x, flair)
    assert len(half) == 20 < len(whole) == 30


REAL = [  # folder, its reader, sensors, and what names pixels, labels and groups
    ("eurosat_ms_200", get("eurosat").read, ["ms"], "90c6540ccdba5152"),
    ("jurkat_cell_cycle", get("cellcycle").read, None, "253948c8c567a5d8"),
    ("hls_dem_worldcover", get("hls").read, None, "316f86cd5e353c3a"),
    ("lgg_mri/original", get("lgg").read, None, "76e33f4fc1c639df"),
    ("dsads", read_arrays, worn.UNITS, "3062c35680f3a573"),
    ("sisfall", read_arrays, [*worn.COLUMNS], "9839b127d780de9a"),
]


@pytest.mark.parametrize(("folder", "reader", "sensors", "fingerprint"), REAL)
def test_real_data_are_as_ever(folder, reader, sensors, fingerprint, real, monkeypatch):
    monkeypatch.setattr(medical, "TILES", 30)
    monkeypatch.setattr(medical, "SIDE", 256)
    assert reader(real(folder), sensors).fingerprint == fingerprint


def test_real_segments_of_dsads(real, monkeypatch):
    """The arrays hold what the reader makes of the text, in the rows that it gives them."""
    monkeypatch.setattr(worn, "ROWS", 125)
    arrays = [np.load(real("dsads") / f"{unit}.npy", "r") for unit in worn.UNITS]
    for file in real("dsads").glob("original/a*/p1/s*.txt"):
        row = 480 * (int(file.parts[-3][1:]) - 1) + int(file.stem[1:]) - 1
        signals = [array[row].reshape(9, 125) for array in arrays]
        np.testing.assert_array_equal(signals, worn.read_segment(file))


def test_real_trials_of_sisfall(real, monkeypatch):
    """The arrays hold what the reader makes of the text: seven windows, two, and one of a fall."""
    monkeypatch.setattr(worn, "WINDOW", 2400)
    arrays = [np.load(real("sisfall") / f"{sensor}.npy", "r") for sensor in worn.COLUMNS]
    first = {"D01_SA01_R01": 0, "D05_SA01_R01": 28, "D11_SA01_R02": 69, "F01_SA01_R01": 118}
    for name, row in first.items():
        trial = worn.read_trial(real("sisfall") / "original" / "SA01" / f"{name}.txt")
        for number, window in enumerate(worn.cut(name[:3], trial), start=row):
            signals = np.concatenate([array[number].reshape(3, 1, 300) for array in arrays])
            np.testing.assert_array_equal(signals, worn.to_signals(window))
