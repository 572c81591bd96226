"""Where numbers come from: processor, versions and commit, and the memory in use."""

import json
import subprocess
from importlib.metadata import version
from types import SimpleNamespace

import pytest
import torch

from discom import hardware
from discom.errors import ConfigError
from discom.hardware import device_type, free_memory, machine, multiplies_bf16, peak_memory

CPU = torch.device("cpu")


def test_machine_says_where_the_numbers_come_from(monkeypatch, tmp_path):
    here = machine(CPU)
    assert here["processor"].strip()
    assert (here["device"], here["threads"]) == ("cpu", torch.get_num_threads())
    assert here["versions"]["torch"] == version("torch")
    assert json.loads(json.dumps(here)) == here
    monkeypatch.setenv("PATH", str(tmp_path))  # without git
    assert machine(CPU)["commit"] is None


def test_the_commit_is_that_of_the_package_not_of_a_repository_around_it(monkeypatch, tmp_path):
    """As where it is installed into an environment inside a project of one's own."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in ("init --quiet", "commit --quiet --allow-empty --message theirs"):
        subprocess.run(git + command.split(), check=True)
    (tmp_path / "env/discom").mkdir(parents=True)
    monkeypatch.setattr(hardware, "__file__", str(tmp_path / "env/discom/hardware.py"))
    assert machine(CPU)["commit"] is None
    (tmp_path / "env/discom/hardware.py").touch()
    for command in ("add .", "commit --quiet --message ours"):
        subprocess.run(git + command.split(), check=True)
    head = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True)
    assert machine(CPU)["commit"] == head[:7]
    (tmp_path / "notes").touch()  # what is not committed and not of the package
    (tmp_path / "env/discom/hardware.py").write_text("edited")
    assert machine(CPU)["commit"] == f"{head[:7]}-dirty"


@pytest.mark.parametrize("available", [False, True])
def test_a_run_takes_the_gpu_unless_told_otherwise(monkeypatch, available):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert device_type("cpu") == "cpu"
    assert device_type() == ("cuda" if available else "cpu")
    if not available:
        with pytest.raises(ConfigError, match="no CUDA device"):
            device_type("cuda")


@pytest.fixture
def system(monkeypatch, tmp_path):
    """A function that writes files of a system whose memory has 10 000 bytes available."""
    monkeypatch.setattr(hardware, "PROC", tmp_path / "self")
    monkeypatch.setattr(hardware, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=10_000))

    def write(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    return write


def test_memory_is_what_the_system_says(system):
    assert (peak_memory(CPU), free_memory("cpu")) == (0.0, 10_000)
    system({"self/status": "Name: python\nVmHWM:    2048 kB\n"})
    assert peak_memory(CPU) == 2.0


def test_a_container_leaves_its_limit_without_what_is_used(system):
    """The tightest group on the way to the root counts; files that can be dropped are no use."""

    def group(place, most, taken):
        stat = "anon 5\nfile 999\nactive_file 999\ninactive_file 1500\n"
        files = {"max": f"{most}\n", "current": f"{taken}\n", "stat": stat}
        system({f"groups/{place}/memory.{name}": text for name, text in files.items()})

    system({"self/cgroup": "5:cpu:/x\n0::/job/step/gone\n"})
    for place, most in (("", 9223372036854771712), ("job", 8000), ("job/step", "max")):
        group(place, most, 5000)
    assert free_memory("cpu") == 8000 - 5000 + 1500
    group("job/step", 4000, 9000)
    assert free_memory("cpu") == 0
    for place in ("job", "job/step"):
        group(place, "max", 9000)
    assert free_memory("cpu") == 10_000


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("cpu", [True, False])
def test_bf16_is_that_of_the_device_that_trains(monkeypatch, gpu, cpu):
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: cpu)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: gpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (multiplies_bf16(), multiplies_bf16("cuda"), multiplies_bf16("cpu")) == (gpu, gpu, cpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert multiplies_bf16() == cpu
