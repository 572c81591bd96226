"""Networks: encoders, the disentangling branches, and the single-modality baselines."""

from discom.models.baselines import FusionNetwork, SingleModality
from discom.models.disentangled import Branch, DisCoM, Embedding, Heads
from discom.models.encoders import Encoder, resnet18

__all__ = ["Branch", "DisCoM", "Embedding", "Encoder", "FusionNetwork", "Heads", "SingleModality", "resnet18"]
