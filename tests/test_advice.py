"""discom advise: what it trains, what it answers, and what it refuses."""

from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from fixtures.refusal import refused
from fixtures.results import result

from discom import advice, cli, data, profile
from discom.data import Modality, MultiModalData, Normalization
from discom.errors import ConfigError, DataError
from discom.evaluation.scores import count_by_group
from discom.frozen import frozen
from discom.models import encoder
from discom.running.runs import Result
from discom.tables import compare

ROWS = [*advice.ALONE, *advice.BOTH]
TINY = ("--profile", "tiny", "--epochs", "1", "--workers", "1", "--features", "none")


def results(valid, test):
    """Runs of every row: label → validation score, label → test score, 50 where none is given."""
    runs = []
    for row in ROWS:
        for seed in range(3):
            score = test.get(row.label(), 50.0) + seed
            run = result(row.method, seed, {"rgb": score, "depth": 40.0}, options=row.options)
            run.scores["rgb"]["valid_f1"] = valid.get(row.label(), 50.0)
            runs.append(run)
    return runs


def test_the_best_on_validation_are_compared_on_the_test_part():
    """`kdv2` is best on the test part and `student` second best; validation says otherwise."""
    valid = {"simclr": 60.0, "nt-xent": 61.0}
    test = {"kdv2": 99.0, "student": 90.0, "nt-xent": 70.0, "simclr": 65.0}
    rgb, depth = advice.answers(results(valid, test))
    assert rgb[:3] == ("rgb", "nt-xent", "simclr")
    assert rgb[3:6] == pytest.approx((5.0, 5.0, 5.0))
    assert (rgb.recommended, depth.recommended) == ("nt-xent", "student")
    assert depth[:3] == ("depth", "kdv2", "student")  # of equals the simplest
    best = [result("discom", seed, {"rgb": 99.0, "depth": 99.0}) for seed in range(3)]
    assert advice.answers(results(valid, test) + best) == [rgb, depth]  # it is no candidate


@pytest.mark.parametrize(("gain", "spread"), [(5, 0.1), (-5, 0.1), (0, 0.1), (5, 9.0)])
def test_the_interval_decides(gain, spread):
    runs = results({"nt-xent": 61.0}, {"nt-xent": 50.0 + gain})
    for run in runs:
        run.scores["rgb"]["f1"] += spread * (-1) ** run.seed * (run.method == "nt-xent")
    rgb, _ = advice.answers(runs)
    decided = gain != 0 and spread < 1
    assert (rgb.low > 0, rgb.high < 0) == (decided and gain > 0, decided and gain < 0)
    assert (rgb.recommended == "nt-xent") == (decided and gain > 0)
    assert ("not decided" in rgb.text) == (spread > 1)


def test_the_learning_rate_is_the_best_of_validation():
    scores = [(0, 1e-3, 60.0), (1, 1e-3, 60.0), (0, 1e-2, 99.0), (1, 1e-2, 10.0)]
    runs = [result("student", seed, {"rgb": f1}, learning_rate=rate) for seed, rate, f1 in scores]
    assert advice.best_rate(runs) == 1e-3


@pytest.mark.parametrize("gain", [5, -5])
def test_the_fused_network_is_compared_with_the_better_sensor(gain):
    fused = [result("teacher", seed, {"rgb+depth": 55.0 + gain + seed}) for seed in range(3)]
    valid, test = {"student": 60.0, "nt-xent": 61.0}, {"student": 55.0}
    both, rgb, depth = advice.answers(results(valid, test) + fused)
    assert both[:3] == ("rgb+depth", "teacher", "student")  # of rgb, the better on validation
    assert both.difference == pytest.approx(gain)
    assert ("do not fuse" in both.text) == (gain < 0)
    assert (rgb.network, depth.network) == ("rgb", "depth")


def test_frozen_features_are_rows_beside_trained_networks():
    trained = results({}, {"student": 60.0})
    trained += [result("teacher", seed, {"rgb+depth": 90.0 + seed}) for seed in range(3)]
    trained = [replace(run, drawn=None) for run in trained]
    scores = [{"rgb": 70.0 + s, "depth": 30.0, "fused": 91.0 + s**3} for s in range(3)]
    given = {"data": "frozen", "digest": "f", "draws": "split", "width": 8}
    features = advice.beside([result("student", s, scores[s], **given) for s in range(3)], trained)
    assert {(*run.scores,) for run in features} == {("rgb", "depth", "rgb+depth")}
    table = compare([*features, *trained], [("frozen", "student")]).set_index("modality")
    assert table["difference"].to_dict() == {"rgb": 10.0, "depth": -10.0}


def test_frozen_features_are_the_encoders_and_stand_side_by_side():
    images = data.load("objects:n=99,size=16")
    depth = images.modalities["depth"].take(np.arange(90))  # nine scenes lack it
    images = images.with_modalities({"rgb": images.modalities["rgb"], "depth": depth})
    bounds = images.split().train.normalization
    torch.manual_seed(0)
    features = frozen(images, bounds, "timm:resnet10t", "", size=32)
    torch.manual_seed(0)
    module, count = encoder("timm:resnet10t")(3)
    rgb, both = features.modalities["rgb"].x, features.modalities["fused"]
    x = torch.from_numpy(bounds["rgb"](images.modalities["rgb"].x[40:43]))
    x = torch.nn.functional.interpolate(x, (32, 32), mode="bilinear", antialias=True)
    with torch.inference_mode():
        expected = module.eval()(x)
    np.testing.assert_allclose(rgb[40:43, :, 0, 0], expected, rtol=1e-4, atol=1e-5)
    assert rgb.shape == (99, count, 1, 1)
    assert both.x.shape == (90, 2 * count, 1, 1)
    assert np.array_equal(both.x[:, :count], rgb[:90])


def mean_colours(images, bounds, pretrained):
    """In the place of `frozen`: the mean of each band."""
    modalities = {}
    for name, m in images.modalities.items():
        modalities[name] = replace(m, x=m.x.mean((2, 3), keepdims=True, dtype=np.float32))
    modalities["fused"] = modalities["rgb"]
    return replace(images.with_modalities(modalities), name=f"{images.name}-frozen")


def test_features_are_made_anew_for_other_images_or_weights(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(advice, "frozen", lambda *a, **k: made.append(a) or mean_colours(*a, **k))
    images = [data.load(f"objects:n=45,size=8,seed={seed}") for seed in (0, 1)]
    files = [str(tmp_path / f"{name}.pth") for name in "ab"]
    for number, file in enumerate(files):
        torch.save(number, file)
    for own, file, count in ((0, 0, 2), (0, 0, 2), (0, 1, 4), (1, 1, 6), (0, 0, 6)):
        runs = advice.frozen_runs(images[own], profile("tiny"), 2, tmp_path, files[file])
        assert (len(runs), len(made)) == (2, count)
    for fold, (whole, bounds) in enumerate(made[:2]):  # the training part's, as of trained networks
        part = whole.split(0, 2, fold).train
        for sensor, m in part.modalities.items():
            fitted = Normalization.fit(m.x, sensor, m.invalid)
            assert bounds[sensor].to_dict() == fitted.to_dict()


def test_a_persons_folder_is_answered_and_nothing_is_trained_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(advice, "frozen", mean_colours)
    torch.save({}, "weights.pth")
    data.load("objects:n=66,size=8,shapes=2").save("mine")
    words = ["advise", "mine", "--labelled", "0.5", "--folds", "2", *TINY]
    words += ["--features", "weights.pth"]
    assert cli.main([*words, "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("15 runs, ")
    assert not list(tmp_path.rglob("result.json"))
    assert cli.main(words) == 0
    scores = capsys.readouterr().out.splitlines()[1:-1]  # without the time that it will take
    for name in ("frozen", "teacher", *(row.label() for row in ROWS)):
        assert any(f"| {name} " in line for line in scores)
    files = sorted(tmp_path.rglob("result.json"))
    found = [Result.read(file) for file in files if "frozen" not in str(file)]
    assert {(run.config["labelled"], run.config["select"]) for run in found} == {(0.5, "last")}
    rates = {run.config["learning_rate"] for run in found if run.method == "student"}
    assert rates == set(advice.RATES)
    assert {run.config["learning_rate"] for run in found if run.method == "nt-xent"} < rates
    # the same command trains nothing again, and answers where a training is long enough
    before = [file.stat().st_mtime_ns for file in files]
    for steps, answered in ((600, False), (0, True)):
        monkeypatch.setattr(advice, "STEPS", steps)
        monkeypatch.setattr(advice, "UNLEARNED", np.inf)
        assert cli.main(words) == 0
        printed = capsys.readouterr().out.splitlines()
        assert printed[: len(scores)] == scores
        assert len([line for line in printed if line.startswith("If ")]) == 3 * answered
    assert [file.stat().st_mtime_ns for file in files] == before


@pytest.mark.parametrize(
    ("epochs", "loss", "finished"),
    [(10, 0.1, True), (9, 0.1, False), (10, 1.1, False), (10, 1.0, True)],
)
def test_steps_and_the_last_loss_say_whether_a_training_is_finished(
    tmp_path, epochs, loss, finished
):
    """60 steps an epoch; guessing one of three classes in two networks costs 2 log 3 = 2.197."""
    run = replace(result(epochs=epochs, batch_size=16), classes=3, counts={"train": 950})
    file = run.folder(tmp_path) / "metrics.csv"
    file.parent.mkdir(parents=True)
    file.write_text(f"epoch,cl\n0,9\n1,{loss}\n")
    assert bool(advice.unfinished([run], tmp_path)) != finished


def pairs_of(rgb, depth, paired):
    """Images of two sensors by their classes; the first so many are pairs."""
    number, modalities = np.arange(60), {}
    for name, classes in (("rgb", rgb), ("depth", depth)):
        x = np.random.default_rng(len(name)).random((60, 1, 8, 8), dtype=np.float32)
        ids = number if name == "rgb" else np.where(number < paired, number, number + 60)
        modalities[name] = Modality(x, classes, ids)
    return MultiModalData(modalities, ("cat", "dog"), name="mine")


BOTH = np.arange(60) % 2
REFUSED = {
    "one sensor": "objects:n=66,size=8,modalities=rgb",
    "dense": "scenes-dense:n=20,size=16",
    "no pairs": pairs_of(BOTH, BOTH, 0),
}


def folds_of(method, network, told, options=None):
    """A run on two folds of twenty images each: whether it tells two classes apart."""
    for fold in range(2):
        run = result(method, 0, {network: 50.0}, options=options, draws="weights")
        names = [str(20 * fold + k) for k in range(20)]
        counts = {network: [[k, k % 2, k % 2 if told else k // 2 % 2, 1] for k in range(20)]}
        tested = {"groups": names, "counts": counts}
        yield replace(run, fold=fold, folds=2, tested=tested, code=f"{method}{fold}{options}")


@pytest.mark.parametrize("told", [False, True])
def test_networks_at_chance_are_no_answer(told):
    runs = [run for row in ROWS for run in folds_of(row.method, "rgb", told, row.options)]
    (answer,) = advice.answers(runs)
    assert answer.learned == told
    assert ("student learned nothing" in answer.text) == (not told)


def test_a_sensor_is_compared_with_the_fused_network_on_complete_pairs(tmp_path):
    """Alone, a sensor is right on pairs and wrong on all else; fused, two of three pairs are."""
    images, runs = pairs_of(BOTH, BOTH, 30), []
    valid = {"rgb": 60.0, "depth": 40.0}
    for fold, method in product(range(2), ("student", "kdv2", "teacher")):
        main = {"rgb+depth": 50.0} if method == "teacher" else valid
        run = result(method, 0, main, draws="weights", data="mine", code=f"{fold}")
        run, arrays = replace(run, fold=fold, folds=2), {}
        test = images.take(images.split_indices(*run.parts)["test"])
        for network in main:
            ids = np.intersect1d(
                *(test.modalities[name].ids for name in (network.split("+") * 2)[:2])
            )
            right = (ids < 30) & ((ids % 3 > 0) | (method != "teacher"))
            truth = ids % 2
            arrays |= {f"{network}_ids": ids, f"{network}_labels": truth}
            arrays[f"{network}_logits"] = np.eye(2)[np.where(right, truth, 1 - truth)]
        run.folder(tmp_path).mkdir(parents=True)
        arrays["rgb_2_ids"] = np.arange(3)  # of a sensor whose name begins alike
        np.savez(run.folder(tmp_path) / "predictions.npz", **arrays)
        runs.append(replace(run, tested=count_by_group(test, arrays, main)))
    fused = advice.answers(runs, images, tmp_path)[0]
    assert fused.difference == pytest.approx(-100 / 3)
    assert advice.answers(runs)[0].difference > 0  # on other images than the fused network's


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_refused_before_the_trainings(case):
    images, config = REFUSED[case], profile("tiny")
    images = data.load(images) if isinstance(images, str) else images
    ask = partial(advice.plan, images, config, advice.RATES, 3, "runs", "mine")
    refused(ask, "", (ConfigError, DataError))
