"""Config: the paper's protocol value by value, every bad value named with its field; the device."""

import dataclasses
import math
from functools import partial

import numpy as np
import pytest
import torch
from fixtures.refusal import refused

from discom.config import Config, profile
from discom.errors import ConfigError
from discom.hardware import precision_used

PAPER = {
    **{"seed": 0, "epochs": 300, "batch_size": 128, "learning_rate": 1e-4},
    **{"width": 64, "schedule": "constant", "weight_decay": 0.0, "encoder": "resnet18"},
    **{"augment": 0.5, "precision": "32-true", "channels_last": True, "network": "small"},
    **{"pretrained": "", "encoder_rate": 1.0, "class_weights": "none", "select": "best"},
    **{"optimizer": "adamw"},
    **{"options": {}, "labelled": 1.0, "dense": False},
    **{"labelled_groups": 0, "dice": 0.0},
}


def test_the_defaults_are_the_papers_protocol():
    assert dataclasses.asdict(Config()) == dataclasses.asdict(profile("paper")) == PAPER
    assert profile("paper", dense=True).precision == PAPER["precision"]


BAD = [
    ("seed", (-1, 2**32, 1.5)),
    ("epochs", (0, 2.0, np.int64(2), math.nan, True, "2", None, 10**400)),
    ("epochs", (np.zeros((99, 9)), "a\nb" * 999)),  # of many lines
    ("batch_size", (1, 0)),
    ("learning_rate", (0.0, -1)),
    ("encoder_rate", (-0.1, 1.1)),
    ("weight_decay", (-1, math.nan, math.inf)),
    ("width", (0, 24)),  # 24: no multiple of 16, as channels_last needs
    ("augment", (-0.1, 1.5, "1", True)),
    ("labelled", (0.0, 1.5)),
    ("channels_last", ("no", 1)),
    ("encoder", (18, None)),
    ("options", (["a"],)),
    ("schedule", ("cosine", np.eye(2))),
    ("optimizer", ("adam", None)),
    ("lr", (0.1,)),
    ("dice", (-1, math.nan, 1.0)),  # 1: of pixels, in a profile of images
]


@pytest.mark.parametrize(("name", "values"), BAD)
def test_a_bad_value_is_named_with_its_field(name, values):
    for value in values:
        refused(partial(profile, "paper", **{name: value}), f"^{name}: ", ConfigError)


def test_a_whole_number_is_a_float_where_one_is_wanted():
    assert Config(augment=1).identity() == Config(augment=1.0).identity()
    assert type(Config(augment=1).augment) is float


UNUSED = {
    "width": ({"encoder": "timm:resnet10t"}, 32),
    "encoder": ({"dense": True}, "timm:resnet10t"),
    "network": ({"encoder": "resnet10"}, "unet:resnet18"),
    "encoder_rate": ({"pretrained": ""}, 0.5),
}


@pytest.mark.parametrize("name", UNUSED)
def test_a_setting_without_effect_is_refused_and_makes_no_other_run(name):
    """`width` and a library's encoder made two runs of the same numbers."""
    changes, value = UNUSED[name]
    config = profile("cpu", **changes)
    assert dataclasses.replace(config, **{name: value}).identity() == config.identity()
    refused(partial(profile, "cpu", **changes, **{name: value}), f"^{name}: ", ConfigError)


USED = {  # whether there is a GPU, and bf16 on what trains → setting → precision
    (True, True): {"bf16-mixed": "bf16-mixed", "16-mixed": "16-mixed", "mixed": "bf16-mixed"},
    (True, False): {"bf16-mixed": "32-true", "16-mixed": "16-mixed", "mixed": "16-mixed"},
    (False, True): {"bf16-mixed": "bf16-mixed", "mixed": "bf16-mixed"},
    (False, False): {"bf16-mixed": "32-true", "mixed": "32-true"},
}


@pytest.mark.parametrize(("gpu", "fast"), USED)
def test_device_and_precision_are_those_of_what_trains(monkeypatch, gpu, fast):
    """A card without bf16 emulates it, and a CPU would silently take bf16 for fp16."""
    place = torch.device("cuda", 0) if gpu else torch.device("cpu")
    monkeypatch.setattr("discom.hardware.device", lambda: place)
    monkeypatch.setattr(
        "torch.cpu._is_avx512_bf16_supported", lambda: fast if not gpu else not fast
    )
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: fast)
    for setting, used in {"32-true": "32-true", **USED[gpu, fast]}.items():
        assert precision_used(setting) == used
    if not gpu:
        refused(lambda: precision_used("16-mixed"), "^precision: ", ConfigError)
