"""The teacher, and what a distillation is compared with: cross-entropy alone."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from discom.data.batches import Batch
from discom.errors import ConfigError, check_choice
from discom.losses import summed
from discom.methods.base import Method
from discom.methods.returned import as_terms
from discom.models.encoders import FusionNetwork, SingleModality

UNITS = 64  # of the projections that are compared


class Teacher(Method, name="teacher"):
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

    def deployed_module(self, modality):
        return self.model


class IndependentNetworks(Method):
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
        place = f"{self.name}.loss_of"
        return summed([as_terms(place, self.loss_of(name, batch)) for name in self.deployed])

    def loss_of(self, modality: str, batch: Batch) -> dict[str, Tensor]:
        """The terms of one modality's network, unweighted."""
        logits = self.predict(modality, batch.x[modality])
        return {"cl": self.cross_entropy(logits, batch.y[modality])}

    def embed(self, modality: str, x: Tensor) -> dict[str, Tensor]:
        """Images [B, C_in, H, W] → what the linear layer of their network reads, [B, D]."""
        return {} if self.dense else {"features": self.branches[modality].features(x)}

    def deployed_module(self, modality):
        return self.branches[modality]


class Taught(IndependentNetworks):
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


class Student(IndependentNetworks, name="student"):
    """One encoder per modality and cross-entropy: what every distillation is compared with."""


class Student2x(IndependentNetworks, name="student-2x"):
    """Two encoders of one modality, concatenated: the student at a DisCoM-KD branch's capacity."""

    encoders = 2
