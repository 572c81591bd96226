"""The command line: what words ask for, help, exit statuses and one-line errors, and what the
commands leave behind."""

import dataclasses
import io
import re
import signal
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discom import cli, data
from discom.config import Config, profile
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
    usual = flags_of("train")
    words = "--epochs 3 --learning-rate 0.03 --channels-last true --encoder resnet18 --seed 5"
    given = flags_of("train", *words.split(), "--options", '{"far": 1e-3}')
    settings = {"epochs": 3, "learning_rate": 0.03, "channels_last": True, "encoder": "resnet18"}
    assert given == usual | settings | {"seed": 5, "options": {"far": 1e-3}}
    for name in {field.name for field in dataclasses.fields(Config)} - {"dense", "seed", "options"}:
        assert usual[name] is None  # it is the profile's


WRONG = [  # words, what the line names; a line for each way to be wrong
    ("trian", "train"),
    ("train --epoch 3", "--epochs"),
    ("train --method dicsom", "discom"),
    ("train --data object", "objects"),
    (f"advise {SCENES} --epochs 3", "--steps"),
    *((((*TRAIN, "--options", text), "is no JSON object")) for text in ("{bad", "[1]", "[]")),
    ((*TRAIN, "--options", '{"grl_lambda": NaN}'), "grl_lambda"),
    ((*TRAIN, "--options", '{"grl_lambda": 1, "grl_lambda": 2}'), "'grl_lambda' is given twice"),
    ("data check objects:n=60,size=8,n=90", "'n' is given twice"),
    ((*TRAIN, "--epochs", "0"), "epochs"),
    ((*TRAIN, "--seed", "-1"), "--seed"),
    ((*TRAIN, "--data", ""), "empty"),
    ("table ²", "dense"),
    (f"table 1 --data {SCENES} --seeds 1 --methods student,fixmatch", "fixmatch"),
    ("table 2 --data objects --folds 3", "--folds"),
    *((f"table 2 --data {SCENES} --methods {text}", "--methods") for text in (",", "student,")),
    *(((*TRAIN, "--modalities", text), "--modalities") for text in ("+", "rgb+", " ")),
    (f"table 1 --data {SCENES} --methods student --methods discom --dry-run", "--methods"),
    ((*TRAIN, "--epochs", "2", "--epochs", "3"), "--epochs"),
    (f"data show {SCENES} --out pairs.abc", "--out"),
    (f"data prepare {SCENES} --size 8", "options of a reader"),
    ("data prepare folder --root empty", "folders"),
    ("data prepare folders", "--root"),
    ("data prepare arrays", "--root"),
    ("data prepare arrays --root empty", "labels.npy"),
    ("data prepare arrays --root empty --size 8", "size"),
    (f"data prepare {SCENES} --out noise.json", "noise.json"),
    ("data check empty", "empty"),
    ("train prepared --method student", "--data prepared"),
    ("table 2 prepared --profile tiny", "--data prepared"),
    ("show nowhere", "nowhere"),
    ("show prepared", "discom data show prepared"),
    ("show list.json", "list."),
    ("show mine.py", "mine.json: no such file; name a folder"),
    ("export empty", "empty"),
    ("table 2 --data scenes-dense:n=20,size=16 --dry-run", "discom table dense --data scenes-d"),
    ("table 4 --data scenes-dense:n=20,size=16 --dry-run", "discom table dense --data scenes-d"),
    (f"table dense --data {SCENES} --dry-run", f"discom table 2 --data {SCENES}"),
    (f"table crodino --data {SCENES} --dry-run", f"discom table 2 --data {SCENES}"),
    ("advise scenes-dense:n=20,size=16", "discom table dense --data scenes-dense:n=20,size=16"),
    ("predict noise.json empty.npy", "noise.json"),
    ("predict noise.json", "FILES"),
]


@pytest.mark.parametrize(("words", "fragment"), WRONG, ids=str)
def test_a_wrong_input_is_one_plain_line_with_status_2(tmp_path, capsys, words, fragment):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.npy").touch()
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared/manifest.json").touch()
    (tmp_path / "mine.py").touch()
    (tmp_path / "noise.json").write_bytes(bytes(range(256)))
    (tmp_path / "list.json").write_text('[{"checksum": 1}, 2]')
    inputs = sorted(tmp_path.rglob("*"))
    assert fragment in refused(capsys, *(words.split() if isinstance(words, str) else words))
    assert sorted(tmp_path.rglob("*")) == inputs  # and nothing was written


def test_of_runs_that_warn_alike_a_command_says_the_first(capsys, monkeypatch):
    def warn(data, seed):
        for text in ("2 of 9 lack a sensor", "another", "2 of 9 lack a sensor"):
            with warnings.catch_warnings():  # as libraries do, which forgets what was shown
                warnings.warn(text, stacklevel=1)

    monkeypatch.setattr(cli.data.check, "callback", warn)
    for _ in range(2):
        assert run("data", "check", "objects") == 0
        assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_letter_that_the_output_lacks_is_written_otherwise(monkeypatch, tmp_path, encoding):
    """A class called so was a traceback, and no answer was written."""
    raw = {name: io.BytesIO() for name in ("stdout", "stderr")}
    for name, content in raw.items():
        monkeypatch.setattr(sys, name, io.TextIOWrapper(content, encoding))
    images = data.load("objects:n=66,size=16")
    images.changed(classes=("猫", *images.classes[1:])).save(tmp_path / "mine")
    assert cli.main(["data", "check", str(tmp_path / "mine")]) == 0
    sys.stdout.flush()
    assert b"\\u732b" in raw["stdout"].getvalue()


def test_sigterm_interrupts_as_ctrl_c_does(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(sys, "argv", ["discom", "data", "check", SCENES])
    monkeypatch.setattr(data, "load", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # else it would end the tests
    try:
        assert cli.main() == 130
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_path_is_the_folder_a_colon_is_ours_and_the_bare_name_is_refused(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.delenv("DISCOM_DATA", raising=False)
    ours, own = (data.load(f"objects:n=30,size=8,seed={seed}") for seed in (0, 1))
    ours.save("data/eurosat")
    assert data.load("eurosat").fingerprint == ours.fingerprint
    own.save("eurosat")
    for command in ("check", "prepare"):
        assert "./eurosat" in refused(capsys, "data", command, "eurosat")
    assert data.load("eurosat:").fingerprint == ours.fingerprint
    for place in ("./eurosat", "eurosat/", str(tmp_path / "eurosat"), Path("eurosat")):
        assert data.load(place, seed=3).fingerprint == own.fingerprint
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path))  # the folder here is the prepared set
    assert data.load("eurosat").fingerprint == own.fingerprint
    assert run("data", "prepare", SCENES) == 0  # where it says, and never further up
    assert data.load("./objects").fingerprint == data.load(SCENES).fingerprint
    assert "hls" in refused(capsys, "data", "check", "hls:")


def test_check_counts_every_sample(tmp_path, capsys):
    whole = replace(data.load("objects:n=90,size=8"), groups=np.arange(90) // 6)
    whole.keep_labels(0.4, 0).save("mine")
    assert run("data", "check", "mine") == 0
    said = capsys.readouterr().out
    counts = re.findall(r"^ *(?:train|valid|test|left): (\d+)", said, re.MULTILINE)
    assert len(counts) == 4
    assert sum(map(int, counts)) == 90


def test_train_prints_its_folder_and_scores_and_trains_once(capsys, monkeypatch):
    assert run(*QUICK) == 0
    monkeypatch.setattr("torch.optim.AdamW", None)  # a training would end here
    capsys.readouterr()
    assert run(*QUICK) == 0
    lines, (file,) = capsys.readouterr().out.splitlines(), Path("runs").rglob("result.json")
    result = Result.read(file)
    assert lines[0] == str(file.parent)
    assert (result.method, result.seed, result.config["epochs"]) == ("student", 0, 1)
    assert f"{result.f1['rgb']:.2f}" in lines[3].split()
    assert run("show", file.parent) == run("show", "runs") == 0


def test_a_method_gets_its_scenes_and_profile_and_its_teacher_first(monkeypatch):
    runs, few = [], data.load("scenes-dense:n=20,size=16").select(["depth", "rgb"])
    monkeypatch.setattr(data, "load", lambda name, modalities, seed: few)
    monkeypatch.setattr("discom.cli.commands._show_run", lambda folder: None)
    monkeypatch.setattr("discom.running.sweep.train", lambda run, split, **_: runs.append(run))
    words = ("--profile", "tiny", "--modalities", "depth+rgb", "--seed", 3)
    assert run("train", "--method", "dense-kdv2", *words) == 0
    teacher, student = runs
    assert (teacher.method, student.method) == ("dense-teacher", "dense-kdv2")
    assert student.teacher == teacher
    for each in runs:
        assert (each.source, each.modalities) == ("scenes-dense:", "depth+rgb")
        assert replace(each.config, options={}) == profile("tiny", dense=True, seed=3)
