"""Maps of whole images: no seam shows, and each pixel is in its place."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from discom import cli, data, fit, profile
from discom.deployment import Contract, Model, load, segment, segment_files
from discom.errors import ConfigError, DataError

CONTRACT = Contract("scenes-dense/single/0-0", "rgb", ("a", "b", "c"), (2, 8, 8), stride=4)


def reads_each_pixel(images):
    """Logits of three classes that depend on that pixel alone: 3·first band, second band, 1."""
    logits = np.stack([3 * images[:, 0], images[:, 1], np.ones_like(images[:, 0])], 1)
    return logits, logits


def counts_rows(images):
    """The first class in the upper half of a tile: an answer that depends on the tile."""
    rows = np.broadcast_to(np.arange(images.shape[2])[:, None], images[:, 0].shape)
    logits = np.stack([images.shape[2] / 2 - rows, 0 * rows, 0 * rows - 1e6], 1)
    return logits, logits


@pytest.mark.parametrize("tile", [4, 12, 64])
@pytest.mark.parametrize("size", [(9, 31), (40, 7), (1, 1)])
def test_no_seam_shows_and_every_pixel_is_in_its_place(tile, size):
    image = np.random.default_rng(tile).normal(size=(2, *size)).astype(np.float32)
    ids = segment(Model(CONTRACT, reads_each_pixel), image, tile)
    expected = reads_each_pixel(image[None])[0][0].argmax(0)
    assert ids.dtype == np.uint8
    assert np.array_equal(ids, expected)


def test_the_middle_of_a_tile_counts_more_than_its_border():
    """Rows 4 to 7 lie in the lower half of the first tile and the upper half of the second. The
    weights there fall from 4 to 1 and rise from 1 to 4, logits are 0 … -3 and 4 … 1: the first
    class leads by -4·0 + 1·4, -3·1 + 2·3, -2·2 + 3·2 and -1·3 + 4·1, all above 0. In row 8 both
    classes are equal, and the first is named."""
    ids = segment(Model(CONTRACT, counts_rows), np.zeros((2, 12, 8), np.float32), 8)
    assert ids[:, 0].tolist() == [0] * 8 + [0] + [1] * 3


@pytest.mark.parametrize("method", ["single", "dense-teacher"])
def test_from_a_run_to_the_map_of_a_larger_image(method, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
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
    assert cli.main(["predict", "depth", "image.tif", "--tile", "16"]) == 0
    with tifffile.TiffFile(tmp_path / "maps/image.tif") as written:
        description, ids = written.pages.first.description, written.asarray()
    assert description.startswith(f"0 {source.classes[0]}, 1 ")
    assert np.array_equal(ids, segment(load(tmp_path / "depth"), image[None], 16))
    assert capsys.readouterr().out.strip().endswith("image.tif: 50×16 pixels")


def test_what_cannot_be_mapped_is_refused():
    image, model = np.zeros((2, 8, 8), np.float32), Model(CONTRACT, reads_each_pixel)
    whole = Model(replace(CONTRACT, stride=0), reads_each_pixel)
    with pytest.raises(ConfigError, match=r"^--tile: the model names one class for each image"):
        segment(whole, image, 8)
    for tile in (0, 6):
        with pytest.raises(ConfigError, match=f"^--tile: {tile} pixels .* multiple of 4"):
            segment(model, image, tile)
    with pytest.raises(DataError, match="has 1 bands, the model reads 2 of rgb"):
        segment(model, image[:1], 8)


def test_maps_never_replace_images_and_a_bad_image_is_named(tmp_path):
    images, model = tmp_path / "pics", Model(CONTRACT, reads_each_pixel)
    images.mkdir()
    for name, bands in (("a", 2), ("b", 1)):
        tifffile.imwrite(images / f"{name}.tif", np.zeros((bands, 8, 8), np.float32))
    files = sorted(images.iterdir())
    before = files[0].read_bytes()
    with pytest.raises(ConfigError, match="pics holds some of the images; name another folder"):
        list(segment_files(model, files, images, 8))
    assert files[0].read_bytes() == before
    with pytest.raises(DataError, match=r"pics/b\.tif: has 1 bands, the model reads 2 of rgb"):
        list(segment_files(model, files, tmp_path / "maps", 8))
    with pytest.raises(ConfigError, match="two images of one name would share a map"):
        list(segment_files(model, [files[0], tmp_path / "a.png"], tmp_path / "maps", 8))
