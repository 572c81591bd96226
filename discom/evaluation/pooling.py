"""The test parts of several folds scored together, from counts of what was predicted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from discom.data import MultiModalData
from discom.data.checks import NO_LABEL


def count_by_group(
    test: MultiModalData, predictions: Mapping[str, np.ndarray], networks: Iterable[str]
) -> dict[str, Any]:
    """What a test part is scored by: "groups", their names (of data without groups the ids), and
    "counts", network → rows (number of the group, true class, predicted class, how many). Samples
    are counted, where dense labelled pixels; `predictions` as by `running.runs.read_predictions`.
    """
    own = test.ids if test.groups is None else test.groups
    names, group = np.unique(np.asarray(own).astype(str), return_inverse=True)
    counts, index, classes = {}, pd.Index(test.ids), len(test.classes)
    for name in networks:
        labels, rows = predictions[f"{name}_labels"], index.get_indexer(predictions[f"{name}_ids"])
        if test.dense:
            predicted = predictions[f"{name}_predicted"]
        else:
            predicted = predictions[f"{name}_logits"].argmax(1)
        cells: Counter = Counter()
        for place, truth, answer in zip(group[rows].tolist(), labels, predicted, strict=True):
            known = (truth != NO_LABEL) | (not test.dense)
            codes = (truth.astype(int) * classes + answer)[known]
            for code, count in zip(*np.unique(codes, return_counts=True), strict=True):
                cells[place, *divmod(int(code), classes)] += int(count)
        counts[name] = [[*cell, count] for cell, count in sorted(cells.items())]
    return {"groups": names.tolist(), "counts": counts}


def pooled_score(cells: np.ndarray, metric: str) -> np.ndarray:
    """Weighted F1 ("f1") or mean IoU ("miou") in percent, [...], from the number of hits, of labels
    and of predictions of each class, [..., 3, C]: `weighted_f1` and `dense_scores` of all samples
    together. A class without labels counts in neither.

        F1_c = 2 hits_c / (labels_c + predictions_c)
        IoU_c = hits_c / (labels_c + predictions_c - hits_c)

    >>> pooled_score(np.array([[1, 2], [2, 2], [1, 3]]), "f1").round(2).item()
    73.33
    """
    hits, labels, predicted = np.moveaxis(np.asarray(cells, float), -2, 0)
    either = np.maximum(labels + predicted, 1e-9)
    if metric == "f1":
        return 100 * (labels * 2 * hits / either).sum(-1) / labels.sum(-1)
    present = labels > 0
    return 100 * (hits / np.maximum(either - hits, 1e-9) * present).sum(-1) / present.sum(-1)
