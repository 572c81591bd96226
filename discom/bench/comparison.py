"""The recipe against our path, in one process and in turn."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from discom.bench.measure import (
    count_flops,
    matmul_peak,
    memory_alone,
    pair,
    phases,
    ratio_interval,
    turns,
)
from discom.bench.ours import Ours
from discom.bench.recipe import Recipe
from discom.bench.workloads import WORKLOADS, Workload
from discom.config import Config
from discom.data import MultiModalData
from discom.errors import ConfigError, RunError
from discom.machine import device_type, machine

__all__ = ["bench", "check_losses", "compare"]

EXACT, ROUNDED = (
    1e-5,
    0.02,
)  # how far two losses of one batch may be apart, in float32 and in our precision
LEAST = 3  # rounds


def bench(
    accelerator: str = "auto",
    rounds: int = 7,
    workers: int = 0,
    *,
    workloads: Sequence[Workload] = WORKLOADS,
    progress: bool = True,
) -> dict[str, Any]:
    """Measure every workload; the content of `discom bench --json`.

    Args:
        accelerator: auto, cpu or cuda.
        rounds: of either side.
        workers: processes of each of the recipe's loaders.
        workloads: what to measure.
        progress: whether a progress bar is shown.

    Returns:
        `machine`, `settings`, `matmul_peak` and `comparisons`: workload → measure → {"reference":
        the recipe, "ours", "ratio": ours / reference, "unit"}.

    Raises:
        ConfigError: no such accelerator, or too few rounds.
        RunError: the two sides do not compute the same loss, or a process was killed.
    """
    if rounds < LEAST:
        raise ConfigError(
            f"rounds: {rounds} are too few for a median with an interval; use {LEAST} or more"
        )
    if workers < 0:
        raise ConfigError(f"workers: {workers} is below 0; 0 loads in the process that trains")
    device = torch.device(
        device_type(Config(accelerator=accelerator).accelerator)
    )  # Config knows the words
    parts = 1 + 5 * len(workloads)
    with (
        torch.random.fork_rng(),
        tqdm(total=parts, unit="part", disable=not progress, leave=False) as bar,
    ):
        bar.set_description("matrix products")
        peaks = [matmul_peak(device, dtype) for dtype in (torch.float32, torch.bfloat16)]
        return {
            "machine": machine(device),
            "settings": {"rounds": rounds, "loader_workers": workers},
            "matmul_peak": {**pair(*peaks, "FLOP/s"), "precision": ["float32", "bfloat16"]},
            "comparisons": {
                load.name: compare(load, device, rounds, workers, peaks, bar) for load in workloads
            },
        }


def compare(
    workload: Workload,
    device: torch.device,
    rounds: int,
    workers: int,
    peaks: Sequence[float],
    bar: tqdm,
) -> dict[str, Any]:
    """All measures of one workload.

    Args:
        workload, device, rounds, workers: as in `bench`.
        peaks: the machine's matmul peak in the recipe's precision and in ours, FLOP/s.
        bar: moved on whenever one of its five parts begins.
    """

    def part(what: str) -> None:
        bar.update()
        bar.set_description(f"{workload.name}: {what}")

    config, steps = replace(workload.config, accelerator=device.type), workload.steps[device.type]
    made = steps + 1  # the first is not timed
    part("are the losses the same?")
    one = workload.make(config.batch_size)
    losses = check_losses(workload.name, one, config, config)
    part("memory of each alone")
    held = [
        memory_alone(partial(_side, kind), workload, config, made, workers)
        for kind in (Recipe, Ours)
    ]
    part("work of a step")
    data = workload.make(made * config.batch_size)
    reference, ours = Recipe(data, config, workers), Ours(data, config)
    flops = count_flops(lambda: reference.epoch(0)) / made
    ours.epoch(0)
    part(f"{rounds} rounds in turn")
    seconds = turns(reference, ours, rounds) / steps
    part("phases")
    spent = [phases(side, rounds) for side in (reference, ours)]
    rates = config.batch_size / np.median(seconds, axis=0)
    low, high = ratio_interval(seconds)
    return {
        "about": f"{workload.about}, batch {config.batch_size}",
        "steps_per_round": steps,
        "flops_per_step": flops,
        "loss": pair(*losses, "of one batch"),
        "pairs_per_second": {
            **pair(*rates, "pairs/s"), "interval": [low, high],
            "rounds": {"reference": seconds[:, 0].tolist(), "ours": seconds[:, 1].tolist(), "unit": "s/step"},
        },
        "share_of_peak": pair(*(flops * rates / config.batch_size / peaks), "of the matmul peak in its precision"),
        "peak_memory": pair(*held, "MB"),
        **{name: pair(*(side[name] for side in spent), "ms/step") for name in spent[0]},
    }  # fmt: skip


def check_losses(
    name: str, one: MultiModalData, theirs: Config, ours: Config
) -> tuple[float, float]:
    """The loss of one batch before its first step, by the recipe and by our path; nobody is timed
    unless they agree.

    Same initial weights, and images that are not moved. The order in a batch differs, which the
    loss does not see.

    Args:
        name: for the message.
        one: data of exactly one batch.
        theirs, ours: the settings of either side.

    Raises:
        RunError: they differ by more than 1e-5 in float32, or by more than 2 % in our own
            precision.
    """
    theirs, ours = replace(theirs, augment=0.0), replace(ours, augment=0.0)
    expected = Recipe(one, theirs).epoch(0)
    for precision, allowed in (("32-true", EXACT), (ours.precision, ROUNDED)):
        found = Ours(one, replace(ours, precision=precision)).epoch(0)
        if not abs(found - expected) <= allowed * abs(expected):
            raise RunError(
                f"{name}: the recipe's loss of one batch is {expected:.6g}, ours with {precision} {found:.6g}; the two"
                " do not train the same, so nothing is timed; tell us the machine and the versions"
            )
    return expected, found


def _side(
    kind: type, workload: Workload, config: Config, steps: int, workers: int
) -> Recipe | Ours:
    data = workload.make(steps * config.batch_size)
    return kind(data, config, workers) if kind is Recipe else kind(data, config)
