"""Networks that read several sensors: the teacher, and the networks of CroDiNo-KD read by its
auxiliary decoder."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from discom.losses.crossing import cross_halves
from discom.models.segmentation import Network

__all__ = ["CrossDecoder", "FusionDecoder"]


class FusionDecoder(nn.Module):
    """The teacher of dense prediction: an encoder for each modality, their maps added, one decoder.

        maps_k = Σ_m encoder_m(x_m)_k   for the bottleneck and for every skip connection

    With one modality it is the single-modality network.

    Args:
        channels: modality → bands of its images, in the order in which they are stacked.
        network: makes an encoder–decoder from a number of bands.

    >>> from discom.models import network
    >>> FusionDecoder({"rgb": 3, "depth": 1}, lambda bands: network(bands, 4))(torch.zeros(2, 4, 16, 16)).shape
    torch.Size([2, 4, 16, 16])
    """

    def __init__(self, channels: Mapping[str, int], network: Network):
        super().__init__()
        self.bands = list(channels.values())
        self.networks = nn.ModuleList(network(bands) for bands in self.bands)
        for other in self.networks[1:]:
            other.decoder = nn.Identity()  # one decoder is enough

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """Stacked bands [B, Σ channels, H, W] → logits [B, C, H, W], features [B, F, h, w] before
        the last layer, and latent [B, D, h', w'], the coarsest map."""
        images = zip(self.networks, x.split(self.bands, dim=1), strict=True)
        found = [network.encode(image) for network, image in images]  # modality → scale → map
        maps = [sum(scale) for scale in zip(*found, strict=True)]
        features, logits = self.networks[0].decode(maps, x.shape[-2:])
        return {"logits": logits, "features": features, "latent": maps[-1]}

    def forward(self, x: Tensor) -> Tensor:
        """Stacked bands [B, Σ channels, H, W] → logits [B, C, H, W]."""
        return self.maps(x)["logits"]


class CrossDecoder(nn.Module):
    """CroDiNo-KD's networks read together: the auxiliary decoder's logits, averaged over all
    pairings of halves (ours).

    Args:
        branches: modality → its encoder–decoder, in the order in which bands are stacked; held, not
        copied.
        decoder: the auxiliary decoder; held, not copied.
        channels: modality → bands.
    """

    def __init__(self, branches: nn.ModuleDict, decoder: nn.Module, channels: Mapping[str, int]):
        super().__init__()
        self.branches, self.decoder, self.channels = branches, decoder, dict(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Stacked bands [B, Σ channels, H, W] → logits [B, C, H, W]."""
        images = zip(self.channels, x.split(list(self.channels.values()), dim=1), strict=True)
        maps = {name: self.branches[name].encode(image) for name, image in images}
        shifts = range(len(self.channels))
        logits = [self.decoder(cross_halves(maps, shift), x.shape[-2:])[1] for shift in shifts]
        return torch.stack(logits).mean(0)
