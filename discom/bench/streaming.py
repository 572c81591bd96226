"""A data set larger than memory: trained from disk, against the same training from memory."""

import os
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, count, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from discom.bench.measure import pair, ratio_interval, turns
from discom.bench.ours import Ours
from discom.bench.workloads import WORKLOADS, Workload
from discom.data import Batches, Modality, MultiModalData
from discom.data.lazy import Lazy
from discom.errors import ConfigError, RunError
from discom.machine import machine, peak_memory

__all__ = ["larger_than_memory", "write_large"]

DRAWN = 512  # different pairs; the large data set repeats them, since speed does not ask what is in an image
RESIDENT = 2048  # pairs that are trained on from memory
STEPS = 10  # of a timed round


def larger_than_memory(
    gigabytes: float = 2.0,
    times: float = 3.0,
    rounds: int = 7,
    *,
    workloads=WORKLOADS[1:],
    folder: Path | None = None,
) -> dict[str, Any]:
    """Pairs a second from memory and from disk, in turn, in a process that may hold `gigabytes` and
    no more.

    The limit is the system's (RLIMIT_DATA) and counts what the process holds itself; pages of the
    mapped files that the system keeps are not counted, so these are thrown out before. In a control
    group, such as that of `systemd-run --scope -p MemoryMax=2G`, they are counted too.

    Args:
        gigabytes: limit of the process, Python, its libraries and the network included.
        times: the data set is so many times as large as the limit.
        rounds: of either side.
        workloads: networks and forms of images; the embedded one unless told otherwise, whose many
            small images are the harder case.
        folder: where the data set is written and deleted again; the system's temporary folder by
            default.

    Returns:
        `machine`, `settings`, and `comparisons` as `bench` has them: the reference is resident,
        ours is streamed.

    Raises:
        ConfigError: the disk has too little room.
        RunError: the process ran out of memory.
    """
    limit, comparisons = int(gigabytes * 2**30), {}
    for load in workloads:
        with tempfile.TemporaryDirectory(dir=folder, prefix="discom-bench-") as place:
            size = write_large(load, Path(place) / "large", times * limit)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                try:
                    found = alone.submit(
                        _compare, load, Path(place) / "large", limit, rounds
                    ).result()
                except (MemoryError, RuntimeError, OSError) as error:
                    reason = " ".join(str(error).split())[:100]
                    raise RunError(
                        f"{load.name}: {gigabytes} GB are too little to train in ({reason}); give more"
                    ) from None
        comparisons[load.name] = {"about": load.about, "data_bytes": size, **found}
    return {
        "machine": machine(torch.device("cpu")),
        "settings": {
            "limit_bytes": limit,
            "times": times,
            "rounds": rounds,
            "steps_per_round": STEPS,
        },
        "comparisons": comparisons,
    }


def write_large(workload: Workload, folder: Path, size: float) -> int:
    """Write a prepared folder of at least `size` bytes of images, and have the system forget its
    pages; its bytes."""
    drawn = workload.make(DRAWN)
    one = sum(drawn.images(name, slice(1)).nbytes for name in drawn.modalities)
    pairs = -(-int(size) // one)
    disk = os.statvfs(folder.parent)
    if (room := disk.f_bavail * disk.f_frsize) < 1.1 * one * pairs:
        raise ConfigError(
            f"{folder.parent}: {room / 1e9:.1f} GB are free, {one * pairs / 1e9:.1f} GB are needed"
        )
    rows = np.arange(pairs)

    def repeated(name: str) -> Modality:
        images = drawn.images(name)
        x = Lazy(rows % len(images), lambda row: images[row], images.shape[1:], images.dtype)
        return Modality(x, drawn.modalities[name].y[rows % len(images)], rows)

    large = MultiModalData(
        {name: repeated(name) for name in drawn.modalities}, drawn.classes, normalized=True
    )
    large.save(folder)
    for file in folder.glob("*.npy"):
        with open(file, "rb") as held:
            os.fsync(held.fileno())
            os.posix_fadvise(held.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return one * pairs


class _Few:
    """`STEPS` + 1 batches at a time, epoch after epoch: what a timed round trains on."""

    def __init__(self, batches: Batches):
        self.coming = chain.from_iterable(map(batches.epoch, count()))

    def epoch(self, number: int):
        return islice(self.coming, STEPS + 1)


def _compare(workload: Workload, folder: Path, limit: int, rounds: int) -> dict[str, Any]:
    """In a process of its own: the limit stays for good."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    large = MultiModalData.open(folder)
    sides = [Ours(data, workload.config) for data in (large.take(np.arange(RESIDENT)), large)]
    held = [
        {name: images.resident is not None for name, images in side.batches.images.items()}
        for side in sides
    ]
    for side in sides:
        side.batches = _Few(side.batches)
    seconds = turns(*sides, rounds) / STEPS
    rates = workload.config.batch_size / np.median(seconds, axis=0)
    low, high = ratio_interval(seconds)
    return {
        "pairs_per_second": {**pair(*rates, "pairs/s"), "interval": [low, high]},
        "peak_memory_mb": peak_memory(torch.device("cpu")),
        "resident": {"reference": held[0], "ours": held[1]},
    }
