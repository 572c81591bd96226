"""From a finished run to a folder that answers raw images: written, compared with the trained
branch, and then put in its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from discom.config import Config
from discom.data import MultiModalData, Split
from discom.deployment.card import CARD, write_card
from discom.deployment.contract import Contract
from discom.deployment.cost import ROUNDS, compare_costs, student_of
from discom.deployment.graph import Deployed, write_graphs
from discom.deployment.loading import ONNX, PT2, load, require
from discom.errors import ConfigError, RunError
from discom.evaluation import scores
from discom.evaluation.inspection import load_run
from discom.files import atomic_folder, check_place
from discom.machine import machine
from discom.runs import Result, read_predictions

__all__ = ["TOLERANCE", "Export", "agreement", "export", "make_contract"]

TOLERANCE = 1e-4  # most that a file's answers may differ from the trained branch's
CHUNK = 256  # images that are answered at once


@dataclass(frozen=True)
class Export:
    """What was written, and what was measured on it.

    Args:
        contract: what is in both files.
        result: of the run.
        differences: file → "logits" and "probabilities" → largest difference from the trained
        branch.
        images: of the test part, on which they were compared.
        scores: of model.onnx on them: f1, accuracy, calibration_error.
        costs: what `compare_costs` gave.
        rounds: of the timing.
        machine: where it was timed.
    """

    contract: Contract
    result: Result
    differences: Mapping[str, Mapping[str, float]]
    images: int
    scores: Mapping[str, float]
    costs: Mapping[str, Mapping[str, Any]]
    rounds: int
    machine: Mapping[str, Any]


def export(
    run_dir: Path | str,
    split: Split,
    modality: str | None,
    out: Path | str,
    *,
    overwrite: bool = False,
    rounds: int = ROUNDS,
) -> Export:
    """Write model.onnx, model.pt2 and MODEL_CARD.md of one trained branch, or nothing.

    Both files take images in the sensor's unit, scale them by the run's own bounds, and hold their
    contract. Before the folder is put in its place, both answer the whole test part and are
    compared with the branch as it was trained, on the images as training scaled them.

    Args:
        run_dir: a finished run of classification.
        split: of its data, with its seed.
        modality: the deployed network; None where the run has one alone.
        out: the folder to be.
        overwrite: whether an earlier export there is replaced.
        rounds: of the timing.

    Raises:
        RunError: the run is not done, is of other data, or a file's answers differ from the
        branch's by more than 1e-4.
        ConfigError: an unknown modality, a dense method, or onnx, onnxscript or onnxruntime is not
        installed.
        DataError: `out` exists and may not be replaced.
    """
    run_dir, out = Path(run_dir), Path(out)
    check_place(out, CARD, overwrite)
    for module in ("onnx", "onnxscript", "onnxruntime"):
        require(module)
    result = Result.read(run_dir / "result.json")
    modality = _chosen(result, modality)
    model, _ = load_run(run_dir, split, modality)
    _check_classes(run_dir, split)
    branch, contract = model.branch(modality).eval(), make_contract(result, split, modality)
    bounds = None if contract.low is None else (split.train.normalization or {})[modality]
    network = Deployed(branch, bounds)
    with atomic_folder(out, marker=CARD, overwrite=overwrite) as part:
        write_graphs(network, contract, part)
        differences, scored = agreement(part, branch, split.test, modality)
        student = student_of(Config(**result.config), split.train, modality, bounds)
        costs = compare_costs(network, student, contract, part, rounds)
        count, here = len(split.test.modalities[modality].x), machine(torch.device("cpu"))
        made = Export(contract, result, differences, count, scored, costs, rounds, here)
        write_card(made, split, part / CARD)
    return made


def make_contract(result: Result, split: Split, modality: str) -> Contract:
    """What the files say of themselves; data that were prepared as scaled have neither bounds nor a
    unit."""
    held, train = split.train.modalities[modality], split.train
    bounds = None if train.normalized else (train.normalization or {})[modality]
    bands, height, width = held.x.shape[1:]
    return Contract(
        method=result.method, data=result.data, seed=result.seed, run=result.hash, modality=modality,
        classes=tuple(train.classes), bands=bands, height=height, width=width,
        unit=held.unit, invalid=held.invalid,
        low=tuple(bounds.low.tolist()) if bounds else None, high=tuple(bounds.high.tolist()) if bounds else None,
    )  # fmt: skip


def agreement(
    folder: Path, branch: nn.Module, test: MultiModalData, modality: str
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Compare both files, on raw images, with the branch on the images as training scaled them.

    Returns:
        File → "logits" and "probabilities" → largest absolute difference over the test part; the
        scores of model.onnx.

    Raises:
        RunError: more than 1e-4; of logits above 1, 1e-4 of the largest.
    """
    files = {name: load(folder / name, torch.get_num_threads()) for name in (ONNX, PT2)}
    differences = {name: {"logits": 0.0, "probabilities": 0.0} for name in files}
    largest, kept = 1.0, []
    for raw, scaled in _chunks(test, modality):
        with torch.inference_mode():
            logits = branch(torch.from_numpy(scaled))
        expected = {"logits": logits.numpy(), "probabilities": logits.softmax(1).numpy()}
        largest = max(largest, float(logits.abs().max()))
        for name, model in files.items():
            answers = dict(zip(expected, model.answer(raw), strict=True))
            for kind, values in expected.items():
                # maximum keeps a NaN
                worst = float(
                    np.maximum(differences[name][kind], np.abs(answers[kind] - values).max())
                )
                differences[name][kind] = worst
            kept += [answers["logits"]] if name == ONNX else []
    for name, found in differences.items():
        if not (found["probabilities"] <= TOLERANCE and found["logits"] <= TOLERANCE * largest):
            raise RunError(
                f"{name}: differs from the trained branch by {found['probabilities']:.1g} in probabilities and"
                f" {found['logits']:.1g} in logits, {TOLERANCE:g} is allowed; nothing was written, try the versions of"
                " torch, onnxscript and onnxruntime that requirements.txt names"
            )
    labels = torch.from_numpy(np.asarray(test.modalities[modality].y))
    return differences, scores(torch.from_numpy(np.concatenate(kept)), labels)


def _chunks(test: MultiModalData, modality: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The test images as they come and as training scales them, some hundred at a time."""
    images = test.modalities[modality].x
    for first in range(0, len(images), CHUNK):
        rows = slice(first, first + CHUNK)
        yield np.array(images[rows], np.float32), np.array(test.images(modality, rows))


def _chosen(result: Result, modality: str | None) -> str:
    there = list(result.scores)
    if result.metric != "f1":
        raise ConfigError(
            f"{result.method}: names a class for every pixel; export takes methods of classification"
        )
    if modality is None and len(there) == 1:
        modality = there[0]
    if modality not in there:
        wanted = "name one" if modality is None else f"'{modality}' is not among its networks"
        raise ConfigError(
            f"--modality: {wanted}; this run of {result.method} has {', '.join(there)}"
        )
    if "+" in modality:
        raise ConfigError(
            f"--modality: {modality} reads several sensors at once; export takes a network of one sensor"
        )
    return modality


def _check_classes(run_dir: Path, split: Split) -> None:
    """The split's identity knows labels as numbers; here their names go into a file."""
    theirs = read_predictions(run_dir / "predictions.npz")["classes"].tolist()
    if theirs != list(split.train.classes):
        raise RunError(
            f"{run_dir}: was trained with classes {theirs}, the data has {list(split.train.classes)}"
        )
