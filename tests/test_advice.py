"""discom advise: what it trains, what it answers, and what it refuses."""

import dataclasses

import numpy as np
import pytest
from fixtures.results import result

from discom import advice, cli, data, profile
from discom.data import Modality, MultiModalData
from discom.errors import ConfigError, DataError
from discom.running.runs import Result

ROWS = [*advice.ALONE, *advice.BOTH]
TINY = ("--profile", "tiny", "--epochs", "1", "--workers", "1")


def results(valid, test, seeds=3, spread=0.0):
    """Runs of every row: label → validation score, label → test score, 50 where none is given."""
    runs = []
    for row in ROWS:
        for seed in range(seeds):
            score = test.get(row.label(), 50.0) + seed + spread * (-1) ** seed
            run = result(row.method, seed, {"rgb": score, "depth": 40.0}, options=row.options)
            run.scores["rgb"]["valid_f1"] = valid.get(row.label(), 50.0)
            runs.append(run)
    return runs


def test_the_best_on_validation_are_compared_on_the_test_part():
    """`kdv2` is best on the test part and `student` second best; validation says otherwise."""
    valid = {"simclr": 60.0, "nt-xent": 61.0}
    test = {"kdv2": 99.0, "student": 90.0, "nt-xent": 70.0, "simclr": 65.0}
    rgb, depth = advice.answers(results(valid, test))
    assert rgb[:3] == ("rgb", "simclr", "nt-xent")
    assert rgb[3:] == pytest.approx((71.0, 5.0, 5.0, 5.0))
    assert rgb.text.startswith("rgb: train with the other sensor: +5.0 [+5.0, +5.0] F1 points")
    assert depth[:3] == ("depth", "student", "kdv2")  # of equals the simplest


def test_answers_read_the_runs_that_are_there_and_leave_out_other_methods():
    """Of finished runs some weights may be missing; a method that is no candidate never answers."""
    some = [run for run in results({}, {}) if run.method in ("student", "nt-xent")]
    best = [result("discom", seed, {"rgb": 99.0, "depth": 99.0}) for seed in range(3)]
    assert advice.answers(some + best) == advice.answers(some)
    assert {answer.alone for answer in advice.answers(some)} == {"student"}


@pytest.mark.parametrize(
    ("gain", "spread", "verdict"),
    [
        (5, 0.1, "train with"),
        (-5, 0.1, "the other sensor costs"),
        (0, 0.1, "no measurable difference, train alone"),
        (5, 9.0, "not decided"),
    ],
)
def test_the_interval_decides(gain, spread, verdict):
    valid, base = {"nt-xent": 61.0}, results({"nt-xent": 61.0}, {})
    other = results(valid, {"nt-xent": 50.0 + gain}, spread=spread)
    mixed = [run for run in base if run.method != "nt-xent"]
    mixed += [run for run in other if run.method == "nt-xent"]
    rgb, _ = advice.answers(mixed)
    assert verdict in rgb.text
    assert (rgb.low > 0, rgb.high < 0) == (verdict == "train with", "costs" in verdict)


def test_the_learning_rate_is_the_best_of_validation():
    def run(seed, rate, score):
        return result("student", seed, {"rgb": score, "depth": 50.0}, learning_rate=rate)

    runs = [run(0, 1e-3, 60.0), run(1, 1e-3, 60.0), run(0, 1e-2, 99.0), run(1, 1e-2, 10.0)]
    assert advice.best_rate(runs) == 1e-3


def test_a_persons_folder_is_answered_and_nothing_is_trained_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data.load("scenes:n=66,size=8,shapes=2").save("mine")
    words = ["advise", "mine", "--labelled", "0.5", "--seeds", "3", *TINY, "--collect", "all.json"]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    for row in ROWS:
        assert f"| {row.label()} " in printed
    assert [line.split(":")[0] for line in printed.splitlines()[-2:]] == ["rgb", "depth"]
    files = sorted(tmp_path.rglob("result.json"))
    found = [Result.read(file) for file in files]
    assert {run.config["labelled"] for run in found} == {0.5}
    rates = {run.config["learning_rate"] for run in found if run.method == "student"}
    assert rates == set(advice.RATES)
    assert {run.config["learning_rate"] for run in found if run.method == "nt-xent"} < rates
    before = [file.stat().st_mtime_ns for file in files]
    assert cli.main(words) == 0
    assert capsys.readouterr().out == printed
    assert [file.stat().st_mtime_ns for file in files] == before


def unpaired():
    modalities = {}
    for name, first in (("rgb", 0), ("depth", 60)):
        x = np.random.default_rng(first).random((60, 1, 8, 8), dtype=np.float32)
        modalities[name] = Modality(x, np.arange(60) % 2, np.arange(first, first + 60))
    return MultiModalData(modalities, ("cat", "dog"), name="apart")


def pairs_of(classes, paired):
    """Sixty images of each sensor, of which the `paired` are pairs; -1 is no label."""
    modalities = {}
    for name, first in (("rgb", 0), ("depth", 60)):
        x = np.random.default_rng(first).random((60, 1, 8, 8), dtype=np.float32)
        ids = np.where(np.isin(np.arange(60), paired), np.arange(60), np.arange(first, first + 60))
        modalities[name] = Modality(x, np.asarray(classes[name]), ids)
    return MultiModalData(modalities, ("cat", "dog"), name="part")


def one_labelled_pair():
    classes = np.where(np.arange(60) < 20, -1, np.arange(60) % 2)
    return pairs_of({"rgb": classes, "depth": classes}, np.arange(20))


def misspelt():
    return pairs_of({"rgb": np.zeros(60, int), "depth": np.arange(60) % 2}, [])


def two_sizes():
    whole = data.load("scenes:n=66,size=8")
    depth = whole.modalities["depth"]
    small = dataclasses.replace(depth, x=depth.x[:, :, ::2, ::2])
    return dataclasses.replace(whole, modalities={**whole.modalities, "depth": small}, masks=None)


@pytest.mark.parametrize(
    ("images", "seeds", "error", "message"),
    [
        ("scenes:n=66,size=8,modalities=rgb", 3, DataError, "has rgb alone; give it two"),
        ("scenes:n=66,size=8", 2, ConfigError, "seeds: 2 give no useful interval; use 3"),
        (
            "scenes-dense:n=20,size=16",
            3,
            DataError,
            "has a class for every pixel; compare with: discom table dense",
        ),
        (unpaired(), 3, DataError, "apart: no id stands in each of rgb, depth; name the files"),
        (
            one_labelled_pair(),
            3,
            DataError,
            r"part: 0 of \d+ pairs to train with have a label; label",
        ),
        (misspelt(), 3, DataError, "part: no image of rgb is of class 'dog'; correct"),
        (two_sizes(), 3, DataError, "images of rgb 8×8, depth 4×4; bring them to one size: "),
    ],
    ids=[
        "one sensor",
        "two seeds",
        "dense",
        "no pairs",
        "no labelled pair",
        "misspelt",
        "two sizes",
    ],
)
def test_what_cannot_be_answered_is_refused_before_training(images, seeds, error, message):
    images = data.load(images) if isinstance(images, str) else images
    with pytest.raises(error, match=message) as caught:
        advice.plan(lambda seed: images, profile("tiny"), advice.RATES, seeds, "runs")
    assert "\n" not in str(caught.value)
