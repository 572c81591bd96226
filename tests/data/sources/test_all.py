"""What holds for every public set: from raw files to a folder that trains, by the commands that
people type."""

import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discom import cli, files, fit, profile
from discom.data import MultiModalData, lazy, load
from discom.data.lazy import Lazy
from discom.data.prepared import MANIFEST, verify
from discom.data.sources import SOURCES, source
from discom.errors import DataError

README = Path(__file__).parents[3] / "data" / "README.md"
SETS = ("eurosat", "sunrgbd", "tristar", "nyuv2", "potsdam", "midair", "hls-dense", "pothole")
PAPER = {"eurosat": ("MS", "SAR"), "sunrgbd": ("RGB", "DEPTH"), "tristar": ("THERMAL", "DEPTH")}
MADE = {"sunrgbd": {"frames": 6}}  # enough of each class for three parts
OPTIONS = {
    "potsdam": {"window": 16},
    "midair": {"size": 32},
    "sunrgbd": {"size": 32},
    "pothole": {"size": [24, 40]},
}
DENSE = ("nyuv2", "potsdam", "midair", "hls-dense", "pothole")
REAL = dict(SOURCES)


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    """Name of a set → the folder with its small raw files, made once."""
    made = {}

    def root(name: str) -> Path:
        if name not in made:
            fixture = importlib.import_module(f"fixtures.{name.removesuffix('-dense')}")
            made[name] = fixture.make(tmp_path_factory.mktemp("raw") / name, **MADE.get(name, {}))
        return made[name]

    return root


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # the size and checksum of the real file, which a made one cannot have
    monkeypatch.setitem(SOURCES, "nyuv2", replace(REAL["nyuv2"], files=()))


def prepare(name, root, *more) -> int:
    options = ["--options", json.dumps(OPTIONS[name])] if name in OPTIONS else []
    return cli.main(["data", "prepare", name, "--root", str(root), *options, *map(str, more)])


# ---------------------------------------------------------------- from raw files to a folder


@pytest.mark.parametrize("name", SETS)
def test_prepare_check_and_show_as_a_reader_types_them(name, raw, tmp_path, capsys, clean_slate):
    assert prepare(name, raw(name)) == 0
    capsys.readouterr()
    assert cli.main(["data", "check", name]) == 0
    compared = len(os.listdir(f"data/{name}")) - 1  # every file but the manifest
    assert f"checksums compared: {compared}" in capsys.readouterr().out
    assert cli.main(["data", "show", f"data/{name}", "--out", "pairs.png"]) == 0
    assert {"pairs.png", "pairs-classes.png", "pairs-values.png"} <= set(os.listdir(tmp_path))
    manifest = json.loads(Path("data", name, MANIFEST).read_text())
    assert {"source", "licence", "dropped", "invalid values", "options"} <= set(manifest["about"])
    assert manifest["about"]["options"] == OPTIONS.get(name, {})
    assert sum(manifest["counts"].values()) == len(load(name))
    assert set(manifest["checksums"]) == set(os.listdir(Path("data", name))) - {MANIFEST}
    for modality, unit in manifest["units"].items():
        assert unit or modality == "rgb"  # colours have none


@pytest.mark.parametrize("name", SETS)
def test_the_folder_holds_what_the_reader_gave(name, raw, tmp_path):
    read = SOURCES[name].read(raw(name), None, **OPTIONS.get(name, {}))
    assert all(isinstance(modality.x, Lazy) for modality in read.modalities.values())
    read.save(tmp_path / "out")
    held = MultiModalData.open(tmp_path / "out")
    assert held.fingerprint == read.fingerprint  # the same pixels, labels, ids, groups and parts
    assert held.name == read.name
    assert held.dense == (name in DENSE)
    for modality, found in held.modalities.items():
        assert found.x.dtype == read.modalities[modality].x.dtype
        assert (found.unit, found.invalid) == (
            read.modalities[modality].unit,
            read.modalities[modality].invalid,
        )
    assert held.ids.tolist() == held.paired_ids.tolist()


@pytest.mark.parametrize("name", SETS)
def test_a_modality_alone_is_the_same_as_in_the_pair(name, raw):
    both = SOURCES[name].read(raw(name), None, **OPTIONS.get(name, {}))
    for modality in both.modalities:
        alone = SOURCES[name].read(raw(name), [modality], **OPTIONS.get(name, {}))
        assert list(alone.modalities) == [modality]
        np.testing.assert_array_equal(alone.modalities[modality].x, both.modalities[modality].x)
        assert modality in alone.name
        assert alone.name != both.name


@pytest.mark.parametrize("name", SETS)
def test_every_split_that_a_set_offers_leaves_no_id_in_two_parts(name, raw):
    data = SOURCES[name].read(raw(name), None, **OPTIONS.get(name, {}))
    offered = (
        ["official"] * (data.parts is not None)
        + ["grouped"] * (data.groups is not None)
        + ["random"]
    )
    assert len(offered) > 1 or name == "eurosat"
    if name == "pothole":
        offered.remove(
            "grouped"
        )  # three sets, of which two hold nearly all; refused, see its own tests
    for kind in offered:
        parts = data.protocol(kind).split(seed=0)
        ids = [set(part.ids) for part in parts]
        assert sum(map(len, ids)) == len(set.union(*ids)) == len(data)
        if kind == "grouped":
            groups = [set(part.groups) for part in parts]
            assert sum(map(len, groups)) == len(set.union(*groups))
    if name in PAPER:
        assert data.protocol("random").name == name  # the name alone is the paper's protocol


# ---------------------------------------------------------------- the released code's form, and
# training


@pytest.mark.parametrize("name", PAPER)
def test_the_released_codes_files(name, raw):
    """Its own steps: np.load of two image files, the labels and three index files, then plain
    indexing."""
    assert prepare(name, raw(name), "--out", "fixed", "--split", "random", "--split_seed", 0) == 0
    first, second = (np.load(f"fixed/{modality}_data_normalized.npy") for modality in PAPER[name])
    labels = np.load("fixed/labels.npy")
    index = [np.load(f"fixed/{part}_idx.npy") for part in ("train", "valid", "test")]
    assert first.dtype == second.dtype == np.float32
    assert len(first) == len(second) == len(labels)
    assert (min(first.min(), second.min()), max(first.max(), second.max())) == (0, 1)
    assert sorted(np.concatenate(index)) == list(range(len(labels)))
    ours = (
        SOURCES[name]
        .read(raw(name), None, **OPTIONS.get(name, {}))
        .protocol("random")
        .split(seed=0)
    )
    for rows, part in zip(index, ours, strict=True):
        assert labels[rows].tolist() == part.labels.tolist()
        np.testing.assert_array_equal(first[rows], part.images(PAPER[name][0].lower()))
    assert sorted(os.listdir()) == ["fixed"]  # nothing of the first step is left


def test_the_whole_array_rule_is_the_released_preparations(raw, capsys):
    assert (
        prepare(
            "eurosat", raw("eurosat"), "--out", "fixed", "--split_seed", 0, "--scaling", "whole"
        )
        == 0
    )
    assert (
        capsys.readouterr().err.count(
            "warning: eurosat: scaling=whole takes its bounds from the test part"
        )
        == 1
    )
    assert prepare("eurosat", raw("eurosat"), "--out", "plain") == 0
    x = np.load("plain/SAR_data.npy")
    low, high = (
        np.percentile(x, q, axis=(0, 2, 3))[:, None, None] for q in (2, 98)
    )  # clip, then scale, per band
    expected = (np.clip(x, low, high) - low) / (high - low)
    np.testing.assert_allclose(np.load("fixed/SAR_data_normalized.npy"), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPER)
def test_a_network_trains_on_it(name, raw, tmp_path):
    assert prepare(name, raw(name)) == 0
    split = load(f"{name}:split=random").split(seed=0)
    result = fit("discom", split, profile("tiny", epochs=1), tmp_path / "run", progress=False)
    assert result.data == name
    assert set(result.f1) == {modality.lower() for modality in PAPER[name]}


@pytest.mark.slow
def test_tables_1_and_2_run_by_name_with_the_papers_figures_beside(raw, capsys):
    assert prepare("eurosat", raw("eurosat")) == 0
    assert (
        cli.main(
            ["table", "2", "--data", "eurosat", "--profile", "tiny", "--seeds", "1", "--dry_run"]
        )
        == 0
    )
    assert "15 runs" in capsys.readouterr().out
    command = "table 1 --data eurosat --profile tiny --epochs 1 --batch_size 16 --seeds 1 --out t1"
    assert cli.main(command.split()) == 0
    table = Path("t1.md").read_text()
    assert "| eurosat | teacher | ms | 1 |" in table
    assert "| 95.5 |" in table  # the paper's teacher


# ---------------------------------------------------------------- memory and interruption


@pytest.mark.parametrize("name", SETS)
def test_memory_does_not_grow_with_the_number_of_samples(name, raw, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CHUNK_BYTES", 1 << 16)
    data = SOURCES[name].read(raw(name), None, **OPTIONS.get(name, {}))
    peaks = []
    for times in (1, 12):
        rows = np.tile(np.arange(len(data)), times)
        views = {
            key: replace(m, x=lazy.Rows(m.x, rows), y=m.y[rows], ids=np.arange(len(rows)))
            for key, m in data.modalities.items()
        }
        masks = None if data.masks is None else lazy.Rows(data.masks, rows)
        larger = MultiModalData(views, data.classes, masks=masks, name=f"times{times}")
        tracemalloc.start()
        larger.save(tmp_path / str(times))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    size = sum(file.stat().st_size for file in (tmp_path / "12").iterdir())
    assert peaks[1] < peaks[0] + max(0.2 * size, 1 << 17), (peaks, size)


KILLED = """
import os, signal, sys
from discom import cli
from discom import files
from discom.data import lazy
files.CHUNK_BYTES, left, row = 1, int(sys.argv[1]), lazy.Lazy._row
def read(self, number):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return row(self, number)
lazy.Lazy._row = read
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["eurosat", "potsdam"])
def test_killed_at_any_moment_it_goes_on_and_never_loads_incomplete(name, raw, tmp_path):
    options = ["--options", json.dumps(OPTIONS[name])] if name in OPTIONS else []
    command = [
        "data",
        "prepare",
        name,
        "--root",
        str(raw(name)),
        "--out",
        str(tmp_path / "out"),
        *options,
    ]
    for moment in (3, 20, 37):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(moment), *command], capture_output=True, check=False
        )
        assert killed.returncode == -signal.SIGKILL
        with pytest.raises(DataError):
            load(tmp_path / "out")
    assert cli.main(command) == 0
    assert verify(tmp_path / "out") >= 4
    whole = SOURCES[name].read(raw(name), None, **OPTIONS.get(name, {}))
    assert load(tmp_path / "out").fingerprint == whole.fingerprint


# ---------------------------------------------------------------- the list


def test_the_page_of_the_data_sets_has_the_table_of_the_code(capsys, monkeypatch):
    monkeypatch.setitem(SOURCES, "nyuv2", REAL["nyuv2"])
    assert cli.main(["data", "list", "--markdown"]) == 0
    assert capsys.readouterr().out.strip() in README.read_text(), (
        "make it again with: discom data list --markdown"
    )


def test_the_list_says_what_is_prepared(raw, capsys):
    assert prepare("eurosat", raw("eurosat")) == 0
    capsys.readouterr()
    assert cli.main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(SOURCES)
    assert [
        line.endswith("prepared in data/eurosat") for line in lines if line.startswith("eurosat")
    ] == [True]
    assert sum(line.endswith("not prepared here") for line in lines) == len(SOURCES) - 1
    for one in SOURCES.values():
        for words in (one.size, one.licence, one.access, one.page):
            assert any(words in line for line in lines)


@pytest.mark.parametrize("name", SETS)
def test_a_source_says_all_that_a_reader_asks(name):
    one = REAL[name]
    assert isinstance(one, source.Source)
    assert list(inspect.signature(one.read).parameters)[:2] == ["root", "modalities"]
    assert one.by_hand or one.files
    for file in one.files:
        assert all(url.startswith("https://") or file.checksum for url in file.urls)
        kind, _, digits = (file.checksum or "md5:" + "0" * 32).partition(":")
        assert len(digits) == {"md5": 32, "sha256": 64}[kind]


@pytest.mark.parametrize("name", SETS)
def test_a_set_that_is_not_there_is_an_advice_in_one_line(name, capsys):
    assert cli.main(["data", "check", name]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"discom: error: data/{name}: not prepared yet: discom data prepare {name} --root RAW. "
    )
    assert len(said.splitlines()) == 1
    assert cli.main(["data", "prepare", name]) == 2
    assert f"data/raw/{name}: no such folder (--root)" in capsys.readouterr().err


def test_a_folder_that_is_scaled_already_is_not_scaled_again(raw, capsys):
    assert prepare("eurosat", raw("eurosat"), "--split_seed", 0) == 0
    assert os.listdir("data") == ["eurosat-0"]
    for more in (
        ("--split_seed", "1"),
        ("--split", "grouped"),
        ("--split_seed", "1", "--scaling", "whole"),
    ):
        assert cli.main(["data", "prepare", "data/eurosat-0", "--out", "again", *more]) == 2
    assert os.listdir() == ["data"]
    assert prepare("eurosat", raw("eurosat")) == 0
    own = [
        "data",
        "prepare",
        "data/eurosat",
        "--out",
        "data/eurosat",
        "--split_seed",
        "0",
        "--overwrite",
    ]
    capsys.readouterr()
    assert cli.main(own) == 2
    assert "data/eurosat is the folder that is read; choose another" in capsys.readouterr().err


def test_an_existing_folder_is_refused_before_anything_is_read(raw, capsys):
    assert prepare("tristar", raw("tristar"), "--out", "here") == 0
    Path("broken").mkdir()
    capsys.readouterr()
    assert prepare("tristar", Path("broken"), "--out", "here") == 2
    assert "here: exists already; pass overwrite (--overwrite)" in capsys.readouterr().err


def test_the_second_step_goes_on_from_the_first(raw, monkeypatch):
    """Scaling is cut: the raw copy stays, and the images are not decoded again."""
    name, command = "eurosat", ("--split_seed", 0, "--out", "out")
    with monkeypatch.context() as patched:
        patched.setattr(MultiModalData, "images", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prepare(name, raw(name), *command)
    assert sorted(os.listdir()) == [".out.raw", ".out.unfinished"]
    decoded, read = [], Lazy._row
    monkeypatch.setattr(Lazy, "_row", lambda self, row: decoded.append(row) or read(self, row))
    assert prepare(name, raw(name), *command) == 0
    assert len(decoded) == 2  # the first patch of each sensor, which is always looked at
    assert os.listdir() == ["out"]


WRONG = {
    "a root of no raw files": (("scenes", "--root", "raw"), "--root: 'scenes' has no raw files"),
    "options that are no JSON": (
        ("eurosat", "--options", "window=16"),
        "--options: 'window=16' is no JSON object",
    ),
    "options that are a list": (
        ("eurosat", "--options", "[1]"),
        "--options: '[1]' is no JSON object",
    ),
    "an option that it lacks": (
        ("eurosat", "--options", '{"window": 3}'),
        "eurosat has no option 'window'",
    ),
    "options of no set": (
        ("scenes", "--options", '{"n": 3}'),
        "takes no --options and no --download",
    ),
    "a download of no set": (("scenes", "--download"), "takes no --options and no --download"),
    "scaling without a split": (
        ("scenes", "--scaling", "whole"),
        "--scaling: takes effect with --split_seed alone",
    ),
    "a split that it lacks": (
        ("scenes", "--split", "grouped"),
        "scenes has no split 'grouped'; choose random",
    ),
    "a download by hand": (("potsdam", "--download"), "cannot be downloaded by a program"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_commands(case, capsys):
    arguments, message = WRONG[case]
    assert cli.main(["data", "prepare", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("split=official", "has no split 'official'; choose random"),
        ("split=whole,scaling=train", "has no split 'whole'"),
        ("share=3", "a folder has no argument 'share'; it has split, scaling"),
    ],
)
def test_wrong_protocols(given, message, raw, capsys):
    prepare("eurosat", raw("eurosat"))
    capsys.readouterr()
    assert cli.main(["data", "check", f"eurosat:{given}"]) == 2
    assert message in capsys.readouterr().err
