"""fit(): one loop, readable from top to bottom, for every method."""

import time
from collections.abc import Callable, Mapping
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
from discom.config import Config
from discom.data import Batches, MultiModalData, Split
from discom.data.batches import ModalityTensor
from discom.data.checks import UNLABELLED
from discom.errors import RunError
from discom.evaluation.scores import predict_logits, task_of
from discom.files import atomic_file, write_json
from discom.hardware import check_agreement, launch, machine, on_rank_zero, peak_memory
from discom.methods import Method, build
from discom.running.checkpoint import Checkpoint, forget, stoppable
from discom.running.runs import Result, identity, locked, samples_of, write_identity
from discom.running.teaching import load_teacher, teach


def fit(
    method: str | type[Method],
    split: Split,
    config: Config,
    run_dir: Path | str,
    *,
    teacher: Path | str | None = None,
    progress: bool = True,
    watch: Callable[[int, Method], object] | None = None,
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
        progress: show a progress bar.
        watch: called in the first process with the epochs done and the networks, at the start (of a
            resumed run, too) and after each epoch; it calls `eval()`, looks and changes nothing.

    Raises:
        ConfigError: settings that do not fit the method, the data or the machine.
        RunError: the folder holds another run, or cannot be written; the teacher is for other data;
            a loss is NaN or infinite.
        DataError: a damaged result.
        BusyError: another process trains this run.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    method = methods.get(method) if isinstance(method, str) else method
    run_dir, teacher = Path(run_dir), Path(teacher) if teacher is not None else None
    with torch.random.fork_rng(), stoppable(run_dir), ExitStack() as stack:
        # before there is a folder: the settings may not fit
        done = (run_dir / "result.json").exists()
        instructor = None if done else load_teacher(teacher, method, split, config)
        network: Any = build(method, split.train, config)
        fabric = launch(config.accelerator, config.devices, config.precision)
        run = identity(method, split, config, teacher)
        check_agreement(fabric, {"seed": config.seed, **run})
        if result := on_rank_zero(fabric, partial(_open, stack, run_dir, run)):
            return result

        # the identity of split and samples is that with all labels
        samples = samples_of(split)
        split = split._replace(train=split.train.keep_labels(config.labelled, config.seed))
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        network = network.to(memory_format=layout)
        if config.devices > 1 and fabric.device.type == "cuda":
            network = torch.nn.SyncBatchNorm.convert_sync_batchnorm(network)
        batches = _batches(network, split.train, config, fabric, layout)
        optimizer, schedule = _optimizer(network, config, len(batches))
        model, optimizer = fabric.setup(network, optimizer)
        parts = {"model": network, "optimizer": optimizer, "schedule": schedule}
        state = Checkpoint(run_dir, **parts, adversary=network.adversary_optimizer)
        check_agreement(fabric, {"epoch": state.epoch})
        scoring = _Scoring(network, split, fabric, layout)
        started = time.perf_counter()
        if instructor is not None:
            augmented = config.augment > 0
            batches.soft = teach(instructor, network, split, fabric, augment=augmented)
        if state.epoch == 0:
            state.seconds = time.perf_counter() - started

        weights = network.weights
        epochs, silent = range(state.epoch, config.epochs), not progress or fabric.global_rank > 0
        watch = watch if fabric.global_rank == 0 else None
        if watch:
            watch(state.epoch, network)
        for epoch in tqdm(epochs, method.name, leave=False, disable=silent):
            started = time.perf_counter()
            torch.manual_seed(config.seed * 1_000_003 + epoch)  # a resumed run draws the same
            model.train()
            losses = []
            for batch in batches.epoch(epoch):
                rate = schedule.get_last_lr()[0]
                network.set_rate(rate)
                terms = model(batch)  # name → unweighted scalar
                loss = sum(weights[name] * term for name, term in terms.items() if weights[name])
                optimizer.zero_grad()
                fabric.backward(loss)
                optimizer.step()
                schedule.step()
                losses.append(torch.stack([*terms.values(), loss]).detach())
            means = _means(fabric, losses, [*terms, "loss"], epoch)

            if fabric.global_rank == 0:  # the first process scores and writes for all
                scores = scoring.validate()
                state.keep_best(scoring.metric, scores, network, epoch)
                state.seconds += time.perf_counter() - started
                row = {f"valid_{scoring.metric}/{name}": score for name, score in scores.items()}
                rates = {"seconds": state.seconds, "learning_rate": rate}
                state.save(epoch, {**rates, **means, **row})
                if watch:
                    watch(epoch + 1, network)

        def report() -> Result:
            state.write_weights()
            used = {"devices": config.devices, "precision": fabric.strategy.precision.precision}
            result = Result(
                method=method.name,
                data=split.train.name,
                seed=config.seed,
                hash=run_dir.name.partition("-")[2] or run_dir.name,
                scores=scoring.test(state.best, run_dir),
                parameters={name: _size(network.branch(name)) for name in network.deployed},
                seconds=state.seconds,
                pairs_per_second=batches.count * config.epochs / state.seconds,
                peak_memory_mb=peak_memory(fabric.device),
                config={**config.identity(), "options": method.options(config.options)},
                machine={**machine(fabric.device), **used},
                counts=_counts(split),
                classes=len(split.train.classes),
                teacher=run.get("teacher"),
                metric=scoring.metric,
                samples=samples,
            )
            write_json(run_dir / "result.json", result.to_json())
            forget(run_dir)
            return result

        return on_rank_zero(fabric, report)


def _open(stack: ExitStack, run_dir: Path, run: dict) -> Result | None:
    """Lock the folder until `stack` ends, and claim it; the result if the run is done."""
    stack.enter_context(locked(run_dir))
    write_identity(run_dir, run)
    file = run_dir / "result.json"
    if not file.exists():
        return None
    result = Result.read(file)
    forget(run_dir)  # in case a kill came between the result and this
    return result


def _batches(network: Any, data: MultiModalData, config: Config, fabric: Fabric, layout) -> Batches:
    """Batches of the training part, as the method wants them."""
    return Batches(
        data,
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
        unlabelled=any(network.weights[term] for term in network.unlabelled),
        rank=fabric.global_rank,
        world=fabric.world_size,
    )


def _optimizer(network: Method, config: Config, steps: int):
    """AdamW and its schedule for epochs of so many steps."""
    rate, decay = config.learning_rate, config.weight_decay
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=decay, fused=True)
    schedules = torch.optim.lr_scheduler
    if config.schedule == "constant":
        return optimizer, schedules.ConstantLR(optimizer, factor=1.0)
    total = max(3, config.epochs * steps) + 1  # OneCycleLR wants three at least
    return optimizer, schedules.OneCycleLR(optimizer, rate, total, cycle_momentum=False)


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


class _Scoring:
    """What a run's networks score: on the validation part, which stays in memory, and on the test
    part, which is read when it is asked for and nowhere else."""

    def __init__(self, network: Any, split: Split, fabric: Fabric, layout: torch.memory_format):
        self.network, self.test_part, self.fabric, self.layout = network, split.test, fabric, layout
        self.task, self.classes = task_of(network), split.train.classes
        self.metric = self.task.metric
        self.valid = {name: self._images(split.valid, name) for name in network.deployed}

    def validate(self) -> dict[str, float]:
        """Network → its score on the validation part."""
        scores = {}
        for name, images in self.valid.items():
            every = self.task.scores(self._answer(name, images), images.truth(), self.classes)
            scores[name] = every[self.metric]
        return scores

    def test(self, best: Mapping[str, Mapping], run_dir: Path) -> dict[str, dict[str, float]]:
        """Network → the scores of its best weights on the test part; writes predictions.npz."""
        scores = {}
        predictions: dict[str, Any] = {"classes": np.array(self.classes)}
        for name in self.network.deployed:
            kept = dict(best[name])
            self.network.load_state(name, kept.pop("weights"))
            images = self._images(self.test_part, name)
            answers, truth = self._answer(name, images).cpu(), images.truth().cpu()
            scores[name] = {**self.task.scores(answers, truth, self.classes), **kept}
            predictions[f"{name}_{self.task.kept}"] = answers.numpy()
            predictions[f"{name}_labels"] = truth.numpy()
            predictions[f"{name}_ids"] = np.array(images.ids.tolist())
        with atomic_file(run_dir / "predictions.npz") as part, open(part, "wb") as file:
            np.savez_compressed(file, **predictions)
        return scores

    def _images(self, part: MultiModalData, name: str) -> ModalityTensor:
        return ModalityTensor(part, name, self.fabric.device, dense=self.network.dense)

    @torch.inference_mode()
    def _answer(self, name: str, images: ModalityTensor) -> Tensor:
        """What one network predicts for `images`, in the form that its task scores."""
        self.network.eval()
        predict, task = partial(self.network.predict, name), self.task
        with self.fabric.autocast():
            return predict_logits(predict, images, task.batch_size, self.layout, task.keep)


def _counts(split: Split) -> dict[str, int]:
    """Samples of each part, and those of the training part with a label."""
    parts = {part: len(data) for part, data in split._asdict().items()}
    return {**parts, "labelled": int((split.train.labels != UNLABELLED).sum())}


def _size(network: torch.nn.Module) -> int:
    """How many parameters it has."""
    return sum(weight.numel() for weight in network.parameters())
