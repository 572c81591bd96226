"""Folds pooled: one score of all test predictions, and the difference of two over groups."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from discom.errors import RunError
from discom.running.runs import Result
from discom.tables.intervals import t_test


def tally(runs: Sequence[Result]) -> dict[str, pd.DataFrame]:
    """Network → a row for each group: hits, labels and predictions of every class, [G, 3 · C], in
    the test parts of all folds of one method and seed. A RunError where a fold is missing."""
    first, tables = runs[0], dict[str, list[pd.DataFrame]]()
    for fold in range(first.folds):
        if not any(run.fold == fold and run.tested for run in runs):
            found = f"no run of {first.label} with seed {first.seed} tests fold {fold}"
            raise RunError(first.data, found, "train it, or leave that seed out")
    for run in runs:
        tested = run.tested or {}
        for network, rows in tested["counts"].items():
            group, truth, predicted, count = np.array(rows).T
            cells = np.zeros((len(tested["groups"]), 3, run.classes))
            np.add.at(cells, (group, 0, truth), count * (truth == predicted))
            np.add.at(cells, (group, 1, truth), count)
            np.add.at(cells, (group, 2, predicted), count)
            table = pd.DataFrame(cells.reshape(len(cells), -1), tested["groups"])
            tables.setdefault(network, []).append(table[table.any(axis=1)])
    return {network: pd.concat(parts) for network, parts in tables.items()}


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


def total(table: pd.DataFrame, metric: str) -> float:
    """The score of all groups of a tally together: weighted F1 ("f1") or mean IoU ("miou")."""
    return float(pooled_score(table.to_numpy().sum(0).reshape(3, -1), metric))


def group_test(
    ours: Sequence[pd.DataFrame], theirs: Sequence[pd.DataFrame], metric: str
) -> tuple[float, float, float, float]:
    """The difference D of two methods' pooled scores, its 95 % interval and p-value, from a tally
    of each for every seed; D is the mean over seeds.

    Groups are what varies: it is a paired t interval about D with G - 1 degrees of freedom over
    pseudo-values, one for each of G groups. It covers where a bootstrap over few groups is too
    narrow (docs/results/protocol.md).

        D̃_g = G · D - (G - 1) · D_{-g},  where D_{-g} leaves out group g

    Source: J. W. Tukey, Bias and confidence in not-quite large samples, 1958.
    """
    every = [*ours, *theirs]
    names = pd.concat(every).index.unique()
    cells = np.stack([table.reindex(names, fill_value=0).to_numpy() for table in every])
    count, sums = len(names), cells.sum(1, keepdims=True)
    parts = np.concatenate([sums, sums - cells], 1)  # all groups, then all but one
    scores = pooled_score(parts.reshape(*parts.shape[:2], 3, -1), metric)
    whole, *without = (scores[: len(ours)] - scores[len(ours) :]).mean(0)
    values = count * whole - (count - 1) * np.array(without)
    return t_test(values - values.mean() + whole)
