"""A disk that is full, or that may not be written: one line, nothing by halves, and the same
numbers once there is room."""

import os
import signal
import subprocess

import pytest
from fixtures import children
from fixtures.children import FullDisk, Signal

FULL = [  # the disk fills up before this call, for this time; then this file is named, or for events the folder
    ("training.claim", 1, "/config.json"),
    ("Log.__init__", 1, ""),
    ("training._save_weights", 2, "/weights/depth.safetensors"),
    ("State.epoch_done", 1, "/state.pt"),
    ("Log.write", 2, "/metrics.csv"),
    ("State.epoch_done", 2, "/state.pt"),
    ("training.np.savez_compressed", 1, "/predictions.npz"),
    ("training.write_json", 1, "/result.json"),
]
WAY_OUT = "No space left on device; make room or check the rights, and the same command goes on from the last saved epoch"


def test_a_disk_that_fills_up_again_and_again_is_named_each_time_and_costs_no_number(
    whole, disk, tmp_path
):
    runs, ballast = disk.place / "runs", disk.place / "ballast"
    for function, moment, file in FULL:
        full = children.start(tmp_path, children.train, runs, FullDisk(ballast, function, moment))
        assert full.end() == 2, f"{function}: {full.said()}"
        folder = next(runs.rglob(".lock")).parent
        assert full.errors() == [f"discom: error: {folder}{file}: {WAY_OUT}"]
        assert not list(runs.rglob(".*.part"))
        ballast.unlink()
    again = children.start(tmp_path, children.train, runs)
    assert again.end() == 0, again.said()
    children.same_run(whole[0], folder)


def test_a_disk_that_may_not_be_written_stops_the_run_with_one_line(whole, disk, tmp_path):
    runs = disk.place / "runs"
    begun = children.start(tmp_path, children.train, runs, Signal(children.EPOCHS, "state.pt"))
    assert begun.end() == -signal.SIGKILL
    disk("remount,ro")
    refused = children.start(tmp_path, children.train, runs)
    assert refused.end() == 2, refused.said()
    (line,) = refused.errors()
    assert line.endswith(
        "cannot be written (Read-only file system); choose another folder for runs"
    )
    disk("remount,rw")
    again = children.start(tmp_path, children.train, runs)
    assert again.end() == 0, again.said()
    children.same_run(whole[0], children.folder_of(runs))


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not bind root")
def test_a_folder_without_the_right_to_write_stops_the_run_with_one_line(tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir(mode=0o555)
    refused = children.start(tmp_path, children.train, runs)
    assert refused.end() == 2, refused.said()
    assert refused.errors()[0].endswith(
        "cannot be written (Permission denied); choose another folder for runs"
    )


def test_a_sweep_lists_the_runs_for_which_there_is_no_room(whole_sweep, disk, tmp_path):
    runs, ballast = disk.place / "runs", disk.place / "ballast"
    children.fill(ballast)
    full = children.start(tmp_path, children.train_many, runs, tmp_path / "pids")
    assert full.end() == 1, full.said()
    lines = [line for line in full.said().splitlines() if line.startswith(str(runs))]
    assert len(lines) == len(children.SWEPT) + 1
    assert sum(line.endswith(f"config.json: {WAY_OUT}") for line in lines) == len(children.SWEPT)
    assert sum("its teacher failed" in line for line in lines) == 1
    ballast.unlink()
    again = children.start(tmp_path, children.train_many, runs, tmp_path / "pids")
    assert again.end() == 0, again.said()
    for file in whole_sweep[0].rglob("result.json"):
        children.same_run(file.parent, runs / file.parent.relative_to(whole_sweep[0]))


def test_a_test_disk_is_small(disk):
    """The tests above would fill a real one."""
    free = os.statvfs(disk.place)
    assert free.f_blocks * free.f_frsize <= 64 << 20
    assert subprocess.run(["mountpoint", "-q", disk.place], check=False).returncode == 0
