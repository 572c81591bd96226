"""benchmarks/speed.py: both sides train the same; and scripts that train, from end to end."""

import json
import os
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy
import torch
from fixtures.results import result
from sklearn.metrics import f1_score

import grid
import measure
import speed
import stored
from discom import cli, data, tables
from discom.config import profile
from discom.data.batches import ModalityTensor
from discom.data.scenes import objects
from discom.running import sweep
from discom.running.loading import load_run
from discom.running.runs import Result, read_predictions


def test_both_sides_compute_one_loss():
    """On their first batch, before its step, in float32 and in the precision of `fit`."""
    one_batch = speed.scenes(16, 16)
    still = profile("tiny", epochs=1, schedule="constant", batch_size=16, augment=0.0)
    expected, _ = speed.recipe(one_batch, still)
    for precision, tolerance in {"32-true": 1e-5, "bf16-mixed": 0.02}.items():
        loss, _ = speed.ours(one_batch, replace(still, precision=precision))
        assert loss == pytest.approx(expected, rel=tolerance)
    wrong = replace(still, precision="32-true", options={"weights": {"adv": 0.99}})
    assert speed.ours(one_batch, wrong)[0] != pytest.approx(expected, rel=1e-5)


def test_speeds_of_both_sides_are_compared(monkeypatch):
    """Made sides, of which ours takes half the time; the intervals are those of the ratio."""
    monkeypatch.setattr(speed, "recipe", lambda *_: (0.0, next(recipe)))
    monkeypatch.setattr(speed, "ours", lambda *_: (0.0, next(ours)))
    monkeypatch.setattr(speed, "device", lambda: torch.device("cpu"))
    recipe, ours = iter([2.0, 8.0, 4.0]), iter([1.0, 4.0, 2.0])
    found = speed.compare(32, 3, "32-true")["pairs_per_second"]
    assert (found["ratio"], found["interval"]) == (2, [2, 2])
    assert found["recipe"] == profile("cpu").batch_size * speed.SIZES[32][1] / 4


def test_the_recipe_augments_as_the_paper_says():
    torch.manual_seed(0)
    image = torch.arange(4.0).view(1, 2, 2)
    half = [tuple(speed.motions(0.5)(image).flatten().tolist()) for _ in range(1000)]
    assert len(set(half)) == 8  # the flips and quarter turns of a square
    # of the moved half 3/16: 1/4 · 5/8 without a flip, 1/4 · 1/8 with both and a half turn
    unmoved = np.mean([pixels == (0, 1, 2, 3) for pixels in half])
    assert unmoved == pytest.approx(0.5 + 0.5 * 3 / 16, abs=4 * 0.5 / 1000**0.5)
    assert all(torch.equal(speed.motions(0.0)(image), image) for _ in range(50))


TINY = ["--profile", "tiny", "--workers", "1"]
SMALL = [*TINY, "--data", "objects:n=99,size=8"]


def test_scripts_from_end_to_end(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [*TINY, "--seeds", "1", "--data", "objects:n=225,size=8", "--collect", "all.csv"]
    words += ["--channels-last", "false", "--labelled", "0.5", "student"]
    words += ['discom:{"pairing": "paired", "weights": {"adv": 0}, "learning_rate": 0.003}']
    assert cli.main(words, grid.compare) == 0
    printed = capsys.readouterr().out
    results = tables.load_results("all.csv")
    table = tables.summary(results, ["student"])
    assert table["method"].unique().tolist() == ["student", "discom pairing=paired adv=0"]
    settings = ("labelled", "channels_last", "learning_rate")
    asked = {(run.method, *(run.config[name] for name in settings)) for run in results}
    assert asked == {("student", 0.5, False, 0.01), ("discom", 0.5, False, 0.003)}

    monkeypatch.setattr(sweep, "fit", lambda *_, **__: pytest.fail("trained twice"))
    shutil.rmtree("runs")  # what the file holds is not trained again
    assert cli.main(words, grid.compare) == 0
    assert tuple(capsys.readouterr()) == (printed, "")
    assert len(tables.load_results("all.csv")) == 2

    older = [replace(result, code="unknown") for result in tables.load_results("all.csv")]
    tables.collect(older, tmp_path / "older.csv")
    words[words.index("all.csv")] = "older.csv"
    assert cli.main(words, grid.compare) == 0
    assert "older.csv: 2 of its results were made by other code" in capsys.readouterr().err


def test_kinds_of_scenes_are_those_of_their_factors(tmp_path, monkeypatch):
    """A network that is right in the dark alone, on the last rows in another order."""
    whole = objects.make(40, size=8)
    monkeypatch.setattr(measure.data, "load", lambda *_, **__: whole)
    run, rows = result(main={"rgb": 50.0}), np.arange(39, 9, -1)
    dark, far = (whole.factors[name][rows] for name in ("dark", "far"))
    logits = np.eye(len(whole.classes))[(whole.labels[rows] + (1 - dark)) % len(whole.classes)]
    ids = whole.modalities["rgb"].ids[rows]
    run.folder(tmp_path).mkdir(parents=True)
    answers = {"rgb_logits": logits, "rgb_labels": whole.labels[rows], "rgb_ids": ids}
    np.savez(run.folder(tmp_path) / "predictions.npz", **answers)
    table = pd.DataFrame(measure.kinds(run, tmp_path)).set_index("kind")
    assert table["accuracy"].to_dict() == {
        name: 100 * hidden for (hidden, _), name in measure.KINDS.items()
    }
    assert table["scenes"].to_dict() == {
        name: np.sum((dark == d) & (far == f)) for (d, f), name in measure.KINDS.items()
    }


class Knows(torch.nn.Module):
    """A network whose embedding tells shape and size."""

    def __init__(self, scenes):
        super().__init__()
        shape = np.eye(3)[scenes.factors["shape"]]
        known = np.column_stack([shape, scenes.factors["scale"]])
        self.z = torch.from_numpy(known).float()

    def embed(self, _, x):
        return {"inv": self.z[: len(x)]}


def test_parts_tell_what_an_embedding_holds_and_nothing_else():
    whole = objects.make(600, size=8)
    rows = pd.DataFrame(measure.probed(Knows(whole), whole))
    found = rows.set_index(["sensor", "fact"])["score"].unstack()
    assert (found[["shape", "size"]] > 99).all(axis=None)  # told
    assert (abs(found["which sensor"] - 50) < 1e-9).all()  # the same from both
    assert (found[["material", "hidden material"]] < 45).all(axis=None)  # one guess in three
    assert (found[["distance", "light"]] < 1).all(axis=None)


def test_parts_adds_runs_once_with_the_untrained_beside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = "objects:n=225,size=8"
    words = [*TINY, "--data", images, "--seeds", "1", "student", "discom", "--collect", "all.csv"]
    assert cli.main(words, grid.compare) == 0
    small = data.load(images, seed=0)
    monkeypatch.setattr(data, "load", lambda *_, **__: small)
    words = ["read", "parts", "all.csv", "student", "discom"]
    assert cli.main(words, measure.measure) == 0
    rows = pd.read_csv("parts.csv")
    counts = rows.groupby("method")["part"].nunique().to_dict()
    assert counts == {"discom": 3, "student": 1, "untrained": 3}
    scores = rows[rows["part"] == "inv"].pivot(index=["sensor", "fact"], columns="method")["score"]
    assert (scores["discom"] != scores["untrained"]).any()
    monkeypatch.setattr(measure, "probed", lambda *_: pytest.fail("read twice"))
    assert cli.main(words, measure.measure) == 0
    pd.testing.assert_frame_equal(pd.read_csv("parts.csv"), rows)
    assert cli.main(["read", "parts", "all.csv", "nobody"], measure.measure) == 2


def test_two_sensors_together_and_with_one_missing(tmp_path, monkeypatch):
    """The product of two networks, and a network of both with zeros in the place of one: F1 is
    scikit-learn's."""
    monkeypatch.chdir(tmp_path)
    words = [*SMALL, "--seeds", "1", "student", "teacher", "--collect", "all.csv"]
    assert cli.main(words, grid.compare) == 0
    whole = data.load(SMALL[-1], seed=0)
    monkeypatch.setattr(data, "load", lambda *_, **__: whole)
    assert cli.main(["both", "all.csv", "scenes"], measure.measure) == 0
    every = pd.read_csv("all-both.csv", dtype={"group": str})
    found = every[every["f1"].notna()].set_index(["method", "missing"])["f1"]
    runs = {run.method: run for run in tables.load_results("all.csv")}
    student, teacher = runs["student"], runs["teacher"]
    test = whole.split(0).test

    def f1(logits):
        return 100 * f1_score(test.labels, logits.argmax(1), average="weighted")

    stored = read_predictions(student.folder("runs") / "predictions.npz")
    product = sum(scipy.special.log_softmax(stored[f"{k}_logits"], 1) for k in test.modalities)
    single = every[every["group"].notna() & (every["method"] == "student")]  # a scene is a group
    assert single["hits"].str.split(expand=True).astype(int).sum(axis=None) == (
        (product.argmax(1) == test.labels).sum()
    )
    assert found["student", "none"] == pytest.approx(f1(product), abs=1e-3)
    assert found["teacher", "none"] == pytest.approx(teacher.main["rgb+depth"], abs=1e-3)
    network = load_run(teacher.folder("runs"), whole.split(0))[0]
    for missing, other in (("rgb", "depth"), ("depth", "rgb")):
        blind = replace(test.modalities[missing], x=np.zeros_like(test.modalities[missing].x[:]))
        images = {missing: blind, other: test.modalities[other]}
        seen = ModalityTensor(test.with_modalities(images), "rgb+depth", "cpu")
        logits = network.predict("rgb+depth", seen[torch.arange(len(test))]).detach().numpy()
        assert found["teacher", missing] == pytest.approx(f1(logits), abs=1e-3)


def test_every_command_of_results_sh_parses(tmp_path):
    """A shell's word list in the place of Python."""
    (tmp_path / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@" "" >> "$RECORD"\n')
    (tmp_path / "python").chmod(0o755)
    record = tmp_path / "record"
    places = {"PYTHON": str(tmp_path / "python"), "OUT": str(tmp_path), "RECORD": str(record)}
    script = stored.RESULTS.parent / "benchmarks/results.sh"
    subprocess.run(["sh", str(script)], check=True, env={**os.environ, **places})
    scripts = grid.grid.commands | measure.measure.commands
    parsed = 0
    for text in record.read_text().split("\n\n")[:-1]:
        _, *words = text.split("\n")
        if words[:2] == ["discom", "table"]:
            cli.group.commands["table"].make_context("table", words[2:])
        elif words[0] != "papermill":
            name = words.pop(0)
            asked = scripts[name].make_context(name, words).params
            named = asked.get("methods", ()) if name in grid.grid.commands else ()  # else of rows
            for text in named:
                method, options, _ = grid.parsed(text)
                method.options(options)  # refuses others
        parsed += 1
    assert parsed > 70


def test_the_best_value_on_validation_is_chosen(tmp_path):
    option, values, method = "temperature", (1.0, 4.0), "kdv2"
    words = [*SMALL, "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "choice.json")]
    words += [method, "--option", option, "--values", ",".join(map(str, values))]
    words += ["--seeds", "100,101", "--labelled", "0.5"]
    assert cli.main(words, grid.choose) == 0
    tried = {}
    for file in (tmp_path / "runs").rglob(f"{method}/*/result.json"):
        result = Result.read(file)
        assert result.config["labelled"] == 0.5
        options = result.config["options"]
        valid = [scores["valid_f1"] for scores in result.scores.values()]
        tried.setdefault(options[option], {})[result.seed] = sum(valid) / len(valid)
    assert set(tried) == set(values)
    assert [*map(sorted, tried.values())] == [[100, 101]] * 2
    means = {value: sum(scores.values()) / 2 for value, scores in tried.items()}
    choice = json.loads((tmp_path / "choice.json").read_text())
    assert choice["data"] == "objects"
    assert means[choice["chosen"][method]] == max(means.values())  # or one of two that tie
    assert {float(v): choice[f"{v:g}"][method] for v in values} == pytest.approx(means)
    teachers = [*(tmp_path / "runs").rglob("teacher/*/result.json")]
    assert len(teachers) == 2  # the same for every value


def test_each_network_chooses_on_the_validation_of_all_folds_together(tmp_path, monkeypatch):
    """F1 of the pooled predictions is scikit-learn's; a fold of its own is the run's score."""
    monkeypatch.chdir(tmp_path)
    data.load("objects:n=150,size=8").save("few")
    words = [*TINY, "--data", "few", "--folds", "3", "--seeds", "100,101", "--out", "choice.json"]
    words += ["student", "--values", "0.001,0.03"]
    assert cli.main(words, grid.choose) == 0
    choice = json.loads((tmp_path / "choice.json").read_text())["networks"]
    assert set(choice) == {"student / rgb", "student / depth"}
    whole, tested = data.load("few"), {}
    for file in (tmp_path / "runs").rglob("result.json"):
        run = Result.read(file)
        split = whole.split(*run.parts)
        network = load_run(file.parent, split)[0]
        predictions = read_predictions(file.parent / "predictions.npz")
        for sensor in ("rgb", "depth"):
            images = ModalityTensor(split.valid, sensor, "cpu")
            logits = network.predict(sensor, images[torch.arange(len(images))]).numpy()
            own = f1_score(images.truth(), logits.argmax(1), average="weighted", zero_division=0)
            assert 100 * own == pytest.approx(run.scores[sensor]["valid_f1"], abs=1e-3)
            answers = {
                "valid": (images.truth().numpy(), logits.argmax(1), 100 * own),
                "test": (
                    predictions[f"{sensor}_labels"],
                    predictions[f"{sensor}_logits"].argmax(1),
                ),
            }
            tested[sensor, run.config["learning_rate"], run.seed, run.fold] = answers

    def pooled(answers, part):
        truth, said = (
            np.concatenate(each) for each in zip(*(a[part][:2] for a in answers), strict=True)
        )
        return 100 * f1_score(truth, said, average="weighted")

    places = [(seed, fold) for seed in (100, 101) for fold in range(3)]
    for sensor in ("rgb", "depth"):
        scores, row = {}, choice[f"student / {sensor}"]
        for rate in (0.001, 0.03):
            scores[rate] = pooled([tested[sensor, rate, *place] for place in places], "valid")
            assert row[f"{rate:g}"] == pytest.approx(scores[rate], abs=1e-3)
        assert row["chosen"] == max(scores, key=scores.get)
        chosen = [tested[sensor, row["chosen"], *place] for place in places]
        assert row["test"] == pytest.approx(pooled(chosen, "test"), abs=1e-3)
        nested = [
            max((tested[sensor, rate, *place] for rate in scores), key=lambda own: own["valid"][2])
            for place in places
        ]
        assert row["nested test"] == pytest.approx(pooled(nested, "test"), abs=1e-3)


def test_networks_with_settings_of_their_own_score_together(tmp_path, monkeypatch):
    """A network of each sensor from a run of its own, at a learning rate of its own."""
    monkeypatch.chdir(tmp_path)
    data.load("objects:n=150,size=8").save("few")
    words = [*TINY, "--data", "few", "--folds", "3", "--seeds", "1", "--collect", "all.csv"]
    for sensor, rate in (("rgb", "0.01"), ("depth", "0.003")):
        own = [*words, "--modalities", sensor, "--learning-rate", rate, "student"]
        assert cli.main(own, grid.compare) == 0
    assert cli.main(["both", "all.csv", "few"], measure.measure) == 0
    (row,) = pd.read_csv("all-both.csv").query("f1 == f1").to_dict("records")
    assert (row["method"], {*row["sensors"].split("+")}) == ("student", {"rgb", "depth"})
    said, truth = [], []
    for fold in range(3):
        runs = [run for run in tables.load_results("all.csv") if run.fold == fold]
        each = [read_predictions(run.folder("runs") / "predictions.npz") for run in runs]
        names = [next(iter(run.scores)) for run in runs]
        product = sum(
            scipy.special.log_softmax(own[f"{name}_logits"], 1)
            for own, name in zip(each, names, strict=True)
        )
        said.append(product.argmax(1))
        truth.append(each[0][f"{names[0]}_labels"])
    expected = f1_score(np.concatenate(truth), np.concatenate(said), average="weighted")
    assert row["f1"] == pytest.approx(100 * expected, abs=1e-3)


@pytest.mark.parametrize("flag", ["--seeds", "--values"])
@pytest.mark.parametrize("text", [",", "1,", " ", "a", "true", "NaN"])
def test_what_is_no_list_of_numbers_is_refused(flag, text, capsys):
    """An empty list of seeds ended in an IndexError."""
    assert cli.main(["student", flag, text], grid.choose) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert flag in line
