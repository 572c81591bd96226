"""Steps that several losses and methods share."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def summed(rows: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Named terms, each summed over the rows."""
    return {name: torch.stack([row[name] for row in rows]).sum() for name in rows[0]}


def full_precision(x: Tensor) -> Tensor:
    """`x` in float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def places(maps: Tensor) -> Tensor:
    """[B, D, h, w] → [B·h·w, D]."""
    return maps.movedim(1, -1).flatten(0, -2)


def softened_kl(student: Tensor, teacher: Tensor, temperature: float | Tensor) -> Tensor:
    """`kd` of logits [B, C] or maps of them [B, C, H, W], a mean over places, too; no checks."""
    student, teacher = (scaled(z, temperature) for z in (student, teacher.detach()))
    return temperature**2 * divergence(student.log_softmax(1), teacher.log_softmax(1))


def scaled(logits: Tensor, temperature: float | Tensor) -> Tensor:
    """z / T, each row shifted to a maximum of 0 first, so that no digits go to a common offset."""
    return (logits - logits.detach().amax(1, keepdim=True)) / temperature


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over the batch, and places if any, of KL(teacher ‖ student), from log-probabilities
    [B, K, …]."""
    total = F.kl_div(student, teacher, reduction="sum", log_target=True)
    return total * student.shape[1] / student.numel()
