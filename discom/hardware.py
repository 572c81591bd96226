"""The machine: devices, the processes of one run, where numbers come from, and memory."""

import logging
import multiprocessing
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from discom.errors import ConfigError, DiscomError, RunError, first_line

GROUPS = Path("/sys/fs/cgroup")  # with the limits of containers and cluster jobs


def device_type(accelerator: str = "auto") -> str:
    """Where a setting of `Config.accelerator` trains: "cuda", or "cpu"; a ConfigError for a GPU
    that is not there."""
    available = torch.cuda.is_available()
    if accelerator == "cuda" and not available:
        raise ConfigError("accelerator: no CUDA device was found; use cpu or auto")
    return "cuda" if available and accelerator != "cpu" else "cpu"


def rank() -> int:
    """The number of this process among those that train one run; 0 alone."""
    distributed = torch.distributed
    return distributed.get_rank() if distributed.is_initialized() else 0


def launch(accelerator: str, devices: int, precision: Any) -> Any:
    """The Fabric of this process, in float32 where the device has no instructions for bf16; for
    several devices it runs this script again for the others, unless torchrun or srun started them.
    A ConfigError where the devices are not there, or nothing can be run again, as in a notebook.
    """
    from lightning.fabric import Fabric
    from lightning.fabric.plugins.environments import LightningEnvironment
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they repeat what Config says
    precision = precision if multiplies_bf16(accelerator) else "32-true"
    settings: dict[str, Any] = {"accelerator": device_type(accelerator), "precision": precision}
    if devices == 1:
        alone = LightningEnvironment()  # keeps Fabric from asking Slurm and torchrun
        return Fabric(devices=1, plugins=alone, **settings)
    started = "LOCAL_RANK" in os.environ or "SLURM_PROCID" in os.environ
    script = hasattr(sys.modules["__main__"], "__file__") and not multiprocessing.parent_process()
    if not (started or script):
        raise ConfigError(
            f"devices: {devices} processes need a script that can be run again, not a notebook or"
            " the worker of a sweep; use discom train, or devices=1"
        )
    nodes = int(os.environ.get("GROUP_WORLD_SIZE") or os.environ.get("SLURM_NNODES") or 1)
    ddp = "ddp_find_unused_parameters_true"  # terms of weight 0 have no gradient
    try:
        fabric = Fabric(strategy=ddp, devices=devices // nodes, num_nodes=nodes, **settings)
        fabric.launch()
    except (MisconfigurationException, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"devices: {devices} cannot start ({first_line(error)}); use fewer"
        ) from None
    return fabric


def check_agreement(fabric: Any, settings: Mapping[str, Any]) -> None:
    """Refuse (RunError) processes that have different settings, or that see different files."""
    everyones: list[Any] = [settings]
    if fabric.world_size > 1:
        everyones *= fabric.world_size
        torch.distributed.all_gather_object(everyones, settings)
    for name in settings:
        values = [other.get(name) for other in everyones]
        if any(value != values[0] for value in values):
            raise RunError(
                f"devices: the processes of one run must agree, but {name} is {values} in them;"
                " give all the same command and folder of runs, or use devices=1"
            )


def on_rank_zero(fabric: Any, call: Callable[[], Any]) -> Any:
    """What `call` returns in the first process, for all; where it raises an error, the rest end."""
    answer = None
    if fabric.global_rank == 0:
        try:
            answer = call()
        except DiscomError as error:
            answer = error
    answer = fabric.broadcast(answer)
    if isinstance(answer, DiscomError):
        raise answer if fabric.global_rank == 0 else SystemExit(0)
    return answer


def machine(device: torch.device) -> dict[str, Any]:
    """Where the numbers come from: processor, device, threads, versions, commit."""
    packages = ("torch", "torchvision", "lightning", "torchmetrics", "numpy")
    return {
        "processor": _entry("/proc/cpuinfo", "model name") or platform.processor(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "commit": _commit(),
    }


def processor(about: Mapping[str, Any]) -> str:
    """The processor and threads that `machine` told.

    >>> processor({"processor": "AMD EPYC", "threads": 1})
    'AMD EPYC, 1 thread'
    """
    threads = about["threads"]
    return f"{about['processor']}, {threads} thread{'s' if threads != 1 else ''}"


def peak_memory(device: torch.device) -> float:
    """Most memory in use so far, in MB: of a GPU, or of this process (0 on macOS and Windows)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return _bytes("VmHWM", "/proc/self/status") / 2**20


def free_memory(device: torch.device | str) -> int:
    """Bytes that can still be taken: of a GPU's memory, or of the machine's, at most as many as its
    container or cluster job may use; 4 GiB where the system does not say (macOS, Windows)."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = _bytes("MemAvailable", "/proc/meminfo") or 4 << 30
    group = GROUPS / _entry("/proc/self/cgroup", "0:").lstrip(":/")
    files = [folder / "memory.max" for folder in (group, *group.parents)]
    files.append(GROUPS / "memory/memory.limit_in_bytes")  # version 1, inside a container
    limits = [file.read_text().strip() for file in files if file.is_file()]
    return min([free, *(int(limit) for limit in limits if limit.isdigit())])


def multiplies_bf16(accelerator: str = "auto") -> bool:
    """Whether the device that trains has instructions for bf16, which is slow without."""
    if accelerator != "cpu" and torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported()


def _entry(file: str, name: str) -> str:
    """What stands behind `name` and a colon in a file of the system; "" where there is none."""
    lines = Path(file).read_text().splitlines() if Path(file).exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _bytes(name: str, file: str) -> int:
    """A size that the system gives in kB; 0 where it does not say."""
    return int((_entry(file, name) or "0").split()[0]) << 10


def _commit() -> str | None:
    # HEAD:./ is the package's folder: it fails where the package is installed inside another
    # repository
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD", "HEAD:./"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout[:7]
    except (OSError, subprocess.CalledProcessError):
        return None
