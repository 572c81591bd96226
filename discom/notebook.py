"""What a notebook's cells share: `stamp` at its head, `check` for claims, `terminal` for commands,
`finish` at its end."""

import os
import shlex
import sys
import time
from contextlib import chdir, redirect_stderr
from pathlib import Path
from typing import Any

import torch

from discom import __version__
from discom.data import DRAWN
from discom.errors import DataError
from discom.hardware import device_name, machine, peak_memory

CPU = torch.device("cpu")
_page: dict[str, Any] = {"started": 0.0, "passed": 0, "device": CPU}


def stamp(seed: int | None = None, scenes: str | None = None, device: torch.device = CPU) -> None:
    """Print versions, device, threads, seed and commit; start the clock and the count of checks.
    `scenes`: data that must be synthetic scenes, else there is a DataError. `device`: where the
    notebook's networks train."""
    if scenes is not None and scenes.partition(":")[0] not in DRAWN:
        found = f"'{scenes}' has no known factors"
        raise DataError("data", found, "this notebook needs synthetic scenes")
    _page.update(started=clock(device), passed=0, device=device)
    about = machine()
    versions = {"python": about["python"], **about["versions"]}
    print(" · ".join(f"{name} {version}" for name, version in versions.items()))
    threads = f"{about['threads']} thread{'s' * (about['threads'] != 1)}"
    name = f"{about['processor']}, {threads}" if device == CPU else device_name(device)
    # an installed package has no commit
    source = f"commit {about['commit']}" if about["commit"] else f"discom {__version__}"
    print(f"{name} · seed {seed} · {source} · {time.strftime('%Y-%m-%d')}")


def clock(device: torch.device) -> float:
    """Seconds. On a CPU those that this process and its children computed, so that other work
    beside them changes nothing; beside a GPU those that pass."""
    if device != CPU:
        return time.perf_counter()
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def check(claim: str, holds: Any) -> None:
    """Print the claim with a tick if it holds, else raise an AssertionError with it.

    >>> check("two and two are four", 2 + 2 == 4)
    ✓ two and two are four
    """
    if not holds:
        raise AssertionError(f"this should hold and does not: {claim}")
    _page["passed"] += 1
    print(f"✓ {claim}")


def terminal(command: str, folder: Path | str = ".") -> None:
    """Run `discom …` in a folder, and print the command with what it says."""
    from discom import cli

    print(f"$ {command}")
    with chdir(folder), redirect_stderr(sys.stdout):
        cli.main(shlex.split(command)[1:])


def finish(**figures: float) -> None:
    """Print the key figures (four significant digits), the number of checks passed, the seconds of
    `clock` since `stamp` and the peak memory: of the GPU that `stamp` named if anything was on it,
    else of this process. notebooks/batch.py reads these lines."""
    if figures:
        texts = [f"{name} {float(value):.4g}" for name, value in figures.items()]
        print("key figures: " + " · ".join(texts))
    device = _page["device"]
    took = f"{clock(device) - _page['started']:.0f} s" + " of one core" * (device == CPU)
    used = device if peak_memory(device) else CPU
    memory = f"{peak_memory(used):.0f} MB" + f" of {device_name(used)}" * (used != CPU)
    print(f"all {_page['passed']} checks passed · {took} · peak memory {memory}")
