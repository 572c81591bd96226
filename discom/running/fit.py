"""fit(): one loop, readable from top to bottom, for every method."""

import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from lightning.fabric import Fabric
from torch import Tensor
from tqdm.auto import tqdm

from discom import methods
from discom.config import Config
from discom.data import MultiModalData, Split
from discom.data.batches import Batches
from discom.data.checks import check_split
from discom.errors import ConfigError, OutOfTime, RunError, check_kind, watched
from discom.evaluation.scores import Scoring, class_counts, count_by_group
from discom.files import write_json
from discom.hardware import (
    arithmetic,
    forked_random,
    launch,
    machine,
    precision_used,
    recent_peak,
    start_peak,
)
from discom.methods import Method, build
from discom.models.pretrained import Pretrained
from discom.running import runs
from discom.running.checkpoint import Checkpoint
from discom.running.loading import load_teacher
from discom.running.loss_scale import LossScale
from discom.running.runs import Result

methods.remember()  # what runs is what was imported by now, whatever is edited later
_TRAINING = threading.RLock()  # threads take turns, since they share torch's generator


def fit(
    method: str | type[Method],
    split: Split,
    config: Config,
    run_dir: Path | str,
    *,
    teacher: Path | str | None = None,
    progress: bool = True,
    on_epoch_end: Callable[[int, Method], object] | None = None,
    until: float | None = None,
    keep_weights: bool = True,
) -> Result:
    """Train `method` and test it once. A run that is done is read; one that was cut off goes on.

    Tested are the weights of each network from the epoch whose score on the validation part
    (weighted F1, or mean IoU if dense) is the best, or from the last (`Config.select`).

    Args:
        method: a registered name or a Method class.
        split: the three parts of a MultiModalData.
        config: the settings, such as `profile("cpu")`.
        run_dir: folder of this run alone.
        teacher: for a method that needs a teacher, the folder of the teacher's finished run.
        progress: whether a bar is drawn, where somebody looks.
        on_epoch_end: called with the epochs done and the networks, at the start and after each
            epoch; it calls `eval()`, looks and changes nothing.
        until: a moment, in seconds as of `time.time()`: at the first end of an epoch after it, the
            training stops with its checkpoint, unless that epoch is the last.
        keep_weights: whether weights/ is written, which `load_run` opens. Runs of a method that
            teaches another keep theirs, since students need them.

    Raises:
        ConfigError: data that are not split, what is no method or no Config, or settings that do
            not fit the method, the data or the machine, such as fp16 where there is no GPU; a
            method of one's own that returns something else than terms and logits.
        DataError: parts that do not belong together, a damaged file.
        RunError: another run has the folder; the teacher does not fit; a loss is NaN; ten steps in
            a row overflow in fp16; a GPU has not the memory.
        OutOfTime: it stopped at `until`; the same call goes on.
        TimeoutError: another process trains this run.
    """
    method = methods.get(method) if isinstance(method, str) else method
    if not (isinstance(method, type) and issubclass(method, Method)):
        found = f"is a {type(method).__name__}, no class of a Method"
        raise ConfigError("method", found, "give the class itself, or a registered name")
    runs.check_divided(split)
    check_kind("config", config, Config, 'give profile("cpu")')
    if config.dense != method.dense:
        found = f"has dense={config.dense}, {method.name} needs dense={method.dense}"
        raise ConfigError("config", found, f"use profile(…, dense={method.dense})")
    if split.by_hand:
        check_split(split)
    if bool(teacher) != bool(method.teacher_method):
        found, way_out = ("has no", "leave it out") if teacher else ("needs a", "name its folder")
        raise ConfigError("teacher", f"{method.name} {found} teacher", way_out)
    run_dir, teacher = Path(run_dir), Path(teacher) if teacher else None
    theirs = vars(Result.read(teacher / "result.json")) if teacher else None
    asked = runs.identity(method, split.train.name, split.origin, config, theirs)
    if result := runs.finished(run_dir, asked):
        return result
    precision = precision_used(config.precision)
    memory = _memory_error(split, config, precision)
    with _TRAINING, memory, forked_random(), arithmetic(), ExitStack() as stack:
        start_peak()
        # before there is a folder: the settings may not fit
        instructor = load_teacher(teacher, method, split, config) if teacher else None
        network: Any = build(method, split.train, config)
        fabric = launch(precision)
        run_dir.mkdir(parents=True, exist_ok=True)
        stack.enter_context(FileLock(run_dir / ".lock", timeout=0))  # ends with this process
        if result := runs.finished(run_dir, asked):  # by another one since the first look
            return result
        write_json(run_dir / "config.json", {**asked, "address": method.address})
        model, optimizer, schedule, batches = _prepare(network, split.train, config, fabric)
        scale = LossScale(fabric)
        parts = {"model": network, "optimizer": optimizer, "schedule": schedule, "scale": scale}
        if network.adversary_optimizer is not None:
            parts["adversary"] = network.adversary_optimizer
        state = Checkpoint(run_dir, precision, **parts)
        state.announce(config.select)
        scoring = Scoring(network, split, fabric, batches.memory_format)
        if instructor is not None:
            instructor = instructor.to(fabric.device).to(memory_format=batches.memory_format)
        if on_epoch_end:
            on_epoch_end(state.epoch, network)
        epochs = range(state.epoch, config.epochs)
        for epoch in tqdm(epochs, method.name, leave=False, disable=not (progress and watched())):
            started = time.perf_counter()
            torch.manual_seed(config.seed * 1_000_003 + epoch)  # a resumed run draws the same
            model.train()
            losses = []
            for batch in batches.epoch(epoch):
                if instructor is not None:
                    with fabric.autocast():
                        network.ask(instructor, batch)
                rate = schedule.get_last_lr()[0]
                network.set_rate(rate)
                terms = model(batch)  # name → unweighted scalar
                loss = network.weighted_sum(terms)
                scale.note()
                optimizer.zero_grad()
                fabric.backward(loss)
                optimizer.step()
                schedule.step()
                losses.append(torch.stack([*terms.values(), loss]).detach())
            means = _means(losses, [*terms, "loss"], epoch) | scale.report(epoch)
            scores = scoring.validate()
            state.keep(scoring.metric, scores, epoch, config.select)
            state.seconds += time.perf_counter() - started
            row = {f"valid_{scoring.metric}/{name}": score for name, score in scores.items()}
            state.save(epoch, {"seconds": state.seconds, "learning_rate": rate, **means, **row})
            if on_epoch_end:
                on_epoch_end(epoch + 1, network)
            if until is not None and time.time() > until and epoch + 1 < config.epochs:
                state.write()
                found = f"stopped after {epoch + 1} of {config.epochs} epochs"
                raise OutOfTime(run_dir, found, "the same call goes on")
        if keep_weights or methods.teaches(method):
            state.write_weights()
        return _report(asked, batches, state, scoring)


@contextmanager
def _memory_error(split: Split, config: Config, precision: str) -> Iterator[None]:
    """A RunError in the place of torch's, which does not say what to change."""
    try:
        yield
    except RuntimeError as error:  # of MPS no OutOfMemoryError
        if not isinstance(error, torch.OutOfMemoryError) and "out of memory" not in str(error):
            raise
        sensors = split.train.modalities.items()
        shapes = [f"{name} {'×'.join(map(str, m.x.shape[1:]))}" for name, m in sensors]
        batch = f"batches of {config.batch_size} images, {', '.join(shapes)}, in {precision}"
        way_out = "lower batch_size, or take precision mixed; its checkpoint is as it was"
        raise RunError("GPU memory", f"{batch} do not fit", way_out) from error


def _prepare(network: Any, train: MultiModalData, config: Config, fabric: Fabric) -> tuple:
    """The networks on their device, optimizer, schedule, and batches of the samples and of the
    labels that are kept."""
    train = train.keep_labels(config.labelled, config.seed, config.labelled_groups)
    memory_format = torch.channels_last if config.channels_last else torch.contiguous_format
    batches = Batches(
        train,
        config.batch_size,
        config.seed,
        epochs=config.epochs,
        paired=network.paired,
        augment=config.augment,
        device=fabric.device,
        memory_format=memory_format,
        strong=network.needs_strong_view,
        shared_augmentation=network.shared_augmentation,
        unlabelled=any(network.weights[term] for term in network.unlabelled),
    )
    counts = class_counts(train)  # of all sensors: heads are shared
    if config.class_weights == "balanced":  # one that no sample has is never read
        weights = counts.sum() / ((counts > 0).sum() * counts.clip(min=1))
        network.class_weights = torch.tensor(weights, dtype=torch.float32)
    rare, most = min(counts[counts > 0], default=0), counts.max()
    if most > 5 * rare and not network.dense:  # no trap for a mean IoU
        found = f"a class has {most / rare:.0f} times the training labels of another"
        way_out = "compare macro_f1 or balanced_accuracy; f1 and accuracy hide rare classes"
        warnings.warn(f"{train.name}: {found}; {way_out}", stacklevel=3)
    network = network.to(memory_format=memory_format)
    rate, decay = config.learning_rate, config.weight_decay
    groups = _parameter_groups(network, rate, config.encoder_rate)
    how: dict[str, Any] = {"lr": rate, "weight_decay": decay, "fused": True}
    if config.optimizer == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(groups, momentum=0.9, **how)
    else:
        optimizer = torch.optim.AdamW(groups, **how)
    schedules = torch.optim.lr_scheduler
    if config.schedule == "constant":
        schedule: Any = schedules.ConstantLR(optimizer, factor=1.0)
    else:
        steps = max(3, config.epochs * len(batches)) + 1  # it wants three at least
        peaks = [group["lr"] for group in optimizer.param_groups]
        schedule = schedules.OneCycleLR(optimizer, peaks, steps, cycle_momentum=False)
    model, optimizer = fabric.setup(network, optimizer)
    return model, optimizer, schedule, batches


def _parameter_groups(network: Any, rate: float, factor: float) -> list[dict]:
    """The weights; those of pretrained encoders, at their own rate, where 0 freezes them; and what
    the method says is not decayed."""
    encoders = [part for part in network.modules() if isinstance(part, Pretrained)]
    own = dict.fromkeys(w for e in encoders for w in e.requires_grad_(factor > 0).parameters())
    named = network.named_parameters()
    free = dict.fromkeys(w for name, w in named if name.split(".")[-1] in network.undecayed)
    others = [weight for weight in network.parameters() if weight not in own and weight not in free]
    groups = [{"params": others, "lr": rate}, {"params": [*own], "lr": rate * factor}]
    groups += [{"params": [*free], "lr": rate, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _means(losses: list[Tensor], names: list[str], epoch: int) -> dict[str, float]:
    """The mean of every term over an epoch; a RunError where one is NaN."""
    values = torch.stack(losses).cpu()  # read once an epoch, so that no batch waits for it
    if len(places := (~values.isfinite()).nonzero()):
        step, term = places[0].tolist()
        value = values[step, term].item()
        found = f"term '{names[term]}' is {value} in epoch {epoch}, batch {step}"
        way_out = "lower learning_rate, use precision 32-true, or check the data"
        raise RunError("loss", found, way_out)
    return dict(zip(names, values.mean(0).tolist(), strict=True))


def _report(
    asked: Mapping[str, Any], batches: Batches, state: Checkpoint, scoring: Scoring
) -> Result:
    """Test the best weights; write predictions and the result, and end the checkpoint."""
    network, split, tested = scoring.network, scoring.split, None
    scores, predictions = scoring.test(state.best, state.run_dir)
    if asked["fold"] is not None:
        tested = count_by_group(split.test, predictions, network.deployed)
    branches = {name: network.deployed_module(name) for name in network.deployed}
    counts = {part: len(data) for part, data in split._asdict().items()}
    best = {frozenset(name.split("+")): score for name, score in split.train.best.items()}
    result = Result(
        **{name: value for name, value in asked.items() if name != "hash"},
        scores=scores,
        parameters={k: sum(w.numel() for w in own.parameters()) for k, own in branches.items()},
        seconds=state.seconds,
        pairs_per_second=batches.count * asked["config"]["epochs"] / state.seconds,
        peak_memory_mb=recent_peak(),
        machine=machine(),
        counts={**counts, **batches.counts},
        classes=len(split.train.classes),
        changed=type(network).changed(asked["config"]["options"]),
        best={k: best[own] for k in scores if (own := frozenset(k.split("+"))) in best},
        metric=scoring.metric,
        tested=tested,
        precision=state.precision,
    )
    for name, values in () if network.dense else scores.items():
        recall, present = values["balanced_accuracy"], len(np.unique(predictions[f"{name}_labels"]))
        if present > 1 and recall <= 100 / present + 1e-3:  # scores are float32
            found = f"{name} has a balanced accuracy of {recall:.1f} %, as guessing has"
            way_out = "look at its curves, train longer, or lower learning_rate"
            warnings.warn(f"{state.run_dir}: {found}; {way_out}", stacklevel=3)
    write_json(state.run_dir / "result.json", result.to_json())
    state.path.unlink(missing_ok=True)
    return result
