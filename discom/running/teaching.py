"""From a teacher's run to what its students learn from: soft labels, or maps."""

from pathlib import Path
from typing import Any

import torch

from discom.config import Config
from discom.data import Split
from discom.data.augmentation import restore, turn
from discom.data.batches import Batch
from discom.errors import ConfigError, RunError
from discom.methods import Method
from discom.running.runs import load_run


def load_teacher(
    run_dir: Path | None, student: type[Method], split: Split, config: Config
) -> Method | None:
    """The trained teacher of `student` with these settings, frozen and in eval mode; None where it
    has none. A ConfigError for a teacher that is missing or not needed; a RunError for a run of
    another method, modalities, split or labels."""
    if run_dir is None:
        if student.teacher_method is None:
            return None
        found = f"{student.name} needs a teacher"
        raise ConfigError("teacher", found, "give the folder of its run")
    if student.teacher_method is None:
        raise ConfigError("teacher", f"{student.name} has no teacher", "leave it out")
    teacher, result = load_run(run_dir, split)
    theirs = {"method": result.method, "reads": None, **result.config, **result.config["options"]}
    reads = student.options(config.options).get("teacher")
    wanted = {"method": student.teacher_method.name, "reads": reads, "labelled": config.labelled}
    if config.labelled < 1:  # the seed draws which labels are kept
        wanted["seed"] = config.seed
    for name, value in wanted.items():
        if theirs[name] != value:
            found = f"has {name}={theirs[name]}, {student.name} needs {name}={value}"
            raise RunError(run_dir, found, "train its teacher")
    return teacher


@torch.no_grad()
def ask(teacher: Any, student: Any, batch: Batch) -> None:
    """Put into a batch (and its strong view) what a frozen teacher says about these very images, as
    `soft`: logits [B, C], or of a dense student the maps that it copies, by modality.

    A fusing network of pixels must see all sensors moved alike, and students see each in a view of
    its own: so it is asked about upright scenes, and its maps are moved as each student's images
    are. A teacher with a network for each sensor teaches each student by its own."""
    if not student.dense:
        for shown in filter(None, (batch, batch.strong)):
            x = torch.cat([shown.x[name] for name in teacher.reads], dim=1)
            shown.soft = teacher.predict(teacher.deployed[0], x).float()
        return
    upright = {name: restore(x, batch.views[name]) for name, x in batch.x.items()}
    maps = {}
    for network in teacher.deployed:
        x = torch.cat([upright[name] for name in network.split("+")], dim=1)
        maps[network] = teacher.deployed_module(network).maps(x)
    batch.soft = {}
    for name in student.deployed:
        own = maps.get(name) or maps[teacher.deployed[0]]
        copied = {each: own[each].float() for each in student.copies}
        batch.soft[name] = {each: turn(one, batch.views[name]) for each, one in copied.items()}
