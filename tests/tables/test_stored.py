"""Tables of results on disk: what is written is read again, and nothing is lost or replaced."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from fixtures.results import result

from discom.errors import DataError, RunError
from discom.tables import collect, collected, load_results

RESULTS = Path(__file__).parents[2] / "results"
PAIR = {"rgb": 100 / 3, "depth": 60.0}
RUNS = [result(name, seed, PAIR) for name in ("student", "discom") for seed in (1, 0, 2)]


def write(folder, *results):
    """Folders of finished runs."""
    for r in results:
        path = r.folder(folder) / "result.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(r.to_json()))
    return folder


def of_fold(run, number):
    """A run of one of two folds, with what each group was taken for."""
    counts = {"rgb": [[0, 0, 0, 7], [0, 0, 1, 3], [1, 1, 0, 2]], "depth": [[0, 0, 1, 5]]}
    groups = ["", "NA"] if number else ["c\r\n", 'd,"e']
    return replace(run, fold=number, folds=2, tested={"groups": groups, "counts": counts})


def by_name(runs):
    """Their fields, numbers with the seven digits that a table keeps."""
    texts = {f"{r.display_name} {r.seed} {r.fold}": json.dumps(r.to_json()) for r in runs}
    digits = {"parse_float": lambda text: float(f"{float(text):.7g}")}
    return {name: json.loads(text, **digits) for name, text in texts.items()}


def test_collect_and_load_go_round(tmp_path):
    """Every field of runs of two kinds, of folds, of a student, and of what no seed draws."""
    config = {**result("teacher").config, "epochs": 9}
    others = [
        result("single", 0, metric="miou", draws="weights"),
        result("kdv2", 1, teacher={"method": "teacher", "config": config, "teacher": None}),
        replace(result("student-2x", 0), best={"rgb": 86.7}, seconds=1 / 7),
        *(of_fold(result("mdico", 0, draws="split"), number) for number in range(2)),
        result("decur", 0, precision="mixed", used="16-mixed"),
    ]
    collect([*RUNS, *others], tmp_path / "all.json")
    loaded = load_results(tmp_path / "all.json")
    assert by_name(loaded) == by_name([*RUNS, *others])
    assert load_results(str(tmp_path / "all.csv")) == loaded


def test_a_committed_table_says_what_its_runs_were_computed_in_and_stays_as_it_is(tmp_path):
    """From before a result had a precision beside the one that was asked for."""
    for ending in ("csv", "json"):
        shutil.copy(RESULTS / f"taught-by-rgb.{ending}", tmp_path)
    assert {run.precision for run in load_results(tmp_path / "taught-by-rgb.csv")} == {"32-true"}
    collect([], tmp_path / "taught-by-rgb.csv")
    for ending in ("csv", "json"):
        name = f"taught-by-rgb.{ending}"
        assert (tmp_path / name).read_bytes() == (RESULTS / name).read_bytes()


def test_collecting_fewer_runs_drops_none_and_writes_those_anew(tmp_path):
    """A narrower command after a wider one, with one run measured again."""
    file = tmp_path / "all.csv"
    collect(RUNS, file)
    again = replace(RUNS[0], seconds=99.0, code="later")
    collect([again, result("teacher", 0)], file)
    loaded = load_results(file)
    assert by_name(loaded) == by_name([*RUNS, again, result("teacher", 0)])
    collect([], file)
    assert load_results(file) == loaded


DAMAGE = [  # file → its new content; None: it is removed
    {"a.json": "{}"},  # settings of another table
    {"a.json": None},
    {"a.json": "{"},
    {"a.csv": "a,b\n1,2\n"},
]


def test_a_point_in_a_name_begins_no_ending(tmp_path):
    collect(RUNS[:1], tmp_path / "noise-0.1")
    collect(RUNS[1:2], tmp_path / "noise-0.2.json")
    names = sorted(file.name for file in tmp_path.glob("*.csv"))
    assert names == ["noise-0.1.csv", "noise-0.2.csv"]
    assert [len(collected(tmp_path / f"noise-0.{k}")) for k in (1, 2)] == [1, 1]


def test_a_name_with_a_slip_is_refused_where_the_file_must_be_there(tmp_path):
    """A new file is empty, so that a first `--collect` works."""
    collect(RUNS, tmp_path / "all.csv")
    assert len(collected(tmp_path / "all.json", missing_ok=False)) == len(RUNS)
    assert collected(tmp_path / "al.csv") == collected(None, missing_ok=False) == []
    with pytest.raises(RunError, match=r"al\.csv"):
        collected(tmp_path / "al.csv", missing_ok=False)
    assert not (tmp_path / "al.csv").exists()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_table_is_refused_and_not_replaced(tmp_path, damage):
    table = tmp_path / "a.csv"
    collect(RUNS, table)
    ((name, content),) = damage.items()
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_text(content)
    before = table.read_text()
    for use in (load_results, lambda file: collect(RUNS, file)):
        with pytest.raises((DataError, RunError), match=r"a\.(csv|json)"):
            use(table)
    assert table.read_text() == before


def test_of_runs_of_two_codes_in_a_folder_the_last_one_counts(tmp_path):
    """The folder of an edited method keeps the run from before."""
    old, new = (result("discom", 3, {"rgb": score}, code=f"{score}") for score in (50.0, 60.0))
    write(tmp_path, new, old)
    for age, file in enumerate(sorted(tmp_path.rglob("result.json"))):
        os.utime(file, (1000 + age, 1000 + age))
    assert load_results(tmp_path) == [new]
    os.utime(old.folder(tmp_path) / "result.json", (2000, 2000))
    assert load_results(tmp_path) == [old]


def test_commands_that_collect_at_the_same_time_lose_no_run(tmp_path):
    """Each thread adds one run to the same file."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda run: collect([run], tmp_path / "all.json"), RUNS))
    assert by_name(load_results(tmp_path / "all.json")) == by_name(RUNS)
