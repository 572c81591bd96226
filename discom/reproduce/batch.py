"""All notebooks in one dated folder: what is missing, failed or changed is executed, and an index
page tells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discom import data as sets
from discom.checkpoint import stoppable
from discom.config import PROFILES
from discom.errors import ConfigError, DataError, UnsuitableError
from discom.files import checksum
from discom.reproduce.execution import PARAMETERS, Execution, read_copy, traceback_of
from discom.reproduce.page import write_page
from discom.reproduce.record import Batch, code_digest, open_batch
from discom.sweep import JobQueue, Local, Ray

__all__ = ["run_notebooks"]


@dataclass(frozen=True)
class _Copy:
    """An executed notebook to be."""

    name: str  # its path in the folder of the batch
    source: Path
    seed: int


def run_notebooks(
    notebooks: Path,
    profile: str,
    out: Path,
    *,
    data: str | None = None,
    seeds: int = 1,
    only: str | None = None,
    engine: Local | Ray | None = None,
    again: bool = False,
    dry_run: bool = False,
) -> bool:
    """Execute every `NN_….ipynb` of a folder; print one line each, and the traceback of a cell that
    fails.

    The copies go to a dated folder in `out`, with a page of each, the runs that they train, and
    index.html. The newest folder of the same profile, data, seeds and package is gone on with: what
    it lacks, what failed, and what was changed since is executed, the rest is left as it is.

    Args:
        notebooks: the folder; the notebooks run inside it.
        profile: tiny, cpu or paper.
        out: holds the folders.
        data: what `discom.data.load` reads; the profile's drawn scenes by default.
        seeds: how often each notebook is executed, with the seeds 0, 1, ….
        only: the beginnings of the wanted notebooks' names with commas between, such as 03,07; all
        by default.
        engine: executes `engine.workers` notebooks side by side; one after the other by default.
            Those of one seed share a folder of runs, and one that finds its run being trained by
            another one is executed later.
        again: begin a new folder.
        dry_run: print what would be executed, and stop.

    Returns:
        Whether all of them ran to their last cell, or are not for these data. One that fails does
        not stop the others.

    Raises:
        ConfigError: an unknown profile, no seeds, an unknown notebook.
        DataError: no notebook in the folder; data that cannot be read.
        BusyError: another process executes the same notebooks.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    if profile not in PARAMETERS:
        raise ConfigError(f"profile: '{profile}' is unknown; choose {', '.join(PROFILES)}")
    if seeds < 1:
        raise ConfigError(f"seeds: {seeds} executes nothing; use 1 or more")
    sources = _choose(Path(notebooks), only)
    if data is not None:
        sets.load(data)  # what cannot be read is told before any notebook starts
    given = sets.absolute(data or PARAMETERS[profile]["data"])
    settings = {"profile": profile, "data": given, "seeds": seeds, "code": code_digest()}
    words = re.findall(r"[\w.]+", Path(data).name) if data else []
    batch = open_batch(Path(out), "-".join([profile, *words]), settings, again=again)
    copies = [
        _Copy(f"seed-{seed}/{source.name}" if seeds > 1 else source.name, source, seed)
        for seed in range(seeds)
        for source in sources
    ]
    todo = [copy for copy in copies if not batch.done(copy.name, copy.source)]
    print(
        f"{batch.folder}: {len(copies)} notebooks with profile {profile} on {given}, {len(todo)} to execute",
        flush=True,
    )
    if dry_run:
        for copy in todo:
            print(f"{copy.source.stem:<42} seed {copy.seed}")
    elif todo:
        _carry_out(batch, todo, engine or Local(1))
    return dry_run or all(batch.done(copy.name, copy.source) for copy in copies)


def _choose(notebooks: Path, only: str | None) -> list[Path]:
    """The notebooks of a folder whose names begin as asked."""
    sources = sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))
    if not sources:
        raise DataError(
            f"{notebooks}: no notebook NN_….ipynb in it; run from the folder of the repository"
        )
    if only is None:
        return sources
    starts = [start.strip() for start in only.split(",")]
    for start in starts:
        if not start or not any(source.name.startswith(start) for source in sources):
            there = ", ".join(source.name[:2] for source in sources)
            raise ConfigError(f"only: no notebook begins with '{start}'; there are {there}")
    return [source for source in sources if source.name.startswith(tuple(starts))]


def _carry_out(batch: Batch, todo: Sequence[_Copy], engine: Local | Ray) -> None:
    queue = JobQueue(engine)
    for place, copy in enumerate(todo):
        target = (batch.folder / copy.name).resolve()
        parameters = {"data": batch.settings["data"], "profile": batch.settings["profile"], "seed": copy.seed,
                      "runs": str(target.parent / "runs")}  # fmt: skip
        queue.add(place, Execution(copy.source.resolve(), target, parameters))
    with stoppable(batch.folder), engine, batch.alone():
        for copy in todo:
            (batch.folder / copy.name).parent.mkdir(exist_ok=True)
            batch.rows[copy.name] = _row(batch, copy, "missing", "")
        _tell(batch)
        for place, error in queue:
            copy = todo[place]
            status = (
                "passed"
                if error is None
                else "skipped"
                if isinstance(error, UnsuitableError)
                else "failed"
            )
            batch.rows[copy.name] = _row(batch, copy, status, str(error or ""))
            _tell(batch)
            print(_line(batch, copy), flush=True)
        print(batch.folder / "index.html")


def _tell(batch: Batch) -> None:
    batch.write()
    write_page(batch)


def _row(batch: Batch, copy: _Copy, status: str, reason: str) -> dict[str, Any]:
    """What the record keeps of an execution, or of one that is to come."""
    target = batch.folder / copy.name
    ended = status != "missing" and target.is_file()
    said = (
        read_copy(target)
        if ended
        else {"seconds": 0.0, "checks": 0, "peak_memory_mb": None, "figures": {}}
    )
    page = ended and target.with_suffix(".html").is_file()
    return {"notebook": copy.source.stem, "seed": copy.seed, "status": status, "reason": reason, **said, "page": page,
            "checksum": checksum(copy.source)}  # fmt: skip


def _line(batch: Batch, copy: _Copy) -> str:
    """What is printed of an execution that has ended; of one that failed with the traceback."""
    row, target = batch.rows[copy.name], batch.folder / copy.name
    head = f"{row['notebook']:<42} seed {row['seed']} {row['seconds']:5.0f} s  "
    if row["status"] == "passed":
        return head + " · ".join(
            [f"{row['checks']} checks passed", *(f"{k} {v:g}" for k, v in row["figures"].items())]
        )
    told = traceback_of(target) if row["status"] == "failed" and target.is_file() else ""
    return f"{head}{row['status'].upper()}: {row['reason']}" + f"\n{told}" * bool(told)
