"""Convolutions on maps of a few pixels as matrix products, which a CPU is quicker at."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["MatrixConv", "as_products"]

PIXELS = 4  # of the output: up to so many a product is quicker


class MatrixConv(nn.Conv2d):
    """A 3×3 convolution that is one matrix product where its output has four pixels or fewer.

        y[b, p, :] = Σ_t W_t · x[b, p + t, :], the nine taps t side by side

    The last stage of ResNet-18 has maps of 2×2 for images of 64 pixels. oneDNN takes 35 ms for one
    such convolution of 512 channels, forward and backward in bf16 at batch 128, and the product 15
    (docs/performance.md).
    """

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C_in, H, W] → [B, C_out, ⌈H/s⌉, ⌈W/s⌉] for a stride of s."""
        height, width, stride = *x.shape[2:], self.stride[0]
        if -(-height // stride) * -(-width // stride) > PIXELS:
            return super().forward(x)
        x = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))  # [B, H + 2, W + 2, C_in]
        taps = [
            x[:, i : i + height : stride, j : j + width : stride]
            for i in range(3)
            for j in range(3)
        ]
        rows = torch.stack(taps, dim=3).flatten(3)  # [B, ⌈H/s⌉, ⌈W/s⌉, 9 · C_in]
        return F.linear(rows, self.weight.permute(0, 2, 3, 1).flatten(1), self.bias).permute(
            0, 3, 1, 2
        )


def as_products(model: nn.Module) -> nn.Module:
    """The model itself, its plain 3×3 convolutions made `MatrixConv`: the same weights under the
    same names, and the same numbers up to rounding.

    >>> model = as_products(nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 1)))
    >>> [type(module).__name__ for module in model]
    ['MatrixConv', 'Conv2d']
    """
    for module in model.modules():
        if type(module) is nn.Conv2d and (module.kernel_size, module.padding, module.dilation, module.groups) == (
            (3, 3), (1, 1), (1, 1), 1
        ) and module.padding_mode == "zeros" and module.stride in ((1, 1), (2, 2)):  # fmt: skip
            module.__class__ = MatrixConv
    return model
