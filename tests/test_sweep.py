"""Sweeps: what is missing is trained once, whatever fails or is killed."""

import shutil
import time
import warnings
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from discom import cli, data, files, fit, hardware, methods, profile, tables
from discom.data import scaling
from discom.errors import ConfigError, OutOfTime, RunError
from discom.running import forecast, sweep
from discom.running.loading import load_run
from discom.running.runs import Result, Run, read_predictions

DATA = "objects:n=60,size=16"
SMALL = "objects:n=99,size=8"
TINY = profile("tiny", epochs=1)
CLOCK = {"perf_counter": time.perf_counter}


@pytest.fixture
def run_of(tmp_path):
    """A function of method, seed and changed settings: a run on the small scenes."""

    def run(method="student", seed=0, **changes):
        config, images = replace(TINY, seed=seed, **changes), data.load(DATA, seed=seed)
        return Run.of(tmp_path / "runs", methods.get(method), images, config, DATA)

    return run


@pytest.fixture
def trained(monkeypatch):
    """Methods and seeds in the order in which they are trained."""
    calls, fit = [], sweep.fit

    def note(method, split, config, folder, **options):
        calls.append((method, config.seed))
        return fit(method, split, config, folder, **options)

    monkeypatch.setattr(sweep, "fit", note)
    return calls


def here(runs, **options):
    """Sweep in this process; folder → error of those that failed."""
    return sweep.sweep(runs, workers=1, **options).failed


def test_a_result_from_before_an_option_was_there_is_the_same_run(run_of):
    """A newer option has its default, a newer term no weight; another default is another run."""
    run = run_of("kdv2")
    assert here([run]) == {}
    content = files.read_json(run.folder / "result.json")
    config = content["config"]
    for options, same in (
        ({"teacher": "all", "temperature": 2.0, "weights": {"cl": 0.5, "kd": 0.5}}, False),
        ({"teacher": "all", "weights": {"cl": 0.5}}, False),
        ({"teacher": "all", "weights": {"cl": 0.5, "kd": 0.5}}, True),
    ):
        older = {**content, "config": {**config, "options": options}, "changed": {}}
        result = Result.from_json(older, "older")
        assert (result.hash == run.hash) == same
        assert (result.display_name == "kdv2") == same
        absent, stored = sweep.missing([replace(run, runs="elsewhere")], [result])
        assert (stored == [result]) == same == (not absent)
    older = replace(result, code="abcdef")  # of discom, as all of results/ are
    assert sweep.missing([replace(run, runs="elsewhere")], [older]) == ([], [older])
    theirs = {**content["teacher"]["config"]}
    older = {**content, "teacher": {**content["teacher"], "config": theirs}}
    del theirs["select"]  # a teacher's settings are filled in, too
    assert Result.from_json(older, "older").hash == run.hash


def test_a_run_that_fails_is_listed_and_stops_no_other(run_of):
    bad = run_of("kdv2", learning_rate=1e30, epochs=2)
    runs = [bad, run_of(), run_of("dkd")]
    failed = here(runs)
    assert set(failed) == {bad.teacher.folder, bad.folder}
    assert [(run.folder / "result.json").exists() for run in runs] == [False, True, True]


def test_a_stored_result_of_a_persons_method_is_taken_for_the_same_code_alone(run_of, tmp_path):
    (tmp_path / "own.py").write_text("from discom.methods import Student\nclass Own(Student): pass")
    run = run_of(f"{tmp_path}/own.py:Own")
    assert here([run]) == {}
    result = Result.read(run.folder / "result.json")
    for code, taken in ((result.code, True), ("abcdef", False)):
        known = [replace(result, code=code)]
        absent, found = sweep.missing([replace(run, runs="elsewhere")], known)
        assert (len(absent), len(found)) == (not taken, taken)


def test_a_fault_of_the_program_keeps_its_traceback(run_of, monkeypatch):
    """A worker said one line of it, such as KeyError: 'x', and nobody knew where."""
    run, place = run_of(), run_of().folder / "traceback.txt"
    with monkeypatch.context() as patch:
        patch.setattr(sweep, "fit", lambda *_, **__: {}["x"])
        line = here([run])[run.folder]
    assert "\n" not in line
    assert "KeyError: 'x'; see traceback.txt" in line
    assert 'lambda *_, **__: {}["x"]' in place.read_text()
    assert here([run]) == {}
    assert not place.exists()
    bad = run_of("kdv2", learning_rate=1e30)  # of the input there is none
    assert here([bad])
    assert not list(bad.teacher.folder.glob("traceback*"))


def test_a_run_knows_how_many_workers_share_the_memory(run_of, monkeypatch):
    shares: list = []
    monkeypatch.setattr(hardware, "workers", 1)
    monkeypatch.setattr(sweep, "train", lambda *_, **__: shares.append(hardware.workers))
    jobs = sweep.spread([partial(sweep._attempt, run_of(), ".", 3)], workers=1)
    assert [error for _, error in jobs] == [""]
    assert shares == [3]


def test_a_seed_of_every_row_is_trained_before_the_next_seed(run_of, trained):
    """All runs without a teacher came before the first one with a teacher."""
    runs = [run_of(name, seed) for name in ("kdv2", "student") for seed in (1, 0)]
    assert here(runs) == {}
    each = ["teacher", "kdv2", "student"]
    assert trained == [(name, seed) for seed in (0, 1) for name in each]


@pytest.mark.parametrize("seeds", [1, 3])
def test_stages_hold_no_student_beside_its_teacher_and_as_many_runs_as_they_can(run_of, seeds):
    """A student of seed 0 trains beside the teacher of seed 1."""
    names = ["student", "kdv2", "dkd"]
    absent, _ = sweep.missing([run_of(name, seed) for name in names for seed in range(seeds)])
    stages = [[(run.config.seed, run.method) for run in stage] for stage in sweep._stages(absent)]
    first, second = ["student", "teacher"], ["kdv2", "dkd"]
    expected = [[(0, name) for name in first]]
    for seed in range(seeds):
        expected.append([(seed, name) for name in second])
        expected[-1] += [(seed + 1, name) for name in first] if seed + 1 < seeds else []
    assert stages == expected
    alone = [run_of("student", seed) for seed in range(seeds)]
    assert sweep._stages(alone) == [alone]


def test_bounds_are_fitted_once_for_all_rows_of_a_seed(run_of, monkeypatch):
    sweep._split.cache_clear()
    fits, original = [], scaling.Normalization.fit

    def noted(*given):
        fits.append(given)
        return original(*given)

    runs = [run_of("student"), run_of("student", augment=0.0), run_of("kdv2")]
    monkeypatch.setattr(scaling.Normalization, "fit", noted)
    assert here(runs) == {}
    assert len(fits) == 2  # rgb and depth


def test_a_sweep_tells_of_each_epoch_and_of_each_run_that_ended(run_of, capsys):
    bad, good = run_of("discom", learning_rate=1e30, epochs=3), run_of(epochs=2)
    epochs, ended = [], []
    hooks = {
        "on_epoch": lambda run, epoch, network: epochs.append((run.method, epoch, network.name)),
        "on_run": lambda run, error: ended.append((run.method, "loss" in error)),
    }
    done = sweep.sweep([bad, good], workers=1, progress=False, **hooks)
    assert epochs[-3:] == [("student", epoch, "student") for epoch in range(3)]
    assert ("discom", 3, "discom") not in epochs
    assert ended == [("discom", True), ("student", False)]
    assert (done.left, [result.method for result in done.results]) == ([], ["student"])
    assert capsys.readouterr().err == ""
    with pytest.raises(ConfigError, match="2 workers are processes"):
        sweep.sweep([good], workers=2, on_epoch=hooks["on_epoch"])


def test_a_sweep_stops_in_time_and_the_same_call_goes_on(run_of, monkeypatch, trained):
    """The run that trains keeps its epochs, whatever share of the time checkpoints take."""
    monkeypatch.setattr("discom.running.checkpoint.TIME_SHARE", 0.0)
    clock = [0.0]
    monkeypatch.setattr("discom.running.fit.time", SimpleNamespace(time=lambda: clock[0], **CLOCK))
    monkeypatch.setattr(sweep, "time", SimpleNamespace(time=lambda: clock[0]))
    runs = [run_of("student", 0, epochs=4), run_of("student", 1, epochs=4)]

    def tick(run, epoch, network):
        clock[0] = float(epoch)

    how = {"workers": 1, "on_epoch": tick, "progress": False}
    done = sweep.sweep(runs, until=1.5, **how)
    assert (done.results, done.failed, done.left) == ([], {}, runs)
    assert trained == [("student", 0)]  # the other did not begin
    state = torch.load(runs[0].folder / "state.pt", weights_only=True)
    assert state["epoch"] == 2
    epochs = []
    done = sweep.sweep(runs[:1], workers=1, on_epoch=lambda run, epoch, _: epochs.append(epoch))
    assert epochs == [2, 3, 4]
    whole = replace(runs[0], runs=f"{runs[0].runs}-whole")
    assert sweep.sweep([whole], workers=1).results[0].scores == done.results[0].scores


def test_a_stop_at_the_last_epoch_is_none(run_of):
    assert len(sweep.sweep([run_of()], workers=1, until=time.time() + 1e3).results) == 1
    late = run_of(seed=1)
    with pytest.raises(OutOfTime, match="stopped after 1 of 2 epochs"):
        sweep.train(run_of(epochs=2), data.load(DATA, seed=0).split(0), until=0.0)
    assert sweep.train(late, data.load(DATA, seed=1).split(1), until=0.0).seed == 1


def test_weights_that_nobody_opens_are_not_kept_but_a_teachers_are(run_of):
    runs = [run_of("student"), run_of("kdv2"), run_of("discom")]
    keep = {"keep_weights": lambda run: run.method == "discom"}
    assert here(runs, **keep) == {}
    weighed = [(run.folder / "weights").is_dir() for run in (*runs, runs[1].teacher)]
    assert weighed == [False, False, True, True]
    split = data.load(DATA, seed=0).split(0)
    with pytest.raises(RunError, match="its weights were not kept; delete"):
        load_run(runs[0].folder, split)
    alone = run_of("teacher", seed=1)  # as a row of its own, before any student is asked for
    assert here([alone], keep_weights=lambda run: False) == {}
    assert here([run_of("kdv2", seed=1)]) == {}
    assert {path.name for path in runs[0].folder.iterdir()} >= {"predictions.npz", "metrics.csv"}


def test_data_that_changed_since_the_plan_are_refused_and_new_ones_are_read(tmp_path):
    """A prepared folder that is written anew under the same name, in one process."""
    place, student = str(tmp_path / "mine"), methods.get("student")
    for number in (60, 66):
        data.load(f"objects:n={number},size=16").save(place, overwrite=True)
        images, config = data.load(place), replace(TINY, seed=number)
        run = Run.of(tmp_path, student, images, config, place)
        counts = sweep.sweep([run], workers=1).results[0].counts
        assert sum(counts[part] for part in ("train", "valid", "test")) == number
    other = replace(run, origin=run.origin._replace(content="0" * 16))
    assert "planned with other data" in here([other])[other.folder]


@pytest.mark.slow
def test_a_dask_cluster_makes_the_same_numbers(tmp_path):
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    words = ["table", "2", "--data", DATA, "--methods", "kdv2,student", "--seeds", "1"]
    words += ["--profile", "tiny", "--epochs", "1", "--workers", "2", "--runs"]
    assert cli.main([*words, str(tmp_path / "whole")]) == 0
    here = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(**here) as cluster,
        dask.config.set({"scheduler-address": cluster.scheduler_address}),
    ):
        assert cli.main([*words, str(tmp_path / "runs"), "--backend", "dask"]) == 0
    whole, found = (
        {result.hash: result.scores for result in tables.load_results(tmp_path / name)}
        for name in ("whole", "runs")
    )
    assert len(found) == 3
    assert found == whole


def test_a_table_trains_teachers_first_and_each_run_once(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["table", "2", "--data", SMALL, "--methods", "student,kdv2"]
    words += ["--seeds", "2", "--workers", "1", "--profile", "tiny", "--epochs", "1"]
    words += ["--collect", "all.json"]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(tables.load_results(tmp_path / "all.json")) == 4
    each = ["student", "teacher", "kdv2"]
    assert trained == [(name, seed) for seed in (0, 1) for name in each]
    shutil.rmtree("runs")
    assert cli.main(words) == 0  # nothing is trained twice, nor a teacher of what is
    assert capsys.readouterr().out.splitlines()[1:] == printed[1:]
    assert len(trained) == 6


@pytest.mark.parametrize("name", ["objects:n=60,size=16,seed=0", "scenes-dense:n=24,size=16"])
def test_folds_test_every_sample_once_and_keep_what_was_predicted_of_each_group(name, tmp_path):
    drawn = data.load(name)
    images = replace(drawn, groups=np.arange(len(drawn)) // 2)
    images.save(tmp_path / "data")
    images, method = data.load(tmp_path / "data"), "single" if drawn.dense else "kdv2"
    config = profile("tiny", dense=drawn.dense, epochs=1)
    where = methods.get(method), images, config, str(tmp_path / "data"), None
    runs = [Run.of(tmp_path / "runs", *where, 3, fold) for fold in range(3)]
    assert len({run.hash for run in runs} | {Run.of(tmp_path, *where).hash}) == 4
    done = sweep.sweep(runs, workers=1)
    assert done.failed == {}
    network = next(iter(done.results[0].scores))
    tested = [group for each in done.results for group in each.tested["groups"]]
    assert sorted(tested, key=int) == [str(number) for number in range(len(drawn) // 2)]
    for run, found in zip(runs, done.results, strict=True):
        assert (found.fold, found.digest) == (run.origin.fold, run.origin.digest)
        assert Result.read(run.folder / "result.json") == found
        assert load_run(run.folder, images.split(*found.parts))[1] == found
        with pytest.raises(RunError, match="another split"):
            load_run(run.folder, images.split(seed=0))
        saved = read_predictions(run.folder / "predictions.npz")
        counts = np.array(found.tested["counts"][network])
        hits = counts[counts[:, 1] == counts[:, 2], 3].sum() / counts[:, 3].sum()
        assert 100 * hits == pytest.approx(found.scores[network]["accuracy"], abs=1e-3)
        assert counts[:, 3].sum() == (saved[f"{network}_labels"] != 255).sum()


@pytest.fixture
def timed(monkeypatch):
    """A function: of it, an epoch of a probe takes so many seconds as it says of the batches and of
    the number of the epoch."""

    def timed(seconds_of):
        def written(method, split, config, folder, **options):
            result = fit(method, split, config, folder, **options)
            log = pd.read_csv(folder / "metrics.csv")
            batches = len(split.train) / config.batch_size
            seconds = np.cumsum([seconds_of(batches, epoch) for epoch in range(len(log))])
            log.assign(seconds=seconds).to_csv(folder / "metrics.csv", index=False)
            return result

        monkeypatch.setattr(forecast, "fit", written)

    return timed


def test_a_probe_scales_the_epochs_after_the_first_and_leaves_nothing_behind(
    run_of, tmp_path, monkeypatch, timed
):
    """With a teacher, in the current folder; seconds written by hand."""
    timed(lambda batches, epoch: [5.0, 3.0, 2.0][epoch])
    monkeypatch.chdir(tmp_path)
    run = run_of("kdv2", batch_size=4)
    split = data.load(DATA, seed=0).split(*run.parts)
    cost = forecast.probe(run, split, batches=3)
    assert (cost.seconds, cost.reading) == (pytest.approx(2.5 * len(split.train) / 12), 0)
    assert not [*tmp_path.iterdir()]


def test_a_probe_knows_the_size_of_the_checkpoint_of_the_run(run_of, tmp_path):
    run = run_of("student", epochs=2, select="last")
    split = data.load(DATA, seed=0).split(*run.parts)
    with pytest.raises(OutOfTime):
        fit(run.method, split, run.config, tmp_path / "run", until=0.0, progress=False)
    size = (tmp_path / "run" / "state.pt").stat().st_size
    assert forecast.probe(run, split, 3).checkpoint_mb == pytest.approx(size / 1e6, rel=0.1)


@pytest.mark.parametrize("method", ["student", "kdv2"])
def test_what_an_epoch_takes_beside_its_batches_is_not_scaled_with_them(run_of, timed, method):
    """Its start and its scores: scaled up from three quick batches they counted many times."""
    timed(lambda batches, epoch: 0.05 + 0.01 * batches)
    run = run_of(method, batch_size=4)
    split = data.load(DATA, seed=0).split(*run.parts)
    steps = len(split.train) / 4
    assert forecast.probe(run, split).seconds == pytest.approx(0.05 + 0.01 * steps)


def test_a_probe_takes_parts_that_share_groups_and_labels_of_few_groups(tmp_path):
    """Where the run itself is only warned of the one, and has groups enough for the other."""
    images = data.load("objects:n=90,size=16").changed(drawn=None)
    parts = {"train": np.arange(50), "valid": np.arange(50, 70), "test": np.arange(70, 90)}
    shared = images.changed(groups=np.arange(90) % 45, parts=parts)
    own = images.changed(groups=np.arange(90))
    for grouped, settings in ((shared, {}), (own, {"labelled": 0.9, "labelled_groups": 30})):
        config = replace(TINY, batch_size=6, **settings)
        run = Run.of(tmp_path / "runs", methods.get("student"), grouped, config)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            split = grouped.split(*run.parts)
        assert forecast.probe(run, split, batches=3).seconds > 0


def test_a_probe_times_the_reading_of_images_that_do_not_stay(run_of, monkeypatch):
    run = run_of(batch_size=4)
    split = data.load(DATA, seed=0).split(*run.parts)
    monkeypatch.setattr("discom.data.batches.memory_budget", lambda device: 0)
    read = data.MultiModalData.images

    def slowly(self, name, rows=slice(None)):
        time.sleep(0.01)
        return read(self, name, rows)

    monkeypatch.setattr(data.MultiModalData, "images", slowly)
    cost = forecast.probe(run, split, batches=1)
    steps = np.ceil(len(split.train) / 4)
    assert cost.seconds > cost.reading > 0.02 * steps  # two sensors
