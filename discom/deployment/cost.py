"""What an answer costs: parameters, bytes and time, a branch beside the plain student of the same
settings."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from discom import methods
from discom.config import Config
from discom.data import MultiModalData, Normalization
from discom.deployment.contract import Contract
from discom.deployment.graph import Deployed, write_graphs
from discom.deployment.loading import ONNX, PT2, load

__all__ = ["BATCHES", "compare_costs", "student_of"]

BATCHES = (1, 32)  # images at once that are timed
ROUNDS, WARM = 30, 3


def student_of(
    config: Config, train: MultiModalData, modality: str, bounds: Normalization | None
) -> Deployed:
    """The `student` of the same settings, with its first weights: what it costs does not depend on
    them."""
    with torch.random.fork_rng():
        student = methods.build(methods.get("student"), train, replace(config, options={}))
    return Deployed(student.branch(modality), bounds)


def compare_costs(
    branch: Deployed, student: Deployed, contract: Contract, folder: Path, rounds: int = ROUNDS
) -> dict[str, dict[str, Any]]:
    """Parameters, bytes of each file and milliseconds an image, of a branch and of the student,
    measured in turn.

    All six (torch, the torch.export archive and ONNX Runtime, of both networks) answer the same
    images in every round, one after the other, on as many threads as torch has; medians over the
    rounds are given.

    Args:
        branch: the network, whose files are in `folder`.
        student: the other one; its files are written for the time of this call.
        contract: of the branch.
        folder: of the branch's files.
        rounds: timed ones.

    Returns:
        "branch" and "student" → parameters; bytes (file → its size); milliseconds (form → number of
        images at once → median time of one image).
    """
    with tempfile.TemporaryDirectory() as other:
        write_graphs(student, contract, Path(other))
        folders = {"branch": (branch, folder), "student": (student, Path(other))}
        forms = {
            (who, form): answer
            for who, held in folders.items()
            for form, answer in _forms(*held).items()
        }
        times = {batch: _times(forms, batch, contract.shape, rounds) for batch in BATCHES}
        return {
            who: {
                "parameters": sum(p.numel() for p in network.parameters()),
                "bytes": {name: (place / name).stat().st_size for name in (ONNX, PT2)},
                "milliseconds": {
                    form: {batch: times[batch][who, form] for batch in BATCHES}
                    for form in ("torch", PT2, ONNX)
                },
            }
            for who, (network, place) in folders.items()
        }


def _forms(network: Deployed, folder: Path) -> dict[str, Callable[[np.ndarray], Any]]:
    @torch.inference_mode()
    def eager(images: np.ndarray):
        return network(torch.from_numpy(images))

    threads = torch.get_num_threads()
    return {"torch": eager, **{name: load(folder / name, threads).answer for name in (PT2, ONNX)}}


def _times(
    forms: Mapping[Any, Callable[[np.ndarray], Any]],
    batch: int,
    shape: tuple[int, int, int],
    rounds: int,
) -> dict[Any, float]:
    """Median milliseconds an image of each form, over rounds in which all take their turn."""
    images = np.random.default_rng(0).random((batch, *shape), dtype=np.float32)
    seconds: dict[Any, list[float]] = {name: [] for name in forms}
    for _ in range(WARM + rounds):
        for name, answer in forms.items():
            started = time.perf_counter()
            answer(images)
            seconds[name].append(time.perf_counter() - started)
    return {name: 1000 * median(held[WARM:]) / batch for name, held in seconds.items()}
