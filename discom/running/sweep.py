"""Many runs side by side, on this machine or a Dask cluster. A run is its folder, so the same call
trains what is missing."""

import logging
import os
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import chdir, contextmanager
from functools import lru_cache, partial
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, NamedTuple

from joblib import Parallel, cpu_count, delayed, parallel_config
from tqdm.auto import tqdm

from discom import hardware, methods
from discom.data import MultiModalData, Split, load
from discom.errors import (
    ConfigError,
    DiscomError,
    OutOfTime,
    RunError,
    first_line,
    install_hint,
    say_warnings_once,
    watched,
)
from discom.methods import Method
from discom.running.fit import fit
from discom.running.runs import Result, Run, check_divided

Outcome = tuple[Path, str]  # a folder, and the error of what failed there
SHOW = say_warnings_once()  # of a worker


class Done(NamedTuple):
    """Results in the order of the runs; folder → error of those that failed; and the runs that are
    left, which were stopped or did not begin."""

    results: list[Result]
    failed: dict[Path, str]
    left: list[Run]


def missing(runs: Iterable[Run], known: Iterable[Result] = ()) -> tuple[list[Run], list[Result]]:
    """The runs that have to be trained, a teacher before its first student, and the results that
    are there: in their folders, or among `known` results, whatever code of discom made these; of a
    person's own method it must be today's. A student that is trained needs no teacher. A
    DiscomError where a result is damaged."""
    stored, found = {result.hash: result for result in known}, list[Result]()
    absent = dict[Path, Run]()
    for run in runs:
        file, result = run.folder / "result.json", stored.get(run.hash)
        own = not methods.get(run.method).__module__.startswith("discom.")
        if file.exists():
            result = Result.read(file)
        elif result and own and result.code != run.asked["code"]:
            result = None
        if result:
            found.append(result)
            continue
        if run.teacher and not (run.teacher.folder / "result.json").exists():
            absent.setdefault(run.teacher.folder, run.teacher)
        absent.setdefault(run.folder, run)
    return list(absent.values()), found


def of_other_code(runs: Iterable[Run], known: Iterable[Result]) -> int:
    """How many of the known results are taken, their run having no folder, though other code made
    them than today's, or code that is not known."""
    stored = {result.hash: result for result in known}
    taken = [run for run in runs if run.hash in stored]
    taken = [run for run in taken if not (run.folder / "result.json").exists()]
    return sum(stored[run.hash].code != run.asked["code"] for run in taken)


def sweep(
    runs: Iterable[Run],
    *,
    known: Iterable[Result] = (),
    workers: int = 0,
    backend: str = "loky",
    until: float | None = None,
    keep_weights: Callable[[Run], bool] = lambda run: True,
    on_run: Callable[[Run, str], object] | None = None,
    on_epoch: Callable[[Run, int, Method], object] | None = None,
    progress: bool = True,
) -> Done:
    """Train what is missing: seed 0 of every row before seed 1 of any, and a teacher before its
    students. A run that fails stops no other.

    Args:
        known: results that are taken where a run's folder has none.
        workers, backend: see `spread`.
        until: a moment as of `time.time()`, after which no run begins; a run that trains then stops
            with its checkpoint at the end of an epoch. The same call goes on.
        keep_weights: says of a run whether it keeps its weights, see `fit`; teachers keep theirs.
        on_run: called with each run that has ended, and what failed, or "".
        on_epoch: called with the run, its epochs done and its networks, as `fit` does; it needs a
            single worker, which is this process.
        progress: whether a bar is drawn, where somebody looks.

    Raises:
        ConfigError: `on_epoch` beside several workers.
        RunError: a worker was killed.
    """
    runs, known, failed = list(runs), list(known), dict[Path, str]()
    if on_epoch and number_of(workers) > 1:
        found = f"{number_of(workers)} workers are processes of their own"
        raise ConfigError("on_epoch", found, "set workers=1")
    absent = missing(runs, known)[0]
    place = {run.folder: run for run in absent}
    teachers = {run.teacher.folder for run in runs if run.teacher}
    shown = progress and watched()
    with tqdm(total=len(absent), desc="runs", leave=False, disable=not shown) as bar:
        for stage in _stages(absent):
            jobs = [
                partial(
                    _attempt,
                    run,
                    os.getcwd(),
                    number_of(workers),
                    until=until,
                    keep_weights=run.folder in teachers or keep_weights(run),
                    on_epoch_end=on_epoch and partial(on_epoch, run),
                )
                for run in stage
            ]
            for folder, error in spread(jobs, workers, backend):
                bar.update()
                failed |= {folder: error} if error else {}
                if on_run and (error or (folder / "result.json").exists()):
                    on_run(place[folder], error)
    left, results = missing(runs, known)
    return Done(results, failed, [run for run in left if run.folder not in failed])


def _stages(runs: Iterable[Run]) -> list[list[Run]]:
    """The runs by seed, in stages that train side by side: a student's begins when its teacher's
    has ended."""
    stages: list[list[Run]] = [[]]
    for run in sorted(runs, key=lambda run: run.config.seed):
        if run.teacher and run.teacher.folder in {other.folder for other in stages[-1]}:
            stages.append([])
        stages[-1].append(run)
    return stages


def results(runs: Iterable[Run], *, workers: int = 0) -> list[Result]:
    """The results of all runs, in their order; a RunError of the first one that failed."""
    done = sweep(runs, workers=workers)
    if done.failed:
        raise RunError(next(iter(done.failed.values())))
    return done.results


def train(run: Run, split: Split, **options: Any) -> Result:
    """Train a run on its split, with its teacher's run done, or read its result; `options` are
    those of `fit`. A RunError where data or code have changed since it was planned, and what `fit`
    raises."""
    check_divided(split)
    if split.origin != run.origin:
        raise RunError(run.folder, f"planned with other data than {run.source}", "plan it again")
    if methods.code(methods.get(run.method)) != run.asked["code"]:  # a worker imported it edited
        found = f"{run.method} was edited after it was planned, or a program set a value it reads"
        raise RunError(run.folder, found, "plan it again, and give such a value as an option")
    teacher = run.teacher.folder if run.teacher else None
    return fit(run.method, split, run.config, run.folder, teacher=teacher, **options)


def number_of(workers: int = 0) -> int:
    """So many workers, or for 0 one for each core, or one on a GPU."""
    return workers or (cpu_count() if hardware.device().type == "cpu" else 1)


def spread(
    jobs: Iterable[Callable[[], Outcome]], workers: int = 0, backend: str = "loky"
) -> Iterator[Outcome]:
    """What jobs return, as they end, in `workers` processes of one thread each, by default
    `number_of` them; a single one is this process. They are joblib's, or with
    backend="dask" those of the Dask cluster at DASK_SCHEDULER_ADDRESS, by default one that starts
    here. A RunError where a worker is killed; the same call goes on."""
    if not (jobs := list(jobs)):
        return
    workers = number_of(workers)
    try:
        # idle workers end soon, since nobody else ends those of a killed sweep
        here = {"n_jobs": workers, "inner_max_num_threads": 1, "idle_worker_timeout": 5}
        with _dask(workers) if backend == "dask" else parallel_config(backend, **here):
            how = {"return_as": "generator_unordered", "batch_size": 1}
            yield from Parallel(**how)(delayed(job)() for job in jobs)
    except Exception as error:  # of joblib or Dask: jobs return theirs
        way_out = "the same command goes on; fewer workers need less memory"
        if isinstance(error, ImportError):
            way_out = install_hint("cluster")
        raise RunError(f"{backend} workers", first_line(error), way_out) from None


@contextmanager
def _dask(workers: int) -> Iterator[None]:
    import dask
    from dask.distributed import Client

    here = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with (
        Client(**({} if dask.config.get("scheduler-address", None) else here)),
        parallel_config("dask", n_jobs=-1),
    ):
        yield


def _attempt(
    run: Run, folder: str, workers: int, *, until: float | None = None, **options: Any
) -> Outcome:
    """Train a run from within `folder`, as one of so many workers, unless the time is over; what
    went wrong is returned, not raised. Where the input did not cause it, the run's folder keeps the
    traceback."""
    if until is not None and time.time() > until:
        return run.folder, ""
    hardware.workers, trace = workers, Path(folder) / run.folder / "traceback.txt"
    if parent_process():  # of a worker: else the caller's way of showing them stays
        warnings.showwarning = SHOW
        logging.disable(logging.CRITICAL)
    try:
        with chdir(folder):
            where = run.source, run.modalities, run.origin.drawn, run.origin.content
            train(run, _split(*where, run.parts), progress=False, until=until, **options)
    except OutOfTime:
        return run.folder, ""
    except (DiscomError, OSError) as error:
        return run.folder, f"{run.folder}: {first_line(error).removeprefix(f'{run.folder}: ')}"
    except Exception as error:  # a sweep outlives whatever a run runs into
        trace.parent.mkdir(parents=True, exist_ok=True)
        trace.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        found = f"{type(error).__name__}: {first_line(error)}"
        return run.folder, f"{run.folder}: {found}; see {trace.name} there"
    trace.unlink(missing_ok=True)
    return run.folder, ""


@lru_cache(maxsize=2)
def _split(
    source: str, modalities: str | None, drawn: int | None, content: str, parts: tuple
) -> Split:
    """Divided, and bounds fitted, once for many runs; see `_load`."""
    return _load(source, modalities, drawn, content).split(*parts)


@lru_cache(maxsize=2)
def _load(source: str, modalities: str | None, drawn: int | None, content: str) -> MultiModalData:
    """Read once for many runs; a folder whose content has changed is read again."""
    return load(source, modalities, drawn)
