"""Checkpoints: save and resume a training run, one process at a time, and stop it cleanly."""

import io
import json
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from filelock import FileLock, Timeout
from safetensors.torch import save as to_safetensors

from discom.errors import BusyError, Interrupted, RunError, explain
from discom.files import OURS, atomic_file, read_json, write_json
from discom.running.runs import as_run_error, weights_file

STATE = "state.pt"
SAVED = ("epoch", "seconds", "rows", "best")  # besides the state of networks and optimizers
TIME_SHARE = 0.05  # of the training time may go into writing checkpoints
GOES_ON = "the same command goes on from the last saved epoch"


@contextmanager
def stoppable(what: Path | str) -> Iterator[None]:
    """Turn SIGTERM and Ctrl-C into an Interrupted, and a disk that refuses into a RunError; each
    says how to go on."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if main else None
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"{what}: interrupted; {GOES_ON}") from None
    except OSError as error:
        raise RunError(f"{explain(error, what)}; then {GOES_ON}") from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """Lock a run's folder, made if need be, until this block or its process ends; a BusyError where
    another process has it, a RunError where it cannot be written."""
    lock = FileLock(run_dir / ".lock", timeout=0)
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        found = "another process trains this run"
        raise BusyError(run_dir, found, "wait for it, or stop it") from None
    except OSError as error:
        found = f"cannot be written ({error.strerror})"
        raise RunError(run_dir, found, "choose another folder for runs") from None
    try:
        left = [*run_dir.glob(f"{OURS}*.part"), *run_dir.glob(f"weights/{OURS}*.part")]
        for file in filter(Path.is_file, left):  # of a killed process
            file.unlink()
        yield
    finally:
        lock.release()


def write_identity(run_dir: Path, identity: dict[str, Any]) -> None:
    """Write what was asked for into a run's folder, or see that the same was asked for before; a
    RunError where another run is in it."""
    file = run_dir / "config.json"
    identity = json.loads(json.dumps(identity))  # tuples become lists, as they will be read
    if not file.exists():
        write_json(file, identity)
        return
    with as_run_error(file):
        content = {**read_json(file)}
    if difference := _difference(content, identity):
        if difference.startswith("code="):
            difference = "other code: its method, or what that calls, was edited since"
        raise RunError(run_dir, f"holds a run with {difference}", "use another folder")


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The first name with two values, in nested dicts, and both as text; "" if there is none."""
    for name in {**one, **other}:
        found, wanted = one.get(name), other.get(name)
        if isinstance(found, dict) and isinstance(wanted, dict) and found and wanted:
            if inner := _difference(found, wanted):
                return f"{name}: {inner}"
        elif found != wanted:
            return f"{name}={found!r}, not {wanted!r}"
    return ""


class Checkpoint:
    """Where a run stands after an epoch: networks, optimizer and schedule, the rows of its log, and
    for each deployed network the best score, its epoch and its weights.

    All of it is one file, so that weights and scores are of the same epoch. A RunError where the
    file is damaged or holds more than tensors and numbers: code in it is not run.
    """

    def __init__(self, run_dir: Path, model: Any, optimizer: Any, schedule: Any):
        self.run_dir, self.path = run_dir, run_dir / STATE
        self.parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
        if getattr(model, "adversary_optimizer", None) is not None:
            self.parts["adversary"] = model.adversary_optimizer
        self.epoch, self.seconds = 0, 0.0
        self.rows: list[dict[str, float]] = []
        self.best: dict[str, dict[str, Any]] = {}
        self.writing = 0.0  # seconds
        if self.path.exists():
            try:
                saved = torch.load(self.path, map_location="cpu", weights_only=True)
                for name, part in self.parts.items():
                    part.load_state_dict(saved[name])
                vars(self).update({name: saved[name] for name in SAVED})
            except Exception:  # whatever is wrong with the file, the way out is the same
                found = "is damaged, or holds more than tensors and numbers"
                raise RunError(self.path, found, "delete it to start anew") from None

    def keep(
        self, metric: str, scores: Mapping[str, float], model: Any, epoch: int, select: str
    ) -> None:
        """Remember the weights of every network whose validation score is the highest so far; or,
        if the last epoch is selected, those of every network."""
        metric = f"valid_{metric}"
        for name, score in scores.items():
            if select == "last" or name not in self.best or score > self.best[name][metric]:
                weights = {k: v.detach().cpu().clone() for k, v in model.state(name).items()}
                self.best[name] = {metric: score, "best_epoch": epoch, "weights": weights}

    def save(self, epoch: int, row: dict[str, float]) -> None:
        """Write metrics.csv, and the checkpoint where that has not taken its share of the time."""
        self.epoch = epoch + 1
        self.rows.append({"epoch": epoch, **row})
        with atomic_file(self.run_dir / "metrics.csv") as part:
            pd.DataFrame(self.rows).to_csv(part, index=False)
        if self.writing > TIME_SHARE * self.seconds:
            return
        started = time.perf_counter()
        content = {name: part.state_dict() for name, part in self.parts.items()}
        content |= {name: getattr(self, name) for name in SAVED}
        buffer = io.BytesIO()  # to a file, torch.save would end the process where the disk is full
        torch.save(content, buffer)
        with atomic_file(self.path) as part:
            part.write_bytes(buffer.getbuffer())
        self.writing += time.perf_counter() - started

    def write_weights(self) -> None:
        """Write weights/<network>.safetensors, which name their epoch in the file's metadata."""
        for name, best in self.best.items():
            weights = {k: v.contiguous() for k, v in best["weights"].items()}
            with atomic_file(weights_file(self.run_dir, name)) as part:
                part.write_bytes(to_safetensors(weights, {"epoch": str(best["best_epoch"])}))
