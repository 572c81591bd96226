"""A run on disk: its identity covers what changes the numbers and nothing else; broken results."""

import dataclasses
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.refusal import refused
from fixtures.results import result

from discom import data, methods, profile
from discom.config import Config
from discom.errors import DiscomError, RunError
from discom.running.runs import Result, Run, identity
from discom.tables import load_results

# every field at a value that is not the one of BASE
BASE = profile("tiny", width=16)
OTHER = {
    **{"seed": 1, "epochs": 3, "batch_size": 16, "learning_rate": 1e-3, "schedule": "constant"},
    **{"width": 32, "encoder": "timm:resnet10t", "augment": 0.25, "precision": "bf16-mixed"},
    **{"channels_last": True, "weight_decay": 0.01, "network": "unet:resnet18"},
    **{"options": {"grl_lambda": 0.5}},
    **{"labelled": 0.5, "dense": True, "pretrained": "imagenet", "encoder_rate": 0.5},
    **{"class_weights": "balanced", "select": "last", "labelled_groups": 1, "dice": 1.0},
    **{"optimizer": "sgd"},
}


@pytest.fixture(scope="module")
def whole():
    return data.load("objects:n=66,size=16")


def run(whole, config=BASE, method="discom", runs="runs"):
    return Run.of(runs, methods.get(method), whole, config)


def options(**given):
    return replace(BASE, options=given)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Config)])
def test_every_setting_changes_the_hash(whole, name, monkeypatch):
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: True)
    # some settings have an effect beside another alone, see `Config.unused`
    dense, pretrained = name in ("network", "dice"), "imagenet" * (name == "encoder_rate")
    base = replace(BASE, dense=dense, pretrained=pretrained)
    changed = replace(base, **{name: OTHER[name]})
    other = run(whole, changed)
    assert other.hash != run(whole, base).hash
    assert re.fullmatch("[0-9a-f]{10}", other.hash)
    if name != "options":  # a teacher's settings change its students' hash
        theirs = run(whole, changed, "kdv2").teacher.hash
        assert theirs != run(whole, base, "kdv2").teacher.hash


def test_identity_names_what_was_asked_for_and_tells_splits_apart(whole):
    def of(split, config=BASE):
        return identity(methods.Student, split.train.name, split.origin, config)

    split = whole.split(seed=0)
    content = of(split, options(weights={"cl": 0.5}))
    assert content["config"]["options"] == methods.Student.options({"weights": {"cl": 0.5}})
    assert json.loads(json.dumps(content)) == content
    assert content["hash"] == run(whole, options(weights={"cl": 0.5}), "student").hash
    fewer = split.train.take(np.arange(20))
    darker = {name: replace(m, x=m.x / 2) for name, m in split.test.modalities.items()}
    others = [
        whole.split(seed=1),
        data.load("objects:n=66,size=16,seed=1").split(seed=0),
        whole.select(["rgb"]).split(seed=0),
        whole.select(["depth", "rgb"]).split(seed=0),  # heads are numbered in this order
        split._replace(test=split.valid, valid=split.test),
        split._replace(train=fewer),
        split._replace(test=split.test.with_modalities(darker)),
        split._replace(train=split.train.keep_labels(0.5)),
    ]
    assert of(whole.split(seed=0)) == of(split)
    teachers = [
        identity(methods.Teacher, "", split.origin, replace(BASE, epochs=n)) for n in (1, 2)
    ]
    students = [identity(methods.KDv2, "", split.origin, BASE, theirs) for theirs in teachers]
    assert students[0]["hash"] != students[1]["hash"]
    assert len({of(other)["hash"] for other in [split, *others]}) == 1 + len(others)


@pytest.mark.parametrize("reads", ["all", "rgb"])
def test_students_of_the_same_settings_share_one_teacher(whole, reads):
    names = ("kdv1", "kdv2", "dkd", "ctkd", "mlkd", "dkd+lskd")
    students = [run(whole, options(teacher=reads), name) for name in names]
    teacher = run(whole, options(reads=reads), "teacher")
    assert {student.teacher.folder for student in students} == {teacher.folder}
    assert len({student.folder for student in students}) == len(names)


def test_a_teacher_trains_on_the_fold_of_its_student(whole):
    """Of another fold it would have seen what the student is tested on."""
    mine, config = whole.changed(drawn=None), replace(BASE, seed=2)
    student = Run.of("runs", methods.get("kdv2"), mine, config, folds=4, fold=3)
    assert student.teacher.parts == student.parts == (2, 4, 3)
    assert student.teacher.origin == student.origin


FIELDS = result("teacher").to_json()
DAMAGED = [
    json.dumps({k: v for k, v in FIELDS.items() if k != "digest"}),
    json.dumps({**FIELDS, "colour": "red"}),
    json.dumps({**FIELDS, "config": {**FIELDS["config"], "options": {"reads": 3}}}),
    json.dumps(FIELDS)[:-20],
    *("[]", "3", "", "\xff\xfe"),
]


@pytest.mark.parametrize("weight", [0.0, 0.2])
def test_a_result_with_a_term_that_its_method_no_longer_has_is_read(weight):
    fields = result("discom").to_json()
    options = methods.get("discom").options()
    fields["config"]["options"] = options | {"weights": {**options["weights"], "gone": weight}}
    fields["changed"] = {"weights": {"gone": weight}} if weight else {}
    found = Result.from_json(fields, "result.json")
    assert found.display_name == ("discom gone=0.2" if weight else "discom")
    assert ("gone" in found.config["options"]["weights"]) == bool(weight)


def test_a_result_of_before_a_setting_is_the_run_with_its_default():
    """`optimizer` came after the committed results, which no sweep may train again."""
    fields = result("discom").to_json()
    del fields["config"]["optimizer"]
    stored = Result.from_json(fields, "result.json")
    assert stored.hash == result("discom").hash
    assert stored.hash != result("discom", optimizer="sgd").hash


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_result_is_named_with_the_way_out(tmp_path, content):
    file = tmp_path / "result.json"
    file.write_text(content, encoding="latin-1")
    refused(lambda: Result.read(file), f"^{file}: ", DiscomError)


def test_committed_results_are_taken_for_the_runs_that_were_asked_for():
    """So that a sweep trains none of them again."""
    results = load_results(Path(__file__).parents[1] / "results/labels.csv")
    images_of = data.planned("objects")
    for each in results:
        config = Config(**{**each.config, "options": each.changed})
        planned = Run.of("runs", methods.get(each.method), images_of(each.seed), config)
        assert planned.hash == each.hash


def test_a_dense_run_has_no_f1_and_says_what_it_has():
    """It was a KeyError."""
    run = result("single", metric="miou")
    refused(lambda: run.f1, r"^f1: .*; take \.main", RunError)
    assert run.main == {"rgb": 80.0, "depth": 60.0}
