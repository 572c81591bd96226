"""What a trained network is worth and what its embeddings hold."""

from discom.evaluation.scores import (
    CLASSIFICATION,
    SEGMENTATION,
    Task,
    confusion,
    embed,
    predict_logits,
    scores,
    task_of,
    weighted_f1,
)

__all__ = [
    "CLASSIFICATION",
    "SEGMENTATION",
    "Task",
    "confusion",
    "embed",
    "predict_logits",
    "scores",
    "task_of",
    "weighted_f1",
]
