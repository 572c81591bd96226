"""The command line: what each command prints and leaves behind, and one line with status 2 for
every wrong input."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import imagecodecs
import matplotlib.pyplot
import numpy as np
import pytest
import yaml
from filelock import FileLock
from PIL import Image

from discom import cli, data, methods, tables
from discom.config import Config, profile
from discom.errors import ConfigError, DataError
from discom.runs import Result

matplotlib.use("Agg")

SCENES = "scenes:n=66,size=16"
DENSE_SCENES = "scenes-dense:n=20,size=16"
QUICK = ["train", "--data", SCENES, "--method", "student", "--profile", "tiny", "--epochs", "1"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Every command runs in an empty folder, and leaves no figures behind."""
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context():
        yield
    matplotlib.pyplot.close("all")


def run(*arguments) -> int:
    return cli.main([str(argument) for argument in arguments])


def refused(capsys, *arguments) -> str:
    """The one line on stderr of a command that ends with status 2."""
    capsys.readouterr()
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert len(lines) == 1, printed.err
    assert lines[0].startswith("discom: error: ")
    assert "Traceback" not in printed.out + printed.err
    return lines[0]


def is_a_picture(file) -> None:
    with Image.open(file) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB"))
    assert min(pixels.shape[:2]) > 50
    assert (
        len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10
    )  # not blank: lines, texts and their soft edges


def tree(root, sizes=(16, 16)):
    """Folders of images: three scenes of two classes, as seen by a colour and a grey camera."""
    rng = np.random.default_rng(0)
    for modality, size in zip(("rgb", "grey"), sizes, strict=True):
        for label, name in enumerate(("cat", "dog")):
            for number in range(3):
                shape = (size, size, 3) if modality == "rgb" else (size, size)
                file = root / modality / name / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                pixels = rng.integers(100 * label, 100 * label + 100, shape).astype(np.uint8)
                file.write_bytes(imagecodecs.png_encode(pixels))
    return root


def content(folder) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


# ---------------------------------------------------------------- data prepare


def test_prepare_writes_scenes_that_load_as_they_were(tmp_path, capsys):
    assert run("data", "prepare", SCENES, "--out", "here") == 0
    printed = capsys.readouterr().out
    assert (
        printed
        == "here: 66 samples in 9 classes, 66 complete pairs; rgb 66×3×16×16, depth 66×1×16×16\n"
    )
    held, whole = data.load(tmp_path / "here"), data.load(SCENES)
    assert held.fingerprint == whole.fingerprint
    assert (held.name, held.fractions) == (whole.name, whole.fractions)
    assert {"RGB_data.npy", "DEPTH_data.npy"} <= set(content(tmp_path / "here"))
    assert list(tmp_path.iterdir()) == [tmp_path / "here"]


def test_prepare_goes_to_data_and_the_name_when_nothing_is_said(tmp_path):
    assert run("data", "prepare", SCENES) == 0
    assert len(data.load(tmp_path / "data/scenes")) == 66


def test_prepare_keeps_the_modalities_it_is_told_in_that_order(tmp_path):
    assert (
        run(
            "data",
            "prepare",
            SCENES + ",modalities=rgb+depth+thermal",
            "--modalities",
            "thermal+rgb",
        )
        == 0
    )
    held = data.load(tmp_path / "data/scenes-thermal-rgb")
    assert held.channels == {"thermal": 1, "rgb": 3}
    assert list(held.modalities) == ["thermal", "rgb"]


def test_prepare_reads_folders_of_images(tmp_path, capsys):
    tree(tmp_path / "mine")
    assert run("data", "prepare", "folders", "--root", "mine", "--out", "out") == 0
    assert (
        "6 samples in 2 classes, 6 complete pairs; grey 6×1×16×16, rgb 6×3×16×16"
        in capsys.readouterr().out
    )
    held = data.load(tmp_path / "out")
    first = imagecodecs.png_decode((tmp_path / "mine/grey/dog/1.png").read_bytes())
    place = held.modalities["grey"].ids.tolist().index("dog/1")
    assert np.array_equal(held.modalities["grey"].x[place, 0], first)


def test_prepare_with_a_split_seed_has_the_released_files(tmp_path):
    assert run("data", "prepare", SCENES, "--out", "fixed", "--split_seed", "3") == 0
    released = {"RGB_data_normalized.npy", "DEPTH_data_normalized.npy", "labels.npy",
                "train_idx.npy", "valid_idx.npy", "test_idx.npy"}  # fmt: skip
    assert released <= set(content(tmp_path / "fixed"))
    assert not {"RGB_data.npy", "DEPTH_data.npy"} & set(content(tmp_path / "fixed"))
    ours = data.load(SCENES).split(seed=3)
    for seed in (3, 4):  # the split of the folder, whatever the seed of a run
        for part, expected in zip(
            data.load(tmp_path / "fixed").split(seed=seed), ours, strict=True
        ):
            assert part.ids.tolist() == expected.ids.tolist()
            assert np.array_equal(part.images("rgb"), expected.images("rgb"))


def test_prepare_replaces_its_own_folder_when_it_is_told_to(tmp_path, capsys):
    run("data", "prepare", SCENES, "--out", "here")
    before = content(tmp_path / "here")
    assert "--overwrite" in refused(capsys, "data", "prepare", SCENES + ",seed=1", "--out", "here")
    assert content(tmp_path / "here") == before
    assert run("data", "prepare", SCENES + ",seed=1", "--out", "here", "--overwrite") == 0
    assert data.load(tmp_path / "here").fingerprint == data.load(SCENES + ",seed=1").fingerprint
    assert list(tmp_path.iterdir()) == [tmp_path / "here"]


def test_overwrite_is_a_flag_as_the_message_writes_it(tmp_path):
    run("data", "prepare", SCENES, "--out", "here")
    assert run("data", "prepare", SCENES + ",seed=1", "--out", "here", "--overwrite") == 0
    assert data.load(tmp_path / "here").fingerprint == data.load(SCENES + ",seed=1").fingerprint


@pytest.mark.parametrize("flags", [[], ["--overwrite"]])
def test_prepare_does_not_touch_a_foreign_folder(tmp_path, capsys, flags):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    line = refused(capsys, "data", "prepare", SCENES, "--out", "mine", *flags)
    assert "mine: exists and was not made by discom" in line
    assert content(tmp_path / "mine") == {"thesis.txt": b"years of work"}
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]


def fail_at_the_second_modality(monkeypatch):
    def broken(images, where):
        if "depth" in where:
            raise DataError(f"{where}: sample 3, band 0 holds nan")

    monkeypatch.setattr("discom.data.prepared.check_images", broken)


def test_an_error_in_the_middle_of_prepare_leaves_nothing_behind(tmp_path, capsys, monkeypatch):
    fail_at_the_second_modality(monkeypatch)
    assert "holds nan" in refused(capsys, "data", "prepare", SCENES, "--out", "here")
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_the_middle_of_prepare_leaves_the_old_folder_whole(
    tmp_path, capsys, monkeypatch
):
    run("data", "prepare", SCENES, "--out", "here")
    before = content(tmp_path / "here")
    fail_at_the_second_modality(monkeypatch)
    refused(capsys, "data", "prepare", SCENES + ",seed=1", "--out", "here", "--overwrite")
    assert content(tmp_path / "here") == before
    assert list(tmp_path.iterdir()) == [tmp_path / "here"]


def test_a_damaged_image_leaves_nothing_behind(tmp_path, capsys):
    file = tree(tmp_path / "mine") / "rgb/dog/2.png"
    file.write_bytes(file.read_bytes()[:40])
    assert "2.png" in refused(
        capsys, "data", "prepare", "folders", "--root", "mine", "--out", "out"
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]


# ---------------------------------------------------------------- data check


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "scenes"
    data.load(SCENES).save(folder)
    return folder


def test_check_counts_samples_classes_and_checksums(prepared, capsys):
    assert run("data", "check", prepared) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        f"{prepared}: 66 samples in 9 classes, 66 complete pairs; rgb 66×3×16×16"
    )
    files = [file for file in prepared.iterdir() if file.name != "manifest.json"]
    assert lines[1] == f"checksums compared: {len(files)}"
    whole = data.load(SCENES)
    for line, (part, held) in zip(lines[2:5], whole.split()._asdict().items(), strict=True):
        counts = {name: int((held.labels == k).sum()) for k, name in enumerate(whole.classes)}
        assert line.strip() == f"{part}: {len(held)} samples, by class {counts}"
    assert [line.partition(":")[0] for line in lines[5:]] == ["rgb", "depth"]
    assert all("0 without a partner" in line for line in lines[5:])
    assert all(
        line.endswith("; 0 at an odd level, 0 flat, 0 near-copies between parts")
        for line in lines[5:]
    )


def test_check_takes_data_without_checksums(tmp_path, capsys):
    tree(tmp_path / "mine")
    assert run("data", "check", "mine") == 0
    assert "checksums compared: 0" in capsys.readouterr().out


def test_check_warns_of_what_to_look_at(tmp_path, capsys):
    drawn = data.scenes.make(n=66, size=16)
    split, depth = drawn.split(seed=2), drawn.modalities["depth"]
    rgb, (one, two) = drawn.modalities["rgb"], (split.train.ids[0], split.test.ids[0])
    x, scaled = rgb.x.copy(), depth.x.copy()
    x[rgb.ids == two] = 0.8 * x[rgb.ids == one]  # a copy in the test part of seed 2
    scaled[5] /= 1000
    scaled[6] = 0.5
    odd, flat, alone = depth.ids[[5, 6, 7]]
    kept = np.delete(np.arange(66), 7)
    modalities = {
        "rgb": data.Modality(x, rgb.y, rgb.ids),
        "depth": data.Modality(scaled, depth.y, depth.ids).take(kept),
    }
    data.MultiModalData(modalities, drawn.classes).save(tmp_path / "faulty")
    assert run("data", "check", "faulty", "--seed", 2) == 0
    printed = capsys.readouterr()
    warned = printed.err.splitlines()
    assert all(line.startswith("discom: warning: faulty/") for line in warned)
    for name, ids, what in (
        ("rgb", [alone], "no partner"),
        ("depth", [odd], "more than 100 times"),
        ("depth", [flat], "no structure"),
        ("rgb", [one, two], "near-copies in two parts"),
    ):
        (line,) = (line for line in warned if what in line and f"/{name}: " in line)
        assert all(f"'{i}'" in line for i in ids), line
    assert "(train)" in line
    assert "(test)" in line
    assert "rgb: 1 without a partner" in printed.out
    assert "1 at an odd level" in printed.out


@pytest.mark.parametrize("name", ["RGB_data.npy", "labels.npy", "masks.npy", "factors.npz"])
def test_check_finds_one_flipped_bit(prepared, tmp_path, capsys, name):
    shutil.copytree(prepared, tmp_path / "copy")
    held = bytearray((tmp_path / "copy" / name).read_bytes())
    held[-5] ^= 1
    (tmp_path / "copy" / name).write_bytes(held)
    line = refused(capsys, "data", "check", tmp_path / "copy")
    assert f"{name}: differs from its checksum" in line
    assert "prepare the folder again" in line


def test_check_names_a_missing_file(prepared, tmp_path, capsys):
    shutil.copytree(prepared, tmp_path / "copy")
    (tmp_path / "copy/ids.npy").unlink()
    assert "ids.npy: missing" in refused(capsys, "data", "check", tmp_path / "copy")


# ---------------------------------------------------------------- data show


def test_show_draws_three_pictures(tmp_path, prepared, capsys):
    assert run("data", "show", prepared, "--out", "look.png", "--columns", "4") == 0
    names = ["look.png", "look-classes.png", "look-values.png"]
    assert capsys.readouterr().out.splitlines() == names
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names)
    for name in names:
        is_a_picture(tmp_path / name)


def test_show_without_an_ending_draws_png(tmp_path):
    assert run("data", "show", SCENES, "--out", tmp_path / "look", "--columns", "2") == 0
    is_a_picture(tmp_path / "look.png")


# ---------------------------------------------------------------- train


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with one run of `student` that the command line made."""
    runs = tmp_path_factory.mktemp("trained") / "runs"
    assert run(*QUICK, "--runs", runs) == 0
    return next(runs.rglob("result.json")).parent


def test_train_prints_its_folder_and_the_scores_of_its_result(tmp_path, capsys):
    assert run(*QUICK, "--seed", "2", "--runs", "runs") == 0
    lines = capsys.readouterr().out.splitlines()
    result = Result.read(tmp_path / lines[0] / "result.json")
    assert re.fullmatch(rf"runs/scenes/student/2-{result.hash}", lines[0])
    assert lines[1:] == [
        f"{name}: F1 {held['f1']:.1f}, accuracy {held['accuracy']:.1f}, best epoch {held['best_epoch']}"
        for name, held in result.scores.items()
    ]
    assert list(result.scores) == ["rgb", "depth"]
    assert (result.method, result.seed, result.config["epochs"]) == ("student", 2, 1)


def test_a_second_call_reads_the_result_and_does_not_train(trained, capsys, monkeypatch):
    def refuse(*_):
        raise AssertionError("trained again")

    before = content(trained)
    monkeypatch.setattr("discom.training._train_epoch", refuse)
    assert run(*QUICK, "--runs", trained.parents[2]) == 0
    result = Result.read(trained / "result.json")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == str(trained)
    assert printed[1].startswith(f"rgb: F1 {result.f1['rgb']:.1f}, ")
    assert content(trained) == before


def test_a_yaml_file_says_what_flags_say(trained, tmp_path, capsys):
    held = {"data": SCENES, "method": "student", "profile": "tiny", "epochs": 1, "runs": "other"}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(held))
    assert run("train", "--config", "run.yaml") == 0
    folder = tmp_path / capsys.readouterr().out.splitlines()[0]
    assert folder.parts[-3:] == trained.parts[-3:]
    ours, theirs = (Result.read(place / "result.json") for place in (folder, trained))
    assert (ours.scores, ours.config, ours.hash) == (theirs.scores, theirs.config, theirs.hash)


FLAGS = {
    "epochs": 3,
    "batch_size": 16,
    "learning_rate": 0.03,
    "schedule": "constant",
    "width": 32,
    "stem": "imagenet",
    "augment": 0.25,
    "weight_decay": 0.01,
    "precision": "bf16-mixed",
    "channels_last": True,
    "options": {"grl_lambda": 0.5, "weights": {"adv": 0.1}},
    "accelerator": "cpu",
    "devices": 2,
}


@pytest.fixture
def asked(monkeypatch):
    """What `fit` would have been asked for: (method, split, config, folder), without training."""
    calls = []

    def note(method, split, config, folder, *, teacher, recompute, progress):
        calls.append((method, split, config, folder))
        return Result("", "", 0, "", {}, {}, 0, 0, 0, {}, {}, {}, 0)

    monkeypatch.setattr("discom.sweep.jobs.fit", note)
    return calls


def full(config, method="discom"):
    """The settings with every option of the method written out, as a run has them."""
    return dataclasses.replace(config, options=methods.get(method).options(config.options))


def flag(name, value):
    return [f"--{name}", json.dumps(value) if isinstance(value, bool | dict) else str(value)]


def test_every_setting_has_a_value_here_that_no_profile_has():
    assert set(FLAGS) == {f.name for f in dataclasses.fields(Config)} - {"seed", "network"}
    assert all(getattr(profile("tiny"), name) != value for name, value in FLAGS.items())


@pytest.mark.parametrize("name", [name for name in FLAGS if name != "channels_last"])
def test_every_setting_is_a_flag(asked, name):
    assert run("train", "--data", SCENES, "--profile", "tiny", *flag(name, FLAGS[name])) == 0
    assert asked[0][2] == full(profile("tiny", **{name: FLAGS[name]}))


def test_the_network_is_a_flag_of_dense_methods_and_of_no_other(asked, tmp_path, capsys):
    pytest.importorskip("segmentation_models_pytorch")
    command = ["--profile", "tiny", "--network", "unet:resnet18"]
    assert run("train", "--data", DENSE_SCENES, "--method", "single", *command) == 0
    assert asked[0][2] == full(profile("tiny", dense=True, network="unet:resnet18"), "single")
    line = refused(capsys, "train", "--data", SCENES, "--method", "student", *command)
    assert (
        line
        == "discom: error: network: 'unet:resnet18' is of dense prediction, student has ResNet-18; leave it out"
    )
    assert list(tmp_path.iterdir()) == []


def test_flags_and_the_same_words_in_yaml_ask_for_the_same(asked, tmp_path):
    common = {"data": SCENES, "method": "discom", "profile": "tiny", "seed": 4}
    words = [word for name, value in (common | FLAGS).items() for word in flag(name, value)]
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(common | FLAGS))
    assert run("train", *words) == 0
    assert run("train", "--config", "run.yaml") == 0
    (method, _, config, folder), (_, _, again, other) = asked
    assert method is methods.get("discom")
    assert config == full(profile("tiny", seed=4, **FLAGS))
    assert (again, other) == (config, folder)


def test_a_flag_behind_the_file_wins(asked, tmp_path):
    (tmp_path / "run.yaml").write_text(f"data: {SCENES}\nprofile: tiny\nepochs: 7\nseed: 1\n")
    assert run("train", "--config", "run.yaml", "--epochs", "5") == 0
    assert (asked[0][2].epochs, asked[0][2].seed) == (5, 1)


def test_small_numbers_in_yaml_are_numbers(asked, tmp_path):
    (tmp_path / "run.yaml").write_text(f"data: {SCENES}\nprofile: tiny\nlearning_rate: 1e-3\n")
    assert run("train", "--config", "run.yaml") == 0
    assert asked[0][2].learning_rate == 1e-3


def test_the_seed_draws_split_and_run(asked):
    run("train", "--data", SCENES, "--profile", "tiny", "--seed", "3")
    _, split, config, folder = asked[0]
    assert config.seed == 3
    assert folder.name.startswith("3-")
    assert split.test.ids.tolist() == data.load(SCENES).split(seed=3).test.ids.tolist()


def test_the_order_of_modalities_is_kept_and_is_another_run(asked):
    for order in ("rgb+depth", "depth+rgb"):
        assert run("train", "--data", SCENES, "--profile", "tiny", "--modalities", order) == 0
    (_, first, _, here), (_, second, _, there) = asked
    assert list(first.train.modalities) == ["rgb", "depth"]
    assert list(second.train.modalities) == ["depth", "rgb"]
    assert here.name != there.name
    assert here.parts[-3] == "scenes"  # all of them in their own order: nothing was chosen


def test_an_interrupted_training_ends_with_130_and_goes_on(trained, tmp_path, capsys, monkeypatch):
    def stop(self, batch):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(methods.Student, "loss", stop)
        assert run(*QUICK, "--runs", "runs") == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.search(
        r"discom: runs/scenes/student/0-\w{10}: interrupted; the same command goes on", last
    )
    assert not list(tmp_path.rglob("result.json"))
    assert run(*QUICK, "--runs", "runs") == 0
    assert (
        Result.read(next(tmp_path.rglob("result.json"))).scores
        == Result.read(trained / "result.json").scores
    )


# ---------------------------------------------------------------- train with a teacher

TAUGHT = ["train", "--data", SCENES, "--profile", "tiny", "--epochs", "1"]


def forbid_training(monkeypatch, method):
    def refuse(*_):
        raise AssertionError(f"trained {method.name} again")

    monkeypatch.setattr(method, "loss", refuse)


def test_a_student_has_its_teacher_trained_first_and_shares_it(tmp_path, capsys, monkeypatch):
    assert run(*TAUGHT, "--method", "kdv2") == 0
    lines = capsys.readouterr().out.splitlines()
    student = Result.read(tmp_path / lines[0] / "result.json")
    (folder,) = (tmp_path / "runs/scenes/teacher").iterdir()
    teacher = Result.read(folder / "result.json")
    assert (student.method, student.teacher, set(student.f1)) == (
        "kdv2",
        teacher.hash,
        {"rgb", "depth"},
    )
    assert (teacher.method, set(teacher.f1)) == ("teacher", {"rgb+depth"})
    assert [line.partition(":")[0] for line in lines[1:]] == ["rgb", "depth"]
    before = content(folder)
    forbid_training(monkeypatch, methods.Teacher)
    assert run(*TAUGHT, "--method", "kdv1+lskd") == 0
    assert run(*TAUGHT, "--method", "dkd", "--as_published") == 0
    assert content(folder) == before
    assert sorted(file.name for file in (tmp_path / "runs/scenes").iterdir()) == [
        "dkd",
        "kdv1+lskd",
        "kdv2",
        "teacher",
    ]


def test_a_teacher_of_one_modality_and_the_other_ones_student(tmp_path, capsys):
    assert run(*TAUGHT, "--method", "kdv2", "--options", '{"teacher": "rgb"}') == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == ["depth"]
    (folder,) = (tmp_path / "runs/scenes/teacher").iterdir()
    assert set(Result.read(folder / "result.json").f1) == {"rgb"}


def test_a_teacher_is_trained_and_shown_like_any_method(tmp_path, capsys):
    assert run(*TAUGHT, "--method", "teacher") == 0
    folder, line = capsys.readouterr().out.splitlines()
    assert line.startswith("rgb+depth: F1 ")
    assert run("show", folder, "--out", "run.png") == 0
    assert "\nrgb+depth" in capsys.readouterr().out
    is_a_picture(tmp_path / "run.png")
    is_a_picture(tmp_path / "run-confusion.png")


def test_a_teacher_that_is_given_is_the_one_that_teaches(tmp_path, capsys, monkeypatch):
    assert run(*TAUGHT, "--method", "teacher", "--epochs", "2", "--runs", "theirs") == 0
    folder = capsys.readouterr().out.splitlines()[0]
    forbid_training(monkeypatch, methods.Teacher)
    assert run(*TAUGHT, "--method", "ctkd", "--teacher", folder) == 0
    student = Result.read(tmp_path / capsys.readouterr().out.splitlines()[0] / "result.json")
    assert student.teacher == Result.read(tmp_path / folder / "result.json").hash
    assert [file.name for file in (tmp_path / "runs/scenes").iterdir()] == ["ctkd"]


@pytest.fixture
def handed_on(monkeypatch):
    """What `fit` is asked for, with its teacher; nothing is trained."""
    calls = []

    def note(method, split, config, folder, **given):
        calls.append({"method": method.name, "config": config, "folder": folder, **given})
        return Result("", "", 0, "", {}, {}, 0, 0, 0, {}, {}, {}, 0)

    monkeypatch.setattr("discom.sweep.jobs.fit", note)
    return calls


@pytest.mark.parametrize("method", methods.names())
def test_as_published_takes_the_published_options_and_what_is_given_beside_them(handed_on, method):
    published = methods.get(method).published
    command = [*TAUGHT, "--data", DENSE_SCENES] if methods.get(method).dense else TAUGHT
    assert run(*command, "--method", method, "--as_published") == 0
    assert (
        run(
            *command, "--method", method, "--as_published", "--options", '{"weights": {"cl": 0.75}}'
        )
        == 0
    )
    first, second = [call["config"].options for call in handed_on if call["method"] == method]
    assert first == methods.get(method).options(published)
    assert second == methods.get(method).options({**published, "weights": {"cl": 0.75}})


def test_without_as_published_options_are_the_methods_own(handed_on):
    assert run(*TAUGHT, "--method", "mlkd") == 0
    assert handed_on[-1]["config"].options == methods.get("mlkd").options({})


def test_the_switches_may_stand_in_a_file(handed_on, tmp_path):
    held = {
        "data": SCENES,
        "method": "dkd",
        "profile": "tiny",
        "as_published": True,
        "recompute": True,
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(held))
    assert run("train", "--config", "run.yaml") == 0
    teacher, student = handed_on
    assert (teacher["method"], student["method"]) == ("teacher", "dkd")
    assert student["config"].options["first_epoch"] == 0
    assert student["teacher"] == teacher["folder"]
    assert (teacher["recompute"], student["recompute"]) == (True, True)
    assert run("train", *flag("data", SCENES), *flag("profile", "tiny")) == 0
    assert (handed_on[-1]["recompute"], handed_on[-1]["teacher"]) == (False, None)


def test_a_damaged_result_is_trained_again_when_it_is_told_to(tmp_path, capsys):
    assert run(*QUICK) == 0
    printed = capsys.readouterr().out
    file = next((tmp_path / "runs").rglob("result.json"))
    result = Result.read(file)
    file.write_text(file.read_text().replace('"seed": 0', '"seed": 1', 1))
    line = refused(capsys, *QUICK)
    assert (
        f"runs/scenes/student/{file.parent.name}/result.json: was changed after it was measured"
        in line
    )
    assert line.endswith("run the command again with --recompute")
    assert run(*QUICK, "--recompute") == 0
    assert capsys.readouterr().out == printed
    assert Result.read(file).scores == result.scores


def test_a_damaged_teacher_is_trained_again_when_it_is_told_to(tmp_path, capsys):
    assert run(*TAUGHT, "--method", "teacher") == 0
    file = next((tmp_path / "runs").rglob("result.json"))
    result = Result.read(file)
    file.write_text("")
    assert "teacher" in refused(capsys, *TAUGHT, "--method", "kdv1")
    assert run(*TAUGHT, "--method", "kdv1", "--recompute") == 0
    assert Result.read(file).scores == result.scores


def test_a_run_that_another_process_trains_is_refused_in_one_line(trained, tmp_path, capsys):
    folder = tmp_path / "runs" / "/".join(trained.parts[-3:])
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"):
        line = refused(capsys, *QUICK)
    assert line.endswith(
        f"{folder.relative_to(tmp_path)}: another process trains this run; wait for it, or stop it"
    )
    assert [file.name for file in folder.iterdir()] == [".lock"]


def test_a_teacher_that_does_not_fit_is_refused_in_one_line(trained, tmp_path, capsys):
    line = refused(capsys, *TAUGHT, "--method", "kdv2", "--teacher", trained)
    assert (
        line == f"discom: error: {trained}: is a run of student; kdv2 learns from a run of teacher"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_teacher_for_a_method_without_one_is_refused_in_one_line(trained, tmp_path, capsys):
    line = refused(capsys, *TAUGHT, "--method", "discom", "--teacher", trained)
    assert line == "discom: error: teacher: discom has no teacher; leave it out"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "given",
    [
        ["--options", '{"temperature": 0}'],
        ["--modalities", "rgb", "--options", '{"teacher": "rgb"}'],
    ],
)
def test_a_student_that_cannot_be_is_refused_before_its_teacher_is_trained(tmp_path, capsys, given):
    refused(capsys, *TAUGHT, "--method", "kdv2", *given)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_outside_of_training_is_said_in_one_line(capsys, monkeypatch):
    def stop(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "load", stop)
    assert run("data", "check", SCENES) == 130
    assert capsys.readouterr().err == "discom: interrupted\n"


def test_a_warning_is_one_line(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        for number in range(4):
            for modality, pixels in (
                ("noise", rng.random((3, 8, 8))),
                ("dark", np.zeros((1, 8, 8))),
            ):
                file = tmp_path / f"mine/{modality}/{label}/{number}.npy"
                file.parent.mkdir(parents=True, exist_ok=True)
                np.save(file, pixels)
    assert run("data", "check", "mine") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("discom: warning: mine/dark: band 0 is constant (0)")


# ---------------------------------------------------------------- show


def test_show_a_run(trained, tmp_path, capsys):
    assert run("show", trained) == 0
    printed = capsys.readouterr().out
    result = Result.read(trained / "result.json")
    assert printed.startswith("student on scenes, seed 0: ")
    for name, held in result.scores.items():
        (line,) = [line for line in printed.splitlines() if line.startswith(name)]
        assert f"{held['f1']:.2f}" in line.split()
        assert f"{held['accuracy']:.2f}" in line.split()
    assert list(tmp_path.iterdir()) == []


def test_show_draws_the_curves_and_the_confusion_of_a_run(trained, tmp_path, capsys):
    assert run("show", trained, "--out", "run.png") == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["run.png", "run-confusion.png"]
    is_a_picture(tmp_path / "run.png")
    is_a_picture(tmp_path / "run-confusion.png")


@pytest.fixture
def several(trained, tmp_path):
    """Runs of two methods and three seeds, written by hand."""
    base = Result.read(trained / "result.json")
    for method, f1 in (("student", (50.0, 51.0, 52.0)), ("discom", (56.0, 58.0, 57.0))):
        for seed in range(3):
            scores = {name: {**held, "f1": f1[seed]} for name, held in base.scores.items()}
            result = dataclasses.replace(base, method=method, seed=seed, scores=scores, hash="aa")
            result = dataclasses.replace(result, config={**base.config, "seed": seed})
            folder = tmp_path / "runs/scenes" / method / f"{seed}-aa"
            folder.mkdir(parents=True)
            (folder / "result.json").write_text(json.dumps(result.to_json()))
    return tmp_path / "runs"


def test_show_a_folder_of_runs_is_the_table_of_the_package(several, tmp_path, capsys):
    assert run("show", several, "--out", "all.png") == 0
    printed = capsys.readouterr().out
    table = tables.to_markdown(tables.summary(tables.load_results(several)))
    assert printed.startswith(table + "\n")
    assert printed.endswith("\nall.png\n")
    # differences 6, 7, 5: mean 6, sd 1, and t with 2 degrees of freedom is 4.303, over √3
    assert "| scenes | discom | rgb | 3 | 57.0 ± 1.0 | +6.0 [+3.5, +8.5] |" in printed
    is_a_picture(tmp_path / "all.png")


def test_collected_results_show_the_same_table(several, tmp_path, capsys):
    assert run("show", several, "--collect", "held/mine.json") == 0
    first = capsys.readouterr().out
    assert run("show", "held/mine.json") == 0
    assert capsys.readouterr().out == first
    assert tables.load_results(tmp_path / "held/mine.json") == tables.load_results(several)
    assert run("show", "held/mine.json", "--collect", "again.json") == 0
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "held/mine.json").read_bytes()


# ---------------------------------------------------------------- reproduce


@pytest.mark.parametrize(("good", "status"), [(True, 0), (False, 1)])
def test_reproduce_hands_its_flags_on_and_says_whether_all_went_well(monkeypatch, good, status):
    calls = []
    monkeypatch.setattr(
        "discom.reproduce.run_notebooks", lambda *given, **more: calls.append((given, more)) or good
    )
    found = 0
    try:
        found = run("reproduce", "--notebooks", "book", "--profile", "tiny", "--data", "scenes:n=60", "--seeds", 3,
                    "--only", "03,07", "--workers", 2, "--again", "--dry_run", "--out", "copies")  # fmt: skip
    except SystemExit as stop:
        found = stop.code
    assert found == status
    ((given, more),) = calls
    assert tuple(map(str, given)) == ("book", "tiny", "copies")
    assert more.pop("engine").workers == 2
    assert more == {
        "data": "scenes:n=60",
        "seeds": 3,
        "only": "03,07",
        "again": True,
        "dry_run": True,
    }


# ---------------------------------------------------------------- help


def help_of(capsys, *command) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        run(*command, "--help")
    assert stop.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", cli.EXAMPLES)
def test_the_help_of_every_command_has_its_examples_line_by_line(capsys, name):
    printed = help_of(capsys, *name.split())
    examples = cli.EXAMPLES[name].splitlines()
    assert printed.splitlines()[-len(examples) :] == examples
    assert "examples:" in printed.splitlines()
    assert all(line.startswith(f"  discom {name} ") for line in examples)


def test_every_command_has_examples():
    assert set(cli.EXAMPLES) == {*cli.COMMANDS, *(f"data {name}" for name in cli.DATA_COMMANDS)}


def test_the_help_of_train_tells_of_every_setting(capsys):
    printed = help_of(capsys, "train")
    for field in dataclasses.fields(Config):
        assert re.search(rf"^  --{field.name} ", printed, re.MULTILINE), field.name


def test_the_help_of_train_tells_of_teachers_and_switches(capsys):
    printed = help_of(capsys, "train")
    for name in ("teacher", "as_published", "recompute"):
        assert re.search(rf"^  --{name}\b", printed, re.MULTILINE), name


def test_the_help_of_data_names_its_commands(capsys):
    printed = help_of(capsys, "data")
    assert all(re.search(rf"^ +{name} ", printed, re.MULTILINE) for name in cli.DATA_COMMANDS)


def test_python_dash_m_discom_is_the_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "discom", "--help"],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: discom ")
    for name in ("data", *cli.COMMANDS):
        assert re.search(rf"^ +{name} ", done.stdout, re.MULTILINE)


def test_the_help_waits_for_no_library_but_the_one_that_reads_the_command_line():
    """The time is that of the imports: torch alone takes seconds. Modules are counted, since
    seconds vary."""
    code = """import sys, discom.cli
try:
    discom.cli.main(["--help"])
except SystemExit:
    print(*sys.modules, file=sys.stderr)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in done.stderr.split()}
    packages = packages_distributions()
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    dependencies = {re.match(r"[\w-]+", line)[0] for line in needed}
    assert {name for module in loaded for name in packages.get(module, ())} & dependencies == {
        "jsonargparse"
    }


# ---------------------------------------------------------------- wrong input

TRAIN = ("train", "--data", SCENES, "--profile", "tiny")
WRONG = {
    "no command": ((), "command"),
    "an unknown command": (("fly",), "fly"),
    "no data command": (("data",), "data_command"),
    "an unknown flag": ((*TRAIN, "--colour", "red"), "--colour"),
    "a word for a number": ((*TRAIN, "--epochs", "many"), "epochs"),
    "no epochs": ((*TRAIN, "--epochs", "0"), "epochs: 0 is too small"),
    "a negative seed": ((*TRAIN, "--seed", "-1"), "seed: -1"),
    "an unknown schedule": ((*TRAIN, "--schedule", "cosine"), "schedule"),
    "a width that does not fit": ((*TRAIN, "--width", "8", "--channels_last", "true"), "width: 8"),
    "an unknown method": ((*TRAIN, "--method", "tutor"), "choose teacher, student, "),
    "no such teacher": (
        (*TRAIN, "--method", "kdv2", "--teacher", "nowhere"),
        "nowhere/result.json: no such result",
    ),
    "an unfinished teacher": (
        (*TRAIN, "--method", "dkd", "--teacher", "empty"),
        "train the run first",
    ),
    "a teacher of another modality": (
        (*TRAIN, "--method", "kdv1", "--options", '{"teacher": "sonar"}'),
        "'sonar'",
    ),
    "a word for a temperature": (
        (*TRAIN, "--method", "kdv1", "--options", '{"temperature": "hot"}'),
        "no float",
    ),
    "an option of another method": (
        (*TRAIN, "--method", "kdv2", "--options", '{"loops": 5}'),
        "has no 'loops'",
    ),
    "a value for a switch": ((*TRAIN, "--as_published", "yes"), "yes"),
    "an unknown profile": (("train", "--profile", "huge"), "choose tiny, cpu, paper"),
    "no such data": (("train", "--data", "nowhere", "--profile", "tiny"), "nowhere"),
    "an unknown argument of scenes": (
        ("train", "--data", "scenes:m=3", "--profile", "tiny"),
        "no argument 'm'",
    ),
    "a word for a number of scenes": (
        ("train", "--data", "scenes:n=many", "--profile", "tiny"),
        "many",
    ),
    "too few scenes": (
        ("train", "--data", "scenes:n=9,size=16", "--profile", "tiny"),
        "three are needed",
    ),
    "options that are no JSON": ((*TRAIN, "--options", "{bad"), "options"),
    "options that are a list": ((*TRAIN, "--options", "[1]"), "options"),
    "an unknown option": ((*TRAIN, "--options", '{"temperature": 4}'), "no 'temperature'"),
    "an unknown weight": ((*TRAIN, "--options", '{"weights": {"kd": 1}}'), "no term 'kd'"),
    "a modality that is not there": ((*TRAIN, "--modalities", "rgb+sound"), "sound"),
    "one modality for discom": ((*TRAIN, "--modalities", "rgb"), "needs two modalities"),
    "no such config": (("train", "--config", "nowhere.yaml"), "nowhere.yaml"),
    "a config with another key": (("train", "--config", "key.yaml"), "colour"),
    "a config with a wrong value": (("train", "--config", "value.yaml"), "epochs"),
    "a config that is no YAML": (("train", "--config", "broken.yaml"), "config"),
    "a config that is a list": (("train", "--config", "list.yaml"), "config"),
    "runs in a file": ((*TRAIN, "--runs", "key.yaml"), "key.yaml"),
    "an unknown data set": (("data", "prepare", "mnist"), "mnist"),
    "no root": (("data", "prepare", "hls"), "--root"),
    "a root without images": (("data", "prepare", "folders", "--root", "empty"), "empty"),
    "data that is no folder": (("data", "check", "key.yaml"), "key.yaml"),
    "data that is an empty folder": (("data", "check", "empty"), "empty"),
    "a picture in no folder": (("data", "show", SCENES, "--out", "nowhere/pairs.png"), "nowhere"),
    "no runs": (("show", "empty"), "no finished run"),
    "results that are no JSON": (("show", "broken.yaml"), "broken.yaml"),
    "an unknown profile of notebooks": (
        ("reproduce", "--profile", "huge"),
        "choose tiny, cpu, paper",
    ),
    "no notebooks": (("reproduce", "--notebooks", "empty", "--profile", "tiny"), "no notebook"),
}


@pytest.fixture
def inputs(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "key.yaml").write_text("colour: red\n")
    (tmp_path / "value.yaml").write_text("epochs: many\n")
    (tmp_path / "broken.yaml").write_text("epochs: [\n")
    (tmp_path / "list.yaml").write_text("- epochs\n")
    return sorted(tmp_path.rglob("*"))


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_input_is_one_line_with_status_2(inputs, tmp_path, capsys, what):
    arguments, named = WRONG[what]
    assert named in refused(capsys, *arguments)
    assert sorted(tmp_path.rglob("*")) == inputs  # and nothing was made


def test_an_unfinished_run_has_nothing_to_show(trained, tmp_path, capsys):
    shutil.copy(trained / "config.json", tmp_path / "config.json")
    assert "no such result; train the run first" in refused(capsys, "show", tmp_path)


def test_debug_shows_where_an_error_is_from():
    with pytest.raises(ConfigError, match="epochs: 0 is too small"):
        run("--debug", *TRAIN, "--epochs", "0")
    with pytest.raises(FileNotFoundError):
        run("--debug", "data", "show", SCENES, "--out", "nowhere/pairs.png")


def test_debug_may_stand_behind_the_command():
    with pytest.raises(ConfigError, match="epochs: 0 is too small"):
        run(*TRAIN, "--epochs", "0", "--debug")


# What a person can type, and must not end in a traceback.
TYPED = {
    "no columns": ("data", "show", SCENES, "--columns", "0"),
    "an unknown ending": ("data", "show", SCENES, "--out", "pairs.abc"),
    "a negative split seed": ("data", "prepare", SCENES, "--split_seed", "-1"),
    "a word for a weight": (*QUICK, "--options", '{"weights": {"cl": "much"}}'),
    "a word for a strength": (*TRAIN, "--epochs", "1", "--options", '{"grl_lambda": "strong"}'),
}


@pytest.mark.parametrize("what", TYPED)
def test_a_wrong_input_ends_in_no_traceback(capsys, what):
    refused(capsys, *TYPED[what])


def test_a_picture_of_runs_without_discom_is_refused_in_one_line(trained, capsys):
    refused(capsys, "show", trained.parents[2], "--out", "all.png")


@pytest.mark.parametrize("name", ["predictions.npz", "metrics.csv"])
def test_a_run_with_a_damaged_file_is_refused_in_one_line(trained, tmp_path, capsys, name):
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(b"")
    assert name in refused(capsys, "show", tmp_path / "run", "--out", "run.png")
