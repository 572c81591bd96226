"""Where numbers come from: processor, versions and commit, and the memory that was held."""

import json
import platform
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
import torch

from discom.machine import machine


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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory held now from /proc")
def test_peak_memory_grows_by_the_array_that_is_held():
    """In a process of its own: the peak of this one may be far above what it holds now."""
    code = (
        "import numpy as np, torch; from discom.machine import peak_memory; cpu = torch.device('cpu');"
        "before = peak_memory(cpu); array = np.ones(512 << 20, dtype=np.uint8);"
        "print(peak_memory(cpu) - before)"
    )
    grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(grown) == pytest.approx(512, abs=128)  # what is freed after the imports may be used again
