"""The settings of a run, and profiles of them for classification and for dense prediction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_origin

from discom.errors import ConfigError, check_choice

__all__ = ["DENSE_PROFILES", "PROFILES", "Config", "profile"]

# BatchNorm needs two samples
LEAST = {"seed": 0, "epochs": 1, "batch_size": 2, "width": 1, "devices": 1}
LEAST |= {"augment": 0, "weight_decay": 0}


@dataclass(frozen=True)
class Config:
    """How a method is trained; the defaults are the paper's protocol.

    Args:
        seed: of the split, the initial weights and the batches.
        epochs: passes over the training part (paper: 300).
        batch_size: samples of each modality in a step (paper: 128).
        learning_rate: of AdamW (paper: 1e-4).
        schedule: "constant" as in the paper, or "one-cycle", whose peak is `learning_rate`.
        weight_decay: of AdamW (paper: 0).
        width: feature maps of ResNet-18's first stage (paper: 64), or of the "small" network of
            dense prediction.
        stem: ResNet-18's first layers, "imagenet" (paper) or "small" for 32 × 32 pixels.
        augment: probability that an image is flipped and turned, each on its own (paper: 0.5).
        precision: "32-true", or "bf16-mixed": bf16 where the device has instructions for it.
        channels_last: memory layout of images and weights; changes speed alone, up to rounding.
        network: of dense prediction, "small", or a name like "unet:resnet34".
        options: settings of the method itself, such as {"grl_lambda": 0.5}.
        accelerator: "auto", "cpu" or "cuda"; not part of a run's identity.
        devices: processes that train the run together, each on a share of every batch. BatchNorm
            sees the whole batch on GPUs, a process's share on CPUs.

    Raises:
        ConfigError: a value out of its range.

    >>> Config(epochs=0)
    Traceback (most recent call last):
    discom.errors.ConfigError: epochs: 0 is too small; use 1 or more
    """

    seed: int = 0
    epochs: int = 300
    batch_size: int = 128
    learning_rate: float = 1e-4
    schedule: Literal["constant", "one-cycle"] = "constant"
    weight_decay: float = 0.0
    width: int = 64
    stem: Literal["imagenet", "small"] = "imagenet"
    augment: float = 0.5
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    channels_last: bool = True
    network: str = "small"
    options: Mapping[str, Any] = field(default_factory=dict)
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    devices: int = 1

    def __post_init__(self):
        for name in ("learning_rate", "augment", "weight_decay"):  # 1 and 1.0 are one identity
            object.__setattr__(self, name, float(getattr(self, name)))
        for name, least in LEAST.items():
            if not (value := getattr(self, name)) >= least:  # NaN is refused, too
                raise ConfigError(f"{name}: {value} is too small; use {least} or more")
        if self.augment > 1:
            raise ConfigError(f"augment: {self.augment} is no probability; use 1 or less")
        if not self.learning_rate > 0:
            raise ConfigError(f"learning_rate: {self.learning_rate} is not positive; try 1e-4")
        if self.channels_last and self.width % 16:  # torch 2.14 writes past its buffers there
            reason = "is no multiple of 16, which channels_last needs; set channels_last to false"
            raise ConfigError(f"width: {self.width} {reason}")
        for setting in fields(self):
            allowed, value = get_args(setting.type), getattr(self, setting.name)
            if get_origin(setting.type) is Literal and value not in allowed:
                choices = " or ".join(allowed)
                raise ConfigError(f"{setting.name}: '{value}' is unknown; choose {choices}")

    def identity(self) -> dict[str, Any]:
        """Every setting that a person asked for and that may change a run's numbers."""
        return {name: value for name, value in asdict(self).items() if name != "accelerator"}


_TINY: dict[str, Any] = {"epochs": 2, "width": 8, "channels_last": False, "precision": "32-true"}
_FAST = Config(learning_rate=2e-3, schedule="one-cycle", stem="small")
PROFILES: dict[str, Config] = {
    # seconds: does everything run? its scores say nothing
    "tiny": replace(_FAST, batch_size=32, **_TINY),
    # minutes on two cores: enough to compare methods on 32×32 images
    "cpu": replace(_FAST, epochs=30, width=16, augment=1.0, precision="bf16-mixed"),
    # hours on a GPU: the paper's protocol, value by value
    "paper": Config(),
}
# CroDiNo-KD's README gives no protocol: learning rate and batch size are from a validation part
_DENSE = Config(schedule="one-cycle", weight_decay=1e-4, batch_size=16, precision="bf16-mixed")
DENSE_PROFILES: dict[str, Config] = {
    "tiny": replace(_DENSE, batch_size=8, learning_rate=3e-3, augment=1.0, **_TINY),
    "cpu": replace(_DENSE, epochs=13, learning_rate=6e-3, width=16, augment=1.0),
    "paper": replace(_DENSE, epochs=100, learning_rate=1e-3, network="deeplabv3plus:resnet50"),
}


def profile(name: str, *, dense: bool = False, **changes: Any) -> Config:
    """The settings of a profile (tiny, cpu or paper) with some of them changed.

    >>> profile("cpu", seed=3).seed, profile("cpu", dense=True).batch_size
    (3, 16)
    """
    check_choice("profile", name, PROFILES)
    settings = [setting.name for setting in fields(Config)]
    if unknown := [key for key in changes if key not in settings]:
        raise ConfigError(f"config: no setting '{unknown[0]}'; there are {', '.join(settings)}")
    return replace((DENSE_PROFILES if dense else PROFILES)[name], **changes)
