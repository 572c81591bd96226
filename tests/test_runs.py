"""A run on disk: its identity covers what changes the numbers and nothing else; results that cannot be read."""

import dataclasses
import json
import platform
import re
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from discom import data, methods, profile
from discom.config import Config
from discom.data import Modality
from discom.errors import DiscomError, RunError
from discom.machine import machine, peak_memory
from discom.runs import Result, Run, claim

# every field at a value that is not the one of BASE
BASE = profile("tiny", width=16)
OTHER = {
    "seed": 1,
    "epochs": 3,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "width": 32,
    "stem": "imagenet",
    "pairing": "paired",
    "augment": 0.25,
    "precision": "bf16-mixed",
    "channels_last": True,
    "options": {"grl_lambda": 0.5},
    "accelerator": "cpu",
}


@pytest.fixture(scope="module")
def held():
    return data.load("scenes:n=66,size=16")


def run(held, config=BASE, method="discom", runs="runs"):
    return Run.of(runs, methods.get(method), held, config)


def options(**given):
    return replace(BASE, options=given)


# ---------------------------------------------------------------- identity


def test_the_hash_is_ten_digits_and_the_same_again(held):
    again = data.load("scenes:n=66,size=16")
    assert re.fullmatch("[0-9a-f]{10}", run(held).hash)
    assert run(again).hash == run(held).hash


def test_another_value_is_given_for_every_field():
    assert set(OTHER) == {f.name for f in dataclasses.fields(Config)}
    assert all(getattr(BASE, name) != value for name, value in OTHER.items())


@pytest.mark.parametrize("name", [name for name in OTHER if name != "accelerator"])
def test_every_setting_changes_the_hash(held, name):
    assert run(held, replace(BASE, **{name: OTHER[name]})).hash != run(held).hash


def test_every_method_has_its_own_hash(held):
    hashes = {run(held, method=name).hash for name in methods.names()}
    assert len(hashes) == len(methods.names()) > 1


@pytest.mark.parametrize(
    "given",
    [
        {"grl_lambda": 0.5},
        {"reduction": "released"},
        {"modality_targets": "released"},
        {"weights": {"adv": 0.0}},
        {"weights": {"orth": 0.0}},
    ],
)
def test_every_option_changes_the_hash(held, given):
    assert run(held, options(**given)).hash != run(held).hash


def test_the_hash_does_not_know_where_or_on_what_the_run_is(held):
    first = run(held)
    assert run(held, runs="elsewhere").hash == first.hash
    assert run(held, replace(BASE, accelerator="cpu")).hash == first.hash
    assert run(held, replace(BASE, accelerator="cuda")).hash == first.hash


@pytest.mark.parametrize(
    "given",
    [
        {"grl_lambda": 1.0},
        {"reduction": "paper"},
        {"modality_targets": "paper"},
        {"weights": {}},
        {"grl_lambda": 1.0, "reduction": "paper"},
    ],
)
def test_a_default_written_out_is_no_other_run(held, given):
    assert run(held, options(**given)).hash == run(held).hash


def test_the_order_of_options_is_no_other_run(held):
    there, back = {"grl_lambda": 0.5, "reduction": "released"}, {"reduction": "released", "grl_lambda": 0.5}
    assert run(held, options(**there)).hash == run(held, options(**back)).hash


def test_a_whole_number_is_the_same_number(held):
    assert run(held, options(grl_lambda=1)).hash == run(held, options(grl_lambda=1.0)).hash


def test_a_whole_number_in_a_setting_is_the_same_number(held):
    assert run(held, replace(BASE, augment=1)).hash == run(held, replace(BASE, augment=1.0)).hash


def test_a_default_weight_written_out_is_no_other_run(held):
    assert run(held, options(weights={"adv": 1.0})).hash == run(held).hash


def _change(held, name, **changes):
    modality = held.modalities[name]
    return replace(held, modalities={**held.modalities, name: replace(modality, **changes)})


def _pixel(held):
    x = held.modalities["depth"].x.copy()
    x[-1, 0, -1, -1] += 1 / 65535  # the last digit that the sensor has
    return _change(held, "depth", x=x)


def _label(held):
    y = (held.labels + np.eye(len(held), dtype=int)[0]) % len(held.classes)
    return replace(held, modalities={name: replace(m, y=y) for name, m in held.modalities.items()})


def _ids(held):
    return _change(held, "depth", ids=np.array([f"other-{i}" for i in held.ids]))


CHANGES = {
    "a pixel": _pixel,
    "a label": _label,
    "the pairs": lambda held: replace(
        held,
        factors={},
        masks=None,
        modalities={
            "rgb": held.modalities["rgb"],
            "depth": Modality(
                held.modalities["depth"].x, held.modalities["depth"].y, np.array([f"o{i}" for i in range(len(held))])
            ),
        },
    ),
    "a sample less": lambda held: held.take(np.arange(len(held) - 1)),
    "the name of a class": lambda held: replace(held, classes=("other", *held.classes[1:])),
    "the order of the modalities": lambda held: held.select(["depth", "rgb"]),
    "one modality": lambda held: held.select(["rgb"]),
    "groups": lambda held: replace(held, groups=np.arange(len(held)) // 2),
    "a split of its own": lambda held: replace(
        held, parts={"train": np.arange(30), "valid": np.arange(30, 36), "test": np.arange(36, 66)}
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_other_data_is_another_run(held, what):
    assert run(CHANGES[what](held), method="student").hash != run(held, method="student").hash


def test_what_no_network_sees_is_no_other_run(held):
    bare = replace(held, factors={}, masks=None)
    assert run(bare).hash == run(held).hash


def test_the_folder_is_runs_data_method_seed_hash(held, tmp_path):
    found = run(held, replace(BASE, seed=7), runs=tmp_path)
    assert found.folder == tmp_path / "scenes" / "discom" / f"7-{found.hash}"
    assert not found.folder.exists()
    assert run(held.select(["depth", "rgb"]), runs=tmp_path).folder.parts[-3] == "scenes-depth-rgb"


def test_the_options_of_a_run_are_written_in_full(held):
    assert run(held, options(reduction="released")).config.options == {
        "grl_lambda": 1.0,
        "reduction": "released",
        "modality_targets": "paper",
        "weights": dict.fromkeys(("cl", "adv", "mod", "aux", "orth"), 1.0),
    }


def test_an_option_that_the_method_lacks_has_no_run(held):
    with pytest.raises(DiscomError, match="student has no 'grl_lambda'"):
        run(held, options(grl_lambda=0.5), method="student")


# ---------------------------------------------------------------- results

RESULT = Result(
    method="student",
    data="scenes",
    seed=0,
    hash="0123456789",
    scores={"rgb": {"f1": 80.0, "accuracy": 81.0}, "depth": {"f1": 60.0, "accuracy": 61.0}},
    parameters={"rgb": 7, "depth": 7},
    seconds=1.5,
    pairs_per_second=2.5,
    peak_memory_mb=3.5,
    config={"seed": 0, "options": {}},
    machine={"device": "cpu"},
    counts={"train": 4, "valid": 1, "test": 4},
)


def test_a_result_comes_back_as_it_was_written(tmp_path):
    file = tmp_path / "result.json"
    file.write_text(json.dumps(dataclasses.asdict(RESULT)))
    assert Result.read(file) == RESULT
    assert Result.read(str(file)).f1 == {"rgb": 80.0, "depth": 60.0}


def test_a_missing_result_says_to_train_first(tmp_path):
    with pytest.raises(RunError, match=r"nowhere/result\.json: no such result; train the run first"):
        Result.read(tmp_path / "nowhere/result.json")


FIELDS = dataclasses.asdict(RESULT)
BROKEN = {
    "empty": "",
    "truncated": json.dumps(FIELDS)[:-20],
    "a key less": json.dumps({key: value for key, value in FIELDS.items() if key != "seed"}),
    "a key more": json.dumps({**FIELDS, "colour": "red"}),
    "another key": json.dumps({"colour" if key == "seed" else key: value for key, value in FIELDS.items()}),
    "a list": json.dumps([FIELDS]),
    "a number": "3",
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_result_is_named_with_the_way_out(tmp_path, what):
    file, content = tmp_path / "result.json", BROKEN[what]
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunError) as caught:
        Result.read(file)
    assert str(caught.value).startswith(f"{file}: not a result of ours (")
    assert "delete it" in str(caught.value)


# ---------------------------------------------------------------- claim


def test_claim_makes_the_folder_and_says_what_was_asked_for(tmp_path):
    identity = {"method": "student", "epochs": 2, "options": {"weights": {}}}
    folder = claim(tmp_path / "deep/down/0-abc", identity)
    assert folder == tmp_path / "deep/down/0-abc"
    assert json.loads((folder / "config.json").read_text()) == identity


def test_claim_takes_what_it_has_made(tmp_path):
    identity = {"method": "student", "fractions": (0.5, 0.5)}  # a tuple comes back as a list
    first = claim(tmp_path / "run", identity)
    before = (first / "config.json").stat().st_mtime_ns
    assert claim(tmp_path / "run", identity) == first
    assert (first / "config.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"epochs": 3}, "epochs=2, not 3"),
        ({"method": "discom"}, "method='student', not 'discom'"),
        ({"options": {"grl_lambda": 1}}, r"options=\{\}, not \{'grl_lambda': 1\}"),
        ({"colour": "red"}, "colour=None, not 'red'"),
    ],
)
def test_claim_refuses_another_identity_and_names_the_field(tmp_path, change, named):
    identity = {"method": "student", "epochs": 2, "options": {}}
    claim(tmp_path / "run", identity)
    before = (tmp_path / "run/config.json").read_bytes()
    with pytest.raises(RunError, match=f"run: holds a run with {named}; use another folder"):
        claim(tmp_path / "run", {**identity, **change})
    assert (tmp_path / "run/config.json").read_bytes() == before


@pytest.mark.parametrize("text", ["", '{"method": "stu'])
def test_claim_names_a_config_that_was_cut_short(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(DiscomError, match=r"config\.json: not valid JSON"):
        claim(tmp_path, {"method": "student"})


def test_claim_names_a_config_that_is_no_dictionary(tmp_path):
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(DiscomError, match=r"config\.json"):
        claim(tmp_path, {"method": "student"})


# ---------------------------------------------------------------- machine and memory


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
