"""Maps of whole images: no seam shows, each pixel is in its place, and so is the map."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from discom import cli, data, fit, profile
from discom.deployment import Contract, Model, Sensor, load
from discom.errors import ConfigError, DataError
from discom.prediction import segment, segment_files

SENSOR = Sensor("rgb", (2, 8, 8))
CONTRACT = Contract("scenes-dense/single/0-0", "rgb", ("a", "b", "c"), (SENSOR,), stride=4)


def reads_each_pixel(images):
    """Logits of three classes that depend on that pixel alone: 3·first band, second band, 1."""
    logits = np.stack([3 * images[:, 0], images[:, 1], np.ones_like(images[:, 0])], 1)
    return logits, logits


def counts_rows(images):
    """The first class in the upper half of a tile: an answer that depends on the tile."""
    rows = np.broadcast_to(np.arange(images.shape[2])[:, None], images[:, 0].shape)
    logits = np.stack([images.shape[2] / 2 - rows, 0 * rows, 0 * rows - 1e6], 1)
    return logits, logits


@pytest.mark.parametrize("tile", [4, 8, 12, 64])
@pytest.mark.parametrize("size", [(8, 8), (9, 31), (40, 7), (1, 1)])
def test_no_seam_shows_and_every_pixel_is_in_its_place(tile, size):
    image = np.random.default_rng(tile).normal(size=(2, *size)).astype(np.float32)
    ids = segment(Model(CONTRACT, reads_each_pixel), [image], tile)
    expected = reads_each_pixel(image[None])[0][0].argmax(0)
    assert ids.dtype == np.uint8
    assert np.array_equal(ids, expected)


def test_the_middle_of_a_tile_counts_more_than_its_border():
    """Rows 4 to 7 lie in the lower half of the first tile and the upper half of the second. The
    weights there fall from 4 to 1 and rise from 1 to 4, logits are 0 … -3 and 4 … 1: the first
    class leads by -4·0 + 1·4, -3·1 + 2·3, -2·2 + 3·2 and -1·3 + 4·1, all above 0. In row 8 both
    classes are equal, and the first is named."""
    ids = segment(Model(CONTRACT, counts_rows), [np.zeros((2, 12, 8), np.float32)], 8)
    assert ids[:, 0].tolist() == [0] * 8 + [0] + [1] * 3


GEO = {
    33550: (12, 3, (30.0, 30.0, 0.0)),
    33922: (12, 6, (0.0, 0.0, 0.0, 5e5, 4e6, 0.0)),
    34735: (3, 8, (1, 1, 0, 1, 1024, 0, 1, 1)),
}
MODEL = Model(replace(CONTRACT, classes=("forêt", "b", "c")), reads_each_pixel)


def mapped(folder, image, tags):
    """The pixels of a TIFF's map, its description, and its tags of place and no data."""
    extra = [(code, *values, True) for code, values in tags.items()]
    tifffile.imwrite(folder / "a.tif", image, extratags=extra, planarconfig="separate")
    list(segment_files(MODEL, [folder / "a.tif"], folder / "maps", 8))
    with tifffile.TiffFile(folder / "maps/a.tif") as tiff:
        page = tiff.pages.first
        found = {tag.code: tag.value for tag in page.tags if tag.code in {*GEO, 42113}}
        return page.asarray(), page.description, found


@pytest.mark.parametrize("tags", [GEO, {}], ids=["placed", "without a place"])
def test_the_map_of_a_geotiff_lies_where_the_image_does(tmp_path, tags):
    image = np.random.default_rng(0).normal(size=(2, 20, 9)).astype(np.float32)
    ids, description, found = mapped(tmp_path, image, tags)
    assert np.array_equal(ids, segment(MODEL, [image], 8))
    assert description == "0 forêt, 1 b, 2 c"
    assert found == {code: values[-1] for code, values in tags.items()}


@pytest.mark.parametrize(
    ("value", "tag"), [(-9999, "-9999"), (-9999, None), (np.nan, None)], ids=["tag", "none", "nan"]
)
def test_pixels_without_data_are_no_class(tmp_path, value, tag):
    image = np.random.default_rng(0).normal(size=(2, 20, 9)).astype(np.float32)
    image[:, 3:7, 2:5], image[0, 15, 8] = value, value  # the last in one band alone
    ids, _, found = mapped(tmp_path, image, {42113: (2, 0, tag)} if tag else {})
    expected = segment(MODEL, [image], 8)  # where no tag says so, an ordinary value
    if absent := tag or np.isnan(value):
        filled = np.where((image == -9999) | np.isnan(image), 0, image)
        expected = segment(MODEL, [filled], 8)
        expected[3:7, 2:5] = 255
    assert np.array_equal(ids, expected)
    assert found == ({42113: "255"} if absent else {})


def test_unmeasured_pixels_are_read_as_the_contracts_invalid(tmp_path):
    """5 in the first band: the first class, which 0 would not be."""
    sensor = replace(SENSOR, invalid=5.0)
    model = Model(replace(CONTRACT, sensors=(sensor,)), reads_each_pixel)
    image = np.full((2, 8, 8), 2, np.float32)
    image[0, 1, 1], image[0, 2, 2] = np.nan, 0
    tifffile.imwrite(tmp_path / "a.tif", image, planarconfig="separate")
    list(segment_files(model, [tmp_path / "a.tif"], tmp_path / "maps", 8))
    assert tifffile.imread(tmp_path / "maps/a.tif")[[1, 2], [1, 2]].tolist() == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["single", "single-2x", "dense-teacher"])
def test_from_a_run_to_the_map_of_a_larger_image(method, tmp_path, capsys):
    name = "scenes-dense:n=20,size=16"
    source, options = data.load(name), {"reads": "depth"} if method == "dense-teacher" else {}
    config = profile("tiny", dense=True, epochs=1, options=options)
    fit(method, source.split(seed=0), config, tmp_path / "runs/a", progress=False)
    words = ["export", str(tmp_path / "runs"), "--data", name, "--out", str(tmp_path / "depth")]
    assert cli.main([*words, "--modality", "depth"]) == 0
    assert "logits of 8 images differ by" in capsys.readouterr().out
    assert load(tmp_path / "depth").contract.stride == 8
    image = source.modalities["depth"].x[:4, 0].reshape(64, 16)[:50]
    tifffile.imwrite(tmp_path / "image.tif", image)
    words = ["predict", str(tmp_path / "depth"), str(tmp_path / "image.tif"), "--tile", "16"]
    assert cli.main([*words, "--out", str(tmp_path / "maps")]) == 0
    ids = tifffile.imread(tmp_path / "maps" / "image.tif")
    assert np.array_equal(ids, segment(load(tmp_path / "depth"), [image[None]], 16))
    assert capsys.readouterr().out.strip().endswith("image.tif: 50×16 pixels")
    assert cli.main(words) == 2
    assert "--out: maps need a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "method", ["dense-teacher", pytest.param("crodino", marks=pytest.mark.slow)]
)
def test_a_map_of_both_sensors(method, tmp_path, capsys):
    name, config = "scenes-dense:n=20,size=16", profile("tiny", dense=True, epochs=1)
    source = data.load(name)
    fit(method, source.split(seed=0), config, tmp_path / "run", progress=False)
    words = ["export", str(tmp_path / "run"), "--data", name, "--out", str(tmp_path / "model")]
    assert cli.main([*words, "--modality", "rgb+depth"]) == 0
    images = []
    for sensor in ("rgb", "depth"):
        whole = source.modalities[sensor].x[:3]
        images.append(np.concatenate([*whole], 1)[:, :41])
        (tmp_path / "new" / sensor).mkdir(parents=True)
        np.save(tmp_path / "new" / sensor / "a.npy", images[-1])
    words = ["predict", str(tmp_path / "model"), str(tmp_path / "new"), "--tile", "16"]
    assert cli.main([*words, "--out", str(tmp_path / "maps")]) == 0
    ids, model = tifffile.imread(tmp_path / "maps/a.tif"), load(tmp_path / "model")
    assert model.contract.stride == 8
    assert np.array_equal(ids, segment(model, images, 16))
    logits = model.answer(*(each[None, :, :16].astype("f4") for each in images))[0][0]
    assert np.array_equal(segment(model, [each[:, :16] for each in images], 16), logits.argmax(0))
    np.save(tmp_path / "new/depth/a.npy", images[1][:, :40])
    capsys.readouterr()
    assert cli.main([*words, "--out", str(tmp_path / "maps")]) == 2
    assert "depth/a.npy: has 40×16 pixels, depth needs 41×16" in capsys.readouterr().err


def test_what_cannot_be_mapped_is_refused():
    image, model = np.zeros((2, 8, 8), np.float32), Model(CONTRACT, reads_each_pixel)
    whole = Model(replace(CONTRACT, stride=0), reads_each_pixel)
    with pytest.raises(ConfigError, match=r"^--tile: the model names one class for each image"):
        segment(whole, [image], 8)
    for tile in (0, 6):
        with pytest.raises(ConfigError, match=f"^--tile: {tile} pixels .* multiple of 4"):
            segment(model, [image], tile)
    with pytest.raises(DataError, match=r"has 1 band\(s\), rgb has 2"):
        segment(model, [image[:1]], 8)


def test_maps_never_replace_images_and_a_bad_image_is_named(tmp_path):
    images = tmp_path / "pics"
    images.mkdir()
    for name, bands in (("a", 2), ("b", 1)):
        tifffile.imwrite(images / f"{name}.tif", np.zeros((bands, 8, 8), np.float32))
    files = sorted(images.iterdir())
    before = files[0].read_bytes()
    with pytest.raises(ConfigError, match="pics holds some of the images; name another folder"):
        list(segment_files(MODEL, files, images, 8))
    assert files[0].read_bytes() == before
    with pytest.raises(DataError, match=r"pics/b\.tif: has 1 band\(s\), rgb has 2"):
        list(segment_files(MODEL, files, tmp_path / "maps", 8))
    (other := tmp_path / "a.tif").write_bytes(before)
    with pytest.raises(ConfigError, match="two images of one name would share a map"):
        list(segment_files(MODEL, [files[0], other], tmp_path / "maps", 8))
