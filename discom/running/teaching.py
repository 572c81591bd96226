"""From a teacher's run to what its students learn from: soft labels, or maps."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from discom.config import Config
from discom.data import Split
from discom.data.augmentation import VIEWS, turn, view
from discom.data.batches import ModalityTensor, SoftLabels, memory_budget, paired_rows
from discom.data.checks import MOTIONS
from discom.errors import ConfigError, RunError
from discom.methods import Method
from discom.running.runs import load_run


def load_teacher(
    run_dir: Path | None, student: type[Method], split: Split, config: Config
) -> Method | None:
    """The trained teacher of `student` with these settings, frozen and in eval mode; None where it
    has none. A ConfigError for a teacher that is missing or not needed; a RunError for a run of
    another method, modalities, split or labels, or with weights that cannot be read."""
    if student.teacher_method is None:
        if run_dir is not None:
            raise ConfigError("teacher", f"{student.name} has no teacher", "leave it out")
        return None
    if run_dir is None:
        found = f"{student.name} needs a teacher"
        raise ConfigError("teacher", found, "give the folder of its run")
    teacher, result = load_run(run_dir, split)
    if result.method != student.teacher_method.name:
        needed = f"{student.name} learns from a run of {student.teacher_method.name}"
        raise RunError(run_dir, f"is a run of {result.method}", needed)
    own = {"reads": result.config["options"].get("reads"), "labelled": result.config["labelled"]}
    same = {"reads": student.options(config.options).get("teacher"), "labelled": config.labelled}
    if config.labelled < 1:  # the seed draws which labels are kept
        own["seed"], same["seed"] = result.seed, config.seed
    for name, expected in same.items():
        if own[name] != expected:
            found = f"this teacher has {name}={own[name]}, the student {expected}"
            raise RunError(run_dir, found, "train a teacher for it")
    for name in teacher.deployed[1:]:  # of several networks each has its own best epoch
        teacher.load_state(name, load_run(run_dir, split, name)[0].state(name))
    return teacher


def teach(
    teacher: Any, student: Any, split: Split, fabric: Any, *, augment: bool
) -> "SoftLabels | TeacherMaps":
    """What a teacher says about the training part: maps for a dense student, else soft labels.
    `augment`: whether the student's images are moved."""
    teacher = teacher.to(fabric.device)
    if student.dense:
        return TeacherMaps(teacher, split, student.copies, autocast=fabric.autocast)
    with fabric.autocast():
        return soft_labels(teacher, split, augment=augment, strong=student.strong_view)


@torch.no_grad()
def soft_labels(
    teacher: Any, split: Split, *, augment: bool, strong: bool = False, chunk: int = 512
) -> SoftLabels:
    """The teacher's logits for every training image in every view that a batch can show.

    Its logits are a sum over modalities, so each modality's part is computed once per view, before
    the training: 8 views if images are augmented, 40 with strong views, else 1. Views that the
    motions of a modality rule out are NaN."""
    bias = teacher.model.task.bias.float()
    views = VIEWS if strong else 8 if augment else 1
    parts = {}
    for name in teacher.reads:
        images = ModalityTensor(split.train, name, bias.device)
        shape, nan = (len(images), views, len(split.train.classes)), torch.nan
        part = torch.full(shape, nan, device=bias.device)
        for rows in torch.arange(len(images)).split(chunk):
            x = images[rows]
            for number in range(0, views, MOTIONS[split.train.modalities[name].motions]):
                moved = view(x, torch.full((len(x),), number))
                part[rows, number] = teacher.model.contribution(name, moved).float()
        parts[name] = part
    return SoftLabels(parts, bias)


class TeacherMaps:
    """A dense teacher's maps of upright training images, moved as each student's images are.

    A fusing network must see all sensors moved alike, and students see each sensor in a view of its
    own. So the teacher is asked about every scene as it stands, and its maps are moved. A teacher
    with a network for each sensor teaches each student by that of its own sensor. The maps stay on
    the device where a quarter of its free memory holds them; else the teacher is asked anew for
    each batch. `names` are of maps: logits [C, H, W], features [F, h, w], latent [D, h', w']."""

    def __init__(
        self,
        teacher: Any,
        split: Split,
        names: tuple[str, ...],
        autocast: Callable[[], AbstractContextManager] = nullcontext,
    ):
        device = next(teacher.parameters()).device
        self.names, self.autocast = names, autocast
        self.networks = {name: teacher.branch(name).eval() for name in teacher.deployed}
        self.reads = {name: name.split("+") for name in self.networks}
        sensors = dict.fromkeys(sensor for reads in self.reads.values() for sensor in reads)
        self.images = {name: ModalityTensor(split.train, name, device) for name in sensors}
        self.resident: dict[tuple[str, str], Tensor] = {}
        rows = paired_rows(split.train, list(sensors))
        sample = self._ask({name: places[:1] for name, places in rows.items()})
        count = max(map(len, self.images.values()))
        if count * sum(one.nbytes for one in sample.values()) > memory_budget(device):
            return
        kept = {key: one.new_zeros(count, *one.shape[1:]) for key, one in sample.items()}
        for places in torch.arange(len(next(iter(rows.values())))).split(64):
            part = {name: own[places] for name, own in rows.items()}
            for (network, name), maps in self._ask(part).items():
                kept[network, name][part[self.reads[network][0]]] = maps
        self.resident, self.images = kept, {}

    @torch.no_grad()
    def _ask(self, rows: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """(Network, name) → its maps of the samples at `rows`."""
        answers: dict[tuple[str, str], Tensor] = {}
        for network, reads in self.reads.items():
            x = torch.cat([self.images[name][rows[name]] for name in reads], dim=1)
            with self.autocast():
                maps = self.networks[network].maps(x)
            answers |= {(network, name): maps[name].float() for name in self.names}
        return answers

    def __call__(
        self, rows: Mapping[str, Tensor], views: Mapping[str, Tensor]
    ) -> dict[str, dict[str, Tensor]]:
        """Modality → name → the teacher's map for the samples at `rows`, moved as its images."""
        upright = {
            (network, name): maps[rows[self.reads[network][0]]]
            for (network, name), maps in self.resident.items()
        } or self._ask(rows)
        answers = {}
        for modality, drawn in views.items():
            network = modality if modality in self.networks else next(iter(self.networks))
            answers[modality] = {name: turn(upright[network, name], drawn) for name in self.names}
        return answers
