"""Many runs: what is missing is trained, what fails is listed, nothing is done twice.

A run is its folder, so a sweep has no state of its own: killed and started again it finds what is done, and two sweeps
on one folder of runs share the work, because each run is locked by whoever trains it.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import torch
from tqdm.auto import tqdm

from discom import methods
from discom.data import Batches, MultiModalData
from discom.errors import BusyError, RunError
from discom.experiments import label
from discom.resuming import stoppable
from discom.runs import Result, Run
from discom.sweep.engines import Local, Ray
from discom.sweep.jobs import Source

__all__ = ["estimate", "missing", "sweep"]

PATIENCE = 2.0  # seconds until a run that another process trains is looked at again


def missing(runs: Iterable[Run], *, recompute: bool = False) -> tuple[list[Run], dict[Path, str]]:
    """What has to be trained, teachers before their students and each run once; and folder → error of damaged results.

    Args:
        runs: what is wanted.
        recompute: whether damaged results are trained again instead of being refused.
    """
    absent, damaged = {}, {}
    for run in runs:
        for needed in (run.teacher, run) if isinstance(run.teacher, Run) else (run,):
            file = needed.folder / "result.json"
            try:
                Result.read(file)
            except RunError as error:
                if file.exists() and not recompute:
                    damaged[needed.folder] = str(error)
                else:
                    absent.setdefault(needed.folder, needed)
    return list(absent.values()), damaged


def estimate(runs: Iterable[Run], data: MultiModalData, steps: int = 3) -> float:
    """Seconds that training `runs` on this machine takes, by and large, from a few steps of `student` timed now.

    A step's time is taken to go with the number of trained parameters and with the views that a batch has; of dense
    prediction, `single` is timed.
    """
    runs = list(runs)
    if not runs:
        return 0.0
    config = replace(runs[0].config, options={})
    part = data.split(seed=config.seed).train
    device = "cuda" if torch.cuda.is_available() and config.accelerator != "cpu" else "cpu"
    sizes: dict[str, int] = {}
    with torch.random.fork_rng():
        for run in runs:
            if _arm(run) not in sizes:
                model = methods.build(methods.get(run.method), part, run.config)
                sizes[_arm(run)] = _size(model) * (1 + model.strong_view)
        dense = methods.get(runs[0].method).dense
        student = methods.build(methods.Single if dense else methods.Student, part, config).to(device)
    batches, seconds = Batches(part, config.batch_size, 0, device=device, dense=dense), []
    for _, batch in zip(range(steps + 1), batches.epoch(0), strict=False):
        started = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=config.precision != "32-true"):
            loss = student.loss(batch)["cl"]
        loss.backward()
        seconds.append(time.perf_counter() - started + 0 * loss.item())
    work = sum(sizes[_arm(run)] * run.config.epochs for run in runs)
    return min(seconds) * len(batches) * work / _size(student)


def _arm(run: Run) -> str:
    return label(run.method, run.config.options)


def _size(model) -> int:
    return sum(p.numel() for p in model.parameters())


def sweep(
    runs: Iterable[Run],
    source: Source | Callable[[Run], Source],
    engine: Local | Ray,
    *,
    recompute: bool = False,
    progress: bool = True,
) -> dict[Path, str]:
    """Train all that is missing; a run that fails does not stop the others.

    Args:
        runs: what is wanted; their teachers are added.
        source: the data, or a function that gives the data of a run where they differ.
        engine: trains `engine.workers` runs side by side.
        recompute: train damaged results again.
        progress: whether a progress bar is shown.

    Returns:
        Folder → error, of the runs that failed or whose result is damaged; empty when all went well.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    waiting, failed = missing(runs, recompute=recompute)
    under_way: dict[Path, Run] = {}
    not_before: dict[Path, float] = {}  # when a run that another process trains may be tried again
    bar = tqdm(total=len(waiting), desc="runs", unit="run", disable=not progress)
    with stoppable("the sweep"), bar, engine:
        while waiting or under_way:
            _give_up(waiting, failed, bar)
            open_folders = {*under_way, *(run.folder for run in waiting)}
            ready = [run for run in waiting if run.teacher_folder not in open_folders
                     and not_before.get(run.folder, 0.0) <= time.monotonic()]  # fmt: skip
            for run in ready[: engine.workers - len(under_way)]:
                waiting.remove(run)
                under_way[run.folder] = run
                engine.submit(run, source(run) if callable(source) else source, recompute)
            if not under_way:
                time.sleep(min(PATIENCE, 0.1 * len(waiting)))
            for folder, error in engine.finished(PATIENCE) if under_way else ():
                run = under_way.pop(folder)
                if isinstance(error, BusyError):
                    waiting.append(run)
                    not_before[folder] = time.monotonic() + PATIENCE
                    continue
                if error is not None:
                    failed[folder] = str(error)
                    bar.write(f"failed: {error}")
                bar.update()
    return failed


def _give_up(waiting: list[Run], failed: dict[Path, str], bar: tqdm) -> None:
    """Fail the students whose teacher failed."""
    for run in [run for run in waiting if run.teacher_folder in failed]:
        waiting.remove(run)
        failed[run.folder] = f"{run.folder}: not trained, because its teacher failed"
        bar.update()
