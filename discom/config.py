"""The settings of a run: one frozen dataclass, and instances of it for classification and for dense
prediction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from discom.errors import ConfigError

__all__ = ["DENSE_PROFILES", "PROFILES", "Config", "profile"]


@dataclass(frozen=True)
class Config:
    """How a method is trained; the defaults are the paper's protocol.

    Args:
        seed: of the split, the initial weights and the batches.
        epochs: passes over the training part (paper: 300).
        batch_size: samples of each modality in a step (paper: 128).
        learning_rate: of AdamW, which is Adam where weight_decay is 0; with `schedule: one-cycle`,
            its highest value (paper: 1e-4).
        schedule: "constant" as in the paper, or "one-cycle", which reaches more in few epochs.
        weight_decay: of AdamW (paper: 0).
        width: feature maps of ResNet-18's first stage (paper: 64), or of the "small" network of
            dense prediction; the other networks there have their own.
        stem: ResNet-18's first layers, "imagenet" (paper) or "small" for images of about 32 pixels.
        augment: probability that an image is flipped and turned, each on its own (paper: 0.5,
            though its student went without, 0).
        precision: "32-true", or "bf16-mixed" where a measurement on the device favours it.
        channels_last: memory layout of images and weights; changes speed alone, up to rounding.
        network: of dense prediction alone, "small" or one of segmentation-models-pytorch such as
        "unet:resnet34".
        options: settings of the method itself, such as {"grl_lambda": 0.5}.
        accelerator: "auto", "cpu" or "cuda"; not part of a run's identity.
        devices: processes that train the run together, each on a core or GPU of its own and with a
            share of every batch; not part of a run's identity, the numbers are the same up to
            rounding. On several machines torchrun or srun starts them. They wait ten minutes for
            each other, or DISCOM_TIMEOUT seconds.

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
        for name in (
            "learning_rate",
            "augment",
            "weight_decay",
        ):  # 1 and 1.0 are one setting and must give one identity
            object.__setattr__(self, name, float(getattr(self, name)))
        # a batch of one sample has no variance for BatchNorm; an odd width cannot be halved into
        # z_inf and z_irr
        for name, least in {
            "seed": 0,
            "epochs": 1,
            "batch_size": 2,
            "width": 1,
            "devices": 1,
        }.items():
            if getattr(self, name) < least:
                raise ConfigError(
                    f"{name}: {getattr(self, name)} is too small; use {least} or more"
                )
        if not 0 <= self.augment <= 1:
            raise ConfigError(
                f"augment: {self.augment} is no probability; the paper's is 0.5, 0 switches it off"
            )
        if not self.learning_rate > 0:
            raise ConfigError(
                f"learning_rate: {self.learning_rate} is not positive; the paper's is 1e-4"
            )
        if not self.weight_decay >= 0:
            raise ConfigError(f"weight_decay: {self.weight_decay} is negative; 0 switches it off")
        if self.channels_last and self.width % 16:
            # torch 2.14's CPU library writes past its buffers there (a strided 1×1 convolution of 8
            # or 12 channels)
            raise ConfigError(
                f"width: {self.width} is no multiple of 16, which channels_last needs; set it to false"
            )
        choices = {"schedule": ("constant", "one-cycle"), "stem": ("imagenet", "small"),
                   "precision": ("32-true", "bf16-mixed"),
                   "accelerator": ("auto", "cpu", "cuda")}  # fmt: skip
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(
                    f"{name}: '{getattr(self, name)}' is unknown; choose {' or '.join(allowed)}"
                )

    def identity(self) -> dict[str, Any]:
        """What changes a run's numbers, and nothing else; later settings only where they are not at
        rest, so that a run keeps its name when a setting is added."""
        at_rest = {"weight_decay": 0.0, "network": "small"}
        held = {
            name: value
            for name, value in asdict(self).items()
            if name not in ("accelerator", "devices")
        }
        return {
            name: value
            for name, value in held.items()
            if name not in at_rest or value != at_rest[name]
        }


# Measured on two AVX-512 cores, a step of the `cpu` network: bf16 with channels_last took 0.60 of
# plain float32's time and 0.90 of float32's with channels_last (medians of 5, in turn).
PROFILES: dict[str, Config] = {
    # seconds: does everything run? its scores say nothing
    "tiny": Config(
        epochs=2,
        batch_size=32,
        learning_rate=2e-3,
        schedule="one-cycle",
        width=8,
        stem="small",
        channels_last=False,
    ),
    # minutes on two cores: enough to compare methods on 32×32 images. Few epochs see few motions at
    # the paper's augment = 0.5, and every method then learns its training images by heart
    "cpu": Config(
        epochs=30,
        learning_rate=2e-3,
        schedule="one-cycle",
        width=16,
        stem="small",
        augment=1.0,
        precision="bf16-mixed",
    ),
    # hours on a GPU: the paper's protocol, value by value
    "paper": Config(),
}


# Dense prediction. Nothing of CroDiNo-KD's protocol is in its README, so all three are ours.
DENSE_PROFILES: dict[str, Config] = {
    "tiny": Config(
        epochs=2, batch_size=8, learning_rate=3e-3, schedule="one-cycle", weight_decay=1e-4, width=8, augment=1.0,
        channels_last=False,
    ),
    # a step of two networks on one core: float32 1.0, bf16 0.6, bf16 with channels_last 0.5 of the
    # time. The learning rate was chosen on a validation part, by the teacher and by `single`: 6e-3
    # before 3e-3 and 1e-2; and so was the batch size: with 32, and half as many steps, one seed in
    # three did not learn RGB's textures
    "cpu": Config(
        epochs=13, batch_size=16, learning_rate=6e-3, schedule="one-cycle", weight_decay=1e-4, width=16, augment=1.0,
        precision="bf16-mixed",
    ),
    "paper": Config(
        epochs=100, batch_size=16, learning_rate=1e-3, schedule="one-cycle", weight_decay=1e-4,
        network="deeplabv3plus:resnet50", precision="bf16-mixed",
    ),
}  # fmt: skip


def profile(name: str, *, dense: bool = False, **changes: Any) -> Config:
    """The settings of a profile with some of them changed.

    A profile's bf16 is float32 where the device has no instructions for it
    (`machine.multiplies_bf16`), unless `precision` asks for it.

    Args:
        name: tiny, cpu or paper.
        dense: those of dense prediction.

    >>> profile("cpu", seed=3).seed, profile("cpu", dense=True).batch_size
    (3, 16)
    """
    if name not in PROFILES:
        raise ConfigError(f"profile: '{name}' is unknown; choose {', '.join(PROFILES)}")
    chosen = (DENSE_PROFILES if dense else PROFILES)[name]
    base = {f.name: getattr(chosen, f.name) for f in fields(Config)}
    if unknown := [key for key in changes if key not in base]:
        raise ConfigError(f"config: no setting '{unknown[0]}'; there are {', '.join(base)}")
    config = Config(**base | changes)
    if (
        "precision" not in changes
        and config.precision != "32-true"
        and not _multiplies_bf16(config.accelerator)
    ):
        return replace(config, precision="32-true")
    return config


def _multiplies_bf16(accelerator: str) -> bool:
    from discom.machine import (
        multiplies_bf16,
    )  # brings torch, which settings that are in float32 do without

    return multiplies_bf16(accelerator)
