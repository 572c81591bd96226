"""Many runs side by side. A run is its folder, so the same call trains what is missing, also where
several machines that share the folder make it at the same time."""

import os
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager, nullcontext
from functools import lru_cache, partial
from multiprocessing import parent_process, resource_tracker
from pathlib import Path
from typing import NamedTuple

import torch
from joblib import Parallel, cpu_count, delayed, parallel_config
from tqdm.auto import tqdm

from discom import methods
from discom.data import MultiModalData, Split, load
from discom.errors import BusyError, ConfigError, DiscomError, RunError, first_line, say_warning
from discom.hardware import share
from discom.running.checkpoint import stoppable
from discom.running.runs import Result, Run
from discom.running.training import fit

PATIENCE = 2.0  # seconds until runs that another process trains are tried again
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
    after: Callable[[Path, Split], object] | None = None,
    progress: bool = True,
) -> Done:
    """Train what is missing, teachers first; a run that fails stops no other.

    Args:
        runs: the wanted runs, each of which says where its data are; their teachers are added.
        known: results that are taken where a run's folder has none, such as of a committed file.
        workers: see `worker_count`. They train on one thread each, but a single one is this process
            itself.
        after: called with the folder and the split of each run that was trained, where it was.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    runs, known, workers = list(runs), list(known), worker_count(workers)
    absent, done = missing(runs, known)
    unfinished, failed = {run.folder for run in absent} | set(done.failed), done.failed
    bar = tqdm(total=len(absent), desc="runs", unit="run", disable=not progress)
    with stoppable("the sweep"), bar:
        for students in (False, True):
            jobs: dict[Path, Job] = {}
            for run in absent:
                teacher = run.teacher.folder if run.teacher else None
                if (teacher in unfinished) != students:
                    continue
                if teacher in failed:
                    failed[run.folder] = f"{run.folder}: not trained, because its teacher failed"
                    continue
                jobs[run.folder] = partial(_attempt, run, os.getcwd(), after)
            for folder, error in do_all(jobs, workers):
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


def do_all(jobs: Mapping[Path, Job], n_jobs: int) -> Iterator[Outcome]:
    """Do jobs in `n_jobs` processes of one thread; yields what each returns, its key and an error.

    A job with a BusyError is done again later. Where a worker is killed, the jobs at work are lost:
    they are done again one at a time, and one that is lost alone is given up.
    """
    pending, alone = list(jobs), 0
    while pending:
        batch, alone, busy = pending[:1] if alone else pending[:], max(0, alone - 1), 0
        try:
            for key, error in _spread([jobs[key] for key in batch], n_jobs):
                if isinstance(error, BusyError):
                    busy += 1
                else:
                    pending.remove(key)
                    yield key, error
        except Exception as error:  # of joblib: jobs return theirs
            alone = n_jobs
            if len(batch) == 1:
                pending.remove(batch[0])
                found = f"its worker was lost ({first_line(error)})"
                yield batch[0], RunError(batch[0], found, "try fewer workers")
        if busy == len(batch):
            time.sleep(PATIENCE)


def _spread(jobs: list[Job], n_jobs: int) -> Iterator[Outcome]:
    """What jobs return. Ctrl-C reaches this process alone, which ends the others."""
    calls = [partial(share, n_jobs, job) for job in jobs] if n_jobs > 1 else jobs
    warnings.filterwarnings("ignore", r"\d+ tasks which were still being processed")  # by Ctrl-C
    # idle workers end soon, since nobody else ends those of a killed sweep
    loky = {"backend": "loky", "inner_max_num_threads": 1, "idle_worker_timeout": 5}
    how = {"return_as": "generator_unordered", "batch_size": 1}
    with parallel_config(**loky), _without_ctrl_c() if os.name == "posix" else nullcontext():
        return Parallel(n_jobs, **how)(delayed(call)() for call in calls)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes that are started here inherit that Ctrl-C is blocked."""
    resource_tracker.ensure_running()  # before, since its start lifts the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _attempt(run: Run, folder: str, after: Callable[[Path, Split], object] | None) -> Outcome:
    """Train a run from within `folder`; what went wrong is returned, not raised."""
    if parent_process():
        warnings.showwarning = say_warning
    try:
        with chdir(folder):
            train(run)
            if after:
                after(run.folder, _load_of(run).split(*run.parts))
    except BusyError as error:
        return run.folder, error
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
