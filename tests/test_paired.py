"""Pairs of methods compared seed by seed, and Holm's correction of many such comparisons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from discom.errors import RunError
from discom.runs import Result
from discom.tables import compare, holm


def result(method="student", seed=0, rgb=80.0, depth=60.0, *, data="scenes", networks=None):
    scores = {m: {"f1": f1} for m, f1 in (networks or {"rgb": rgb, "depth": depth}).items()}
    return Result(method=method, data=data, seed=seed, hash="aa", scores=scores, parameters=dict.fromkeys(scores, 7),
                  seconds=1.0, pairs_per_second=1.0, peak_memory_mb=1.0, machine={}, counts={}, classes=9,
                  config={"seed": seed, "options": {"weights": {}}})  # fmt: skip


RUNS = [
    *(result("student", seed, rgb, 60.0) for seed, rgb in enumerate((70.0, 72.0, 74.0))),
    *(
        result("discom", seed, rgb, 61.0)
        for seed, rgb in ((2, 78.0), (0, 73.0), (1, 74.0), (7, 99.0))
    ),
    result("student-2x", 1, 71.0, 62.0),
    result("student", 0, data="hls", networks={"rgb": 50.0}),
    result("discom", 0, data="hls", networks={"rgb": 51.0, "elevation": 40.0}),
]

# ---------------------------------------------------------------- Holm


def test_holm_by_hand_and_not_bonferroni():
    assert np.allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    assert np.allclose(
        holm([0.02, 0.5, 0.9]), [0.06, 1, 1]
    )  # Bonferroni would be the same in the first alone
    assert holm([]).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_its_steps_reject(p):
    """Holm's steps: up the sorted values, stopping at the first above α / (m - j + 1)."""
    alpha, kept = 0.05, set()
    for step, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] * (len(p) - step) > alpha:
            break
        kept.add(int(place))
    assert {int(place) for place in np.flatnonzero(holm(p) <= alpha)} == kept
    assert (holm(p) >= np.asarray(p)).all()


@pytest.mark.parametrize("p", [[-0.1], [0.2, 1.2], [np.nan]])
def test_holm_refuses_what_is_no_p_value(p):
    with pytest.raises(ValueError, match="lie in"):
        holm(p)


# ---------------------------------------------------------------- pairs


def test_a_pair_is_compared_on_common_seeds_in_every_data_set_and_sensor():
    found = compare(RUNS, [("discom", "student")]).set_index(["data", "modality"])
    assert list(found.index) == [
        ("scenes", "rgb"),
        ("scenes", "depth"),
        ("hls", "rgb"),
    ]  # no student saw elevation
    row = found.loc["scenes", "rgb"]
    assert row["n"] == 3
    assert np.allclose(
        row["each"], [3, 2, 4]
    )  # seeds 0, 1 and 2, though the runs were listed otherwise
    expected = stats.ttest_rel([73, 74, 78], [70, 72, 74])
    interval = expected.confidence_interval()
    assert np.allclose([row["difference"], row["p"]], [3, expected.pvalue])
    assert np.allclose([row["low"], row["high"]], interval)


def test_differences_without_spread_and_single_seeds():
    found = compare(RUNS, [("discom", "student"), ("discom", "student-2x")]).set_index(
        ["data", "modality", "minus"]
    )
    alike = found.loc["scenes", "depth", "student"]
    assert (alike["difference"], alike["low"], alike["high"], alike["p"]) == (1, 1, 1, 0)
    single = found.loc["scenes", "rgb", "student-2x"]
    assert (single["n"], single["difference"], single["p"]) == (1, 3, 1)
    assert np.isnan(single["low"])
    assert np.allclose(found["holm"], holm(found["p"]))


def test_pairs_that_were_not_run_are_left_out():
    found = compare(RUNS, [("kdv2", "student"), ("discom", "kdv2")])
    assert found.empty
    assert list(found)[-2:] == ["holm", "each"]


def test_two_runs_of_the_same_seed_are_refused():
    with pytest.raises(RunError, match="two runs of the same data"):
        compare([*RUNS, result("discom", 0)], [("discom", "student")])
