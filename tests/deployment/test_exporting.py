"""An export is compared with the trained branch before it is there: a wrong copy leaves no
folder."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from discom import data, methods
from discom.config import Config
from discom.data import Normalization
from discom.deployment import cost, exporting, load
from discom.deployment.card import CARD
from discom.deployment.graph import Deployed
from discom.deployment.loading import Model
from discom.errors import ConfigError, DataError, RunError
from discom.evaluation.inspection import load_run
from discom.files import digest
from discom.runs import Result

FILES = ("model.onnx", "model.pt2")


@pytest.fixture(scope="module")
def branch(run, split):
    return load_run(run, split, "depth")[0].branch("depth").eval()


def expected(branch, split, images):
    """What the trained branch says about images in the sensor's unit, by the code of training."""
    with torch.inference_mode():
        return branch(torch.from_numpy(split.train.normalization["depth"](images)))


# ---------------------------------------------------------------- what is written


def test_the_folder_holds_two_models_and_their_card(made):
    folder, _ = made
    assert sorted(file.name for file in folder.iterdir()) == [CARD, *FILES]
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("count", [1, 7])
def test_files_answer_as_the_trained_branch_on_raw_images(made, split, branch, file, count):
    """Holes, and depths below and above the bounds, are among the pixels."""
    rng = np.random.default_rng(count)
    images = rng.uniform(-5000, 40_000, (count, 1, 8, 8)).astype(np.float32)
    images[rng.random(images.shape) < 0.3] = 0  # the value of a hole
    logits, probabilities = load(made[0] / file).answer(images)
    reference = expected(branch, split, images)
    np.testing.assert_allclose(logits, reference.numpy(), atol=1e-4)
    np.testing.assert_allclose(probabilities, reference.softmax(1).numpy(), atol=1e-4)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


def test_answers_tell_images_apart(made, split):
    """Else agreement would mean little."""
    images = split.test.modalities["depth"].x[:].astype(np.float32)
    _, probabilities = load(made[0]).answer(images)
    assert np.ptp(probabilities, axis=0).max() > 1e-3


def test_what_export_says_is_what_was_measured(made, run, split):
    _, export = made
    result = Result.read(run / "result.json")
    assert export.images == len(split.test.modalities["depth"].x)
    assert set(export.differences) == set(FILES)
    assert all(
        0 <= value <= 1e-4 for found in export.differences.values() for value in found.values()
    )
    for (
        name,
        value,
    ) in export.scores.items():  # the run was in float32 as well, so its scores are the file's
        assert value == pytest.approx(result.scores["depth"][name], abs=1e-3)


def test_the_contract_holds_the_runs_own_bounds(made, run, split):
    contract, bounds = made[1].contract, split.train.normalization["depth"]
    assert (contract.low, contract.high) == (tuple(bounds.low), tuple(bounds.high))
    assert contract.low[0] > 100  # millimetres; not those of an image that is scaled already
    assert (contract.run, contract.seed, contract.method, contract.data) == (
        "0123456789",
        0,
        "discom",
        "camera",
    )


def test_a_prepared_folder_that_is_scaled_has_neither_bounds_nor_unit(run, split, source, tmp_path):
    data.load(source).save(tmp_path / "scaled", split=split)
    scaled = data.load(tmp_path / "scaled").split()
    contract = exporting.make_contract(Result.read(run / "result.json"), scaled, "depth")
    assert (contract.low, contract.high, contract.invalid) == (None, None, None)


# ---------------------------------------------------------------- deliberately wrong copies


class Wrong(torch.nn.Module):
    """A deployed network with one thing changed."""

    def __init__(self, branch, split, fault):
        super().__init__()
        bounds = split.train.normalization["rgb" if fault == "another sensor's bounds" else "depth"]
        bounds = Normalization(bounds.low[:1], bounds.high[:1])
        if fault == "the bounds of all data":
            bounds = Normalization(bounds.low - 200, bounds.high + 200)
        self.right, self.fault = Deployed(branch, bounds), fault
        if fault == "no clipping":
            self.right.scaling.forward = lambda images: (
                (images - bounds.low[0]) / (bounds.high[0] - bounds.low[0])
            )
        if fault == "no scaling":
            self.right.scaling = torch.nn.Identity()
        if fault == "batch statistics":
            self.right.train()

    def forward(self, images):
        logits, probabilities = self.right(images.float())
        if self.fault == "not a number":
            return logits, probabilities * torch.nan
        return (logits, logits) if self.fault == "no softmax" else (logits, probabilities)


FAULTS = ["another sensor's bounds", "the bounds of all data", "no clipping", "no scaling", "batch statistics",
          "no softmax", "not a number"]  # fmt: skip


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_copy_is_refused_and_leaves_nothing(
    run, split, branch, made, tmp_path, monkeypatch, file, fault
):
    wrong = Wrong(branch, split, fault)

    @torch.inference_mode()
    def answer(images):
        return tuple(held.numpy() for held in wrong(torch.from_numpy(images)))

    right = load(made[0])
    opened = lambda path, threads: Model(right.contract, answer) if path.name == file else right  # noqa: E731
    monkeypatch.setattr(exporting, "write_graphs", lambda network, contract, folder: None)
    monkeypatch.setattr(exporting, "load", opened)
    with pytest.raises(
        RunError, match=rf"^{file}: differs from the trained branch by .* nothing was written"
    ):
        exporting.export(run, split, "depth", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_the_one_before(folder, run, split, monkeypatch):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    monkeypatch.setattr(
        exporting, "write_graphs", lambda *_: (_ for _ in ()).throw(MemoryError("no room"))
    )
    with pytest.raises(MemoryError):
        exporting.export(run, split, "depth", folder, overwrite=True)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert list(folder.parent.iterdir()) == [folder]


# ---------------------------------------------------------------- refused before anything is
# computed


@pytest.fixture
def copied(run, tmp_path):
    """A copy of the run's folder, to be changed."""
    return shutil.copytree(run, tmp_path / "0-0123456789")


def forge(run_dir, **changes):
    """Another result with a right checksum."""
    fields = json.loads((run_dir / "result.json").read_text())
    fields = {key: value for key, value in fields.items() if key != "checksum"} | changes
    (run_dir / "result.json").write_text(json.dumps({**fields, "checksum": digest(fields)}))


def attempt(run_dir, split, tmp_path, modality="depth"):
    return exporting.export(run_dir, split, modality, tmp_path / "out")


@pytest.mark.parametrize(
    ("modality", "message"),
    [
        ("thermal", "'thermal' is not among its networks; .* has rgb, depth"),
        (None, "name one; .* has rgb, depth"),
    ],
)
def test_a_modality_that_the_run_lacks(run, split, tmp_path, modality, message):
    with pytest.raises(ConfigError, match=message):
        attempt(run, split, tmp_path, modality)


def test_a_teacher_of_several_sensors(copied, split, tmp_path):
    scores = Result.read(copied / "result.json").scores["rgb"]
    forge(copied, scores={"rgb+depth": scores})
    for modality in (None, "rgb+depth"):
        with pytest.raises(
            ConfigError, match=r"rgb\+depth reads several sensors at once; export takes"
        ):
            attempt(copied, split, tmp_path, modality)


def test_a_dense_run(copied, split, tmp_path):
    forge(copied, metric="miou", method="crodino")
    with pytest.raises(ConfigError, match="crodino: names a class for every pixel; export takes"):
        attempt(copied, split, tmp_path)


def test_a_folder_that_is_no_run(split, tmp_path):
    with pytest.raises(RunError, match=r"result\.json: no such result; train the run first"):
        attempt(tmp_path, split, tmp_path)


def test_a_run_whose_result_was_edited(copied, split, tmp_path):
    (copied / "result.json").write_text(
        (copied / "result.json").read_text().replace('"seed": 0', '"seed": 1')
    )
    with pytest.raises(RunError, match="was changed after it was measured"):
        attempt(copied, split, tmp_path)


def test_weights_that_are_damaged(copied, split, tmp_path):
    (copied / "weights/depth.safetensors").write_bytes(b"nothing")
    with pytest.raises(RunError, match="weights cannot be read"):
        attempt(copied, split, tmp_path)


def test_other_data(run, source, tmp_path):
    with pytest.raises(RunError, match=r"was trained on another split; .* --data"):
        attempt(run, data.load(source).split(seed=1), tmp_path)


def test_other_names_for_the_classes(run, split, tmp_path):
    renamed = type(split)(*(replace(part, classes=("a", "b", "c", "d")) for part in split))
    with pytest.raises(
        RunError, match=r"was trained with classes \['disk/wood', .*, the data has \['a', 'b'"
    ):
        attempt(run, renamed, tmp_path)


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_package_that_is_not_installed(run, split, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"^{package}: is not installed; .*discom\[deploy\]"):
        attempt(run, split, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there(folder, run, split, tmp_path):
    with pytest.raises(DataError, match=r"exists already; pass overwrite \(--overwrite\)"):
        exporting.export(run, split, "depth", folder)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").touch()
    with pytest.raises(DataError, match="was not made by discom"):
        exporting.export(run, split, "depth", tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos/a.jpg").exists()


# ---------------------------------------------------------------- cost


def test_costs_stand_beside_the_students(made, run, split):
    folder, export = made
    result = Result.read(run / "result.json")
    student = methods.build(
        methods.get("student"), split.train, replace(Config(**result.config), options={})
    )
    ours, theirs = export.costs["branch"], export.costs["student"]
    assert ours["parameters"] == result.parameters["depth"]
    assert theirs["parameters"] == sum(p.numel() for p in student.branch("depth").parameters())
    assert ours["bytes"] == {file: (folder / file).stat().st_size for file in FILES}
    for file in FILES:
        assert ours["bytes"][file] > theirs["bytes"][file] > 4 * theirs["parameters"]
    for cost_ in (ours, theirs):
        assert set(cost_["milliseconds"]) == {"torch", *FILES}
        assert all(time > 0 for times in cost_["milliseconds"].values() for time in times.values())


def test_all_take_their_turn_in_every_round_and_the_median_of_an_image_is_given(monkeypatch):
    clock, calls = [0.0], []
    monkeypatch.setattr(cost.time, "perf_counter", lambda: clock[0])

    def form(name, seconds):
        def answer(images):
            assert images.shape == (4, 1, 2, 2)
            calls.append(name)
            first = len(calls) <= 2 * cost.WARM  # slow as long as it warms up
            clock[0] += 100 * seconds if first else seconds

        return answer

    found = cost._times({"a": form("a", 0.004), "b": form("b", 0.008)}, 4, (1, 2, 2), rounds=5)
    assert found == pytest.approx({"a": 1.0, "b": 2.0})
    assert calls == ["a", "b"] * (cost.WARM + 5)
