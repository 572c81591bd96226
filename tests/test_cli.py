"""The command line: what words ask for, help, exit statuses and one-line errors, and what the
commands leave behind."""

import dataclasses
import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discom import cli, data, methods
from discom.config import Config, profile
from discom.errors import DataError
from discom.running.runs import Result

SCENES = "objects:n=66,size=16"
TRAIN = ("train", "--data", SCENES, "--profile", "tiny")
QUICK = (*TRAIN, "--method", "student", "--epochs", "1")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Every command runs in an empty folder."""
    monkeypatch.chdir(tmp_path)


def run(*arguments) -> int:
    return cli.main([str(argument) for argument in arguments])


def refused(capsys, *arguments) -> str:
    """The one line on stderr of a command that ends with status 2."""
    capsys.readouterr()
    assert run(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("discom: error: ")


def test_every_setting_is_a_flag_of_its_type(flags_of):
    flags = {each.name for each in cli.ALL["train"].params}
    assert flags >= {field.name for field in dataclasses.fields(Config)} - {"dense"}
    words = "--epochs 3 --learning-rate 0.03 --channels-last true --encoder resnet18 --seed 5"
    given = flags_of("train", *words.split(), "--options", '{"far": 1e-3}')
    settings = {"epochs": 3, "learning_rate": 0.03, "channels_last": True, "encoder": "resnet18"}
    assert given["settings"] == settings | {"seed": 5, "options": {"far": 1e-3}}
    assert flags_of("train")["settings"] == {"seed": 0, "options": {}}  # others: the profile's


WRONG = [  # words, what the line names; a line for each way to be wrong
    ("trian", "train"),
    ("train --epoch 3", "--epochs"),
    ("train --method dicsom", "discom"),
    ("train --data object", "objects"),
    (f"advise {SCENES} --epochs 3", "--steps"),
    *((((*TRAIN, "--options", text), "is no JSON object")) for text in ("{bad", "[1]")),
    ((*TRAIN, "--options", '{"grl_lambda": NaN}'), "grl_lambda"),
    ((*TRAIN, "--epochs", "0"), "epochs"),
    ((*TRAIN, "--seed", "-1"), "--seed"),
    ((*TRAIN, "--data", ""), "empty"),
    ("table ²", "dense"),
    (f"table 1 --data {SCENES} --seeds 1 --methods student,fixmatch", "fixmatch"),
    ("table 2 --data objects --folds 3", "--folds"),
    (f"table 2 --data {SCENES} --out empty", "--out"),
    (f"data show {SCENES} --out pairs.abc", "--out"),
    (f"data prepare {SCENES} --size 8", "options of a reader"),
    ("data prepare folders", "--root"),
    ("data prepare arrays", "--root"),
    ("data prepare arrays --root empty", "sensor"),
    ("data prepare arrays --root empty --size 8", "size"),
    (f"data prepare {SCENES} --out noise.json", "noise.json"),
    ("data check empty", "empty"),
    ("show nowhere", "nowhere"),
    ("show list.json", "list."),
    ("show mine.py", "mine.json: no such file, the settings of a table of runs; name a folder"),
    ("export empty", "empty"),
    ("predict noise.json empty.npy", "noise.json"),
]


@pytest.mark.parametrize(("words", "fragment"), WRONG, ids=str)
def test_a_wrong_input_is_one_plain_line_with_status_2(tmp_path, capsys, words, fragment):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.npy").touch()
    (tmp_path / "mine.py").touch()
    (tmp_path / "noise.json").write_bytes(bytes(range(256)))
    (tmp_path / "list.json").write_text('[{"checksum": 1}, 2]')
    inputs = sorted(tmp_path.rglob("*"))
    assert fragment in refused(capsys, *(words.split() if isinstance(words, str) else words))
    assert sorted(tmp_path.rglob("*")) == inputs  # and nothing was written


def test_sigterm_interrupts_as_ctrl_c_does(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(sys, "argv", ["discom", "data", "check", SCENES])
    monkeypatch.setattr(data, "load", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # else it would end the tests
    try:
        assert cli.main() == 130
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_path_is_the_folder_a_colon_is_ours_and_the_bare_name_is_refused(tmp_path, capsys):
    own = data.load("objects:n=36,size=8,seed=9")
    own.save("objects")
    for place in ("./objects", "objects/", str(tmp_path / "objects"), Path("objects")):
        assert data.load(place, seed=3).fingerprint == own.fingerprint
    assert data.load("objects:n=9", seed=3).drawn["seed"] == 3
    assert "./objects" in refused(capsys, "train", "--data", "objects")


def test_a_public_set_and_a_folder_of_its_name(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("DISCOM_DATA", raising=False)
    ours, own = (data.load(f"objects:n=30,size=8,seed={seed}") for seed in (0, 1))
    ours.save("data/eurosat")
    assert data.load("eurosat").fingerprint == ours.fingerprint
    own.save("eurosat")
    for command in ("check", "prepare"):
        assert "./eurosat" in refused(capsys, "data", command, "eurosat")
    assert data.load("eurosat:").fingerprint == ours.fingerprint
    assert data.load("./eurosat").fingerprint == own.fingerprint
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path))  # the folder here is the prepared set
    assert data.load("eurosat").fingerprint == own.fingerprint
    assert run("data", "prepare", SCENES) == 0  # where it says, and never further up
    assert (tmp_path / "objects/manifest.json").is_file()
    with pytest.raises(DataError, match="hls: not prepared yet"):
        data.load("hls")


def test_check_counts_every_sample(tmp_path, capsys):
    whole = replace(data.load("objects:n=90,size=8"), groups=np.arange(90) // 6)
    whole.keep_labels(0.4, 0).save("mine")
    assert run("data", "check", "mine") == 0
    said = capsys.readouterr().out
    counts = re.findall(r"^ *(?:train|valid|test|left): (\d+)", said, re.MULTILINE)
    assert len(counts) == 4
    assert sum(map(int, counts)) == 90


def test_prepared_scenes_load_as_they_were_and_damage_is_found(tmp_path, capsys):
    words = ("data", "prepare", SCENES, "--out", "here")
    assert run(*words) == 0
    assert data.load(tmp_path / "here").fingerprint == data.load(SCENES).fingerprint
    assert "--overwrite" in refused(capsys, *words)
    assert run(*words, "--overwrite") == run("data", "check", "here") == 0
    (tmp_path / "here/labels.npy").write_bytes(b"damaged")
    assert "labels.npy" in refused(capsys, "data", "check", "here")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with one run of `student` that the command line trained."""
    runs = tmp_path_factory.mktemp("trained") / "runs"
    assert run(*QUICK, "--runs", runs) == 0
    return next(runs.rglob("result.json")).parent


def test_train_prints_its_folder_and_scores_and_trains_once(trained, capsys, monkeypatch):
    monkeypatch.setattr(methods.Student, "loss", None)  # a training would end here
    assert run(*QUICK, "--runs", trained.parents[2]) == 0
    result, lines = Result.read(trained / "result.json"), capsys.readouterr().out.splitlines()
    assert lines[0] == str(trained)
    assert (result.method, result.seed, result.config["epochs"]) == ("student", 0, 1)
    for line, scores in zip(lines[3:], result.scores.values(), strict=True):
        assert f"{scores['f1']:.2f}" in line.split()
    assert run("show", trained) == run("show", trained.parents[2]) == 0


@pytest.fixture
def asked(monkeypatch):
    """The runs that would have been trained."""
    runs = []

    def note(run, images, *, progress):
        assert images.origin_at(run.config.seed) == run.origin
        runs.append(run)

    monkeypatch.setattr("discom.cli.commands._show_run", lambda folder: None)
    monkeypatch.setattr("discom.running.sweep.train", note)
    return runs


def test_a_student_has_its_teacher_trained_first(asked):
    words = ("--modalities", "depth+rgb", "--seed", 2)
    assert run(*TRAIN, "--method", "kdv2", *words) == 0
    (teacher, student) = asked
    assert (teacher.method, student.method) == ("teacher", "kdv2")
    assert student.teacher == teacher
    for each in asked:
        assert (each.source, each.modalities) == (SCENES, "depth+rgb")
        assert each.origin.drawn == 2  # the scenes of its seed


def test_a_dense_method_takes_dense_scenes_and_its_own_profile(asked, monkeypatch):
    few = data.load("scenes-dense:n=20,size=16")
    monkeypatch.setattr(data, "load", lambda name, modalities, seed: few)
    assert run("train", "--method", "single", "--profile", "tiny", "--seed", "3") == 0
    assert asked[0].source == "scenes-dense:"
    expected = profile("tiny", dense=True, seed=3)
    assert dataclasses.replace(asked[0].config, options={}) == expected
