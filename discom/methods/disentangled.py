"""DisCoM-KD, its branch alone, and MDiCo."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import torch
from pydantic import NonNegativeFloat, NonNegativeInt
from torch import Tensor, nn

from discom.errors import ConfigError
from discom.losses import disentangle, full_precision, reverse_gradient, summed
from discom.losses.contrastive import contrastive_loss
from discom.methods.base import Method
from discom.models.disentangled import DisCoM

ADVERSARY_STEPS = 5  # of the alternating classifier before each step of the encoders
ADVERSARY_RATE = 3.0  # its learning rate in multiples of theirs


class _Embedding(Method):
    """Delegates to the `DisCoM` that holds a modality's branch, by default one of all modalities,
    whose heads they share. `dimension`: see `DisCoMKD`."""

    def __init__(self, channels, classes, encoder, *, dimension: NonNegativeInt = 0, **options):
        super().__init__(channels, classes, encoder, **options)
        self.make(channels, partial(DisCoM, classes=classes, encoder=encoder, dimension=dimension))

    def make(self, channels: Mapping[str, int], network: Callable[..., DisCoM]) -> None:
        """Make the networks of these modalities."""
        self.model = network(channels)

    def owner(self, modality: str) -> DisCoM:
        """What holds the branch of that modality, and the heads that were trained with it."""
        return self.model

    def deployed_module(self, modality):
        return self.owner(modality).deployed_module(modality)

    def parts(self, x: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """Images by modality → the invariant, informative and irrelevant parts by it, [B, D]."""
        z = [self.owner(name).embed(name, own) for name, own in x.items()]
        return [dict(zip(x, part, strict=True)) for part in zip(*z, strict=True)]

    def embed(self, modality: str, x: Tensor) -> dict[str, Tensor]:
        """Images [B, C_in, H, W] → the named parts of their embedding, [B, D] each."""
        return self.owner(modality).embed(modality, x)._asdict()


def each(function: Callable[[Tensor], Tensor], part: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Modality → a head, or another function, of its part."""
    return {name: function(own) for name, own in part.items()}


def class_logits(heads: Any, inv: Mapping[str, Tensor], inf: Mapping[str, Tensor]) -> dict:
    """Modality → what its own classifier makes of two parts, [B, C]."""
    return {name: heads.task[name](torch.cat([inv[name], inf[name]], dim=1)) for name in inv}


class DisCoMSolo(_Embedding, name="discom-solo"):
    """DisCoM-KD's branch trained on its own modality alone: L_cl + L_aux + L_⊥, nothing shared.

    With one modality, L_adv and L_mod have nothing to tell apart. Only what DisCoM-KD gains over
    this control comes from the other modality.
    """

    terms = dict.fromkeys(("cl", "aux", "orth"), 1.0)
    unlabelled = ("orth",)

    def make(self, channels, network):
        models = {name: network({name: bands}) for name, bands in channels.items()}
        self.models: Any = nn.ModuleDict(models)

    def owner(self, modality):
        return self.models[modality]

    def loss(self, batch):
        rows = []
        for name, x in batch.x.items():
            heads, labels = self.models[name].heads, (batch.y, "paper", self.class_weights)
            inv, inf, irr = self.parts({name: x})
            cl = disentangle.task_loss(class_logits(heads, inv, inf), *labels)
            aux = disentangle.auxiliary_loss(each(heads.aux, inv), each(heads.aux, inf), *labels)
            orth = disentangle.orthogonality_loss(inv, inf, irr)
            rows.append({"cl": cl, "aux": aux, "orth": orth})
        return summed(rows)


class DisCoMKD(_Embedding, name="discom"):
    """DisCoM-KD (Ienco and Dantas, BMVC 2024), Eqs. 2–7, with options that the paper lacks.

    Args:
        grl_lambda: strength λ of the gradient reversal (paper: 1).
        dimension: D; 0 is half the encoder's features (paper), another number adds a linear layer.
        pairing: "unpaired" shuffles each modality on its own (paper), "paired" keeps scenes
            together.
        adversary: "reversal" (paper) or "alternating" (Goodfellow et al., NeurIPS 2014, Algorithm
            1): the classifier of the modalities has its own Adam, of three times the encoders'
            learning rate, and takes five steps before each of theirs.
        reduction, modality_targets: "paper" or "released", see `losses.disentangle`.
    """

    terms = dict.fromkeys(("cl", "adv", "mod", "aux", "orth"), 1.0)
    single_sensor_control = "discom-solo"
    unlabelled = ("adv", "mod", "orth")

    def __init__(
        self,
        *parts,
        grl_lambda: NonNegativeFloat = 1.0,
        pairing: Literal["paired", "unpaired"] = "unpaired",
        adversary: Literal["reversal", "alternating"] = "reversal",
        reduction: Literal["paper", "released"] = "paper",
        modality_targets: Literal["paper", "released"] = "paper",
        **options,
    ):
        super().__init__(*parts, **options)  # channels, classes, encoder
        self.conventions = {"reduction": reduction, "modality_targets": modality_targets}
        self.paired, alternating = pairing == "paired", adversary == "alternating"
        self.grl_lambda = grl_lambda
        if alternating:
            if "released" in self.conventions.values():
                found = f"'{adversary}' is not in the released code"
                raise ConfigError("adversary", found, "leave 'released' out")
            weights = self.model.heads.adv.parameters()
            self.adversary_optimizer = torch.optim.Adam(weights, betas=(0.5, 0.999), fused=True)

    def loss(self, batch):
        (inv, inf, irr), heads, how = self.parts(batch.x), self.model.heads, self.conventions
        labels = batch.y, how["reduction"], self.class_weights
        cl = disentangle.task_loss(class_logits(heads, inv, inf), *labels)
        adv = self.adversarial(inv)
        mod = disentangle.modality_loss(each(heads.mod_inf, inf), each(heads.mod_irr, irr), **how)
        aux = disentangle.auxiliary_loss(each(heads.aux, inv), each(heads.aux, inf), *labels)
        orth = disentangle.orthogonality_loss(inv, inf, irr, how["reduction"])
        return {"cl": cl, "adv": adv, "mod": mod, "aux": aux, "orth": orth}

    def adversarial(self, inv: Mapping[str, Tensor]) -> Tensor:
        """Eq. 3. Of the alternating adversary its two sides in turn: the classifier's steps, on
        embeddings that get no gradient, and the term, of a copy of it that gets none."""
        head, eq_3 = self.model.heads.adv, disentangle.adversarial_loss
        reverse = partial(reverse_gradient, grl_lambda=self.grl_lambda)
        if self.adversary_optimizer is None:
            return eq_3(each(head, each(reverse, inv)), **self.conventions)
        inv = each(full_precision, inv)
        with torch.autocast(inv[self.deployed[0]].device.type, enabled=False):
            for _ in range(ADVERSARY_STEPS if self.training else 0):
                eq_3(each(head, each(torch.detach, inv))).backward()
                self.adversary_optimizer.step()
                self.adversary_optimizer.zero_grad()
            frozen = copy.deepcopy(head).requires_grad_(False)
            return eq_3(each(frozen, each(reverse, inv)))

    def set_rate(self, rate):
        if self.adversary_optimizer is not None:
            self.adversary_optimizer.param_groups[0]["lr"] = ADVERSARY_RATE * rate


class MDiCo(_Embedding, name="mdico"):
    """MDiCo (Mena et al., Machine Learning 2025): DisCoM-KD's branches and heads, with a contrast
    of pairs in the place of adversary and L_⊥.

    L = mean_m CE(Cl_m) + mean_m ½ Σ_{inv, inf} CE(Cl_aux) + L_con + mean_m ½ Σ_{inf, irr} CE(Cl_m)

    In the released code the second head of the modality reads z_inv in the place of z_irr.
    """

    terms = dict.fromkeys(("cl", "aux", "mod", "contrast"), 1.0)
    unlabelled = ("mod", "contrast")
    single_sensor_control = "discom-solo"
    paired = True

    def loss(self, batch):
        (inv, inf, irr), heads, count = self.parts(batch.x), self.model.heads, len(batch.x)
        labels = batch.y, "paper", self.class_weights
        cl = disentangle.task_loss(class_logits(heads, inv, inf), *labels)
        aux = disentangle.auxiliary_loss(each(heads.aux, inv), each(heads.aux, inf), *labels)
        mod = disentangle.modality_loss(each(heads.mod_inf, inf), each(heads.mod_irr, irr))
        both, contrast = 2 * count, contrastive_loss(inv)  # aux and mod are of two parts
        return {"cl": cl / count, "aux": aux / both, "mod": mod / both, "contrast": contrast}
