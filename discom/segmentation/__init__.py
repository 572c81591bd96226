"""What only dense prediction needs: encoder–decoders, networks that read several sensors, scores of
masks."""

from discom.segmentation.fusion import CrossDecoder, FusionDecoder
from discom.segmentation.networks import Decoder, EncoderDecoder, Network, network

__all__ = ["CrossDecoder", "Decoder", "EncoderDecoder", "FusionDecoder", "Network", "network"]
