"""Tables of dense prediction: rows, what they are compared with, what a method costs; and the
commands they are of."""

import json
import math
from contextlib import nullcontext
from dataclasses import replace

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix

from discom import cli, methods, plots, sweep, tables
from discom.errors import ConfigError, RunError
from discom.runs import Result
from discom.tables import (
    baselines,
    is_dense,
    paper_rows,
    paper_table,
    to_latex,
    to_markdown,
    to_text,
    write,
)
from discom.tables.statistics import label, metric_of, summary

PAIR = ["rgb", "depth"]
DENSE = methods.names(dense=True)
CRODINO = ["crodino", "crodino orth=0", "crodino contrast=0", "crodino aux=0", "crodino augmentation=coupled",
           "crodino soft=0.5", "single"]  # fmt: skip
T2 = 4.302652729911275  # Student's t of 2 degrees of freedom, 95 %


def networks_of(name, options=None):
    if name == "dense-teacher":
        return ["rgb+depth"]
    fused = name == "crodino" and (options or {}).get("weights", {}).get("aux") != 0
    return [*PAIR, *["rgb+depth"] * fused]


def result(name, seed=0, miou=60.0, seconds=10.0, options=None, teacher=None, data="scenes-dense"):
    scores = {m: {"miou": miou, "accuracy": 90.0, "valid_miou": miou, "best_epoch": 1}
              for m in networks_of(name, options)}  # fmt: skip
    filled = methods.get(name).options(options or {})
    return Result(
        method=name, data=data, seed=seed, hash=f"{label(name, filled)}-{seed}", scores=scores,
        parameters=dict.fromkeys(scores, 7), seconds=seconds, pairs_per_second=1.0, peak_memory_mb=1.0,
        config={"seed": seed, "epochs": 2, "options": filled}, counts={"train": 4},
        machine={"device": "cpu", "processor": "P", "threads": 2}, classes=4, teacher=teacher, metric="miou",
    )  # fmt: skip


SECONDS = {
    "dense-teacher": 10,
    "single": 12,
    "single-2x": 24,
    "dense-kdv2": 30,
    "crodino": 22,
}  # of seed 0


def runs_of(number, seeds=3, gain=None):
    """Hand-made runs of a whole table; `gain` adds points by label, and a seed more costs a second
    more."""
    made = []
    for name, options in paper_rows(number, PAIR):
        for seed in range(seeds):
            more = (gain or {}).get(label(name, methods.get(name).options(options)), 0.0)
            points = 50.0 + seed + more * (1 + seed / 9)
            taught_by = f"dense-teacher-{seed}" if methods.get(name).taught else None
            made.append(
                result(name, seed, points, SECONDS.get(name, 20) + seed, options, taught_by)
            )
    return made


# ---------------------------------------------------------------- rows


def test_which_tables_are_dense():
    assert [is_dense(number) for number in (1, 2, 3, 4, 5, "dense", "crodino")] == [False] * 5 + [
        True
    ] * 2


def test_the_rows_of_the_dense_table():
    rows = paper_rows("dense", PAIR)
    assert [name for name, _ in rows] == DENSE
    assert rows[0] == ("dense-teacher", {"reads": "all"})
    assert {name for name, options in rows if options == {"teacher": "all"}} == {
        "dense-kdv2", "kdnet", "protokd", "maskd", "cwd", "mgd",
    }  # fmt: skip
    assert [label(name, methods.get(name).options(options)) for name, options in rows] == DENSE
    assert paper_rows("dense", ["depth", "rgb", "sar"]) == rows


def test_the_rows_of_crodinos_own():
    rows = paper_rows("crodino", PAIR)
    assert [label(*row) for row in rows] == CRODINO
    for name, options in rows:
        methods.get(name).options(options)


def test_what_they_are_compared_with():
    assert baselines("dense") == ("single", "single-2x", "dense-kdv2", "dense-teacher")
    assert baselines("crodino") == ("crodino",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("crodin", PAIR),
            r"^table: crodin is not one of ours; choose 1, 2, 3, 4, 5, dense, crodino$",
        ),
        (("dense", ["rgb"]), r"^table: needs two modalities or more, the data has \['rgb'\]$"),
        (("dense", PAIR, "rgb"), r"^teacher: 'rgb' cannot be this table's; table dense has none$"),
        (
            ("crodino", PAIR, "depth"),
            r"^teacher: 'depth' cannot be this table's; table crodino has none$",
        ),
        (
            ("crodino", PAIR, None, True),
            r"^as_published: table crodino says for itself which options a row has",
        ),
    ],
)
def test_a_table_that_cannot_be(arguments, message):
    with pytest.raises(ConfigError, match=message):
        paper_rows(*arguments)


# ---------------------------------------------------------------- a table from runs


def test_the_dense_table_has_a_row_for_each_network_and_the_teacher_is_no_competitor():
    for runs in (runs_of("dense"), runs_of("dense")[::-1]):
        table = paper_table(runs, "dense")
        expected = [(name, m) for name in DENSE for m in networks_of(name)]
        assert sorted(zip(table["method"], table["modality"], strict=True)) == sorted(expected)
        assert list(dict.fromkeys(table["method"])) == DENSE
        assert metric_of(table) == "miou"
        assert "f1" not in table
        assert "paper" not in table
        assert set(table["n"]) == {3}
        teacher = table[table["method"] == "dense-teacher"]
        assert teacher.filter(like="vs ").isna().all(axis=None)
        assert set(teacher["arrow"]) == {""}


def test_what_reads_all_sensors_is_compared_with_the_teacher_and_a_branch_with_the_network_alone():
    table = paper_table(runs_of("dense", gain={"crodino": 4.5, "dense-teacher": 9.0}), "dense")
    found = table.set_index(["method", "modality"])
    assert found.loc[("crodino", "rgb"), "arrow"] == "↑"
    assert found.loc[("crodino", "rgb"), "vs single"] == pytest.approx(4.5 * (1 + 1 / 9))
    assert math.isnan(found.loc[("crodino", "rgb"), "vs dense-teacher"])
    assert found.loc[("crodino", "rgb+depth"), "vs dense-teacher"] == pytest.approx(
        -4.5 * (1 + 1 / 9)
    )
    assert math.isnan(found.loc[("crodino", "rgb+depth"), "vs single"])
    assert found.loc[("single", "rgb"), "arrow"] == ""


def test_arrows_of_the_ablation_compare_with_the_full_model():
    table = paper_table(
        runs_of("crodino", gain={"crodino aux=0": -4.0, "crodino soft=0.5": 4.0}), "crodino"
    )
    assert list(dict.fromkeys(table["method"])) == CRODINO
    found = table.groupby("method")["arrow"].agg(set)
    assert found["crodino aux=0"] == {"↓"}
    assert found["crodino soft=0.5"] == {"↑"}
    assert found["crodino orth=0"] == {"~"}
    assert found["crodino"] == {""}


# ---------------------------------------------------------------- what a method costs


def test_a_teachers_seconds_are_counted_for_its_students():
    table = paper_table(runs_of("dense"), "dense").drop_duplicates("method").set_index("method")
    own = {name: SECONDS.get(name, 20) + 1 for name in DENSE}  # the mean over seeds 0, 1, 2
    for name in DENSE:
        taught = methods.get(name).taught
        assert table.loc[name, "seconds"] == pytest.approx(
            own[name] + (own["dense-teacher"] if taught else 0)
        )


def interval(values):
    """Mean and 95 % interval of three values, by Student's t."""
    half = T2 * np.std(values, ddof=1) / math.sqrt(3)
    return np.mean(values), np.mean(values) - half, np.mean(values) + half


def test_time_is_the_share_of_what_teacher_and_students_take():
    table = paper_table(runs_of("dense"), "dense").drop_duplicates("method").set_index("method")
    reference = [10 + 30, 11 + 31, 12 + 32]
    for name, taken in {
        "crodino": [22, 23, 24], "single": [12, 13, 14], "dense-teacher": [10, 11, 12],
        "cwd": [20 + 10, 21 + 11, 22 + 12], "dense-kdv2": reference,
    }.items():  # fmt: skip
        expected = interval([ours / theirs for ours, theirs in zip(taken, reference, strict=True)])
        found = table.loc[name, ["time", "time low", "time high"]].tolist()
        assert found == pytest.approx(expected)
    assert table.loc["dense-kdv2", ["time", "time low", "time high"]].tolist() == [1, 1, 1]


def test_seeds_that_the_reference_lacks_count_in_the_seconds_and_not_in_the_share():
    runs = [run for run in runs_of("dense") if (run.method, run.seed) != ("dense-kdv2", 2)]
    row = paper_table(runs, "dense").set_index("method").loc["crodino"].iloc[0]
    assert row["seconds"] == pytest.approx(23)
    assert row["time"] == pytest.approx((22 / 40 + 23 / 42) / 2)


def test_without_teacher_and_students_there_is_no_share():
    number = "dense"
    table = paper_table([run for run in runs_of(number) if run.method != "dense-kdv2"], number)
    assert table["time"].isna().all()
    assert table["seconds"].notna().all()
    against = [name for name in baselines(number) if name != "dense-kdv2"]
    for text in (to_markdown(table, against), to_text(table, against)):
        assert "nan" not in text
    assert to_text(table, against).splitlines()[1].split()[-1] == "–"


def test_the_ablation_says_nothing_of_time():
    assert not {"seconds", "time"} & set(paper_table(runs_of("crodino"), "crodino"))


def test_one_seed_has_no_interval():
    row = paper_table(runs_of("dense", seeds=1), "dense").set_index("method").loc["crodino"].iloc[0]
    assert row["time"] == pytest.approx(22 / 40)
    assert math.isnan(row["time low"])


def test_a_table_of_classification_has_no_such_columns():
    made = [
        replace(run, metric="f1", scores={m: {"f1": 50.0} for m in run.scores})
        for run in runs_of("dense")
    ]
    assert not {"seconds", "time"} & set(summary(made))


# ---------------------------------------------------------------- forms


def test_every_form_shows_mean_iou_and_time(tmp_path):
    table, against = (
        paper_table(runs_of("dense", gain={"crodino": 4.5}), "dense"),
        baselines("dense"),
    )
    heads = [
        "data",
        "method",
        "modality",
        "n",
        "mIoU",
        *(f"Δ {name}" for name in against),
        "s",
        "time",
    ]
    mean, low, high = interval([22 / 40, 23 / 42, 24 / 44])
    lines = to_markdown(table, against).split("\n")
    assert lines[0] == f"| {' | '.join(heads)} |"
    (line,) = [line for line in lines if line.startswith("| scenes-dense | crodino | rgb |")]
    assert line.startswith("| scenes-dense | crodino | rgb | 3 | 56.0 ± 1.5 ↑ | +5.0 [")
    assert line.endswith(f" | 23 | {mean:.2f} [{low:.2f}, {high:.2f}] |")
    text = to_text(table, against).splitlines()
    assert text[0].split() == " ".join(heads).split()
    assert f"{mean:.2f} [{low:.2f}, {high:.2f}]" in text[-1]
    latex = to_latex(table, against)
    assert latex.splitlines()[2].startswith(
        "data & method & modality & n & mIoU & $\\Delta$ single & "
    )
    assert latex.splitlines()[2].endswith("& s & time \\\\")
    files = write(table, tmp_path / "t", against)
    assert [file.suffix for file in files] == [".txt", ".md", ".csv", ".tex"]
    again = pd.read_csv(tmp_path / "t.csv")
    for column in ("miou", "seconds", "time", "time low", "time high"):
        assert again[column].tolist() == pytest.approx(table[column].tolist())


def test_results_of_two_kinds_make_no_summary():
    other = replace(result("single"), method="student", metric="f1",
                    config={"seed": 0, "epochs": 2, "options": {"weights": {"cl": 1.0}}},
                    scores={"rgb": {"f1": 50.0}})  # fmt: skip
    with pytest.raises(RunError) as caught:
        summary([other, result("single")])
    assert str(caught.value) == "summary: results scored by f1 and by miou; collect them apart"
    assert metric_of(summary([other])) == "f1"
    assert metric_of(summary([result("single")])) == "miou"


def test_results_go_round_through_a_file_with_their_metric(tmp_path):
    tables.collect(runs_of("crodino", seeds=1), tmp_path / "all.json")
    found = tables.load_results(tmp_path / "all.json")
    assert {run.metric for run in found} == {"miou"}
    assert paper_table(found, "crodino")["miou"].notna().all()
    held = json.loads((tmp_path / "all.json").read_text())
    assert held[0]["metric"] == "miou"


# ---------------------------------------------------------------- the confusion of pixels


def predictions(tmp_path, ids):
    """A predictions.npz of a dense run whose masks are known, and its content."""
    draw = np.random.default_rng(0)
    truth = {
        i: draw.integers(0, 3, (4, 5)).astype(np.uint8)
        for i in {i for held in ids.values() for i in held}
    }
    for mask in truth.values():
        mask[0, 0] = 255
    arrays = {"classes": np.array(["a", "b", "c"])}
    for name, held in ids.items():
        arrays[f"{name}_labels"] = np.stack([truth[i] for i in held])
        arrays[f"{name}_predicted"] = draw.integers(0, 3, (len(held), 4, 5)).astype(np.uint8)
        arrays[f"{name}_ids"] = np.array(held)
    np.savez_compressed(tmp_path / "predictions.npz", **arrays)
    return tmp_path / "predictions.npz", arrays


PARTLY = {"rgb": "srpq", "depth": "tqps", "rgb+depth": "sqp"}


@pytest.mark.parametrize("ids", [{"rgb": "pqrs", "depth": "pqrs"}, PARTLY])
def test_the_confusion_of_a_dense_run_is_that_of_its_pixels(tmp_path, clean_slate, ids):
    file, held = predictions(tmp_path, {name: list(word) for name, word in ids.items()})
    axes = plots.confusions(file).axes
    assert [axis.get_title() for axis in axes] == list(ids)
    shared = set.intersection(*(set(word) for word in ids.values()))
    for axis, (name, word) in zip(axes, ids.items(), strict=True):
        rows = [place for place, one in enumerate(word) if one in shared]
        labels, said = (held[f"{name}_{what}"][rows].ravel() for what in ("labels", "predicted"))
        counts = confusion_matrix(
            labels[labels != 255], said[labels != 255], labels=range(3), normalize="true"
        )
        drawn = axis.collections[0].get_array().reshape(3, 3)
        np.testing.assert_allclose(drawn, 100 * counts, rtol=1e-5)


# ---------------------------------------------------------------- commands


class Inline(nullcontext):
    """An engine without processes: trains where it stands, one run after the other."""

    workers = threads = 1

    def __init__(self, *_):
        super().__init__()
        self.ended, self.given = [], []

    def submit(self, job):
        self.given.append(job.run)
        self.ended.append((job.key, job()))

    def finished(self, timeout):
        yield self.ended.pop()


@pytest.fixture
def inline(monkeypatch, tmp_path, clean_slate):
    """Commands train in this process and in an empty folder."""
    made = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sweep, "make_engine", lambda *given: made.append(Inline(*given)) or made[-1]
    )
    return made


DATA = "scenes-dense:n=60,size=32"
TINY = ["--profile", "tiny", "--epochs", "1"]


def run(*arguments) -> int:
    return cli.main([str(argument) for argument in arguments])


def refused(capsys, *arguments) -> str:
    capsys.readouterr()
    assert run(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("discom: error: ")


def is_a_picture(file):
    with Image.open(file) as image:
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize(("number", "count"), [("dense", 10), ("crodino", 7)])
def test_a_dry_run_counts_the_runs_of_a_dense_table(inline, tmp_path, capsys, number, count):
    assert run("table", number, "--data", DATA, *TINY, "--seeds", 1, "--dry_run") == 0
    assert capsys.readouterr().out.startswith(f"{count} runs, {count} of them to train: some ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", ["dense", "crodino"])
def test_a_dense_table_from_end_to_end(inline, tmp_path, capsys, number):
    command = ["table", number, "--data", DATA, *TINY, "--seeds", 1, "--out", "made/t"]
    assert run(*command, "--collect", "all.json") == 0
    printed = capsys.readouterr().out.splitlines()
    expected = [
        label(name, methods.get(name).options(options))
        for name, options in paper_rows(number, PAIR)
    ]
    assert printed[0].startswith(f"{len(expected)} runs, {len(expected)} of them to train: some ")
    assert printed[1].split()[:5] == ["data", "method", "modality", "n", "mIoU"]
    assert (printed[1].split()[-2:] == ["s", "time"]) == (number == "dense")
    assert printed[-5:] == [f"made/t.{end}" for end in ("txt", "md", "csv", "tex", "png")]
    is_a_picture(tmp_path / "made/t.png")
    held = pd.read_csv(tmp_path / "made/t.csv")
    assert list(dict.fromkeys(held["method"])) == expected
    results = tables.load_results(tmp_path / "all.json")
    assert {run.metric for run in results} == {"miou"}
    found = {
        (label(r.method, r.config["options"]), m): value
        for r in results
        for m, value in r.main.items()
    }
    assert {(row.method, row.modality): row.miou for row in held.itertuples()} == pytest.approx(
        found
    )
    assert len(list((tmp_path / "runs").rglob("result.json"))) == len(expected)
    assert run(*command) == 0  # nothing is trained twice
    again = capsys.readouterr().out.splitlines()
    assert again[0].startswith(f"{len(expected)} runs, 0 of them to train")
    assert again[1:] == printed[1:]
    assert inline[-1].given == []


@pytest.mark.slow
def test_a_grid_of_dense_scenes_from_end_to_end(inline, tmp_path, capsys):
    words = ["grid", "--data", DATA, "--dials", '{"noise": [0, 0.5]}', "--methods", "single,crodino", "--against",
             "single", *TINY, "--seeds", 2, "--out", "made/grid"]  # fmt: skip
    assert run(*words) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("8 runs, 8 of them to train: some ")
    assert printed[1].split() == ["data", "method", "modality", "n", "mIoU", "Δ", "single"]
    assert {line.split()[0] for line in printed[2:-5]} == {"scenes-dense", "scenes-dense-noise=0.5"}
    assert {run.config.weight_decay for run in inline[0].given} == {
        1e-4
    }  # the profile of dense prediction
    is_a_picture(tmp_path / "made/grid.png")
    made = pd.read_csv(tmp_path / "made/grid.csv")
    assert tables.by_dials(made)["noise"].tolist() == [0.0] * 5 + [0.5] * 5


@pytest.mark.parametrize("dials", ['{"shared": [0]}', '{"size": [32]}', '{"spurious": [0.5]}'])
def test_dials_are_those_of_the_data(inline, tmp_path, capsys, dials):
    line = refused(
        capsys,
        "grid",
        "--data",
        DATA,
        "--dials",
        dials,
        "--methods",
        "single",
        "--against",
        "single",
    )
    assert "are not values of noise, labelled, degraded, degraded_in" in line
    line = refused(capsys, "grid", "--data", "scenes", "--dials", '{"noise": [0]}')
    assert "are not values of shared, spurious" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ["table", "dense", "--data", "scenes:n=66,size=16", *TINY, "--seeds", "1"],
        [
            "grid",
            "--data",
            "scenes:n=66,size=16",
            "--methods",
            "single",
            "--against",
            "single",
            *TINY,
            "--seeds",
            "1",
        ],
        ["train", "--data", "scenes:n=66,size=16", "--method", "crodino", *TINY],
    ],
)
def test_dense_methods_on_data_of_classification_are_one_line(inline, tmp_path, capsys, command):
    assert "needs a class for every pixel" in refused(capsys, *command)
    assert not list(tmp_path.rglob("result.json"))
    assert not [given for engine in inline for given in engine.given]


def test_a_table_that_there_is_not(inline, tmp_path, capsys):
    line = refused(capsys, "table", "segmentation", "--data", DATA, *TINY)
    assert line == "table: segmentation is not one of ours; choose 1, 2, 3, 4, 5, dense, crodino"
    assert list(tmp_path.iterdir()) == []


def test_train_and_show_a_dense_run(inline, tmp_path, capsys):
    assert run("train", "--method", "crodino", "--data", DATA, *TINY) == 0
    printed = capsys.readouterr().out.splitlines()
    folder = tmp_path / printed[0]
    found = Result.read(folder / "result.json")
    assert folder.parts[-3:-1] == ("scenes-dense", "crodino")
    assert [line.partition(":")[0] for line in printed[1:]] == ["rgb", "depth", "rgb+depth"]
    for line, scores in zip(printed[1:], found.scores.values(), strict=True):
        assert (
            f": mIoU {scores['miou']:.1f}, accuracy {scores['accuracy']:.1f}, best epoch 0" in line
        )
    assert run("show", folder, "--out", "made.png", "--collect", "all.json") == 0
    shown = capsys.readouterr().out
    assert "crodino on scenes-dense, seed 0" in shown
    assert {"miou", "iou/stone", "valid_miou"} <= set(shown.split())
    for file in ("made.png", "made-confusion.png"):
        is_a_picture(tmp_path / file)
    assert tables.load_results(tmp_path / "all.json") == [found]


def test_show_compares_each_kind_with_its_own(inline, tmp_path, capsys):
    """Runs of classification and of dense prediction in one folder."""
    made = [replace(run, hash=f"{number:010d}") for number, run in enumerate(runs_of("dense"))]
    scored = {m: {"f1": 50.0, "valid_f1": 50.0, "best_epoch": 1} for m in PAIR}
    other = [replace(run, method=method, metric="f1", scores=scored, data="scenes",
                     config={**run.config, "options": methods.get(method).options({})})
             for run in made if run.method == "single" for method in ("student", "discom")]  # fmt: skip
    tables.collect(made + other, tmp_path / "all.json")
    assert run("show", tmp_path / "all.json", "--out", "made.png") == 0
    printed = capsys.readouterr().out
    heads = [
        line for line in printed.splitlines() if line.startswith("| data | method | modality | n |")
    ]
    assert heads == [
        "| data | method | modality | n | F1 | Δ student |",
        "| data | method | modality | n | mIoU | Δ single | Δ single-2x | Δ dense-kdv2 |",
    ]
    for file in ("made.png", "made-dense.png"):
        is_a_picture(tmp_path / file)


def test_train_takes_dense_scenes_when_nothing_is_said(monkeypatch, inline):
    asked = []
    monkeypatch.setattr("discom.data.DRAWN", {name: lambda name=name: asked.append(name) or 1 / 0 for name in
                                              ("scenes", "scenes-dense")})  # fmt: skip
    for method, name in (("single", "scenes-dense"), ("student", "scenes")):
        with pytest.raises(ZeroDivisionError):
            run("train", "--method", method)
        assert asked[-1] == name


def test_the_tables_room_has_what_a_notebook_calls():
    assert {"baselines", "is_dense", "paper_rows", "paper_table", "to_markdown", "write"} <= set(
        tables.__all__
    )
