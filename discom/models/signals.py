"""Encoders of signals [B, C, 1, T]: an MLP on spectra, and a residual network in time.

Of images, whose rows are more than one, their first layer says that it has not that many channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WINDOW, HOP = 32, 16  # samples of a window, and from one window to the next
FLOOR = 0.02  # added to an amplitude before its logarithm; a channel's deviation is 1
DROPOUT = 0.2


def spectrum(channels: int, width: int = 16) -> tuple[nn.Module, int]:
    r"""An MLP on mean and deviation over time of each channel's log spectrogram.

    .. math:: s_{cf}(\tau) = \log(|\mathrm{STFT}(x_c)_f(\tau)| + 0.02)

    Windows of 32 samples; at f = 0 the window's own mean stands in the place of s, with its sign.
    It needs 32 samples or more; 8·width features come out.

    >>> encoder, features = spectrum(9)
    >>> features, encoder(torch.zeros(2, 9, 1, 125)).shape
    (128, torch.Size([2, 128]))
    """
    size, features = 2 * (WINDOW // 2 + 1) * channels, 8 * width
    layers = [nn.Flatten(1, 2), nn.BatchNorm1d(channels, affine=False), _Spectra()]
    layers += [nn.BatchNorm1d(size)]
    for inputs in (size, features):
        layers += [nn.Linear(inputs, features, bias=False), nn.BatchNorm1d(features), nn.ReLU()]
    return nn.Sequential(*layers, nn.Dropout(DROPOUT)), features


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
        real, imaginary = (windows @ self.waves).chunk(2, -1)
        amplitude = (real.square() + imaginary.square()).sqrt()  # ONNX has no hypot
        logs = (amplitude[..., 1:] + FLOOR).log()
        rows = torch.cat([real[..., :1], logs], -1)
        mean = rows.mean(2, keepdim=True)
        deviation = (rows - mean).square().mean(2).sqrt()
        return torch.cat([mean[:, :, 0], deviation], 2).flatten(1)


def conv1d(channels: int, width: int = 16) -> tuple[nn.Module, int]:
    """A residual network of two blocks with strides of 2 in time; 2·width features come out.

    >>> encoder, features = conv1d(3)
    >>> features, sum(p.numel() for p in encoder.parameters())
    (32, 20064)
    """
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
