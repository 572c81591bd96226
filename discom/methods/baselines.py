"""The teacher, and what a distillation is compared with: cross-entropy and nothing else."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from discom.errors import ConfigError
from discom.methods.base import Method, register
from discom.models import FusionNetwork, SingleModality


@register("teacher")
class Teacher(Method):
    """One ResNet-18 for each modality that it reads, their features added, one linear layer.

    Args:
        reads: "all" modalities (multi-modal distillation), or one (cross-modal distillation).
    """

    def __init__(self, channels, classes, encoder, *, reads: str = "all", **options):
        super().__init__(channels, classes, encoder, **options)
        _check_reads("reads", reads, channels)
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

    def predict(self, modality, x):
        return self.model(x)

    def branch(self, modality):
        return copy.deepcopy(self.model)


def _check_reads(option: str, reads: str, channels: Mapping[str, int]) -> None:
    if reads not in ("all", *channels):
        choices = ", ".join(["all", *channels])
        raise ConfigError(f"{option}: '{reads}' is not a modality of this data; choose {choices}")


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
        logits = {name: self.predict(name, batch.x[name]) for name in self.deployed}
        return {"cl": sum(self.cross_entropy(logits[name], batch.y[name]) for name in logits)}

    def predict(self, modality, x):
        return self.branches[modality](x)

    def branch(self, modality):
        return copy.deepcopy(self.branches[modality])


class Taught(OneNetworkEach):
    """Students of a teacher that was trained before; a subclass says what is copied.

    Args:
        teacher: what the teacher reads: "all" modalities, with a student for each (multi-modal
            distillation); or one by name, with a student for every other (cross-modal
            distillation).

    Raises:
        ConfigError: a teacher of a modality that the data lacks, or no modality left for a student.
    """

    needs_teacher = True

    def __init__(self, channels, classes, encoder, *, teacher: str = "all", **options):
        _check_reads("teacher", teacher, channels)
        students = {name: bands for name, bands in channels.items() if name != teacher}
        if not students:
            reason = f"'{teacher}' is the only modality here, so no student is left"
            raise ConfigError(f"teacher: {reason}; use 'all'")
        super().__init__(students, classes, encoder, **options)


@register("student")
class Student(OneNetworkEach):
    """One ResNet-18 per modality and cross-entropy: what every distillation is compared with."""


@register("student-2x")
class Student2x(OneNetworkEach):
    """Two ResNet-18 of one modality, concatenated: the student at a DisCoM-KD branch's capacity."""

    encoders = 2
