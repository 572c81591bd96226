"""A person's own folders: pairs, classes, groups and sensors by the names of files, from the
command line to the split, and folders that cannot be used."""

import os
import shutil
import unicodedata
import warnings
from itertools import product

import numpy as np
import psutil
import pytest
from fixtures import writing
from fixtures.refusal import refused
from PIL import Image
from test_images import H, W, pixels, planes, write

from discom import cli
from discom.data import load
from discom.data.images import read_pixels, resize
from discom.data.own_folders import read_folders
from discom.data.tags import METADATA
from discom.errors import ConfigError, DiscomError


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
    "sep=;\r\nname;group\r\na;v0\r\nb;v0\r\nc;v1\r\nd;v1\r\n",
    '"sep=;"\r\nname;group\r\na;v0\r\nb;v0\r\nc;v1\r\nd;v1\r\n',
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


@pytest.mark.parametrize(("options", "shape"), [({"size": 8}, (H, W)), ({}, (H, W)), ({}, (9, 5))])
def test_an_image_of_other_bands_or_of_another_size_is_told_what_differs(tmp_path, options, shape):
    """Of three bands and one a person was told two equal sizes, those after resizing."""
    tree(tmp_path, "rgb")
    bands = None if shape == (H, W) else 3
    write(tmp_path / "rgb/dog/z.png", pixels(bands, shape=shape))
    line = refused(lambda: read_folders(tmp_path, **options), r"z\.png: ")
    assert ("×" in line, "1 bands" in line) == (bands == 3, bands is None)


def test_a_size_that_cannot_be_held_is_refused_with_its_figure(tmp_path, monkeypatch):
    """The system ended the process at --size 5000000."""
    tree(tmp_path, "rgb")
    gibibytes = (2 * 8 + 8) * 3 * 5_000_000**2 / 2**30  # uint8, stacked once more; one in float64
    refused(
        lambda: read_folders(tmp_path, size=5_000_000),
        f"^size 5000000×5000000: 8 images need {gibibytes:,.1f} GiB .* are free; ",
        ConfigError,
    )
    needed, free = (2 * 8 + 8) * 3 * H * W, psutil.virtual_memory()
    for available, options in ((needed, {}), (needed // 4, {"size": (H // 2, W // 2)})):
        monkeypatch.setattr(
            psutil, "virtual_memory", lambda n=available: free._replace(available=n)
        )
        assert len(read_folders(tmp_path, **options)) == 8
        monkeypatch.setattr(
            psutil, "virtual_memory", lambda n=available: free._replace(available=n - 1)
        )
        refused(lambda options=options: read_folders(tmp_path, **options), "^size", ConfigError)


SORTED = {f"rgb/{kind}/{stem}.png": IMAGE for kind in ("cat", "dog") for stem in "abcd"}


def test_other_folders_are_not_read_where_sensors_are_named(tmp_path):
    """Masks, notes or an older sensor beside the two refused everything."""
    for sensor in ("RGB", "depth"):
        tree(tmp_path, sensor)
    expected = read_folders(tmp_path).fingerprint
    for name in ("annotations/a.xml", "results/a/b/c/0.png", "Sentinel-1/cat/0.png", "masks/0.png"):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text("no image")
    assert read_folders(tmp_path, ["rgb"], unit={"depth": "mm"}).channels == {"rgb": 3}
    data = read_folders(tmp_path, ["depth", "rgb"])
    for names in (["depth", "rgb"], "depth+rgb"):  # and so do all commands
        assert load(tmp_path, names).fingerprint == data.fingerprint
        assert load(tmp_path, names).name == f"{tmp_path.name}-depth-rgb"  # runs of others differ
    assert [*data.modalities] == ["depth", "rgb"]
    assert read_folders(tmp_path, ["rgb", "rgb_twin"]).channels == {"rgb": 3, "rgb_twin": 3}
    for name in ("annotations", "results", "Sentinel-1", "masks"):
        shutil.rmtree(tmp_path / name)
    data.save(tmp_path / "prepared")  # beside the sensors, and no sensor
    assert read_folders(tmp_path).fingerprint == expected
    assert load(tmp_path, "depth+rgb").name == f"{tmp_path.name}-depth-rgb"
    assert load(tmp_path, "rgb+depth").name == load(tmp_path).name == tmp_path.name
    line = refused(lambda: read_folders(tmp_path, ["rgb", "sar"]), "modalities: 'sar'", ConfigError)
    assert "depth" in line  # which is perhaps what was meant


def test_files_of_two_types_in_one_sensor_are_told(tmp_path):
    """Another program had written one class with 8 bits; labels of chance scored 100."""
    for number, stem in enumerate("abcd"):
        tree(tmp_path, "rgb", stems=[stem])
        kind = (np.uint8, np.uint16)[number < 3]
        write(tmp_path / "thermal" / "cat" / f"{stem}.png", pixels(None, 200, kind))
    told = "thermal/cat/d.png: is uint8, as 1 of 4 files .* uint16"
    with pytest.warns(UserWarning, match=told):
        data = read_folders(tmp_path)
    assert data.modalities["thermal"].x.dtype == np.uint16
    data.save(tmp_path / "prepared")
    with pytest.warns(UserWarning, match=told):  # whoever trains on it did not prepare it
        load(tmp_path / "prepared")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_folders(tmp_path, ["rgb"])


@pytest.mark.parametrize("name", ["depth.zip", "depth.csv"])
def test_a_file_beside_the_sensors_is_told(tmp_path, name):
    tree(tmp_path, "rgb")
    (tmp_path / name).write_text("a sensor?")
    with pytest.warns(UserWarning, match=f"1 files .*{name}"):
        read_folders(tmp_path)


def test_sensors_without_a_pair_are_told(tmp_path):
    """Endings of names such as _depth leave no pair, and methods without pairs train on."""
    tree(tmp_path, "rgb", stems=["a", "b"])
    tree(tmp_path, "depth", stems=["a_depth", "b_depth"])
    with pytest.warns(UserWarning, match="'cat/a_depth' of depth and 'cat/a' of rgb"):
        read_folders(tmp_path)
    tree(tmp_path, "depth", stems=["a"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_folders(tmp_path).paired_ids) == 2


def test_a_pair_of_two_classes_is_told_as_such(tmp_path, capsys):
    """It was told as two images without a partner."""
    for sensor in ("rgb", "thermal"):
        tree(tmp_path / "raw", sensor, stems="abcdefghij")  # in both classes
        write(tmp_path / "raw" / sensor / "dog" / "lone.png", pixels(3))
    for sensor, kind in (("rgb", "cat"), ("thermal", "dog")):
        write(tmp_path / "raw" / sensor / kind / "x7.png", pixels(3))
    (tmp_path / "raw/thermal/cat/c.png").unlink()
    told = "1 of 12 .*'x7' .'cat' in rgb, 'dog' in thermal"
    with pytest.warns(UserWarning, match=told) as caught:
        data = read_folders(tmp_path / "raw")
    assert len(caught) == 1
    data.save(tmp_path / "prepared")
    for place in ("raw", "prepared"):
        capsys.readouterr()
        assert cli.main(["data", "check", str(tmp_path / place)]) == 0
        lines = [line for line in capsys.readouterr().err.splitlines() if "near-copies" not in line]
        assert [("x7" in line, "'cat/c'" in line) for line in lines] == [
            (True, False),
            (False, True),
        ]
    for sensor in ("rgb", "thermal"):  # no other name is left
        shutil.rmtree(tmp_path / "raw" / sensor)
        write(tmp_path / "raw" / sensor / f"{sensor}s" / "x7.png", pixels(3))
    with pytest.warns(UserWarning, match="'x7'") as caught:
        read_folders(tmp_path / "raw")
    assert len(caught) == 1


def test_a_signal_in_a_file_is_one_row_that_is_never_mirrored(tmp_path):
    x = np.random.default_rng(0).random((3, 64))
    for kind in ("sit", "walk"):
        writing.write(tmp_path, {f"acc/{kind}/0.npy": x[:, None]})
    acc = read_folders(tmp_path).modalities["acc"]
    assert (acc.x.shape, acc.symmetry) == ((2, 3, 1, 64), "none")
    np.testing.assert_array_equal(acc.x[1, :, 0], x)
    for shape in [(3, 64), (20, 3), (40, 9), (64, 1), (1, 64), (1, 3, 64), (1, 20, 3), (20, 3, 1)]:
        for kind in ("sit", "walk"):
            writing.write(tmp_path, {f"acc/{kind}/0.npy": np.ones(shape)})
        for options in ({}, {"size": 16}):
            line = refused(lambda options=options: read_folders(tmp_path, **options), "sit/0.npy: ")
            assert f"holds {list(shape)}" in line
    x = np.random.default_rng(0).random((1, 24, 64))
    for form in (x.repeat(3, 0), x[:, :, :40], x[:, :1]):  # pictures, and one channel
        for kind in ("sit", "walk"):
            writing.write(tmp_path, {f"acc/{kind}/0.npy": form})
        assert read_folders(tmp_path).modalities["acc"].x.shape[1:] == form.shape
    shutil.rmtree(tmp_path / "acc")
    for kind in ("sit", "walk"):  # an image file is an image
        write(tmp_path / "lidar" / kind / "0.png", pixels(None, shape=(16, 64)))
    assert read_folders(tmp_path).channels == {"lidar": 1}


SCALED = "<GDALMetadata><Item name='OFFSET' sample='0' role='offset'>{}</Item></GDALMetadata>"


def test_files_of_another_scale_in_one_sensor_are_refused(tmp_path):
    """A class of chance, recorded after the offset changed, scored 100."""
    x = np.arange(12, dtype=np.uint16).reshape(1, 3, 4)
    for offsets, wrong in (((-0.1, -0.1), False), ((0, None), False), ((-0.1, None), True)):
        for kind, offset in zip("ab", offsets, strict=True):
            text = [] if offset is None else [(METADATA, 2, 0, SCALED.format(offset), True)]
            writing.tiff(tmp_path / f"s2/{kind}/0.tif", x, extratags=text)
        if wrong:
            refused(lambda: read_folders(tmp_path), "s2: .* offset -0.1.*no scale or offset")
        else:
            np.testing.assert_array_equal(read_folders(tmp_path).modalities["s2"].x[0], x)


def test_a_name_that_is_no_utf_8_is_refused(tmp_path):
    tree(tmp_path, "rgb")
    writing.write(tmp_path, {os.fsdecode(b"rgb/cat/caf\xe9.png"): IMAGE})
    assert "udce9" in refused(lambda: read_folders(tmp_path), "UTF-8")


PARTED = {f"rgb/{part}/{k}.png": IMAGE for k, part in enumerate(("train", "test"))}
PARTS = [("train", "test"), ("train", "dev"), ("Train", "eval"), ("train2017", "val2017")]
PARTS += [("train_set", "test_set"), ("training", "validation")]


@pytest.mark.parametrize("parts", PARTS)
def test_parts_are_no_sensors_and_no_classes(tmp_path, parts):
    """Sensors called train and test paired an image of one part with one of the other."""
    for part in parts:
        tree(tmp_path / "sensors", part)
        tree(tmp_path / "inner", part, ("RGB", "thermal"))
    tree(tmp_path / "classes", "rgb", parts)
    tree(tmp_path / "trams", "rgb", ("train", "tram"))
    for place in ("sensors", "inner", "classes"):
        line = refused(lambda place=place: read_folders(tmp_path / place), f"/{place}: ")
        assert all(part.lower() in line.lower() for part in parts)
    assert len(read_folders(tmp_path / "trams").classes) == 2


CARS = {"rgb/cat/car_0.png": IMAGE, "rgb/dog/car_1.png": IMAGE}
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
    (SORTED, "groups.csv", ["name,group", "a,1", "b,1", "c", "d,1"], "'cat/c' has no group"),
    (SORTED, "groups.csv", ["name,group", "a,1", "b,1", "c,nan", "d,1"], "'cat/c' has no group"),
    (PARTED, "rgb/unlabelled/a.png", IMAGE, "test, train"),
    (SORTED, "groups.csv", ["file,place", "a,1"], "groups.csv: .*file, place; .*name"),
    (SORTED, "groups.csv", ["Name;Ort", "a;1"], "groups.csv: .*name, ort; .*group"),
    (SORTED, "groups.csv", ["name,group", "a,1", "a,2"], "groups.csv: 'a' "),
    *(
        (SORTED, f"groups{ending}", ["name,group", "a,1"], f"groups{ending}: .*groups.csv")
        for ending in (".CSV", ".txt", ".xlsx", ".csv.txt")
    ),
    (SORTED, "Groups.csv", ["name,group", "a,1"], "Groups.csv: .*groups.csv"),
    (SORTED, "thermal.npy", IMAGE, r"thermal\.npy: .*--modalities rgb"),
    (SORTED, "thermal.H5", b"arrays", r"thermal\.H5: .*--modalities rgb"),
    (SORTED, "invalid", {"thermal": 0}, "^invalid: "),
    (SORTED, "unit", {"RGB": "K"}, "^unit: 'RGB' .*rgb"),
    (SORTED, "size", [1, 2, 3], "^size: "),
    (SORTED, "groups", "(.+)_[a-z]+", r"'a' has no group by --groups \(\.\+\)_"),
    (CARS, "groups", "(car)_.", "puts all 2 images into one group, 'car'; .* as 'car_0' apart"),
    (
        SORTED,
        "groups.csv",
        ["name,group", "a,1", "b,1", "c,1", "d,1"],
        "puts all 8 images into one",
    ),
    (SORTED, "groups", ".+", "^groups: "),
]


@pytest.mark.parametrize(("files", "name", "content", "place"), WRONG)
def test_folders_and_options_that_cannot_be_used(tmp_path, files, name, content, place):
    more = {name: content}
    files, options = ({**files, **more}, {}) if "." in name else (files, more)
    root = writing.write(tmp_path / "mine", files)
    refused(lambda: read_folders(root, **options), place, DiscomError)
