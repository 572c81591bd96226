"""What a classifier is worth: weighted F1 (the paper's score), accuracy, confusion and calibration."""

from collections.abc import Callable

import torch
from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_calibration_error,
    multiclass_confusion_matrix,
    multiclass_f1_score,
)

from discom.data.batches import Images
from discom.methods import Method

__all__ = ["confusion", "embed", "predict_logits", "scores", "weighted_f1"]


def weighted_f1(logits: Tensor, labels: Tensor) -> Tensor:
    """Σ_c (n_c / N) · F1_c × 100: the F1 of every class, weighted by its share of the labels; 0 to 100, a scalar.

    Source: DisCoM-KD, section 4 (there from scikit-learn, here from torchmetrics, on the device).

    Args:
        logits: [N, C].
        labels: [N], int64 in [0, C).

    >>> weighted_f1(torch.eye(3), torch.tensor([0, 1, 2])).item()
    100.0
    """
    return 100 * multiclass_f1_score(logits, labels, num_classes=logits.shape[1], average="weighted")


def scores(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Weighted F1 and accuracy in percent, and the expected calibration error (15 bins, in [0, 1]).

    >>> sorted(scores(torch.eye(3), torch.tensor([0, 1, 2])))
    ['accuracy', 'calibration_error', 'f1']
    """
    probabilities = logits.softmax(1)
    error = multiclass_calibration_error(probabilities, labels, num_classes=logits.shape[1], n_bins=15)
    return {
        "f1": float(weighted_f1(logits, labels)),
        "accuracy": 100 * float((logits.argmax(1) == labels).float().mean()),
        "calibration_error": float(error),
    }


def confusion(logits: Tensor, labels: Tensor) -> Tensor:
    """Counts [C, C]: row the true class, column the predicted one."""
    return multiclass_confusion_matrix(logits, labels, num_classes=logits.shape[1])


@torch.inference_mode()
def predict_logits(
    predict: Callable[[Tensor], Tensor], images: Images, batch_size: int = 512, memory_format=torch.contiguous_format
) -> Tensor:
    """Logits [N, C], float32, of every image, in the order of the data; the network must be in eval mode."""
    rows = torch.arange(len(images)).split(batch_size)
    return torch.cat([predict(images[chunk].contiguous(memory_format=memory_format)).float() for chunk in rows])


@torch.inference_mode()
def embed(model: Method, name: str, images: Images, batch_size: int = 512) -> dict[str, Tensor]:
    """The named parts of one modality's embedding, [N, D] each, of every image in the order of the data: no loader that
    shuffles or drops stands in between. The model is put into eval mode."""
    model.eval()
    parts = [model.embed(name, images[chunk]) for chunk in torch.arange(len(images)).split(batch_size)]
    return {part: torch.cat([held[part] for held in parts]).float().cpu() for part in parts[0]}
