"""From a teacher's run to what its students learn from: soft labels, or maps of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from discom.config import Config
from discom.data import Split
from discom.data.augmentation import VIEWS, turn, view
from discom.data.batches import Images, SoftLabels, paired_rows, room
from discom.errors import ConfigError, RunError, first_line
from discom.files import read_json
from discom.methods import DenseTeacher, Method, Teacher, build
from discom.runs import Result, identity, weights_file

__all__ = ["TeacherMaps", "check_teacher", "load_teacher", "soft_labels", "teach"]


def check_teacher(
    run_dir: Path | None, student: type[Method], split: Split, config: Config
) -> Config:
    """The settings of the teacher in `run_dir`, if it may teach `student` on this split.

    Raises:
        ConfigError: no teacher for a method that needs one, or one for a method that has none.
        RunError: the run is not done, is no teacher, reads other modalities than the student's
            option says, or was trained on another data set, split or set of classes.
    """
    if (run_dir is not None) != student.taught:
        wanted = (
            "needs a teacher; give the folder of its run"
            if student.taught
            else "has no teacher; leave it out"
        )
        raise ConfigError(f"teacher: {student.name} {wanted}")
    if run_dir is None:
        return config
    result = Result.read(run_dir / "result.json")
    settings = Config(**{**result.config, "accelerator": config.accelerator})
    if result.method != student.teacher_method.name:
        wanted = student.teacher_method.name
        raise RunError(
            f"{run_dir}: is a run of {result.method}; {student.name} learns from a run of {wanted}"
        )
    with _readable(run_dir):
        held, here = (
            dict(read_json(run_dir / "config.json")),
            identity(student.teacher_method, split, settings),
        )
    reads = student.options(config.options)["teacher"]
    wanted: dict[str, tuple[Any, Any]] = {
        "data": (held.get("data"), here["data"]),
        "classes": (result.classes, len(split.train.classes)),
        "split": (held.get("split"), here["split"]),
        "reads": (settings.options["reads"], reads),
    }
    for name, (theirs, ours) in wanted.items():
        if theirs != ours:
            raise RunError(
                f"{run_dir}: this teacher has {name}={theirs}, the student {ours}; train a teacher for it"
            )
    return settings


def load_teacher(
    run_dir: Path,
    split: Split,
    settings: Config,
    device: torch.device | str = "cpu",
    method: type[Method] = Teacher,
) -> Method:
    """The trained teacher, frozen and in eval mode.

    Raises:
        RunError: its weights are missing, damaged, or those of another network.
    """
    with torch.random.fork_rng():  # the student's own draws stay as they are
        teacher = build(method, split.train, settings)
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
def soft_labels(
    teacher: Teacher, split: Split, *, augment: bool, strong: bool = False, chunk: int = 512
) -> SoftLabels:
    """The teacher's logits for every training image in every view that a batch can show.

    Its logits are a sum over modalities, so each modality's share is computed once per view, before
    the training, and looked up from then on: 8 views of an augmented image, 40 with strong views, 1
    without augmentation.
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


def teach(
    teacher: Method,
    student: Method,
    split: Split,
    autocast: Callable[[], AbstractContextManager],
    *,
    augment: bool,
) -> "SoftLabels | TeacherMaps":
    """What a teacher says about the training part, in the form that `student` learns from and in
    its precision."""
    if student.dense:
        return TeacherMaps(teacher, split, student.copies, autocast=autocast)
    with autocast():
        return soft_labels(teacher, split, augment=augment, strong=student.strong_view)


class TeacherMaps:
    """A dense teacher's answers about upright training images, moved as each student's images are.

    A fusing network must see all sensors upright or moved alike, and students see each sensor in a
    view of its own: so the teacher is asked once about every scene as it stands, and its answer is
    moved. The answers are held on the device where they fit; else the teacher is asked anew for
    each batch.

    Args:
        teacher: frozen, in eval mode.
        split: its training part is what batches are drawn from.
        names: which of the teacher's maps: logits [C, H, W], features [F, h, w], latent [D, h',
        w'].
        resident_bytes: most bytes to hold; a quarter of the memory that is free unless told
        otherwise.
        autocast: the context in which the teacher computes.
    """

    def __init__(
        self,
        teacher: DenseTeacher,
        split: Split,
        names: tuple[str, ...],
        resident_bytes: int | None = None,
        autocast: Callable[[], AbstractContextManager] = nullcontext,
    ):
        self.teacher, self.names, self.autocast = teacher, names, autocast
        device = next(teacher.parameters()).device
        self.images = {name: Images(split.train, name, device) for name in teacher.reads}
        rows = paired_rows(split.train, teacher.reads)
        one = self._ask({name: found[:1] for name, found in rows.items()})
        size = sum(held.nbytes for held in one.values()) * len(self.images[teacher.reads[0]])
        most = room(device) if resident_bytes is None else resident_bytes
        self.held = self._ask_all(rows, one) if size <= most else None
        if self.held is not None:
            self.images = {}  # nothing more is asked

    @torch.no_grad()
    def _ask(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        x = torch.cat([self.images[name][rows[name]] for name in self.teacher.reads], dim=1)
        with self.autocast():
            maps = self.teacher.maps(x)
        return {name: found.float() for name, found in maps.items() if name in self.names}

    def _ask_all(
        self, rows: Mapping[str, Tensor], one: Mapping[str, Tensor], chunk: int = 64
    ) -> dict[str, Tensor]:
        first = self.teacher.reads[0]
        held = {
            name: found.new_zeros(len(self.images[first]), *found.shape[1:])
            for name, found in one.items()
        }
        for places in torch.arange(len(rows[first])).split(chunk):
            part = {name: found[places] for name, found in rows.items()}
            for name, found in self._ask(part).items():
                held[name][part[first].to(found.device)] = found
        return held

    def __call__(
        self, rows: Mapping[str, Tensor], views: Mapping[str, Tensor]
    ) -> dict[str, dict[str, Tensor]]:
        """Modality → name → the teacher's map for the samples at `rows`, moved as that modality's
        images are."""
        if self.held is None:
            upright = self._ask(rows)
        else:
            upright = {
                k: held[rows[self.teacher.reads[0]].to(held.device)]
                for k, held in self.held.items()
            }
        return {
            m: {name: turn(found, drawn) for name, found in upright.items()}
            for m, drawn in views.items()
        }
