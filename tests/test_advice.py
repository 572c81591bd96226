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
    assert rgb[3:] == pytest.approx((5.0, 5.0, 5.0))
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


def pairs_of(rgb, depth, paired):
    """Images of two sensors by their classes, -1 for none; the first so many are pairs."""
    number, modalities = np.arange(60), {}
    for name, classes in (("rgb", rgb), ("depth", depth)):
        x = np.random.default_rng(len(name)).random((60, 1, 8, 8), dtype=np.float32)
        ids = number if name == "rgb" else np.where(number < paired, number, number + 60)
        modalities[name] = Modality(x, classes, ids)
    return MultiModalData(modalities, ("cat", "dog"), name="mine")


def two_sizes():
    whole = data.load("scenes:n=66,size=8")
    depth = whole.modalities["depth"]
    small = dataclasses.replace(depth, x=depth.x[:, :, ::2, ::2])
    return dataclasses.replace(whole, modalities={**whole.modalities, "depth": small}, masks=None)


BOTH = np.arange(60) % 2
SOME = np.where(np.arange(60) < 20, -1, BOTH)
REFUSED = {
    "one sensor": ("scenes:n=66,size=8,modalities=rgb", "has rgb alone; give it two"),
    "dense": ("scenes-dense:n=20,size=16", "a class for every pixel; compare with: discom table"),
    "no pairs": (pairs_of(BOTH, BOTH, 0), "mine: no id stands in each of rgb, depth; name the"),
    "no labelled pair": (pairs_of(SOME, SOME, 20), r"mine: 0 of \d+ pairs to train with have a la"),
    "misspelt": (pairs_of(0 * BOTH, BOTH, 0), "mine: no image of rgb is of class 'dog'; correct"),
    "two sizes": (two_sizes(), "images of rgb and depth differ in size; bring them to one: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_refused_before_training(case):
    images, message = REFUSED[case]
    images = data.load(images) if isinstance(images, str) else images
    with pytest.raises(DataError, match=message) as caught:
        advice.plan(lambda seed: images, profile("tiny"), advice.RATES, 3, "runs")
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="seeds: 2 give no useful interval; use 3"):
        advice.plan(lambda seed: images, profile("tiny"), advice.RATES, 2, "runs")
