"""Networks: encoders, DisCoM-KD's branches, the baselines, and encoder–decoders."""

from discom.models.disentangled import Branch, DisCoM, Embedding, Heads
from discom.models.encoders import (
    Encoder,
    FusionNetwork,
    MatrixConv,
    SingleModality,
    encoder,
    resnet10,
    resnet18,
    two_layers,
)
from discom.models.segmentation import Decoder, EncoderDecoder, FusionDecoder, Network, network

__all__ = ["Branch", "Decoder", "DisCoM", "Embedding", "Encoder", "EncoderDecoder", "FusionDecoder"]
__all__ += ["FusionNetwork", "Heads", "MatrixConv", "Network", "SingleModality", "encoder"]
__all__ += ["network", "resnet10", "resnet18", "two_layers"]
