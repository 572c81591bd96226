"""Networks: encoders, DisCoM-KD's branches, the baselines, and encoder–decoders."""
# ruff: noqa: F401, I001

from discom.models.disentangled import Branch, DisCoM, Embedding, Heads
from discom.models.encoders import Encoder, FusionNetwork, MatrixConv, SingleModality, encoder
from discom.models.encoders import resnet10, resnet18, two_layers
from discom.models.segmentation import Decoder, EncoderDecoder, FusionDecoder, Network
from discom.models.segmentation import SideBySide, network
