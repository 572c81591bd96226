"""A person's own images: every format they come in, pairing by class and stem, and files that
cannot be used."""

import imagecodecs
import numpy as np
import pytest
import tifffile

from discom.data import load
from discom.data.folders import has_class_folders, read_folders
from discom.data.images import read_image
from discom.errors import DataError

H, W = 12, 16


def pixels(bands=None, high=256, dtype=np.uint8, seed=0):
    shape = (H, W) if bands is None else (H, W, bands)
    return np.random.default_rng(seed).integers(0, high, shape).astype(dtype)


def planes(image):
    """[H, W] or [H, W, C] as [C, H, W]."""
    return image[None] if image.ndim == 2 else np.moveaxis(image, 2, 0)


def write(file, image):
    file.parent.mkdir(parents=True, exist_ok=True)
    match file.suffix.lower():
        case ".npy":
            np.save(file, image)
        case ".tif" | ".tiff":
            image = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
            tifffile.imwrite(
                file,
                image,
                photometric="minisblack",
                planarconfig="contig" if image.ndim == 3 else None,
            )
        case ending:
            file.write_bytes(
                {".png": imagecodecs.png_encode}.get(ending, imagecodecs.jpeg8_encode)(image)
            )


def tree(
    root, modality, classes=("cat", "dog"), stems=("a", "b", "c", "d"), ending=".png", bands=3
):
    for label, name in enumerate(classes):
        for number, stem in enumerate(stems):
            write(
                root / modality / name / f"{stem}{ending}", pixels(bands, seed=10 * label + number)
            )


# one image
# ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bands", [None, 3, 4])
@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 256), (np.uint16, 65536)])
def test_png_of_8_and_16_bits(tmp_path, bands, dtype, high):
    image = pixels(bands, high, dtype)
    write(tmp_path / "a.png", image)
    found = read_image(tmp_path / "a.png")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, planes(image))
    assert found.max() > (
        255 if dtype == np.uint16 else 1
    )  # the file's own unit, neither scaled nor cut to 8 bits


@pytest.mark.parametrize("ending", [".jpg", ".jpeg", ".JPG"])
@pytest.mark.parametrize("bands", [None, 3])
def test_jpeg(tmp_path, ending, bands):
    ramp = np.add.outer(np.arange(H), np.arange(W)).astype(np.uint8) * 8
    image = ramp if bands is None else np.stack([ramp, 255 - ramp, np.full_like(ramp, 90)], 2)
    (tmp_path / f"a{ending}").write_bytes(
        imagecodecs.jpeg8_encode(image, level=98, subsampling="444")
    )
    found = read_image(tmp_path / f"a{ending}")
    assert found.shape == planes(image).shape
    np.testing.assert_allclose(found, planes(image), atol=6)  # lossy


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("bands", "planar"), [(2, "contig"), (13, "contig"), (2, "separate"), (13, "separate")]
)
def test_tiff_of_any_bands_planar_and_chunky(tmp_path, dtype, compression, bands, planar):
    image = pixels(bands, 200, dtype) - (100 if dtype in (np.int16, np.float32) else 0)
    image = image.astype(dtype)
    stored = image if planar == "contig" else planes(image)
    tifffile.imwrite(
        tmp_path / "a.tif",
        stored,
        photometric="minisblack",
        planarconfig=planar,
        compression=compression,
    )
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), planes(image))


def test_tiff_with_more_bands_than_pixels_a_side(tmp_path):
    image = pixels(40, 200, np.uint16)  # the file says which axis holds the bands; the sizes do not
    for number, (stored, planar) in enumerate([(image, "contig"), (planes(image), "separate")]):
        tifffile.imwrite(
            tmp_path / f"{number}.tif", stored, photometric="minisblack", planarconfig=planar
        )
        np.testing.assert_array_equal(read_image(tmp_path / f"{number}.tif"), planes(image))


def test_tiff_of_one_band_and_of_pages(tmp_path):
    write(tmp_path / "one.tiff", pixels(None, 9999, np.uint16))
    np.testing.assert_array_equal(
        read_image(tmp_path / "one.tiff")[0], pixels(None, 9999, np.uint16)
    )
    pages = planes(pixels(5))
    tifffile.imwrite(tmp_path / "pages.tif", pages, photometric="minisblack", metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "pages.tif"), pages)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16, np.float64])
def test_npy_of_both_layouts(tmp_path, dtype):
    image = pixels(5, 200, dtype)
    for stored, expected in [
        (image, planes(image)),
        (planes(image), planes(image)),
        (image[..., 0], planes(image[..., 0])),
        (image[..., :1], planes(image[..., :1])),
        (planes(image[..., :1]), planes(image[..., :1])),
    ]:
        np.save(tmp_path / "a.npy", stored)
        found = read_image(tmp_path / "a.npy")
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_image_with_values_that_are_not_finite(tmp_path, value):
    image = pixels(2, 200, np.float32)
    image[3, 5, 1] = value
    for file in (tmp_path / "a.npy", tmp_path / "a.tif"):
        write(file, image)
        with pytest.raises(
            DataError, match=rf"{file.name}: .*band 1 holds {value} at pixel \(3, 5\); fill or drop"
        ):
            read_image(file)


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4, 5), ()])
def test_array_of_another_rank(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    with pytest.raises(DataError, match=r"a\.npy: has shape \(.*\); an image is \[H, W\]"):
        read_image(tmp_path / "a.npy")


@pytest.mark.parametrize(
    "values", [np.zeros((4, 4), bool), np.full((4, 4), "a"), np.zeros((4, 4), complex)]
)
def test_array_without_real_numbers(tmp_path, values):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(DataError, match=r"a\.npy: holds .*; needed are numbers"):
        read_image(tmp_path / "a.npy")


UNREADABLE = r": cannot be read as an image \(.+\); replace or remove it$"


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("ending", [".png", ".tif", ".npy"])
@pytest.mark.parametrize("bands", [None, 3])
def test_truncated_image_is_named(tmp_path, ending, share, bands):
    file = tmp_path / f"a{ending}"
    write(file, pixels(bands))
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(DataError, match=rf"a\{ending}{UNREADABLE}"):
        read_image(file)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.7, 0.95])
def test_truncated_jpeg_is_named(tmp_path, share):
    file = tmp_path / "a.jpg"
    file.write_bytes(
        imagecodecs.jpeg8_encode(
            np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        )
    )
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(DataError, match=rf"a\.jpg{UNREADABLE}"):
        read_image(file)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".npy"])
@pytest.mark.parametrize("content", [b"", b"just a text, renamed\n"])
def test_file_that_is_no_image_is_named(tmp_path, ending, content):
    file = tmp_path / f"a{ending}"
    file.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\{ending}{UNREADABLE}"):
        read_image(file)


@pytest.mark.parametrize("ending", [".png", ".tif", ".npy"])
def test_file_that_is_not_there(tmp_path, ending):
    with pytest.raises(DataError, match=r"gone\..*: no such file"):
        read_image(tmp_path / f"gone{ending}")


# trees
# ----------------------------------------------------------------------------------------------------------


def test_two_trees_are_paired_by_class_and_stem(tmp_path):
    tree(tmp_path, "rgb")
    tree(tmp_path, "depth", ending=".tif", bands=1)
    data = load(tmp_path)
    assert set(data.modalities) == {"rgb", "depth"}
    assert data.classes == ("cat", "dog")
    assert data.channels == {"rgb": 3, "depth": 1}
    assert data.name == tmp_path.name
    assert data.paired_ids.tolist() == [
        f"{name}/{stem}" for name in ("cat", "dog") for stem in "abcd"
    ]
    assert np.bincount(data.labels).tolist() == [4, 4]
    for name, bands in (("rgb", 3), ("depth", 1)):
        modality = data.modalities[name]
        assert modality.x.dtype == np.float32
        for row, sample in enumerate(modality.ids):
            label, stem = sample.split("/")
            seed = 10 * ("cat", "dog").index(label) + "abcd".index(stem)
            np.testing.assert_array_equal(modality.x[row], planes(pixels(bands, seed=seed)))


def test_same_stem_in_two_classes_is_two_samples(tmp_path):
    tree(tmp_path, "rgb", stems=("a",))
    assert load(tmp_path).ids.tolist() == ["cat/a", "dog/a"]


def test_missing_partners_are_kept_and_counted(tmp_path):
    tree(tmp_path, "rgb", stems="abcdef")
    tree(tmp_path, "depth", stems="defgh", bands=None)
    (tmp_path / "depth" / "dog" / "d.png").unlink()
    data = load(tmp_path)
    assert (len(data), len(data.paired_ids)) == (16, 5)
    assert sorted(data.paired_ids) == ["cat/d", "cat/e", "cat/f", "dog/e", "dog/f"]
    assert {name: len(m.x) for name, m in data.modalities.items()} == {"rgb": 12, "depth": 9}
    data.save(tmp_path / "out")
    assert len(load(tmp_path / "out").paired_ids) == 5


def test_class_that_one_modality_lacks_keeps_its_number(tmp_path):
    tree(tmp_path, "rgb", classes=("ant", "cat", "dog"))
    tree(tmp_path, "depth", classes=("dog",))
    data = load(tmp_path)
    assert data.classes == ("ant", "cat", "dog")
    assert set(data.modalities["depth"].y) == {2}


def test_mixed_endings_in_one_tree(tmp_path):
    tree(tmp_path, "rgb", stems=("a", "b"))
    tree(tmp_path, "rgb", stems=("c",), ending=".npy")
    assert load(tmp_path).ids.tolist() == ["cat/a", "cat/b", "cat/c", "dog/a", "dog/b", "dog/c"]


def test_one_stem_twice_in_a_class_is_refused(tmp_path):
    tree(tmp_path, "rgb")
    write(tmp_path / "rgb" / "dog" / "b.npy", pixels(3))
    with pytest.raises(DataError, match=r"rgb: id .*dog/b.* stands twice"):
        load(tmp_path)


def test_chosen_trees_alone(tmp_path):
    for name in ("rgb", "depth", "thermal"):
        tree(tmp_path, name)
    assert list(read_folders(tmp_path, ["thermal", "rgb"]).modalities) == ["thermal", "rgb"]
    assert list(read_folders(tmp_path).modalities) == ["depth", "rgb", "thermal"]
    with pytest.raises(DataError, match="sonar"):
        read_folders(tmp_path, ["rgb", "sonar"])


def test_names_of_trees_are_lowered(tmp_path):
    tree(tmp_path, "RGB")
    assert list(load(tmp_path).modalities) == ["rgb"]


def test_trees_whose_names_differ_in_case_alone_are_refused(tmp_path):
    tree(tmp_path, "RGB", stems=("a",))
    tree(tmp_path, "rgb", stems=("b",))
    with pytest.raises(DataError, match=r"(?i)rgb"):
        load(tmp_path)


def test_hidden_and_other_files_are_ignored(tmp_path):
    tree(tmp_path, "rgb")
    expected = load(tmp_path).fingerprint
    for name in (
        ".DS_Store",
        "rgb/.DS_Store",
        "rgb/cat/.a.png",
        "rgb/cat/._b.png",
        "rgb/cat/notes.txt",
        "rgb/list.csv",
    ):
        (tmp_path / name).write_text("not an image")
    for name in (".cache/cat", "rgb/.ipynb_checkpoints"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.png").write_text("not an image")
    (tmp_path / "rgb" / "cat" / "folder.png").mkdir()
    assert load(tmp_path).fingerprint == expected


def test_mixed_sizes_are_named(tmp_path):
    tree(tmp_path, "rgb")
    write(tmp_path / "rgb" / "dog" / "c.png", pixels(3)[:-1].copy())
    with pytest.raises(
        DataError,
        match=r"c\.png: is 11×16 with 3 band\(s\), but a\.png is 12×16 with 3 band\(s\); bring",
    ):
        load(tmp_path)


def test_mixed_band_counts_are_named(tmp_path):
    tree(tmp_path, "rgb")
    write(tmp_path / "rgb" / "cat" / "d.png", pixels())
    with pytest.raises(
        DataError, match=r"d\.png: is 12×16 with 1 band\(s\), but a\.png is .* 3 band\(s\)"
    ):
        load(tmp_path)


def test_sizes_may_differ_between_modalities(tmp_path):
    tree(tmp_path, "rgb")
    for name in ("cat", "dog"):
        write(tmp_path / "depth" / name / "a.npy", np.zeros((6, 8)))
    assert load(tmp_path).modalities["depth"].x.shape == (2, 1, 6, 8)


def test_one_unreadable_image_stops_the_reading(tmp_path):
    tree(tmp_path, "rgb")
    (tmp_path / "rgb" / "dog" / "b.png").write_text("just a text")
    with pytest.raises(DataError, match=rf"dog/b\.png{UNREADABLE}"):
        load(tmp_path)


def test_folder_without_images(tmp_path):
    (tmp_path / "rgb" / "cat").mkdir(parents=True)
    assert not has_class_folders(tmp_path)
    with pytest.raises(
        DataError, match=r"rgb: no images; expected .*rgb/<class>/<id> with one of \.png"
    ):
        read_folders(tmp_path)
    with pytest.raises(DataError, match=r"cat: holds no folder; expected"):
        read_folders(tmp_path / "rgb" / "cat")
    tree(tmp_path, "depth")
    with pytest.raises(DataError, match=r"rgb: no images"):  # one modality of two is empty
        load(tmp_path)


def test_images_without_class_folders(tmp_path):
    write(tmp_path / "rgb" / "a.png", pixels(3))
    with pytest.raises(DataError, match=r"no images; expected .*/rgb/<class>/<id>"):
        read_folders(tmp_path)


def test_one_class_only_is_refused_by_the_split(tmp_path):
    tree(tmp_path, "rgb", classes=("cat",))
    with pytest.raises(DataError, match=r"only class 'cat' has samples"):
        load(tmp_path).split()


def test_folder_of_images_goes_through_a_split(tmp_path):
    tree(tmp_path, "rgb", stems="abcdefghij")
    tree(tmp_path, "depth", stems="abcdefghij", ending=".tif", bands=13)
    split = load(tmp_path).split(seed=0)
    assert [len(part) for part in split] == [14, 2, 4]
    assert (split.train.images("depth").min(), split.train.images("depth").max()) == (0, 1)
