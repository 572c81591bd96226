"""What a distillation is compared with, and the teacher it learns from: cross-entropy and nothing
else."""

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from discom.errors import ConfigError
from discom.methods.base import Method, register
from discom.models import FusionNetwork, SingleModality

__all__ = ["OneNetworkEach", "Student", "Student2x", "Teacher", "check_reads", "students_of"]


@register("teacher")
class Teacher(Method):
    """One ResNet-18 for each modality that it reads, their features added, one linear layer.

    Args:
        reads: "all" modalities (multi-modal distillation), or one by name (cross-modal
            distillation).
    """

    def __init__(
        self, channels, classes, encoder, *, reads: str = "all", weights: Mapping[str, float] = {}
    ):
        super().__init__(channels, classes, encoder, weights=weights)
        self.reads = list(channels) if check_reads("reads", reads, channels) == "all" else [reads]
        self.deployed = ["+".join(self.reads)]
        self.paired = len(self.reads) > 1
        self.model = FusionNetwork({name: channels[name] for name in self.reads}, classes, encoder)

    def loss(self, batch):
        x = torch.cat([batch.x[name] for name in self.reads], dim=1)
        return {"cl": F.cross_entropy(self.model(x), batch.y[self.reads[0]])}

    def predict(self, modality, x):
        return self.model(x)

    def branch(self, modality):
        return copy.deepcopy(self.model)


def check_reads(option: str, reads: str, channels: Mapping[str, int]) -> str:
    """`reads` if a teacher can read it.

    Raises:
        ConfigError: it is neither "all" nor a modality of the data.
    """
    if reads not in ("all", *channels):
        raise ConfigError(
            f"{option}: '{reads}' is no modality of this data; choose all, {', '.join(channels)}"
        )
    return reads


def students_of(teacher: str, channels: Mapping[str, int]) -> dict[str, int]:
    """The modalities that a student is trained for, with their bands: all, or all but the one that
    the teacher reads.

    Raises:
        ConfigError: a teacher of a modality that the data lacks, or no modality left for a student.
    """
    check_reads("teacher", teacher, channels)
    students = {name: bands for name, bands in channels.items() if name != teacher}
    if not students:
        raise ConfigError(
            f"teacher: '{teacher}' is the only modality here, so no student is left; use 'all'"
        )
    return students


class OneNetworkEach(Method):
    """A network for each modality, trained side by side; they share nothing, so it is as if each
    trained alone."""

    encoders = 1

    def __init__(self, channels, classes, encoder, *, weights: Mapping[str, float] = {}):
        super().__init__(channels, classes, encoder, weights=weights)
        self.branches = nn.ModuleDict(
            {
                name: SingleModality(bands, classes, encoder, self.encoders)
                for name, bands in channels.items()
            }
        )

    def loss(self, batch):
        return {
            "cl": sum(
                F.cross_entropy(self.predict(name, batch.x[name]), batch.y[name])
                for name in self.deployed
            )
        }

    def predict(self, modality, x):
        return self.branches[modality](x)

    def branch(self, modality):
        return copy.deepcopy(self.branches[modality])


@register("student")
class Student(OneNetworkEach):
    """One ResNet-18 per modality and cross-entropy: what every distillation is compared with."""


@register("student-2x")
class Student2x(OneNetworkEach):
    """Two ResNet-18 of the same modality, concatenated: the student at a DisCoM-KD branch's
    capacity."""

    encoders = 2
