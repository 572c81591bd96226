"""What a run will cost on this machine, from a few batches of it."""

import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from discom import hardware
from discom.config import Config
from discom.data import MultiModalData, Split
from discom.data.batches import where_kept
from discom.methods import Method
from discom.running.checkpoint import Checkpoint
from discom.running.fit import fit
from discom.running.runs import Run, check_divided

EPOCHS = 3  # of a few batches each; the first one warms up
LONG = 1.0  # seconds of such an epoch: a shorter one times its start, and what else runs just then


class Cost(NamedTuple):
    """What an epoch takes on this device."""

    seconds: float  # of one epoch, `reading` among them
    reading: float  # seconds of these for images that do not stay on the device
    memory_mb: float  # at most: of a GPU what tensors take, of a CPU what this process takes
    checkpoint_mb: float = 0.0  # the file from which a run goes on, at most


def probe(run: Run, split: Split, batches: int = 3) -> Cost:
    """What an epoch of a run costs here: the mean of two epochs on so many batches, times the share
    of the samples that they are, and the time that reading takes where a sensor's images do not
    stay on the device. Where these epochs are short, it takes more batches. A method with a teacher
    trains it on these batches first. It leaves nothing behind. What `fit` raises.

    >>> from discom import data, methods, profile
    >>> images, config = data.load("objects:n=90,size=16"), profile("tiny")
    >>> cost = probe(Run.of("runs", methods.get("student"), images, config), images.split(0))
    >>> cost.seconds > cost.reading == 0
    True
    """
    check_divided(split)
    steps = int(np.ceil(len(split.train) / run.config.batch_size))
    reading = _reading(split.train, run.config) * steps
    cost = _scaled(run, split, batches)
    short = cost.seconds * min(batches / steps, 1)
    if short < LONG and not reading:
        cost = _scaled(run, split, int(min(steps, np.ceil(LONG / short * batches))))
    return cost._replace(seconds=cost.seconds + reading, reading=reading)


def _scaled(run: Run, split: Split, batches: int) -> Cost:
    """What an epoch costs without its reading, by epochs of so many batches."""
    few = _few(split, run.config.batch_size, batches)
    with tempfile.TemporaryDirectory() as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it learns nothing, and says so
        place, teacher = Path(temporary), None
        groups = min(run.config.labelled_groups, len(np.unique(few.train.group_ids)))
        if run.teacher:
            teacher = place / "teacher"
            short = replace(run.teacher.config, epochs=1, labelled_groups=groups)
            fit(run.teacher.method, few, short, teacher, progress=False)
        short = replace(run.config, epochs=EPOCHS, labelled_groups=groups)
        folder = place / "run"
        sizes = []

        def measure(_: int, network: Method) -> None:
            state = Checkpoint(place / "not there", "", model=network)
            sizes.append(state.size(run.config.select) / 1e6)

        result = fit(
            run.method, few, short, folder, teacher=teacher, progress=False, on_epoch_end=measure
        )
        seconds = pd.read_csv(folder / "metrics.csv")["seconds"].diff().mean()
    share = len(split.train) / len(few.train)
    memory = result.peak_memory_mb + _kept(split.train) - _kept(few.train)
    return Cost(float(seconds * share), 0.0, memory, max(sizes))


def _few(split: Split, batch_size: int, batches: int) -> Split:
    """So many batches of the training part, the same share of the validation part, and two test
    samples of each class."""
    count = min(len(split.train), batches * batch_size)
    classes = len(split.train.classes)
    valid = max(classes, round(len(split.valid) * count / len(split.train)))
    sizes = count, valid, 2 * classes
    parts = zip(split, sizes, strict=True)
    return Split(
        *(part.take(_in_turn(part)[:size]).changed(origin=part.origin) for part, size in parts)
    )


def _in_turn(part: MultiModalData) -> np.ndarray:
    """The rows of the samples: those with all sensors first, classes in turn, else at random."""
    order = np.random.default_rng(0).permutation(len(part))
    labels = pd.Series(part.labels[order])
    alone = ~np.isin(part.ids[order], part.paired_ids)
    return order[np.lexsort((labels, labels.groupby(labels).cumcount(), alone))]


def _kept(train: MultiModalData) -> float:
    """MB of the images that stay on the device."""
    device, size = hardware.device(), 0.0
    for name, modality in train.modalities.items():
        place, values = where_kept(train, name, device), float(np.prod(modality.x.shape))
        size += values * {"scaled": 4, "stored": modality.x.dtype.itemsize, "disk": 0}[place]
    return size / 2**20


def _reading(train: MultiModalData, config: Config) -> float:
    """Seconds a batch in which images are read that do not stay on the device."""
    total = 0.0
    for name, modality in train.modalities.items():
        if where_kept(train, name, hardware.device()) == "disk":
            rows = np.random.default_rng(0).permutation(len(modality.x))[: config.batch_size]
            started = time.perf_counter()
            train.images(name, np.sort(rows))
            total += time.perf_counter() - started
    return total
