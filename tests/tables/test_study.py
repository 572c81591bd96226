"""What tables need: which runs, in which order, and what is absent."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.refusal import refused
from fixtures.results import result
from scipy import stats

from discom import data, methods
from discom.data.scenes import objects
from discom.errors import ConfigError, RunError
from discom.running import sweep
from discom.tables import Study, arrows, baselines, cells, paper_table, standings, to_markdown

SCENES = "objects:n=60,size=16"
TINY = {"name": "tiny", "epochs": 1}


@pytest.fixture
def study_of(tmp_path):
    """A function of numbers, kept rows and changed settings: a study of two seeds."""

    def study(numbers=(2,), kept=(), seeds=2, folds=0, source=SCENES, **settings):
        settings = TINY | settings
        return Study(source, tmp_path / "runs", numbers, "", kept, seeds, folds, settings)

    return study


def test_rows_are_kept_by_name_or_as_the_paper_has_them(study_of):
    terms = ["discom", *(f"discom {term}=0" for term in ("adv", "mod", "aux", "orth"))]
    assert [*study_of([3], ["paper"]).planned["3"]] == terms
    alone = study_of([3], ["discom adv=0"]).planned["3"]
    assert [run.config.options["weights"]["adv"] for run in alone["discom adv=0"]] == [0, 0]
    table = study_of([2], ["paper"]).planned["2"]
    assert not {"discom-solo", "student augment=0"} & {*table}
    assert len(table) == 13  # of the paper's Table 2
    assert [*study_of([2], ["discom"]).planned["2"]] == ["discom"]
    assert len(study_of([4], ["discom"]).planned["4"]) == 3  # its parts, too
    assert [*study_of([2, 3], ["kdv2", "discom orth=0"]).planned["3"]] == ["discom orth=0"]
    refused(lambda: study_of([2], ["fixmatch"]).planned, "fixmatch", ConfigError)
    refused(lambda: study_of(["dense"], ["paper"]).planned, "paper", ConfigError)
    refused(lambda: study_of([2, 3], ["student"]).planned, "table 3", ConfigError)


def test_a_table_none_of_whose_rows_fits_the_labels_is_refused_in_one_line(study_of, recwarn):
    refused(
        lambda: study_of(["dense"]).planned, "^table dense: .*a class for every image", ConfigError
    )
    assert not recwarn


def write(folder, **shapes):
    """Sixty samples of two classes with sensors of these shapes."""
    rng, labels = np.random.default_rng(0), np.arange(60) % 2
    sensors = {
        name: data.Modality(rng.random((60, *shape), "f4"), labels, np.arange(60), symmetry="none")
        for name, shape in shapes.items()
    }
    data.MultiModalData(sensors, ("a", "b")).save(folder)
    return str(folder)


def test_rows_whose_networks_cannot_read_the_images_are_left_out(study_of, tmp_path):
    """They were promised: the student trained, and then its teacher could not be stacked."""
    two = write(tmp_path / "two", rgb=(3, 32, 32), thermal=(1, 24, 24))
    study = study_of([2], ["student", "teacher", "kdv2"], seeds=1, source=two)
    with pytest.warns(
        UserWarning, match="left out: (teacher|kdv2): .* cannot be stacked"
    ) as caught:
        assert [run.method for run in study.every] == ["student"]
    assert len(caught) == 2
    before = torch.random.get_rng_state()
    assert [*study_of([1], ["kdv2"], source=two).planned["1"]] == ["kdv2"]  # it reads one alone
    assert torch.equal(before, torch.random.get_rng_state())
    short = write(tmp_path / "short", acc=(3, 1, 20), gyro=(3, 1, 20))
    mixed = write(tmp_path / "mixed", rgb=(3, 32, 32), acc=(3, 1, 64))
    for source, encoder in (
        (short, "spectrum"),
        (mixed, "conv1d"),
        (two, "timm:vit_tiny_patch16_224"),
    ):
        study = study_of([2], ["student"], source=source, encoder=encoder)
        refused(lambda study=study: study.every, f"^table 2: .*encoder: {encoder}", ConfigError)


def test_a_student_without_turned_images_stands_beside_the_papers(study_of):
    """Where all images stay as they are, the two would be one run."""
    rows = study_of([2], ["student", "student augment=0"], augment=0.5).planned["2"]
    turned = {name: [run.config.augment for run in runs] for name, runs in rows.items()}
    assert turned == {"student": [0.5, 0.5], "student augment=0": [0, 0]}
    assert [*study_of([2], ["student", "student augment=0"], augment=0.0).planned["2"]] == [
        "student"
    ]


def test_one_seed_of_every_row_is_before_the_second_and_teachers_before_students(study_of):
    study = study_of([1, 2, 4], ["student", "kdv2", "discom", "discom-solo"])
    order = [(run.config.seed, run.method) for run in study.every]
    assert [seed for seed, _ in order] == sorted(seed for seed, _ in order)
    assert [name for seed, name in order if not seed][:3] == ["student", "discom-solo", "discom"]
    folders = [run.folder for run in study.every]
    assert len(folders) == len({*folders})  # tables 2 and 4 share their runs
    assert "teacher" not in {name for _, name in order}
    absent = study.absent()
    places = {run.folder: place for place, run in enumerate(absent)}
    taught = [run for run in absent if run.teacher]
    assert len(taught) == 4
    assert all(places[run.teacher.folder] < places[run.folder] for run in taught)
    assert {*places} == {*folders} | {run.teacher.folder for run in taught}
    assert [run.config.seed for run in absent] == sorted(run.config.seed for run in absent)


def test_what_is_there_is_not_absent_and_its_teacher_is_not_needed(study_of):
    study = study_of([2], ["student", "kdv2"])
    first = [run for run in study.every if run.config.seed == 0]
    assert sweep.sweep(first, workers=1).failed == {}
    left = [(run.method, run.config.seed) for run in study.absent()]
    assert left == [("student", 1), ("teacher", 1), ("kdv2", 1)]
    results = study.found(2)
    assert {(result.method, result.seed) for result in results} == {("student", 0), ("kdv2", 0)}
    elsewhere = replace(study, runs="elsewhere")
    assert len(elsewhere.absent()) == 6
    known = elsewhere.absent(results)
    assert [(run.method, run.config.seed) for run in known] == left
    older = [replace(result, code="unknown") for result in results]
    assert (elsewhere.of_other_code(results), elsewhere.of_other_code(older)) == (0, 2)
    assert study.of_other_code(older) == 0  # the runs themselves are there


def test_a_set_is_read_once_for_all_tables(study_of, tmp_path, monkeypatch):
    objects.make(60, size=8).changed(drawn=None).save(tmp_path / "set")
    calls, load = [], data.load
    monkeypatch.setattr(data, "load", lambda *given: calls.append(given) or load(*given))
    study = study_of([1, 2, 3], ["student", "discom"], source=str(tmp_path / "set"))
    assert {run.data for run in study.every} == {"objects"}
    assert study.sensors == ["rgb", "depth"]
    assert len(calls) == 1


def test_folds_of_single_samples_are_planned_with_a_warning(study_of, tmp_path):
    objects.make(60, size=8).changed(drawn=None).save(tmp_path / "set")
    with pytest.warns(UserWarning, match="set: folds divide single samples; give groups"):
        runs = study_of([2], ["student"], 1, folds=3, source=str(tmp_path / "set")).every
    assert [run.origin.fold for run in runs] == [0, 1, 2]
    refused(lambda: study_of([2], folds=3).every, "--folds", ConfigError)


def results_of(study, number=2, draws="samples"):
    """A finished result of every run of a table, by hand: F1 of 50 and the number of the seed, two
    points more in "student augment=0" and ten more in DisCoM-KD."""
    made = []
    for row, runs in study.planned[str(number)].items():
        more = {"student augment=0": 2.0, "discom": 10.0}.get(row, 0.0)
        for run in runs:
            read = run.config.options.get("reads") == "all"
            networks = ["+".join(study.sensors)] if read else study.sensors
            scores = dict.fromkeys(networks, 50.0 + run.config.seed + more)
            asked = {name: value for name, value in run.asked.items() if name != "hash"}
            made.append(replace(result(run.method, run.config.seed, scores), **asked))
            changed = methods.get(run.method).changed(run.config.options)
            made[-1] = replace(made[-1], changed=changed, counts={"train": 70, "test": 20})
    return made


ROWS = ["teacher", "student", "student augment=0", "discom", "discom-solo"]


def test_rows_without_a_run_are_named_and_the_others_say_how_many_of_their_seeds_are_there(
    study_of,
):
    study = study_of([2], ROWS, seeds=3, augment=0.5)
    kept = [each for each in results_of(study) if each.method != "teacher"]
    late = {("discom", 2), *(("discom-solo", seed) for seed in range(3))}
    known = [each for each in kept if (each.display_name, each.seed) not in late]
    table = standings(study, 2, known)
    assert table[["method", "modality"]].to_records(index=False).tolist() == [
        (row, network)
        for row in study.planned["2"]
        for network in (["rgb+depth"] if row == "teacher" else ["rgb", "depth"])
    ]
    assert (table["wanted"] == 3).all()
    counts = table.groupby("method")["n"].first().to_dict()
    assert counts == {
        "teacher": 0, "student": 3, "student augment=0": 3, "discom-solo": 0, "discom": 2,
    }  # fmt: skip
    rows = table[table["modality"] == "rgb"].set_index("method")
    assert rows.loc["student augment=0", "vs student"] == pytest.approx(2)
    assert rows.loc["discom", "vs student"] == pytest.approx(10)
    assert rows.loc["discom-solo", ["f1", "vs student"]].isna().all()
    text = cells(table, ["student", "discom-solo"]).set_index(["method", "modality"])
    assert text.loc[("discom-solo", "rgb"), ["n", "F1"]].tolist() == ["0 of 3", "missing"]
    assert text.loc[("discom", "rgb"), "n"] == "2 of 3"
    assert text.loc[("student", "rgb"), "n"] == "3"
    whole = standings(study, 2, kept)
    beside = dict(zip(whole["method"], arrows(whole, "discom-solo"), strict=True))
    assert {row: beside[row] for row in ("discom", "student", "teacher")} == {
        "discom": "↑", "student": "~", "teacher": "",
    }  # fmt: skip
    rows = whole[whole["modality"] == "depth"].set_index("method")
    assert rows.loc["discom", "vs discom-solo"] == pytest.approx(10)


def test_table_4_reads_the_parts_that_the_runs_of_discom_recorded(study_of):
    """The same runs in three rows; one from before parts were recorded lacks them."""
    study = study_of([4], seeds=3)
    rows = ["discom", "discom only=inv", "discom only=inf"]
    assert [*study.planned["4"]] == rows
    assert len(study.every) == 3
    results = results_of(study, 4)[:3]
    for each in results[:2]:
        for network, own in each.scores.items():
            lower = 5.0 if network == "rgb" else 1.0
            own |= {"f1/inv": own["f1"] - lower, "f1/inf": own["f1"] - 2.0}
    table = standings(study, 4, results).set_index(["method", "modality"])
    assert table["n"].groupby("method", sort=False).first().to_dict() == dict.fromkeys(rows, 2)
    assert table.loc[("discom only=inv", "rgb"), "vs discom"] == pytest.approx(-5)
    assert table.loc[("discom only=inv", "depth"), "vs discom"] == pytest.approx(-1)
    assert table.loc[("discom only=inf", "rgb"), "f1"] == pytest.approx(60.5 - 2)
    assert [run.config.seed for run in study.absent(results)] == [2]  # is trained again
    refused(lambda: study_of([4], folds=3).planned, "--folds", ConfigError)


def test_a_table_without_any_run_names_all_its_rows(study_of):
    for number, metric in ((1, "f1"), (4, "f1"), ("dense", "miou")):
        source = "scenes-dense:n=20,size=16" if number == "dense" else SCENES
        study = study_of([number], source=source)
        table = standings(study, number)
        assert set(table["method"]) == {*study.planned[str(number)]}
        assert table[metric].isna().all()
        assert (table["n"] == 0).all()
        assert to_markdown(table, baselines(number)).count("missing") == len(table)
    students = standings(study_of([1], ["student", "kdv2"]), 1)
    assert [*students["modality"]] == ["depth"] * 2  # the teacher reads the other one


def test_runs_of_two_precisions_are_no_row_together(study_of):
    """One seed in another precision, and all."""
    study = study_of([2], ["student", "discom-solo"], seeds=3)
    results = results_of(study)
    config = results[0].config | {"precision": "bf16-mixed"}
    with pytest.raises(RunError, match="settings"):
        paper_table([replace(results[0], config=config), *results[1:]], 2, study.sensors)


def test_the_papers_own_sets_get_an_interval_and_its_figures_beside_missing_rows(
    study_of, tmp_path
):
    """A set of files that each seed divides anew, by the paper's name."""
    images = objects.make(90, size=8).changed(drawn=None)
    names = dict(zip(("ms", "sar"), images.modalities.values(), strict=True))
    images.changed(modalities=names, name="eurosat").save(tmp_path / "eurosat")
    source = str(tmp_path / "eurosat")
    study = study_of([2], ["student", "discom", "teacher"], seeds=3, source=source)
    results = results_of(study)
    spread = [each for each in results if each.method != "teacher"]
    for each in spread:
        if each.display_name == "discom":
            each.scores["ms"]["f1"] += each.seed
    table = standings(study, 2, spread).set_index(["method", "modality"])
    assert set(table["draws"].dropna()) == {"split"}
    row = table.loc[("discom", "ms")]
    half = stats.t.ppf(0.975, 2) * 1.0 * np.sqrt(1 / 3 + 20 / 70)
    assert (row["vs student"], row["vs student low"]) == pytest.approx((11, 11 - half))
    assert row["arrow"] == "↑"
    assert table["paper"].to_dict()[("teacher", "ms+sar")] == 95.36
    assert table.loc[("discom", "sar"), "paper"] == 80.03
