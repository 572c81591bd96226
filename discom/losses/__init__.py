"""Losses: one pure function per equation; here, the steps that several of them share.

These files import torch and nothing else, so that a loss serves in any training loop.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from discom.errors import ConfigError


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, grl_lambda):
        ctx.grl_lambda = grl_lambda
        return z.view_as(z)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.grl_lambda * gradient, None


def reverse_gradient(z: Tensor, grl_lambda: float = 1.0) -> Tensor:
    r"""Gradient reversal layer (Ganin et al. 2016): identity forward, -λ times the gradient back.

    .. math:: \mathrm{GRL}(z) = z, \qquad \partial\,\mathrm{GRL}(z) / \partial z = -\lambda I

    >>> z = torch.ones(2, requires_grad=True)
    >>> reverse_gradient(z, 0.5).sum().backward()
    >>> z.grad
    tensor([-0.5000, -0.5000])
    """
    return _ReverseGradient.apply(z, grl_lambda)


def check_temperature(temperature: float | Tensor) -> None:
    """Raise a ConfigError unless T is a positive finite number, or a tensor."""
    if not isinstance(temperature, Tensor) and not 0 < temperature < math.inf:
        raise ConfigError(f"temperature: {temperature} is not a positive number; use e.g. 1")


def summed(rows: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Named terms, each summed over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: torch.stack([row[name] for row in rows if name in row]).sum() for name in names}


def label_weights(labels: Tensor, absent: int, weight: Tensor | None = None) -> Tensor:
    """How much each label counts, [B, …]: 0 where it is `absent`, else 1 or its class's weight."""
    has_label = labels != absent
    return has_label if weight is None else has_label * weight[labels.where(has_label, 0)]


def full_precision(x: Tensor) -> Tensor:
    """`x` in float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
