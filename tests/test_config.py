"""Config: frozen, the paper's protocol value by value, and every bad value named together with its
field."""

import dataclasses
import math

import pytest

from discom.config import DENSE_PROFILES, PROFILES, Config, profile
from discom.errors import ConfigError

PAPER = {
    "seed": 0,
    "epochs": 300,
    "batch_size": 128,
    "learning_rate": 1e-4,
    "schedule": "constant",
    "weight_decay": 0.0,
    "width": 64,
    "stem": "imagenet",
    "augment": 0.5,
    "precision": "32-true",
    "channels_last": True,  # the order of numbers in memory, not a setting of the paper
    "network": "small",
    "options": {},
    "accelerator": "auto",
    "devices": 1,
}


def test_the_paper_profile_is_the_papers_protocol():
    assert dataclasses.asdict(profile("paper")) == PAPER


def test_the_defaults_are_the_paper_profile():
    assert Config() == profile("paper")


def test_there_are_three_profiles():
    assert list(PROFILES) == ["tiny", "cpu", "paper"]
    assert profile("tiny").epochs < profile("cpu").epochs < profile("paper").epochs
    assert profile("tiny").width < profile("cpu").width < profile("paper").width


@pytest.mark.parametrize("name", PAPER)
def test_no_field_can_be_set(name):
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, name, getattr(config, name))


def test_configs_do_not_share_their_options():
    first, second = Config(), Config()
    first.options["grl_lambda"] = 2.0
    assert second.options == {}


BAD = [
    ("seed", -1, "too small"),
    ("epochs", 0, "too small"),
    ("epochs", -3, "too small"),
    ("batch_size", 1, "too small"),
    ("width", 0, "too small"),
    ("augment", -0.1, "no probability"),
    ("augment", 1.5, "no probability"),
    ("augment", math.nan, "no probability"),
    ("weight_decay", -1e-4, "negative; 0 switches it off"),
    ("weight_decay", math.nan, "negative"),
    ("learning_rate", 0.0, "not positive"),
    ("learning_rate", -1e-4, "not positive"),
    ("learning_rate", math.nan, "not positive"),
    ("schedule", "cosine", "unknown; choose constant or one-cycle"),
    ("stem", "Imagenet", "unknown; choose imagenet or small"),
    ("precision", "16-mixed", "unknown; choose 32-true or bf16-mixed"),
    ("accelerator", "tpu", "unknown; choose auto or cpu or cuda"),
    ("width", 24, "no multiple of 16, which channels_last needs"),
]


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_a_bad_value_is_named_with_its_field(name, value, reason):
    with pytest.raises(ConfigError) as caught:
        Config(**{name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert str(value) in message
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 0),
        ("epochs", 1),
        ("batch_size", 2),
        ("width", 16),
        ("augment", 0),
        ("augment", 1),
        ("weight_decay", 0),
        ("network", "unet:resnet18"),
        ("schedule", "one-cycle"),
        ("stem", "small"),
        ("precision", "bf16-mixed"),
        ("accelerator", "cpu"),
    ],
)
def test_the_last_good_value_is_taken(name, value):
    assert getattr(Config(**{name: value}), name) == value


def test_channels_last_needs_a_width_of_16_and_says_how_to_go_on():
    with pytest.raises(
        ConfigError,
        match=r"^width: 8 is no multiple of 16, which channels_last needs; set it to false",
    ):
        Config(width=8, channels_last=True)
    assert Config(width=8, channels_last=False).width == 8
    assert Config(width=32, channels_last=True).channels_last


def test_identity_leaves_the_devices_out_and_nothing_else():
    config = profile("tiny", seed=3, options={"grl_lambda": 0.5})
    expected = {f.name: getattr(config, f.name) for f in dataclasses.fields(Config)}
    for name in (
        "accelerator",
        "devices",
        "weight_decay",
        "network",
    ):  # the last two came later, and are at rest here
        del expected[name]
    assert config.identity() == expected


@pytest.mark.parametrize(("name", "value"), [("weight_decay", 1e-4), ("network", "unet:resnet18")])
def test_a_later_setting_is_part_of_the_identity_where_it_is_not_at_rest(name, value):
    rest, turned = profile("tiny"), profile("tiny", **{name: value})
    assert name not in rest.identity()
    assert turned.identity() == {**rest.identity(), name: value}


def test_profiles_of_dense_prediction_have_the_same_names_and_settings_of_their_own(monkeypatch):
    monkeypatch.setattr("discom.machine.multiplies_bf16", lambda accelerator: True)
    assert list(DENSE_PROFILES) == list(PROFILES)
    for name in PROFILES:
        assert profile(name, dense=True) == DENSE_PROFILES[name] != profile(name)
        assert profile(name, dense=True, seed=3, epochs=7).epochs == 7
    sizes = [DENSE_PROFILES[name].epochs for name in ("tiny", "cpu", "paper")]
    assert sizes == sorted(set(sizes))
    assert {config.width % 2 for config in DENSE_PROFILES.values()} == {0}  # maps have halves
    assert not any(config.options for config in DENSE_PROFILES.values())
    assert profile("cpu") == profile("cpu", dense=False)


def test_profile_changes_what_it_is_told_and_nothing_else():
    before = dataclasses.asdict(PROFILES["tiny"])
    changed = dataclasses.asdict(profile("tiny", seed=5, augment=0.25))
    assert changed == {**before, "seed": 5, "augment": 0.25}
    assert dataclasses.asdict(profile("tiny")) == before


def test_profile_names_what_it_does_not_know():
    with pytest.raises(ConfigError, match=r"^profile: 'huge' is unknown; choose tiny, cpu, paper$"):
        profile("huge")
    with pytest.raises(
        ConfigError, match=r"^config: no setting 'lr'; there are seed, epochs, .*learning_rate"
    ):
        profile("tiny", lr=0.1)


def test_profile_checks_its_changes():
    with pytest.raises(ConfigError, match=r"^epochs: 0 is too small"):
        profile("tiny", epochs=0)


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize(("instructions", "expected"), [(True, "bf16-mixed"), (False, "32-true")])
def test_a_profile_computes_in_bf16_only_where_the_device_can(
    monkeypatch, dense, instructions, expected
):
    monkeypatch.setattr("discom.machine.multiplies_bf16", lambda accelerator: instructions)
    assert profile("cpu", dense=dense).precision == expected
    assert (
        profile("cpu", dense=dense, precision="bf16-mixed").precision == "bf16-mixed"
    )  # who asks for it has it
    assert profile("tiny", dense=dense).precision == profile("paper").precision == "32-true"
    assert (
        dataclasses.replace(profile("cpu", dense=dense), precision="bf16-mixed")
        == (DENSE_PROFILES if dense else PROFILES)["cpu"]
    )


def test_the_device_that_is_asked_for_instructions_is_the_one_that_trains(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "discom.machine.multiplies_bf16", lambda accelerator: asked.append(accelerator) or True
    )
    profile("cpu")
    profile("cpu", accelerator="cpu")
    profile("tiny")
    assert asked == ["auto", "cpu"]
