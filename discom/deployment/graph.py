"""The graph that is deployed: raw images in the sensor's unit in, logits and probabilities out."""

import copy
import io
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from discom.data import Normalization
from discom.deployment.contract import INPUT, OUTPUTS, Contract
from discom.deployment.loading import EXTRA, KEY, ONNX, PT2, UNSEALED, require, seal

__all__ = ["Deployed", "Scaling", "write_graphs"]


class Scaling(nn.Module):
    """`Normalization` as part of a network, in the same order of operations and in float32.

    Args:
        bounds: of each band.

    >>> Scaling(Normalization(np.array([0.0]), np.array([4.0])))(torch.tensor([-1.0, 3.0, 9.0]).view(1, 1, 1, 3))
    tensor([[[[0.0000, 0.7500, 1.0000]]]])
    """

    low: Tensor
    span: Tensor

    def __init__(self, bounds: Normalization):
        super().__init__()
        span = np.where(
            bounds.high > bounds.low, bounds.high - bounds.low, np.inf
        )  # a constant band becomes zero
        self.register_buffer("low", torch.tensor(bounds.low, dtype=torch.float32)[:, None, None])
        self.register_buffer("span", torch.tensor(span, dtype=torch.float32)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] in the sensor's unit → [0, 1]."""
        return ((images - self.low) / self.span).clamp(0, 1)


class Deployed(nn.Module):
    """Scaling, a trained branch and a softmax, frozen and in eval mode.

    Args:
        branch: scaled images [B, C, H, W] → logits [B, K].
        bounds: of its modality; None where the images come scaled.
    """

    def __init__(self, branch: nn.Module, bounds: Normalization | None):
        super().__init__()
        self.scaling = Scaling(bounds) if bounds else nn.Identity()
        self.branch = copy.deepcopy(branch)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Raw images [B, C, H, W] → logits [B, K], probabilities [B, K]."""
        logits = self.branch(self.scaling(images))
        return logits, logits.softmax(1)


def write_graphs(network: Deployed, contract: Contract, folder: Path) -> None:
    """Write model.onnx and model.pt2, both from one traced graph, for any number of images at once.

    Args:
        network: what is written.
        contract: goes into both files.
        folder: there already.

    Raises:
        ConfigError: onnx or onnxscript is not installed.
    """
    for module in ("onnx", "onnxscript"):
        require(module)
    example = torch.zeros(2, *contract.shape)
    graph = torch.export.export(
        network, (example,), dynamic_shapes={INPUT: {0: torch.export.Dim("batch")}}
    )
    torch.export.save(graph, folder / PT2, extra_files={EXTRA: contract.to_text()})
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter(
            "ignore"
        )  # of parts of torch and onnxscript that do not know each other's newest names
        made = torch.onnx.export(
            graph, dynamo=True, verbose=False, input_names=[INPUT], output_names=list(OUTPUTS)
        )
    assert made is not None  # torch's older exporter gives none
    model = made.model_proto
    for key, value in ((KEY, contract.to_text()), ("discom.seal", UNSEALED)):
        model.metadata_props.add(key=key, value=value)
    (folder / ONNX).write_bytes(seal(model.SerializeToString()))
