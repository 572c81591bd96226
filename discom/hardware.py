"""The machine: its device, and where numbers come from."""

import logging
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from discom.errors import ConfigError

PROC = Path("/proc/self")
workers = 1  # processes that train side by side here and share the memory; `running.sweep` sets it
_earlier = 0.0  # peak of the memory before the last `start_peak`, in MB


def device_type() -> str:
    """Where runs train: "cuda" if there is a GPU (CUDA_VISIBLE_DEVICES= hides it), else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def precision_used(precision: str) -> Any:
    """The arithmetic of this machine for a setting of `Config.precision`: "mixed" is bf16 where the
    device has instructions for it, else fp16 on a GPU, else float32; "bf16-mixed" is float32 where
    it has none, since emulation is slow. A ConfigError for fp16 on a CPU."""
    gpu = device_type() != "cpu"
    if precision == "16-mixed" and not gpu:
        raise ConfigError(
            "precision", "16-mixed needs a GPU, and this machine has none", "set mixed"
        )
    if precision in ("mixed", "bf16-mixed") and not _has_bf16():
        return "16-mixed" if gpu and precision == "mixed" else "32-true"
    return "bf16-mixed" if precision == "mixed" else precision


def _has_bf16() -> bool:
    """Whether the device has instructions for bf16."""
    if device_type() == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device_type() == "cpu" and torch.cpu._is_avx512_bf16_supported()


@contextmanager
def arithmetic() -> Iterator[None]:
    """float32 is float32 here, not TF32, which keeps 10 of its 23 bits and is torch's default for
    convolutions; and cuDNN takes the fastest of its algorithms for each size of image."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def launch(precision: Any) -> Any:
    """The Fabric of one device."""
    from lightning.fabric import Fabric
    from lightning.fabric.plugins.environments import LightningEnvironment

    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they repeat what Config says
    alone = LightningEnvironment()  # keeps Fabric from asking Slurm and torchrun
    return Fabric(accelerator=device_type(), devices=1, precision=precision, plugins=alone)


def machine() -> dict[str, Any]:
    """Where the numbers come from: processor, device, threads, versions, commit."""
    packages = "torch", "torchvision", "lightning", "torchmetrics", "numpy"
    return {
        "processor": _entry(PROC.parent / "cpuinfo", "model name") or platform.processor(),
        "device": torch.cuda.get_device_name() if device_type() == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "commit": _commit(),
    }


def start_peak() -> None:
    """From here on `recent_peak` counts, such as that of a run after others."""
    global _earlier
    _earlier = peak_memory()
    if device_type() == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        with suppress(OSError):  # Linux alone can
            (PROC / "clear_refs").write_text("5")


def recent_peak() -> float:
    """Most memory in use since `start_peak`, in MB: of a GPU, or of this process (0 on macOS and
    Windows)."""
    if device_type() == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return int(_entry(PROC / "status", "VmHWM").removesuffix("kB") or 0) / 2**10


def peak_memory() -> float:
    """Most memory in use so far, in MB, see `recent_peak`."""
    return max(_earlier, recent_peak())


@contextmanager
def forked_random() -> Iterator[None]:
    """What is drawn here, on the CPU and on the one GPU in use, changes no draw that follows."""
    devices = [torch.cuda.current_device()] if device_type() == "cuda" else []
    with torch.random.fork_rng(devices):
        yield


def _entry(file: Path, name: str) -> str:
    """What follows a name in a file of the system; "" where it is not there."""
    text = file.read_text() if file.is_file() else ""
    return text.partition(name)[2].partition("\n")[0].strip(" \t:")


def _commit() -> str | None:
    git = ["git", "-C", str(Path(__file__).parent)]
    # HEAD:./ fails where the package is installed inside another repository
    command = [*git, "rev-parse", "HEAD", "HEAD:./"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout[:7]
        edited = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "."], check=False)
        return commit + "-dirty" * bool(edited.returncode)
    except (OSError, subprocess.CalledProcessError):
        return None
