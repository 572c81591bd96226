"""TRISTAR from small made folders: the planted values, labels and parts, and what bad folders look
like."""

import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from fixtures import tristar as fixture
from PIL import Image

from discom.data import load
from discom.data.sources.tristar import ACTIONS, CLASSES, TRISTAR, read_tristar
from discom.errors import ConfigError, DataError

SIZE = (fixture.HEIGHT // 2, fixture.WIDTH // 2)
STRANGE = "/".join(
    [*fixture.STRANGE[:2], fixture.stem(fixture.STRANGE[2])]
)  # train/2/000010_0000001660
LEFT_OUT = r"7 of 56 frames have none of the classes sit, walk, stand, lay, get_down, get_up, 7 more than one; left out"


def read(root, **options):
    """Without the warning that every one of these folders gives, and no other."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=f".*{LEFT_OUT}")
        return read_tristar(root, **{"size": SIZE} | options)


def everything(root):
    """Reads every image, as preparing a folder does."""
    data = read(root, modalities=["thermal", "depth", "rgb"])
    for modality in data.modalities.values():
        np.asarray(modality.x)


def frame_of(sample):
    part, shot, stem = sample.split("/")
    return part, shot, int(stem[:6]) - 7


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return fixture.make(tmp_path_factory.mktemp("tristar"))


@pytest.fixture(scope="module")
def data(root):
    return read(root, modalities=["thermal", "depth", "rgb"])


# the content
# ----------------------------------------------------------------------------------------------------


def test_values_are_the_planted_ones(data):
    for row, sample in enumerate(data.ids):
        planted = fixture.scene(*frame_of(sample))
        thermal, depth, rgb = (data.modalities[name].x[row] for name in ("thermal", "depth", "rgb"))
        np.testing.assert_array_equal(
            thermal[0], planted["thermal"][1::2, 1::2].astype(np.float32) / 100
        )
        np.testing.assert_array_equal(
            depth[0], planted["depth"][1::2, 1::2].astype(np.float32) / 1000
        )
        means = planted["rgb"].reshape(SIZE[0], 2, SIZE[1], 2, 3).mean((1, 3))
        assert abs(np.moveaxis(rgb, 0, 2) - means).max() <= 0.5  # rounded to whole numbers
    assert {name: (m.x.dtype, m.unit, m.invalid) for name, m in data.modalities.items()} == {
        "thermal": (np.float32, "K", None),
        "depth": (np.float32, "m", 0.0),
        "rgb": (np.uint8, "", None),
    }


def test_units_and_holes(data):
    assert 295 < np.median(data.modalities["thermal"].x) < 300
    depth = np.asarray(data.modalities["depth"].x)
    assert 2 < np.median(depth) < 4
    assert (depth[..., 0] == 0).all()  # a hole stays a hole: nothing is averaged into it
    assert depth[depth > 0].min() >= 1.9


def test_default_modalities_and_size(root):
    data = read(root, size=(120, 160))
    assert {name: m.x.shape for name, m in data.modalities.items()} == dict.fromkeys(
        ("thermal", "depth"), (42, 1, 120, 160)
    )
    assert data.name == "tristar-official"
    with pytest.warns(UserWarning, match=LEFT_OUT):
        assert read_tristar(root).modalities["depth"].x.shape[2:] == (120, 160)


def test_labels_by_name(data, root):
    assert data.classes == CLASSES == ("sit", "walk", "stand", "lay", "get_down", "get_up")
    for sample, label in zip(data.ids, data.labels, strict=True):
        assert CLASSES[label] == fixture.KEPT[frame_of(sample)[2]]
    assert data.about["dropped"] == {
        "thermal": 0, "depth": 0, "rgb": 0, "actions.txt": 0,
        "frames with none of the classes": 7, "frames with several of the classes": 7,
    }  # fmt: skip
    assert len(ACTIONS) == len(set(ACTIONS)) == 14


def test_other_classes_in_the_order_given(root):
    with pytest.warns(
        UserWarning,
        match="35 of 56 frames have none of the classes wave, type, put_down, 0 more than",
    ):
        data = read_tristar(root, size=SIZE, classes=["wave", "type", "put_down"])
    assert data.classes == ("wave", "type", "put_down")
    assert {(frame_of(i)[2], int(k)) for i, k in zip(data.ids, data.labels, strict=True)} == {
        (2, 0),
        (0, 1),
        (4, 2),
    }
    assert "wave, type, put_down" in data.about["classes"]


def test_no_warning_where_no_frame_is_left_out(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_tristar(fixture.make(tmp_path, labels=fixture.LABELS[:6]), size=SIZE)) == 42


def test_shots_are_groups_in_natural_order(data):
    assert list(dict.fromkeys(data.groups)) == [
        "test/0",
        "test/1",
        "train/0",
        "train/2",
        "train/10",
        "val/0",
        "val/1",
    ]
    assert all(
        sample.startswith(f"{group}/") for sample, group in zip(data.ids, data.groups, strict=True)
    )
    assert data.ids[12] == "train/0/000007_0000001162"


def test_parts_are_the_official_folders(data):
    for part, folder, count in (("train", "train", 18), ("valid", "val", 12), ("test", "test", 12)):
        rows = data.parts[part]
        assert len(rows) == count
        assert (np.diff(rows) > 0).all()
        assert {sample.partition("/")[0] for sample in data.ids[rows]} == {folder}
    np.testing.assert_array_equal(np.sort(np.concatenate(list(data.parts.values()))), np.arange(42))
    assert [len(part) for part in data.split(seed=3)] == [18, 12, 12]


def test_grouped_keeps_shots_whole_and_random_divides_them(root):
    data = read(root)
    grouped, drawn = data.protocol("grouped"), data.protocol("random")
    assert (data.protocol().name, grouped.name, drawn.name) == (
        "tristar-official",
        "tristar-grouped",
        "tristar",
    )
    shots = [set(part.groups) for part in grouped.split(seed=0)]
    assert len(set().union(*shots)) == sum(map(len, shots)) == 7
    assert drawn.groups is None
    shots = [{sample.rpartition("/")[0] for sample in part.ids} for part in drawn.split(seed=0)]
    assert shots[0] & shots[2]  # near-duplicate frames of one shot stand on both sides


def test_round_trip(root, tmp_path):
    data = read(root)
    data.save(tmp_path / "out")
    opened = load(tmp_path / "out")
    for name, modality in data.modalities.items():
        np.testing.assert_array_equal(modality.x, opened.modalities[name].x)
        assert (opened.modalities[name].unit, opened.modalities[name].invalid) == (
            modality.unit,
            modality.invalid,
        )
    for one, other in (
        (data.ids, opened.ids),
        (data.labels, opened.labels),
        (data.groups, opened.groups),
    ):
        np.testing.assert_array_equal(one, other)
    for part, rows in data.parts.items():
        np.testing.assert_array_equal(rows, opened.parts[part])
    assert (opened.name, opened.classes, opened.about) == (data.name, data.classes, data.about)


def test_archive_is_unpacked_and_read(tmp_path):
    fixture.make(tmp_path / "made", hidden=True)
    (tmp_path / "raw").mkdir()
    shutil.make_archive(str(tmp_path / "raw" / "tristar"), "zip", tmp_path / "made")
    assert len(read(TRISTAR.gather(tmp_path / "raw"))) == 42


def test_masks_and_tables_beside_the_images_are_not_needed(root, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "tristar" / "val" / "0" / "mask")
    shutil.rmtree(tmp_path / "copy" / "tristar" / "val" / "0" / "rgb")
    assert len(read(tmp_path / "copy")) == 42


# read right, whatever it looks like
# -------------------------------------------------------------------------------

HARMLESS = {
    "parts directly in the folder": {"nested": ""},
    "parts two folders deeper": {"nested": "data/split"},
    "Windows line ends": {"end": "\r\n"},
    "names without .png": {"ending": ""},
    "lines in another order": {"shuffled": True},
    "hidden files of a Mac": {"hidden": True},
    "mark of the byte order": {"mark": "\ufeff"},
    "line with blanks around it": {"line": f"  {fixture.stem(3)}.png\t in_room  lay lay "},
}


@pytest.mark.parametrize("defects", HARMLESS.values(), ids=HARMLESS)
def test_harmless(defects, data, tmp_path):
    found = read(fixture.make(tmp_path, **defects))
    np.testing.assert_array_equal(found.ids, data.ids)
    np.testing.assert_array_equal(found.labels, data.labels)
    np.testing.assert_array_equal(found.modalities["depth"].x[::5], data.modalities["depth"].x[::5])


def test_validation_stands_for_a_missing_val(tmp_path):
    data = read(fixture.make(tmp_path, valid="validation"))
    assert data.ids[data.parts["valid"]][0] == "validation/0/000007_0000001162"
    assert "folders train, validation, test" in data.about["parts"]
    (tmp_path / "tristar" / "val").mkdir()
    with pytest.raises(
        DataError, match="tristar/val: holds no shot"
    ):  # val goes first where both are there
        read(tmp_path)


@pytest.mark.parametrize("name", ["thermal", "depth", "actions.txt"])
@pytest.mark.parametrize("how", ["without", "stray"])
def test_orphans_are_dropped_where_told(name, how, tmp_path):
    fixture.make(tmp_path, **{how: name})
    with pytest.warns(UserWarning, match=r"have no partner|none of the classes") as caught:
        data = read_tristar(tmp_path, size=SIZE, orphans="drop")
    left = {"thermal", "depth", "actions.txt"} - {name} if how == "without" else {name}
    sample = STRANGE if how == "without" else f"train/2/{fixture.stem(50)}"
    assert len(caught) == 2
    assert all(
        f"1 of {other} have no partner ({sample})" in str(caught[0].message) for other in left
    )
    assert {other for other, count in data.about["dropped"].items() if count == 1} == left
    assert len(data) == (41 if how == "without" else 42)
    assert sample not in data.ids


def test_line_without_labels_is_left_out(tmp_path):
    fixture.make(tmp_path, line=f"{fixture.stem(3)}.png")
    with pytest.warns(UserWarning, match="8 of 56 frames have none"):
        data = read_tristar(tmp_path, size=SIZE)
    assert STRANGE not in data.ids
    assert data.about["dropped"]["frames with none of the classes"] == 8


def test_single_hot_pixel_is_kept(tmp_path):
    data = read(
        fixture.make(tmp_path, image=("thermal", "hot pixel"))
    )  # pixel (1, 1): the first that is taken
    assert data.modalities["thermal"].x[data.ids.tolist().index(STRANGE), 0, 0, 0] == np.float32(
        655.35
    )


# the classic errors give something else
# ---------------------------------------------------------------------------


def test_cutting_the_last_letter_would_change_a_label(root, data):
    """The last line of this shot has no line end: `get_up` becomes `get_u`, and two labels become
    one."""
    file = root / "tristar" / "train" / "2" / "actions.txt"
    last = file.read_text().splitlines(keepends=True)[-1]
    name, *words = last[:-1].split()
    assert words == ["in_room", "sit", "get_u"]
    assert sum(word in CLASSES for word in words) == 1
    assert f"train/2/{Path(name).stem}" not in data.ids


def test_labels_by_the_order_of_lines_would_be_others(tmp_path):
    fixture.make(tmp_path, shuffled=True)
    shot = tmp_path / "tristar" / "train" / "0"
    lines = [line.split()[1:] for line in (shot / "actions.txt").read_text().splitlines()]
    naive = dict(zip(sorted(file.stem for file in (shot / "depth").iterdir()), lines, strict=True))
    data = read(tmp_path)
    rows = np.flatnonzero(data.groups == "train/0")
    assert any(
        data.classes[data.labels[row]] not in naive[data.ids[row].rpartition("/")[2]]
        for row in rows
    )


def test_numbering_the_shots_would_miss_some(root):
    train = root / "tristar" / "train"
    numbered = [train / str(k) for k in range(len(list(train.iterdir())))]
    assert [shot.is_dir() for shot in numbered] == [True, False, True]


def test_reading_eight_bits_would_lose_the_temperature(root, data):
    row = data.ids.tolist().index(STRANGE)
    naive = np.asarray(
        Image.open(root / "tristar" / f"{STRANGE.replace('/2/', '/2/thermal/')}.png").convert("L")
    )
    assert naive.max() <= 255
    assert (abs(naive[1::2, 1::2] / 100 - data.modalities["thermal"].x[row, 0]) > 200).all()


# refused
# ----------------------------------------------------------------------------------------------------------

LINE = re.escape(fixture.stem(3))
BAD = {
    "no parts": ({"remove": "train"}, r"holds no folder with train, val and test, TRISTAR's parts; unpack"),
    "no val": ({"remove": "val"}, r"holds train and test, but no val \(or validation\) beside them; unpack"),
    "two copies": ({"twice": True}, r"split and \S+tristar all hold train, val and test; give one of them"),
    "no shot": ({"remove": ("val/0", "val/1")}, r"tristar/val: holds no shot; unpack tristar\.zip again"),
    "no depth folder": ({"remove": "train/2/depth"}, r"train/2/depth: no such folder; unpack the archive again"),
    "no actions.txt": ({"remove": "train/2/actions.txt"}, r"train/2/actions\.txt: missing; unpack tristar\.zip again"),
    "empty actions.txt": ({"lines": b"\n \n"}, r"train/2/actions\.txt: names no frame; unpack tristar\.zip again"),
    "binary actions.txt": ({"lines": b"0001 sit\n\xff\xfe"}, r"train/2/actions\.txt: is no UTF-8 text \(byte 9\)"),
    "unknown label": ({"line": f"{fixture.stem(3)}.png in_roo lay"},
                      r"train/2/actions\.txt: line 4 has the label 'in_roo'; write one of sit, walk, .*, in_room, or"),
    "frame twice": ({"line": f"{fixture.stem(2)} in_room lay"},
                    rf"train/2/actions\.txt: line 4 names frame {fixture.stem(2)} again; remove one"),
    "depth missing": ({"without": "depth"},
                      rf"tristar: 1 of thermal have no partner \(train/2/{LINE}\); .*1 of actions\.txt have"),
    "thermal missing": ({"without": "thermal"}, rf"tristar: 1 of depth have no partner \(train/2/{LINE}\); "),
    "rgb missing": ({"without": "rgb"}, rf"tristar: 1 of thermal have no partner \(train/2/{LINE}\); 1 of depth have"),
    "line missing": ({"without": "actions.txt"}, rf"1 of thermal have no partner \(train/2/{LINE}\); 1 of depth have"),
    "depth too many": ({"stray": "depth"}, r"tristar: 1 of depth have no partner \(train/2/000057_\d+\); complete"),
    "line too many": ({"stray": "actions.txt"}, r"1 of actions\.txt have no partner \(train/2/000057_\d+\); complete"),
    "thermal of 8 bits": ({"image": ("thermal", "8 bit")},
                          rf"thermal/{LINE}\.png: holds uint8 in 1 channel\(s\), thermal is uint16 in 1; take"),
    "depth of 8 bits": ({"image": ("depth", "8 bit")}, rf"depth/{LINE}\.png: holds uint8 in 1 channel\(s\), depth is"),
    "coloured thermal": ({"image": ("thermal", "coloured")}, rf"thermal/{LINE}\.png: holds uint8 in 3 channel"),
    "coloured depth": ({"image": ("depth", "coloured")}, rf"depth/{LINE}\.png: holds uint8 in 3 channel"),
    "grey colours": ({"image": ("rgb", "grey")}, rf"rgb/{LINE}\.png: holds uint8 in 1 channel\(s\), rgb is uint8 in 3"),
    "degrees Celsius": ({"image": ("thermal", "celsius")},
                        rf"thermal/{LINE}\.png: its median, 23\d\d(\.5)?, would be 23\.\d\d K, and a room has 270 …"),
    "tenths of a kelvin": ({"image": ("thermal", "tenths")}, rf"thermal/{LINE}\.png: its median, 29\d\d, would"),
    "wrong unit at once": ({"image": ("thermal", "first tenths")}, r"thermal/000007_\d+\.png: its median, 29\d\d"),
    "depth all zero": ({"image": ("depth", "all zero")}, rf"depth/{LINE}\.png: all depth is 0, no return; remove it"),
    "cut thermal": ({"image": ("thermal", "truncated")}, rf"thermal/{LINE}\.png: cannot be read as an image"),
    "cut depth": ({"image": ("depth", "first truncated")}, r"depth/000007_\d+\.png: cannot be read as an image"),
    "empty colours": ({"image": ("rgb", "empty")}, rf"rgb/{LINE}\.png: .*\(cannot identify image file"),
    "page for an image": ({"image": ("rgb", "page")}, rf"rgb/{LINE}\.png: .*\(cannot identify image file"),
    "other grid": ({"image": ("depth", "first other grid")},
                   r"thermal/000007_\d+\.png: the modalities differ in size \(thermal 48×64, depth 48×128, rgb 48"),
}  # fmt: skip


@pytest.mark.parametrize(("defects", "message"), BAD.values(), ids=BAD)
def test_refused(defects, message, tmp_path):
    fixture.make(tmp_path, **defects)
    with pytest.raises(DataError, match=message) as caught:
        everything(tmp_path)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_part_without_any_of_the_classes(tmp_path):
    fixture.make(tmp_path, labels=("in_room", "out_of_room"))
    with (
        pytest.warns(UserWarning, match="14 of 14 frames have none"),
        pytest.raises(
            DataError,
            match="tristar/train: no frame has exactly one of the classes; choose other classes",
        ),
    ):
        read_tristar(tmp_path)


def test_missing_folder(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such folder; give the one with the raw files"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"modalities": ["rgb", "radar"]},
            "modalities: 'radar' is unknown to tristar or twice; choose of thermal, d",
        ),
        ({"modalities": ["rgb", "rgb"]}, "modalities: 'rgb' is unknown to tristar or twice"),
        (
            {"classes": ["sit", "sleep"]},
            "classes: tristar has no action 'sleep'; choose of sit, walk, stand, lay, ",
        ),
        (
            {"classes": "sit"},
            r"classes: \['sit'\] are not two or more different actions; name each of them once",
        ),
        (
            {"classes": ["sit", "walk", "sit"]},
            r"classes: \['sit', 'walk', 'sit'\] are not two or more",
        ),
        ({"classes": 6}, "classes: tristar has no action '6'"),
        ({"size": 120}, r"size: 120 is no height and width in pixels; write e\.g\. \[120, 160\]"),
        ({"size": [0, 160]}, r"size: \[0, 160\] is no height and width"),
        ({"size": [120.0, 160]}, r"size: \[120\.0, 160\] is no height and width"),
        ({"orphans": "ignore"}, "orphans: 'ignore' is unknown; choose refuse or drop"),
    ],
)
def test_wrong_options(options, message, root):
    with pytest.raises(ConfigError, match=message) as caught:
        read(root, **options)
    assert "\n" not in str(caught.value)


def test_what_is_told_names_no_place_and_no_person(data, root):
    assert str(root) not in repr(data.about)
    assert "see the Zenodo record" in data.about["licence"]
    assert not data.factors
