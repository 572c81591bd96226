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

from discom import cli, data, fit, inspection, methods, profile, tables
from discom.data import MultiModalData
from discom.data.batches import ModalityTensor
from discom.errors import ConfigError, RunError
from discom.evaluation import probing
from discom.evaluation.scores import embed
from discom.inspection import (
    embeddings,
    factors,
    inspect,
    mean_matrices,
    part_scores,
    readings,
)
from discom.running.runs import Result, Run, load_run, weights_file

DATA = "scenes:n=99,size=8,shapes=2,materials=2"
TINY = profile("tiny", epochs=1)
PARTS = ("inv", "inf", "irr")
NAMES = [f"z_{part}" for part in PARTS]
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
    """Finished runs of three methods with an embedding and of student."""
    root = tmp_path_factory.mktemp("inspected")
    for name in ("discom", "discom-solo", "mdico", "student"):
        fit(name, split, TINY, root / name, progress=False)
    return root


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of the run of discom, to be changed."""
    return shutil.copytree(trained / "discom", tmp_path / "runs/scenes/discom/0-aa")


# ---------------------------------------------------------------- embedding and loading


def test_embeddings_are_the_same_whatever_the_batch(split, trained):
    model, _ = load_run(trained / "discom", split, "depth")
    images = ModalityTensor(split.test, "depth", "cpu")
    expected = embed(model.train(), "depth", images)
    assert not model.training
    for size in (1, 7):
        torch.testing.assert_close(embed(model, "depth", images, size), expected)


@pytest.mark.parametrize("name", ["discom", "discom-solo", "mdico"])
def test_embeddings_of_a_run_and_what_its_heads_say(split, trained, name):
    arrays = embeddings(trained / name, split)
    assert list(arrays) == ["train", "test"]
    for part, modalities in arrays.items():
        for modality, values in modalities.items():
            model, result = load_run(trained / name, split, modality)
            images = torch.from_numpy(getattr(split, part).images(modality))
            with torch.inference_mode():
                z, logits = model.embed(modality, images), model.predict(modality, images)
                aux = {f"aux {key}": model.owner(modality).heads.aux(z[key]) for key in PARTS}
            expected = {**z, **aux, "logits": logits}
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


def test_what_has_no_embeddings_and_another_split_are_refused(split, trained):
    with pytest.raises(ConfigError, match="student has no embedding to look into; choose discom"):
        embeddings(trained / "student", split)
    for other in (data.load(DATA).split(seed=1), data.load(f"{DATA},seed=2").split(seed=0)):
        with pytest.raises(RunError, match=r"another split, than .*; give .* seed 0"):
            embeddings(trained / "discom", other)


# ---------------------------------------------------------------- readings


def test_readings_are_the_auxiliary_head_of_each_part(split, folder):
    parts, test = readings(folder, split), embeddings(folder, split)["test"]
    result, by_name = Result.read(folder / "result.json"), {part.method: part for part in parts}
    assert list(by_name) == [f"discom z_{part}{how}" for part in PARTS for how in ("", " probe")]
    for modality, arrays in test.items():
        truth = split.test.modalities[modality].y
        for part in PARTS:
            told = arrays[f"aux {part}"].argmax(1)
            scores = by_name[f"discom z_{part}"].scores[modality]
            f1 = 100 * sklearn.metrics.f1_score(truth, told, average="weighted")
            assert scores["f1"] == pytest.approx(f1, abs=1e-3)
            assert scores["best_epoch"] == result.scores[modality]["best_epoch"]
    for part in parts:
        assert (part.seed, part.hash, part.config) == (0, result.hash, result.config)
    options = {"changed": {"grl_lambda": 0.5}}  # a label says the options once
    options["config"] = {
        **result.config,
        "options": {**result.config["options"], "grl_lambda": 0.5},
    }
    changed = replace(result, **options)
    (folder / "result.json").write_text(json.dumps(changed.to_json()))
    assert readings(folder, split)[0].label == "discom grl_lambda=0.5 z_inv"


def test_the_probe_reads_what_the_training_part_teaches_it(split, folder, monkeypatch):
    """Embeddings that are the class itself are read without an error, constants as the most
    frequent class, and a class that the training part lacks as none."""
    labels = {m: split.train.modalities[m].y.copy() for m in split.train.modalities}
    arrays = embeddings(folder, split)
    for part, modalities in arrays.items():
        for modality, z in modalities.items():
            z["inf"] = np.eye(4, dtype=np.float32)[getattr(split, part).modalities[modality].y]
            z["irr"] = np.zeros_like(z["irr"])
    monkeypatch.setattr(inspection, "embeddings", lambda *_: arrays)
    f1 = {part.method: part.f1 for part in readings(folder, split)}
    assert f1["discom z_inf probe"] == {"rgb": 100.0, "depth": 100.0}
    for modality, value in f1["discom z_irr probe"].items():
        y = split.test.modalities[modality].y
        p = (y == np.bincount(labels[modality]).argmax()).mean()
        assert value == pytest.approx(100 * p * 2 * p / (1 + p), abs=1e-3)


# ---------------------------------------------------------------- factors


def test_factors_drop_what_is_constant_or_a_repetition():
    test = data.load(DATA).split(seed=0).test
    own, asked = test.factors, factors(test, "rgb")
    assert {"class", "shape", "material", "texture", "shift"} <= set(asked)
    assert np.array_equal(asked["class"], test.labels)
    for name in ("rotation", "phase"):
        angle = np.stack([np.cos(own[name]), np.sin(own[name])], 1)
        np.testing.assert_allclose(asked[name], angle)
    word = np.array(["a", "b"])[test.labels % 2]
    more = {"still": np.ones(len(word)), "again": own["shift"].copy(), "word": word}
    assert set(factors(replace(test, factors={**own, **more}), "rgb")) == {*asked, "word"}
    assert set(factors(replace(test, factors={}), "depth")) == {"class"}


def test_factors_follow_the_rows_of_a_modality():
    train = data.load("scenes:n=330,size=8").split().train
    depth = train.modalities["depth"].take(np.arange(1, len(train), 2))
    train = train.with_modalities({**train.modalities, "depth": depth})
    asked = factors(train, "depth")
    rows = [train.ids.tolist().index(i) for i in train.modalities["depth"].ids]
    assert len(rows) < len(train)
    for name in ("shape", "shift", "texture"):
        assert np.array_equal(asked[name], train.factors[name][rows])
    assert np.array_equal(asked["class"], train.modalities["depth"].y)


# ---------------------------------------------------------------- everything


def test_inspect_knows_kind_and_chance_of_every_factor(split, folder):
    measures = inspect(folder, split)
    chance, kind = measures["chance"]["depth"], measures["kind"]["depth"]
    assert set(chance) == set(kind) == {"class", *FACTORS}
    assert set(measures["matrix"]["depth"]["z_inv"]) == set(chance)
    assert (kind["class"], kind["shift"], chance["shift"]) == ("accuracy", "R2", 0.0)
    disks = (split.test.factors["shape"] == 0).mean()
    assert chance["shape"] == pytest.approx(100 * max(disks, 1 - disks))
    assert measures["modality"]["z_inv"]["chance"] == 50
    f1 = Result.read(folder / "result.json").f1
    assert (measures["method"], measures["seed"], measures["f1"]) == ("discom", 0, f1)


def test_inspect_is_the_probes_of_its_embeddings(split, trained, monkeypatch):
    """Both readers of modality and class, and the carried reader."""
    labels = split.test.labels
    monkeypatch.setattr(inspection, "factors", lambda *_: {"class": labels})
    measures, arrays = inspect(trained / "mdico", split), embeddings(trained / "mdico", split)
    assert json.loads(json.dumps(measures)) == measures
    mlp = measures["mlp"]
    for part in PARTS:
        z = {p: {m: arrays[p][m][part] for m in ("rgb", "depth")} for p in ("train", "test")}
        for read, reader in ((measures, "linear"), (mlp, "mlp")):
            told = probing.modality_probe(z["test"], train=z["train"], reader=reader)
            assert read["modality"][f"z_{part}"] == told._asdict()
    for m in ("rgb", "depth"):
        z, fit_on = arrays["test"][m]["irr"], arrays["train"][m]["irr"]
        line, bent = (probing.probe(z, labels, train=fit_on, reader=r) for r in probing.READERS)
        assert measures["matrix"][m]["z_irr"] == {"class": line.score}
        assert measures["shuffled"][m]["z_irr"] == {"class": line.shuffled}
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
    pairs = {"train": {}, "test": {}}
    for name in ("rgb", "depth"):
        count = np.bincount(split.test.modalities[name].y)
        chance = measures["chance"][name]["class"]
        assert chance == pytest.approx(100 * count.max() / count.sum())
        for place, kept in pairs.items():
            part = getattr(split, place)
            rows = np.isin(part.modalities[name].ids, part.paired_ids)
            assert 0 < rows.sum() < len(rows)
            kept[name] = arrays[place][name]["inv"][rows if place == "test" else slice(None)]
    labels = rgb.y[np.isin(rgb.ids, split.test.paired_ids)]
    transfer = probing.class_transfer(pairs["test"], labels, train=pairs["train"])
    assert measures["transfer"] == transfer.to_dict("index")


def measured(method, seed):
    """A run as `inspect` gives it, its accuracies moved by the seed."""
    score = {"z_inv": 70.0 + seed, "z_inf": 99.0 + seed, "z_irr": 98.0 + seed}
    parts = {part: {"class": 60.0 + seed, "shift": seed / 100} for part in NAMES}
    bent = {"z_irr": {"class": 64.0 + seed}}
    return {
        "method": method,
        "seed": seed,
        "matrix": {"rgb": parts, "depth": parts},
        "chance": {"rgb": {"class": 12.0}, "depth": {"class": 11.0}},
        "modality": {part: {"score": score[part], "chance": 50.0} for part in NAMES},
        "mlp": {
            "modality": {part: {"score": score[part] + 0.5, "chance": 50.0} for part in NAMES},
            "matrix": {"rgb": bent, "depth": bent},
        },
    }


def test_means_are_taken_over_the_runs_of_a_method():
    means = mean_matrices([measured("discom", 0), measured("mdico", 0), measured("discom", 1)])
    assert list(means) == ["discom", "mdico"]
    assert list(means["discom"].index) == [(m, part) for m in ("rgb", "depth") for part in NAMES]
    assert means["discom"].loc["depth", "z_inv"].to_dict() == {"class": 60.5, "shift": 0.005}
    assert means["mdico"].loc["depth", "z_inv"].to_dict() == {"class": 60, "shift": 0}


def test_part_scores_have_a_row_for_each_part_of_each_run():
    table = part_scores([measured("discom", 0), measured("discom", 1)])
    table = table.set_index(["seed", "modality", "part"])
    assert len(table) == 12
    assert list(table) == [
        "method",
        "sensor",
        "class",
        "sensor, MLP",
        "class, MLP",
        "class, chance",
    ]
    assert table.loc[1, "depth", "z_irr"].tolist() == ["discom", 99, 61, 99.5, 65, 11]
    first = table.loc[0, "rgb", "z_inv"]
    assert first.dropna().tolist() == ["discom", 70, 60, 70.5, 12]
    assert np.isnan(first["class, MLP"])


def test_probe_prints_the_matrix_and_writes_it(folder, tmp_path, capsys, monkeypatch):
    asked = inspection.factors
    few = ("class", "shape")  # the test is about the command
    monkeypatch.setattr(inspection, "factors", lambda *a: {k: asked(*a)[k] for k in few})
    monkeypatch.chdir(tmp_path)
    assert cli.main(["probe", "runs", "--data", DATA, "--out", "made/probes"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "discom"
    assert printed[-2:] == ["made/probes.json", "made/probes.png"]
    (measures,) = json.loads((tmp_path / "made/probes.json").read_text())
    shape = next(line for line in printed if line.startswith("shape")).split()[1:]
    matrix = measures["matrix"]
    expected = [matrix[m][part]["shape"] for m in ("rgb", "depth") for part in NAMES]
    assert [float(value) for value in shape] == pytest.approx(expected, abs=0.006)
    assert (tmp_path / "made/probes.png").read_bytes().startswith(b"\x89PNG")
    line = next(line for line in printed if line.startswith("rgb") and "z_inv" in line)
    read = [read["modality"]["z_inv"]["score"] for read in (measures, measures["mlp"])]
    expected = [
        read[0],
        matrix["rgb"]["z_inv"]["class"],
        read[1],
        measures["chance"]["rgb"]["class"],
    ]
    assert [float(value) for value in line.split()[-4:]] == pytest.approx(expected, abs=0.06)


@pytest.fixture
def quiet(monkeypatch):
    """What `discom probe` inspects, folder and split; nothing is measured."""
    asked = []

    def note(folder, split):
        result = Result.read(folder / "result.json")
        asked.append((folder, split))
        return {"hash": result.hash}

    monkeypatch.setattr(inspection, "inspect", note)
    monkeypatch.setattr(inspection, "mean_matrices", lambda *_: {})
    return asked


def test_probe_takes_the_scenes_of_each_seed(quiet, tmp_path):
    """Runs of a higher seed stand in the first folder; each is read on its own scenes."""
    splits = [data.load(DATA, seed=seed).split(seed=seed) for seed in (0, 1)]
    folders = [tmp_path / "runs" / name for name in ("b", "a")]
    for seed, (split, folder) in enumerate(zip(splits, folders, strict=True)):
        fit("discom-solo", split, replace(TINY, seed=seed), folder, progress=False)
    words = ["probe", str(tmp_path / "runs"), "--data", DATA]
    assert cli.main(words) == 0
    assert [folder for folder, _ in quiet] == folders
    for (_, told), split in zip(quiet, splits, strict=True):
        assert np.array_equal(told.test.images("rgb"), split.test.images("rgb"))


def test_probe_finds_the_runs_of_a_collected_table(quiet, tmp_path, capsys):
    images = data.load(DATA)
    run = Run.of(tmp_path / "runs", methods.DisCoMSolo, images, TINY)
    result = fit("discom-solo", images.split(seed=0), TINY, run.folder, progress=False)
    part = replace(result, method="discom-solo z_inv")  # a row of Table 4: no run of its own
    tables.collect([part, result], tmp_path / "table.json")
    words = ["probe", str(tmp_path / "table.json"), "--data", DATA, "--runs"]
    assert cli.main([*words, str(tmp_path / "runs")]) == 0
    assert [folder for folder, _ in quiet] == [run.folder]
    assert cli.main([*words, str(tmp_path / "other")]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert str(tmp_path / "other") in line
