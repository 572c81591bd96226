"""Config: the paper's protocol value by value, and every bad value named together with its
field."""

import dataclasses
import math

import numpy as np
import pytest

from discom.config import DENSE_PROFILES, LEAST, PROFILES, Config, profile
from discom.errors import ConfigError

WHOLE = ("seed", "epochs", "batch_size", "width", "devices")
PAPER = {
    **{"seed": 0, "epochs": 300, "batch_size": 128, "learning_rate": 1e-4},
    **{"width": 64, "schedule": "constant", "weight_decay": 0.0, "encoder": "resnet18"},
    **{"augment": 0.5, "precision": "32-true", "channels_last": True, "network": "small"},
    **{"options": {}, "accelerator": "auto", "devices": 1, "labelled": 1.0, "dense": False},
}


def test_the_defaults_are_the_papers_protocol():
    assert dataclasses.asdict(Config()) == dataclasses.asdict(profile("paper")) == PAPER


def test_profiles_are_those_of_classification_and_of_dense_prediction():
    assert list(PROFILES) == list(DENSE_PROFILES) == ["tiny", "cpu", "paper"]
    for name in PROFILES:
        assert profile(name) == PROFILES[name] != profile(name, dense=True) == DENSE_PROFILES[name]
    changed = profile("tiny", seed=5, augment=0.25)
    assert changed == dataclasses.replace(PROFILES["tiny"], seed=5, augment=0.25)


@pytest.mark.parametrize("instructions", [False, True])
def test_a_profile_is_the_same_on_every_machine(monkeypatch, instructions):
    monkeypatch.setattr("discom.hardware.multiplies_bf16", lambda accelerator: instructions)
    assert profile("cpu").precision == profile("cpu", dense=True).precision == "bf16-mixed"
    assert profile("tiny").precision == profile("paper").precision == "32-true"


BAD = [
    *((name, least - 1, f"out of range; use {least} or more") for name, least in LEAST.items()),
    ("augment", 1.5, "is above 1; use"),
    *(("labelled", share, "is not in (0, 1]; use e.g. 0.2") for share in (0.0, 1.5)),
    *(
        (name, value, "; give number")
        for name in ("labelled", "weight_decay")
        for value in (math.nan, math.inf)
    ),
    *(
        (name, value, "; give integer")
        for name in WHOLE
        for value in (2.5, math.nan, True, "2", None)
    ),
    *((name, value, "; give number") for name in ("augment", "labelled") for value in ("1", True)),
    ("channels_last", "no", "'no' is of type str; give true or false"),
    ("encoder", 18, "is of type int; give string"),
    ("options", ["a"], 'is of type list; give {"sensor": '),
    ("devices", 64, "for a batch of 32 samples; use fewer"),
    ("learning_rate", 0.0, "out of range"),
    ("schedule", "cosine", "unknown; choose constant, one-cycle"),
    ("precision", "16-mixed", "unknown; choose 32-true, bf16-mixed"),
    ("accelerator", "tpu", "unknown; choose auto, cpu, cuda"),
    ("width", 24, "not a multiple of 16, as channels_last needs; set channels_last=false"),
]


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_a_bad_value_is_named_with_its_field(name, value, reason):
    with pytest.raises(ConfigError) as caught:
        Config(**{"batch_size": 32, name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert str(value) in message
    assert reason in message
    assert "\n" not in message


def test_the_last_good_value_is_taken():
    edge = {"seed": 0, "epochs": 1, "batch_size": 2, "width": 1, "augment": 1, "weight_decay": 0}
    config = Config(**edge, channels_last=False)
    assert {name: getattr(config, name) for name in edge} == edge


def test_whole_numbers_are_one_setting_however_they_are_written():
    written = profile("tiny", epochs=2.0, seed=np.int64(1), batch_size=32.0)
    assert {type(getattr(written, name)) for name in WHOLE} == {int}
    assert written.identity() == profile("tiny", epochs=2, seed=1, batch_size=32).identity()


def test_profile_names_what_it_does_not_know():
    with pytest.raises(ConfigError, match=r"^profile: 'huge' is unknown; choose tiny, cpu, paper$"):
        profile("huge")
    with pytest.raises(ConfigError, match=r"^config: no setting 'lr'; there are seed, .*rate"):
        profile("tiny", lr=0.1)
