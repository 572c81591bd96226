"""How fast training is: a profile's recipe as a plain PyTorch script against `discom.fit`.

Both sides train the same network from the same weights on the same data, in turn; a test checks
that they compute the same loss on one batch. A busy machine spoils single rounds, so look at the
interval.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import numpy as np
import pandas as pd
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import DataLoader, TensorDataset, default_collate
from torchvision.transforms import v2

from discom import cli, files, fit, profile
from discom.cli import flags
from discom.config import Config
from discom.data import Modality, MultiModalData, Normalization, Split
from discom.data.batches import Batch
from discom.errors import check_choice
from discom.hardware import device_type, machine
from discom.methods import build, get

EVALUATED = 20  # samples that `fit` validates or tests on; that is not timed
TIMED = {"epochs": 1, "schedule": "constant"}
# name → bands, height and width, profile, and timed steps of a round on each kind of device
SIZES = {
    "eurosat-sized": ({"ms": 13, "sar": 2}, 64, "paper", {"cpu": 1, "cuda": 50}),
    "objects-sized": ({"rgb": 3, "depth": 1}, 32, "cpu", {"cpu": 4, "cuda": 50}),
    "fine-tuned": ({"rgb": 3, "depth": 1}, 224, "finetune", {"cpu": 2, "cuda": 50}),
}


def random_images(bands: Mapping[str, int], size: int, number: int) -> Split:
    """Random images, `number` for training: speed does not ask what they show. They lie in [0, 1],
    and are scaled before the first step."""
    draw, ids = np.random.default_rng(0), np.arange(number + EVALUATED)
    images = {k: draw.random((len(ids), n, size, size), "float32") for k, n in bands.items()}
    modalities = {k: Modality(x, ids % 10, ids, symmetry="all") for k, x in images.items()}
    bounds = {k: Normalization(np.zeros(n), np.ones(n)) for k, n in bands.items()}
    data = MultiModalData(modalities, tuple("0123456789"), name="random", normalization=bounds)
    return Split(*map(data.take, np.split(ids, [number, number + EVALUATED // 2])))


def motions(probability: float) -> v2.Transform:
    """The paper's augmentation: with `probability`, each flip with ½ and a quarter turn with ½."""
    turn = v2.RandomChoice([v2.RandomRotation((angle, angle)) for angle in (0, 90, 180, 270)])
    moved = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.RandomApply([turn])])
    return v2.RandomApply([moved], p=probability)


def load(data: MultiModalData, name: str, config: Config) -> DataLoader:
    """Shuffled batches of one modality, whose scaled images are moved one by one."""
    images, labels = torch.from_numpy(data.images(name)), torch.tensor(data.modalities[name].y)
    move = motions(config.augment)
    return DataLoader(
        TensorDataset(images, labels),
        config.batch_size,
        shuffle=True,
        drop_last=True,
        pin_memory=device_type() == "cuda",
        collate_fn=lambda samples: default_collate([(move(x), y) for x, y in samples]),
    )


def recipe(split: Split, config: Config) -> float:
    """One epoch as a plain script trains it: float32, contiguous tensors, AdamW, and a shuffled
    loader for each modality. Returns the mean loss."""
    device = torch.device(device_type())
    plain = replace(config, channels_last=False)  # contiguous, and every convolution torch's own
    model = build(get("discom"), split.train, plain).to(device).train()
    rate, decay = config.learning_rate, config.weight_decay
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay)
    loaders = {name: load(split.train, name, config) for name in split.train.modalities}
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
        return float(pd.read_csv(Path(folder) / "metrics.csv")["loss"][0])


def step_seconds(side: Callable[[Split, Config], float], split: Split, config: Config) -> float:
    """Mean seconds from one optimizer step to the next; all before the first step is left out."""
    last, steps, marks = len(split.train) // config.batch_size, count(1), list[float]()

    def mark(*_) -> None:
        if next(steps) in (1, last):
            if device_type() == "cuda":
                torch.cuda.synchronize()
            marks.append(time.perf_counter())

    hook = register_optimizer_step_post_hook(mark)
    side(split, config)
    hook.remove()
    first, end = marks
    return (end - first) / (last - 1)


def compare(name: str, rounds: int, precision: str) -> dict[str, Any]:
    """Pairs per second of both sides on one of SIZES, and their ratio ours / reference with its
    95 % interval, a bootstrap over rounds; `precision` is ours."""
    bands, size, recommended, steps = SIZES[name]
    config = profile(recommended, **TIMED, precision=precision)
    split = random_images(bands, size, config.batch_size * (1 + steps[device_type()]))
    sides = [recipe, ours] * rounds
    seconds = np.reshape([step_seconds(side, split, config) for side in sides], (rounds, 2))
    reference, mine = config.batch_size / np.median(seconds, axis=0)
    draws = np.random.default_rng(0).integers(rounds, size=(10_000, rounds))
    medians = np.median(seconds[draws], axis=1)  # [draws, rounds, 2] → [draws, 2]
    interval = np.quantile(medians[:, 0] / medians[:, 1], [0.025, 0.975]).tolist()
    rates = {"reference": reference, "ours": mine, "ratio": mine / reference, "interval": interval}
    return {"pairs_per_second": rates, "step_seconds": seconds.tolist()}


@flags.command
def speed(
    json: Annotated[Path | None, Path, "File to write."] = None,
    rounds: Annotated[int, click.IntRange(1), "Of either side."] = 7,
    only: Annotated[str, "Such as objects-sized; default: all."] = "",
    precision: Annotated[Literal["bf16-mixed", "32-true"], "Of discom.fit."] = "bf16-mixed",
) -> None:
    """How fast training is: a plain PyTorch script against discom.fit."""
    if only:
        check_choice("--only", only, SIZES)
    names = [only] if only else [*SIZES]
    comparisons = {name: compare(name, rounds, precision) for name in names}
    for name, found in comparisons.items():
        print(name, found["pairs_per_second"])
    if json:
        how = {"machine": machine(), "precision": precision, "rounds": rounds}
        files.write_json(json, {**how, "comparisons": comparisons})


if __name__ == "__main__":
    sys.exit(cli.main(command=speed))
