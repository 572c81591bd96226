"""fit(): one loop, readable from top to bottom, for every method."""

import logging
import time
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from tqdm.auto import tqdm

from discom import devices, methods, shares
from discom.checkpoint import Log, State, forget, stoppable
from discom.config import Config
from discom.data import Batches, MultiModalData, Split
from discom.data.batches import Images
from discom.errors import RunError
from discom.evaluation import Task, predict_logits, task_of
from discom.files import atomic_file, write_json
from discom.machine import machine, peak_memory
from discom.methods import build
from discom.models import as_products
from discom.runs import Result, claim, identity, locked, weights_file
from discom.teaching import check_teacher, load_teacher, teach

__all__ = ["fit"]

# Fabric's line on what Config says already; importing lightning gives its messages this logger
logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)


def fit(
    method: str | type[methods.Method],
    split: Split,
    config: Config,
    run_dir: Path | str,
    *,
    teacher: Path | str | None = None,
    progress: bool = True,
    recompute: bool = False,
) -> Result:
    """Train `method` and test it once; a run that is done is read, one that was cut off goes on
    where it stopped.

    Every epoch: train on the training part, score the validation part, keep each modality's weights
    if its score (weighted F1, or mean IoU of a dense method) is the best so far. At the end those
    weights are read back and the test part is scored. With `config.devices` above 1 every process
    runs this same loop on a share of each batch; the first one writes, and all return the result.

    Args:
        method: a registered name, or a Method class.
        split: the three parts of a MultiModalData.
        config: the settings; seed, epochs and the rest.
        run_dir: folder of this run alone.
        teacher: for a method that is taught, the folder of its teacher's finished run.
        progress: whether a progress bar is shown.
        recompute: train again where a result is there but damaged, instead of refusing it.

    Returns:
        The Result, which is also `run_dir`/result.json.

    Raises:
        RunError: the folder holds another run, a damaged result, or cannot be written; the teacher
            is for another data set, split or number of classes; a loss is NaN or infinite (the
            term, epoch and batch are named); another process of the run has ended or does not
            answer.
        BusyError: another process trains this run.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    method = methods.get(method) if isinstance(method, str) else method
    task, classes = task_of(method), len(split.train.classes)
    run_dir, teacher = Path(run_dir), Path(teacher) if teacher is not None else None
    with torch.random.fork_rng(), stoppable(run_dir):
        settings = check_teacher(teacher, method, split, config)
        model = build(
            method, split.train, config
        )  # first, so that settings that do not fit leave no folder behind
    with (
        torch.random.fork_rng(),
        stoppable(run_dir),
        devices.together(run_dir, config),
        ExitStack() as held,
    ):
        fabric, wanted = devices.start(config), identity(method, split, config, teacher)
        if found := shares.from_first(partial(_open, held, run_dir, wanted, recompute)):
            return found
        taught_by = (
            load_teacher(teacher, split, settings, method=method.teacher_method)
            if teacher
            else None
        )
        parameters = {
            name: sum(p.numel() for p in model.branch(name).parameters()) for name in model.deployed
        }
        model, layout = _laid_out(shares.share_statistics(model), config, fabric.device)
        optimizer = _optimizer(model, config)
        batches, answering = _batches(fabric, model, split, config, layout, taught_by)
        schedule = _schedule(optimizer, config, len(batches))
        model, optimizer = fabric.setup(model, optimizer)
        state = _resumed(State(run_dir, model.module, optimizer, schedule))
        state.seconds += answering if state.epoch == 0 else 0.0
        answers = partial(_answers, fabric, model.module, task, layout)
        held_out = {
            name: Images(split.valid, name, fabric.device, dense=method.dense)
            for name in model.deployed
        }
        bar = tqdm(total=config.epochs, initial=state.epoch, desc=f"{method.name} seed {config.seed}", unit="epoch",
                   disable=not progress or shares.rank() > 0, leave=False)  # fmt: skip
        with bar, Log(run_dir, state) if shares.rank() == 0 else nullcontext() as log:
            for epoch in range(state.epoch, config.epochs):
                started = time.perf_counter()
                torch.manual_seed(
                    config.seed * 1_000_003 + epoch
                )  # whatever draws at random draws the same again
                means = _train_epoch(fabric, model, optimizer, schedule, batches, epoch)
                valid = {
                    k: task.select(answers(k, x), x.truth(), classes).item()
                    for k, x in held_out.items()
                }
                _keep_best(state, run_dir, model.module, task.metric, valid, epoch)
                state.seconds += time.perf_counter() - started
                if log:  # the first of several processes writes for all
                    scored = {f"valid_{task.metric}/{name}": score for name, score in valid.items()}
                    log.write(epoch, {"seconds": state.seconds, **means, **scored})
                    state.epoch_done(epoch)
                bar.set_postfix(
                    {k: f"{v:.2f}" for k, v in {"loss": means["loss"], **valid}.items()},
                    refresh=False,
                )
                bar.update()
        fabric.barrier()  # until the best weights are written
        test, arrays = _test(model.module, task, answers, split.test, run_dir, fabric.device)
        result = Result(
            method=method.name,
            data=split.train.name,
            seed=config.seed,
            hash=run_dir.name.partition("-")[2] or run_dir.name,
            scores={name: {**test[name], **state.best[name]} for name in test},
            parameters=parameters,
            seconds=state.seconds,
            pairs_per_second=batches.count * config.epochs / state.seconds,
            peak_memory_mb=peak_memory(fabric.device),
            config={**config.identity(), "options": method.options(config.options)},
            machine={**machine(fabric.device), "devices": fabric.world_size},
            counts={part: len(data) for part, data in zip(Split._fields, split, strict=True)},
            classes=classes,
            teacher=wanted.get("teacher"),
            metric=task.metric,
        )
        return shares.from_first(partial(_write, run_dir, result, arrays))


def _open(held: ExitStack, run_dir: Path, wanted: dict, recompute: bool) -> Result | None:
    """Lock the folder as long as `held` is, and claim it; the result, where the run is done."""
    held.enter_context(locked(run_dir))
    claim(run_dir, wanted)
    if found := _finished(run_dir, recompute):
        forget(run_dir)  # where a kill came between the result and this
    return found


def _resumed(state: State) -> State:
    """The state, if it is the first process's as well."""
    if shares.from_first(lambda: state.epoch) != state.epoch:
        raise RunError(
            f"{state.path}: rank {shares.rank()} reads another state here than the first process; all machines must"
            " share the folder of runs"
        )
    return state


def _keep_best(
    state: State, run_dir: Path, model, metric: str, valid: dict[str, float], epoch: int
) -> None:
    """Write the weights of every deployed network whose validation score is the best so far."""
    for name, score in valid.items():
        if score > state.best.get(name, {}).get(f"valid_{metric}", -1.0):
            state.best[name] = {f"valid_{metric}": score, "best_epoch": epoch}
            if shares.rank() == 0:
                _save_weights(run_dir, model, name)


def _batches(fabric, model, split: Split, config: Config, layout, teacher: methods.Method | None):
    """The training part's batches, and the seconds that a teacher took to answer: a part of a
    student's cost."""
    soft, started = None, time.perf_counter()
    if teacher is not None:
        soft = teach(
            teacher.to(fabric.device), model, split, fabric.autocast, augment=config.augment > 0
        )
    answering = time.perf_counter() - started if teacher is not None else 0.0
    pairing = "paired" if model.paired else "unpaired"
    batches = Batches(split.train, config.batch_size, config.seed, pairing=pairing, augment=config.augment,
                      device=fabric.device, memory_format=layout, soft=soft, strong=model.strong_view,
                      coupled=model.coupled, dense=model.dense, epochs=config.epochs, rank=shares.rank(), world=shares.world())  # fmt: skip
    return batches, answering


def _write(run_dir: Path, result: Result, arrays: dict[str, np.ndarray]) -> Result:
    """What a run leaves when it is done, the result last."""
    with atomic_file(run_dir / "predictions.npz") as part, open(part, "wb") as file:
        np.savez_compressed(file, **arrays)
    write_json(run_dir / "result.json", result.to_json())
    forget(run_dir)
    return result


def _finished(run_dir: Path, recompute: bool) -> Result | None:
    """The result of a run that is done; None if it is not, or if it is damaged and to be trained
    again."""
    file = run_dir / "result.json"
    try:
        return Result.read(file) if file.exists() else None
    except RunError:
        if not recompute:
            raise
        file.unlink()
        return None


def _train_epoch(fabric, model, optimizer, schedule, batches, epoch) -> dict[str, float]:
    """One pass over the training part; returns the mean of every term, of the total, and the last
    learning rate."""
    model.train()
    weights, losses = model.module.weights, []  # losses are read at the end: no wait in between
    for batch in batches.epoch(epoch):
        terms = model(batch)
        total = sum(weights[name] * value for name, value in terms.items() if weights[name])
        optimizer.zero_grad()
        fabric.backward(total)
        optimizer.step()
        rate = schedule.get_last_lr()[0]
        schedule.step()
        losses.append(torch.stack([*terms.values(), total]).detach())
    names, held = [*terms, "loss"], shares.everyones_mean(torch.stack(losses)).cpu()
    _refuse_nonfinite(held, names, epoch)
    return {"learning_rate": rate, **dict(zip(names, held.mean(0).tolist(), strict=True))}


def _refuse_nonfinite(losses: torch.Tensor, names: list[str], epoch: int) -> None:
    bad = (~losses.isfinite()).nonzero()
    if len(bad):
        step, term = bad[0].tolist()
        raise shares.agreed(
            RunError(
                f"loss term '{names[term]}' is {losses[step, term].item()} in epoch {epoch}, batch {step};"
                " lower learning_rate, use precision 32-true, or check the data"
            )
        )


@torch.inference_mode()
def _answers(fabric, model, task: Task, layout, name: str, images: Images) -> torch.Tensor:
    model.eval()
    with fabric.autocast():
        predict = partial(model.predict, name)
        return predict_logits(
            predict, images, task.batch_size, memory_format=layout, keep=task.keep
        )


def _test(
    model, task: Task, answers, test: MultiModalData, run_dir: Path, device
) -> tuple[dict, dict]:
    """Scores and predictions of each deployed network with its best weights on the test part, which
    is read here and nowhere else."""
    results, arrays = {}, {"classes": np.array(test.classes)}
    for name in model.deployed:
        model.load_state(name, load_file(weights_file(run_dir, name), device=str(device)))
        images = Images(test, name, device, dense=model.dense)
        found, truth = answers(name, images).cpu(), images.truth().cpu()
        results[name] = task.scores(found, truth, test.classes)
        ids = np.asarray(images.ids)
        arrays |= {f"{name}_{task.kept}": found.numpy(), f"{name}_labels": truth.numpy(),
                   f"{name}_ids": ids.astype(str) if ids.dtype == object else ids}  # fmt: skip
    return results, arrays


def _save_weights(run_dir: Path, model: methods.Method, name: str) -> None:
    tensors = {key: value.contiguous().cpu() for key, value in model.state(name).items()}
    with atomic_file(weights_file(run_dir, name)) as part:
        part.write_bytes(save(tensors))


def _laid_out(model: methods.Method, config: Config, device: torch.device):
    """The model in the form that this device is quickest with, and the memory layout of its
    images."""
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    if config.channels_last and device.type == "cpu":
        model = as_products(model)
    return model.to(memory_format=layout), layout


def _optimizer(model, config: Config):
    # fused: all weights in one pass over the memory, and on a GPU in a few launches; the numbers
    # differ by rounding
    return torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )


def _schedule(optimizer, config: Config, steps: int):
    if config.schedule == "one-cycle":
        # OneCycleLR wants three steps at least; a shorter run simply ends before the cycle does
        total = max(3, config.epochs * steps)
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, config.learning_rate, total_steps=total + 1
        )
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
