"""A run on disk: its identity covers what changes the numbers and nothing else; broken results; the
lock."""

import dataclasses
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from discom import data, methods, profile
from discom.config import Config
from discom.data import Modality
from discom.errors import BusyError, ConfigError, DiscomError, RunError
from discom.files import digest
from discom.methods import base
from discom.runs import Result, Run, claim, identity, locked, read_metrics, weights_file

# every field at a value that is not the one of BASE
BASE = profile("tiny", width=16)
OTHER = {
    "seed": 1,
    "epochs": 3,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "width": 32,
    "stem": "imagenet",
    "augment": 0.25,
    "precision": "bf16-mixed",
    "channels_last": True,
    "weight_decay": 0.01,
    "network": "unet:resnet18",
    "options": {"grl_lambda": 0.5},
    "accelerator": "cpu",
    "devices": 2,
}


@pytest.fixture(scope="module")
def held():
    return data.load("scenes:n=66,size=16")


def run(held, config=BASE, method="discom", runs="runs", teacher=None):
    return Run.of(runs, methods.get(method), held, config, teacher)


def options(**given):
    return replace(BASE, options=given)


# ---------------------------------------------------------------- identity


def test_the_hash_is_ten_digits_and_the_same_again(held):
    again = data.load("scenes:n=66,size=16")
    assert re.fullmatch("[0-9a-f]{10}", run(held).hash)
    assert run(again).hash == run(held).hash


def test_another_value_is_given_for_every_field():
    assert set(OTHER) == {f.name for f in dataclasses.fields(Config)}
    assert all(getattr(BASE, name) != value for name, value in OTHER.items())


@pytest.mark.parametrize("name", [name for name in OTHER if name not in ("accelerator", "devices")])
def test_every_setting_changes_the_hash(held, name):
    assert run(held, replace(BASE, **{name: OTHER[name]})).hash != run(held).hash


def test_every_method_has_its_own_hash(held):
    hashes = {run(held, method=name).hash for name in methods.names()}
    assert len(hashes) == len(methods.names()) > 1


# another value than the default for every option of every method
OTHER_OPTIONS = {
    "reads": "rgb",
    "teacher": "rgb",
    "temperature": 3.0,
    "warmup": 0.1,
    "first_epoch": 0,
    "loops": 0.2,
    "combination": "all-terms",
    "grl_lambda": 0.5,
    "grl_warmup": 0.2,
    "dimension": 12,
    "pairing": "paired",
    "adversary": "confusion",
    "reduction": "released",
    "modality_targets": "released",
    "tokens": 4,
    "augmentation": "coupled",
    "contrast_temperature": 0.2,
    "soft_temperature": 3.0,
}
EVERY_OPTION = [
    *((name, {key: OTHER_OPTIONS[key]}) for name in methods.names() for key in methods.get(name).options({})
      if key != "weights"),
    *((name, {"weights": {term: 0.25}}) for name in methods.names() for term in methods.get(name).terms),
]  # fmt: skip


@pytest.mark.parametrize(("method", "given"), EVERY_OPTION, ids=str)
def test_every_option_changes_the_hash(held, method, given):
    other, plain = run(held, options(**given), method), run(held, method=method)
    assert other.hash != plain.hash
    assert other.folder.parent == plain.folder.parent


@pytest.mark.parametrize("extra", ["an option", "a term"])
@pytest.mark.parametrize("given", [{}, {"grl_lambda": 0.5, "weights": {"adv": 0}}], ids=str)
def test_a_new_option_at_its_default_leaves_old_runs_alone(held, monkeypatch, extra, given):
    """A later version's method, with an option or a term more: its runs are found where they
    were."""
    old = run(held, options(**given))
    monkeypatch.setattr(base, "_REGISTRY", dict(base._REGISTRY))
    original = methods.get("discom")
    if extra == "a term":

        @methods.register("discom")
        class Later(original):
            terms = {**original.terms, "novel": 0.0}

        changed = {"weights": {**given.get("weights", {}), "novel": 0.5}}
    else:

        @methods.register("discom")
        class Later(original):
            @classmethod
            def options(cls, given):
                novel = given.get("novel", 7)
                return {
                    **super().options({k: v for k, v in given.items() if k != "novel"}),
                    "novel": novel,
                }

        changed = {"novel": 8}
    new = run(held, options(**given))
    assert new.hash == old.hash
    assert ("novel" in new.config.options) or ("novel" in new.config.options["weights"])
    assert run(held, options(**{**given, **changed})).hash != old.hash


def test_what_is_written_down_is_what_is_not_the_default(held):
    found = identity(
        methods.get("discom"),
        held.split(),
        options(grl_lambda=1, pairing="paired", weights={"irr": 0}),
    )
    assert found["options"] == {"pairing": "paired"}


@pytest.mark.parametrize(
    "method", [name for name in methods.names() if methods.get(name).published]
)
def test_published_options_are_another_run_of_the_same_method(held, method):
    assert (
        run(held, options(**methods.get(method).published), method).hash
        != run(held, method=method).hash
    )


@pytest.mark.parametrize("method", methods.names())
def test_every_default_written_out_is_no_other_run(held, method):
    given = methods.get(method).options({})
    assert run(held, options(**given), method).hash == run(held, method=method).hash


def test_the_hash_does_not_know_where_or_on_what_the_run_is(held):
    first = run(held)
    assert run(held, runs="elsewhere").hash == first.hash
    assert run(held, replace(BASE, accelerator="cpu")).hash == first.hash
    assert run(held, replace(BASE, accelerator="cuda")).hash == first.hash


@pytest.mark.parametrize(
    "given",
    [
        {"grl_lambda": 1.0},
        {"reduction": "paper"},
        {"modality_targets": "paper"},
        {"weights": {}},
        {"grl_lambda": 1.0, "reduction": "paper"},
    ],
)
def test_a_default_written_out_is_no_other_run(held, given):
    assert run(held, options(**given)).hash == run(held).hash


def test_the_order_of_options_is_no_other_run(held):
    there, back = (
        {"grl_lambda": 0.5, "reduction": "released"},
        {"reduction": "released", "grl_lambda": 0.5},
    )
    assert run(held, options(**there)).hash == run(held, options(**back)).hash


def test_a_whole_number_is_the_same_number(held):
    assert run(held, options(grl_lambda=1)).hash == run(held, options(grl_lambda=1.0)).hash


def test_a_whole_number_in_a_setting_is_the_same_number(held):
    assert run(held, replace(BASE, augment=1)).hash == run(held, replace(BASE, augment=1.0)).hash


def test_a_default_weight_written_out_is_no_other_run(held):
    assert run(held, options(weights={"adv": 1.0})).hash == run(held).hash


def _change(held, name, **changes):
    modality = held.modalities[name]
    return replace(held, modalities={**held.modalities, name: replace(modality, **changes)})


def _pixel(held):
    x = held.modalities["depth"].x.copy()
    x[-1, 0, -1, -1] += 1 / 65535  # the last digit that the sensor has
    return _change(held, "depth", x=x)


def _label(held):
    y = (held.labels + np.eye(len(held), dtype=int)[0]) % len(held.classes)
    return replace(held, modalities={name: replace(m, y=y) for name, m in held.modalities.items()})


def _ids(held):
    return _change(held, "depth", ids=np.array([f"other-{i}" for i in held.ids]))


CHANGES = {
    "a pixel": _pixel,
    "a label": _label,
    "the pairs": lambda held: replace(
        held,
        factors={},
        masks=None,
        modalities={
            "rgb": held.modalities["rgb"],
            "depth": Modality(
                held.modalities["depth"].x,
                held.modalities["depth"].y,
                np.array([f"o{i}" for i in range(len(held))]),
            ),
        },
    ),
    "a sample less": lambda held: held.take(np.arange(len(held) - 1)),
    "the name of a class": lambda held: replace(held, classes=("other", *held.classes[1:])),
    "the order of the modalities": lambda held: held.select(["depth", "rgb"]),
    "one modality": lambda held: held.select(["rgb"]),
    "groups": lambda held: replace(held, groups=np.arange(len(held)) // 2),
    "a split of its own": lambda held: replace(
        held, parts={"train": np.arange(30), "valid": np.arange(30, 36), "test": np.arange(36, 66)}
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_other_data_is_another_run(held, what):
    assert run(CHANGES[what](held), method="student").hash != run(held, method="student").hash


def test_what_no_network_sees_is_no_other_run(held):
    bare = replace(held, factors={}, masks=None)
    assert run(bare).hash == run(held).hash


def test_the_folder_is_runs_data_method_seed_hash(held, tmp_path):
    found = run(held, replace(BASE, seed=7), runs=tmp_path)
    assert found.folder == tmp_path / "scenes" / "discom" / f"7-{found.hash}"
    assert not found.folder.exists()
    assert run(held.select(["depth", "rgb"]), runs=tmp_path).folder.parts[-3] == "scenes-depth-rgb"


def test_the_options_of_a_run_are_written_in_full(held):
    assert run(held, options(reduction="released")).config.options == {
        "grl_lambda": 1.0,
        "grl_warmup": 0,
        "dimension": 0,
        "pairing": "unpaired",
        "adversary": "reversal",
        "reduction": "released",
        "modality_targets": "paper",
        "weights": {
            "cl": 1.0,
            "adv": 1.0,
            "mod": 1.0,
            "aux": 1.0,
            "orth": 1.0,
            "irr": 0.0,
            "xcov": 0.0,
            "hsic": 0.0,
        },
    }


def test_an_option_that_the_method_lacks_has_no_run(held):
    with pytest.raises(DiscomError, match="student has no 'grl_lambda'"):
        run(held, options(grl_lambda=0.5), method="student")


# ---------------------------------------------------------------- results

RESULT = Result(
    method="student",
    data="scenes",
    seed=0,
    hash="0123456789",
    scores={"rgb": {"f1": 80.0, "accuracy": 81.0}, "depth": {"f1": 60.0, "accuracy": 61.0}},
    parameters={"rgb": 7, "depth": 7},
    seconds=1.5,
    pairs_per_second=2.5,
    peak_memory_mb=3.5,
    config={"seed": 0, "options": {}},
    machine={"device": "cpu"},
    counts={"train": 4, "valid": 1, "test": 4},
    classes=3,
    teacher="9876543210",
)
FIELDS = RESULT.to_json()


@pytest.mark.parametrize("result", [RESULT, replace(RESULT, teacher=None)])
def test_a_result_comes_back_as_it_was_written(tmp_path, result):
    file = tmp_path / "result.json"
    file.write_text(json.dumps(result.to_json()))
    assert Result.read(file) == result
    assert Result.read(str(file)).f1 == {"rgb": 80.0, "depth": 60.0}
    assert Result.from_json(json.loads(file.read_text()), file) == result


def test_the_checksum_is_that_of_the_other_fields():
    fields = dataclasses.asdict(RESULT)
    assert set(FIELDS) == {*fields, "checksum"}
    assert FIELDS["checksum"] == digest(fields)
    assert replace(RESULT, seconds=2.5).to_json()["checksum"] != FIELDS["checksum"]


def test_the_order_and_the_spaces_of_a_file_are_not_its_content(tmp_path):
    file = tmp_path / "result.json"
    file.write_text(json.dumps(dict(reversed(FIELDS.items())), indent=7))
    assert Result.read(file) == RESULT


def test_tuples_and_whole_numbers_have_the_checksum_of_what_is_read_back():
    """What Python holds and JSON does not must not make a result that refuses itself."""
    odd = replace(RESULT, config={"fractions": (0.5, 0.5), "epochs": 3, 4: "a key"}, seconds=2)
    again = Result.from_json(json.loads(json.dumps(odd.to_json())), "result.json")
    assert (again.config["fractions"], again.seconds) == ([0.5, 0.5], 2)


def signed(**changes):
    """A content whose checksum fits, however odd it is."""
    fields = {key: value for key, value in FIELDS.items() if key != "checksum"} | changes
    fields = {key: value for key, value in fields.items() if value != "gone"}
    return json.dumps({**fields, "checksum": digest(fields)})


EDITED = {
    "a score": {**FIELDS, "scores": {**FIELDS["scores"], "rgb": {"f1": 99.0, "accuracy": 81.0}}},
    "the seed": {**FIELDS, "seed": 1},
    "the teacher": {**FIELDS, "teacher": None},
    "a setting": {**FIELDS, "config": {"seed": 0, "options": {"temperature": 1.0}}},
    "a field less": {key: value for key, value in FIELDS.items() if key != "counts"},
    "a field more": {**FIELDS, "colour": "red"},
    "the checksum": {**FIELDS, "checksum": FIELDS["checksum"][::-1]},
    "a checksum of another type": {**FIELDS, "checksum": 7},
}
FOREIGN = {
    "no checksum": json.dumps({key: value for key, value in FIELDS.items() if key != "checksum"}),
    "a field less": signed(seed="gone"),
    "a field more": signed(colour="red"),
    "a list": json.dumps([FIELDS]),
    "an empty list": "[]",
    "a number": "3",
    "a word": '"done"',
    "nothing": "null",
    "an empty mapping": "{}",
}
CUT = {"empty": b"", "truncated": json.dumps(FIELDS)[:-20].encode(), "no text": b"\xff\xfe\x00"}


def read_error(file) -> str:
    with pytest.raises(RunError) as caught:
        Result.read(file)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("; run the command again with --recompute")
    return str(caught.value)


@pytest.mark.parametrize("what", EDITED)
def test_an_edited_result_is_refused(tmp_path, what):
    file = tmp_path / "result.json"
    file.write_text(json.dumps(EDITED[what]))
    assert read_error(file).startswith(
        f"{file}: was changed after it was measured (its checksum differs)"
    )


@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_of_another_form_is_refused(tmp_path, what):
    file = tmp_path / "result.json"
    file.write_text(FOREIGN[what])
    assert read_error(file).startswith(f"{file}: not a result of ours (")


@pytest.mark.parametrize("what", CUT)
def test_a_result_that_was_cut_short_is_refused(tmp_path, what):
    file = tmp_path / "result.json"
    file.write_bytes(CUT[what])
    assert read_error(file).startswith(f"{file}: is cut short or damaged")


def test_a_missing_result_says_to_train_first(tmp_path):
    with pytest.raises(
        RunError, match=r"nowhere/result\.json: no such result; train the run first"
    ):
        Result.read(tmp_path / "nowhere/result.json")


# ---------------------------------------------------------------- claim


def test_claim_makes_the_folder_and_says_what_was_asked_for(tmp_path):
    identity = {"method": "student", "epochs": 2, "options": {"weights": {}}}
    folder = claim(tmp_path / "deep/down/0-abc", identity)
    assert folder == tmp_path / "deep/down/0-abc"
    assert json.loads((folder / "config.json").read_text()) == identity


def test_claim_takes_what_it_has_made(tmp_path):
    identity = {"method": "student", "fractions": (0.5, 0.5)}  # a tuple comes back as a list
    first = claim(tmp_path / "run", identity)
    before = (first / "config.json").stat().st_mtime_ns
    assert claim(tmp_path / "run", identity) == first
    assert (first / "config.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"epochs": 3}, "epochs=2, not 3"),
        ({"method": "discom"}, "method='student', not 'discom'"),
        ({"options": {"grl_lambda": 1}}, r"options=\{\}, not \{'grl_lambda': 1\}"),
        ({"colour": "red"}, "colour=None, not 'red'"),
    ],
)
def test_claim_refuses_another_identity_and_names_the_field(tmp_path, change, named):
    identity = {"method": "student", "epochs": 2, "options": {}}
    claim(tmp_path / "run", identity)
    before = (tmp_path / "run/config.json").read_bytes()
    with pytest.raises(RunError, match=f"run: holds a run with {named}; use another folder"):
        claim(tmp_path / "run", {**identity, **change})
    assert (tmp_path / "run/config.json").read_bytes() == before


@pytest.mark.parametrize("text", ["", '{"method": "stu'])
def test_claim_names_a_config_that_was_cut_short(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(DiscomError, match=r"config\.json: not valid JSON"):
        claim(tmp_path, {"method": "student"})


def test_claim_names_a_config_that_is_no_dictionary(tmp_path):
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(DiscomError, match=r"config\.json"):
        claim(tmp_path, {"method": "student"})


# ---------------------------------------------------------------- teachers

TAUGHT = [name for name in methods.names() if methods.get(name).taught]


def write_teacher(folder, hash="0123456789"):
    """The folder of a finished teacher, as far as a student's identity goes."""
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(
        json.dumps(replace(RESULT, method="teacher", hash=hash).to_json())
    )
    return folder


def teacher_of(method):
    """The name of the method that teaches it."""
    return "dense-teacher" if methods.get(method).dense else "teacher"


@pytest.mark.parametrize("teacher", ["teacher", "dense-teacher"])
def test_students_of_the_same_settings_share_one_teacher(held, tmp_path, teacher):
    names = [name for name in TAUGHT if teacher_of(name) == teacher]
    students = [run(held, method=name, runs=tmp_path) for name in names]
    folders = {student.teacher_folder for student in students}
    assert folders == {run(held, method=teacher, runs=tmp_path).folder}
    assert len({student.folder for student in students}) == len(names) > 4


def test_nor_do_a_students_own_options_make_another_teacher(held, tmp_path):
    folders = {run(held, method="teacher", runs=tmp_path).folder}
    published = run(held, options(**methods.get("mlkd").published), "mlkd", tmp_path)
    assert {published.teacher_folder} == folders


@pytest.mark.parametrize("reads", ["all", "rgb", "depth"])
@pytest.mark.parametrize("method", TAUGHT)
def test_the_teacher_reads_what_the_option_says(held, method, reads):
    student = run(held, options(teacher=reads), method)
    assert student.teacher == run(held, options(reads=reads), teacher_of(method))
    assert student.teacher_hash == student.teacher.hash
    assert student.teacher_folder == student.teacher.folder
    assert student.teacher_folder.parts[-2] == teacher_of(method)


@pytest.mark.parametrize(
    "name", [name for name in OTHER if name not in ("accelerator", "devices", "options")]
)
def test_another_setting_is_another_teacher(held, name):
    other = run(held, replace(BASE, **{name: OTHER[name]}), "kdv2")
    assert other.teacher_folder != run(held, method="kdv2").teacher_folder
    assert other.teacher.config.seed == other.config.seed


def test_another_accelerator_is_the_same_teacher(held):
    assert (
        run(held, replace(BASE, accelerator="cpu"), "kdv2").teacher_hash
        == run(held, method="kdv2").teacher_hash
    )


@pytest.mark.parametrize("method", [name for name in methods.names() if name not in TAUGHT])
def test_the_others_depend_on_no_teacher(held, method):
    found = run(held, method=method)
    assert (found.teacher, found.teacher_hash, found.teacher_folder) == (None, None, None)


@pytest.mark.parametrize("method", TAUGHT)
def test_the_teachers_hash_is_part_of_the_students(held, tmp_path, method):
    one, two = write_teacher(tmp_path / "one", "1" * 10), write_teacher(tmp_path / "two", "2" * 10)
    first, second = (run(held, method=method, teacher=folder) for folder in (one, two))
    assert (first.teacher_hash, second.teacher_hash) == ("1" * 10, "2" * 10)
    assert (first.teacher_folder, second.teacher_folder) == (one, two)
    assert len({first.hash, second.hash, run(held, method=method).hash}) == 3


def test_the_default_teacher_given_by_its_folder_is_no_other_run(held, tmp_path):
    by_default = run(held, method="kdv2", runs=tmp_path)
    folder = write_teacher(by_default.teacher_folder, by_default.teacher_hash)
    given = run(held, method="kdv2", runs=tmp_path, teacher=folder)
    assert (given.hash, given.folder) == (by_default.hash, by_default.folder)
    moved = write_teacher(tmp_path / "elsewhere", by_default.teacher_hash)
    assert run(held, method="kdv2", runs=tmp_path, teacher=moved).hash == by_default.hash


def test_a_teacher_without_result_has_no_hash(held, tmp_path):
    with pytest.raises(
        RunError, match=r"nowhere/result\.json: no such result; train the run first"
    ):
        _ = run(held, method="kdv2", teacher=tmp_path / "nowhere").hash


def test_a_teacher_that_cannot_be_has_no_run(held):
    with pytest.raises(ConfigError, match="teacher=3 is no str"):
        run(held, options(teacher=3), "kdv2")


def test_identity_is_what_makes_a_run_this_one(held, tmp_path):
    split = held.split(seed=0)
    found = identity(methods.Student, split, BASE)
    assert {"method", "data", "split", *BASE.identity()} == set(found)
    assert (found["method"], found["data"], found["options"]) == (
        "student",
        "scenes",
        {},
    )  # all at their defaults
    other = identity(methods.Student, split, options(weights={"cl": 0.5}))
    assert {key for key in found if found[key] != other[key]} == {"options"}
    assert other["options"] == {"weights": {"cl": 0.5}}
    assert "accelerator" not in found
    assert json.loads(json.dumps(found)) == found
    taught = identity(methods.KDv2, split, BASE, write_teacher(tmp_path / "teacher"))
    assert taught["teacher"] == "0123456789"


def test_identity_tells_splits_apart(held):
    def of(split):
        return identity(methods.Student, split, BASE)["split"]

    first = held.split(seed=0)
    assert of(held.split(seed=0)) == of(first)
    assert of(held.split(seed=1)) != of(first)
    assert of(held.select(["rgb"]).split(seed=0)) != of(first)
    assert of(first._replace(test=first.valid, valid=first.test)) != of(first)


def test_identity_tells_the_order_of_the_modalities_apart():
    """Heads are numbered, and bands stacked, in the order of the modalities."""
    there, back = (
        data.load(f"scenes:n=66,size=16,modalities={names}") for names in ("rgb+depth", "depth+rgb")
    )
    assert there.name == back.name
    assert identity(methods.Student, there.split(), BASE) != identity(
        methods.Student, back.split(), BASE
    )


def test_weights_have_a_file_for_each_network():
    assert weights_file("run", "rgb+depth") == Path("run/weights/rgb+depth.safetensors")


# ---------------------------------------------------------------- the lock


def test_a_run_is_held_by_one_process_at_a_time(tmp_path, is_free):
    folder = tmp_path / "deep/down/0-abc"
    with locked(folder):
        assert folder.is_dir()
        assert not is_free(folder)
        with pytest.raises(BusyError) as caught, locked(folder):
            pass
        assert (
            str(caught.value)
            == f"{folder}: another process trains this run; wait for it, or stop it"
        )
        with locked(tmp_path / "deep/down/1-abc"):  # another run is another lock
            pass
        assert not is_free(folder)
    assert is_free(folder)
    assert isinstance(caught.value, RunError)


def test_a_lock_that_somebody_else_holds_stays_theirs(tmp_path, is_free):
    with FileLock(tmp_path / ".lock"):
        with pytest.raises(BusyError), locked(tmp_path):
            pass
        assert not is_free(tmp_path)
    with locked(tmp_path):
        pass


def test_an_error_lets_go_of_the_lock(tmp_path, is_free):
    with pytest.raises(KeyError, match="x"), locked(tmp_path):
        raise KeyError("x")
    assert is_free(tmp_path)


HOLDER = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_killed_process_lets_go_of_the_lock(tmp_path, is_free):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / ".lock")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        assert not is_free(tmp_path)
        with pytest.raises(BusyError), locked(tmp_path):
            pass
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("place", ["runs", "runs/scenes", "runs/scenes/student/0-abc"])
def test_a_file_in_the_place_of_a_folder(tmp_path, place):
    folder, file = tmp_path / "runs/scenes/student/0-abc", tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("something else")
    with pytest.raises(RunError) as caught, locked(folder):
        pass
    assert re.fullmatch(
        rf"{folder}: cannot be written \(.+\); choose another folder for runs", str(caught.value)
    )
    assert file.read_text() == "something else"


def test_a_folder_in_the_place_of_the_lock(tmp_path):
    (tmp_path / ".lock").mkdir()
    with (
        pytest.raises(RunError, match=r"cannot be written \(.+\); choose another folder for runs"),
        locked(tmp_path),
    ):
        pass


def test_metrics_are_read_as_they_were_written(tmp_path):
    scores = 100 * np.random.default_rng(0).random(1000)
    rows = "".join(f"{epoch},{score!r}\n" for epoch, score in enumerate(scores.tolist()))
    (tmp_path / "metrics.csv").write_text("epoch,valid_f1/rgb\n" + rows + "1000,\n")
    table = read_metrics(tmp_path / "metrics.csv")
    assert table["epoch"].tolist() == list(range(1001))
    assert np.array_equal(table["valid_f1/rgb"], [*scores, np.nan], equal_nan=True)
