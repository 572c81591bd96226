"""Closed forms, other ways to the same numbers, invariances and wrong copies, for probes, SAP, MIG,
DCI and CKA."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.svm import LinearSVC

from discom import probing
from discom.errors import DataError
from discom.evaluation.probing import (
    cka,
    dci,
    dci_parts,
    mig,
    modality_probe,
    probe,
    probe_matrix,
    sap,
    scores,
)

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=10)
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


# ---------------------------------------------------------------- probe: the same numbers by
# another way


def plain_ridge(z, y, folds, seed, standardise=True, held_out=True, clip=False, mean_of="test"):
    """R² of a ridge regression from its normal equations; the switches make wrong copies of it."""
    z = (z - z.mean(0)) / z.std(0) if standardise else z
    scores = []
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(z):
        test = test if held_out else train
        centre, level = z[train].mean(0), y[train].mean()
        gram = (z[train] - centre).T @ (z[train] - centre)
        weights = np.linalg.solve(
            gram + np.eye(len(gram)), (z[train] - centre).T @ (y[train] - level)
        )
        wrong = ((y[test] - level - (z[test] - centre) @ weights) ** 2).sum()
        about = y[test].mean() if mean_of == "test" else 0.0
        scores.append(1 - wrong / ((y[test] - about) ** 2).sum())
    return np.maximum(scores, 0) if clip else np.array(scores)


def assert_ridge(scores_of):
    z, _, size = read()
    for y in (size + 3, noise(9, len(z)) + 3):  # the second is not in z: R² below 0
        found, scores = probe(z, y, seed=4), scores_of(z, y, 5, 4)
        assert found[:3] == pytest.approx((scores.mean(), scores.std(ddof=1), 0), rel=1e-6)
        assert found.kind == "R2"


def test_numbers_are_read_by_ridge_regression():
    assert_ridge(plain_ridge)


@pytest.mark.parametrize(
    "wrong",
    [{"standardise": False}, {"held_out": False}, {"clip": True}, {"mean_of": "zero"}],
    ids=str,
)
def test_wrong_ridges_are_caught(wrong):
    with pytest.raises(AssertionError):
        assert_ridge(lambda *arguments: plain_ridge(*arguments, **wrong))


def plain_accuracy(z, y, train=None, folds=5, seed=0, held_out=True):
    fit = z if train is None else train
    z = (z - fit.mean(0)) / fit.std(0)
    scores = []
    for seen, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(z, y):
        model = LogisticRegression(max_iter=1000).fit(z[seen], y[seen])
        test = test if held_out else seen
        scores.append(100 * np.mean(model.predict(z[test]) == y[test]))
    return np.mean(scores), np.std(scores, ddof=1)


def test_classes_are_read_by_logistic_regression():
    z, shape, _ = read()
    found = probe(z, shape, folds=4, seed=2)
    assert found[:2] == pytest.approx(plain_accuracy(z, shape, folds=4, seed=2))
    assert found[2:] == (
        pytest.approx(100 * np.bincount(shape).max() / len(shape)),
        found.shuffled,
        "accuracy",
    )
    assert found[0] != pytest.approx(plain_accuracy(z, shape, folds=4, seed=2, held_out=False)[0])


def test_training_split_standardises():
    z, shape, size = read()
    # other than z's own, so that the penalty weighs otherwise; no farther, lest the fit fails to
    # converge
    train = 5.1 + 0.3 * (z[:50] - 5)
    assert probe(z, shape, train=train)[:2] == pytest.approx(plain_accuracy(z, shape, train))
    assert probe(z, size, train=train).score != probe(z, size).score
    table = probe_matrix({"z": z}, {"size": size}, train={"z": train})
    assert table.loc["z", "size"] == probe(z, size, train=train).score


def test_columns_of_a_number_are_averaged():
    z, _, size = read()
    both = np.stack([size, noise(7, len(z))], axis=1)
    apart = [probe(z, column).score for column in both.T]
    assert probe(z, both).score == pytest.approx(np.mean(apart))
    assert probe(z, 1000 * both - 7).score == pytest.approx(np.mean(apart))  # of no unit


# ---------------------------------------------------------------- probe: closed forms and
# properties


def test_what_is_there_is_read_and_what_is_not_is_at_chance():
    shape, angle = np.arange(300) % 3, np.linspace(0, 2 * np.pi, 300)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    z = np.concatenate([np.eye(3)[shape], circle @ noise(0, 2, 2)], axis=1)
    assert probe(z, shape)[:3] == (100, 0, pytest.approx(100 / 3))
    assert probe(z, circle).score == pytest.approx(1, abs=1e-3)
    blank = noise(1, 300, 5)
    assert probe(blank, shape).score == pytest.approx(100 / 3, abs=8)
    assert probe(blank, circle).score == pytest.approx(0, abs=0.08)
    assert probe(blank, circle).score < 0  # not clipped


@pytest.mark.parametrize("train", [None, np.full((7, 3), 0.1)])
def test_dead_units_carry_nothing(train):
    z, shape, size = read()
    dead = np.full((len(z), 3), [0.1, -1e6, 0])
    assert probe(np.hstack([z, dead]), shape) == probe(z, shape)
    rare = (shape > 1) & (size > 0)
    found = probe(dead, rare, train=train)
    assert found.score == found.shuffled == pytest.approx(found.chance)
    assert -0.1 < probe(dead, size, train=train).score <= 0


def test_a_unit_that_died_in_training_is_divided_by_one():
    z, shape, _ = read()
    train = z.copy()
    train[:, 0] = 0.1  # whose mean rounds: the remainder must not become a scale
    by_hand = (z - train.mean(0)) / np.where(np.arange(6) == 0, 1, train.std(0))
    found = probe(z, shape, train=train).score
    assert found == pytest.approx(
        probe(by_hand, shape, train=noise(0, 2, 6) * 0 + [[1.0], [-1.0]]).score
    )


@given(seeds, st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
@seeded
def test_scale_and_shift_of_units_change_nothing(seed, scale, shift):
    z, shape, size = read(seed, rows=60)
    for factor in (shape, size):
        assert probe(scale * z + shift, factor, folds=2).score == pytest.approx(
            probe(z, factor, folds=2).score
        )


@given(seeds)
@seeded
def test_control_is_at_chance(seed):
    z, shape, size = read(seed)
    assert probe(z, shape, seed=seed).shuffled == pytest.approx(100 / 3, abs=14)
    assert -0.3 < probe(z, size, seed=seed).shuffled < 0.05
    assert modality_probe({"a": z, "b": z + 1}, seed=seed).shuffled == pytest.approx(50, abs=12)


def test_order_of_rows_matters_within_the_folds_noise():
    z, shape, size = read(rows=400)
    order = np.random.default_rng(0).permutation(len(z))
    for factor in (shape, size):
        one, other = probe(z, factor), probe(z[order], factor[order])
        assert one.score == pytest.approx(other.score, abs=2 * one.sd)


def test_labels_of_any_kind_are_classes():
    z, shape, _ = read()
    wanted = probe(z, shape)
    names = np.array(["cone", "cube", "ball"])[shape]
    for same in (shape + 5, shape.tolist(), shape.astype("uint8")):
        assert probe(z, same) == wanted
    for same in (
        names,
        names.tolist(),
        pd.Series(names),
        pd.Series(names).astype("category"),
        names.astype(object),
    ):
        assert probe(z, same)[2:] == probe(z, names)[2:]
        assert probe(z, same).score == pytest.approx(
            wanted.score, abs=2
        )  # other numbers, other folds
    assert probe(z, shape > 1).kind == "accuracy"
    assert probe(z, shape.astype(float)).kind == "R2"
    assert probe(z.astype("float32"), shape).score == pytest.approx(wanted.score, abs=1)


# ---------------------------------------------------------------- probe_matrix


def test_matrix_holds_the_probes():
    z, shape, size = read()
    embeddings, factors = {"inv": z, "irr": z[:, 2:]}, {"shape": shape, "size": size}
    table = probe_matrix(embeddings, factors, folds=3, seed=1)
    assert list(table.index) == ["inv", "irr"]
    assert list(table.columns) == ["shape", "size"]
    for name, held in embeddings.items():
        for factor, values in factors.items():
            one = probe(held, values, folds=3, seed=1)
            assert table.loc[name, factor] == one.score
            assert table.attrs["shuffled"][name][factor] == one.shuffled
            assert table.attrs["chance"][factor] == one.chance
            assert table.attrs["kind"][factor] == one.kind
    assert json.loads(json.dumps(table.attrs)) == table.attrs  # plain dicts, strings and floats
    other = probe_matrix(
        dict(reversed(embeddings.items())), dict(reversed(factors.items())), folds=3, seed=1
    )
    pd.testing.assert_frame_equal(other.loc[table.index, table.columns], table)
    assert other.attrs == table.attrs


@pytest.mark.slow
def test_matrix_of_usual_size_reads_what_was_put_in():
    factors = {f"class {k}": classes(k, 2000) for k in range(5)} | {
        f"number {k}": noise(k, 2000) for k in range(6)
    }
    held = np.stack(list(factors.values()), axis=1)
    embeddings = {
        f"z{k}": (held[:, k:]) @ noise(k, 11 - k, 64) + 0.1 * noise(9, 2000, 64) for k in range(6)
    }
    table = probe_matrix(embeddings, factors)
    for row, name in enumerate(embeddings):
        for column, (factor, kind) in enumerate(table.attrs["kind"].items()):
            low, high = (
                ((80, 100) if column >= row else (25, 42)) if kind == "accuracy" else (0.9, 1)
            )
            assert low <= table.loc[name, factor] <= high
            assert table.attrs["shuffled"][name][factor] < (42 if kind == "accuracy" else 0.02)


# ---------------------------------------------------------------- modality_probe


def naive_modality_probe(embeddings, train=None, folds=5, seed=0, paired=True, apart=False):
    """Loops over folds; the switches make wrong copies: twins in different folds, every modality
    standardised alone."""
    names, rows = sorted(embeddings), len(next(iter(embeddings.values())))
    fit = embeddings if train is None else train
    whole = np.concatenate([fit[name] for name in names])
    z, y, groups = [], [], []
    for number, name in enumerate(names):
        own = fit[name] if apart else whole
        z.append((embeddings[name] - own.mean(0)) / (own.std(0) + (own.std(0) == 0)))
        y += [number] * rows
        groups += range(rows)
    z, y, groups = np.concatenate(z), np.array(y), np.array(groups if paired else range(len(y)))
    scores = []
    for seen, test in KFold(folds, shuffle=True, random_state=seed).split(np.unique(groups)):
        model = LogisticRegression(max_iter=1000).fit(
            z[np.isin(groups, seen)], y[np.isin(groups, seen)]
        )
        scores.append(100 * model.score(z[np.isin(groups, test)], y[np.isin(groups, test)]))
    return probing.Probe(np.mean(scores), np.std(scores, ddof=1), 100 / len(names), 0.0, "accuracy")


def assert_reads_modalities(read_modality):
    z = noise(0, 60, 50)
    found = read_modality({"rgb": z, "depth": z})
    assert found[:3] == (
        50,
        0,
        50,
    )  # of twins one is right, always; apart, the twin seen gives the other away
    assert read_modality({"rgb": z, "depth": z + 4}).score > 95
    assert read_modality({"rgb": z, "depth": z}, train={"rgb": z, "depth": z + 1}).score == 50
    weak = {"rgb": z, "depth": noise(1, 60, 50) + 0.3, "sar": noise(2, 60, 50)}
    found, wanted = read_modality(weak, seed=3), naive_modality_probe(weak, seed=3)
    assert found[:3] == pytest.approx(wanted[:3])


@pytest.mark.parametrize("read_modality", [modality_probe, naive_modality_probe])
def test_modalities(read_modality):
    assert_reads_modalities(read_modality)


@pytest.mark.parametrize("wrong", [{"paired": False}, {"apart": True}], ids=str)
def test_wrong_modality_probes_are_caught(wrong):
    with pytest.raises(AssertionError):
        assert_reads_modalities(lambda *a, **given: naive_modality_probe(*a, **given, **wrong))


def test_order_of_modalities_changes_nothing():
    views = {name: noise(k, 40, 5) + k / 2 for k, name in enumerate(["rgb", "depth", "sar"])}
    assert modality_probe(views) == modality_probe(dict(reversed(views.items())))
    assert modality_probe(views).chance == pytest.approx(100 / 3)


# ---------------------------------------------------------------- SAP, MIG, DCI

FACTORS = classes(0, 300, 2)
PERFECT = np.hstack(
    [FACTORS * [0.5, -3.0], noise(1, 300, 2)]
)  # a unit for each factor, and two of noise
SCORES = {"sap": sap, "mig": mig, "dci": dci}


def codes_without():
    """Codes that tell no factor from another, or nothing at all."""
    mixture = (FACTORS @ [1.0, 1.0])[:, None]
    yield "constant", np.full((300, 4), 0.1)
    yield "two constants", np.tile([0.1, -1e6], (300, 1))
    yield "noise", noise(2, 300, 4)
    yield "noise and dead units", np.hstack([noise(2, 300, 1), np.zeros((300, 3))])
    yield "one mixture", mixture * [1.0, -2.0, 0.1]
    yield "mixtures", FACTORS @ np.array([[1, 1, 1, -1], [1, -1, 1, 1.0]]) + 0.1 * noise(3, 300, 4)


@pytest.mark.parametrize(("name", "ceiling"), [("sap", 2 / 3), ("mig", 1), ("dci", 1)])
def test_perfect_code(name, ceiling):
    factors = classes(0, 1000, 2)
    perfect = np.hstack([factors * [0.5, -3.0], noise(1, 1000, 2)])
    assert SCORES[name](perfect, factors) == pytest.approx(ceiling, abs=0.05)


def test_sap_of_few_samples_is_too_low():
    """C weighs a sum over the samples: of few, the penalty wins, and the middle of three values is
    lost."""
    assert sap(PERFECT, FACTORS) < 0.45


@pytest.mark.parametrize("name", SCORES)
def test_empty_codes(name):
    for what, codes in codes_without():
        found = SCORES[name](codes, FACTORS)
        assert 0 <= found < 0.08, f"{name}, {what}: {found}"
        if "constant" in what or (what == "one mixture" and name != "dci"):
            assert found == pytest.approx(0, abs=1e-9)


def test_each_unit_twice():
    twice = np.hstack([PERFECT, PERFECT])
    assert sap(twice, FACTORS) == mig(twice, FACTORS) == 0
    once, found = dci_parts(PERFECT, FACTORS), dci_parts(twice, FACTORS)
    assert found["disentanglement"] == pytest.approx(once["disentanglement"], abs=0.02)
    assert once["completeness"] > 0.95
    assert found["completeness"] < 0.75  # at most as even as 1 - log 2 / log 8
    assert found["informativeness"] == 1


def test_dci_of_a_factor_in_two_units():
    """Thresholds of a 3-valued factor in a unit each: disentangled, not complete."""
    codes = np.concatenate([FACTORS > 0, FACTORS > 1], axis=1) + 0.0
    found = dci_parts(codes, FACTORS)
    assert found["disentanglement"] == pytest.approx(1, abs=0.02)
    assert found["completeness"] == pytest.approx(0.5, abs=0.05)  # log 2 / log 4
    assert found["informativeness"] == 1


@pytest.mark.parametrize("name", SCORES)
def test_scores_are_deterministic_and_of_no_scale(name):
    codes = np.round(PERFECT[:100] + noise(5, 100, 4), 2)
    score, factors = SCORES[name], FACTORS[:100] // 2
    wanted = score(codes, factors)
    assert score(codes.copy(), factors.copy()) == wanted
    near = 0.03 if name == "dci" else 1e-9  # among equal splits the trees draw
    assert score(codes * [2, -0.5, 8, 1000], factors) == pytest.approx(wanted, abs=near)
    assert score(codes * 2 + 1e6, factors) == pytest.approx(wanted, abs=near)
    assert score(codes, factors[:, ::-1]) == pytest.approx(wanted)
    assert score(codes[:, ::-1], factors) == pytest.approx(wanted, abs=near)
    assert score(codes, 3 * factors - 10) == wanted  # only another name


@pytest.mark.parametrize("name", SCORES)
def test_order_of_rows(name):
    order = np.random.default_rng(0).permutation(300)
    codes = PERFECT + 0.3 * noise(5, 300, 4)
    factors = FACTORS // 2
    found = SCORES[name](codes[order], factors[order])
    assert found == pytest.approx(SCORES[name](codes, factors), abs=1e-9 if name == "mig" else 0.12)


@given(seeds, st.integers(2, 5), st.integers(1, 3))
@seeded
def test_scores_lie_between_0_and_1(seed, width, columns):
    factors, codes = classes(seed, 60, columns, values=2), noise(seed, 60, width)
    for score in (sap, mig):
        assert 0 <= score(codes, factors) <= 1
    importance = np.abs(noise(seed, width, columns + 1)) * classes(
        seed, width, columns + 1, values=2
    )
    assert 0 <= scores._concentration(importance) <= 1


def naive_mig(codes, factors, bins=20, second=-2, normed=True):
    """Entropies summed over a table of counts; the switches make wrong copies."""

    def shares(*columns):
        return np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)[1] / len(codes)

    def entropy_of(*columns):
        return -(shares(*columns) * np.log(shares(*columns))).sum()

    gaps = []
    for y in factors.T:
        found = []
        for unit in codes.T:
            cut = np.digitize(unit, np.linspace(unit.min(), unit.max(), bins + 1)[1:-1])
            found.append(entropy_of(cut) + entropy_of(y) - entropy_of(cut, y))
        gaps.append((sorted(found)[-1] - sorted(found)[second]) / (entropy_of(y) if normed else 1))
    return np.mean(gaps)


def assert_mig(mig):
    """By hand: y = 0011; unit 0 is y (I = log 2), unit 1 cuts 0|011 (I = 3/2 log 2 - 3/4 log 3),
    unit 2 is 0101 (0)."""
    y = np.array([[0], [0], [1], [1]])
    codes = np.array([[0, 0, 0], [0, 1, 1], [1, 1, 0], [1, 1, 1.0]])
    assert mig(codes, y) == pytest.approx(1 - (1.5 - 0.75 * np.log2(3)))
    assert mig(codes[:, [0, 2]], y) == pytest.approx(1)
    codes, factors = PERFECT + noise(6, 300, 4), FACTORS
    assert mig(codes, factors) == pytest.approx(naive_mig(codes, factors))


@pytest.mark.parametrize("score", [mig, naive_mig])
def test_mig_by_hand_and_by_entropies(score):
    assert_mig(score)


@pytest.mark.parametrize("wrong", [{"bins": 10}, {"second": 0}, {"normed": False}], ids=str)
def test_wrong_migs_are_caught(wrong):
    with pytest.raises(AssertionError):
        assert_mig(lambda codes, factors: naive_mig(codes, factors, **wrong))


def naive_sap(codes, factors, strength=0.01, second=-2, held_out=True):
    """liblinear's dual problem, on units that are standardised beforehand; the switches make wrong
    copies."""
    gaps = []
    for y in factors.T:
        halves = train_test_split(np.arange(len(y)), test_size=0.5, stratify=y, random_state=0)
        train, test = halves if held_out else (halves[0], halves[0])
        scores = []
        for unit in codes.T:
            svm = LinearSVC(
                C=strength, class_weight="balanced", dual=True, max_iter=10**5, random_state=0
            )
            scores.append(
                np.mean(svm.fit(unit[train, None], y[train]).predict(unit[test, None]) == y[test])
            )
        gaps.append(sorted(scores)[-1] - sorted(scores)[second])
    return np.mean(gaps)


def assert_sap(sap):
    codes = PERFECT + 0.4 * noise(6, 300, 4)
    codes = (codes - codes.mean(0)) / codes.std(0)
    uneven = (
        np.stack([np.arange(300) % 7 > 0, np.arange(300) % 5 > 3], axis=1) + 0
    )  # where balance and C weigh
    for factors in (FACTORS, uneven):
        assert sap(codes, factors) == pytest.approx(naive_sap(codes, factors), abs=1e-3)


def test_sap_by_the_dual_problem():
    assert_sap(sap)


@pytest.mark.parametrize("wrong", [{"strength": 1e-4}, {"second": 0}, {"held_out": False}], ids=str)
def test_wrong_saps_are_caught(wrong):
    with pytest.raises(AssertionError):
        assert_sap(lambda codes, factors: naive_sap(codes, factors, **wrong))


def naive_concentration(importance, axis=1, base=None, weighted=True):
    """Row by row; the switches make wrong copies."""
    rows = importance if axis else importance.T
    scores, weights = [], []
    for row in rows:
        shares = row[row > 0] / row.sum() if row.sum() else np.full(len(row), 1 / len(row))
        scores.append(1 + (shares * np.log(shares)).sum() / np.log(base or len(row)))
        weights.append(row.sum() if weighted else 1.0)
    return np.average(scores, weights=weights) if sum(weights) else 0.0


def assert_concentration(concentration):
    """By hand, units × factors: all in one column, all even, nothing, and three rows of unequal
    weight."""
    assert concentration(np.eye(3)) == pytest.approx(1)
    assert concentration(np.ones((4, 3))) == pytest.approx(0, abs=1e-9)
    assert concentration(np.zeros((4, 3))) == pytest.approx(0, abs=1e-9)
    rows = np.array([[6.0, 0], [1, 1], [0, 0], [1, 3]])  # 1, 0, unused, 1 - h(1/4)
    quarter = 1 - (2 - 0.75 * np.log2(3))
    assert concentration(rows) == pytest.approx((6 * 1 + 2 * 0 + 4 * quarter) / 12)
    assert concentration(rows.T) == pytest.approx(naive_concentration(rows.T))


@pytest.mark.parametrize("concentration", [scores._concentration, naive_concentration])
def test_disentanglement_of_a_given_importance(concentration):
    assert_concentration(concentration)


@pytest.mark.parametrize("wrong", [{"axis": 0}, {"base": np.e}, {"weighted": False}], ids=str)
def test_wrong_disentanglements_are_caught(wrong):
    with pytest.raises(AssertionError):
        assert_concentration(lambda importance: naive_concentration(importance, **wrong))


def test_dci_takes_rows_for_disentanglement_and_columns_for_completeness(monkeypatch):
    """Two units that each tell of both factors alike, and one more per factor that tells
    nothing."""
    columns = iter([[0.5, 0.5, 0, 0], [0.5, 0, 0.5, 0]])

    class Trees:
        def __init__(self, random_state):
            self.feature_importances_ = np.array(next(columns))

        fit = lambda self, codes, y: self  # noqa: E731
        score = lambda self, codes, y: 0.75  # noqa: E731

    monkeypatch.setattr(scores, "GradientBoostingClassifier", Trees)
    wanted = {"disentanglement": 0.5, "completeness": 0.5, "informativeness": 0.75}
    assert dci_parts(PERFECT, FACTORS) == pytest.approx(wanted)


@pytest.mark.slow
def test_scores_of_a_wide_code():
    factors = classes(3, 1000, 5)
    codes = noise(4, 1000, 64)
    codes[:, :5] = factors
    assert sap(codes, factors) == pytest.approx(0.6, abs=0.06)
    assert mig(codes, factors) > 0.95
    assert dci(codes, factors) > 0.98


# ---------------------------------------------------------------- CKA


def hsic_cka(a, b, centred=True, root=True, kernel=lambda z: z @ z.T):
    """From kernel matrices [N, N]: tr(KHLH) / √(tr(KHKH) tr(LHLH)); the switches make wrong
    copies."""
    centre = np.eye(len(a)) - centred / len(a)
    k, m = (centre @ kernel(z) @ centre for z in (a, b))
    return (k * m).sum() / ((k * k).sum() * (m * m).sum()) ** (0.5 if root else 1)


def assert_cka(cka):
    """A column against itself and another: the squared correlation; against columns at right
    angles: 0."""
    x, y = noise(0, 50, 1) + 3, noise(1, 50, 1) - 3
    assert cka(x, x + y) == pytest.approx(np.corrcoef(x[:, 0], (x + y)[:, 0])[0, 1] ** 2)
    square = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]]) + 2
    assert cka(square[:, :1], square[:, 1:]) == pytest.approx(0, abs=1e-12)
    assert cka(square[:, :1], square) == pytest.approx(np.sqrt(0.5))
    assert cka(noise(2, 30, 4), noise(3, 30, 7)) == pytest.approx(
        hsic_cka(noise(2, 30, 4), noise(3, 30, 7))
    )


@pytest.mark.parametrize("alignment", [cka, hsic_cka])
def test_cka_by_hand_and_by_kernels(alignment):
    assert_cka(alignment)


@pytest.mark.parametrize(
    "wrong",
    [{"centred": False}, {"root": False}, {"kernel": lambda z: z @ np.linalg.pinv(z)}],
    ids=["raw", "no √", "CCA"],
)
def test_wrong_ckas_are_caught(wrong):
    with pytest.raises(AssertionError):
        assert_cka(lambda a, b: hsic_cka(a, b, **wrong))


@given(seeds, st.integers(2, 40), st.integers(1, 6), st.floats(1e-3, 1e3))
@seeded
def test_cka_knows_neither_rotation_nor_scale(seed, rows, width, scale):
    a, b = noise(seed, rows, width), noise(seed + 1, rows, 3)
    turn = np.linalg.qr(noise(seed + 2, width, width))[0]
    order = np.random.default_rng(seed).permutation(rows)
    assert cka(a, scale * a @ turn - 7) == pytest.approx(1)
    assert cka(scale * a @ turn + 1, b) == pytest.approx(cka(a, b))
    assert cka(a[order], b[order]) == pytest.approx(cka(a, b), abs=1e-12)
    assert cka(b, a) == pytest.approx(cka(a, b))
    assert 0 <= cka(a, b) <= 1


def test_cka_of_a_constant_is_0_and_of_units_scaled_apart_is_not_1():
    z = noise(0, 50, 4)
    assert cka(z, np.full((50, 2), 0.1)) == cka(np.full((50, 2), 0.1), np.full((50, 2), 0.1)) == 0
    assert cka(z, z * [1, 10, 100, 1000]) < 0.9


# ---------------------------------------------------------------- errors

Z, Y = noise(0, 20, 3), np.arange(20) % 2
HOLE = np.where(np.arange(60).reshape(20, 3) < 4, np.nan, Z)  # two rows
V = np.stack([Y, np.arange(20) // 10], axis=1)
BAD = {
    "embedding: 2 of 20 rows hold NaN": lambda: probe(HOLE, Y),
    "embedding 'z': 2 of 20 rows": lambda: probe_matrix({"a": Z, "z": HOLE}, {"y": Y}),
    "embedding 'z': 20 of 20 rows": lambda: modality_probe({"a": Z, "z": Z * np.inf}),
    "embedding in training: 2 of 20": lambda: probe(Z, Y, train=HOLE),
    r"embedding: float64 of shape \(20,\)": lambda: probe(Z[:, 0], Y),
    r"embedding: float64 of shape \(0, 3\)": lambda: probe(Z[:0], Y[:0]),
    "embedding: <U": lambda: probe(Z.astype(str), Y),
    "embedding: 3 units, 2 in training": lambda: probe(Z, Y, train=Z[:, :2]),
    "factor: one value only, 0": lambda: probe(Z, 0 * Y),
    "factor: one value only in a column": lambda: probe(
        Z, np.stack([Z[:, 0], np.ones(20)], axis=1)
    ),
    "factor: 2 of 20 rows hold NaN": lambda: probe(Z, HOLE[:, 0]),
    r"factor: int64 of shape \(19,\) for 20": lambda: probe(Z, Y[1:]),
    r"factor: int64 of shape \(20, 2\)": lambda: probe(Z, V),
    "factor: object": lambda: probe(Z, [None, "a"] * 10),
    "factor: True has 3 of 5 samples needed; use fewer folds": lambda: probe(Z, np.arange(20) > 16),
    "factor 'size': 0 has 1 of 5": lambda: probe_matrix({"z": Z}, {"size": np.arange(20)}),
    "folds: 11 of 20": lambda: probe(Z, Z[:, 0], folds=11),
    "folds: 1 of 20": lambda: probe(Z, Y, folds=1),
    "folds: 5 of 4": lambda: modality_probe({"a": Z[:4], "b": Z[:4]}),
    "0 embeddings, 1 factors": lambda: probe_matrix({}, {"y": Y}),
    "1 embeddings, 0 factors": lambda: probe_matrix({"z": Z}, {}),
    "rows {'a': 20, 'b': 19}": lambda: probe_matrix({"a": Z, "b": Z[1:]}, {"y": Y}),
    r"train: \['b'\] for embeddings \['a'\]": lambda: probe_matrix(
        {"a": Z}, {"y": Y}, train={"b": Z}
    ),
    r"train: \['a'\] for embeddings": lambda: modality_probe({"a": Z, "b": Z}, train={"a": Z}),
    "modalities: {'a': ": lambda: modality_probe({"a": Z}),
    r"'b': \(19, 3\)": lambda: modality_probe({"a": Z, "b": Z[1:]}),
    r"'b': \(20, 2\)": lambda: modality_probe({"a": Z, "b": Z[:, 1:]}),
    "cka: 20 rows in a, 19 in b": lambda: cka(Z, Z[1:]),
    "b: 2 of 20 rows": lambda: cka(Z, HOLE),
    "a: float64 of shape": lambda: cka(Z[:, 0], Z),
    "factors: 1 column": lambda: dci(Z, V[:, :1]),
}
BAD_CODES = {
    "codes: 2 of 20 rows hold NaN": (HOLE, V),
    "codes: float64 of shape": (Z[:, 0], V),
    "codes: 1 unit": (Z[:, :1], V),
    r"factors: int64 of shape \(20,\)": (Z, Y),
    "factors: float64": (Z, V.astype(float)),
    r"factors: int64 of shape \(19, 2\) for 20 codes": (Z, V[1:]),
    r"factors: int64 of shape \(20, 0\)": (Z, V[:, :0]),
    "factor 1: one value only, 0": (Z, V * [1, 0]),
    "factor 0: 19 has 1 of 2": (Z, np.stack([np.arange(20) // 19 * 19, Y], axis=1)),
}


@pytest.mark.parametrize("message", BAD)
def test_errors_name_the_place_and_the_value(message):
    with pytest.raises(DataError, match=message) as caught:
        BAD[message]()
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)


@pytest.mark.parametrize("score", [sap, mig, dci, dci_parts])
@pytest.mark.parametrize("message", BAD_CODES)
def test_errors_of_the_scores(message, score):
    with pytest.raises(DataError, match=message) as caught:
        score(*BAD_CODES[message])
    assert "\n" not in str(caught.value)
