"""Faults: `kill -9`, a damaged or foreign checkpoint. The same command ends with equal numbers, and
files are whole or absent."""

import hashlib
import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from discom import cli, files, methods
from discom.errors import DataError
from discom.files import _hidden, as_data_error, atomic_file, atomic_folder, digest
from discom.running import checkpoint
from discom.running.checkpoint import STATE, Checkpoint
from discom.running.runs import read_predictions

COMMAND = ["train", "--data", "objects:n=90,size=16", "--method", "student", "--profile", "tiny"]
COMMAND += ["--epochs", "6"]
MEASURED = {"seconds", "pairs_per_second", "peak_memory_mb", "machine"}  # differ from run to run

# ---------------------------------------------------------------- a run that is killed

# processes are forked from one that has imported everything and computed nothing
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["discom.cli", "discom.running.fit", "torch.utils.serialization"])


def train(runs, kill_at="", moment=0):
    """`discom train` with a checkpoint after every epoch. It kills itself when a file whose name
    ends in `kill_at` is moved to its place for the `moment`-th time, or at that training step."""
    torch.set_num_threads(1)
    checkpoint.TIME_SHARE = float("inf")
    at_step = kill_at == "step"
    owner, name = (methods.Student, "loss") if at_step else (files.os, "replace")
    original, left = getattr(owner, name), [moment]

    def strike(*given):
        left[0] -= at_step or str(given[1]).endswith(kill_at)
        if kill_at and left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*given)

    setattr(owner, name, strike)
    sys.exit(cli.main([*COMMAND, "--runs", str(runs)]))


def status(*given):
    process = SERVER.Process(target=train, args=given)
    process.start()
    process.join(120)
    return process.exitcode


def content_of(runs):
    """All that a run leaves, up to what is measured."""
    run = next(runs.rglob("result.json")).parent  # a step that kills is other code, elsewhere
    arrays = read_predictions(run / "predictions.npz")
    for file in (run / "weights").iterdir():
        arrays |= {f"{file.name} {key}": value for key, value in load_file(file).items()}
    result = json.loads((run / "result.json").read_text())
    result = {key: value for key, value in result.items() if key not in MEASURED}
    log = pd.read_csv(run / "metrics.csv").drop(columns="seconds")
    files = sorted(str(file.relative_to(run)) for file in run.rglob("*"))
    return result, files, log.to_dict(), {key: value.tolist() for key, value in arrays.items()}


WORST = [  # in the middle of an epoch, and with a file written but not yet moved to its place
    *(("config.json", 1), ("step", 2), ("metrics.csv", 1), ("state.pt", 1), ("step", 3)),
    *(("state.pt", 2), ("depth.safetensors", 1), ("predictions.npz", 1), ("result.json", 1)),
]


@pytest.mark.slow
def test_a_run_that_is_killed_ends_with_the_same_numbers(tmp_path):
    assert status(tmp_path / "whole") == 0
    for what, moment in WORST:
        assert status(tmp_path / "runs", what, moment) == -signal.SIGKILL, what
        assert not list(tmp_path.glob("runs/**/result.json"))
    assert status(tmp_path / "runs") == 0
    assert content_of(tmp_path / "whole") == content_of(tmp_path / "runs")


class Code:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def checkpoint_of(folder):
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.AdamW(network.parameters())
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    return Checkpoint(folder, "32-true", model=network, optimizer=optimizer, schedule=schedule)


def test_a_checkpoint_is_what_was_written_and_a_damaged_one_is_named(tmp_path):
    state, file = checkpoint_of(tmp_path), tmp_path / STATE
    for epoch in range(2):
        state.seconds += 1e6  # writing may take its share of it
        torch.nn.init.constant_(state.parts["model"].weight, float(epoch))
        state.save(epoch, {"loss": 1.0})
    again = checkpoint_of(tmp_path)
    assert (again.epoch, again.seconds, again.parts["model"].weight.item()) == (2, 2e6, 1.0)
    assert again.rows == [{"epoch": 0, "loss": 1.0}, {"epoch": 1, "loss": 1.0}]
    assert sorted(os.listdir(tmp_path)) == ["metrics.csv", STATE]
    content = file.read_bytes()
    torch.save({"model": Code(tmp_path / "executed")}, file)
    code = file.read_bytes()  # is not run
    for damaged in (content[:-1], content[: len(content) // 2], b"", bytes(len(content)), code):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=f"{STATE}: "):
            checkpoint_of(tmp_path)
    assert not (tmp_path / "executed").exists()
    file.unlink()
    assert checkpoint_of(tmp_path).epoch == 0


# ---------------------------------------------------------------- files and folders

MARKER = "manifest.json"


def write(path, text, fail=None):
    with atomic_file(path) as part:
        part.write_text(text)
        if fail:
            raise fail


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    write(tmp_path / "deep/a.txt", "old")
    for failure in (ValueError("no"), KeyboardInterrupt()):
        with pytest.raises(type(failure)):
            write(tmp_path / "deep/a.txt", "new", failure)
        assert os.listdir(tmp_path / "deep") == ["a.txt"]
        assert (tmp_path / "deep/a.txt").read_text() == "old"
    write(tmp_path / "deep/a.txt", "new")
    assert (tmp_path / "deep/a.txt").read_text() == "new"


def fill(path, text="new", *, fail=False, **given):
    with atomic_folder(path, marker=MARKER, **given) as part:
        (part / MARKER).write_text(text)
        if fail:
            raise RuntimeError


def test_a_folder_is_replaced_on_request_and_as_a_whole(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    fill(out, "first")  # an empty folder is filled
    (out / "stale.npy").touch()
    with pytest.raises(DataError, match=r"exists already; pass overwrite \(--overwrite\)"):
        fill(out, "second")
    with pytest.raises(RuntimeError):
        fill(out, "second", overwrite=True, fail=True)
    assert (out / MARKER).read_text() == "first"
    fill(out, "second", overwrite=True)
    assert (out / MARKER).read_text() == "second"
    assert os.listdir(out) == [MARKER]
    assert os.listdir(tmp_path) == ["out"]


def test_what_a_killed_process_left_beside_a_folder_goes(tmp_path):
    """Hidden folders as large as the data stayed for good."""
    out, gone = tmp_path / "out", 1 << 22  # no process has this number
    fill(out, "first")
    (killed := Path(f"{tmp_path}/{_hidden(out)}{gone}-a")).mkdir()
    (killed / "images.npy").touch()
    (alive := Path(f"{tmp_path}/{_hidden(out)}{os.getpid()}-a")).mkdir()
    (elsewhere := tmp_path / f".out-another_machine-{gone}-a").mkdir()
    (other := Path(f"{tmp_path}/{_hidden(tmp_path / 'other')}{gone}-a")).mkdir()
    fill(out, "second", overwrite=True)
    assert sorted(tmp_path.iterdir()) == sorted([out, alive, elsewhere, other])
    killed.mkdir()
    out.rename(killed / "old")  # killed between the two moves
    with pytest.raises(DataError, match="exists already"):
        fill(out, "third")
    assert (out / MARKER).read_text() == "second"
    assert not killed.exists()


@pytest.mark.parametrize("name", ["out", "out/thesis.txt"])
def test_what_is_not_ours_is_never_replaced(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("ten years")
    for overwrite in (False, True):
        with pytest.raises(DataError, match=r"out: "):
            fill(tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / name).read_text() == "ten years"


def test_only_what_was_read_is_called_damaged():
    """Of a disk that fails a person was told to delete the file."""
    for error, said in ((PermissionError(13, "denied"), "denied"), (OSError(5, "I/O"), "I/O")):
        with pytest.raises(DataError, match=said) as caught, as_data_error("a", "JSON", "delete"):
            raise error
        assert "delete" not in str(caught.value)
    with pytest.raises(MemoryError), as_data_error("a", "JSON", "delete"):
        raise MemoryError


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '[{"b": {"a": 1, "c": 0, "a": 1}}]'])
def test_json_with_a_key_that_is_given_twice_is_refused(tmp_path, text):
    """Of two names of classes, or two thresholds, the last one counted."""
    (tmp_path / "classes.json").write_text(text)
    with pytest.raises(DataError, match=r"classes.json: .*'a' is given twice"):
        files.read_json(tmp_path / "classes.json")
    with pytest.raises(ValueError, match="'a' is given twice"):
        files.parse_json(text)


def test_a_digest_is_that_of_the_whole_bytes_whatever_the_chunks(tmp_path, monkeypatch):
    x = np.random.default_rng(0).random((8197, 2)).astype(np.float32)
    expected = hashlib.blake2b(b"float32(8197, 2)" + x.tobytes(), digest_size=8).hexdigest()
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 1 << 10)
    assert digest(x) == digest(np.asfortranarray(x)) == expected
    np.save(tmp_path / "x.npy", x)
    assert digest(np.load(tmp_path / "x.npy", mmap_mode="r")) == expected
    other = np.where(np.arange(len(x))[:, None] == 8196, x + 1, x)
    different = [x, other, x.reshape(2, -1), x.astype(np.float64), x[::-1], x[:-1]]
    assert len({digest(part) for part in different}) == len(different)
