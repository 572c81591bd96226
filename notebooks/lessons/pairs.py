"""What later notebooks import, as it stands in 00_start_here.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""

from torch import nn
import torch
import torch.nn.functional as F

from discom.models.encoders import resnet10


# from 00_start_here
class Network(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.encode, width = resnet10(bands, width=16)  # [B, bands, 32, 32] → [B, 128]
        self.classify = nn.Linear(width, 9)
        hidden = nn.Linear(width, width)
        self.project = nn.Sequential(hidden, nn.ReLU(), nn.Linear(width, 64))


@torch.no_grad()
def predict(network, images):
    return network.eval().classify(network.encode(images))


# from 00_start_here
def contrast(first, second, temperature=0.1):
    z = F.normalize(torch.cat([first, second]), dim=1)  # [2B, 64]
    cosines = z @ z.T / temperature
    cosines.fill_diagonal_(-torch.inf)  # no image is its own partner
    partners = torch.arange(len(z), device=z.device).roll(len(first))
    return F.cross_entropy(cosines, partners)


# from 00_start_here
def agreed_labels(logits, sure):
    beliefs = sum(z.detach().log_softmax(1) for z in logits.values()).softmax(1)
    confidence, labels = beliefs.max(1)
    return labels.masked_fill(confidence < sure, -100)  # cross_entropy skips -100
