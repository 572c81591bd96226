"""Where numbers come from: processor, versions and commit, and the memory in use."""

import json
import platform
import runpy
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest
import torch

from discom import machine as module
from discom.errors import ConfigError
from discom.machine import device_type, free_memory, machine, multiplies_bf16, peak_memory, rank

CPU = torch.device("cpu")
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def test_machine_says_where_the_numbers_come_from(monkeypatch, tmp_path):
    here = machine(CPU)
    assert here["processor"].strip()
    assert here["device"] == "cpu"
    assert here["threads"] == torch.get_num_threads()
    assert here["python"] == platform.python_version()
    assert here["versions"]["torch"] == version("torch")
    assert json.loads(json.dumps(here)) == here
    monkeypatch.setenv("PATH", str(tmp_path))  # without git
    assert machine(CPU)["commit"] is None
    assert rank() == 0


def test_the_commit_is_that_of_the_package_not_of_a_repository_around_it(monkeypatch, tmp_path):
    """As where it is installed into an environment inside a project of one's own."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in ("init --quiet", "commit --quiet --allow-empty --message theirs"):
        subprocess.run(git + command.split(), check=True)
    (tmp_path / "env/discom").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "env/discom/machine.py"))
    assert machine(CPU)["commit"] is None
    (tmp_path / "env/discom/machine.py").touch()
    for command in ("add .", "commit --quiet --message ours"):
        subprocess.run(git + command.split(), check=True)
    head = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True)
    assert machine(CPU)["commit"] == head[:7]


@pytest.mark.parametrize("available", [False, True])
def test_a_run_takes_the_gpu_unless_told_otherwise(monkeypatch, available):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert device_type("cpu") == "cpu"
    assert device_type() == ("cuda" if available else "cpu")
    if not available:
        with pytest.raises(ConfigError, match="no CUDA device"):
            device_type("cuda")


@LINUX
def test_peak_memory_is_what_the_system_counts():
    import resource

    array = np.ones(64 << 20, dtype=np.uint8)
    now = module._number("/proc/self/status", "VmRSS:") / 2**10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    assert array.nbytes / 2**20 < now <= peak_memory(CPU) < 1.1 * most


def test_windows_has_no_module_resource(monkeypatch):
    """The package must be importable there, and memory is then not known."""
    monkeypatch.setitem(sys.modules, "resource", None)
    names = runpy.run_path(module.__file__)
    monkeypatch.setitem(names["peak_memory"].__globals__, "_number", lambda *given: 0)
    assert names["peak_memory"](CPU) == 0.0
    monkeypatch.delattr(module.os, "sysconf")
    assert names["free_memory"]("cpu") == 4 << 30


@LINUX
def test_free_memory_is_what_a_limit_leaves(monkeypatch):
    import resource

    used = module._number("/proc/self/status", "RssAnon:") << 10
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS):
        limits = {kind: (used + (100 << 20), -1)}
        monkeypatch.setattr(
            resource, "getrlimit", lambda kind, given=limits: given.get(kind, (-1,))
        )
        assert free_memory("cpu") == pytest.approx(100 << 20, abs=20 << 20)


def test_free_memory_knows_the_groups_of_the_process(tmp_path, monkeypatch):
    """Version 1 and 2 as the kernel writes them; the tightest group on the way to the root
    counts."""
    files = {
        "v1/job/memory.limit_in_bytes": "5000000\n",
        "v1/job/memory.stat": "cache 7\nrss 2\ntotal_rss 1000000\n",
        "v1/job/step/memory.limit_in_bytes": "9223372036854771712\n",
        "v2/memory.max": "max\n",
        "v2/job/memory.max": "4000000\n",
        "v2/job/memory.stat": "anon 500000\nfile 12\n",
        "own": "5:cpu,cpuacct:/x\n4:memory:/job/step\n0::/job\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    roots = zip(("v1", "v2"), module.GROUPS.items(), strict=True)
    groups = {kind: (str(tmp_path / root), *names[1:]) for root, (kind, names) in roots}
    monkeypatch.setattr(module, "GROUPS", groups)
    monkeypatch.setattr(module, "OWN_GROUPS", tmp_path / "own")
    assert free_memory("cpu") == 3_500_000


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("cpu", [True, False])
def test_bf16_is_that_of_the_device_that_trains(monkeypatch, gpu, cpu):
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: cpu)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: gpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (multiplies_bf16(), multiplies_bf16("cuda"), multiplies_bf16("cpu")) == (gpu, gpu, cpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert multiplies_bf16() == cpu
