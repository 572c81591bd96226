"""What tests of several sources share: the real folders, where there are any, and an unpacking that
is cut."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from discom.data.sources import archives

REAL = Path(
    os.environ.get("DISCOM_REAL_DATA", Path(__file__).parents[3] / ".." / "shared" / "data")
)


@pytest.fixture(scope="session")
def real():
    """A function: the folder of that name among the real ones; the test is skipped where it is not
    there."""

    def find(name: str) -> Path:
        if not (REAL / name).is_dir():
            pytest.skip(
                f"{REAL / name} is not there; set DISCOM_REAL_DATA to the folder that holds {name}"
            )
        return REAL / name

    return find


@pytest.fixture
def cut_unpacking(monkeypatch):
    """A function: a context in which unpacking raises `stop` in the middle of the third file."""

    @contextmanager
    def cut(stop):
        copy, calls = archives.shutil.copyfileobj, []

        def third_time_stopped(source, target, size):
            calls.append(target)
            if len(calls) == 3:
                target.write(b"half")
                raise stop
            copy(source, target, size)

        with monkeypatch.context() as patched:
            patched.setattr(archives.shutil, "copyfileobj", third_time_stopped)
            yield

    return cut
