"""The command line: what words ask for, help, suggestions, exit statuses and one-line errors, and
what the commands leave behind."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from itertools import chain
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import confusion_matrix, recall_score

from discom import cli, data, fit, methods
from discom.cli import flags
from discom.config import Config, profile
from discom.errors import ConfigError, DataError
from discom.running.runs import Result, read_predictions
from discom.tables.rows import NUMBERS
from faulty import write_faulty

SCENES = "scenes:n=66,size=16"
QUICK = ["train", "--data", SCENES, "--method", "student", "--profile", "tiny", "--epochs", "1"]
TRAIN = ("train", "--data", SCENES, "--profile", "tiny")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Every command runs in an empty folder, and leaves no figures behind."""
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


def run(*arguments) -> int:
    return cli.main([str(argument) for argument in arguments])


def refused(capsys, *arguments) -> str:
    """The one line on stderr of a command that ends with status 2."""
    capsys.readouterr()
    assert run(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("discom: error: ")


def is_a_picture(file) -> None:
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10  # lines, texts and their soft edges


def content(folder) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


SETTINGS = {"epochs": 3, "batch_size": 16, "learning_rate": 0.03, "width": 32}
SETTINGS |= {"labelled": 0.5, "options": {"on": "yes", "border": "2_10", "far": 1e-3}}
SETTINGS |= {"schedule": "constant", "encoder": "resnet18", "precision": "bf16-mixed"}
SETTINGS |= {"augment": 0.25, "weight_decay": 0.01, "channels_last": True, "accelerator": "cpu"}
SETTINGS |= {"network": "unet:resnet18", "pretrained": "imagenet", "encoder_rate": 0.5}
SETTINGS |= {"class_weights": "balanced", "select": "last"}


def test_every_setting_is_a_flag_with_either_spelling(flags_of):
    assert set(SETTINGS) == {field.name for field in dataclasses.fields(Config)} - {"seed", "dense"}
    assert all(getattr(profile("tiny"), name) != value for name, value in SETTINGS.items())
    for sign in "_-":
        texts = {f"--{name.replace('_', sign)}": value for name, value in SETTINGS.items()}
        words = [v if isinstance(v, str) else json.dumps(v) for v in texts.values()]
        given = flags_of("train", *chain(*zip(texts, words, strict=True)))
        assert given["settings"] == {"seed": 0, **SETTINGS}
    assert flags_of("train")["settings"] == {"seed": 0}  # what is not given is the profile's


def help_of(capsys, *words) -> str:
    capsys.readouterr()
    assert run(*words) == 0
    return capsys.readouterr().out


def flags_in(text: str) -> dict[str, str]:
    """Flag → what the help says of it, without those of help itself."""
    lines = re.findall(r"^  --([a-z-]+)(?: [A-Z_ ]+)?  (.*)$", text, re.MULTILINE)
    return dict(lines)


@pytest.mark.parametrize("name", flags.COMMANDS)
def test_help_has_one_line_for_each_flag_with_its_default(capsys, name):
    short, full = (help_of(capsys, *name.split(), flag) for flag in ("--help", "--help-all"))
    assert set(flags_in(short)) <= set(flags_in(full))
    assert len(flags_in(short)) <= 15
    for text in (short, full):
        for flag, meaning in flags_in(text).items():
            usual = flags.FLAGS.get(flag.replace("-", "_"), (None, None))[1]
            assert "[default: " in meaning or usual is False
            assert usual in (None, False) or f"[default: {usual}" in meaning
        listed = text.partition("\nOptions:\n")[2].partition("\n\n")[0].splitlines()
        assert len(listed) == len(flags_in(text)) + 1  # none goes on in a second line


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["data"], ["data", "--help"]])
def test_without_a_command_help_lists_the_commands(capsys, words):
    listed = help_of(capsys, *words).partition("Commands:\n")[2].splitlines()
    last = [name.split()[-1] for name in flags.COMMANDS if name.startswith("data ")]
    first = {name.split()[0] for name in flags.COMMANDS}
    assert [line.split()[0] for line in listed] == sorted(last if "data" in words else first)


def test_the_version(capsys):
    assert re.fullmatch(r"discom \d+\.\d+\S*\n", help_of(capsys, "--version"))


def test_help_is_quick_since_it_loads_no_torch():
    code = "import sys, discom.cli; discom.cli.main(['train', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "numpy", "pandas", "matplotlib", "joblib", "papermill"}
    assert not heavy & set(done.stdout.splitlines()[-1].split())


def test_python_without_docstrings_has_every_flag():
    command = [sys.executable, "-OO", "-m", "discom", "train", "--help-all"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(flags_in(done.stdout)) >= {name.replace("_", "-") for name in SETTINGS}


def test_the_tables_that_may_be_asked_for_are_those_there_are():
    assert tuple(flags.NUMBER.choices) == NUMBERS


OWN = ("data", "prepare", "folders", "--root", "images", "--out", "mine", "--options")
WRONG = [
    # names that are nearly right
    (("trian",), "No such command 'trian'. Did you mean 'train'?"),
    (("train", "--epoch", "3"), "No such option '--epoch'. Did you mean '--epochs'?"),
    (("train", "--method", "dicsom"), "discom"),
    (("train", "--data", "sceens"), "did you mean scenes?"),
    # values of another kind, or out of range
    ((*TRAIN, "--epochs", "ten"), "'--epochs': 'ten' is not a valid integer"),
    ((*TRAIN, "--options", "{bad"), "'--options': '{bad' is not a JSON object"),
    ((*TRAIN, "--options", '{"grl_lambda": NaN}'), "grl_lambda"),
    ((*TRAIN, "--data", ""), "'--data': is empty; give it a value"),
    ((*TRAIN, "--runs="), "'--runs': is empty; give it a value"),
    (("table",), "Missing argument 'NUMBER'"),
    (("table", "²"), "'²' is not one of '1', '2'"),
    (("table", "1", "--data", SCENES, "--methods", "student,"), "method: '' is unknown"),
    ((*TRAIN, "--epochs", "0"), "epochs: 0; give"),
    ((*TRAIN, "--seed", "-1"), "'--seed': -1 is not in the range"),
    ((*TRAIN, "--learning-rate", "nan"), "learning_rate: nan; give"),
    ((*TRAIN, "--runs", "empty.npy"), "empty.npy"),
    (("table", "1", "--data", SCENES, "--seeds", "0"), "'--seeds': 0 is not in the range x>=1"),
    (("table", "1", "--data", SCENES, "--seeds", "1", "--methods", "teacher,dicsom"), "dicsom"),
    (("data", "show", SCENES, "--out", "pairs.abc"), "name a .png, .pdf or .svg"),
    (("data", "show", SCENES, "--out", "."), "name a .png, .pdf or .svg"),
    # options of readers
    (("data", "prepare", "eurosat", "--options", '{"a": 1}'), "eurosat has no option 'a'"),
    (("data", "prepare", SCENES, "--size", "8"), f"--options: '{SCENES}' takes none of them"),
    (("data", "prepare", SCENES, "--download"), f"--options: '{SCENES}' takes none of them"),
    (("data", "prepare", "folders"), "no such folder (--root). Name your images: --root"),
    (("data", "prepare", "folders", "--download"), "cannot be downloaded"),
    ((*OWN, '{"b": 1}'), "folders has no option 'b'; it has size, unit, invalid, group_copies"),
    ((*OWN, '{"unit": "mm"}'), "unit: 'mm'; give"),
    (
        (*OWN, '{"invalid": {"depth": 1e999}}'),
        "invalid: {'depth': inf}; give",
    ),
    ((*OWN, '{"size": 2.5}'), "size: 2.5; give"),
    ((*OWN, '{"size": [8]}'), "size: [8] has 1 sides"),
    # files and folders
    (("show", "nowhere"), "nowhere: no such file or folder"),
    (("show", "empty"), "empty: no finished run"),
    (("show", "noise.json"), "noise.json: not valid JSON"),
    (("show", "list.json"), "list."),
    (("probe", "empty"), "empty: no finished run"),
    (("probe", "list.json"), "list."),
    (("export", "empty"), "empty: no finished run"),
    (("predict", "noise.json", "empty.npy"), "noise.json: not by discom export"),
    (("data", "check", "empty"), "empty: has no folder; expected"),
    (("data", "check", "noise.json"), "noise.json: no such folder"),
    (("data", "check", "images"), "images/rgb/a/0.png: cannot be read as an image"),
    (("data", "show", SCENES, "--out", "folder.png"), "folder.png: is a folder; name a file"),
    (("data", "show", SCENES, "--out", "noise.json/pairs.png"), "noise.json"),
    (("data", "prepare", SCENES, "--out", "noise.json"), "noise.json: exists and was not made"),
    (("data", "prepare", SCENES, "--out", "noise.json/x"), "noise.json"),
    (("reproduce",), "notebooks: no such folder with discom's notebooks"),
]


@pytest.mark.parametrize(("words", "fragment"), WRONG, ids=str)
def test_a_wrong_input_is_one_plain_line_with_status_2(tmp_path, capsys, words, fragment):
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.npy").touch()
    (tmp_path / "noise.json").write_bytes(bytes(range(256)))
    (tmp_path / "list.json").write_text('[{"checksum": 1}, 2]')
    (tmp_path / "images/rgb/a").mkdir(parents=True)
    (tmp_path / "images/rgb/a/0.png").write_bytes(b"no picture")
    inputs = sorted(tmp_path.rglob("*"))
    line = refused(capsys, *words)
    assert fragment in line
    assert sorted(tmp_path.rglob("*")) == inputs  # and nothing was written


def test_a_poor_terminal_and_a_backend_of_nonsense_do_no_harm(tmp_path):
    odd = {"PYTHONIOENCODING": "ascii", "MPLBACKEND": "nonsense"}
    command = [sys.executable, "-m", "discom", "data", "show", "scenes:n=9,size=8", "--out", "Δ"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **odd})
    assert (done.returncode, done.stdout) == (0, "?.png\n"), done.stderr
    is_a_picture(tmp_path / "Δ.png")


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: np.empty(2**60),
        lambda: torch.empty(2**50),
        lambda: Image.fromarray(np.zeros((8, 8))).resize((2**70, 2**70)),
    ],
)
def test_more_than_the_memory_is_one_line(capsys, monkeypatch, allocate):
    monkeypatch.setattr(data, "load", lambda *given, **named: allocate())
    assert refused(capsys, "data", "check", SCENES).startswith("too large (")


@pytest.mark.parametrize("fault", ["cannot allocate a name", "the list is too big", "0 by 0"])
def test_a_fault_of_ours_is_shown_as_one(monkeypatch, fault):
    """Whatever had "allocate" or "too big" in its text was sold as too large images."""

    def fail(*given, **named):
        raise ZeroDivisionError(fault)

    monkeypatch.setattr(data, "load", fail)
    with pytest.raises(ZeroDivisionError):
        run("data", "check", SCENES)


# ------------------------------------------------------------------------------ names and places


def test_a_path_is_the_folder_a_colon_is_ours_and_the_bare_name_is_refused(tmp_path, capsys):
    own = data.load("scenes:n=36,size=8,shapes=2,seed=9")
    own.save("scenes")
    for place in ("./scenes", "scenes/", str(tmp_path / "scenes"), Path("scenes")):
        assert data.load(place).fingerprint == own.fingerprint
        assert data.load(place, seed=3).fingerprint == own.fingerprint
        assert data.locate(place).resolve() == tmp_path / "scenes"
    assert data.load("scenes:n=9", seed=3).drawn["seed"] == 3
    assert data.locate("scenes:") is None
    for question in (data.load, data.locate):
        with pytest.raises(DataError, match=r"write \./scenes for the folder, scenes: for"):
            question("scenes")
    line = "scenes: is a data set of discom and a folder here; write ./scenes for the folder, "
    assert refused(capsys, "train", "--data", "scenes") == line + "scenes: for discom's"


def test_a_public_set_and_a_folder_of_its_name(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("DISCOM_DATA", raising=False)
    ours, own = (data.load(f"scenes:n=30,size=8,seed={seed}") for seed in (0, 1))
    ours.save("data/eurosat")
    assert data.load("eurosat").fingerprint == ours.fingerprint
    own.save("eurosat")
    for command in ("check", "prepare"):
        line = refused(capsys, "data", command, "eurosat")
        assert "write ./eurosat for the folder, eurosat: for" in line
    assert data.load("eurosat:").fingerprint == ours.fingerprint
    assert data.load("./eurosat").fingerprint == own.fingerprint
    assert "takes no arguments" in refused(capsys, "data", "check", "eurosat:n=3")
    words = ("data", "prepare", "eurosat", "--root", "eurosat")  # that says which
    assert "eurosat: holds no class folders" in refused(capsys, *words)
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path))  # the folder here is the prepared set
    assert data.load("eurosat").fingerprint == own.fingerprint
    monkeypatch.delenv("DISCOM_DATA")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")  # a folder's name changes nothing
    with pytest.raises(DataError, match="data/eurosat: not prepared yet"):
        data.load("eurosat")
    assert data.load("../data/eurosat").fingerprint == ours.fingerprint


def test_prepared_data_are_written_here_and_never_further_up(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("DISCOM_DATA", raising=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/README.md").touch()
    here = tmp_path / "work"
    here.mkdir()
    monkeypatch.chdir(here)
    assert run("data", "prepare", SCENES) == 0
    assert capsys.readouterr().out.startswith("data/scenes: 66 samples")
    assert (here / "data/scenes/manifest.json").is_file()
    assert list((tmp_path / "data").iterdir()) == [tmp_path / "data/README.md"]
    data.load(SCENES).save(tmp_path / "data/hls")
    with pytest.raises(DataError, match="data/hls: not prepared yet"):
        data.load("hls")
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path / "data"))
    assert len(data.load("hls")) == 66


# ------------------------------------------------------------------------------------ what is done


def test_debug_shows_where_an_error_is_from():
    for words in (["--debug", *TRAIN, "--epochs", "0"], [*TRAIN, "--epochs", "0", "--debug"]):
        with pytest.raises(ConfigError, match="epochs: 0; give"):
            run(*words)


def test_an_interruption_ends_with_status_130(capsys, monkeypatch):
    def stop(path, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "load", stop)
    assert run("data", "check", SCENES) == 130
    assert capsys.readouterr().err == "discom: interrupted; the same command goes on\n"


def test_warnings_are_one_line_each_and_their_printing_stays_the_callers(capsys, monkeypatch):
    def warn(flags):
        warnings.warn("bands:\n0 is constant", stacklevel=1)

    before = warnings.showwarning
    monkeypatch.setitem(flags.COMMANDS, "data list", (warn, ""))
    assert run("data", "list") == 0
    assert capsys.readouterr().err == "discom: warning: bands: 0 is constant\n"
    assert warnings.showwarning is before


def test_prepared_scenes_load_as_they_were_and_are_checked(tmp_path, capsys):
    words = ("data", "prepare", SCENES, "--out", "here")
    assert run(*words) == 0
    sizes = "rgb 66×3×16×16, depth 66×1×16×16"
    expected = f"here: 66 samples in 9 classes, 66 complete pairs; {sizes}\n"
    assert capsys.readouterr().out == expected
    assert data.load(tmp_path / "here").fingerprint == data.load(SCENES).fingerprint
    assert list(tmp_path.iterdir()) == [tmp_path / "here"]
    assert "--overwrite" in refused(capsys, *words)
    assert run(*words, "--overwrite") == 0
    capsys.readouterr()
    assert run("data", "check", "here") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == expected.strip()
    assert int(lines[1].removeprefix("checksums compared: ")) > 3
    parts = data.load(SCENES).split()._asdict()
    counts = [f"{name}: {len(part)} samples" for name, part in parts.items()]
    assert [line.strip().partition(",")[0] for line in lines[2:]] == counts
    (tmp_path / "here/labels.npy").write_bytes(b"damaged")
    assert "labels.npy" in refused(capsys, "data", "check", "here")


def test_prepare_states_units_and_groups_the_copies_of_a_persons_own_images(tmp_path):
    faults = write_faulty("my", data.load("scenes:n=66,size=32,seed=0"), 0)
    said = '{"unit": {"depth": "mm"}, "invalid": {"depth": 0}, "group_copies": true}'
    words = ("data", "prepare", "folders", "--root", "my", "--size", 32, "--options", said)
    assert run(*words, "--out", "mine") == 0
    mine = data.load("mine")
    assert (mine.modalities["depth"].unit, mine.modalities["depth"].invalid) == ("mm", 0)
    group_of = dict(zip(mine.ids, mine.groups, strict=True))
    assert all(group_of[one] == group_of[f"{one}-copy"] for one in faults["copied"])
    assert len(set(mine.groups)) == len(mine) - len(faults["copied"])


def test_check_warns_of_what_to_look_at(tmp_path, capsys):
    drawn = data.scenes.make(n=66, size=16)
    split, rgb, depth = drawn.split(seed=2), drawn.modalities["rgb"], drawn.modalities["depth"]
    one, two = split.train.ids[0], split.test.ids[0]
    colours, distances = rgb.x.copy(), depth.x.copy()
    colours[rgb.ids == two] = 0.8 * colours[rgb.ids == one]  # a copy in the test part of seed 2
    distances[6] = 0.5
    flat, alone = depth.ids[[6, 7]]
    modalities = {
        "rgb": data.Modality(colours, rgb.y, rgb.ids),
        "depth": data.Modality(distances, depth.y, depth.ids).take(np.delete(np.arange(66), 7)),
    }
    data.MultiModalData(modalities, drawn.classes).save(tmp_path / "faulty")
    assert run("data", "check", "faulty", "--seed", 2) == 0
    warned = capsys.readouterr().err.splitlines()
    for name, ids, what in (
        ("rgb", [alone], "no partner"),
        ("depth", [flat], "no structure"),
        ("rgb", [f"{one} (train)", f"{two} (test)"], "near-copies in two parts"),
    ):
        prefix = f"discom: warning: faulty/{name}: "
        (line,) = (line for line in warned if line.startswith(prefix) and what in line)
        assert all(sample in line for sample in ids)


def test_show_of_data_draws_a_picture(tmp_path, capsys):
    assert run("data", "show", SCENES, "--out", "new/look") == 0
    assert capsys.readouterr().out.splitlines() == ["new/look.png"]
    is_a_picture(tmp_path / "new/look.png")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with one run of `student` that the command line trained."""
    runs = tmp_path_factory.mktemp("trained") / "runs"
    assert run(*QUICK, "--runs", runs) == 0
    return next(runs.rglob("result.json")).parent


def test_train_reads_its_data_once(tmp_path, monkeypatch):
    calls = []
    make = data.DRAWN["scenes"]

    def counted(n: int = 0, size: int = 0, seed: int = 0):
        calls.append(seed)
        return make(n, size, seed)

    monkeypatch.setitem(data.DRAWN, "scenes", counted)
    assert run(*QUICK, "--seed", "5") == 0
    assert calls == [5]


def test_train_prints_its_folder_and_scores_and_trains_once(trained, capsys, monkeypatch):
    monkeypatch.setattr(methods.Student, "loss", None)  # a training would end here
    before = content(trained)
    assert run(*QUICK, "--runs", trained.parents[2]) == 0
    result, lines = Result.read(trained / "result.json"), capsys.readouterr().out.splitlines()
    assert lines[0] == str(trained)
    assert (result.method, result.seed, result.config["epochs"]) == ("student", 0, 1)
    assert lines[1].startswith("student on scenes, seed 0: ")
    for line, (name, scores) in zip(lines[3:], result.scores.items(), strict=True):
        assert line.split()[0] == name
        assert f"{scores['f1']:.2f}" in line.split()
    assert content(trained) == before


@pytest.fixture
def asked(monkeypatch):
    """The runs that would have been trained."""
    runs = []

    def note(run, images, *, progress):
        assert images.origin_at(run.config.seed) == run.origin
        runs.append(run)

    monkeypatch.setattr("discom.cli.commands.show", lambda *_, **__: None)
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
    (asked_for,) = asked
    assert asked_for.source == "scenes-dense:"
    expected = profile("tiny", dense=True, seed=3)
    assert dataclasses.replace(asked_for.config, options={}) == expected


def test_show_a_run_and_draw_its_curves(trained, tmp_path, capsys):
    assert run("show", trained, "--out", "run.png") == 0
    printed, arrays = capsys.readouterr().out, read_predictions(trained / "predictions.npz")
    for name in ("rgb", "depth"):
        truth, ids = arrays[f"{name}_labels"], arrays[f"{name}_logits"].argmax(1)
        counts, recalls = confusion_matrix(truth, ids), recall_score(truth, ids, average=None)
        table = printed.partition(f"\n{name}: each true class")[2].splitlines()[2:]
        for k, (row, recall) in enumerate(zip(counts, recalls, strict=True)):
            cells = [f"{row.sum()}", f"{100 * recall:.1f}"]
            cells += [f"{100 * count / row.sum():.0f}" for count in row]
            assert table[k].split() == [str(k), arrays["classes"][k], *cells]
    assert "run.png" in printed
    is_a_picture(tmp_path / "run.png")


@pytest.mark.parametrize("name", ["predictions.npz", "metrics.csv", "result.json"])
def test_a_run_with_a_damaged_file_is_refused_in_one_line(trained, tmp_path, capsys, name):
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(b"")
    assert name in refused(capsys, "show", "run", "--out", "run.png")


def test_one_split_with_many_first_weights_is_exported_and_probed(tmp_path, capsys):
    """Its parts were taken by the run's own seed, and so from another split."""
    data.load("scenes:n=270,size=8,seed=0").save("one")
    split = data.load("one").split(seed=5)
    for method in ("student", "discom"):
        result = fit(method, split, profile("tiny", epochs=1), tmp_path / method, progress=False)
        assert (result.seed, result.divided, result.parts) == (0, 5, (5, 0, 0))
    assert run("export", "student", "--data", "one", "--modality", "rgb", "--out", "model") == 0
    assert run("probe", "discom", "--data", "one") == 0


def test_show_a_folder_of_runs_compares_and_collects_them(trained, tmp_path, capsys):
    base = Result.read(trained / "result.json")
    for method, f1 in (("student", (50.0, 51.0, 52.0)), ("discom", (56.0, 58.0, 57.0))):
        for seed in range(3):
            scores = {name: {**row, "f1": f1[seed]} for name, row in base.scores.items()}
            changes = {"scores": scores, "config": {**base.config, "seed": seed}}
            result = dataclasses.replace(base, method=method, seed=seed, code="aa", **changes)
            folder = tmp_path / "runs/scenes" / method / f"{seed}-aa"
            folder.mkdir(parents=True)
            (folder / "result.json").write_text(json.dumps(result.to_json()))
    assert run("show", "runs", "--out", "all.png", "--collect", "all.json") == 0
    printed = capsys.readouterr().out
    # differences 6, 7, 5: mean 6, sd 1, and t with 2 degrees of freedom is 4.303, over √3
    assert "57.0 ± 1.0 | +6.0 [+3.5, +8.5] |" in printed
    is_a_picture(tmp_path / "all.png")
    assert run("show", "all.json") == 0
    assert printed.startswith(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "found"),
    [(("2", "--data", "scenes"), "drawn anew"), (("4", "--data", "scenes"), "table 4 reads parts")],
)
def test_folds_are_refused_where_they_make_no_sense(words, found, capsys):
    assert run("table", *words, "--folds", 3, "--dry-run") == 2
    assert found in capsys.readouterr().err
