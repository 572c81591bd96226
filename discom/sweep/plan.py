"""Many runs: what is missing is trained, what fails is listed, nothing is done twice.

A run is its folder, so a sweep has no state of its own: killed and started again it finds what is
done, and two sweeps on one folder of runs share the work, because each run is locked by whoever
trains it.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from tqdm.auto import tqdm

from discom import methods
from discom.checkpoint import stoppable
from discom.data import Batches, MultiModalData
from discom.errors import RunError
from discom.machine import device_type
from discom.methods import label
from discom.runs import Result, Run
from discom.sweep.engines import Local, Ray
from discom.sweep.jobs import Source, Training
from discom.sweep.queue import JobQueue

__all__ = ["estimate", "forecast", "missing", "sweep"]


def missing(runs: Iterable[Run], *, recompute: bool = False) -> tuple[list[Run], dict[Path, str]]:
    """What has to be trained, teachers before their students and each run once; and folder → error
    of damaged results.

    Args:
        runs: what is wanted.
        recompute: whether damaged results are trained again instead of being refused.
    """
    needed: dict[Path, Run] = {}
    for run in runs:
        for each in (run.teacher, run) if isinstance(run.teacher, Run) else (run,):
            needed.setdefault(each.folder, each)
    absent, damaged = [], {}
    for folder, run in needed.items():
        file = folder / "result.json"
        try:
            Result.read(file)
        except RunError as error:
            if file.exists() and not recompute:
                damaged[folder] = str(error)
            else:
                absent.append(run)
    return absent, damaged


def estimate(
    runs: Iterable[Run], data: MultiModalData, steps: int = 3, threads: int | None = None
) -> float:
    """Seconds that one worker needs for `runs`, by and large, from a few steps of `student` timed
    now on this machine.

    A step's time is taken to go with the number of trained parameters and with the views that a
    batch has; of dense prediction, `single` is timed.

    Args:
        runs: what has to be trained.
        data: theirs.
        steps: how many are timed, after a first one.
        threads: of the worker; by default those of this process.
    """
    runs = list(runs)
    if not runs:
        return 0.0
    config = replace(runs[0].config, options={})
    part = data.split(seed=config.seed).train
    device = device_type(config.accelerator)
    sizes: dict[str, int] = {}
    with torch.random.fork_rng():
        for run in runs:
            if _arm(run) not in sizes:
                model = methods.build(methods.get(run.method), part, run.config)
                sizes[_arm(run)] = _size(model) * (1 + model.strong_view)
        dense = methods.get(runs[0].method).dense
        student = methods.build(methods.Single if dense else methods.Student, part, config).to(
            device
        )
    batches, seconds = Batches(part, config.batch_size, 0, device=device, dense=dense), []
    with _threads(threads):
        for _, batch in zip(range(steps + 1), batches.epoch(0), strict=False):
            started = time.perf_counter()
            with torch.autocast(device, torch.bfloat16, enabled=config.precision != "32-true"):
                loss = student.loss(batch)["cl"]
            loss.backward()
            seconds.append(time.perf_counter() - started + 0 * loss.item())
    work = sum(sizes[_arm(run)] * run.config.epochs for run in runs)
    return min(seconds) * len(batches) * work / _size(student)


def forecast(runs: Iterable[Run], data: MultiModalData, engine: Local | Ray) -> str:
    """What `estimate` comes to in core-hours (or GPU-hours), and how long it takes the engine's
    workers, in words.

    Every worker is taken to have cores, or a GPU, of its own like those of this machine; an engine
    that does not know its number of workers yet is taken to have one.
    """
    runs, workers = list(runs), engine.workers or 1
    seconds = estimate(runs, data, threads=engine.threads)
    unit, each = (
        ("GPU", 1)
        if runs and device_type(runs[0].config.accelerator) == "cuda"
        else ("core", engine.threads)
    )
    work, wall = seconds * each / 3600, seconds / max(1, min(workers, len(runs)))
    total = f"{work:.2g}" if work < 10 else f"{work:.0f}"
    lasts = f"{wall / 60:.0f} minutes" if wall < 7200 else f"{wall / 3600:.0f} hours"
    who = f"{workers} worker{'s' * (workers > 1)} of {each} {unit}{'s' * (each > 1)} like this machine's"
    return f"some {total} {unit}-hours, {lasts} with {who}"


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """As many threads as a worker will have."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
        Folder → error, of the runs that failed or whose result is damaged; empty when all went
        well.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    absent, failed = missing(runs, recompute=recompute)
    queue = JobQueue(engine)
    pupils: dict[Path, list[int]] = defaultdict(
        list
    )  # teacher's folder → places of those that wait for it
    awaited = {run.folder for run in absent} | set(failed)

    def add(place: int) -> None:
        run = absent[place]
        queue.add(place, Training(run, source(run) if callable(source) else source, recompute))

    for place, run in enumerate(absent):
        if run.teacher_folder in awaited:
            pupils[run.teacher_folder].append(place)
        else:
            add(place)
    bar = tqdm(total=len(absent), desc="runs", unit="run", disable=not progress)
    with stoppable("the sweep"), bar, engine:
        for folder in list(failed):
            _give_up(pupils.pop(folder, ()), absent, failed, bar)
        for place, error in queue:
            folder = absent[place].folder
            bar.update()
            if error is None:
                for pupil in pupils.pop(folder, ()):
                    add(pupil)
            else:
                failed[folder] = str(error)
                bar.write(f"failed: {error}")
                _give_up(pupils.pop(folder, ()), absent, failed, bar)
    return failed


def _give_up(places: Iterable[int], absent: list[Run], failed: dict[Path, str], bar: tqdm) -> None:
    """Fail the students whose teacher failed."""
    for folder in (absent[place].folder for place in places):
        failed[folder] = f"{folder}: not trained, because its teacher failed"
        bar.update()
