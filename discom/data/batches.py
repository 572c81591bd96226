"""Sampling and augmentation, a batch at a time, on the device that trains."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from discom.data.multimodal import MultiModalData
from discom.errors import ConfigError, DataError

__all__ = ["Batch", "Batches", "Images", "draw_motions", "motion_table", "move"]

RESIDENT_BYTES = 4 << 30  # a part that is larger stays on disk and is read batch by batch


@dataclass
class Batch:
    """Modality → images [B, C, H, W] in [0, 1] and labels [B]; with unpaired batches the rows of two modalities
    have nothing to do with each other."""

    x: dict[str, Tensor]
    y: dict[str, Tensor]


class Images:
    """The scaled images of one modality: held on the device where they fit, else read from disk as asked."""

    def __init__(self, data: MultiModalData, name: str, device, resident_bytes: int = RESIDENT_BYTES):
        self.data, self.name, self.device = data, name, device
        modality = data.modalities[name]
        self.count, size = len(modality.x), 4 * int(np.prod(modality.x.shape))
        # "W" copies what is still on disk into memory, where torch may have it
        held = np.require(data.images(name), requirements="W") if size <= resident_bytes else None
        self.held = None if held is None else torch.from_numpy(held).to(device)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Images at `rows` [B], as float32 [B, C, H, W] on the device."""
        if self.held is not None:
            return self.held[rows.to(self.device)]
        return torch.from_numpy(self.data.images(self.name, rows.numpy())).to(self.device)


class Batches:
    """One epoch after the other of a training part, each a function of (seed, epoch) alone.

    Every sample is seen once an epoch. An epoch has ceil(N / B) batches of nearly equal size (129 samples at B = 128
    make 65 + 64), so none is ever too small for BatchNorm. Where modalities differ in size, N is the largest and the
    smaller ones are shuffled and seen again until they have as many.

    Args:
        data: the training part.
        batch_size: B, at most so many of each modality in a batch, from 2 on.
        seed: of the run.
        pairing: "unpaired" shuffles each modality on its own, as the paper does; "paired" draws ids, so that row i
            of every modality is the same scene (samples that lack a modality are left out).
        augment: probability that an image is flipped and turned, each on its own; 0 switches it off.
        device: where the batch is made.
        memory_format: of the images.

    Raises:
        DataError: paired batches from modalities that share no id.

    >>> from discom.data import scenes
    >>> batches = Batches(scenes.make(9, size=8), batch_size=4, seed=0)
    >>> [len(batch.y["rgb"]) for batch in batches.epoch(0)]
    [3, 3, 3]
    """

    def __init__(
        self,
        data: MultiModalData,
        batch_size: int,
        seed: int,
        *,
        pairing: str = "unpaired",
        augment: float = 0.5,
        device: torch.device | str = "cpu",
        memory_format: torch.memory_format = torch.contiguous_format,
        resident_bytes: int = RESIDENT_BYTES,
    ):
        if pairing not in ("paired", "unpaired"):
            raise ConfigError(f"pairing: '{pairing}' is neither 'paired' nor 'unpaired'")
        if batch_size < 2:
            raise ConfigError(f"batch_size: {batch_size} is too small; BatchNorm needs 2 samples or more")
        if empty := [name for name, modality in data.modalities.items() if not len(modality.x)]:
            raise DataError(f"{data.name}: modality '{empty[0]}' has no sample in this part; split the data anew")
        self.seed, self.pairing, self.augment = seed, pairing, augment
        self.device, self.memory_format = torch.device(device), memory_format
        self.images = {name: Images(data, name, self.device, resident_bytes) for name in data.modalities}
        self.labels = {name: torch.from_numpy(m.y).to(self.device) for name, m in data.modalities.items()}
        self.rows = {name: torch.arange(len(images)) for name, images in self.images.items()}
        if pairing == "paired":
            if not len(data.paired_ids):
                raise DataError(
                    f"{data.name}: no id stands in every modality, so no pairs; train with pairing=unpaired"
                )
            places = {name: {i: row for row, i in enumerate(m.ids.tolist())} for name, m in data.modalities.items()}
            ids = data.paired_ids.tolist()
            self.rows = {name: torch.tensor([place[i] for i in ids]) for name, place in places.items()}
        self.count = max(len(rows) for rows in self.rows.values())
        self.steps = max(1, min(-(-self.count // batch_size), self.count // 2))  # no batch of one sample

    def __len__(self) -> int:
        return self.steps

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch; the same (seed, epoch) gives the same ones on every device."""
        streams = np.random.SeedSequence([self.seed, epoch]).generate_state(2 * len(self.rows))
        order, motion = {}, {}
        for number, (name, rows) in enumerate(self.rows.items()):
            drawn = _generator(streams[0 if self.pairing == "paired" else 2 * number])
            rounds = -(-self.count // len(rows))
            order[name] = torch.cat([rows[torch.randperm(len(rows), generator=drawn)] for _ in range(rounds)])[
                : self.count
            ]
            motion[name] = _generator(streams[2 * number + 1])
        for step in range(self.steps):
            chosen = {name: rows.tensor_split(self.steps)[step] for name, rows in order.items()}
            x = {name: self._prepare(self.images[name][rows], motion[name]) for name, rows in chosen.items()}
            yield Batch(x, {name: self.labels[name][rows.to(self.device)] for name, rows in chosen.items()})

    def _prepare(self, x: Tensor, generator: torch.Generator) -> Tensor:
        if self.augment:
            x = move(x, draw_motions(x, self.augment, generator))
        return x.contiguous(memory_format=self.memory_format)


def _generator(seed) -> torch.Generator:
    return torch.Generator().manual_seed(int(seed))


def draw_motions(x: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """A rigid motion for each image, [B], as `motion_table` numbers them.

    With `probability` (released code: ½) a horizontal flip (½), a vertical flip (½) and, with ½, a rotation by
    0, 90, 180 or 270 degrees (only 0 or 180 where H ≠ W); else none, which is motion 0.
    """
    coin = torch.rand(4, len(x), generator=generator) < torch.tensor([[probability], [0.5], [0.5], [0.5]])
    turns = torch.randint(4, (len(x),), generator=generator)
    if x.shape[-1] != x.shape[-2]:
        turns = turns // 2 * 2
    return coin[0] * (turns * coin[1] + 4 * coin[2] + 8 * coin[3])


def motion_table(height: int, width: int) -> Tensor:
    """Source pixel of every target pixel under each motion, [16, H·W]; motion k + 4h + 8v is v ∘ h ∘ (k quarter turns).

    `table[m].argsort()` undoes motion m. Quarter turns exist for square images only (rows of others repeat turn 0).
    """
    pixels = torch.arange(height * width).view(height, width)
    rows = []
    for motion in range(16):
        turns, flip, flop = motion % 4, motion // 4 % 2, motion // 8
        moved = pixels.rot90(turns) if height == width or turns % 2 == 0 else pixels
        moved = moved.flip(1) if flip else moved
        rows.append((moved.flip(0) if flop else moved).reshape(-1))
    return torch.stack(rows)


def move(x: Tensor, motions: Tensor) -> Tensor:
    """Move each image by its own motion: one gather for the whole batch, [B, C, H, W] → the same shape.

    >>> image = torch.arange(4.0).view(1, 1, 2, 2)
    >>> move(image, torch.tensor([4]))[0, 0].tolist()  # a horizontal flip
    [[1.0, 0.0], [3.0, 2.0]]
    """
    batch, bands, height, width = x.shape
    source = motion_table(height, width)[motions].to(x.device)  # [B, H·W]
    moved = x.flatten(2).gather(2, source[:, None, :].expand(batch, bands, -1))
    return moved.view(batch, bands, height, width)
