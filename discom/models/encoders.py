"""ResNet-18 for any number of bands, width and stem; any other encoder is a function of the same
form."""

from collections.abc import Callable

from torch import nn
from torchvision.models.resnet import BasicBlock

from discom.errors import ConfigError

__all__ = ["Encoder", "resnet18"]

# A function of the number of input bands that returns a module, [B, channels, H, W] → [B,
# features], and `features`.
Encoder = Callable[[int], tuple[nn.Module, int]]


def resnet18(channels: int, width: int = 64, stem: str = "imagenet") -> tuple[nn.Module, int]:
    """ResNet-18 (He et al. 2016) without its classifier, from torchvision's residual blocks.

    Args:
        channels: bands of the input, C_in.
        width: feature maps of the first stage; the last has 8·width, and so many features come out
        (paper: 64).
        stem: "imagenet" is 7×7 with stride 2 and a max-pool, as in the paper; "small" is 3×3 with
            stride 1 and the same max-pool, for images of 32 pixels or so.

    Returns:
        The module, [B, C_in, H, W] → [B, 8·width], and 8·width.

    Raises:
        ConfigError: an unknown stem.

    >>> encoder, features = resnet18(13, width=8, stem="small")
    >>> features, sum(p.numel() for p in encoder.parameters())
    (64, 176472)
    """
    kernels = {"imagenet": (7, 2), "small": (3, 1)}
    if stem not in kernels:
        raise ConfigError(f"stem: '{stem}' is unknown; choose {' or '.join(kernels)}")
    kernel, stride = kernels[stem]
    layers = [
        nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
        _stage(width, width, 1),
        _stage(width, 2 * width, 2),
        _stage(2 * width, 4 * width, 2),
        _stage(4 * width, 8 * width, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ]
    encoder = nn.Sequential(*layers)
    for module in encoder.modules():  # torchvision's own initialisation
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return encoder, 8 * width


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    shortcut = None
    if stride != 1 or inputs != outputs:
        shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )
    return nn.Sequential(
        BasicBlock(inputs, outputs, stride, shortcut), BasicBlock(outputs, outputs)
    )
