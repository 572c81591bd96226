"""Settings of a run, profiles of them, and the types of settings and options."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import lru_cache, partial
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from discom.errors import ConfigError, check_choice

STRICT = ConfigDict(strict=True, allow_inf_nan=False)
SETTING = ConfigDict(**STRICT, extra="forbid", use_attribute_docstrings=True)


@dataclass(frozen=True, kw_only=True, config=SETTING)
class _Settings:
    """The fields of a `Config`: type, range and default, which pydantic checks."""

    # as scikit-learn takes them; torch would take 64 bits
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of the split, the initial weights and the batches."""
    epochs: int = Field(default=300, ge=1, lt=2**32)
    """Passes over the training part (300 in the paper)."""
    batch_size: int = Field(default=128, ge=2, lt=2**32)  # BatchNorm needs two samples
    """Samples of each modality in a step (128 in the paper)."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """adamw (paper), or sgd, with a momentum of 0.9, which needs another learning rate."""
    learning_rate: float = Field(default=1e-4, ge=1e-12)
    """Of the optimizer (1e-4 in the paper)."""
    schedule: Literal["constant", "one-cycle"] = "constant"
    """Constant as in the paper, or one-cycle, whose peak is learning_rate."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Of the optimizer (0 in the paper)."""
    encoder: str = "resnet18"
    """For classification resnet18 (paper), resnet10 for images of about 32 pixels, spectrum or
    conv1d for signals; or one of timm, such as "timm:convnext_atto"."""
    width: int = Field(default=64, ge=1, lt=2**32)
    """Feature maps of the first stage of a resnet10, resnet18 (64 in the paper) or small network;
    an eighth of the features of spectrum."""
    pretrained: str = ""
    """First weights of a library's encoder (imagenet, or a file); none draws them."""
    encoder_rate: float = Field(default=1.0, ge=0, le=1)
    """Factor on the learning rate of pretrained encoders, 0 (frozen) to 1."""
    augment: float = Field(default=0.5, ge=0, le=1)
    """Probability that an image is flipped and turned, or a signal changed (0.5 in the paper's
    code)."""
    labelled: float = Field(default=1.0, ge=1e-6, le=1)
    """Share of the labels of the training part that are kept (1 in the paper)."""
    labelled_groups: int = Field(default=0, ge=0, lt=2**32)
    """Groups, such as persons, that those labels are drawn from; 0 takes all (paper)."""
    class_weights: Literal["none", "balanced"] = "none"
    """Of the cross-entropy, none (paper) or balanced, N / (C·n_c) for a class with n_c of the
    training part's N labels (where dense, of its pixels)."""
    dice: float = Field(default=0.0, ge=0)
    """Of dense prediction, weight of a soft Dice loss beside every cross-entropy with labels."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "mixed"] = "32-true"
    """32-true is float32 (paper); bf16-mixed is bf16 where the device has instructions for it, else
    float32; 16-mixed is fp16, on a GPU; mixed is bf16, else fp16 on a GPU, else float32."""
    channels_last: bool = True
    """Memory layout of images and weights; changes speed alone, up to rounding."""
    network: str = "small"
    """For dense prediction small, or a network of a library, such as
    "unet:resnet34"."""
    dense: bool = False
    """Whether these are settings of dense prediction, which predicts every pixel's class."""
    select: Literal["best", "last"] = "best"
    """Epoch that is tested, best on validation (the paper's code) or last, which uses no
    validation label."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of the method itself, such as a grl_lambda of 0.5."""


FIELDS: dict[str, Any] = vars(_Settings)["__pydantic_fields__"]


class Config(_Settings):
    """How a method is trained; the defaults are the paper's protocol.

    Raises:
        ConfigError: a setting that there is not, a value of another type, or out of its range.
    """

    def __init__(self, **settings: Any):
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise refusal(error) from None
        if self.channels_last and self.width % 16:  # torch 2.14 writes past its buffers there
            found = f"{self.width} is not a multiple of 16, as channels_last needs"
            raise ConfigError("width", found, "set channels_last=false")

    @property
    def hides_labels(self) -> bool:
        """Whether training samples lose their label on purpose."""
        return self.labelled < 1 or self.labelled_groups > 0

    @property
    def unused(self) -> dict[str, str]:
        """Settings that change nothing beside the others → why."""
        unread, read = ("encoder", self.network) if self.dense else ("network", self.encoder)
        unused = {unread: f"where {'pixels' if self.dense else 'images'} have classes"}
        if not self.dense:
            unused["dice"] = unused["network"]
        if ":" in read:
            unused["width"] = f"on {read}"
        return unused if self.pretrained else {**unused, "encoder_rate": "without pretrained"}

    def identity(self) -> dict[str, Any]:
        """Every setting, unused ones at their default: of a file of weights its content,
        "sha256:…"."""
        settings = {**asdict(self), **{name: FIELDS[name].default for name in self.unused}}
        file = self.pretrained
        if file not in ("", "imagenet") and not file.startswith("sha256:"):
            # they take time, and help does without
            from pooch import file_hash

            from discom.files import as_data_error

            with as_data_error(file, "weights", "give pretrained=imagenet, or a file"):
                settings["pretrained"] = f"sha256:{file_hash(file)}"
        return settings


def refusal(error: ValidationError, place: str = "") -> ConfigError:
    """What pydantic refused first, as "place: found; way out"; by default the place is its own."""
    first, *_ = error.errors()
    way_out = first["msg"].replace("Input", "it", 1)
    return ConfigError(place or first["loc"][0], repr(first["input"]), way_out)


_adapter = lru_cache(partial(TypeAdapter, config=STRICT))


def as_type(place: str, value: Any, kind: Any) -> Any:
    """A value in the annotated type: 1 is 1.0 where a float is wanted, so that both have one
    identity. A ConfigError for another type: True is no number, nor is "2" or NaN."""
    try:
        return _adapter(Any if kind is inspect.Parameter.empty else kind).validate_python(value)
    except ValidationError as error:
        raise refusal(error, place) from None


def check_options(name: str, reader: Callable, options: Mapping[str, Any]) -> None:
    """Raise a ConfigError for an option that the reader called `name` lacks, or a value that is not
    of its annotated type."""
    parameters = dict([*inspect.signature(reader).parameters.items()][2:])  # after root, modalities
    for option, value in options.items():
        if option not in parameters:
            way_out = f"it has {', '.join(parameters) or 'none'}"
            raise ConfigError(name, f"has no option '{option}'", way_out)
        as_type(f"{name}: {option}", value, parameters[option].annotation)


_TINY: dict[str, Any] = {"epochs": 2, "width": 8, "channels_last": False, "precision": "32-true"}
_FAST = Config(learning_rate=1e-2, schedule="one-cycle", weight_decay=1.0, encoder="resnet10")
_TUNED: dict[str, Any] = {"pretrained": "imagenet", "encoder_rate": 0.1, "precision": "bf16-mixed"}
_TUNED |= {"epochs": 10, "learning_rate": 1e-3, "schedule": "one-cycle"}
PROFILES: dict[str, Config] = {
    # seconds: does everything run? its scores say nothing
    "tiny": replace(_FAST, batch_size=32, **_TINY),
    # a minute on two cores for 2 000 images of 32×32 pixels; chosen on validation scores
    "cpu": replace(_FAST, epochs=30, width=16, augment=1.0, precision="bf16-mixed", select="last"),
    # a pretrained network, for images of 64 to 224 pixels (docs/performance.md)
    "finetune": Config(
        encoder="timm:tf_efficientnet_lite0", batch_size=32, weight_decay=0.05, **_TUNED
    ),
    # hours on a GPU: the paper's protocol, value by value
    "paper": Config(),
}
# CroDiNo-KD's README gives no protocol: learning rate and batch size are from a validation part
_DENSE = Config(schedule="one-cycle", batch_size=8, precision="bf16-mixed", dense=True)
DENSE_PROFILES: dict[str, Config] = {
    "tiny": replace(_DENSE, learning_rate=3e-3, augment=1.0, **_TINY),
    "cpu": replace(_DENSE, epochs=20, learning_rate=1e-2, weight_decay=0.03, width=16, augment=1.0),
    "finetune": replace(_DENSE, network="unet:resnet34", **_TUNED),
    "paper": replace(
        _DENSE,
        precision="32-true",
        epochs=100,
        learning_rate=1e-3,
        weight_decay=1e-4,
        batch_size=16,
        network="deeplabv3plus:resnet50",
    ),
}


def profile(name: str, *, dense: bool = False, **changes: Any) -> Config:
    """The settings of a profile (tiny, cpu, finetune or paper) with some of them changed; a
    ConfigError for a change without effect.

    >>> profile("cpu", seed=3).seed, profile("cpu", dense=True).batch_size
    (3, 8)
    """
    check_choice("profile", name, PROFILES)
    config = replace((DENSE_PROFILES if dense else PROFILES)[name], **changes)
    for setting, why in config.unused.items():
        if setting in changes and getattr(config, setting) != FIELDS[setting].default:
            found = f"{getattr(config, setting)} has no effect {why}"
            raise ConfigError(setting, found, "leave it out")
    return config
