"""A disk that is full, or that may not be written: one line, nothing by halves, and the same
numbers once there is room."""

import signal

import pytest
from fixtures import children
from fixtures.children import FullDisk, Signal

pytestmark = pytest.mark.slow
# the disk fills up before this call, for this time; then this file is named
FULL = [
    ("fit.write_identity", 1, "config.json"),
    ("checkpoint.Checkpoint.save", 1, "metrics.csv"),
    ("checkpoint.torch.save", 1, "state.pt"),
    ("checkpoint.torch.save", 2, "state.pt"),
    ("checkpoint.to_safetensors", 2, "weights/depth.safetensors"),
    ("report.np.savez_compressed", 1, "predictions.npz"),
    ("report.write_json", 1, "result.json"),
]
WAY_OUT = (
    "No space left on device; make room; then the same command goes on from the last saved epoch"
)


def test_a_disk_that_fills_up_again_and_again_is_named_each_time_and_costs_no_number(
    whole, disk, tmp_path
):
    runs, ballast = disk.place / "runs", disk.place / "ballast"
    for function, moment, file in FULL:
        full = children.start(tmp_path, children.train, runs, FullDisk(ballast, function, moment))
        assert full.end() == 2, f"{function}: {full.text()}"
        folder = next(runs.rglob(".lock")).parent
        assert full.errors() == [f"discom: error: {folder / file}: {WAY_OUT}"]
        assert not list(runs.rglob(".*.part"))
        ballast.unlink()
    again = children.start(tmp_path, children.train, runs)
    assert again.end() == 0, again.text()
    children.same_run(whole[0], folder)


def test_a_disk_that_may_not_be_written_stops_the_run_with_one_line(whole, disk, tmp_path):
    runs = disk.place / "runs"
    begun = children.start(tmp_path, children.train, runs, Signal(children.EPOCHS, "state.pt"))
    assert begun.end() == -signal.SIGKILL
    disk("remount,ro")
    refused = children.start(tmp_path, children.train, runs)
    assert refused.end() == 2, refused.text()
    (line,) = refused.errors()
    assert line.endswith(
        "cannot be written (Read-only file system); choose another folder for runs"
    )
    disk("remount,rw")
    again = children.start(tmp_path, children.train, runs)
    assert again.end() == 0, again.text()
    children.same_run(whole[0], children.folder_of(runs))
