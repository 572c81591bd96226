"""Many runs side by side: in processes of this machine, or on a Ray cluster.

A run is its folder, so a sweep has no state of its own. After a kill the same call trains what is
missing, and two sweeps on one folder of runs share the work: a run is locked while it is trained.
"""

import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, suppress
from dataclasses import replace
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import torch
from joblib import Parallel, cpu_count, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm.auto import tqdm

from discom import methods
from discom.checkpoint import stoppable
from discom.config import Config
from discom.data import Batches, MultiModalData, load
from discom.errors import BusyError, ConfigError, DiscomError, RunError, first_line
from discom.machine import device_type
from discom.runs import Result, Run
from discom.training import fit

__all__ = ["arm", "cell_runs", "cells", "do_all", "estimate", "missing", "sweep", "train",
           "worker_count"]  # fmt: skip

PATIENCE = 2.0  # seconds until runs that another process trains are tried again
DIALS = {  # the arguments of synthetic scenes that stand in a data set's name
    "scenes": ("shared", "spurious", "spurious_in", "labelled", "labelled_in", "unpaired"),
    "scenes-dense": ("noise", "labelled", "degraded", "degraded_in"),
}
Outcome = tuple[Path, DiscomError | None]
Job = Callable[[], Outcome]


def missing(runs: Iterable[Run], *, recompute: bool = False) -> tuple[list[Run], dict[Path, str]]:
    """The runs that have to be trained, teachers before their students, and folder → error of the
    damaged ones, which are trained again with `recompute`."""
    needed: dict[Path, Run] = {}
    for run in runs:
        for each in (run.teacher, run) if isinstance(run.teacher, Run) else (run,):
            needed.setdefault(each.folder, each)
    absent, damaged = [], {}
    for folder, run in needed.items():
        try:
            Result.read(folder / "result.json")
        except RunError as error:
            if recompute or not (folder / "result.json").exists():
                absent.append(run)
            else:
                damaged[folder] = str(error)
    return absent, damaged


def sweep(
    runs: Iterable[Run],
    data: str | Callable[[Run], str],
    *,
    modalities: str | None = None,
    engine: str = "local",
    workers: int = 0,
    address: str | None = None,
    recompute: bool = False,
    progress: bool = True,
) -> dict[Path, str]:
    """Train what is missing, teachers first; a run that fails stops no other.

    Args:
        runs: the wanted runs; their teachers are added.
        data: what `data.load` takes, with `modalities`; or a function that says so for each run.
        engine, workers, address: see `worker_count`. Workers train on one thread each, but a single
            local one is this process itself. A cluster's nodes must all see this folder.
        recompute: train damaged results again.
        progress: whether a progress bar is shown.

    Returns:
        Folder → error of the runs that failed; empty when all went well.

    Raises:
        ConfigError: Ray is not installed or not at the address; a flag that `worker_count` refuses.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    workers = worker_count(engine, workers, address)
    absent, failed = missing(runs, recompute=recompute)
    awaited = {run.folder for run in absent} | set(failed)
    bar = tqdm(total=len(absent), desc="runs", unit="run", disable=not progress)
    with stoppable("the sweep"), bar:
        for waits in (False, True):
            on_ray = engine == "ray" and absent  # a cluster may have lost nodes since
            pool = _connect(workers, address) if on_ray else {"workers": workers}
            jobs: dict[Path, Job] = {}
            for run in [run for run in absent if (run.teacher_folder in awaited) == waits]:
                place = data(run) if callable(data) else data
                jobs[run.folder] = partial(_attempt, run, place, modalities, recompute, os.getcwd())
                if run.teacher_folder in failed:
                    failed[run.folder] = f"{run.folder}: not trained, because its teacher failed"
                    del jobs[run.folder]
            for folder, error in do_all(jobs, **pool):
                bar.update()
                if error is not None:
                    failed[folder] = str(error)
                    bar.write(f"failed: {error}")
    return failed


def train(run: Run, data: str, modalities: str | None = None, **options: Any) -> Result:
    """Train a run, whose teacher must be done, on what `data.load` reads; or read its result.

    `options` are `recompute` and `progress` of `fit`, both false by default.

    Raises:
        RunError: the data have changed since the run was planned, and what `fit` raises.
    """
    images = _load(data, modalities, run.fingerprint)
    if images.fingerprint != run.fingerprint:
        raise RunError(f"{run.folder}: planned with other data than '{data}'; plan it again")
    options = {"teacher": run.teacher_folder, "progress": False, **options}
    split = images.split(seed=run.config.seed)
    return fit(run.method, split, run.config, run.folder, **options)


def estimate(runs: Sequence[Run], data: MultiModalData) -> float:
    """Seconds that one worker needs, roughly: three steps of the plain student are timed now, and
    a run is taken to cost in proportion to its parameters, views and epochs."""
    if not runs:
        return 0.0
    part, config = data.split(seed=0).train, replace(runs[0].config, options={})
    dense, device = methods.get(runs[0].method).dense, device_type(config.accelerator)
    student = methods.build(methods.Single if dense else methods.Student, part, config).to(device)
    batches, seconds = Batches(part, config.batch_size, 0, device=device, dense=dense), []
    for _, batch in zip(range(4), batches.epoch(0), strict=False):
        started = time.perf_counter()
        loss = student.loss(batch)["cl"]
        loss.backward()
        seconds.append(time.perf_counter() - started + 0 * loss.item())  # waits for a GPU
    sizes: dict[str, int] = {}
    for run in runs:
        if (key := f"{run.method} {run.config.options}") not in sizes:
            model = methods.build(methods.get(run.method), part, run.config)
            sizes[key] = _size(model) * (2 if model.strong_view else 1)
    work = sum(run.config.epochs * sizes[f"{run.method} {run.config.options}"] for run in runs)
    return min(seconds) * len(batches) * work / _size(student)


def worker_count(engine: str = "local", workers: int = 0, address: str | None = None) -> int:
    """How many runs train side by side; 0 where the cluster decides. Nothing is started.

    Args:
        engine: local, or ray.
        workers: 0 means one for each core, or one where this machine has a GPU; on a cluster one
            for each of its GPUs, or of its cores where it has none, and two at least.
        address: of a Ray cluster, such as ray://head:10001 or auto; this machine by default.

    Raises:
        ConfigError: an unknown engine, workers below 0, an address without Ray.
    """
    if engine not in ("local", "ray"):
        raise ConfigError(f"engine: '{engine}' is unknown; choose local or ray")
    if workers < 0:
        raise ConfigError(f"workers: {workers} is below 0; 0 lets the engine choose")
    if engine == "local" and address:
        raise ConfigError(f"address: '{address}' is of no use to engine=local; use engine=ray")
    return workers or (0 if engine == "ray" else 1 if torch.cuda.is_available() else cpu_count())


def do_all(
    jobs: Mapping[Path, Job],
    workers: int,
    lost: type[Exception] | tuple[type[Exception], ...] = TerminatedWorkerError,
    return_as: str = "generator_unordered",
    **backend: Any,
) -> Iterator[Outcome]:
    """Do jobs in `workers` processes of one thread; yields what each returns, its key and an error.

    A job with a BusyError is done again later. Where a process is killed, joblib loses all jobs at
    work; they are done again one at a time, and one that is killed alone is given up.
    """
    # idle workers end soon, since nobody else ends those of a killed sweep
    local = {"backend": "loky", "inner_max_num_threads": 1, "idle_worker_timeout": 5}
    pending, alone = list(jobs), 0
    while pending:
        with parallel_config(**(backend or local)):
            parallel = Parallel(workers, return_as=return_as, batch_size=1, pre_dispatch="all")
        batch, alone = pending[:1] if alone else pending[:], max(0, alone - 1)
        busy = 0
        try:
            for key, error in parallel(delayed(jobs[key])() for key in batch):
                if isinstance(error, BusyError):
                    busy += 1
                else:
                    pending.remove(key)
                    yield key, error
        except lost:
            alone = workers
            if len(batch) == 1:
                pending.remove(batch[0])
                yield batch[0], RunError(f"{batch[0]}: its process was killed (out of memory?)")
        if busy == len(batch):
            time.sleep(PATIENCE)


def _connect(workers: int, address: str | None) -> dict[str, Any]:
    """Reach a Ray cluster; what `do_all` has to know of it."""
    if address is None:  # our own cluster needs no password, and reports nothing
        os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    try:
        import ray
        from ray.util.joblib import register_ray

        host, colon, port = (address or "").rpartition("://")[2].rpartition(":")
        if colon:  # Ray itself would wait for minutes
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        dashboard = None if address else False
        ray.init(address, include_dashboard=dashboard, ignore_reinit_error=True, **quiet)
    except ImportError:
        raise ConfigError("engine: ray is not installed; pip install 'discom[ray]'") from None
    except (OSError, ValueError) as error:
        way_out = "check that the cluster is up and its port open, or leave the address out"
        raise ConfigError(
            f"address: '{address}' cannot be reached ({first_line(error)}); {way_out}"
        ) from None
    register_ray()
    cores, gpus = (ray.cluster_resources().get(kind, 0) for kind in ("CPU", "GPU"))
    # Ray refuses more workers than cores; joblib does the work of a single one in this process
    workers = max(1, min(int(cores), max(2, workers or int(gpus or cores))))
    share = {"num_cpus": min(1, cores / workers), "num_gpus": min(1, gpus / workers)}
    pool = {"workers": workers, "backend": "ray", "ray_remote_args": share}
    return {**pool, "lost": (ray.exceptions.RayError, ValueError), "return_as": "list"}


def _attempt(run: Run, data: str, modalities: str | None, recompute: bool, folder: str) -> Outcome:
    """Train a run from within `folder`; what went wrong is returned, not raised."""
    try:
        with chdir(folder):
            with suppress(RunError):
                Result.read(run.folder / "result.json")
                return run.folder, None  # another sweep was quicker
            train(run, data, modalities, recompute=recompute)
    except BusyError as error:
        return run.folder, error
    except Exception as error:  # a sweep outlives whatever a run runs into
        ours = isinstance(error, DiscomError)
        text = str(error) if ours else f"{type(error).__name__}: {first_line(error)}"
        named = text if str(run.folder) in text else f"{run.folder}: {text}"
        return run.folder, RunError(named)
    return run.folder, None


@lru_cache(maxsize=2)
def _load(data: str, modalities: str | None, fingerprint: str) -> MultiModalData:
    """Read once for many runs; a folder whose content has changed is read again."""
    return load(data, modalities)


def _size(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def arm(text: str) -> tuple[str, dict[str, Any]]:
    """A method and its options from one word; terms of its loss are options like any other.

    >>> arm("discom:pairing=paired;adv=0")
    ('discom', {'pairing': 'paired', 'weights': {'adv': 0}})
    """
    name, _, rest = text.strip().partition(":")
    terms = methods.get(name).terms
    options: dict[str, Any] = {}
    for item in filter(None, rest.split(";")):
        key, equals, value = item.partition("=")
        if not equals:
            raise ConfigError(
                f"methods: '{item}' in '{text}' is no option; write e.g. discom:pairing=paired"
            )
        target = options.setdefault("weights", {}) if key in terms else options
        target[key] = value
        with suppress(ValueError):
            target[key] = json.loads(value)
    return name, options


def cells(data: str, dials: Mapping[str, Sequence[Any]], seeds: int) -> list[str]:
    """The data sets of a grid: every combination of the dials' values, drawn with every seed.

    >>> cells("scenes:n=99", {"shared": [0, 1]}, 1)
    ['scenes:n=99,shared=0,seed=0', 'scenes:n=99,shared=1,seed=0']

    Raises:
        ConfigError: data without dials, an unknown dial, or one without values.
    """
    name, _, given = data.partition(":")
    if name not in DIALS:
        raise ConfigError(f"data: '{data}' has no dials; use scenes, or discom table for the data")
    known = ", ".join(DIALS[name])
    if not isinstance(dials, Mapping) or set(dials) - set(DIALS[name]):
        raise ConfigError(f"dials: {dials} are not values of {known}")
    for dial, values in dials.items():
        if not isinstance(values, list | tuple) or not values:
            raise ConfigError(f"dials: {dial} needs a list of values, such as [0, 0.5, 1]")
    places = []
    for seed, values in product(range(seeds), product(*dials.values())):
        turned = [f"{dial}={value}" for dial, value in zip(dials, values, strict=True)]
        places.append(f"{name}:{','.join(filter(None, [given, *turned, f'seed={seed}']))}")
    return places


def cell_runs(
    cell: str,
    arms: Sequence[tuple[str, dict[str, Any]]],
    runs: Path | str,
    config: Callable[[int, dict[str, Any]], Config],
) -> list[Run]:
    """A run of each arm on one of `cells`, with the seed that the cell is drawn with; `config`
    makes the settings from the seed and the arm's options."""
    seed, data = int(cell.rpartition("seed=")[2]), load(cell)
    return [Run.of(runs, methods.get(name), data, config(seed, options)) for name, options in arms]
