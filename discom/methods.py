"""A method = networks + loss terms + prediction; and the registry of the names that tables use."""

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from discom.data import Batch
from discom.errors import ConfigError
from discom.losses import disentangle
from discom.models import DisCoM, Encoder, SingleModality

__all__ = ["DisCoMKD", "DisCoMSolo", "Method", "Student", "Student2x", "get", "names", "register"]

_REGISTRY: dict[str, type["Method"]] = {}


def register(name: str) -> Callable[[type["Method"]], type["Method"]]:
    """Class decorator: the method is found by `name` from then on, in tables and on the command line."""

    def add(method: type["Method"]) -> type["Method"]:
        method.name = name
        _REGISTRY[name] = method
        return method

    return add


def names() -> list[str]:
    """Every registered method.

    >>> names()
    ['student', 'student-2x', 'discom-solo', 'discom']
    """
    return list(_REGISTRY)


def get(name: str) -> type["Method"]:
    """The method of that name.

    Raises:
        ConfigError: nobody registered it; the message lists the names.
    """
    if name not in _REGISTRY:
        raise ConfigError(f"method: '{name}' is unknown; choose {', '.join(names())}")
    return _REGISTRY[name]


class Method(nn.Module):
    """What `fit` trains. A new method is one subclass: build networks, return named loss terms, predict.

    A method trains one deployable network for every modality. Modules that belong to one modality sit in a ModuleDict
    under its name: that is how the best weights of each are kept apart.

    Args:
        channels: modality → bands of its images.
        classes: C.
        encoder: makes an encoder from a number of bands.
        weights: term → factor in the total; 1 where not given, 0 switches a term off.

    Raises:
        ConfigError: a weight for a term that the method does not have; a modality that cannot be a ModuleDict's key.
    """

    name = ""
    terms: tuple[str, ...] = ("cl",)

    def __init__(self, channels: Mapping[str, int], classes: int, encoder: Encoder, *, weights: Mapping[str, float]):
        super().__init__()
        if taken := [modality for modality in channels if hasattr(nn.ModuleDict(), modality)]:
            raise ConfigError(f"modality '{taken[0]}': torch uses this name for itself; rename the modality")
        self.modalities = list(channels)
        self.weights = self.complete(weights)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The named, unweighted terms of the loss; their weighted sum is what is minimised."""
        raise TypeError(f"{type(self).__name__} must define loss(batch)")

    def predict(self, modality: str, x: Tensor) -> Tensor:
        """Images of one modality [B, C_in, H, W] → logits [B, C]."""
        raise TypeError(f"{type(self).__name__} must define predict(modality, x)")

    def branch(self, modality: str) -> nn.Module:
        """A copy of what is deployed for one modality: images in, logits out, nothing else."""
        raise TypeError(f"{type(self).__name__} must define branch(modality)")

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`loss`, under the name that torch and Fabric call."""
        return self.loss(batch)

    def state(self, modality: str) -> dict[str, Tensor]:
        """The weights that matter for one modality: all but those in a ModuleDict under another modality's name."""
        others = [
            f"{path}.{other}."
            for path, module in self.named_modules()
            if isinstance(module, nn.ModuleDict)
            for other in module
            if other in self.modalities and other != modality
        ]
        return {key: value for key, value in self.state_dict().items() if not key.startswith(tuple(others))}

    def load_state(self, modality: str, state: Mapping[str, Tensor]) -> None:
        """Put back what `state` returned.

        Raises:
            RuntimeError: a tensor is missing, left over, or of another shape; nothing is changed then.
        """
        if wrong := self.state(modality).keys() ^ state.keys():
            raise RuntimeError(f"weights of {self.name}/{modality}: {sorted(wrong)[0]} does not match the network")
        self.load_state_dict({**self.state_dict(), **state})

    @classmethod
    def options(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every setting of the method itself, defaults filled in.

        Raises:
            ConfigError: a setting that the method does not have, or of another type than its default.
        """
        known = {
            name: parameter.default
            for name, parameter in inspect.signature(cls).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        }
        if unknown := [name for name in given if name not in known]:
            raise ConfigError(f"options: {cls.name} has no '{unknown[0]}'; it has {', '.join(known) or 'none'}")
        filled = {name: _like(default, given.get(name, default), name) for name, default in known.items()}
        return {**filled, "weights": cls.complete(filled["weights"])}

    @classmethod
    def complete(cls, weights: Mapping[str, float]) -> dict[str, float]:
        """A weight for every term, 1 where none is given.

        Raises:
            ConfigError: a term that the method does not have, or a weight that is no number.
        """
        if unknown := [term for term in weights if term not in cls.terms]:
            raise ConfigError(f"weights: {cls.name} has no term '{unknown[0]}'; it has {', '.join(cls.terms)}")
        return {term: _like(1.0, weights.get(term, 1.0), f"weights.{term}") for term in cls.terms}


def _like(default: Any, value: Any, name: str) -> Any:
    """`value` in the type of `default`: 1 and 1.0 are one setting and must give one identity."""
    kind = Mapping if isinstance(default, Mapping) else type(default)
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind):
        raise ConfigError(f"options: {name}={value!r} is no {kind.__name__.lower()}; its default is {default!r}")
    return value


class _OneNetworkEach(Method):
    """A network for each modality, trained side by side; they share nothing, so it is as if each trained alone."""

    encoders = 1

    def __init__(self, channels, classes, encoder, *, weights: Mapping[str, float] = {}):
        super().__init__(channels, classes, encoder, weights=weights)
        self.branches = nn.ModuleDict(
            {name: SingleModality(bands, classes, encoder, self.encoders) for name, bands in channels.items()}
        )

    def loss(self, batch):
        return {"cl": sum(F.cross_entropy(self.predict(name, x), batch.y[name]) for name, x in batch.x.items())}

    def predict(self, modality, x):
        return self.branches[modality](x)

    def branch(self, modality):
        return copy.deepcopy(self.branches[modality])


@register("student")
class Student(_OneNetworkEach):
    """One ResNet-18 per modality and cross-entropy: what every distillation is compared with."""


@register("student-2x")
class Student2x(_OneNetworkEach):
    """Two ResNet-18 of the same modality, concatenated: the student at a DisCoM-KD branch's capacity."""

    encoders = 2


@register("discom-solo")
class DisCoMSolo(Method):
    """DisCoM-KD's branch trained on its own modality alone: L_cl + L_aux + L_⊥ for each, nothing shared.

    With one modality, L_adv and L_mod have nothing to tell apart. Only what DisCoM-KD gains over this control can have
    come across from the other modality.
    """

    terms = ("cl", "aux", "orth")

    def __init__(self, channels, classes, encoder, *, weights: Mapping[str, float] = {}):
        super().__init__(channels, classes, encoder, weights=weights)
        self.models = nn.ModuleDict({name: DisCoM({name: bands}, classes, encoder) for name, bands in channels.items()})

    def loss(self, batch):
        total = dict.fromkeys(self.terms, 0.0)
        for name, x in batch.x.items():
            z, heads = {name: self.models[name].embed(name, x)}, self.models[name].heads
            total["cl"] += disentangle.task_loss(z, heads, batch.y)
            total["aux"] += disentangle.auxiliary_loss(z, heads, batch.y)
            total["orth"] += disentangle.orthogonality_loss(z)
        return total

    def predict(self, modality, x):
        return self.models[modality].predict(modality, x)

    def branch(self, modality):
        return self.models[modality].branch(modality)


@register("discom")
class DisCoMKD(Method):
    """DisCoM-KD (Ienco and Dantas, BMVC 2024), Eqs. 2–7.

    Args:
        grl_lambda: strength of the gradient reversal (paper: 1).
        reduction, modality_targets: "paper", or what the released code computes; see `losses.disentangle`.
    """

    terms = ("cl", "adv", "mod", "aux", "orth")

    def __init__(
        self,
        channels,
        classes,
        encoder,
        *,
        grl_lambda: float = 1.0,
        reduction: str = "paper",
        modality_targets: str = "paper",
        weights: Mapping[str, float] = {},
    ):
        super().__init__(channels, classes, encoder, weights=weights)
        if len(channels) < 2:
            raise ConfigError(f"discom: needs two modalities or more, the data has {list(channels)}; try discom-solo")
        disentangle.check_conventions(reduction=reduction, modality_targets=modality_targets)
        self.model = DisCoM(channels, classes, encoder)
        self.settings = {"grl_lambda": grl_lambda, "reduction": reduction, "modality_targets": modality_targets}

    def loss(self, batch):
        embeddings = {name: self.model.embed(name, x) for name, x in batch.x.items()}
        return disentangle.terms(embeddings, self.model.heads, batch.y, **self.settings)

    def predict(self, modality, x):
        return self.model.predict(modality, x)

    def branch(self, modality):
        return self.model.branch(modality)
