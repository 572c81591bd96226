"""Probes: closed forms, and loops that give the same numbers."""

import numpy as np
import pytest
from fixtures.refusal import refused
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold

from discom.errors import DataError
from discom.evaluation.probing import modality_probe, probe


def noise(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def read(seed=0, rows=240, width=6):
    """An embedding with units of uneven scale, three classes and a number that it partly holds."""
    shape = np.random.default_rng(seed).integers(0, 3, rows)
    size, z = noise(seed + 1, rows), noise(seed + 2, rows, width)
    z[:, 0] += shape
    z[:, 1] += 2 * size
    return z * np.logspace(-2, 2, width) + 5, shape, size


def standard(z):
    return (z - z.mean(0)) / z.std(0)


def naive_ridge(z, y, seed):
    """R² of a ridge regression from its normal equations."""
    z, scores = standard(z), []
    for train, test in KFold(5, shuffle=True, random_state=seed).split(z):
        centre, level = z[train].mean(0), y[train].mean()
        fitted = z[train] - centre
        squares = fitted.T @ fitted + np.eye(z.shape[1])
        weights = np.linalg.solve(squares, fitted.T @ (y[train] - level))
        wrong = ((y[test] - level - (z[test] - centre) @ weights) ** 2).sum()
        scores.append(1 - wrong / ((y[test] - y[test].mean()) ** 2).sum())
    return np.mean(scores)


def naive_classes(z, y, seed):
    """Accuracy of logistic regression."""
    z, scores = standard(z), []
    for fitted, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(z, y):
        model = LogisticRegression(max_iter=1000).fit(z[fitted], y[fitted])
        scores.append(100 * np.mean(model.predict(z[test]) == y[test]))
    return np.mean(scores)


def test_a_score_equals_its_reference():
    z, shape, size = read()
    both = np.stack([size, noise(9, len(z))], 1) + 3  # the second is not in z: R² below 0
    each = [naive_ridge(z, y, 4) for y in both.T]
    assert [probe(z, y, seed=4) for y in both.T] == pytest.approx(each, rel=1e-6)
    assert probe(z, shape, seed=2) == pytest.approx(naive_classes(z, shape, 2))


def test_what_gives_the_modality_away_is_read_and_twins_are_not():
    z = noise(0, 60, 50)
    # of twins one is right, always; in different folds, one twin gives the other away
    assert modality_probe({"rgb": z, "depth": z}) == 50
    assert modality_probe({"rgb": z, "depth": z + 4}) > 95


def test_dead_units_carry_nothing():
    z, shape, size = read()
    dead = np.full((len(z), 3), [0.1, -1e6, 0])
    assert probe(np.hstack([z, dead]), shape) == probe(z, shape)
    rare = (shape > 1) & (size > 0)
    assert probe(dead, rare) == pytest.approx(100 * np.mean(~rare))
    assert -0.1 < probe(dead, size) <= 0


Z, Y = noise(0, 20, 3), np.arange(20) % 2
HOLE = np.where(np.arange(60).reshape(20, 3) < 4, np.nan, Z)  # two rows
BAD = [
    lambda: probe(HOLE, Y),
    lambda: probe(Z[:, 0], Y),
    lambda: probe(Z, 0 * Y),
    lambda: probe(Z, 0.0 * Y),  # R² would be 1
    lambda: modality_probe({"a": Z, "b": HOLE}),
]


@pytest.mark.parametrize("call", BAD)
def test_what_cannot_be_probed_is_refused(call):
    refused(call, "^(embedding|factor).*: ", DataError)


@pytest.mark.parametrize(
    "factor", [Y[1:], [None, "a"] * 10, [np.nan, *Z[1:, 0]], Z[:, 0].astype(object)]
)
def test_what_scikit_learn_cannot_read_is_refused(factor):
    with pytest.raises((ValueError, TypeError)):
        probe(Z, factor)
    with pytest.raises(ValueError, match="same shape"):
        modality_probe({"a": Z, "b": Z[:10]})  # rows would be paired with others
