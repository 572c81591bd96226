"""A person's own folders: pairs, classes, groups and sensors by the names of files, from the
command line to the split, and folders that cannot be used."""

import unicodedata
from itertools import product

import numpy as np
import pytest
from fixtures import writing
from fixtures.refusal import refused
from PIL import Image
from test_images import pixels, planes, write

from discom.data import load
from discom.data.images import read_pixels, resize
from discom.data.own_folders import read_folders
from discom.errors import DiscomError


def tree(root, modality, classes=("cat", "dog"), stems="abcd", ending=".png", bands=3):
    for label, name in enumerate(classes):
        for number, stem in enumerate(stems):
            image = pixels(bands, seed=10 * label + number)
            write(root / modality / name / f"{stem}{ending}", image)


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


TABLES = [  # what a person or a spreadsheet writes: name 0 to 3, video 0 or 1
    "name, group\na, v0\nb,v0 \nc, v1\nd,v1",
    "\ufeffName;Group\r\na;v0\r\nb;v0\r\nc;v1\r\nd;v1\r\n",
    'group\tname\nv0\tcat/a\nv0\tdog/a\nv0\t"b"\nv1\tc\nv1\td\n\n',
]


@pytest.mark.parametrize("table", TABLES)
def test_groups_typed_by_hand_are_those_that_are_meant(tmp_path, table):
    """Blanks made more groups: two videos of one animal stood in two parts."""
    tree(tmp_path, "rgb")
    (tmp_path / "groups.csv").write_bytes(table.encode())
    data = read_folders(tmp_path)
    assert data.ids.tolist() == [f"{kind}/{stem}" for kind in ("cat", "dog") for stem in "abcd"]
    assert data.groups.tolist() == 2 * ["v0", "v0", "v1", "v1"]


IMAGE = pixels(3, seed=5)


def test_images_are_paired_and_labelled_by_folders(tmp_path):
    kinds, place = {"a": "cat", "b": "dog", "c": "cat", "d": "unlabelled"}, tmp_path / "sorted"
    for sensor, bands, ending in (("RGB", 3, "png"), ("depth", None, "tif")):  # names are lowered
        for seed, (name, kind) in enumerate(kinds.items()):
            write(place / sensor / kind / f"{name}.{ending}", pixels(bands, seed=seed))
        kinds["d"] = "Unlabeled"  # in the next folder
    (place / "groups.csv").write_text("name,group\na,0\nb,0\nc,1\nd,1\n")
    data = load(place)
    labels = dict(zip(data.ids.tolist(), data.labels.tolist(), strict=True))
    assert labels == {"cat/a": 0, "dog/b": 1, "cat/c": 0, "unlabelled/d": -1}
    assert data.groups.tolist() == ["1" if sample[-1] > "b" else "0" for sample in data.ids]
    assert (data.name, data.classes) == ("sorted", ("cat", "dog"))
    for name, bands in (("rgb", 3), ("depth", None)):
        modality = data.modalities[name]
        assert (modality.x.dtype, modality.symmetry) == (np.uint8, "flip")
        for image, sample in zip(modality.x, modality.ids, strict=True):
            expected = pixels(bands, seed="abcd".index(sample[-1]))
            np.testing.assert_array_equal(image, planes(expected))


def test_photos_of_any_size_are_brought_to_one(tmp_path):
    """Photos of three sizes, one of them held upright, and 16-bit depth of half the size."""
    sizes = enumerate([(40, 60), (60, 40), (33, 47)])
    for label, (number, (height, width)) in product(("cat", "dog"), sizes):
        write(tmp_path / "rgb" / label / f"{number}.jpg", pixels(3, shape=(height, width)))
        depth = pixels(None, 9000, np.uint16, shape=(height // 2, width // 2))
        write(tmp_path / "depth" / label / f"{number}.png", depth)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels(3, shape=(40, 60))).save(tmp_path / "rgb/cat/1.jpg", exif=exif)
    refused(lambda: load(tmp_path), r"/1\.png: ")
    own = {"unit": {"depth": "mm"}, "invalid": {"depth": 0}, "symmetry": {"depth": "none"}}
    data = read_folders(tmp_path, size=(12, 20), **own)
    about = [(m.unit, m.invalid, m.symmetry) for m in data.modalities.values()]
    assert about == [("mm", 0, "none"), ("", None, "flip")]
    rgb, depth = data.modalities["rgb"].x, data.modalities["depth"].x
    assert (rgb.shape, depth.shape) == ((6, 3, 12, 20), (6, 1, 12, 20))
    assert (rgb.dtype, depth.dtype) == (np.uint8, np.uint16)
    upright = read_pixels(tmp_path / "rgb/cat/1.jpg")
    assert upright.shape == (3, 60, 40)
    resized = resize(upright, (12, 20), smooth=True)
    np.testing.assert_array_equal(rgb[data.ids.tolist().index("cat/1")], resized)


SORTED = {f"rgb/{kind}/{stem}.png": IMAGE for kind in ("cat", "dog") for stem in "abcd"}
WRONG = [  # folders, and a file that is there, too, or an option; the place of the error
    (SORTED, "rgb/cat/z.png", pixels(3, shape=(9, 5)), r"z\.png: .*--size"),
    (SORTED, "rgb/dog/b.npy", IMAGE, r"b\.(npy|png): "),  # a name twice
    (SORTED, "RGB/cat/a.png", IMAGE, r"(?i)/rgb: "),
    (SORTED, "rgb/cat /e.png", IMAGE, "'cat' and 'cat ' differ"),
    (SORTED, "depth/Cat/a.png", IMAGE, "'Cat' and 'cat' differ"),
    (SORTED, "depth/a.png", IMAGE, r"/depth/a\.png: "),
    (SORTED, "rgb/field_day.png", IMAGE, r"/rgb/field_day\.png: "),  # loose beside the classes
    (SORTED, "rgb/cat/deep/0.png", IMAGE, r"deep/0\.png: "),
    (SORTED, "rgb/cat/e.png", pixels(), r"e\.png: "),
    (SORTED, "groups.csv", ["name,group", "a,1", "b,1"], "'cat/c' has no group"),
    (SORTED, "groups.csv", ["file,place", "a,1"], "groups.csv: "),
    (SORTED, "groups.csv", ["name,group", "a,1", "a,2"], "groups.csv: 'a' "),
    (SORTED, "invalid", {"thermal": 0}, "invalid.*: "),
    (SORTED, "size", [1, 2, 3], "^size: "),
    (SORTED, "groups", "(.+)_[a-z]+", "'cat/a' has no group"),
    (SORTED, "groups", ".+", "^groups: "),
]


@pytest.mark.parametrize(("files", "name", "content", "place"), WRONG)
def test_folders_and_options_that_cannot_be_used(tmp_path, files, name, content, place):
    more = {name: content}
    files, options = ({**files, **more}, {}) if "." in name else (files, more)
    root = writing.write(tmp_path / "mine", files)
    refused(lambda: read_folders(root, **options), place, DiscomError)
