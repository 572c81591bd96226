"""Many runs put together: against loops over plain numbers, and what may not be averaged."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.results import result
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from discom.errors import RunError
from discom.tables import summary

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=12)
METHODS, SENSORS = ("student", "discom", "kdv2"), ("rgb", "depth")
ENDS = ("", " low", " high")


def draw(seed, draws):
    """Runs of three methods on two data sets with two lengths; some are missing, some split their
    samples by another seed, some lack a sensor."""
    rng, runs = np.random.default_rng(seed), []
    for method, data, epochs, number in np.ndindex(3, 2, 2, 4):
        sensors = SENSORS if rng.random() < 0.8 else SENSORS[:1]
        scores = {name: float(rng.integers(50, 70)) for name in sensors}
        run = result(METHODS[method], number, scores, data="ab"[data], draws=draws, epochs=epochs)
        other = run.divided is not None and rng.random() < 0.2
        if rng.random() < 0.8:
            divided = int(rng.integers(4)) if other else run.divided
            runs.append(replace(run, divided=divided))
    return runs


def seeds_of(run):
    return run.drawn, run.divided, run.seed


def drawing_of(group):
    """Which of these seeds draws: the first that differs."""
    return next((k for k in range(3) if len({seeds_of(run)[k] for run in group}) > 1), 2)


def naive(group, method, minus, sensor):
    """Of the differences with each value of the seed that draws: mean and interval."""
    ours, theirs = (
        {
            seeds_of(run): run.main[sensor]
            for run in group
            if run.display_name == name and sensor in run.main
        }
        for name in (method, minus)
    )
    drawing, each = drawing_of(group), {}
    for key in sorted(ours.keys() & theirs.keys(), key=str) if method != minus else ():
        each.setdefault(key[drawing], []).append(ours[key] - theirs[key])
    each = np.array([np.mean(each[key]) for key in sorted(each)])
    n = len(each)
    if n == 0:
        return (np.nan,) * 3
    if n < (3 if drawing == 1 else 2):
        return each.mean(), np.nan, np.nan
    overlap = 2 / 4 if drawing == 1 else 0  # test and training samples of `result`
    half = stats.t.ppf(0.975, n - 1) * each.std(ddof=1) * np.sqrt(1 / n + overlap)
    return each.mean(), each.mean() - half, each.mean() + half


def check(runs):
    """Every cell of `summary`."""
    whole = summary(runs, ["student", "discom"])
    groups = {}
    for run in runs:
        groups.setdefault((run.data, run.config["epochs"]), []).append(run)
    count = 0
    for (data, epochs), group in groups.items():
        lines = whole[(whole["data"] == data) & (whole["epochs"] == epochs)]
        for row in lines.to_dict("records"):
            own = [
                r for r in group if r.display_name == row["method"] and row["modality"] in r.main
            ]
            for minus in ("student", "discom"):
                expected = naive(group, row["method"], minus, row["modality"])
                cells = [row[f"vs {minus}{end}"] for end in ENDS]
                assert cells == pytest.approx(expected, nan_ok=True), (row["method"], minus)
            if len({seeds_of(run)[drawing_of(group)] for run in own}) == len(own):
                scores = [run.main[row["modality"]] for run in own]
                assert (row["n"], row["f1"]) == (len(own), pytest.approx(np.mean(scores)))
                if len(own) > 1:
                    sd, half = np.std(scores, ddof=1), (row["high"] - row["low"]) / 2
                    assert row["sd"] == pytest.approx(sd)
                    overlap = 2 / 4 if row["draws"] == "split" else 0
                    reach = stats.t.ppf(0.975, len(own) - 1) * sd * np.sqrt(1 / len(own) + overlap)
                    short = overlap and len(own) < 3
                    assert half == pytest.approx(np.nan if short else reach, nan_ok=True)
            count += 1
    assert count == len(whole)


@given(st.integers(0, 2**16), st.sampled_from(["samples", "split", "weights"]))
@seeded
def test_summaries_are_those_of_plain_loops(seed, draws):
    check(draw(seed, draws))


RUNS = [
    *(result("student", seed, {"rgb": rgb}) for seed, rgb in enumerate((70.0, 72.0, 74.0))),
    *(result("discom", seed, {"rgb": rgb}) for seed, rgb in enumerate((73.0, 74.0, 78.0))),
]


def rows(runs, baselines=("student",)):
    """Method → its row in RGB."""
    table = summary(runs, baselines)
    return {row["method"]: row for row in table.to_dict("records") if row["modality"] == "rgb"}


def changed(runs, **config):
    return [replace(run, config={**run.config, **config}) for run in runs]


TWICE = [result("discom", 3), result("discom", 3, code="bb", options={"grl_lambda": 1.0})]


@pytest.mark.parametrize("runs", [TWICE, [], [*RUNS, result(metric="miou")]])
def test_runs_that_make_no_row_are_refused(runs):
    """One seed twice, where a default is written out; none; classes of images and of pixels."""
    with pytest.raises(RunError):
        summary(runs)


def test_a_setting_that_differs_has_a_column_and_the_share_of_labels_always():
    elsewhere = replace(RUNS[0], data="hls", digest="hls")
    table = summary([*RUNS, *changed(RUNS[:3], epochs=3), elsewhere])
    named = set(table[["data", "epochs"]].itertuples(index=False, name=None))
    assert named == {("objects", 2), ("objects", 3), ("hls", 2)}
    assert "epochs" not in summary([*RUNS, elsewhere])
    weights = changed(RUNS[3:], class_weights="balanced")
    assert np.isnan(rows([*RUNS[:3], *weights])["discom"]["vs student"])


def test_learning_rates_are_never_averaged():
    """A method's own rate parts nothing; where it has two, each has a row."""
    table = rows([*RUNS[:3], *changed(RUNS[3:], learning_rate=0.5)])
    assert (table["discom"]["vs student"], table["discom"]["lr"]) == (3.0, 0.5)
    table = rows([*RUNS, *changed(RUNS[:1], learning_rate=0.5)], ["student lr=0.001"])
    assert [*table] == ["student lr=0.001", "discom", "student lr=0.5"]
    assert table["discom"]["vs student lr=0.001"] == 3.0


def test_two_data_sets_of_one_name_are_two_rows_with_their_digests():
    """Scenes of 120 with seed 0 and of 150 with seed 1 were one row of n = 2."""
    runs = [result("student", 0, digest="a120"), result("student", 1, digest="b150")]
    table = summary(runs)
    assert table["n"].tolist() == [1] * 4
    assert table["digest"].tolist() == ["a120"] * 2 + ["b150"] * 2
    table = summary([*runs, result("discom", 1, digest="a120")], ["student"])
    assert table["vs student"].isna().all()


def test_rows_of_two_precisions_are_named(recwarn):
    """Machines make another one of the precision that was asked for; asked-for ones stand apart."""
    runs = [result(name, seed, precision="mixed") for name in METHODS for seed in range(3)]
    alike = [replace(run, precision="bf16-mixed") for run in runs]
    summary(alike)
    summary([*runs[:3], *(result("kdv2", seed) for seed in range(3))])
    assert not recwarn
    summary([*alike[:3], replace(runs[3], precision="16-mixed"), *alike[4:]])
    (warning,) = [str(each.message) for each in recwarn]
    assert warning.startswith("objects: rows in 16-mixed: discom; in bf16-mixed: student, discom")
