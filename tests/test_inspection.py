"""What a trained run's embeddings hold: read from its own weights, on its own split, in the order
of the data."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import sklearn.metrics
import torch
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from discom import cli, data, fit, methods, profile, tables
from discom.data import MultiModalData
from discom.data.batches import Images
from discom.errors import ConfigError, RunError
from discom.evaluation import embed, inspection
from discom.evaluation.inspection import (
    embeddings,
    factors,
    inspect,
    load_run,
    mean_matrices,
    readings,
    seed_of,
)
from discom.runs import Result, weights_file
from discom.tables.statistics import summary

DATA = "scenes:n=99,size=8,shapes=2,materials=2"
TINY = profile("tiny", epochs=1)
PARTS = ("inv", "inf", "irr")


@pytest.fixture(scope="module")
def split():
    return data.load(DATA).split(seed=0)


@pytest.fixture(scope="module")
def trained(split, tmp_path_factory):
    """Finished runs of discom, discom-solo and student."""
    root = tmp_path_factory.mktemp("inspected")
    for name in ("discom", "discom-solo", "student"):
        fit(name, split, TINY, root / name, progress=False)
    return root


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of the run of discom, to be changed."""
    return shutil.copytree(
        trained / "discom", tmp_path / "runs/scenes/discom/0-aa", dirs_exist_ok=True
    )


def forbid(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("embedded again")

    monkeypatch.setattr(inspection, "embed", refuse)


# ---------------------------------------------------------------- embedding


@pytest.mark.parametrize("name", ["discom", "discom-solo"])
@pytest.mark.parametrize("batch_size", [1, 7, 512])
def test_embeddings_follow_the_rows_of_the_data_whatever_the_batch(
    split, trained, name, batch_size
):
    for modality in split.test.modalities:
        model, _ = load_run(trained / name, split, modality)
        found = embed(model.train(), modality, Images(split.test, modality, "cpu"), batch_size)
        assert not model.training
        assert set(found) == set(PARTS)
        images = torch.from_numpy(split.test.images(modality))
        for row in (0, 6, 7, len(images) - 1):
            with torch.inference_mode():
                alone = model.embed(modality, images[[row]])
            for part, held in found.items():
                assert held.shape[0] == len(images)
                torch.testing.assert_close(held[[row]], alone[part], rtol=1e-4, atol=1e-5)


def test_embeddings_of_other_rows_are_those_of_the_rows(split, trained):
    model, _ = load_run(trained / "discom", split, "depth")
    whole = embed(model, "depth", Images(split.test, "depth", "cpu"))
    chosen = np.array([9, 2, 30])
    part = embed(model, "depth", Images(split.test.take(chosen), "depth", "cpu"))
    for key in PARTS:
        torch.testing.assert_close(part[key], whole[key][chosen], rtol=1e-4, atol=1e-5)
        assert part[key].dtype == torch.float32
        assert not part[key].requires_grad


@pytest.mark.parametrize("name", ["discom", "discom-solo"])
def test_embeddings_of_a_run_and_what_its_heads_say(split, trained, name):
    found = embeddings(trained / name, split)
    assert list(found) == ["train", "test"]
    for part, modalities in found.items():
        for modality, held in modalities.items():
            model, _ = load_run(trained / name, split, modality)
            images = torch.from_numpy(getattr(split, part).images(modality))
            with torch.inference_mode():
                z, logits = model.embed(modality, images), model.predict(modality, images)
                said = {f"aux {key}": model.heads(modality).aux(z[key]) for key in PARTS}
            for key, value in {**z, **said, "logits": logits}.items():
                np.testing.assert_allclose(held[key], value.numpy(), rtol=1e-4, atol=1e-5)
            assert set(held) == {*PARTS, "logits", *said}
            if part == "test":  # these are the weights of the result
                f1 = sklearn.metrics.f1_score(
                    split.test.modalities[modality].y, logits.argmax(1), average="weighted"
                )
                result = Result.read(trained / name / "result.json")
                assert result.f1[modality] == pytest.approx(100 * f1, abs=1e-3)


def test_each_modality_has_its_own_best_weights(split, folder):
    """Weights of depth that were changed are read for depth alone."""
    before = embeddings(folder, split)["test"]
    file = weights_file(folder, "depth")
    halved = {
        key: 0.5 * value if value.is_floating_point() else value
        for key, value in load_file(file).items()
    }
    save_file(halved, file)
    after = embeddings(folder, split)["test"]
    assert all(np.array_equal(before["rgb"][key], after["rgb"][key]) for key in PARTS)
    assert not any(np.array_equal(before["depth"][key], after["depth"][key]) for key in PARTS)


# ---------------------------------------------------------------- loading


def test_a_run_is_loaded_as_it_was_kept(split, trained):
    state = torch.get_rng_state()
    model, result = load_run(trained / "discom", split, "rgb")
    assert torch.equal(torch.get_rng_state(), state)
    assert result == Result.read(trained / "discom/result.json")
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())
    kept = load_file(weights_file(trained / "discom", "rgb"))
    assert all(torch.equal(model.state_dict()[key], value) for key, value in kept.items())
    assert seed_of(trained / "discom") == 0


def test_another_split_is_refused(trained):
    for other in (
        data.load(DATA).split(seed=1),
        data.load(f"{DATA},epsilon=0.5,seed=2").split(seed=0),
    ):
        with pytest.raises(
            RunError, match="was trained on another split; give the split of its data with seed 0"
        ):
            embeddings(trained / "discom", other)


@pytest.mark.parametrize("ask", [lambda place, split: load_run(place, split, "rgb"), readings, inspect, embeddings,
                                 lambda place, split: seed_of(place)])  # fmt: skip
def test_an_unknown_folder(split, tmp_path, ask):
    with pytest.raises(
        RunError, match=r"nowhere/result\.json: no such result; train the run first"
    ):
        ask(tmp_path / "nowhere", split)


@pytest.mark.parametrize("damage", ["gone", "cut", "another network's"])
def test_weights_that_cannot_be_read(split, folder, damage):
    file = weights_file(folder, "rgb")
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    else:
        shutil.copy(weights_file(folder, "depth"), file)
    with pytest.raises(
        RunError, match=r"weights cannot be read \(.+\); delete the folder and train it again"
    ):
        embeddings(folder, split)


@pytest.mark.parametrize("ask", [embeddings, readings, inspect])
def test_a_method_without_embeddings_says_so(split, trained, ask):
    with pytest.raises(
        ConfigError, match="student has no embedding to look into; choose discom or discom-solo"
    ):
        ask(trained / "student", split)


# ---------------------------------------------------------------- readings


def test_readings_are_the_auxiliary_head_applied_by_hand_and_a_probe(split, folder):
    found = {result.method: result for result in readings(folder, split)}
    assert list(found) == [f"discom z_{part}{how}" for part in PARTS for how in ("", " probe")]
    result = Result.read(folder / "result.json")
    for modality in split.test.modalities:
        model, _ = load_run(folder, split, modality)
        truth, images = (
            split.test.modalities[modality].y,
            torch.from_numpy(split.test.images(modality)),
        )
        weight, bias = model.heads(modality).aux.weight, model.heads(modality).aux.bias
        for part in PARTS:
            with torch.inference_mode():
                logits = model.embed(modality, images)[part] @ weight.T + bias
            f1 = 100 * sklearn.metrics.f1_score(truth, logits.argmax(1), average="weighted")
            held = found[f"discom z_{part}"].scores[modality]
            assert held["f1"] == pytest.approx(f1, abs=1e-3)
            assert held["accuracy"] == pytest.approx(
                100 * (logits.argmax(1).numpy() == truth).mean(), abs=1e-3
            )
            assert held["best_epoch"] == result.scores[modality]["best_epoch"]
    for held in found.values():
        assert (held.seed, held.hash, held.data, held.config) == (
            0,
            result.hash,
            "scenes",
            result.config,
        )


def test_the_probe_reads_what_the_training_part_teaches_it(split, folder, monkeypatch):
    """Embeddings that are the class itself are read without an error, whatever the head says."""
    held = embeddings(folder, split)
    for part, modalities in held.items():
        for modality, z in modalities.items():
            z["inf"] = np.eye(4, dtype=np.float32)[getattr(split, part).modalities[modality].y]
            z["irr"] = np.zeros_like(z["irr"])
    monkeypatch.setattr(inspection, "embeddings", lambda *_: held)
    found = {result.method: result.f1 for result in readings(folder, split)}
    assert found["discom z_inf probe"] == {"rgb": 100.0, "depth": 100.0}
    for modality, y in ((m, split.test.modalities[m].y) for m in found["discom z_irr probe"]):
        share = np.bincount(split.train.modalities[modality].y).argmax()
        p = (y == share).mean()
        assert found["discom z_irr probe"][modality] == pytest.approx(
            100 * p * 2 * p / (1 + p), abs=1e-3
        )


def test_readings_are_kept_and_read_back(split, folder, monkeypatch):
    first = readings(folder, split)
    held = json.loads((folder / "readings.json").read_text())["found"]
    assert [Result.from_json(one, "readings.json") for one in held] == first
    forbid(monkeypatch)
    assert readings(folder, split) == first


def test_readings_of_a_run_with_options_bear_its_label(split, tmp_path):
    config = replace(TINY, options={"weights": {"irr": 1, "adv": 0}, "dimension": 5})
    fit("discom", split, config, tmp_path / "run", progress=False)
    names = [result.method for result in readings(tmp_path / "run", split)]
    assert names[0] == "discom dimension=5 adv=0 irr=1 z_inv"
    assert embeddings(tmp_path / "run", split)["test"]["rgb"]["irr"].shape[1] == 5


@pytest.mark.parametrize("damage", ["edited", "cut", "of another training"])
def test_damaged_or_outdated_readings_are_measured_again(split, folder, damage):
    found = readings(folder, split)
    file = folder / "readings.json"
    whole = file.read_text()
    changed = {
        "edited": re.sub(r'"f1": [\d.]+', '"f1": 99.5', whole, count=1),
        "cut": whole[: len(whole) // 2],
        "of another training": re.sub(r'"result": "\w+"', '"result": "0"', whole),
    }
    assert changed[damage] != whole
    file.write_text(changed[damage])
    assert readings(folder, split) == found
    assert file.read_text() == whole


def test_readings_make_table_4(split, folder):
    result = Result.read(folder / "result.json")
    table = tables.paper_table([result, *readings(folder, split)], 4)
    assert table["method"].unique().tolist() == ["discom", *(f"discom z_{part}{how}" for part in PARTS
                                                             for how in ("", " probe"))]  # fmt: skip
    found = table.set_index(["method", "modality"])["vs discom"]
    for one in readings(folder, split):
        assert found[one.method, "rgb"] == pytest.approx(one.f1["rgb"] - result.f1["rgb"])
    assert len(summary([result])) == 2


# ---------------------------------------------------------------- factors


def test_factors_drop_what_is_constant_or_a_repetition(split):
    found = factors(split.test, "rgb")
    assert "outline" not in found  # the shape once more, as everything is shared
    assert {"class", "shape", "material", "texture", "scale"} <= set(found)
    assert np.array_equal(found["class"], split.test.labels)
    for name in ("rotation", "phase"):
        angle = split.test.factors[name]
        np.testing.assert_allclose(found[name], np.stack([np.cos(angle), np.sin(angle)], 1))
    more = {**split.test.factors, "still": np.ones(len(split.test)), "again": split.test.factors["scale"].copy(),
            "label": split.test.labels.copy(), "word": np.array(["a", "b"])[split.test.labels % 2]}  # fmt: skip
    assert set(factors(replace(split.test, factors=more), "rgb")) == {*found, "word"}
    assert set(factors(replace(split.test, factors={}), "depth")) == {"class"}


def test_factors_follow_the_rows_of_a_modality():
    held = data.load("scenes:n=330,size=8,shared=0.5,labelled=0.5").split().train
    found = factors(held, "depth")
    rows = [held.ids.tolist().index(i) for i in held.modalities["depth"].ids]
    assert len(rows) < len(held)
    assert "outline" in found
    for name in ("shape", "shift", "outline"):
        assert np.array_equal(found[name], held.factors[name][rows])
    assert np.array_equal(found["class"], held.modalities["depth"].y)


# ---------------------------------------------------------------- everything


def test_inspect_measures_every_part_of_every_modality(split, folder, monkeypatch):
    found = inspect(folder, split)
    rows = [f"{m} z_{part}" for m in ("rgb", "depth") for part in PARTS]
    assert list(found["matrix"]) == list(found["shuffled"]) == rows
    columns = {"class", "shape", "material", "texture", "relief", "rotation", "shift"}
    assert all(columns <= set(scores) for scores in found["matrix"].values())
    assert set(found["chance"]) == set(found["kind"]) == set(found["matrix"][rows[0]])
    assert (found["kind"]["class"], found["kind"]["shift"], found["chance"]["shift"]) == (
        "accuracy",
        "R2",
        0.0,
    )
    disks = (split.test.factors["shape"] == 0).mean()
    assert found["chance"]["shape"] == pytest.approx(100 * max(disks, 1 - disks))
    assert list(found["modality"]) == [f"z_{part}" for part in PARTS]
    assert found["modality"]["z_inv"]["chance"] == 50
    assert len(found["cka"]) == 15
    assert all(0 <= value <= 1 for value in found["cka"].values())
    assert (found["method"], found["seed"], found["f1"]) == (
        "discom",
        0,
        Result.read(folder / "result.json").f1,
    )
    assert json.loads((folder / "probes.json").read_text())["found"] == found
    forbid(monkeypatch)
    assert inspect(folder, split) == found


def test_a_cut_inspection_is_measured_again(split, folder):
    found = inspect(folder, split)
    (folder / "probes.json").write_text('{"method": "disc')
    assert inspect(folder, split) == found


@pytest.mark.parametrize("lack", ["some in depth", "some in both"])
def test_data_without_all_pairs_is_inspected(tmp_path, lack):
    whole = data.load("scenes:n=198,size=8,shapes=2,materials=2")
    rgb, depth = whole.modalities.values()
    every = np.arange(len(whole))
    rgb = rgb.take(every[every % 3 != 0]) if lack == "some in both" else rgb
    held = MultiModalData(
        {"rgb": rgb, "depth": depth.take(every[every % 3 != 1])}, whole.classes, name="uneven"
    )
    held = replace(held, fractions=whole.fractions)
    split = held.split(seed=0)
    fit("discom", split, TINY, tmp_path / "run", progress=False)
    found = inspect(tmp_path / "run", split)
    assert list(found["matrix"]) == [f"{m} z_{part}" for m in ("rgb", "depth") for part in PARTS]
    z = embeddings(tmp_path / "run", split)["test"]
    assert {name: len(held["inv"]) for name, held in z.items()} == {
        name: len(m.ids) for name, m in split.test.modalities.items()
    }
    assert len(split.test.paired_ids) < len(z["rgb"]["inv"])
    assert (len(split.test.paired_ids) < len(z["depth"]["inv"])) == (lack == "some in both")
    assert {one.method for one in readings(tmp_path / "run", split)} >= {
        "discom z_inv",
        "discom z_irr probe",
    }


def test_a_class_that_the_training_part_of_a_modality_lacks_is_read_as_none():
    z = np.repeat(np.eye(3), 5, axis=0)
    reader = make_pipeline(LogisticRegression()).fit(z, np.repeat([0, 2, 3], 5))
    logits = inspection._full(reader, z, 5)
    assert logits.shape == (15, 5)
    assert (logits[:, [1, 4]] < -1e8).all()
    assert logits.argmax(1).tolist() == np.repeat([0, 2, 3], 5).tolist()


def test_mean_matrices_are_means_over_the_runs_of_a_method():
    def one(method, value, row="rgb z_inv"):
        return {
            "method": method,
            "matrix": {row: {"shape": value, "shift": value / 100}, "depth z_inv": {"shape": 1}},
        }

    found = mean_matrices([one("discom", 60.0), one("discom irr=1", 50.0), one("discom", 80.0)])
    assert list(found) == ["discom", "discom irr=1"]
    assert found["discom"].loc["rgb z_inv"].tolist() == [70.0, 0.7]
    assert list(found["discom"].index) == ["rgb z_inv", "depth z_inv"]
    assert found["discom irr=1"].loc["rgb z_inv", "shape"] == 50.0


# ---------------------------------------------------------------- the command


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def test_probe_prints_the_matrix_and_writes_it(split, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("probe", "runs", "--data", DATA, "--out", "made/probes") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "discom"
    assert printed[1].split() == [
        word for m in ("rgb", "depth") for p in PARTS for word in (m, f"z_{p}")
    ]
    assert printed[-2:] == ["made/probes.json", "made/probes.png"]
    (held,) = json.loads((tmp_path / "made/probes.json").read_text())
    assert held == inspect(folder, split)
    shown = {line.split()[0]: line.split()[1:] for line in printed[2:-3]}
    for name, values in shown.items():
        expected = [held["matrix"][row][name] for row in held["matrix"]]
        assert [float(value) for value in values] == pytest.approx(expected, abs=0.006)
    assert (tmp_path / "made/probes.png").read_bytes().startswith(b"\x89PNG")
    assert run("probe", folder, "--data", DATA) == 0  # one run's folder does as well
    assert capsys.readouterr().out.splitlines()[:2] == printed[:2]


WRONG = {
    "no runs": (["nowhere", "--data", DATA], "nowhere: no finished run in it; train one with"),
    "other data": (
        ["runs", "--data", "scenes:n=66,size=8,shapes=2,materials=2"],
        "was trained on another split",
    ),
    "no such data": (["runs", "--data", "nothing"], "nothing: no such folder"),
    "one modality": (
        ["runs", "--data", DATA, "--modalities", "rgb"],
        "was trained on another split",
    ),
    "an unknown ending": (
        ["runs", "--data", DATA, "--out", "probes.txt"],
        "ends in .txt; pictures are",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_probe_is_one_line(folder, tmp_path, capsys, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    before = sorted(folder.rglob("*"))
    words, message = WRONG[what]
    assert run("probe", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("discom: error: ")
    assert message in line
    assert sorted(folder.rglob("*")) == before


def test_probe_of_a_method_without_embeddings_is_one_line(trained, capsys):
    assert run("probe", trained / "student", "--data", DATA) == 2
    assert "student has no embedding" in capsys.readouterr().err


def test_every_method_with_heads_has_embeddings():
    assert {name for name in methods.names() if hasattr(methods.get(name), "heads")} == {
        "discom",
        "discom-solo",
    }
