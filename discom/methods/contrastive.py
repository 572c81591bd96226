"""Students that also learn from pairs without a label: SimCLR in each sensor, NT-Xent across."""

from collections.abc import Iterable, Mapping

import torch
from torch import nn

from discom.data.augmentation import distort
from discom.errors import ConfigError
from discom.losses.contrastive import contrastive_loss, nt_xent
from discom.losses.distill import check_temperature, summed
from discom.methods.base import check_several, register
from discom.methods.baselines import OneNetworkEach
from discom.models import two_layers

UNITS = 64  # of the projections that are compared


class _Contrasting(OneNetworkEach):
    """`student`, with a contrast of projected features on all samples. A projection is a hidden
    layer as wide as the features, and a linear layer; it is not deployed.

    Args:
        temperature: τ of NT-Xent.
    """

    terms = {"cl": 1.0, "contrast": 1.0}
    unlabelled = ("contrast",)

    def __init__(self, channels, classes, encoder, *, temperature: float = 0.1, **options):
        super().__init__(channels, classes, encoder, **options)
        check_temperature(temperature)
        self.temperature, projections = temperature, {}
        for name in channels:
            width = self.branches[name].task.in_features
            projections[name] = two_layers(width, width, UNITS)
        self.projections = nn.ModuleDict(projections)


def check_share(share: Mapping[str, float], modalities: Iterable[str]) -> dict[str, float]:
    """Modality → its factor, 1 where not given; a ConfigError for another name or below 0."""
    found = {name: float(share.get(name, 1)) for name in modalities}
    if absent := [name for name in share if name not in found]:
        choices = ", ".join(found)
        raise ConfigError(f"share: '{absent[0]}' is not a modality of this data; choose {choices}")
    if negative := [name for name, factor in found.items() if factor < 0]:
        value = f"{negative[0]}={found[negative[0]]}"
        raise ConfigError(f"share: {value} is negative; use 0 or more")
    return found


@register("simclr")
class SimCLR(_Contrasting):
    """The student with SimCLR: an image and a distorted view of it find each other in the batch.

    L = Σ_m CE(Cl_m(x_m), y_m) + Σ_m w_m NT-Xent(p_m(x_m), p_m(v_m)), with v_m a view of x_m by
    `augmentation.distort` and p_m a projection of the features.

    The control without the other sensor: the images, labels and steps of `nt-xent`.
    Source: Chen et al., ICML 2020.

    Args:
        share: modality → w_m, 1 where not given: no view is right for every sensor.
    """

    terms = {"cl": 1.0, "contrast": 0.3}

    def __init__(self, channels, classes, encoder, *, share: Mapping[str, float] = {}, **options):
        super().__init__(channels, classes, encoder, **options)
        self.share = check_share(share, channels)

    def loss(self, batch):
        rows = []
        for name, x in batch.x.items():
            network = self.branches[name]
            features = network.features(torch.cat([x, distort(x)]))
            first, second = self.projections[name](features).chunk(2)
            logits = network.task(features[: len(x)])
            terms = {"cl": self.cross_entropy(logits, batch.y[name])}
            terms["contrast"] = self.share[name] * nt_xent(first, second, self.temperature)
            rows.append(terms)
        return summed(rows)


@register("nt-xent")
class NTXent(_Contrasting):
    """The student with NT-Xent between sensors: the two views of a scene find each other.

    L = Σ_m CE(Cl_m(x_m), y_m) + Σ_{m<m'} NT-Xent(p_m(x_m), p_m'(x_m')), p_m a projection of the
    features.

    MDiCo's contrast without its other parts. Source: Tian et al., ECCV 2020 (contrastive multiview
    coding), with the loss of SimCLR.
    """

    paired = True

    def __init__(self, channels, classes, encoder, **options):
        super().__init__(channels, classes, encoder, **options)
        check_several(self.name, channels, alone="simclr")

    def loss(self, batch):
        features = {name: self.branches[name].features(x) for name, x in batch.x.items()}
        logits = {name: self.branches[name].task(z) for name, z in features.items()}
        projected = {name: self.projections[name](z) for name, z in features.items()}
        return {
            "cl": sum(self.cross_entropy(logits[name], batch.y[name]) for name in logits),
            "contrast": contrastive_loss(projected, self.temperature) / 2,  # each pair once
        }
