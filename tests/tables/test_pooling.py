"""Folds pooled: scores against the libraries', intervals against closed forms and by simulation;
Holm's correction against its steps."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.results import result
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, f1_score

from discom.errors import RunError
from discom.evaluation.scores import dense_scores
from discom.tables import holm, paired_difference, resampled_interval, summary, to_markdown
from discom.tables.intervals import group_dice, pooled_score, pseudo_values, t_test


def tallies(truth, predicted, group, classes=3):
    """A row for each group: hits, labels and predictions of each class."""
    cells = np.zeros((group.max() + 1, 3, classes))
    np.add.at(cells, (group, 0, truth), truth == predicted)
    np.add.at(cells, (group, 1, truth), 1)
    np.add.at(cells, (group, 2, predicted), 1)
    return cells


def group_test(ours, theirs, metric):
    return t_test(pseudo_values(ours, theirs, metric).to_numpy())


def runs_of(method, truth, predicted, group, fold, seed=0, k=2):
    """A run for each fold, with what it predicted for the groups that the fold tests."""
    made = []
    for number in range(k):
        own = fold == number
        names, place = np.unique(group[own], return_inverse=True)
        rows = np.stack([place, truth[own], predicted[own], np.ones(own.sum(), int)], 1).tolist()
        tested = {"groups": [f"g{name}" for name in names], "counts": {"rgb": rows}}
        plain = result(method, seed, {"rgb": 50.0}, draws="split")
        of = {"fold": number, "folds": k, "tested": tested, "classes": 3}
        made.append(replace(plain, counts={**plain.counts, "test": int(own.sum())}, **of))
    return made


@pytest.fixture(params=[8, 60], ids=["few", "many"])
def predictions(request):
    """Truth, two methods' predictions, groups of unequal size, folds."""
    rng = np.random.default_rng(request.param)
    group = rng.permutation(np.repeat(np.arange(request.param), rng.integers(5, 20, request.param)))
    truth = rng.integers(0, 3, len(group))
    one, two = (
        np.where(rng.random(len(group)) < p, truth, rng.integers(0, 3, len(group)))
        for p in (0.7, 0.4)
    )
    return truth, one, two, group, group % 2


def f1(truth, predicted):
    return 100 * f1_score(truth, predicted, average="weighted")


def test_scores_from_counts_are_those_of_the_libraries(predictions):
    truth, one, _, group, _ = predictions
    cells = tallies(truth, one, group, 4)  # one class has no sample
    assert pooled_score(cells.sum(0), "f1") == pytest.approx(f1(truth, one))
    masks = (torch.as_tensor(each).reshape(1, 1, -1) for each in (one, truth))
    iou = dense_scores(*masks, tuple("abcd"))["miou"]
    assert pooled_score(cells.sum(0), "miou") == pytest.approx(iou)
    recall = 100 * balanced_accuracy_score(truth, one)
    assert pooled_score(cells.sum(0), "recall") == pytest.approx(recall)
    each = pooled_score(cells, "f1")
    assert each[3] == pytest.approx(f1(truth[group == 3], one[group == 3]))


def test_dice_of_groups_is_scikit_learns(predictions):
    truth, one, _, group, _ = predictions
    truth = np.where(group == 3, 0, truth)  # a group without the class
    cells = tallies(truth, one, group)
    found = group_dice(pd.DataFrame(cells.reshape(len(cells), -1)), 2)
    for number in range(len(cells)):
        own = group == number
        expected = 100 * f1_score(truth[own] == 2, one[own] == 2, zero_division=0)
        assert found[number] == pytest.approx(expected if number != 3 else np.nan, nan_ok=True)


def test_tables_pool_all_folds_and_average_seeds(predictions):
    truth, one, two, group, fold = predictions
    ours, theirs = (partial(runs_of, name, truth) for name in ("discom", "student"))
    runs = ours(one, group, fold) + theirs(two, group, fold)
    table, expected = summary(runs, ["student"]), f1(truth, one) - f1(truth, two)
    row = table.set_index("method").loc["discom"]
    assert (row["n"], row["f1"]) == (1, pytest.approx(f1(truth, one)))
    assert row["vs student"] == pytest.approx(expected)
    assert row["vs student low"] < expected < row["vs student high"]
    groups = f"2 folds, {len(set(group))} groups"
    assert row["draws"] == groups in to_markdown(table, ["student"])
    second = ours(two, group, fold, 1) + theirs(one, group, fold, 1)  # is the reverse
    both = summary([*runs, *second], ["student"]).set_index("method").loc["discom"]
    assert (both["n"], both["vs student"]) == (2, pytest.approx(0))
    apart = summary([*runs, result("student", 0, {"rgb": 40.0}, draws="split")])
    assert sorted(apart["folds"]) == [0, 2, 2]  # a plain split of the same data


def test_samples_of_data_without_groups_are_not_called_groups(predictions):
    truth, one, *_ = predictions
    places = np.arange(len(truth))
    runs = runs_of("student", truth, one, places, places % 2)
    assert summary(runs)["draws"].tolist() == [f"2 folds, {len(truth)} samples"]


def test_a_missing_or_double_fold_is_named(predictions):
    truth, one, _, group, fold = predictions
    runs = [run for seed in (0, 1) for run in runs_of("student", truth, one, group, fold, seed)]
    with pytest.raises(RunError, match="no run of student with seed 1 tests fold 0; train"):
        summary([*runs[:2], runs[3]])
    with pytest.raises(RunError, match="two runs of student with seed 0"):
        summary([*runs, replace(runs[0], code="bb")])
    with pytest.raises(RunError, match="tests fold 1"):  # such as what is read from a part of it
        summary([runs[0], replace(runs[1], tested=None)])
    with pytest.raises(RunError, match="folds of samples that each seed draws"):
        summary([replace(run, drawn=run.seed) for run in runs])


def test_of_equal_groups_and_a_linear_score_it_is_the_paired_t():
    """Groups of one class and size: weighted F1 of one class is 2p / (1 + p), nearly linear; of
    accuracies that differ by little the t interval over groups is scipy's."""
    rng = np.random.default_rng(0)
    cells = np.zeros((2, 12, 3, 2))
    hits = 100_000 - rng.integers(0, 100, (2, 12))
    cells[:, :, 0, 0], cells[:, :, 1, 0], cells[:, :, 2, 0] = hits, 100_000, hits
    tables = [pd.DataFrame(own.reshape(12, -1)) for own in cells]
    difference, low, high, p = group_test(tables[:1], tables[1:], "f1")
    t = stats.ttest_rel(*pooled_score(cells, "f1"))
    ends = t.confidence_interval()
    assert (difference, low, high) == pytest.approx((ends.low / 2 + ends.high / 2, *ends), rel=1e-3)
    assert p == pytest.approx(t.pvalue, rel=1e-3)


def test_equal_methods_differ_by_nothing(predictions):
    truth, one, _, group, _ = predictions
    table = pd.DataFrame(tallies(truth, one, group).reshape(group.max() + 1, -1))
    assert group_test([table], [table], "f1") == (0, 0, 0, 1)
    assert group_test([table], [table[::-1]], "miou") == (0, 0, 0, 1)  # aligned by name


def test_of_one_seed_there_is_no_interval_and_equal_differences_have_no_width():
    assert paired_difference([5.0], [3.5]) == pytest.approx((1.5, np.nan, np.nan), nan_ok=True)
    assert paired_difference([12.0, 22.0, 42.0], [10.0, 20.0, 40.0]) == (2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match="give one of each"):
        paired_difference([1.0, 2.0], [1.0, 2.0, 3.0])


def split_coverage(interval, splits=5, repetitions=2000):
    """Share of 95 % intervals that hold the mean of all numbers, 0: of 100 numbers, drawn anew each
    time, a test part of 20 is drawn `splits` times, and its mean is that split's difference."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(repetitions):
        numbers = rng.normal(size=100)
        means = [rng.permutation(numbers)[:20].mean() for _ in range(splits)]
        _, low, high = interval(means)
        inside += low <= 0 <= high
    return 100 * inside / repetitions


def test_intervals_of_splits_of_one_set_hold_the_truth_and_students_t_would_not():
    """Two test parts share a fifth of their samples, which is what the formula takes."""
    assert 93 <= split_coverage(partial(resampled_interval, ratio=20 / 80)) <= 97
    assert split_coverage(lambda means: t_test(np.array(means))[:3]) < 90


def test_the_interval_of_splits_is_students_t_where_nothing_overlaps():
    values = np.array([1.0, 4.0, 2.0, 2.5])
    assert resampled_interval(values, 0.0) == pytest.approx(t_test(values)[:3])
    mean, low, high = resampled_interval(values, 0.75)  # 1/4 + 3/4: the half is t · sd
    half = stats.t.ppf(0.975, 3) * np.std(values, ddof=1)
    assert (mean, low, high) == pytest.approx((2.375, 2.375 - half, 2.375 + half))
    assert np.isnan(resampled_interval(values[:2], 0.25)[1:]).all()


@settings(derandomize=True, database=None, deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_its_steps_reject(p):
    """Holm's steps: up the sorted values, stopping at the first above α / (m - j + 1)."""
    alpha, rejected = 0.05, set()
    for step, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] * (len(p) - step) > alpha:
            break
        rejected.add(int(place))
    assert {int(place) for place in np.flatnonzero(holm(p) <= alpha)} == rejected
    assert (holm(p) >= np.asarray(p)).all()


@pytest.mark.parametrize("p", [[-0.1], [0.2, 1.2], [np.nan]])
def test_holm_refuses_what_is_no_p_value(p):
    with pytest.raises(ValueError, match="give p-values"):
        holm(p)


CLASSES, MIX = 4, np.array([1.6, 0.8, 0.8, 0.4])


def draw(rng, count):
    """Tallies of two methods, [2, count, 3 · C]: groups of unequal size and balance of classes,
    some harder than others, for both methods and for one."""
    size = np.clip(rng.lognormal(3.2, 0.8, count), 5, 200).astype(int)
    group = np.repeat(np.arange(count), size)
    shares = rng.dirichlet(MIX, count).cumsum(1)
    truth = (rng.random((len(group), 1)) > shares[group, :-1]).sum(1)
    both = rng.normal(0, 0.8, count)[group] + rng.normal(0, 1, len(group)) - 0.3 * truth
    made = []
    for skill in (0.9, 0.6):
        own = rng.normal(0, 0.4, count)[group] + rng.normal(0, 0.7, len(group))
        other = (truth + rng.integers(1, CLASSES, len(group))) % CLASSES
        predicted = np.where(skill + both + own > 0, truth, other)
        made.append(tallies(truth, predicted, group, CLASSES).reshape(count, -1))
    return np.array(made)


def bootstrap(ours, theirs, metric):
    """The interval of groups drawn anew, which is too narrow for few."""
    cells = np.stack([ours[0], theirs[0]])
    drawn = np.random.default_rng(0).integers(0, cells.shape[1], (500, cells.shape[1]))
    scores = pooled_score(cells[:, drawn].sum(2).reshape(2, 500, 3, -1), metric)
    return 0, *np.percentile(scores[0] - scores[1], (2.5, 97.5)), 0


def coverage(count, repetitions, interval=group_test):
    """Share of 95 % intervals that hold the difference of 60 000 groups."""
    population = sum(draw(np.random.default_rng([9, i]), 2000).sum(1) for i in range(30))
    truth = np.subtract(*pooled_score(population.reshape(2, 3, CLASSES), "f1"))
    inside = 0
    for number in range(repetitions):
        ours, theirs = map(pd.DataFrame, draw(np.random.default_rng([count, number]), count))
        _, low, high, _ = interval([ours], [theirs], "f1")
        inside += low <= truth <= high
    return 100 * inside / repetitions


@pytest.mark.slow
@pytest.mark.parametrize("count", [8, 40, 100])
def test_95_percent_intervals_hold_the_truth_as_often_as_they_say(count):
    assert 92 <= coverage(count, 1500 if count < 20 else 400) <= 98


@pytest.mark.slow
def test_a_bootstrap_of_8_groups_would_be_caught():
    assert coverage(8, 400, bootstrap) < 91
