"""Many runs side by side, on this machine or a Dask cluster. A run is its folder, so the same call
trains what is missing."""

import logging
import os
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import chdir, contextmanager
from functools import lru_cache, partial
from multiprocessing import parent_process
from pathlib import Path
from typing import NamedTuple

from joblib import Parallel, cpu_count, delayed, parallel_config
from tqdm.auto import tqdm

from discom import hardware, methods
from discom.data import MultiModalData, load
from discom.errors import DiscomError, RunError, first_line, install_hint, say_warnings_once
from discom.running.fit import fit
from discom.running.runs import Result, Run

Outcome = tuple[Path, str]  # a folder, and the error of what failed there
SHOW = say_warnings_once()  # of a worker


class Done(NamedTuple):
    """Results in the order of the runs, and folder → error of those that failed."""

    results: list[Result]
    failed: dict[Path, str]


def missing(runs: Iterable[Run], known: Iterable[Result] = ()) -> tuple[list[Run], list[Result]]:
    """The runs that have to be trained, teachers before their students, and the results that are
    there: in their folders, or among `known` results, whatever code of discom made these; of a
    person's own method it must be today's. A student that is trained needs no teacher. A
    DiscomError where a result is damaged."""
    stored, found = {result.hash: result for result in known}, list[Result]()
    teachers, absent = dict[Path, Run](), dict[Path, Run]()
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
        absent[run.folder] = run
        if run.teacher and not (run.teacher.folder / "result.json").exists():
            teachers[run.teacher.folder] = run.teacher
    return list((teachers | absent).values()), found


def sweep(
    runs: Iterable[Run], *, known: Iterable[Result] = (), workers: int = 0, backend: str = "loky"
) -> Done:
    """Train what is missing, and first the teachers that it needs; a run that fails stops no other.
    `known` results are taken where a run's folder has none. For the workers see `spread`."""
    runs, known, failed = list(runs), list(known), dict[Path, str]()
    absent, _ = missing(runs, known)
    untaught = [run for run in absent if run.teacher is None]  # teachers among them
    taught = [run for run in absent if run.teacher]
    for name, now in (("runs without a teacher", untaught), ("runs with a teacher", taught)):
        jobs = [partial(_attempt, run, os.getcwd(), number_of(workers)) for run in now]
        ended = spread(jobs, workers, backend)
        progress = tqdm(ended, name, len(jobs), leave=False, disable=not jobs)
        failed |= {folder: error for folder, error in progress if error}
    return Done(missing(runs, known)[1], failed)


def results(runs: Iterable[Run], *, workers: int = 0) -> list[Result]:
    """The results of all runs, in their order; a RunError of the first one that failed."""
    done = sweep(runs, workers=workers)
    if done.failed:
        raise RunError(next(iter(done.failed.values())))
    return done.results


def train(run: Run, images: MultiModalData, *, progress: bool = False) -> Result:
    """Train a run, whose teacher must be done, or read its result; a RunError where data or code
    have changed since it was planned, and what `fit` raises."""
    if images.origin_at(*run.parts) != run.origin:
        raise RunError(run.folder, f"planned with other data than {run.source}", "plan it again")
    if methods.code(methods.get(run.method)) != run.asked["code"]:  # a worker imported it edited
        raise RunError(run.folder, f"{run.method} was edited after it was planned", "plan it again")
    split, teacher = images.split(*run.parts), run.teacher.folder if run.teacher else None
    return fit(run.method, split, run.config, run.folder, teacher=teacher, progress=progress)


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


def _attempt(run: Run, folder: str, workers: int) -> Outcome:
    """Train a run from within `folder`, as one of so many workers; what went wrong is returned, not
    raised. Where the input did not cause it, the run's folder keeps the traceback."""
    hardware.workers, trace = workers, Path(folder) / run.folder / "traceback.txt"
    if parent_process():  # of a worker: else the caller's way of showing them stays
        warnings.showwarning = SHOW
        logging.disable(logging.CRITICAL)
    try:
        with chdir(folder):
            origin = run.origin
            images = _load(run.source, run.modalities, origin.drawn, origin.content)
            train(run, images)
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
def _load(source: str, modalities: str | None, drawn: int | None, content: str) -> MultiModalData:
    """Read once for many runs; a folder whose content has changed is read again."""
    return load(source, modalities, drawn)
