"""Many runs put together: paired intervals by hand and by scipy, tables from hand-made results, files that break."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from discom.errors import DataError, RunError
from discom.experiments import (
    BASELINES,
    collect,
    cost_to_markdown,
    load_results,
    paired_difference,
    summary,
    to_markdown,
)
from discom.runs import Result

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=50)


def result(method="student", seed=0, rgb=80.0, depth=60.0, *, data="scenes", seconds=10.0, hash="aa", **config):
    scores = {m: {"f1": f1, "accuracy": f1, "calibration_error": 0.1, "valid_f1": f1, "best_epoch": 3}
              for m, f1 in (("rgb", rgb), ("depth", depth)) if f1 is not None}  # fmt: skip
    return Result(
        method=method, data=data, seed=seed, hash=hash, scores=scores, parameters=dict.fromkeys(scores, 7),
        seconds=seconds, pairs_per_second=1.0, peak_memory_mb=1.0,
        machine={"device": "cpu", "processor": "P", "threads": 2},
        config={"seed": seed, "epochs": 2, "options": {"weights": {}}, **config}, counts={"train": 4},
    )  # fmt: skip


def write(folder, *results):
    for r in results:
        path = folder / r.data / r.method / f"{r.seed}-{r.hash}" / "result.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(r)))
    return folder


# ---------------------------------------------------------------- paired differences


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [2, 3, 5, 20])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_paired_difference_is_scipys(seed, n, level):
    rng = np.random.default_rng(seed)
    ours, theirs = 80 + rng.normal(size=n), 78 + 3 * rng.normal(size=n)
    mean, low, high = paired_difference(list(ours), list(theirs), level)
    d = ours - theirs
    expected = stats.t.interval(level, n - 1, loc=d.mean(), scale=stats.sem(d))
    assert (mean, low, high) == pytest.approx((d.mean(), *expected), rel=1e-9)
    assert low < mean < high


def test_paired_difference_by_hand():
    """Differences 2, 3, 1: mean 2, sd 1, and t with 2 degrees of freedom is 4.302653 at 97.5 %."""
    half = 4.302652729911275 / math.sqrt(3)
    assert paired_difference([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]) == pytest.approx((2, 2 - half, 2 + half), rel=1e-9)


def test_paired_difference_of_two_runs_by_hand():
    """Differences 1 and 3: mean 2, sd √2, sem 1, and t with 1 degree of freedom is tan(0.475π) = 12.7062."""
    half = math.tan(0.475 * math.pi)
    assert paired_difference([5.0, 5.0], [4.0, 2.0]) == pytest.approx((2, 2 - half, 2 + half), rel=1e-9)


def test_one_run_has_no_interval():
    mean, low, high = paired_difference([5.0], [3.5])
    assert mean == 1.5
    assert math.isnan(low)
    assert math.isnan(high)


@pytest.mark.parametrize("difference", [0.0, 2.0, -3.5])
def test_equal_differences_have_an_interval_of_no_width(difference):
    theirs = [10.0, 20.0, 40.0]
    assert paired_difference([b + difference for b in theirs], theirs) == (difference,) * 3


def test_differences_are_paired():
    """The spread of the scores themselves does not widen the interval, and who is whose partner matters."""
    theirs = [50.0, 70.0, 90.0]
    _, low, high = paired_difference([51.0, 71.5, 91.2], theirs)
    assert high - low < 2
    _, low, high = paired_difference([91.2, 51.0, 71.5], theirs)
    assert high - low > 50


@seeded
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=8))
def test_swapping_the_sides_mirrors_the_interval(pairs):
    ours, theirs = (np.array(side) / 8 for side in zip(*pairs, strict=True))
    mean, low, high = paired_difference(ours, theirs)
    assert low <= mean <= high
    assert paired_difference(theirs, ours) == pytest.approx((-mean, -high, -low), rel=1e-9, abs=1e-9)


def test_unequal_lengths():
    with pytest.raises(ValueError, match="shapes"):
        paired_difference([1.0, 2.0], [1.0, 2.0, 3.0])


# ---------------------------------------------------------------- summary

RUNS = [
    *(result("student", seed, rgb, 60.0, seconds=10) for seed, rgb in enumerate((70.0, 72.0, 74.0))),
    *(result("discom", seed, rgb, 61.0, seconds=s) for seed, rgb, s in ((0, 73.0, 20), (1, 74.0, 90), (2, 78.0, 40))),
    result("student-2x", 1, 71.0, 62.0, seconds=15),
]


def rows(table):
    return {(row["data"], row["method"], row["modality"]): row for row in table.to_dict("records")}


def test_summary_by_hand():
    table = summary(RUNS)
    found = rows(table)
    assert len(table) == len(found) == 6
    student, discom, twice = (found["scenes", m, "rgb"] for m in ("student", "discom", "student-2x"))
    assert (student["n"], student["f1"], student["sd"]) == (3, 72.0, pytest.approx(2.0))
    assert (discom["n"], discom["f1"]) == (3, 75.0)
    assert discom["sd"] == pytest.approx(math.sqrt(7))  # -2, -1, 3: 14 / (3 - 1)
    half = 4.302652729911275 * 1.0 / math.sqrt(3)  # differences 3, 2, 4
    assert [discom[f"vs student{k}"] for k in ("", " low", " high")] == pytest.approx([3, 3 - half, 3 + half])
    assert discom["vs student-2x"] == 74.0 - 71.0  # seed 1 is all they share
    assert math.isnan(discom["vs student-2x low"])
    assert math.isnan(discom["vs discom-solo"])
    assert math.isnan(student["vs student"])
    assert (twice["n"], twice["f1"], twice["vs student"]) == (1, 71.0, -1.0)
    assert math.isnan(twice["sd"])
    depth = found["scenes", "discom", "depth"]
    assert [depth[f"vs student{k}"] for k in ("", " low", " high")] == [1.0, 1.0, 1.0]


def test_summary_pairs_by_seed_whatever_the_order():
    expected, turned = rows(summary(RUNS)), rows(summary(RUNS[::-1]))
    assert expected.keys() == turned.keys()
    for key, row in expected.items():
        assert turned[key] == pytest.approx(row, nan_ok=True)


def test_summary_columns():
    differences = [f"vs {name}{end}" for name in BASELINES for end in ("", " low", " high")]
    assert list(summary(RUNS)) == ["data", "method", "modality", "n", "f1", "sd", *differences]
    assert "vs discom" in summary(RUNS, ["discom"])
    assert "vs student" not in summary(RUNS, ["discom"])


def test_other_data_and_other_settings_are_other_tables():
    runs = [result("student"), result("discom", rgb=90.0, data="eurosat"), result("discom", rgb=85.0, epochs=300)]
    table = summary(runs)
    assert len(table) == 6
    assert table["vs student"].isna().all()


def test_options_are_the_methods_own_and_split_no_table():
    runs = [result("student"), result("discom", rgb=85.0, options={"grl_lambda": 0.5, "weights": {}})]
    assert rows(summary(runs))["scenes", "discom", "rgb"]["vs student"] == 5.0


def test_runs_of_one_modality_and_of_two_are_not_compared():
    table = summary([result("student", depth=None), result("discom")])
    assert len(table) == 3
    assert table["vs student"].isna().all()


@pytest.mark.parametrize("options", [{"weights": {}}, {"weights": {"aux": 0}}])
def test_two_runs_with_one_seed(options):
    runs = [result("discom", 3), result("discom", 3, hash="bb", options=options)]
    with pytest.raises(RunError, match="scenes: two runs of discom with seed 3; collect them apart"):
        summary(runs)


# ---------------------------------------------------------------- Markdown


def test_markdown_by_hand():
    half = 4.302652729911275 / math.sqrt(3)
    expected = [
        "| data | method | modality | n | F1 | Δ student | Δ student-2x |",
        "|---|---|---|---|---|---|---|",
        "| scenes | student | rgb | 3 | 72.0 ± 2.0 | – | +1.0 |",
        "| scenes | student | depth | 3 | 60.0 ± 0.0 | – | -2.0 |",
        f"| scenes | discom | rgb | 3 | 75.0 ± 2.6 | +3.0 [{3 - half:+.1f}, {3 + half:+.1f}] | +3.0 |",
        "| scenes | discom | depth | 3 | 61.0 ± 0.0 | +1.0 [+1.0, +1.0] | -1.0 |",
        "| scenes | student-2x | rgb | 1 | 71.0 | -1.0 | – |",
        "| scenes | student-2x | depth | 1 | 62.0 | +2.0 | – |",
    ]
    assert to_markdown(summary(RUNS)).split("\n") == expected


def test_cost_is_the_median_over_the_runs_of_a_method_and_names_the_machine():
    lines = cost_to_markdown(RUNS).split("\n")
    assert lines[0] == "| data | method | parameters at use | n | s per run | quickest | samples/s | peak MB |"
    assert lines[2:5] == [
        "| scenes | student | 7 | 3 | 10 | 10 | 1 | 1 |",
        "| scenes | discom | 7 | 3 | 40 | 20 | 1 | 1 |",  # of 20, 90 and 40: the mean would be 50
        "| scenes | student-2x | 7 | 1 | 15 | 15 | 1 | 1 |",
    ]
    assert lines[-1] == "Machine: P, 2 threads, device cpu"


def test_markdown_of_a_single_run():
    lines = to_markdown(summary([result("discom", rgb=81.26)])).split("\n")
    assert lines[0] == "| data | method | modality | n | F1 |"
    assert lines[2] == "| scenes | discom | rgb | 1 | 81.3 |"


# ---------------------------------------------------------------- files


def test_collect_and_load_go_round(tmp_path):
    collect(RUNS, tmp_path / "all.json")
    loaded = load_results(tmp_path / "all.json")
    assert sorted(map(repr, loaded)) == sorted(map(repr, RUNS))
    assert rows(summary(loaded)).keys() == rows(summary(RUNS)).keys()
    collect(loaded, tmp_path / "again.json")
    assert load_results(str(tmp_path / "again.json")) == loaded


def test_load_orders_by_data_method_and_seed(tmp_path):
    runs = [result("mine", 0), result("discom", 1), result("discom", 0), result("student", 2), result("student-2x", 0),
            result("student", 0, data="eurosat"), result("student", 10)]  # fmt: skip
    loaded = load_results(write(tmp_path, *runs))
    assert [(r.data, r.method, r.seed) for r in loaded] == [
        ("eurosat", "student", 0), ("scenes", "student", 2), ("scenes", "student", 10), ("scenes", "student-2x", 0),
        ("scenes", "discom", 0), ("scenes", "discom", 1), ("scenes", "mine", 0),
    ]  # fmt: skip
    assert load_results(tmp_path / "scenes" / "discom") == loaded[4:6]


def test_nothing_to_load(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RunError, match=f"{folder.name}: no finished run in it; train one with"):
            load_results(folder)


@pytest.mark.parametrize("damage", ["cut", "empty", "missing field", "unknown field", "list", "number", "bytes"])
def test_a_damaged_result_is_named(tmp_path, damage):
    write(tmp_path, *RUNS[:2])
    file = tmp_path / "scenes/student/1-aa/result.json"
    fields = json.loads(file.read_text())
    content = {
        "cut": file.read_text()[:-20],
        "empty": "",
        "missing field": json.dumps({k: v for k, v in fields.items() if k != "scores"}),
        "unknown field": json.dumps({**fields, "colour": "red"}),
        "list": "[1, 2]",
        "number": "3",
        "bytes": "",
    }[damage]
    file.write_bytes(b"\xff\xfe\x00" if damage == "bytes" else content.encode())
    with pytest.raises(RunError, match=r"student.1-aa.result\.json: not a result of ours"):
        load_results(tmp_path)


def test_a_result_that_is_not_there(tmp_path):
    with pytest.raises(RunError, match=r"result\.json: no such result"):
        Result.read(tmp_path / "result.json")


def test_a_cut_collection_is_named(tmp_path):
    collect(RUNS, tmp_path / "all.json")
    text = (tmp_path / "all.json").read_text()
    (tmp_path / "all.json").write_text(text[: len(text) // 2])
    with pytest.raises(DataError, match=r"all\.json: not valid JSON"):
        load_results(tmp_path / "all.json")


def test_collect_refuses_what_json_cannot_say(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        collect([result(rgb=float("nan"))], tmp_path / "all.json")
    assert not list(tmp_path.iterdir())
