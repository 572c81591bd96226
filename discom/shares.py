"""What several processes that train one run know together; a process alone is the ordinary case.

Each holds a share of every batch: `world` processes, numbered by `rank`. Nothing here starts or
ends them (`devices`).
"""

from collections.abc import Callable
from multiprocessing.connection import Client, Connection, Listener
from typing import TypeVar

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from discom.errors import ConfigError, DiscomError

__all__ = ["SharedBatchNorm", "Silence", "agreed", "connect", "disconnect", "everyones_mean", "everyones_rows",
           "from_first", "gathered", "rank", "share_statistics", "world"]  # fmt: skip

T = TypeVar("T")
LINES: dict[int, Connection] = {}  # to the other processes, where all are on one machine
LINE_BYTES = 1 << 15  # what fits into a line before the other end reads
TIME_OUT = [600.0]  # seconds


class Silence(RuntimeError):
    """Another process has ended, or does not answer in time."""


def rank() -> int:
    """The number of this process; 0 where it is alone."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def world() -> int:
    """How many processes train this run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def from_first(ask: Callable[[], T]) -> T:
    """What `ask` returns to the first process, or raises there, for all of them; the others do not
    call it.

    >>> from_first(lambda: "alone")
    'alone'
    """
    if world() == 1:
        return ask()
    told = [None]
    if rank() == 0:
        try:
            told = [ask()]
        except DiscomError as error:
            told = [error]
    dist.broadcast_object_list(told)
    if isinstance(told[0], DiscomError):
        raise agreed(told[0])
    return told[0]


def agreed(error: DiscomError) -> DiscomError:
    """An error that every process raises at the same place: the connection lives on, and the first
    one alone tells."""
    error.agreed = True
    return error


def _everyones(x: Tensor) -> Tensor:
    """The x of every process, of one shape in all of them: [...] → [world, ...]."""
    held, x = x.new_empty(world(), *x.shape), x.contiguous()
    if not LINES or x.nbytes > LINE_BYTES:
        dist.all_gather(list(held), x)
        return held
    held[rank()] = x
    try:
        for line in LINES.values():
            line.send_bytes(x.view(-1).view(torch.uint8).numpy())
        for other, line in LINES.items():
            if not line.poll(TIME_OUT[0]):
                raise Silence(f"timed out after {TIME_OUT[0]:g} s")
            line.recv_bytes_into(held[other].view(-1).view(torch.uint8).numpy())
    except (EOFError, ConnectionError) as error:
        raise Silence(f"connection closed ({type(error).__name__})") from None
    return held


def connect(seconds: float) -> None:
    """Lay a line between every two processes of one machine for the small exchanges of BatchNorm,
    two for each layer and step. A message by gloo passes through three threads on its way, which
    takes longer than such a layer.

    Args:
        seconds: how long an answer may take.
    """
    TIME_OUT[0], places = seconds, [""] * world()
    with Listener(backlog=world()) as listener:
        dist.all_gather_object(places, listener.address)
        for other in range(rank()):
            LINES[other] = Client(places[other])
            LINES[other].send(rank())
        for _ in range(rank() + 1, world()):
            line = listener.accept()
            LINES[line.recv()] = line


def disconnect() -> None:
    """Hang up, so that the others notice at once."""
    while LINES:
        LINES.popitem()[1].close()


def everyones_mean(x: Tensor) -> Tensor:
    """The mean over processes of a tensor that has one shape in all of them."""
    return _everyones(x).mean(0) if world() > 1 else x


def everyones_rows(x: Tensor) -> Tensor:
    """The rows of all processes, the first one's first; they need not be equally many. No
    gradient."""
    if world() == 1:
        return x
    counts = _everyones(torch.tensor(len(x), device=x.device)).tolist()
    padded = torch.cat([x, x.new_zeros(max(counts) - len(x), *x.shape[1:])])
    return torch.cat([held[:count] for held, count in zip(_everyones(padded), counts, strict=True)])


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        rows = everyones_rows(x.detach())
        ctx.start = int(_everyones(torch.tensor(len(x), device=x.device))[: rank()].sum())
        ctx.count, ctx.factor = len(x), len(rows) / len(x)
        return rows

    @staticmethod
    def backward(ctx, gradient):
        return ctx.factor * gradient[ctx.start : ctx.start + ctx.count]


def gathered(x: Tensor) -> Tensor:
    """The rows of the whole batch, for a term of the loss that compares samples with each other:
    every process then computes the term of the whole batch.

    The gradient is that of this process's rows, times whole / share: `fit` weights a share's terms
    by share / whole. Without gradients (a validation, an inspection), or alone, x itself.
    """
    return _Gather.apply(x) if world() > 1 and torch.is_grad_enabled() else x


class _Normalise(torch.autograd.Function):
    """(x - mean) / √(var + eps) · weight + bias, and the gradient of it all through mean and var of
    `count` values."""

    @staticmethod
    def forward(ctx, x, weight, bias, mean, var, count, eps):
        ctx.save_for_backward(x, weight, mean, var)
        ctx.count, ctx.eps = count, eps
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps)

    @staticmethod
    def backward(ctx, gradient):
        x, weight, mean, var = ctx.saved_tensors
        gradient_x, gradient_weight, gradient_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, mean, var, None, None, False, ctx.eps, [True, True, True]
        )  # as if mean and var were constants
        sums = _everyones(torch.cat([gradient_weight, gradient_bias]).double()).sum(0)
        scale = (-weight * (var + ctx.eps).rsqrt()).repeat(2) * (sums / ctx.count).to(weight.dtype)
        through_var, through_mean = scale.chunk(2)
        gradient_x += F.batch_norm(x, mean, var, through_var, through_mean, False, 0.0, ctx.eps)
        return gradient_x, gradient_weight, gradient_bias, None, None, None, None


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """BatchNorm whose mean and variance are those of the whole batch, of which each process holds a
    share.

    On CPUs and GPUs alike (torch's own SyncBatchNorm is for GPUs alone), by one exchange of a few
    numbers forward and one backward; weights and buffers have the names that they have in
    `nn.BatchNorm2d`.
    """

    def _check_input_dim(self, x: Tensor) -> None:
        """Any number of dimensions will do."""

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C, ...] → the same shape; in eval mode what every BatchNorm does."""
        if not self.training:
            return super().forward(x)
        mean, var, count = self._statistics(x.detach())
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var * (count / (count - 1)), self.momentum)
        return _Normalise.apply(x, self.weight, self.bias, mean, var, count, self.eps)

    @torch.no_grad()
    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and variance [C] of the whole batch, and how many values of a channel it has."""
        mean, var = torch.batch_norm_update_stats(
            x, self.running_mean, self.running_var, 0.0
        )  # a momentum of 0: reads
        own = x.new_tensor([x.numel() // x.shape[1]], dtype=torch.double)
        held = _everyones(torch.cat([own, mean.double(), var.double()]))  # [W, 1 + 2C]
        counts, means, variances = held.split([1, len(mean), len(mean)], 1)
        count = counts.sum()
        shared = (counts * means).sum(0) / count
        spread = (counts * (variances + (means - shared).square())).sum(0) / count
        return shared.to(self.weight.dtype), spread.to(self.weight.dtype), count


def share_statistics(model: nn.Module) -> nn.Module:
    """The model itself; where there are several processes, its BatchNorms take the whole batch's
    statistics now.

    Raises:
        ConfigError: a BatchNorm of another kind, such as those that have an activation built in.
    """
    plain = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    for module in model.modules() if world() > 1 else ():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            if type(module) not in plain or not module.affine or not module.momentum:
                kind = type(module).__name__
                raise ConfigError(
                    f"network: its {kind} cannot be shared by devices; use another one, or devices=1"
                )
            module.__class__ = SharedBatchNorm  # the same weights and buffers under the same names
    return model
