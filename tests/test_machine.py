"""Where numbers come from: processor, versions and commit, and the memory that was held."""

import json
import platform
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
import torch

from discom import machine as room
from discom.errors import ConfigError
from discom.machine import device_type, free_memory, machine, multiplies_bf16


def test_machine_says_where_the_numbers_come_from():
    here = machine(torch.device("cpu"))
    assert set(here) == {"processor", "device", "threads", "python", "versions", "commit"}
    assert here["processor"].strip()
    assert here["device"] == "cpu"
    assert here["threads"] == torch.get_num_threads()
    assert here["python"] == platform.python_version()
    assert {"torch", "torchvision", "lightning", "numpy"} <= set(here["versions"])
    assert here["versions"]["torch"] == version("torch")
    assert here["commit"] is None or re.fullmatch("[0-9a-f]{7,40}", here["commit"])
    assert json.loads(json.dumps(here)) == here


def test_machine_does_without_git(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine(torch.device("cpu"))["commit"] is None


def test_the_commit_is_that_of_the_package_not_of_a_repository_around_it(monkeypatch, tmp_path):
    """As where it is installed into an environment inside a project of one's own."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (
        ["init", "--quiet"],
        ["commit", "--quiet", "--allow-empty", "--message", "theirs"],
    ):
        subprocess.run(git + command, check=True)
    (tmp_path / "env/discom").mkdir(parents=True)
    monkeypatch.setattr(room, "__file__", str(tmp_path / "env/discom/machine.py"))
    assert machine(torch.device("cpu"))["commit"] is None
    (tmp_path / "env/discom/machine.py").touch()
    for command in (["add", "."], ["commit", "--quiet", "--message", "ours"]):
        subprocess.run(git + command, check=True)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout
    assert machine(torch.device("cpu"))["commit"] == head[:7]


@pytest.mark.parametrize("there", [False, True])
def test_a_run_takes_the_gpu_unless_told_otherwise(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert device_type("cpu") == "cpu"
    assert device_type() == ("cuda" if there else "cpu")
    if there:
        assert device_type("cuda") == "cuda"
    else:
        with pytest.raises(ConfigError, match="no CUDA device"):
            device_type("cuda")


LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@LINUX
def test_peak_memory_grows_by_the_array_that_is_held():
    """In a process of its own: the peak of this one may be far above what it holds now."""
    code = (
        "import numpy as np, torch; from discom.machine import peak_memory; cpu = torch.device('cpu');"
        "before = peak_memory(cpu); array = np.ones(512 << 20, dtype=np.uint8);"
        "print(peak_memory(cpu) - before)"
    )
    grown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert float(grown) == pytest.approx(
        512, abs=128
    )  # what is freed after the imports may be used again


@LINUX
@pytest.mark.parametrize("kind", ["RLIMIT_DATA", "RLIMIT_AS"])
def test_free_memory_is_what_a_limit_leaves(kind):
    """In a process of its own, because a limit stays: of 6 GiB, half of which is then taken."""
    code = (
        "import resource, numpy as np; from discom.machine import free_memory;"
        f"limit = 6 << 30; resource.setrlimit(resource.{kind}, (limit, limit)); before = free_memory('cpu');"
        "array = np.ones(1 << 30, dtype=np.uint8); print(limit, before, before - free_memory('cpu'))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    limit, before, taken = map(int, told.split())
    assert 0.5 * limit < before < limit
    assert taken == pytest.approx(1 << 30, rel=0.1)


def test_free_memory_knows_the_groups_that_hold_the_process(tmp_path, monkeypatch):
    """Version 1 and 2 as the kernel writes them; the tightest group on the way to the root
    counts."""
    held = {
        "v1/job/memory.limit_in_bytes": "5000000\n",
        "v1/job/memory.stat": "cache 7\nrss 2\ntotal_rss 1000000\n",
        "v1/job/step/memory.limit_in_bytes": "9223372036854771712\n",
        "v2/memory.max": "max\n",
        "v2/job/memory.max": "4000000\n",
        "v2/job/memory.stat": "anon 500000\nfile 12\n",
    }
    for name, text in held.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    own = tmp_path / "own"
    own.write_text("5:cpu,cpuacct:/x\n4:memory:/job/step\n0::/job\n")
    groups = {kind: (str(tmp_path / name), limit, used) for name, (kind, (_, limit, used)) in
              zip(("v1", "v2"), room.GROUPS.items(), strict=True)}  # fmt: skip
    monkeypatch.setattr(room, "GROUPS", groups)
    monkeypatch.setattr(room, "OWN_GROUPS", own)
    assert sorted(room._left_in_groups())[:2] == [3_500_000, 4_000_000]
    assert free_memory("cpu") == 3_500_000


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("cpu", [True, False])
def test_bf16_is_that_of_the_device_that_trains(monkeypatch, gpu, cpu):
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: cpu)
    monkeypatch.setattr(
        "torch.cuda.is_bf16_supported", lambda including_emulation: gpu and not including_emulation
    )
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (multiplies_bf16(), multiplies_bf16("cuda"), multiplies_bf16("cpu")) == (gpu, gpu, cpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert multiplies_bf16() == cpu
