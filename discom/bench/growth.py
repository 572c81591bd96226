"""How the cost of training grows: with samples, modalities, pixels, and runs side by side."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from discom.bench.ours import Ours
from discom.config import Config, profile
from discom.data import MultiModalData, scenes
from discom.machine import machine

__all__ = ["DIALS", "grow", "slope"]

SENSORS = ("rgb", "depth", "thermal")
# what is varied → its values; all else is as in the embedded main job
DIALS = {
    "samples": (500, 1000, 2000, 4000),
    "modalities": (2, 3),
    "pixels": (16, 32, 48, 64),
    "workers": (1, 2, 4),
}
REST = {"samples": 1000, "modalities": 2, "pixels": 32}
SHORT = 256  # samples of a run side by side
READY, STRETCH = (
    10.0,
    6.0,
)  # seconds that processes have to get ready, and that a round of runs side by side lasts


def grow(
    rounds: int = 3,
    *,
    dials: Mapping[str, Sequence[int]] = DIALS,
    config: Config | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Seconds of an epoch along each dial, and pairs a second of all runs together where several
    train side by side.

    The values of a dial are timed in turn, `rounds` times; medians and all rounds are returned.

    Args:
        rounds: timed rounds.
        dials: what is varied, and its values.
        config: of the embedded main job unless told otherwise.
        progress: whether a progress bar is shown.

    Returns:
        `machine`, `settings`, and `dials`: dial → {"values", "measured" (medians), "rounds",
        "unit", "slope"}.
    """
    config, found = config or profile("cpu", schedule="constant"), {}  # however many steps
    with (
        torch.random.fork_rng(),
        tqdm(total=len(dials), unit="dial", disable=not progress, leave=False) as bar,
    ):
        for dial, values in dials.items():
            bar.set_description(dial)
            measure = _side_by_side if dial == "workers" else _epochs
            seconds = measure(dial, values, config, rounds)  # [rounds, values]
            middle = np.median(seconds, axis=0)
            unit = "pairs/s of all" if dial == "workers" else "s per epoch"
            found[dial] = {"values": list(values), "measured": middle.tolist(), "rounds": seconds.tolist(),
                           "unit": unit, "slope": slope(values, middle)}  # fmt: skip
            bar.update()
    return {
        "machine": machine(torch.device("cpu")),
        "settings": {"rounds": rounds, **REST},
        "dials": found,
    }


def slope(values: Sequence[float], measured: Sequence[float]) -> float:
    """The power p of the line measured ∝ value^p that fits best in logarithms.

    >>> round(slope([1, 2, 4], [3, 12, 48]), 3)
    2.0
    """
    return float(np.polyfit(np.log(values), np.log(measured), 1)[0])


def _data(samples: int, modalities: int, pixels: int) -> MultiModalData:
    """So many training pairs of drawn scenes."""
    drawn = scenes.make(3 * samples, size=pixels, modalities=SENSORS[:modalities])
    return drawn.split(seed=0).train.take(np.arange(samples))


def _epochs(dial: str, values: Sequence[int], config: Config, rounds: int) -> np.ndarray:
    sides = [Ours(_data(**{**REST, dial: value}), config) for value in values]
    for side in sides:
        side.epoch(0)
    return np.array([[_timed(side.epoch, number) for side in sides] for number in range(rounds)])


def _timed(call: Callable[[int], Any], number: int) -> float:
    started = time.perf_counter()
    call(number)
    return time.perf_counter() - started


def _side_by_side(dial: str, values: Sequence[int], config: Config, rounds: int) -> np.ndarray:
    """Each run has its share of the cores, one thread at least; all train for as long as any is
    watched, and have short epochs, so that what reaches beyond a stretch is little."""
    rates, cores = [], torch.get_num_threads()
    for workers in values:
        start = time.monotonic() + READY + 5 * workers  # a clock that all processes share
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            threads = max(1, cores // workers)
            runs = [
                pool.submit(
                    _rates,
                    _data(**REST | {"samples": SHORT}),
                    config,
                    threads,
                    start,
                    rounds,
                    STRETCH,
                )
                for _ in range(workers)
            ]
            rates.append(sum(run.result() for run in runs))
    return np.array(rates).T


def _rates(
    data: MultiModalData, config: Config, threads: int, start: float, rounds: int, stretch: float
) -> np.ndarray:
    """Pairs a second of this process in `rounds` times `stretch` seconds from `start` on."""
    torch.set_num_threads(threads)
    side, rates = Ours(data, config), []
    side.epoch(0)
    while time.monotonic() < start:
        side.epoch(0)
    for number in range(rounds + 1):
        began, done = time.monotonic(), 0
        while not done or time.monotonic() < start + stretch * (number + 1):
            side.epoch(done)
            done += 1
        rates.append(done * len(data) / (time.monotonic() - began))
    return np.array(rates[:rounds])  # the last stretch is for those that are behind
