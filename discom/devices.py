"""One run on several devices: how its processes start, wait for each other and end.

A process for each device, by DDP through Fabric. `discom train --devices 2 …` starts the other
processes of this machine itself, by running the same command again; torchrun and Slurm's srun start
all of them, on several machines too.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from lightning.fabric import Fabric
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.fabric.strategies import DDPStrategy

from discom import shares
from discom.config import Config
from discom.errors import ConfigError, RunError
from discom.machine import device_type

__all__ = ["start", "started", "time_out", "together"]

warnings.filterwarnings(
    "ignore", "`broadcast_buffers` is deprecated"
)  # torch 2.14 says so; 2.5 knows no other word
PATIENCE = 10.0  # seconds that a process has to reach the first one, or to end after it
OTHERS: list[subprocess.Popen] = []  # what this process started
PLACE = "DISCOM_PLACE"  # what it tells them: port, rank, number of processes


def started() -> int:
    """How many processes torchrun, srun or the first process started for this run; 1 where nobody
    did."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return int(os.environ["WORLD_SIZE"])
    return int(_place()[2] if _place() else os.environ.get("SLURM_STEP_NUM_TASKS", 1))


def time_out() -> timedelta:
    """How long a process waits for the others: DISCOM_TIMEOUT, in seconds, or ten minutes.

    Raises:
        ConfigError: it is no number above 0.
    """
    given = os.environ.get("DISCOM_TIMEOUT", "600")
    try:
        if 0 < float(given) < 1e6:
            return timedelta(seconds=float(given))
    except ValueError:
        pass
    raise ConfigError(
        f"DISCOM_TIMEOUT: '{given}' is no number of seconds above 0; leave it out for ten minutes"
    )


def start(config: Config) -> Fabric:
    """The Fabric of this process, one of `config.devices`; the others are started unless somebody
    did.

    Raises:
        ConfigError: more devices than there are, or than torchrun or srun started; other processes
            cannot be started from here, as in a notebook.
        RunError: a process ended before it began.
    """
    count, kind = config.devices, device_type(config.accelerator)
    if count == 1:
        return Fabric(accelerator=kind, devices=1, precision=config.precision, plugins=_Here())
    if started() not in (1, count):
        raise ConfigError(
            f"devices: {count}, but {started()} processes were started; leave it out, it follows them"
        )
    nodes = int(os.environ.get("SLURM_STEP_NUM_NODES", 1))
    if "TORCHELASTIC_RUN_ID" in os.environ:
        nodes = count // int(os.environ["LOCAL_WORLD_SIZE"])
    if kind == "cuda" and count // nodes > torch.cuda.device_count():
        held = torch.cuda.device_count()
        raise ConfigError(
            f"devices: {count // nodes} GPUs, this machine has {held}; use {held}, or accelerator=cpu"
        )
    if not dist.is_initialized() and (started() == 1 or _place()):
        _meet(count, "nccl" if kind == "cuda" else "gloo")
    # static_graph: parameters that no term of the loss reaches (the unread heads of discom-solo)
    # are noted in the first step and not waited for. No buffers are sent, because `shares` gives
    # every process the same
    strategy = DDPStrategy(
        timeout=time_out(), static_graph=True, broadcast_buffers=False, gradient_as_bucket_view=True
    )
    fabric = Fabric(accelerator=kind, strategy=strategy, devices=count // nodes, num_nodes=nodes,
                    precision=config.precision, plugins=_Here() if _ours() else None)  # fmt: skip
    fabric.launch()
    if kind == "cpu" and nodes == 1 and not shares.LINES:
        shares.connect(time_out().total_seconds())
    return fabric


@contextmanager
def together(what: Path | str, config: Config) -> Iterator[None]:
    """What fails in one process ends all of them: this one leaves the others, and where they left,
    one line says so.

    Raises:
        RunError: another process ended, or did not answer in time.
    """
    try:
        yield
    except BaseException as error:
        if config.devices == 1 or getattr(error, "agreed", False):
            raise
        place = f"rank {shares.rank()} of {config.devices}"
        _leave()
        if not isinstance(error, dist.DistError | shares.Silence) and "/gloo/" not in str(error):
            raise
        late = "timed out" in str(error).lower()
        seconds = f"{time_out().total_seconds():g} s"
        reason = (
            f"no answer from the other processes within {seconds}"
            if late
            else "another process has ended"
        )
        raise RunError(
            f"{what}: {place}: {reason}; the same command goes on from the last saved epoch"
        ) from None


class _Here(LightningEnvironment):
    """Tells Fabric that all processes are there and have met, and keeps it from asking Slurm."""

    creates_processes_externally = True

    def local_rank(self) -> int:
        return shares.rank()


def _place() -> list[str] | None:
    """Port, rank and number of processes, where the first process started this one."""
    return os.environ[PLACE].split() if PLACE in os.environ else None


def _ours() -> bool:
    """Whether the processes started each other."""
    return bool(OTHERS or _place())


def _meet(count: int, backend: str) -> None:
    """Join the other processes of this machine; the first one starts them."""
    if _place():
        port, rank, _ = map(int, _place())
        store = dist.TCPStore(
            "127.0.0.1", port, is_master=False, timeout=timedelta(seconds=PATIENCE)
        )
        store.add("here", 1)
    else:
        rank, store = 0, _run_again(count)
    store.set_timeout(time_out())
    dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=time_out())


def _run_again(count: int) -> dist.TCPStore:
    """Start this very command once more for every other process, and wait until they are here."""
    main = sys.modules["__main__"]
    if not hasattr(main, "__file__") or multiprocessing.parent_process():
        raise ConfigError(
            f"devices: {count} processes need a command or a script that can be run again, which a notebook and the"
            " worker of a sweep are not; use discom train, or devices=1"
        )
    command = ["-m", main.__spec__.name] if main.__spec__ else [os.path.abspath(main.__file__)]
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    atexit.register(_leave, grace=1.0)
    for rank in range(1, count):
        place = {**os.environ, PLACE: f"{store.port} {rank} {count}"}
        OTHERS.append(
            subprocess.Popen(
                [sys.executable, *command, *sys.argv[1:]], env=place, stdin=subprocess.DEVNULL
            )
        )
    while store.add("here", 0) < count - 1:
        for rank, process in enumerate(OTHERS, 1):
            if process.poll() is not None:
                raise RunError(
                    f"rank {rank} of {count}: ended before it began (exit code {process.returncode})"
                )
        time.sleep(0.02)
    return store


def _leave(grace: float = 0.0) -> None:
    """Close the connections, so that the other processes need not wait for this one, and see those
    end that it started.

    Args:
        grace: seconds that they have to end by themselves before.
    """
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and any(process.poll() is None for process in OTHERS):
        time.sleep(0.02)
    shares.disconnect()
    if dist.is_initialized() and dist.get_backend() == "gloo":
        dist.destroy_process_group()
    deadline = time.monotonic() + PATIENCE
    while OTHERS:
        process = OTHERS.pop()
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
