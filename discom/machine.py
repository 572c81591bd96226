"""The machine: its device, where numbers come from (processor, versions, commit), and its
memory."""

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from discom.errors import ConfigError

__all__ = ["device_type", "free_memory", "machine", "multiplies_bf16", "peak_memory"]

OWN_GROUPS = Path("/proc/self/cgroup")
# where a group of processes has its limit, and what its pages that cannot be given back are called
# (version 1, 2)
GROUPS = {"memory": ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "total_rss "),
          "": ("/sys/fs/cgroup", "memory.max", "anon ")}  # fmt: skip


def device_type(accelerator: str = "auto") -> str:
    """Where a setting of `Config.accelerator` trains: "cuda" or "cpu"; "auto" takes a GPU where
    there is one.

    Raises:
        ConfigError: cuda, where there is none.

    >>> device_type("cpu")
    'cpu'
    """
    there = torch.cuda.is_available()
    if accelerator == "cuda" and not there:
        raise ConfigError("accelerator: no CUDA device is at hand here; use cpu or auto")
    return "cuda" if there and accelerator != "cpu" else "cpu"


def machine(device: torch.device) -> dict[str, Any]:
    """Where the numbers come from: processor, device, threads, versions, commit."""
    cuda = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    packages = ("torch", "torchvision", "lightning", "torchmetrics", "numpy")
    return {
        "processor": _processor(),
        "device": cuda or "cpu",
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "commit": _commit(),
    }


def peak_memory(device: torch.device) -> float:
    """Most memory held so far, in MB: of the device, or on a CPU of this process since its
    start."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if held := _held(
        "/proc/self/status", "VmHWM:"
    ):  # getrusage's count starts with what the parent held
        return held / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, others kibibytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def free_memory(device: torch.device | str) -> int:
    """Bytes that can still be taken: of a GPU's memory, or of the machine's within the limits of
    this process and of its control groups, such as a container's or a cluster job's.

    >>> free_memory("cpu") > 0
    True
    """
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = _held("/proc/meminfo", "MemAvailable:") << 10
    if not free:  # not Linux: of all there is, half
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS)]
    own = (
        _held("/proc/self/status", "RssAnon:") << 10
    )  # pages of mapped files can be given back at any time
    left = [limit - own for limit in limits if limit != resource.RLIM_INFINITY]
    return max(0, min([free, *left, *_left_in_groups()]))


def multiplies_bf16(accelerator: str = "auto") -> bool:
    """Whether the device that trains has instructions for bf16.

    Without them torch emulates it: on an AVX2 processor a training step of the `cpu` profile took
    nine times as long as in float32, where one with AVX-512 and bf16 takes 0.6 of it.

    Args:
        accelerator: "auto" (a GPU where there is one), "cpu" or "cuda".
    """
    if accelerator != "cpu" and torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported()


def _left_in_groups() -> Iterator[int]:
    """What each control group that holds this process, and has a limit, leaves."""
    for line in OWN_GROUPS.read_text().splitlines() if OWN_GROUPS.exists() else ():
        _, kinds, path = line.split(":", 2)
        for kind, (root, limit, used) in GROUPS.items():
            here = Path(root + path)
            for folder in (here, *here.parents) if kind in kinds.split(",") else ():
                file = folder / limit
                if file.is_file() and (text := file.read_text().strip()).isdigit():
                    yield int(text) - _held(folder / "memory.stat", used)


def _held(file: Path | str, field: str) -> int:
    """The number behind a word, such as `MemAvailable: 12 kB`; 0 where there is none."""
    text = "\n" + Path(file).read_text() if Path(file).exists() else ""
    return int((text.partition("\n" + field)[2].split() or [0])[0])


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _commit() -> str | None:
    # HEAD:./ is the package's folder in that commit: an installed package may lie inside somebody
    # else's repository
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD", "HEAD:./"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout[:7]
    except (OSError, subprocess.CalledProcessError):
        return None
