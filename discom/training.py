"""fit(): one loop, readable from top to bottom, for every method."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor
from tqdm.auto import tqdm

from discom import methods
from discom.checkpoint import Checkpoint, forget, stoppable
from discom.config import Config
from discom.data import Batches, MultiModalData, Split
from discom.data.batches import Images
from discom.errors import RunError
from discom.evaluation.scores import Task, predict_logits, task_of
from discom.files import atomic_file, write_json
from discom.machine import by_first, check_agreement, launch, machine, multiplies_bf16, peak_memory
from discom.methods import Method, build
from discom.runs import Result, claim, identity, locked
from discom.teaching import check_teacher, teach

__all__ = ["fit"]


def fit(
    method: str | type[Method],
    split: Split,
    config: Config,
    run_dir: Path | str,
    *,
    teacher: Path | str | None = None,
    progress: bool = True,
    recompute: bool = False,
) -> Result:
    """Train `method` and test it once. A run that is done is read; one that was cut off goes on.

    Every epoch trains on the training part, scores the validation part, and keeps the weights of
    each network whose score (weighted F1, or mean IoU of a dense method) is the best so far. At the
    end those weights are scored on the test part.

    Args:
        method, config: a registered name or a Method class; its settings.
        split: the three parts of a MultiModalData.
        run_dir: folder of this run alone.
        teacher: for a method that is taught, the folder of its teacher's finished run.
        progress, recompute: show a progress bar; train again where the result is damaged.

    Raises:
        ConfigError: settings that do not fit the method, the data or the machine.
        RunError: the folder holds another run, a damaged result, or cannot be written; the teacher
            is for other data; a loss is NaN or infinite.
        BusyError: another process trains this run.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    method = methods.get(method) if isinstance(method, str) else method
    run_dir, teacher = Path(run_dir), Path(teacher) if teacher is not None else None
    task, classes = task_of(method), len(split.train.classes)
    with torch.random.fork_rng(), stoppable(run_dir), ExitStack() as stack:
        # before there is a folder: the settings may not fit
        settings = check_teacher(teacher, method, split, config)
        network: Any = build(method, split.train, config)
        precision = config.precision if multiplies_bf16(config.accelerator) else "32-true"
        fabric = launch(config.accelerator, config.devices, precision)
        run = identity(method, split, config, teacher)
        check_agreement(fabric, {"seed": config.seed, **run})
        if result := by_first(fabric, partial(_open, stack, run_dir, run, recompute)):
            return result

        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        network = network.to(memory_format=layout)
        if config.devices > 1 and fabric.device.type == "cuda":
            network = torch.nn.SyncBatchNorm.convert_sync_batchnorm(network)
        batches = Batches(
            split.train,
            config.batch_size,
            config.seed,
            epochs=config.epochs,
            pairing="paired" if network.paired else "unpaired",
            augment=config.augment,
            device=fabric.device,
            memory_format=layout,
            strong=network.strong_view,
            coupled=network.coupled,
            dense=network.dense,
            rank=fabric.global_rank,
            world=fabric.world_size,
        )
        images = partial(Images, device=fabric.device, dense=network.dense)
        valid = {name: images(split.valid, name) for name in network.deployed}
        rate, decay = config.learning_rate, config.weight_decay
        optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=decay, fused=True)
        schedule = _schedule(optimizer, config, len(batches))
        model, optimizer = fabric.setup(network, optimizer)
        state = Checkpoint(run_dir, model=network, optimizer=optimizer, schedule=schedule)
        check_agreement(fabric, {"epoch": state.epoch})
        answer = partial(_answer, network, task, fabric, layout)
        started = time.perf_counter()
        if teacher is not None:
            augmented = config.augment > 0
            batches.soft = teach(teacher, network, split, settings, fabric, augment=augmented)
        if state.epoch == 0:
            state.seconds = time.perf_counter() - started

        weights = network.weights
        epochs, silent = range(state.epoch, config.epochs), not progress or fabric.global_rank > 0
        for epoch in tqdm(epochs, method.name, leave=False, disable=silent):
            started = time.perf_counter()
            torch.manual_seed(config.seed * 1_000_003 + epoch)  # a resumed run draws the same
            model.train()
            losses = []
            for batch in batches.epoch(epoch):
                terms = model(batch)  # name → unweighted scalar
                loss = sum(weights[name] * term for name, term in terms.items() if weights[name])
                optimizer.zero_grad()
                fabric.backward(loss)
                optimizer.step()
                rate = schedule.get_last_lr()[0]
                schedule.step()
                losses.append(torch.stack([*terms.values(), loss]).detach())
            means = _means(fabric, losses, [*terms, "loss"], epoch)

            if fabric.global_rank == 0:  # the first process scores and writes for all
                scores = {
                    name: task.select(answer(name, part), part.truth(), classes).item()
                    for name, part in valid.items()
                }
                state.keep_best(task.metric, scores, network, epoch)
                state.seconds += time.perf_counter() - started
                row = {f"valid_{task.metric}/{name}": score for name, score in scores.items()}
                rates = {"seconds": state.seconds, "learning_rate": rate}
                state.save(epoch, {**rates, **means, **row})

        def report() -> Result:
            state.write_weights()
            used = {"devices": config.devices, "precision": precision}
            result = Result(
                method=method.name,
                data=split.train.name,
                seed=config.seed,
                hash=run_dir.name.partition("-")[2] or run_dir.name,
                scores=_test(network, task, answer, state.best, split.test, images, run_dir),
                parameters={
                    name: sum(weight.numel() for weight in network.branch(name).parameters())
                    for name in network.deployed
                },
                seconds=state.seconds,
                pairs_per_second=batches.count * config.epochs / state.seconds,
                peak_memory_mb=peak_memory(fabric.device),
                config={**config.identity(), "options": method.options(config.options)},
                machine={**machine(fabric.device), **used},
                counts={part: len(data) for part, data in split._asdict().items()},
                classes=classes,
                teacher=run.get("teacher"),
                metric=task.metric,
            )
            write_json(run_dir / "result.json", result.to_json())
            forget(run_dir)
            return result

        return by_first(fabric, report)


def _open(stack: ExitStack, run_dir: Path, run: dict, recompute: bool) -> Result | None:
    """Lock the folder until `stack` ends, and claim it; the result if the run is done."""
    stack.enter_context(locked(run_dir))
    claim(run_dir, run)
    file = run_dir / "result.json"
    if not file.exists():
        return None
    try:
        result = Result.read(file)
    except RunError:
        if recompute:
            return None
        raise
    forget(run_dir)  # in case a kill came between the result and this
    return result


def _schedule(optimizer: torch.optim.Optimizer, config: Config, steps: int):
    schedules = torch.optim.lr_scheduler
    if config.schedule == "constant":
        return schedules.ConstantLR(optimizer, factor=1.0)
    total = max(3, config.epochs * steps) + 1  # OneCycleLR wants three at least
    return schedules.OneCycleLR(optimizer, config.learning_rate, total, cycle_momentum=False)


def _means(fabric: Fabric, losses: list[Tensor], names: list[str], epoch: int) -> dict[str, float]:
    """The mean of every term over an epoch and all processes; a RunError where one is NaN."""
    values = torch.stack(losses)  # read once an epoch, so that no batch waits for it
    values = torch.as_tensor(fabric.all_reduce(values, reduce_op="mean")).cpu()
    if len(places := (~values.isfinite()).nonzero()):
        step, term = places[0].tolist()
        reason = f"is {values[step, term].item()} in epoch {epoch}, batch {step}"
        way_out = "lower learning_rate, use precision 32-true, or check the data"
        raise RunError(f"loss term '{names[term]}' {reason}; {way_out}")
    return dict(zip(names, values.mean(0).tolist(), strict=True))


@torch.inference_mode()
def _answer(network: Method, task: Task, fabric: Fabric, layout, name: str, images: Images):
    """What one network predicts for `images`, in the form that its task scores."""
    network.eval()
    predict = partial(network.predict, name)
    with fabric.autocast():
        return predict_logits(predict, images, task.batch_size, layout, task.keep)


def _test(
    network: Method, task: Task, answer, best: Mapping, test: MultiModalData, read, run_dir: Path
) -> dict[str, dict[str, float]]:
    """Score each network with its best weights on the test part, which is read here and nowhere
    else, and write predictions.npz."""
    scores = {}
    predictions: dict[str, Any] = {"classes": np.array(test.classes)}
    for name in network.deployed:
        kept = dict(best[name])
        network.load_state(name, kept.pop("weights"))
        images = read(test, name)
        answers, truth = answer(name, images).cpu(), images.truth().cpu()
        scores[name] = {**task.scores(answers, truth, test.classes), **kept}
        predictions[f"{name}_{task.kept}"] = answers.numpy()
        predictions[f"{name}_labels"] = truth.numpy()
        predictions[f"{name}_ids"] = np.array(images.ids.tolist())
    with atomic_file(run_dir / "predictions.npz") as part, open(part, "wb") as file:
        np.savez_compressed(file, **predictions)
    return scores
