"""Sampling, a batch at a time, on the device that trains."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from discom.data.augmentation import draw_views, turn, view
from discom.data.lazy import announce
from discom.data.multimodal import MultiModalData
from discom.errors import ConfigError, DataError
from discom.machine import free_memory

__all__ = ["Batch", "Batches", "Images", "SoftLabels", "paired_rows", "room"]


class Batch:
    """Modality → images [B, C, H, W] in [0, 1] and labels [B], or [B, H, W] for dense prediction;
    with unpaired batches the rows of two modalities have nothing to do with each other.

    A plain class, because with bf16 Fabric rounds the tensors that it finds in a dataclass or
    mapping, which would take digits from a teacher's logits.

    Args:
        x, y: images and labels.
        epoch: the epoch that it belongs to, from 0 on.
        soft: what a teacher says about these very images, where there is one: its logits [B, C], or
            what `teaching.TeacherMaps` gives.
        strong: a second, harder view of the same images, with the teacher's logits for it, where it
        was asked for.
        views: modality → the view that each image is shown in [B], see `augmentation.view`.
        progress: share of the run that is over, in [0, 1).
        first, whole: where these rows begin in the batch that several processes share, and its
            size; 0 and B alone.
    """

    def __init__(
        self,
        x: dict[str, Tensor],
        y: dict[str, Tensor],
        epoch: int = 0,
        soft: Any = None,
        strong: "Batch | None" = None,
        views: dict[str, Tensor] | None = None,
        first: int = 0,
        whole: int = 0,
        progress: float = 0.0,
    ):
        self.progress = progress
        self.x, self.y, self.epoch, self.soft, self.strong, self.views = (
            x,
            y,
            epoch,
            soft,
            strong,
            views or {},
        )
        self.first, self.whole = first, whole or len(self)

    def __len__(self) -> int:
        return len(next(iter(self.y.values())))


@dataclass
class SoftLabels:
    """A teacher's logits for every view of every image: logits = Σ_m shares[m][row of m, view of m]
    + bias.

    Args:
        shares: modality that the teacher reads → its part of the logits [N, views, C].
        bias: [C].
    """

    shares: Mapping[str, Tensor]
    bias: Tensor

    def __call__(self, rows: Mapping[str, Tensor], views: Mapping[str, Tensor]) -> Tensor:
        """Logits [B, C] of the samples at `rows`, each modality seen in its own view."""
        there = {"device": self.bias.device, "non_blocking": True}
        return self.bias + sum(
            s[rows[m].to(**there), views[m].to(**there)] for m, s in self.shares.items()
        )


def paired_rows(data: MultiModalData, names: Sequence[str]) -> dict[str, Tensor]:
    """Where the ids that all of `names` have stand in each of them: row i of every modality is the
    same scene.

    Raises:
        DataError: they share no id.
    """
    held = [np.isin(data.ids, data.modalities[name].ids) for name in names]
    ids = data.ids[np.logical_and.reduce(held)].tolist()
    if not ids:
        raise DataError(
            f"{data.name}: no id stands in each of {', '.join(names)}, so no pairs; train a method without"
        )
    places = {
        name: {i: row for row, i in enumerate(data.modalities[name].ids.tolist())} for name in names
    }
    return {name: torch.tensor([place[i] for i in ids]) for name, place in places.items()}


def room(device: torch.device | str) -> float:
    """Bytes that one modality's images may take on a device: a quarter of what is free, since there
    may be several of them, a validation part, and the network with its gradients."""
    return 0.25 * free_memory(device)


class Images:
    """The scaled images of one modality, or of several ("rgb+depth": the stacked bands of the same
    scenes): held on the device where they fit, else read from disk as asked.

    Args:
        data: one part of a split.
        name: a modality, or several joined by +.
        device: where images and truth are given.
        resident_bytes: what is larger as float32 stays on disk; a quarter of the free memory unless
        told otherwise.
        dense: whether `truth` is a class for every pixel.

    Raises:
        DataError: stacked modalities share no id, or their images differ in size.
    """

    def __init__(
        self,
        data: MultiModalData,
        name: str,
        device,
        resident_bytes: int | None = None,
        *,
        dense: bool = False,
    ):
        names = name.split("+")
        self.data, self.device = data, device
        sizes = {part: data.modalities[part].x.shape[2:] for part in names}
        if len(set(sizes.values())) > 1:
            raise DataError(
                f"{data.name}: images of {sizes} cannot be stacked; bring them to one size"
            )
        count = len(data.modalities[name].x) if len(names) == 1 else 0
        rows = paired_rows(data, names) if len(names) > 1 else {name: torch.arange(count)}
        self.rows = {part: found.numpy() for part, found in rows.items()}
        first = data.modalities[names[0]]
        self.ids, self.labels = (
            first.ids[self.rows[names[0]]],
            torch.from_numpy(first.y[self.rows[names[0]]]),
        )
        size = (
            4 * len(self) * sum(int(np.prod(data.modalities[part].x.shape[1:])) for part in names)
        )
        most = room(device) if resident_bytes is None else resident_bytes
        self.held = self._read(slice(None)).to(device) if size <= most else None
        self.places = data.rows_of(names[0])[self.rows[names[0]]] if dense else None  # of the masks
        resident = not dense or data.masks[:1].nbytes * len(self) <= most
        self.known = self._truth(slice(None)).to(device) if resident else None

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Images at `rows` [B], as float32 [B, C, H, W] on the device."""
        if self.held is not None:
            return self.held[
                rows.to(self.device, non_blocking=True)
            ]  # nobody waits for a few numbers
        for part, found in self.rows.items():
            announce(self.data.modalities[part].x, found[rows.numpy()])
        return self._read(rows.numpy()).to(self.device)

    def truth(self, rows=slice(None)) -> Tensor:
        """What is to be predicted for the images at `rows`, on the device: classes [B], int64, or
        where `dense` the class of every pixel [B, H, W], uint8, 255 for no label."""
        if self.known is not None:
            return self.known[
                rows.to(self.device, non_blocking=True) if isinstance(rows, Tensor) else rows
            ]
        return self._truth(rows.numpy() if isinstance(rows, Tensor) else rows).to(self.device)

    def _truth(self, rows) -> Tensor:
        return (
            self.labels
            if self.places is None
            else torch.from_numpy(np.array(self.data.masks[self.places[rows]]))
        )

    def _read(self, rows) -> Tensor:
        parts = [self.data.images(part, found[rows]) for part, found in self.rows.items()]
        # "W" copies what is still on disk into memory, where torch may have it
        return torch.from_numpy(
            np.require(np.concatenate(parts, 1) if len(parts) > 1 else parts[0], requirements="W")
        )


class Batches:
    """One epoch after the other of a training part, each a function of (seed, epoch) alone.

    Every sample is seen once an epoch. An epoch has ceil(N / B) batches of nearly equal size (129
    samples at B = 128 make 65 + 64), so none is ever too small for BatchNorm. Where modalities
    differ in size, N is the largest and the smaller ones are shuffled and seen again until they
    have as many.

    Args:
        data: the training part.
        batch_size: B, at most so many of each modality in a batch, from 2 on.
        seed: of the run.
        pairing: "unpaired" shuffles each modality on its own, as the paper does; "paired" draws
            ids, so that row i of every modality is the same scene (samples that lack a modality are
            left out).
        augment: probability that an image is flipped and turned, each on its own; 0 switches it
        off.
        device: where the batch is made.
        memory_format: of the images.
        soft: what a teacher says about the samples at some rows in some views; comes with every
        batch, needs pairs.
        strong: whether batches carry a second view: moved anew, always, and one quarter of the
        image blank.
        coupled: whether all modalities of a sample are moved alike; else each on its own. Needs
        pairs.
        dense: whether labels are the class of every pixel, moved as the image is.
        resident_bytes: a modality that is larger as float32 is read from disk, one batch ahead; a
            quarter of the memory that is free unless told otherwise.
        rank, world: which share of each batch this process holds, and how many there are; shares
            add up to the batch that one process would hold, views included.

    Raises:
        DataError: paired batches from modalities that share no id.
        ConfigError: a batch has fewer samples than there are shares.

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
        soft: Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], Any] | None = None,
        strong: bool = False,
        coupled: bool = False,
        dense: bool = False,
        rank: int = 0,
        world: int = 1,
        resident_bytes: int | None = None,
    ):
        if pairing not in ("paired", "unpaired"):
            raise ConfigError(f"pairing: '{pairing}' is neither 'paired' nor 'unpaired'")
        if batch_size < 2:
            raise ConfigError(
                f"batch_size: {batch_size} is too small; BatchNorm needs 2 samples or more"
            )
        if empty := [name for name, modality in data.modalities.items() if not len(modality.x)]:
            raise DataError(
                f"{data.name}: modality '{empty[0]}' has no sample in this part; split the data anew"
            )
        self.seed, self.pairing, self.augment = seed, pairing, augment
        self.device, self.memory_format = torch.device(device), memory_format
        self.soft, self.strong, self.coupled, self.dense = soft, strong, coupled, dense
        self.images = {
            name: Images(data, name, self.device, resident_bytes, dense=dense)
            for name in data.modalities
        }
        self.rows = {name: torch.arange(len(images)) for name, images in self.images.items()}
        if pairing == "paired":
            self.rows = paired_rows(data, list(data.modalities))
        self.count = max(len(rows) for rows in self.rows.values())
        self.steps = max(
            1, min(-(-self.count // batch_size), self.count // 2)
        )  # no batch of one sample
        self.rank, self.world = rank, world
        if self.count // self.steps < world:
            held = self.count // self.steps
            raise ConfigError(
                f"devices: {world} for batches of {held} samples; raise batch_size, or use {held}"
            )

    def __len__(self) -> int:
        return self.steps

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch; the same (seed, epoch) gives the same ones on every device."""
        made = self._made(epoch)
        return (
            made
            if all(images.held is not None for images in self.images.values())
            else _ahead(made)
        )

    def _made(self, epoch: int) -> Iterator[Batch]:
        streams = np.random.SeedSequence([self.seed, epoch]).generate_state(2 * len(self.rows))
        harder = np.random.SeedSequence([self.seed, epoch, 1]).generate_state(len(self.rows))
        order, weak, strong = {}, {}, {}
        for number, (name, rows) in enumerate(self.rows.items()):
            drawn = _generator(streams[0 if self.pairing == "paired" else 2 * number])
            rounds = -(-self.count // len(rows))
            order[name] = torch.cat(
                [rows[torch.randperm(len(rows), generator=drawn)] for _ in range(rounds)]
            )[: self.count]
            weak[name] = _generator(streams[1 if self.coupled else 2 * number + 1])
            strong[name] = _generator(harder[number])
        for step in range(self.steps):
            rows = {name: every.tensor_split(self.steps)[step] for name, every in order.items()}
            batch = self._batch(rows, epoch, weak)
            if self.strong:
                batch.strong = self._batch(rows, epoch, strong, strong=True)
            yield batch

    def _batch(
        self, rows: Mapping[str, Tensor], epoch: int, generators, strong: bool = False
    ) -> Batch:
        x, y, views = {}, {}, {}
        whole = len(next(iter(rows.values())))
        share = torch.arange(whole).tensor_split(self.world)[self.rank]
        rows = {name: every[share] for name, every in rows.items()}
        for name, chosen in rows.items():
            image, truth = self.images[name][chosen], self.images[name].truth(chosen)
            every = image[:1].expand(
                whole, -1, -1, -1
            )  # views are drawn for the whole batch, and each takes its own
            views[name] = draw_views(every, self.augment, generators[name], strong)[share]
            x[name] = view(image, views[name]).contiguous(memory_format=self.memory_format)
            y[name] = turn(truth[:, None], views[name])[:, 0].long() if self.dense else truth
        soft = self.soft(rows, views) if self.soft else None
        return Batch(x, y, epoch, soft=soft, views=views, first=int(share[0]), whole=whole)


def _ahead(made: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, the next one made in a thread of its own while this one is trained on."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, made, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, made, None)
            yield batch


def _generator(seed) -> torch.Generator:
    return torch.Generator().manual_seed(int(seed))
