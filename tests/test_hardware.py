"""Where numbers come from: processor, versions and commit, and the memory in use."""

import json
import subprocess

import pytest
import torch

from discom import hardware
from discom.errors import ConfigError
from discom.hardware import device_type, machine, multiplies_bf16

CPU = torch.device("cpu")


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
    monkeypatch.setenv("PATH", str(tmp_path))  # without git
    here = machine(CPU)
    assert here["commit"] is None
    assert json.loads(json.dumps(here)) == here


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("cpu", [True, False])
def test_device_and_bf16_are_those_of_what_trains(monkeypatch, gpu, cpu):
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: cpu)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: gpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (multiplies_bf16(), multiplies_bf16("cuda"), multiplies_bf16("cpu")) == (gpu, gpu, cpu)
    assert (device_type(), device_type("cpu")) == ("cuda", "cpu")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert multiplies_bf16() == cpu
    assert device_type() == "cpu"
    with pytest.raises(ConfigError, match="no CUDA device"):
        device_type("cuda")
