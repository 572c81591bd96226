"""What a trained run's embeddings hold: read from its own weights, on its own split, in the order
of the data."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import sklearn.metrics
import torch
from safetensors.torch import load_file, save_file
from sklearn.neural_network import MLPClassifier, MLPRegressor

from discom import data, fit, inspection, profile
from discom.data import MultiModalData
from discom.evaluation import probing
from discom.inspection import embeddings, factors, inspect, mean_matrices, part_scores, readings
from discom.running.runs import Result, load_run, weights_file

DATA = "scenes:n=99,size=8,shapes=2,materials=2"
TINY = profile("tiny", epochs=1)
PARTS = ("inv", "inf", "irr")
FACTORS = ("shape", "material", "rotation", "shift")  # few are probed sooner


@pytest.fixture(autouse=True)
def quick_mlps(monkeypatch):
    """The tests are about who reads what, and not about how well."""
    small = {"hidden_layer_sizes": (4,), "max_iter": 5}
    for kind in (MLPClassifier, MLPRegressor):
        made = lambda kind=kind, **given: kind(**{**given, **small})  # noqa: E731
        monkeypatch.setattr(probing, kind.__name__, made)


@pytest.fixture(scope="module")
def split():
    whole = data.load(DATA)
    few = replace(whole, factors={name: whole.factors[name] for name in FACTORS})
    return few.drawn_by(**whole.drawn).split(seed=0)  # what is not drawn anew is left as it was


@pytest.fixture(scope="module")
def trained(split, tmp_path_factory):
    """Finished runs of two methods with an embedding."""
    root = tmp_path_factory.mktemp("inspected")
    for name in ("discom", "mdico"):
        fit(name, split, TINY, root / name, progress=False)
    return root


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of the run of discom, to be changed."""
    return shutil.copytree(trained / "discom", tmp_path / "runs/scenes/discom/0-aa")


@pytest.mark.parametrize("name", ["discom", "mdico"])
def test_embeddings_of_a_run_and_what_its_heads_say(split, trained, name):
    arrays = embeddings(trained / name, split)
    assert list(arrays) == ["train", "test"]
    for part, modality in ((p, m) for p in arrays for m in arrays[p]):
        model, result = load_run(trained / name, split, modality)
        images = torch.from_numpy(getattr(split, part).images(modality))
        with torch.inference_mode():
            z, logits = model.embed(modality, images), model.predict(modality, images)
            aux = {f"aux {key}": model.owner(modality).heads.aux(z[key]) for key in PARTS}
        expected, values = {**z, **aux, "logits": logits}, arrays[part][modality]
        assert set(values) == set(expected)
        for key, value in expected.items():
            np.testing.assert_allclose(values[key], value.numpy(), rtol=1e-4, atol=1e-5)
        if part == "test":  # these are the weights of the result
            truth = split.test.modalities[modality].y
            f1 = sklearn.metrics.f1_score(truth, logits.argmax(1), average="weighted")
            assert result.f1[modality] == pytest.approx(100 * f1, abs=1e-3)


def test_each_modality_has_its_own_best_weights(split, folder):
    """Weights of depth that were changed are read for depth alone."""
    before = embeddings(folder, split)["test"]
    file = weights_file(folder, "depth")
    weights = load_file(file)
    save_file({k: 0.5 * v if v.is_floating_point() else v for k, v in weights.items()}, file)
    after = embeddings(folder, split)["test"]
    assert all(np.array_equal(before["rgb"][key], after["rgb"][key]) for key in PARTS)
    assert not any(np.array_equal(before["depth"][key], after["depth"][key]) for key in PARTS)


def test_readings_are_the_auxiliary_head_of_each_part(split, folder):
    parts, test = readings(folder, split), embeddings(folder, split)["test"]
    result, by_name = Result.read(folder / "result.json"), {part.method: part for part in parts}
    assert list(by_name) == [f"discom z_{part}{how}" for part in PARTS for how in ("", " probe")]
    for modality, part in ((m, p) for m in test for p in PARTS):
        truth, told = split.test.modalities[modality].y, test[modality][f"aux {part}"].argmax(1)
        f1 = 100 * sklearn.metrics.f1_score(truth, told, average="weighted")
        scores = by_name[f"discom z_{part}"].scores[modality]
        assert scores["f1"] == pytest.approx(f1, abs=1e-3)
        assert scores["best_epoch"] == result.scores[modality]["best_epoch"]
    assert {(part.seed, part.hash) for part in parts} == {(0, result.hash)}


def test_the_probe_reads_what_the_training_part_teaches_it(split, folder, monkeypatch):
    """Embeddings that are the class itself are read without an error, constants as the most
    frequent class."""
    arrays = embeddings(folder, split)
    for part, modality in ((p, m) for p in arrays for m in arrays[p]):
        z = arrays[part][modality]
        z["inf"] = np.eye(4, dtype=np.float32)[getattr(split, part).modalities[modality].y]
        z["irr"] = np.zeros_like(z["irr"])
    monkeypatch.setattr(inspection, "embeddings", lambda *_: arrays)
    f1 = {part.method: part.f1 for part in readings(folder, split)}
    assert f1["discom z_inf probe"] == {"rgb": 100.0, "depth": 100.0}
    for modality, value in f1["discom z_irr probe"].items():
        train, test = (part.modalities[modality].y for part in (split.train, split.test))
        p = (test == np.bincount(train).argmax()).mean()
        assert value == pytest.approx(100 * p * 2 * p / (1 + p), abs=1e-3)


def test_factors_follow_the_rows_of_a_modality_and_drop_constants_and_repetitions():
    train = data.load("scenes:n=330,size=8").split().train
    depth = train.modalities["depth"].take(np.arange(1, len(train), 2))
    train = train.with_modalities({**train.modalities, "depth": depth})
    word = np.array(["a", "b"])[train.labels % 2]
    more = {"still": np.ones(len(word)), "again": train.factors["shift"].copy(), "word": word}
    train = replace(train, factors={**train.factors, **more})
    asked, rows = factors(train, "depth"), [train.ids.tolist().index(i) for i in depth.ids]
    assert {"class", "shape", "material", "texture", "shift", "word"} <= asked.keys()
    assert not {"still", "again"} & asked.keys()
    assert np.array_equal(asked["class"], depth.y)
    assert np.array_equal(asked["shift"], train.factors["shift"][rows])
    angle = train.factors["rotation"][rows]
    np.testing.assert_allclose(asked["rotation"], np.stack([np.cos(angle), np.sin(angle)], 1))
    assert set(factors(replace(train, factors={}), "depth")) == {"class"}


def test_inspect_is_the_probes_of_its_embeddings(split, trained, monkeypatch):
    """Both readers of modality and class, and the reader carried across sensors."""
    labels = split.test.labels
    monkeypatch.setattr(inspection, "factors", lambda *_: {"class": labels})
    measures, arrays = inspect(trained / "mdico", split), embeddings(trained / "mdico", split)
    assert json.loads(json.dumps(measures)) == measures
    assert (measures["method"], measures["seed"]) == ("mdico", 0)
    mlp, frequent = measures["mlp"], 100 * np.bincount(labels).max() / len(labels)
    for part in PARTS:
        z = {p: {m: arrays[p][m][part] for m in ("rgb", "depth")} for p in ("train", "test")}
        for read, reader in ((measures, "linear"), (mlp, "mlp")):
            told = probing.modality_probe(z["test"], train=z["train"], reader=reader)
            assert read["modality"][f"z_{part}"] == told._asdict()
    for m in ("rgb", "depth"):
        z, fit_on = arrays["test"][m]["irr"], arrays["train"][m]["irr"]
        line, bent = (probing.probe(z, labels, train=fit_on, reader=r) for r in probing.READERS)
        assert measures["matrix"][m]["z_irr"] == {"class": line.score}
        assert measures["chance"][m] == {"class": pytest.approx(frequent)}
        assert mlp["matrix"][m] == {"z_irr": {"class": bent.score}}
    inv = {p: {m: arrays[p][m]["inv"] for m in arrays[p]} for p in arrays}
    expected = probing.class_transfer(inv["test"], labels, train=inv["train"])
    assert measures["transfer"] == expected.to_dict("index")


def test_modalities_of_other_samples_have_their_own_chance_and_pairs_the_transfer(tmp_path):
    whole = data.load("scenes:n=198,size=8,shapes=2,materials=2")
    rgb, depth = whole.modalities.values()
    every = np.arange(len(whole))
    rgb = rgb.take(every[every % 3 != 0])
    depth = depth.take(every[(every % 3 != 1) | (depth.y == 0)])  # class 0 is more frequent here
    uneven = MultiModalData({"rgb": rgb, "depth": depth}, whole.classes, name="uneven")
    split = replace(uneven, fractions=whole.fractions).split(seed=0)
    fit("discom", split, TINY, tmp_path / "run", progress=False)
    measures, arrays = inspect(tmp_path / "run", split), embeddings(tmp_path / "run", split)
    train = {name: own["inv"] for name, own in arrays["train"].items()}
    pairs = {}
    for name in ("rgb", "depth"):
        count = np.bincount(split.test.modalities[name].y)
        chance = measures["chance"][name]["class"]
        assert chance == pytest.approx(100 * count.max() / count.sum())
        rows = np.isin(split.test.modalities[name].ids, split.test.paired_ids)
        assert 0 < rows.sum() < len(rows)
        pairs[name] = arrays["test"][name]["inv"][rows]
    labels = rgb.y[np.isin(rgb.ids, split.test.paired_ids)]
    transfer = probing.class_transfer(pairs, labels, train=train)
    assert measures["transfer"] == transfer.to_dict("index")


def test_measures_of_several_runs_are_means_or_rows():
    """Accuracies that are moved by the seed."""
    runs = []
    for method, seed in (("discom", 0), ("mdico", 0), ("discom", 1)):
        score = {"z_inv": 70.0 + seed, "z_irr": 98.0 + seed}
        matrix = {key: {part: {"class": 60.0 + seed} for part in score} for key in ("rgb", "depth")}
        mlp = {"modality": {part: {"score": score[part] + 0.5} for part in score}}
        mlp["matrix"] = {key: {"z_irr": {"class": 64.0 + seed}} for key in matrix}
        run = {"method": method, "seed": seed, "matrix": matrix, "mlp": mlp}
        run |= {"chance": {"rgb": {"class": 12.0}, "depth": {"class": 11.0}}}
        runs.append(run | {"modality": {part: {"score": score[part]} for part in score}})
    means = mean_matrices(runs)
    assert list(means) == ["discom", "mdico"]
    assert means["discom"].loc["depth", "z_inv"].to_dict() == {"class": 60.5}
    table = part_scores(runs).set_index(["method", "seed", "modality", "part"])
    read = ["sensor", "class", "sensor, MLP", "class, MLP", "class, chance"]
    assert (len(table), list(table)) == (12, read)
    assert table.loc["discom", 1, "depth", "z_irr"].tolist() == [99, 61, 99.5, 65, 11]
    first = table.loc["discom", 0, "rgb", "z_inv"].tolist()
    assert first == pytest.approx([70, 60, 70.5, np.nan, 12], nan_ok=True)
