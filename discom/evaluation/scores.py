"""What a network is worth: weighted F1 (DisCoM-KD's score), accuracy, confusion and calibration;
mean IoU where every pixel has a class (`evaluation.dense`)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_calibration_error,
    multiclass_confusion_matrix,
    multiclass_f1_score,
)

from discom.data.batches import Images
from discom.evaluation.dense import dense_scores, mean_iou
from discom.methods import Method

__all__ = ["CLASSIFICATION", "SEGMENTATION", "Task", "confusion", "embed", "predict_logits", "scores", "task_of",
           "weighted_f1"]  # fmt: skip


def weighted_f1(logits: Tensor, labels: Tensor) -> Tensor:
    """Σ_c (n_c / N) · F1_c × 100: the F1 of every class, weighted by its share of the labels; 0 to
    100, a scalar.

    Source: DisCoM-KD, section 4 (there from scikit-learn, here from torchmetrics, on the device).

    Args:
        logits: [N, C].
        labels: [N], int64 in [0, C).

    >>> weighted_f1(torch.eye(3), torch.tensor([0, 1, 2])).item()
    100.0
    """
    return 100 * multiclass_f1_score(
        logits, labels, num_classes=logits.shape[1], average="weighted"
    )


def scores(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Weighted F1 and accuracy in percent, and the expected calibration error (15 bins, in [0, 1]).

    >>> sorted(scores(torch.eye(3), torch.tensor([0, 1, 2])))
    ['accuracy', 'calibration_error', 'f1']
    """
    probabilities = logits.softmax(1)
    error = multiclass_calibration_error(
        probabilities, labels, num_classes=logits.shape[1], n_bins=15
    )
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
    predict: Callable[[Tensor], Tensor],
    images: Images,
    batch_size: int = 512,
    memory_format=torch.contiguous_format,
    keep: Callable[[Tensor], Tensor] = Tensor.float,
) -> Tensor:
    """Logits [N, C], float32, of every image, or what `keep` makes of them, in the order of the
    data; the network must be in eval mode.

    Args:
        predict: images [B, C_in, H, W] → logits.
        images: of one deployed network.
        batch_size: images at once.
        memory_format: of the images.
        keep: what is kept of a batch's logits, where they are too many to hold; see `Task`.
    """
    rows = torch.arange(len(images)).split(batch_size)
    return torch.cat(
        [keep(predict(images[chunk].contiguous(memory_format=memory_format))) for chunk in rows]
    )


@torch.inference_mode()
def embed(model: Method, name: str, images: Images, batch_size: int = 512) -> dict[str, Tensor]:
    """The named parts of one modality's embedding, [N, D] each, of every image in the order of the
    data: no loader that shuffles or drops stands in between. The model is put into eval mode."""
    model.eval()
    parts = [
        model.embed(name, images[chunk]) for chunk in torch.arange(len(images)).split(batch_size)
    ]
    return {part: torch.cat([held[part] for held in parts]).float().cpu() for part in parts[0]}


class Task(NamedTuple):
    """How the answers to one kind of question are kept and scored.

    Args:
        metric: the score that chooses the epoch and that tables show, a key of `scores`.
        kept: what predictions.npz calls the answers.
        keep: logits of a batch → answers.
        select: (answers, truth, number of classes) → the score `metric`, a scalar, 0 to 100.
        scores: (answers, truth, names of the classes) → every score of the test part.
        batch_size: images at once.
    """

    metric: str
    kept: str
    keep: Callable[[Tensor], Tensor]
    select: Callable[[Tensor, Tensor, int], Tensor]
    scores: Callable[[Tensor, Tensor, Sequence[str]], dict[str, float]]
    batch_size: int


CLASSIFICATION = Task(
    "f1", "logits", Tensor.float, lambda logits, labels, _: weighted_f1(logits, labels),
    lambda logits, labels, _: scores(logits, labels), 512,
)  # fmt: skip
SEGMENTATION = Task(
    "miou", "predicted", lambda logits: logits.argmax(1).to(torch.uint8), mean_iou, dense_scores, 64
)  # of a megapixel image the logits of all classes would not fit


def task_of(method: type[Method] | Method) -> Task:
    """What a method is asked for: one class for an image, or one for every pixel."""
    return SEGMENTATION if method.dense else CLASSIFICATION
