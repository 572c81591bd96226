"""Clocks and counters: turns, phases of a step, work, the machine's peak, and memory."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from discom.errors import RunError
from discom.machine import peak_memory

__all__ = [
    "PHASES",
    "count_flops",
    "matmul_peak",
    "memory_alone",
    "pair",
    "phases",
    "ratio_interval",
    "turns",
]

PHASES = ("data", "forward", "backward", "optimizer")


def pair(reference: float, ours: float, unit: str) -> dict[str, Any]:
    """A comparison as JSON has it; the ratio is ours / reference.

    >>> pair(50, 100, "pairs/s")
    {'reference': 50.0, 'ours': 100.0, 'ratio': 2.0, 'unit': 'pairs/s'}
    """
    return {
        "reference": float(reference),
        "ours": float(ours),
        "ratio": float(ours / reference),
        "unit": unit,
    }


def turns(reference: Any, ours: Any, rounds: int) -> np.ndarray:
    """Seconds of an epoch of each, its first step left out, [rounds, 2]; who goes first changes
    every round.

    A machine that grows slower or warmer so hits both alike; and in its first step a side gets back
    the memory and the caches that the other one had meanwhile, which a training alone never has to.

    Args:
        reference, ours: have `epoch(number)`, which returns when the device is done, `optimizer`
        and `device`.
        rounds: so many epochs, numbered from 0.
    """
    seconds = np.empty((rounds, 2))
    for number in range(rounds):
        for place in (0, 1) if number % 2 == 0 else (1, 0):
            side, started = (reference, ours)[place], []
            hook = side.optimizer.register_step_post_hook(
                lambda *_, s=side, t=started: t or t.append(_now(s.device))
            )
            side.epoch(number)
            seconds[number, place] = _now(side.device) - started[0]
            hook.remove()
    return seconds


def _now(device: torch.device) -> float:
    """The time when the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def ratio_interval(
    seconds: np.ndarray, level: float = 0.95, draws: int = 10_000
) -> tuple[float, float]:
    """How far the ratio of the median seconds (reference / ours) may be off: a bootstrap over whole
    rounds.

    >>> ratio_interval(np.array([[2.0, 1.0], [4.0, 2.0], [6.0, 3.0]]))
    (2.0, 2.0)
    """
    rows = np.random.default_rng(0).integers(len(seconds), size=(draws, len(seconds)))
    medians = np.median(seconds[rows], axis=1)  # [draws, rounds, 2] → [draws, 2]
    low, high = np.quantile(medians[:, 0] / medians[:, 1], [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def phases(side: Any, number: int) -> dict[str, float]:
    """Milliseconds of a step by phase, from one epoch that waits for the device after each; its
    first step is left out.

    Forward is the network with its loss terms; backward sums them up, too. Data is all that lies
    between two steps: drawing, moving and laying out a batch, and at the end reading the losses.
    Hooks tell them apart, so the loop that is measured is the one that trains.

    Args:
        side: has `epoch(number)`, `model`, `optimizer` and `device`.
        number: of the epoch.
    """
    spent, steps, last = dict.fromkeys(PHASES, 0.0), -1, 0.0

    def ends(phase: str):
        def mark(*_) -> None:
            nonlocal last, steps
            now = _now(side.device)
            spent[phase] += now - last if steps >= 0 else 0.0
            last, steps = now, steps + (phase == "optimizer")

        return mark

    hooks = [
        side.model.register_forward_pre_hook(ends("data")),
        side.model.register_forward_hook(ends("forward")),
        side.optimizer.register_step_pre_hook(ends("backward")),
        side.optimizer.register_step_post_hook(ends("optimizer")),
    ]
    try:
        side.epoch(number)
        ends("data")()
    finally:
        for hook in hooks:
            hook.remove()
    return {phase: 1000 * seconds / steps for phase, seconds in spent.items()}


def count_flops(run: Callable[[], Any]) -> int:
    """Floating-point operations of matrix products and convolutions, forward and backward; a
    multiply-add is two.

    >>> count_flops(lambda: torch.ones(3, 4) @ torch.ones(4, 5))
    120
    """
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def matmul_peak(
    device: torch.device, dtype: torch.dtype, size: int = 0, seconds: float = 2.0
) -> float:
    """Floating-point operations per second of the best of many large square matrix products.

    Args:
        device, dtype: where, and of what.
        size: rows; by default 1024, or 8192 on a GPU.
        seconds: how long to try, five products at least.
    """
    size = size or (8192 if device.type == "cuda" else 1024)
    left, right = torch.randn(2, size, size, device=device).to(dtype)
    taken = []
    while sum(taken) < seconds or len(taken) < 5:
        started = time.perf_counter()
        (left @ right)[0, 0].item()  # reading a value waits for the device
        taken.append(time.perf_counter() - started)
    return 2 * size**3 / min(taken)


def memory_alone(make: Callable[..., Any], *arguments: Any) -> float:
    """Most memory in MB that a training takes: in a process that does nothing else, two epochs
    long.

    Of the device, or on a CPU of the whole process, Python and its libraries included.

    Args:
        make: gives a side from the arguments; both must be picklable.

    Raises:
        RunError: the process was killed.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        try:
            return alone.submit(_peak, make, arguments).result()
        except BrokenProcessPool:
            raise RunError(
                "bench: the process that measures memory was killed (out of memory?); free some"
            ) from None


def _peak(make: Callable[..., Any], arguments: tuple) -> float:
    side = make(*arguments)
    for number in range(2):
        side.epoch(number)
    return peak_memory(side.device)
