"""Config: the paper's protocol value by value, and every bad value named together with its
field."""

import dataclasses
import math
from functools import partial

import numpy as np
import pandas as pd
import pytest
from fixtures.refusal import refused
from sklearn.utils import check_random_state

from discom import data, fit
from discom.config import DENSE_PROFILES, PROFILES, RANGES, Config, profile
from discom.errors import ConfigError

PAPER = {
    **{"seed": 0, "epochs": 300, "batch_size": 128, "learning_rate": 1e-4},
    **{"width": 64, "schedule": "constant", "weight_decay": 0.0, "encoder": "resnet18"},
    **{"augment": 0.5, "precision": "32-true", "channels_last": True, "network": "small"},
    **{"pretrained": "", "encoder_rate": 1.0, "class_weights": "none", "select": "best"},
    **{"options": {}, "accelerator": "auto", "labelled": 1.0, "dense": False},
}


def test_the_defaults_are_the_papers_protocol():
    assert dataclasses.asdict(Config()) == dataclasses.asdict(profile("paper")) == PAPER


def test_profiles_are_those_of_classification_and_of_dense_prediction(monkeypatch):
    monkeypatch.setattr("discom.hardware.multiplies_bf16", lambda accelerator: False)
    assert profile("cpu").precision == "bf16-mixed"  # on every machine
    for name in ("tiny", "cpu", "finetune", "paper"):
        assert profile(name) == PROFILES[name] != profile(name, dense=True) == DENSE_PROFILES[name]
    changed = profile("tiny", seed=5, augment=0.25)
    assert changed == dataclasses.replace(PROFILES["tiny"], seed=5, augment=0.25)


BAD = [
    *((name, least - 1, "out of range; use ") for name, (least, _) in RANGES.items()),
    ("seed", 2**70, "out of range; use 0 to 4294967295"),
    ("augment", 1.5, "out of range; use 0 to 1"),
    *(("labelled", share, "out of range; use 1e-06 to 1") for share in (0.0, 1.5)),
    ("learning_rate", 0.0, "out of range; use 1e-12 or more"),
    *(("weight_decay", value, "is not finite; give number") for value in (math.nan, math.inf)),
    *(("epochs", value, "; give integer") for value in (2.5, math.nan, True, "2", None, 10**400)),
    *(("augment", value, "; give number") for value in ("1", True)),
    ("channels_last", "no", "'no' is of type str; give true or false"),
    ("encoder", 18, "is of type int; give string"),
    ("options", ["a"], 'is of type list; give {"sensor": '),
    ("schedule", "cosine", "unknown; choose constant, one-cycle"),
    ("schedule", np.eye(2), "unknown; choose constant, one-cycle"),
    ("width", 24, "not a multiple of 16, as channels_last needs; set channels_last=false"),
]


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_a_bad_value_is_named_with_its_field(name, value, reason):
    call = partial(Config, **{"batch_size": 32, name: value})
    assert reason in refused(call, f"^{name}: ", ConfigError)


@pytest.mark.parametrize("value", [np.zeros((99, 9)), pd.DataFrame(np.eye(9)), "a\nb" * 999])
def test_a_value_of_many_lines_is_shown_in_one_short_one(value):
    message = refused(lambda: Config(epochs=value), "^epochs: .*; give integer$", ConfigError)
    assert len(message) < 350
    assert f"is of type {type(value).__name__}; " in message


def test_the_last_good_value_is_taken(tmp_path):
    for at in (0, 1):
        edge = {name: bounds[at] for name, bounds in RANGES.items() if bounds[at] < math.inf}
        config = Config(**edge, channels_last=False)
        assert {name: getattr(config, name) for name in edge} == edge
    last = profile("tiny", epochs=1, seed=config.seed)  # for all who draw from it
    split = data.load("scenes:n=66,size=8", seed=last.seed).split(seed=last.seed)
    assert fit("student", split, last, tmp_path, progress=False).seed == 2**32 - 1
    check_random_state(last.seed)


def test_whole_numbers_are_one_setting_however_they_are_written():
    written = profile("tiny", epochs=2.0, seed=np.int64(1), batch_size=32.0)
    assert {type(getattr(written, name)) for name in ("seed", "epochs", "batch_size")} == {int}
    assert written.identity() == profile("tiny", epochs=2, seed=1, batch_size=32).identity()


def test_profile_names_what_it_does_not_know():
    refused(lambda: profile("huge"), "^profile: 'huge' is unknown; choose tiny, cpu", ConfigError)
    refused(lambda: profile("tiny", lr=0.1), "^config: no setting 'lr'; there", ConfigError)
