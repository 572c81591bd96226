"""benchmarks/speed.py: both sides train the same, the clock says whose seconds are whose."""

import json
from dataclasses import replace
from importlib import util
from pathlib import Path

import numpy as np
import pytest
import torch

from discom.config import profile
from discom.data import Split, scenes
from discom.errors import RunError

FILE = Path(__file__).parents[1] / "benchmarks/speed.py"
spec = util.spec_from_file_location("speed", FILE)
speed = util.module_from_spec(spec)
spec.loader.exec_module(speed)
CONFIG = profile("tiny", accelerator="cpu", **{**speed.PAPER, "batch_size": 16})


def make(count):
    split = scenes.make(3 * count, size=16, materials=2, shapes=2).split(seed=0)
    rest = split.test.take(np.arange(8))
    return Split(split.train.take(np.arange(count)), rest, rest)


@pytest.fixture(scope="module")
def one_batch():
    return make(16)


@pytest.mark.parametrize("size", speed.SIZES)
def test_sizes_are_what_they_say(size):
    make, config, _ = speed.SIZES[size]
    bands = [(13, 64, 64), (2, 64, 64)] if size == "eurosat-sized" else [(3, 32, 32), (1, 32, 32)]
    train = make(8).train
    assert [modality.x.shape[1:] for modality in train.modalities.values()] == bands
    for modality in train.modalities:
        images = train.images(modality)
        assert images.shape[0] == 8
        assert 0 <= images.min() < images.max() <= 1
    assert (config.batch_size, config.learning_rate, config.augment) == (128, 1e-4, 0.5)


def test_both_sides_compute_one_loss(one_batch):
    speed.check_losses("tiny", one_batch, CONFIG, CONFIG)


@pytest.mark.parametrize("wrong", [{"options": {"weights": {"adv": 0.99}}}, {"seed": 1}], ids=str)
def test_sides_that_train_something_else_are_refused(one_batch, wrong):
    with pytest.raises(
        RunError, match=r"tiny: .* ours in 32-true .*; the sides do not train the same"
    ):
        speed.check_losses("tiny", one_batch, CONFIG, replace(CONFIG, **wrong))


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


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(speed, "SIZES", {name: (make, CONFIG, {"cpu": 2}) for name in "ab"})


def test_the_file_holds_what_is_printed(tiny, tmp_path, capsys):
    speed.main(["--rounds", "3", "--json", str(tmp_path / "speed.json")])
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "speed.json").read_text())
    assert report["machine"]["device"] == "cpu"
    assert list(report["comparisons"]) == ["a", "b"]
    for comparison in report["comparisons"].values():
        rates, seconds = comparison["pairs_per_second"], np.array(comparison["step_seconds"])
        assert rates["reference"] == pytest.approx(16 / np.median(seconds[:, 0]))
        assert rates["ratio"] == comparison["ratio"] == rates["ours"] / rates["reference"]
        assert rates["interval"][0] <= rates["ratio"] <= rates["interval"][1]


def test_nothing_is_timed_where_the_losses_differ(tiny, monkeypatch):
    monkeypatch.setattr(speed, "step_seconds", lambda *_: pytest.fail("timed"))
    monkeypatch.setattr(speed, "ours", lambda split, config: 0.0)
    with pytest.raises(RunError, match=r"^a: the recipe's loss of one batch"):
        speed.main([])
