"""benchmarks/speed.py: both sides train the same, the clock says whose seconds are whose;
benchmarks/grid.py: from the factors to a table and its curves, what it reads and refuses;
benchmarks/cost.py: seconds with those of the teacher, as a share;
benchmarks/choose.py: the value with the best validation score, for a setting or an option;
benchmarks/along.py: trains as `fit` does, and reads as `inspection` does;
results/: no figure that nothing shows."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.results import result

import along
import catalogue
import choose
import common
import cost
import grid
import probes
import speed
from discom import data, tables
from discom.config import profile
from discom.data import Split, scenes
from discom.errors import RunError
from discom.methods import get
from discom.running import sweep
from discom.running.fit import fit
from discom.running.runs import Result, Run, load_run

CONFIG = profile("tiny", accelerator="cpu", **{**speed.TIMED, "batch_size": 16})


def make(count):
    split = scenes.make(3 * count, size=16, materials=2, shapes=2).split(seed=0)
    rest = (split.test.take(np.arange(first, first + 8)) for first in (0, 8))
    return Split(split.train.take(np.arange(count)), *rest)


def test_a_setting_of_every_type_is_read_as_config_takes_it():
    typed = ["precision=32-true", "labelled=0.2", "epochs=15", "select=last", "encoder=resnet10"]
    settings = dict(map(common.setting, typed))
    config = profile("tiny", **settings)
    assert {name: getattr(config, name) for name in settings} == {
        **{"precision": "32-true", "labelled": 0.2, "epochs": 15},
        **{"select": "last", "encoder": "resnet10"},
    }


def test_both_sides_compute_one_loss():
    one_batch = make(16)
    speed.check_losses("tiny", one_batch, CONFIG, CONFIG)
    wrong = replace(CONFIG, options={"weights": {"adv": 0.99}})
    with pytest.raises(RunError, match=r"tiny: .* in 32-true .*; the sides do not train the same"):
        speed.check_losses("tiny", one_batch, CONFIG, wrong)


def test_the_recipe_augments_as_the_paper_says():
    torch.manual_seed(0)
    image = torch.arange(4.0).view(1, 2, 2)
    half = [tuple(speed.motions(0.5)(image).flatten().tolist()) for _ in range(1000)]
    assert len(set(half)) == 8  # the flips and quarter turns of a square
    # of the moved half 3/16 come out as they were: 1/4 · 5/8 without a flip, 1/4 · 1/8 with both
    # and a half turn
    unmoved = np.mean([pixels == (0, 1, 2, 3) for pixels in half])
    assert unmoved == pytest.approx(0.5 + 0.5 * 3 / 16, abs=4 * 0.5 / 1000**0.5)
    assert all(torch.equal(speed.motions(0.0)(image), image) for _ in range(50))


def test_the_clock_counts_from_the_first_step_to_the_last(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(speed.time, "perf_counter", lambda: now[0])

    def side(split, config):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        for seconds in (100.0, 2.0, 4.0):
            now[0] += seconds
            optimizer.step()
        now[0] += 1000.0  # validation

    assert speed.step_seconds(side, None, CONFIG) == 3.0


def test_the_file_holds_what_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(speed, "SIZES", {name: (make, CONFIG, {"cpu": 2}) for name in "ab"})
    speed.main(["--rounds", "3", "--json", str(tmp_path / "speed.json")])
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "speed.json").read_text())
    assert report["machine"]["device"] == "cpu"
    assert list(report["comparisons"]) == ["a", "b"]
    for comparison in report["comparisons"].values():
        rates, seconds = comparison["pairs_per_second"], np.array(comparison["step_seconds"])
        assert rates["reference"] == pytest.approx(16 / np.median(seconds[:, 0]))
        assert rates["ratio"] == comparison["ratio"] == rates["ours"] / rates["reference"]
        low, high = rates["interval"]
        assert low * (1 - 1e-12) <= rates["ratio"] <= high * (1 + 1e-12)


# ---------------------------------------------------------------- grid.py


def compare(words=(), factors='{"noise": [0, 1]}', methods=("student", "discom")):
    """The exit status of grid.py, its runs trained in this process."""
    usual = ["--profile", "tiny", "--seeds", "1", "--workers", "1"]
    return grid.main([*usual, *words, "--factors", factors, "--methods", *methods])


def test_a_grid_from_end_to_end(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--data", "scenes:n=66,size=8", "--set", "channels_last=false"]
    words += ["--epochs", '{"0": 1, "1": 3}']
    words += ["--collect", "all.csv"]
    own = '{"pairing": "paired", "weights": {"adv": 0}, "seeds": 2, "learning_rate": 0.003}'
    methods = ["student", f"discom:{own}"]
    assert compare(words, methods=methods) == 0
    printed = capsys.readouterr().out
    results = tables.load_results("all.csv")
    table = catalogue.summary(results, ["student"], ["noise"])
    assert set(zip(table["data"], table["noise"], strict=True)) == {
        ("scenes-noise=0", 0),
        ("scenes", 1),
    }
    assert len(table) == 8
    assert table["method"].unique().tolist() == ["student", "discom pairing=paired adv=0"]
    epochs = {(result.data, result.config["epochs"]) for result in results}
    assert epochs == {("scenes-noise=0", 1), ("scenes", 3)}
    rates = {(r.method, r.seed): r.config["learning_rate"] for r in results}
    assert rates == {("student", 0): 0.01, ("discom", 0): 0.003, ("discom", 1): 0.003}
    monkeypatch.setattr(sweep, "fit", lambda *_, **__: pytest.fail("trained twice"))
    shutil.rmtree("runs")  # what the file holds is not trained again
    assert compare(words, methods=methods) == 0
    assert capsys.readouterr().out == printed
    assert len(tables.load_results("all.csv")) == 6


def test_learning_rates_are_compared_one_by_one():
    scores = [
        ("student", 0.01, 80),
        ("discom", 0.01, 90),
        ("student", 0.1, 50),
        ("discom", 0.1, 70),
    ]
    runs = [result(name, main={"rgb": f1}, learning_rate=rate) for name, rate, f1 in scores]
    table = catalogue.summary(runs, ["student"], ["learning_rate", "epochs"])
    assert table["lr"].tolist() == table["learning_rate"].tolist() == [0.01] * 2 + [0.1] * 2
    assert table["vs student"].dropna().tolist() == [10, 20]
    assert table["epochs"].tolist() == [2] * 4


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        ({"words": ["--set", "epochs=ten"]}, "invalid setting value: 'epochs=ten'"),
        ({"words": ["--seeds", "0"]}, "--seeds: 0 runs make no table"),
        ({"factors": '{"noise": []}'}, "give one of noise, augment, "),
        ({"words": ["--set", "epochs=1"], "factors": '{"epochs": [1]}'}, "'epochs' is also in"),
        ({"words": ["--epochs", '{"0.3": 2}']}, "--epochs: 0.3 is not in the first factor"),
    ],
    ids=str,
)
def test_a_grid_that_cannot_be_is_refused(given, fragment, capsys):
    try:
        status = compare(**given)
    except SystemExit as end:  # of argparse
        status = end.code
    assert status == 2
    assert fragment in capsys.readouterr().err.splitlines()[-1]


# ---------------------------------------------------------------- along.py


@pytest.mark.parametrize("name", ["student", "mdico"])
def test_reading_leaves_a_training_as_it_is(tmp_path, name):
    """Also where it is resumed; a finished run is read no more."""
    split = data.load("scenes:n=66,size=8").split(seed=0)
    config, epochs = profile("tiny", epochs=2, batch_size=8, labelled=0.5), []

    def watch(epoch, model):
        epochs.append(epoch)
        along.read(model, split, epoch)
        torch.rand(3)
        if epochs == [0, 1]:
            raise LookupError

    fit(name, split, config, tmp_path / "alone", progress=False)
    with pytest.raises(LookupError):
        fit(name, split, config, tmp_path / "run", progress=False, on_epoch_end=watch)
    for _ in range(2):
        fit(name, split, config, tmp_path / "run", progress=False, on_epoch_end=watch)
    assert epochs == [0, 1, 1, 2]
    for network in ("rgb", "depth"):
        models = [load_run(tmp_path / run, split, network)[0] for run in ("alone", "run")]
        weights = [model.state(network) for model in models]
        torch.testing.assert_close(*weights, rtol=0, atol=0)


def test_probes_along_a_training_from_end_to_end(tmp_path):
    words = ["--data", "scenes:n=99,size=8", "--profile", "tiny", "--seeds", "2", "--workers", "1"]
    words += ["--methods", "student", "--out", str(tmp_path / "along")]
    assert along.main(words) == 0
    rows = pd.read_json(tmp_path / "along.json")
    keys = ["method", "seed", "epoch", "modality", "factor"]
    assert len(rows) == 2 * 3 * 2 * len(along.FACTORS) == len(rows[keys].drop_duplicates())
    assert sorted(rows["epoch"].unique()) == [0, 1, 2]
    same = rows[rows["epoch"] == 0].groupby(["method", "seed"])["score"].sum()
    assert same.nunique() == 2  # each starts from weights and scenes of its own
    assert (tmp_path / "along.png").exists()
    for method in ("kdv2", 'student:{"seeds": 3}'):
        assert along.main([*words, "--methods", method]) == 2


def test_probes_are_measured_once(tmp_path, monkeypatch):
    images = data.load("scenes:n=225,size=8", seed=0)
    split = images.split(seed=0)
    for method in ("discom", "student"):  # a student has no embedding
        run = Run.of(tmp_path, get(method), images, profile("tiny"), "scenes:n=225,size=8")
        fit(method, split, run.config, run.folder, progress=False)
    words = [str(tmp_path), "--runs", str(tmp_path), "--data", "scenes:n=225,size=8"]
    words += ["--out", str(tmp_path / "probes")]
    assert probes.main(words) == 0
    measured = json.loads((tmp_path / "probes.json").read_text())
    assert [measures["method"] for measures in measured] == ["discom"]
    assert measured[0]["modality"]["z_inv"]["chance"] == 50
    assert (tmp_path / "probes.png").exists()
    monkeypatch.setattr(probes.inspection, "inspect", lambda *_: pytest.fail("measured twice"))
    assert probes.main(words) == 0


def test_cost_is_a_share_of_the_first_method_with_its_teacher(monkeypatch, tmp_path, capsys):
    spent = {"dense-teacher": 2.0, "dense-kdv2": 6.0, "single": 4.0, "crodino": 6.0}
    trained = []

    def fit(method, split, config, folder, teacher=None, progress=True):
        trained.append(method)
        assert (teacher is not None) == (method == "dense-kdv2")
        slower = 2 + (len(trained) - 3) // 4  # rounds differ, and their ratios do not
        return SimpleNamespace(seconds=slower * spent[method])

    monkeypatch.setattr(cost, "fit", fit)
    monkeypatch.setattr(cost.torch, "set_num_threads", lambda count: None)
    words = ["--data", "scenes-dense:n=12,size=16", "--rounds", "3"]
    words += ["--json", str(tmp_path / "cost.json")]
    assert cost.main([*words, "--methods", "dense-kdv2", "single", "crodino"]) == 0
    report = json.loads((tmp_path / "cost.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    assert report["ratio"]["crodino"] == pytest.approx([0.75] * 3)  # 6 of 2 + 6
    assert report["ratio"]["single"] == pytest.approx([0.5] * 3)
    assert len(report["rounds"]) == 3
    assert trained[:2] == ["dense-teacher", "dense-kdv2"]
    assert cost.main([*words, "--methods", "single", "single"]) == 2
    assert "called 'single'" in capsys.readouterr().err


# ---------------------------------------------------------------- choose.py

SMALL = ["--data", "scenes:n=66,size=8,shapes=2", "--profile", "tiny", "--workers", "1"]


@pytest.mark.parametrize(
    ("option", "values", "method"),
    [
        ("epochs", (1, 2), "student"),
        ("temperature", (1.0, 4.0), "kdv2"),
        ("contrast", (0.1, 1.0), "mdico"),
        ("strong", (0, 1), "agreed"),
    ],
)
def test_the_best_value_on_validation_is_chosen(tmp_path, option, values, method):
    words = [*SMALL, "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "choice.json")]
    words += ["--methods", method, "--option", option, "--values", *map(str, values)]
    words += ["--seeds", "100", "101", "--set", "labelled=0.5"]
    assert choose.main(words) == 0
    seen = {}
    for file in (tmp_path / "runs").rglob(f"{method}/*/result.json"):
        result = Result.read(file)
        assert result.config["labelled"] == 0.5
        options = result.config["options"]
        own = {**result.config, **options, **options["weights"]}
        valid = [scores["valid_f1"] for scores in result.scores.values()]
        seen.setdefault(own[option], {})[result.seed] = sum(valid) / len(valid)
    assert set(seen) == set(values)
    assert [*map(sorted, seen.values())] == [[100, 101]] * 2
    seen = {value: sum(scores.values()) / 2 for value, scores in seen.items()}
    choice = json.loads((tmp_path / "choice.json").read_text())
    assert choice["data"] == "scenes-shapes=2"
    assert choice["chosen"][method] == max(seen, key=seen.get)
    assert {float(v): choice[f"{v:g}"][method] for v in values} == pytest.approx(seen)


def test_a_teacher_has_as_few_labels_as_its_student(tmp_path):
    words = [*SMALL, "--runs", str(tmp_path), "--methods", "kdv2", "--option", "labelled"]
    assert choose.main([*words, "--values", "0.5"]) == 0
    results = [Result.read(file) for file in tmp_path.rglob("result.json")]
    shares = {result.method: result.config["labelled"] for result in results}
    assert shares == {"teacher": 0.5, "kdv2": 0.5}


def test_dense_methods_have_a_profile_of_their_own(tmp_path):
    words = ["--data", "scenes-dense:n=20,size=16", "--profile", "tiny", "--workers", "1"]
    out = tmp_path / "choice.json"
    words += ["--runs", str(tmp_path), "--methods", "crodino", "--values", "0.001"]
    assert choose.main([*words, "--out", str(out)]) == 0
    (result,) = [Result.read(file) for file in tmp_path.rglob("result.json")]
    assert set(result.valid) == {"rgb", "depth", "rgb+depth"}
    # the sensors alone: what the auxiliary decoder scores with both is not what is deployed
    alone = (result.valid["rgb"] + result.valid["depth"]) / 2
    assert json.loads(out.read_text())["0.001"] == {"crodino": pytest.approx(alone)}


def test_other_weights_of_a_method_stay_as_they_are(tmp_path):
    words = [*SMALL, "--runs", str(tmp_path), "--methods", 'discom:{"weights": {"adv": 0}}']
    assert choose.main([*words, "--option", "orth", "--values", "0.5"]) == 0
    (result,) = [Result.read(file) for file in tmp_path.rglob("result.json")]
    weights = result.config["options"]["weights"]
    assert (weights["adv"], weights["orth"]) == (0, 0.5)


def test_every_committed_figure_is_shown():
    """Seven were not."""
    root = catalogue.RESULTS.parent
    pages = [root / "README.md", *root.glob("docs/**/*.md"), *root.glob("notebooks/py/*.py")]
    shown = "".join(page.read_text() for page in pages)
    figures = [file.relative_to(catalogue.RESULTS) for file in catalogue.RESULTS.rglob("*.png")]
    assert len(figures) > 9
    assert [file for file in figures if file.as_posix() not in shown] == []
