"""Losses: one pure function per equation; here, two steps that many of them share."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def summed(rows: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Named terms, each summed over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: torch.stack([row[name] for row in rows if name in row]).sum() for name in names}


def label_weights(labels: Tensor, absent: int, weight: Tensor | None = None) -> Tensor:
    """How much each label counts, [B, …]: 0 where it is `absent`, else 1 or its class's weight."""
    known = labels != absent
    return known if weight is None else known * weight[labels.where(known, 0)]


def full_precision(x: Tensor) -> Tensor:
    """`x` in float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
