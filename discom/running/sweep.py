"""Many runs side by side, in processes of this machine or on a Ray cluster. A run is its folder,
so the same call trains what is missing."""

import os
import signal
import socket
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager, nullcontext
from functools import lru_cache, partial
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import torch
from joblib import Parallel, cpu_count, delayed, parallel_config
from tqdm.auto import tqdm

from discom.data import MultiModalData, at_seed, load
from discom.errors import (
    BusyError,
    ConfigError,
    DiscomError,
    RunError,
    check_choice,
    first_line,
    install_hint,
)
from discom.hardware import share
from discom.running.checkpoint import stoppable
from discom.running.runs import Result, Run
from discom.running.training import fit

PATIENCE = 2.0  # seconds until runs that another process trains are tried again
Outcome = tuple[Path, DiscomError | None]
Job = Callable[[], Outcome]


def missing(runs: Iterable[Run]) -> tuple[list[Run], dict[Path, str]]:
    """The runs that have to be trained, teachers before their students, and folder → error of those
    whose result is damaged, or of a default that has changed since: a run's hash holds only what is
    not the default. A student that is trained needs no teacher."""
    needed: dict[Path, Run] = {}
    for run in runs:
        if run.teacher and not (run.folder / "result.json").exists():
            needed.setdefault(run.teacher.folder, run.teacher)
        needed.setdefault(run.folder, run)
    absent, damaged = [], {}
    for folder, run in needed.items():
        file = folder / "result.json"
        if not file.exists():
            absent.append(run)
            continue
        try:
            trained = Result.read(file).config["options"]
        except DiscomError as error:
            damaged[folder] = str(error)
            continue
        if changed := _first_change(trained, run.config.options):
            damaged[folder] = f"{folder}: had another default, {changed}; delete its folder"
    return absent, damaged


def _first_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The first option, or weight, that differs, as text; nothing where all agree."""
    old, new = ({**every, **every.get("weights", {})} for every in (old, new))
    both = [name for name in new if name in old and name != "weights"]  # others are newer options
    names = [name for name in both if old[name] != new[name]]
    return f"{names[0]}={old[names[0]]} and not {new[names[0]]}" if names else ""


def sweep(
    runs: Iterable[Run],
    data: str | Callable[[Run], str],
    *,
    modalities: str | None = None,
    engine: str = "local",
    workers: int = 0,
    address: str | None = None,
    progress: bool = True,
) -> dict[Path, str]:
    """Train what is missing, teachers first; a run that fails stops no other.

    Args:
        runs: the wanted runs; their teachers are added.
        data: what `data.load` takes, with `modalities`; or a function that says so for each run.
            Each run takes it `data.at_seed` its own.
        engine, workers, address: see `worker_count`. Workers train on one thread each, but a single
            local one is this process itself. A cluster's nodes must all see this folder.

    Returns:
        Folder → error of the runs that failed, or whose result is damaged.

    Raises:
        ConfigError: Ray is not installed or not at the address; a flag that `worker_count` refuses.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    workers = worker_count(engine, workers, address)
    absent, failed = missing(runs)
    unfinished = {run.folder for run in absent} | set(failed)
    bar = tqdm(total=len(absent), desc="runs", unit="run", disable=not progress)
    with stoppable("the sweep"), bar:
        for taught in (False, True):
            jobs: dict[Path, Job] = {}
            for run in [run for run in absent if (run.teacher_folder in unfinished) == taught]:
                if run.teacher_folder in failed:
                    failed[run.folder] = f"{run.folder}: not trained, because its teacher failed"
                    continue
                place = data(run) if callable(data) else data
                jobs[run.folder] = partial(_attempt, run, place, modalities, os.getcwd())
            pool = _ray_pool(workers, address) if engine == "ray" and jobs else {"n_jobs": workers}
            for folder, error in do_all(jobs, **pool):
                bar.update()
                if error is not None:
                    failed[folder] = str(error)
                    bar.write(f"failed: {error}")
    return failed


def train(run: Run, data: str, modalities: str | None = None, *, progress: bool = False) -> Result:
    """Train a run, whose teacher must be done, on what `data.load` reads `data.at_seed` its own; or
    read its result.

    Raises:
        RunError: the data have changed since the run was planned, and what `fit` raises.
    """
    data = at_seed(data, run.config.seed)
    images = _load(data, modalities, run.fingerprint)
    if images.fingerprint != run.fingerprint:
        raise RunError(f"{run.folder}: planned with other data than '{data}'; plan it again")
    split, teacher = images.split(seed=run.config.seed), run.teacher_folder
    return fit(run.method, split, run.config, run.folder, teacher=teacher, progress=progress)


def worker_count(engine: str = "local", workers: int = 0, address: str | None = None) -> int:
    """How many runs train side by side; 0 where the cluster decides. Nothing is started.

    Args:
        engine: local, or ray.
        workers: 0 means one for each core, or for each GPU of a cluster; one on a local GPU.
        address: of a Ray cluster, such as ray://head:10001 or auto; this machine by default.
    """
    check_choice("engine", engine, ("local", "ray"))
    if workers < 0:
        raise ConfigError(f"workers: {workers} is below 0; use 0 for the engine's choice")
    if engine == "local" and address:
        raise ConfigError(f"address: '{address}' has no effect on engine=local; use engine=ray")
    return workers or (0 if engine == "ray" else 1 if torch.cuda.is_available() else cpu_count())


def do_all(jobs: Mapping[Path, Job], n_jobs: int, **pool: Any) -> Iterator[Outcome]:
    """Do jobs as `spread` does; yields what each returns, its key and an error.

    A job with a BusyError is done again later. Where a worker is killed, the jobs at work are lost:
    they are done again one at a time, and one that is lost alone is given up.
    """
    pending, alone = list(jobs), 0
    while pending:
        batch, alone, busy = pending[:1] if alone else pending[:], max(0, alone - 1), 0
        try:
            for key, error in spread([jobs[key] for key in batch], n_jobs, **pool):
                if isinstance(error, BusyError):
                    busy += 1
                else:
                    pending.remove(key)
                    yield key, error
        except Exception as error:  # of joblib or Ray: jobs return theirs
            alone = n_jobs
            if len(batch) == 1:
                pending.remove(batch[0])
                reason = f"its worker was lost ({first_line(error)}); try fewer workers"
                yield batch[0], RunError(f"{batch[0]}: {reason}")
        if busy == len(batch):
            time.sleep(PATIENCE)


def spread(
    calls: Iterable[Callable[[], Any]],
    n_jobs: int,
    return_as: str = "generator_unordered",
    beside: int = 0,
    **backend: Any,
) -> Iterable[Any]:
    """What calls return from `n_jobs` processes of one thread, of which `beside` (all by default)
    share the memory of a machine. Ctrl-C reaches this process alone, which ends the others."""
    starts_here = not backend and os.name == "posix"
    # idle workers end soon, since nobody else ends those of a killed sweep
    backend = backend or {"backend": "loky", "inner_max_num_threads": 1, "idle_worker_timeout": 5}
    warnings.filterwarnings("ignore", r"\d+ tasks which were still being processed")  # by Ctrl-C
    if n_jobs > 1:
        calls = [partial(share, beside or n_jobs, call) for call in calls]
    with parallel_config(**backend), _without_ctrl_c() if starts_here else nullcontext():
        parallel = Parallel(n_jobs, return_as=return_as, batch_size=1)
        return parallel(delayed(call)() for call in calls)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes that are started here inherit that Ctrl-C is blocked."""
    resource_tracker.ensure_running()  # before, since its start lifts the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ray_pool(workers: int, address: str | None) -> dict[str, Any]:
    """Reach a Ray cluster; what `do_all` needs."""
    try:
        import ray
        from ray.util.joblib import register_ray

        host, colon, port = (address or "").rpartition("://")[2].rpartition(":")
        if colon:  # Ray itself would wait for minutes
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
        ray.init(address, ignore_reinit_error=True)
    except ImportError:
        raise ConfigError(f"engine: ray is not installed; {install_hint('ray')}") from None
    except (OSError, ValueError) as error:
        reason = f"cannot be reached ({first_line(error)}); check that the cluster is up"
        raise ConfigError(f"address: '{address}' {reason}") from None
    register_ray()
    cores, gpus = (int(ray.cluster_resources().get(kind, 0)) for kind in ("CPU", "GPU"))
    workers = max(1, min(cores, workers or gpus or cores))  # Ray refuses more than it has cores
    needs = {"num_gpus": min(1, gpus / workers)}
    pool = {"n_jobs": workers, "backend": "ray", "return_as": "list", "ray_remote_args": needs}
    return {**pool, "beside": -(-workers // (gpus or len(ray.nodes())))}


def _attempt(run: Run, data: str, modalities: str | None, folder: str) -> Outcome:
    """Train a run from within `folder`; what went wrong is returned, not raised."""
    try:
        with chdir(folder):
            train(run, data, modalities)
    except BusyError as error:
        return run.folder, error
    except Exception as error:  # a sweep outlives whatever a run runs into
        text = first_line(error)
        if not isinstance(error, DiscomError):
            text = f"{type(error).__name__}: {text}"
        return run.folder, RunError(text if str(run.folder) in text else f"{run.folder}: {text}")
    return run.folder, None


@lru_cache(maxsize=2)
def _load(data: str, modalities: str | None, fingerprint: str) -> MultiModalData:
    """Read once for many runs; a folder whose content has changed is read again."""
    return load(data, modalities)
