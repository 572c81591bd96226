"""Methods for few labels: a student, and terms that learn from samples without a label.

`simclr`, `fixmatch` and `fixmatch-simclr` use one sensor; `nt-xent`, `decur` and `agreed` use
pairs. In their losses v_m is a view of x_m by `augmentation.distort`, p_m a projection of the
features, and r grows from 0 to 1 over the first 30 % of the epochs.
"""

from itertools import combinations
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from discom.data.augmentation import distort
from discom.data.batches import Batch
from discom.losses import full_precision
from discom.losses.contrastive import barlow_twins, contrastive_loss, decur_cross, nt_xent
from discom.losses.pseudo import fixmatch
from discom.methods.baselines import UNITS, IndependentNetworks

COMMON = UNITS * 3 // 4  # units that DeCUR's sensors share, as many as its authors take
Threshold = Annotated[float, Field(gt=0, le=1)]
WARMUP = 0.3  # share of the epochs in which the weight of pseudo-labels grows from 0 to 1


def _views(x: Tensor, modality: str, batch: Batch) -> Tensor:
    """The images, and below them a distorted view of each, [2B, C_in, H, W]."""
    return torch.cat([x, distort(x, batch.symmetry[modality])])


class _Projecting(IndependentNetworks):
    """`student`, with projected features that a loss compares on all samples. A projection is a
    hidden layer as wide as the features, and a linear layer; it is not deployed."""

    terms = {"cl": 1.0, "contrast": 1.0}
    unlabelled: tuple[str, ...] = ("contrast",)

    def __init__(self, channels, classes, encoder, **options):
        super().__init__(channels, classes, encoder, **options)
        self.projections = nn.ModuleDict()
        for name in channels:
            width = self.branches[name].task.in_features
            layers = nn.Linear(width, width), nn.ReLU(), nn.Linear(width, UNITS)
            self.projections[name] = nn.Sequential(*layers)


class _PseudoLabelling(IndependentNetworks):
    """Methods that learn their own confident predictions as labels."""

    needs_unlabelled = True

    def __init__(self, *parts, threshold: Threshold = 0.5, **options):
        super().__init__(*parts, **options)
        self.threshold = threshold

    def pseudo(self, weak: Tensor, strong: Tensor, batch: Batch) -> Tensor:
        """The `fixmatch` loss; its weight grows over the first `WARMUP` of the epochs."""
        return min(1.0, batch.progress / WARMUP) * fixmatch(weak, strong, self.threshold)


class SimCLR(_Projecting, name="simclr"):
    """The student with SimCLR: an image and a distorted view of it find each other in the batch.

    L = Σ_m CE(Cl_m(x_m), y_m) + w Σ_m NT-Xent(p_m(x_m), p_m(v_m))

    The control without the other sensor: the images, labels and steps of `nt-xent`.
    Source: Chen et al., ICML 2020.
    """

    terms = {"cl": 1.0, "contrast": 0.3}

    def loss_of(self, modality, batch):
        network, x = self.branches[modality], batch.x[modality]
        features = network.features(_views(x, modality, batch))
        first, second = self.projections[modality](features).chunk(2)
        cl = self.cross_entropy(network.task(features[: len(x)]), batch.y[modality])
        return {"cl": cl, "contrast": nt_xent(first, second)}


class FixMatch(_PseudoLabelling, name="fixmatch"):
    """The student with FixMatch: a distorted view learns the confident label of the image itself.

    L = Σ_m CE(Cl_m(x_m), y_m) + r Σ_m fixmatch(Cl_m(x_m), Cl_m(v_m), τ)

    The strongest method of one sensor: the control of `agreed`. Source: Sohn et al., NeurIPS 2020;
    theirs is τ = .95 and 2²⁰ steps without a warm-up.

    Args:
        threshold: τ, in (0, 1]; the default was chosen with nine classes.
    """

    terms = {"cl": 1.0, "pseudo": 1.0}
    unlabelled = ("pseudo",)

    def loss_of(self, modality, batch):
        weak, strong = self.predict(modality, _views(batch.x[modality], modality, batch)).chunk(2)
        cl = self.cross_entropy(weak, batch.y[modality])
        return {"cl": cl, "pseudo": self.pseudo(weak, strong, batch)}


class FixMatchSimCLR(_PseudoLabelling, _Projecting, name="fixmatch-simclr"):
    """FixMatch and SimCLR together: all that `agreed` does, by one sensor with itself.

    L = Σ_m CE(Cl_m(x_m), y_m) + w Σ_m NT-Xent(p_m(x_m), p_m(v_m))
    + r Σ_m fixmatch(Cl_m(x_m), Cl_m(v_m), τ)

    The control of `agreed` that has both a contrast and pseudo-labels, without the other sensor.
    Sources: Chen et al., ICML 2020; Sohn et al., NeurIPS 2020; to add them is ours.

    Args:
        threshold: τ, in (0, 1].
    """

    terms = {"cl": 1.0, "contrast": 1.0, "pseudo": 1.0}
    unlabelled: tuple[str, ...] = ("contrast", "pseudo")

    def loss_of(self, modality, batch):
        network, x = self.branches[modality], batch.x[modality]
        features = network.features(_views(x, modality, batch))
        first, second = self.projections[modality](features).chunk(2)
        weak, strong = network.task(features).chunk(2)
        return {
            "cl": self.cross_entropy(weak, batch.y[modality]),
            "contrast": nt_xent(first, second),
            "pseudo": self.pseudo(weak, strong, batch),
        }


class NTXent(_Projecting, name="nt-xent"):
    """The student with NT-Xent between sensors: the two views of a scene find each other.

    L = Σ_m CE(Cl_m(x_m), y_m) + w Σ_{m<m'} NT-Xent(p_m(x_m), p_m'(x_m'))

    MDiCo's contrast without its other parts. Source: Tian et al., ECCV 2020 (contrastive multiview
    coding), with the loss of SimCLR.

    Args:
        partners: "paired", or "shuffled", the control: each image looks for another scene, in
            batches of more samples than sensors.
    """

    paired = True
    single_sensor_control = "simclr"

    def __init__(self, *parts, partners: Literal["paired", "shuffled"] = "paired", **options):
        super().__init__(*parts, **options)
        self.partners = partners

    def loss(self, batch):
        cl, projected = [], {}
        for shift, (name, x) in enumerate(batch.x.items()):
            features = self.branches[name].features(x)
            cl.append(self.cross_entropy(self.branches[name].task(features), batch.y[name]))
            rows = self.projections[name](features)
            # batches are in random order, so that the next row is a scene at random
            projected[name] = rows.roll(shift, 0) if self.partners == "shuffled" else rows
        return {"cl": sum(cl), "contrast": contrastive_loss(projected) / 2}  # each pair once


class DeCUR(_Projecting, name="decur"):
    """The student with DeCUR: sensors agree in common units of their projections, not in the rest.

    L = Σ_m CE(Cl_m(x_m), y_m) + w [Σ_m BT(p_m(x_m), p_m(v_m)) + Σ_{m<m'} cross(p_m(x_m),
    p_m'(x_m'))] / n, with BT `barlow_twins`, cross `decur_cross`, and n the number of summands.

    Embeddings divided without an adversary. Source: Wang et al., ECCV 2024, who pretrain without
    labels and share one projection between the sensors; here each has its own.
    """

    terms = {"cl": 1.0, "contrast": 0.03}
    paired = True
    single_sensor_control = "simclr"

    def loss(self, batch):
        cl, projected, parts = [], {}, []
        for name, x in batch.x.items():
            features = self.branches[name].features(_views(x, name, batch))
            logits = self.branches[name].task(features[: len(x)])
            cl.append(self.cross_entropy(logits, batch.y[name]))
            projected[name], view = self.projections[name](features).chunk(2)
            parts.append(barlow_twins(projected[name], view))
        pairs = combinations(projected.values(), 2)
        parts += [decur_cross(a, b, COMMON) for a, b in pairs]
        return {"cl": sum(cl), "contrast": torch.stack(parts).mean()}


class AgreedLabels(_PseudoLabelling, _Projecting, name="agreed"):
    """NT-Xent between sensors, and labels on which the sensors of a pair agree.

    L = Σ_m CE(Cl_m(x_m), y_m) + w Σ_{m<m'} NT-Xent(p_m(x_m), p_m'(x_m'))
    + r Σ_m fixmatch(Σ_k log q_k, Cl_m(v_m), τ), with q_k = softmax(Cl_k(x_k))

    FixMatch whose label comes from all sensors: the product of what they believe. Sources:
    co-training (Blum and Mitchell, COLT 1998), Sohn et al., NeurIPS 2020; the product is ours.

    Args:
        threshold: τ, in (0, 1], for the product; the default was chosen with nine classes.
        strong: whether a distorted view learns the label; else the image itself does.
    """

    terms = {"cl": 1.0, "contrast": 1.0, "pseudo": 1.0}
    unlabelled: tuple[str, ...] = ("contrast", "pseudo")
    paired = True
    single_sensor_control = "fixmatch"

    def __init__(self, *parts, strong: bool = True, threshold: Threshold = 0.3, **options):
        super().__init__(*parts, threshold=threshold, **options)
        self.strong = strong

    def loss(self, batch):
        logits, projected, size = {}, {}, len(batch)
        for name, x in batch.x.items():
            features = self.branches[name].features(_views(x, name, batch) if self.strong else x)
            logits[name] = self.branches[name].task(features)
            projected[name] = self.projections[name](features[:size])
        product = sum(full_precision(z[:size]).log_softmax(1) for z in logits.values())
        return {
            "cl": sum(self.cross_entropy(z[:size], batch.y[m]) for m, z in logits.items()),
            "contrast": contrastive_loss(projected) / 2,
            "pseudo": sum(self.pseudo(product, z[-size:], batch) for z in logits.values()),
        }
