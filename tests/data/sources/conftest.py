"""The real folders, where there are any."""

import os
from pathlib import Path

import pytest

REAL = Path(os.environ.get("DISCOM_REAL_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))


@pytest.fixture(scope="session")
def real():
    """A function: the folder of that name among the real ones; the test is skipped where it is not there."""

    def find(name: str) -> Path:
        if not (REAL / name).is_dir():
            pytest.skip(f"{REAL / name} is not there; set DISCOM_REAL_DATA to the folder that holds {name}")
        return REAL / name

    return find
