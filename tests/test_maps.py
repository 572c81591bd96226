"""Maps: the class of every pixel of images of any size, each pixel in its place."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from fixtures.refusal import refused

from discom import cli, data, fit, profile
from discom.deployment import Contract, Model, Sensor, load
from discom.errors import ConfigError, DataError
from discom.prediction import segment

SENSOR = Sensor("rgb", (2, 8, 8))
CONTRACT = Contract("scenes-dense/single/0-0", "rgb", ("forêt", "b", "c"), (SENSOR,), stride=4)


def reads_each_pixel(images):
    """Logits of three classes that depend on that pixel alone: 3·first band, second band, 1."""
    logits = np.stack([3 * images[:, 0], images[:, 1], np.ones_like(images[:, 0])], 1)
    return logits, logits


MODEL = Model(CONTRACT, reads_each_pixel)


def mapped(folder, image, model=MODEL, tags=()):
    """The pixels of a TIFF's map and its description."""
    tifffile.imwrite(folder / "a.tif", image, extratags=tags, planarconfig="separate")
    assert dict(segment(model, [folder / "a.tif"], folder / "maps")).popitem()[1] == image.shape[1:]
    with tifffile.TiffFile(folder / "maps/a.tif") as tiff:
        return tiff.pages.first.asarray(), tiff.pages.first.description


@pytest.mark.parametrize("size", [(8, 8), (40, 4)])
def test_every_pixel_is_in_its_place(tmp_path, size):
    image = np.random.default_rng(0).normal(size=(2, *size)).astype(np.float32)
    ids, description = mapped(tmp_path, image)
    assert np.array_equal(ids, reads_each_pixel(image[None])[0][0].argmax(0))
    assert description == "0 forêt, 1 b, 2 c"


@pytest.mark.parametrize(
    ("value", "tag"), [(-9999, "-9999"), (-9999, None), (np.nan, None)], ids=["tag", "none", "nan"]
)
def test_pixels_without_data_are_no_class(tmp_path, value, tag):
    image = np.random.default_rng(0).normal(size=(2, 20, 8)).astype(np.float32)
    image[:, 3:7, 2:5], image[0, 15, 7] = value, value  # the last in one band alone
    ids, _ = mapped(tmp_path, image, tags=[(42113, "s", 0, tag, True)] if tag else [])
    known = image  # where no tag says so, an ordinary value
    if absent := tag or np.isnan(value):
        known = np.where((image == -9999) | np.isnan(image), 0, image)
    expected = reads_each_pixel(known[None])[0][0].argmax(0)
    if absent:
        expected[3:7, 2:5] = 255
    assert np.array_equal(ids, expected)


def test_unmeasured_pixels_are_read_as_the_contracts_invalid(tmp_path):
    """5 in the first band: the first class, which 0 would not be."""
    model = Model(replace(CONTRACT, sensors=(replace(SENSOR, invalid=5.0),)), reads_each_pixel)
    image = np.full((2, 8, 8), 2, np.float32)
    image[0, 1, 1], image[0, 2, 2] = np.nan, 0
    assert mapped(tmp_path, image, model)[0][[1, 2], [1, 2]].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("method", "network"),
    [
        ("dense-teacher", "rgb+depth"),
        pytest.param("single", "depth", marks=pytest.mark.slow),
        pytest.param("single-2x", "depth", marks=pytest.mark.slow),
        pytest.param("crodino", "rgb+depth", marks=pytest.mark.slow),
    ],
)
def test_from_a_run_to_the_map_of_a_larger_image(method, network, tmp_path, capsys):
    name, config = "scenes-dense:n=20,size=16", profile("tiny", dense=True, epochs=1)
    source = data.load(name)
    fit(method, source.split(seed=0), config, tmp_path / "run", progress=False)
    words = ["export", str(tmp_path / "run"), "--data", name, "--out", str(tmp_path / "model")]
    assert cli.main([*words, "--modality", network]) == 0
    images = []
    for sensor in network.split("+"):
        images.append(np.concatenate([*source.modalities[sensor].x[:3]], 1)[:, :40])
        (tmp_path / "new" / sensor).mkdir(parents=True)
        np.save(tmp_path / "new" / sensor / "a.npy", images[-1])
    words = ["predict", str(tmp_path / "model"), str(tmp_path / "new")]
    assert cli.main([*words, "--out", str(tmp_path / "maps")]) == 0
    assert capsys.readouterr().out.strip().endswith("a.tif: 40×16 pixels")
    model = load(tmp_path / "model")
    assert model.contract.stride == 8
    logits = model.answer(*(each[None].astype("f4") for each in images))[0][0]
    assert np.array_equal(tifffile.imread(tmp_path / "maps/a.tif"), logits.argmax(0))
    assert cli.main(words) == 2
    assert "--out: maps need a folder" in capsys.readouterr().err


def test_maps_never_replace_images_and_a_bad_image_is_named(tmp_path):
    images = tmp_path / "pics"
    images.mkdir()
    for name, shape in (("a", (2, 8, 8)), ("b", (1, 8, 8)), ("c", (2, 9, 8))):
        tifffile.imwrite(images / f"{name}.tif", np.zeros(shape, np.float32))
    files = sorted(images.iterdir())
    before = files[0].read_bytes()

    def attempt(paths, out="maps"):
        return lambda: list(segment(MODEL, paths, tmp_path / out))

    refused(attempt(files, "pics"), "pics holds some of the images; name another", ConfigError)
    assert files[0].read_bytes() == before
    refused(attempt(files[1:2]), r"pics/b\.tif: has 1 band\(s\), rgb has 2", DataError)
    refused(attempt(files[2:]), r"pics/c\.tif: 9×8 pixels are no multiples of 4; crop", DataError)
    (other := tmp_path / "a.tif").write_bytes(before)
    refused(attempt([files[0], other]), "two images of one name would share a map", ConfigError)
