"""What becomes of the pixels of a file: means of what was measured, proportions, bands, holes."""

import numpy as np
import pytest
import tifffile
from fixtures import writing
from fixtures.refusal import refused
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from discom.data.images import Rule, read_pixels, resize
from discom.data.own_folders import read_folders
from discom.data.scaling import Normalization
from discom.errors import ConfigError

H, W = 12, 16


def pixels(bands=None, high=256, dtype=np.uint8, seed=0, shape=(H, W)):
    shape = shape if bands is None else (*shape, bands)
    return np.random.default_rng(seed).integers(0, high, shape).astype(dtype)


def planes(image):
    """[H, W] or [H, W, C] as [C, H, W]."""
    return image[None] if image.ndim == 2 else np.moveaxis(image, 2, 0)


def write(file, image):
    """[H, W] or [H, W, C]."""
    writing.write(file.parent, {file.name: planes(image) if file.suffix == ".tif" else image})


calm = settings(max_examples=30, deadline=None, derandomize=True, database=None)
DRAW = np.random.default_rng(0)


@calm
@given(
    arrays(np.int16, (2, 8, 12), elements=st.sampled_from([-40, -9, 0, 7, 40])),
    st.sampled_from([-9, 0, 40]),
    st.sampled_from([np.int16, np.float32]),
)
def test_a_mean_is_that_of_the_measured_pixels_of_its_box(stored, invalid, kind):
    boxes = stored.reshape(2, 4, 2, 4, 3).swapaxes(2, 3).reshape(2, 4, 4, 6).astype(float)
    measured = boxes != invalid
    count = measured.sum(-1)
    mean = np.where(measured, boxes, 0).sum(-1) / np.maximum(count, 1)
    image = resize(stored.astype(kind), (4, 4), smooth=True, invalid=invalid)
    assert image.dtype == kind
    assert (image[count < 3] == invalid).all()
    near = 0.51 if kind == np.int16 else 1e-4  # rounded
    np.testing.assert_allclose(image[count >= 3], mean[count >= 3], atol=near)


def test_proportions():
    stored = np.arange(8 * 16, dtype=np.float32).reshape(1, 8, 16)
    cut = Rule((4, 4), "crop")(stored)
    np.testing.assert_allclose(cut, Rule((4, 4))(stored[:, :, 4:12]))
    for fit in ("squeeze", "crop"):
        assert Rule((5, 9), fit)(stored).shape == (1, 5, 9)
    refused(lambda: Rule(fit="stretch"), "^fit: ", ConfigError)


RAMP = np.add.outer(5 * np.arange(H), 11 * np.arange(W)).astype(np.uint8)
PHOTO = Image.fromarray(np.stack([RAMP, 255 - RAMP, np.full_like(RAMP, 90)], 2))


def test_pixels_are_the_brightness_and_colours_that_a_person_is_shown(tmp_path):
    grey = DRAW.integers(0, 256, (H, W), np.uint8)
    indexed = Image.fromarray(grey // 64, "P")
    indexed.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7])
    PHOTO.convert("YCbCr").save(tmp_path / "y.tif", compression="jpeg")
    indexed.save(tmp_path / "palette.png")
    for name in ("palette.png", "y.tif"):
        with Image.open(tmp_path / name) as image:
            shown = planes(np.asarray(image.convert("RGB")))
        np.testing.assert_array_equal(read_pixels(tmp_path / name), shown)


NOT_SHOWN = {
    "white.tif": lambda f: tifffile.imwrite(f, pixels(), photometric="miniswhite"),
    "palette.tif": PHOTO.convert("P").save,
    "inks.tif": PHOTO.convert("CMYK").save,
    "inks.jpg": PHOTO.convert("CMYK").save,
    "luma.tif": PHOTO.convert("YCbCr").save,
    "four axes.npy": lambda f: np.save(f, np.zeros((2, 3, 4, 5))),
}


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_pixels_of_another_meaning_are_refused(tmp_path, name):
    NOT_SHOWN[name](tmp_path / name)
    refused(lambda: read_pixels(tmp_path / name), f"{name}: ")


@pytest.mark.parametrize(
    ("shape", "bands"),
    [
        *(((11, 11, 144), 144), ((144, 11, 11), 144), ((12, 16, 3), 3), ((3, 12, 16), 3)),
        *(((12, 16, 12), 12), ((1, 1, 50), 1), ((3, 1, 50), 3), ((1, 50), 1)),
    ],
)
def test_of_three_axes_the_odd_one_or_else_the_shortest_has_the_bands(tmp_path, shape, bands):
    stored = DRAW.random(shape).astype(np.float32)
    np.save(tmp_path / "a.npy", stored)
    found = read_pixels(tmp_path / "a.npy")
    last = len(shape) == 3 and (shape[2] == bands) and shape[0] != bands
    expected = np.moveaxis(stored, 2, 0) if last else stored.reshape(bands, *found.shape[1:])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("bands", [None, 3, 4, 13])
def test_bands_and_bit_depth_of_png_tiff_and_npy_are_kept(tmp_path, dtype, bands):
    image = pixels(bands, 200 if dtype != np.uint16 else 65536, dtype)
    names = ["a.tif", *["a.npy"] * (bands != 13), *["a.png"] * (bands in (None, 3))]
    for name in names if dtype != np.float32 else names[:2]:
        write(tmp_path / name, image)
        found = read_pixels(tmp_path / name)
        np.testing.assert_array_equal(found, planes(image), strict=True)
    tifffile.imwrite(tmp_path / "b.tif", planes(image), photometric="minisblack")  # plane by plane
    np.testing.assert_array_equal(read_pixels(tmp_path / "b.tif"), planes(image), strict=True)


@pytest.mark.parametrize("ending", [".png", ".tif", ".npy", ".jpg"])
def test_a_file_that_is_cut_off_or_no_image(tmp_path, ending):
    file = tmp_path / f"a{ending}"
    write(file, pixels(3, shape=(64, 64)))
    whole = file.read_bytes()
    cut = [whole[: int(share * len(whole))] for share in (0, 0.02, 0.2, 0.6, 0.95)]
    for content in (*cut, b"just a text, renamed\n"):
        file.write_bytes(content)
        refused(lambda: read_pixels(file), rf"a\{ending}: ")


def write_pages(file, *pages, kinds=(0, 0, 0)):
    """Images, and thumbnails where the kind is 1."""
    with tifffile.TiffWriter(file) as opened:
        for page, kind in zip(pages, kinds, strict=False):
            opened.write(page, subfiletype=kind, metadata=None)


def test_a_thumbnail_is_never_the_image(tmp_path):
    image, small = DRAW.integers(0, 9, (64, 64), np.uint8), np.zeros((16, 16), np.uint8)
    for pages, kinds in (((small, image), (1, 0)), ((image, small), (0, 1))):
        write_pages(tmp_path / "a.tif", *pages, kinds=kinds)
        np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif")[0], image)


def test_pages_of_one_shape_are_bands_and_other_pages_are_refused(tmp_path):
    pages, file = DRAW.integers(0, 9, (3, 8, 8)).astype(np.uint8), tmp_path / "a.tif"
    write_pages(file, *pages)
    np.testing.assert_array_equal(read_pixels(file), pages)
    for other in (pages[1].astype("u2"), pages[1, :4, :4]):
        write_pages(file, pages[0], other)
        refused(lambda: read_pixels(file), r"a\.tif: ")
    tifffile.imwrite(file, pages, metadata={"axes": "TYX"}, photometric="minisblack")
    refused(lambda: read_pixels(file), r"a\.tif: ")


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("bands", [2, 4])
def test_opacity_is_no_band(tmp_path, ending, bands):
    image, file = DRAW.integers(0, 255, (8, 8, bands), np.uint8), tmp_path / f"a{ending}"

    def write():
        if ending == ".png":
            writing.image(file, image)
        else:
            kind = "rgb" if bands == 4 else "minisblack"
            writing.tiff(file, planes(image), photometric=kind, extrasamples=["unassalpha"])

    write()
    refused(lambda: read_pixels(file), r"a\..*: ")
    image[..., -1] = 255
    write()
    np.testing.assert_array_equal(read_pixels(file), np.moveaxis(image, 2, 0)[:-1])


def write_geotiff(file, image, value):
    tags = [] if value is None else [(42113, "s", 0, value, True)]
    writing.tiff(file, image[None], extratags=tags)


@pytest.mark.parametrize("value", ["-9999", "nan", None])
def test_what_geotiffs_state_as_no_data_is_not_measured(tmp_path, value):
    image, hole = DRAW.random((8, 8)).astype(np.float32), -9999 if value == "-9999" else -32768
    image[:2, :2] = image[4, 4] = -9999 if value == "-9999" else np.nan
    for kind in "ab":
        write_geotiff(tmp_path / "height" / kind / "0.tif", image, value)
    for size, holes in ((None, 10), (4, 2)):
        height = read_folders(tmp_path, size=size).modalities["height"]
        assert (height.invalid, (height.x == hole).sum()) == (hole, holes)
    assert height.x[1, 0, 2, 2] == pytest.approx(image[[4, 5, 5], [5, 4, 5]].mean())
    own = read_folders(tmp_path, invalid={"height": -1}).modalities["height"]
    assert (own.invalid, (own.x == -1).sum()) == (-1, 10)


def test_two_values_of_no_data_are_refused_unless_one_is_stated(tmp_path):
    for kind, value in zip("ab", (0, 7), strict=True):
        image = np.array([[value, 3], [4, 5]], np.uint16)
        write_geotiff(tmp_path / "depth" / kind / "0.tif", image, str(value))
    refused(lambda: read_folders(tmp_path), "depth: ")
    depth = read_folders(tmp_path, invalid={"depth": 0}).modalities["depth"].x
    assert depth[:, 0, 0, 0].tolist() == [0, 0]


@pytest.mark.parametrize("share", [0.0002, 0.05])
def test_holes_of_float32_are_holes_in_float64(tmp_path, share):
    """Files that were float32 once hold -3.3999999521e38 where the tag says -3.4e38."""
    draw = np.random.default_rng(0)
    image = draw.normal(200, 20, (32, 32)).astype(np.float32)
    image[draw.random(image.shape) < share] = -3.4e38
    for sensor, kind in (("f32", np.float32), ("f64", np.float64)):
        for label in "ab":
            file = tmp_path / sensor / label / "0.tif"
            write_geotiff(file, image.astype(kind), "-3.4e+38")
    data = read_folders(tmp_path, size=8).modalities
    np.testing.assert_allclose(data["f64"].x, data["f32"].x, rtol=1e-5)
    assert data["f64"].x.min() > 100
    assert data["f64"].invalid == -3.4e38
    stored = np.repeat(image.astype(float)[None, None], 2, 0)  # as a person's own array
    bounds = Normalization.fit(stored, invalid=-3.4e38)
    assert bounds.low[0] > 100
    np.testing.assert_array_equal(bounds(stored)[0, 0] == 0, image < 0)


def test_a_no_data_text_that_is_no_number_is_named(tmp_path):
    write_geotiff(tmp_path / "height/a/0.tif", np.ones((4, 4), np.float32), "none")
    refused(lambda: read_folders(tmp_path), "height/a/0.tif: states 'none' as no data")


def test_infinity_that_is_stated_as_no_data_is_a_hole_and_else_is_refused(tmp_path):
    image = np.ones((4, 4), np.float32)
    image[0, 0] = -np.inf
    for kind in "ab":
        write_geotiff(tmp_path / "height" / kind / "0.tif", image, "-inf")
    height = read_folders(tmp_path).modalities["height"]
    assert (height.invalid, height.x[0, 0, 0, 0]) == (-32768, -32768)
    write_geotiff(tmp_path / "height/b/0.tif", image, None)
    refused(lambda: read_folders(tmp_path), "height/b/0.tif: ")


def test_a_mean_far_from_zero_keeps_its_digits():
    """Of 10⁹ ± 30, float32 keeps three levels."""
    stored = 1e9 + np.random.default_rng(0).uniform(-30, 30, (1, 8, 8))
    means = stored.reshape(1, 4, 2, 4, 2).mean((2, 4))
    np.testing.assert_allclose(resize(stored, (4, 4), smooth=True), means, rtol=0, atol=1e-4)
    rounded = resize(stored.round().astype(np.int64), (4, 4), smooth=True)
    np.testing.assert_allclose(rounded, means, rtol=0, atol=1.1)
