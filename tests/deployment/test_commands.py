"""`discom export` and `discom predict` from end to end, and one line with status 2 for what they
cannot use."""

import csv
import json
import re
import shutil

import numpy as np
import pytest

from discom import cli
from discom.deployment import exporting


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def images(split, tmp_path):
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", split.test.modalities["depth"].x[number])
    return [tmp_path / f"{number}.npy" for number in range(3)]


@pytest.mark.slow
def test_a_trained_branch_is_exported_and_names_images(tmp_path, source, capsys, images):
    train = [
        "train",
        "--data",
        source,
        "--method",
        "discom-solo",
        "--profile",
        "tiny",
        "--epochs",
        "1",
    ]
    assert cli.main([str(word) for word in [*train, "--runs", "runs"]]) == 0
    export = ["export", "runs", "--modality", "depth", "--data", str(source), "--out", "depth"]
    capsys.readouterr()
    assert cli.main(export) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(
        "depth: MODEL_CARD.md, model.onnx, model.pt2\nF1 on the test part: the run "
    )
    assert "model.pt2: differs from the trained branch by" in printed
    assert "model.onnx, 32 at once, ms an image" in printed
    assert cli.main(["predict", "depth", *map(str, images), "--out", "answers.json"]) == 0
    assert capsys.readouterr().out == "answers.json: 3 images\n"
    held = json.loads((tmp_path / "answers.json").read_text())
    assert [one["file"] for one in held] == [str(file) for file in images]
    card = (tmp_path / "depth/MODEL_CARD.md").read_text()
    assert card.startswith("# discom-solo on camera: the depth branch\n")


def test_predictions_are_csv_on_the_screen_or_in_a_file(made, images, tmp_path, capsys):
    files = list(map(str, images))
    assert cli.main(["predict", str(made[0]), *files]) == 0
    printed = capsys.readouterr().out
    assert (
        cli.main(["predict", str(made[0] / "model.pt2"), *files, "--out", "new/answers.csv"]) == 0
    )
    written = (tmp_path / "new/answers.csv").read_text()
    rows = [list(csv.DictReader(text.splitlines())) for text in (printed, written)]
    for ours, theirs in zip(*rows, strict=True):
        assert (ours["file"], ours["class"]) == (theirs["file"], theirs["class"])
        assert float(ours["probability"]) == pytest.approx(float(theirs["probability"]), abs=1e-4)
    assert [row["file"] for row in rows[0]] == files


@pytest.mark.parametrize(
    ("words", "message"),
    {
        "no run": (
            ["export", "nowhere"],
            "nowhere/result.json: no such result; train the run first",
        ),
        "unfinished": (["export", "unfinished"], "unfinished/result.json: no such result"),
        "several runs": (["export", "runs"], "runs: holds 2 runs; name one, such as runs/a"),
        "data unknown": (
            ["export", "RUN", "--modality", "depth"],
            "--data: the run calls its data 'camera'",
        ),
        "data missing": (["export", "RUN", "--data", "nowhere"], "nowhere: no such folder"),
        "other data": (
            ["export", "RUN", "--modality", "depth", "--data", "scenes:n=66,size=8"],
            "another split",
        ),
        "no modality": (
            ["export", "RUN", "--data", "SOURCE"],
            "--modality: name one; .* has rgb, depth",
        ),
        "there already": (
            ["export", "RUN", "--data", "SOURCE", "--out", "MADE"],
            "exists already; pass overwrite",
        ),
        "no model": (["predict", "nothing.onnx", "0.npy"], "nothing.onnx: no such file"),
        "a run as a model": (["predict", "RUN", "0.npy"], "model.onnx: no such file; make it with"),
        "no image": (["predict", "MADE", "empty"], "empty: no image in this folder"),
        "another ending": (
            ["predict", "MADE", "0.npy", "--out", "a.xlsx"],
            "--out: 'a.xlsx' ends in '.xlsx'",
        ),
        "a folder as file": (
            ["predict", "MADE", "0.npy", "--out", "empty.csv"],
            "--out: empty.csv is a folder",
        ),
        "nothing named": (["predict", "MADE"], "files"),
    }.values(),
)
def test_wrong_input_is_one_line(refused, run, source, made, images, tmp_path, words, message):
    for folder in ("empty", "empty.csv", "unfinished"):
        (tmp_path / folder).mkdir()
    (tmp_path / "unfinished/config.json").write_text("{}")
    for name in "ab":
        (tmp_path / "runs" / name).mkdir(parents=True)
        shutil.copy(run / "result.json", tmp_path / "runs" / name)
    places = {"RUN": run, "SOURCE": source, "MADE": made[0]}
    before = sorted(tmp_path.rglob("*"))
    line = refused(*(places.get(word, word) for word in words))
    assert re.search(message, line), line
    assert sorted(tmp_path.rglob("*")) == before


def test_bad_images_leave_no_file(refused, made, images, tmp_path):
    np.save(tmp_path / "bad.npy", np.zeros((9, 9)))
    line = refused("predict", made[0], *images, "bad.npy", "--out", "answers.csv")
    assert "bad.npy: is 9×9 with 1 band(s)" in line
    assert not (tmp_path / "answers.csv").exists()


def test_an_export_is_replaced_when_it_is_told_to(run, source, folder, monkeypatch):
    """The new folder takes the old one's place whole."""
    monkeypatch.setattr(
        exporting,
        "agreement",
        lambda *_: ({}, {"f1": 1.0, "accuracy": 1.0, "calibration_error": 0.0}),
    )
    cost = {"parameters": 1, "bytes": {}, "milliseconds": {}}
    monkeypatch.setattr(exporting, "compare_costs", lambda *_: {"branch": cost, "student": cost})
    monkeypatch.setattr(
        exporting, "write_graphs", lambda network, contract, place: (place / "model.onnx").touch()
    )
    words = ["export", run, "--modality", "rgb", "--data", source, "--out", folder, "--overwrite"]
    assert cli.main([str(word) for word in words]) == 0
    assert sorted(file.name for file in folder.iterdir()) == ["MODEL_CARD.md", "model.onnx"]
    assert "the rgb branch" in (folder / "MODEL_CARD.md").read_text()
