"""Scores of classes against scikit-learn, and the mistakes in their order."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, jaccard_score, precision_recall_fscore_support

from discom.report import class_scores, hardest_confusions


def drawn(seed, classes=4, samples=200):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, samples)
    return y, np.where(rng.random(samples) < 0.6, y, rng.integers(0, classes, samples))


@pytest.mark.parametrize("seed", range(3))
def test_they_are_scikit_learns(seed):
    y, said = drawn(seed)
    table = class_scores(confusion_matrix(y, said), "abcd")
    precision, recall, f1, support = precision_recall_fscore_support(y, said)
    iou = jaccard_score(y, said, average=None)
    assert table.drop(columns="support").to_numpy() == pytest.approx(
        100 * np.stack([precision, recall, f1, iou], 1)
    )
    assert table["support"].tolist() == support.tolist()
    wrong = class_scores(
        confusion_matrix(y, said).T, "abcd"
    )  # rows and columns taken for each other
    assert wrong["recall"].to_numpy() != pytest.approx(100 * recall)


def test_a_class_that_is_absent_or_never_answered_has_no_ratio():
    table = class_scores(np.array([[2, 0, 0], [1, 0, 0], [0, 0, 0]]), "abc")
    assert np.isnan(table.loc["b", "precision"])
    assert table.loc["b", "recall"] == 0
    assert table.loc["c", ["precision", "recall", "f1", "iou"]].isna().all()


def test_the_hardest_come_first_and_right_answers_never():
    table = hardest_confusions(np.array([[9, 3, 0], [0, 5, 5], [1, 0, 0]]), "abc")
    assert table.values.tolist() == [["b", "c", 5, 50.0], ["a", "b", 3, 25.0], ["c", "a", 1, 100.0]]
    assert len(hardest_confusions(np.array([[9, 3], [2, 5]]), "ab", most=1)) == 1
    assert len(hardest_confusions(np.eye(3, dtype=int), "abc")) == 0
