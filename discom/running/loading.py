"""A run of the disk brought back: its networks, and a teacher for its students."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from safetensors.torch import load

from discom import methods
from discom.config import Config
from discom.data import Split
from discom.errors import RunError
from discom.files import as_data_error, read_json
from discom.hardware import forked_random
from discom.methods import Method
from discom.running.runs import (
    DAMAGED,
    ORIGIN,
    Result,
    check_divided,
    last_file,
    weights_file,
)


def load_run(
    run_dir: Path | str,
    split: Split,
    network: str = "",
    *,
    epoch: Literal["best", "last", "first"] = "best",
) -> tuple[Method, Result]:
    """A finished run's model in eval mode, frozen: with the weights that were tested of one
    deployed network, by default of each; or with all as they were after the last epoch, or before
    the first.

    Where networks share weights, such as the heads of DisCoM-KD, and are the best after different
    epochs, no model has both: name one network, or take the last epoch, in which they met. That is
    a RunError, and so is a run that is not done, had another split or code, or kept no weights.
    """
    check_divided(split)
    result, origin = Result.read(Path(run_dir) / "result.json"), split.origin
    if any(getattr(result, name) != getattr(origin, name) for name in ORIGIN):
        found = f"was trained on other data, or another split, than {split.train.name}"
        drawn = "" if result.drawn is None else f" drawn with seed {result.drawn}"
        way_out = f"give what it had, arguments too: {result.data}{drawn}, split{result.parts}"
        raise RunError(run_dir, found, way_out)
    method = methods.get(read_json(Path(run_dir) / "config.json", DAMAGED)["address"])
    if method.address != method.name and methods.code(method) != result.code:  # a person's own file
        raise RunError(run_dir, f"{method.address} was edited after its training", "train it again")
    config, untrained = Config(**result.config), epoch == "first"
    if not untrained and not weights_file(run_dir, "").parent.is_dir():
        raise RunError(run_dir, "its weights were not kept", f"{DAMAGED}, with keep_weights")
    if untrained and config.pretrained.startswith("sha256:"):
        found = "began with weights of a file, which it names by their digest alone"
        raise RunError(run_dir, found, "build it with methods.build and pretrained=FILE")
    with forked_random():  # the caller's own draws stay as they are
        model = methods.build(method, split.train, config, restored=not untrained)
    if untrained:
        return model.eval().requires_grad_(False), result
    names = [network] if network else model.deployed
    epochs = {name: int(result.scores[name]["best_epoch"]) for name in names}
    if epoch == "last" and {*epochs.values()} != {config.epochs - 1}:
        with as_data_error(file := last_file(run_dir), "weights of the last epoch", DAMAGED):
            model.load_state_dict(load(file.read_bytes()))
        return model.eval().requires_grad_(False), result
    if len({*epochs.values()}) > 1 and _shared(model, names):
        found = f"the best epochs of its networks, which share weights, are {_listed(epochs)}"
        raise RunError(run_dir, found, "name one network, or take epoch='last'")
    for name in names:
        file = weights_file(run_dir, name)
        with as_data_error(file, f"weights of {result.method}", DAMAGED):
            model.load_state(name, load(file.read_bytes()))  # by name it takes UTF-8 alone
    return model.eval().requires_grad_(False), result


def _shared(model: Method, names: Iterable[str]) -> bool:
    """Whether a weight belongs to two of these networks."""
    weights = [key for name in names for key in model.state(name)]
    return len(weights) > len({*weights})


def _listed(epochs: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {epoch + 1}" for name, epoch in epochs.items())


def load_teacher(run_dir: Path | str, student: Any, split: Split, config: Config) -> Method:
    """The trained teacher of `student` with these settings, frozen and in eval mode; a RunError for
    a run of another method, modalities, split or labels."""
    teacher, result = load_run(run_dir, split)
    theirs = {"method": result.method, "reads": None, **result.config, **result.config["options"]}
    reads = student.options(config.options).get("teacher")
    wanted = {"method": student.teacher_method.name, "reads": reads}
    wanted |= {name: getattr(config, name) for name in ("labelled", "labelled_groups")}
    if config.hides_labels:  # the seed draws which labels are kept
        wanted["seed"] = config.seed
    for name, value in wanted.items():
        if theirs[name] != value:
            found = f"has {name}={theirs[name]}, {student.name} needs {name}={value}"
            raise RunError(run_dir, found, "train its teacher")
    return teacher
