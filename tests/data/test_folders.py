"""A person's own images: every format, EXIF rotation, other sizes, pairs, and unusable files."""

import imagecodecs
import numpy as np
import pytest
import tifffile
from fixtures.refusal import refused
from PIL import Image, ImageOps

from discom import cli, plots
from discom.data import load
from discom.data.arrays import resize
from discom.data.folders import read_folders
from discom.data.images import find_images, read_pixels
from discom.data.splitting import near_duplicates
from discom.errors import DiscomError

H, W = 12, 16
UNREADABLE = r": cannot be read as an image \(.+\); replace or remove it$"


def pixels(bands=None, high=256, dtype=np.uint8, seed=0, shape=(H, W)):
    shape = shape if bands is None else (*shape, bands)
    return np.random.default_rng(seed).integers(0, high, shape).astype(dtype)


def planes(image):
    """[H, W] or [H, W, C] as [C, H, W]."""
    return image[None] if image.ndim == 2 else np.moveaxis(image, 2, 0)


def write(file, image):
    file.parent.mkdir(parents=True, exist_ok=True)
    match file.suffix.lower():
        case ".npy":
            np.save(file, image)
        case ".tif":
            planar = "contig" if image.ndim == 3 else None
            tifffile.imwrite(file, image, photometric="minisblack", planarconfig=planar)
        case ".png":
            file.write_bytes(imagecodecs.png_encode(image))
        case _:
            file.write_bytes(imagecodecs.jpeg8_encode(image))


def tree(root, modality, classes=("cat", "dog"), stems="abcd", ending=".png", bands=3):
    for label, name in enumerate(classes):
        for number, stem in enumerate(stems):
            image = pixels(bands, seed=10 * label + number)
            write(root / modality / name / f"{stem}{ending}", image)


# one image


@pytest.mark.parametrize("bands", [None, 3, 4])
@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 256), (np.uint16, 65536)])
def test_png_keeps_its_bit_depth(tmp_path, bands, dtype, high):
    image = pixels(bands, high, dtype)
    write(tmp_path / "a.png", image)
    assert read_pixels(tmp_path / "a.png", alpha=True).dtype == dtype
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.png", alpha=True), planes(image))


def photo(bands):
    """A ramp, which JPEG hardly changes, and which no motion maps to itself."""
    ramp = np.add.outer(5 * np.arange(H), 11 * np.arange(W)).astype(np.uint8)
    return ramp if bands is None else np.stack([ramp, 255 - ramp, np.full_like(ramp, 90)], 2)


@pytest.mark.parametrize("bands", [None, 3])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_as_its_exif_entry_says(tmp_path, bands, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image, file = Image.fromarray(photo(bands)), tmp_path / "a.JPG"
    image.save(file, "JPEG", exif=exif, quality=98, subsampling=0)
    with Image.open(file) as stored:
        expected = planes(np.asarray(ImageOps.exif_transpose(stored)))
    pixels = read_pixels(file).astype(float)
    np.testing.assert_allclose(pixels, expected, atol=2)
    upright = np.abs(pixels[:, :H, :H] - planes(photo(bands))[:, :H, :H])
    assert (upright.max() < 8) == (orientation == 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("bands", [2, 13, 40])
def test_tiff_of_any_bands_says_which_axis_they_are(tmp_path, dtype, bands, planar):
    image = pixels(bands, 200, dtype)
    stored = image if planar == "contig" else planes(image)
    how = {"photometric": "minisblack", "planarconfig": planar, "compression": "zlib"}
    tifffile.imwrite(tmp_path / "a.tif", stored, **how)
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif"), planes(image))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16])
def test_npy_of_both_layouts(tmp_path, dtype):
    image = pixels(5, 200, dtype)
    for stored in (image, planes(image), image[..., 0], image[..., :1], planes(image[..., :1])):
        np.save(tmp_path / "a.npy", stored)
        expected = planes(image if 5 in stored.shape else image[..., :1])
        np.testing.assert_array_equal(read_pixels(tmp_path / "a.npy"), expected)


WRONG_ARRAYS = [
    (np.zeros((2, 3, 4, 5)), r"a\.npy: has shape \(.*\); an image is \[H, W\]"),
    (np.zeros((4, 4), bool), r"a\.npy: holds bool.*; give numbers"),
    (np.full((4, 4), np.nan), r"a\.npy: sample 0, band 0 holds nan at pixel \(0, 0\); fill or"),
    (np.array([object()]), rf"a\.npy{UNREADABLE}"),
]


@pytest.mark.parametrize(("values", "fragment"), WRONG_ARRAYS)
def test_an_array_that_is_no_image(tmp_path, values, fragment):
    np.save(tmp_path / "a.npy", values)
    refused(lambda: read_pixels(tmp_path / "a.npy"), fragment)


@pytest.mark.parametrize("ending", [".png", ".tif", ".npy", ".jpg"])
def test_a_file_that_is_cut_off_or_no_image_or_not_there(tmp_path, ending):
    file, archive = tmp_path / f"a{ending}", tmp_path / "archive.npz"
    refused(lambda: read_pixels(file), r"a\..*: no such file")
    write(file, pixels(3, shape=(64, 64)))
    np.savez(archive, pixels())
    whole = file.read_bytes()
    cut = [whole[: int(share * len(whole))] for share in (0, 0.02, 0.2, 0.6, 0.95)]
    for content in (*cut, b"just a text, renamed\n", archive.read_bytes()):
        file.write_bytes(content)
        refused(lambda: read_pixels(file), rf"a\{ending}{UNREADABLE}")


@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 256), (np.uint16, 65536), (np.float32, 9)])
def test_resizing_keeps_the_type_and_the_mean_or_the_values(dtype, high):
    image = pixels(3, high, dtype, shape=(32, 32)).transpose(2, 0, 1)
    smooth, sharp = (resize(image, (8, 8), smooth=s) for s in (True, False))
    assert smooth.dtype == sharp.dtype == dtype
    blocks = image.reshape(3, 8, 4, 8, 4).astype(float).mean((2, 4))
    np.testing.assert_allclose(smooth, blocks, atol=1 if high > 9 else 1e-5)
    np.testing.assert_array_equal(sharp, image[:, 2::4, 2::4])


# trees


def test_two_trees_are_paired_by_class_and_stem(tmp_path):
    tree(tmp_path, "RGB")  # names are lowered
    tree(tmp_path, "depth", ending=".tif", bands=None)
    data = load(tmp_path)
    assert (data.classes, data.channels) == (("cat", "dog"), {"rgb": 3, "depth": 1})
    assert data.name == tmp_path.name
    assert set(data.paired_ids) == {f"{name}/{stem}" for name in ("cat", "dog") for stem in "abcd"}
    for name, bands in (("rgb", 3), ("depth", None)):
        modality = data.modalities[name]
        assert modality.x.dtype == np.uint8
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
    assert load(tmp_path).fingerprint == expected


# other sizes


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


WRONG_OPTIONS = [
    ({"invalid": {"thermal": 0}}, r"^invalid: .* has no folder 'thermal'; it has depth, rgb$"),
    ({"invalid": 0}, "^invalid: 0 does not say of which modality; write"),
    ({"invalid": {"depth": "-32768"}}, "depth: invalid: '-32768'"),
    ({"size": 0}, "^size: 0 is not a whole number from 1 on"),
    ({"size": [1, 2, 3]}, r"^size: \[1, 2, 3\] has 3 sides; give 64, or \[height, width\]"),
]


@pytest.mark.parametrize(("options", "fragment"), WRONG_OPTIONS)
def test_options_of_another_form(photos, options, fragment):
    refused(lambda: read_folders(photos, **{"size": 16} | options), fragment, DiscomError)


def test_photos_of_other_sizes_are_refused_without_one(photos):
    fragment = r"1\.png: is 30×20 with 1 band\(s\), but 0\.png is 20×30 .*; bring all to one size: "
    refused(lambda: load(photos), fragment)


@pytest.mark.parametrize("size", [None, 8])
def test_other_band_counts_are_named(tmp_path, size):
    tree(tmp_path, "rgb")
    write(tmp_path / "rgb" / "cat" / "d.png", pixels())
    fragment = r"d\.png: is .* with 1 band\(s\), but a\.png is .* 3 band\(s\); bring all"
    refused(lambda: read_folders(tmp_path, size=size), fragment)


# folders that cannot be used


def test_a_stem_or_a_tree_twice_is_refused(tmp_path):
    tree(tmp_path, "rgb")
    write(tmp_path / "rgb" / "dog" / "b.npy", pixels(3))
    refused(
        lambda: load(tmp_path),
        r"b\.png: b\.npy has its name, too; remove or rename one",
    )
    tree(tmp_path, "RGB")
    refused(lambda: load(tmp_path), "(?i)rgb: another folder has this name in other letters")


def test_folders_without_images_or_classes(tmp_path):
    (tmp_path / "rgb" / "cat").mkdir(parents=True)
    write(tmp_path / "rgb" / "a.png", pixels(3))
    refused(lambda: read_folders(tmp_path), r"rgb: no images; expected .*rgb/<class>/<id> with one")
    refused(lambda: read_folders(tmp_path / "rgb" / "cat"), "cat: has no folder; expected")
    tree(tmp_path, "depth")
    refused(lambda: load(tmp_path), "rgb: no images")  # one modality of two is empty


# images without a class


@pytest.fixture
def folder(tmp_path):
    """Two trees of images of two classes, and four pairs without one."""
    for modality in ("rgb", "depth"):
        for seed, (name, count) in enumerate({"zebra": 10, "ape": 10, "unlabelled": 4}.items()):
            images = np.random.default_rng(seed).random((count, 1, 16, 16), np.float32)
            for number, image in enumerate(images):
                write(tmp_path / "set" / modality / name / f"{number}.npy", image)
    return tmp_path / "set"


@pytest.mark.parametrize("spelling", ["unlabeled", "Unlabelled"])
@pytest.mark.parametrize("renamed", [(), ("depth",), ("rgb", "depth")])
def test_a_folder_unlabelled_is_no_class(folder, renamed, spelling):
    for sensor in renamed:
        (folder / sensor / "unlabelled").rename(folder / sensor / spelling)
    data = read_folders(folder)
    assert data.classes == ("ape", "zebra")
    assert len(data.paired_ids) == 24
    for sample, label in zip(data.ids, data.labels, strict=True):
        assert label == {"ape": 0, "zebra": 1, "unlabelled": -1}[sample.split("/")[0]]
    split = data.split()
    assert (split.train.labels == -1).sum() == 4
    assert len(near_duplicates(split)) == 0


def test_images_below_a_class_folder_are_not_passed_over(folder):
    write(folder / "rgb" / "unlabelled" / "ape" / "0.npy", pixels())
    fragment = r"ape/0\.npy: lies too deep; expected .*rgb/<class>/<id>"
    refused(lambda: read_folders(folder), fragment)


def test_the_check_counts_them_and_the_picture_names_them(folder, capsys, clean_slate):
    assert cli.main(["data", "check", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "'ape': 7, 'zebra': 7}, without a label 4" in printed
    assert "'ape': 2, 'zebra': 2}\n" in printed
    titles = {axis.get_title() for axis in plots.pairs(load(folder), columns=6).axes}
    assert titles - {""} == {"ape", "zebra", "unlabelled"}


# what a hurried person does


def prepared(capsys, root, *flags):
    """What `data prepare` says of a folder: the last line of output, and the warnings."""
    out = root.parent / "prepared"
    words = ["data", "prepare", "folders", "--root", str(root), "--out", str(out), *flags]
    assert cli.main([*words, "--overwrite"]) == 0
    said = capsys.readouterr()
    return said.out, said.err


def test_a_value_that_may_mean_not_measured_is_told(tmp_path, capsys):
    root = tmp_path / "raw"
    for kind in ("cat", "dog"):
        for number in range(6):
            warm = pixels(None, 300, np.uint16, seed=number) + np.uint16(29000)
            warm[0, : number + 1] = 0
            write(root / "LWIR" / kind / f"{number}_{kind}.png", warm)
    _, told = prepared(capsys, root)
    share = 100 * 42 / (12 * H * W)
    assert f"lwir: {share:.2g} % of the pixels are 0, all others 290" in told
    assert '--options \'{"invalid": {"lwir": …}}\'' in told
    assert not prepared(capsys, root, "--options", '{"invalid": {"LWIR": 0}}')[1]
    _, told = prepared(capsys, root, "--options", '{"invalid": {"lwir": 65535}}')
    assert "no pixel is 65535, which shall mean 'not measured'" in told


def test_files_that_are_not_read_are_counted_and_groups_too(tmp_path, capsys):
    root = tmp_path / "raw"
    for number in range(12):
        for kind in ("cat", "dog"):
            write(root / "rgb" / kind / f"s{number // 2}_{number}.png", pixels(seed=number))
    for number in range(3):
        (root / "rgb/cat" / f"{number}.bmp").write_bytes(b"BM")
    (root / "rgb/cat/.hidden").touch()
    printed, told = prepared(capsys, root, "--groups", "(.+)_[0-9]+")
    assert "24 samples in 2 classes and 6 groups" in printed
    assert "3 files are not read (.bmp); images end in .png" in told
    (root / "groups.csv").write_text("name,group\n")
    assert (
        "groups.csv: not read, since --groups is given"
        in prepared(capsys, root, "--groups", "(.+)_[0-9]+")[1]
    )


def test_an_image_in_two_groups_is_refused(tmp_path):
    tree(tmp_path, "rgb")
    names = [f"{kind}/{stem}" for kind in ("cat", "dog") for stem in "abcd"]
    rows = ["name,group", *(f"{name},{name[-1]}" for name in names), "cat/b,other"]
    (tmp_path / "groups.csv").write_text("\n".join(rows))
    refused(lambda: load(tmp_path), r"groups\.csv: 'cat/b' is in two groups; name each image once")


def test_a_tiff_of_height_width_and_one_band_is_one_band(tmp_path):
    image = pixels(None, 300, np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", image[:, :, None])
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif"), image[None])


def test_linked_folders_are_read_once(tmp_path):
    tree(tmp_path / "real", "rgb")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/cats").symlink_to(tmp_path / "real/rgb/cat")
    (tmp_path / "real/rgb/cat/loop").symlink_to(tmp_path / "new")
    found = find_images([tmp_path / "new"])
    assert [file.name for file in found] == ["a.png", "b.png", "c.png", "d.png"]
