"""The teacher, and what a distillation is compared with: cross-entropy alone, or with a contrast of
pairs that needs no label."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from discom.data.augmentation import distort
from discom.data.batches import Batch
from discom.data.checks import check_number
from discom.errors import ConfigError, check_choice
from discom.losses import summed
from discom.losses.contrastive import contrastive_loss, nt_xent
from discom.methods.base import Method, register
from discom.models import FusionNetwork, SingleModality, two_layers

UNITS = 64  # of the projections that are compared


@register("teacher")
class Teacher(Method):
    """One encoder for each modality that it reads, their features added, one linear layer.

    Args:
        reads: "all" modalities (multi-modal distillation), or one (cross-modal distillation).
    """

    def __init__(self, channels, classes, encoder, *, reads: str = "all", **options):
        super().__init__(channels, classes, encoder, **options)
        check_choice("reads", reads, ("all", *channels))
        self.reads = list(channels) if reads == "all" else [reads]
        self.deployed = ["+".join(self.reads)]
        self.paired = self.dense or len(self.reads) > 1
        self.model: Any = self.make({name: channels[name] for name in self.reads}, classes, encoder)

    def make(self, channels: Mapping[str, int], classes: int, encoder: Any) -> nn.Module:
        """The network of these modalities."""
        return FusionNetwork(channels, classes, encoder)

    def loss(self, batch):
        x = torch.cat([batch.x[name] for name in self.reads], dim=1)
        return {"cl": self.cross_entropy(self.model(x), batch.y[self.reads[0]])}

    def network_of(self, modality):
        return self.model


class OneNetworkEach(Method):
    """A network for each modality, trained side by side as if each trained alone."""

    encoders = 1

    def __init__(self, channels, classes, encoder, **options):
        super().__init__(channels, classes, encoder, **options)
        networks = {name: self.make(bands, classes, encoder) for name, bands in channels.items()}
        self.branches = nn.ModuleDict(networks)

    def make(self, bands: int, classes: int, encoder: Any) -> nn.Module:
        """One modality's network."""
        return SingleModality(bands, classes, encoder, self.encoders)

    def loss(self, batch):
        return summed([self.loss_of(name, batch) for name in self.deployed])

    def loss_of(self, modality: str, batch: Batch) -> dict[str, Tensor]:
        """The terms of one modality's network, unweighted."""
        logits = self.predict(modality, batch.x[modality])
        return {"cl": self.cross_entropy(logits, batch.y[modality])}

    def network_of(self, modality):
        return self.branches[modality]


class Taught(OneNetworkEach):
    """Students of a teacher that was trained before; a subclass says what is copied.

    Args:
        teacher: what the teacher reads: "all" modalities, with a student for each (multi-modal
            distillation); or one by name, with a student for every other (cross-modal
            distillation).

    Raises:
        ConfigError: a teacher of a modality that the data lacks, or no modality left for a student.
    """

    def __init__(self, channels, classes, encoder, *, teacher: str = "all", **options):
        check_choice("teacher", teacher, ("all", *channels))
        students = {name: bands for name, bands in channels.items() if name != teacher}
        if not students:
            raise ConfigError("teacher", f"'{teacher}' is the only modality here", "use 'all'")
        super().__init__(students, classes, encoder, **options)


@register("student")
class Student(OneNetworkEach):
    """One encoder per modality and cross-entropy: what every distillation is compared with."""


@register("student-2x")
class Student2x(OneNetworkEach):
    """Two encoders of one modality, concatenated: the student at a DisCoM-KD branch's capacity."""

    encoders = 2


class _Contrasting(OneNetworkEach):
    """`student`, with a contrast of projected features on all samples. A projection is a hidden
    layer as wide as the features, and a linear layer; it is not deployed."""

    terms = {"cl": 1.0, "contrast": 1.0}
    unlabelled = ("contrast",)

    def __init__(self, channels, classes, encoder, **options):
        super().__init__(channels, classes, encoder, **options)
        self.projections = nn.ModuleDict()
        for name in channels:
            width = self.branches[name].task.in_features
            self.projections[name] = two_layers(width, width, UNITS)


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
        for name, factor in share.items():
            check_choice("share", name, channels)
            check_number(f"share: {name}", factor, 0, whole=False)
        self.share = {**dict.fromkeys(channels, 1.0), **share}

    def loss_of(self, modality, batch):
        network, x = self.branches[modality], batch.x[modality]
        features = network.features(torch.cat([x, distort(x, batch.motions[modality])]))
        first, second = self.projections[modality](features).chunk(2)
        contrast = self.share[modality] * nt_xent(first, second)
        cl = self.cross_entropy(network.task(features[: len(x)]), batch.y[modality])
        return {"cl": cl, "contrast": contrast}


@register("nt-xent")
class NTXent(_Contrasting):
    """The student with NT-Xent between sensors: the two views of a scene find each other.

    L = Σ_m CE(Cl_m(x_m), y_m) + Σ_{m<m'} NT-Xent(p_m(x_m), p_m'(x_m')), p_m a projection of the
    features.

    MDiCo's contrast without its other parts. Source: Tian et al., ECCV 2020 (contrastive multiview
    coding), with the loss of SimCLR.
    """

    paired = True
    alone = "simclr"

    def loss(self, batch):
        cl, projected = [], {}
        for name, x in batch.x.items():
            features = self.branches[name].features(x)
            cl.append(self.cross_entropy(self.branches[name].task(features), batch.y[name]))
            projected[name] = self.projections[name](features)
        return {"cl": sum(cl), "contrast": contrastive_loss(projected) / 2}  # each pair once
