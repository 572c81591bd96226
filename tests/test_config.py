"""Config: the paper's protocol value by value, and every bad value named together with its
field."""

import dataclasses
import math

import pytest

from discom import methods
from discom.config import DENSE_PROFILES, LEAST, PROFILES, Config, profile
from discom.errors import ConfigError

PAPER = {
    **{"seed": 0, "epochs": 300, "batch_size": 128, "learning_rate": 1e-4, "rates": {}},
    **{"width": 64, "schedule": "constant", "weight_decay": 0.0, "encoder": "resnet18"},
    **{"augment": 0.5, "precision": "32-true", "channels_last": True, "network": "small"},
    **{"options": {}, "accelerator": "auto", "devices": 1, "labelled": 1.0},
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
    monkeypatch.setattr("discom.machine.multiplies_bf16", lambda accelerator: instructions)
    assert profile("cpu").precision == profile("cpu", dense=True).precision == "bf16-mixed"
    assert profile("tiny").precision == profile("paper").precision == "32-true"


def test_each_method_has_its_own_learning_rate_unless_one_is_given(monkeypatch):
    rates = {"discom": 5e-3, "teacher": 1e-3}
    monkeypatch.setitem(PROFILES, "cpu", dataclasses.replace(PROFILES["cpu"], rates=rates))
    config = profile("cpu", seed=3)
    assert config.of("discom") == dataclasses.replace(config, learning_rate=5e-3, rates={})
    assert config.of("student") == dataclasses.replace(config, rates={})
    assert config.of("discom").of("student") == config.of("discom")  # resolved once
    assert "rates" not in config.identity()
    given = profile("cpu", learning_rate=2.0)
    assert {given.of(name).learning_rate for name in (*rates, "student")} == {2.0}
    both = profile("cpu", learning_rate=2.0, rates={"student": 1.0})
    assert (both.of("student").learning_rate, both.of("discom").learning_rate) == (1.0, 2.0)


def test_the_profiles_know_the_methods_whose_rates_they_hold():
    for name in PROFILES:
        for dense in (False, True):
            known = methods.names(dense=dense)
            assert set(profile(name, dense=dense).rates) <= set(known)


BAD = [
    *((name, least - 1, f"too small; use {least} or more") for name, least in LEAST.items()),
    ("augment", 1.5, "no probability"),
    *(("labelled", share, "no share of the labels; use 0.2") for share in (0.0, 1.5, math.nan)),
    ("weight_decay", math.nan, "too small"),
    ("learning_rate", 0.0, "not positive"),
    ("learning_rate", math.nan, "not positive"),
    ("rates", {"discom": 0.0}, "not positive"),
    ("schedule", "cosine", "unknown; choose constant or one-cycle"),
    ("precision", "16-mixed", "unknown; choose 32-true or bf16-mixed"),
    ("accelerator", "tpu", "unknown; choose auto or cpu or cuda"),
    ("width", 24, "no multiple of 16, which channels_last needs; set channels_last to false"),
]


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_a_bad_value_is_named_with_its_field(name, value, reason):
    with pytest.raises(ConfigError) as caught:
        Config(**{name: value})
    message = str(caught.value)
    named, wrong = ("rates.discom", 0.0) if name == "rates" else (name, value)
    assert message.startswith(f"{named}: ")
    assert str(wrong) in message
    assert reason in message
    assert "\n" not in message


def test_the_last_good_value_is_taken():
    edge = {"seed": 0, "epochs": 1, "batch_size": 2, "width": 1, "augment": 1, "weight_decay": 0}
    config = Config(**edge, channels_last=False)
    assert {name: getattr(config, name) for name in edge} == edge


def test_profile_names_what_it_does_not_know():
    with pytest.raises(ConfigError, match=r"^profile: 'huge' is unknown; choose tiny, cpu, paper$"):
        profile("huge")
    with pytest.raises(ConfigError, match=r"^config: no setting 'lr'; there are seed, .*rate"):
        profile("tiny", lr=0.1)
