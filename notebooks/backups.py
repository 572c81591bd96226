"""What a folder such as of a mounted Drive keeps for the next session: runs, and a
prepared set as one archive."""

import shutil
from pathlib import Path
from zipfile import ZipFile

import pandas as pd

from discom import tables
from discom.errors import DataError
from discom.files import as_data_error, atomic_file, atomic_folder
from discom.running.runs import Run

MANIFEST = "manifest.json"  # every prepared folder has one


def check(backup: str) -> None:
    """A DataError where the folder above a backup is not there: a Drive that is not
    mounted would be a folder of this session, which ends with it."""
    if backup and not (above := Path(backup).absolute().parent).is_dir():
        way_out = "mount the Drive in a cell above, or name another folder"
        raise DataError(f"backup {backup}", f"there is no {above}", way_out)


def pack(folder: Path, archive: Path) -> None:
    """Write a prepared folder into one zip, not compressed. A full disk is told, and
    ends nothing."""
    try:
        with atomic_file(archive) as part, ZipFile(part, "w") as packed:
            for file in sorted(folder.iterdir()):
                packed.write(file, f"{folder.name}/{file.name}")
    except OSError as error:
        print(f"note: {folder.name} is not in the backup: {error}", flush=True)


def unpack(archive: Path, home: Path) -> Path:
    """The prepared folder of an archive, under its own name in `home`, whole or not at
    all. A DataError for an archive that is damaged: each file in it has a checksum."""
    advice = "delete it, and the set is fetched again"
    with as_data_error(archive, "a zip", advice), ZipFile(archive) as packed:
        names = packed.namelist()
        folder = home / names[0].partition("/")[0]
        if f"{folder.name}/{MANIFEST}" not in names:  # cut short, behind a zip in it
            raise ValueError(f"it has no {MANIFEST}")
        with atomic_folder(folder, marker=MANIFEST) as part:
            packed.extractall(part.parent)
    return folder


def fetch(study: tables.Study, backup: str) -> None:
    """Copy from a backup the folders of runs that are not here, or not as far."""
    for run in study.every if backup else ():
        for wanted in filter(None, (run.teacher, run)):
            copy_of(Path(backup) / wanted.folder.relative_to(study.runs), wanted.folder)


def save(run: Run, runs: Path | str, backup: str) -> None:
    """Copy a run's folder into a backup that is not as far. A full disk is told, and
    ends no training. A Drive is slow where each checkpoint is written to it."""
    try:
        if backup:
            copy_of(run.folder, Path(backup) / run.folder.relative_to(runs))
    except (OSError, DataError) as error:
        print(f"note: {run.folder.name} is not in the backup: {error}", flush=True)


def copy_of(source: Path, target: Path) -> None:
    """Copy a run's folder, whole or not at all, where the target is not as far."""
    if how_far(source) > how_far(target):
        with atomic_folder(target, marker="config.json", overwrite=True) as part:
            shutil.copytree(source, part, dirs_exist_ok=True)


def how_far(folder: Path) -> tuple[bool, int]:
    """Whether a run is done, and its epochs; none where there is no checkpoint."""
    done, log = (folder / "result.json").is_file(), folder / "metrics.csv"
    going = log.is_file() and (done or (folder / "state.pt").is_file())
    return done, len(pd.read_csv(log)) if going else 0
