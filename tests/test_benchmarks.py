"""benchmarks/speed.py: both sides train the same; scripts that train, from end to end; and what a
gain is worth in labels."""

import json
import math
import os
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.results import result
from sklearn.metrics import f1_score

import claims
import derive
import grid
import measure
import speed
import stored
from discom import cli, data, tables
from discom.config import profile
from discom.data import Split
from discom.data.batches import ModalityTensor
from discom.data.checks import check_split
from discom.data.scenes import objects
from discom.running import sweep
from discom.running.runs import Result, load_run

CONFIG = profile("tiny", **{**speed.TIMED, "batch_size": 16})


def make(count):
    split = objects.make(3 * count, size=16).split(seed=0)
    rest = (split.test.take(np.arange(first, first + 8)) for first in (0, 8))
    return Split(split.train.take(np.arange(count)), *rest)


def test_both_sides_compute_one_loss():
    """On their first batch, before its step, in float32 and in the precision of `fit`."""
    one_batch, still = make(16), replace(CONFIG, augment=0.0)
    check_split(speed.random_images({"rgb": 3}, 8, 64))  # as `fit` does
    expected = speed.recipe(one_batch, still)
    for precision, tolerance in {"32-true": 1e-5, "bf16-mixed": 0.02}.items():
        loss = speed.ours(one_batch, replace(still, precision=precision))
        assert loss == pytest.approx(expected, rel=tolerance)
    wrong = replace(still, precision="32-true", options={"weights": {"adv": 0.99}})
    assert speed.ours(one_batch, wrong) != pytest.approx(expected, rel=1e-5)


def test_the_recipe_augments_as_the_paper_says():
    torch.manual_seed(0)
    image = torch.arange(4.0).view(1, 2, 2)
    half = [tuple(speed.motions(0.5)(image).flatten().tolist()) for _ in range(1000)]
    assert len(set(half)) == 8  # the flips and quarter turns of a square
    # of the moved half 3/16: 1/4 · 5/8 without a flip, 1/4 · 1/8 with both and a half turn
    unmoved = np.mean([pixels == (0, 1, 2, 3) for pixels in half])
    assert unmoved == pytest.approx(0.5 + 0.5 * 3 / 16, abs=4 * 0.5 / 1000**0.5)
    assert all(torch.equal(speed.motions(0.0)(image), image) for _ in range(50))


def student(numbers, seeds):
    """Ten points for each doubling of the labels, from 40 with 200 on, and what the seed adds."""
    return {number: 40 + 10 * math.log2(number / 200) + seeds for number in numbers}


def test_labels_are_read_from_a_straight_curve_as_by_hand():
    """Gains 20 ± d are worth 200 · 2^(2 ± d / 10) labels; the interval is scipy's."""
    rng = np.random.default_rng(0)
    seeds, noise = rng.normal(size=6), rng.normal(size=6)
    curve = student([1600, 200, 800, 400], seeds)
    mean, low, high = tables.paired_difference(60 + noise, np.full(6, 60.0))
    expected = [800 * 2 ** (d / 10) for d in (mean, low, high)]
    assert claims.labels_worth(60 + seeds + noise, curve) == pytest.approx(expected, rel=2e-3)


def test_beyond_the_curve_the_number_is_said_to_be_outside():
    seeds = np.array([-1.0, 0.0, 1.0])
    curve = student([200, 400, 800], seeds)
    assert claims.labels_worth(80 + seeds, curve) == (math.inf, math.inf, math.inf)
    assert claims.labels_worth(20 + seeds, curve) == (0, 0, 0)
    number, low, high = claims.labels_worth([59.0, 62.0, 58.5], curve)  # about as with 800
    assert 400 < low < number < 800 < high == math.inf
    falls = {100: [40.0, 42, 41], 200: [55, 56, 57.5], 400: [45, 46, 47], 800: [60, 61, 62.5]}
    number, low, high = claims.labels_worth([50.0, 52, 51], falls)  # it is passed three times
    assert 100 < low < number < 200 < 400 < high < 800


def test_the_interval_of_labels_covers_the_true_number_in_95_of_100():
    """Also where the curve is flat, since its own noise counts."""
    gain, slope = 3.0, 2.0
    rng, hits, numbers = np.random.default_rng(1), 0, np.array([200, 400, 800, 1600])
    for _ in range(400):
        seeds = rng.normal(size=10)
        rise = slope * np.log2(numbers / 200)[:, None]
        scores = 40 + rise + seeds + rng.normal(size=(4, 10)) / 2
        curve = dict(zip(numbers.tolist(), scores, strict=True))
        _, low, high = claims.labels_worth(40 + gain + seeds + rng.normal(size=10) / 2, curve)
        hits += low <= 200 * 2 ** (gain / slope) <= high
    assert 0.92 <= hits / 400 <= 0.98


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
    assert capsys.readouterr().out == printed
    assert len(tables.load_results("all.csv")) == 2


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
    words = ["parts", "all.csv", "student", "discom"]
    assert cli.main(words, measure.measure) == 0
    rows = pd.read_csv("parts.csv")
    counts = rows.groupby("method")["part"].nunique().to_dict()
    assert counts == {"discom": 3, "student": 1, "untrained": 3}
    scores = rows[rows["part"] == "inv"].pivot(index=["sensor", "fact"], columns="method")["score"]
    assert (scores["discom"] != scores["untrained"]).any()
    monkeypatch.setattr(measure, "probed", lambda *_: pytest.fail("read twice"))
    assert cli.main(words, measure.measure) == 0
    pd.testing.assert_frame_equal(pd.read_csv("parts.csv"), rows)
    assert cli.main(["parts", "all.csv", "nobody"], measure.measure) == 2


def test_each_part_alone_is_read_by_the_shared_head(tmp_path, monkeypatch):
    """F1 is scikit-learn's, of the head's weights by hand."""
    monkeypatch.chdir(tmp_path)
    words = [*SMALL, "--seeds", "1", "discom", "--collect", "all.csv"]
    assert cli.main(words, grid.compare) == 0
    (run,) = tables.load_results("all.csv")
    small = data.load(SMALL[-1], seed=0)
    monkeypatch.setattr(data, "load", lambda *_, **__: small)
    assert cli.main(["heads", "all.csv", "discom"], measure.measure) == 0
    found = pd.read_csv("all-heads.csv").set_index(["network", "part"])["f1"]
    assert found.xs("both", level="part").to_dict() == pytest.approx(run.main, abs=1e-3)
    split = small.split(0)
    model = load_run(run.folder("runs"), split)[0]
    weight, bias = (w.numpy() for w in model.model.heads.aux.parameters())
    for sensor in split.test.modalities:
        x = ModalityTensor(split.test, sensor, "cpu")[torch.arange(len(split.test))]
        for part, z in model.embed(sensor, x).items():
            if part != "irr":
                said = (z.detach().numpy() @ weight.T + bias).argmax(1)
                expected = 100 * f1_score(split.test.labels, said, average="weighted")
                assert found[sensor, part] == pytest.approx(expected, abs=1e-3)


def test_given_labels_are_counted_along_training(tmp_path, monkeypatch):
    """Of agreed labels one product of both sensors, of FixMatch each sensor's own."""
    monkeypatch.chdir(tmp_path)
    words = [*TINY, "--data", "objects:n=225,size=8", "--seeds", "1", "--labelled", "0.5"]
    words += ["--collect", "all.csv", "fixmatch", "agreed", 'agreed:{"strong": false}']
    assert cli.main(words, grid.compare) == 0
    small = data.load(words[5], seed=0)
    monkeypatch.setattr(data, "load", lambda *_, **__: small)
    monkeypatch.setattr(measure, "EVERY", 1)
    assert cli.main(["why", "all.csv", "fixmatch", "agreed"], measure.measure) == 0
    rows = pd.read_csv("all-why.csv")
    assert rows.groupby("method")["labels from"].unique().map(list).to_dict() == {
        "agreed": ["rgb+depth"],
        "fixmatch": ["rgb", "depth"],
    }
    counts = rows.groupby(["labels from", "epoch"])["scenes"].sum()
    train = small.split(0).train
    assert (counts == (train.keep_labels(0.5, 0).labels == -1).sum()).all()
    assert counts.index.levels[1].tolist() == [0, 1, 2]

    class Sees(torch.nn.Module):
        """RGB is sure of the class, in the dark of another one, and depth of nothing."""

        paired, threshold = True, 0.9

        def predict(self, sensor, x):
            said = (train.labels + train.factors["dark"]) % 9
            return (50 if sensor == "rgb" else 0) * torch.eye(9)[torch.from_numpy(said)]

    monkeypatch.setattr(measure, "fit", lambda *_, on_epoch_end: on_epoch_end(0, Sees()))
    found = pd.DataFrame(measure.why(tables.load_results("all.csv")[0], "")).set_index("kind")
    found = found[found["scenes"] > 0]  # none is dark and far
    assert (found["labelled %"] == 100).all()
    assert found["right %"].to_dict() == {"ordinary": 100, "dark": 0, "far": 100}
    Sees.paired = False
    assert not measure.given(Sees(), train)["depth"][1].any()


def test_every_command_of_results_sh_parses(tmp_path):
    """A shell's word list in the place of Python."""
    (tmp_path / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@" "" >> "$RECORD"\n')
    (tmp_path / "python").chmod(0o755)
    record = tmp_path / "record"
    places = {"PYTHON": str(tmp_path / "python"), "OUT": str(tmp_path), "RECORD": str(record)}
    script = stored.RESULTS.parent / "benchmarks/results.sh"
    subprocess.run(["sh", str(script)], check=True, env={**os.environ, **places})
    scripts = {**grid.grid.commands, **measure.measure.commands, "derive": derive.derive}
    parsed = 0
    for text in record.read_text().split("\n\n")[:-1]:
        first, *words = text.split("\n")
        if words[:2] == ["discom", "table"]:
            cli.group.commands["table"].make_context("table", words[2:])
        elif words[0] != "papermill":
            name = "derive" if first.endswith("derive.py") else words.pop(0)
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
    assert choice["chosen"][method] == max(means, key=means.get)
    assert {float(v): choice[f"{v:g}"][method] for v in values} == pytest.approx(means)
    teachers = [*(tmp_path / "runs").rglob("teacher/*/result.json")]
    assert len(teachers) == 2  # the same for every value
