"""Notebooks 12 to 14: what runs cost, what is told of them, and the report."""

import importlib
import io
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import jupytext
import nbformat
import numpy as np
import pandas as pd
import pytest
from fixtures import writing
from fixtures.refusal import refused
from nbclient.exceptions import DeadKernelError
from PIL import Image

import backups
import batch
import reporting
import reproduction
from discom import data, fit, plots, profile, tables
from discom.data.scenes import objects
from discom.errors import ConfigError, RunError
from discom.running.forecast import Cost
from discom.running.runs import read_predictions
from pictures.reproduced import plot_masks

SCENES = "objects:n=60,size=16"
BOOK = batch.Path(batch.__file__).parent


@pytest.fixture
def study_of(tmp_path):
    """A function of rows and seeds: a study of Table 2 on the small scenes."""

    def study(kept, seeds=2, numbers=("2",)):
        settings = {"name": "tiny", "epochs": 1}
        return tables.Study(SCENES, tmp_path / "runs", numbers, "", kept, seeds, 0, settings)

    return study


def test_a_public_set_is_fetched_once_and_divided_as_it_was_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path))
    calls = []

    def prepare(name, **options):
        calls.append((name, options["split"], options["download"]))
        images = objects.make(60, size=8).changed(drawn=None)
        groups = np.arange(60) // 6 if options["split"] == "place" else None
        folder = tmp_path / (f"{name}-place" if options["split"] == "place" else name)
        images.changed(groups=groups).save(folder)
        return folder  # EuroSAT by place has parts of its own, and "-place" in its name

    monkeypatch.setattr(data, "prepare", prepare)
    for _ in range(2):
        for split in ("random", "place"):
            folder = reproduction.fetched("eurosat", split)
            assert data.way_of(data.load(folder)) == split
    assert calls == [("eurosat", "random", True), ("eurosat", "place", True)]
    for other in (SCENES, str(tmp_path / "mine")):
        assert reproduction.fetched(other) == other


def test_a_path_from_the_repositorys_root_is_found_in_notebooks(tmp_path, monkeypatch, capsys):
    """As in `batch.py -p data=data/mine`: commands are called in the root."""
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path / "data"))
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    objects.make(60, size=8).changed(drawn=None).save(tmp_path / "data" / "mine")
    for name in ("data/mine", "mine"):
        assert len(data.load(reproduction.fetched(name, "place"))) == 60
        assert "split=place" in capsys.readouterr().out
    refused(lambda: data.load(reproduction.fetched("data/slip")), "data/slip")
    assert reporting.place("data/mine") == "../data/mine"
    (tmp_path / "notebooks/data/mine").mkdir(parents=True)  # what is here comes first
    assert reporting.place("data/mine") == "data/mine"


def prepared(name, **options):
    """In the place of `data.prepare`: without raw files."""
    objects.make(60, size=8).changed(drawn=None).save(data.home() / name)
    return data.home() / name


def test_a_backup_gives_a_prepared_set_back_under_its_own_name(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "prepare", prepared)
    contents = []
    (tmp_path / "drive").mkdir()
    for session in ("first", "second", "third"):
        monkeypatch.setenv("DISCOM_DATA", str(tmp_path / session))
        folder = reproduction.fetched("eurosat", "random", str(tmp_path / "drive/discom"))
        files = {file.name: file.read_bytes() for file in (tmp_path / session).rglob("*.*")}
        contents.append((folder.removeprefix(str(tmp_path / session)), files))
        monkeypatch.setattr(data, "prepare", None)  # a later session fetches nothing
    assert contents[0] == contents[1] == contents[2]
    assert contents[0][0] == "/eurosat"
    assert [file.name for file in (tmp_path / "drive/discom").iterdir()] == ["eurosat-random.zip"]


def test_a_set_that_was_prepared_without_a_backup_is_kept_once_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(data, "prepare", prepared)
    reproduction.fetched("eurosat")
    reproduction.fetched("eurosat", backup=str(tmp_path))
    (archive,) = tmp_path.glob("*.zip")
    before = archive.stat()
    reproduction.fetched("eurosat", backup=str(tmp_path))
    assert archive.stat() == before


def test_a_damaged_archive_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    """Whether it is cut short, or a bit of it has changed. Cut behind its factors, which are a zip
    of their own, it was read as that one."""
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(data, "prepare", prepared)
    reproduction.fetched("eurosat", backup=str(tmp_path))
    archive = tmp_path / "eurosat-random.zip"
    whole = archive.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    (tmp_path / "data/eurosat").rename(tmp_path / "away")
    for content in (whole[:-1], whole[:-1000], bytes(flipped), b""):
        archive.write_bytes(content)
        problem = refused(lambda: reproduction.fetched("eurosat", backup=str(tmp_path)), "delete")
        assert str(archive) in problem
        assert [*tmp_path.glob("data/*")] == []


def test_a_drive_that_is_not_mounted_or_full_is_told(tmp_path, monkeypatch, capsys):
    """Without a mount the backup was a folder of the session, which ended with it."""
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path / "data"))
    drive = tmp_path / "drive" / "MyDrive" / "discom"
    for source in ("eurosat", SCENES):
        refused(lambda source=source: reproduction.fetched(source, backup=str(drive)), "mount")
    assert not (tmp_path / "drive").exists()
    monkeypatch.setattr(data, "prepare", prepared)
    monkeypatch.setattr(backups, "ZipFile", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    assert reproduction.fetched("eurosat", backup=str(tmp_path)) == str(tmp_path / "data/eurosat")
    assert "eurosat is not in the backup" in capsys.readouterr().out
    assert [*tmp_path.glob("*.zip")] == [*tmp_path.glob(".*.part")] == []


def test_a_parameters_cell_asks_for_tables_and_rows_by_commas(tmp_path):
    asked = {"modalities": "", "profile": "tiny", "settings": {"epochs": 3}}
    study = reproduction.study_of("objects", tmp_path, "1, 2", "student, discom", 2, **asked)
    planned = {number: [*rows] for number, rows in study.planned.items()}
    assert planned == {"1": ["student", "discom"], "2": ["student", "discom"]}
    assert {run.config.epochs for run in study.every} == {3}
    assert {run.config.seed for run in study.every} == {0, 1}
    whole = reproduction.study_of("objects", tmp_path, 3, "", 1, **asked)  # papermill's 3
    assert len(whole.planned["3"]) > 5


def test_counts_are_those_of_each_part():
    images = objects.make(60, size=8)
    groups = np.arange(60) // 6
    split = images.changed(drawn=None, groups=groups).split(seed=0)
    counted = reproduction.counts(split)
    assert counted.loc["samples"].sum() == counted.loc[list(images.classes)].sum().sum() == 60
    assert counted.loc["groups"].sum() == 10


def test_a_forecast_counts_each_run_once_and_teachers_apart(study_of):
    study = study_of(["student", "kdv2", "discom"], numbers=("1", "2"))
    absent = study.absent()
    costs = {reproduction.kind(run): Cost(3600.0, 0.0, 7.0) for run in absent}
    plan = reproduction.forecast(study, absent, costs)
    assert plan["to train"].sum() == len(absent) == plan["hours"].sum()  # an hour each
    assert plan["there"].sum() == 0
    # both tables share student and DisCoM-KD; kdv2 has two teachers, of two seeds
    assert plan["to train"].to_dict() == {
        "Table 1: student": 2, "Table 1: kdv2": 2, "Table 1: discom": 2, "Table 2: kdv2": 2,
        "teachers of rows": 4,
    }  # fmt: skip


def test_a_plan_has_the_runs_that_are_there_too(study_of):
    costs = {"student": Cost(1.0, 0.0, 0.0, 5.0)}
    reproduction.train(study_of(["student"], seeds=1), [], costs)
    study = study_of(["student"], seeds=3)
    plan = reproduction.forecast(study, study.absent(), costs)
    row = plan.loc["Table 2: student", ["there", "to train", "MB a checkpoint"]]
    assert row.to_list() == [1, 2, 5]
    done = study_of(["student"], seeds=1)
    assert reproduction.forecast(done, [], {})["there"].to_dict() == {"Table 2: student": 1}


def test_hours_of_a_table_are_those_of_it_alone_and_of_all_count_shared_runs_once(study_of):
    study = study_of(["student", "kdv2", "discom"], numbers=("1", "2"))
    absent = study.absent()
    costs = {reproduction.kind(run): Cost(3600.0, 0.0, 0.0) for run in absent}  # an hour a run
    hours = reproduction.hours_of(study, absent, costs)
    # each table: three rows and the teacher of kdv2, two seeds; student and DisCoM-KD are shared
    assert hours == {"all": 12, "Table 1": 8, "Table 2": 8}
    assert reproduction.totals(hours) == (
        "Table 1 alone: 8.0 h; Table 2 alone: 8.0 h; all of it: 12.0 h"
    )
    alone = study_of(["student", "kdv2", "discom"], numbers=("2",))
    hours = reproduction.hours_of(alone, alone.absent(), costs)
    assert hours == {"all": 8, "Table 2": 8}
    assert reproduction.totals(hours) == "all of it: 8.0 h"
    assert reproduction.totals(reproduction.hours_of(alone, [], {})) == "all of it: 0 s"
    assert np.isnan(reproduction.hours_of(study, absent, {})["Table 1"])


def test_runs_of_one_cost_are_of_one_kind():
    study = tables.Study("objects", "runs", ["3"], seeds=1, settings={"name": "tiny"})
    kinds = {row: reproduction.kind(runs[0]) for row, runs in study.planned["3"].items()}
    assert kinds["discom"] == kinds["discom adv=0"] == kinds["discom grl_lambda=0.1"]
    assert len({kinds[row] for row in ("discom", "discom dimension=16", "discom-solo")}) == 3


def test_each_run_has_a_line_and_a_budget_leaves_the_rest(study_of, capsys, monkeypatch):
    study = study_of(["student", "discom-solo"])
    costs = dict.fromkeys(map(reproduction.kind, study.absent()), Cost(1.0, 0.0, 0.0))
    done = reproduction.train(study, [], costs, until=time.time() - 1)
    assert (len(done.results), len(done.left)) == (0, 4)
    assert capsys.readouterr().out == ""
    long = replace(study, settings={"name": "tiny", "epochs": 9})
    with monkeypatch.context() as patch:  # the time is over at the end of the first epoch
        late = SimpleNamespace(time=lambda: float("inf"), perf_counter=time.perf_counter)
        patch.setattr("discom.running.fit.time", late)
        reproduction.train(long, [], costs, until=time.time() + 3600)
    stopped = "seed 0, student: stopped after 1 of 9 epochs"
    assert capsys.readouterr().out.startswith(stopped)
    done = reproduction.train(study, [], costs)
    assert (len(done.results), len(done.left)) == (4, 0)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("seed ")]
    starts = [line.partition(":")[0] for line in lines]
    assert starts == [f"seed {seed}, {row}" for seed in (0, 1) for row in study.planned["2"]]
    weights = {run.method: (run.folder / "weights").exists() for run in study.every}
    assert weights == {"student": False, "discom-solo": True}


@pytest.mark.parametrize("looks", [True, False])
def test_all_tables_are_shown_after_each_seed(looks, study_of, monkeypatch):
    """Where somebody looks, in the place of those before; in batch below them."""
    study, updates, shown = study_of(["student"], numbers=("1", "2")), [], []
    costs = {"student": Cost(1.0, 0.0, 0.0)}
    monkeypatch.setattr(reproduction, "watched", lambda: looks)
    handle = SimpleNamespace(update=updates.append)
    monkeypatch.setattr(reproduction, "display", lambda what, **how: shown.append(what) or handle)
    reproduction.train(study, [], costs)
    found = [each for each in (updates if looks else shown) if isinstance(each, pd.DataFrame)]
    assert [table["n"].to_list() for table in found] == [
        ["1 of 2"], ["1 of 2"] * 2, ["2"], ["2"] * 2,
    ]  # fmt: skip
    assert all(isinstance(each, str) for each in shown) == looks


def test_a_table_has_intervals_of_means_and_an_arrow_for_each_baseline():
    about = {"data": "objects", "labelled": 1.0, "method": "discom", "modality": "rgb", "n": 3}
    row = about | {"lr": 0.01, "f1": 80.0, "sd": 1.0, "arrow": "~", "low": 77.5, "high": 82.5}
    for name, low in (("student", -1.0), ("student-2x", 1.0), ("discom-solo", 1.0)):
        row |= {f"vs {name}": low + 1, f"vs {name} low": low, f"vs {name} high": low + 2}
    alone = row | {"method": "kdv2", "n": 1, "low": np.nan, "high": np.nan}
    empty = {name: np.nan for name in row} | about | {"method": "mdico", "n": 0, "arrow": ""}
    table = pd.DataFrame([row, alone, empty]).assign(best=np.nan, draws="samples", wanted=3)
    text = reporting.shown(table, 2)
    assert text["F1"].to_list() == ["80.0 [77.5, 82.5]", "80.0", "missing"]
    assert text.loc[("discom", "rgb"), "Δ student"].endswith("~")
    assert text.loc[("discom", "rgb"), "Δ discom-solo"].endswith("↑")
    assert text.loc[("mdico", "rgb"), "Δ student"] == "–"


def test_who_watches_reads_what_is_left_by_the_epochs_that_trained_here(study_of, monkeypatch):
    """Six runs of two epochs; the probe said a second, but an epoch takes 36."""
    study = replace(study_of(["student"], seeds=6), settings={"name": "tiny", "epochs": 2})
    moments = iter(range(0, 9999, 36))
    clock = SimpleNamespace(time=lambda: next(moments))
    monkeypatch.setattr(reproduction, "time", clock)
    progress = reproduction.Progress(study, [], {"student": Cost(1.0, 0.0, 0.0)}, "")
    assert progress.left() == 12
    first, second = study.every[:2]
    for done, left in ((0, 12), (1, 11 * 36), (2, 10 * 36)):
        progress.on_epoch(first, done, None)
        assert progress.left() == left
    progress.on_epoch(second, 1, None)  # goes on at its first epoch; its seconds are not known yet
    assert progress.left() == 9 * 36


def test_in_batch_a_line_comes_every_ten_minutes(study_of, monkeypatch, capsys):
    study = replace(study_of(["student"], seeds=1), settings={"name": "tiny", "epochs": 9})
    now = [0.0]
    monkeypatch.setattr(reproduction, "time", SimpleNamespace(time=lambda: now[0]))
    progress = reproduction.Progress(study, [], {"student": Cost(400.0, 0.0, 0.0)}, "")
    for done in range(9):
        progress.on_epoch(study.every[0], done, None)
        now[0] += 400
    lines = capsys.readouterr().out.splitlines()
    assert [re.findall(r"epoch (\d) of 9; (\S+ min)", line)[0] for line in lines] == [
        ("2", "47 min"), ("4", "33 min"), ("6", "20 min"), ("8", "7 min"),
    ]  # fmt: skip


def test_a_backup_gets_runs_that_ended_or_stopped_and_gives_them_back(
    study_of, tmp_path, monkeypatch
):
    study, backup = study_of(["student", "discom-solo"], seeds=1), str(tmp_path / "drive")
    long = replace(study, settings={"name": "tiny", "epochs": 3})
    costs = dict.fromkeys(map(reproduction.kind, long.absent()), Cost(1.0, 0.0, 0.0))
    with monkeypatch.context() as patch:  # the time is over at the end of the first epoch
        late = SimpleNamespace(time=lambda: float("inf"), perf_counter=time.perf_counter)
        patch.setattr("discom.running.fit.time", late)
        reproduction.train(long, [], costs, time.time() + 3600, backup)
    first = long.every[0]
    log = pd.read_csv(first.folder / "metrics.csv")
    assert len(log) == 1
    shutil.rmtree(tmp_path / "runs")  # the session ended
    backups.fetch(long, backup)
    assert all((run.folder / "state.pt").is_file() for run in long.every)
    done = reproduction.train(long, [], costs, backup=backup)
    assert not done.left
    whole = pd.read_csv(first.folder / "metrics.csv")
    assert len(whole) == 3
    pd.testing.assert_frame_equal(whole[:1], log)
    shutil.rmtree(tmp_path / "runs")
    backups.fetch(long, backup)
    assert long.absent() == []
    assert [*tmp_path.rglob("state.pt")] == []


def test_a_long_run_is_copied_while_it_trains(study_of, tmp_path, monkeypatch):
    study, backup = study_of(["student"], seeds=1), str(tmp_path / "drive")
    costs, calls = {"student": Cost(1.0, 0.0, 0.0)}, []
    monkeypatch.setattr(reproduction, "HALF_HOUR", 0)
    monkeypatch.setattr(backups, "save", lambda run, *where: calls.append(where))
    reproduction.train(
        replace(study, settings={"name": "tiny", "epochs": 2}), [], costs, None, backup
    )
    assert calls == [(study.runs, backup)] * 4  # epochs 0 to 2, and the end


def test_a_report_is_what_a_colleague_reads_as_known(study_of, tmp_path):
    study = study_of(["student"])
    costs = {"student": Cost(1.0, 0.0, 0.0)}
    done = reproduction.train(study, [], costs)
    standing = {"2": tables.standings(study, "2", done.results)}
    file = reporting.report(study, done, standing, {}, {"device": "a test"})
    with zipfile.ZipFile(file) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        table = pd.read_csv(io.BytesIO(archive.read("report-objects/table-2.csv")))
        archive.extractall(tmp_path / "colleague")
    curves = {name for name in names if name.startswith("curves/")}
    assert names - curves == {"report.md", "results.csv", "results.json", "table-2.csv"}
    assert len(curves) == 2
    assert len(table) == 2
    results = f"{tmp_path}/colleague/report-objects/results.csv"
    for name in (results, str(file), f"{results}, {file}"):
        known = reporting.results_of(name)
        assert replace(study, runs=tmp_path / "elsewhere").absent(known) == []
    refused(lambda: reporting.results_of(f"{tmp_path}/slip.csv"), "slip", RunError)
    refused(lambda: reporting.results_of(f"{tmp_path}/slip.zip"), "slip.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("report/report.md", "no results")
    refused(lambda: reporting.results_of(f"{tmp_path}/other.zip"), "results.csv")
    assert reporting.results_of("") == []


def test_agreement_counts_signs_and_decided_differences():
    """Two sensors, three rows; the paper says +2 and -1 for one row."""
    rows = []
    for sensor, student, ours in (("ms", 96.0, 97.0), ("sar", 78.0, 79.0)):
        rows += [
            {"method": "student", "modality": sensor, "f1": student - 1, "paper": student},
            {"method": "discom", "modality": sensor, "f1": ours, "paper": student + 2}
            | {"vs student": 2.0, "arrow": "↑"},
            {"method": "kdv2", "modality": sensor, "f1": ours, "paper": student - 1}
            | {"vs student": 1.0, "arrow": "~"},
        ]
    table = pd.DataFrame(rows).assign(n=1)
    first, second, other = reporting.agreement(table, 2)
    assert "kdv2 (ms, sar)" in other
    assert "discom" not in other
    late = table.assign(n=[1, 1, 0] * 2, wanted=1)
    assert "kdv2 (ms, sar)" in reporting.agreement(late, 2)[-1]
    dense = table.rename(columns={"f1": "miou"})
    assert reporting.agreement(dense, 2) == [first, second, other]
    assert first.startswith("6 scores ")
    assert "-1.0" in first
    assert "Of 4 " in second
    assert "student, 2 have" in second
    assert "for 2 our" in second
    assert len(reporting.agreement(table.drop(columns="paper"), 2)) == 1
    ablation = table.rename(columns={"vs student": "vs discom"})
    ablation["method"] = ablation["method"].replace({"student": "discom", "discom": "discom adv=0"})
    assert reporting.agreement(ablation, 3)[1] == second.replace("student", "discom")


def test_a_backup_that_is_further_is_fetched_and_never_replaced(study_of, tmp_path):
    study, backup = study_of(["student"], seeds=1), str(tmp_path / "drive")
    costs, (run,) = {"student": Cost(1.0, 0.0, 0.0)}, study.every
    reproduction.train(study, [], costs, backup=backup)
    for name in ("result.json", "predictions.npz"):
        (run.folder / name).unlink()
    (run.folder / "state.pt").touch()  # as a copy from before the end
    backups.save(run, study.runs, backup)
    backups.fetch(study, backup)
    assert study.absent() == []
    assert not (run.folder / "state.pt").exists()


def test_a_disk_that_is_full_ends_no_training(study_of, tmp_path, monkeypatch, capsys):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    study, costs = study_of(["student"], seeds=1), {"student": Cost(1.0, 0.0, 0.0)}
    monkeypatch.setattr(backups.shutil, "copytree", full)
    done = reproduction.train(study, [], costs, backup=str(tmp_path / "drive"))
    assert (len(done.results), done.failed) == (1, {})
    assert "No space left" in capsys.readouterr().out


def test_masks_are_those_of_their_images_whatever_ids_are(tmp_path):
    """Whole numbers as ids, in another order: every column showed the last mask."""
    scenes = data.load("scenes-dense:n=30,size=32")
    order = np.random.default_rng(0).permutation(30)
    sensors = {
        name: data.Modality(own.x[order], own.y[order], np.arange(30))
        for name, own in scenes.modalities.items()
    }
    masks = np.asarray(scenes.masks)[order]
    images = data.MultiModalData(sensors, scenes.classes, masks=masks, dense=True).split(seed=0)
    fit("single", images, profile("tiny", dense=True, epochs=1), tmp_path / "run", progress=False)
    predicted = read_predictions(tmp_path / "run" / "predictions.npz")
    rows = {str(key): row for row, key in enumerate(predicted["rgb_ids"])}
    figure = plot_masks(images.test, tmp_path / "run", 3)
    colours = plots.class_colours(len(scenes.classes))
    shown = figure.axes[9:12]  # rgb, depth, the truth, then by rgb
    for axis, key in zip(shown, images.test.paired_ids[:3], strict=True):
        expected = colours[predicted["rgb_predicted"][rows[str(key)]]]
        np.testing.assert_allclose(axis.images[0].get_array(), expected)


def test_rows_are_called_as_a_reader_would():
    called = {
        "discom adv=0": "discom, without adv",
        "student augment=0": "student, images as they are",
        "discom only=inv": "discom, inv alone",
        "discom adversary=alternating": "discom, alternating adversary",
    }
    assert {name: reporting.readable(name) for name in called} == called
    study = tables.Study("objects", "runs", ["2"], seeds=1, settings={"name": "cpu"})
    for name, runs in study.planned["2"].items():
        assert reporting.title(runs[0]) == reporting.readable(name)


def test_parameters_of_a_batch_win_over_its_profile(tmp_path):
    source = tmp_path / "12.ipynb"
    source.write_text(
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"id": "a", '
        '"cell_type": "code", "metadata": {"tags": ["parameters"]}, "outputs": [], '
        '"execution_count": null, "source": "data = \\"objects\\"  # scenes\\nseeds = 11"}]}'
    )
    assert batch.declared(source) == {"data": '"objects"', "seeds": "11"}
    given = batch.injected(source, "tiny", tmp_path, {"profile": "paper", "seeds": 5})
    assert given == {
        "profile": "paper", "runs": str(tmp_path), "data": "objects:n=330", "seeds": 5,
    }  # fmt: skip
    assert batch.injected(source, "tiny", tmp_path)["seeds"] == 1
    assert "seeds" not in batch.injected(source, "cpu", tmp_path)
    source.write_text(source.read_text().replace("data = ", "other = "))
    assert "data" not in batch.injected(source, "tiny", tmp_path)


def test_seeds_that_are_asked_for_train_in_the_short_form_of_14_too(tmp_path):
    (source,) = BOOK.glob("14_*.ipynb")
    own = batch.declared(source)
    short = batch.injected(source, "tiny", tmp_path)
    assert short["seeds"] == 1
    assert short["methods"] == "crodino,single"
    assert short.keys() <= own.keys()
    given = batch.injected(source, "tiny", tmp_path, {"seeds": 3, "methods": "single"})
    assert (given["seeds"], given["methods"], given["known"]) == (3, "single", "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seeds=5", ("seeds", 5)),
        ("known=", ("known", "")),
        ('settings={"epochs": 60}', ("settings", {"epochs": 60})),
        ("tables=1,2,3", ("tables", "1,2,3")),
        ("data=eurosat", ("data", "eurosat")),
    ],
)
def test_a_parameter_is_yaml(text, value):
    assert batch._parsed(text) == value


def test_what_is_no_parameter_is_refused(tmp_path):
    for text in ("seeds", "=5", "seeds={", "settings={epochs: 6, epochs: 7}"):
        refused(lambda text=text: batch._parsed(text), "--parameter", ConfigError)
    folder = batch.Path(batch.__file__).parent
    asked = {"only": ["12"], "parameters": {"seedz": 5}}
    refused(lambda: batch.run_notebooks(folder, "tiny", tmp_path, **asked), "seedz", ConfigError)


def executed(number, folder, first="", **parameters):
    """The text that a notebook prints, by default in its short form; `first` is code that runs
    before all else."""
    (source,) = BOOK.glob(f"{number}_*.ipynb")
    notebook = nbformat.read(source, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
    nbformat.write(notebook, folder / source.name)
    given = batch.injected(source, "tiny", folder / "runs", parameters)
    copy = batch.execute(folder / source.name, folder / "executed.ipynb", given, BOOK)
    outputs = [output for cell in copy.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


@pytest.mark.slow
def test_three_sensors_and_a_folder_of_ones_own_are_reproduced(tmp_path):
    """Tables 2 to 4; the folder is one of images, <sensor>/<class>/<name>.png."""
    own = tmp_path / "own"
    images = objects.make(90, size=16)
    for name, sensor in images.modalities.items():
        for key, x, label in zip(sensor.ids, sensor.x, sensor.y, strict=True):
            file = own / name / images.classes[label].replace("/", "-") / f"{key}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = (255 * np.clip(x, 0, 1)).astype(np.uint8)
            picture = pixels.transpose(1, 2, 0) if len(x) == 3 else pixels[0]
            Image.fromarray(picture).save(file)
    rows = "student,discom,discom adv=0,discom-solo"
    for data_of, sensors in (("objects:modalities=rgb+depth+thermal,n=330", 3), (str(own), 2)):
        text = executed("12", tmp_path, data=data_of, tables="2,3,4", methods=rows)
        assert "4 runs are there, 0 are left, 0 failed" in text
        scores = re.search(r"seed 0, discom-solo: (.*?)  \(", text)[1]
        assert scores.count(", ") == sensors - 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["eurosat", "sunrgbd", "tristar"])
def test_a_set_of_the_paper_is_prepared_from_its_own_files_and_reproduced(
    name, tmp_path, monkeypatch
):
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path))
    files = importlib.import_module(f"fixtures.{name}").CASE.files
    writing.write(tmp_path / "raw" / name, files)
    there = f"from discom.data import sources\nsources.get({name!r}).files = {{}}"  # none to fetch
    rows = "teacher,student,kdv2,discom-solo,discom"
    text = executed("12", tmp_path, there, data=name, tables="1,2", methods=rows)
    assert "7 runs are there, 0 are left, 0 failed" in text
    assert text.count("scores beside the paper's") == 2


@pytest.mark.slow
def test_a_budget_that_is_over_trains_nothing_and_the_next_call_all(tmp_path):
    given = {"profile": "cpu", "data": "objects:n=330", "settings": {"epochs": 1}, "seeds": 1}
    given |= {"known": "", "methods": "student,discom-solo"}
    for hours, there in ((1e-9, 0), (0, 2)):
        text = executed("12", tmp_path, **given, budget_hours=hours)
        assert f"{there} runs are there, {2 - there} are left" in text


@pytest.mark.slow
def test_a_run_that_kept_no_weights_has_all_but_the_picture(tmp_path):
    images = data.load("objects:n=90", seed=0)
    config = profile("tiny", epochs=1)
    fit("student", images.split(0), config, tmp_path / "run", keep_weights=False, progress=False)
    text = executed("13", tmp_path, data="objects:n=90", run=str(tmp_path / "run"))
    assert "student on objects, seed 0, 1 epochs" in text
    assert "no weights" in text
    assert "key figures" not in text or "sensor_after" not in text


@pytest.mark.slow
def test_a_checkout_that_nobody_may_write_is_enough_from_any_folder(tmp_path):
    """Root may write everywhere, so what lies there is compared, too."""
    checkout, away = tmp_path / "checkout", tmp_path / "away"
    away.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", "runs", "data")
    for name in ("discom", "notebooks", "results"):
        shutil.copytree(BOOK.parent / name, checkout / name, ignore=left_out)
    for place in [*checkout.rglob("*"), checkout]:
        place.chmod(0o555 if place.is_dir() else 0o444)
    before = sorted(checkout.rglob("*"))
    given = ["-p", "data", "objects:n=330", "-p", "profile", "tiny", "-p", "known", ""]
    given += ["-p", "seeds", "1", "-p", "methods", "student", "-p", "runs", str(tmp_path / "runs")]
    (source,) = checkout.glob("notebooks/12_*.ipynb")
    own = {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    own["DISCOM_DATA"] = str(tmp_path / "data")
    command = [sys.executable, "-m", "papermill", str(source), "out.ipynb", *given]
    subprocess.run(command, cwd=away, env=os.environ | own, check=True)
    assert sorted(checkout.rglob("*")) == before
    assert (tmp_path / "runs/report-objects.zip").is_file()
    assert [file.name for file in away.iterdir()] == ["out.ipynb"]
    for place in [checkout, *before]:
        place.chmod(0o755)


def test_notebooks_12_and_14_begin_with_the_same_text():
    """What is mended in one set-up would stay broken in the other."""
    cells = {}
    for number in ("12", "14"):
        (source,) = BOOK.glob(f"py/{number}_*.py")
        code = [c.source for c in jupytext.read(source).cells if c.cell_type == "code"]
        cells[number] = [text for text in code if "git clone" in text or "set_up()" in text]
    assert len(cells["12"]) == 2
    assert cells["12"] == cells["14"]


KILL = """
import os, signal
from discom import files
from discom.running import checkpoint
checkpoint.TIME_SHARE = float("inf")  # one after every epoch
replace, states = os.replace, []
def strike(source, target):
    replace(source, target)
    if str(target).endswith("state.pt") and "discom-solo" in str(target) and RUNS in str(target):
        states.append(target)
        if len(states) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
files.os.replace = strike
"""


@pytest.mark.slow
def test_a_notebook_that_is_killed_goes_on_where_it_was(tmp_path):
    given = {"data": "objects:n=330", "settings": {"epochs": 4}, "tables": "2"}
    given["methods"] = "student,discom-solo,discom"
    runs = tmp_path / "runs"
    with pytest.raises(DeadKernelError):
        executed("12", tmp_path, f"RUNS = {str(runs)!r}\n{KILL}", **given)
    (ended,) = runs.rglob("result.json")
    (stopped,) = runs.rglob("state.pt")
    result, log = ended.read_bytes(), pd.read_csv(stopped.with_name("metrics.csv"))
    assert (ended.parts[-3], stopped.parts[-3], len(log)) == ("student", "discom-solo", 2)
    text = executed("12", tmp_path, **given)
    assert "3 runs are there, 0 are left, 0 failed" in text
    assert re.findall(r"^seed 0, (.*?):", text, re.MULTILINE) == ["discom-solo", "discom"]
    assert ended.read_bytes() == result
    whole = pd.read_csv(stopped.with_name("metrics.csv"))
    assert len(whole) == 4
    pd.testing.assert_frame_equal(whole[:2], log)  # with the seconds that they took
