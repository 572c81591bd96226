"""What a table of counts says of each class: row the true class, column the answer, of images or of
pixels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["class_scores", "hardest_confusions"]


def class_scores(counts: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Precision, recall, F1 and IoU of every class in percent, and its support.

    With TP hits, FP false and FN missed ones of a class: precision = TP / (TP + FP), recall = TP /
    (TP + FN), F1 = 2 TP / (2 TP + FP + FN), IoU = TP / (TP + FP + FN); NaN where the denominator is
    0.

    Args:
        counts: [C, C], row the true class, column the answer.
        classes: names, in their order.

    Returns:
        A row for each class: precision, recall, f1, iou (0 to 100) and support, the number of its
            samples.

    >>> class_scores(np.array([[3, 1], [2, 4]]), ("cat", "dog")).round(1)
         precision  recall    f1   iou  support
    cat       60.0    75.0  66.7  50.0        4
    dog       80.0    66.7  72.7  57.1        6
    """
    counts = np.asarray(counts)
    hits, said, true = counts.diagonal(), counts.sum(0), counts.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {"precision": hits / said, "recall": hits / true, "f1": 2 * hits / (said + true),
                  "iou": hits / (said + true - hits)}  # fmt: skip
    return pd.DataFrame(
        {**{name: 100 * share for name, share in shares.items()}, "support": true}, list(classes)
    )


def hardest_confusions(counts: np.ndarray, classes: Sequence[str], most: int = 8) -> pd.DataFrame:
    """The mistakes that were made most often: true class, answer, how often, and which share of the
    class in percent.

    >>> hardest_confusions(np.array([[3, 1], [2, 2]]), ("cat", "dog"), most=1).values.tolist()
    [['dog', 'cat', 2, 50.0]]
    """
    wrong = np.array(counts)
    support = wrong.sum(1)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    rows, columns = np.unravel_index(order[wrong.ravel()[order] > 0], wrong.shape)
    names = np.array(list(classes), dtype=object)
    found = {"true": names[rows], "answer": names[columns], "count": wrong[rows, columns]}
    return pd.DataFrame({**found, "share": 100 * wrong[rows, columns] / support[rows]})
