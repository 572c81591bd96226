"""Encoder–decoders: a small U-Net for CPUs, those of segmentation-models-pytorch, and the teacher.

C classes, H×W pixels of an image, h×w cells of a map, F features before the last layer.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from discom.errors import ConfigError, first_line, install_hint
from discom.models.encoders import unit
from discom.models.pretrained import Pretrained

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # means and deviations of its bands


class Decoder(nn.Module):
    """An encoder's maps → features (by `body`) → logits (by `head`, at the padded size)."""

    def __init__(self, body: nn.Module, head: nn.Module):
        super().__init__()
        self.body, self.head = body, head

    def forward(self, maps: Sequence[Tensor], size: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Maps, the finest first, and (H, W) → features [B, F, h, w] and logits [B, C, H, W]."""
        features = self.body(maps)
        return features, self.head(features)[..., : size[0], : size[1]]


class EncoderDecoder(nn.Module):
    """Images [B, C_in, H, W] → logits [B, C, H, W], in two steps that losses can reach between.

    Sides that the stride does not divide are padded by repeating the last row and column; logits
    are cropped. The last map is signed (BatchNorm without a ReLU). `stride` is pixels to a cell of
    the coarsest map, `widths` the maps' channels, finest first.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, stride: int, widths: Sequence[int]):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.stride, self.widths = stride, tuple(widths)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Images [B, C_in, H, W] → maps [B, width, h, w], finest first."""
        height, width = x.shape[-2:]
        missing = (0, -width % self.stride, 0, -height % self.stride)  # left, right, top, bottom
        return self.encoder(F.pad(x, missing, mode="replicate") if any(missing) else x)

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """Images → logits [B, C, H, W], features [B, F, h, w], latent (coarsest map)."""
        maps = self.encode(x)
        features, logits = self.decoder(maps, x.shape[-2:])
        return {"logits": logits, "features": features, "latent": maps[-1]}

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x)["logits"]


class FusionDecoder(nn.Module):
    """The teacher of dense prediction: an encoder for each modality, maps added, one decoder.

    Stacked bands [B, Σ channels, H, W], in the order of `channels`, modality → bands, → logits
    [B, C, H, W].
    """

    def __init__(self, channels: Mapping[str, int], network: Callable[[int], EncoderDecoder]):
        super().__init__()
        self.bands = list(channels.values())
        self.networks: Any = nn.ModuleList(network(bands) for bands in self.bands)
        for other in self.networks[1:]:
            other.decoder = nn.Identity()  # one decoder is enough
        self.stride = self.networks[0].stride

    def encode(self, x: Tensor) -> list[list[Tensor]]:
        """Stacked bands → of each modality the maps of its encoder, finest first."""
        images = zip(self.networks, x.split(self.bands, dim=1), strict=True)
        return [network.encode(image) for network, image in images]

    def maps(self, x: Tensor, encoded: Sequence[Sequence[Tensor]] = ()) -> dict[str, Tensor]:
        """Stacked bands → logits [B, C, H, W], features [B, F, h, w], latent (coarsest map).
        `encoded`: what `encode` gave for them, if it was asked before."""
        maps = [torch.stack(scale).sum(0) for scale in zip(*encoded or self.encode(x), strict=True)]
        features, logits = self.networks[0].decoder(maps, x.shape[-2:])
        return {"logits": logits, "features": features, "latent": maps[-1]}

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x)["logits"]


class SideBySide(nn.Module):
    """Two networks of one modality: images [B, C_in, H, W] → their mean logits [B, C, H, W]."""

    def __init__(self, first: EncoderDecoder, second: EncoderDecoder):
        super().__init__()
        self.networks, self.stride = nn.ModuleList([first, second]), first.stride

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.networks
        return (first(x) + second(x)) / 2


def network(
    channels: int, classes: int, name: str = "small", width: int = 16, pretrained: str | None = ""
) -> EncoderDecoder:
    """The encoder–decoder of that name; `pretrained` is as in `models.encoder`, for its encoder.

    "small" is a U-Net (Ronneberger et al. 2015) with maps at 1/2, 1/4 and 1/8 of `width`, 2·width
    and 4·width channels, and no strides, which would shift cells when an image is flipped.
    "unet:resnet34" and the like are segmentation-models-pytorch's, with a 1×1 convolution and
    BatchNorm that make the last map signed; the decoder gets its positive part. A ConfigError for
    an unknown name, weights that do not fit, or a library that is not installed.
    """
    if name != "small":
        return _from_library(channels, classes, name, pretrained)
    if pretrained != "":
        raise ConfigError("pretrained", f"{name} has none", "choose such as unet:resnet34")
    widths = (width, 2 * width, 4 * width)
    head = nn.Sequential(nn.Conv2d(width, classes, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
    decoder = Decoder(_SmallBody(*widths), head)
    return EncoderDecoder(_SmallEncoder(channels, *widths), decoder, stride=8, widths=widths)


class _SmallEncoder(nn.Module):
    """Maps at 1/2, 1/4 and 1/8, two convolutions each; the last without a ReLU."""

    def __init__(self, channels: int, fine: int, middle: int, coarse: int):
        super().__init__()
        entry = nn.PixelUnshuffle(2)  # 2×2 pixels become channels
        self.fine = nn.Sequential(entry, *unit(4 * channels, fine), *unit(fine, fine))
        self.middle = nn.Sequential(nn.MaxPool2d(2), *unit(fine, middle), *unit(middle, middle))
        units = [*unit(middle, coarse), *unit(coarse, coarse)][:-1]
        self.coarse = nn.Sequential(nn.MaxPool2d(2), *units)

    def forward(self, x: Tensor) -> list[Tensor]:
        fine = self.fine(x)
        middle = self.middle(fine)
        return [fine, middle, self.coarse(middle)]


class _SmallBody(nn.Module):
    """Up again to 1/2. Each map is narrowed before it is enlarged, which halves the cost."""

    def __init__(self, fine: int, middle: int, coarse: int):
        super().__init__()
        self.narrow = nn.ModuleList([unit(coarse, middle, 1), unit(middle, fine, 1)])
        self.join = nn.ModuleList([unit(2 * middle, middle), unit(2 * fine, fine)])

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        *skips, last = maps
        x = F.relu(last)
        for narrow, join, skip in zip(self.narrow, self.join, reversed(skips), strict=True):
            larger = F.interpolate(narrow(x), scale_factor=2)  # a cell becomes 2×2 equal ones
            x = join(torch.cat([larger, skip], 1))
        return x


def _from_library(channels: int, classes: int, name: str, pretrained: str | None) -> EncoderDecoder:
    architecture, _, encoder = name.partition(":")
    try:
        import segmentation_models_pytorch as library  # seconds to import, and an extra

        model = library.create_model(
            architecture, encoder, encoder_weights=None, in_channels=channels, classes=classes
        )
    except Exception as error:  # of many kinds: unknown names, encoders that do not fit
        missing = isinstance(error, ImportError)
        way_out = install_hint("dense") if missing else "try unet:resnet34"
        raise ConfigError(f"network: '{name}'", first_line(error)[:160], way_out) from error
    widths = model.encoder.out_channels[1:]  # without the image itself
    body = _LibraryBody(model.decoder, model.encoder.output_stride)
    decoder = Decoder(body, model.segmentation_head)
    if pretrained != "":
        if encoder.startswith(("tu-", "timm-", "incept", "xcept", "dpn")):
            found = f"{encoder} has its own mean and deviation"
            raise ConfigError("pretrained", found, "choose such as unet:resnet34")
        fetch = partial(library.encoders.get_encoder, encoder, weights="imagenet")
        model.encoder = Pretrained(model.encoder, pretrained, encoder, fetch, *IMAGENET)
    signed = _LibraryEncoder(model.encoder, widths[-1])
    return EncoderDecoder(signed, decoder, body.stride, widths)


class _LibraryEncoder(nn.Module):
    def __init__(self, encoder: nn.Module, width: int):
        super().__init__()
        self.encoder = encoder
        self.signed = nn.Sequential(nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> list[Tensor]:
        _, *maps, last = self.encoder(x)
        return [*maps, self.signed(last)]


class _LibraryBody(nn.Module):
    def __init__(self, decoder: nn.Module, stride: int):
        super().__init__()
        self.decoder, self.stride = decoder, stride

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        *others, last = maps
        height, width = (cells * self.stride for cells in last.shape[-2:])
        image = last.new_empty(len(last), 0, height, width)  # decoders ask for its size alone
        return self.decoder([image, *others, F.relu(last)])
