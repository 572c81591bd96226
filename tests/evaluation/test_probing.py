"""Probes: closed forms, other ways to the same numbers, invariances and wrong copies."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold

from discom.errors import ConfigError, DataError
from discom.evaluation import probing
from discom.evaluation.probing import class_transfer, modality_probe, probe, probe_matrix

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=8)
seeds = st.integers(0, 2**16)


def noise(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def classes(seed, *shape, values=3):
    return np.random.default_rng(seed).integers(0, values, shape)


def read(seed=0, rows=240, width=6):
    """An embedding with units of uneven scale, three classes and a number that it partly holds."""
    shape, size = classes(seed, rows), noise(seed + 1, rows)
    z = noise(seed + 2, rows, width)
    z[:, 0] += shape
    z[:, 1] += 2 * size
    return z * np.logspace(-2, 2, width) + 5, shape, size


# ---------------------------------------------------------------- probe


def naive_ridge(z, y, seed, standardise=True, held_out=True, clip=False, mean_of="test"):
    """R² of a ridge regression from its normal equations; the switches make wrong copies of it."""
    z = (z - z.mean(0)) / z.std(0) if standardise else z
    scores = []
    for train, test in KFold(5, shuffle=True, random_state=seed).split(z):
        test = test if held_out else train
        centre, level = z[train].mean(0), y[train].mean()
        fitted = z[train] - centre
        weights = np.linalg.solve(
            fitted.T @ fitted + np.eye(z.shape[1]), fitted.T @ (y[train] - level)
        )
        wrong = ((y[test] - level - (z[test] - centre) @ weights) ** 2).sum()
        about = y[test].mean() if mean_of == "test" else 0.0
        scores.append(1 - wrong / ((y[test] - about) ** 2).sum())
    scores = np.maximum(scores, 0) if clip else np.array(scores)
    return scores.mean(), scores.std(ddof=1), 0


def assert_ridge(read_number):
    z, _, size = read()
    for y in (size + 3, noise(9, len(z)) + 3):  # the second is not in z: R² below 0
        assert read_number(z, y, seed=4)[:3] == pytest.approx(naive_ridge(z, y, 4), rel=1e-6)


def plain_accuracy(z, y, train=None, seed=0):
    fit = z if train is None else train
    z = (z - fit.mean(0)) / fit.std(0)
    scores = []
    for fitted, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(z, y):
        model = LogisticRegression(max_iter=1000).fit(z[fitted], y[fitted])
        scores.append(100 * np.mean(model.predict(z[test]) == y[test]))
    return np.mean(scores), np.std(scores, ddof=1)


def test_classes_are_read_by_logistic_regression():
    z, shape, size = read()
    one = probe(z, shape, seed=2)
    assert probe(z, size).kind == "R2"
    assert one[:2] == pytest.approx(plain_accuracy(z, shape, seed=2))
    assert one.chance == pytest.approx(100 * np.bincount(shape).max() / len(shape))
    assert one.kind == "accuracy"
    train = 5.1 + 0.3 * (z[:50] - 5)  # other means and sds, near enough for the fit to converge
    assert probe(z, shape, train=train)[:2] == pytest.approx(plain_accuracy(z, shape, train))
    assert probe(z, size, train=train).score != probe(z, size).score


def test_what_is_there_is_read_and_what_is_not_is_at_chance():
    shape, angle = np.arange(300) % 3, np.linspace(0, 2 * np.pi, 300)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    z = np.concatenate([np.eye(3)[shape], circle @ noise(0, 2, 2)], axis=1)
    assert probe(z, shape)[:3] == (100, 0, pytest.approx(100 / 3))
    assert probe(z, circle).score == pytest.approx(1, abs=1e-3)
    blank = noise(1, 300, 5)
    assert probe(blank, shape).score == pytest.approx(100 / 3, abs=8)
    assert -0.08 < probe(blank, circle).score < 0  # not clipped


@pytest.mark.parametrize("train", [None, np.full((7, 3), 0.1)])
def test_dead_units_carry_nothing(train):
    z, shape, size = read()
    dead = np.full((len(z), 3), [0.1, -1e6, 0])
    assert probe(np.hstack([z, dead]), shape) == probe(z, shape)
    one = probe(dead, (shape > 1) & (size > 0), train=train)
    assert one.score == one.shuffled == pytest.approx(one.chance)
    assert -0.1 < probe(dead, size, train=train).score <= 0


@given(seeds, st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
@seeded
def test_scale_and_shift_change_nothing_and_the_control_is_at_chance(seed, scale, shift):
    z, shape, size = read(seed)
    for factor in (shape, size):
        moved = probe(scale * z + shift, factor, seed=seed)
        assert moved.score == pytest.approx(probe(z, factor, seed=seed).score)
        chance = 100 / 3 if factor is shape else -0.1
        assert moved.shuffled == pytest.approx(chance, abs=14 if factor is shape else 0.2)


def test_labels_of_any_kind_are_classes():
    z, shape, _ = read()
    expected = probe(z, shape)
    names = np.array(["cone", "cube", "ball"])[shape]
    for same in (shape + 5, shape.tolist(), shape.astype("uint8")):
        assert probe(z, same) == expected
    for same in (names.tolist(), pd.Series(names).astype("category"), names.astype(object)):
        assert probe(z, same) == probe(z, names)
    assert probe(z, shape > 1).kind == "accuracy"
    assert probe(z, shape.astype(float)).kind == "R2"


def test_matrix_holds_the_probes():
    z, shape, size = read()
    embeddings, factors = {"inv": z, "irr": z[:, 2:]}, {"shape": shape, "size": size}
    train = {name: 0.5 * rows for name, rows in embeddings.items()}
    table = probe_matrix(embeddings, factors, train=train, seed=1)
    assert list(table.index) == ["inv", "irr"]
    for name, rows in embeddings.items():
        for factor, values in factors.items():
            one = probe(rows, values, train=train[name], seed=1)
            assert table.loc[name, factor] == one.score
            assert table.attrs["shuffled"][name][factor] == one.shuffled
            assert table.attrs["chance"][factor] == one.chance
            assert table.attrs["kind"][factor] == one.kind
    assert json.loads(json.dumps(table.attrs)) == table.attrs  # plain dicts, strings and floats


# ---------------------------------------------------------------- the reader without lines


def crosswise(seed=0, rows=300):
    """Four clouds and the exclusive or of their signs: no line tells it."""
    corner = np.random.default_rng(seed).choice([-1.0, 1.0], size=(rows, 2))
    return corner + 0.2 * noise(seed + 1, rows, 2), (corner.prod(1) > 0).astype(int)


@pytest.mark.parametrize("rows", [60, 300])
def test_only_the_mlp_reads_what_no_line_tells(rows):
    z, either = crosswise(rows=rows)
    assert probe(z, either).score < 65
    read = probe(z, either, reader="mlp")
    assert read.score > 95
    assert read.shuffled < 70
    assert probe(z, either, reader="mlp") == read  # the seed starts it
    for reader in probing.READERS:  # and both read a line
        assert probe(z, z[:, 0] > 0, reader=reader).score > 95
    bent = 1000 * np.abs(z) + 7
    line, read = (probe(z, bent, reader=reader) for reader in probing.READERS)
    assert line.score < 0.1
    assert (read.score > 0.8, read.kind) == (True, "R2")


# ---------------------------------------------------------------- modality_probe


def naive_modality_probe(embeddings, train=None, seed=0, paired=True, apart=False):
    """Loops over folds; the switches make wrong copies: twins in different folds, every modality
    standardised alone."""
    names, rows = sorted(embeddings), len(next(iter(embeddings.values())))
    fit = embeddings if train is None else train
    whole = np.concatenate([fit[name] for name in names])
    z = []
    for name in names:
        own = fit[name] if apart else whole
        z.append((embeddings[name] - own.mean(0)) / own.std(0))
    z, y = np.concatenate(z), np.repeat(np.arange(len(names)), rows)
    groups = np.tile(np.arange(rows), len(names)) if paired else np.arange(len(y))
    scores = []
    for fitted, test in KFold(5, shuffle=True, random_state=seed).split(np.unique(groups)):
        rows_of = [np.isin(groups, part) for part in (fitted, test)]
        model = LogisticRegression(max_iter=1000).fit(z[rows_of[0]], y[rows_of[0]])
        scores.append(100 * model.score(z[rows_of[1]], y[rows_of[1]]))
    return probing.Probe(np.mean(scores), np.std(scores, ddof=1), 100 / len(names), 0.0, "accuracy")


def assert_reads_modalities(read_modality):
    z = noise(0, 60, 50)
    # of twins one is right, always; in different folds, one twin gives the other away
    assert read_modality({"rgb": z, "depth": z})[:3] == (50, 0, 50)
    assert read_modality({"rgb": z, "depth": z + 4}).score > 95
    assert read_modality({"rgb": z, "depth": z}, train={"rgb": z, "depth": z + 1}).score == 50
    weak = {"rgb": z, "depth": noise(1, 60, 50) + 0.3, "sar": noise(2, 60, 50)}
    expected = naive_modality_probe(weak, seed=3)
    assert read_modality(weak, seed=3)[:3] == pytest.approx(expected[:3])


def test_an_mlp_tells_modalities_that_no_line_tells_and_no_twins():
    z, either = crosswise(rows=400)
    count = min(either.sum(), (1 - either).sum())
    views = {"rgb": z[either == 0][:count], "depth": z[either == 1][:count]}
    assert modality_probe(views).score < 60
    assert modality_probe(views, reader="mlp").score > 95
    told = modality_probe(dict(reversed(views.items())))  # their order does not count
    assert told == modality_probe(views)
    assert told.shuffled == pytest.approx(50, abs=8)
    twins = {"rgb": noise(0, 60, 20), "depth": noise(0, 60, 20)}
    assert modality_probe(twins, reader="mlp")[:3] == (50, 0, 50)


# ---------------------------------------------------------------- class_transfer


def naive_transfer(embeddings, y, apart=False, held_out=True, turned=False):
    """Loops over folds and pairs; the switches make wrong copies: every modality standardised
    alone, samples read that were fitted, rows for columns."""
    whole, table = np.concatenate(list(embeddings.values())), {}
    z = {}
    for name, rows in embeddings.items():
        own = rows if apart else whole
        z[name] = (rows - own.mean(0)) / own.std(0)
    for own in z:
        for other in z:
            scores = []
            for fitted, test in StratifiedKFold(5, shuffle=True, random_state=0).split(y, y):
                test = test if held_out else fitted
                model = LogisticRegression(max_iter=1000).fit(z[own][fitted], y[fitted])
                scores.append(100 * model.score(z[other][test], y[test]))
            table.setdefault(own, {})[other] = np.mean(scores)
    table = pd.DataFrame.from_dict(table, orient="index")
    return table.T if turned else table


def assert_transfers(transfer):
    y = np.arange(120) % 3
    code = np.eye(3)[y]
    same, others = {"a": code, "b": code}, {"a": code, "b": np.eye(3)[(y + 1) % 3]}
    assert (transfer(same, y) == 100).all(None)
    assert transfer(others, y).to_numpy().tolist() == [[100, 0], [0, 100]]
    two = y > 0  # an offset along the class: a's reader says "two" to all of b, b's "not two" to a
    a, b = two[:, None] + 0.0, two[:, None] + 3.0
    assert transfer({"a": a, "b": b}, two).round(3).to_numpy().tolist() == [
        [100, 66.667],
        [33.333, 100],
    ]
    z = noise(0, 120, 100)  # as wide as long: a sample that was fitted is known in both
    assert transfer({"a": z, "b": z}, y).to_numpy().max() < 55
    views = {"a": code + noise(1, 120, 3), "b": 0.7 * code + noise(2, 120, 3) + 0.5}
    expected = naive_transfer(views, y)
    assert np.allclose(transfer(views, y), expected)


def test_transfer_between_three_modalities_in_any_order_and_scale():
    y = classes(0, 90)
    views = {name: np.eye(3)[y] + 0.8 * noise(k, 90, 3) for k, name in enumerate("abc")}
    table = class_transfer(views, y, seed=1)
    assert list(table.index) == list(table.columns) == ["a", "b", "c"]
    again = dict(reversed([(name, 5 * z - 2) for name, z in views.items()]))
    assert np.allclose(class_transfer(again, np.array(["x", "y", "z"])[y], seed=1), table)
    train = {name: 5 * z[:30] for name, z in views.items()}  # other means and sds
    assert not np.allclose(class_transfer(views, y, train=train, seed=1), table)


# ---------------------------------------------------------------- references and wrong copies

REFERENCES = [  # check, our function, its reference
    (assert_ridge, probe, naive_ridge),
    (assert_reads_modalities, modality_probe, naive_modality_probe),
    (assert_transfers, class_transfer, naive_transfer),
]
WRONG = [  # switches of each reference that make wrong copies
    [{"standardise": False}, {"held_out": False}, {"clip": True}, {"mean_of": "zero"}],
    [{"paired": False}, {"apart": True}],
    [{"apart": True}, {"held_out": False}, {"turned": True}],
]


@pytest.mark.parametrize("number", range(len(REFERENCES)))
def test_a_score_equals_its_reference_and_wrong_copies_do_not(number):
    check, ours, naive = REFERENCES[number]
    check(ours)
    for wrong in WRONG[number]:
        with pytest.raises(AssertionError):
            check(lambda *inputs, wrong=wrong, **more: naive(*inputs, **more, **wrong))


# ---------------------------------------------------------------- errors

Z, Y = noise(0, 20, 3), np.arange(20) % 2
HOLE = np.where(np.arange(60).reshape(20, 3) < 4, np.nan, Z)  # two rows
BAD = [
    (lambda: probe(HOLE, Y), "embedding: 2 of 20 rows hold NaN"),
    (lambda: probe(Z, Y, train=HOLE), "embedding in training: 2 of 20"),
    (lambda: probe(Z, Y, reader="forest"), "reader: 'forest' is unknown; choose linear, mlp"),
    (lambda: probe(Z[:, 0], Y), r"embedding: float64 of shape \(20,\)"),
    (lambda: probe(Z, Y, train=Z[:, :2]), "embedding: 3 units, 2 in training"),
    (lambda: probe(Z, 0 * Y), "factor: has only the value 0"),
    (lambda: probe(Z, np.stack([Z[:, 0], np.ones(20)], 1)), "factor: has a column of only"),
    (lambda: probe(Z, Y[1:]), r"factor: int64 of shape \(19,\) for 20"),
    (lambda: probe(Z, [None, "a"] * 10), "factor: object"),
    (lambda: probe(Z, np.arange(20) > 16), "factor: True has 3 of 5 samples needed"),
    (lambda: modality_probe({"a": Z[:4], "b": Z[:4]}), "4 samples for 5 folds; give 10"),
    (lambda: probe_matrix({"z": Z}, {}), r"factors \[\]"),
    (lambda: probe_matrix({"a": Z, "b": Z[1:]}, {"y": Y}), "rows {'a': 20, 'b': 19}"),
    (lambda: modality_probe({"a": Z}), "modalities: {'a': "),
    (lambda: class_transfer({"a": Z, "b": HOLE}, Y), "embedding 'b': 2 of 20 rows"),
    (lambda: class_transfer({"a": Z, "b": Z}, Z[:, 0]), "labels: floats"),
]


@pytest.mark.parametrize(("call", "fragment"), BAD)
def test_errors_name_the_place_and_the_value(call, fragment):
    with pytest.raises((ConfigError, DataError), match=fragment) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)
