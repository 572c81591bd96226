"""The machine: its device, and where numbers come from."""

import logging
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import torch

from discom.errors import ConfigError, check_choice

PROC = Path("/proc/self")
HIDE = "DISCOM_DEVICE"  # environment variable; "cpu" hides the accelerator
ACCELERATORS = {"cuda", "mps"}  # those of torch that Fabric knows, too
workers = 1  # processes that train side by side here and share the memory; `running.sweep` sets it
_earlier: dict[torch.device, float] = {}  # peak of the memory before the last `start_peak`, in MB


def device() -> torch.device:
    """Where networks train: an Nvidia or AMD GPU ("cuda"), Apple's ("mps"), else the CPU.

    The environment variable DISCOM_DEVICE=cpu hides the GPU; another value is a ConfigError.
    CUDA_VISIBLE_DEVICES chooses among several.
    """
    if asked := os.environ.get(HIDE):
        check_choice(HIDE, asked, ("cpu",))
        return torch.device("cpu")
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None or accelerator.type not in ACCELERATORS:
        return torch.device("cpu")
    return torch.device(accelerator.type, torch.accelerator.current_device_index())


def device_name(place: torch.device) -> str:
    """The name of a GPU, such as "Tesla T4"; of a device that has none its type."""
    named = getattr(torch.get_device_module(place), "get_device_name", None)
    return named(place) if named else place.type


def precision_used(precision: str) -> Any:
    """The arithmetic of this machine for a setting of `Config.precision`: "mixed" is bf16 where the
    device has instructions for it, else fp16 on a GPU, else float32; "bf16-mixed" is float32 where
    it has none, since emulation is slow. A ConfigError for fp16 on a CPU."""
    gpu = device().type != "cpu"
    if precision == "16-mixed" and not gpu:
        raise ConfigError(
            "precision", "16-mixed needs a GPU, and this machine has none", "set mixed"
        )
    if precision in ("mixed", "bf16-mixed") and not _has_bf16():
        return "16-mixed" if gpu and precision == "mixed" else "32-true"
    return "bf16-mixed" if precision == "mixed" else precision


def describe(precision: str, runs: Path | str = ".") -> dict[str, str]:
    """What a person should know before a long training, in words: "device" and how to get a GPU
    where there is none, "memory" free on it, "precision" used and why, and "disk" free beside the
    runs."""
    place, used = device(), precision_used(precision)
    if place.type == "cpu":
        about = f"CPU, {torch.get_num_threads()} of {os.cpu_count()} threads. {_why_no_gpu()}"
        free, total = (getattr(psutil.virtual_memory(), name) for name in ("available", "total"))
    elif place.type == "mps":
        about, total = device_name(place), torch.mps.recommended_max_memory()
        free = total - torch.mps.driver_allocated_memory()
    else:
        about = device_name(place)
        free, total = torch.get_device_module(place).mem_get_info(place)
    how = f"{used}, as asked"
    if used != precision:
        how = f"{used}: this device has no instructions for {precision}"
    if precision == "mixed":
        how = f"{used}, the fastest that this device has instructions for"
    folder = Path(runs).absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    disk = f"{shutil.disk_usage(folder).free / 2**30:.0f} GiB free" if folder.exists() else "none"
    return {
        "device": about,
        "memory": f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free",
        "precision": how,
        "disk": disk,
    }


def _why_no_gpu() -> str:
    """Why networks train on the CPU, and the way out."""
    if os.environ.get(HIDE):
        return f"The environment variable {HIDE} hides the GPU: unset it, and restart the kernel."
    found = torch.accelerator.current_accelerator()
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return "CUDA_VISIBLE_DEVICES is empty and hides the GPU: unset it, and restart the kernel."
    if found is not None and found.type not in ACCELERATORS:
        return f"torch sees '{found.type}', but discom trains on CUDA, MPS or a CPU alone."
    if "google.colab" in sys.modules:
        return "For a GPU: Runtime, Change runtime type, T4 GPU; then run all cells again."
    if torch.version.cuda is None and torch.version.hip is None:
        return "This torch is built without CUDA; for an Nvidia card install one that has it."
    return "No GPU was found; nvidia-smi says whether the driver sees one."


def _has_bf16() -> bool:
    """Whether the device has instructions for bf16."""
    kind = device().type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and torch.cpu._is_avx512_bf16_supported()


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
    """The Fabric of `device()`."""
    from lightning.fabric import Fabric
    from lightning.fabric.plugins.environments import LightningEnvironment
    from lightning.fabric.strategies import SingleDeviceStrategy

    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they repeat what Config says
    alone = LightningEnvironment()  # keeps Fabric from asking Slurm and torchrun
    place = device()
    return Fabric(
        accelerator=place.type,
        strategy=SingleDeviceStrategy(place),
        devices=1,
        precision=precision,
        plugins=alone,
    )


def machine() -> dict[str, Any]:
    """Where the numbers come from: processor, device, threads, versions, commit."""
    packages = "torch", "torchvision", "lightning", "torchmetrics", "numpy"
    return {
        "processor": _entry(PROC.parent / "cpuinfo", "model name") or platform.processor(),
        "device": device_name(device()),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "commit": _commit(),
    }


def start_peak() -> None:
    """From here on `recent_peak` counts, such as that of a run after others."""
    place = device()
    _earlier[place] = peak_memory(place)
    if place.type == "cpu":
        with suppress(OSError):  # Linux alone can
            (PROC / "clear_refs").write_text("5")
    elif place.type != "mps":  # it has no peak
        torch.get_device_module(place).reset_peak_memory_stats(place)


def recent_peak(place: torch.device | None = None) -> float:
    """Most memory in use since `start_peak`, in MB, on a device, by default on `device()`: of a GPU
    what tensors took (of Apple's what its driver holds), of the CPU what this process took (0 on
    macOS and Windows)."""
    place = place or device()
    if place.type == "cpu":
        return int(_entry(PROC / "status", "VmHWM").removesuffix("kB") or 0) / 2**10
    if place.type == "mps":  # it has no peak
        return torch.mps.driver_allocated_memory() / 2**20
    return torch.get_device_module(place).max_memory_allocated(place) / 2**20


def peak_memory(place: torch.device | None = None) -> float:
    """Most memory in use so far, in MB, see `recent_peak`."""
    place = place or device()
    return max(_earlier.get(place, 0.0), recent_peak(place))


@contextmanager
def forked_random() -> Iterator[None]:
    """What is drawn here, on the CPU and on the one GPU in use, changes no draw that follows."""
    place = device()
    devices = [] if place.type == "cpu" else [place.index]
    with torch.random.fork_rng(devices, device_type=place.type):
        yield


def _entry(file: Path, name: str) -> str:
    """What follows a name in a file of the system; "" where it is not there."""
    text = file.read_text() if file.is_file() else ""
    return text.partition(name)[2].partition("\n")[0].strip(" \t:")


def _commit() -> str | None:
    """Of this code. Where it is installed as a copy, as on Colab, that of the clone whose notebooks
    run here."""
    clone = Path("../discom")
    folders = [Path(__file__).parent, *[clone] * (clone / "hardware.py").is_file()]
    return next(filter(None, map(_commit_of, folders)), None)


def _commit_of(folder: Path) -> str | None:
    git = ["git", "-C", str(folder)]
    # HEAD:./ fails where the package is installed inside another repository
    command = [*git, "rev-parse", "HEAD", "HEAD:./"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout[:7]
        edited = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "."], check=False)
        return commit + "-dirty" * bool(edited.returncode)
    except (OSError, subprocess.CalledProcessError):
        return None
