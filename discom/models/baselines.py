"""What DisCoM-KD is compared with: networks that know one modality from beginning to end."""

import torch
from torch import Tensor, nn

from discom.models.encoders import Encoder, resnet18

__all__ = ["SingleModality"]


class SingleModality(nn.Module):
    """One classifier for one modality: `encoders` encoders side by side, their features concatenated, one linear layer.

    With one encoder it is the paper's student; with two, the student of a DisCoM-KD branch's capacity.

    >>> SingleModality(3, classes=5)(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 5])
    """

    def __init__(self, channels: int, classes: int, encoder: Encoder = resnet18, encoders: int = 1):
        super().__init__()
        built = [encoder(channels) for _ in range(encoders)]
        self.encoders = nn.ModuleList(module for module, _ in built)
        self.task = nn.Linear(sum(features for _, features in built), classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, channels, H, W] → logits [B, classes]."""
        features = torch.cat([encoder(x) for encoder in self.encoders], dim=1)  # [B, encoders · features]
        return self.task(features)
