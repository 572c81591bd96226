"""Many runs put together: what a seed draws, summaries and comparisons of hand-made results, files
that break."""

import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from fixtures.results import result
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from discom.errors import DataError, RunError
from discom.running.runs import Result
from discom.tables import BASELINES, added_sensor, collect, compare, holm, load_results, summary

T2 = 4.302652729911275  # Student's t of 2 degrees of freedom, 95 %


def pair(rgb, depth=60.0):
    return {"rgb": rgb, "depth": depth}


# ---------------------------------------------------------------- what a seed draws


@pytest.fixture(scope="module")
def folds():
    """Scores of two classifiers in 10 × 10 folds: "Statistical comparison of models using grid
    search", of scikit-learn's own examples."""
    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    cv = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    models = (SVC(kernel=kernel, random_state=0) for kernel in ("rbf", "linear"))
    return [100 * cross_val_score(model, x, y, cv=cv, scoring="roc_auc") for model in models]


@pytest.mark.parametrize(("drawn", "t", "p"), [("split", 0.750, 0.227), ("samples", 2.611, 0.005)])
def test_the_corrected_variance_gives_the_published_t_and_p(folds, drawn, t, p):
    """The page has t = 0.750 and p = 0.227 (right-tailed), without the correction 2.611, 0.005."""
    runs = [
        result(name, seed, {"rgb": score}, draws=drawn)
        for name, scores in zip(("discom", "student"), folds, strict=True)
        for seed, score in enumerate(scores)
    ]
    runs = [replace(run, counts={"train": 90, "test": 10}) for run in runs]
    row = compare(runs, [("discom", "student")]).iloc[0]
    half = stats.t.ppf(0.975, 99) * row["difference"] / (row["high"] - row["difference"])
    assert half == pytest.approx(t, abs=5e-4)
    assert row["p"] / 2 == pytest.approx(p, abs=5e-4)
    table = rows(summary(runs, ["student"]))["scenes", "discom", "rgb"]
    assert table["draws"] == drawn
    assert ends(table, "student") == row[["difference", "low", "high"]].tolist()


@pytest.mark.parametrize(
    ("draws", "labelled", "share", "overlap"),
    [
        ("samples", 100, 1.0, 0.0),
        ("weights", 100, 1.0, 0.0),
        ("split", 100, 1.0, 10 / 100),
        ("split", 25, 0.25, 10 / 100),  # three quarters of the labels are hidden
        ("split", 20, 1.0, 10 / 20),  # 80 samples never had a label
    ],
)
def test_what_a_seed_draws_is_known_from_the_runs_and_decides_the_interval(
    draws, labelled, share, overlap
):
    """Of two data sets, each for itself; the wrong variance is not the other one's."""
    counts = {"train": 100, "test": 10, "labelled": labelled}
    scores = {"student": (70.0, 72.0, 74.0), "discom": (73.0, 74.0, 78.0)}
    runs = [
        replace(result(name, seed, {"rgb": y}, draws=draws, labelled=share), counts=counts)
        for name, each in scores.items()
        for seed, y in enumerate(each)
    ]
    other = [replace(run, data="other", digest="b", drawn=None, divided=None) for run in runs]
    cells = rows(summary(other + runs, ["student"]))
    half = T2 * math.sqrt(1 / 3 + overlap)
    ours, fixed = (cells[name, "discom", "rgb"] for name in ("scenes", "other"))
    assert (ours["draws"], ours["vs student high"]) == (draws, pytest.approx(3 + half))
    assert compare(runs, [("discom", "student")])["high"].item() == ours["vs student high"]
    assert fixed["draws"] == "weights"
    assert fixed["vs student high"] == pytest.approx(3 + T2 / math.sqrt(3))
    assert set(summary(runs[:1])["draws"]) == {""}


# ---------------------------------------------------------------- summary and comparison

RUNS = [
    *(result("student", seed, pair(rgb)) for seed, rgb in enumerate((70.0, 72.0, 74.0))),
    *(result("discom", seed, pair(rgb, 61.0)) for seed, rgb in ((2, 78.0), (0, 73.0), (1, 74.0))),
    result("student-2x", 1, pair(71.0, 62.0)),
]


def rows(table):
    return {(row["data"], row["method"], row["modality"]): row for row in table.to_dict("records")}


def ends(row, baseline):
    return [row[f"vs {baseline}{end}"] for end in ("", " low", " high")]


@pytest.mark.parametrize("order", [1, -1])
def test_summary_by_hand(order):
    table = summary(RUNS[::order])
    cells = rows(table)
    assert len(table) == len(cells) == 6
    student, discom, twice = (
        cells["scenes", m, "rgb"] for m in ("student", "discom", "student-2x")
    )
    assert (student["n"], student["f1"], student["sd"]) == (3, 72.0, pytest.approx(2.0))
    assert (discom["n"], discom["f1"]) == (3, 75.0)
    assert discom["sd"] == pytest.approx(math.sqrt(7))  # -2, -1, 3: 14 / (3 - 1)
    half = T2 * 1.0 / math.sqrt(3)  # differences 3, 2, 4
    assert ends(discom, "student") == pytest.approx([3, 3 - half, 3 + half])
    assert discom["vs student-2x"] == 74.0 - 71.0  # seed 1 is all they share
    for empty in (
        discom["vs student-2x low"], discom["vs discom-solo"], student["vs student"], twice["sd"],
    ):  # fmt: skip
        assert math.isnan(empty)
    assert (twice["n"], twice["f1"], twice["vs student"]) == (1, 71.0, -1.0)
    assert ends(cells["scenes", "discom", "depth"], "student") == [1.0, 1.0, 1.0]
    differences = [f"vs {name}{end}" for name in BASELINES for end in ("", " low", " high")]
    columns = ["data", "labelled", "method", "modality", "n", "lr", "f1", "sd", "best", "draws"]
    assert list(table) == [*columns, *differences]
    assert set(table["draws"]) == {"samples"}


def test_a_comparison_does_not_pool_runs_of_different_settings():
    """A short and a long training, each with both methods and the same seeds."""
    short = [result("student", s, {"rgb": 50.0 + s}) for s in range(3)]
    short += [result("discom", s, {"rgb": 53.0 + s}) for s in range(3)]
    long = [result("student", s, {"rgb": 70.0 + s}, epochs=300) for s in range(3)]
    long += [result("discom", s, {"rgb": 80.0 + s}, epochs=300) for s in range(3)]
    both = compare(short + long, [("discom", "student")])
    assert both["difference"].tolist() == [3.0, 10.0]
    assert both["n"].tolist() == [3, 3]
    assert compare(short[:3] + long[3:], [("discom", "student")]).empty
    other_data = [replace(run, digest="other") for run in short[3:]]
    for apart in (short[:3] + long[3:], short[:3] + other_data):
        assert summary(apart)["vs student"].notna().sum() == 0


def test_networks_are_compared_with_those_of_the_same_name():
    """A teacher of both modalities, and students of both and of one beside a teacher."""
    runs = [
        result("teacher", 0, {"rgb+depth": 90.0}),
        result("student", 0, pair(80.0)),
        result("kdv2", 0, pair(81.0, 63.0)),
        result("kdv2", 0, {"depth": 64.0}, options={"teacher": "rgb"}),
        result("student", 1, {"rgb": 80.0}),
    ]
    cells = {key[1:]: row for key, row in rows(summary(runs)).items()}
    differences = {key: row["vs student"] for key, row in cells.items()}
    assert {key: value for key, value in differences.items() if value == value} == {
        ("kdv2", "rgb"): 1.0,
        ("kdv2", "depth"): 3.0,
        ("kdv2 teacher=rgb", "depth"): 4.0,
    }
    assert (cells["student", "rgb"]["n"], cells["student", "depth"]["n"]) == (2, 1)


@pytest.mark.parametrize("options", [{}, {"grl_lambda": 1.0}, {"weights": {"aux": 1}}])
@pytest.mark.parametrize("put", [summary, lambda runs: compare(runs, [("discom", "student")])])
def test_two_runs_with_one_seed(options, put):
    """A default written out is no other run."""
    runs = [result("discom", 3), result("discom", 3, code="bb", options=options)]
    both = "two runs of discom with seed 3, scenes/discom/3-.*-aa and scenes/discom/3-.*-bb"
    with pytest.raises(RunError, match=f"scenes: {both}; collect them apart"):
        put(runs)


def test_a_setting_that_differs_has_a_column_and_the_share_of_labels_always():
    few = [replace(run, config={**run.config, "labelled": 0.2}) for run in RUNS]
    for table in (summary([*RUNS, *few]), compare(RUNS + few, [("discom", "student")])):
        assert table["labelled"].unique().tolist() == [1.0, 0.2]
    longer = [replace(run, config={**run.config, "epochs": 3}) for run in RUNS[:3]]
    elsewhere = replace(RUNS[0], data="hls", digest="hls")
    table = summary([*RUNS, *longer, elsewhere])
    named = set(table[["data", "epochs"]].itertuples(index=False, name=None))
    assert named == {("scenes", RUNS[0].config["epochs"]), ("scenes", 3), ("hls", 2)}
    assert "epochs" not in summary([*RUNS, elsewhere])


def test_options_of_an_unregistered_method_are_two_rows():
    runs = [result("mine", 0, options={"temperature": t}) for t in (1.0, 9.0)]
    assert summary(runs)["method"].unique().tolist() == ["mine temperature=1", "mine temperature=9"]


def test_two_data_sets_of_one_name_are_two_rows_with_two_names():
    """Scenes of 120 with seed 0 and of 150 with seed 1 were one row of n = 2; two folders of one
    name as well."""
    runs = [result("student", 0, digest="a120"), result("student", 1, digest="b150")]
    table = summary(runs)
    assert table["n"].tolist() == [1] * 4
    assert table["data"].str.fullmatch(r"scenes \[[0-9a-f]{4}\]").all()
    assert table["data"].nunique() == 2
    assert compare([*runs, result("discom", 1, digest="a120")], [("discom", "student")]).empty


@pytest.mark.parametrize("draws", ["samples", "split"])
def test_a_run_with_a_split_of_its_own_leaves_the_other_rows_alone(draws):
    """Five seeds became five groups of one, and no difference was left."""
    runs = [
        result(name, seed, {"rgb": score + seed**2}, draws=draws)
        for name, score in (("student", 70.0), ("discom", 72.0))
        for seed in range(5)
    ]
    odd = replace(runs[3], divided=7, scores={"rgb": {"f1": 20.0}})
    before, after = (rows(summary(each, ["student"])) for each in (runs, [*runs, odd]))
    assert repr(after["scenes", "discom", "rgb"]) == repr(before["scenes", "discom", "rgb"])
    assert compare([*runs, odd], [("discom", "student")])["each"].item().tolist() == [2.0] * 5
    assert after["scenes", "student", "rgb"]["n"] == (5 if draws == "samples" else 6)


@pytest.mark.parametrize(("seed", "draws"), [("drawn", "samples"), ("divided", "samples")])
def test_runs_on_the_same_samples_count_as_one(seed, draws):
    own = [result("student", number, {"rgb": 70.0}) for number in range(3)]
    fixed = [replace(run, **{seed: 0}, scores={"rgb": {"f1": 50.0}}) for run in own[1:]]
    (row,) = summary([*own, *fixed]).to_dict("records")
    means = [(70 + 2 * 50) / 3, 70, 70] if seed == "drawn" else [70, 60, 60]
    assert (row["n"], row["f1"], row["draws"]) == (3, pytest.approx(np.mean(means)), draws)
    alone = summary(fixed)
    assert alone["draws"].tolist() == ["split" if seed == "drawn" else "samples"]


def test_a_result_that_lacks_newer_settings_is_compared_with_one_of_today():
    """All 1 943 committed results lacked class_weights, encoder_rate, pretrained and select."""
    old, new = RUNS[:3], RUNS[3:6]
    newer = ("class_weights", "encoder_rate", "pretrained", "select")
    stored = []
    for run in old:
        fields = run.to_json()
        fields["config"] = {k: v for k, v in fields["config"].items() if k not in newer}
        stored.append(Result.from_json(fields, "old"))
    assert compare([*stored, *new], [("discom", "student")])["n"].tolist() == [3, 3]
    assert summary([*stored, *new]).equals(summary([*old, *new]))


def test_runs_in_bf16_and_in_its_fallback_are_never_averaged():
    other = [replace(r, config={**r.config, "precision": "bf16-mixed"}) for r in RUNS[:2]]
    table = summary([*RUNS, *other], ["student 32-true"])
    cells = rows(table)
    assert cells["scenes", "student 32-true", "rgb"]["n"] == 3
    assert cells["scenes", "student bf16-mixed", "rgb"]["n"] == 2
    assert cells["scenes", "discom", "rgb"]["vs student 32-true"] == 3.0


def test_students_of_differently_trained_teachers_are_two_rows():
    """They were averaged. A teacher's own seed, and what it reads, make no other row."""

    def student(number, score, **theirs):
        run = result("kdv2", number, {"rgb": score})
        config = {**run.config, "options": {"reads": "all"}, **theirs}
        return replace(run, teacher={"method": "teacher", "config": config, "teacher": None})

    runs = [*(student(seed, 70.0) for seed in range(3)), student(3, 70.0, seed=9)]
    longer = [student(seed, 80.0, epochs=9) for seed in range(3)]
    other = student(5, 60.0, options={"weights": {"cl": 0.3}})
    assert other.label == "kdv2 teacher: cl=0.3"
    cells = rows(summary([*runs, *longer, *RUNS[:3]], ["student"]))
    assert (cells["scenes", "kdv2", "rgb"]["n"], cells["scenes", "kdv2", "rgb"]["f1"]) == (4, 70.0)
    other = cells["scenes", "kdv2 teacher: epochs=9", "rgb"]
    assert (other["n"], other["f1"], other["vs student"]) == (3, 80.0, 8.0)
    assert len({run.hash for run in [*runs, *longer]}) == 7


def test_a_method_with_two_learning_rates_has_a_row_for_each_and_is_compared_at_one():
    runs = [*RUNS[:3], *(replace(r, config={**r.config, "learning_rate": 0.5}) for r in RUNS[3:6])]
    table = summary(runs)
    assert rows(table)["scenes", "discom", "rgb"]["vs student"] == 3.0  # its own rate parts nothing
    assert table.groupby("method")["lr"].first().to_dict() == {"student": 1e-3, "discom": 0.5}
    again = replace(RUNS[0], config={**RUNS[0].config, "learning_rate": 0.5})
    named = set(summary([*RUNS, again])["method"])
    assert named == {"student lr=0.001", "student lr=0.5", "discom", "student-2x"}


def test_no_results_and_results_of_two_kinds_make_no_summary():
    with pytest.raises(RunError, match="summary: no results; train some runs first"):
        summary([])
    dense = result("single", 0, pair(60.0), metric="miou")
    with pytest.raises(RunError, match="scored by f1 and by miou; collect them apart"):
        summary([result("student"), dense])


def test_a_pair_is_compared_on_common_seeds_in_every_data_set_and_sensor():
    more = [
        result("discom", 7, pair(99.0, 99.0)),
        result("student", 0, {"rgb": 50.0}, data="hls"),
        result("discom", 0, {"rgb": 51.0, "elevation": 40.0}, data="hls"),
    ]
    pairs = [("discom", "student"), ("discom", "student-2x"), ("kdv2", "student")]
    table = compare(RUNS + more, pairs).set_index(["data", "modality", "minus"])
    assert list(table.index) == [
        ("scenes", "rgb", "student"),
        ("scenes", "depth", "student"),
        ("hls", "rgb", "student"),
        ("scenes", "rgb", "student-2x"),
        ("scenes", "depth", "student-2x"),
    ]  # no student saw elevation
    row = table.loc["scenes", "rgb", "student"]
    assert (row["n"], list(row["each"])) == (3, [3, 2, 4])  # seeds 0, 1, 2, listed otherwise
    test = stats.ttest_rel([73, 74, 78], [70, 72, 74])
    expected = [3, *test.confidence_interval(), test.pvalue]
    assert row[["difference", "low", "high", "p"]].tolist() == pytest.approx(expected)
    alike = table.loc["scenes", "depth", "student"]
    assert alike[["difference", "low", "high", "p"]].tolist() == [1, 1, 1, 0]
    single = table.loc["scenes", "rgb", "student-2x"]
    assert single[["n", "difference", "p"]].tolist() == [1, 3, 1]
    assert np.isnan(single["low"])
    assert np.allclose(table["holm"], holm(table["p"]))
    assert list(compare(RUNS, [("kdv2", "dkd")]))[-2:] == ["holm", "each"]


def test_an_added_sensor_is_three_sensors_minus_two_of_the_same_seed_and_method():
    def run(seed, scores, data, **options):
        return result("discom", seed, scores, data=data, options=options)

    two = [run(seed, pair(70.0 + seed), "two") for seed in range(3)]
    two += [run(seed, pair(0.0), "two", pairing="paired") for seed in range(3)]
    three = [run(seed, pair(72.0 + 2 * seed) | {"thermal": 90.0}, "three") for seed in (2, 1)]
    table = added_sensor(three, two, ["discom"]).set_index("modality")
    assert list(table.index) == ["rgb", "depth"]  # no two sensors saw thermal
    assert list(table.loc["rgb", "each"]) == [3, 4]  # 74 - 71 and 76 - 72
    assert list(table.loc["depth", "each"]) == [0, 0]
    assert set(table["minus"]) == {"discom"}


# ---------------------------------------------------------------- files


def write(folder, *results):
    for r in results:
        path = folder / r.data / r.method / f"{r.seed}-{r.hash}-{r.code}" / "result.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(r.to_json()))
    return folder


def of_fold(run, number):
    """A run of one of two folds, with what each group was taken for."""
    counts = {"rgb": [[0, 0, 0, 7], [1, 1, 0, 2]], "depth": [[0, 0, 1, 5]]}
    groups = ["", "NA"] if number else ["c\r\n", 'd,"e']
    return replace(run, fold=number, folds=2, tested={"groups": groups, "counts": counts})


def test_collect_and_load_go_round_and_a_folder_may_hold_other_files(tmp_path):
    """Every field of runs of two kinds, of folds, of a student, and of what no seed draws."""
    theirs = result("teacher").config
    asked = {"method": "teacher", "config": {**theirs, "epochs": 9}, "teacher": None}
    others = [
        result("single", 0, pair(60.0), metric="miou", draws="weights"),
        result("kdv2", 1, {"rgb": 100 / 3}, teacher=asked),
        replace(result("student", 0), best={"rgb": 86.7}, seconds=1 / 7),
        *(of_fold(result("student-2x", 0, draws="split"), number) for number in range(2)),
    ]
    collect([*RUNS, *others], tmp_path / "all.json")
    loaded = load_results(tmp_path / "all.json")
    fields = {run.label + str(run.seed) + str(run.fold): run.to_json() for run in loaded}
    for run in [*RUNS[1:], *others]:
        assert fields[run.label + str(run.seed) + str(run.fold)] == run.to_json()
    (tmp_path / "time.json").write_text('[{"seconds": 3}]')
    (tmp_path / "note.csv").write_text("a,b\n1,2\n")
    assert load_results(str(tmp_path)) == load_results(tmp_path / "all.csv") == loaded
    with pytest.raises(RunError, match=r"note\.json: no such file"):
        load_results(tmp_path / "note.csv")
    with pytest.raises(ValueError, match="JSON"):
        collect([result("student", 0, pair(math.nan))], tmp_path / "other.json")
    assert not list(tmp_path.glob("other.*"))


def test_collecting_fewer_runs_drops_none_and_writes_those_anew(tmp_path):
    """A narrower command after a wider one: fewer seeds, another method, one run measured again."""
    file, wide = (
        tmp_path / "all.csv",
        [result(m, seed) for m in ("student", "discom") for seed in (0, 1)],
    )
    collect(wide, file)
    again = replace(wide[0], seconds=99.0, code="later")
    collect([again, result("teacher", 0)], file)
    loaded = load_results(file)
    assert sorted(map(repr, loaded)) == sorted(map(repr, [again, *wide[1:], result("teacher", 0)]))
    collect([], file)
    assert load_results(file) == loaded
    before = file.read_text().replace("settings", "colour")
    file.write_text(before)
    with pytest.raises(DataError, match=r"all\.csv: cannot be read as a table of runs"):
        collect(wide, file)
    assert file.read_text() == before  # what cannot be read is not replaced


def test_a_table_and_settings_that_do_not_go_together_are_refused(tmp_path):
    collect(RUNS, tmp_path / "a.csv")
    collect([replace(RUNS[0], classes=3)], tmp_path / "b.csv")
    (tmp_path / "a.json").write_bytes((tmp_path / "b.json").read_bytes())
    with pytest.raises(RunError, match=r"a\.csv: has settings \w+, a\.json has not; delete it"):
        load_results(tmp_path / "a.csv")


def test_of_runs_of_two_codes_in_a_folder_the_last_one_counts(tmp_path):
    """The folder of an edited method keeps the run from before."""
    old, new = (result("discom", 3, pair(score), code=f"{score}") for score in (50.0, 60.0))
    write(tmp_path, new)
    write(tmp_path, old)
    files = sorted(tmp_path.rglob("result.json"))
    for age, file in enumerate(files):
        os.utime(file, (1000 + age, 1000 + age))
    assert load_results(tmp_path) == [new]
    os.utime(files[0], (2000, 2000))
    assert load_results(tmp_path) == [old]


def test_commands_that_collect_at_the_same_time_lose_no_run(tmp_path):
    """Each thread adds one run to the same file."""
    runs = [result("student", seed) for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda run: collect([run], tmp_path / "all.json"), runs))
    assert len(load_results(tmp_path / "all.json")) == 12


def test_load_orders_by_data_method_and_seed(tmp_path):
    names = [("mine", 0), ("discom", 1), ("discom", 0), ("student", 2), ("student", 10)]
    runs = [result(*name) for name in [*names, ("teacher", 3)]]
    runs.append(result("student", 0, data="eurosat"))
    loaded = load_results(write(tmp_path, *runs))
    assert [(r.data, r.method, r.seed) for r in loaded] == [
        ("eurosat", "student", 0), ("scenes", "teacher", 3), ("scenes", "student", 2),
        ("scenes", "student", 10), ("scenes", "discom", 0), ("scenes", "discom", 1),
        ("scenes", "mine", 0),
    ]  # fmt: skip
    with pytest.raises(RunError, match="absent: no such file or folder"):
        load_results(tmp_path / "absent")
