"""Deployment: the file answers as the trained network does, or it is not written."""

import shutil
import unicodedata
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
from discom.contract import Contract, Sensor, compare
from discom.data.batches import ModalityTensor
from discom.data.images import images_by_name
from discom.data.own_folders import read_folders
from discom.data.tags import METADATA, NO_DATA
from discom.deployment import export, find_inputs, load, predict
from discom.errors import ConfigError, RunError
from discom.running.loading import load_run

BOTH = "rgb+depth"
NETWORKS = [("student", "depth"), ("student", BOTH), ("teacher", BOTH)]


@pytest.fixture(scope="module")
def split():
    """RGB from 0 to 255; depth in millimetres where 0 is a hole."""
    scenes = data.load("objects:n=99,size=8")
    rgb, depth = scenes.modalities["rgb"], scenes.modalities["depth"]
    levels = (255 * rgb.x).round().astype(np.uint8)
    millimetres = np.where(depth.x == 0, 0, 1000 + 7000 * depth.x).astype(np.uint16)
    depth = replace(depth, x=millimetres, unit="mm", invalid=0.0)
    modalities = {"rgb": replace(rgb, x=levels), "depth": depth}
    return replace(scenes, modalities=modalities, name="camera").split(seed=0)


@pytest.fixture(scope="module")
def folder(split, tmp_path_factory):
    """Runs as <method>, and what was exported as <method>-<network>."""
    root = tmp_path_factory.mktemp("deployed")
    for method, network in NETWORKS:
        if not (root / method).exists():
            fit(method, split, profile("tiny", epochs=2), root / method, progress=False)
        export(root / method, split, network, root / f"{method}-{network}")
    return root


def answer(file, images):
    """Logits and probabilities by the file of raw images, sensor → [N, C, H, W]."""
    return load(file)[1].run(None, {name: x.astype(np.float32) for name, x in images.items()})


def torch_probabilities(run, split, network, images):
    """The same by torch; of two networks of one sensor each their product."""
    parts = load_run(run, split)[1].scores
    shares = 1.0
    for part in [network] if network in parts else network.split("+"):
        scaled = [split.train.normalization[name](images[name]) for name in part.split("+")]
        branch = load_run(run, split, part)[0].branch(part).eval()
        shares = shares * branch(torch.from_numpy(np.concatenate(scaled, 1))).softmax(1)
    return shares / shares.sum(1, keepdim=True)


@pytest.mark.parametrize(("method", "network"), NETWORKS)
def test_the_file_answers_as_the_trained_network_on_raw_images(folder, split, method, network):
    file, rng, images = folder / f"{method}-{network}", np.random.default_rng(0), {}
    for name in network.split("+"):
        x = rng.uniform(-5000, 40_000, (7, *split.test.modalities[name].x.shape[1:]))
        images[name] = np.where(rng.random(x.shape) < 0.3, 0, x).astype(np.float32)  # holes, too
    expected = torch_probabilities(folder / method, split, network, images)
    np.testing.assert_allclose(answer(file, images)[1], expected, atol=1e-5)
    usual = {name: split.test.modalities[name].x for name in images}
    assert np.ptp(answer(file, usual)[0], axis=0).min() > 0
    written = (file / "contract.json").read_text()
    assert Contract.model_validate_json(written) == load(file)[0]


@pytest.mark.parametrize("network", ["", "rgb+rgb", "rgb+thermal"])
def test_a_network_that_the_run_has_not_is_refused(folder, split, tmp_path, network):
    call = partial(export, folder / "student", split, network, tmp_path / "no")
    refused(call, r"depth, rgb, rgb\+depth", ConfigError)


def test_scaling_is_part_of_the_file_also_far_from_zero(tmp_path):
    """A network that gives back its input. A span of rounded bounds was 6 % off."""
    low, high, values = (1_000_000 + np.array(each) for each in ([0.7], [1.8], [-1e6, 0, 1.2, 9]))
    depth = Sensor(name="depth", unit="mm", shape=(1, 1, 4), low=[*low], high=[*high])
    contract = Contract(run="by/hand/0", classes=("a", "b"), stride=0, sensors=(depth,))
    deployment._write(torch.nn.Flatten(), contract, tmp_path / "model.onnx")
    images = np.float32(values)[None, None, None]
    expected = data.Normalization(low, high)(images)[:, 0, 0]
    np.testing.assert_allclose(answer(tmp_path, {"depth": images})[0], expected, atol=1e-6)


@pytest.mark.parametrize("method", ["dense-teacher", "single"])
def test_a_class_for_every_pixel_of_images_of_any_size(method, tmp_path):
    split = data.load("scenes-dense:n=20,size=16").split(seed=0)
    run, file = tmp_path / "run", tmp_path / "model"
    fit(method, split, profile("tiny", dense=True, epochs=1), run, progress=False)
    export(run, split, BOTH, file)
    assert load(file)[0].stride == 8
    images = {name: m.x[:3].astype("f4") for name, m in split.train.modalities.items()}
    large = {name: np.concatenate([*x], 1)[None, :, :40] for name, x in images.items()}
    expected = torch_probabilities(run, split, BOTH, large)
    assert expected.shape == (1, len(split.train.classes), 40, 16)
    np.testing.assert_allclose(answer(file, large)[1], expected, atol=1e-5)
    refused(lambda: predict(file, [tmp_path]), "names the class of every pixel")


WRONG = {  # change of the weights and biases of the classes, change of the contract's sensor
    "shifted": (lambda w: w + 0.01, {}),
    "classes exchanged": (lambda w: w.roll(1, 0), {}),
    "not a number": (lambda w: w * torch.nan, {}),
    "another lower bound": (lambda w: w, {"low": (0.0,)}),
    "no value for a hole": (lambda w: w, {"invalid": None}),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_copy_or_contract_is_found(folder, split, tmp_path, fault):
    change, of_sensor = WRONG[fault]
    branch = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 9)).eval()
    for weights in branch.parameters():
        weights.data *= 1e-5  # the tolerance is a share of the logits
    copy = deepcopy(branch)
    for weights in copy.parameters():
        weights.data = change(weights.data)
    contract, _ = load(folder / "student-depth")
    sensors = (contract.sensors[0].model_copy(update=of_sensor),)
    wrong = contract.model_copy(update={"sensors": sensors})
    deployment._write(copy, wrong, tmp_path / "model.onnx")
    parts = replace(split.test, normalization=None), split.test
    images = [ModalityTensor(part, "depth", "cpu") for part in parts]
    compare = partial(deployment._compare, branch, tmp_path, *images)
    refused(compare, r"model\.onnx: its logits, .* differ .* nothing was written", RunError)


def saved(folder: Path, **images) -> Path:
    """The folder with images as <sensor>/<name>.npy."""
    for sensor, own in images.items():
        (folder / sensor).mkdir(parents=True)
        for row, image in enumerate(own):
            np.save(folder / sensor / f"{row:02}.npy", image)
    return folder


def test_pairs_have_one_name_below_their_sensors_folders(tmp_path):
    saved(tmp_path, RGB=range(3), depth=range(2))
    about = {"unit": "", "shape": (1, 1, 1), "low": (), "high": ()}
    rgb, depth = (Sensor(name=name, **about) for name in ("rgb", "depth"))
    find = partial(find_inputs, [tmp_path], [rgb, depth])
    with pytest.warns(match="1 of 3"):
        pairs = find()
    assert pairs["rgb"].tolist() == [tmp_path / "RGB/00.npy", tmp_path / "RGB/01.npy"]
    assert pairs["depth"].tolist() == [tmp_path / "depth/00.npy", tmp_path / "depth/01.npy"]
    file = tmp_path / "RGB/02.npy"
    assert find_inputs([tmp_path, file], [rgb])["file"].tolist() == [*pairs["rgb"], file, file]
    for path in (file, tmp_path / "RGB"):  # and not the folder above
        refused(lambda path=path: find_inputs([path], [rgb, depth]), "has no folder rgb; .*depth")
    refused(lambda: find_inputs([tmp_path / "RGB/notes.csv"], [rgb]), "no such file")
    (tmp_path / "RGB/notes.csv").touch()
    refused(lambda: find_inputs([tmp_path / "RGB/notes.csv"], [rgb]), "notes.csv: .*no image.*png")
    (tmp_path / "RGB/notes.csv").unlink()
    (tmp_path / "RGB/01.png").touch()
    refused(find, r"01\.(npy|png): .* has its name, too")


def test_preparation_and_prediction_pair_the_same_names(tmp_path):
    """Folders of two systems, which write "é" in one letter or two, and of two spellings."""
    names = ["walk/café_0", "walk/naïve.2", "unlabelled/b", "walk/c"]
    for name in names:
        other = unicodedata.normalize("NFD", name).replace("unlabelled", "Unlabeled")
        for file in (tmp_path / f"RGB/{name}.npy", tmp_path / f"depth/{other}.npy"):
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, np.zeros((2, 2), np.uint8))
    (tmp_path / "depth/walk/c.npy").rename(tmp_path / "depth/walk/d.npy")
    prepared = read_folders(tmp_path)
    assert len(prepared.paired_ids) == 3
    about = {"unit": "", "shape": (1, 2, 2), "low": (), "high": ()}
    sensors = [Sensor(name=name, **about) for name in ("rgb", "depth")]
    with pytest.warns(match="2 of 5"):
        pairs = find_inputs([tmp_path], sensors)
    named = {file: name for name, file in images_by_name(tmp_path / "RGB").items()}
    assert {named[file] for file in pairs["rgb"]} == {*prepared.paired_ids}
    (tmp_path / "rgb").mkdir()
    for sensor in (sensors, sensors[:1]):  # which of the two is meant?
        refused(lambda sensor=sensor: find_inputs([tmp_path], sensor), "in other letters")


def test_one_bad_image_refuses_all_and_one_without_a_measurement_has_no_answer(
    folder, split, tmp_path
):
    images, file = split.test.modalities["depth"].x[:30].copy(), folder / "student-depth"
    for name, pixels in {"larger": np.zeros((16, 8)), "inf": np.full((8, 8), np.inf)}.items():
        wrong = saved(tmp_path / name, depth=[*images[:2], pixels])
        refused(partial(predict, file, [wrong]), r"depth/02\.npy: ")
    images[3] = 0
    answers = predict(file, [saved(tmp_path / "whole", depth=images)])
    assert (answers["class"] == "").tolist() == [row == 3 for row in range(len(images))]
    assert answers.iloc[3, 2:].isna().all()
    assert answers.drop(3).notna().all(axis=None)


def test_raw_files_are_answered_as_what_was_read_of_them(tmp_path, capsys):
    """GeoTIFFs of two sensors, resized, with pixels that were not measured."""
    draw = np.random.default_rng(1)
    for number, tile in np.ndindex(2, 12):
        pixels = (500 + 900 * number + draw.integers(0, 300, (4, 20, 24))).astype(np.uint16)
        pixels[:, :, : 9 * (tile % 3 == 0)] = 0
        for sensor, bands in (("rgb", pixels[:3]), ("nir", pixels[3:])):
            file = tmp_path / f"raw/{sensor}/{'ab'[number]}/{tile:02}.tif"
            writing.tiff(file, bands, extratags=[(NO_DATA, "s", 0, "0", True)])
    images = read_folders(tmp_path / "raw", size=16)
    split, file = images.split(seed=0), tmp_path / "model"
    fit("teacher", split, profile("tiny", epochs=1), tmp_path / "run", progress=False)
    export(tmp_path / "run", split, "", file)
    answers = predict(file, [tmp_path / "raw"])
    shares = answers.filter(like="p(").to_numpy()
    expected = answer(file, {name: m.x for name, m in images.modalities.items()})[1]
    np.testing.assert_allclose(shares, expected, atol=1e-6)  # both are in the order of names
    assert answers["class"].tolist() == [images.classes[best] for best in shares.argmax(1)]
    assert answers["probability"].tolist() == shares.max(1).tolist()
    assert cli.main(["predict", str(file), str(tmp_path / "raw")]) == 0
    assert capsys.readouterr().out == answers.to_csv(index=False)


@pytest.mark.parametrize(("sensor", "factor"), [("rgb", 257), ("rgb", 1 / 255), ("depth", 0.001)])
def test_images_unlike_those_of_training_are_told_once(folder, split, tmp_path, sensor, factor):
    """RGB in 16 bits, or from 0 to 1; depth in metres."""
    file, images = folder / f"teacher-{BOTH}", {k: m.x for k, m in split.test.modalities.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no false alarm on the test part
        predict(file, [saved(tmp_path / "own", **images)])
    images[sensor] = images[sensor] * float(factor)
    with pytest.warns(match=f"/{sensor}/00.npy: {len(images[sensor])} of .* unlike") as told:
        predict(file, [saved(tmp_path / "new", **images)])
    assert len(told) == 1


def test_blank_images_and_those_without_a_measurement_are_not_told_as_other_units(
    folder, split, tmp_path
):
    """A covered lens was to be compared in unit and number type."""
    images, file = split.test.modalities["depth"].x[:20].copy(), folder / "student-depth"
    images[[2, 5, 8]] = 1500
    images[[4, 9]] = 0
    images[4, 0, 0, 0] = images[9, 0, 1, 1] = 7999  # all that was measured
    images[[0, 1]] = 0
    with pytest.warns() as told:
        answers = predict(file, [saved(tmp_path / "new", depth=images)])
    lines = sorted(str(each.message).partition("/depth/")[2] for each in told)
    assert [line[:22] for line in lines] == ["00.npy: 2 of 20 images", "02.npy: 5 of 20 images"]
    assert (answers["class"] == "").tolist() == [row < 2 for row in range(20)]


@pytest.mark.parametrize("shape", [(1, 16, 8), (3, 8, 8), (3, 16, 8)])
def test_an_image_of_other_bands_or_of_another_size_is_told_what_differs(folder, tmp_path, shape):
    """Of three bands for one a person was told two sizes, those after resizing."""
    np.save(tmp_path / "0.npy", np.zeros(shape, np.uint16))
    line = refused(partial(predict, folder / "student-depth", [tmp_path]), r"0\.npy: ")
    assert ("16×8" in line, "3 bands" in line) == (shape[0] == 1, shape[0] == 3)


def test_files_that_are_stored_otherwise_than_those_of_training_are_told(tmp_path):
    """8 bits of a sensor of 16 lie within its range, and an offset is not in the pixels."""
    metadata = "<GDALMetadata><Item sample='0' role='offset'>{}</Item></GDALMetadata>"
    draw = np.random.default_rng(1)

    def write(file, offset, kind):
        x = draw.integers(0, 200, (1, 8, 8)).astype(kind)
        tag = (METADATA, 2, 0, metadata.format(offset), True)
        writing.tiff(tmp_path / file, x, extratags=[tag])

    for number in range(30):
        write(f"raw/s2/{'ab'[number % 2]}/{number}.tif", -0.1, np.uint16)
    split = read_folders(tmp_path / "raw").split(seed=0)
    fit("student", split, profile("tiny", epochs=1), tmp_path / "run", progress=False)
    export(tmp_path / "run", split, "s2", tmp_path / "model")
    for name, offset, kind in (("same", -0.1, "u2"), ("8bit", -0.1, "u1"), ("late", 0, "u2")):
        write(f"{name}/0.tif", offset, kind)
    np.save(tmp_path / "same/1.npy", draw.integers(0, 200, (1, 8, 8)).astype(np.uint16))
    answers = partial(predict, tmp_path / "model")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(answers([tmp_path / "same"])) == 2  # what has no tags cannot contradict
        older = Sensor(name="s2", unit="", shape=(1, 8, 8), low=(0,), high=(200,))
        compare(["0.tif"], older, [""], [np.dtype("u1")])  # it does not say
    with pytest.warns(match="8bit/0.tif: 1 of 3 .*uint8.*uint16"):
        answers([tmp_path / "same", tmp_path / "8bit"])
    refused(lambda: answers([tmp_path / "late"]), "late/0.tif: .*no scale or offset.* -0.1")


def test_a_network_of_signals_is_exported(tmp_path, monkeypatch):
    """Also where the locale has no letter of a class's name."""
    written = Path.write_text
    monkeypatch.setattr(
        Path, "write_text", lambda file, text, encoding="ascii": written(file, text, encoding)
    )
    rng, labels = np.random.default_rng(0), np.arange(60) % 3
    signals = data.Modality(rng.normal(size=(60, 3, 1, 64)), labels, np.arange(60), symmetry="none")
    split = data.MultiModalData({"acc": signals}, ("sit", "día", "歩く")).split()
    settings = profile("tiny", epochs=1, encoder="spectrum")
    fit("student", split, settings, tmp_path / "run", progress=False)
    assert export(tmp_path / "run", split, "acc", tmp_path / "out") < 1e-4
    for name, x in {"as_stored": signals.x[7], "plain": signals.x[7, :, 0]}.items():
        np.save(tmp_path / f"{name}.npy", x)
    rows = predict(tmp_path / "out", [tmp_path / "plain.npy", tmp_path / "as_stored.npy"])
    assert rows["probability"].nunique() == 1
    for x in (signals.x[:5, :, 0], signals.x[7, :, 0].T):  # as they are prepared, or turned
        np.save(tmp_path / "other.npy", x)
        call = partial(predict, tmp_path / "out", [tmp_path / "other.npy"])
        refused(call, r"other.npy: .*file of its own, \[3, 64\]")


def test_a_run_of_one_sensor_is_exported_without_naming_it_again(split, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng, labels = np.random.default_rng(0), np.arange(60) % 2
    x = {name: rng.normal(size=(60, 1, 8, 8)).astype("f4") for name in ("ms", "sar", "lidar")}
    sensors = {name: data.Modality(own, labels, np.arange(60)) for name, own in x.items()}
    data.MultiModalData(sensors, ("a", "b"), name="mine").save("data/mine")
    words = ["train", "--data", "data/mine", "--method", "student", "--profile", "tiny"]
    for number, names in enumerate(("sar", "lidar+sar")):
        assert cli.main([*words, "--modalities", names]) == 0
        run = str(next(Path("runs", f"mine-{names.replace('+', '-')}", "student").iterdir()))
        for k, more in enumerate(([], ["--data", "data/mine"])):
            out = f"out{number}{k}"
            assert cli.main(["export", run, "--modality", "sar", "--out", out, *more]) == 0
            assert load(out)[0].sensors[0].name == "sar"


def test_a_set_that_is_called_as_a_sensor_and_other_sensors_than_the_run_had(
    tmp_path, monkeypatch, capsys
):
    """The advice was a flag that no command has, or a folder that is not there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCOM_DATA", raising=False)
    rng, labels = np.random.default_rng(0), np.arange(60) % 2
    x = {name: rng.normal(size=(60, 1, 8, 8)).astype("f4") for name in ("ms", "sar", "x")}
    sensors = {name: data.Modality(own, labels, np.arange(60)) for name, own in x.items()}
    data.MultiModalData(sensors, ("a", "b"), name="my-sar").save("data/my-sar")
    words = ["train", "--data", "data/my-sar", "--method", "student", "--profile", "tiny"]
    for names, others in (("sar", "ms"), ("sar+ms", "ms+sar"), ("", "ms")):
        runs = f"runs of {names}"
        asked = ["--modalities", names] if names else []
        assert cli.main([*words, *asked, "--runs", runs]) == 0
        export = ["export", runs, "--modality", "sar", "--overwrite"]
        for more in ([], ["--data", "data/my-sar"]) if names == "sar" else ():
            assert cli.main([*export, *more]) == 0
        capsys.readouterr()
        assert cli.main([*export, "--data", "data/my-sar", "--modalities", others]) == 2
        line = capsys.readouterr().err
        assert (f"--modalities {names}\n" if names else "leave it out") in line


def test_several_runs_are_refused_by_their_folders(tmp_path, monkeypatch, capsys):
    """A shell's star that fitted two runs ended in the advice to give the second one as --data."""
    monkeypatch.chdir(tmp_path)
    split = data.load("objects:n=66,size=16").split(0)
    for seed in (0, 1):
        config = profile("tiny", epochs=1, seed=seed)
        fit("student", split, config, f"runs/student/{seed}", progress=False)
    folders = [str(Path("runs/student", str(seed))) for seed in (0, 1)]
    words = ["--data", "objects:n=66,size=16", "--modality", "rgb"]
    for given in (folders, ["runs"], ["runs", folders[0]]):
        assert cli.main(["export", *given, *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert all(folder in line for folder in folders)
    assert not Path("exported").exists()
    assert cli.main(["export", folders[0], folders[0], *words]) == 0


def test_raw_images_called_as_the_prepared_set_are_not_taken_for_it(tmp_path, monkeypatch, capsys):
    """The refused folder was named as the way out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCOM_DATA", raising=False)
    images = data.load("objects:n=66,size=16")
    for name in images.modalities:
        for row, label in enumerate(images.labels):
            file = Path("mine", name, f"class{label}", f"{row}.npy")
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, images.images(name)[row] * 255)
    prepare = ["data", "prepare", "folders", "--root", "mine", "--size", "8"]
    assert cli.main([*prepare, "--out", "data/mine"]) == 0
    train = ["train", "--data", "data/mine", "--method", "student", "--profile", "tiny"]
    assert cli.main(train) == 0
    export = ["export", "runs", "--modality", "rgb"]
    assert cli.main(export) == 2
    assert "--data data/mine" in capsys.readouterr().err
    shutil.move("data/mine", "elsewhere")
    assert cli.main(export) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--data data/mine" not in line
    shutil.rmtree("mine")  # there is no data of this name
    assert cli.main(export) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("discom: error: --data is not given: mine")
    assert cli.main([*export, "--data", "elsewhere"]) == 0
