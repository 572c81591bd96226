"""Settings of a run, profiles of them, and the types of settings and options."""

import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Real
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from discom.errors import ConfigError, check_choice

RANGES = {  # least and greatest value
    "seed": (0, 2**32 - 1),  # as scikit-learn takes them; torch would take 64 bits
    "epochs": (1, math.inf),
    "batch_size": (2, math.inf),  # BatchNorm needs two samples
    "learning_rate": (1e-12, math.inf),
    "encoder_rate": (0, 1),
    "weight_decay": (0, math.inf),
    "width": (1, math.inf),
    "augment": (0, 1),
    "labelled": (1e-6, 1),
}
WORDS: dict[Any, str] = {int: "integer", float: "number", bool: "true or false", str: "string"}
WORDS |= dict.fromkeys((Any, inspect.Parameter.empty), "a value that JSON has")


@dataclass(frozen=True)
class Config:
    """How a method is trained; the defaults are the paper's protocol.

    Args:
        seed: of the split, the initial weights and the batches; 0 to 2³² − 1.
        epochs: passes over the training part (paper: 300).
        batch_size: samples of each modality in a step (paper: 128).
        learning_rate: of AdamW (paper: 1e-4).
        schedule: "constant" as in the paper, or "one-cycle", whose peak is `learning_rate`.
        weight_decay: of AdamW (paper: 0).
        encoder: of classification, "resnet18" (paper), "resnet10" for images of about 32 pixels,
            or a library's, "timm:convnext_atto" or "torchvision:resnet50". "none" takes images of
            one pixel as they are, such as frozen features.
        width: feature maps of the first stage of a resnet10, resnet18 (paper: 64) or small network.
        pretrained: first weights of a library's encoder, "imagenet" or a file; "" draws them.
        encoder_rate: factor on the learning rate of pretrained encoders, 0 (frozen) to 1.
        augment: probability that an image is flipped and turned, each on its own (paper: 0.5).
        labelled: share of the labels of the training part that are kept, in (0, 1] (paper: 1).
        class_weights: of the cross-entropy, "none" (paper) or "balanced": N / (C·n_c) for a class
            with n_c of the training part's N labels (where dense, of its pixels).
        precision: "32-true", or "bf16-mixed": bf16 where the device has instructions for it.
        channels_last: memory layout of images and weights; changes speed alone, up to rounding.
        network: of dense prediction, "small", or a name like "unet:resnet34".
        dense: whether these are settings of dense prediction, which predicts every pixel's class.
        select: epoch that is tested, "best" on validation (paper) or "last"; for the last no
            validation label is used.
        options: settings of the method itself, such as {"grl_lambda": 0.5}.
        accelerator: "auto", "cpu" or "cuda"; not part of a run's identity.

    Raises:
        ConfigError: a value out of its range.

    >>> Config(epochs=0)
    Traceback (most recent call last):
    discom.errors.ConfigError: epochs: 0 is out of range; use 1 or more
    """

    seed: int = 0
    epochs: int = 300
    batch_size: int = 128
    learning_rate: float = 1e-4
    schedule: Literal["constant", "one-cycle"] = "constant"
    weight_decay: float = 0.0
    encoder: str = "resnet18"
    width: int = 64
    pretrained: str = ""
    encoder_rate: float = 1.0
    augment: float = 0.5
    labelled: float = 1.0
    class_weights: Literal["none", "balanced"] = "none"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    channels_last: bool = True
    network: str = "small"
    dense: bool = False
    select: Literal["best", "last"] = "best"
    options: Mapping[str, Any] = field(default_factory=dict)
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"

    def __post_init__(self):
        for name, kind in get_type_hints(Config).items():
            value = getattr(self, name)
            if get_origin(kind) is Literal:
                check_choice(name, value, get_args(kind))
            else:
                object.__setattr__(self, name, as_type(name, value, kind))
        for name, (least, most) in RANGES.items():
            if not least <= (value := getattr(self, name)) <= most:
                bounds = f"{least} or more" if most == math.inf else f"{least} to {most}"
                raise ConfigError(name, f"{value} is out of range", f"use {bounds}")
        if self.channels_last and self.width % 16:  # torch 2.14 writes past its buffers there
            found = f"{self.width} is not a multiple of 16, as channels_last needs"
            raise ConfigError("width", found, "set channels_last=false")

    def identity(self) -> dict[str, Any]:
        """Every setting that a person asked for and that may change a run's numbers: of a file of
        weights its content, "sha256:…"."""
        settings = {name: value for name, value in asdict(self).items() if name != "accelerator"}
        file = self.pretrained
        if file not in ("", "imagenet") and not file.startswith("sha256:"):
            # it brings NumPy, which help does without
            from discom.files import as_data_error, checksum

            with as_data_error(file, "weights", "give pretrained=imagenet, or a file"):
                settings["pretrained"] = f"sha256:{checksum(file)}"
        return settings


def as_type(place: str, value: Any, kind: Any) -> Any:
    """A value in the annotated type: 1 and 1.0 are one setting and must give one identity. A
    ConfigError for another type: true is no number, "2" is none either, nor is NaN.

    >>> as_type("epochs", 2.0, int), as_type("share", {"rgb": 1}, Mapping[str, float])
    (2, {'rgb': 1.0})
    >>> as_type("epochs", "2", int)
    Traceback (most recent call last):
    discom.errors.ConfigError: epochs: '2' is of type str; give integer
    """
    try:
        return _fitted(value, kind)
    except OverflowError:
        found = f"{value} is too large"
    except TypeError:
        found = f"{value!r} is of type {type(value).__name__}"
        kinds = [get_origin(each) for each in (kind, *get_args(kind))]
        if isinstance(value, Mapping) and Mapping in kinds:
            found = f"{value!r} has a value of another type"
        if isinstance(value, Real) and not math.isfinite(value):
            found = f"{value} is not finite"
    raise ConfigError(place, found, f"give {_words(kind)}")


def options_of(reader: Callable) -> dict[str, inspect.Parameter]:
    """What a reader takes besides its folder and its modalities."""
    return dict(list(inspect.signature(reader).parameters.items())[2:])


def check_options(name: str, reader: Callable, options: Mapping[str, Any]) -> None:
    """Raise a ConfigError for an option that the reader called `name` lacks, or a value that is not
    of its annotated type.

    >>> def read(root, modalities, size: int | Sequence[int] = 32): ...
    >>> check_options("mine", read, {"size": [24, 32]})
    >>> check_options("mine", read, {"size": "24"})
    Traceback (most recent call last):
    discom.errors.ConfigError: --options: size: '24' is of type str; give integer or [integer, …]
    """
    known = options_of(reader)
    for option, value in options.items():
        if option not in known:
            way_out = f"it has {', '.join(known) or 'none'}"
            raise ConfigError("--options", f"{name} has no option '{option}'", way_out)
        as_type(f"--options: {option}", value, known[option].annotation)


def _fitted(value: Any, kind: Any) -> Any:
    """The value in the annotated type, or a TypeError."""
    origin, inner = get_origin(kind) or kind, get_args(kind)
    number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if kind in (Any, inspect.Parameter.empty):
        with suppress(ValueError):  # NaN
            return json.loads(json.dumps(value, allow_nan=False))
    if origin is Literal and any(value == each and type(value) is type(each) for each in inner):
        return value
    if kind in (bool, str, NoneType) and isinstance(value, kind):
        return value
    if origin in (Mapping, dict) and inner and isinstance(value, Mapping):
        return {key: _fitted(each, inner[1]) for key, each in value.items()}
    if origin in (Sequence, list, tuple) and inner and isinstance(value, list | tuple):
        return [_fitted(each, inner[0]) for each in value]
    if number and (kind is float or (kind is int and float(value).is_integer())):
        return kind(value) + 0  # -0.0 is 0
    for each in () if origin in (Mapping, dict, Sequence, list, tuple, Literal) else inner:
        with suppress(TypeError):
            return _fitted(value, each)
    raise TypeError


def _words(kind: Any) -> str:
    """An annotated type as JSON is written."""
    if kind in WORDS:
        return WORDS[kind]
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    inner = [_words(each) for each in get_args(kind) if each is not NoneType]
    if not inner:  # a type that has no word, and no value
        return getattr(kind, "__name__", f"{kind}")
    mapping, sequence = f'{{"sensor": {inner[-1]}}}', f"[{inner[0]}, …]"
    forms: dict[Any, str] = dict.fromkeys((Mapping, dict), mapping)
    forms |= dict.fromkeys((Sequence, list, tuple), sequence)
    return forms.get(get_origin(kind), " or ".join(inner))


_TINY: dict[str, Any] = {"epochs": 2, "width": 8, "channels_last": False, "precision": "32-true"}
_FAST = Config(learning_rate=1e-2, schedule="one-cycle", weight_decay=1.0, encoder="resnet10")
_TUNED: dict[str, Any] = {"pretrained": "imagenet", "encoder_rate": 0.1, "precision": "bf16-mixed"}
_TUNED |= {"epochs": 10, "learning_rate": 1e-3, "schedule": "one-cycle"}
PROFILES: dict[str, Config] = {
    # seconds: does everything run? its scores say nothing
    "tiny": replace(_FAST, batch_size=32, **_TINY),
    # a minute on two cores for 2 000 images of 32×32 pixels; chosen on validation scores
    "cpu": replace(_FAST, epochs=30, width=16, augment=1.0, precision="bf16-mixed"),
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
        epochs=100,
        learning_rate=1e-3,
        weight_decay=1e-4,
        batch_size=16,
        network="deeplabv3plus:resnet50",
    ),
}


def profile(name: str, *, dense: bool = False, **changes: Any) -> Config:
    """The settings of a profile (tiny, cpu, finetune or paper) with some of them changed.

    >>> profile("cpu", seed=3).seed, profile("cpu", dense=True).batch_size
    (3, 8)
    """
    check_choice("profile", name, PROFILES)
    settings = [setting.name for setting in fields(Config)]
    if unknown := [key for key in changes if key not in settings]:
        way_out = f"there are {', '.join(settings)}"
        raise ConfigError("config", f"no setting '{unknown[0]}'", way_out)
    return replace((DENSE_PROFILES if dense else PROFILES)[name], **changes)
