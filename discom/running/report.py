"""The end of a run: the test, and what its result says."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from lightning.fabric import Fabric

from discom.config import Config
from discom.data import MultiModalData, Split
from discom.data.batches import Batches
from discom.data.checks import UNLABELLED
from discom.evaluation.scores import Scoring, class_counts, count_by_group
from discom.files import write_json
from discom.hardware import machine, peak_memory
from discom.running.checkpoint import Checkpoint
from discom.running.identity import ORIGIN, settings_of
from discom.running.runs import Result, read_predictions


def report(
    run: Mapping[str, Any],
    split: Split,
    config: Config,
    network: Any,
    fabric: Fabric,
    batches: Batches,
    state: Checkpoint,
    scoring: Scoring,
) -> Result:
    """Test the best weights; write weights, predictions and the result, and end the checkpoint."""
    state.write_weights()
    deployed = {name: network.branch(name) for name in network.deployed}
    counts = {part: len(data) for part, data in split._asdict().items()}
    counts["labelled"] = int((split.train.labels != UNLABELLED).sum())
    best = {frozenset(name.split("+")): score for name, score in split.train.best.items()}
    tested = None
    scores = scoring.test(state.best, state.run_dir)
    if run["fold"] is not None:
        predictions = read_predictions(state.run_dir / "predictions.npz")
        tested = count_by_group(split.test, predictions, network.deployed)
    result = Result(
        **{name: run[name] for name in ("method", "data", "seed", "teacher", "code", *ORIGIN)},
        scores=scores,
        parameters={k: sum(w.numel() for w in own.parameters()) for k, own in deployed.items()},
        seconds=state.seconds,
        pairs_per_second=batches.count * config.epochs / state.seconds,
        peak_memory_mb=peak_memory(fabric.device),
        config=settings_of(type(network), config),
        machine=machine(fabric.device),
        counts=counts,
        classes=len(split.train.classes),
        changed=type(network).changed(config.options),
        best={k: best[own] for k in deployed if (own := frozenset(k.split("+"))) in best},
        metric=scoring.metric,
        tested=tested,
    )
    _warn_of_chance(result, split.test, state.run_dir)
    write_json(state.run_dir / "result.json", result.to_json())
    state.path.unlink(missing_ok=True)
    return result


def _warn_of_chance(result: Result, test: MultiModalData, run_dir: Path) -> None:
    """Warn where a network is no better than the most frequent class of what it was tested on, nor
    finds rare classes, which costs accuracy."""
    for name, scores in result.scores.items():
        own = test.select(name.split("+"))
        if len(own.modalities) > 1:
            own = own.take(np.flatnonzero(np.isin(own.ids, own.paired_ids)))
        counts = class_counts(own, result.metric == "miou")
        chance, recall = 100 * counts.max() / counts.sum(), 100 / (counts > 0).sum()
        below = scores["accuracy"] <= chance + 1e-3  # scores are float32
        if below and scores.get("balanced_accuracy", 0) <= recall + 1e-3:
            found = f"{name} is right in {scores['accuracy']:.1f} %, the most frequent class alone"
            advice = "look at its curves, train longer, or lower learning_rate"
            warnings.warn(f"{run_dir}: {found} in {chance:.1f} %; {advice}", stacklevel=2)
