"""What outlives an interruption: where to resume a run, its log, and the ends that it can be taken
up from."""

import csv
import io
import os
import pickle
import signal
import threading
import time
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from discom.errors import Interrupted, RunError, first_line
from discom.files import atomic_file

__all__ = ["Log", "State", "forget", "stoppable"]

STATES = ("state.pt", "state-before.pt")  # the newest, and the one to fall back on
STATE_SHARE = 0.05  # of the training time that may go into writing states to resume from


@contextmanager
def stoppable(what: Path | str) -> Iterator[None]:
    """Turn SIGTERM into what Ctrl-C does, and either into an Interrupted that says how to go on;
    and what a disk refuses into a RunError that does."""

    def stop(number, frame):
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if main else None
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            f"{what}: interrupted; the same command goes on from the last saved epoch"
        ) from None
    except OSError as error:
        place, reason = error.filename or what, error.strerror or first_line(error)
        way_out = (
            "make room or check the rights, and the same command goes on from the last saved epoch"
        )
        raise RunError(f"{place}: {reason}; {way_out}") from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


class State:
    """Where to resume: networks, optimizer, schedule, best scores and log after an epoch, in one
    file. The state before it is kept as well, for the case that this file turns out damaged.

    Raises:
        RunError: all that there is is damaged, or holds more than tensors and numbers.
    """

    def __init__(self, run_dir: Path, model, optimizer, schedule):
        self.path, self.before = (run_dir / name for name in STATES)
        self.parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
        self.epoch, self.seconds, self.best, self.rows, self.writing = 0, 0.0, {}, [], 0.0
        self.whole = False  # whether what is at `path` is worth keeping as the state before
        if saved := self._read():
            for name, part in self.parts.items():
                part.load_state_dict(saved[name])
            self.epoch, self.seconds, self.best, self.rows = (
                saved[k] for k in ("epoch", "seconds", "best", "rows")
            )

    def _read(self) -> dict[str, Any] | None:
        damages = {}
        for path in filter(Path.exists, (self.path, self.before)):
            try:
                saved = _load(path, {*self.parts, "epoch", "seconds", "best", "rows"})
            except RunError:
                raise
            except Exception as error:  # whatever is wrong with the file, the way out is the same
                damages[path] = f"{path}: cannot be resumed from ({first_line(error)})"
                continue
            self.whole = path == self.path
            for damage in damages.values():
                warnings.warn(
                    f"{damage}; going on from {path.name}, the state before it", stacklevel=4
                )
            return saved
        if damages:
            files = " and ".join(path.name for path in damages)
            raise RunError(f"{'; '.join(damages.values())}; delete {files} to start anew")
        return None

    def epoch_done(self, epoch: int) -> None:
        """Write the state, unless writing has taken more than its share of the time."""
        self.epoch = epoch + 1
        if self.writing > STATE_SHARE * self.seconds:
            return
        started = time.perf_counter()
        saved = {name: part.state_dict() for name, part in self.parts.items()}
        saved |= {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "best": self.best,
            "rows": self.rows,
        }
        with atomic_file(self.path) as part:
            held = (
                io.BytesIO()
            )  # writing files, torch does not tell why a disk refuses, or ends the whole process
            torch.save(saved, held)
            part.write_bytes(held.getbuffer())
            if self.whole:
                self.whole = False
                os.replace(self.path, self.before)
        self.whole = True
        self.writing += time.perf_counter() - started


def _load(path: Path, keys: set[str]) -> dict[str, Any]:
    """What a state holds, on the CPU; code in it is refused, not run."""
    with zipfile.ZipFile(path) as held:  # torch compares no checksums
        if torn := held.testzip():
            raise zipfile.BadZipFile(f"{torn} is damaged")
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise RunError(f"{path}: holds more than tensors and numbers, perhaps code, and was not made by a training;"
                       " delete it to go on without") from None  # fmt: skip
    if missing := keys - set(saved):
        raise KeyError(f"it has no {min(missing)}")
    return saved


def forget(run_dir: Path) -> None:
    """Delete the states of a run that is done."""
    for name in STATES:
        (run_dir / name).unlink(missing_ok=True)


class Log:
    """metrics.csv and TensorBoard events, one row an epoch. Its rows are the state's: both go back
    to the same epoch.

    The events are written here and not by torch's SummaryWriter, whose thread would meet a full
    disk on its own.
    """

    def __init__(self, run_dir: Path, state: State):
        self.path, self.rows = run_dir / "metrics.csv", state.rows
        folder = run_dir / "tensorboard"
        folder.mkdir(exist_ok=True)
        # TensorBoard reads by name: the starts in their order, whatever the clock says
        file = folder / f"events.out.tfevents.{len(list(folder.iterdir())):06d}"
        self.events = RecordWriter(open(file, "ab", buffering=0))  # noqa: SIM115
        self._add(file_version="brain.Event:2")
        self._add(
            step=state.epoch, session_log=SessionLog(status=SessionLog.START)
        )  # what is later is void

    def _add(self, **content) -> None:
        self.events.write(Event(wall_time=time.time(), **content).SerializeToString())

    def write(self, epoch: int, values: dict[str, float]) -> None:
        """Add an epoch's row to both."""
        self.rows.append({"epoch": epoch, **values})
        with (
            atomic_file(self.path, durable=False) as part,  # the state holds the rows as well
            open(part, "w", newline="", encoding="utf-8") as file,
        ):
            table = csv.DictWriter(file, fieldnames=list(self.rows[-1]))
            table.writeheader()
            table.writerows(self.rows)
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._add(step=epoch, summary=Summary(value=scalars))

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *error) -> None:
        self.events.close()
