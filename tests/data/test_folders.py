"""A person's own folders: pairs, classes, groups and sensors by the names of files, from the
command line to the split, and folders that cannot be used."""

import unicodedata

import numpy as np
import pytest
from fixtures.refusal import refused
from PIL import Image
from test_images import pixels, planes, write

from discom.data import load
from discom.data.arrays import resize
from discom.data.folders import read_folders
from discom.data.images import read_pixels
from discom.errors import DiscomError


def tree(root, modality, classes=("cat", "dog"), stems="abcd", ending=".png", bands=3):
    for label, name in enumerate(classes):
        for number, stem in enumerate(stems):
            image = pixels(bands, seed=10 * label + number)
            write(root / modality / name / f"{stem}{ending}", image)


def test_two_trees_are_paired_by_class_and_stem(tmp_path):
    tree(tmp_path, "RGB")  # names are lowered
    tree(tmp_path, "depth", ending=".tif", bands=None)
    data = load(tmp_path)
    assert (data.classes, data.channels) == (("cat", "dog"), {"rgb": 3, "depth": 1})
    assert data.name == tmp_path.name
    assert set(data.paired_ids) == {f"{name}/{stem}" for name in ("cat", "dog") for stem in "abcd"}
    for name, bands in (("rgb", 3), ("depth", None)):
        modality = data.modalities[name]
        assert (modality.x.dtype, modality.symmetry) == (np.uint8, "flip")
        for row, sample in enumerate(modality.ids):
            label, stem = sample.split("/")
            seed = 10 * ("cat", "dog").index(label) + "abcd".index(stem)
            np.testing.assert_array_equal(modality.x[row], planes(pixels(bands, seed=seed)))


def test_hidden_and_other_files_are_ignored(tmp_path):
    tree(tmp_path, "rgb")
    expected = load(tmp_path).fingerprint
    for name in (".cache/cat", "rgb/.ipynb_checkpoints", "rgb/cat/folder.png"):
        (tmp_path / name).mkdir(parents=True)
    for name in (".DS_Store", "rgb/cat/.a.png", "rgb/cat/notes.txt", ".cache/cat/a.png"):
        (tmp_path / name).write_text("not an image")
    with pytest.warns(UserWarning, match=r"1 files .*\.txt"):
        assert load(tmp_path).fingerprint == expected


def test_names_of_two_systems_are_pairs_and_classes(tmp_path):
    for sensor, form in (("rgb", "NFC"), ("depth", "NFD")):
        words = [unicodedata.normalize(form, word) for word in ("éléphant", "âne", "été")]
        tree(tmp_path, sensor, classes=words[:2], stems=[words[2], "a"])
    own = read_folders(tmp_path)
    assert (len(own.classes), len(own.paired_ids)) == (2, 4)
    assert all(unicodedata.is_normalized("NFC", name) for name in own.ids)


@pytest.mark.parametrize("spelling", ["unlabelled", "Unlabeled"])
def test_a_folder_unlabelled_is_no_class(tmp_path, spelling):
    for sensor, name in (("rgb", "unlabelled"), ("depth", spelling)):
        tree(tmp_path, sensor, classes=("zebra", "ape", name), stems="abcdefghij")
    data = read_folders(tmp_path)
    assert (data.classes, len(data.paired_ids)) == (("ape", "zebra"), 30)
    for sample, label in zip(data.ids, data.labels, strict=True):
        assert label == {"ape": 0, "zebra": 1, "unlabelled": -1}[sample.split("/")[0]]
    assert (data.split().train.labels == -1).sum() == 10


TABLES = [  # what a person or a spreadsheet writes: name 0 to 3, video 0 or 1
    "name, group\na, v0\nb,v0 \nc, v1\nd,v1",
    "\ufeffName;Group\r\na;v0\r\nb;v0\r\nc;v1\r\nd;v1\r\n",
    'group\tname\nv0\tcat/a\nv0\tdog/a\nv0\t"b"\nv1\tc\nv1\td\n\n',
]


@pytest.mark.parametrize("table", TABLES)
def test_groups_typed_by_hand_are_those_that_are_meant(tmp_path, table):
    """Blanks made more groups: two videos of one animal stood in two parts."""
    tree(tmp_path, "rgb")
    (tmp_path / "Groups.CSV").write_bytes(table.encode())  # in any letters
    data = read_folders(tmp_path)
    assert data.ids.tolist() == [f"{kind}/{stem}" for kind in ("cat", "dog") for stem in "abcd"]
    assert data.groups.tolist() == 2 * ["v0", "v0", "v1", "v1"]


IMAGE = pixels(3, seed=5)
LABELS = [  # a name may have its ending; d has no row, or an empty one
    "name,label\na, cat\nb,dog \nc.PNG,cat",
    "\ufeffLabel;Name\r\ncat;a.png\r\ndog;b\r\ncat;c\r\n;d\r\n",
]


@pytest.mark.parametrize("table", LABELS)
def test_labels_of_a_table_are_those_of_folders(tmp_path, table):
    kinds = {"a": "cat", "b": "dog", "c": "cat", "d": "unlabelled"}
    for sensor, bands in (("rgb", 3), ("depth", None)):
        for seed, (name, kind) in enumerate(kinds.items()):
            image = pixels(bands, seed=seed)
            write(tmp_path / "sorted" / sensor / kind / f"{name}.png", image)
            write(tmp_path / "listed" / sensor / f"{name}.png", image)
    (tmp_path / "listed/labels.csv").write_bytes(table.encode())
    (tmp_path / "listed/groups.csv").write_text("name,group\na,0\nb,0\nc,1\nd,1\n")
    listed, expected = (read_folders(tmp_path / name) for name in ("listed", "sorted"))
    assert listed.ids.tolist() == [f"{kind}/{name}" for name, kind in kinds.items()]
    assert (listed.classes, listed.labels.tolist()) == (("cat", "dog"), [0, 1, 0, -1])
    assert listed.groups.tolist() == ["0", "0", "1", "1"]
    for sensor, own in expected.modalities.items():
        other = listed.modalities[sensor]
        np.testing.assert_array_equal(own.x[own.ids.argsort()], other.x[other.ids.argsort()])


TITLES = "name,label\n"


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"labels.csv": f"{TITLES}e,cat\n"}, "labels.csv: no image is called 'e'"),
        ({"labels.csv": f"{TITLES}a,cat\na,dog\n"}, "labels.csv: 'a' is in two labels"),
        ({"labels.csv": f"{TITLES}a.png,cat\na.JPG,dog\n"}, "labels.csv: 'a' is in two labels"),
        ({"labels.csv": f"{TITLES}a,cat/dog\n"}, "labels.csv: has the label 'cat/dog'"),
        ({"labels.csv": "file,kind\na,cat\n"}, "labels.csv: "),
        ({"rgb/cat/c.png": IMAGE}, r"cat/c\.png: "),  # a folder of a class beside a table
        ({"rgb/c.png": pixels(3, shape=(9, 5))}, r"--root \S+/mine --size"),
    ],
)
def test_tables_of_labels_that_cannot_be_used(tmp_path, wrong, place):
    files = {"labels.csv": f"{TITLES}a,cat\nb,dog\n", "rgb/a.png": IMAGE, "rgb/b.png": IMAGE}
    for name, content in (files | wrong).items():
        file = tmp_path / "mine" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content) if name.endswith(".csv") else write(file, content)
    refused(lambda: read_folders(tmp_path / "mine"), place)


@pytest.mark.parametrize("shape", [(16, 16), (12, 20)])
def test_photos_of_any_size_are_brought_to_one(tmp_path, shape):
    """Photos of three sizes, one of them held upright, and 16-bit depth of half the size."""
    for label in ("cat", "dog"):
        for number, shape in enumerate([(40, 60), (60, 40), (33, 47)]):
            file = tmp_path / "rgb" / label / f"{number}.jpg"
            write(file, pixels(3, shape=shape))
            depth = pixels(None, 9000, np.uint16, shape=(shape[0] // 2, shape[1] // 2))
            write(tmp_path / "depth" / label / f"{number}.png", depth)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels(3, shape=(40, 60))).save(tmp_path / "rgb/cat/1.jpg", exif=exif)
    refused(lambda: load(tmp_path), r"/1\.png: ")
    data = read_folders(tmp_path, size=shape, unit={"depth": "mm"}, invalid={"depth": 0})
    assert [(m.unit, m.invalid) for m in data.modalities.values()] == [("mm", 0), ("", None)]
    rgb, depth = data.modalities["rgb"].x, data.modalities["depth"].x
    assert (rgb.shape, depth.shape) == ((6, 3, *shape), (6, 1, *shape))
    assert (rgb.dtype, depth.dtype) == (np.uint8, np.uint16)
    upright = read_pixels(tmp_path / "rgb/cat/1.jpg")
    assert upright.shape == (3, 60, 40)
    resized = resize(upright, shape, smooth=True)
    np.testing.assert_array_equal(rgb[data.ids.tolist().index("cat/1")], resized)
    for row, sample in enumerate(data.modalities["depth"].ids):  # a mean of what was measured
        stored = read_pixels(tmp_path / "depth" / f"{sample}.png")
        assert stored[stored > 0].min() <= depth[row].min() <= depth[row].max() <= stored.max()


def test_sensors_in_the_bands_of_one_file_and_their_motions(tmp_path):
    tree(tmp_path, "drone", stems="abcde", ending=".tif", bands=4)
    whole = read_folders(tmp_path).modalities["drone"].x
    bands, symmetry = {"rgb": [3, 2, 1], "nir": [4]}, {"nir": "none"}
    own = read_folders(tmp_path, bands=bands, symmetry=symmetry)
    assert {k: m.symmetry for k, m in own.modalities.items()} == {"nir": "none", "rgb": "flip"}
    np.testing.assert_array_equal(own.modalities["rgb"].x, whole[:, [2, 1, 0]])
    np.testing.assert_array_equal(own.modalities["nir"].x, whole[:, [3]])
    tree(tmp_path, "thermal", stems="abcde", bands=None)
    own = read_folders(tmp_path, bands={"rgb": [1, 2, 3], "nir": [4], "thermal": [1]})
    assert own.channels == {"nir": 1, "rgb": 3, "thermal": 1}


TABLE = "name,group\n"
WRONG = [  # a file that is there, too, or options; the place of the error
    ({"rgb/dog/b.npy": IMAGE}, r"b\.(npy|png): "),  # a name twice
    ({"RGB/cat/a.png": IMAGE}, r"(?i)/rgb: "),
    ({"depth/a.png": IMAGE}, r"/depth/a\.png: "),
    ({"rgb/field_day.png": IMAGE}, r"/rgb/field_day\.png: "),  # loose beside the classes
    ({"rgb/cat /e.png": IMAGE}, "'cat' and 'cat ' differ"),
    ({"rgb/cat/deep/0.png": IMAGE}, r"deep/0\.png: "),
    ({"depth/Cat/a.png": IMAGE}, "'Cat' and 'cat' differ"),
    ({"rgb/cat/e.png": pixels()}, r"e\.png: "),
    ({"groups.csv": f"{TABLE}a,1\nb,1\n"}, "'cat/c' has no group"),
    ({"groups.csv": "file,place\na,1\n"}, "groups.csv: "),
    ({"groups.csv": f"{TABLE}a,1\nb,1\nc,1\nd,1\na,2\n"}, "groups.csv: 'a' "),
    ({"invalid": {"thermal": 0}}, "^invalid: "),
    ({"size": [1, 2, 3]}, "^size: "),
    ({"bands": {"rgb": []}}, "^bands: "),
    ({"bands": {"rgb": [1, 2, 3], "sar": [5]}, "size": 16}, r"/a\.png: |bands: "),
    ({"groups": "(.+)_[a-z]+"}, "'cat/a' has no group"),
    ({"groups": ".+"}, "^groups: "),
]


@pytest.mark.parametrize(("wrong", "place"), WRONG)
def test_folders_and_options_that_cannot_be_used(tmp_path, wrong, place):
    tree(tmp_path, "rgb")
    (name, content), *_ = wrong.items()
    if name.endswith(".csv"):
        (tmp_path / name).write_text(content)
    elif "." in name:
        write(tmp_path / name, content)
    options = {} if "." in name else wrong
    refused(lambda: read_folders(tmp_path, **options), place, DiscomError)
