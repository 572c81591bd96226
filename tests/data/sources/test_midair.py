"""Mid-Air's reader on small landscapes: values, pairs, flights, and what it says of damaged
folders."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from fixtures import midair as fixture
from PIL import Image

from discom.data import load
from discom.data.images import resize
from discom.data.sources.midair import CLASSES, MIDAIR, read_midair
from discom.errors import ConfigError, DataError

NAMES = ("sky", "water", "trees", "land", "boulders", "road", "construction", "others")
MERGED = {0: 0, 8: 1, 2: 2, 3: 3, 4: 3, 5: 3, 6: 4, 10: 5, 9: 6, 1: 7, 7: 7, 11: 7, 12: 7, 13: 7}
RAW = (
    "sky animals trees dirt_ground ground_vegetation rocky_ground boulders empty water_plane man-made_construction road"
    " train_track road_sign others"
)
BAD_COLOR = fixture.BAD.replace("foggy/2001/", "foggy/color_left/trajectory_2001/") + ".JPEG"
BAD_DEPTH = fixture.BAD.replace("foggy/2001/", "foggy/depth/trajectory_2001/") + ".PNG"
FOGGY = "Kite_training/foggy"


def merge(ids):
    return np.vectorize(MERGED.get)(ids).astype(np.uint8)


def read_all(root, **options):
    """Read, and look at every pixel."""
    data = read_midair(root, **{"size": 32, **options})
    for modality in data.modalities.values():
        np.asarray(modality.x)
    return data


def message(error) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return fixture.make(tmp_path_factory.mktemp("midair"))


@pytest.fixture(scope="module")
def data(root):
    return read_midair(root, size=32)


# what is read
# --------------------------------------------------------------------------------------------------------


def test_shapes_units_and_names(data):
    assert {name: (m.x.shape, m.x.dtype) for name, m in data.modalities.items()} == {
        "rgb": ((27, 3, 32, 32), np.uint8),
        "depth": ((27, 1, 32, 32), np.float32),
    }
    assert data.masks.shape == (27, 32, 32)
    assert data.masks.dtype == np.uint8
    assert {name: (m.unit, m.invalid) for name, m in data.modalities.items()} == {
        "rgb": ("", None),
        "depth": ("m", 0),
    }
    assert data.classes == CLASSES == NAMES
    assert data.name == "midair-grouped"
    assert data.parts is None
    assert data.about["source"] == "https://midair.ulg.ac.be"
    assert data.about["dropped"] == {"rgb": 0, "depth": 0, "masks": 0}
    assert data.about["absent classes"] == []
    assert data.about["never the largest class of a frame"] == [
        "trees",
        "boulders",
        "road",
        "construction",
        "others",
    ]


def test_ids_name_set_climate_trajectory_and_every_25th_frame(data, root):
    assert data.ids[:4].tolist() == [
        f"{FOGGY}/2000/0000{frame}" for frame in ("00", "25", "50")
    ] + [f"{FOGGY}/2001/000000"]
    assert {name[-6:] for name in data.ids} == {"000000", "000025", "000050"}
    assert {name[-6:] for name in read_midair(root, size=32, every=12).ids} == {"000000", "000012"}
    assert len(read_midair(root, size=32, every=1)) == 36


def test_every_value_is_the_planted_one(data):
    for row, key in enumerate(data.ids):
        rgb, metres, ids = fixture.planted(key)
        expected = np.where(metres <= 1250, metres, 0).astype(
            np.float32
        )  # 3000 m and inf are not measured
        np.testing.assert_array_equal(data.modalities["depth"].x[row, 0], expected)
        np.testing.assert_array_equal(data.masks[row], merge(ids))
        error = np.abs(data.modalities["rgb"].x[row].astype(int) - np.moveaxis(rgb, 2, 0))
        assert np.median(error) <= 2  # JPEG
        assert error.mean() < 8
        assert data.labels[row] == np.bincount(merge(ids).ravel()).argmax()


@pytest.mark.filterwarnings("ignore:.*no pixel is others")
def test_smaller_frames_average_colours_and_pick_the_rest(root, data):
    small = read_midair(root, size=16)
    rgb = data.modalities["rgb"].x[5].reshape(3, 16, 2, 16, 2).mean((2, 4))
    np.testing.assert_allclose(small.modalities["rgb"].x[5], rgb, atol=1)  # rounded twice
    np.testing.assert_array_equal(
        small.modalities["depth"].x[5], data.modalities["depth"].x[5, :, 1::2, 1::2]
    )
    np.testing.assert_array_equal(small.masks[5], data.masks[5, 1::2, 1::2])
    smooth = resize(data.masks[5][None], (16, 16), smooth=True)[
        0
    ]  # the wrong way: a mean of sky and trees is water
    held = data.masks[5].reshape(16, 2, 16, 2) == smooth[:, None, :, None]
    assert not held.any((1, 3)).all()


def test_naive_depth_is_something_else(root, data):
    """Whole numbers where bits of a float16 are: all above 10 000, and neither metres nor in
    proportion to them."""
    with Image.open(root / "MidAir" / BAD_DEPTH) as image:
        naive = np.asarray(image).astype(np.uint16)
    metres = data.modalities["depth"].x[data.ids.tolist().index(fixture.BAD), 0]
    assert naive.min() > 10_000
    ground = metres > 0
    assert 3 < metres[ground].min() < 5
    assert np.ptp(naive[ground] / metres[ground]) > 1000
    np.testing.assert_array_equal(naive.view(np.float16).astype(np.float32)[ground], metres[ground])
    assert (naive.view(np.float16)[~ground] > 1250).all()
    with np.errstate(over="ignore"):
        assert np.isinf(
            (naive.view(np.float16) * np.float16(100)).max()
        )  # so arithmetic needs float32


def test_far_and_holes(tmp_path):
    data = read_all(fixture.make(tmp_path, depth="hole"), far=40)
    depth = data.modalities["depth"].x[data.ids.tolist().index(fixture.BAD), 0]
    assert (depth[:4, :4] == 0).all()
    assert depth[0, 31] == 0  # the sky
    assert depth.max() == 30  # the hills behind; what lies farther is gone
    assert "40 m" in data.about["invalid values"]


def test_three_channels_in_a_mask(tmp_path, data):
    read = read_all(fixture.make(tmp_path, mask="three channels"))
    np.testing.assert_array_equal(np.asarray(read.masks), np.asarray(data.masks))


def test_classes_as_they_are_in_the_files(root):
    with pytest.warns(
        UserWarning,
        match=r"no pixel is animals, empty, train track, others; leave that out of means",
    ):
        data = read_midair(root, size=32, merge="none")
    assert [name.replace(" ", "_") for name in data.classes] == RAW.split()
    assert data.classes[7] == "empty"
    for row in (0, 20):
        np.testing.assert_array_equal(data.masks[row], fixture.planted(data.ids[row])[2])
    assert data.about["absent classes"] == ["animals", "empty", "train track", "others"]


def test_every_id_has_its_class(tmp_path):
    ids = np.resize(np.arange(14, dtype=np.uint8), (32, 32))
    root = fixture.make(tmp_path)
    for file in (root / "MidAir").glob(
        f"{fixture.BAD.rpartition('/')[0].replace('2001', 'segmentation/*2001')}/*25.*"
    ):
        Image.fromarray(ids).save(file)
    for option, expected in (("co-semdepth", merge(ids)), ("none", ids)):
        data = read_midair(root, size=32, merge=option)
        np.testing.assert_array_equal(data.masks[data.ids.tolist().index(fixture.BAD)], expected)


def test_a_link_to_another_disk_is_followed_and_hidden_copies_are_not(tmp_path):
    root = fixture.make(tmp_path / "raw")
    (root / "MidAir" / "Kite_training").rename(tmp_path / "elsewhere")
    (root / "MidAir" / "Kite_training").symlink_to(tmp_path / "elsewhere")
    whole = read_midair(root, size=32).ids.tolist()
    shutil.copytree(root / "MidAir" / "PLE_training", root / ".Trash" / "PLE_training")
    assert read_midair(root, size=32).ids.tolist() == whole
    assert len(whole) == 27


def test_absent_classes_are_named_and_no_error(root):
    with pytest.warns(
        UserWarning, match=r"no pixel is others; leave that out of means over classes"
    ):
        data = read_midair(root, size=16)  # the signs are one pixel, which no coarser grid hits
    assert data.about["absent classes"] == ["others"]


@pytest.mark.parametrize(
    ("modalities", "needless", "name"),
    [(["rgb"], "depth", "midair-rgb-grouped"), (["depth"], "color_left", "midair-depth-grouped")],
)
def test_one_modality_needs_no_other_stream(tmp_path, modalities, needless, name):
    fixture.make(tmp_path)
    for climate in fixture.CLIMATES:
        shutil.rmtree(tmp_path / "MidAir" / climate / needless)
    data = read_all(tmp_path, modalities=modalities)
    assert (list(data.modalities), data.name, len(data)) == (modalities, name, 27)


@pytest.mark.parametrize(
    ("below", "frames"),
    [("", 27), ("MidAir", 27), ("MidAir/Kite_training", 18), ("MidAir/Kite_training/foggy", 9)],
)
def test_root_may_be_any_folder_above(root, below, frames):
    data = read_midair(root / below, size=32)
    assert len(data) == frames
    assert data.ids[0] == f"{FOGGY}/2000/000000"


def test_round_trip(tmp_path, data):
    data.save(tmp_path / "prepared")
    read = load(tmp_path / "prepared")
    assert (read.name, read.classes, read.about) == (data.name, data.classes, dict(data.about))
    for name, modality in data.modalities.items():
        np.testing.assert_array_equal(read.modalities[name].x, np.asarray(modality.x))
        assert (read.modalities[name].unit, read.modalities[name].invalid) == (
            modality.unit,
            modality.invalid,
        )
    np.testing.assert_array_equal(read.masks, np.asarray(data.masks))
    for one, other in zip(
        (read.ids, read.labels, read.groups), (data.ids, data.labels, data.groups), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert read.protocol("random").name == "midair"


def test_source_is_fetched_by_hand(root, tmp_path):
    assert MIDAIR.access == "by hand"
    assert MIDAIR.gather(root) == root
    with pytest.raises(
        DataError,
        match=r"cannot be downloaded by a program\. At https://midair\.ulg\.ac\.be/download",
    ):
        MIDAIR.gather(tmp_path, download=True)


# flights
# -------------------------------------------------------------------------------------------------------------


def test_a_flight_is_one_group_whatever_the_climate(data):
    group = dict(zip(data.ids, data.groups, strict=True))
    assert (
        group["Kite_training/sunny/0001/000025"]
        == group["Kite_training/foggy/2001/000000"]
        == "Kite-001"
    )
    assert (
        group["PLE_training/fall/4001/000025"] == "PLE-001"
    )  # another landscape, so another flight
    assert set(data.groups) == {
        f"{place}-00{flight}" for place in ("Kite", "PLE") for flight in range(3)
    }


@pytest.mark.filterwarnings("ignore:.*part has no sample of class")  # there are few flights
def test_no_scene_is_in_two_parts(tmp_path):
    data = read_midair(fixture.make(tmp_path, flights=7), size=32)
    scenes = np.array([mask.tobytes() for mask in np.asarray(data.masks)])

    def leaks(seed, **groups):
        parts = replace(data, **groups).split((0.6, 0.2, 0.2), seed)
        train, *others = (set(scenes[np.isin(data.ids, part.ids)]) for part in parts)
        return train & set.union(*others)

    by_trajectory = np.array([key.rpartition("/")[0] for key in data.ids])  # the wrong way
    assert all(leaks(seed, groups=by_trajectory) for seed in range(3))
    assert not any(leaks(seed) for seed in range(3))


# defects that are read all the same
# ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "defects", [{"lower": True}, {"packed": "alone"}, {"packed": "beside"}], ids=str
)
def test_same_content_in_another_form(tmp_path, data, defects):
    fixture.make(tmp_path, **defects)
    for _ in range(2):  # the second time it is unpacked already
        read = read_all(tmp_path)
        assert read.ids.tolist() == data.ids.tolist()
        np.testing.assert_array_equal(
            np.asarray(read.modalities["depth"].x), np.asarray(data.modalities["depth"].x)
        )
        np.testing.assert_array_equal(np.asarray(read.masks), np.asarray(data.masks))


def test_unpacking_that_was_cut_off_goes_on(tmp_path, data):
    fixture.make(tmp_path, packed="beside")
    for stream in ("color_left", "depth", "segmentation"):
        folder = tmp_path / "MidAir" / FOGGY / stream / "trajectory_2000"
        (folder / ".frames.zip.unfinished").touch()
        for file in sorted(folder.glob("0*"))[1:]:
            file.unlink()
    assert read_midair(tmp_path, size=32).ids.tolist() == data.ids.tolist()
    assert not list(tmp_path.rglob("*.unfinished"))


def test_leftovers_of_other_systems(tmp_path, data):
    fixture.make(tmp_path)
    climate = tmp_path / "MidAir" / FOGGY
    (climate / "depth/trajectory_2000/._000000.PNG").write_bytes(b"\0")
    (climate / "depth/trajectory_2000/Thumbs.db").write_bytes(b"\0")
    (climate / "sensor_records.hdf5").write_bytes(b"\0")
    shutil.copytree(climate, tmp_path / "__MACOSX" / FOGGY)
    assert read_all(tmp_path).ids.tolist() == data.ids.tolist()


def test_orphans_may_be_dropped(tmp_path):
    fixture.make(tmp_path, missing=BAD_DEPTH)
    told = rf"1 of rgb have no partner \({fixture.BAD}\); 1 of masks have no partner \({fixture.BAD}\); left out"
    with pytest.warns(UserWarning, match=told):
        data = read_midair(tmp_path, size=32, orphans="drop")
    assert data.about["dropped"] == {"rgb": 1, "depth": 0, "masks": 1}
    assert len(data) == 26
    assert fixture.BAD not in data.ids


def test_frames_that_are_not_kept_need_no_partner(tmp_path, data):
    fixture.make(tmp_path, missing=BAD_DEPTH.replace("000025", "000012"))
    assert read_midair(tmp_path, size=32).ids.tolist() == data.ids.tolist()


# defects that are refused
# --------------------------------------------------------------------------------------------

TRAJECTORY = f"{FOGGY}/depth/trajectory_2000"
BAD = {
    "depth of 8 bits": (
        {"depth": "8 bits"},
        rf"{BAD_DEPTH}: holds uint8, but depth is 16 bits a pixel",
    ),
    "depth as a colour picture": (
        {"depth": "colours"},
        rf"{BAD_DEPTH}: holds uint8, but depth is 16 bits a pixel",
    ),
    "depth in the wrong byte order": (
        {"depth": "swapped"},
        rf"{BAD_DEPTH}: its float16 bits say .* byte order",
    ),
    "depth not a number": (
        {"depth": "nan"},
        rf"{BAD_DEPTH}: its float16 bits say nan … nan m: wrong byte order",
    ),
    "depth in whole metres": (
        {"depth": "whole metres"},
        rf"{BAD_DEPTH}: its float16 bits say .*e-07 … .*e-05 m",
    ),
    "depth not square": (
        {"depth": "narrow"},
        r"streams differ in size \(color_left 32×32, depth 32×24, segm",
    ),
    "depth cut off": ({"cut": BAD_DEPTH}, rf"{BAD_DEPTH}: cannot be read as an image"),
    "depth as JPEG": (
        {
            "renamed": (TRAJECTORY, "x"),
            "copied": (f"{FOGGY}/color_left/trajectory_2000", TRAJECTORY),
        },
        rf"{TRAJECTORY}: holds no <6 digits>\.png; unpack or fetch this trajectory again",
    ),
    "colour in one band": ({"color": "grey"}, rf"{BAD_COLOR}: has 1 band\(s\), color_left has 3"),
    "colour not square": (
        {"color": "narrow"},
        rf"{BAD_COLOR}: the streams differ in size \(color_left 32×24",
    ),
    "colour cut off": (
        {"cut": BAD_COLOR},
        rf"{BAD_COLOR}: cannot be read as an image \(the end of the JPEG",
    ),
    "id above 13": (
        {"mask": "unknown id"},
        r"segmentation/trajectory_2001/000025\.PNG: holds class id 14; Mid-Air has 0 … 13",
    ),
    "mask of colours": (
        {"mask": "palette"},
        r"segmentation/trajectory_2001/000025\.PNG: holds class id 240; Mid-Air",
    ),
    "mask of 16 bits": (
        {"mask": "16 bits"},
        r"segmentation/trajectory_2001/000025\.PNG: holds uint16, but class ids",
    ),
    "mask not square": (
        {"mask": "narrow"},
        r"streams differ in size \(.*, segmentation 32×24\); take",
    ),
    "a stream of a climate missing": (
        {"missing": f"{FOGGY}/segmentation"},
        rf"{FOGGY}/segmentation: no such folder; fetch this stream of the climate too",
    ),
    "a trajectory of a stream missing": (
        {"missing": TRAJECTORY},
        rf"{TRAJECTORY}: missing, but another stream has it; fetch it too",
    ),
    "streams of unequal length": (
        {"missing": BAD_DEPTH.replace("000025", "000050")},
        rf"1 of rgb have no partner \({FOGGY}/2001/000050\); 1 of masks have no partner .*--options .*orphans",
    ),
    "another number in a stream": (
        {"renamed": (BAD_DEPTH, BAD_DEPTH.replace("000025", "000075"))},
        rf"1 of depth have no partner \({FOGGY}/2001/000075\)",
    ),
    "a frame twice": (
        {"copied": (BAD_COLOR, BAD_COLOR.replace(".JPEG", ".jpg"))},
        r"000025\.jpg: stands beside 000025\.JPEG, the same sample; remove one of them",
    ),
    "a frame without its number": (
        {"copied": (BAD_DEPTH, BAD_DEPTH.replace("000025", "000025 (1)"))},
        r"000025 \(1\)\.PNG: is no <6 digits>\.PNG; give it its frame number or remove it",
    ),
    "a trajectory without its number": (
        {"renamed": (TRAJECTORY, TRAJECTORY.replace("2000", "a"))},
        r"depth/trajectory_a: is no trajectory_<4 digits>; give it its number or remove it",
    ),
    "an empty trajectory": (
        {"packed": "nested"},
        r"trajectory_2000: holds no <6 digits>\.jpeg or \.jpg or \.png; unpack",
    ),
    "a broken archive": (
        {"packed": "broken"},
        r"trajectory_2000/frames\.zip: is no archive or damaged .* fetch it again",
    ),
    "an archive that leaves its folder": (
        {"packed": "outside"},
        r"frames\.zip: .*000000\.JPEG.* would land outside",
    ),
    "a folder that is no set": (
        {"renamed": ("Kite_training", "kites")},
        r"kites/foggy: lies in 'kites', no set such as Kite_training; keep <set>/<climate>/",
    ),
    "a climate twice": (
        {"copied": ("Kite_training", "again/Kite_training")},
        r"again/Kite_training/foggy: Kite_training/foggy stands at .*MidAir/Kite_training/foggy too; move the streams",
    ),
}


@pytest.mark.parametrize(("defects", "expected"), BAD.values(), ids=BAD)
def test_refused(tmp_path, defects, expected):
    fixture.make(tmp_path, flights=2, **defects)
    with pytest.raises(DataError, match=expected) as error:
        read_all(tmp_path)
    assert str(tmp_path) in message(error)


def test_wrong_folders(tmp_path):
    with pytest.raises(
        DataError, match=r"nowhere: no such folder; give the one with the raw files"
    ):
        read_midair(tmp_path / "nowhere")
    with pytest.raises(
        DataError, match=r"holds no <set>/<climate>/color_left/trajectory_<NNNN>\. At https"
    ) as error:
        read_midair(tmp_path)
    message(error)


def test_no_frame_is_kept(tmp_path):
    fixture.make(tmp_path)
    for file in (tmp_path / "MidAir").rglob("000000.*"):
        file.unlink()
    with pytest.raises(
        DataError, match=r"no frame's number is a multiple of 100; take a smaller 'every'"
    ):
        read_midair(tmp_path, size=32, every=100)


WRONG = {
    "modality": (
        {"modalities": ["thermal"]},
        r"modalities: 'thermal' is unknown to midair or twice",
    ),
    "size": ({"size": 0}, r"size: 0 is no whole number from 1 on"),
    "size in words": ({"size": "256"}, r"size: '256' is no whole number from 1 on"),
    "every": ({"every": 2.5}, r"every: 2\.5 is no whole number from 1 on"),
    "far": ({"far": float("inf")}, r"far: inf is no positive number of metres"),
    "merge": ({"merge": "nyu13"}, r"merge: 'nyu13' is unknown; choose co-semdepth or none"),
    "orphans": ({"orphans": "keep"}, r"orphans: 'keep' is unknown; choose refuse or drop"),
}


@pytest.mark.parametrize(("options", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_options(root, options, expected):
    with pytest.raises(ConfigError, match=expected) as error:
        read_midair(root, **options)
    message(error)
