"""One function decides where networks train; Fabric, names and peaks of memory follow it."""

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from fixtures.refusal import refused

from discom import hardware
from discom.data.batches import memory_budget
from discom.errors import ConfigError
from discom.notebook import finish, stamp


@pytest.fixture
def accelerator(monkeypatch):
    """A function that lets torch find an accelerator of this type, the second of its kind."""

    def accelerator(kind):
        found = torch.device(kind) if kind else None
        own = {"current_accelerator": lambda check_available=False: found}
        own["current_device_index"] = lambda: 1
        for name, answer in own.items():
            monkeypatch.setattr(f"torch.accelerator.{name}", answer)

    monkeypatch.delenv(hardware.HIDE, raising=False)
    return accelerator


@pytest.mark.parametrize(
    ("kind", "place"),
    [("cuda", "cuda:1"), ("mps", "mps:1"), ("xpu", "cpu"), ("", "cpu")],
)
def test_the_device_is_torchs_accelerator_if_fabric_has_it(accelerator, kind, place):
    accelerator(kind)
    assert hardware.device() == torch.device(place)


def test_a_variable_hides_the_accelerator(accelerator, monkeypatch):
    accelerator("cuda")
    for value, place in {"cpu": "cpu", "": "cuda:1"}.items():
        monkeypatch.setenv(hardware.HIDE, value)
        assert hardware.device() == torch.device(place)
    monkeypatch.setenv(hardware.HIDE, "cuda:0")
    refused(hardware.device, f"^{hardware.HIDE}: 'cuda:0' .* choose cpu", ConfigError)


def test_fabric_takes_the_device():
    assert hardware.launch("32-true").device == torch.device("cpu")


def test_a_machine_is_described_before_a_long_training(accelerator, monkeypatch, tmp_path):
    accelerator("cuda")
    monkeypatch.setattr("torch.cuda.get_device_name", lambda place: "Tesla T4")
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda place: (3 * 2**30, 15 * 2**30))
    monkeypatch.setattr(hardware, "_has_bf16", lambda: False)
    usage = SimpleNamespace(free=7 * 2**30)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage if folder.exists() else None)
    monkeypatch.chdir(tmp_path)
    about = hardware.describe("mixed", tmp_path / "not/there/yet")
    assert about["device"] == "Tesla T4"
    assert about["memory"] == "3.0 of 15.0 GiB free"
    assert about["precision"].startswith("16-mixed, ")
    assert about["disk"] == "7 GiB free"
    assert hardware.describe("32-true")["precision"].startswith("32-true, ")
    assert hardware.describe("bf16-mixed")["precision"].startswith("32-true: ")


def test_without_a_gpu_it_says_how_to_get_one(accelerator, monkeypatch):
    """In five places, five ways out."""
    seen = set()
    accelerator("")
    for variable, value in (("A", "1"), (hardware.HIDE, "cpu"), ("CUDA_VISIBLE_DEVICES", "")):
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            seen.add(hardware.describe("32-true")["device"])
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    seen.add(hardware.describe("32-true")["device"])
    accelerator("xpu")
    seen.add(hardware.describe("32-true")["device"])
    assert len(seen) == 5
    assert all(text.startswith("CPU, ") for text in seen)


MEMORY = {
    "cuda": "torch.cuda.max_memory_allocated",  # asked for a device
    "mps": "torch.mps.driver_allocated_memory",  # there is one
}


@pytest.mark.parametrize("kind", MEMORY)
def test_names_and_peaks_are_those_of_the_device(accelerator, monkeypatch, kind):
    asked = []
    monkeypatch.setattr(MEMORY[kind], lambda *place: asked.append(place) or 7 * 2**20)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda place: f"card {place.index}")
    accelerator(kind)
    assert hardware.peak_memory() == 7
    assert asked == [(torch.device("cuda:1"),) if kind == "cuda" else ()]
    assert hardware.machine()["device"] == {"cuda": "card 1", "mps": "mps"}[kind]
    assert hardware.peak_memory(torch.device("cpu")) > 7  # of this process


def test_images_share_the_memory_of_the_machine_with_apples_gpu(monkeypatch):
    """They are one memory; a quarter of what is free may be theirs."""
    free = [100.0]
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": free[0]}))
    assert memory_budget(torch.device("mps:0")) == memory_budget("cpu") == 25


def said(capsys, *given, **options):
    """The line of the device by `stamp`, and the last by `finish`."""
    stamp(*given, **options)
    finish()
    lines = capsys.readouterr().out.splitlines()
    return lines[1], lines[-1]


def test_a_notebook_says_which_device_is_chosen_and_which_was_used(monkeypatch, capsys):
    """Both the card's, where anything was on it; else it was the processor that worked."""
    used = [512 * 2**20]
    monkeypatch.setattr("torch.cuda.max_memory_allocated", lambda place: used[0])
    monkeypatch.setattr("torch.cuda.get_device_name", lambda place: "Tesla T4")
    card, processor = torch.device("cuda:0"), torch.device("cpu")
    first, last = said(capsys, 3, device=card)
    assert first.startswith("Tesla T4 · seed 3 · ")
    assert last.endswith(" s · peak memory 512 MB of Tesla T4")
    for place, held in ((card, 0), (processor, 512 * 2**20)):
        used[0] = held
        first, last = said(capsys, 3, device=place)
        assert ("Tesla T4" in first) == (place is card)
        core = " of one core" if place is processor else ""
        memory = f"{hardware.peak_memory(processor):.0f} MB"
        assert last.endswith(f" s{core} · peak memory {memory}")
    assert "thread" in first
    assert said(capsys, 3)[0] == first  # without a device: what no network trains in


def test_an_installed_copy_names_the_commit_of_the_clone_whose_notebooks_run(tmp_path, monkeypatch):
    """As on Colab, where the first cell clones and installs; elsewhere there is no commit."""
    monkeypatch.setattr(hardware, "__file__", str(tmp_path / "site-packages/discom/hardware.py"))
    for folder in ("clone/discom", "clone/notebooks", "site-packages/discom", "away"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "clone/discom/hardware.py").touch()
    git = ["git", "-C", str(tmp_path / "clone"), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    monkeypatch.chdir(tmp_path / "clone/notebooks")
    assert hardware.machine()["commit"] == head.stdout[:7]
    monkeypatch.chdir(tmp_path / "away")
    assert hardware.machine()["commit"] is None
