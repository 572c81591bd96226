"""Networks: encoders, DisCoM-KD's branches, the baselines, and encoder–decoders."""

from discom.models.disentangled import Branch, DisCoM, Embedding, Heads
from discom.models.encoders import FusionNetwork, SingleModality, encoder, resnet10, resnet18
from discom.models.segmentation import EncoderDecoder, FusionDecoder, network

__all__ = ["Branch", "DisCoM", "Embedding", "EncoderDecoder", "FusionDecoder", "FusionNetwork"]
__all__ += ["Heads", "SingleModality", "encoder", "network", "resnet10", "resnet18"]
