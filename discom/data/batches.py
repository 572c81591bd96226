"""Sampling, a batch at a time, on the device that trains."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import psutil
import torch
from torch import Tensor

from discom import hardware
from discom.data.augmentation import STRONG, WEAK, apply_d4, draw_transforms, signal_view, transform
from discom.data.checks import SYMMETRIES, is_signal
from discom.data.multimodal import MultiModalData
from discom.errors import DataError
from discom.labels import NO_LABEL, UNLABELLED

COMPACT = ("uint8", "int16", "uint16", "float16")  # stored values that a GPU can keep and scale
# least share of labelled samples in a batch that holds others, too: of classification, dense
LABELLED = {False: 1 / 3, True: 1 / 2}


class Batch:
    """Modality → images `x` [B, C, H, W] in [0, 1] and labels `y` [B], -1 for none, or [B, H, W]
    where dense. Labelled samples come first.

    A plain class: in bf16, Fabric rounds the tensors of a dataclass, such as a teacher's logits.

    Args:
        teacher_output: a teacher's logits [B, C] or maps of these very images, see `Method.ask`.
        strong: a second, harder view of the same images.
        transform_ids: modality → how each image is shown [B], see `augmentation.transform`.
        progress: share of the run's epochs that are done, in [0, 1).
        symmetry: modality → what augmentation may do, see `Modality`.
    """

    def __init__(
        self,
        x: dict[str, Tensor],
        y: dict[str, Tensor],
        teacher_output: Any = None,
        strong: "Batch | None" = None,
        transform_ids: dict[str, Tensor] | None = None,
        progress: float = 0.0,
        symmetry: dict[str, str] | None = None,
    ):
        self.x, self.y, self.transform_ids = x, y, transform_ids or {}
        self.teacher_output, self.strong, self.progress = teacher_output, strong, progress
        self.symmetry = symmetry or dict.fromkeys(x, "all")

    def __len__(self) -> int:
        return len(next(iter(self.y.values())))


def paired_rows(data: MultiModalData, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Rows of the ids that all of `names` have; a DataError where they share none."""
    ids = data.ids[np.logical_and.reduce([data.has[name] for name in names])]
    if not len(ids):
        way_out = "name the files of a pair alike, or train a method without pairs"
        raise DataError(data.name, f"no id stands in each of {', '.join(names)}", way_out)
    return {name: pd.Index(data.modalities[name].ids).get_indexer(ids) for name in names}


def count_steps(labelled: int, rest: int, batch_size: int, dense: bool = False) -> tuple[int, int]:
    """How many labelled samples and how many batches an epoch has: labelled ones are LABELLED of
    all at least, and two in each batch."""
    least = LABELLED[dense]
    count = max(round(rest * least / (1 - least)), labelled)
    return count, max(1, min(-(-(count + rest) // batch_size), count // 2))


def memory_budget(device: torch.device | str) -> float:
    """Bytes that one modality's images may take: a quarter of what is free on the device, where
    torch's own cache is free, too, shared by the processes that train side by side."""
    device = torch.device(device)
    if device.type == "cuda":
        cache = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        free = torch.cuda.mem_get_info(device)[0] + cache
    else:
        free = psutil.virtual_memory().available
    return 0.25 * free / hardware.workers


def where_kept(
    data: MultiModalData, name: str, device: torch.device | str
) -> Literal["scaled", "stored", "disk"]:
    """Where the images of a modality, or of several ("rgb+depth"), are while a device trains: on
    it, "scaled" to float32; on it as they are "stored", where these values of two bytes or one fit
    its `memory_budget` alone; or on the "disk"."""
    stacks = [data.modalities[part].x for part in name.split("+")]
    count = min(len(x) for x in stacks)
    sizes = [count * int(np.prod(x.shape[1:])) for x in stacks]
    types, budget = [np.dtype(x.dtype) for x in stacks], memory_budget(device)
    if 4 * sum(sizes) <= budget:
        return "scaled"
    stored = sum(size * kind.itemsize for size, kind in zip(sizes, types, strict=True))
    if stored <= budget and all(kind.name in COMPACT for kind in types):
        return "stored"
    return "disk"


class ModalityTensor:
    """The scaled images of a modality of one part, or of several ("rgb+depth": the stacked bands of
    the same scenes), in the place that `where_kept` names: stored ones are scaled, those on disk
    read, each time they are asked for. Of dense data `truth` is a class for every pixel, in
    memory."""

    def __init__(self, data: MultiModalData, name: str, device: torch.device | str):
        names = name.split("+")
        data.shape_of(name)  # refuses sensors of several sizes
        self.rows = {names[0]: np.arange(len(data.modalities[names[0]].x))}
        if len(names) > 1:
            self.rows = paired_rows(data, names)
        rows = self.rows[names[0]]
        places = data.rows_of(names[0])[rows]
        self.data, self.device, self.ids = data, device, data.modalities[names[0]].ids[rows]
        truth = data.labels[places]
        if data.dense:
            masks = np.array(data.masks[places])
            masks[truth == UNLABELLED] = NO_LABEL
            truth = masks
        self._truth = torch.from_numpy(truth)
        self.resident: Tensor | None = None
        self.stored: dict[str, Tensor] = {}
        place = where_kept(data, name, device)
        if place == "scaled":
            self._truth, self.resident = self._truth.to(device), self._read(slice(None)).to(device)
        elif place == "stored":
            self._truth = self._truth.to(device)
            self.stored = {part: self._keep(part) for part in names}

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Images at `rows` [B], as float32 [B, C, H, W] on the device."""
        if self.resident is not None:
            return self.resident[rows.to(self.device, non_blocking=True)]
        if self.stored:
            rows = rows.to(self.device, non_blocking=True)
            return torch.cat([self._scale(part, rows) for part in self.stored], 1)
        return self._read(rows.numpy()).to(self.device)

    def _keep(self, part: str) -> Tensor:
        """The values of a modality as the data hold them, on the device; uint16, which torch hardly
        computes with, as the bits of int16."""
        values = np.asarray(self.data.modalities[part].x[self.rows[part]])
        kind = values.dtype.name
        values = values.astype(kind, copy=False)  # of this machine's order of bytes
        values = values.view(np.int16) if kind == "uint16" else values
        return torch.from_numpy(np.array(values)).to(self.device)  # copies what is on disk

    def _scale(self, part: str, rows: Tensor) -> Tensor:
        """`MultiModalData.images` of these rows, computed on the device."""
        values = self.stored[part][rows]
        if self.data.modalities[part].x.dtype.name == "uint16":
            values = values.view(torch.uint16)
        values = values.float()
        if not self.data.normalization:
            return values
        bounds = self.data.normalization[part]
        holes = None if bounds.invalid is None else values == bounds.invalid
        low, span = (torch.from_numpy(bound).to(self.device) for bound in bounds.bounds)
        return bounds.scale(values, holes, low, span)

    def truth(self, rows: Any = slice(None)) -> Tensor:
        """What is to be predicted: classes [B], int64, or [B, H, W], uint8, 255 for no label."""
        rows = rows.to(self._truth.device) if isinstance(rows, Tensor) else rows
        return self._truth[rows].to(self.device)

    def _read(self, rows: Any) -> Tensor:
        parts = [self.data.images(part, places[rows]) for part, places in self.rows.items()]
        images = np.concatenate(parts, 1) if len(parts) > 1 else parts[0]
        return torch.from_numpy(np.require(images, requirements="W"))  # copies what is on disk


class Batches:
    """The epochs of a training part, each a function of (seed, epoch) alone.

    Every sample is shown once an epoch, in ceil(N / B) batches of nearly equal size (129 samples at
    B = 128 make 65 + 64). Smaller modalities are repeated, shuffled anew.

    Unlabelled samples are shown once an epoch, labelled ones repeated: a third of each batch
    (half of it where dense), or the share in the data where that is more, and two at least. Without
    `unlabelled` as many batches hold the same labelled samples alone.

    Args:
        batch_size: B, at most so many of each modality in a batch, from 2 on; with unlabelled ones
            one or two more where B is below 12 or labels are very few.
        epochs: of the run; `Batch.progress` is epoch / epochs.
        paired: whether row i of every modality is the same scene; samples that lack a modality are
            then left out with a warning. Else each modality is shuffled on its own, as in the
            paper's code.
        augment: probability that an image is flipped and turned, each on its own, as the symmetry
            of its modality allows, and that a signal is seen in a weak `signal_view`.
        strong: whether batches have a second view: moved anew, and one quarter blank.
        shared_augmentation: whether all modalities of a pair are moved alike, as all of them allow.
    """

    def __init__(
        self,
        data: MultiModalData,
        batch_size: int,
        seed: int,
        *,
        epochs: int = 1,
        paired: bool = False,
        augment: float = 0.5,
        device: torch.device | str = "cpu",
        memory_format: torch.memory_format = torch.contiguous_format,
        strong: bool = False,
        shared_augmentation: bool = False,
        unlabelled: bool = True,
    ):
        self.seed, self.epochs, self.paired, self.augment = seed, epochs, paired, augment
        self.device, self.memory_format = torch.device(device), memory_format
        self.strong, self.shared_augmentation, self.dense = strong, shared_augmentation, data.dense
        names = list(data.modalities)
        self.symmetry = {name: modality.symmetry for name, modality in data.modalities.items()}
        if shared_augmentation:
            strictest = max(self.symmetry.values(), key=SYMMETRIES.__getitem__)
            self.symmetry = dict.fromkeys(names, strictest)
        self.images = {name: ModalityTensor(data, name, self.device) for name in names}
        rows = {name: torch.arange(len(images)) for name, images in self.images.items()}
        labels = data.labels  # of the samples that are shown
        if paired:
            rows = {
                name: torch.from_numpy(places) for name, places in paired_rows(data, names).items()
            }
            labels = data.modalities[names[0]].y[rows[names[0]]]
            if alone := len(data) - len(labels):
                found = f"{alone} of {len(data)} samples lack a sensor and are not trained on"
                way_out = "add the missing files, or compare the method on pairs alone"
                warnings.warn(f"{data.name}: {found}; {way_out}", stacklevel=3)
        self.counts = {"train": len(labels), "labelled": int((labels != UNLABELLED).sum())}
        labelled, others = {}, {}
        for name, places in rows.items():
            has_label = torch.from_numpy(data.modalities[name].y != UNLABELLED)[places]
            if not has_label.any():
                number = int((data.labels != UNLABELLED).sum())
                lack = f"of {number} training labels none is of a sample of '{name}' that is used"
                raise DataError(data.name, lack, "label 2 samples or more that have all sensors")
            labelled[name], others[name] = places[has_label], places[~has_label]
        most, rest = (max(map(len, kind.values())) for kind in (labelled, others))
        count, self.steps = count_steps(most, rest, batch_size, data.dense)
        self.kinds = [(labelled, count), (others, rest if unlabelled else 0)]
        self.count = sum(size for _, size in self.kinds)

    def __len__(self) -> int:
        return self.steps

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch; the same (seed, epoch) gives the same ones on every device."""
        streams = np.random.SeedSequence([self.seed, epoch]).generate_state(2 * len(self.images))
        harder = np.random.SeedSequence([self.seed, epoch, 1]).generate_state(len(self.images))
        rows, weak, strong = {}, {}, {}
        for number, name in enumerate(self.images):
            shuffle = _generator(streams[0 if self.paired else 2 * number])
            orders = [_rounds(samples[name], count, shuffle) for samples, count in self.kinds]
            labelled, others = (order.tensor_split(self.steps) for order in orders)
            # small pieces to large ones, so that batches are of nearly equal size
            rows[name] = [torch.cat(pair) for pair in zip(labelled, others[::-1], strict=True)]
            weak[name] = _generator(streams[1 if self.shared_augmentation else 2 * number + 1])
            strong[name] = _generator(harder[number])
        for pieces in zip(*rows.values(), strict=True):
            batch_rows = dict(zip(rows, pieces, strict=True))
            batch = self._batch(batch_rows, epoch, weak)
            if self.strong:
                batch.strong = self._batch(batch_rows, epoch, strong, strong=True)
            yield batch

    def _batch(
        self, rows: Mapping[str, Tensor], epoch: int, generators: Mapping, strong: bool = False
    ) -> Batch:
        x, y, ids = {}, {}, {}
        for name, places in rows.items():
            images, truth = self.images[name][places], self.images[name].truth(places)
            symmetry = self.symmetry[name]
            ids[name] = draw_transforms(images, self.augment, generators[name], strong, symmetry)
            if is_signal(images.shape):
                views = signal_view(images, STRONG if strong else WEAK, symmetry, generators[name])
                chosen = torch.rand(len(images), generator=generators[name]) < self.augment
                images = torch.where(chosen.to(images.device)[:, None, None, None], views, images)
            x[name] = transform(images, ids[name]).contiguous(memory_format=self.memory_format)
            y[name] = apply_d4(truth[:, None], ids[name])[:, 0].long() if self.dense else truth
        progress = epoch / self.epochs
        return Batch(x, y, transform_ids=ids, progress=progress, symmetry=self.symmetry)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(int(seed))


def _rounds(rows: Tensor, count: int, shuffle: torch.Generator) -> Tensor:
    """So many of the rows, in new orders one after another; none where there are none."""
    rounds = -(-count // len(rows)) if len(rows) else 0
    orders = [rows[torch.randperm(len(rows), generator=shuffle)] for _ in range(rounds)]
    return torch.cat([rows[:0], *orders])[:count]
