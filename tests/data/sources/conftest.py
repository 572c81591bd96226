"""What tests of several sources share: the small raw files, made once, and the real ones."""

import importlib
import os
import shutil
from pathlib import Path

import pytest
from fixtures import writing

from discom.data import sources
from discom.data.sources import aerial, medical, worn

REPOSITORY = Path(__file__).parents[3]
REAL = Path(os.environ.get("DISCOM_REAL_DATA", REPOSITORY / ".." / "shared" / "data"))


@pytest.fixture(autouse=True)
def small_files(monkeypatch):
    """Made files are smaller than the real ones, and none has a known checksum."""
    monkeypatch.setattr(aerial, "SIDE", 20)
    monkeypatch.setattr(medical, "TILES", 4)
    monkeypatch.setattr(worn, "SEGMENTS", 1)
    monkeypatch.setattr(worn, "ROWS", 25)
    monkeypatch.setattr(worn, "WINDOW", 32)
    monkeypatch.setattr(worn, "TRIALS", 204)
    monkeypatch.setattr(medical, "SIDE", 16)
    for source in map(sources.get, sources.names()):
        addresses = {name: (url, "") for name, (url, _) in source.files.items()}
        monkeypatch.setattr(source, "files", addresses)


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    """Name of a set → the folder with its small raw files, which no test changes, and with what
    systems leave beside them."""
    folders = {}

    def root(name: str) -> Path:
        if name not in folders:
            files = importlib.import_module(f"fixtures.{name}").CASE.files
            folders[name] = writing.write(tmp_path_factory.mktemp(name), files)
            for file in map(Path, files):
                hidden = file.with_name(f"._{file.name}")
                junk = hidden, f"__MACOSX/{file}", file.with_name(".DS_Store")
                writing.write(folders[name], {str(place): b"junk" for place in junk})
        return folders[name]

    return root


@pytest.fixture
def copy(raw, tmp_path):
    """Name of a set → a copy of its raw files that the test may damage."""
    return lambda name: shutil.copytree(raw(name), tmp_path / "raw", symlinks=True)


@pytest.fixture
def real():
    """Name of a folder among the real ones → the folder; the test is skipped where it is not."""

    def find(name: str) -> Path:
        if not (REAL / name).is_dir():
            pytest.skip(f"{REAL / name} is not there; set DISCOM_REAL_DATA to its parent folder")
        return REAL / name

    return find
