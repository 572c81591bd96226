"""What the cells of a notebook share: the stamp at its head, checks that count, and the line at its end."""

import time
from typing import Any

import torch

from discom.machine import machine, peak_memory

__all__ = ["check", "finish", "stamp"]

_page: dict[str, Any] = {"started": time.perf_counter(), "passed": 0}


def stamp(seed: int | None = None) -> None:
    """Print versions, device, threads, seed and commit, and start the notebook's clock and its count of checks."""
    _page.update(started=time.perf_counter(), passed=0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    here = machine(device)
    print(" · ".join(f"{name} {version}" for name, version in {"python": here["python"], **here["versions"]}.items()))
    processor = f"{here['processor']}, {here['threads']} threads" if device.type == "cpu" else here["device"]
    print(f"{processor} · seed {seed} · commit {here['commit']} · {time.strftime('%Y-%m-%d')}")


def check(claim: str, holds: Any) -> None:
    """Print the claim with a tick if it holds.

    Raises:
        AssertionError: it does not; the message is the claim.

    >>> check("two and two are four", 2 + 2 == 4)
    ✓ two and two are four
    """
    if not holds:
        raise AssertionError(f"this should hold and does not: {claim}")
    _page["passed"] += 1
    print(f"✓ {claim}")


def finish() -> None:
    """Print how many checks passed, the seconds since `stamp`, and the peak memory."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    seconds = time.perf_counter() - _page["started"]
    print(f"all {_page['passed']} checks passed · {seconds:.0f} s · peak memory {peak_memory(device):.0f} MB")
