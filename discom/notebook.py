"""What the cells of a notebook share: the stamp at its head, checks that count, and the line at its
end."""

import time
from typing import Any

import torch

from discom.data import DRAWN
from discom.errors import UnsuitableError
from discom.machine import device_type, machine, peak_memory
from discom.version import __version__

__all__ = ["check", "finish", "stamp"]

_page: dict[str, Any] = {"started": time.perf_counter(), "passed": 0}


def stamp(seed: int | None = None, scenes: str | None = None) -> None:
    """Print versions, device, threads, seed and commit, and start the notebook's clock and its
    count of checks.

    Args:
        seed: of the notebook.
        scenes: the notebook's data, where it rests on what is known of drawn scenes alone: factors,
            masks, bounds.

    Raises:
        UnsuitableError: such a notebook was given other data.
    """
    if scenes is not None and scenes.partition(":")[0] not in DRAWN:
        raise UnsuitableError(
            f"data: '{scenes}' has no known factors; this notebook needs scenes, drawn by the package"
        )
    _page.update(started=time.perf_counter(), passed=0)
    device = torch.device(device_type())
    here = machine(device)
    print(
        " · ".join(
            f"{name} {version}"
            for name, version in {"python": here["python"], **here["versions"]}.items()
        )
    )
    processor = (
        f"{here['processor']}, {here['threads']} threads"
        if device.type == "cpu"
        else here["device"]
    )
    source = (
        f"commit {here['commit']}" if here["commit"] else f"discom {__version__}"
    )  # installed, not cloned
    print(f"{processor} · seed {seed} · {source} · {time.strftime('%Y-%m-%d')}")


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


def finish(**figures: float) -> None:
    """Print the notebook's key figures, how many checks passed, the seconds since `stamp`, and the
    peak memory.

    `discom reproduce` reads these lines again, and takes mean and standard deviation of the figures
    over seeds.

    Args:
        figures: by name, such as `f1_rgb=74.6`; four significant digits are printed.
    """
    if figures:
        print(
            "key figures: "
            + " · ".join(f"{name} {float(value):.4g}" for name, value in figures.items())
        )
    device = torch.device(device_type())
    seconds = time.perf_counter() - _page["started"]
    print(
        f"all {_page['passed']} checks passed · {seconds:.0f} s · peak memory {peak_memory(device):.0f} MB"
    )
