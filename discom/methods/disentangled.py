"""DisCoM-KD, and its branch alone."""

import math
from collections.abc import Mapping

from torch import nn

from discom.errors import ConfigError
from discom.losses import disentangle, separate
from discom.losses.adversaries import ADVERSARIES
from discom.methods.base import Method, register
from discom.models import DisCoM

__all__ = ["DisCoMKD", "DisCoMSolo"]


@register("discom-solo")
class DisCoMSolo(Method):
    """DisCoM-KD's branch trained on its own modality alone: L_cl + L_aux + L_⊥ for each, nothing
    shared.

    With one modality, L_adv and L_mod have nothing to tell apart. Only what DisCoM-KD gains over
    this control can have come across from the other modality.

    Args:
        dimension: D, as in DisCoM-KD.
    """

    terms = dict.fromkeys(("cl", "aux", "orth"), 1.0)

    def __init__(
        self, channels, classes, encoder, *, dimension: int = 0, weights: Mapping[str, float] = {}
    ):
        super().__init__(channels, classes, encoder, weights=weights)
        self.models = nn.ModuleDict(
            {
                name: DisCoM({name: bands}, classes, encoder, dimension)
                for name, bands in channels.items()
            }
        )

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

    def embed(self, modality, x):
        return self.models[modality].embed(modality, x)._asdict()

    def heads(self, modality):
        """The heads that were trained with that modality's branch."""
        return self.models[modality].heads

    def branch(self, modality):
        return self.models[modality].branch(modality)


@register("discom")
class DisCoMKD(Method):
    """DisCoM-KD (Ienco and Dantas, BMVC 2024), Eqs. 2–7; and, switched on by their weights, terms
    that the paper lacks.

    Args:
        grl_lambda: strength λ of the gradient reversal (paper: 1).
        grl_warmup: epochs over which λ rises from 0, as 2/(1 + exp(-10·e/grl_warmup)) - 1 (Ganin et
            al. 2016); 0 keeps it constant (paper).
        dimension: D; 0 is half the encoder's features (paper), another number adds a linear layer.
        pairing: "unpaired" shuffles each modality on its own (paper), "paired" keeps scenes
        together.
        adversary: how z_inv is made to tell nothing of its modality: "reversal" (paper), or with
            more than two modalities perhaps "confusion" or "pairwise", see `losses.adversaries`.
        reduction, modality_targets: "paper", or what the released code computes; see
        `losses.disentangle`.
        weights: of the paper's terms, 1 each, and of `irr`, `xcov` and `hsic` (`losses.separate`),
            0 each.
    """

    terms = dict.fromkeys(("cl", "adv", "mod", "aux", "orth"), 1.0) | dict.fromkeys(
        ("irr", "xcov", "hsic"), 0.0
    )
    published = {"reduction": "released", "modality_targets": "released"}

    def __init__(
        self,
        channels,
        classes,
        encoder,
        *,
        grl_lambda: float = 1.0,
        grl_warmup: int = 0,
        dimension: int = 0,
        pairing: str = "unpaired",
        adversary: str = "reversal",
        reduction: str = "paper",
        modality_targets: str = "paper",
        weights: Mapping[str, float] = {},
    ):
        super().__init__(channels, classes, encoder, weights=weights)
        if len(channels) < 2:
            raise ConfigError(
                f"discom: needs two modalities or more, the data has {list(channels)}; try discom-solo"
            )
        if pairing not in ("paired", "unpaired"):
            raise ConfigError(f"pairing: '{pairing}' is unknown; choose 'paired' or 'unpaired'")
        if grl_warmup < 0:
            raise ConfigError(
                f"grl_warmup: {grl_warmup} epochs are too few; 0 keeps the strength constant"
            )
        if adversary not in ADVERSARIES:
            raise ConfigError(
                f"adversary: '{adversary}' is unknown; choose {', '.join(ADVERSARIES)}"
            )
        disentangle.check_conventions(reduction=reduction, modality_targets=modality_targets)
        self.conventions = {"reduction": reduction, "modality_targets": modality_targets}
        if adversary != "reversal" and "released" in self.conventions.values():
            raise ConfigError(
                f"adversary: '{adversary}' is not in the released code; leave its conventions out"
            )
        self.adversary = ADVERSARIES[adversary]
        self.model = DisCoM(channels, classes, encoder, dimension, pairwise=adversary == "pairwise")
        if self.weights[
            "irr"
        ]:  # made last and only if used: the other networks start from the same weights without it
            width = self.model.heads.aux.in_features
            self.irrelevant = nn.Sequential(
                nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes)
            )
        self.paired = pairing == "paired"
        self.grl_lambda, self.grl_warmup = grl_lambda, grl_warmup

    def loss(self, batch):
        embeddings, heads = (
            {name: self.model.embed(name, x) for name, x in batch.x.items()},
            self.model.heads,
        )
        strength = self.reversal(batch.epoch)
        total = disentangle.terms(
            embeddings,
            heads,
            batch.y,
            grl_lambda=strength,
            adversary=self.adversary,
            **self.conventions,
        )
        extra = {
            "irr": lambda: separate.irrelevant_task_loss(
                embeddings, self.irrelevant, batch.y, grl_lambda=strength
            ),
            "xcov": lambda: separate.cross_covariance(embeddings),
            "hsic": lambda: separate.hsic(embeddings),
        }
        return total | {name: term() for name, term in extra.items() if self.weights[name]}

    def reversal(self, epoch: int) -> float:
        """The gradient reversal's λ in an epoch."""
        if not self.grl_warmup:
            return self.grl_lambda
        return self.grl_lambda * (2 / (1 + math.exp(-10 * min(epoch / self.grl_warmup, 1))) - 1)

    def predict(self, modality, x):
        return self.model.predict(modality, x)

    def embed(self, modality, x):
        return self.model.embed(modality, x)._asdict()

    def heads(self, modality):
        """The heads that were trained with that modality's branch: one set for all."""
        return self.model.heads

    def branch(self, modality):
        return self.model.branch(modality)
