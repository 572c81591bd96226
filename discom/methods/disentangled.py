"""DisCoM-KD, and its branch alone."""

from collections.abc import Mapping

from torch import nn

from discom.errors import ConfigError
from discom.losses import disentangle
from discom.methods.base import Method, register
from discom.models import DisCoM

__all__ = ["DisCoMKD", "DisCoMSolo"]


@register("discom-solo")
class DisCoMSolo(Method):
    """DisCoM-KD's branch trained on its own modality alone: L_cl + L_aux + L_⊥ for each, nothing shared.

    With one modality, L_adv and L_mod have nothing to tell apart. Only what DisCoM-KD gains over this control can have
    come across from the other modality.
    """

    terms = dict.fromkeys(("cl", "aux", "orth"), 1.0)

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

    terms = dict.fromkeys(("cl", "adv", "mod", "aux", "orth"), 1.0)
    published = {"reduction": "released", "modality_targets": "released"}

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
