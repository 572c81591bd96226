"""What tests of faults share: the run that nothing happened to, and a small disk."""

import subprocess
import time

import pytest
from fixtures import children


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The folder of a run that nothing happened to, and how many seconds its command took."""
    folder, seconds = tmp_path_factory.mktemp("whole"), []
    for name in "ab":  # the first one warms up
        started = time.perf_counter()
        child = children.start(folder, children.train, folder / name)
        assert child.end() == 0, child.text()
        seconds.append(time.perf_counter() - started)
    first, second = (children.folder_of(folder / name) for name in "ab")
    children.same_run(first, second)
    return first, min(seconds)


@pytest.fixture
def disk(tmp_path):
    """A function that mounts a small disk of its own, and with options changes how it is
    mounted."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place]
        try:
            subprocess.run(command, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"a small disk cannot be mounted here: {error}")

    mount("size=64m")
    mount.place = place
    yield mount
    subprocess.run(["umount", place], check=True)
