"""A method = networks + loss terms + prediction; and the registry of the names that tables use."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from discom.config import Config
from discom.data import Batch, MultiModalData
from discom.errors import ConfigError
from discom.models import Encoder, Network, network, resnet18

__all__ = ["Method", "build", "get", "label", "names", "register"]

_REGISTRY: dict[str, type["Method"]] = {}


def register(name: str) -> Callable[[type["Method"]], type["Method"]]:
    """Class decorator: the method is found by `name` from then on, in tables and on the command
    line."""

    def add(method: type["Method"]) -> type["Method"]:
        method.name = name
        _REGISTRY[name] = method
        return method

    return add


def names(dense: bool | None = None) -> list[str]:
    """Every registered method, in the order of tables; those of dense prediction alone, or all but
    those.

    >>> from discom import methods
    >>> methods.names(dense=False)[:3], methods.names(dense=True)[-1]
    (['teacher', 'student', 'student-2x'], 'crodino')
    """
    return [name for name, method in _REGISTRY.items() if dense is None or method.dense == dense]


def get(name: str) -> type["Method"]:
    """The method of that name.

    Raises:
        ConfigError: nobody registered it; the message lists the names.
    """
    if name not in _REGISTRY:
        raise ConfigError(f"method: '{name}' is unknown; choose {', '.join(names())}")
    return _REGISTRY[name]


def label(method: str, options: Mapping[str, Any]) -> str:
    """A method's name with those of its options that are not the default, as rows of tables are
    called.

    >>> from discom.methods import label
    >>> label("kdv2", {"teacher": "rgb", "temperature": 4.0}), label("discom", {})
    ('kdv2 teacher=rgb', 'discom')
    """
    if method not in _REGISTRY:
        return method
    changed = get(method).changed(options)
    changed |= changed.pop("weights", {})
    settings = [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in changed.items()
    ]
    return " ".join([method, *settings])


class Method(nn.Module):
    """What `fit` trains. A new method is one subclass: build networks, return named loss terms,
    predict.

    A method trains the networks that `deployed` names, one for every modality unless it says
    otherwise ("rgb+depth" reads the stacked bands of both). Modules that belong to one of them sit
    in a ModuleDict under its name: that is how the best weights of each are kept apart.

    Args:
        channels: modality → bands of its images.
        classes: C.
        encoder: makes an encoder from a number of bands; for a dense method, a whole
        encoder–decoder.
        weights: term → factor in the total; the method's own where not given, 0 switches a term
            off.

    Raises:
        ConfigError: a weight for a term that the method does not have; a modality that cannot be a
            ModuleDict's key.
    """

    name = ""
    terms: Mapping[str, float] = {"cl": 1.0}  # term of the loss → its weight unless told otherwise
    taught = False  # whether it learns from a trained teacher
    teacher_method: "type[Method] | None" = None  # the teacher's method
    paired = False  # whether its loss needs row i of every modality to be the same scene
    strong_view = False  # whether batches carry a second, harder view of their images
    dense = False  # whether it names the class of every pixel
    coupled = False  # whether its batches move all modalities of a scene alike
    published: Mapping[str, Any] = {}  # options with which the DisCoM-KD authors' own code ran it

    def __init__(
        self,
        channels: Mapping[str, int],
        classes: int,
        encoder: Encoder,
        *,
        weights: Mapping[str, float],
    ):
        super().__init__()
        if taken := [modality for modality in channels if hasattr(nn.ModuleDict(), modality)]:
            raise ConfigError(
                f"modality '{taken[0]}': torch uses this name for itself; rename the modality"
            )
        self.deployed = list(channels)
        self.weights = self.complete(weights)

    def check_sizes(self, sizes: Mapping[str, tuple[int, int]]) -> None:
        """Refuse images that the method cannot train on; modality → (H, W). Any size will do unless
        it says otherwise.

        Raises:
            ConfigError: a size that does not fit.
        """

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The named, unweighted terms of the loss; their weighted sum is what is minimised."""
        raise TypeError(f"{type(self).__name__} must define loss(batch)")

    def predict(self, modality: str, x: Tensor) -> Tensor:
        """Images [B, C_in, H, W] → logits [B, C] of the deployed network of that name."""
        raise TypeError(f"{type(self).__name__} must define predict(modality, x)")

    def embed(self, modality: str, x: Tensor) -> dict[str, Tensor]:
        """Images [B, C_in, H, W] → the named parts of their embedding, [B, D] each."""
        raise ConfigError(
            f"method: {self.name} has no embedding to look into; choose discom or discom-solo"
        )

    def branch(self, modality: str) -> nn.Module:
        """A copy of what is deployed under that name: images in, logits out, nothing else."""
        raise TypeError(f"{type(self).__name__} must define branch(modality)")

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`loss`, under the name that torch and Fabric call; no gradient will come to terms of
        weight 0, and DDP must know."""
        return {
            name: term if self.weights[name] else term.detach()
            for name, term in self.loss(batch).items()
        }

    def state(self, modality: str) -> dict[str, Tensor]:
        """The weights that matter for one deployed network: all but those in a ModuleDict under
        another one's name."""
        others = [
            f"{path}.{other}."
            for path, module in self.named_modules()
            if isinstance(module, nn.ModuleDict)
            for other in module
            if other in self.deployed and other != modality
        ]
        return {
            key: value
            for key, value in self.state_dict().items()
            if not key.startswith(tuple(others))
        }

    def load_state(self, modality: str, state: Mapping[str, Tensor]) -> None:
        """Put back what `state` returned.

        Raises:
            RuntimeError: a tensor is missing, left over, or of another shape; nothing is changed
                then.
        """
        if wrong := self.state(modality).keys() ^ state.keys():
            raise RuntimeError(
                f"weights of {self.name}/{modality}: {sorted(wrong)[0]} does not match the network"
            )
        self.load_state_dict({**self.state_dict(), **state})

    @classmethod
    def networks(cls, config: Config, classes: int) -> Encoder | Network:
        """What makes this method's networks from a number of bands.

        Raises:
            ConfigError: a setting that has no effect on this kind of method.
        """
        if cls.dense:
            if config.stem != "imagenet":
                raise ConfigError(
                    f"stem: '{config.stem}' is of ResNet-18, {cls.name} has network={config.network}; leave it out"
                )
            return partial(network, classes=classes, name=config.network, width=config.width)
        if config.network != "small":
            raise ConfigError(
                f"network: '{config.network}' is of dense prediction, {cls.name} has ResNet-18; leave it out"
            )
        return partial(resnet18, width=config.width, stem=config.stem)

    @classmethod
    def options(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every setting of the method itself, defaults filled in.

        Raises:
            ConfigError: a setting that the method does not have, or of another type than its
                default.
        """
        known = {
            name: parameter.default
            for name, parameter in inspect.signature(cls).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        }
        if unknown := [name for name in given if name not in known]:
            raise ConfigError(
                f"options: {cls.name} has no '{unknown[0]}'; it has {', '.join(known) or 'none'}"
            )
        filled = {
            name: _like(default, given.get(name, default), name) for name, default in known.items()
        }
        return {**filled, "weights": cls.complete(filled["weights"])}

    @classmethod
    def changed(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that are not the default: what a run's identity holds, so that a new option
        leaves it alone.

        >>> from discom import methods
        >>> methods.get("discom").changed({"grl_lambda": 1, "weights": {"adv": 0, "cl": 1}})
        {'weights': {'adv': 0.0}}
        """
        own, filled = cls.options({}), cls.options(given)
        changed = {name: value for name, value in filled.items() if value != own[name]}
        if "weights" in changed:
            changed["weights"] = {
                term: w for term, w in filled["weights"].items() if w != own["weights"][term]
            }
        return changed

    @classmethod
    def complete(cls, weights: Mapping[str, float]) -> dict[str, float]:
        """A weight for every term, the method's own where none is given.

        Raises:
            ConfigError: a term that the method does not have, or a weight that is no number.
        """
        if unknown := [term for term in weights if term not in cls.terms]:
            raise ConfigError(
                f"weights: {cls.name} has no term '{unknown[0]}'; it has {', '.join(cls.terms)}"
            )
        return {
            term: _like(1.0, weights.get(term, own), f"weights.{term}")
            for term, own in cls.terms.items()
        }


def _like(default: Any, value: Any, name: str) -> Any:
    """`value` in the type of `default`: 1 and 1.0 are one setting and must give one identity."""
    kind = Mapping if isinstance(default, Mapping) else type(default)
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind):
        raise ConfigError(
            f"options: {name}={value!r} is no {kind.__name__.lower()}; its default is {default!r}"
        )
    return value


def build(method: type[Method], data: MultiModalData, config: Config) -> Method:
    """The method's networks for this data, their initial weights drawn from the seed.

    >>> from discom import data, methods, profile
    >>> model = build(methods.get("student"), data.load("scenes:n=9"), profile("tiny"))
    >>> model.deployed
    ['rgb', 'depth']

    Raises:
        ConfigError: settings that do not fit the method, or a dense method for data without a class
            for every pixel.
    """
    if method.dense and (not data.dense or data.masks is None):
        raise ConfigError(
            f"{method.name}: needs a class for every pixel, {data.name} has none; take dense data such as scenes-dense,"
            f" or one of {', '.join(names(dense=False)[:3])} …"
        )
    torch.manual_seed(config.seed)
    classes = len(data.classes)
    model = method(
        data.channels, classes, method.networks(config, classes), **method.options(config.options)
    )
    model.check_sizes(
        {name: tuple(modality.x.shape[2:]) for name, modality in data.modalities.items()}
    )
    return model
