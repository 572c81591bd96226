"""DisCoM-KD, its branch alone, and MDiCo."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from discom.errors import ConfigError, check_choice
from discom.losses import disentangle, separate
from discom.losses.adversaries import ADVERSARIES, discriminator_loss
from discom.losses.contrastive import contrastive_loss
from discom.losses.distill import check_temperature, summed
from discom.methods.base import Method, check_several, register
from discom.models import DisCoM, two_layers


class _Embedding(Method):
    """Delegates to the `DisCoM` that holds a modality's branch."""

    def owner(self, modality: str) -> DisCoM:
        raise TypeError(f"{type(self).__name__} must define owner(modality)")

    def predict(self, modality, x):
        return self.owner(modality).predict(modality, x)

    def embed(self, modality, x):
        return self.owner(modality).embed(modality, x)._asdict()

    def heads(self, modality):
        """The heads that were trained with that modality's branch."""
        return self.owner(modality).heads

    def branch(self, modality):
        return self.owner(modality).branch(modality)


@register("discom-solo")
class DisCoMSolo(_Embedding):
    """DisCoM-KD's branch trained on its own modality alone: L_cl + L_aux + L_⊥, nothing shared.

    With one modality, L_adv and L_mod have nothing to tell apart. Only what DisCoM-KD gains over
    this control comes from the other modality.

    Args:
        dimension: D, as in DisCoM-KD.
    """

    terms = dict.fromkeys(("cl", "aux", "orth"), 1.0)
    unlabelled = ("orth",)

    def __init__(self, channels, classes, encoder, *, dimension: int = 0, **options):
        super().__init__(channels, classes, encoder, **options)
        models = {
            m: DisCoM({m: bands}, classes, encoder, dimension) for m, bands in channels.items()
        }
        self.models = nn.ModuleDict(models)

    def loss(self, batch):
        rows = []
        for name, x in batch.x.items():
            z, heads = {name: self.models[name].embed(name, x)}, self.models[name].heads
            terms = {
                "cl": disentangle.task_loss(z, heads, batch.y),
                "aux": disentangle.auxiliary_loss(z, heads, batch.y),
                "orth": disentangle.orthogonality_loss(z),
            }
            rows.append(terms)
        return summed(rows)

    def owner(self, modality):
        return self.models[modality]


@register("discom")
class DisCoMKD(_Embedding):
    """DisCoM-KD (Ienco and Dantas, BMVC 2024), Eqs. 2–7, with options that the paper lacks.

    Args:
        grl_lambda: strength λ of the gradient reversal (paper: 1).
        grl_warmup: share w of the run over which λ rises from 0, as 2/(1 + exp(-10·p/w)) - 1 at the
            run's progress p (Ganin et al. 2016); 0 keeps it constant (paper).
        dimension: D; 0 is half the encoder's features (paper), another number adds a linear layer.
        pairing: "unpaired" shuffles each modality on its own (paper), "paired" keeps scenes
            together.
        adversary: "reversal" (paper), "confusion" or "alternating", see `losses.adversaries`. In
            the last, the classifier of the modalities has its own Adam and steps before each step
            of the encoders, which then raise its cross-entropy: the term adv is minus that.
        adversary_head, adversary_steps, adversary_rate: of "alternating": units of the classifier's
            hidden layer, 0 for none; its steps; its learning rate in multiples of the encoders'.
        reduction, modality_targets: "paper" or "released", see `losses.disentangle`.
        weights: of the paper's terms, 1 each, and of `irr`, `xcov` and `hsic` (`losses.separate`)
            and `contrast` (MDiCo's, for paired batches), 0 each.
    """

    terms = {"cl": 1.0, "adv": 1.0, "mod": 1.0, "aux": 1.0, "orth": 1.0}
    terms |= {"irr": 0.0, "xcov": 0.0, "hsic": 0.0, "contrast": 0.0}
    unlabelled = ("adv", "mod", "orth", "xcov", "hsic", "contrast")
    published = {"reduction": "released", "modality_targets": "released"}

    def __init__(
        self,
        channels,
        classes,
        encoder,
        *,
        grl_lambda: float = 1.0,
        grl_warmup: float = 0.0,
        dimension: int = 0,
        pairing: str = "unpaired",
        adversary: str = "reversal",
        adversary_head: int = 0,
        adversary_steps: int = 5,
        adversary_rate: float = 3.0,
        reduction: str = "paper",
        modality_targets: str = "paper",
        **options,
    ):
        super().__init__(channels, classes, encoder, **options)
        check_several(self.name, channels, alone="discom-solo")
        check_choice("pairing", pairing, ("paired", "unpaired"))
        check_choice("adversary", adversary, ADVERSARIES)
        if grl_lambda < 0:
            raise ConfigError(f"grl_lambda: {grl_lambda} would not reverse; use 0 or more")
        if not 0 <= grl_warmup <= 1:
            raise ConfigError(f"grl_warmup: {grl_warmup} is not a share of the run; use 0 to 1")
        self.conventions = {"reduction": reduction, "modality_targets": modality_targets}
        disentangle.check_conventions(**self.conventions)
        if adversary != "reversal" and "released" in self.conventions.values():
            raise ConfigError(
                f"adversary: '{adversary}' is not in the released code; leave 'released' out"
            )
        if adversary == "alternating" and not (self.weights["adv"] and grl_lambda):
            way_out = "leave adversary out, or give both a number above 0"
            raise ConfigError(f"adversary: has no effect where adv or grl_lambda is 0; {way_out}")
        steps = {"adversary_head": adversary_head, "adversary_steps": adversary_steps}
        self._check_adversary(adversary, {**steps, "adversary_rate": adversary_rate})
        if self.weights["contrast"] and pairing != "paired":
            raise ConfigError("weights: contrast compares pairs; set pairing to paired")
        self.adversary = ADVERSARIES[adversary]
        self.model = DisCoM(channels, classes, encoder, dimension)
        width = self.model.heads.aux.in_features
        # last, so that the other networks start from the same weights
        if self.weights["irr"]:
            self.irrelevant = two_layers(width, width, classes)
        if adversary_head:
            self.model.heads.adv = two_layers(width, adversary_head, len(channels))
        if adversary == "alternating":
            weights = self.model.heads.adv.parameters()
            self.adversary_optimizer = torch.optim.Adam(weights, betas=(0.5, 0.999), fused=True)
        self.adversary_steps, self.adversary_rate = adversary_steps, adversary_rate
        self.paired = pairing == "paired"
        self.grl_lambda, self.grl_warmup = grl_lambda, grl_warmup

    def loss(self, batch):
        z = {name: self.model.embed(name, x) for name, x in batch.x.items()}
        heads, strength = self.model.heads, self.reversal(batch.progress)
        if self.adversary_optimizer is not None and self.training:
            self._train_adversary(self.adversary_optimizer, z)
        terms = disentangle.terms(
            z, heads, batch.y, grl_lambda=strength, adversary=self.adversary, **self.conventions
        )
        if self.weights["irr"]:
            terms["irr"] = separate.irrelevant_task_loss(
                z, self.irrelevant, batch.y, grl_lambda=strength
            )
        if self.weights["xcov"]:
            terms["xcov"] = separate.cross_covariance(z)
        if self.weights["hsic"]:
            terms["hsic"] = separate.hsic(z)
        if self.weights["contrast"]:
            terms["contrast"] = contrastive_loss({name: parts.inv for name, parts in z.items()})
        return terms

    def set_rate(self, rate):
        if self.adversary_optimizer is not None:
            self.adversary_optimizer.param_groups[0]["lr"] = self.adversary_rate * rate

    def _train_adversary(self, optimizer: torch.optim.Optimizer, z: Mapping[str, Any]) -> None:
        """The classifier's steps on embeddings as they are; no gradient is left behind."""
        for _ in range(self.adversary_steps):
            discriminator_loss(z, self.model.heads).backward()
            optimizer.step()
            optimizer.zero_grad()

    def _check_adversary(self, adversary: str, settings: Mapping[str, float]) -> None:
        """Refuse settings of the alternating adversary that are out of range, or without effect."""
        default = self.defaults()
        for name, value in settings.items():
            if adversary != "alternating" and value != default[name]:
                way_out = "leave it out, or set adversary to alternating"
                raise ConfigError(f"{name}: has no effect on adversary={adversary}; {way_out}")
            if value < 0 or (value == 0 and name != "adversary_head"):
                raise ConfigError(f"{name}: {value} is out of range; try {default[name]}")

    def reversal(self, progress: float) -> float:
        """The gradient reversal's λ when a share `progress` of the run is over."""
        if not self.grl_warmup:
            return self.grl_lambda
        return self.grl_lambda * (2 / (1 + math.exp(-10 * min(progress / self.grl_warmup, 1))) - 1)

    def owner(self, modality):
        return self.model


@register("mdico")
class MDiCo(_Embedding):
    """MDiCo (Mena et al., Machine Learning 2025): DisCoM-KD's branches and heads, with a contrast
    of pairs in the place of adversary and L_⊥.

    L = mean_m CE(Cl_m) + mean_m ½ Σ_{inv, inf} CE(Cl_aux) + L_con + mean_m ½ Σ_{inf, irr} CE(Cl_m)

    Args:
        dimension: D, as in DisCoM-KD.
        temperature: τ of L_con.
        irr_reads: what the second head of the modality reads: "irr" (paper), or "inv" as in the
            released code, where z_irr learns nothing and z_inv is asked for its modality.

    Raises:
        ConfigError: one modality only, or another part than these two.
    """

    terms = dict.fromkeys(("cl", "aux", "mod", "contrast"), 1.0)
    unlabelled = ("mod", "contrast")
    published = {"irr_reads": "inv"}
    paired = True

    def __init__(
        self,
        channels,
        classes,
        encoder,
        *,
        dimension: int = 0,
        temperature: float = 0.1,
        irr_reads: str = "irr",
        **options,
    ):
        super().__init__(channels, classes, encoder, **options)
        check_several(self.name, channels, alone="discom-solo")
        check_choice("irr_reads", irr_reads, ("irr", "inv"))
        check_temperature(temperature)
        self.model = DisCoM(channels, classes, encoder, dimension)
        self.temperature, self.irr_reads = temperature, irr_reads

    def loss(self, batch):
        z = {name: self.model.embed(name, x) for name, x in batch.x.items()}
        heads, count = self.model.heads, len(z)
        invariant = {name: parts.inv for name, parts in z.items()}
        own = {
            name: parts._replace(irr=getattr(parts, self.irr_reads)) for name, parts in z.items()
        }
        return {
            "cl": disentangle.task_loss(z, heads, batch.y) / count,
            "aux": disentangle.auxiliary_loss(z, heads, batch.y) / (2 * count),
            "mod": disentangle.modality_loss(own, heads) / (2 * count),
            "contrast": contrastive_loss(invariant, self.temperature),
        }

    def owner(self, modality):
        return self.model
