"""One run on several devices: the same weights as one process, whatever the method; and what
happens when one dies."""

import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from discom import cli, data, devices, methods, profile, shares
from discom.config import Config
from discom.data import Batches, scenes
from discom.errors import ConfigError
from discom.methods import build

# what is known of processes must come from each test alone
OF_LAUNCHERS = (
    "TORCHELASTIC_RUN_ID",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "SLURM_STEP_NUM_TASKS",
    "DISCOM_PLACE",
)


@pytest.fixture(autouse=True)
def nobody_started_us(monkeypatch):
    for name in (*OF_LAUNCHERS, "DISCOM_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def run(*command, **environment) -> subprocess.CompletedProcess:
    """A command of Python's to its end."""
    given, environment = [sys.executable, *map(str, command)], {**os.environ, **environment}
    return subprocess.run(
        given, capture_output=True, text=True, check=False, timeout=300, env=environment
    )


def errors(done: subprocess.CompletedProcess) -> list[str]:
    """Its error lines; a progress bar may stand before one."""
    return re.findall(r"discom: error: [^\r\n]*", done.stderr)


def apart(first: Path, second: Path) -> float:
    """‖w - w'‖ / ‖w‖ over all saved weights of two runs, the largest among their networks."""
    found = []
    for file in (first / "weights").iterdir():
        ours, theirs = load_file(file), load_file(second / "weights" / file.name)
        assert ours.keys() == theirs.keys()
        a, b = (
            torch.cat([held[key].double().flatten() for key in ours]) for held in (ours, theirs)
        )
        found.append(((a - b).norm() / a.norm()).item())
    assert found
    return max(found)


def rows(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "metrics.csv").drop(columns="seconds")


# --- the same numbers
# -------------------------------------------------------------------------------------------------

# In float64, where rounding cannot hide a mistake. Batches of 15 and 7 images make shares that
# differ in size.
TRAIN = """
import json, sys
from pathlib import Path
import torch
torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double
from discom import data, fit, methods, profile, shares
from discom.data.batches import Batch, Images
read = Images.__getitem__
Images.__getitem__ = lambda self, rows: read(self, rows).double()
folder, devices, cases, wrong = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]
if wrong == "each its own statistics":
    shares.share_statistics = lambda model: model
if wrong == "shares weighted alike":
    Batch.__len__ = lambda self: 1
    Batch.whole = property(lambda self: shares.world(), lambda self, value: None)
if wrong == "each its own labels":
    from discom.losses import dense
    dense.gathered = lambda x: x
if wrong == "each its own pairs of samples":
    from discom.losses import separate
    separate.gathered = lambda x: x
for name, source, options in cases:
    method, split = methods.get(name), data.load(source).split(seed=0)

    def train(method, folder, **options):
        config = profile("tiny", dense=method.dense, batch_size=7 if method.dense else 15, augment=1.0,
                         accelerator="cpu", devices=devices, options=options)
        given = {"teacher": folder.parent / "teacher"} if method.taught else {}
        fit(method, split, config, folder, progress=False, **given)

    if method.taught:
        train(method.teacher_method, folder / name / "teacher")
    train(method, folder / name / "run", **options)
"""
SCENES, MASKS = "scenes:n=90,size=16", "scenes-dense:n=40,size=16,labelled=0.6"
UNPAIRED, COMPARED = (
    ("discom", SCENES, {}),
    ("discom", SCENES, {"weights": {"hsic": 1, "xcov": 1, "adv": 0}}),
)
CASES = {
    "unpaired batches": UNPAIRED,
    "heads without gradient": ("discom-solo", SCENES, {}),
    "a teacher's soft labels in strong views": ("mlkd", SCENES, {}),
    "moved alike, masks with gaps": ("dense-teacher", MASKS, {}),
    "rows that differ, pairs of places": ("crodino", MASKS, {}),
    "what is drawn at random": ("mgd", MASKS, {}),
    "prototypes": ("protokd", MASKS, {}),
}


def train(folder: Path, devices: int, cases, wrong: str = "") -> Path:
    (folder / "train.py").write_text(TRAIN)
    done = run(folder / "train.py", folder, devices, json.dumps(cases), wrong)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Every case by one process and by two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        made = [train(tmp_path_factory.mktemp(f"by-{n}"), n, list(CASES.values())) for n in (1, 2)]
    return made


@pytest.mark.slow
@pytest.mark.parametrize("what", CASES)
def test_two_processes_give_the_weights_of_one(both, what):
    one, two = (folder / CASES[what][0] / "run" for folder in both)
    assert apart(one, two) < 1e-9
    pd.testing.assert_frame_equal(rows(one), rows(two), rtol=1e-9)
    with np.load(one / "predictions.npz") as ours, np.load(two / "predictions.npz") as theirs:
        for name in ours:
            same = (
                np.allclose(ours[name], theirs[name])
                if ours[name].dtype.kind == "f"
                else ours[name] == theirs[name]
            )
            assert np.all(same)
    ours, theirs = (json.loads((folder / "result.json").read_text()) for folder in (one, two))
    assert [ours.pop("machine")["devices"], theirs.pop("machine")["devices"]] == [1, 2]
    for key in ("method", "seed", "hash", "config", "counts", "classes", "parameters", "teacher"):
        assert ours[key] == theirs[key]
    assert (one / "config.json").read_text() == (two / "config.json").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "case"),
    [
        ("each its own statistics", UNPAIRED),
        ("shares weighted alike", UNPAIRED),
        ("each its own pairs of samples", COMPARED),
        ("each its own labels", CASES["moved alike, masks with gaps"]),
    ],
)
def test_a_wrong_way_to_share_is_found(tmp_path, wrong, case):
    """The comparison above can fail: each of these gives weights that are far from one
    process's."""
    made = []
    for devices_, how in ((1, ""), (2, wrong)):
        (tmp_path / str(devices_)).mkdir()
        made.append(train(tmp_path / str(devices_), devices_, [case], how) / case[0] / "run")
    assert apart(*made) > 1e-5


SHARED = """
import torch
from torch import nn
from discom import devices, shares
from discom.config import Config
from discom.errors import DataError
devices.start(Config(devices=2, accelerator="cpu"))
assert shares.world() == 2
torch.manual_seed(0)
for shape, kind in (((7, 5, 4, 4), nn.BatchNorm2d), ((7, 5), nn.BatchNorm1d)):
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-4)):
        x, gradient = (torch.randn(shape, dtype=torch.float64).to(dtype) for _ in range(2))
        x = (3 * x + 50).requires_grad_()
        whole, shared = kind(5).to(dtype), kind(5).to(dtype)
        nn.init.normal_(whole.weight)
        shared.load_state_dict(whole.state_dict())
        shares.share_statistics(shared)
        own = torch.arange(7).tensor_split(2)[shares.rank()]
        mine = x.detach()[own].requires_grad_()
        z, part = whole(x), shared(mine)
        z.backward(gradient)
        part.backward(gradient[own])
        summed = 2 * shares.everyones_mean(shared.weight.grad)
        pairs = ((part, z[own]), (mine.grad, x.grad[own]), (summed, whole.weight.grad),
                 (shared.running_mean, whole.running_mean), (shared.running_var, whole.running_var))
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
        shared.load_state_dict(whole.state_dict())
        assert torch.equal(shared.eval()(x), whole.eval()(x))

# a term that compares all samples: its gradient, weighted as fit weights it, is that of the whole
# batch
mine = x.detach()[own].requires_grad_()
all_rows = shares.gathered(mine)
assert torch.equal(all_rows, x.detach())
(all_rows @ all_rows.T).square().mean().backward()
whole = x.detach().requires_grad_()
(whole @ whole.T).square().mean().backward()
torch.testing.assert_close(mine.grad * len(own) / 7, whole.grad[own])
with torch.no_grad():
    assert len(shares.gathered(mine)) == len(mine)
assert torch.equal(shares.everyones_rows(torch.full((1 + 2 * shares.rank(), 2), shares.rank())).T[0],
                   torch.tensor([0, 1, 1, 1]))

calls = []
assert shares.from_first(lambda: calls.append(1) or "told") == "told"
assert len(calls) == (shares.rank() == 0)
def refuse():
    raise DataError("no")
try:
    shares.from_first(refuse)
except DataError as error:
    assert error.agreed
else:
    raise AssertionError("both must raise")
print("done", shares.rank(), flush=True)
"""


def test_what_processes_know_together(tmp_path):
    """BatchNorm of the whole batch, gathered rows and their gradients, and what the first one
    decides."""
    (tmp_path / "shared.py").write_text(SHARED)
    done = run(tmp_path / "shared.py")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == ["done 0", "done 1"]


@pytest.mark.parametrize("name", ["mlkd", "discom"])
def test_shares_add_up_to_the_batch_of_one_process(name):
    """Images, labels, views, strong views and soft labels; 27 samples in batches of 7 for 3
    processes."""
    held, paired = scenes.make(27, size=8), name == "mlkd"
    soft = (lambda rows, views: rows["rgb"] + 100 * views["rgb"]) if paired else None
    given = {
        "pairing": "paired" if paired else "unpaired",
        "augment": 1.0,
        "strong": paired,
        "soft": soft,
    }
    alone = Batches(held, 7, 0, **given)
    shared = [Batches(held, 7, 0, rank=rank, world=3, **given) for rank in range(3)]
    for whole, *parts in zip(
        alone.epoch(1), *(batches.epoch(1) for batches in shared), strict=True
    ):
        assert [part.first for part in parts] == np.cumsum(
            [0, *(len(part) for part in parts[:-1])]
        ).tolist()
        assert {part.whole for part in parts} == {len(whole)} == {whole.whole}
        pairs = [(whole, parts)] + (
            [(whole.strong, [part.strong for part in parts])] if paired else []
        )
        for one, several in pairs:
            for key in ("x", "y", "views"):
                for modality, values in getattr(one, key).items():
                    assert torch.equal(
                        torch.cat([getattr(part, key)[modality] for part in several]), values
                    )
            if paired:
                assert torch.equal(torch.cat([part.soft for part in several]), one.soft)


def test_a_batch_of_fewer_samples_than_processes_is_refused():
    with pytest.raises(
        ConfigError, match=r"devices: 4 for batches of 3 samples; raise batch_size, or use 3"
    ):
        Batches(scenes.make(9, size=8), 3, 0, world=4)


# --- the command
# ------------------------------------------------------------------------------------------------------

COMMAND = ["train", "--data", "scenes:n=66,size=16", "--profile", "tiny", "--epochs", "3", "--batch_size", "16",
           "--accelerator", "cpu"]  # fmt: skip
# `discom` that does something to itself: rank 1 ends or stops in its step number sys.argv[1]
FAILING = """
import os, signal, sys
from discom import cli, methods, shares
moment, how = int(sys.argv[1]), sys.argv[2]
count, original = 0, methods.DisCoMKD.loss
def loss(self, batch):
    global count
    count += 1
    if count == moment and shares.rank() == 1:
        if how == "NaN":
            return {name: term * float("nan" if name == "cl" else 1) for name, term in original(self, batch).items()}
        if how == "error":
            raise OSError(5, "Input/output error", "photo.tif")
        os.kill(os.getpid(), getattr(signal, how))
    return original(self, batch)
methods.DisCoMKD.loss = loss
sys.exit(cli.main(sys.argv[3:]))
"""


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """The run of one process."""
    runs = tmp_path_factory.mktemp("one")
    done = run(
        "-m", "discom", *COMMAND, "--runs", runs, CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1"
    )
    assert done.returncode == 0, done.stderr
    return next(runs.rglob("result.json")).parent


def same_run(one: Path, other: Path) -> None:
    """In float32 Adam makes a rounding in a gradient near 0 a step of its own size, so weights stay
    near, no more."""
    assert one.name == other.name
    assert apart(one, other) < 0.05
    first, last = rows(one), rows(other)
    terms = ["cl", "adv", "mod", "aux", "orth", "loss"]
    pd.testing.assert_frame_equal(first.loc[:0, terms], last.loc[:0, terms], rtol=1e-4)
    pd.testing.assert_frame_equal(first[terms], last[terms], rtol=0.02)


@pytest.mark.slow
def test_the_command_starts_the_others_and_tells_once(one, tmp_path):
    console = Path(sys.executable).with_name("discom")
    done = run(console, *COMMAND, "--runs", tmp_path, "--devices", 2)
    assert done.returncode == 0, done.stderr
    other = next(tmp_path.rglob("result.json")).parent
    assert done.stdout.splitlines()[0] == str(other)
    assert len(done.stdout.splitlines()) == 3
    same_run(one, other)


@pytest.mark.slow
def test_torchrun_on_two_nodes_says_how_many_there_are(one, tmp_path):
    """Two machines, as far as one can play them: two torchruns of one process each."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torchrun = ["-m", "torch.distributed.run", "--nnodes", 2, "--nproc_per_node", 1, "--master_addr", "127.0.0.1",
                "--master_port", port]  # fmt: skip
    command = ["-m", "discom", *COMMAND, "--runs", tmp_path]
    nodes = [
        subprocess.Popen([sys.executable, *map(str, [*torchrun, "--node_rank", rank, *command])], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for rank in range(2)
    ]  # fmt: skip
    outputs = [node.communicate(timeout=240) for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], outputs
    assert outputs[1][0] == ""
    same_run(one, next(tmp_path.rglob("result.json")).parent)


@pytest.mark.slow
def test_a_process_that_dies_ends_the_others_and_one_alone_goes_on(one, tmp_path):
    (tmp_path / "failing.py").write_text(FAILING)
    command = [*COMMAND, "--runs", tmp_path / "runs"]
    died = run(
        tmp_path / "failing.py", 4, "SIGKILL", *command, "--devices", 2
    )  # in the second epoch of two steps
    assert died.returncode == 2
    lines = errors(died)
    assert len(lines) == 1
    assert (
        "rank 0 of 2: another process has ended; the same command goes on from the last saved epoch"
        in lines[0]
    )
    folder = next(tmp_path.rglob("state.pt")).parent
    assert torch.load(folder / "state.pt", weights_only=True)["epoch"] == 1
    done = run("-m", "discom", *command)  # by another number of devices
    assert done.returncode == 0, done.stderr
    same_run(one, folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "lines"),
    [
        (
            "SIGSTOP",
            [
                "rank 0 of 2: no answer from the other processes within 3 s; the same command goes on"
            ],
        ),
        ("NaN", ["loss term 'cl' is nan in epoch 0, batch 1;"]),
        ("error", ["rank 0 of 2: another process has ended;", "photo.tif: Input/output error"]),
    ],
)
def test_what_fails_in_one_process_ends_all_with_a_line(tmp_path, how, lines):
    (tmp_path / "failing.py").write_text(FAILING)
    command, seconds = (
        [*COMMAND, "--runs", tmp_path, "--devices", 2],
        "3" if how == "SIGSTOP" else "60",
    )
    done = run(tmp_path / "failing.py", 2, how, *command, DISCOM_TIMEOUT=seconds)
    assert done.returncode == 2
    found = errors(done)
    assert len(found) == len(lines), found
    assert all(any(line in one for one in found) for line in lines), found


def test_a_process_that_never_begins_is_told_of(tmp_path):
    (tmp_path / "never.py").write_text(
        "import os, sys\n"
        "if 'DISCOM_PLACE' in os.environ: sys.exit(7)\n"
        "from discom import devices\nfrom discom.config import Config\n"
        "devices.start(Config(devices=2, accelerator='cpu'))\n"
    )
    done = run(tmp_path / "never.py")
    assert (
        "RunError:" in done.stderr
    )  # Lightning 2.4 lays tracebacks out anew, with the message on a line of its own
    assert done.stderr.splitlines()[-1].endswith("rank 1 of 2: ended before it began (exit code 7)")


# --- settings
# ---------------------------------------------------------------------------------------------------------


def test_the_number_of_devices_is_no_part_of_a_runs_identity():
    assert profile("tiny", devices=2).identity() == profile("tiny").identity()


def test_a_notebook_cannot_start_other_processes(monkeypatch):
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    with pytest.raises(
        ConfigError, match=r"devices: 2 processes need a command or a script .+, or devices=1"
    ):
        devices.start(Config(devices=2, accelerator="cpu"))


def test_launchers_say_how_many_processes_there_are(monkeypatch):
    assert devices.started() == 1
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    assert devices.started() == 4
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "a")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert devices.started() == 8
    with pytest.raises(ConfigError, match="devices: 2, but 8 processes were started; leave it out"):
        devices.start(Config(devices=2))


@pytest.mark.parametrize("given", ["0", "-1", "soon", "nan", "inf"])
def test_a_time_out_is_a_number_of_seconds(monkeypatch, given):
    assert devices.time_out().total_seconds() == 600
    monkeypatch.setenv("DISCOM_TIMEOUT", "2.5")
    assert devices.time_out().total_seconds() == 2.5
    monkeypatch.setenv("DISCOM_TIMEOUT", given)
    with pytest.raises(
        ConfigError, match=f"DISCOM_TIMEOUT: '{given}' is no number of seconds above 0"
    ):
        devices.time_out()


@pytest.mark.parametrize("command", [["table", "2"], ["grid"]])
def test_many_runs_refuse_to_share_devices(command, tmp_path, capsys):
    given = [
        "--data",
        "scenes:n=60,size=16",
        "--profile",
        "tiny",
        "--devices",
        "2",
        "--runs",
        str(tmp_path),
    ]
    assert cli.main([*command, *given]) == 2
    assert "--devices: many runs fill them side by side (--workers)" in capsys.readouterr().err


def test_a_batchnorm_of_another_kind_is_refused(monkeypatch):
    class Activated(torch.nn.BatchNorm2d):
        """Does more than normalise."""

    model = torch.nn.Sequential(torch.nn.BatchNorm2d(2), Activated(2))
    assert shares.share_statistics(model) is model
    assert type(model[0]) is torch.nn.BatchNorm2d
    monkeypatch.setattr(shares, "world", lambda: 2)
    with pytest.raises(ConfigError, match="Activated cannot be shared by devices"):
        shares.share_statistics(model)


def test_terms_of_weight_zero_have_no_gradient_and_their_value():
    split = data.load("scenes:n=66,size=16").split(seed=0)
    off = profile("tiny", options={"weights": {"adv": 0.0}})
    model = build(methods.get("discom"), split.train, off)
    batch = next(Batches(split.train, 8, 0).epoch(0))
    terms = model(batch)
    assert [name for name, term in terms.items() if not term.requires_grad] == ["adv"]
    assert terms["adv"] > 0
