"""How fast training is: DisCoM-KD as a plain PyTorch script trains it, against `discom.fit`.

Both sides train the same networks from the same weights on the same scenes for two epochs, in turn;
the second epoch counts. A test checks that they compute the same loss on one batch. A busy machine
spoils single rounds, so look at the interval.
"""

import itertools
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch.autograd import DeviceType
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.profiler import ProfilerActivity
from torch.utils.data import DataLoader, TensorDataset, default_collate
from torchvision.transforms import v2

from discom import cli, data, files, fit, profile
from discom.cli import flags
from discom.config import Config
from discom.data.batches import Batch
from discom.hardware import arithmetic, device, machine, precision_used
from discom.methods import build, get

EVALUATED = 10  # scenes that `fit` validates on in each epoch, and tests on
# height and width → profile, and steps of an epoch; on a GPU there are twenty times as many
SIZES = {64: ("paper", 2), 32: ("cpu", 10), 224: ("finetune", 2)}
STEPS = 20  # of training, of which a profile is taken


def scenes(size: int, count: int) -> data.Split:
    """Synthetic scenes, so many of them for training."""
    parts = data.load(f"objects:n={3 * count + 99},size={size}").split()
    counts = (count, EVALUATED, EVALUATED)
    return data.Split(*(part.take(range(n)) for part, n in zip(parts, counts, strict=True)))


def motions(probability: float) -> v2.Transform:
    """The paper's augmentation: with `probability`, each flip with ½ and a quarter turn with ½."""
    turn = v2.RandomChoice([v2.RandomRotation((angle, angle)) for angle in (0, 90, 180, 270)])
    moved = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.RandomApply([turn])])
    return v2.RandomApply([moved], p=probability)


def load(train: data.MultiModalData, name: str, config: Config) -> DataLoader:
    """Shuffled batches of one modality, whose scaled images are moved one by one."""
    images, labels = torch.from_numpy(train.images(name)), torch.tensor(train.modalities[name].y)
    move = motions(config.augment)
    return DataLoader(
        TensorDataset(images, labels),
        config.batch_size,
        shuffle=True,
        drop_last=True,
        pin_memory=device().type == "cuda",
        collate_fn=lambda samples: default_collate([(move(x), y) for x, y in samples]),
    )


@arithmetic()  # as in `fit`, no TF32
def recipe(split: data.Split, config: Config) -> tuple[float, float]:
    """A plain script: float32, contiguous tensors, AdamW, and a shuffled loader for each modality.
    Returns the mean loss of the first epoch, and the seconds of the last."""
    place = device()
    plain = replace(config, channels_last=False)  # contiguous, and every convolution torch's own
    model = build(get("discom"), split.train, plain).to(place).train()
    rate, decay = config.learning_rate, config.weight_decay
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay)
    loaders = {name: load(split.train, name, config) for name in split.train.modalities}
    means = []
    for _ in range(config.epochs):
        started, losses = time.perf_counter(), []
        for loaded in zip(*loaders.values(), strict=True):
            there = [[each.to(place, non_blocking=True) for each in pair] for pair in loaded]
            x, y = (dict(zip(loaders, each, strict=True)) for each in zip(*there, strict=True))
            loss = model.total(Batch(x, y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        means.append(torch.stack(losses).mean().item())  # waits for a GPU
    return means[0], time.perf_counter() - started


def ours(split: data.Split, config: Config) -> tuple[float, float]:
    """The same of `fit`, which warns of scores as low as those; its seconds include validation."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        fit("discom", split, config, folder, progress=False)
        log = pd.read_csv(Path(folder) / "metrics.csv")
    return log["loss"][0], log["seconds"].diff().iloc[-1]


def profiled(
    split: data.Split, config: Config, activity: ProfilerActivity = ProfilerActivity.CUDA
) -> tuple[Iterable[Any], float]:
    """The events of torch's profiler in STEPS steps of `fit`, after as many to warm up, and the
    seconds that these steps took."""
    recorder = torch.profiler.profile(activities=[activity])
    steps, moments = itertools.count(1), []

    def after_a_step(*_: Any) -> None:
        step = next(steps)
        if step not in (STEPS, 2 * STEPS):
            return
        torch.get_device_module(device()).synchronize()
        if step == STEPS:
            recorder.start()  # takes a while
        moments.append(time.perf_counter())
        if step == 2 * STEPS:
            recorder.stop()

    hook = register_optimizer_step_post_hook(after_a_step)
    try:
        ours(split, config)
    finally:
        hook.remove()
    return recorder.events(), moments[1] - moments[0]


def waiting(events: Iterable[Any], seconds: float) -> float:
    """The share of so many seconds in which no event of a profile ran on the GPU."""
    there = [e for e in events if e.device_type != DeviceType.CPU and not e.is_user_annotation]
    busy = end = 0.0  # microseconds
    for span in sorted((e.time_range for e in there), key=lambda span: span.start):
        busy += max(0.0, span.end - max(span.start, end))  # streams overlap
        end = max(end, span.end)
    return 1 - busy / (1e6 * seconds)


def ratio(plain: np.ndarray, mine: np.ndarray, axis: int = 0) -> Any:
    """How many times as fast ours is, of the seconds of all rounds."""
    return np.median(plain, axis) / np.median(mine, axis)


def compare(size: int, rounds: int, precision: str) -> dict[str, Any]:
    """Pairs per second of both sides at one of SIZES, and the ratio of their medians with a 95 %
    interval, a bootstrap over rounds; `precision` is ours. On a GPU of CUDA also the share of
    "waiting" in our steps."""
    name, steps = SIZES[size]
    config = profile(name, epochs=2, schedule="constant", precision=precision)
    count = config.batch_size * steps * (1 if device().type == "cpu" else 20)
    split = scenes(size, count)
    sides = [[side(split, config)[1] for side in (recipe, ours)] for _ in range(rounds)]
    plain, mine = seconds = np.array(sides).T
    draw = {"random_state": np.random.default_rng(0)}  # in scipy's new versions rng
    spread = stats.bootstrap(seconds, ratio, paired=True, method="percentile", **draw)
    rates = {"recipe": count / np.median(plain), "ours": count / np.median(mine)}
    rates |= {"ratio": ratio(plain, mine), "interval": [*spread.confidence_interval]}
    found = {"profile": name, "pairs_per_second": rates, "seconds": seconds.tolist()}
    if device().type == "cuda":
        found["waiting"] = waiting(*profiled(split, config))
    return found


@flags.command
def speed(
    json: Annotated[Path | None, Path, "File to write."] = None,
    rounds: Annotated[int, click.IntRange(2), "Of either side."] = 5,
    precision: Annotated[
        Literal["bf16-mixed", "16-mixed", "mixed", "32-true"], "Of discom.fit."
    ] = "bf16-mixed",
) -> None:
    """How fast training is: a plain PyTorch script against discom.fit."""
    sizes, used = {}, precision_used(precision)
    for size in SIZES:
        sizes[f"{size}×{size}"] = found = compare(size, rounds, precision)
        rates = "recipe {recipe:.3g}, ours {ours:.3g} pairs/s, ratio {ratio:.2f}"
        if "waiting" in found:
            rates += f", the GPU waits {found['waiting']:.0%} of a step"
        print(f"{size}×{size}, {used}:", rates.format(**found["pairs_per_second"]), flush=True)
    if json:
        how = {"machine": machine(), "precision": precision, "precision_used": used}
        files.write_json(json, how | {"sizes": sizes})


if __name__ == "__main__":
    sys.exit(cli.main(command=speed))
