"""The folder of a batch, and the record of its notebooks: what was run with which settings, and
what came of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

from discom.errors import BusyError, DataError
from discom.files import checksum, digest, read_json, write_json
from discom.runs import locked

__all__ = ["DONE", "Batch", "code_digest", "open_batch"]

DONE = ("passed", "skipped")
RECORD = "index.json"


@dataclass
class Batch:
    """A folder of executed notebooks.

    Attributes:
        folder: holds the copies, their runs and the record.
        settings: profile, data, seeds, and a digest of the package's source; another digest is
        another batch.
        started: date and time.
        rows: one for each copy, by its path in the folder: notebook, seed, status (passed, failed,
            skipped because it is not for these data, or missing), reason, seconds, checks,
            peak_memory_mb, figures, whether there is a page of it, and the checksum of the notebook
            that was executed.
    """

    folder: Path
    settings: dict[str, Any]
    started: str
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def done(self, copy: str, source: Path) -> bool:
        """Whether this copy is of the notebook as it is now, and needs not be made again."""
        row = self.rows.get(copy, {})
        fresh = row.get("status") in DONE and row["checksum"] == checksum(source)
        return fresh and (self.folder / copy).is_file()

    def write(self) -> None:
        """Write the record, whole or not at all."""
        held = {
            "settings": self.settings,
            "started": self.started,
            "notebooks": dict(sorted(self.rows.items())),
        }
        write_json(self.folder / RECORD, held)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, made if need be, for this process.

        Raises:
            BusyError: another process executes its notebooks.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with locked(self.folder):
                yield
        except BusyError:
            busy = f"{self.folder}: another process executes these notebooks; wait for it, stop it, or use --again"
            raise BusyError(busy) from None


def open_batch(out: Path, name: str, settings: dict[str, Any], *, again: bool = False) -> Batch:
    """The newest batch in `out` with these settings, or a new one that is not yet on the disk.

    Args:
        out: the folder of all batches.
        name: of a new one, behind the date.
        settings: see `Batch`.
        again: take a new one in any case.
    """
    held = [
        batch
        for file in out.glob(f"*/{RECORD}")
        if (batch := _read(file)) and batch.settings == settings
    ]
    if held and not again:
        return max(held, key=lambda batch: (batch.started, batch.folder.name))
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    dated = out / f"{now[:10]}-{name}"
    names = chain([dated], (dated.with_name(f"{dated.name}-{number}") for number in count(2)))
    return Batch(next(folder for folder in names if not folder.exists()), settings, now)


def code_digest() -> str:
    """A word for the package's source: with other code the figures may be others.

    >>> code_digest() == code_digest()
    True
    """
    home = Path(__file__).parents[1]
    return digest(
        {str(file.relative_to(home)): checksum(file) for file in sorted(home.rglob("*.py"))}
    )


def _read(file: Path) -> Batch | None:
    """The batch of a record; None where it is somebody else's file."""
    with suppress(DataError, KeyError, TypeError):
        held = read_json(file)
        return Batch(file.parent, held["settings"], held["started"], held["notebooks"])
    return None
