"""Deployment: the file answers as the trained branch does, or it is not written."""

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
import torch

from discom import cli, data, deployment, fit, profile
from discom.data.images import find_images
from discom.deployment import export, load, predict
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
    written = json.loads((folder / "contract.json").read_text())
    assert written["contract"]["classes"] == list(contract.classes)
    assert written["scores"] == report.scores


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
