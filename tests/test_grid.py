"""Grids over the dials of the scenes: methods from words, data sets from dials, runs on each, and
what they say."""

import json
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from discom import cli, data, methods, profile, sweep, tables
from discom.errors import ConfigError, RunError
from discom.runs import Result, Run, identity
from discom.sweep import Source, arm, cell_runs, cells
from discom.tables.statistics import by_dials, summary

TINY = profile("tiny", epochs=1)
DATA = "scenes:n=99,size=8"


class Inline(nullcontext):
    """An engine without processes: trains where it stands, one run after the other."""

    workers = threads = 1

    def __init__(self, *_):
        super().__init__()
        self.ended, self.given = [], []

    def submit(self, job):
        self.given.append((job.run, job.source))
        self.ended.append((job.key, job()))

    def finished(self, timeout):
        yield self.ended.pop()


def config(seed, options):
    return replace(TINY, seed=seed, options=options)


# ---------------------------------------------------------------- a method from a word

ARMS = [
    ("student", ("student", {})),
    (" student ", ("student", {})),
    ("student:", ("student", {})),
    ("discom:pairing=paired", ("discom", {"pairing": "paired"})),
    (
        "discom:adv=0;pairing=paired;irr=0.5",
        ("discom", {"weights": {"adv": 0, "irr": 0.5}, "pairing": "paired"}),
    ),
    ("discom:grl_lambda=0.1;grl_warmup=0.5", ("discom", {"grl_lambda": 0.1, "grl_warmup": 0.5})),
    ("kdv2+lskd:teacher=rgb;temperature=3", ("kdv2+lskd", {"teacher": "rgb", "temperature": 3})),
    ("dkd:nckd=2;", ("dkd", {"weights": {"nckd": 2}})),
    ("discom-solo:cl=1e-1", ("discom-solo", {"weights": {"cl": 0.1}})),
]


@pytest.mark.parametrize(("word", "expected"), ARMS)
def test_a_method_and_its_options_from_a_word(word, expected):
    assert arm(word) == expected


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("tutor", "method: 'tutor' is unknown; choose teacher, student"),
        ("", "method: '' is unknown"),
        (
            "discom:pairing",
            r"'pairing' in 'discom:pairing' is no option; write e\.g\. discom:pairing=paired;adv=0",
        ),
        (":adv=0", "method: '' is unknown"),
    ],
)
def test_a_word_that_is_no_method(word, message):
    with pytest.raises(ConfigError, match=message):
        arm(word)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("discom:colour=1", "discom has no 'colour'; it has grl_lambda"),
        ("discom:novelty=0.5", "discom has no 'novelty'"),
        ("student:adv=0", "student has no 'adv'; it has weights"),
        ("discom:adv=much", "weights.adv='much' is no float"),
        ("discom:dimension=2.5", "dimension=2.5 is no int"),
    ],
)
def test_an_option_that_the_method_lacks(word, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        cell_runs(Source(f"{DATA},seed=0"), [arm(word)], tmp_path, config)


# ---------------------------------------------------------------- data sets from dials


def paths(*given):
    return [source.path for source in cells(*given)]


def test_cells_are_every_combination_seeds_first():
    assert paths("scenes", {"shared": [0, 0.5], "labelled": [0.2, 1]}, 2) == [
        f"scenes:shared={shared},labelled={labelled},seed={seed}"
        for seed in (0, 1) for shared in (0, 0.5) for labelled in (0.2, 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("scenes", "scenes:"),
        ("scenes:", "scenes:"),
        ("scenes:n=99", "scenes:n=99,"),
        (DATA, f"{DATA},"),
    ],
)
def test_arguments_that_stay_as_they_are(name, head):
    assert paths(name, {"shared": [0.5]}, 1) == [f"{head}shared=0.5,seed=0"]
    assert paths(name, {}, 2) == [f"{head}seed=0", f"{head}seed=1"]


def test_a_cell_is_the_data_with_its_dials_and_its_seed():
    (source,) = cells(DATA, {"spurious": [0.6], "spurious_in": ["depth"]}, 1)
    direct = data.scenes.make(99, 8, 0, spurious=0.6, spurious_in="depth")
    assert source.load().fingerprint == direct.fingerprint
    assert source.load() is source.load()  # drawn once
    names = {
        source.load().name for source in cells(DATA, {"shared": [0, 1], "labelled": [0.5, 1]}, 1)
    }
    assert names == {
        "scenes-shared=0-labelled=0.5",
        "scenes-shared=0",
        "scenes-labelled=0.5",
        "scenes",
    }


@pytest.mark.parametrize("name", ["hls", "data/scenes", "scene", ""])
def test_data_without_dials(name):
    with pytest.raises(ConfigError, match=f"data: '{name}' has no dials; only scenes are drawn"):
        cells(name, {"shared": [1]}, 1)


@pytest.mark.parametrize("values", [[], 0.5, "0.5", None, {"a": 1}])
def test_a_dial_without_values(values):
    with pytest.raises(
        ConfigError, match=r"dials: shared needs a list of values, such as \[0, 0.5, 1\]"
    ):
        cells("scenes", {"labelled": [1], "shared": values}, 1)


def test_runs_of_a_cell(tmp_path):
    arms = [arm("student"), arm("kdv2:teacher=rgb"), arm("discom:pairing=paired")]
    made = [
        cell_runs(source, arms, tmp_path, config) for source in cells(DATA, {"shared": [0.5, 1]}, 2)
    ]
    assert [[run.method for run in runs] for runs in made] == [["student", "kdv2", "discom"]] * 4
    assert [run.config.seed for runs in made for run in runs] == [0] * 6 + [1] * 6
    assert [runs[0].data for runs in made] == ["scenes-shared=0.5", "scenes"] * 2
    assert made[0][2].config.options["pairing"] == "paired"
    assert made[0][1].teacher.config.options == {"reads": "rgb", "weights": {"cl": 1.0}}
    assert len({run.fingerprint for runs in made for run in runs}) == 4
    assert len({run.folder for runs in made for run in runs}) == 12
    assert all(run.folder.is_relative_to(tmp_path) for runs in made for run in runs)


# ---------------------------------------------------------------- many data sets in one sweep


def test_a_sweep_takes_the_data_of_each_run(tmp_path):
    sources, wanted = {}, []
    for source in cells("scenes:n=66,size=8", {"labelled": [0.2, 1]}, 1):
        made = cell_runs(source, [arm("student"), arm("kdv1:teacher=rgb")], tmp_path, config)
        wanted += made
        sources |= {run.fingerprint: source for run in made}
    engine = Inline()
    assert sweep.sweep(wanted, lambda run: sources[run.fingerprint], engine, progress=False) == {}
    assert (
        len(engine.given) == 6
    )  # a student, a teacher and who it teaches, on each of two data sets
    for run, source in engine.given:
        held = source.load()
        assert held.fingerprint == run.fingerprint
        written, split = (
            json.loads((run.folder / "config.json").read_text()),
            held.split(seed=run.config.seed),
        )
        assert written["split"] == identity(methods.get(run.method), split, run.config)["split"]
        result = Result.read(run.folder / "result.json")
        assert (result.data, result.seed) == (run.data, run.config.seed)
    again = Inline()
    assert sweep.sweep(wanted, sources.get, again, progress=False) == {}
    assert again.given == []


# ---------------------------------------------------------------- columns for the dials


def result(method="student", seed=0, f1=80.0, data="scenes", **config):
    scores = {m: {"f1": f1, "accuracy": f1} for m in ("rgb", "depth")}
    return Result(
        method=method, data=data, seed=seed, hash="aa", scores=scores, parameters=dict.fromkeys(scores, 7), seconds=1.0,
        pairs_per_second=1.0, peak_memory_mb=1.0, machine={}, counts={}, classes=9,
        config={"seed": seed, "options": {}, **config},
    )  # fmt: skip


def test_dials_are_read_off_the_names_and_filled_in_where_they_rest():
    names = ["scenes", "scenes-shared=0.5", "scenes-spurious_rgb=0.6-labelled=0.2", "scenes-spurious_depth=1",
             "scenes-shared=0-rgb"]  # fmt: skip
    table = by_dials(pd.DataFrame({"data": names, "f1": range(5)}))
    assert list(table) == ["data", "f1", "shared", "spurious_rgb", "labelled", "spurious_depth"]
    assert table[["shared", "spurious_rgb", "labelled", "spurious_depth"]].to_numpy().tolist() == [
        [1, 0, 1, 0], [0.5, 0, 1, 0], [1, 0.6, 0.2, 0], [1, 0, 1, 1], [0, 0, 1, 0],
    ]  # fmt: skip
    assert list(by_dials(pd.DataFrame({"data": ["scenes", "hls-rgb-elevation"]}))) == ["data"]


def test_by_dials_keeps_every_row_of_a_summary():
    runs = [result(method, seed, 70.0 + seed, name)
            for name in ("scenes-shared=0", "scenes")
            for method in ("student", "discom") for seed in (0, 1)]  # fmt: skip
    before = summary(runs, ["student"])
    after = by_dials(before)
    assert after[list(before)].equals(before)
    assert list(after)[-1] == "shared"
    assert after["shared"].tolist() == [0.0] * 4 + [1.0] * 4


def test_a_dial_with_a_small_value_is_read():
    name = data.scenes.make(99, 8, labelled=1, shared=1e-05).name
    assert by_dials(pd.DataFrame({"data": [name]}))["shared"].tolist() == [1e-05]


# ---------------------------------------------------------------- the command


@pytest.fixture
def inline(monkeypatch, tmp_path):
    """`discom …` in an empty folder, its runs trained in this process; the engines that it made."""
    monkeypatch.chdir(tmp_path)
    made = []
    monkeypatch.setattr(
        sweep, "make_engine", lambda *given: made.append(Inline(*given)) or made[-1]
    )
    return made


GRID = ["grid", "--data", DATA, "--profile", "tiny", "--epochs", "1"]


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def test_a_grid_over_one_dial_from_end_to_end(inline, tmp_path, capsys):
    words = ["--dials", '{"shared": [0, 1]}', "--methods", "student,discom,discom:pairing=paired",
             "--against", "student", "--seeds", 1, "--out", "made/grid", "--collect", "all.json"]  # fmt: skip
    assert run(*GRID, *words) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("6 runs, 6 of them to train: some ")
    assert printed[1].split() == ["data", "method", "modality", "n", "F1", "Δ", "student"]
    assert [line.split()[0] for line in printed[2:14]] == ["scenes-shared=0"] * 6 + ["scenes"] * 6
    assert "discom pairing=paired" in printed[6]
    forms = [f"made/grid.{end}" for end in ("txt", "md", "csv", "tex", "png")]
    assert printed[-5:] == forms
    assert all((tmp_path / form).stat().st_size > 100 for form in forms)
    held = pd.read_csv(tmp_path / "made/grid.csv")
    expected = summary(tables.load_results(tmp_path / "all.json"), ["student"])
    key = ["data", "method", "modality"]
    assert held.set_index(key)["vs student"].sort_index().tolist() == pytest.approx(
        expected.set_index(key)["vs student"].sort_index().tolist(), nan_ok=True
    )
    assert run(*GRID, *words) == 0  # nothing is trained twice
    again = capsys.readouterr().out.splitlines()
    assert again[0].startswith("6 runs, 0 of them to train")
    assert again[1:] == printed[1:]
    assert inline[-1].given == []


def test_a_dry_grid_says_how_much_and_trains_nothing(inline, tmp_path, capsys):
    assert (
        run(*GRID, "--dials", '{"shared": [0, 1], "labelled": [0.5, 1]}', "--seeds", 3, "--dry_run")
        == 0
    )
    assert capsys.readouterr().out.startswith(
        "48 runs, 60 of them to train: some "
    )  # kdv2's teachers are added
    assert not list(tmp_path.iterdir())
    assert inline[0].given == []


WRONG = {
    "dials that are no JSON": (
        ["--dials", "shared=0"],
        "--dials: shared=0 is no JSON; write e.g. ",
    ),
    "an unknown dial": (
        ["--dials", '{"colour": [1]}'],
        "are not values of shared, spurious, spurious_in, labelled",
    ),
    "a dial without values": (["--dials", '{"shared": []}'], "shared needs a list of values"),
    "a dial of one value": (["--dials", '{"shared": 0.5}'], "shared needs a list of values"),
    "a dial out of its range": (["--dials", '{"shared": [2]}'], "shared=2.0 is no probability"),
    "a word for a dial": (["--dials", '{"shared": ["much"]}'], "'much' is no value for shared"),
    "no seeds": (["--seeds", "0"], "--seeds: 0 runs make no table"),
    "an unknown method": (["--methods", "student,tutor"], "'tutor' is unknown"),
    "a method without that option": (
        ["--methods", "student:pairing=paired"],
        "student has no 'pairing'",
    ),
    "an unknown term": (["--methods", "discom:novelty=1"], "discom has no 'novelty'"),
    "data without dials": (["--data", "hls"], "'hls' has no dials"),
    "options of the settings": (["--options", '{"pairing": "paired"}'], "options"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_grid_is_one_line_and_trains_nothing(inline, tmp_path, capsys, what):
    words, message = WRONG[what]
    assert run(*GRID, "--seeds", "1", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("discom: error: ")
    assert message in line
    assert not list(tmp_path.iterdir())
    assert not [given for engine in inline for given in engine.given]


@pytest.mark.parametrize("dials", ["[1, 2]", "3", '"shared"'])
def test_dials_that_are_no_mapping_are_one_line(inline, capsys, dials):
    assert run(*GRID, "--seeds", "1", "--dials", dials, "--dry_run") == 2
    assert "are not values of shared" in capsys.readouterr().err


def test_a_baseline_that_is_not_among_the_methods_is_refused(inline, capsys):
    assert (
        run(*GRID, "--seeds", "1", "--methods", "student", "--against", "studnet", "--dry_run") == 2
    )
    assert "studnet" in capsys.readouterr().err


@pytest.mark.parametrize("dials", [{"epsilon": [0, 0.5]}, {"n": [66, 99]}, {"seed": [3, 4]}])
def test_what_names_of_data_sets_do_not_tell_is_no_dial(dials):
    with pytest.raises(ConfigError, match="are not values of shared"):
        cells("scenes:size=8,n=66", dials, 1)


def test_a_dial_that_changes_nothing_makes_no_run_twice(inline, capsys):
    dials = '{"spurious": [0], "spurious_in": ["rgb", "depth"]}'
    assert (
        run(
            *GRID,
            "--seeds",
            "1",
            "--methods",
            "student",
            "--against",
            "student",
            "--dials",
            dials,
            "--dry_run",
        )
        == 0
    )
    assert "1 runs, 1 of them" in capsys.readouterr().out


def test_a_failed_run_of_a_grid_is_listed(inline, capsys):
    with pytest.raises(SystemExit) as status:
        run(*GRID, "--epochs", "2", "--dials", '{"shared": [1]}', "--methods", "student,discom-solo", "--against",
            "student", "--seeds", 1, "--learning_rate", "1e30")  # fmt: skip
    assert status.value.code == 1
    assert (
        len(
            [
                line
                for line in capsys.readouterr().err.splitlines()
                if line.startswith("discom: error: ")
            ]
        )
        == 2
    )


def test_two_runs_of_a_cell_with_one_seed_are_named():
    with pytest.raises(RunError, match="scenes: two runs of student with seed 0"):
        summary([result(), result()], ["student"])
    assert np.isnan(summary([result()], ["student"])["vs student"]).all()


# ---------------------------------------------------------------- the ablations' tables


def table(number, *more):
    return run("table", number, *GRID[1:], "--seeds", 1, *more)


@pytest.mark.parametrize(
    "number", [4, *(pytest.param(number, marks=pytest.mark.slow) for number in (3, 5))]
)
def test_a_table_of_ablations_from_end_to_end(inline, tmp_path, capsys, number):
    rows = [tables.label(*given) for given in tables.paper_rows(number, ["rgb", "depth"])]
    more = (
        [f"discom z_{part}{how}" for part in ("inv", "inf", "irr") for how in ("", " probe")]
        if number == 4
        else []
    )
    assert table(number, "--out", "made/t", "--collect", "all.json") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(f"{len(rows)} runs, {len(rows)} of them to train: some ")
    assert printed[1].split() == ["data", "method", "modality", "n", "F1", "Δ", "discom"]
    assert printed[-5:] == [f"made/t.{end}" for end in ("txt", "md", "csv", "tex", "png")]
    held = pd.read_csv(tmp_path / "made/t.csv")
    assert held["method"].tolist() == [name for name in [*rows, *more] for _ in range(2)]
    results = tables.load_results(tmp_path / "all.json")
    assert {tables.label(r.method, r.config["options"]) for r in results} == {*rows, *more}
    f1 = {(tables.label(r.method, r.config["options"]), m): r.f1[m] for r in results for m in r.f1}
    for line in held.itertuples():
        assert line.f1 == pytest.approx(f1[line.method, line.modality])
    assert (tmp_path / "made/t.txt").read_text().splitlines() == printed[1:-5]
    assert (tmp_path / "made/t.png").read_bytes().startswith(b"\x89PNG")
    assert table(number, "--out", "made/t") == 0
    again = capsys.readouterr().out.splitlines()
    assert again[0].startswith(f"{len(rows)} runs, 0 of them to train")
    assert again[1:] == printed[1:]
    assert inline[-1].given == []


def test_the_full_model_is_shared_by_the_ablations(inline):
    """Tables 3, 4 and 5 have one run of it, found again by its folder."""
    assert table(4) == 0
    for number in (3, 5):
        assert table(number, "--dry_run") == 0
    full, held = inline[0].given[0][0].folder, Source(DATA).load()
    wanted = {number: [Run.of("runs", methods.get(name), held, config(0, options)).folder
                       for name, options in tables.paper_rows(number, ["rgb", "depth"])]
              for number in (3, 5)}  # fmt: skip
    assert wanted[3][0] == wanted[5][0] == full
    assert len({*wanted[3], *wanted[5]}) == len(wanted[3]) + len(wanted[5]) - 1


def test_damaged_readings_are_measured_again(inline, tmp_path, capsys):
    assert table(4) == 0
    file = next(tmp_path.rglob("readings.json"))
    whole = file.read_text()
    file.write_text(whole.replace('"seed": 0', '"seed": 1', 1))
    assert table(4) == 0
    assert file.read_text() == whole
