"""What tests of several rooms share."""

import matplotlib
import matplotlib.pyplot as plt
import pytest
from filelock import FileLock, Timeout


def pytest_addoption(parser):
    parser.addoption(
        "--kills", type=int, default=5, help="how many runs and sweeps tests/faults kills"
    )


@pytest.fixture
def clean_slate():
    """The test starts without figures, and neither its figures nor its look outlive it."""
    plt.close("all")
    with matplotlib.rc_context():
        yield
    plt.close("all")


@pytest.fixture
def is_free():
    """A function of a run's folder: whether another process could train this run now."""

    def free(folder) -> bool:
        try:
            with FileLock(folder / ".lock", timeout=0):
                return True
        except Timeout:
            return False

    return free
