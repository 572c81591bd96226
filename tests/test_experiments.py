"""Many runs put together: paired intervals by hand and by scipy, summaries of hand-made results,
files that break."""

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from discom import methods
from discom.errors import ConfigError, DataError, RunError
from discom.files import digest
from discom.runs import Result
from discom.tables.statistics import (
    BASELINES,
    collect,
    label,
    load_results,
    paired_difference,
    summary,
)

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=50)


def result(
    method="student", seed=0, rgb=80.0, depth=60.0, *, data="scenes", hash="aa", both=None, **config
):
    """A run by its F1 on each network; `both` is that of a teacher of both modalities."""
    f1s = {"rgb": rgb, "depth": depth, "rgb+depth": both}
    scores = {m: {"f1": f1, "accuracy": f1, "calibration_error": 0.1, "valid_f1": f1, "best_epoch": 3}
              for m, f1 in f1s.items() if f1 is not None}  # fmt: skip
    return Result(
        method=method, data=data, seed=seed, hash=hash, scores=scores, parameters=dict.fromkeys(scores, 7),
        seconds=10.0, pairs_per_second=1.0, peak_memory_mb=1.0,
        machine={"device": "cpu", "processor": "P", "threads": 2},
        config={"seed": seed, "epochs": 2, "options": {"weights": {}}, **config}, counts={"train": 4}, classes=9,
    )  # fmt: skip


def write(folder, *results):
    for r in results:
        path = folder / r.data / r.method / f"{r.seed}-{r.hash}" / "result.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(r.to_json()))
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
    assert paired_difference([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]) == pytest.approx(
        (2, 2 - half, 2 + half), rel=1e-9
    )


def test_paired_difference_of_two_runs_by_hand():
    """Differences 1 and 3: mean 2, sd √2, sem 1, and t with 1 degree of freedom is tan(0.475π) =
    12.7062."""
    half = math.tan(0.475 * math.pi)
    assert paired_difference([5.0, 5.0], [4.0, 2.0]) == pytest.approx(
        (2, 2 - half, 2 + half), rel=1e-9
    )


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
    """The spread of the scores themselves does not widen the interval, and who is whose partner
    matters."""
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
    assert paired_difference(theirs, ours) == pytest.approx(
        (-mean, -high, -low), rel=1e-9, abs=1e-9
    )


def test_unequal_lengths():
    with pytest.raises(ValueError, match="shapes"):
        paired_difference([1.0, 2.0], [1.0, 2.0, 3.0])


# ---------------------------------------------------------------- summary

RUNS = [
    *(result("student", seed, rgb, 60.0) for seed, rgb in enumerate((70.0, 72.0, 74.0))),
    *(result("discom", seed, rgb, 61.0) for seed, rgb in enumerate((73.0, 74.0, 78.0))),
    result("student-2x", 1, 71.0, 62.0),
]


def rows(table):
    return {(row["data"], row["method"], row["modality"]): row for row in table.to_dict("records")}


def test_summary_by_hand():
    table = summary(RUNS)
    found = rows(table)
    assert len(table) == len(found) == 6
    student, discom, twice = (
        found["scenes", m, "rgb"] for m in ("student", "discom", "student-2x")
    )
    assert (student["n"], student["f1"], student["sd"]) == (3, 72.0, pytest.approx(2.0))
    assert (discom["n"], discom["f1"]) == (3, 75.0)
    assert discom["sd"] == pytest.approx(math.sqrt(7))  # -2, -1, 3: 14 / (3 - 1)
    half = 4.302652729911275 * 1.0 / math.sqrt(3)  # differences 3, 2, 4
    assert [discom[f"vs student{k}"] for k in ("", " low", " high")] == pytest.approx(
        [3, 3 - half, 3 + half]
    )
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
    runs = [
        result("student"),
        result("discom", rgb=90.0, data="eurosat"),
        result("discom", rgb=85.0, epochs=300),
    ]
    table = summary(runs)
    assert len(table) == 6
    assert table["vs student"].isna().all()


def test_options_are_the_methods_own_and_split_no_table():
    runs = [
        result("student"),
        result("discom", rgb=85.0, options={"grl_lambda": 0.5, "weights": {}}),
    ]
    assert rows(summary(runs))["scenes", "discom grl_lambda=0.5", "rgb"]["vs student"] == 5.0


def test_options_make_rows_of_their_own():
    options = [
        {},
        {"temperature": 2},
        {"teacher": "rgb"},
        {"temperature": 4.0, "weights": {"kd": 1}},
    ]
    runs = [
        result("kdv2", seed, 80.0 + k, options=given)
        for k, given in enumerate(options)
        for seed in range(2)
    ]
    table = summary(runs)
    names = ["kdv2", "kdv2 temperature=2", "kdv2 teacher=rgb", "kdv2 kd=1"]
    assert table["method"].tolist() == [name for name in names for _ in range(2)]
    assert table["n"].tolist() == [2] * 8
    assert table[table["modality"] == "rgb"]["f1"].tolist() == [80.0, 81.0, 82.0, 83.0]


def test_a_baseline_with_other_options_is_no_baseline():
    table = summary([result("discom"), result("student", options={"weights": {"cl": 2}})])
    assert table["method"].tolist()[::2] == ["discom", "student cl=2"]
    assert table["vs student"].isna().all()


def test_networks_are_compared_with_those_of_the_same_name():
    """A teacher of both modalities, students of each, and a student beside a teacher of the other
    modality."""
    runs = [
        result("teacher", rgb=None, depth=None, both=90.0),
        result("teacher", rgb=85.0, depth=None, options={"reads": "rgb"}),
        result("student", rgb=80.0, depth=60.0),
        result("kdv2", rgb=81.0, depth=63.0),
        result("kdv2", rgb=None, depth=64.0, options={"teacher": "rgb"}),
    ]
    found = rows(summary(runs))
    assert [key[1:] for key in found] == [
        ("teacher", "rgb+depth"),
        ("teacher reads=rgb", "rgb"),
        ("student", "rgb"),
        ("student", "depth"),
        ("kdv2", "rgb"),
        ("kdv2", "depth"),
        ("kdv2 teacher=rgb", "depth"),
    ]
    differences = {key[1:]: row["vs student"] for key, row in found.items()}
    assert differences.pop(("kdv2", "rgb")) == 1.0
    assert differences.pop(("kdv2", "depth")) == 3.0
    assert differences.pop(("kdv2 teacher=rgb", "depth")) == 4.0
    assert differences.pop(("teacher reads=rgb", "rgb")) == 5.0
    assert all(math.isnan(value) for value in differences.values())


def test_a_baseline_that_has_a_network_with_some_seeds_only():
    runs = [
        result("student", 0, depth=None),
        result("student", 1),
        *(result("discom", k, 85.0, 61.0) for k in (0, 1)),
    ]
    found = rows(summary(runs))
    assert found["scenes", "discom", "rgb"]["vs student"] == 5.0
    assert (
        found["scenes", "discom", "depth"]["n"],
        found["scenes", "discom", "depth"]["vs student"],
    ) == (2, 1.0)


@pytest.mark.parametrize("order", [1, -1])
def test_runs_of_a_method_with_different_networks(order):
    """Two sets of modalities may have one name, as scenes and scenes:modalities=rgb+thermal do."""
    found = rows(summary([result("student", 0), result("student", 1, depth=None)][::order]))
    assert [found["scenes", "student", m]["n"] for m in ("rgb", "depth")] == [2, 1]


@pytest.mark.parametrize("options", [{"weights": {}}, {"grl_lambda": 1.0}, {"weights": {"aux": 1}}])
def test_two_runs_with_one_seed(options):
    """A default written out is no other run."""
    runs = [result("discom", 3), result("discom", 3, hash="bb", options=options)]
    with pytest.raises(
        RunError, match="scenes: two runs of discom with seed 3; collect them apart"
    ):
        summary(runs)


def test_no_results():
    with pytest.raises(RunError, match="summary: no results; train some runs first"):
        summary([])


# ---------------------------------------------------------------- labels

LABELS = [
    ("student", {}, "student"),
    ("discom", {"grl_lambda": 1, "weights": {"adv": 1}}, "discom"),
    ("discom", {"grl_lambda": 0.5}, "discom grl_lambda=0.5"),
    ("kdv2", {"teacher": "rgb"}, "kdv2 teacher=rgb"),
    ("kdv2+lskd", {"temperature": 2.0, "teacher": "depth"}, "kdv2+lskd teacher=depth"),
    ("kdv2+lskd", {"temperature": 4}, "kdv2+lskd temperature=4"),
    ("teacher", {"reads": "all"}, "teacher"),
    ("teacher", {"reads": "rgb"}, "teacher reads=rgb"),
    ("dkd", {"weights": {"nckd": 2, "cl": 1}}, "dkd nckd=2"),
    ("dkd", {"first_epoch": 0, "warmup": 0.5, "weights": {"tckd": 0}}, "dkd first_epoch=0 warmup=0.5 tckd=0"),
    ("mine", {"colour": "red"}, "mine"),  # nobody knows its defaults
    ("kdv2", {"temperature": 2}, "kdv2 temperature=2"),
    ("kdv2", {"temperature": 2.5}, "kdv2 temperature=2.5"),
    ("discom", {"pairing": "unpaired", "grl_warmup": 0, "dimension": 0, "weights": {"irr": 0, "hsic": 0.0}}, "discom"),
    ("discom", {"weights": {"hsic": 5, "adv": 0}}, "discom adv=0 hsic=5"),
    ("discom", {"weights": {"xcov": 0.05}, "pairing": "paired", "dimension": 16},
     "discom dimension=16 pairing=paired xcov=0.05"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "options", "expected"), LABELS)
def test_a_label_is_the_name_and_what_is_not_the_default(method, options, expected):
    assert label(method, options) == expected


@pytest.mark.parametrize("method", methods.names())
def test_a_label_with_every_default_is_the_name(method):
    assert label(method, {}) == label(method, methods.get(method).options({})) == method


def test_published_options_show_in_the_label():
    for name in methods.names():
        published = methods.get(name).published
        assert (label(name, published) != name) == bool(
            methods.get(name).options(published) != methods.get(name).options({})
        )
    assert label("mlkd", methods.get("mlkd").published) == (
        "mlkd combination=discom-paper cl=1 instance=1 batch=1 classes=1"
    )


def test_a_label_of_options_that_a_method_lacks():
    with pytest.raises(ConfigError, match="student has no 'colour'"):
        label("student", {"colour": "red"})


# ---------------------------------------------------------------- files


def test_collect_and_load_go_round(tmp_path):
    collect(RUNS, tmp_path / "all.json")
    assert [fields["checksum"] for fields in json.loads((tmp_path / "all.json").read_text())] == [
        r.to_json()["checksum"] for r in RUNS
    ]
    loaded = load_results(tmp_path / "all.json")
    assert sorted(map(repr, loaded)) == sorted(map(repr, RUNS))
    assert rows(summary(loaded)).keys() == rows(summary(RUNS)).keys()
    collect(loaded, tmp_path / "again.json")
    assert load_results(str(tmp_path / "again.json")) == loaded


def test_load_orders_by_data_method_and_seed(tmp_path):
    runs = [result("mine", 0), result("discom", 1), result("discom", 0), result("student", 2), result("student-2x", 0),
            result("student", 0, data="eurosat"), result("student", 10), result("teacher", 3),
            result("ctkd", 0)]  # fmt: skip
    loaded = load_results(write(tmp_path, *runs))
    assert [(r.data, r.method, r.seed) for r in loaded] == [
        ("eurosat", "student", 0), ("scenes", "teacher", 3), ("scenes", "student", 2), ("scenes", "student", 10),
        ("scenes", "student-2x", 0), ("scenes", "ctkd", 0), ("scenes", "discom", 0), ("scenes", "discom", 1),
        ("scenes", "mine", 0),
    ]  # fmt: skip
    assert load_results(tmp_path / "scenes" / "discom") == loaded[6:8]


def test_nothing_to_load(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RunError, match=f"{folder.name}: no finished run in it; train one with"):
            load_results(folder)


@pytest.mark.parametrize(
    "damage", ["cut", "empty", "missing field", "unknown field", "list", "number", "bytes"]
)
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
    with pytest.raises(
        RunError, match=r"student.1-aa.result\.json: .*; run the command again with --recompute"
    ):
        load_results(tmp_path)


def test_an_edited_result_is_named(tmp_path):
    write(tmp_path, *RUNS[:2])
    file = tmp_path / "scenes/student/1-aa/result.json"
    file.write_text(file.read_text().replace("72.0", "92.0"))
    with pytest.raises(
        RunError, match=r"student.1-aa.result\.json: was changed after it was measured"
    ):
        load_results(tmp_path)


def test_a_copied_run_is_named_and_counts_once(tmp_path):
    """Two runs of one name in two places are no copies: they were measured apart."""
    write(tmp_path, *RUNS[:2])
    shutil.copytree(tmp_path / "scenes/student/1-aa", tmp_path / "scenes/student/1-aa copy")
    with pytest.raises(
        RunError, match=r"1-aa copy.result\.json: a copy of .*1-aa.result\.json; delete one"
    ):
        load_results(tmp_path)
    shutil.rmtree(tmp_path / "scenes/student/1-aa copy")
    write(tmp_path / "elsewhere", replace(RUNS[1], seconds=11.0))
    assert len(load_results(tmp_path)) == 3


def test_a_result_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "result.json").mkdir()
    with pytest.raises(
        RunError, match=r"result\.json: cannot be read \(Is a directory\); check its rights"
    ):
        Result.read(tmp_path / "result.json")


@pytest.mark.parametrize("damage", ["edited", "no checksum", "a number", "a field less"])
def test_a_damaged_result_among_collected_ones_is_named(tmp_path, damage):
    file = tmp_path / "all.json"
    collect(RUNS, file)
    held = json.loads(file.read_text())
    last = {key: value for key, value in held[-1].items() if key != "checksum"}
    less = {key: value for key, value in last.items() if key != "scores"}
    held[-1] = {
        "edited": {**held[-1], "seed": 7},
        "no checksum": last,
        "a number": 3,
        "a field less": {**less, "checksum": digest(less)},
    }[damage]
    file.write_text(json.dumps(held))
    reason = "was changed after it was measured" if damage == "edited" else "not a result of ours"
    with pytest.raises(RunError, match=rf"all\.json: {reason}"):
        load_results(file)


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
