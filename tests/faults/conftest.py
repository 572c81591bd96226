"""What tests of faults share: the run that nothing happened to, a small disk, and the tally of the
kills."""

import statistics
import subprocess
import time
from collections import Counter

import pytest
from fixtures import children

KILLS = {}  # what was killed → (where it was, seconds until it was done again) of each; SIGTERM → seconds to end


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The folder of a run that nothing happened to, and how many seconds its command took."""
    folder, seconds = tmp_path_factory.mktemp("whole"), []
    for name in "ab":  # the first one warms up
        started = time.perf_counter()
        assert children.start(folder, children.train, folder / name).end() == 0
        seconds.append(time.perf_counter() - started)
    first, second = (children.folder_of(folder / name) for name in "ab")
    children.same_run(first, second)
    return first, min(seconds)


@pytest.fixture(scope="session")
def whole_sweep(tmp_path_factory):
    """The folder of runs of a sweep that nothing happened to, and how many seconds it took."""
    folder = tmp_path_factory.mktemp("whole-sweep")
    started = time.perf_counter()
    child = children.start(folder, children.train_many, folder / "runs", folder / "pids")
    assert child.end() == 0, child.said()
    return folder / "runs", time.perf_counter() - started


@pytest.fixture
def disk(tmp_path):
    """A function that mounts a small disk of its own, and with options changes how it is
    mounted."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> None:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")

    try:
        mount("size=64m")
    except FileNotFoundError:
        pytest.skip("a small disk cannot be mounted here: there is no mount")
    mount.place = place
    yield mount
    subprocess.run(["umount", place], check=True)


@pytest.fixture(scope="session")
def tally():
    """Counts what was killed where, and how long its resumption took; printed at the end."""
    return KILLS


def pytest_terminal_summary(terminalreporter):
    """How many kills hit which moment."""
    if not KILLS:
        return
    terminalreporter.section("kills, each resumed to the same numbers")
    if asked := KILLS.pop("SIGTERM", []):
        terminalreporter.line(
            f"{len(asked)} trainings ended by SIGTERM, after {max(asked):.2f} s at most"
        )
    for what, hits in KILLS.items():
        seconds = [second for _, second in hits]
        again = f"done again after a median of {statistics.median(seconds):.1f} s, at most {max(seconds):.1f} s"
        terminalreporter.line(f"{len(hits)} kills of {what}, {again}")
        for where, count in Counter(where for where, _ in hits).most_common():
            terminalreporter.line(f"  {count:3} {where}")
