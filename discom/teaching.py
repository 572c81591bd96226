"""From a teacher's run to the soft labels that its students learn from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from discom.config import Config
from discom.data import Split
from discom.data.augmentation import VIEWS, view
from discom.data.batches import Images, SoftLabels
from discom.errors import ConfigError, RunError, first_line
from discom.methods import Distilled, Teacher, build
from discom.runs import Result, identity, weights_file
from discom.storage import read_json

__all__ = ["check_teacher", "load_teacher", "soft_labels"]


def check_teacher(run_dir: Path | None, student: type[Distilled], split: Split, config: Config) -> Config:
    """The settings of the teacher in `run_dir`, if it may teach `student` on this split.

    Raises:
        ConfigError: no teacher for a method that needs one, or one for a method that has none.
        RunError: the run is not done, is no teacher, reads other modalities than the student's option says, or was
            trained on another data set, split or set of classes.
    """
    if (run_dir is not None) != student.taught:
        wanted = "needs a teacher; give the folder of its run" if student.taught else "has no teacher; leave it out"
        raise ConfigError(f"teacher: {student.name} {wanted}")
    if run_dir is None:
        return config
    result = Result.read(run_dir / "result.json")
    settings = Config(**{**result.config, "accelerator": config.accelerator})
    if result.method != Teacher.name:
        raise RunError(f"{run_dir}: is a run of {result.method}; a student learns from a run of teacher")
    with _readable(run_dir):
        held, here = dict(read_json(run_dir / "config.json")), identity(Teacher, split, settings)
    reads = student.options(config.options)["teacher"]
    wanted: dict[str, tuple[Any, Any]] = {
        "data": (held.get("data"), here["data"]),
        "classes": (result.classes, len(split.train.classes)),
        "split": (held.get("split"), here["split"]),
        "reads": (settings.options["reads"], reads),
    }
    for name, (theirs, ours) in wanted.items():
        if theirs != ours:
            raise RunError(f"{run_dir}: this teacher has {name}={theirs}, the student {ours}; train a teacher for it")
    return settings


def load_teacher(run_dir: Path, split: Split, settings: Config, device: torch.device | str = "cpu") -> Teacher:
    """The trained teacher, frozen and in eval mode.

    Raises:
        RunError: its weights are missing, damaged, or those of another network.
    """
    with torch.random.fork_rng():  # the student's own draws stay as they are
        teacher = build(Teacher, split.train, settings)
    name = teacher.deployed[0]
    with _readable(run_dir):
        teacher.load_state(name, load_file(weights_file(run_dir, name)))
    return teacher.to(device).eval().requires_grad_(False)


@contextmanager
def _readable(run_dir: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        reason = first_line(error)
        raise RunError(
            f"{run_dir}: this teacher cannot be read ({reason}); delete the folder and train it again"
        ) from None


@torch.no_grad()
def soft_labels(teacher: Teacher, split: Split, *, augment: bool, strong: bool = False, chunk: int = 512) -> SoftLabels:
    """The teacher's logits for every training image in every view that a batch can show.

    Its logits are a sum over modalities, so each modality's share is computed once per view, before the training,
    and looked up from then on: 8 views of an augmented image, 40 with strong views, 1 without augmentation.
    """
    device = teacher.model.task.bias.device
    views = VIEWS if strong else 8 if augment else 1
    shares = {}
    for name in teacher.reads:
        images = Images(split.train, name, device)
        share = torch.empty(len(images), views, len(split.train.classes), device=device)
        for rows in torch.arange(len(images)).split(chunk):
            x = images[rows]
            for number in range(views):
                seen = view(x, torch.full((len(x),), number))
                share[rows.to(device), number] = teacher.model.contribution(name, seen).float()
        shares[name] = share
    return SoftLabels(shares, teacher.model.task.bias.float())
