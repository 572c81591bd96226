"""Checkpoints: save and resume a training run, and stop it cleanly."""

import csv
import io
import os
import pickle
import signal
import threading
import time
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_safetensors
from torch import Tensor

from discom.errors import Interrupted, RunError, explain, first_line
from discom.files import atomic_file
from discom.runs import weights_file

__all__ = ["Checkpoint", "forget", "stoppable"]

FILES = ("state.pt", "state-before.pt")  # the newest, and the one to fall back on
TIME_SHARE = 0.05  # of the training time may go into writing checkpoints
GOES_ON = "the same command goes on from the last saved epoch"


@contextmanager
def stoppable(what: Path | str) -> Iterator[None]:
    """Make SIGTERM do what Ctrl-C does, and turn both into an Interrupted that says how to go on.

    Raises:
        RunError: the disk refuses, or another process of the same run has ended.
    """

    def stop(number, frame):
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if main else None
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"{what}: interrupted; {GOES_ON}") from None
    except OSError as error:
        raise RunError(f"{explain(error, what)}; then {GOES_ON}") from None
    except RuntimeError as error:
        if isinstance(error, torch.distributed.DistError) or "/gloo/" in str(error):
            raise RunError(f"{what}: another process of this run has ended; {GOES_ON}") from None
        raise
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


class Checkpoint:
    """Where a run stands after an epoch: networks, optimizer and schedule, the rows of its log, and
    for each deployed network the best score, its epoch and its weights.

    All of it is one file, so that weights and scores are always of the same epoch. The checkpoint
    before is kept, for the case that the newest one is damaged.

    Args:
        run_dir: folder of the run.
        parts: model, optimizer and schedule, which have a state_dict.

    Raises:
        RunError: every checkpoint is damaged, or one holds more than tensors and numbers.
    """

    def __init__(self, run_dir: Path, **parts: Any):
        self.run_dir, self.parts = run_dir, parts
        self.path, self.before = (run_dir / name for name in FILES)
        self.epoch, self.seconds = 0, 0.0
        self.rows: list[dict[str, float]] = []
        self.best: dict[str, dict[str, Any]] = {}
        self.writing = 0.0  # seconds
        self.whole = False  # whether the file at `path` may become the one before
        if saved := self._read():
            for name, part in self.parts.items():
                part.load_state_dict(saved[name])
            self.epoch, self.seconds = saved["epoch"], saved["seconds"]
            self.rows, self.best = saved["rows"], saved["best"]

    def _read(self) -> dict[str, Any] | None:
        damages: list[str] = []
        for path in filter(Path.exists, (self.path, self.before)):
            try:
                saved = _load(path, {*self.parts, "epoch", "seconds", "rows", "best"})
            except RunError:
                raise
            except Exception as error:  # whatever is wrong with the file, the way out is the same
                damages.append(f"{path}: cannot be resumed from ({first_line(error)})")
                continue
            for damage in damages:
                warnings.warn(f"{damage}; going on from {path.name}, the one before", stacklevel=4)
            self.whole = path == self.path
            return saved
        if damages:
            names = " and ".join(path.name for path in (self.path, self.before) if path.exists())
            raise RunError(f"{'; '.join(damages)}; delete {names} to start anew")
        return None

    def keep_best(self, metric: str, scores: Mapping[str, float], model: Any, epoch: int) -> None:
        """Remember the weights of every network whose validation score is the highest so far."""
        for name, score in scores.items():
            if name not in self.best or score > self.best[name][f"valid_{metric}"]:
                weights = {k: v.detach().cpu().clone() for k, v in model.state(name).items()}
                self.best[name] = {
                    f"valid_{metric}": score,
                    "best_epoch": epoch,
                    "weights": weights,
                }

    def save(self, epoch: int, row: dict[str, float]) -> None:
        """Write metrics.csv, and unless that has taken more than its share of the time the
        checkpoint."""
        self.epoch = epoch + 1
        self.rows.append({"epoch": epoch, **row})
        metrics = self.run_dir / "metrics.csv"
        with (
            atomic_file(metrics, durable=False) as part,
            open(part, "w", newline="", encoding="utf-8") as file,
        ):
            table = csv.DictWriter(file, fieldnames=list(self.rows[-1]))
            table.writeheader()
            table.writerows(self.rows)
        if self.writing > TIME_SHARE * self.seconds:
            return
        started = time.perf_counter()
        saved = {name: part.state_dict() for name, part in self.parts.items()}
        saved |= {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "rows": self.rows,
            "best": self.best,
        }
        # Fabric's own save goes through the system's temporary folder and hides missing rights;
        # torch's, to a file, ends the process where the disk is full
        content = io.BytesIO()
        torch.save(saved, content)
        with atomic_file(self.path) as part:
            part.write_bytes(content.getbuffer())
            if self.whole:
                self.whole = False
                os.replace(self.path, self.before)
        self.whole = True
        self.writing += time.perf_counter() - started

    def write_weights(self) -> None:
        """Write weights/<network>.safetensors, which name their epoch in the file's metadata."""
        for name, best in self.best.items():
            weights: dict[str, Tensor] = {k: v.contiguous() for k, v in best["weights"].items()}
            metadata = {"epoch": str(best["best_epoch"])}
            with atomic_file(weights_file(self.run_dir, name)) as part:
                part.write_bytes(to_safetensors(weights, metadata))


def _load(path: Path, keys: set[str]) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU; code in it is refused, not run."""
    with zipfile.ZipFile(path) as archive:  # torch compares no checksums
        if damaged := archive.testzip():
            raise zipfile.BadZipFile(f"{damaged} is damaged")
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise RunError(
            f"{path}: holds more than tensors and numbers, perhaps code, and was not made by a"
            " training; delete it to go on without"
        ) from None
    if missing := keys - set(saved):
        raise KeyError(f"it has no {min(missing)}")
    return saved


def forget(run_dir: Path) -> None:
    """Delete the checkpoints of a run that is done."""
    for name in FILES:
        (run_dir / name).unlink(missing_ok=True)
