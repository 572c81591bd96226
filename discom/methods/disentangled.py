"""DisCoM-KD, its branch alone, and MDiCo."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import torch
from pydantic import NonNegativeFloat, NonNegativeInt
from torch import Tensor, nn

from discom.errors import ConfigError
from discom.losses import disentangle, full_precision, summed
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

    def embed(self, modality: str, x: Tensor) -> dict[str, Tensor]:
        """Images [B, C_in, H, W] → the named parts of their embedding, [B, D] each."""
        return self.owner(modality).embed(modality, x)._asdict()


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
            z, heads = {name: self.models[name].embed(name, x)}, self.models[name].heads
            cl = disentangle.task_loss(z, heads, batch.y, weight=self.class_weights)
            aux = disentangle.auxiliary_loss(z, heads, batch.y, weight=self.class_weights)
            rows.append({"cl": cl, "aux": aux, "orth": disentangle.orthogonality_loss(z)})
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
        z = {name: self.model.embed(name, x) for name, x in batch.x.items()}
        heads, reduction = self.model.heads, self.conventions["reduction"]
        weight = self.class_weights
        return {
            "cl": disentangle.task_loss(z, heads, batch.y, reduction, weight),
            "adv": self.adversarial(z),
            "mod": disentangle.modality_loss(z, heads, **self.conventions),
            "aux": disentangle.auxiliary_loss(z, heads, batch.y, reduction, weight),
            "orth": disentangle.orthogonality_loss(z, reduction),
        }

    def adversarial(self, z: Mapping[str, Any]) -> Tensor:
        """Eq. 3. Of the alternating adversary its two sides in turn: the classifier's steps, on
        embeddings that get no gradient, and the term, of a copy of it that gets none."""
        heads, eq_3 = self.model.heads, disentangle.adversarial_loss
        if self.adversary_optimizer is None:
            return eq_3(z, heads, grl_lambda=self.grl_lambda, **self.conventions)
        z = {name: parts._replace(inv=full_precision(parts.inv)) for name, parts in z.items()}
        with torch.autocast(z[self.deployed[0]].inv.device.type, enabled=False):
            for _ in range(ADVERSARY_STEPS if self.training else 0):
                stopped = {k: parts._replace(inv=parts.inv.detach()) for k, parts in z.items()}
                eq_3(stopped, heads).backward()
                self.adversary_optimizer.step()
                self.adversary_optimizer.zero_grad()
            frozen = copy.deepcopy(heads).requires_grad_(False)
            return eq_3(z, frozen, grl_lambda=self.grl_lambda)

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
        z = {name: self.model.embed(name, x) for name, x in batch.x.items()}
        heads, count, weight = self.model.heads, len(z), self.class_weights
        return {
            "cl": disentangle.task_loss(z, heads, batch.y, weight=weight) / count,
            "aux": disentangle.auxiliary_loss(z, heads, batch.y, weight=weight) / (2 * count),
            "mod": disentangle.modality_loss(z, heads) / (2 * count),
            "contrast": contrastive_loss({name: parts.inv for name, parts in z.items()}),
        }
