"""Many thousand runs through the real planner and a real folder of runs; only the training is left
out.

The figures of docs/cluster.md: DISCOM_STUB_RUNS=10005 python -m pytest tests/test_ten_thousand.py
-s -k folder
"""

import cProfile
import os
import pstats
import re
import resource
import shutil
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from discom import cli, methods, profile, sweep, tables
from discom.files import write_json
from discom.runs import Result, Run, locked, weights_file
from discom.tables.statistics import load_results, summary

DATA = "scenes:n=60,size=16"
SOURCE = sweep.Source(DATA)
TABLE = ["table", "2", "--data", DATA, "--profile", "tiny", "--epochs", "1"]
SEEDS = int(os.environ.get("DISCOM_STUB_RUNS", 600)) // 15  # table 2 has fifteen rows


class Nothing:
    """An engine whose runs are over as soon as they are begun."""

    workers, threads = 4, 1

    def __init__(self):
        self.busy = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, job):
        self.busy.append(job.key)

    def finished(self, timeout):
        yield self.busy.pop(0), None


class Stub(Nothing):
    """The same, and each run leaves the files of a real one, with little in them."""

    def submit(self, job):
        super().submit(job)
        run = job.run
        with locked(run.folder):
            write_json(run.folder / "config.json", run.config.identity())
            result = told(run)
            for name in result.scores:
                weights_file(run.folder, name).parent.mkdir(exist_ok=True)
                weights_file(run.folder, name).touch()
            (run.folder / "tensorboard").mkdir()
            for name in ("metrics.csv", "predictions.npz", "tensorboard/events"):
                (run.folder / name).touch()
            write_json(run.folder / "result.json", result.to_json())


def told(run):
    """A result as `fit` makes it, its scores from nowhere."""
    config, chance = run.config, int(run.hash, 16) % 1000 / 100
    networks = ["rgb+depth"] if run.method == "teacher" else ["rgb", "depth"]
    scores = {
        "f1": 80 + chance,
        "accuracy": 80.0,
        "calibration_error": 0.1,
        "valid_f1": 80.0,
        "best_epoch": 0,
    }
    return Result(
        method=run.method, data=run.data, seed=config.seed, hash=run.hash, scores=dict.fromkeys(networks, scores),
        parameters=dict.fromkeys(networks, 1), seconds=1 + chance, pairs_per_second=1.0, peak_memory_mb=1.0,
        config={**config.identity(), "options": dict(config.options)}, counts={"train": 24, "valid": 9, "test": 27},
        machine={"processor": "none", "device": "cpu", "threads": 1}, classes=9, teacher=run.teacher_hash,
    )  # fmt: skip


def plan(runs, seeds):
    """What `discom table 2` wants."""
    held = SOURCE.load()
    return [
        Run.of(
            runs,
            methods.get(name),
            held,
            replace(profile("tiny"), epochs=1, seed=seed, options=options),
        )
        for seed in range(seeds)
        for name, options in tables.paper_rows(2, list(held.modalities))
    ]


def calls(function):
    """How many calls of functions it takes: work that no clock and no other process disturbs."""
    counted = cProfile.Profile()
    counted.runcall(function)
    return pstats.Stats(counted).total_calls


@pytest.mark.parametrize("step", ["missing", "sweep"])
def test_twice_the_runs_are_twice_the_work(tmp_path, step):
    def work(seeds):
        wanted = plan(tmp_path, seeds)
        if step == "missing":
            return calls(lambda: sweep.missing(wanted))
        return calls(lambda: sweep.sweep(wanted, SOURCE, Nothing(), progress=False))

    work(2)  # what is done once and kept
    assert work(40) < 2.2 * work(20)


class Steps(list):
    """Lines on what each step took."""

    @contextmanager
    def step(self, name):
        started, worked = time.perf_counter(), time.process_time()
        yield
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        wall, own = time.perf_counter() - started, time.process_time() - worked
        self.append(
            f"{name:<26} {wall:8.2f} s, of the processor {own:7.2f} s, peak so far {peak:.0f} MB"
        )


@pytest.mark.slow
def test_a_folder_of_many_runs_is_planned_filled_read_and_shown(tmp_path, capfd):
    """From an empty folder to a table; then three results are damaged, and each is one line."""
    runs, count, steps = tmp_path / "runs", 15 * SEEDS, Steps()
    given = [*TABLE, "--seeds", str(SEEDS), "--runs", str(runs)]
    with steps.step("named"):
        wanted = plan(runs, SEEDS)
    with steps.step("looked for, none is there"):
        absent, _ = sweep.missing(wanted)
    assert len(absent) == count
    with steps.step("forecast"):
        sweep.forecast(absent, SOURCE.load(), Nothing())
    with steps.step("swept, stubs written"):
        assert sweep.sweep(wanted, SOURCE, Stub(), progress=False) == {}
    with steps.step("looked for, all are there"):
        assert sweep.missing(wanted) == ([], {})
    with steps.step("results are read"):
        results = load_results(runs)
    with steps.step("summed up"):
        assert set(summary(results)["n"]) == {SEEDS}
    with steps.step("discom show"):
        assert cli.main(["show", str(runs)]) == 0
    with steps.step("discom table --dry_run"):
        assert cli.main([*given, "--dry_run"]) == 0
    with steps.step("discom table"):
        assert cli.main(given) == 0
    assert capfd.readouterr().out.count(f"{count} runs, 0 of them to train") == 2
    entries = list(runs.rglob("*"))
    assert len(entries) == sum(10 if run.method == "teacher" else 11 for run in wanted) + 15 + 1
    with capfd.disabled():
        print("", *steps, f"{count} runs, {len(entries)} files and folders", sep="\n")

    cut, edited, odd = (run.folder / "result.json" for run in wanted[1:4])
    cut.write_text(cut.read_text()[:100])
    edited.write_text(edited.read_text().replace('"seed": 0', '"seed": 7', 1))
    odd.unlink()
    odd.mkdir()
    absent, damaged = sweep.missing(wanted)
    assert (absent, list(damaged)) == ([], [file.parent for file in (cut, edited, odd)])
    assert all(
        re.fullmatch(rf"{re.escape(str(folder))}.*; .*", line) for folder, line in damaged.items()
    )
    shutil.rmtree(runs)
