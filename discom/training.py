"""fit(): one loop, readable from top to bottom, for every method."""

import csv
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from safetensors.torch import load_file, save_file
from torch.utils.tensorboard import SummaryWriter
from tqdm.auto import tqdm

from discom import methods
from discom.config import Config
from discom.data import Batches, MultiModalData, Split
from discom.data.batches import Images
from discom.errors import Interrupted, RunError, first_line
from discom.evaluation import predict_logits, scores, weighted_f1
from discom.machine import machine, peak_memory
from discom.methods import build
from discom.runs import Result, claim, identity, locked, weights_file
from discom.storage import atomic_file, write_json
from discom.teaching import check_teacher, load_teacher, soft_labels

__all__ = ["fit", "stoppable"]

# Fabric's line on what Config says already; importing lightning gives its messages this logger
logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)

STATE_SHARE = 0.05  # of the training time that may go into writing states to resume from


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
    """Train `method` and test it once; a run that is done is read, one that was cut off goes on where it stopped.

    Every epoch: train on the training part, score the validation part, keep each modality's weights if its weighted F1
    is the best so far. At the end those weights are read back and the test part is scored.

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
        RunError: the folder holds another run, a damaged result, or cannot be written; the teacher is for another data
            set, split or number of classes; a loss is NaN or infinite (the term, epoch and batch are named).
        BusyError: another process trains this run.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    method = methods.get(method) if isinstance(method, str) else method
    run_dir, teacher = Path(run_dir), Path(teacher) if teacher is not None else None
    with torch.random.fork_rng(), stoppable(run_dir):
        settings = check_teacher(teacher, method, split, config)
        model = build(method, split.train, config)  # first, so that settings that do not fit leave no folder behind
    with torch.random.fork_rng(), stoppable(run_dir), locked(run_dir):
        wanted = identity(method, split, config, teacher)
        claim(run_dir, wanted)
        if found := _finished(run_dir, recompute):
            return found
        taught_by = None if teacher is None else load_teacher(teacher, split, settings)
        fabric = Fabric(accelerator=config.accelerator, devices=1, precision=config.precision)
        parameters = {name: sum(p.numel() for p in model.branch(name).parameters()) for name in model.deployed}
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        model = model.to(memory_format=layout)
        optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
        batches = _batches(fabric, model, split, config, layout, taught_by)
        schedule = _schedule(optimizer, config, len(batches))
        model, optimizer = fabric.setup(model, optimizer)
        state = _State(run_dir, model.module, optimizer, schedule, fabric.device)
        logits = partial(_logits, fabric, model.module, layout)
        held_out = {name: Images(split.valid, name, fabric.device) for name in model.deployed}
        bar = tqdm(total=config.epochs, initial=state.epoch, desc=f"{method.name} seed {config.seed}", unit="epoch",
                   disable=not progress, leave=False)  # fmt: skip
        with _Log(run_dir, state.epoch) as log, bar:
            for epoch in range(state.epoch, config.epochs):
                started = time.perf_counter()
                torch.manual_seed(config.seed * 1_000_003 + epoch)  # whatever draws at random draws the same again
                means = _train_epoch(fabric, model, optimizer, schedule, batches, epoch)
                valid = {k: weighted_f1(logits(k, x), x.labels.to(fabric.device)).item() for k, x in held_out.items()}
                for name, f1 in valid.items():
                    if f1 > state.best.get(name, {"valid_f1": -1.0})["valid_f1"]:
                        state.best[name] = {"valid_f1": f1, "best_epoch": epoch}
                        _save_weights(run_dir, model.module, name)
                state.seconds += time.perf_counter() - started
                log.write(epoch, {"seconds": state.seconds, **means, **{f"valid_f1/{k}": v for k, v in valid.items()}})
                state.epoch_done(epoch)
                bar.set_postfix({k: f"{v:.2f}" for k, v in {"loss": means["loss"], **valid}.items()}, refresh=False)
                bar.update()
        test = _test(model.module, logits, split.test, run_dir, fabric.device)
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
            machine=machine(fabric.device),
            counts={part: len(data) for part, data in zip(Split._fields, split, strict=True)},
            classes=len(split.train.classes),
            teacher=wanted.get("teacher"),
        )
        write_json(run_dir / "result.json", result.to_json())
        state.path.unlink(missing_ok=True)
        return result


def _batches(fabric, model, split: Split, config: Config, layout, teacher: methods.Teacher | None) -> Batches:
    """The training part's batches, with the teacher's logits if there is a teacher."""
    soft = None
    if teacher is not None:
        with fabric.autocast():
            augment, strong = config.augment > 0, model.strong_view
            soft = soft_labels(teacher.to(fabric.device), split, augment=augment, strong=strong)
    pairing = "paired" if model.paired else "unpaired"
    return Batches(split.train, config.batch_size, config.seed, pairing=pairing, augment=config.augment,
                   device=fabric.device, memory_format=layout, soft=soft, strong=model.strong_view)  # fmt: skip


def _finished(run_dir: Path, recompute: bool) -> Result | None:
    """The result of a run that is done; None if it is not, or if it is damaged and to be trained again."""
    file = run_dir / "result.json"
    try:
        return Result.read(file) if file.exists() else None
    except RunError:
        if not recompute:
            raise
        file.unlink()
        return None


def _train_epoch(fabric, model, optimizer, schedule, batches, epoch) -> dict[str, float]:
    """One pass over the training part; returns the mean of every term, of the total, and the last learning rate."""
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
    names, held = [*terms, "loss"], torch.stack(losses).cpu()
    _refuse_nonfinite(held, names, epoch)
    return {"learning_rate": rate, **dict(zip(names, held.mean(0).tolist(), strict=True))}


def _refuse_nonfinite(losses: torch.Tensor, names: list[str], epoch: int) -> None:
    bad = (~losses.isfinite()).nonzero()
    if len(bad):
        step, term = bad[0].tolist()
        raise RunError(
            f"loss term '{names[term]}' is {losses[step, term].item()} in epoch {epoch}, batch {step};"
            " lower learning_rate, or use precision 32-true"
        )


@torch.inference_mode()
def _logits(fabric, model, layout, name: str, images: Images) -> torch.Tensor:
    model.eval()
    with fabric.autocast():
        return predict_logits(partial(model.predict, name), images, memory_format=layout)


def _test(model, logits, test: MultiModalData, run_dir: Path, device) -> dict[str, dict[str, float]]:
    """Each deployed network with its best weights on the test part, which is read here and nowhere else."""
    results, arrays = {}, {}
    for name in model.deployed:
        model.load_state(name, load_file(weights_file(run_dir, name), device=str(device)))
        images = Images(test, name, device)
        found = logits(name, images).cpu()
        results[name] = scores(found, images.labels)
        ids = np.asarray(images.ids)
        arrays |= {f"{name}_logits": found.numpy(), f"{name}_labels": images.labels.numpy(),
                   f"{name}_ids": ids.astype(str) if ids.dtype == object else ids}  # fmt: skip
    with atomic_file(run_dir / "predictions.npz") as part, open(part, "wb") as file:
        np.savez(file, classes=np.array(test.classes), **arrays)
    return results


def _save_weights(run_dir: Path, model: methods.Method, name: str) -> None:
    tensors = {key: value.contiguous().cpu() for key, value in model.state(name).items()}
    with atomic_file(weights_file(run_dir, name)) as part:
        save_file(tensors, part)


def _schedule(optimizer, config: Config, steps: int):
    if config.schedule == "one-cycle":
        # OneCycleLR wants three steps at least; a shorter run simply ends before the cycle does
        total = max(3, config.epochs * steps)
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=total + 1)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


@contextmanager
def stoppable(what: Path | str) -> Iterator[None]:
    """Turn SIGTERM into what Ctrl-C does, and either into an Interrupted that says how to go on."""

    def stop(number, frame):
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if main else None
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"{what}: interrupted; the same command goes on from the last saved epoch") from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


class _State:
    """Where to resume: networks, optimizer, schedule and best scores after an epoch, in one file."""

    def __init__(self, run_dir: Path, model, optimizer, schedule, device: torch.device):
        self.path = run_dir / "state.pt"
        self.parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
        self.epoch, self.seconds, self.best, self.writing = 0, 0.0, {}, 0.0
        if self.path.exists():
            saved = self._read(device)
            for name, part in self.parts.items():
                part.load_state_dict(saved[name])
            self.epoch, self.seconds, self.best = saved["epoch"], saved["seconds"], saved["best"]

    def _read(self, device: torch.device) -> dict[str, Any]:
        try:
            return torch.load(self.path, map_location=device, weights_only=True)
        except Exception as error:  # whatever is wrong with the file, the way out is the same
            reason = first_line(error)
            raise RunError(f"{self.path}: cannot be resumed from ({reason}); delete it to start anew") from None

    def epoch_done(self, epoch: int) -> None:
        """Write the state, unless writing has taken more than its share of the time."""
        self.epoch = epoch + 1
        if self.writing > STATE_SHARE * self.seconds:
            return
        started = time.perf_counter()
        saved = {name: part.state_dict() for name, part in self.parts.items()}
        with atomic_file(self.path) as part:
            torch.save({**saved, "epoch": self.epoch, "seconds": self.seconds, "best": self.best}, part)
        self.writing += time.perf_counter() - started


class _Log:
    """metrics.csv and TensorBoard events, one row an epoch; rows past the state that is resumed from are dropped."""

    def __init__(self, run_dir: Path, epoch: int):
        self.path, self.rows = run_dir / "metrics.csv", []
        if self.path.exists():
            with open(self.path, newline="", encoding="utf-8") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["epoch"]) < epoch]
        self.board = SummaryWriter(str(run_dir / "tensorboard"), purge_step=epoch)

    def write(self, epoch: int, values: dict[str, float]) -> None:
        self.rows.append({"epoch": epoch, **values})
        with atomic_file(self.path) as part, open(part, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, fieldnames=list(self.rows[-1]))
            table.writeheader()
            table.writerows(self.rows)
        for name, value in values.items():
            self.board.add_scalar(name, value, epoch)

    def __enter__(self) -> "_Log":
        return self

    def __exit__(self, *error) -> None:
        self.board.close()
