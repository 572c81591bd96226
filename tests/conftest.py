"""What tests of several rooms share."""

import matplotlib
import matplotlib.pyplot as plt
import pytest
from filelock import FileLock, Timeout

from discom import cli


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


@pytest.fixture
def flags_of(monkeypatch):
    """A function of a command line: the flags that its command would be called with."""

    def flags_of(*words) -> dict:
        calls = []
        recorded = {name: (calls.append, flags) for name, (_, flags) in cli.COMMANDS.items()}
        with monkeypatch.context() as patch:
            patch.setattr(cli, "COMMANDS", recorded)
            assert cli.main([str(word) for word in words]) == 0, words
        return vars(calls[0])

    return flags_of
