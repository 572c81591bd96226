"""A person's own arrays: what becomes of them, up to batches, and what is refused."""

import json
import re

import numpy as np
import pytest
from fixtures.refusal import refused

from discom import cli
from discom.data import OWN, load, prepare, read_arrays, sources
from discom.data.batches import Batches, ModalityTensor
from discom.errors import ConfigError

DRAW = np.random.default_rng(0)
COUNT, CLASSES = 48, ["lie", "sit", "stand"]
PERSONS = np.arange(COUNT) % 6
LABELS = np.arange(COUNT) // 6 % 3
ARRAYS = {
    "acc": DRAW.normal(size=(COUNT, 3, 20)).astype(np.float16),
    "video": DRAW.integers(0, 256, (COUNT, 3, 8, 6), dtype=np.uint8),
    "labels": LABELS,
    "groups": PERSONS,
}
WIDE = DRAW.integers(0, 3, (COUNT, 1, 8, 64), dtype=np.uint8)
MASKS = DRAW.integers(0, 3, (COUNT, 8, 6), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    """A function that writes the arrays, some of them changed, or None: without them."""

    def folder(classes=None, **changed):
        (root := tmp_path / "own").mkdir()
        for name, x in {**ARRAYS, **changed}.items():
            if x is not None:
                np.save(root / f"{name}.npy", x)
        if classes is not None:
            (root / "classes.json").write_text(json.dumps(classes))
        return root

    return folder


def test_signals_and_images_are_read_where_they_lie(folder):
    data = read_arrays(folder(CLASSES))
    signals, video = (data.modalities[name] for name in ("acc", "video"))
    assert (signals.x.shape, signals.symmetry) == ((COUNT, 3, 1, 20), "none")
    assert (video.x.shape, video.symmetry) == ((COUNT, 3, 8, 6), "flip")
    np.testing.assert_array_equal(signals.x[:, :, 0], ARRAYS["acc"])
    np.testing.assert_array_equal(video.x, ARRAYS["video"])
    assert all(isinstance(m.x, np.memmap) for m in (signals, video))
    assert (data.classes, data.ids.tolist()) == ((*CLASSES,), [*range(COUNT)])
    assert (data.labels.tolist(), data.groups.tolist()) == (LABELS.tolist(), PERSONS.tolist())


def test_options_ids_and_names_are_taken(folder):
    ids = np.array([f"w{n}" for n in range(COUNT)])
    root = folder({"classes": CLASSES, "rate": 25}, ids=ids)
    options = {"unit": {"acc": "g"}, "invalid": {"video": 0}, "symmetry": {"video": "all"}}
    data = read_arrays(root, ["video", "acc"], **options)
    about = {name: (m.unit, m.invalid, m.symmetry) for name, m in data.modalities.items()}
    assert about == {"video": ("", 0, "all"), "acc": ("g", None, "none")}
    assert (data.ids.tolist(), data.classes) == (ids.tolist(), (*CLASSES,))
    assert [*data.modalities] == ["video", "acc"]


def test_masks_give_pixels_a_class_and_samples_the_most_frequent(folder):
    masks = MASKS.copy()
    masks[0], masks[1, :, :4] = 255, 2
    data = read_arrays(folder(labels=None, masks=masks, acc=None))
    assert (data.dense, data.classes, data.labels[:2].tolist()) == (True, ("0", "1", "2"), [-1, 2])


BINARY = np.where(MASKS > 0, 255, 0).astype(np.uint8)  # as image editors store two classes
SMOOTH = np.linspace(0, 60, MASKS.size).reshape(MASKS.shape).astype(np.uint8)
NO_CLASSES = {  # masks that were trained on in silence, the names of classes, what the line says
    "two classes as 0 and 255": (BINARY, ["background", "tumour"], "of class 'tumour', since 255"),
    "the same without names": (BINARY, None, "has one class, since 255"),
    "a gap": (2 * MASKS, None, "of class '1', .* 0, 2, 4"),
    "smoothly resized": (SMOOTH, None, "61 classes"),
}


@pytest.mark.parametrize("problem", NO_CLASSES)
def test_a_class_without_a_pixel_is_refused(folder, problem):
    masks, names, line = NO_CLASSES[problem]
    root = folder(names, labels=None, masks=masks, acc=None)
    refused(lambda: read_arrays(root), f"own/masks.npy: .*{line}")


def test_many_classes_of_pixels_are_taken_by_name(folder):
    root = folder([f"kind {k}" for k in range(61)], labels=None, masks=SMOOTH, acc=None)
    assert len(read_arrays(root).classes) == 61


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint64, ">i4"])
def test_labels_of_any_whole_numbers_are_taken(folder, kind):
    data = read_arrays(folder(labels=LABELS.astype(kind)))
    assert data.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("kind", [">i8", ">u2", ">U4"])
def test_ids_of_another_order_of_bytes_are_taken(folder, kind):
    ids = np.arange(COUNT).astype(kind)
    root = folder(ids=ids)
    assert read_arrays(root).ids.tolist() == ids.tolist()
    ids[5] = ids[7]
    np.save(root / "ids.npy", ids)
    refused(lambda: read_arrays(root), "own/ids.npy: id '7' occurs twice")


def test_other_arrays_are_left_out_aloud_or_by_name(folder):
    root = folder(trial=np.arange(COUNT), pose=np.ones((COUNT, 3, 3)))
    refused(lambda: read_arrays(root), "pose.npy: holds")
    (root / "pose.npy").unlink()
    with pytest.warns(UserWarning, match="trial left out"):
        assert [*read_arrays(root).modalities] == ["acc", "video"]
    np.save(root / "pose.npy", np.ones((COUNT, 3, 3)))
    assert [*read_arrays(root, ["acc"]).modalities] == ["acc"]


def test_other_files_are_told_and_a_mark_before_the_names_is_none(folder):
    root = folder()
    (root / "labels.csv").write_text("window,label")
    (root / "classes.json").write_text(json.dumps(CLASSES), encoding="utf-8-sig")
    with pytest.warns(UserWarning, match="own: 1 files .* labels.csv"):
        assert read_arrays(root).classes == (*CLASSES,)


def test_a_folder_is_told_and_groups_of_another_kind_are_refused(folder):
    root = folder(groups=None)
    (root / "gyro").mkdir()
    with pytest.warns(UserWarning, match="own: 1 files .* gyro"):
        assert read_arrays(root).groups is None
    (root / "groups.csv").write_text("window,person")
    for names in (None, "acc"):
        refused(lambda names=names: read_arrays(root, names), "own/groups.csv: .*groups.npy")


@pytest.mark.parametrize("left_out", ["gyro.npy", "gyro.npz", "gyro.H5", "gyro.zarr"])
def test_what_may_be_a_sensor_is_left_out_by_name_alone(folder, tmp_path, left_out, capsys):
    """One sensor was left, with a warning, and the question of two was answered by one."""
    root = folder(video=None)
    if left_out == "gyro.npy":
        np.save(root / left_out, ARRAYS["acc"][:, 0])
    elif left_out == "gyro.zarr":
        (root / left_out).mkdir()
    else:
        (root / left_out).write_bytes(b"arrays")
    words = ["data", "prepare", "arrays", "--root", str(root), "--out", str(tmp_path / "mine")]
    assert cli.main(words) == 2
    line = capsys.readouterr().err
    assert left_out in line
    command = re.search(r"--modalities \S+", line)[0]
    assert cli.main([*words, *command.split()]) == 0
    assert [*load(tmp_path / "mine").modalities] == ["acc"]


def test_sensors_are_named_in_a_list_or_joined_and_a_folder_must_be_there(folder, tmp_path):
    """ "acc" was read letter by letter, and labels were missed in a folder that is not there."""
    root = folder()
    for names in ("video+acc", ["video", "acc"]):
        data = read_arrays(root, names)
        assert [*data.modalities] == ["video", "acc"]
        assert [*data.select("acc").modalities] == ["acc"]
    assert [*read_arrays(root, "").modalities] == ["acc", "video"]
    for read in OWN.values():
        refused(lambda read=read: read(tmp_path / "nope"), "nope: no such folder")


def test_arrays_are_prepared_with_their_options(folder, tmp_path):
    root = folder(CLASSES)
    words = ["data", "prepare", "arrays", "--root", str(root), "--out", str(tmp_path / "mine")]
    assert cli.main([*words, "--options", '{"unit": {"acc": "g"}}']) == 0
    data = load(tmp_path / "mine")
    assert (data.name, data.modalities["acc"].unit) == ("mine", "g")
    assert data.about["options"] == {"unit": {"acc": "g"}}
    assert data.fingerprint == read_arrays(root).fingerprint


BAD = {  # what is wrong → the files, and what the line says
    "another length": ({"acc": ARRAYS["acc"][1:]}, "own/acc.npy: holds 47 .* 48"),
    "labels of another length": ({"labels": LABELS[1:]}, "own/acc.npy: holds 48 .* 47"),
    "no sensor": ({"acc": None, "video": None}, "own: has no array of a sensor"),
    "no labels": ({"labels": None}, "own: has no labels; give labels.npy .* or masks.npy"),
    "labels and masks": ({"masks": MASKS}, "own: .* labels and masks; give"),
    "no label": ({"labels": LABELS * 0 - 1}, "own/labels.npy: "),
    "a label below -1": ({"labels": LABELS - 2}, "own/labels.npy: holds -2"),
    "a class without a name": ({"classes": CLASSES[:2]}, "own/classes.json: has 2 .* class 2"),
    "a name twice": ({"classes": ["sit", "sit", "lie"]}, "own/classes.json: classes are "),
    "a pixel of a class without a name": (
        {"classes": CLASSES[:2], "labels": None, "masks": MASKS, "acc": None},
        "own/classes.json: has 2 .*masks.npy the class 2",
    ),
    "masks of another size": (
        {"labels": None, "masks": MASKS[:, :4], "acc": None},
        "own/masks.npy: masks are ",
    ),
    "ids of another length": ({"ids": LABELS[1:]}, r"own/ids.npy: .*give .* of shape \[48\]"),
    "ids that are no whole numbers": ({"ids": LABELS / 2}, "own/ids.npy: .*whole numbers or text"),
    "an id twice": ({"ids": np.arange(COUNT) // 2}, "own/ids.npy: id '0' occurs twice"),
    "groups of numbers": ({"groups": LABELS / 2}, "own/groups.npy: .*whole numbers or text"),
    "groups of another length": ({"groups": PERSONS[1:]}, r"own/groups.npy: .*of shape \[48\]"),
    "a group of an empty cell": ({"groups": np.where(PERSONS, "p", "")}, "groups.npy: sample 0 "),
    "a group called nan": (
        {"groups": np.where(PERSONS == 3, "nan", "p")},
        "groups.npy: sample 3 .*nan",
    ),
    "labels that are no whole numbers": ({"labels": LABELS / 2}, "labels.npy: .* whole numbers"),
    "masks of numbers": ({"labels": None, "masks": MASKS / 2}, "masks.npy: holds float64"),
    "objects": ({"ids": np.array([{}] * COUNT)}, "ids.npy: .* objects"),
    "names in the place of labels": ({"labels": np.array(CLASSES)[LABELS]}, "labels.npy: .*unique"),
    "labels from 1 on": (
        {"labels": LABELS + 1, "classes": None},
        "labels.npy: no sample is of class 0",
    ),
    "channels at the end": (
        {"acc": ARRAYS["acc"].swapaxes(1, 2)},
        r"acc.npy: holds \[48, 20, 3\]; .*swapaxes\(1, 2\)",
    ),
    "grey images": ({"video": ARRAYS["video"][:, 0]}, r"video.npy: holds \[48, 8, 6\]"),
    "grey images like another's": ({"acc": WIDE[:, 0], "video": WIDE}, r"acc.npy: .*\[48, 8, 64\]"),
    "grey images like the masks": (
        {"acc": WIDE[:, 0], "video": None, "labels": None, "masks": WIDE[:, 0]},
        r"acc.npy: .*\[48, 8, 64\]",
    ),
    "grey images alone": ({"acc": np.ones((COUNT, 24, 32))}, r"acc.npy: .*\[48, 24, 32\]"),
    "grey images of many rows": ({"acc": np.ones((COUNT, 48, 640))}, r"acc.npy: .*48, 640\]"),
    "bands at the end": ({"video": np.ones((COUNT, 16, 24, 13))}, "own/video.npy: would be 16 "),
    "windows [N, 1, T, C]": (
        {"acc": np.ones((COUNT, 1, 64, 3))},
        r"own/acc.npy: .*moveaxis\(x, -1, 1",
    ),
    "windows [N, 1, C, T]": (
        {"acc": np.ones((COUNT, 1, 22, 256))},
        r"own/acc.npy: .*swapaxes\(1, 2",
    ),
    "windows [N, T, 1, C]": ({"acc": np.ones((COUNT, 64, 1, 3))}, r"own/acc.npy: .*swapaxes\(1, 3"),
    "a word for names": ({"classes": "sit"}, "classes.json: .*no list"),
}


@pytest.mark.parametrize("problem", BAD)
def test_arrays_that_do_not_fit_are_refused(folder, problem):
    changed, line = BAD[problem]
    refused(lambda: read_arrays(folder(**changed)), line)


def test_a_sample_that_is_not_finite_is_named_by_its_file(folder, tmp_path):
    signals = ARRAYS["acc"].astype(np.float32)
    signals[7, 1, 3] = np.nan
    images = read_arrays(folder(acc=signals))
    refused(lambda: images.split(), "own/acc.npy: sample 7 ")
    refused(lambda: images.save(tmp_path / "out"), "acc.*npy: sample 7 ")
    with pytest.raises(ConfigError, match=r"^arrays: has no option"):
        prepare("arrays", tmp_path / "own", options={"size": 16})


def test_a_damaged_file_and_sensors_that_are_not_there_are_refused(folder):
    root = folder()
    refused(lambda: read_arrays(root, symmetry={"depth": "all"}), "'depth'", ConfigError)
    refused(lambda: read_arrays(root, ["acc", "depth"]), "'depth'", ConfigError)
    (root / "acc.npy").write_bytes(b"junk")
    refused(lambda: read_arrays(root), "acc.npy: cannot be read")


@pytest.mark.filterwarnings("ignore:.*the patients lack a sequence")
@pytest.mark.parametrize("name", ["dsads", "lgg"])
def test_a_public_set_is_the_same_from_arrays(name, raw, tmp_path):
    """Images, labels, groups and ids, and so the fingerprint by which results are compared."""
    data = sources.get(name).read(raw(name), None)
    for sensor, m in data.modalities.items():
        np.save(tmp_path / f"{sensor}.npy", m.x)
    truth = {"masks": data.masks} if data.dense else {"labels": data.labels}
    for file, values in {**truth, "groups": data.groups}.items():
        np.save(tmp_path / f"{file}.npy", values)
    (tmp_path / "classes.json").write_text(json.dumps({"classes": data.classes}))
    assert OWN["arrays"](tmp_path, [*data.modalities]).fingerprint == data.fingerprint


def test_signals_of_two_lengths_train_side_by_side_and_are_never_stacked(folder):
    gyro = DRAW.normal(size=(COUNT, 3, 40))
    train = read_arrays(folder(video=None, gyro=gyro)).split(seed=0).train
    batch = next(iter(Batches(train, 8, seed=0).epoch(0)))
    shapes = {name: tuple(x.shape[1:]) for name, x in batch.x.items()}
    assert shapes == {"acc": (3, 1, 20), "gyro": (3, 1, 40)}
    refused(lambda: ModalityTensor(train, "acc+gyro", "cpu"), "cannot be stacked; bring them to")
