"""How fast training is: the paper's recipe as a plain PyTorch script against `discom.fit`.

python benchmarks/speed.py [--json FILE] [--rounds 7] [--size small|eurosat|both]
                           [--accelerator cpu|cuda]

Both sides train the same network from the same weights on the same data. That they compute the
same loss on one batch is checked before anything is timed; then they take turns. A machine that
has something else to do makes the ratio of a round wrong, so look at the interval.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from discom import fit, profile
from discom.config import Config
from discom.data import Batch, Modality, MultiModalData, Split, scenes
from discom.errors import ConfigError, DiscomError, RunError
from discom.machine import device_type, machine
from discom.methods import build, get
from discom.runs import read_metrics

EVALUATED = 20  # samples that `fit` validates and tests on; that is not timed
PAPER = {
    "batch_size": 128,
    "learning_rate": 1e-4,
    "schedule": "constant",
    "augment": 0.5,
    "precision": "bf16-mixed",
    "epochs": 1,
}
# how far two losses of one batch may be apart, in float32 and in the precision of `fit`
TOLERANCES = {"32-true": 1e-5, "bf16-mixed": 0.02}


def eurosat_sized(count: int) -> Split:
    """Random images of EuroSAT's form, `count` for training: speed does not ask what they show."""
    draw, ids = np.random.default_rng(0), np.arange(count + EVALUATED)
    modalities = {}
    for name, bands in (("ms", 13), ("sar", 2)):
        images = draw.random((len(ids), bands, 64, 64), dtype=np.float32)
        modalities[name] = Modality(images, ids % 10, ids)
    data = MultiModalData(modalities, tuple("0123456789"), name="eurosat-sized", normalized=True)
    rest = data.take(ids[count:])
    return Split(data.take(ids[:count]), rest, rest)


def small_scenes(count: int) -> Split:
    """Synthetic scenes, `count` for training."""
    split = scenes.make(300 + 3 * count).split(seed=0)  # 5 of 11 train, 1 validates
    sizes = (count, EVALUATED, EVALUATED)
    return Split(*(part.take(np.arange(n)) for part, n in zip(split, sizes, strict=True)))


# name → data, settings, and timed steps of a round on each kind of device
SIZES: dict[str, tuple[str, Callable[[int], Split], Config, dict[str, int]]] = {
    "eurosat": ("eurosat-sized", eurosat_sized, profile("paper", **PAPER), {"cpu": 1, "cuda": 50}),
    "small": ("scenes", small_scenes, profile("cpu", **PAPER), {"cpu": 4, "cuda": 50}),
}


def motions(probability: float) -> nn.Module:
    """The paper's augmentation of one image: with `probability`, each flip with ½, and with ½ some
    quarter turns, which copy pixels."""
    turn = v2.RandomChoice([v2.RandomRotation((angle, angle)) for angle in (0, 90, 180, 270)])
    moved = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.RandomApply([turn])])
    return v2.RandomApply([moved], p=probability)


class OneSensor(Dataset):
    """The scaled images of one modality in memory; each is moved when it is asked for."""

    def __init__(self, data: MultiModalData, name: str, augment: float):
        self.images = torch.from_numpy(data.images(name))
        self.labels = torch.from_numpy(data.modalities[name].y)
        self.move = motions(augment)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int):
        return self.move(self.images[row]), self.labels[row]


def recipe(split: Split, config: Config) -> float:
    """One epoch as a plain script trains it: float32, contiguous tensors, Adam, and a shuffled
    loader for each modality. Returns the mean loss."""
    device = torch.device(device_type(config.accelerator))
    model = build(get("discom"), split.train, config).to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    pinned = device.type == "cuda"
    loaders = {}
    for name in split.train.modalities:
        images = OneSensor(split.train, name, config.augment)
        loaders[name] = DataLoader(
            images, config.batch_size, shuffle=True, drop_last=True, pin_memory=pinned
        )
    losses = []
    for loaded in zip(*loaders.values(), strict=True):
        x, y = {}, {}
        for name, (images, labels) in zip(loaders, loaded, strict=True):
            x[name] = images.to(device, non_blocking=True)
            y[name] = labels.to(device, non_blocking=True)
        terms = model(Batch(x, y))
        loss = sum(model.weights[name] * term for name, term in terms.items())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).mean().item()


def ours(split: Split, config: Config) -> float:
    """One epoch of `fit`; returns the mean loss."""
    with tempfile.TemporaryDirectory() as folder:
        fit("discom", split, config, folder, progress=False)
        return float(read_metrics(Path(folder) / "metrics.csv")["loss"][0])


def check_losses(name: str, split: Split, config: Config, other: Config) -> None:
    """Refuse sides that do not compute the same loss on their first batch, before its step.

    Args:
        name: for the message.
        split: its training part is one batch.
        config, other: the settings of the recipe and of `fit`.

    Raises:
        RunError: they differ by more than TOLERANCES.
    """
    expected = recipe(split, replace(config, augment=0.0))
    for precision, tolerance in TOLERANCES.items():
        loss = ours(split, replace(other, augment=0.0, precision=precision))
        if not abs(loss - expected) <= tolerance * abs(expected):
            raise RunError(
                f"{name}: the recipe's loss of one batch is {expected:.6g}, ours in {precision}"
                f" {loss:.6g}; the sides do not train the same, so nothing is timed"
            )


def step_seconds(side: Callable[[Split, Config], float], split: Split, config: Config) -> float:
    """Mean seconds from one optimizer step to the next; all before the first step is left out."""
    marks: list[Any] = []

    def mark(*_) -> None:
        if device_type(config.accelerator) == "cpu":
            marks.append(time.perf_counter())
        else:
            marks.append(torch.cuda.Event(enable_timing=True))
            marks[-1].record()

    hook = register_optimizer_step_post_hook(mark)
    try:
        side(split, config)
    finally:
        hook.remove()
    if device_type(config.accelerator) == "cpu":
        return (marks[-1] - marks[0]) / (len(marks) - 1)
    torch.cuda.synchronize()
    return marks[0].elapsed_time(marks[-1]) / 1000 / (len(marks) - 1)


def compare(size: str, rounds: int, accelerator: str) -> dict[str, Any]:
    """Pairs per second of both sides on one of SIZES, and their ratio ours / reference with its
    95 % interval, a bootstrap over rounds."""
    name, make, config, steps = SIZES[size]
    config = replace(config, accelerator=accelerator)
    check_losses(name, make(config.batch_size), config, config)
    split = make(config.batch_size * (1 + steps[device_type(accelerator)]))
    seconds = np.empty((rounds, 2))
    for number in range(rounds):
        sides = ((0, recipe), (1, ours))
        for column, side in sides if number % 2 == 0 else sides[::-1]:
            seconds[number, column] = step_seconds(side, split, config)
    reference, mine = config.batch_size / np.median(seconds, axis=0)
    draws = np.random.default_rng(0).integers(rounds, size=(10_000, rounds))
    medians = np.median(seconds[draws], axis=1)  # [draws, rounds, 2] → [draws, 2]
    interval = np.quantile(medians[:, 0] / medians[:, 1], [0.025, 0.975])
    ratio = mine / reference
    rates = {"reference": reference, "ours": mine, "ratio": ratio, "interval": interval.tolist()}
    return {"pairs_per_second": rates, "ratio": ratio, "step_seconds": seconds.tolist()}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the JSON and write it; 2 if something has to be put right first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures into this file, too")
    parser.add_argument("--rounds", type=int, default=7, help="of either side (default: 7)")
    parser.add_argument("--size", choices=[*SIZES, "both"], default="both")
    parser.add_argument("--accelerator", choices=["cpu", "cuda"], default="cpu")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.rounds < 3:
            raise ConfigError(f"--rounds: {chosen.rounds} are too few for an interval; use 3")
        device = torch.device(device_type(chosen.accelerator))
        report = {"machine": machine(device), "rounds": chosen.rounds, "comparisons": {}}
        for size in SIZES if chosen.size == "both" else [chosen.size]:
            report["comparisons"][SIZES[size][0]] = compare(size, chosen.rounds, chosen.accelerator)
        text = json.dumps(report, indent=2)
        print(text)
        if chosen.json:
            chosen.json.write_text(text + "\n", encoding="utf-8")
    except (DiscomError, OSError) as error:
        print(f"speed.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
