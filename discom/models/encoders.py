"""Encoders by name, of images and signals, and the baselines: encoders and one linear layer.

A signal is [B, C, 1, T]. Of images, which have more rows, an encoder of signals says at its first
layer that it has not that many channels.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import skip_init

from discom.errors import ConfigError, first_line
from discom.models.pretrained import Pretrained

WINDOW, HOP = 32, 16  # samples of a window, and from one window to the next
FLOOR = 0.02  # added to an amplitude before its logarithm; a channel's deviation is 1
# number of bands → a module, [B, bands, H, W] → [B, features], and its number of features
Encoder = Callable[[int], tuple[nn.Module, int]]


def encoder(name: str, width: int = 64, pretrained: str | None = "") -> Encoder:
    """What makes an encoder from a number of bands; a ConfigError for an unknown name, and for
    weights that cannot be fetched or do not fit.

    Args:
        name: "resnet18", "resnet10", of signals "spectrum" or "conv1d", or a model of timm, such as
            "timm:convnext_atto", without its classifier.
        width: of our own networks; timm's models have their own.
        pretrained: "" draws weights at random; "imagenet" takes those that timm publishes; a file,
            .pth or .safetensors, is a state dict with timm's own names. See `Pretrained`. None
            makes a pretrained encoder whose weights the caller will load.

    >>> encoder("resnet10", width=8)(3)[1]
    64
    """
    builders: dict[str, Any] = {"resnet18": resnet18, "resnet10": resnet10, **OF_SIGNALS}
    if name in builders and pretrained == "":
        return partial(builders[name], width=width)
    if name in builders:
        raise ConfigError("pretrained", f"{name} has none", "choose such as timm:resnet18")
    library, _, model = name.partition(":")
    if library != "timm" or not model or ":" in model:  # a second colon: a file, or a hub
        choices = ", ".join([*builders, "timm:NAME"])
        raise ConfigError("encoder", f"'{name}' is unknown", f"choose {choices}")
    return partial(_timm, model, pretrained=pretrained)


def _timm(name: str, channels: int, pretrained: str | None) -> tuple[nn.Module, int]:
    import timm  # seconds

    try:
        model: Any = timm.create_model(name, in_chans=channels, num_classes=0)
    except (RuntimeError, ValueError) as error:
        found = f"timm cannot make '{name}' ({first_line(error)})"
        raise ConfigError("encoder", found, "see timm.list_models()") from None
    features = getattr(model, "head_hidden_size", None) or model.num_features
    if pretrained == "":
        return model, features
    fetch = partial(timm.create_model, name, pretrained=True, num_classes=0)
    cfg = model.pretrained_cfg
    return Pretrained(model, pretrained, name, fetch, cfg["mean"], cfg["std"]), features


def resnet18(channels: int, width: int = 64) -> tuple[nn.Module, int]:
    """ResNet-18 (He et al. 2016) without its classifier; torchvision's numbers for its weights.

    Args:
        channels: bands of the input, C_in.
        width: maps of the first stage (paper: 64); 8·width features come out.
    """
    layers: list[nn.Module] = [
        *unit(channels, width, 7, stride=2),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.Sequential(_block(width, width), _block(width, width)),
    ]
    for inputs in (width, 2 * width, 4 * width):
        first = _block(inputs, 2 * inputs, stride=2)
        layers.append(nn.Sequential(first, _block(2 * inputs, 2 * inputs)))
    return _finish(layers), 8 * width


def resnet10(channels: int, width: int = 16) -> tuple[nn.Module, int]:
    """A ResNet of four basic blocks for images of about 32 pixels; 8·width features come out.

    The first layer makes channels of 2×2 pixels, and max-pools halve the maps between the blocks:
    on small images it learns what a ResNet-18 with its strides does not (docs/performance.md).
    Its arguments are those of `resnet18`.

    >>> encoder, features = resnet10(3, width=16)
    >>> features, encoder(torch.zeros(2, 3, 32, 32)).shape
    (128, torch.Size([2, 128]))
    """
    layers: list[nn.Module] = [
        _Unshuffle(2),
        *unit(4 * channels, width, 3),
        _block(width, width),
    ]
    for inputs in (width, 2 * width, 4 * width):
        layers += [nn.MaxPool2d(2, ceil_mode=True), _block(inputs, 2 * inputs)]
    return _finish(layers), 8 * width


def _finish(layers: list[nn.Module]) -> nn.Module:
    encoder = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    for module in encoder.modules():  # torchvision's own initialisation
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return encoder


class _Unshuffle(nn.PixelUnshuffle):
    """PixelUnshuffle by 2 for images of any size: an odd side gets a row of zeros."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2)))


def unit(*sizes: int, **options: Any) -> nn.Sequential:
    """torchvision's convolution without a bias, BatchNorm and ReLU: inputs, outputs, kernel,
    stride."""
    from torchvision.ops import Conv2dNormActivation  # loads Pillow

    return Conv2dNormActivation(*sizes, **options)


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    """Maps [B, inputs, H, W] → [B, outputs, ⌈H/s⌉, ⌈W/s⌉] for a stride of s."""
    from torchvision.models.resnet import BasicBlock

    shortcut = None
    if stride != 1 or inputs != outputs:
        shortcut = unit(inputs, outputs, 1, stride, activation_layer=None)
    block: Any = BasicBlock(inputs, outputs, stride, shortcut)
    size: Any = {"kernel_size": 3, "padding": 1, "bias": False}
    block.conv1 = skip_init(_Convolution, inputs, outputs, stride=stride, **size)
    block.conv2 = skip_init(_Convolution, outputs, outputs, **size)
    return block  # `_finish` draws the weights


class _Convolution(nn.Conv2d):
    """A 3×3 convolution (padding 1, no bias) that learns on wide, tiny maps as a matrix product.

    From 256 channels on and for outputs of 2×2 pixels or fewer, as in the last stage of a
    ResNet-18 on images of 64×64, torch's own takes longer on a CPU with channels last. A network
    at inference has torch's own, with the same weights.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C_in, H, W] → [B, C_out, ⌈H/s⌉, ⌈W/s⌉] for a stride of s."""
        step = self.stride[0]
        fast = self.training and x.is_cpu and x.is_contiguous(memory_format=torch.channels_last)
        if not fast or self.in_channels < 256 or max(x.shape[2:]) > 2 * step:
            return super().forward(x)
        height, width = (-(-side // step) * step for side in x.shape[2:])
        padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))  # [B, H + 2, W + 2, C_in]
        shifts = product(range(3), repeat=2)
        pixels = [padded[:, i : i + height : step, j : j + width : step] for i, j in shifts]
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)  # [C_out, 9 · C_in]
        return F.linear(torch.cat(pixels, 3), weight).permute(0, 3, 1, 2)


def spectrum(channels: int, width: int = 16) -> tuple[nn.Module, int]:
    r"""An MLP on mean and deviation over time of each channel's log spectrogram.

    .. math:: s_{cf}(\tau) = \log(|\mathrm{STFT}(x_c)_f(\tau)| + 0.02)

    Windows of 32 samples; at f = 0 the window's own mean stands in the place of s, with its sign.
    It needs 32 samples or more; 8·width features come out.
    """
    size, features = 2 * (WINDOW // 2 + 1) * channels, 8 * width
    layers = [nn.Flatten(1, 2), nn.BatchNorm1d(channels, affine=False), _Spectra()]
    layers += [nn.BatchNorm1d(size)]
    for inputs in (size, features):
        layers += [nn.Linear(inputs, features, bias=False), nn.BatchNorm1d(features), nn.ReLU()]
    return nn.Sequential(*layers, nn.Dropout(0.2)), features


class _Spectra(nn.Module):
    """Signals [B, C, T] → mean and deviation over time of their log spectrograms, [B, 2·17·C]."""

    waves: Tensor

    def __init__(self) -> None:
        super().__init__()
        phases = 2 * torch.pi * torch.arange(WINDOW)[:, None] * torch.arange(WINDOW // 2 + 1)
        waves = torch.cat([torch.cos(phases / WINDOW), torch.sin(phases / WINDOW)], 1)
        waves = waves * torch.hann_window(WINDOW)[:, None] / (WINDOW / 4)  # a sine of 1 gives 1
        self.register_buffer("waves", waves, persistent=False)  # [32, 2·17]

    def forward(self, x: Tensor) -> Tensor:
        windows = x.unfold(2, WINDOW, HOP).contiguous()  # [B, C, frames, 32]
        with torch.autocast(x.device.type, enabled=False):  # else a logarithm of few digits
            real, imaginary = (windows @ self.waves).chunk(2, -1)
        amplitude = (real.square() + imaginary.square()).sqrt()  # ONNX has no hypot
        logs = (amplitude[..., 1:] + FLOOR).log()
        rows = torch.cat([real[..., :1], logs], -1)
        mean = rows.mean(2, keepdim=True)
        deviation = (rows - mean).square().mean(2).sqrt()
        return torch.cat([mean[:, :, 0], deviation], 2).flatten(1)


def conv1d(channels: int, width: int = 16) -> tuple[nn.Module, int]:
    """A residual network of two blocks with strides of 2 in time; 2·width features come out."""
    layers = [nn.Flatten(1, 2), nn.BatchNorm1d(channels, affine=False)]
    layers += [nn.Conv1d(channels, width, 7, 2, 3), nn.ReLU()]
    layers += [_Residual(width, 2 * width), _Residual(2 * width, 2 * width)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten()), 2 * width


class _Residual(nn.Module):
    """Signals [B, inputs, T] → [B, outputs, ⌈T / 2⌉]."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(inputs, outputs, 5, 2, 2, bias=False),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Conv1d(outputs, outputs, 5, 1, 2, bias=False),
            nn.BatchNorm1d(outputs),
        )
        self.shortcut = nn.Conv1d(inputs, outputs, 1, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.shortcut(x))


OF_SIGNALS = {"spectrum": spectrum, "conv1d": conv1d}


class SingleModality(nn.Module):
    """A classifier of one modality: encoders side by side, features concatenated, one linear layer.

    One encoder is the paper's student; two have the capacity of a DisCoM-KD branch.
    """

    def __init__(self, channels: int, classes: int, encoder: Encoder = resnet18, encoders: int = 1):
        super().__init__()
        built = [encoder(channels) for _ in range(encoders)]
        self.encoders = nn.ModuleList(module for module, _ in built)
        self.task = nn.Linear(sum(features for _, features in built), classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, channels, H, W] → logits [B, classes]."""
        return self.task(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """Images → what the linear layer reads, [B, encoders · features]."""
        return torch.cat([encoder(x) for encoder in self.encoders], dim=1)


class FusionNetwork(nn.Module):
    r"""The teacher: an encoder for each modality, features added, one linear layer.

    .. math:: z = W \sum_m \mathrm{encoder}_m(x_m) + b

    `channels` are modality → bands, in the order in which they are stacked.
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
