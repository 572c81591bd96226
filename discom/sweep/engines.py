"""Who does the jobs, such as the runs of a sweep: processes of this machine, or a Ray cluster.

An engine is a context that has `workers`, the number of jobs side by side, `threads`, of each of
them, `submit(job)`, and `finished(timeout)`, which yields the key and the error (or None) of each
job that has come to an end.
"""

import os
import socket
from collections.abc import Iterator
from multiprocessing import connection, get_context
from pathlib import Path
from typing import Any

import torch

from discom.errors import ConfigError, CrashError, DiscomError, RunError, first_line
from discom.sweep.jobs import Job

__all__ = ["Local", "Ray", "make_engine"]

Ended = tuple[Path, DiscomError | None]


class Local:
    """Processes of this machine; one that dies takes its job with it and no other.

    Args:
        workers: jobs side by side; 0 means one for each core, which on small networks is quicker
            than many cores on one run, or one alone where there is a GPU.
    """

    def __init__(self, workers: int = 0):
        cores = (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
        self.workers = workers or (1 if torch.cuda.is_available() else cores)
        self.threads = max(1, cores // self.workers)
        self.idle: list[tuple[Any, Any]] = []
        self.busy: dict[Path, tuple[Any, Any]] = {}

    def submit(self, job: Job) -> None:
        """Give a job to a process that has nothing to do, or to a new one."""
        self.idle = [idle for idle in self.idle if idle[0].is_alive()]  # what was killed meanwhile
        process, pipe = self.idle.pop() if self.idle else self._start()
        self.busy[job.key] = process, pipe
        pipe.send(job)

    def _start(self):
        context = get_context(
            "spawn"
        )  # a forked process would share torch's threads, and CUDA not at all
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self.threads), daemon=True)
        process.start()
        theirs.close()  # so that the pipe ends when the process does
        return process, ours

    def finished(self, timeout: float) -> Iterator[Ended]:
        """What has ended, after a wait of `timeout` seconds at most."""
        ready = connection.wait([pipe for _, pipe in self.busy.values()], timeout)
        for key, (process, pipe) in list(self.busy.items()):
            if pipe in ready:
                del self.busy[key]
                try:
                    error = pipe.recv()
                    if isinstance(error, CrashError):
                        pipe.close()  # it ends: a library that went without memory may not recover
                    else:
                        self.idle.append((process, pipe))
                except (EOFError, ConnectionResetError):
                    process.join()
                    killed = " (killed; out of memory?)" if process.exitcode == -9 else ""
                    error = RunError(
                        f"{key}: its process ended with exit code {process.exitcode}{killed}"
                    )
                yield key, error

    def __enter__(self) -> "Local":
        return self

    def __exit__(self, *error) -> None:
        for _, pipe in self.idle:
            pipe.close()
        for process, _ in self.busy.values():
            process.terminate()  # it saves where it stands
        for process, _ in [*self.idle, *self.busy.values()]:
            process.join()
        self.idle, self.busy = [], {}


def _serve(pipe, threads: int) -> None:
    """The life of a worker process: do what comes until nothing can come any more."""
    torch.set_num_threads(threads)
    os.environ.setdefault(
        "OMP_NUM_THREADS", str(threads)
    )  # of what a job starts, such as a notebook's kernel
    try:
        while True:
            pipe.send(pipe.recv()())
    except (
        EOFError,
        BrokenPipeError,
        KeyboardInterrupt,
    ):  # the batch is over, gone, or was stopped
        return


class Ray:
    """Tasks of a Ray cluster: the one at `address`, or one of this machine alone. A task whose
    worker or node is lost is given to another one, and a training goes on where the last state was
    written.

    Args:
        workers: jobs side by side; 0 means one for each GPU, or for each core where there is none.
            More jobs than GPUs share them in equal fractions.
        address: of the cluster, such as ray://head:10001 or auto; every node must see the folders
            of data and runs under the same path.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, workers: int = 0, address: str | None = None):
        try:
            import ray
        except ImportError:
            raise ConfigError(
                "engine: ray is not installed; pip install 'discom[ray]', or use engine=local"
            ) from None
        self.ray, self.workers, self.address, self.tasks = ray, workers, address, {}
        self.threads = 1  # until the cluster is known

    def __enter__(self) -> "Ray":
        if self.address is None:  # our own cluster needs no password, and tells nobody of itself
            os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
        try:
            _reach(self.address)  # Ray itself would wait for minutes
            self.ray.init(address=self.address, include_dashboard=None if self.address else False, log_to_driver=False,
                          logging_level="ERROR", ignore_reinit_error=True)  # fmt: skip
        except (OSError, ValueError) as error:
            way_out = "check that the cluster is up and its port open, or leave the address out"
            raise ConfigError(
                f"address: '{self.address}' cannot be reached ({first_line(error)}); {way_out}"
            ) from None
        held = self.ray.cluster_resources()
        gpus, cores = held.get("GPU", 0), int(held.get("CPU", 1))
        self.workers = self.workers or int(gpus) or cores
        self.threads = max(1, cores // self.workers)
        share = {"num_cpus": self.threads, "num_gpus": min(1, gpus / self.workers)}
        self.task = self.ray.remote(max_retries=3, **share)(_do)
        return self

    def submit(self, job: Job) -> None:
        """Give a job to the cluster."""
        self.tasks[self.task.remote(job.absolute())] = job.key

    def finished(self, timeout: float) -> Iterator[Ended]:
        """What has ended, after a wait of `timeout` seconds at most."""
        ready, _ = self.ray.wait(list(self.tasks), timeout=timeout)
        for task in ready:
            key = self.tasks.pop(task)
            try:
                error = self.ray.get(task)
            except self.ray.exceptions.RayError as lost:
                error = RunError(
                    f"{key}: Ray gave it up ({type(lost).__name__}); run the command again"
                )
            yield key, error

    def __exit__(self, *error) -> None:
        for task in self.tasks:
            self.ray.cancel(task)  # raises KeyboardInterrupt there: it saves where it stands
        self.ray.wait(
            list(self.tasks), num_returns=len(self.tasks), timeout=10
        ) if self.tasks else None
        self.tasks = {}
        self.ray.shutdown()


def _reach(address: str | None) -> None:
    """Raise an OSError or ValueError where nobody listens at host:port or ray://host:port within
    some seconds."""
    host, colon, port = (address or "").rpartition("://")[2].rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _do(job: Job) -> DiscomError | None:
    return job()


def make_engine(name: str, workers: int = 0, address: str | None = None) -> Local | Ray:
    """The engine of that name, "local" or "ray".

    Raises:
        ConfigError: another name, a negative number of workers, an address for the local engine.
    """
    if workers < 0:
        raise ConfigError(f"workers: {workers} is below 0; 0 lets the engine choose")
    if name == "local" and address:
        raise ConfigError(
            f"address: '{address}' is of no use to engine=local; leave it out, or use engine=ray"
        )
    if name not in ("local", "ray"):
        raise ConfigError(f"engine: '{name}' is unknown; choose local or ray")
    return Local(workers) if name == "local" else Ray(workers, address)
