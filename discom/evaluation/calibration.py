"""Whether a network is as often right as it is sure: reliability by bins of confidence, and the
error over them."""

import numpy as np
import pandas as pd

from discom.errors import DataError

__all__ = ["calibration_error", "reliability"]


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> pd.DataFrame:
    """Predictions sorted into equal bins of confidence, the largest probability of each.

    A sample with confidence p is in bin ⌊p · bins⌋, one with p = 1 in the last.

    Args:
        probabilities: [N, C], rows with sum 1.
        labels: [N], in [0, C).
        bins: how many; 15 as in the calibration error of a run's scores.

    Returns:
        A row for each bin: low and high (its bounds), count, confidence (mean) and accuracy (share
        that is right), both in [0, 1] and NaN where the bin is empty.

    Raises:
        DataError: arrays that do not fit together, or rows that are no probabilities (logits, say).

    >>> reliability(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]), bins=2)[["count", "confidence", "accuracy"]]
       count  confidence  accuracy
    0      0         NaN       NaN
    1      2        0.85       0.5
    """
    probabilities, labels = np.asarray(probabilities, float), np.asarray(labels)
    if probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise DataError(
            f"reliability: {probabilities.shape} probabilities for {labels.shape} labels; give [N, C] and [N]"
        )
    if not (np.allclose(probabilities.sum(1), 1, atol=1e-4) and (probabilities >= 0).all()):
        raise DataError(
            "reliability: rows are no probabilities with sum 1; take the softmax of logits first"
        )
    sure, right = probabilities.max(1), probabilities.argmax(1) == labels
    place = np.minimum((sure * bins).astype(int), bins - 1)
    count, total, hits = (np.bincount(place, weights, bins) for weights in (None, sure, right))
    with np.errstate(invalid="ignore"):
        columns = {"count": count, "confidence": total / count, "accuracy": hits / count}
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], **columns})


def calibration_error(table: pd.DataFrame) -> float:
    """The expected calibration error of a table of `reliability`, in [0, 1]; 0 where every bin is
    as right as sure.

    ECE = Σ_b (n_b / N) · |accuracy_b − confidence_b|

    Source: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3.

    >>> calibration_error(reliability(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1])))  # 3 of 4 right at 75 %
    0.0
    """
    held = table[table["count"] > 0]
    return float(
        ((held["accuracy"] - held["confidence"]).abs() * held["count"]).sum() / held["count"].sum()
    )
