"""What DisCoM-KD is compared with: networks of one modality, and the teacher of several."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from discom.models.encoders import Encoder, resnet18

__all__ = ["FusionNetwork", "SingleModality"]


class SingleModality(nn.Module):
    """A classifier of one modality: encoders side by side, features concatenated, one linear layer.

    One encoder is the paper's student; two have the capacity of a DisCoM-KD branch.

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
        features = [encoder(x) for encoder in self.encoders]
        return self.task(torch.cat(features, dim=1))  # [B, encoders · features] → [B, C]


class FusionNetwork(nn.Module):
    r"""The teacher: an encoder for each modality, features added, one linear layer (section 4).

    .. math:: z = W \sum_m \mathrm{encoder}_m(x_m) + b

    Args:
        channels: modality → bands of its images, in the order in which they are stacked.
        classes: C.
        encoder: makes each encoder; all give as many features.

    >>> FusionNetwork({"rgb": 3, "depth": 1}, classes=5)(torch.zeros(2, 4, 64, 64)).shape
    torch.Size([2, 5])
    """

    def __init__(self, channels: Mapping[str, int], classes: int, encoder: Encoder = resnet18):
        super().__init__()
        built = {name: encoder(bands) for name, bands in channels.items()}
        self.bands = list(channels.values())
        self.encoders = nn.ModuleDict({name: module for name, (module, _) in built.items()})
        self.task = nn.Linear(next(iter(built.values()))[1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Stacked bands of all modalities [B, Σ channels, H, W] → logits [B, C]."""
        images = zip(self.encoders.values(), x.split(self.bands, dim=1), strict=True)
        features = torch.stack([encoder(image) for encoder, image in images])
        return self.task(features.sum(0))  # [B, features] → [B, C]

    def contribution(self, modality: str, x: Tensor) -> Tensor:
        """W · encoder_m(x_m), [B, C]: the sum over modalities, plus the bias, is the logits."""
        return self.encoders[modality](x) @ self.task.weight.T
