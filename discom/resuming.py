"""What outlives an interruption: where to resume a run, its log, and the signals that end it cleanly."""

import csv
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.utils.tensorboard import SummaryWriter

from discom.errors import Interrupted, RunError, first_line
from discom.storage import atomic_file

__all__ = ["Log", "State", "stoppable"]

STATE_SHARE = 0.05  # of the training time that may go into writing states to resume from


@contextmanager
def stoppable(what: Path | str) -> Iterator[None]:
    """Turn SIGTERM into what Ctrl-C does, and either into an Interrupted that says how to go on."""

    def stop(number, frame):
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if main else None
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"{what}: interrupted; the same command goes on from the last saved epoch") from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


class State:
    """Where to resume: networks, optimizer, schedule and best scores after an epoch, in one file."""

    def __init__(self, run_dir: Path, model, optimizer, schedule, device: torch.device):
        self.path = run_dir / "state.pt"
        self.parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
        self.epoch, self.seconds, self.best, self.writing = 0, 0.0, {}, 0.0
        if self.path.exists():
            saved = self._read(device)
            for name, part in self.parts.items():
                part.load_state_dict(saved[name])
            self.epoch, self.seconds, self.best = saved["epoch"], saved["seconds"], saved["best"]

    def _read(self, device: torch.device) -> dict[str, Any]:
        try:
            return torch.load(self.path, map_location=device, weights_only=True)
        except Exception as error:  # whatever is wrong with the file, the way out is the same
            reason = first_line(error)
            raise RunError(f"{self.path}: cannot be resumed from ({reason}); delete it to start anew") from None

    def epoch_done(self, epoch: int) -> None:
        """Write the state, unless writing has taken more than its share of the time."""
        self.epoch = epoch + 1
        if self.writing > STATE_SHARE * self.seconds:
            return
        started = time.perf_counter()
        saved = {name: part.state_dict() for name, part in self.parts.items()}
        with atomic_file(self.path) as part:
            torch.save({**saved, "epoch": self.epoch, "seconds": self.seconds, "best": self.best}, part)
        self.writing += time.perf_counter() - started


class Log:
    """metrics.csv and TensorBoard events, one row an epoch; rows past the state that is resumed from are dropped."""

    def __init__(self, run_dir: Path, epoch: int):
        self.path, self.rows = run_dir / "metrics.csv", []
        if self.path.exists():
            with open(self.path, newline="", encoding="utf-8") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["epoch"]) < epoch]
        self.board = SummaryWriter(str(run_dir / "tensorboard"), purge_step=epoch)

    def write(self, epoch: int, values: dict[str, float]) -> None:
        self.rows.append({"epoch": epoch, **values})
        with atomic_file(self.path) as part, open(part, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, fieldnames=list(self.rows[-1]))
            table.writeheader()
            table.writerows(self.rows)
        for name, value in values.items():
            self.board.add_scalar(name, value, epoch)

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *error) -> None:
        self.board.close()
