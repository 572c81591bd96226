"""DisCoM-KD, its branch alone, and MDiCo."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from discom.errors import ConfigError, check_choice
from discom.losses import disentangle, separate, summed
from discom.losses.adversaries import ADVERSARIES, discriminator_loss
from discom.losses.contrastive import contrastive_loss
from discom.losses.distill import check_temperature
from discom.methods.base import Method, check_several, register, warn_no_effect
from discom.models import DisCoM, two_layers


class _Embedding(Method):
    """Delegates to the `DisCoM` that holds a modality's branch."""

    def owner(self, modality: str) -> DisCoM:
        raise TypeError(f"{type(self).__name__} must define owner(modality)")

    def network_of(self, modality):
        return self.owner(modality).network_of(modality)

    def embed(self, modality, x):
        return self.owner(modality).embed(modality, x)._asdict()

    def heads(self, modality):
        """The heads that were trained with that modality's branch."""
        return self.owner(modality).heads


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
        self.models: Any = nn.ModuleDict()
        for name, bands in channels.items():
            self.models[name] = DisCoM({name: bands}, classes, encoder, dimension)

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


class _Crossing(_Embedding):
    """One `DisCoM` of all modalities, whose heads they share."""

    def __init__(self, channels, classes, encoder, *, dimension: int = 0, **options):
        super().__init__(channels, classes, encoder, **options)
        check_several(self.name, channels, alone="discom-solo")
        self.model = DisCoM(channels, classes, encoder, dimension)

    def owner(self, modality):
        return self.model


@register("discom")
class DisCoMKD(_Crossing):
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
        *parts,
        grl_lambda: float = 1.0,
        grl_warmup: float = 0.0,
        pairing: str = "unpaired",
        adversary: str = "reversal",
        adversary_head: int = 0,
        adversary_steps: int = 5,
        adversary_rate: float = 3.0,
        reduction: str = "paper",
        modality_targets: str = "paper",
        **options,
    ):
        super().__init__(*parts, **options)  # channels, classes, encoder
        check_choice("pairing", pairing, ("paired", "unpaired"))
        check_choice("adversary", adversary, ADVERSARIES)
        if grl_lambda < 0:
            raise ConfigError("grl_lambda", f"{grl_lambda} would not reverse", "use 0 or more")
        if not 0 <= grl_warmup <= 1:
            raise ConfigError("grl_warmup", f"{grl_warmup} is not a share of the run", "use 0 to 1")
        self.conventions = {"reduction": reduction, "modality_targets": modality_targets}
        disentangle.check_conventions(**self.conventions)
        if adversary != "reversal" and "released" in self.conventions.values():
            found = f"'{adversary}' is not in the released code"
            raise ConfigError("adversary", found, "leave 'released' out")
        if self.weights["contrast"] and pairing != "paired":
            raise ConfigError("weights", "contrast compares pairs", "set pairing to paired")
        self.paired, self.adversary = pairing == "paired", ADVERSARIES[adversary]
        self.grl_lambda, self.grl_warmup = grl_lambda, grl_warmup
        if self.weights["irr"]:  # last, so that the other networks start from the same weights
            width = self.model.heads.aux.in_features
            self.irrelevant = two_layers(width, width, self.model.heads.aux.out_features)
        self._set_adversary(adversary, adversary_head, adversary_steps, adversary_rate)

    def _set_adversary(self, adversary: str, head: int, steps: int, rate: float) -> None:
        """The classifier of the alternating adversary and its optimizer."""
        default, alternating = self.defaults(), adversary == "alternating"
        settings = {"adversary_head": head, "adversary_steps": steps, "adversary_rate": rate}
        for name, value in settings.items():
            if value < 0 or (value == 0 and name != "adversary_head"):
                raise ConfigError(name, f"{value} is out of range", f"try {default[name]}")
            if value != default[name] and not alternating:
                warn_no_effect(name, f"on adversary={adversary}")
        if not alternating:
            return
        if not (self.weights["adv"] and self.grl_lambda):
            warn_no_effect("adversary", "where adv or grl_lambda is 0")
        heads, self.adversary_steps, self.adversary_rate = self.model.heads, steps, rate
        if head:
            heads.adv = two_layers(heads.aux.in_features, head, len(heads.task))
        weights = heads.adv.parameters()
        self.adversary_optimizer = torch.optim.Adam(weights, betas=(0.5, 0.999), fused=True)

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

    def reversal(self, progress: float) -> float:
        """The gradient reversal's λ when a share `progress` of the run is over."""
        if not self.grl_warmup:
            return self.grl_lambda
        return self.grl_lambda * (2 / (1 + math.exp(-10 * min(progress / self.grl_warmup, 1))) - 1)


@register("mdico")
class MDiCo(_Crossing):
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

    def __init__(self, *parts, temperature: float = 0.1, irr_reads: str = "irr", **options):
        check_choice("irr_reads", irr_reads, ("irr", "inv"))
        check_temperature(temperature)
        super().__init__(*parts, **options)  # channels, classes, encoder
        self.temperature, self.irr_reads = temperature, irr_reads

    def loss(self, batch):
        z = {name: self.model.embed(name, x) for name, x in batch.x.items()}
        heads, count = self.model.heads, len(z)
        invariant = {name: parts.inv for name, parts in z.items()}
        own = {m: parts._replace(irr=getattr(parts, self.irr_reads)) for m, parts in z.items()}
        return {
            "cl": disentangle.task_loss(z, heads, batch.y) / count,
            "aux": disentangle.auxiliary_loss(z, heads, batch.y) / (2 * count),
            "mod": disentangle.modality_loss(own, heads) / (2 * count),
            "contrast": contrastive_loss(invariant, self.temperature),
        }
