"""A method: networks, the terms of its loss, options, and what is deployed."""

import copy
import inspect
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from pydantic import NonNegativeFloat
from torch import Tensor, nn

from discom.config import Config, as_type
from discom.errors import ConfigError, DiscomError, check_choice, first_line
from discom.labels import UNLABELLED
from discom.methods.code import remember
from discom.methods.returned import as_terms, check_logits
from discom.models.encoders import encoder
from discom.models.segmentation import network

if TYPE_CHECKING:  # they load pandas and Pillow, which a loop of one's own need not have
    from discom.data import MultiModalData
    from discom.data.batches import Batch

REGISTRY: dict[str, type["Method"]] = {}  # name → class, of what has been imported


def display_name(name: str, changed: Mapping[str, Any]) -> str:
    """A method's name with its options that are not the default, as rows of tables are called.

    >>> display_name("kdv2", {"teacher": "rgb", "weights": {"kd": 2.0}}), display_name("discom", {})
    ('kdv2 teacher=rgb kd=2', 'discom')
    """
    weights = changed.get("weights", {})
    options = {key: value for key, value in changed.items() if key != "weights"} | weights
    texts = [f"{key}={value}".removesuffix(".0") for key, value in options.items()]
    return " ".join([name, *texts])


class Method(nn.Module):
    """What `fit` trains: build networks, return named loss terms, predict.

    `deployed` names the networks that are trained, by default one for every modality ("rgb+depth"
    reads the stacked bands of both). Modules of one of them sit in a ModuleDict under its name, so
    that the best weights of each are kept apart. Options are the keyword-only parameters of
    `__init__` and of the base classes it calls; their annotations say what they take.

    Args:
        channels: modality → bands of its images.
        classes: C.
        encoder: makes an encoder from a number of bands; for a dense method, an encoder–decoder.
        weights: term → factor in the total; the method's own where not given, 0 switches it off.
    """

    name = ""
    address = ""  # by which `methods.get` finds it: its name, or "file.py:class"
    terms: Mapping[str, float] = {"cl": 1.0}  # term of the loss → its default weight
    teacher_method: "type[Method] | None" = None  # of the trained teacher that it learns from
    single_sensor_control = ""  # where it needs two modalities or more: the method to take for one
    paired = False  # whether its loss needs row i of every modality to be the same scene
    needs_strong_view = False  # whether batches carry a second, harder view of their images
    dense = False  # whether it predicts a class for every pixel
    shared_augmentation = False  # whether its batches move all modalities of a scene alike
    unlabelled: tuple[str, ...] = ()  # terms that learn from samples without a label, too
    needs_unlabelled = False  # whether nothing is left of it where every sample has a label
    undecayed: tuple[str, ...] = ()  # last names of parameters that are no weights of a layer
    seed_offset = 0  # added to the seed of the first weights
    every_label = False  # whether its terms need the label of every sample
    least_classes = 2  # with fewer its loss teaches nothing
    adversary_optimizer: torch.optim.Optimizer | None = None  # of a part that `loss` trains itself
    dice = 0.0  # where dense, weight of a Dice loss beside the cross-entropy
    class_weights: Tensor | None  # weight of each class in the cross-entropy, [C]; None: all alike

    def __init__(
        self,
        channels: Mapping[str, int],
        classes: int,
        encoder: Any,
        *,
        weights: Mapping[str, NonNegativeFloat] = {},
    ):
        super().__init__()
        self.register_buffer("class_weights", None, persistent=False)
        if self.single_sensor_control and len(channels) < 2:
            found = f"needs two modalities, the data has {list(channels)}"
            raise ConfigError(self.name, found, f"try {self.single_sensor_control}")
        self.deployed = list(channels)
        self.weights: dict[str, float] = self.options({"weights": weights})["weights"]

    def __init_subclass__(cls, name: str = "") -> None:
        """`class Mine(Method, name="mine")` is known by that name in tables and on the command
        line; without one a method is called as its class is."""
        super().__init_subclass__()
        cls.name = cls.address = name or cls.__name__
        if name:
            cls.register()
        remember(cls)

    @classmethod
    def register(cls) -> None:
        """Make it known by its name; a ConfigError for the name of one of discom's own."""
        if not cls.__module__.startswith("discom."):
            import_module(__package__).names()  # discom's own are there first
            if REGISTRY.get(cls.name, cls).__module__.startswith("discom."):
                raise ConfigError("method", f"'{cls.name}' is one of discom's", "rename yours")
        REGISTRY[cls.name] = cls

    def check_sizes(self, data: "MultiModalData") -> None:
        """Refuse images of a size that it cannot train on, with a ConfigError."""

    @torch.no_grad()
    def ask(self, teacher: Any, batch: "Batch") -> None:
        """Put into a batch, and its strong view, as `teacher_output` the frozen teacher's logits
        [B, C] for these very images."""
        network = teacher.deployed[0]
        for view in filter(None, (batch, batch.strong)):
            x = torch.cat([view.x[name] for name in network.split("+")], dim=1)
            view.teacher_output = teacher.predict(network, x).float()

    def set_rate(self, rate: float) -> None:
        """Take over the learning rate of the step to come, for an optimizer of the method's own."""

    def loss(self, batch: "Batch") -> dict[str, Tensor]:
        """The named, unweighted terms, whose weighted sum is minimised."""
        raise ConfigError(self.name, "defines no loss", "define loss(self, batch)")

    def cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean over labelled samples, weighted by `class_weights`."""
        return F.cross_entropy(logits, labels, self.class_weights, ignore_index=UNLABELLED)

    def deployed_module(self, modality: str) -> nn.Module:
        """What is deployed under that name: images [B, C_in, H, W] in, logits out,
        [B, C] or [B, C, H, W]."""
        way_out = "define deployed_module(self, modality)"
        raise ConfigError(self.name, "defines no deployed_module", way_out)

    def predict(self, modality: str, x: Tensor) -> Tensor:
        """Images → logits of the deployed network of that name."""
        return self.deployed_module(modality)(x)

    def embed(self, modality: str, x: Tensor) -> dict[str, Tensor]:
        """Images of one modality → the named parts of its embedding, [B, D] each; nothing for a
        method without a network that reads it alone."""
        return {}

    def predict_from_parts(self, modality: str, x: Tensor) -> dict[str, Tensor]:
        """Part of the embedding → logits [B, C] of a head that reads this part alone; nothing for a
        method without such a head."""
        return {}

    def branch(self, modality: str) -> nn.Module:
        """A copy of the deployed network of that name, which stands alone."""
        return copy.deepcopy(self.deployed_module(modality))

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """`loss`, terms without a weight detached, so that their head stays as it is. A ConfigError
        for a term that is not declared, one with a weight that is missing, or what is no scalar."""
        terms = as_terms(f"{self.name}.loss", self.loss(batch))
        weighted = {name for name, weight in self.weights.items() if weight}
        if wrong := [*(weighted - terms.keys()), *(terms.keys() - self.weights.keys())]:
            found = f"{self.name}.loss returns {', '.join(terms)}"
            raise ConfigError("loss", found, f"declare and return '{min(wrong)}', or do neither")
        return {n: term if self.weights[n] else term.detach() for n, term in terms.items()}

    def weighted_sum(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The named terms times their weights, added up: the scalar that is minimised."""
        total: Any = sum(w * terms[name] for name, w in self.weights.items() if w)
        return total

    def total(self, batch: "Batch") -> Tensor:
        r"""The loss of a batch, a scalar: what a training loop of one's own calls backward on.

        .. math:: L = \sum_k w_k L_k

        with the terms of `loss` and the `weights` of the method. A ConfigError as of `forward`.
        """
        return self.weighted_sum(self(batch))

    def state(self, modality: str) -> dict[str, Tensor]:
        """The weights of one deployed network: all but those in a ModuleDict under the name of
        another, which is none of the modalities that it reads."""
        others = [
            f"{path}.{other}."
            for path, module in self.named_modules()
            if isinstance(module, nn.ModuleDict)
            for other in module
            if other in self.deployed and other not in (modality, *modality.split("+"))
        ]
        state = self.state_dict()
        return {key: value for key, value in state.items() if not key.startswith(tuple(others))}

    def load_state(self, modality: str, state: Mapping[str, Tensor]) -> None:
        """Put back what `state` returned; a RuntimeError, and no change, if it does not fit."""
        if wrong := sorted(self.state(modality).keys() ^ state.keys()):
            raise RuntimeError(f"weights of {self.name}/{modality}: {wrong[0]} does not match")
        self.load_state_dict({**self.state_dict(), **state})

    @classmethod
    def options(cls, given: Mapping[str, Any] = {}) -> dict[str, Any]:
        """Every option of the method, its default where none is given, weights last; a ConfigError
        for one that the method lacks or that its annotation does not allow, and for weights that
        are all 0."""
        keywords: dict[str, inspect.Parameter] = {}
        for owner in reversed(cls.__mro__):
            parameters = inspect.signature(owner, eval_str=True).parameters
            keywords |= {k: p for k, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
        for name in given:
            check_choice(f"options of {cls.name}", name, keywords)
        options = {
            name: as_type(f"options: {name}", given.get(name, p.default), p.annotation)
            for name, p in keywords.items()
        }
        weights = options.pop("weights")
        for term in weights:
            check_choice(f"weights of {cls.name}", term, cls.terms)
        options["weights"] = {term: float(weights.get(term, w)) for term, w in cls.terms.items()}
        if not any(options["weights"].values()):
            raise ConfigError("weights", f"all terms of {cls.name} are 0", "give one a weight")
        return options

    @classmethod
    def changed(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options, and of the weights those, that are not the default."""
        usual, options = cls.options(), cls.options(given)
        weights = {t: w for t, w in options["weights"].items() if w != usual["weights"][t]}
        changed = {name: value for name, value in options.items() if value != usual[name]}
        return {**changed, "weights": weights} if weights else changed


def misfit(method: type[Method], data: "MultiModalData", config: Config) -> ConfigError | None:
    """Why the method cannot learn from these labels or classes, None if it can."""
    if method.dense != data.dense:
        found = f"{data.name} has a class for every {'pixel' if data.dense else 'image'}"
        way_out = "take single or crodino" if data.dense else "take student or discom"
        return ConfigError(method.name, found, way_out)
    if method.every_label and (config.hides_labels or (data.labels == UNLABELLED).any()):
        way_out = "label all, leave labelled out, or take kdv2"
        return ConfigError(method.name, "needs the label of every training sample", way_out)
    if (count := len(data.classes)) < method.least_classes:
        found = f"learns nothing of {count} class(es), {method.least_classes} are needed"
        return ConfigError(method.name, found, "take kdv2" if count > 1 else "name another class")
    return None


def build(
    method: type[Method], data: "MultiModalData", config: Config, *, restored: bool = False
) -> Method:
    """The method's networks for this data, their initial weights drawn from the seed; a ConfigError
    for settings or data that do not fit the method. `restored`: the caller loads a run's weights,
    so that pretrained ones are neither fetched nor read.

    >>> from discom import data, methods, profile
    >>> model = build(methods.get("student"), data.load("objects:n=9"), profile("tiny"))
    >>> model.deployed
    ['rgb', 'depth']
    """
    if error := misfit(method, data, config):
        raise error
    if method.needs_unlabelled and not config.hides_labels and (data.labels != UNLABELLED).all():
        raise ConfigError(method.name, "every sample has a label", "set labelled below 1")
    options, classes = method.options(config.options), len(data.classes)
    weights = None if restored and config.pretrained else config.pretrained
    start: dict[str, Any] = {"width": config.width, "pretrained": weights}
    if method.dense:
        networks: Any = partial(network, classes=classes, name=config.network, **start)
    else:
        networks = encoder(config.encoder, **start)
    torch.manual_seed(config.seed + method.seed_offset)
    model = method(data.channels, classes, networks, **options)
    model.dice = config.dice
    model.check_sizes(data)
    if not method.dense:
        _try_encoder(model, data, config.encoder)
    return model


@torch.no_grad()
def _try_encoder(model: Method, data: "MultiModalData", name: str) -> None:
    """Refuse images that a deployed network cannot take, before anything is trained: two empty ones
    pass through it."""
    model.eval()
    for modality in model.deployed:
        shape = data.shape_of(modality)
        try:
            logits = model.predict(modality, torch.zeros(2, *shape))
        except DiscomError:
            raise
        except (RuntimeError, AssertionError, AttributeError, IndexError, ValueError) as error:
            size = "×".join(map(str, shape))
            found = f"{name} makes no features of {modality}, {size} ({first_line(error)})"
            way_out = "choose another encoder or size; spectrum and conv1d read signals alone"
            raise ConfigError("encoder", found, way_out) from None
        check_logits(f"{model.name}.predict", logits, (2, len(data.classes)))
    model.train()
