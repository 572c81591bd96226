"""Deployment: the file answers as the trained branch does, or it is not written."""

import io
import json
import shutil
import subprocess
import sys
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import tifffile
import torch
from onnx import TensorProto, helper

from discom import cli, data, deployment, fit, profile
from discom.data.images import Rule, find_images
from discom.deployment import export, load
from discom.errors import ConfigError, DataError, RunError
from discom.prediction import predict
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
    (sensor,) = contract.sensors
    assert (contract.network, sensor.name, sensor.unit) == ("depth", "depth", "mm")
    assert (sensor.shape, sensor.rule) == ((1, 8, 8), Rule())
    assert contract.classes == ("disk/wood", "disk/metal", "square/wood", "square/metal")
    assert (sensor.invalid, sensor.low, sensor.high) == (0, (*bounds.low,), (*bounds.high,))
    written = json.loads((folder / "contract.json").read_text())
    assert written["contract"]["classes"] == list(contract.classes)
    assert written["scores"] == report.scores


# ---------------------------------------------------------------- what is not written


def answers(change):
    """A loader of the file whose logits are changed."""

    def wrong(path):
        model = load(path)
        return model._replace(answer=lambda images: (change(model.answer(images)[0]), None))

    return wrong


@pytest.mark.parametrize(
    "change",
    [lambda z: z + 0.01, lambda z: np.roll(z, 1, axis=1), lambda z: z * np.nan],
    ids=["shifted", "classes exchanged", "not a number"],
)
def test_a_wrong_copy_leaves_nothing(run, split, exported, tmp_path, monkeypatch, change):
    copy = lambda branch, contract, file: shutil.copy(exported[0] / "model.onnx", file)  # noqa: E731
    monkeypatch.setattr(deployment, "_write", copy)
    monkeypatch.setattr(deployment, "load", answers(change))
    with pytest.raises(RunError, match=r"model\.onnx: logits differ .* nothing was written"):
        export(run, split, "depth", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("networks", "modality", "message"),
    [
        (("rgb", "depth"), "thermal", "student has no network thermal; choose rgb or depth"),
        (("rgb", "depth"), None, "--modality: is missing; choose rgb or depth"),
        (("rgb+depth",), "rgb", r"student has no network rgb; choose rgb\+depth"),
    ],
)
def test_a_branch_that_the_run_lacks(
    run, split, tmp_path, monkeypatch, networks, modality, message
):
    result = replace(Result.read(run / "result.json"), scores=dict.fromkeys(networks))
    monkeypatch.setattr(Result, "read", lambda file: result)
    with pytest.raises(ConfigError, match=message):
        export(run, split, modality, tmp_path / "out")


@pytest.mark.parametrize("package", ["onnxscript", "onnxruntime"])
def test_a_package_that_is_not_installed(run, split, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"^{package}: is not installed; .*\.\[deploy\]"):
        export(run, split, "depth", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- use


def stranger() -> bytes:
    """A valid ONNX model of somebody else."""
    values = [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["B"]) for k in ("images", "y")]
    node = helper.make_node("Relu", ["images"], ["y"])
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    return helper.make_model(graph).SerializeToString()


def forged(file: Path, shape=(1, 8, 8), **changes) -> bytes:
    """An exported model whose contract has other values, or where they are None no such field."""
    model = onnx.load(file)
    (text,) = model.metadata_props
    fields = json.loads(text.value) | changes
    if fields["sensors"]:
        fields["sensors"][0]["shape"] = shape
    text.value = json.dumps({key: value for key, value in fields.items() if value is not None})
    return model.SerializeToString()


FAULTY = {
    "of somebody else": lambda file: stranger(),
    "cut short": lambda file: file.read_bytes()[:5000],
    "of a newer version": partial(forged, mood="good"),
    "without a field": partial(forged, classes=None),
    "one class too few": partial(forged, classes=["a", "b", "c"]),
    "classes of another type": partial(forged, classes="abcd"),
    "another shape": partial(forged, shape=[3, 8, 8]),
    "a stride of whole images": partial(forged, stride=4),
    "of an older version": partial(forged, sensors=None, modality="depth", low=[0.0]),
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_is_not_ours_is_refused(exported, tmp_path, name, capfd):
    (tmp_path / "model.onnx").write_bytes(FAULTY[name](exported[0] / "model.onnx"))
    found = r"not by discom export, or by another version \(.+\); export the run again"
    with pytest.raises(DataError, match=rf"^{tmp_path}/model\.onnx: {found}$"):
        load(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_no_file_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"model\.onnx: no such file; write it with: discom export"):
        load(tmp_path)


@pytest.fixture
def images(split, tmp_path):
    """Three depth images as files, and their pixels."""
    pixels = split.test.modalities["depth"].x[:3]
    for name, image in zip("cab", pixels, strict=True):
        np.save(tmp_path / f"{name}.npy", image)
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path, pixels[[1, 2, 0]].astype(np.float32)


def test_images_are_found_in_folders(images, tmp_path):
    folder, _ = images
    files = [folder / name for name in ("a.npy", "b.npy", "c.npy")]
    assert find_images([folder]) == files
    assert find_images([files[2], folder]) == [files[2], *files]
    (tmp_path / "empty").mkdir()
    for name, message in (("empty", "no image"), ("nowhere", "no such file or folder")):
        with pytest.raises(DataError, match=message):
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


BAD = {
    "larger": (np.zeros((16, 8)), "has 16×8 pixels, depth needs 8×8; convert it"),
    "colour": (np.zeros((8, 8, 3)), r"has 3 band\(s\), depth has 1; give an image of this sensor"),
    "endless": (np.full((8, 8), np.inf), "holds inf"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_image_refuses_all_by_its_name(exported, images, name):
    folder, _ = images
    pixels, message = BAD[name]
    np.save(folder / f"{name}.npy", pixels)
    model = load(exported[0])
    if name == "nan":  # a hole, unless the contract has no value for one
        (sensor,) = model.contract.sensors
        sensors = (replace(sensor, invalid=None),)
        model = model._replace(contract=replace(model.contract, sensors=sensors))
    with pytest.raises(DataError, match=rf"{name}\.npy: .*{message}"):
        predict(model, [folder / "a.npy", folder / f"{name}.npy"])


def test_use_needs_no_torch(exported, images):
    code = (
        "import sys, pathlib\nfrom discom.data.images import find_images\n"
        "from discom.deployment import load\nfrom discom.prediction import predict\n"
        "print(len(predict(load(sys.argv[1]), find_images([pathlib.Path(sys.argv[2])]))))\n"
        "print([name for name in ('torch', 'onnx', 'sklearn') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, exported[0], images[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["3", "[]"]


# ---------------------------------------------------------------- several sensors


@pytest.fixture(scope="module")
def fused(split, tmp_path_factory):
    """The exported teacher of both sensors, what it answers to scaled pairs, and its folder."""
    folder = tmp_path_factory.mktemp("fused")
    fit("teacher", split, profile("tiny", epochs=2), folder / "run", progress=False)
    report = export(folder / "run", split, None, folder / "model")
    network = load_run(folder / "run", split)[0].branch("rgb+depth").eval()
    return folder / "model", report, network


def test_a_network_of_both_sensors_is_one_file_with_an_input_for_each(fused, split):
    folder, report, network = fused
    contract, test = load(folder).contract, split.test
    assert contract == report.contract
    assert contract.network == "rgb+depth"
    assert [sensor.name for sensor in contract.sensors] == ["rgb", "depth"]
    assert [sensor.unit for sensor in contract.sensors] == ["", "mm"]
    inputs = [each.name for each in onnx.load(folder / "model.onnx").graph.input]
    assert (inputs, report.images) == (["rgb", "depth"], len(test.paired_ids))
    raw = [test.modalities[name].x[:9].astype(np.float32) for name in inputs]
    scaled = [torch.from_numpy(test.normalization[n](x)) for n, x in zip(inputs, raw, strict=True)]
    with torch.inference_mode():
        expected = network(torch.cat(scaled, 1)).numpy()
    np.testing.assert_allclose(load(folder).answer(*raw)[0], expected, atol=1e-4)
    exchanged = load(folder).answer(raw[0], raw[1][::-1])[0]
    assert not np.allclose(exchanged, expected, atol=1e-4)


def test_pairs_are_found_by_name_and_what_has_no_partner_is_told(fused, split, tmp_path, capsys):
    names = {"rgb": ["a/0", "a/1", "b/é", "only"], "depth": ["a/1", "b/e\u0301", "x", "y"]}
    for sensor, stems in names.items():
        for row, stem in enumerate(stems):
            file = tmp_path / "new" / sensor / stem
            file.parent.mkdir(parents=True, exist_ok=True)
            image = split.test.modalities[sensor].x[row]
            if sensor == "rgb":
                np.save(f"{file}.npy", image)
            else:
                tifffile.imwrite(f"{file}.tif", image[0])
    assert cli.main(["predict", str(fused[0]), str(tmp_path / "new")]) == 0
    out, err = capsys.readouterr()
    rows = pd.read_csv(io.StringIO(out))
    assert [Path(file).name for file in rows["rgb"]] == ["1.npy", "é.npy"]
    rgb, depth = (split.test.modalities[name].x.astype("f4") for name in names)
    raw = rgb[[1, 2]], depth[[0, 1]]
    np.testing.assert_allclose(rows.filter(like="p("), load(fused[0]).answer(*raw)[1], atol=1e-6)
    lines = err.splitlines()
    assert len(lines) == 2
    assert "depth/x.tif: 2 of 6 images have no partner in rgb" in lines[0]
    assert "rgb/a/0.npy: 2 of 6 images have no partner in depth" in lines[1]
    shutil.copy(tmp_path / "new/rgb/only.npy", tmp_path / "new/rgb/a/1.NPY")
    with pytest.raises(DataError, match="another image of rgb has its name; rename one"):
        predict(load(fused[0]), [tmp_path / "new"])
    with pytest.raises(DataError, match="rgb/a/rgb: no such file or folder"):
        predict(load(fused[0]), [tmp_path / "new/rgb/a"])
    (tmp_path / "new/depth/a/1.tif").rename(tmp_path / "new/depth/a/2.tif")
    (tmp_path / "new/rgb/a/1.NPY").unlink()
    (tmp_path / "new/rgb/b/é.npy").unlink()
    with pytest.warns(match="no partner"), pytest.raises(DataError, match="no name is in all"):
        predict(load(fused[0]), [tmp_path / "new"])


# ---------------------------------------------------------------- preparation and ranges


def test_images_of_another_size_are_prepared_by_the_contracts_rule(source, tmp_path):
    rules = {"depth": {"size": [8, 8]}}  # lists, as a manifest gives them
    split = replace(source, about={"rules": rules}).split(seed=0)
    fit("student", split, profile("tiny", epochs=1), tmp_path / "run", progress=False)
    export(tmp_path / "run", split, "depth", tmp_path / "model")
    model = load(tmp_path / "model")
    rule = Rule(size=(8, 8))
    assert model.contract.sensors[0].rule == rule
    large = np.kron(split.test.modalities["depth"].x[0], np.ones((1, 2, 3), np.uint16))
    large[0, ::5] += 700  # so that it matters which pixels are taken
    for name, pixels in {"large": large, "small": rule(large)}.items():
        np.save(tmp_path / f"{name}.npy", pixels)
    answers = predict(model, [tmp_path / "large.npy", tmp_path / "small.npy"]).filter(like="p(")
    assert answers.iloc[0].tolist() == answers.iloc[1].tolist()


def saved(folder: Path, images) -> Path:
    for sensor, own in images.items():
        (folder / sensor).mkdir(parents=True)
        for row, image in enumerate(own):
            np.save(folder / sensor / f"{row:02}.npy", image)
    return folder


CHANGES = {
    "rgb in 16 bits": ("rgb", lambda x: x.astype(np.uint16) * 257),
    "rgb from 0 to 1": ("rgb", lambda x: x / 255),
    "metres": ("depth", lambda x: x / 1000),
    "rgb as depth": ("depth", lambda x: x // 257),
    "another offset": ("depth", lambda x: np.where(x == 0, 0, x + np.ptp(x[x > 0]))),
    "nothing measured": ("depth", lambda x: x * np.nan),
}


def test_an_image_without_a_measurement_has_no_answer(exported, split, tmp_path):
    images = split.test.modalities["depth"].x[:30].copy()
    images[3], images[4].flat[:40] = 0, 0
    with pytest.warns(match="03.npy: [2-9] of 30 images are measured in less than half") as told:
        answers = predict(load(exported[0]), [saved(tmp_path, {"depth": images})])
    assert "distrust their answers; those without any have none" in str(told[0].message)
    assert answers["class"][3] == ""
    assert answers.iloc[3, 2:].isna().all()
    assert (answers["class"][:3] != "").all()
    assert answers["class"][4] != ""


def test_pairs_are_asked_for_as_a_folder(fused, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 8, 8)))
    with pytest.raises(DataError, match=r"a\.npy: is one file, the model reads 2"):
        predict(load(fused[0]), [tmp_path / "a.npy"])


@pytest.mark.parametrize("name", CHANGES)
def test_images_unlike_those_of_training_are_told_once(fused, split, tmp_path, name):
    sensor, change = CHANGES[name]
    model, images = load(fused[0]), {k: m.x for k, m in split.test.modalities.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no false alarm on the test part
        predict(model, [saved(tmp_path / "own", images)])
    images[sensor] = change(images[sensor])
    with pytest.warns(match="unlike training") as told:
        predict(model, [saved(tmp_path / "new", images)])
    text, *other = [str(each.message) for each in told]
    count = len(images[sensor])
    assert f"/{sensor}/00.npy: {count} of {count} images of {sensor} are unlike" in text
    assert len(other) == (name == "nothing measured")  # which is told by its name, too
