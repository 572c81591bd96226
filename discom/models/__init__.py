"""Networks: encoders, the disentangling branches, the baselines, and encoder–decoders."""

from discom.models.baselines import FusionNetwork, SingleModality
from discom.models.disentangled import Branch, DisCoM, Embedding, Heads
from discom.models.encoders import Encoder, MatrixConv, resnet18
from discom.models.segmentation import Decoder, EncoderDecoder, FusionDecoder, Network, network

__all__ = ["Branch", "Decoder", "DisCoM", "Embedding", "Encoder", "EncoderDecoder", "FusionDecoder"]
__all__ += ["FusionNetwork", "Heads", "MatrixConv", "Network", "SingleModality"]
__all__ += ["network", "resnet18"]
