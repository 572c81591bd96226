"""Where numbers come from: processor, versions and commit, and the memory in use."""

import json
import platform
import subprocess
from importlib.metadata import version

import pytest
import torch

from discom import hardware as module
from discom.errors import ConfigError
from discom.hardware import device_type, free_memory, machine, multiplies_bf16, peak_memory, rank

CPU = torch.device("cpu")


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
    monkeypatch.setattr(module, "__file__", str(tmp_path / "env/discom/hardware.py"))
    assert machine(CPU)["commit"] is None
    (tmp_path / "env/discom/hardware.py").touch()
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


def test_memory_is_what_the_system_and_its_control_groups_say(monkeypatch, tmp_path):
    """The tightest group on the way to the root counts; elsewhere than on Linux little is known."""
    files = {
        "status": "Name: python\nVmHWM:    2048 kB\n",
        "meminfo": "MemTotal: 900 kB\nMemAvailable:   10000 kB\n",
        "cgroup": "4:memory:/x\n0::/job/step\n",
        "groups/memory.max": "max\n",
        "groups/job/memory.max": "4000000\n",
        "groups/job/step/memory.max": "9223372036854771712\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    entry = module._entry
    monkeypatch.setattr(
        module, "_entry", lambda file, name: entry(tmp_path / file.rpartition("/")[2], name)
    )
    monkeypatch.setattr(module, "GROUPS", tmp_path / "groups")
    assert (peak_memory(CPU), free_memory("cpu")) == (2.0, 4_000_000)
    (tmp_path / "groups/job/memory.max").write_text("max")
    assert free_memory("cpu") == 10_000 << 10
    for name in ("status", "meminfo", "cgroup"):
        (tmp_path / name).unlink()
    assert (peak_memory(CPU), free_memory("cpu")) == (0.0, 4 << 30)


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("cpu", [True, False])
def test_bf16_is_that_of_the_device_that_trains(monkeypatch, gpu, cpu):
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: cpu)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: gpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (multiplies_bf16(), multiplies_bf16("cuda"), multiplies_bf16("cpu")) == (gpu, gpu, cpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert multiplies_bf16() == cpu
