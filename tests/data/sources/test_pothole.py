"""The potholes: made roads, damaged ones, and the real ones where there are any."""

import numpy as np
import pytest
from fixtures import pothole as fixture
from PIL import Image

from discom.data import load
from discom.data.lazy import Lazy
from discom.data.sources.pothole import CLASSES, POTHOLE, read_pothole
from discom.errors import ConfigError, DataError

KEYS = [
    f"{name}_{number:02d}"
    for name, count in fixture.PAIRS.items()
    for number in range(1, count + 1)
]
HALF = (24, 40)
BAD_RGB, BAD_DISPARITY, BAD_LABEL = (
    f"{name}/{fixture.BAD}.png" for name in ("rgb", "disparity", "label")
)


def read_all(root, **options):
    """Read, and look at every pixel."""
    data = read_pothole(root, **{"size": HALF, **options})
    for modality in data.modalities.values():
        np.asarray(modality.x)
    return data


def nearest(pixels, size):
    """For every pixel of the smaller image, the one at its centre."""
    rows, columns = (
        ((np.arange(n) + 0.5) * old / n).astype(int)
        for n, old in zip(size, pixels.shape, strict=True)
    )
    return pixels[np.ix_(rows, columns)]


def message(error) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return fixture.make(tmp_path_factory.mktemp("pothole"))


@pytest.fixture(scope="module")
def data(root):
    return read_pothole(root, size=HALF)


# what is read
# --------------------------------------------------------------------------------------------------------


def test_shapes_units_and_names(root, data):
    assert {
        name: (m.x.shape, m.x.dtype, m.unit, m.invalid) for name, m in data.modalities.items()
    } == {
        "rgb": ((12, 3, 24, 40), np.uint8, "", None),
        "disparity": ((12, 1, 24, 40), np.uint16, "transformed disparity", 0.0),
    }
    assert (data.masks.shape, data.masks.dtype, data.dense) == ((12, 24, 40), np.uint8, True)
    assert all(
        isinstance(images, Lazy)
        for images in (data.masks, *(m.x for m in data.modalities.values()))
    )
    assert data.classes == CLASSES == ("background", "pothole")
    assert data.name == "pothole-official"
    assert data.ids.tolist() == KEYS
    assert read_pothole(root).masks.shape == (12, 96, 160)  # the size by default


def test_the_sets_are_parts_and_groups(data):
    assert data.groups.tolist() == [key[:2] for key in KEYS]
    assert {part: data.ids[rows].tolist() for part, rows in data.parts.items()} == {
        part: [key for key in KEYS if key.startswith(name)]
        for part, name in {"train": "d2", "valid": "d3", "test": "d1"}.items()
    }
    assert "ours" in data.about["split"]


def test_values_at_the_size_of_the_files(root):
    """Two heights, so only the sets of one of them are as they were; nothing is averaged or moved
    there."""
    data = read_pothole(root, size=(57, 96))
    for row, key in enumerate(KEYS):
        if fixture.HEIGHTS[key[:2]] == 57:
            colours, disparity, hole = fixture.planted(key)
            np.testing.assert_array_equal(data.modalities["rgb"].x[row], colours.transpose(2, 0, 1))
            np.testing.assert_array_equal(data.modalities["disparity"].x[row, 0], disparity)
            np.testing.assert_array_equal(data.masks[row], hole)


def test_disparity_and_labels_take_the_nearest_pixel(data):
    for row, key in enumerate(KEYS):
        _, disparity, hole = fixture.planted(key)
        np.testing.assert_array_equal(
            data.modalities["disparity"].x[row, 0], nearest(disparity, HALF)
        )
        np.testing.assert_array_equal(data.masks[row], nearest(hole, HALF))


def test_colours_are_averaged(root):
    data = read_pothole(root, size=(57, 32))  # three columns to one, rows as they are
    for row, key in enumerate(KEYS[:10]):
        blocks = fixture.planted(key)[0].astype(float).reshape(57, 32, 3, 3).mean(axis=2)
        assert (
            np.abs(data.modalities["rgb"].x[row] - blocks.transpose(2, 0, 1)).max() <= 0.51
        )  # rounding


def test_averaged_disparity_would_make_holes_of_missing_values(data):
    """A deliberately wrong copy: the mean of 0 (not measured) and the road lies where holes do, and
    is not missing."""
    missing = 0
    for row, key in enumerate(KEYS):
        disparity = fixture.planted(key)[1].astype(np.float32)
        right = data.modalities["disparity"].x[row, 0]
        averaged = np.asarray(Image.fromarray(disparity).resize(HALF[::-1], Image.Resampling.BOX))
        assert set(np.unique(right)) <= set(np.unique(disparity))  # values of the file alone
        assert right[18:, 0].min() > 50_000  # the road at the rim, beside missing values
        assert (averaged[18:, 0] > 0).all()
        assert averaged[18:, 0].max() < 45_000
        missing += (right == 0).sum()
    assert missing > 0
    bounds = data.split(seed=0).train.normalization["disparity"]
    assert bounds.low >= 9_000  # 0 is left out of them


def test_what_stands_for_a_sample_is_its_most_frequent_class(data):
    assert data.labels.tolist() == [0] * 12
    assert (np.asarray(data.masks) == 1).any(axis=(1, 2)).all()


@pytest.mark.parametrize("name", ["rgb", "disparity"])
def test_a_modality_alone_needs_its_own_folder_alone(data, name, tmp_path):
    fixture.make(tmp_path, missing={"rgb": "disparity", "disparity": "rgb"}[name])
    alone = read_pothole(tmp_path, [name], size=HALF)
    assert alone.name == f"pothole-{name}-official"
    np.testing.assert_array_equal(alone.modalities[name].x, data.modalities[name].x)
    np.testing.assert_array_equal(alone.masks, data.masks)


def test_the_folders_may_lie_deeper(data, tmp_path):
    fixture.make(tmp_path / "unpacked" / "here")
    assert read_pothole(tmp_path, size=HALF).fingerprint == data.fingerprint


def test_orphans_may_be_left_out(tmp_path):
    fixture.make(tmp_path, missing=BAD_DISPARITY)
    with pytest.warns(
        UserWarning, match=rf"1 of rgb have no partner \({fixture.BAD}\); 1 of label .*; left out"
    ):
        data = read_pothole(tmp_path, orphans="drop", size=HALF)
    assert data.ids.tolist() == [key for key in KEYS if key != fixture.BAD]
    assert data.about["dropped"] == {"rgb": 1, "disparity": 0, "label": 1}
    assert len(data.parts["train"]) == 5


def test_round_trip(data, tmp_path):
    data.save(tmp_path / "out")
    again = load(tmp_path / "out")
    assert again.fingerprint == data.fingerprint
    assert (again.name, again.dense, again.about) == (data.name, True, data.about)
    assert again.modalities["disparity"].invalid == 0
    np.testing.assert_array_equal(again.masks, np.asarray(data.masks))


@pytest.mark.parametrize("seed", range(5))
def test_sets_are_never_divided(data, seed):
    parts = data.split(seed=seed)
    assert [np.unique(part.groups).tolist() for part in parts] == [["d2"], ["d3"], ["d1"]]
    assert np.isin([0, 1], parts.train.masks).all()


def test_three_sets_cannot_be_drawn_anew(data):
    """Two of the three hold more than the test part should; the message says so, and the other
    splits work."""
    with pytest.raises(
        DataError, match=r"pothole-grouped: no group is left for the valid part"
    ) as error:
        data.protocol("grouped").split(seed=0)
    message(error)
    assert sum(map(len, data.protocol("random").split(seed=0))) == 12


def test_the_source():
    assert POTHOLE.access == "by hand"
    assert POTHOLE.read is read_pothole


# what is refused
# -----------------------------------------------------------------------------------------------------

BAD = {
    "no folder of disparity": (
        {"missing": "disparity"},
        r"holds no folder with rgb/, disparity/, label/\. Give a folder .* \(.* lacks disparity\)",
    ),
    "an empty folder": (
        {"missing": "rgb", "copied": ("label", "rgb/label")},
        r"rgb; unpack or fetch it",
    ),
    "colours missing": (
        {"missing": BAD_RGB},
        rf"1 of disparity have no partner \({fixture.BAD}\); 1 of label have no partner .*--options .*orphans",
    ),
    "disparity missing": (
        {"missing": BAD_DISPARITY},
        rf"1 of rgb have no partner \({fixture.BAD}\)",
    ),
    "label missing": (
        {"missing": BAD_LABEL},
        rf"1 of rgb have no partner \({fixture.BAD}\); 1 of disparity",
    ),
    "a set missing": (
        {"without": "d3"},
        r"holds no pair of set d3, the valid part; fetch all three sets",
    ),
    "another name": (
        {"copied": (BAD_RGB, "rgb/d2_03 (1).png")},
        r"rgb/d2_03 \(1\)\.png: is no d<1, 2 or 3>_<two digits>\.png; give it its name or remove it",
    ),
    "a set of another number": (
        {"copied": (BAD_LABEL, "label/d4_01.png")},
        r"label/d4_01\.png: is no d<1, 2 or 3>_",
    ),
    "a pair twice": (
        {"copied": (BAD_RGB, "rgb/d2_03.PNG")},
        r"d2_03\.png: stands beside d2_03\.PNG, the same sample",
    ),
    "colours of another size": (
        {"rgb": "narrow"},
        rf"{BAD_RGB}: its files differ in size \(rgb 57×95, disparity 57×96, label 57×96\); take the original files",
    ),
    "disparity of another size": (
        {"disparity": "narrow"},
        r"differ in size \(rgb 57×96, disparity 57×95, label 57×96",
    ),
    "label of another size": (
        {"label": "narrow"},
        r"differ in size \(rgb 57×96, disparity 57×96, label 57×95",
    ),
    "colours in grey": (
        {"rgb": "grey"},
        rf"{BAD_RGB}: holds 1 band\(s\) of uint8, needed 3 of uint8; take the",
    ),
    "disparity of 8 bits": (
        {"disparity": "8 bits"},
        rf"{BAD_DISPARITY}: holds 1 band\(s\) of uint8, needed 1 of uint16; take the original file",
    ),
    "disparity in colours": (
        {"disparity": "colours"},
        rf"{BAD_DISPARITY}: holds 3 band\(s\) of uint8, needed 1 of uint16",
    ),
    "disparity without a value": (
        {"disparity": "empty"},
        rf"{BAD_DISPARITY}: holds 0 alone, which is not measured; take the original file",
    ),
    "label of 0 and 255": (
        {"label": "255"},
        rf"{BAD_LABEL}: holds 255; labels are 0 \(road\) and 1 \(pothole\), take the original file",
    ),
    "label of 16 bits": (
        {"label": "16 bits"},
        rf"{BAD_LABEL}: holds 1 band\(s\) of uint16, needed 1 of uint8",
    ),
    "label in colours": (
        {"label": "colours"},
        rf"{BAD_LABEL}: holds 3 band\(s\) of uint8, needed 1 of uint8",
    ),
    "no pothole to learn from": (
        {"label": "no pothole"},
        r"no pixel of set d2, the train part, is pothole; take the original files",
    ),
    "half an image": ({"cut": BAD_RGB}, rf"{BAD_RGB}: cannot be read as an image"),
    "half a label": ({"cut": BAD_LABEL}, rf"{BAD_LABEL}: cannot be read as an image"),
}


@pytest.mark.parametrize(("defects", "expected"), BAD.values(), ids=BAD)
def test_refused(tmp_path, defects, expected):
    fixture.make(tmp_path, **defects)
    with pytest.raises(DataError, match=expected) as error:
        read_all(tmp_path)
    assert str(tmp_path) in message(error)


def test_wrong_folders(tmp_path):
    with pytest.raises(
        DataError, match=r"nowhere: no such folder; give the one with the raw files"
    ):
        read_pothole(tmp_path / "nowhere")
    with pytest.raises(
        DataError, match=r"holds no folder with rgb/, disparity/, label/\. Give a folder"
    ) as error:
        read_pothole(tmp_path)
    message(error)
    for name in ("one", "two"):
        fixture.make(tmp_path / name)
    with pytest.raises(
        DataError, match=r"two: stands beside .*one, the same set; keep one of the two"
    ) as error:
        read_pothole(tmp_path)
    message(error)


WRONG = {
    "modality": (
        {"modalities": ["depth"]},
        r"modalities: 'depth' is unknown to pothole or twice; choose of rgb, disp",
    ),
    "one side": (
        {"size": 96},
        r"size: 96 is no size; give height and width in pixels, \[96, 160\]",
    ),
    "three sides": ({"size": [3, 96, 160]}, r"size: \[3, 96, 160\] is no size"),
    "no pixels": ({"size": [0, 160]}, r"size: \[0, 160\] is no size"),
    "half pixels": ({"size": [96.0, 160]}, r"size: \[96\.0, 160\] is no size"),
    "words": ({"size": "ab"}, r"size: 'ab' is no size"),
    "orphans": ({"orphans": "keep"}, r"orphans: 'keep' is unknown; choose refuse or drop"),
}


@pytest.mark.parametrize(("options", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_options(root, options, expected):
    with pytest.raises(ConfigError, match=expected) as error:
        read_pothole(root, **options)
    message(error)


# the real folder
# -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(real):
    return real("pothole_rgb_disparity")


@pytest.fixture(scope="module")
def prepared(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared") / "pothole"
    POTHOLE.read(folder).save(out)
    return load(out)


def test_counts_of_the_real_pairs(prepared):
    assert len(prepared) == len(prepared.paired_ids) == 67
    assert {name: m.x.shape for name, m in prepared.modalities.items()} == {
        "rgb": (67, 3, 96, 160),
        "disparity": (67, 1, 96, 160),
    }
    assert dict(zip(*np.unique(prepared.groups, return_counts=True), strict=True)) == {
        "d1": 22,
        "d2": 40,
        "d3": 5,
    }
    masks = np.asarray(prepared.masks)
    assert set(np.unique(masks)) == {0, 1}
    assert (masks == 1).mean() == pytest.approx(0.0391, abs=1e-4)
    assert (masks == 1).any(axis=(1, 2)).all()


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_the_real_pairs(prepared, seed):
    parts = prepared.split(seed=seed)
    assert [len(part) for part in parts] == [40, 5, 22]
    assert [np.unique(part.groups).tolist() for part in parts] == [["d2"], ["d3"], ["d1"]]
    for part in parts:
        assert np.isin([0, 1], part.masks).all()


def test_missing_values_of_the_real_pairs_point_at_potholes(prepared):
    """Why 0 is invalid: rare on roads, frequent in the holes of d1."""
    missing = np.asarray(prepared.modalities["disparity"].x)[:, 0] == 0
    holes = np.asarray(prepared.masks) == 1
    first = (prepared.groups == "d1")[:, None, None]
    assert missing[np.broadcast_to(first, holes.shape) & holes].mean() > 0.1
    assert missing[np.broadcast_to(first, holes.shape) & ~holes].mean() < 0.01


def test_the_pair_that_stands_twice(prepared):
    one, two = (prepared.ids.tolist().index(key) for key in ("d3_01", "d3_02"))
    for modality in prepared.modalities.values():
        np.testing.assert_array_equal(modality.x[one], modality.x[two])
    assert not np.array_equal(prepared.masks[one], prepared.masks[two])
