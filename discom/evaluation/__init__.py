"""What a trained network is worth and what its embeddings hold."""

from discom.evaluation.dense import confusion
from discom.evaluation.scores import (
    CLASSIFICATION,
    SEGMENTATION,
    Task,
    calibration_error,
    embed,
    predict_logits,
    reliability,
    scores,
    task_of,
    weighted_f1,
)

__all__ = [
    "CLASSIFICATION",
    "SEGMENTATION",
    "Task",
    "calibration_error",
    "confusion",
    "embed",
    "predict_logits",
    "reliability",
    "scores",
    "task_of",
    "weighted_f1",
]
