"""`discom bench`: both sides train the same, the clocks tell what they say, and the report has its
form."""

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from discom import bench as room
from discom import cli, plots
from discom.bench import comparison, growth, measure, streaming
from discom.bench.ours import Ours
from discom.bench.recipe import Recipe, motions
from discom.bench.workloads import WORKLOADS, Workload
from discom.config import profile
from discom.data import MultiModalData, scenes
from discom.errors import ConfigError, RunError
from discom.runs import weights_file
from discom.training import fit

matplotlib.use("Agg")

CONFIG = profile(
    "tiny", batch_size=16, schedule="constant", precision="bf16-mixed", accelerator="cpu"
)


def draw(count):
    return (
        scenes.make(3 * count, size=16, materials=2, shapes=2)
        .split(seed=0)
        .train.take(np.arange(count))
    )


TINY = Workload("tiny", "small scenes", draw, CONFIG, {"cpu": 2, "cuda": 2})


@pytest.fixture(scope="module")
def report():
    """A whole measurement, but that memory is read in this process and the matrices are small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            comparison, "matmul_peak", partial(measure.matmul_peak, size=256, seconds=0.1)
        )
        patch.setattr(
            comparison, "memory_alone", lambda make, *arguments: measure._peak(make, arguments)
        )
        return comparison.bench("cpu", 3, workloads=[TINY], progress=False)


@pytest.fixture
def clock(monkeypatch):
    """Time that stands still unless it is moved on."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(measure.time, "perf_counter", lambda: now.seconds)
    return now


# ---------------------------------------------------------------- what is compared


@pytest.mark.parametrize("load", WORKLOADS, ids=lambda load: load.name)
def test_workloads_are_what_they_say(load):
    data = load.make(8)
    bands = {"eurosat-sized": [(13, 64, 64), (2, 64, 64)], "embedded": [(3, 32, 32), (1, 32, 32)]}[
        load.name
    ]
    assert [modality.x.shape[1:] for modality in data.modalities.values()] == bands
    assert all(
        data.images(name).min() >= 0 and data.images(name).max() <= 1 for name in data.modalities
    )
    assert len(data) == 8
    assert (load.config.batch_size, load.config.learning_rate, load.config.augment) == (
        128,
        1e-4,
        0.5,
    )
    assert load.config.width == {"eurosat-sized": 64, "embedded": 16}[load.name]


def test_ours_takes_the_very_steps_that_fit_takes(tmp_path):
    split = scenes.make(96, size=16).split(seed=0)
    config = replace(CONFIG, epochs=1, seed=3)
    fit("discom", split, config, tmp_path / "run", progress=False)
    side = Ours(split.train, config)
    side.epoch(0)
    for name in split.train.modalities:
        expected, found = (
            load_file(weights_file(tmp_path / "run", name)),
            side.model.module.state(name),
        )
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_the_recipe_is_plain():
    side = Recipe(draw(32), replace(CONFIG, channels_last=True, width=16))
    assert type(side.optimizer) is torch.optim.Adam
    convolution = next(p for p in side.model.parameters() if p.ndim == 4 and p.shape[2] > 1)
    assert convolution.dtype == torch.float32
    assert convolution.is_contiguous()
    assert not convolution.is_contiguous(memory_format=torch.channels_last)
    for loader in side.loaders.values():
        x, y = next(iter(loader))
        assert (len(x), len(y), x.dtype) == (16, 16, torch.float32)
        assert x.is_contiguous()


def test_the_recipe_shuffles_each_modality_on_its_own():
    torch.manual_seed(0)
    labels = [
        next(iter(loader))[1].tolist() for loader in Recipe(draw(32), CONFIG).loaders.values()
    ]
    assert labels[0] != labels[1]


def test_the_recipe_moves_images_as_the_paper_says():
    torch.manual_seed(0)
    image = torch.arange(4.0).view(1, 2, 2)
    half = [tuple(motions(0.5)(image).flatten().tolist()) for _ in range(2000)]
    assert (
        len(set(half)) == 8
    )  # the flips and quarter turns of a square, and nothing between pixels
    # of the moved half 3/16 come out as they were: 1/4 · 5/8 without a flip, 1/4 · 1/8 with both
    # and a half turn
    unmoved = 0.5 + 0.5 * 3 / 16
    assert np.mean([pixels == (0, 1, 2, 3) for pixels in half]) == pytest.approx(
        unmoved, abs=4 * 0.5 / 2000**0.5
    )
    assert all(torch.equal(motions(0.0)(image), image) for _ in range(50))


def test_both_sides_compute_one_loss():
    expected, found = comparison.check_losses("tiny", draw(16), CONFIG, CONFIG)
    assert found == pytest.approx(expected, rel=comparison.ROUNDED)
    assert found != expected  # in bf16
    exact = replace(CONFIG, precision="32-true")
    expected, found = comparison.check_losses("tiny", draw(16), exact, exact)
    assert found == pytest.approx(expected, rel=comparison.EXACT)


@pytest.mark.parametrize("wrong", [{"options": {"weights": {"adv": 0.99}}}, {"seed": 1}], ids=str)
def test_sides_that_train_something_else_are_refused(wrong):
    with pytest.raises(RunError, match=r"ours with 32-true .* nothing is timed"):
        comparison.check_losses("tiny", draw(16), CONFIG, replace(CONFIG, **wrong))


def test_our_own_precision_is_checked_too(monkeypatch):
    monkeypatch.setattr(comparison, "ROUNDED", 1e-9)
    with pytest.raises(RunError, match="ours with bf16-mixed"):
        comparison.check_losses("tiny", draw(16), CONFIG, CONFIG)


def test_nothing_is_timed_before_the_losses_agree(monkeypatch):
    monkeypatch.setattr(comparison, "EXACT", -1.0)
    monkeypatch.setattr(comparison, "matmul_peak", lambda *_: 1.0)
    monkeypatch.setattr(comparison, "turns", lambda *_: pytest.fail("timed"))
    monkeypatch.setattr(comparison, "memory_alone", lambda *_: pytest.fail("measured"))
    with pytest.raises(RunError, match="tiny: the recipe's loss"):
        comparison.bench("cpu", 3, workloads=[TINY], progress=False)


# ---------------------------------------------------------------- clocks and counters


def test_sides_take_turns_and_each_has_its_own_seconds(clock):
    calls = []

    def side(name, seconds):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)

        def epoch(number):
            calls.append(name + str(number))
            for first in (True, False, False):
                clock.seconds += 100 if first else seconds / 2
                optimizer.step()

        return SimpleNamespace(epoch=epoch, optimizer=optimizer, device=torch.device("cpu"))

    assert measure.turns(side("r", 2.0), side("o", 1.0), 3).tolist() == [[2, 1]] * 3
    assert calls == ["r0", "o0", "o1", "r1", "r2", "o2"]


def test_the_interval_is_of_the_ratio_reference_to_ours():
    seconds = np.random.default_rng(1).lognormal([np.log(3.0), 0.0], 0.05, (9, 2))
    low, high = measure.ratio_interval(seconds)
    middle = np.median(seconds[:, 0]) / np.median(seconds[:, 1])
    assert 2.7 < low < middle < high < 3.3
    assert (low, high) == measure.ratio_interval(seconds)


def test_phases_are_told_apart(clock):
    class Network(nn.Linear):
        def forward(self, x):
            clock.seconds += 2.0
            return super().forward(x)

    class Descent(torch.optim.Optimizer):  # not one of torch's: their hooks would be called as well
        def step(self):
            clock.seconds += 4.0

    class Side:
        def __init__(self):
            self.model, self.device = Network(1, 1), torch.device("cpu")
            self.optimizer = Descent(self.model.parameters(), {})

        def epoch(self, number):
            for step in range(3):
                clock.seconds += 1.0 if step else 100.0  # the first is not counted
                total = self.model(torch.ones(1, 1)).sum()
                clock.seconds += 3.0
                total.backward()
                self.optimizer.step()
            clock.seconds += 5.0

    side, started = Side(), clock.seconds + 100 + 2 + 3 + 4
    found = measure.phases(side, 0)
    assert found == {
        "data": 1000 * (2 + 5) / 2,
        "forward": 2000.0,
        "backward": 3000.0,
        "optimizer": 4000.0,
    }
    assert sum(found.values()) * 2 / 1000 == clock.seconds - started
    assert not side.model._forward_hooks
    assert not side.model._forward_pre_hooks


@pytest.mark.parametrize("make", [Recipe, Ours])
def test_the_phases_of_a_training_sum_up_to_its_time(make):
    side = make(draw(48), CONFIG)
    side.epoch(0)
    marks = []
    side.optimizer.register_step_post_hook(lambda *_: marks.append(measure.time.perf_counter()))
    found = measure.phases(side, 1)
    whole = measure.time.perf_counter() - marks[0]
    assert list(found) == list(room.PHASES)
    assert all(milliseconds > 0 for milliseconds in found.values())
    assert sum(found.values()) * 2 / 1000 == pytest.approx(whole, rel=0.1)


def test_flops_of_a_convolution_and_a_linear_layer_by_hand():
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(8 * 6 * 6, 5)
    )
    convolution, linear = 2 * 4 * 8 * 6 * 6 * 3 * 9, 2 * 4 * 8 * 6 * 6 * 5
    x = torch.ones(4, 3, 6, 6)
    # backward: as much again for the weights, and for the input where one is asked for
    assert measure.count_flops(lambda: network(x).sum().backward()) == 2 * convolution + 3 * linear


def test_work_does_not_depend_on_the_side():
    data = draw(16)
    theirs, ours = (measure.count_flops(lambda side=side: side.epoch(0)) for side in
                    (Recipe(data, CONFIG), Ours(data, CONFIG)))  # fmt: skip
    assert theirs == ours > 0


def test_the_peak_is_that_of_the_best_product(clock, monkeypatch):
    costs = iter([9.0, 4.0, 2.0, 3.0, 5.0, 1.0])  # in 20 seconds five of them

    class Matrix:
        def __matmul__(self, other):
            clock.seconds += next(costs)
            return torch.zeros(1, 1)

    monkeypatch.setattr(
        measure.torch,
        "randn",
        lambda *_, **__: SimpleNamespace(to=lambda dtype: (Matrix(), Matrix())),
    )
    assert (
        measure.matmul_peak(torch.device("cpu"), torch.float32, size=10, seconds=20.0)
        == 2 * 10**3 / 2.0
    )


class Hog:
    """A side that takes so many MB and does nothing; so many epochs are needed to see them all."""

    def __init__(self, megabytes):
        self.megabytes, self.device, self.held = megabytes, torch.device("cpu"), []

    def epoch(self, number):
        self.held.append(torch.ones(self.megabytes // 2, 2**18))


@pytest.mark.slow
def test_memory_is_that_of_one_side_alone():
    ballast = torch.ones(300, 2**18)  # of this process, and none of theirs
    small, large = (measure.memory_alone(Hog, megabytes) for megabytes in (0, 200))
    assert large - small == pytest.approx(200, abs=20)
    assert small > 50
    del ballast


@pytest.mark.slow
def test_a_process_that_is_killed_while_memory_is_measured_is_one_line():
    with pytest.raises(RunError, match="killed"):
        measure.memory_alone(_die)


def _die():
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


# ---------------------------------------------------------------- the report


def comparisons(held):
    """Every object of a report that compares."""
    if isinstance(held, dict):
        if "ratio" in held:
            yield held
        for part in held.values():
            yield from comparisons(part)


def test_every_comparison_has_reference_ours_and_their_ratio(report):
    found = list(comparisons(report))
    assert len(found) == 1 + 4 + len(room.PHASES)
    for one in found:
        assert one["ratio"] == pytest.approx(one["ours"] / one["reference"])
        assert one["reference"] > 0
        assert isinstance(one["unit"], str)
    json.dumps(report, allow_nan=False)


def test_rates_follow_from_the_rounds(report):
    tiny = report["comparisons"]["tiny"]
    for number, side in enumerate(("reference", "ours")):
        seconds = tiny["pairs_per_second"]["rounds"][side]
        assert len(seconds) == 3
        rate = 16 / np.median(seconds)
        assert tiny["pairs_per_second"][side] == pytest.approx(rate)
        peak = report["matmul_peak"][side]
        assert tiny["share_of_peak"][side] == pytest.approx(
            tiny["flops_per_step"] * rate / 16 / peak
        )
        assert report["matmul_peak"]["precision"][number] == ("float32", "bfloat16")[number]
    low, high = tiny["pairs_per_second"]["interval"]
    assert low <= tiny["pairs_per_second"]["ratio"] <= high
    assert tiny["flops_per_step"] == measure.count_flops(lambda: Ours(draw(16), CONFIG).epoch(0))


def test_the_report_tells_where_it_is_from(report):
    assert report["settings"] == {"rounds": 3, "loader_workers": 0}
    assert report["machine"]["device"] == "cpu"
    assert report["machine"]["threads"] == torch.get_num_threads()
    assert report["comparisons"]["tiny"]["steps_per_round"] == 2


def test_random_numbers_of_the_caller_are_left_alone(monkeypatch):
    monkeypatch.setattr(comparison, "compare", lambda *_: torch.rand(3))
    monkeypatch.setattr(
        comparison, "matmul_peak", partial(measure.matmul_peak, size=8, seconds=0.0)
    )
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    comparison.bench("cpu", 3, workloads=[TINY], progress=False)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.usefixtures("clean_slate")
def test_bars_are_the_phases_stacked(report):
    figure = plots.step_bars(report["comparisons"])
    figure.canvas.draw()
    (axis,) = figure.axes
    tiny = report["comparisons"]["tiny"]
    expected = {phase: [tiny[phase]["reference"], tiny[phase]["ours"]] for phase in room.PHASES}
    assert {
        bars.get_label(): [bar.get_height() for bar in bars] for bars in axis.containers
    } == expected
    tops = [
        max(bars[place].get_y() + bars[place].get_height() for bars in axis.containers)
        for place in (0, 1)
    ]
    assert tops == pytest.approx(
        [sum(heights[place] for heights in expected.values()) for place in (0, 1)]
    )
    assert axis.get_ylim()[1] > max(tops)
    assert f"× {tiny['pairs_per_second']['ratio']:.2f}" in axis.texts[0].get_text()
    assert axis.get_title() == "tiny"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(room.PHASES)[::-1]


# ---------------------------------------------------------------- growth


def test_growth_times_every_value_and_finds_the_power(monkeypatch):
    monkeypatch.setattr(growth, "REST", {"samples": 40, "modalities": 2, "pixels": 8})
    dials = {"samples": (20, 60), "modalities": (2, 3), "pixels": (8, 12)}
    report = room.grow(2, dials=dials, config=CONFIG, progress=False)
    assert report["settings"] == {"rounds": 2, "samples": 40, "modalities": 2, "pixels": 8}
    for dial, values in dials.items():
        found = report["dials"][dial]
        assert found["values"] == list(values)
        assert np.shape(found["rounds"]) == (2, 2)
        assert found["measured"] == np.median(found["rounds"], axis=0).tolist()
        assert found["slope"] == growth.slope(values, found["measured"])


def test_each_value_of_a_dial_is_another_training():
    assert [len(growth._data(n, 2, 8)) for n in (20, 60)] == [20, 60]
    assert list(growth._data(20, 3, 12).channels.items()) == [
        ("rgb", 3),
        ("depth", 1),
        ("thermal", 1),
    ]
    assert growth._data(20, 2, 12).modalities["rgb"].x.shape == (20, 3, 12, 12)


@pytest.mark.slow
def test_rates_of_runs_side_by_side_add_up(monkeypatch):
    monkeypatch.setattr(growth, "REST", {"samples": 40, "modalities": 2, "pixels": 8})
    monkeypatch.setattr(growth, "READY", 0.0)
    monkeypatch.setattr(growth, "STRETCH", 0.5)
    rates = growth._side_by_side("workers", (1, 2), CONFIG, 2)
    assert rates.shape == (2, 2)
    assert (rates > 0).all()


@pytest.mark.usefixtures("clean_slate")
def test_curves_show_what_was_measured():
    dials = {"samples": {"values": [1, 2, 4], "measured": [2.0, 4.0, 8.0], "rounds": [[2.0, 4.0, 8.0], [3.0, 5.0, 9.0]],
                         "unit": "s per epoch", "slope": 1.0}}  # fmt: skip
    figure = plots.cost_curves(dials)
    figure.canvas.draw()
    (axis,) = figure.axes
    *dots, line = axis.lines
    assert line.get_ydata().tolist() == [2, 4, 8]
    assert [dot.get_ydata().tolist() for dot in dots] == dials["samples"]["rounds"]
    assert axis.get_xscale() == axis.get_yscale() == "log"
    assert "1.00" in axis.get_title()
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["2", "5"] or len(
        axis.get_yticks()
    ) >= 3


# ---------------------------------------------------------------- larger than memory


def test_a_large_data_set_repeats_the_drawn_pairs_and_keeps_their_labels(tmp_path):
    size = streaming.write_large(TINY, tmp_path / "large", 3_000_000)
    large, drawn = MultiModalData.open(tmp_path / "large"), TINY.make(streaming.DRAWN)
    assert size >= 3_000_000
    assert sum(large.images(name, slice(None)).nbytes for name in large.modalities) == size
    for name, modality in drawn.modalities.items():
        for row in (0, 5, streaming.DRAWN + 5):
            np.testing.assert_array_equal(large.images(name, slice(row, row + 1))[0],
                                          drawn.images(name)[row % streaming.DRAWN])  # fmt: skip
            assert large.modalities[name].y[row] == modality.y[row % streaming.DRAWN]


def test_a_disk_that_is_too_small_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"GB are free, .* GB are needed"):
        streaming.write_large(TINY, tmp_path / "large", 1e18)


@pytest.mark.slow
def test_what_does_not_fit_is_read_from_disk_and_what_fits_is_held(tmp_path):
    report = room.larger_than_memory(1.6, 0.5, 3, workloads=[TINY], folder=tmp_path)
    found = report["comparisons"]["tiny"]
    assert found["resident"]["reference"] == {"rgb": True, "depth": True}
    assert found["resident"]["ours"]["rgb"] is False
    rate = found["pairs_per_second"]
    assert rate["ratio"] == pytest.approx(rate["ours"] / rate["reference"])
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- the command


@pytest.fixture
def measured(monkeypatch, tmp_path, report):
    """The command with the measuring done; what it was called with."""
    calls = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("discom.bench.bench", lambda *given: calls.append(given) or report)
    return calls


@pytest.mark.usefixtures("clean_slate")
def test_the_command_prints_and_writes_the_report(measured, report, tmp_path, capsys):
    given = (
        "--json",
        "new/bench.json",
        "--out",
        "bars",
        "--accelerator",
        "cpu",
        "--rounds",
        "4",
        "--workers",
        "1",
    )
    assert cli.main(["bench", *given]) == 0
    assert measured == [("cpu", 4, 1)]
    assert json.loads((tmp_path / "new/bench.json").read_text()) == report
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2:] == ["new/bench.json", "bars.png"]
    rate = report["comparisons"]["tiny"]["pairs_per_second"]
    line = next(line for line in printed if line.startswith("pairs/s"))
    assert line.split()[1:4] == [
        f"{rate['reference']:.1f}",
        f"{rate['ours']:.1f}",
        f"{rate['ratio']:.2f}",
    ]
    assert "tiny: small scenes, batch 16" in printed


def refused(capsys, *arguments) -> str:
    assert cli.main(["bench", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("discom: error: ")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--json", "folder"), "--json: folder cannot be written (is a folder)"),
        (
            ("--json", "file/bench.json"),
            "--json: file/bench.json cannot be written (Not a directory)",
        ),
        (("--out", "file/bars.png"), "--out: file/bars.png cannot be written (Not a directory)"),
        (("--out", "bars.abc"), "pictures are .png"),
    ],
    ids=str,
)
def test_a_place_that_cannot_be_written_is_refused_before_the_clock_starts(
    measured, tmp_path, capsys, given, told
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    assert told in refused(capsys, *given)
    assert not measured


def test_wrong_settings_are_one_line(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert refused(capsys, "--accelerator", "cuda").startswith("accelerator: no CUDA device")
    assert "choose auto or cpu or cuda" in refused(capsys, "--accelerator", "tpu")
    assert "rounds: 2 are too few" in refused(capsys, "--rounds", "2")
    assert "workers: -1 is below 0" in refused(capsys, "--workers", "-1")
    assert "--what: 'size' is unknown; choose speed, growth or memory" in refused(
        capsys, "--what", "size"
    )
    assert "memory has no picture" in refused(capsys, "--what", "memory", "--out", "a.png")
    assert "measured on the CPU" in refused(capsys, "--what", "growth", "--accelerator", "cuda")
    with pytest.raises(ConfigError):
        comparison.bench("cpu", 0)


# ---------------------------------------------------------------- on a GPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_no_step_of_ours_waits_for_the_gpu():
    side = Ours(draw(64), replace(CONFIG, accelerator="cuda"))
    side.epoch(0)
    torch.cuda.set_sync_debug_mode("error")  # whatever waits raises
    try:
        for batch in side.batches.epoch(1):
            side.stepping.zero_grad()
            side.fabric.backward(sum(side.model(batch).values()))
            side.stepping.step()
            side.schedule.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
