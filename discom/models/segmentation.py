"""Encoder–decoders: a small U-Net for CPUs, and those of segmentation-models-pytorch.

Letters: B batch, C classes, H and W the image's size, h and w a map's size, F features before the
last layer.
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from discom.errors import ConfigError, first_line

__all__ = ["Decoder", "EncoderDecoder", "Network", "network"]

# DPT hands its decoder more than maps; PAN pools its last map three times, which only large images
# survive.
_LEFT_OUT = ("dpt", "pan")


class Decoder(nn.Module):
    """From an encoder's maps to logits; it takes any maps of those widths, such as halves of two
    encoders' maps.

    Args:
        body: maps → features [B, F, h, w].
        head: features → logits [B, C, H', W'], H' and W' the padded size of the images.
    """

    def __init__(self, body: nn.Module, head: nn.Module):
        super().__init__()
        self.body = body
        self.head = head

    def forward(self, maps: Sequence[Tensor], size: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Maps, the finest first, and (H, W) → features [B, F, h, w] and logits [B, C, H, W]."""
        features = self.body(maps)
        return features, self.head(features)[..., : size[0], : size[1]]


class EncoderDecoder(nn.Module):
    """Images [B, C_in, H, W] → logits [B, C, H, W], in two steps that losses can reach between.

    Sides that the stride does not divide are padded to its next multiple, at the right and at the
    bottom, by repeating the last column and row; the logits are cropped, the maps and features are
    not.

    Args:
        encoder: images → maps, from the finest to the coarsest; the last is signed (BatchNorm
        without a ReLU).
        decoder: (maps, (H, W)) → features and logits; a `Decoder`.
        stride: pixels of an image to one cell of the coarsest map.
        widths: channels of each of the maps; all are even, so that a map has halves.
        features: F, channels before the last layer.

    >>> model = network(3, classes=4)
    >>> maps = model.encode(torch.zeros(2, 3, 50, 37))
    >>> [tuple(one.shape[1:]) for one in maps]  # of 56×40 pixels
    [(16, 28, 20), (32, 14, 10), (64, 7, 5)]
    >>> [tuple(one.shape) for one in model.decode(maps, (50, 37))]
    [(2, 16, 28, 20), (2, 4, 50, 37)]
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        stride: int,
        widths: Sequence[int],
        features: int,
    ):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.stride = stride
        self.widths = tuple(widths)
        self.features = features

    def encode(self, x: Tensor) -> list[Tensor]:
        """Images [B, C_in, H, W] → maps [B, width, h, w], from the finest to the coarsest.

        Raises:
            ConfigError: an image is smaller than one cell of the coarsest map.
        """
        height, width = x.shape[-2:]
        if min(height, width) < self.stride:
            small = f"images: {height}×{width} pixels are less than the network's stride of {self.stride}"
            raise ConfigError(f"{small}; take larger images, or network small, whose stride is 8")
        missing = (0, -width % self.stride, 0, -height % self.stride)  # left, right, top, bottom
        return self.encoder(F.pad(x, missing, mode="replicate") if any(missing) else x)

    def decode(self, maps: Sequence[Tensor], size: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Maps and the image's (H, W) → features [B, F, h, w] before the last layer, and logits [B,
        C, H, W]."""
        return self.decoder(maps, size)

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, C_in, H, W] → logits [B, C, H, W]."""
        return self.decode(self.encode(x), x.shape[-2:])[1]


# A function of the number of input bands that returns a network.
Network = Callable[[int], EncoderDecoder]


def network(channels: int, classes: int, name: str = "small", width: int = 16) -> EncoderDecoder:
    """The encoder–decoder of that name, its weights drawn at random; nothing is downloaded.

    "small" is a U-Net (Ronneberger et al. 2015) of our own, cut to what a CPU trains in minutes:
    maps at 1/2, 1/4 and 1/8 of `width`, 2·width and 4·width channels. Its cells stay where they are
    when an image is flipped or turned: 2×2 pixels become channels at the entry, and 2×2 cells
    become one by max-pooling, while a 3×3 convolution of stride 2 looks one pixel further to the
    left than to the right. A batch in channels_last takes it about 0.8 of the time.

    "ARCHITECTURE:ENCODER" is one of segmentation-models-pytorch, such as "unet:resnet34" or
    "deeplabv3plus:resnet18". Ours are a 1×1 convolution and BatchNorm on the last map, which make
    it signed; the library's decoder gets its positive part. The image itself, the library's first
    map, is none of ours. Strided convolutions of odd kernels, as in ResNet, lay the cells of these
    networks up to half a cell to the left and above: a flip of the image that is undone on the maps
    leaves them up to a cell apart.

    Args:
        channels: bands of the input, C_in.
        classes: C.
        name: "small" or "ARCHITECTURE:ENCODER".
        width: channels of the finest map of "small", an even number; the others have their own.

    Raises:
        ConfigError: an unknown name, an odd width, or the library is not installed.

    >>> model = network(13, classes=5, width=8)
    >>> model.widths, model.features, model.stride, model(torch.zeros(1, 13, 16, 24)).shape
    ((8, 16, 32), 8, 8, torch.Size([1, 5, 16, 24]))
    """
    if name == "small":
        return _small(channels, classes, width)
    architecture, colon, encoder = name.partition(":")
    if (
        not (architecture and colon and encoder) or ":" in encoder
    ):  # a second colon is a hub's address to timm
        raise ConfigError(
            f"network: '{name}' is unknown; choose small or ARCHITECTURE:ENCODER such as unet:resnet34"
        )
    return _from_library(channels, classes, architecture, encoder)


# ---------------------------------------------------------------- small


def _small(channels: int, classes: int, width: int) -> EncoderDecoder:
    if width < 2 or width % 2:
        raise ConfigError(
            f"width: {width} has no halves for a map to be split into; choose an even number such as 16"
        )
    widths = (width, 2 * width, 4 * width)
    head = nn.Sequential(nn.Conv2d(width, classes, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
    decoder = Decoder(_SmallBody(*widths), head)
    return EncoderDecoder(
        _SmallEncoder(channels, *widths), decoder, stride=8, widths=widths, features=width
    )


class _SmallEncoder(nn.Module):
    """Maps at 1/2, 1/4 and 1/8, two convolutions each; the last without a ReLU."""

    def __init__(self, channels: int, fine: int, middle: int, coarse: int):
        super().__init__()
        # 2×2 pixels as channels lose nothing; 8 channels at full size would cost a tenth more time,
        # 16 far more
        self.fine = nn.Sequential(
            nn.PixelUnshuffle(2), *_unit(4 * channels, fine), *_unit(fine, fine)
        )
        self.middle = nn.Sequential(nn.MaxPool2d(2), *_unit(fine, middle), *_unit(middle, middle))
        self.coarse = nn.Sequential(
            nn.MaxPool2d(2), *_unit(middle, coarse), *_unit(coarse, coarse)[:-1]
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        fine = self.fine(x)  # [B, C_in, H, W] → [B, width, H/2, W/2]
        middle = self.middle(fine)
        return [fine, middle, self.coarse(middle)]


class _SmallBody(nn.Module):
    """Up again to 1/2. Each map is narrowed before it is enlarged: the 3×3 convolutions there are
    the dearest."""

    def __init__(self, fine: int, middle: int, coarse: int):
        super().__init__()
        self.narrow = nn.ModuleList(
            [nn.Sequential(*_unit(coarse, middle, 1)), nn.Sequential(*_unit(middle, fine, 1))]
        )
        self.join = nn.ModuleList(
            [nn.Sequential(*_unit(2 * wide, wide)) for wide in (middle, fine)]
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        *skips, last = maps
        x = F.relu(last)
        for narrow, join, skip in zip(self.narrow, self.join, reversed(skips), strict=True):
            larger = F.interpolate(
                narrow(x), scale_factor=2
            )  # nearest: a cell becomes 2×2 equal ones
            x = join(torch.cat([larger, skip], 1))
        return x


def _unit(inputs: int, outputs: int, kernel: int = 3) -> list[nn.Module]:
    """Convolution of stride 1, BatchNorm, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


# ---------------------------------------------------------------- segmentation-models-pytorch


def _library() -> ModuleType:
    try:
        import segmentation_models_pytorch  # seconds to import, and an extra: only when asked for
    except ImportError as error:
        raise ConfigError(
            f"network: {first_line(error)}; pip install 'discom[dense]', or choose small"
        ) from error
    return segmentation_models_pytorch


def _from_library(channels: int, classes: int, architecture: str, encoder: str) -> EncoderDecoder:
    library = _library()
    if architecture not in (
        known := [name for name in library.MODEL_ARCHITECTURES_MAPPING if name not in _LEFT_OUT]
    ):
        raise ConfigError(
            f"network: architecture '{architecture}' is unknown; choose small or {', '.join(known)}"
        )
    names = library.encoders.get_encoder_names()
    if encoder not in names and not encoder.startswith("tu-"):  # tu- are timm's own, by the hundred
        ways = [
            *(get_close_matches(encoder, names) or ["resnet18"]),
            f"another of {library.__name__}.encoders",
        ]
        raise ConfigError(f"network: encoder '{encoder}' is unknown; choose {' or '.join(ways)}")
    try:
        made = library.create_model(
            architecture, encoder, encoder_weights=None, in_channels=channels, classes=classes
        )
    except (
        AttributeError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        what = f"{architecture} cannot be made with encoder '{encoder}'"
        raise ConfigError(
            f"network: {what}: {first_line(error)}; resnet18 goes with all"
        ) from error
    return _wrapped(made, encoder)


def _wrapped(made: nn.Module, encoder: str) -> EncoderDecoder:
    """The library's parts, with maps that we can split."""
    # the image is none of our maps, nor is a place with 0 channels: some encoders have no map at
    # 1/2
    places = [place for place, width in enumerate(made.encoder.out_channels) if place and width]
    widths = [made.encoder.out_channels[place] for place in places]
    if odd := [width for width in widths if width % 2]:
        raise ConfigError(
            f"network: '{encoder}' has a map of {odd[0]} channels, which has no halves; choose resnet18"
        )
    stride, head = made.encoder.output_stride, made.segmentation_head
    reads, writes = (
        _LibraryEncoder(made.encoder, places),
        Decoder(_LibraryBody(made.decoder, places, stride), head),
    )
    return EncoderDecoder(reads, writes, stride=stride, widths=widths, features=head[0].in_channels)


class _LibraryEncoder(nn.Module):
    def __init__(self, encoder: nn.Module, places: Sequence[int]):
        super().__init__()
        self.encoder = encoder
        self.places = tuple(places)
        width = encoder.out_channels[-1]
        self.signed = nn.Sequential(nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> list[Tensor]:
        found = self.encoder(x)
        *maps, last = (found[place] for place in self.places)
        return [*maps, self.signed(last)]


class _LibraryBody(nn.Module):
    def __init__(self, decoder: nn.Module, places: Sequence[int], stride: int):
        super().__init__()
        self.decoder = decoder
        self.places = tuple(places)
        self.stride = stride

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        *others, last = maps
        batch, _, *cells = last.shape
        sides = [
            cell * self.stride for cell in cells
        ]  # of the padded image: decoders ask empty places for their size
        found = [
            last.new_empty(batch, 0, *(side >> place for side in sides))
            for place in range(self.places[-1] + 1)
        ]
        for place, one in zip(self.places, [*others, F.relu(last)], strict=True):
            found[place] = one
        return self.decoder(found)
