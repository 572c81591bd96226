"""Numbers special to one public set, and counts of the real files where they are there."""

from pathlib import Path

import numpy as np
import pytest
from fixtures import eurosat, lgg, midair, nyuv2, potsdam, sunrgbd, tristar, writing
from fixtures.refusal import refused

from discom.data import read_arrays
from discom.data.sources import cellcycle as montages
from discom.data.sources import dsads, get, sisfall
from discom.data.sources import lgg as slices
from discom.data.sources.potsdam import RIGHT_COPY, TEST
from discom.data.sources.sunrgbd import to_metres

REPOSITORY = Path(__file__).parents[3]
SEQUENCES = {"t1": "pre", "flair": "flair", "t1c": "post"}  # of lgg → the file of its arrays


def read(name, root, *modalities, **options):
    return get(name).read(root, modalities, **options)


def test_sunrgbd_undoes_the_rotation_of_all_numbers():
    numbers = np.arange(65_536)
    stored = sunrgbd.rotate_left(numbers)
    np.testing.assert_array_equal(np.round(to_metres(stored) * 1000), numbers)


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


def test_tristar_keeps_the_official_parts(raw):
    data = read("tristar", raw("tristar"))
    for part, folder in (("train", "train"), ("valid", "val"), ("test", "test")):
        samples = data.ids[data.parts[part]]
        assert len(samples) == 6 * len(tristar.SHOTS[folder])
        assert {sample.split("/")[0] for sample in samples} == {folder}


def test_nyuv2_divides_as_listed_and_by_scene(raw):
    data = read("nyuv2", raw("nyuv2"))
    assert data.ids[data.parts["test"]].tolist() == [f"{number:04d}" for number in nyuv2.TEST]
    train, valid = data.parts["train"], data.parts["valid"]
    assert sorted([*train, *valid]) == [number - 1 for number in nyuv2.TRAIN]
    assert len(valid) == 2  # one scene of four
    names = {1: "wall", 2: "floor", 22: "ceiling", 24: "refridgerator", 40: "otherprop"}
    assert {number: data.classes[number - 1] for number in names} == names


def test_potsdam_divides_as_the_contest_and_refuses_fewer_tiles(copy):
    data = read("potsdam", root := copy("potsdam"), window=20)
    tiles = {part: set(data.groups[rows]) for part, rows in data.parts.items()}
    assert [len(tiles[part]) for part in ("train", "valid", "test")] == [21, 3, 14]
    assert tiles["test"] == set(TEST)
    (root / potsdam.LABEL.format("3_13")).unlink()
    refused(lambda: read("potsdam", root, window=20), "3_13")


def test_potsdam_takes_the_right_copy_and_few_other_colours_are_no_label(copy, raw):
    root, file = copy("potsdam"), potsdam.LABEL.format("4_12")
    right, files = file.replace("5_Labels_all_noBoundary", RIGHT_COPY), potsdam.CASE.files
    blended = files[potsdam.RGB.format("4_12")]  # as published
    writing.write(root, {right: files[file], file: blended})
    plain = read("potsdam", raw("potsdam"), window=16)
    assert read("potsdam", root, window=16).fingerprint == plain.fingerprint
    colours = files[file].copy()
    colours[:, 8, 8:10] = [[17], [200], [90]]  # of 256 pixels: below 1 %
    writing.write(root, {right: None, file: colours})
    data = read("potsdam", root, window=16)
    assert (data.masks[data.ids.tolist().index("4_12-0000-0000")][8, 8:10] == 255).all()
    colours[:, 8, 10] = 17, 200, 90
    writing.write(root, {file: colours})
    refused(lambda: read("potsdam", root, window=16), "4_12")


def test_midair_averages_colours_picks_the_rest_and_keeps_every_kth_frame(raw):
    whole, half = (read("midair", raw("midair"), size=size) for size in (midair.SIDE, 16))
    depth = whole.modalities["depth"].x[5, :, 1::2, 1::2]
    np.testing.assert_array_equal(half.modalities["depth"].x[5], depth)
    np.testing.assert_array_equal(half.masks[5], whole.masks[5][1::2, 1::2])
    mean = whole.modalities["rgb"].x[5].reshape(3, 16, 2, 16, 2).mean((2, 4))
    np.testing.assert_allclose(half.modalities["rgb"].x[5], mean, atol=1.01)
    assert (len(whole), len(read("midair", raw("midair"), every=1))) == (9 * 3, 9 * 4)


def test_real_patches_of_eurosat(real):
    """Every real file passes, and every one with B8A in its natural place would not."""
    data = read("eurosat", real("eurosat_ms_200"), "ms")
    images = np.asarray(data.modalities["ms"].x)
    assert np.bincount(data.labels).tolist() == [20] * 10
    means = images[:, eurosat.NATURAL].mean((2, 3))
    assert (means[:, 9] > 2 * means[:, 10]).all()


def test_real_tiles_of_hls(real):
    """The fingerprint is that of pixels, labels and groups, here and below."""
    assert read("hls", real("hls_dem_worldcover")).fingerprint == "316f86cd5e353c3a"


def test_real_montages_of_cellcycle(real, monkeypatch):
    monkeypatch.setattr(montages, "TILES", 30)
    monkeypatch.delattr(get("cellcycle"), "files")  # so all 21 checksums are compared
    data = read("cellcycle", real("jurkat_cell_cycle"))
    assert data.fingerprint == "253948c8c567a5d8"
    for channel in data.modalities:
        alone = read("cellcycle", real("jurkat_cell_cycle"), channel)
        assert alone.ids.tolist() == data.ids.tolist()


def test_real_segments_of_dsads(real, monkeypatch):
    """The arrays hold what the reader makes of the text, in the rows that it gives them."""
    monkeypatch.setattr(dsads, "ROWS", 125)
    arrays = read_arrays(real("dsads"), dsads.UNITS)
    assert arrays.fingerprint == "3062c35680f3a573"
    assert arrays.classes == get("dsads").classes
    for file in real("dsads").glob("original/a*/p1/s*.txt"):
        row = 480 * (int(file.parts[-3][1:]) - 1) + int(file.stem[1:]) - 1
        for unit, signals in zip(dsads.UNITS, dsads.read_segment(file), strict=True):
            np.testing.assert_array_equal(arrays.modalities[unit].x[row, :, 0], signals)


def test_real_trials_of_sisfall(real, monkeypatch):
    """The arrays hold what the reader makes of the text: seven windows, two, and one of a fall."""
    monkeypatch.setattr(sisfall, "WINDOW", 2400)
    arrays = read_arrays(real("sisfall"), [*sisfall.UNITS])
    assert arrays.fingerprint == "9839b127d780de9a"
    assert arrays.classes == get("sisfall").classes
    first = {"D01_SA01_R01": 0, "D05_SA01_R01": 28, "D11_SA01_R02": 69, "F01_SA01_R01": 118}
    for name, row in first.items():
        trial = sisfall.read_trial(real("sisfall") / "original" / "SA01" / f"{name}.txt")
        for number, window in enumerate(sisfall.cut(name[:3], trial), start=row):
            signals = sisfall.to_signals(window)
            for sensor, columns in sisfall.COLUMNS.items():
                images = arrays.modalities[sensor].x[number]
                np.testing.assert_array_equal(images, signals[columns])


def test_lgg_keeps_a_patient_of_whom_one_slice_alone_is_no_copy_of_flair(copy):
    root, own = copy("lgg"), lgg.PATIENTS[3]
    file = f"kaggle_3m/{own}/{own}_100.tif"
    bands = lgg.CASE.files[file].copy()
    bands[0, 0, 0] ^= 128
    writing.write(root, {file: bands})
    with pytest.warns(UserWarning, match="1 of the patients lack a sequence"):
        assert len(read("lgg", root)) == len(lgg.CASE.samples) + 3


def test_real_slices_of_lgg(real, monkeypatch, tmp_path):
    """The arrays hold what the reader makes of the files, in the rows that it gives them."""
    monkeypatch.setattr(slices, "SIDE", 256)
    folder, complete = real("lgg_mri"), np.load(real("lgg_mri") / "complete.npy")
    arrays = {name: np.load(folder / f"{name}.npy") for name in ("masks", "groups", "slice")}
    arrays |= {name: np.load(folder / f"{old}.npy") for name, old in SEQUENCES.items()}
    for name in (*SEQUENCES, "masks", "groups"):
        np.save(tmp_path / f"{name}.npy", arrays[name][complete])
    (tmp_path / "classes.json").write_text('["other", "tumour"]')
    data = read_arrays(tmp_path, [*SEQUENCES])
    assert data.fingerprint == "f3491fa66d71c043"
    found = slices.find_slices(folder / "original" / slices.FIRST)
    assert len(found) == 4
    for image, mask in found:
        row = np.flatnonzero((arrays["groups"] == 0) & (arrays["slice"] == int(image.stem[22:])))[0]
        bands, drawn = slices.read_slice(image, mask)
        np.testing.assert_array_equal(data.masks[row], drawn)
        for name, band in zip(SEQUENCES, bands, strict=True):
            np.testing.assert_array_equal(data.modalities[name].x[row, 0], band)


def test_the_watch_is_as_described():
    """Windows, exercises, persons and recordings; g and rad/s that a watch at an arm may reach."""
    watch = np.load(REPOSITORY / "data" / "watch.npz")
    for name, most in (("acc", 8), ("gyro", 32)):
        values = watch[name] * watch[f"{name}_step"]
        assert values.shape == (1149, 3, 100)
        assert 0 < values.std(axis=(0, 2)).min() < abs(values).max() < most
    cells = {*zip(*(watch[name] for name in ("person", "label", "side")), strict=True)}
    assert len(cells) == len(np.unique(watch["recording"])) == 140
    assert (len(np.unique(watch["label"])), len(np.unique(watch["person"]))) == (7, 10)
    assert len({window.tobytes() for window in watch["acc"]}) == 1149  # none twice
