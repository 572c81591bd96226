"""What a network is worth: F1, accuracy and calibration of its logits, overlap of its masks with
the truth.

Letters: N images, H x W pixels, C classes. Masks `predicted` and `labels` are class ids [N, H, W],
uint8 or int64, in [0, C). A label of 255 (`NO_LABEL`) is no label: no score counts that pixel. A
class is present where at least one pixel has its label; an absent class has no score.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning.fabric import Fabric
from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_calibration_error,
    multiclass_confusion_matrix,
    multiclass_f1_score,
)

from discom.data import MultiModalData, Split
from discom.data.batches import ModalityTensor
from discom.errors import DataError
from discom.files import atomic_file
from discom.labels import NO_LABEL, UNLABELLED

BATCH_SIZE = {False: 512, True: 64}  # whether a network is dense → images that it scores at once


def scores(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Every score of a test part, from logits [N, C] and labels [N], int64 in [0, C): in percent
    "f1", the F1 of every class, weighted by its share of the labels; accuracy; "macro_f1" and
    "balanced_accuracy", the means of F1 and of recall over the classes present; and the expected
    calibration error over 15 bins of confidence, in [0, 1]::

        f1 = Σ_c (n_c / N) · F1_c;   ECE = Σ_b (n_b / N) · |accuracy_b − confidence_b|

    Source: DisCoM-KD, section 4; C. Guo et al., On Calibration of Modern Neural Networks, ICML
    2017, equation 3.
    """
    classes = logits.shape[1]
    recall, f1, _ = _by_class(multiclass_confusion_matrix(logits, labels, classes))
    shares = logits.softmax(1).clamp(max=1 - 1e-6)  # torchmetrics gives 1 a bin of its own
    gap = multiclass_calibration_error(shares, labels, classes, n_bins=15)
    return {
        "f1": float(100 * multiclass_f1_score(logits, labels, classes, average="weighted")),
        "macro_f1": float(f1.nanmean()),
        "balanced_accuracy": float(recall.nanmean()),
        "accuracy": 100 * float((logits.argmax(1) == labels).float().mean()),
        "calibration_error": float(gap),
    }


def dense_scores(predicted: Tensor, labels: Tensor, class_names: Sequence[str]) -> dict[str, float]:
    """Every score of a test part in percent: "miou", the mean over the present classes of::

        IoU_c = 100 · TP_c / (TP_c + FP_c + FN_c) over the labelled pixels of all images together,

    "dice", the same mean of Dice_c = 2·IoU_c / (1 + IoU_c), "accuracy" (share of the labelled
    pixels that are right), and "iou/<class>" and "dice/<class>" of each class that is present.

    Source: Pascal VOC (Everingham et al. 2010); of these pixels Dice is the class's F1.

    >>> truth = torch.tensor([[[0, 0, 1, 255]]])
    >>> dense_scores(torch.tensor([[[0, 1, 1, 2]]]), truth, ("grass", "crop", "water"))["iou/crop"]
    50.0
    """
    options: dict[str, Any] = {"ignore_index": NO_LABEL, "validate_args": False}
    # some at a time: each call copies its pixels, and waits for a GPU
    parts = zip(predicted.split(BATCH_SIZE[True]), labels.split(BATCH_SIZE[True]), strict=True)
    counts: Any = sum(  # [C, C], row the true class
        multiclass_confusion_matrix(masks, truth, len(class_names), **options)
        for masks, truth in parts
    )
    if not counts.any():
        raise DataError("scores", "no pixel of these images has a label", "give images with masks")
    _, dice, iou = _by_class(counts)
    each = {
        f"{kind}/{name}": value
        for kind, values in (("iou", iou), ("dice", dice))
        for name, value in zip(class_names, values.tolist(), strict=True)
        if not math.isnan(value)
    }
    return {
        "miou": float(iou.nanmean()),
        "dice": float(dice.nanmean()),
        "accuracy": 100 * float(counts.trace() / counts.sum()),
        **each,
    }


def class_counts(data: MultiModalData) -> np.ndarray:
    """Labelled samples of each class, of dense data their pixels, [C]."""
    known, size = np.flatnonzero(data.labels != UNLABELLED), len(data.classes)
    truth: Any = data.masks if data.dense else data.labels
    # by torch, since NumPy's makes eight bytes of each pixel
    return torch.from_numpy(truth[known]).flatten().bincount(minlength=size)[:size].numpy()


def count_by_group(
    test: MultiModalData, predictions: Mapping[str, np.ndarray], networks: Iterable[str]
) -> dict[str, Any]:
    """What a test part is scored by: "groups", their names (of data without groups the ids), and
    "counts", network → rows (number of the group, true class, predicted class, how many). Samples
    are counted, where dense labelled pixels; `predictions` as by `running.runs.read_predictions`.
    """
    names, group = np.unique(np.asarray(test.group_ids).astype(str), return_inverse=True)
    kept, index, counts = "predicted" if test.dense else "logits", pd.Index(test.ids), {}
    for name in networks:
        truth, answer = (predictions[f"{name}_{part}"] for part in ("labels", kept))
        place = group[index.get_indexer(predictions[f"{name}_ids"])]
        if test.dense:
            place = np.broadcast_to(place[:, None, None], truth.shape)
        else:
            answer = answer.argmax(1)
        known = (truth != NO_LABEL) | (not test.dense)
        shape = len(names), len(test.classes), len(test.classes)
        codes = np.ravel_multi_index((place[known], truth[known], answer[known]), shape)
        codes, count = np.unique(codes, return_counts=True)
        counts[name] = np.stack([*np.unravel_index(codes, shape), count], 1).tolist()
    return {"groups": names.tolist(), "counts": counts}


def _by_class(counts: Tensor) -> list[Tensor]:
    """Confusions [C, C] → recall, F1 (of pixels Dice) and IoU of every class in percent, [C] each;
    NaN where the class is absent."""
    hits, truth, guessed = counts.diagonal(), counts.sum(1), counts.sum(0)
    wholes = truth, (truth + guessed) / 2, truth + guessed - hits
    return [(100 * hits / whole).where(truth > 0, torch.nan) for whole in wholes]


class Scoring:
    """What a run's networks score: on the validation part, which stays in memory, and on the test
    part, which is read when it is asked for and nowhere else."""

    def __init__(
        self, network: Any, split: Split, fabric: Fabric, memory_format: torch.memory_format
    ):
        self.network, self.split = network, split
        self.fabric, self.memory_format = fabric, memory_format
        dense = partial(dense_scores, class_names=split.train.classes)
        self.scores = dense if network.dense else scores
        # the score that chooses the epoch and stands in tables; the name in predictions.npz
        self.metric, self.kept = ("miou", "predicted") if network.dense else ("f1", "logits")
        self.valid = {name: self._images(split.valid, name) for name in network.deployed}

    def validate(self) -> dict[str, float]:
        """Network → its score on the validation part."""
        return {
            name: self.scores(self._answer(name, images), images.truth())[self.metric]
            for name, images in self.valid.items()
        }

    def test(self, best: Mapping[str, Mapping], run_dir: Path) -> tuple[dict, dict]:
        """Network → scores of its best weights on the test part, else of those that it has, with
        "f1/<part>" where a head reads a part of its embedding; what it writes as predictions."""
        scores = {}
        predictions: dict[str, Any] = {"classes": np.array(self.split.train.classes)}
        for name in self.network.deployed:
            kept = dict(best[name])
            if weights := kept.pop("weights", None):  # else it has those of the last epoch
                self.network.load_state(name, weights)
            images = self._images(self.split.test, name)
            answers, truth = self._answer(name, images).cpu(), images.truth().cpu()
            scores[name] = {**self.scores(answers, truth), **kept}
            for piece, logits in self._answer_from_parts(name, images).items():
                of_piece = self.scores(logits.cpu(), truth)[self.metric]
                scores[name][f"{self.metric}/{piece}"] = of_piece
            predictions[f"{name}_{self.kept}"] = answers.numpy()
            predictions[f"{name}_labels"] = truth.numpy()
            predictions[f"{name}_ids"] = np.array(images.ids.tolist())
        with atomic_file(run_dir / "predictions.npz") as part, open(part, "wb") as file:
            np.savez_compressed(file, **predictions)
        return scores, predictions

    def _images(self, part: MultiModalData, name: str) -> ModalityTensor:
        return ModalityTensor(part, name, self.fabric.device)

    def _answer(self, name: str, images: ModalityTensor) -> Tensor:
        """What one network predicts for `images`, in their order: logits, but of pixels, whose
        logits need too much memory, classes."""
        answers = self._each(images, partial(self.network.predict, name))
        if self.network.dense:
            return torch.cat([logits.argmax(1).to(torch.uint8) for logits in answers])
        return torch.cat([logits.float() for logits in answers])

    def _answer_from_parts(self, name: str, images: ModalityTensor) -> dict[str, Tensor]:
        """Part of the embedding → the logits that are read from it alone."""
        answers = list[dict[str, Tensor]]()
        for logits in self._each(images, partial(self.network.predict_from_parts, name)):
            if not logits:  # of most methods: no more images are read
                return {}
            answers.append(logits)
        return {part: torch.cat([own[part].float() for own in answers]) for part in answers[0]}

    @torch.inference_mode()
    def _each(self, images: ModalityTensor, predict: Callable[[Tensor], Any]) -> Iterator[Any]:
        """What `predict` makes of the images, some at a time."""
        self.network.eval()
        for rows in torch.arange(len(images)).split(BATCH_SIZE[self.network.dense]):
            with self.fabric.autocast():
                yield predict(images[rows].contiguous(memory_format=self.memory_format))
