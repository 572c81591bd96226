"""Deployment: the file answers as the trained branch does, or it is not written; of maps no seam
shows, and each pixel is in its place."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import tifffile
import torch

from discom import cli, data, deployment, fit, profile
from discom.data.images import find_images
from discom.deployment import Contract, Model, export, load, predict, segment, segment_files
from discom.errors import ConfigError, DataError, RunError
from discom.running.runs import Result, load_run


@pytest.fixture(scope="module")
def source():
    """RGB from 0 to 255, depth in millimetres where 0 is a hole, as a camera stores them."""
    scenes = data.load("scenes:n=99,size=8,shapes=2,materials=2")
    rgb, depth = scenes.modalities["rgb"], scenes.modalities["depth"]
    levels = (255 * rgb.x).round().astype(np.uint8)
    millimetres = np.where(depth.x == 0, 0, 1000 + 7000 * depth.x).astype(np.uint16)
    depth = replace(depth, x=millimetres, unit="mm", invalid=0.0)
    modalities = {"rgb": replace(rgb, x=levels), "depth": depth}
    return replace(scenes, modalities=modalities, name="camera")


@pytest.fixture(scope="module")
def split(source):
    return source.split(seed=0)


@pytest.fixture(scope="module")
def run(split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "0-0123456789"
    fit("student", split, profile("tiny", epochs=2), folder, progress=False)
    return folder


@pytest.fixture(scope="module")
def exported(run, split, tmp_path_factory):
    """The exported depth branch, and what export returned; not to be changed."""
    folder = tmp_path_factory.mktemp("exported") / "depth"
    return folder, export(run, split, "depth", folder)


@pytest.fixture(scope="module")
def branch(run, split):
    return load_run(run, split, "depth")[0].branch("depth").eval()


# ---------------------------------------------------------------- what is written


@pytest.mark.parametrize("count", [1, 7])
def test_the_file_answers_as_the_trained_branch_on_raw_images(exported, split, branch, count):
    rng = np.random.default_rng(count)
    images = rng.uniform(-5000, 40_000, (count, 1, 8, 8)).astype(np.float32)  # also out of bounds
    images[rng.random(images.shape) < 0.3] = 0  # holes
    logits, probabilities = load(exported[0]).answer(images)
    with torch.inference_mode():
        expected = branch(torch.from_numpy(split.train.normalization["depth"](images)))
    np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(probabilities, expected.softmax(1).numpy(), atol=1e-5)
    assert np.ptp(load(exported[0]).answer(split.test.modalities["depth"].x[:].astype("f4"))[0]) > 0


def test_export_reports_contract_and_agreement(exported, run, split, branch):
    folder, report = exported
    result, bounds = Result.read(run / "result.json"), split.train.normalization["depth"]
    assert sorted(file.name for file in folder.iterdir()) == ["contract.json", "model.onnx"]
    assert report.difference <= 1e-4
    assert report.images == len(split.test.modalities["depth"].x)
    assert report.parameters == result.parameters["depth"]
    assert report.bytes == (folder / "model.onnx").stat().st_size
    for name, value in report.scores.items():  # the run, too, was in float32
        assert value == pytest.approx(result.scores["depth"][name], abs=1e-3)
    contract = load(folder / "model.onnx").contract
    assert contract == report.contract == load(folder).contract
    assert contract.run == f"camera/student/0-{result.hash}"
    assert (contract.modality, contract.unit, contract.shape) == ("depth", "mm", (1, 8, 8))
    assert contract.classes == ("disk/wood", "disk/metal", "square/wood", "square/metal")
    assert (contract.invalid, contract.low, contract.high) == (0, (*bounds.low,), (*bounds.high,))
    assert json.loads((folder / "contract.json").read_text())["scores"] == report.scores


# ---------------------------------------------------------------- what is not written


@pytest.mark.parametrize(
    "change",
    [lambda z: z + 0.01, lambda z: np.roll(z, 1, axis=1), lambda z: z * np.nan],
    ids=["shifted", "classes exchanged", "not a number"],
)
def test_a_wrong_copy_leaves_nothing(run, split, exported, tmp_path, monkeypatch, change):
    model, file = load(exported[0]), exported[0] / "model.onnx"
    wrong = model._replace(answer=lambda images: (change(model.answer(images)[0]), None))
    monkeypatch.setattr(deployment, "_write", lambda *given: shutil.copy(file, given[2]))
    monkeypatch.setattr(deployment, "load", lambda folder: wrong)
    with pytest.raises(RunError, match=r"model\.onnx: logits differ .* nothing was written"):
        export(run, split, "depth", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("networks", "branches"),
    [(("rgb", "depth"), "rgb or depth"), (("rgb+depth",), "none that reads one sensor")],
)
def test_a_branch_that_the_run_lacks(run, split, tmp_path, monkeypatch, networks, branches):
    result = replace(Result.read(run / "result.json"), scores=dict.fromkeys(networks))
    monkeypatch.setattr(Result, "read", lambda file: result)
    with pytest.raises(ConfigError, match=f"thermal is not in student; it has {branches}$"):
        export(run, split, "thermal", tmp_path / "out")


@pytest.mark.parametrize("package", ["onnxscript", "onnxruntime"])
def test_a_package_that_is_not_installed(run, split, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"^{package}: is not installed; .*\.\[deploy\]"):
        export(run, split, "depth", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- use


def forged(file: Path, **changes) -> bytes:
    """An exported model whose contract has other values, or where they are None no such field."""
    model = onnx.load(file)
    (text,) = model.metadata_props
    fields = json.loads(text.value) | changes
    text.value = json.dumps({key: value for key, value in fields.items() if value is not None})
    return model.SerializeToString()


FAULTY = {
    "cut short": lambda file: file.read_bytes()[:5000],
    "of somebody else": partial(forged, run=None, modality=None, classes=None, shape=None),
    "one class too few": partial(forged, classes=["a", "b", "c"]),
    "another shape": partial(forged, shape=[3, 8, 8]),
    "a stride of whole images": partial(forged, stride=4),
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_is_not_ours_is_refused(exported, tmp_path, name, capfd):
    with pytest.raises(DataError, match=r"model\.onnx: no such file; write it with: discom export"):
        load(tmp_path)
    (tmp_path / "model.onnx").write_bytes(FAULTY[name](exported[0] / "model.onnx"))
    found = r"not by discom export, or by another version \(.+\); export the run again"
    with pytest.raises(DataError, match=rf"^{tmp_path}/model\.onnx: {found}$"):
        load(tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def images(split, tmp_path):
    """Three depth images as files, and their pixels."""
    pixels = split.test.modalities["depth"].x[:3]
    for name, image in zip("cab", pixels, strict=True):
        np.save(tmp_path / f"{name}.npy", image)
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path, pixels[[1, 2, 0]].astype(np.float32)


@pytest.mark.parametrize(("name", "found"), [(".", "no image"), ("nowhere", "no such file")])
def test_no_image_is_one_line(tmp_path, name, found):
    with pytest.raises(DataError, match=found):
        find_images([tmp_path / name])


def test_every_image_has_the_models_answer_and_csv_says_the_same(exported, images, capsys):
    folder, pixels = images
    model, files = load(exported[0]), find_images([folder])
    answers = predict(model, files)
    classes, expected = model.contract.classes, model.answer(pixels)[1]
    assert answers["file"].tolist() == [str(file) for file in files]
    shares = answers[[f"p({name})" for name in classes]].to_numpy()
    np.testing.assert_allclose(shares, expected, atol=1e-6)
    assert answers["class"].tolist() == [classes[best] for best in expected.argmax(1)]
    assert answers["probability"].tolist() == shares.max(1).tolist()
    out = str(folder / "answers.csv")
    assert cli.main(["predict", str(exported[0]), str(folder)]) == 0
    assert capsys.readouterr().out == answers.to_csv(index=False)
    assert cli.main(["predict", str(exported[0]), str(folder), "--out", out]) == 0
    assert Path(out).read_text() == answers.to_csv(index=False)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((16, 8)), r"width \(1, 16, 8\), the model reads \(1, 8, 8\) of depth; convert"),
        (np.full((8, 8), np.nan), "holds nan"),
    ],
)
def test_one_bad_image_refuses_all_by_its_name(exported, images, pixels, message):
    folder, _ = images
    np.save(folder / "bad.npy", pixels)
    with pytest.raises(DataError, match=rf"bad\.npy: .*{message}"):
        predict(load(exported[0]), [folder / "a.npy", folder / "bad.npy"])


def test_use_needs_no_torch(exported, images):
    code = (
        "import sys, pathlib\nfrom discom.data.images import find_images\n"
        "from discom.deployment import load, predict\n"
        "print(len(predict(load(sys.argv[1]), find_images([pathlib.Path(sys.argv[2])]))))\n"
        "print([name for name in ('torch', 'onnx', 'sklearn') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, exported[0], images[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["3", "[]"]


# ---------------------------------------------------------------- maps

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
