"""One run on several devices, here two processes on the CPU: one result, the same in every attempt;
and what happens when they disagree or one dies."""

import multiprocessing
import os
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from fixtures import children
from fixtures.children import Signal
from lightning.fabric.plugins.environments.lightning import find_free_network_port

from discom import data, fit, profile
from discom.errors import ConfigError
from discom.running.runs import read_metrics

TWO = ("--devices", "2")


def set_environment(variables: dict[str, str]) -> None:
    os.environ.update(variables)


def start_two(folder, runs, *faults, settings=(TWO, TWO)):
    """Both processes of a run, as torchrun would start them; faults are the second one's."""
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "NODE_RANK": "0"}
    place["MASTER_PORT"] = str(find_free_network_port())
    return [
        children.start(
            folder / f"rank-{rank}",
            partial(children.train, settings=settings[rank]),
            runs,
            partial(set_environment, {**place, "LOCAL_RANK": str(rank)}),
            *(faults if rank else ()),
        )
        for rank in range(2)
    ]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The folder of a run that two processes trained together."""
    folder = tmp_path_factory.mktemp("pair")
    both = start_two(folder, folder / "runs")
    assert [child.end() for child in both] == [0, 0], [child.text() for child in both]
    return children.folder_of(folder / "runs")


@pytest.mark.slow
def test_discom_train_starts_the_other_processes_and_prints_one_result(pair, tmp_path):
    command = [sys.executable, "-m", "discom", *children.COMMAND, *TWO, "--runs", str(tmp_path)]
    environment = {k: v for k, v in os.environ.items() if k != "LOCAL_RANK"}
    environment["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    folder = children.folder_of(tmp_path)
    assert done.stdout.count(str(folder)) == 1
    tables = [read_metrics(run / "metrics.csv").drop(columns="seconds") for run in (pair, folder)]
    assert np.allclose(*tables, rtol=1e-4)


@pytest.mark.slow
def test_processes_with_different_seeds_are_refused(tmp_path):
    settings = (TWO, (*TWO, "--seed", "1"))
    both = start_two(tmp_path, tmp_path / "runs", settings=settings)
    assert [child.end() for child in both] == [2, 2]
    for child in both:
        (line,) = child.errors()
        assert "must agree, but seed is [0, 1] in them; " in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_where_one_process_dies_the_other_ends_with_one_line_and_the_run_goes_on(pair, tmp_path):
    runs = tmp_path / "runs"
    first, second = start_two(tmp_path / "a", runs, Signal(5, "step"))
    assert second.end() == -signal.SIGKILL
    assert first.end() == 2
    (line,) = first.errors()
    assert line.endswith(
        "another process of this run has ended; the same command goes on from the last saved epoch"
    )
    both = start_two(tmp_path / "b", runs)
    assert [child.end() for child in both] == [0, 0], [child.text() for child in both]
    children.same_run(pair, children.folder_of(runs))


def test_several_devices_need_a_script_that_can_be_run_again(tmp_path, monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.delenv("SLURM_PROCID", raising=False)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: "the sweep")
    split = data.load("scenes:n=66,size=16").split(seed=0)
    with pytest.raises(ConfigError, match=r"devices: 2 processes need a script, .*or devices=1$"):
        fit("student", split, profile("tiny", devices=2), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()
