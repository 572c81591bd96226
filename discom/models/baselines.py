"""What DisCoM-KD is compared with: networks that know one modality from beginning to end, and the
teacher."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from discom.models.encoders import Encoder, resnet18

__all__ = ["FusionNetwork", "SingleModality"]


class SingleModality(nn.Module):
    """One classifier for one modality: `encoders` encoders side by side, their features
    concatenated, one linear layer.

    With one encoder it is the paper's student; with two, the student of a DisCoM-KD branch's
    capacity.

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
        features = torch.cat(
            [encoder(x) for encoder in self.encoders], dim=1
        )  # [B, encoders · features]
        return self.task(features)


class FusionNetwork(nn.Module):
    r"""The teacher: an encoder for each modality, their features added, one linear layer
    (DisCoM-KD, section 4).

    .. math:: z = W \sum_m \mathrm{encoder}_m(x_m) + b

    With one modality it is the single-modality network.

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
        """Images of all modalities, their bands stacked [B, Σ channels, H, W] → logits [B, C]."""
        images = x.split(self.bands, dim=1)
        features = sum(
            encoder(image) for encoder, image in zip(self.encoders.values(), images, strict=True)
        )
        return self.task(features)  # [B, features] → [B, C]

    def contribution(self, modality: str, x: Tensor) -> Tensor:
        """One modality's share W · encoder_m(x_m) of the logits, [B, C]: their sum and the bias are
        the logits."""
        return self.encoders[modality](x) @ self.task.weight.T
