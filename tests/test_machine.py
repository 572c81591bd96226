"""Where numbers come from: processor, versions and commit, and the memory that was held."""

import json
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from discom.machine import machine, peak_memory


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
    """The peak only grows when more is held than ever before: the array fills that gap and 128 MB more."""
    before, more = peak_memory(torch.device("cpu")), 128
    now = int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
    array = np.ones(int((max(before - now, 0) + more) * 2**20), dtype=np.uint8)
    grown = peak_memory(torch.device("cpu")) - before
    assert array.all()
    assert grown == pytest.approx(more, abs=24)
