"""Checkpoints: save and resume a training run."""

import io
import time
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


class Checkpoint:
    """Where a run stands after an epoch: its parts, which are all that has a `state_dict`, such as
    the networks, `model`; the rows of its log; and for each deployed network the best score, its
    epoch and its weights.

    All of it is one file, so that weights and scores are of the same epoch. A DataError where the
    file is damaged or holds more than tensors and numbers: code in it is not run.
    """

    def __init__(self, run_dir: Path, precision: str, **parts: Any):
        self.run_dir, self.path, self.parts = run_dir, run_dir / STATE, parts
        self.epoch, self.seconds, self.precision = 0, 0.0, precision
        self.rows: list[dict[str, float]] = []
        self.best: dict[str, dict[str, Any]] = {}
        self.writing = 0.0  # seconds
        if self.path.exists():
            with as_data_error(self.path, "tensors and numbers", "delete it to start anew"):
                saved = torch.load(self.path, map_location="cpu", weights_only=True)
                for name, part in self.parts.items():
                    part.load_state_dict(saved[name])
                vars(self).update({name: saved[name] for name in SAVED})
            if precision != self.precision.rpartition(", ")[2]:  # another machine takes over
                self.precision += f", {precision}"

    def keep(self, metric: str, scores: Mapping[str, float], epoch: int, select: str) -> None:
        """Remember the weights of every network whose validation score is the highest so far; or,
        if the last epoch is selected, those of every network."""
        metric, model = f"valid_{metric}", self.parts["model"]
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
            with atomic_file(runs.weights_file(self.run_dir, name)) as part:
                part.write_bytes(to_safetensors(weights, {"epoch": str(best["best_epoch"])}))
