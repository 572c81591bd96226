"""Deployment: the file answers as the trained network does, or it is not written."""

import warnings
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from fixtures import writing
from fixtures.refusal import refused

from discom import cli, data, deployment, fit, profile
from discom.data.folders import id_of, read_folders
from discom.data.images import NO_DATA
from discom.deployment import Sensor, export, load
from discom.errors import ConfigError, RunError
from discom.prediction import find_inputs, predict
from discom.running.runs import Result, load_run

NETWORKS = {"depth": "student", "rgb+depth": "teacher"}  # network → its method
SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def split():
    """RGB from 0 to 255, which was resized; depth in millimetres where 0 is a hole."""
    scenes = data.load("objects:n=99,size=8")
    rgb, depth = scenes.modalities["rgb"], scenes.modalities["depth"]
    levels = (255 * rgb.x).round().astype(np.uint8)
    millimetres = np.where(depth.x == 0, 0, 1000 + 7000 * depth.x).astype(np.uint16)
    depth = replace(depth, x=millimetres, unit="mm", invalid=0.0)
    modalities = {"rgb": replace(rgb, x=levels), "depth": depth}
    rules = {"rgb": {"size": [8, 8]}}  # lists, as a manifest gives them
    source = replace(scenes, modalities=modalities, name="camera", about={"rules": rules})
    return source.split(seed=0)


@pytest.fixture(scope="module")
def runs(split, tmp_path_factory):
    """Network → the folder of its run."""
    folder = tmp_path_factory.mktemp("runs")
    for network, method in NETWORKS.items():
        fit(method, split, profile("tiny", epochs=2), folder / network, progress=False)
    return {network: folder / network for network in NETWORKS}


@pytest.fixture(scope="module")
def reports(split, runs, tmp_path_factory):
    """Network → what export returned; the files lie in `exported`."""
    folder = tmp_path_factory.mktemp("exported")
    return {name: (folder / name, export(runs[name], split, name, folder / name)) for name in runs}


@pytest.fixture(scope="module")
def models(reports):
    """Network → the exported model."""
    return {network: load(folder) for network, (folder, _) in reports.items()}


def torch_logits(run, split, network, images):
    """What the trained network says of raw images, sensor → [N, C, H, W]."""
    scaled = [split.train.normalization[name](x) for name, x in images.items()]
    with torch.inference_mode():
        branch = load_run(run, split, network)[0].branch(network).eval()
        return branch(torch.from_numpy(np.concatenate(scaled, 1)))


def test_a_run_with_a_seed_of_its_own_is_found_by_the_seeds_of_its_data_and_split(tmp_path):
    """The runs of five seeds on one split: a refusal named the run's seed, which gives another."""
    data.load("objects:n=99,size=8", seed=3).save(tmp_path / "saved")
    split, once = data.load(tmp_path / "saved").split(seed=5), profile("tiny", epochs=1, seed=7)
    fit("teacher", split, once, tmp_path / "own", progress=False)
    words = f"export {tmp_path}/own --data {tmp_path}/saved --out {tmp_path}/out"
    assert cli.main(words.split()) == 0
    assert load(tmp_path / "out").contract.network == "rgb+depth"


@pytest.mark.parametrize("network", NETWORKS)
def test_the_file_answers_as_the_trained_network_on_raw_images(
    models, reports, runs, split, network
):
    rng, images = np.random.default_rng(0), {}
    for name in network.split("+"):
        x = rng.uniform(-5000, 40_000, (7, *split.test.modalities[name].x.shape[1:]))
        images[name] = np.where(rng.random(x.shape) < 0.3, 0, x).astype(np.float32)  # holes, too
    logits, probabilities = models[network].answer(*images.values())
    expected = torch_logits(runs[network], split, network, images)
    np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(probabilities, expected.softmax(1).numpy(), atol=1e-5)
    usual = [split.test.modalities[name].x.astype("f4") for name in images]
    assert np.ptp(models[network].answer(*usual)[0], axis=0).min() > 0
    scores = Result.read(runs[network] / "result.json").scores[network]
    assert reports[network][1].scores["f1"] == pytest.approx(scores["f1"], abs=1e-3)


def test_networks_of_one_run_are_exported_as_the_product_of_their_probabilities(
    runs, split, tmp_path
):
    run, out = runs["depth"], {name: tmp_path / name for name in ("rgb", "depth", "rgb+depth")}
    for name, folder in out.items():
        export(run, split, name, folder)
    x = {name: split.test.modalities[name].x[:9].astype("f4") for name in ("rgb", "depth")}
    each = np.prod([load(out[name]).answer(images)[1] for name, images in x.items()], 0)
    together = load(out["rgb+depth"]).answer(*x.values())[1]
    np.testing.assert_allclose(together, each / each.sum(1, keepdims=True), atol=1e-5)
    for wrong in ("rgb+rgb", "rgb+thermal"):
        refused(partial(export, run, split, wrong, tmp_path / "no"), "no network", ConfigError)


@pytest.mark.parametrize(("offset", "invalid"), [(0, 0.0), (1e6 + 0.4, None)])
def test_scaling_is_part_of_the_file_also_far_from_zero(tmp_path, offset, invalid):
    """A network that gives back its input. A span of rounded bounds was 6 % off far from zero."""
    low, high = offset + 1000.3, offset + 1001.4
    depth = Sensor("depth", (1, 1, 4), "mm", invalid, (low,), (high,))
    contract = deployment.Contract("by/hand/0", "depth", ("a", "b", "c", "d"), (depth,))
    deployment._write(torch.nn.Flatten(), contract, tmp_path / "model.onnx")
    images = np.float32([[[[0, offset + 1000, offset + 1000.8, offset + 9000]]]])
    logits, probabilities = load(tmp_path).answer(images)
    expected = data.Normalization(np.array([low]), np.array([high]), invalid)(images)[:, 0, 0]
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    np.testing.assert_allclose(probabilities, np.exp(expected) / np.exp(expected).sum(), atol=1e-6)


@pytest.mark.parametrize("method", ["dense-teacher", pytest.param("crodino", marks=SLOW)])
def test_a_class_for_every_pixel_of_images_of_any_size(method, tmp_path):
    split, network = data.load("scenes-dense:n=20,size=16").split(seed=0), "rgb+depth"
    fit(method, split, profile("tiny", dense=True, epochs=1), tmp_path / "run", progress=False)
    export(tmp_path / "run", split, network, tmp_path / "model")
    model = load(tmp_path / "model")
    assert model.contract.stride == 8
    rows = {name: m.x[:3].astype("f4") for name, m in split.train.modalities.items()}
    large = {name: np.concatenate([*x], 1)[None, :, :40] for name, x in rows.items()}
    expected = torch_logits(tmp_path / "run", split, network, large)
    assert expected.shape == (1, len(split.train.classes), 40, 16)
    np.testing.assert_allclose(model.answer(*large.values())[0], expected, atol=1e-4)
    refused(lambda: predict(model, [tmp_path]), "names the class of every pixel")


def of_sensor(**changes):
    """A change of the contract's sensor."""
    return lambda contract: replace(contract, sensors=(replace(contract.sensors[0], **changes),))


WRONG = {  # change of the weights and biases of the classes, change of the contract
    "nothing": (lambda w: w, lambda contract: contract),
    "shifted": (lambda w: w + 0.01, lambda contract: contract),
    "classes exchanged": (lambda w: w.roll(1, 0), lambda contract: contract),
    "not a number": (lambda w: w * torch.nan, lambda contract: contract),
    "another lower bound": (lambda w: w, of_sensor(low=(0.0,))),
    "no value for a hole": (lambda w: w, of_sensor(invalid=None)),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_copy_or_contract_is_found(models, split, tmp_path, fault):
    change, of_contract = WRONG[fault]
    contract = of_contract(models["depth"].contract)
    branch = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 9)).eval()
    small = {name: 1e-5 * weights for name, weights in branch.state_dict().items()}
    branch.load_state_dict(small)  # the tolerance is a share of the logits
    copy = deepcopy(branch)
    copy.load_state_dict({name: change(weights) for name, weights in small.items()})
    deployment._write(copy, contract, tmp_path / "model.onnx")
    compare = partial(deployment._compare, branch, load(tmp_path), split.test)
    if fault == "nothing":
        assert compare()[0] < 1e-6
    else:
        refused(compare, r"model\.onnx: its logits, .* differ .* nothing was written", RunError)


def saved(folder: Path, images) -> Path:
    """The folder with images as <sensor>/<name>.npy."""
    for sensor, own in images.items():
        (folder / sensor).mkdir(parents=True)
        for row, image in enumerate(own):
            np.save(folder / sensor / f"{row:02}.npy", image)
    return folder


def test_pairs_have_one_name_below_their_sensors_folders(tmp_path):
    def write(*names):
        for file in map(tmp_path.joinpath, names):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()

    write("RGB/a/0.npy", "RGB/a/1.npy", "RGB/b/é.npy", "RGB/.old/x.npy")
    write("depth/a/1.tif", "depth/b/e\u0301.tif", "depth/x.tif", "depth/.old/x.npy")
    rgb, depth = Sensor("rgb", (3, 8, 8)), Sensor("depth", (1, 8, 8))
    find = partial(find_inputs, [tmp_path], [rgb, depth])
    with pytest.warns(match="2 of 4"):
        pairs = find()
    assert pairs == [
        (tmp_path / "RGB/a/1.npy", tmp_path / "depth/a/1.tif"),
        (tmp_path / "RGB/b/é.npy", tmp_path / "depth/b/e\u0301.tif"),
    ]
    write("RGB/a/1.png")
    refused(find, "1.png: ")
    (tmp_path / "empty").mkdir()
    refused(lambda: find_inputs([tmp_path / "empty"], [depth]), "empty: ")
    write("rgb/a/0.npy")  # a folder of the same name in other letters
    refused(find, "rgb: RGB has this name")


def test_one_bad_image_refuses_all_and_one_without_a_measurement_has_no_answer(
    models, split, tmp_path
):
    images = split.test.modalities["depth"].x[:30].copy()
    for name, pixels in {"larger": np.zeros((16, 8)), "inf": np.full((8, 8), np.inf)}.items():
        folder = saved(tmp_path / name, {"depth": [*images[:2], pixels]})
        refused(partial(predict, models["depth"], [folder]), r"depth/02\.npy: ")
    images[3] = 0
    answers = predict(models["depth"], [saved(tmp_path / "whole", {"depth": images})])
    assert answers["class"][3] == ""
    assert answers.iloc[3, 2:].isna().all()
    assert (answers["class"].drop(3) != "").all()
    assert answers.drop(3).notna().all(axis=None)


def test_raw_files_are_answered_as_what_was_read_of_them(tmp_path, capsys):
    """Two sensors in the bands of one GeoTIFF, resized, with pixels that were not measured."""
    draw = np.random.default_rng(1)
    for number, tile in np.ndindex(2, 12):
        pixels = (500 + 900 * number + draw.integers(0, 300, (4, 20, 24))).astype(np.uint16)
        pixels[:, :, : 9 * (tile % 3 == 0)] = 0
        file = tmp_path / f"raw/aerial/{'ab'[number]}/{tile}.tif"
        writing.tiff(file, pixels, extratags=[(NO_DATA, "s", 0, "0", True)])
    images = read_folders(tmp_path / "raw", size=16, bands={"rgb": [1, 2, 3], "nir": [4]})
    split, network = images.split(seed=0), "+".join(images.modalities)
    fit("teacher", split, profile("tiny", epochs=1), tmp_path / "run", progress=False)
    export(tmp_path / "run", split, network, tmp_path / "model")
    answers = predict(load(tmp_path / "model"), [tmp_path / "raw"])
    rows = {id_of(Path(file)): row for row, file in enumerate(answers.iloc[:, 0])}
    for part in split:
        x = {name: m.x.astype(np.float32) for name, m in part.modalities.items()}
        expected = torch_logits(tmp_path / "run", split, network, x).softmax(1)
        found = answers.iloc[[rows[sample] for sample in part.ids]].filter(like="p(")
        np.testing.assert_allclose(found, expected, atol=1e-5)
    shares = answers.filter(like="p(").to_numpy()
    assert answers["class"].tolist() == [images.classes[best] for best in shares.argmax(1)]
    assert answers["probability"].tolist() == shares.max(1).tolist()
    assert cli.main(["predict", str(tmp_path / "model"), str(tmp_path / "raw")]) == 0
    assert capsys.readouterr().out == answers.to_csv(index=False)


CHANGES = {  # what is changed → sensor, and the change of its images
    "rgb in 16 bits": ("rgb", lambda x: x.astype(np.uint16) * 257),
    "metres": ("depth", lambda x: x / 1000),
    "rgb as depth": ("depth", lambda x: x // 257),
}


@pytest.mark.parametrize("case", CHANGES)
def test_images_unlike_those_of_training_are_told_once(models, split, tmp_path, case):
    sensor, change = CHANGES[case]
    model, images = models["rgb+depth"], {k: m.x for k, m in split.test.modalities.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no false alarm on the test part
        predict(model, [saved(tmp_path / "own", images)])
    images[sensor] = change(images[sensor])
    with pytest.warns(match=f"/{sensor}/00.npy: {len(images[sensor])} of .* unlike") as told:
        predict(model, [saved(tmp_path / "new", images)])
    assert len(told) == 1


@pytest.mark.parametrize("encoder", ["spectrum", "conv1d"])
def test_a_network_of_signals_is_exported(tmp_path, encoder):
    rng, labels = np.random.default_rng(0), np.arange(60) % 3
    signals = data.Modality(rng.normal(size=(60, 3, 1, 64)), labels, np.arange(60), symmetry="none")
    split = data.MultiModalData({"acc": signals}, ("sit", "walk", "run")).split()
    settings = profile("tiny", epochs=1, encoder=encoder)
    fit("student", split, settings, tmp_path / "run", progress=False)
    exported = export(tmp_path / "run", split, "acc", tmp_path / "out")
    assert exported.difference < 1e-4
    assert exported.contract.sensors[0].shape == (3, 1, 64)
    for name, x in {"as_stored": signals.x[7], "plain": signals.x[7, :, 0]}.items():
        np.save(tmp_path / f"{name}.npy", x)
    rows = predict(load(tmp_path / "out"), [tmp_path / "plain.npy", tmp_path / "as_stored.npy"])
    assert rows["class"].nunique() == 1
    assert rows["probability"].nunique() == 1
