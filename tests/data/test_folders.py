"""A person's own folders: pairs, classes, groups and sensors by the names of files, from the
command line to the split, and folders that cannot be used."""

import unicodedata

import numpy as np
import pytest
import tifffile
from fixtures.refusal import refused
from PIL import Image
from test_images import pixels, planes, write

from discom import cli, plots
from discom.data import load
from discom.data.arrays import resize
from discom.data.folders import read_folders
from discom.data.images import find_images, read_pixels
from discom.data.splitting import near_duplicates
from discom.errors import DiscomError

FRAMES = [f"day{day}_{frame}" for day in range(4) for frame in range(3)]
BANDS = {"rgb": [1, 2, 3], "nir": [4]}


def tree(root, modality, classes=("cat", "dog"), stems="abcd", ending=".png", bands=3):
    for label, name in enumerate(classes):
        for number, stem in enumerate(stems):
            image = pixels(bands, seed=10 * label + number)
            write(root / modality / name / f"{stem}{ending}", image)


def prepare(root, out, *flags):
    words = ["data", "prepare", "folders", "--root", root, "--out", out, "--overwrite", *flags]
    return cli.main([str(word) for word in words])


# pairs and classes


def test_two_trees_are_paired_by_class_and_stem(tmp_path):
    tree(tmp_path, "RGB")  # names are lowered
    tree(tmp_path, "depth", ending=".tif", bands=None)
    data = load(tmp_path)
    assert (data.classes, data.channels) == (("cat", "dog"), {"rgb": 3, "depth": 1})
    assert data.name == tmp_path.name
    assert set(data.paired_ids) == {f"{name}/{stem}" for name in ("cat", "dog") for stem in "abcd"}
    for name, bands in (("rgb", 3), ("depth", None)):
        modality = data.modalities[name]
        assert (modality.x.dtype, modality.motions) == (np.uint8, "flip")
        for row, sample in enumerate(modality.ids):
            label, stem = sample.split("/")
            seed = 10 * ("cat", "dog").index(label) + "abcd".index(stem)
            np.testing.assert_array_equal(modality.x[row], planes(pixels(bands, seed=seed)))


def test_hidden_and_other_files_are_ignored_and_linked_folders_read_once(tmp_path):
    tree(tmp_path / "real", "rgb")
    expected = load(tmp_path / "real").fingerprint
    for name in (".cache/cat", "rgb/.ipynb_checkpoints", "rgb/cat/folder.png"):
        (tmp_path / "real" / name).mkdir(parents=True)
    for name in (".DS_Store", "rgb/cat/.a.png", "rgb/cat/notes.txt", ".cache/cat/a.png"):
        (tmp_path / "real" / name).write_text("not an image")
    with pytest.warns(UserWarning, match=r"1 files are not read \(\.txt\)"):
        assert load(tmp_path / "real").fingerprint == expected
    (tmp_path / "new").mkdir()
    (tmp_path / "new/cats").symlink_to(tmp_path / "real/rgb/cat")
    (tmp_path / "real/rgb/cat/loop").symlink_to(tmp_path / "new")
    found = find_images([tmp_path / "new"])
    assert [file.name for file in found] == ["a.png", "b.png", "c.png", "d.png"]


def test_names_of_two_systems_are_pairs_and_classes(tmp_path):
    for sensor, form in (("rgb", "NFC"), ("depth", "NFD")):
        words = [unicodedata.normalize(form, word) for word in ("éléphant", "âne", "été")]
        tree(tmp_path, sensor, classes=words[:2], stems=[words[2], "a"])
    own = read_folders(tmp_path)
    assert (len(own.classes), len(own.paired_ids)) == (2, 4)
    assert all(unicodedata.is_normalized("NFC", name) for name in own.ids)


def test_few_partners_are_told_with_examples(tmp_path):
    tree(tmp_path, "rgb", stems=["a", "img1", "img2", "img3"])
    tree(tmp_path, "depth", stems=["a", "depth1", "depth2", "depth3"])
    told = r"only 2 of 14 images .*depth cat/depth1, cat/depth2, cat/depth3; rgb cat/img1, cat/i"
    with pytest.warns(UserWarning, match=told):
        read_folders(tmp_path)


@pytest.mark.parametrize("spelling", ["unlabelled", "Unlabeled"])
def test_a_folder_unlabelled_is_no_class(tmp_path, spelling, capsys, clean_slate):
    for sensor, name in (("rgb", "unlabelled"), ("depth", spelling)):
        for seed, (kind, count) in enumerate({"zebra": 10, "ape": 10, name: 4}.items()):
            images = np.random.default_rng(seed).random((count, 1, 16, 16), np.float32)
            for number, image in enumerate(images):
                write(tmp_path / "set" / sensor / kind / f"{number}.npy", image)
    data = read_folders(tmp_path / "set")
    assert (data.classes, len(data.paired_ids)) == (("ape", "zebra"), 24)
    for sample, label in zip(data.ids, data.labels, strict=True):
        assert label == {"ape": 0, "zebra": 1, "unlabelled": -1}[sample.split("/")[0]]
    split = data.split()
    assert (split.train.labels == -1).sum() == 4
    assert len(near_duplicates(split)) == 0
    assert cli.main(["data", "check", str(tmp_path / "set")]) == 0
    printed = capsys.readouterr().out
    assert "'ape': 7, 'zebra': 7}, without a label 4" in printed
    assert "'ape': 2, 'zebra': 2}\n" in printed
    titles = {axis.get_title() for axis in plots.pairs(data, columns=6).axes}
    assert titles - {""} == {"ape", "zebra", "unlabelled"}


# groups


@pytest.mark.parametrize("by", ["pattern", "ids", "stems"])
def test_frames_of_a_day_stay_together(tmp_path, by, capsys):
    tree(tmp_path / "mine", "rgb", stems=FRAMES)
    day_of = {stem: stem.split("_")[0] for stem in FRAMES}
    if by != "pattern":
        names = FRAMES if by == "stems" else [f"{k}/{s}" for k in ("cat", "dog") for s in FRAMES]
        rows = [f"{name},{day_of[name.split('/')[-1]]}" for name in names]
        (tmp_path / "mine" / "groups.csv").write_text("\n".join(["name,group", *rows]))
    flags = ["--groups", r"(.+)_\d+"] if by == "pattern" else []
    assert prepare(tmp_path / "mine", tmp_path / "out", *flags) == 0
    assert "24 samples in 2 classes and 4 groups" in capsys.readouterr().out
    split = load(tmp_path / "out").split(seed=1)
    days = [{day_of[name.split("/")[1]] for name in part.ids} for part in split]
    assert sum(map(len, days)) == 4
    assert set.union(*days) == set(day_of.values())


def test_groups_that_cannot_be_divided_are_told_when_data_are_prepared(tmp_path, capsys):
    tree(tmp_path / "mine", "rgb", stems=FRAMES[:6])  # two days
    assert prepare(tmp_path / "mine", tmp_path / "out", "--groups", r"(.+)_\d+") == 2
    assert "error: mine: 2 groups" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_flag_that_the_check_names_mends_near_copies(tmp_path, capsys):
    draw = np.random.default_rng(0)
    for kind in ("cat", "dog"):
        (tmp_path / "mine" / "rgb" / kind).mkdir(parents=True)
        for day in range(6):
            image = draw.integers(0, 200, (16, 16, 3), np.uint8)
            for frame in range(3):
                file = tmp_path / "mine" / "rgb" / kind / f"{kind}{day}_{frame}.tif"
                tifffile.imwrite(file, image + np.uint8(frame), photometric="rgb")
    for flags, named in (
        ([], True),
        (["--groups", r"(.+)_\d+"], False),
        (["--options", '{"group_copies": true}'], False),
    ):
        assert prepare(tmp_path / "mine", tmp_path / "b", *flags) == 0
        assert cli.main(["data", "check", str(tmp_path / "b")]) == 0
        assert ("near-copies" in capsys.readouterr().err) == named


# sizes, bands, values


@pytest.fixture
def photos(tmp_path):
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
    return tmp_path


@pytest.mark.parametrize(("size", "shape"), [(16, (16, 16)), ((12, 20), (12, 20))])
def test_photos_of_any_size_are_brought_to_one(photos, size, shape):
    refused(
        lambda: load(photos), r"/1\.png: is 30×20 .*; bring all to one size: discom data prepare"
    )
    data = read_folders(photos, size=size, unit={"depth": "mm"}, invalid={"depth": 0})
    assert [(m.unit, m.invalid) for m in data.modalities.values()] == [("mm", 0), ("", None)]
    rgb, depth = data.modalities["rgb"].x, data.modalities["depth"].x
    assert (rgb.shape, depth.shape) == ((6, 3, *shape), (6, 1, *shape))
    assert (rgb.dtype, depth.dtype) == (np.uint8, np.uint16)
    upright = resize(read_pixels(photos / "rgb/cat/1.jpg"), shape, smooth=True)
    assert read_pixels(photos / "rgb/cat/1.jpg").shape == (3, 60, 40)
    np.testing.assert_array_equal(rgb[data.ids.tolist().index("cat/1")], upright)
    for row, sample in enumerate(data.modalities["depth"].ids):  # a mean of what was measured
        stored = read_pixels(photos / "depth" / f"{sample}.png")
        assert stored[stored > 0].min() <= depth[row].min() <= depth[row].max() <= stored.max()


def test_sensors_in_the_bands_of_one_file_and_their_motions(tmp_path):
    tree(tmp_path / "mine", "drone", stems="abcde", ending=".tif", bands=4)
    flags = "--bands", "rgb=3,2,1;nir=4", "--motions", "nir=none"
    assert prepare(tmp_path / "mine", tmp_path / "a", *flags) == 0
    own, whole = load(tmp_path / "a"), read_folders(tmp_path / "mine").modalities["drone"].x
    assert {k: m.motions for k, m in own.modalities.items()} == {"nir": "none", "rgb": "flip"}
    np.testing.assert_array_equal(own.modalities["rgb"].x, whole[:, [2, 1, 0]])
    np.testing.assert_array_equal(own.modalities["nir"].x, whole[:, [3]])
    tree(tmp_path / "mine", "thermal", stems="abcde", bands=None)
    own = read_folders(tmp_path / "mine", bands={**BANDS, "thermal": [1]})
    assert own.channels == {"nir": 1, "rgb": 3, "thermal": 1}


def test_a_value_that_may_mean_not_measured_is_told(tmp_path, capsys):
    for kind in ("cat", "dog"):
        for number in range(6):
            warm = pixels(None, 300, np.uint16, seed=number) + np.uint16(29000)
            warm[0, : number + 1] = 0
            write(tmp_path / "raw/LWIR" / kind / f"{number}_{kind}.png", warm)
    for stated, told in (
        ("{}", r"lwir: 1.8 % of the pixels are 0, all others 290"),
        ('{"invalid": {"LWIR": 0}}', ""),
        ('{"invalid": {"lwir": 65535}}', "no pixel is 65535, which shall mean 'not measured'"),
    ):
        assert prepare(tmp_path / "raw", tmp_path / "out", "--options", stated) == 0
        said = capsys.readouterr().err
        assert told in said
        assert bool(said) == bool(told)


# folders and options that cannot be used

OTHER = pixels(3, seed=5)
WRONG_FILES = {
    "rgb/dog/b.npy": (OTHER, r"b\.(npy|png): "),  # a name twice
    "RGB/cat/a.png": (OTHER, r"(?i)/rgb: "),
    "depth/a.png": (OTHER, r"/depth: no images"),
    "rgb/cat/deep/0.png": (OTHER, r"deep/0\.png: lies too deep"),
    "depth/Cat/a.png": (OTHER, "'Cat' and 'cat' differ"),
    "rgb/cat/e.png": (pixels(), r"e\.png: is .* with 1 band"),
}
WRONG_OPTIONS = [
    ({"invalid": {"thermal": 0}}, "^invalid: "),
    ({"invalid": 0}, "^invalid: "),
    ({"invalid": {"rgb": "-32768"}}, "/rgb: invalid: "),
    ({"size": 0}, "^size: "),
    ({"size": [1, 2, 3]}, "^size: "),
    ({"bands": {**BANDS, "sar": [5]}}, r"/a\.png: \(1, 2, 3\)|bands: "),
    ({"groups": "(.+)_[a-z]+"}, "'cat/a' has no group"),
    ({"groups": ".+"}, "^groups: "),
    ({"groups": "(.+"}, "^groups: "),
]
WRONG_TABLES = {
    "name,group\na,1\nb,1\n": "'cat/c' has no group by groups.csv",
    "file,place\na,1\n": "groups.csv: cannot be read as a table of groups",
    "name,group\na,1\nb,1\nc,1\nd,1\na,2\n": "groups.csv: 'a' is in two groups",
}


@pytest.mark.parametrize("file", WRONG_FILES)
def test_files_that_cannot_be_used(tmp_path, file):
    tree(tmp_path, "rgb")
    write(tmp_path / file, WRONG_FILES[file][0])
    refused(lambda: read_folders(tmp_path), WRONG_FILES[file][1])


def test_a_folder_without_folders(tmp_path):
    refused(lambda: read_folders(tmp_path), r": has no folder; expected .*/<modality>/<class>/<id>")


@pytest.mark.parametrize(("options", "place"), WRONG_OPTIONS)
def test_options_of_another_form(tmp_path, options, place):
    tree(tmp_path, "rgb")
    refused(lambda: read_folders(tmp_path, **{"size": 16} | options), place, DiscomError)


@pytest.mark.parametrize("table", WRONG_TABLES)
def test_tables_of_groups_that_cannot_be_used(tmp_path, table):
    tree(tmp_path, "rgb")
    (tmp_path / "groups.csv").write_text(table)
    refused(lambda: load(tmp_path), WRONG_TABLES[table])


@pytest.mark.parametrize(
    "words", ["--bands rgb", "--bands rgb=a", "--motions rgb=", "--motions rgb=turn", "--fit big"]
)
def test_flags_of_another_form_are_one_line(tmp_path, capsys, words):
    tree(tmp_path / "mine", "rgb")
    assert prepare(tmp_path / "mine", tmp_path / "a", *words.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1
