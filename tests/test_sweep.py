"""Sweeps: what is missing is trained once, whatever fails, dies, is killed, or happens at the same
time."""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from discom import cli, data, methods, profile, sweep
from discom.errors import BusyError, ConfigError, Interrupted
from discom.runs import Result, Run, locked
from discom.sweep import Local, Ray, Source, queue
from discom.sweep import plan as planning
from discom.sweep.jobs import Training, attempt

DATA = "scenes:n=60,size=16"
TINY = replace(profile("tiny"), epochs=1)
SOURCE = Source(DATA)
TABLE = [
    "table",
    "2",
    "--data",
    DATA,
    "--profile",
    "tiny",
    "--epochs",
    "1",
    "--seeds",
    "1",
    "--workers",
    "2",
]


@pytest.fixture(scope="module")
def held():
    return SOURCE.load()


def run(held, runs, method="student", seed=0, options=None, **changes):
    config = replace(TINY, seed=seed, options=options or {}, **changes)
    return Run.of(runs, methods.get(method), held, config)


def starts(folder):
    """How often a run was begun: each start writes one file of events."""
    return len(list((folder / "tensorboard").iterdir()))


def done(wanted):
    return [(r.folder / "result.json").exists() for r in wanted]


# ---------------------------------------------------------------- the plan


def test_a_plan_has_each_run_once_and_teachers_before_students(held, tmp_path):
    wanted = [run(held, tmp_path, name) for name in ("kdv2", "student", "dkd", "teacher", "kdv2")]
    absent, damaged = sweep.missing(wanted)
    assert [r.method for r in absent] == ["teacher", "kdv2", "student", "dkd"]
    assert damaged == {}


def test_what_is_done_is_not_planned_and_what_is_damaged_only_on_request(held, tmp_path):
    wanted = [run(held, tmp_path, seed=seed) for seed in range(2)]
    assert sweep.sweep(wanted, SOURCE, Local(1), progress=False) == {}
    assert sweep.missing(wanted) == ([], {})
    file = wanted[1].folder / "result.json"
    edited = file.read_text().replace('"seed": 1', '"seed": 7', 1)
    file.write_text(edited)
    absent, damaged = sweep.missing(wanted)
    assert absent == []
    assert list(damaged) == [wanted[1].folder]
    assert str(file) in damaged[wanted[1].folder]
    assert sweep.sweep(wanted, SOURCE, Local(1), progress=False) == damaged
    assert file.read_text() == edited
    assert sweep.sweep(wanted, SOURCE, Local(1), recompute=True, progress=False) == {}
    assert Result.read(file).seed == 1


def test_the_estimate_grows_with_what_is_missing(held, tmp_path, monkeypatch):
    """Nothing costs nothing; more epochs and more parameters cost more. By a clock on which every
    step takes alike."""
    monkeypatch.setattr("discom.sweep.plan.time.perf_counter", itertools.count().__next__)
    assert sweep.estimate([], held) == 0
    short, long = (run(held, tmp_path, epochs=epochs) for epochs in (10, 100))
    assert sweep.estimate([long], held) == 10 * sweep.estimate([short], held) > 0
    big, double = (
        sweep.estimate([run(held, tmp_path, name)] * 50, held) for name in ("student", "discom")
    )
    assert double > 1.2 * big


# ---------------------------------------------------------------- failures


def test_a_run_that_fails_is_listed_and_stops_no_other(held, tmp_path):
    bad = run(held, tmp_path, "kdv2", learning_rate=1e30, epochs=2)
    wanted = [bad, run(held, tmp_path), run(held, tmp_path, "dkd")]
    failed = sweep.sweep(wanted, SOURCE, Local(2), progress=False)
    assert set(failed) == {bad.teacher.folder, bad.folder}
    assert f"{bad.teacher.folder}: loss term 'cl' is nan in epoch 1" in failed[bad.teacher.folder]
    assert "its teacher failed" in failed[bad.folder]
    assert done(wanted) == [False, True, True]


@dataclass(frozen=True)
class Deadly(Source):
    """The first worker that reads this data is killed, as by a system that has no memory left."""

    marker: str = ""

    def load(self):
        if not Path(self.marker).exists():
            Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return data.load(self.path)


def test_a_worker_that_dies_takes_one_run_with_it(held, tmp_path):
    wanted = [run(held, tmp_path / "runs", seed=seed) for seed in range(3)]
    deadly = Deadly(DATA, marker=str(tmp_path / "dead"))
    failed = sweep.sweep(wanted, deadly, Local(1), progress=False)
    assert list(failed) == [wanted[0].folder]
    assert "ended with exit code -9 (killed; out of memory?)" in failed[wanted[0].folder]
    assert done(wanted) == [False, True, True]
    assert sweep.sweep(wanted, deadly, Local(1), progress=False) == {}
    assert done(wanted) == [True] * 3
    assert [starts(r.folder) for r in wanted] == [1, 1, 1]


def test_an_interruption_is_one_that_can_be_resumed(held, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Local, "finished", stop)
    engine = Local(1)
    with pytest.raises(Interrupted, match="the same command goes on"):
        sweep.sweep([run(held, tmp_path)], SOURCE, engine, progress=False)
    assert engine.busy == {}
    monkeypatch.undo()
    assert sweep.sweep([run(held, tmp_path)], SOURCE, Local(1), progress=False) == {}


class Scripted:
    """An engine that trains nothing: each run ends at once, as `ends` says of its folder."""

    threads = 1

    def __init__(self, workers=1, ends=None):
        self.workers, self.ends, self.begun, self.busy = workers, ends or {}, [], []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, job):
        self.begun.append(job.run)
        self.busy.append(job.key)
        assert len(self.busy) <= self.workers

    def finished(self, timeout):
        folder = self.busy.pop(0)
        told = self.ends.get(folder, [])
        yield folder, told.pop(0) if told else None


def test_runs_begin_in_the_order_of_the_plan_teachers_before_students(held, tmp_path):
    wanted = [
        run(held, tmp_path, name, seed) for seed in range(2) for name in ("kdv2", "student", "dkd")
    ]
    engine = Scripted(workers=2)
    assert sweep.sweep(wanted, SOURCE, engine, progress=False) == {}
    begun = [(r.method, r.config.seed) for r in engine.begun]
    # the student fills the second place while the teacher is at work; then the plan's order again
    assert begun == [("teacher", 0), ("student", 0), ("kdv2", 0), ("dkd", 0),
                     ("teacher", 1), ("student", 1), ("kdv2", 1), ("dkd", 1)]  # fmt: skip


def test_a_run_that_is_busy_elsewhere_is_tried_again_after_the_others(held, tmp_path, monkeypatch):
    monkeypatch.setattr(queue, "PATIENCE", 0.05)
    wanted = [run(held, tmp_path, name) for name in ("kdv2", "student", "student-2x")]
    teacher = wanted[0].teacher.folder
    engine = Scripted(ends={teacher: [BusyError("another process trains it")] * 2})
    started = time.monotonic()
    assert sweep.sweep(wanted, SOURCE, engine, progress=False) == {}
    assert [r.method for r in engine.begun] == [
        "teacher",
        "student",
        "student-2x",
        "teacher",
        "teacher",
        "kdv2",
    ]
    assert time.monotonic() - started >= 2 * 0.05


def test_students_of_a_damaged_teacher_are_given_up(held, tmp_path):
    wanted = [run(held, tmp_path, name) for name in ("kdv2", "student")]
    teacher = wanted[0].teacher.folder
    teacher.mkdir(parents=True)
    (teacher / "result.json").write_text("{")
    engine = Scripted()
    failed = sweep.sweep(wanted, SOURCE, engine, progress=False)
    assert [r.method for r in engine.begun] == ["student"]
    assert "cut short or damaged" in failed.pop(teacher)
    assert failed == {
        wanted[0].folder: f"{wanted[0].folder}: not trained, because its teacher failed"
    }


def test_what_another_sweep_trains_or_trained_meanwhile_costs_no_data(held, tmp_path):
    wanted = run(held, tmp_path)
    nowhere = Source("no/such/folder")
    assert "no/such/folder" in str(attempt(wanted, nowhere))
    assert attempt(wanted, SOURCE) is None
    assert attempt(wanted, nowhere) is None
    busy = run(held, tmp_path, seed=1)
    with locked(busy.folder):
        assert isinstance(attempt(busy, nowhere), BusyError)
    (wanted.folder / "result.json").write_text("{")
    assert "damaged" in str(attempt(wanted, SOURCE))
    assert attempt(wanted, SOURCE, recompute=True) is None


# ---------------------------------------------------------------- engines


@pytest.mark.parametrize(
    ("workers", "threads", "told"),
    [
        (1, 1, "some 20 core-hours, 20 hours with 1 worker of 1 core like this machine's"),
        (4, 1, "some 20 core-hours, 5 hours with 4 workers of 1 core like this machine's"),
        (4, 2, "some 40 core-hours, 5 hours with 4 workers of 2 cores like this machine's"),
        (64, 1, "some 20 core-hours, 60 minutes with 64 workers of 1 core like this machine's"),
        (0, 1, "some 20 core-hours, 20 hours with 1 worker of 1 core like this machine's"),
    ],
)
def test_a_forecast_counts_cores_and_workers(held, tmp_path, monkeypatch, workers, threads, told):
    """Twenty runs of an hour each; more workers than runs do not help."""
    monkeypatch.setattr(planning, "estimate", lambda runs, data, threads: 3600.0 * len(runs))
    monkeypatch.setattr(planning.torch.cuda, "is_available", lambda: False)
    engine = Scripted(workers)
    engine.threads = threads
    assert (
        sweep.forecast([run(held, tmp_path, seed=seed) for seed in range(20)], held, engine) == told
    )


def test_an_estimate_is_timed_with_the_threads_of_a_worker(held, tmp_path, monkeypatch):
    before, seen = torch.get_num_threads(), []
    loss = methods.Student.loss
    monkeypatch.setattr(
        methods.Student, "loss", lambda *given: seen.append(torch.get_num_threads()) or loss(*given)
    )
    sweep.estimate([run(held, tmp_path)], held, threads=before + 1)
    assert set(seen) == {before + 1}
    assert torch.get_num_threads() == before


def test_what_ray_is_given_holds_in_any_folder(held, tmp_path, monkeypatch):
    """A worker on another node starts in another folder: names, settings and paths go with it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes-of-mine").mkdir()
    here = {"scenes:n=9": "scenes:n=9", "eurosat": f"{tmp_path}/data/eurosat",
            "eurosat:split=random": f"{tmp_path}/data/eurosat:split=random",
            "scenes-of-mine": f"{tmp_path}/scenes-of-mine"}  # fmt: skip
    given = []
    engine = object.__new__(Ray)
    engine.tasks, engine.task = (
        {},
        SimpleNamespace(remote=lambda job: given.append(job) or len(given)),
    )
    for path in here:
        engine.submit(Training(run(held, "runs", "kdv2"), Source(path)))
    assert [job.source.path for job in given] == list(here.values())
    assert {job.key.parts[: len(tmp_path.parts)] for job in given} == {tmp_path.parts}
    assert {job.run.teacher.folder.parts[: len(tmp_path.parts)] for job in given} == {
        tmp_path.parts
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("slurm", 0, None), "'slurm' is unknown; choose local or ray"),
        (("local", -1, None), "-1 is below 0"),
        (("local", 1, "auto"), "'auto' is of no use to engine=local"),
    ],
)
def test_an_engine_that_cannot_be(given, message):
    with pytest.raises(ConfigError, match=message):
        sweep.make_engine(*given)


def test_ray_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match="ray is not installed"):
        sweep.make_engine("ray")


def test_local_workers_divide_the_cores():
    cores = Local(1).threads
    assert Local(cores).threads == 1
    assert Local(2 * cores).threads == 1


# ---------------------------------------------------------------- a process of its own


def command(runs, *more):
    return [sys.executable, "-m", "discom", *TABLE, "--runs", str(runs), *more]


@pytest.mark.slow
def test_two_sweeps_on_one_folder_lose_and_repeat_nothing(tmp_path):
    both = [
        subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    first, second = (process.communicate(timeout=300)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    folders = [file.parent for file in tmp_path.rglob("result.json")]
    assert len(folders) == len(methods.names(dense=False))
    assert [starts(folder) for folder in folders] == [1] * len(folders)
    assert first[first.index("method") :] == second[second.index("method") :]


@pytest.mark.slow
def test_a_killed_sweep_goes_on_and_ends_with_the_same_numbers(tmp_path):
    process = subprocess.Popen(command(tmp_path / "killed"))
    while len(list((tmp_path / "killed").rglob("result.json"))) < 3:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "killed").rglob("result.json")}
    for name in ("killed", "whole"):
        assert subprocess.run(command(tmp_path / name), check=False).returncode == 0
    assert all(file.stat().st_mtime_ns == then for file, then in before.items())
    scores = [
        {
            file.relative_to(tmp_path / name): Result.read(file).scores
            for file in (tmp_path / name).rglob("result.json")
        }
        for name in ("killed", "whole")
    ]
    assert scores[0] == scores[1]


# ---------------------------------------------------------------- the command


def test_a_dry_run_says_how_much_and_trains_nothing(tmp_path, capsys):
    assert cli.main([*TABLE, "--runs", str(tmp_path / "runs"), "--dry_run"]) == 0
    count = len(methods.names(dense=False))
    assert re.fullmatch(
        rf"{count} runs, {count} of them to train: some [\d.e-]+ \w+-hours, \d+ minutes with 2 workers of .*\n",
        capsys.readouterr().out,
    )
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_table_is_made_written_and_read_again(tmp_path, capsys):
    more = [
        "--runs",
        str(tmp_path / "runs"),
        "--out",
        str(tmp_path / "made/t"),
        "--collect",
        str(tmp_path / "all.json"),
    ]
    assert cli.main([*TABLE, *more]) == 0
    first = capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == [
        "t.csv",
        "t.md",
        "t.png",
        "t.tex",
        "t.txt",
    ]
    assert cli.main([*TABLE, *more]) == 0
    again = capsys.readouterr().out
    assert f"{len(methods.names(dense=False))} runs, 0 of them to train" in again
    assert again[again.index("method") :] == first[first.index("method") :]
    shutil.rmtree(tmp_path / "runs")


def test_a_failed_run_is_named_and_the_status_is_one(tmp_path, capsys):
    with pytest.raises(SystemExit) as status:
        cli.main([*TABLE, "--runs", str(tmp_path), "--learning_rate", "1e30", "--epochs", "2"])
    assert status.value.code == 1
    errors = capsys.readouterr().err.splitlines()
    assert len([line for line in errors if line.startswith("discom: error: ")]) == len(
        methods.names(dense=False)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table", "6"], "table: 6 is not one of ours; choose 1, 2, 3, 4, 5, dense, crodino"),
        (["table", "3", "--teacher", "rgb"], "'rgb' cannot be this table's; table 3 has none"),
        (
            ["table", "4", "--as_published"],
            "as_published: table 4 says for itself which options a row has",
        ),
        (["table", "5", "--modalities", "depth"], "needs two modalities or more"),
        (["table", "3", "--seeds", "0"], "--seeds: 0 runs make no table"),
        (["table", "3", "--options", '{"pairing": "paired"}'], "options"),
        (["table", "1", "--teacher", "sonar"], "'sonar' cannot be this table's; choose rgb, depth"),
        (
            ["table", "2", "--teacher", "rgb"],
            "'rgb' cannot be this table's; table 2's reads all modalities",
        ),
        (["table", "1", "--seeds", "0"], "--seeds: 0 runs make no table"),
        (["table", "1", "--engine", "slurm"], "'slurm' is unknown"),
        (["table", "1", "--modalities", "rgb"], "needs two modalities or more"),
        (["table", "1", "--data", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, tmp_path, capsys):
    given = arguments if "--data" in arguments else [*arguments, "--data", DATA]
    assert cli.main([*given, "--profile", "tiny", "--runs", str(tmp_path / "runs")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "runs").exists()


def test_the_wait_for_another_process_is_short():
    """A run that is busy elsewhere is looked at again; the test above that runs two sweeps would
    crawl otherwise."""
    assert queue.PATIENCE <= 5


# ---------------------------------------------------------------- Ray


@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "127.0.0.1:1", "ray://127.0.0.1:head"])
def test_a_cluster_that_cannot_be_reached_is_one_line_and_no_long_wait(address, monkeypatch):
    asked = []
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=lambda **how: asked.append(how)))
    with pytest.raises(
        ConfigError, match=rf"^address: '{address}' cannot be reached \(.*\); check that"
    ):
        sweep.make_engine("ray", 1, address).__enter__()
    assert asked == []


def test_what_ray_says_of_an_address_is_one_line(monkeypatch):
    def refuse(**_):
        raise ConnectionError("no instance\nis running")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=refuse))
    with pytest.raises(ConfigError, match=r"^address: 'auto' cannot be reached \(no instance\); "):
        sweep.make_engine("ray", 1, "auto").__enter__()


@pytest.mark.slow
def test_ray_loses_a_node_and_no_run(held, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    lost = cluster.add_node(num_cpus=1)
    wanted = [
        run(held, tmp_path, name, epochs=4)
        for name in ("student", "student-2x", "kdv2", "dkd", "discom")
    ]
    engine = sweep.make_engine("ray", 2, cluster.address)
    finished, ended = engine.finished, []

    def finish(timeout):
        for folder, error in finished(timeout):
            if not ended:  # while the other node is at work
                cluster.remove_node(lost, allow_graceful=False)
            ended.append(folder)
            yield folder, error

    engine.finished = finish
    try:
        assert sweep.sweep(wanted, SOURCE, engine, progress=False) == {}
        assert engine.workers == 2
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert done(wanted) == [True] * len(wanted)
    assert len(set(ended)) == len(wanted) + 1  # and the teacher
    apart = run(held, tmp_path / "apart", "student", epochs=4)
    assert sweep.sweep([apart], SOURCE, Local(1), progress=False) == {}
    assert (
        Result.read(apart.folder / "result.json").scores
        == Result.read(wanted[0].folder / "result.json").scores
    )
