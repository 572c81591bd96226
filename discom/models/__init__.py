"""Networks: encoders, the disentangling branches, and the single-modality baselines."""

from discom.models.baselines import FusionNetwork, SingleModality
from discom.models.disentangled import Branch, DisCoM, Embedding, Heads
from discom.models.encoders import Encoder, resnet18
from discom.models.small_maps import MatrixConv, as_products

__all__ = ["Branch", "DisCoM", "Embedding", "Encoder", "FusionNetwork", "Heads", "MatrixConv", "SingleModality",
           "as_products", "resnet18"]  # fmt: skip
