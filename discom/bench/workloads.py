"""What is trained while the clock runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from discom.config import Config, profile
from discom.data import Modality, MultiModalData, scenes

__all__ = ["WORKLOADS", "Workload"]


@dataclass(frozen=True)
class Workload:
    """Data, network and batch that both sides share.

    Args:
        name: of the comparison.
        about: what it is, in a few words.
        make: makes so many training pairs.
        config: our settings; the recipe follows those that are not about speed.
        steps: kind of device → batches in a timed round, which is one epoch of so many.
    """

    name: str
    about: str
    make: Callable[[int], MultiModalData]
    config: Config
    steps: Mapping[str, int]


def _eurosat(count: int) -> MultiModalData:
    """Random images of EuroSAT's form: speed does not ask what is in them."""
    draw, ids = np.random.default_rng(0), np.arange(count)
    y = ids % 10
    images = {
        name: draw.random((count, bands, 64, 64), dtype=np.float32)
        for name, bands in (("ms", 13), ("sar", 2))
    }
    modalities = {name: Modality(x, y, ids) for name, x in images.items()}
    return MultiModalData(modalities, tuple("0123456789"), name="eurosat-sized", normalized=True)


def _scenes(count: int) -> MultiModalData:
    """The training part of drawn scenes, scaled by its own percentiles."""
    drawn = scenes.make(100 + 3 * count)  # 5 of 11 are for training, and few would lack a class
    return drawn.split(seed=0).train.take(np.arange(count))


PAPER = {
    "batch_size": 128,
    "learning_rate": 1e-4,
    "schedule": "constant",
    "augment": 0.5,
    "precision": "bf16-mixed",
}
WORKLOADS = (
    Workload(
        "eurosat-sized", "13 + 2 bands of 64×64 pixels, ResNet-18 of width 64", _eurosat, profile("paper", **PAPER),
        {"cpu": 1, "cuda": 50},
    ),
    Workload(
        "embedded", "drawn scenes, 3 + 1 bands of 32×32 pixels, ResNet-18 of width 16", _scenes,
        profile("cpu", **PAPER), {"cpu": 4, "cuda": 50},
    ),
)  # fmt: skip
