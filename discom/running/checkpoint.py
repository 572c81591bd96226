"""Checkpoints: save and resume a training run."""

import io
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import save as to_safetensors

from discom.files import as_data_error, atomic_file
from discom.running import runs

STATE = "state.pt"
# besides the state of networks and optimizers
SAVED = ("epoch", "seconds", "rows", "best", "precision")
TIME_SHARE = 0.05  # of the training time may go into writing checkpoints
LARGE = 100e6  # bytes of a checkpoint, from which on a person is told


class Checkpoint:
    """Where a run stands after an epoch: its parts, which are all that has a `state_dict`, such as
    the networks, `model`; the rows of its log; and for each deployed network the best score, its
    epoch and, unless the last epoch is selected, its weights.

    All of it is one file, replaced as a whole, so that weights and scores are of the same epoch. A
    DataError where the file is damaged or holds more than tensors and numbers: code in it is not
    run.
    """

    def __init__(self, run_dir: Path, precision: str, **parts: Any):
        self.run_dir, self.path, self.parts = run_dir, run_dir / STATE, parts
        self.epoch, self.seconds, self.precision = 0, 0.0, precision
        self.rows: list[dict[str, float]] = []
        self.best: dict[str, dict[str, Any]] = {}
        self.writing = 0.0  # seconds
        self.written = 0  # epochs that are done in the file
        if self.path.exists():
            with as_data_error(self.path, "tensors and numbers", "delete it to start anew"):
                saved = torch.load(self.path, map_location="cpu", weights_only=True)
                states = {name: saved[name] for name in (*self.parts, *SAVED)}
            for name, part in self.parts.items():  # a device without memory damages no file
                part.load_state_dict(states.pop(name))
            vars(self).update(states)
            for name, best in self.best.items():
                if best.get("weights", ...) is None:  # the epoch that the file is of is the best
                    best["weights"] = self._weights(name)
            self.written = self.epoch
            if precision != self.precision.rpartition(", ")[2]:  # another machine takes over
                self.precision += f", {precision}"

    def size(self, select: str) -> int:
        """Bytes of the file, at most: weights, AdamW's two means of the gradient of each, and the
        best weights of each network, where those are not the last."""
        model = self.parts["model"]
        kept = [model.state(name) for name in model.deployed] if select == "best" else []
        states = [w.nbytes for state in (model.state_dict(), *kept) for w in state.values()]
        return sum(states) + 2 * sum(w.nbytes for w in model.parameters() if w.requires_grad)

    def announce(self, select: str) -> None:
        """Warn of a file that is LARGE, such as on a mounted Drive."""
        if (size := self.size(select)) > LARGE:
            found = (
                f"the checkpoint takes up to {size / 1e6:.0f} MB, twice that while it is replaced"
            )
            warnings.warn(f"{self.run_dir}: {found}; a local disk is quicker", stacklevel=3)

    def keep(self, metric: str, scores: Mapping[str, float], epoch: int, select: str) -> None:
        """Remember the weights of every network whose validation score is the highest so far; if
        the last epoch is selected, those of the networks themselves count."""
        for name, score in scores.items():
            best = self.best.get(name)
            if select == "best" and best and score <= best[f"valid_{metric}"]:
                continue
            self.best[name] = {f"valid_{metric}": score, "best_epoch": epoch}
            if select == "best":
                self.best[name]["weights"] = self._weights(name)

    def _weights(self, name: str) -> dict[str, torch.Tensor]:
        """A copy of what a deployed network weighs now, on the CPU."""
        state = self.parts["model"].state(name)
        return {key: weight.detach().cpu().clone() for key, weight in state.items()}

    def save(self, epoch: int, row: dict[str, float]) -> None:
        """Write metrics.csv, and the checkpoint where that has not taken its share of the time."""
        self.epoch = epoch + 1
        self.rows.append({"epoch": epoch, **row})
        with atomic_file(self.run_dir / "metrics.csv") as part:
            pd.DataFrame(self.rows).to_csv(part, index=False)
        if self.writing <= TIME_SHARE * self.seconds:
            self.write()

    def write(self) -> None:
        """Write the checkpoint, unless the file is of this epoch."""
        if self.written == self.epoch:
            return
        started = time.perf_counter()
        content = {name: part.state_dict() for name, part in self.parts.items()}
        content |= {name: getattr(self, name) for name in SAVED}
        content["best"] = {name: self._without_copies(best) for name, best in self.best.items()}
        buffer = io.BytesIO()  # to a file, torch.save would end the process where the disk is full
        torch.save(content, buffer)
        with atomic_file(self.path) as part:
            part.write_bytes(buffer.getbuffer())
        self.writing += time.perf_counter() - started
        self.written = self.epoch

    def _without_copies(self, best: Mapping[str, Any]) -> dict[str, Any]:
        """What is the best of a network, without weights that `model` has itself."""
        last = "weights" in best and best["best_epoch"] == self.epoch - 1
        return {**best, "weights": None} if last else dict(best)

    def write_weights(self) -> None:
        """Write weights/<network>.safetensors, which name their epoch in the file's metadata; and
        where those are not all of the last epoch, last.safetensors, the whole model after it, since
        weights of several epochs never met."""
        for name, best in self.best.items():
            weights = best.get("weights") or self._weights(name)
            self._write(runs.weights_file(self.run_dir, name), weights, best["best_epoch"])
        last = self.epoch - 1
        if any(best["best_epoch"] != last for best in self.best.values()):
            weights = self.parts["model"].state_dict()
            self._write(runs.last_file(self.run_dir), weights, last)

    def _write(self, file: Path, weights: Mapping[str, torch.Tensor], epoch: int) -> None:
        weights = {key: weight.detach().cpu().contiguous() for key, weight in weights.items()}
        with atomic_file(file) as part:
            part.write_bytes(to_safetensors(weights, {"epoch": str(epoch)}))
