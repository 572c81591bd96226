"""Many runs side by side, on this machine or a Dask cluster. A run is its folder, so the same call
trains what is missing."""

import os
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, chdir, contextmanager
from functools import lru_cache, partial
from multiprocessing import parent_process
from pathlib import Path
from typing import NamedTuple

import torch
from joblib import Parallel, cpu_count, delayed, parallel_config
from tqdm.auto import tqdm

from discom import methods
from discom.data import MultiModalData, Split, load
from discom.errors import (
    ConfigError,
    DiscomError,
    RunError,
    check_choice,
    first_line,
    install_hint,
    say_warning,
)
from discom.running.checkpoint import GOES_ON, stoppable
from discom.running.fit import fit
from discom.running.runs import Result, Run

BACKENDS = ("loky", "dask")  # of joblib
Outcome = tuple[Path, DiscomError | None]
Job = Callable[[], Outcome]


class Done(NamedTuple):
    """What a sweep found and made: results in the order of the runs, and folder → error of those
    that failed, or whose result is damaged."""

    results: list[Result]
    failed: dict[Path, str]


def missing(runs: Iterable[Run], known: Iterable[Result] = ()) -> tuple[list[Run], Done]:
    """The runs that have to be trained, teachers before their students, and what is there: in their
    folders, or among `known` results. Damaged are results that cannot be read. A student that is
    trained needs no teacher."""
    # what Table 4 reads from the parts of a run has the run's hash, and a name of its own
    stored = {(result.method, result.hash): result for result in known}
    done, needed = Done([], {}), dict[Path, Run]()
    for run in runs:
        file = run.folder / "result.json"
        try:
            result = Result.read(file) if file.exists() else stored.get((run.method, run.hash))
        except DiscomError as error:
            done.failed[run.folder] = str(error)
            continue
        if result is None:
            if run.teacher and not (run.teacher.folder / "result.json").exists():
                needed.setdefault(run.teacher.folder, run.teacher)
            needed.setdefault(run.folder, run)
        else:
            done.results.append(result)
    return list(needed.values()), done


def sweep(
    runs: Iterable[Run],
    *,
    known: Iterable[Result] = (),
    workers: int = 0,
    backend: str = "loky",
    scheduler: str | None = None,
    after: Callable[[Path, Split], object] | None = None,
    progress: bool = True,
) -> Done:
    """Train what is missing, teachers first; a run that fails stops no other.

    Args:
        runs: the wanted runs, each of which says where its data are; their teachers are added.
        known: results that are taken where a run's folder has none, such as of a committed file.
        workers: see `worker_count`. They train on one thread each, but a single one is this process
            itself.
        backend, scheduler: see `spread`.
        after: called with the folder and the split of each run that was trained, where it was.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
        RunError: a worker was killed; the same call goes on.
    """
    runs, known, workers = list(runs), list(known), worker_count(workers)
    absent, done = missing(runs, known)
    unfinished, failed = {run.folder for run in absent} | set(done.failed), done.failed
    bar = tqdm(total=len(absent), desc="runs", unit="run", disable=not progress)
    with stoppable("the sweep"), bar:
        for students in (False, True):
            jobs: list[Job] = []
            for run in absent:
                teacher = run.teacher.folder if run.teacher else None
                if (teacher in unfinished) != students:
                    continue
                if teacher in failed:
                    failed[run.folder] = f"{run.folder}: not trained, because its teacher failed"
                    continue
                jobs.append(partial(_attempt, run, os.getcwd(), after))
            for folder, error in spread(jobs, workers, backend, scheduler) if jobs else ():
                bar.update()
                if error is not None:
                    failed[folder] = str(error)
                    bar.write(f"failed: {error}")
    return missing(runs, known)[1]._replace(failed=failed)


def train(run: Run, images: MultiModalData | None = None, *, progress: bool = False) -> Result:
    """Train a run, whose teacher must be done, on `images`, or on what it says where they are; or
    read its result.

    Raises:
        RunError: data or code have changed since the run was planned, and what `fit` raises.
    """
    if methods.code(methods.get(run.method)) != run.code:  # a worker has imported an edited file
        raise RunError(run.folder, f"{run.method} was edited after it was planned", "plan it again")
    split = (images or _load_of(run)).split(*run.parts)
    teacher = run.teacher.folder if run.teacher else None
    return fit(run.method, split, run.config, run.folder, teacher=teacher, progress=progress)


def worker_count(workers: int = 0) -> int:
    """How many runs train side by side: so many, or by default one for each core, one on a GPU."""
    if workers < 0:
        raise ConfigError("workers", f"{workers} is below 0", "use 0 for one a core")
    return workers or (1 if torch.cuda.is_available() else cpu_count())


def spread(
    jobs: Iterable[Job], workers: int, backend: str = "loky", scheduler: str | None = None
) -> Iterator[Outcome]:
    """What jobs return, as they end, in processes of one thread each.

    Args:
        workers: how many processes; one is this one.
        backend: "loky", processes here; "dask", those of a Dask cluster.
        scheduler: address of that cluster; None starts one here.

    Raises:
        ConfigError: a backend that is not there.
        RunError: a worker was killed.
    """
    check_choice("backend", backend, BACKENDS)
    with _dask(workers, scheduler) if backend == "dask" else _loky(workers):
        try:
            how = {"return_as": "generator_unordered", "batch_size": 1}
            yield from Parallel(**how)(delayed(job)() for job in jobs)
        except Exception as error:  # of joblib: jobs return theirs
            found = f"a worker was lost ({first_line(error)})"
            raise RunError(found, "", f"try fewer workers; {GOES_ON}") from None


def _loky(workers: int) -> AbstractContextManager:
    warnings.filterwarnings("ignore", r"\d+ tasks which were still being processed")  # by Ctrl-C
    # Ctrl-C is for this process, which ends the others; idle ones end soon, since nobody else ends
    # those of a killed sweep
    ignore = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
    one = {"inner_max_num_threads": 1, "idle_worker_timeout": 5}
    return parallel_config("loky", n_jobs=workers, **one, **ignore)


@contextmanager
def _dask(workers: int, scheduler: str | None) -> Iterator[None]:
    try:
        from dask.distributed import Client
    except ImportError:
        raise ConfigError("backend", "dask is not installed", install_hint("cluster")) from None
    here = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    try:
        client = Client(scheduler) if scheduler else Client(**here)
    except (OSError, ValueError) as error:
        found = f"no Dask scheduler at {scheduler} ({first_line(error)})"
        raise ConfigError("scheduler", found, "start one: dask scheduler") from None
    with client, parallel_config("dask", n_jobs=-1):
        yield


def _attempt(run: Run, folder: str, after: Callable[[Path, Split], object] | None) -> Outcome:
    """Train a run from within `folder`; what went wrong is returned, not raised."""
    if parent_process():
        warnings.showwarning = say_warning
    try:
        with chdir(folder):
            train(run)
            if after:
                after(run.folder, _load_of(run).split(*run.parts))
    except Exception as error:  # a sweep outlives whatever a run runs into
        text = first_line(error)
        if not isinstance(error, DiscomError):
            text = f"{type(error).__name__}: {text}"
        return run.folder, RunError(text if str(run.folder) in text else f"{run.folder}: {text}")
    return run.folder, None


def _load_of(run: Run) -> MultiModalData:
    """The data of a run; a RunError where they have changed since it was planned."""
    origin = run.origin
    images = _load(run.source, run.modalities, origin.drawn, origin.content)
    if images.origin_at(*run.parts) != origin:
        raise RunError(run.folder, f"planned with other data than '{run.source}'", "plan it again")
    return images


@lru_cache(maxsize=2)
def _load(source: str, modalities: str | None, drawn: int | None, content: str) -> MultiModalData:
    """Read once for many runs; a folder whose content has changed is read again."""
    return load(source, modalities, drawn)
