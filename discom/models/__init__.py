"""Networks: encoders, the disentangling branches, and the single-modality baselines."""

from discom.models.baselines import FusionNetwork, SingleModality
from discom.models.disentangled import Branch, DisCoM, Embedding, Heads
from discom.models.encoders import Encoder, resnet18
from discom.models.fusion import CrossDecoder, FusionDecoder
from discom.models.segmentation import Decoder, EncoderDecoder, Network, network
from discom.models.small_maps import MatrixConv, as_products

__all__ = [
    "Branch",
    "CrossDecoder",
    "Decoder",
    "DisCoM",
    "Embedding",
    "Encoder",
    "EncoderDecoder",
    "FusionDecoder",
    "FusionNetwork",
    "Heads",
    "MatrixConv",
    "Network",
    "SingleModality",
    "as_products",
    "network",
    "resnet18",
]
